"""Reports of the store as a table by the contract, for fusion."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

import polars as pl

from tocsin.store import Transaction, array
from tocsin.terms.ids import NAMESPACE
from tocsin.terms.tables import REPORTS, conform

_OF_THE_HUB = (
    "report_id", "agency", "received_at", "known_at", "hindsight", "marking", "releasable_to", "orcon", "supersedes", "derived_from", "part_of",
    "coded_spans", "file", "row", "source_hash",
)  # fmt: skip
_COLUMNS = {c.name: c.dtype for c in REPORTS}
_SAID = {
    name: pl.String if dtype.is_temporal() or isinstance(dtype, pl.Enum) else dtype
    for name, dtype in _COLUMNS.items()
    if name not in _OF_THE_HUB
}


def frame_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows of `seen` or `reports` as a table of reports: one is known from when the audience sees it."""
    bodies = pl.Series("body", [row["body"] for row in rows], dtype=pl.String).str.json_decode(pl.Struct(_SAID))
    at = pl.Series("received_at", [row["visible_at"] for row in rows], dtype=_COLUMNS["received_at"])
    hubs = pl.DataFrame(
        {
            "report_id": [str(row["report_id"]) for row in rows],
            "agency": [row["agency"] for row in rows],
            "supersedes": [str(row["supersedes"]) if row["supersedes"] else None for row in rows],
            "derived_from": [[str(i) for i in row["derived_from"]] for row in rows],
            "part_of": [str(uuid.uuid5(NAMESPACE, row["part_of"])) if row["part_of"] else None for row in rows],
        },
        schema={name: _COLUMNS[name] for name in ("report_id", "agency", "supersedes", "derived_from", "part_of")},
    )
    frame = pl.concat([bodies.struct.unnest(), hubs], how="horizontal").with_columns(
        at, at.dt.date().alias("known_at"), hindsight=pl.lit(False), marking=pl.lit("CLEAR")
    )
    days = [pl.col(name).str.to_date("%Y-%m-%d") for name, dtype in _COLUMNS.items() if dtype == pl.Date and name in _SAID]
    frame = frame.with_columns(
        *days, pl.col("reported_at").str.to_datetime(time_unit="us", time_zone="UTC", format="%Y-%m-%dT%H:%M:%S%.f%:z")
    )
    return conform(frame.cast({n: d for n, d in _COLUMNS.items() if n in _SAID and isinstance(d, pl.Enum)}), REPORTS, table="reports")


class Sight:
    """Some reports, read once, as any audience sees them."""

    def __init__(self, tx: Transaction, ids: Collection[str]) -> None:
        rows = tx.all("reports", ids=array(ids)) if ids else []
        self._frame = frame_of(rows)
        self._at = {i: n for n, i in enumerate(self._frame["report_id"])}
        self._agency = dict(self._frame.select("report_id", "agency").iter_rows())
        self._points = {str(r["report_id"]) for r in rows if r["supersedes"] or r["derived_from"]}
        lines = tx.rows("lines", ids=array(ids)) if ids else []
        self._times: dict[tuple[str, str], datetime] = {(audience, ident): at for audience, ident, at in lines}

    def times(self, audience: str, ids: list[str]) -> list[datetime]:
        """Since when the audience sees each."""
        return [self._times.get((audience, i)) or self._times["*", i] for i in ids]

    def reports(self, audience: str, ids: list[str]) -> pl.DataFrame:
        """By the contract: known from when the audience sees it, and without references to what is not among these."""
        found = self._frame[[self._at[i] for i in ids]]
        at = pl.Series("received_at", self.times(audience, ids), dtype=found.schema["received_at"])
        found = found.with_columns(at, at.dt.date().alias("known_at"))
        if not self._points.intersection(ids):
            return found
        here = set(ids)
        corrects, sources = [], []
        for own, agency, target, several in found.select("report_id", "agency", "supersedes", "derived_from").iter_rows():
            corrects.append(target if target in here and target != own and self._agency[target] == agency else None)
            sources.append([i for i in several if i in here])
        return found.with_columns(
            pl.Series("supersedes", corrects, dtype=pl.String), pl.Series("derived_from", sources, dtype=pl.List(pl.String))
        )
