"""Reports for a hub: a mix of attacks that changed some months ago, as posts."""

from __future__ import annotations

import csv
import tempfile
import uuid
from datetime import date, datetime
from pathlib import Path
from typing import Any

from hubs import World
from psycopg.types.json import Jsonb
from samples_planted import AS_OF, planted

from tocsin.terms.tables import SIGNALS

_FIELDS = {"province": "admin1", "town": "place", "actor": "actor", "community": "target_group"}


def changed(last: date, marking: str = "AMBER", releasable_to: tuple[str, ...] = ("B",)) -> list[dict[str, Any]]:
    """The planted table with `last` as its last day."""
    with tempfile.TemporaryDirectory() as folder:
        table, _ = planted(Path(folder))
        rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    return [_post(row, last) | {"marking": marking, "releasable_to": list(releasable_to)} for row in rows]


def planted_signal(
    world: World, audience: str, at: datetime, incidents: list[dict[str, Any]], tests: tuple[Any, ...] = (), **more: Any
) -> str:
    """A signal of a look at `at` that rests on incidents of the audience, as a look writes it; gives its id. tests: what is said of each stream."""
    evidence = [i["incident_id"] for i in incidents]
    ident = str(uuid.uuid5(uuid.NAMESPACE_OID, repr((audience, evidence))))
    body: dict[str, Any] = {c.name: None for c in SIGNALS} | {
        "signal_id": ident, "as_of": "2026-01-01", "kind": "shift", "measure": "count", "violence": "one_sided", "dimension": "target_group",
        "category": "sufi", "area": "PAK/Sindh", "start": "2025-12-01", "end": "2026-01-01", "observed": len(evidence), "expected": 1.25,
        "log_odds": 2.5, "low": 1.5, "high": 3.5, "statistic": 9.75, "p_value": 0.001, "false_alarms_per_year": 0.5, "first_raised": "2025-12-02",
        "evidence": evidence, "falls_without": 1, "calibrated": True, "note": "counted among all that is seen",
    } | more  # fmt: skip
    reports = sorted({uuid.UUID(r) for i in incidents for r in i["report_ids"]})
    said = {
        "reports": len(reports),
        "incidents": len(incidents),
        "streams": 3,
        "tested": 2,
        "signals": 1,
        "reason": None,
        "of": [*tests],
        "caveats": [],
    }
    with world.fuse.transaction(None) as tx:
        tx.one("look_made", audience=audience, at=at, every=1, said=Jsonb(said))
        tx.do("signal_write", audience=audience, at=at, signal_id=uuid.UUID(ident), body=Jsonb(body), reports=reports)
    return ident


def _post(row: dict[str, str], last: date) -> dict[str, Any]:
    day = (date.fromisoformat(row["day"]) + (last - AS_OF)).isoformat()
    said = {
        "own_id": row["ref"],
        "event_start": day,
        "event_end": day,
        "country": "PAK",
        "violence": "one_sided",
        "killed": int(row["dead"]),
    }
    said |= {"lat": float(row["lat"]), "lon": float(row["lon"]), "radius_km": 1.0}
    return said | {to: row[name] for name, to in _FIELDS.items() if row[name]}
