"""read(): any event file or table -> reports + intake issues; nothing is lost on the way.

    files/ (bytes -> raw cells) -> a source's reader -> coder/ (words) -> places/ -> ids: see pipeline.py

To add a source: one folder with a reader and its YAML, and one line in `READERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import polars as pl

from tocsin.errors import OptionError, SpecError, UnknownFormat
from tocsin.intake.acled import Acled
from tocsin.intake.files import Batch, Table, open_table
from tocsin.intake.gtd import Gtd
from tocsin.intake.pipeline import Pipeline
from tocsin.intake.reader import Reader
from tocsin.intake.spool import Spool, source_line, summed
from tocsin.intake.table import TableReader, load_spec, sketch
from tocsin.intake.ucdp_ged import UcdpGed
from tocsin.terms.tables import ISSUES, REPORTS, conform, empty, schema

__all__ = ["READERS", "Intake", "read", "read_to", "sketch"]

READERS: tuple[Reader, ...] = (UcdpGed(), Acled(), Gtd())

Progress = Callable[[str, int, int], None]  # file, bytes done, bytes in all


@dataclass(frozen=True)
class Intake:
    """What read() gives back; unpacks as `reports, issues`."""

    reports: pl.DataFrame  # by REPORTS
    issues: pl.DataFrame  # by ISSUES
    sources: pl.DataFrame  # a line a file: file, format, agency, records, reports, source_hash
    unmapped: pl.DataFrame  # places that map to nothing: place, admin1, admin2, country, rows, reason

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return iter((self.reports, self.issues))


def read(
    sources: str | PathLike[str] | Sequence[Any] | Any,
    *,
    spec: str | PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Intake:
    """Reports and intake issues from event files or tables.

    sources: a path, a table with an Arrow stream, or several of them. The format is known by the header: UCDP GED, ACLED, GTD, or any table that the
    YAML `spec` describes (`sketch` drafts one). Each physical record becomes at least one report or one issue.

    Raises `UnreadableFile` for a file that cannot be opened, `UnknownFormat` where no reader knows the header, `SpecError` for a wrong spec.
    """
    many = list(sources) if isinstance(sources, (list, tuple)) else [sources]
    if not many:
        raise OptionError("nothing to read: name at least one file")
    extra = TableReader(load_spec(Path(spec))) if spec is not None else None
    return _joined([_read_one(source, extra, progress) for source in many])


def read_to(
    out: Path, sources: Sequence[str | PathLike[str]], *, spec: str | PathLike[str] | None = None, progress: Progress | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Like `read`, but straight into out/reports.parquet and out/issues.csv, in memory that does not grow with the files.

    Returns (sources, reasons): a line a file as in `Intake.sources`, and how many issues have each reason (reason, len). Raises `UnreadableFile` where
    `out` cannot be written, and what `read` raises.
    """
    extra = TableReader(load_spec(Path(spec))) if spec is not None else None
    with Spool(out) as spool:
        for source in sources:
            table, reader, batches = _opened(Path(source), extra, progress)
            pipeline = Pipeline(reader, table.file)
            for made, odd in pipeline.run(batches):
                spool.add(made, odd)
            spool.end_file(pipeline, table)
        return spool.finish()


def _opened(path: Path, extra: TableReader | None, progress: Progress | None) -> tuple[Table, Reader, Iterator[tuple[Batch, pl.DataFrame]]]:
    table = open_table(path)
    reader = reader_for(table.header, table.file, extra)

    for column in reader.strangers(table.header):
        reason = f"a column that {reader.name} is not known to have: not read"
        table.notes.append({"file": table.file, "row": 0, "field": column, "value": None, "reason": reason})

    def tell(done: int) -> None:
        if progress is not None:
            progress(table.file, done, table.size_hint)

    return table, reader, table.batches(progress=tell, columns=reader.columns(table.header))


def _read_one(source: Any, extra: TableReader | None, progress: Progress | None) -> Intake:
    if isinstance(source, (str, PathLike)):
        return _run(*_opened(Path(source), extra, progress))
    if not hasattr(source, "__arrow_c_stream__"):
        raise OptionError(
            f"cannot read a {type(source).__name__}: give a path or a table with an Arrow stream (Polars, pandas, pyarrow, DuckDB)"
        )
    frame = pl.DataFrame(source).select(pl.all().cast(pl.String))
    reader = reader_for(frame.columns, "<table>", extra)
    rows = pl.int_range(2, frame.height + 2, dtype=pl.Int64, eager=True)
    return _run(None, reader, iter([(Batch(frame.select(reader.columns(frame.columns)), rows), empty(ISSUES))]))


def reader_for(header: Sequence[str], file: str, extra: TableReader | None = None) -> Reader:
    """The reader that knows a header; `extra` (a described table) goes first.

    Raises `SpecError` where a description was given and names columns that the file lacks, `UnknownFormat` where no reader knows the header.
    """
    candidates: tuple[Reader, ...] = (*((extra,) if extra else ()), *READERS)
    for reader in candidates:
        if reader.recognises(header):
            return reader
    if extra is not None:
        raise SpecError(
            f"{file}: the description {extra.spec.where} names columns that the file does not have: {', '.join(extra.missing(header))}; "
            f"the file has {', '.join(header[:20])}"
        )
    seen = ", ".join(header[:8]) + (", ..." if len(header) > 8 else "")
    known = ", ".join(r.name for r in READERS)
    raise UnknownFormat(
        f"{file}: no reader knows this header ({seen}); known are {known}. For a table of your own: "
        f"`tocsin read --sketch {file} > spec.yml`, edit it, then `tocsin read {file} --spec spec.yml`"
    )


def _run(table: Table | None, reader: Reader, batches: Iterator[tuple[Batch, pl.DataFrame]]) -> Intake:
    file = table.file if table else "<table>"
    pipeline = Pipeline(reader, file)
    reports: list[pl.DataFrame] = []
    issues = [empty(ISSUES)]
    for made, odd in pipeline.run(batches):
        reports.append(made)
        issues.append(odd)
    digest = table.source_hash if table else ""
    if table is not None and table.notes:
        issues.append(pl.DataFrame(table.notes, schema=schema(ISSUES)))
    every = pl.concat(reports, how="diagonal", rechunk=False)
    reports.clear()
    if every.height and "radius_km" in every.columns:
        every = pipeline.piles.radius(every)
    every = (
        conform(every.with_columns(source_hash=pl.lit(digest or None, dtype=pl.String)), REPORTS, table="reports")
        if every.height
        else empty(REPORTS)
    )
    return Intake(every, pl.concat(issues), pl.DataFrame([source_line(pipeline, table, every.height)]), summed(pipeline.unmapped))


def _joined(parts: list[Intake]) -> Intake:
    """Several files as one; a report id that two files share is kept once and said."""
    if len(parts) == 1:
        return parts[0]
    reports = pl.concat([p.reports for p in parts])
    again = ~reports["report_id"].is_first_distinct()
    twice = reports.filter(again).select(
        "file",
        "row",
        field=pl.lit(None, dtype=pl.String),
        value="report_id",
        reason=pl.lit("another file has this report already: counted once, kept here"),
    )
    issues = conform(pl.concat([*(p.issues for p in parts), twice]), ISSUES, table="issues")
    sources = pl.concat([p.sources for p in parts])
    return Intake(reports.filter(~again), issues, sources, summed([p.unmapped for p in parts]))
