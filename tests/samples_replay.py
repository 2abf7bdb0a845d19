"""Reports made for tests of replay: quiet for two years, then shrines are hit, and one of them by a mass-casualty attack."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

import polars as pl
from samples import report, reports

END = date(2015, 6, 30)
START = END - timedelta(days=84)
TURN = END - timedelta(days=70)
TOWNS = [(25.0 + 0.9 * (k % 4), 62.0 + 1.1 * (k // 4)) for k in range(12)]


@cache
def history(hindsight: bool = False, count: int = 260) -> pl.DataFrame:
    """Reports known the day after; received by a hub where they are no hindsight."""
    chance = random.Random(3)
    rows = []
    for k in range(count):
        day = END - timedelta(days=1 + k * 2 % 700)
        late = day >= TURN
        massive = day in (END - timedelta(days=9), END - timedelta(days=69))
        lat, lon = TOWNS[chance.randrange(12)]
        known = day + timedelta(days=1)
        rows.append(
            report(
                "A",
                str(k),
                event_start=day,
                known_at=known,
                received_at=None if hindsight else datetime.combine(known, time(6), UTC),
                hindsight=hindsight,
                admin1="Sindh" if lon < 63.5 else "Punjab",
                area_class="mainland",
                place=f"town {lat:.1f} {lon:.1f}",
                lat=lat,
                lon=lon,
                target_group="sufi" if late else chance.choice(["shia", "shia", "christian", "general", "sufi"]),
                target_type="civilians",
                actor=chance.choice(["TTP", "BLA"]),
                killed=40 if massive else chance.choice([0, 1, 1, 3]),
            )
        )
    return reports(*rows)
