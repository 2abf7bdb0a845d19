"""Reports of the store as a table by the contract, for fusion."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

import polars as pl

from tocsin.terms.ids import NAMESPACE
from tocsin.terms.tables import REPORTS, conform, schema

_NOT_FUSED = ("own_id", "version", "marking", "releasable_to", "orcon")
_DAYS = ("event_start", "event_end", "review_at")


def frame_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows of `seen` or `reports` as a table of reports: one is known from when the audience sees it."""
    frame = pl.DataFrame([_report(row) for row in rows], schema=schema(REPORTS))
    return conform(frame, REPORTS, table="reports")


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
