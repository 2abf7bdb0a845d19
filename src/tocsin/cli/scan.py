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
def scan(study: Path, as_json: bool, replications: int | None, seed: int) -> None:
    """Scan STUDY, a parameter file (.prm) of SaTScan with the files that it names beside it."""
    made, usual = read_study(study)
    count = usual if replications is None else replications
    with working("simulating") as step:
        found = scan_study(made, replications=count, seed=seed, progress=step)
    if as_json:
        click.echo(json.dumps({"study": study.name, "replications": count, "seed": seed, "clusters": _plain(made, found)}, indent=1))
    else:
        _show(made, found, count)


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
            "recurrence_days": c["recurrence_days"],
        }
        for c in found.clusters.iter_rows(named=True)
    ]


def _show(study: Study, found: Scan, count: int) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for name in ("centre", "n", "km" if study.spherical else "radius", "from", "to", "cases", "expected", "LLR", "p"):
        table.add_column(name, justify="left" if name in ("centre", "from", "to") else "right", no_wrap=name != "centre", overflow="fold")
    for c in found.clusters.iter_rows(named=True):
        p = "" if c["p_value"] is None else f"{c['p_value']:.3f}"
        numbers = (f"{c['observed']:,}", f"{c['expected']:.2f}", f"{c['statistic']:.6f}", p)
        table.add_row(c["centre"], str(len(c["places"])), f"{c['radius']:.2f}", str(c["start"]), str(c["end"]), *numbers)
    Console().print(table)
    click.echo(
        f"n: places. Where cases are concentrated, by {count:,} simulations without clustering. Events that excite each other concentrate without any change: "
        "a small p then says little."
    )
