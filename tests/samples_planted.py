"""A made-up table in which the attacked community changes on a known day, and one town is hit again and again at the end."""

from __future__ import annotations

import csv
import random
from datetime import date, timedelta
from pathlib import Path

AS_OF = date(2020, 6, 30)
CHANGED = date(2020, 4, 11)
_SPEC = """agency: ACLED
values:
  own_id: ref
  event_start: day
  country: {constant: PAK}
  admin1: province
  place: town
  lat: lat
  lon: lon
  radius_km: {constant: 1}
  violence: {constant: one_sided}
  actor: actor
  attack_type: attack
  target_group: community
  killed: dead
ignored: {}
"""
_GROUPS = ("shia", "christian", "sufi", "general")


def planted(folder: Path, seed: int = 1) -> tuple[Path, Path]:
    """(table, its description): 400 attacks of two and a half years in one mix until CHANGED, and on sufis alone from then on."""
    chance = random.Random(seed)
    rows = []
    for k in range(400):
        day = AS_OF - timedelta(days=chance.randrange(900))
        town = chance.randrange(20)
        group = "sufi" if day >= CHANGED else chance.choices(_GROUPS, [4, 3, 1, 2])[0]
        rows.append([k, day, "Sindh", f"Town {town}", 25 + 0.6 * (town % 5), 66 + 0.7 * (town // 5), chance.choice(["X", "Y"]), "explosion",
                     group if chance.random() < 0.9 else "", chance.choice([0, 1, 1, 3])])  # fmt: skip
    rows += [[900 + k, AS_OF - timedelta(days=k), "Sindh", "Town 3", 26.8, 66.0, "X", "explosion", "sufi", 1] for k in range(12)]
    table, spec = folder / "planted.csv", folder / "planted.yml"
    with table.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["ref", "day", "province", "town", "lat", "lon", "actor", "attack", "community", "dead"])
        writer.writerows(rows)
    spec.write_text(_SPEC, encoding="utf-8")
    return table, spec
