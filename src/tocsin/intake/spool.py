"""Batches of reports on their way to disk: kept as parts, then written as one table when the whole file has been seen.

Two things about a report are known only at its file's end: how many events pile up on its point, and the hash of the file's bytes.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from types import TracebackType
from typing import Any

import polars as pl

from tocsin.errors import UnreadableFile
from tocsin.intake.files import Table
from tocsin.intake.pipeline import Pipeline
from tocsin.intake.places.piles import PILE_KM
from tocsin.kernels.seen import Seen
from tocsin.terms.tables import ISSUES, REPORTS, empty, schema


class Spool:
    """Writes out/reports.parquet and out/issues.csv; a run that stops half-way leaves neither half-written."""

    def __init__(self, out: Path) -> None:
        self.out, self.parts = out, out / ".parts"
        self._sources: list[dict[str, Any]] = []
        self._reasons: list[pl.DataFrame] = []
        self._done: list[pl.LazyFrame] = []
        self._open: list[Path] = []
        self._reports = self._count = 0
        self._seen = Seen()

    def __enter__(self) -> Spool:
        try:
            self.parts.mkdir(parents=True, exist_ok=True)
            self._issues = (self.parts / "issues.csv").open("wb")
            self._write_issues(empty(ISSUES), header=True)
        except OSError as why:
            raise UnreadableFile(f"{self.out}: cannot be written ({why.strerror}); give another folder with --out") from why
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None) -> None:
        self._issues.close()
        shutil.rmtree(self.parts, ignore_errors=True)

    def add(self, reports: pl.DataFrame, issues: pl.DataFrame) -> None:
        """One batch, in order."""
        if reports.height:
            again = pl.Series(self._seen.add(reports["report_id"].hash(seed=3).to_numpy()))
            if again.any():
                reason = pl.lit("another file has this report already: counted once, kept here")
                twice = reports.filter(again).select("file", "row", field=pl.lit(None, dtype=pl.String), value="report_id", reason=reason)
                reports, issues = reports.filter(~again), pl.concat([issues, twice])
            part = self.parts / f"{self._count:06}.arrow"
            reports.write_ipc(part)
            self._open.append(part)
            self._count += 1
            self._reports += reports.height
        self._write_issues(issues)

    def end_file(self, pipeline: Pipeline, table: Table) -> None:
        """All batches of a file are in: what only its end tells can be set."""
        if table.notes:
            self._write_issues(pl.DataFrame(table.notes, schema=schema(ISSUES)))
        points = pipeline.piles.betrayed()
        for part in self._open:
            lazy = pl.scan_ipc(part).with_columns(source_hash=pl.lit(table.source_hash))
            have = lazy.collect_schema()
            if points.height and {"lat", "lon", "radius_km", "known_at"} <= set(have):
                piled = (pl.col("known_at") >= pl.col("since")).fill_null(False)
                wide = pl.when(piled).then(pl.max_horizontal("radius_km", pl.lit(PILE_KM))).otherwise("radius_km")
                lazy = lazy.join(points.lazy(), on=["lat", "lon"], how="left", maintain_order="left").with_columns(radius_km=wide)
            absent = [pl.lit(None, dtype=c.dtype).alias(c.name) for c in REPORTS if c.name not in have]
            self._done.append(lazy.with_columns(absent).select([c.name for c in REPORTS]))
        self._sources.append(source_line(pipeline, table, self._reports))
        self._open, self._reports = [], 0

    def finish(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Write both tables; gives (sources, reasons)."""
        reports = self.parts / "reports.parquet"
        if self._done:
            pl.concat(self._done).sink_parquet(reports, maintain_order=True, compression_level=1)
        else:
            empty(REPORTS).write_parquet(reports)
        self._issues.close()
        reports.replace(self.out / "reports.parquet")
        (self.parts / "issues.csv").replace(self.out / "issues.csv")
        reasons = pl.concat(self._reasons).group_by("reason").agg(pl.col("len").sum()).sort("len", "reason", descending=[True, False])
        return pl.DataFrame(self._sources), reasons

    def _write_issues(self, issues: pl.DataFrame, *, header: bool = False) -> None:
        issues.write_csv(self._issues, include_header=header)
        self._reasons.append(issues.group_by("reason").agg(len=pl.len().cast(pl.Int64)))


def source_line(pipeline: Pipeline, table: Table | None, reports: int) -> dict[str, Any]:
    """What was read of one file."""
    return {
        "file": pipeline.file,
        "format": pipeline.reader.name,
        "agency": pipeline.reader.agency,
        "records": pipeline.records,
        "reports": reports,
        "source_hash": table.source_hash if table else "",
    }


def summed(unmapped: list[pl.DataFrame]) -> pl.DataFrame:
    """Places that map to nothing, each once, with the number of rows: place, admin1, admin2, country, rows, reason."""
    keys = ["place", "admin1", "admin2", "country", "reason"]
    kinds = {**dict.fromkeys(keys[:4], pl.String), "rows": pl.Int64, "reason": pl.String}
    frames = [f.select(pl.col(c).cast(t) for c, t in kinds.items()) for f in unmapped]
    every = pl.concat([pl.DataFrame(schema=kinds), *frames])
    return (
        every.group_by(keys, maintain_order=True)
        .agg(pl.col("rows").sum())
        .select(list(kinds))
        .sort("rows", "place", descending=[True, False])
    )
