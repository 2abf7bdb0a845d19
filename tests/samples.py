"""Small tables for tests: reports made by hand or by hypothesis."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import strategies as st

from tocsin.terms.ids import report_id
from tocsin.terms.tables import REPORTS, conform

DAY = date(2015, 1, 30)


def report(agency: str = "A", own_id: str = "1", **values: Any) -> dict[str, Any]:
    """One report, with the defaults of a public file."""
    start = values.get("event_start", DAY)
    row: dict[str, Any] = {
        "report_id": report_id(agency, own_id),
        "agency": agency,
        "origin": f"{agency} {own_id}",
        "kind": "event",
        "known_at": start,
        "hindsight": True,
        "event_start": start,
        "event_end": start,
        "country": "PAK",
        "lat": 27.957,
        "lon": 68.638,
        "radius_km": 1.0,
        "violence": "one_sided",
        "marking": "CLEAR",
        "file": "made.csv",
        "row": 2,
    }
    return row | values


def reports(*rows: dict[str, Any]) -> pl.DataFrame:
    """A table of reports."""
    kinds = {c.name: c.dtype for c in REPORTS}
    names = sorted({k for r in rows for k in r})
    frame = pl.DataFrame([{n: r.get(n) for n in names} for r in rows], schema={n: kinds[n] for n in names})
    return conform(frame, REPORTS, table="reports")


@st.composite
def report_tables(draw: st.DrawFn, most: int = 12) -> pl.DataFrame:
    """Tables of up to `most` reports that lie close enough to be fused now and then."""
    rows = []
    for i in range(draw(st.integers(1, most))):
        start = DAY + timedelta(days=draw(st.integers(0, 4)))
        low = draw(st.none() | st.integers(0, 9))
        rows.append(
            report(
                draw(st.sampled_from(["UCDP GED", "ACLED", "B", "C"])),
                str(i),
                event_start=start,
                event_end=start + timedelta(days=draw(st.sampled_from([0, 0, 1, 40]))),
                known_at=start + timedelta(days=draw(st.integers(0, 60))),
                lat=draw(st.none() | st.sampled_from([27.957, 28.0, 28.5, 24.86])),
                lon=68.638,
                radius_km=draw(st.sampled_from([1.0, 12.5, 25.0])),
                violence=draw(st.sampled_from(["one_sided", "state_based"])),
                killed_low=low,
                killed=low,
                killed_high=None if low is None else low + draw(st.integers(0, 5)),
                attack_type=draw(st.none() | st.sampled_from(["explosion", "explosion/suicide", "armed_assault"])),
                actor=draw(st.none() | st.just("TTP")),
                target_group=draw(st.none() | st.sampled_from(["shia", "shia/ismaili", "christian"])),
                place=draw(st.none() | st.sampled_from(["Shikarpur", "Karachi"])),
            )
        )
    return reports(*rows)


def alike(chance: random.Random) -> pl.DataFrame:
    """Forty reports of which many are the same in all that is compared."""
    rows = []
    for k in range(40):
        agency, killed, known = chance.choice("AB"), chance.choice([3, 4]), DAY + timedelta(days=chance.randrange(9))
        day = DAY + timedelta(days=chance.randrange(2))
        rows.append(report(agency, str(k), killed=killed, known_at=known, event_start=day, event_end=day))
    return reports(*rows)


def invented(seed: int, incidents: int, days: int = 60) -> pl.DataFrame:
    """Reports of invented incidents in one crowded province: three agencies, some rough in place, some knowing only the month, one repeating itself."""
    chance = random.Random(seed)
    kinds = ["explosion/suicide", "explosion/ied", "armed_assault/shooting", "explosion", None]
    rows = []
    for k in range(incidents):
        day, lat, lon = DAY + timedelta(days=chance.randrange(days)), 24.5 + chance.random(), 66.8 + chance.random()
        toll, kind = chance.choice([0, 1, 1, 2, 5, 20]), chance.choice(kinds)
        for agency in chance.sample("ABCC", chance.choice([1, 1, 2, 3, 4])):
            start = day + timedelta(days=chance.choice([0, 0, 0, 1]))
            vague = chance.random() < 0.03
            year = chance.random() < 0.02
            rows.append(
                report(
                    agency,
                    f"{k}-{len(rows)}",
                    event_start=start.replace(day=1) if vague else start,
                    event_end=start + timedelta(days=90) if year else start.replace(day=1) + timedelta(days=29) if vague else start,
                    known_at=start + timedelta(days=30),
                    admin1="Sindh",
                    lat=lat + chance.gauss(0, 0.01),
                    lon=lon + chance.gauss(0, 0.01),
                    radius_km=chance.choice([0.6, 2.5, 2.5, 12.0, 60.0]),
                    attack_type=kind if chance.random() < 0.8 else chance.choice(kinds),
                    violence=chance.choice(["one_sided", "one_sided", "unknown", "state_based"]),
                    actor=chance.choice(["TTP", "TTP", "BLA", None]),
                    killed=max(0, toll + chance.choice([0, 0, 1, -1])),
                )
            )
    return reports(*rows)
