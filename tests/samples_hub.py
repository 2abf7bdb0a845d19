"""Reports for a hub: a mix of attacks that changed some months ago, as posts."""

from __future__ import annotations

import csv
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from samples_planted import AS_OF, planted

_FIELDS = {"province": "admin1", "town": "place", "actor": "actor", "community": "target_group"}


def changed(last: date, marking: str = "AMBER", releasable_to: tuple[str, ...] = ("B",)) -> list[dict[str, Any]]:
    """The planted table with `last` as its last day."""
    with tempfile.TemporaryDirectory() as folder:
        table, _ = planted(Path(folder))
        rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    return [_post(row, last) | {"marking": marking, "releasable_to": list(releasable_to)} for row in rows]


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
