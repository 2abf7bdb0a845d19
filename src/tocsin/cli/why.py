"""tocsin why: what two reports share, and what that is worth."""

from __future__ import annotations

from pathlib import Path

import click
import polars as pl
from rich.console import Console
from rich.table import Table

from tocsin.cli.judge import find_incidents
from tocsin.cli.options import reading
from tocsin.fusion import default_model, load_model
from tocsin.fusion.explain import explain
from tocsin.fusion.explain import why as compare

_SAID = {
    "day": ("event_start", "event_end"),
    "place": ("place", "lat", "lon", "radius_km"),
    "attack": ("attack_type",),
    "target": ("target_type",),
    "actor": ("actor",),
    "killed": ("killed_low", "killed"),
    "wounded": ("wounded",),
    "agency": ("agency",),
}


@click.command()
@click.argument("left")
@click.argument("right", required=False)
@click.option(
    "--reports",
    type=click.Path(path_type=Path),
    default=Path("tocsin-out/reports.parquet"),
    show_default=True,
    help="A reports.parquet of `tocsin read`.",
)
@click.option(
    "--in",
    "folder",
    type=click.Path(path_type=Path),
    help="The folder with the incidents.parquet and links.parquet of `tocsin fuse` or `brief`; by default that of the reports.",
)
@click.option("--model", type=click.Path(path_type=Path), help="A model of `tocsin train` in place of the bundled one.")
def why(left: str, right: str | None, reports: Path, folder: Path | None, model: Path | None) -> None:
    """Why the reports of incident LEFT are one; with RIGHT, what each comparison of reports LEFT and RIGHT gives, in natural log-odds."""
    if right is None:
        _incident(left, reports, folder or reports.parent)
        return
    with reading():
        table = pl.read_parquet(reports) if reports.exists() else None
        if table is None:
            raise click.UsageError(f"{reports} is not there: name the reports with --reports")
        given = compare(table, left, right, model=load_model(model) if model else None)
    rows = {row["report_id"]: row for row in table.filter(pl.col("report_id").is_in([left, right])).iter_rows(named=True)}
    shown = Table(box=None, pad_edge=False)
    for name, side in (("comparison", "left"), ("left", "left"), ("right", "left"), ("log-odds", "right")):
        shown.add_column(name, justify="right" if side == "right" else "left")
    for name, weight in given.items():
        cells = [
            ", ".join(str(rows[r][c]) for c in _SAID.get(name, ()) if rows[r][c] is not None) or ("" if name == "sum" else "not stated")
            for r in (left, right)
        ]
        shown.add_row(name, *cells, f"{weight:+.2f}")
    Console().print(shown)
    click.echo(
        "Above this, each pair shares its odds with the other candidates of its two reports: links.parquet has the whole, and the probability "
        "(docs/methods/fusion.md)."
    )
    click.echo(f"Probabilities are calibrated on: {(load_model(model) if model else default_model()).calibrated_on}.")


def _incident(name: str, reports: Path, folder: Path) -> None:
    """Prints why the reports of one incident are one."""
    tables = (folder / "incidents.parquet", folder / "links.parquet", reports)
    for path in tables:
        if not path.exists():
            raise click.UsageError(
                f"{path} is not there: name the folder that `tocsin fuse` or `brief` wrote with --in, and the reports with --reports"
            )
    own = find_incidents(folder, (name,))[0]["incident_id"]
    incidents, links, table = (pl.read_parquet(p) for p in tables)
    click.echo(str(explain(incidents, links, own, table)))
