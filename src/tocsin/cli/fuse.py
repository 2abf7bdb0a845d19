"""tocsin fuse: reports or event files -> incidents and links."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
import polars as pl
from rich.console import Console

from tocsin.brief.outputs import write_incidents, write_incidents_flat
from tocsin.cli.options import AS_OF, FILES, JUDGEMENTS, SPEC, as_date, out_option, reading, working
from tocsin.engine import ENGINES
from tocsin.errors import UnreadableFile
from tocsin.fusion import METHODS, Totals, fuse_to, load_model
from tocsin.fusion import fuse as fuse_reports
from tocsin.fusion.judgements import with_bundled
from tocsin.intake import read_to


@click.command()
@FILES
@SPEC
@AS_OF
@out_option("tocsin-out")
@click.option("--method", type=click.Choice(METHODS), default=METHODS[0], show_default=True, help="How reports are compared.")
@click.option("--model", type=click.Path(path_type=Path), help="A model of `tocsin train` in place of the bundled one.")
@JUDGEMENTS
@click.option(
    "--engine",
    type=click.Choice(tuple(ENGINES)),
    default="here",
    show_default=True,
    help="Where it is worked out; spark needs tocsin[spark].",
)
def fuse(
    files: tuple[Path, ...],
    spec: Path | None,
    as_of: datetime | None,
    out: Path,
    method: str,
    model: Path | None,
    judgement_files: tuple[Path, ...],
    engine: str,
) -> None:
    """Fuse FILES (event files, or a reports.parquet of `tocsin read`) into incidents.parquet, .csv, .geojson and links.parquet.

    Files may be larger than memory; a run that was killed goes on where it was when the same command is given again.
    """
    if not files:
        raise click.UsageError("name at least one file")
    chosen = load_model(model) if model else None
    decided = with_bundled(judgement_files)
    console = Console()
    ready, rest = [f for f in files if is_reports(f)], [f for f in files if not is_reports(f)]
    if rest and any(f.exists() and f.resolve() == (out / "reports.parquet").resolve() for f in ready):
        raise click.UsageError(f"{out / 'reports.parquet'} is one of the files and would be written anew: give another folder with --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
        if rest:
            if not _read_before(out, rest, spec):
                with reading() as tell:
                    read_to(out, rest, spec=spec, progress=tell)
                _note_read(out, rest, spec)
            ready.append(out / "reports.parquet")
        if method != "linkage":
            fusion = fuse_reports(pl.concat([pl.read_parquet(f) for f in ready]), method=method, as_of=as_date(as_of), judgements=decided)
            write_incidents(out, fusion.incidents)
            fusion.links.write_parquet(out / "links.parquet")
            totals = Totals(fusion.clusters.height, fusion.incidents.height, fusion.links.height)
        else:
            with working("fusing") as step:
                totals = fuse_to(out, ready, as_of=as_date(as_of), judgements=decided, model=chosen, engine=engine, progress=step)
            write_incidents_flat(out, _pieces(out / "incidents.parquet", totals.incidents))
        (out / _READ).unlink(missing_ok=True)
    except OSError as why:
        raise UnreadableFile(f"{out}: cannot be written ({why.strerror}); give another folder with --out") from why
    console.print(f"{totals.reports:,} reports, {totals.incidents:,} incidents, {totals.links:,} links", highlight=False)
    console.print(f"Written: {out / 'incidents.parquet'} (.csv, .geojson), {out / 'links.parquet'}", highlight=False, soft_wrap=True)


_READ = ".read.json"  # which files out/reports.parquet was read from, while a run goes on


def _inputs(files: list[Path], spec: Path | None) -> str:
    return json.dumps(
        [(str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns) for f in [*files, *([spec] if spec else [])] if f.exists()]
    )


def _read_before(out: Path, files: list[Path], spec: Path | None) -> bool:
    """An earlier run, killed later on, has read these very files."""
    mark = out / _READ
    return mark.exists() and (out / "reports.parquet").exists() and mark.read_text(encoding="utf-8") == _inputs(files, spec)


def _note_read(out: Path, files: list[Path], spec: Path | None) -> None:
    (out / _READ).write_text(_inputs(files, spec), encoding="utf-8")


def _pieces(path: Path, height: int, size: int = 100_000) -> Iterator[pl.DataFrame]:
    lazy = pl.scan_parquet(path)
    for low in range(0, max(1, height), size):
        yield lazy.slice(low, size).collect()


def is_reports(path: Path) -> bool:
    """True for a Parquet file with the columns of reports."""
    try:
        with path.open("rb") as f:
            if f.read(4) != b"PAR1":
                return False
        return {"report_id", "agency", "known_at", "source_hash"} <= set(pl.read_parquet_schema(path))
    except (OSError, pl.exceptions.PolarsError):
        return False
