"""tocsin fuse: reports or event files -> incidents and links."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
import polars as pl
from rich.console import Console

from tocsin.brief.outputs import write_incidents
from tocsin.cli.options import AS_OF, FILES, SPEC, as_date, out_option, reading
from tocsin.errors import UnreadableFile
from tocsin.fusion import METHODS, load, load_model
from tocsin.fusion import fuse as fuse_reports
from tocsin.intake import read as read_files


@click.command()
@FILES
@SPEC
@AS_OF
@out_option("tocsin-out")
@click.option("--method", type=click.Choice(METHODS), default=METHODS[0], show_default=True, help="How reports are compared.")
@click.option(
    "--model", type=click.Path(path_type=Path), help="A model of `tocsin train` for --method linkage, in place of the bundled one."
)
@click.option("--judgements", type=click.Path(path_type=Path), help="Signed decisions (YAML) in place of the bundled ones.")
def fuse(
    files: tuple[Path, ...], spec: Path | None, as_of: datetime | None, out: Path, method: str, model: Path | None, judgements: Path | None
) -> None:
    """Fuse FILES (event files, or a reports.parquet of `tocsin read`) into incidents.parquet, .csv, .geojson and links.parquet."""
    if not files:
        raise click.UsageError("name at least one file")
    ready = [f for f in files if is_reports(f)]
    rest = [f for f in files if f not in ready]
    with reading() as tell:
        tables = [pl.read_parquet(f) for f in ready]
        if rest:
            tables.append(read_files(rest, spec=spec, progress=tell).reports)
    reports = pl.concat(tables).unique("report_id", keep="first", maintain_order=True)
    chosen = load_model(model) if model else None
    fusion = fuse_reports(reports, method=method, as_of=as_date(as_of), judgements=load(judgements) if judgements else None, model=chosen)
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_incidents(out, fusion.incidents)
        fusion.links.write_parquet(out / "links.parquet")
    except OSError as why:
        raise UnreadableFile(f"{out}: cannot be written ({why.strerror}); give another folder with --out") from why
    console = Console()
    console.print(f"{reports.height:,} reports, {fusion.incidents.height:,} incidents, {fusion.links.height:,} links", highlight=False)
    console.print(f"Written: {out / 'incidents.parquet'} (.csv, .geojson), {out / 'links.parquet'}", highlight=False, soft_wrap=True)


def is_reports(path: Path) -> bool:
    """True for a Parquet file with the columns of reports."""
    try:
        with path.open("rb") as f:
            if f.read(4) != b"PAR1":
                return False
        return {"report_id", "agency", "known_at", "source_hash"} <= set(pl.read_parquet_schema(path))
    except (OSError, pl.exceptions.PolarsError):
        return False
