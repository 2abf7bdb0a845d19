"""tocsin scan: a scan statistic over a study in SaTScan's files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from tocsin.cli.options import working
from tocsin.watch import Scan, Study, read_study
from tocsin.watch import scan as scan_study


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The clusters as one JSON document.")
@click.option("--replications", type=int, help="Simulations, in place of the study's MonteCarloReps.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the simulations.")
@click.option(
    "--early-stop", type=int, help="Stop once so many simulations were no less than the likeliest cluster (Besag & Clifford's p-values)."
)
@click.option("--gumbel", is_flag=True, help="Also the p-value of a Gumbel distribution fitted to the simulations.")
def scan(study: Path, as_json: bool, replications: int | None, seed: int, early_stop: int | None, gumbel: bool) -> None:
    """Scan STUDY, a parameter file (.prm) of SaTScan with the files that it names beside it."""
    made, usual = read_study(study)
    count = usual if replications is None else replications
    with working("simulating") as step:
        found = scan_study(made, replications=count, seed=seed, early_stop=early_stop, gumbel=gumbel, progress=step)
    if as_json:
        told = {"study": study.name, "replications": len(found.maxima), "seed": seed, "clusters": _plain(made, found)}
        click.echo(json.dumps(told, indent=1))
    else:
        _show(made, found)


def _plain(study: Study, found: Scan) -> list[dict[str, Any]]:
    """The clusters as JSON has them."""
    at = ("lat", "lon", "radius_km") if study.spherical else ("x", "y", "radius")
    return [
        {
            "centre": c["centre"],
            "members": c["places"],
            at[0]: c["x"],
            at[1]: c["y"],
            at[2]: c["radius"],
            "start": c["start"].isoformat(),
            "end": c["end"].isoformat(),
            "observed": c["observed"],
            "expected": c["expected"],
            "llr": c["statistic"],
            "p": c["p_value"],
            **({"p_gumbel": c["p_gumbel"]} if c["p_gumbel"] is not None else {}),
            "recurrence_days": c["recurrence_days"],
        }
        for c in found.clusters.iter_rows(named=True)
    ]


def _show(study: Study, found: Scan) -> None:
    count = len(found.maxima)
    gumbel = bool(found.clusters["p_gumbel"].count())
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for name in (
        "centre",
        "n",
        "km" if study.spherical else "radius",
        "from",
        "to",
        "cases",
        "expected",
        "LLR",
        "p",
        *(["Gumbel p"] if gumbel else []),
    ):
        table.add_column(name, justify="left" if name in ("centre", "from", "to") else "right", no_wrap=name != "centre", overflow="fold")
    for c in found.clusters.iter_rows(named=True):
        p = "" if c["p_value"] is None else f"{c['p_value']:.3f}"
        numbers = (f"{c['observed']:,}", f"{c['expected']:.2f}", f"{c['statistic']:.6f}", p)
        tail = [f"{c['p_gumbel']:.2g}"] if gumbel else []
        table.add_row(c["centre"], str(len(c["places"])), f"{c['radius']:.2f}", str(c["start"]), str(c["end"]), *numbers, *tail)
    Console().print(table)
    click.echo(
        f"n: places. Where cases are concentrated, by {count:,} simulations without clustering. Events that excite each other concentrate without any change: "
        "a small p then says little."
    )
