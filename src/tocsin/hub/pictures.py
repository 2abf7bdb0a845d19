"""Each audience's incidents: fused from what it may see and nothing else, and written to a table keyed by it. Runs with the role `fuse`, which has no HTTP."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import polars as pl

from tocsin.errors import StoreError
from tocsin.fusion import fuse
from tocsin.fusion.members import roots
from tocsin.store import Jsonb, Store
from tocsin.terms.ids import NAMESPACE
from tocsin.terms.tables import REPORTS, conform, schema

WAIT = 0.5  # seconds between two looks for what changed


def refresh(store: Store, only: Collection[str] | None = None) -> list[str]:
    """Makes anew the incidents of every audience for which something changed; gives those audiences."""
    with store.transaction(None) as tx:
        stale = {row["audience"]: row["changes"] for row in tx.all("stale")}
    done = [name for name in stale if only is None or name in only]
    for audience in done:
        _refresh(store, audience, stale[audience])
    return done


def run(store: Store, stop: threading.Event) -> None:
    """Refreshes until `stop` is set; a database that does not answer is asked again."""
    while not stop.is_set():
        try:
            done = refresh(store)
        except StoreError:
            done = []
        if not done:
            stop.wait(WAIT)


def _refresh(store: Store, audience: str, changes: int) -> None:
    with store.transaction(None) as tx:
        rows = tx.all("seen", audience=audience)
    made = incidents(rows)
    with store.transaction(None) as tx:
        tx.do("forget_incidents", audience=audience)
        tx.many(
            "write_incident",
            [{"audience": audience, "incident_id": i["incident_id"], "place": n, "body": Jsonb(i)} for n, i in enumerate(made, 1)],
        )
        members = [{"audience": audience, "report_id": r, "incident_id": i["incident_id"]} for i in made for r in i["report_ids"]]
        tx.many("write_member", members)
        tx.do("fused", audience=audience, changes=changes)


def incidents(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Incidents of rows of `seen`, the latest first. One's id is the supersession root of its first report by (visible_at, report_id)."""
    if not rows:
        return []
    reports = pl.DataFrame([_report(row) for row in rows], schema=schema(REPORTS))
    found = fuse(conform(reports, REPORTS, table="reports"), judgements=(), one_report_per_incident=()).incidents
    seen = {str(row["report_id"]): (row["visible_at"], str(row["report_id"])) for row in rows}
    back = roots(reports)
    made = []
    for row in found.iter_rows(named=True):
        first = min(row["report_ids"], key=seen.__getitem__)
        said = {k: _plain(v) for k, v in row.items() if v is not None}
        made.append(said | {"incident_id": back.get(first, first)})
    made.sort(key=lambda i: (i.get("event_end", ""), i["incident_id"]), reverse=True)
    return made


def _report(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `seen` by the contract: it is known from when the audience sees it."""
    said = {k: v for k, v in row["body"].items() if k not in ("own_id", "version", "marking", "releasable_to", "orcon")}
    for name in ("event_start", "event_end", "review_at"):
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


def _plain(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return {k: _plain(v) for k, v in value.items()} if isinstance(value, dict) else value
