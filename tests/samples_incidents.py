"""Incidents made for tests of watch."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import polars as pl

from tocsin.terms.tables import INCIDENTS, conform

AS_OF = date(2015, 6, 30)
TOWNS = [(25.0 + 0.6 * (k % 5), 66.0 + 0.7 * (k // 5)) for k in range(20)]
GROUPS = ["shia", "christian", "general", "sufi"]


def incident(k: int, day: date, **values: Any) -> dict[str, Any]:
    """One incident, known the day after."""
    lat, lon = TOWNS[values.pop("town", 0)]
    row: dict[str, Any] = {
        "incident_id": f"i{k:06d}",
        "report_ids": [f"r{k:06d}"],
        "agencies": ["A"],
        "as_of": AS_OF,
        "model": "m",
        "known_at": min(day + timedelta(days=1), AS_OF) if day <= AS_OF else day,
        "hindsight": False,
        "event_start": day,
        "event_end": day,
        "country": "PAK",
        "admin1": "Sindh",
        "area_class": "mainland",
        "place": f"town {lat:.1f} {lon:.1f}",
        "lat": lat,
        "lon": lon,
        "radius_km": 1.0,
        "violence": "one_sided",
        "parts": [],
        "actor": "TTP",
        "attack_type": "explosion",
        "weapon_type": "explosives",
        "target_type": "civilians",
        "target_group": "general",
        "killed": 1,
        "disputed": [],
        "corroboration": 1,
        "vague": False,
        "judged": [],
    }
    return row | values


def table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a table of incidents."""
    kinds = {c.name: c.dtype for c in INCIDENTS}
    names = [c.name for c in INCIDENTS if (rows and c.name in rows[0]) or c.required]
    return conform(
        pl.DataFrame([{n: r.get(n) for n in names} for r in rows], schema={n: kinds[n] for n in names}), INCIDENTS, table="incidents"
    )


def quiet(count: int = 400, *, seed: int = 1, days: int = 900, **values: Any) -> list[dict[str, Any]]:
    """Incidents strewn evenly over days and towns, of four communities in one mix."""
    chance = random.Random(seed)
    rows = []
    for k in range(count):
        day = AS_OF - timedelta(days=chance.randrange(days))
        mixed = {
            "town": chance.randrange(20),
            "target_group": chance.choices(GROUPS, [4, 3, 2, 1])[0],
            "admin1": chance.choice(["Sindh", "Punjab"]),
            "actor": chance.choice(["TTP", "BLA"]),
            "killed": chance.choice([0, 1, 1, 3, 9]),
        }
        rows.append(incident(k, day, **(mixed | values)))
    return rows


def shifted(since: int = 80) -> pl.DataFrame:
    """Quiet until so many days before the end, then sufi shrines alone."""
    rows = quiet()
    for r in rows:
        if (AS_OF - r["event_end"]).days < since:
            r["target_group"] = "sufi"
    return table(rows)
