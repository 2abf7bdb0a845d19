"""Reports of the store as a table by the contract, for fusion."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import polars as pl

from tocsin.store import Transaction
from tocsin.terms.ids import NAMESPACE
from tocsin.terms.tables import REPORTS, conform, schema

_NOT_FUSED = ("own_id", "version", "marking", "releasable_to", "orcon")
_DAYS = ("event_start", "event_end", "review_at")


def frame_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows of `seen` or `reports` as a table of reports: one is known from when the audience sees it."""
    frame = pl.DataFrame([_report(row) for row in rows], schema=schema(REPORTS))
    return conform(frame, REPORTS, table="reports")


class Sight:
    """Some reports, read once, as any audience sees them."""

    def __init__(self, tx: Transaction, ids: Collection[str]) -> None:
        rows = tx.all("reports", ids=list(ids)) if ids else []
        self._frame = frame_of(rows)
        self._at = {i: n for n, i in enumerate(self._frame["report_id"])}
        self._agency = dict(self._frame.select("report_id", "agency").iter_rows())
        self._points = {str(r["report_id"]) for r in rows if r["supersedes"] or r["derived_from"]}
        self._times: dict[tuple[str, str], datetime] = {}
        for row in tx.all("lines", ids=list(ids)) if ids else ():
            self._times[row["audience"], str(row["report_id"])] = row["visible_at"]

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


def _report(row: dict[str, Any]) -> dict[str, Any]:
    said = {k: v for k, v in row["body"].items() if k not in _NOT_FUSED}
    for name in _DAYS:
        if name in said:
            said[name] = date.fromisoformat(said[name])
    if "reported_at" in said:
        said["reported_at"] = datetime.fromisoformat(said["reported_at"])
    references = {
        "supersedes": str(row["supersedes"]) if row["supersedes"] else None,
        "derived_from": [str(i) for i in row["derived_from"]],
        "part_of": str(uuid.uuid5(NAMESPACE, row["part_of"])) if row["part_of"] else None,
    }
    at = row["visible_at"]
    own = {"report_id": str(row["report_id"]), "agency": row["agency"], "received_at": at, "known_at": at.date(), "hindsight": False}
    return said | references | own | {"marking": "CLEAR"}
