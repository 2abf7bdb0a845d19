"""What simpler methods would have raised on the same day, at the same promised rate of false alarms: a plain permutation scan, and EARS C1 and C2 per area.

An alarm has the columns by which signals are told apart (spells.py) and covered (cover.py): kind is the method.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from tocsin.watch import scan
from tocsin.watch.clusters import little, study
from tocsin.watch.ears import ears
from tocsin.watch.places import placed
from tocsin.watch.plan import HISTORY, RECENT, Plan, as_day, replications
from tocsin.watch.streams import PLACE, Stream

Row = dict[str, Any]
SCAN, C1, C2 = "scan", "c1", "c2"
_YEAR = 365.25  # days
_BASELINE, _BINS = 7, 10  # looks
#: Incidents: one after quiet is no alarm. Without it the charts raise far more, so this is the kinder way to treat them.
LEAST = 0.5


def level(plan: Plan, tests: int) -> float:
    """The p-value at which so many tests a look raise the false alarms a year that the whole run is allowed."""
    return min(0.5, plan.false_alarms * plan.every / _YEAR / max(1, tests))


def _row(method: str, plan: Plan, violence: str, dimension: str, category: str, **more: Any) -> Row:
    return {"kind": method, "measure": "count", "violence": violence, "dimension": dimension, "actor": None, "category": category,
            "signal_id": f"{method} {violence} {category} {plan.as_of}", "first_raised": plan.as_of, "evidence": [], "log_odds": 1.0,
            "lat": None, "lon": None, "radius_km": None, **more}  # fmt: skip


def scan_alarms(incidents: pl.DataFrame, plan: Plan) -> Iterator[Row]:
    """Clusters of the last 30 days by a prospective space-time permutation scan over two years, kind of violence by kind."""
    limit = level(plan, len(plan.violence))
    for violence in plan.violence:
        p = placed(Stream("cluster", violence, PLACE).of(incidents).filter(pl.col("day") >= plan.until - HISTORY), plan.until)
        if little(p, plan.until):
            continue
        numbered = replace(study(p, plan), places=tuple(str(k) for k in range(len(p.at))))  # names may be those of several places
        found = scan(numbered, replications=replications(limit), seed=plan.seed).clusters.filter(pl.col("p_value") <= limit)
        for c in found.iter_rows(named=True):
            members = [int(k) for k in c["places"]]
            inside = pl.Series(np.isin(p.where, members)) & (p.incidents["day"] >= (c["start"] - as_day(0)).days)
            yield _row(
                SCAN, plan, violence, PLACE, c["centre"], lat=c["x"], lon=c["y"], radius_km=c["radius"],
                evidence=p.incidents.filter(inside)["incident_id"].to_list(), signal_id=f"{SCAN} {violence} {c['x']} {c['y']} {plan.as_of}",
            )  # fmt: skip


def ears_alarms(incidents: pl.DataFrame, plan: Plan) -> Iterator[Row]:
    """Areas whose incidents since the last look exceed what C1 or C2 allow; the rate is shared out among the areas of the last two years."""
    for violence in plan.violence:
        own = incidents.filter(
            (pl.col("violence") == violence) & pl.col("area").is_not_null() & (pl.col("day") >= plan.until - HISTORY - RECENT)
        )
        areas = own["area"].unique().sort().to_list()
        limit = level(plan, len(areas) * len(plan.violence))
        for area in areas:
            back = (plan.until - 1 - own.filter(pl.col("area") == area)["day"].to_numpy()) // plan.every
            counts = np.bincount(back[back < _BINS], minlength=_BINS)[::-1]
            for method, name in ((C1, "C1"), (C2, "C2")):
                if ears(counts, method=name, baseline=_BASELINE, alpha=limit, least=LEAST).alarm[-1]:
                    yield _row(method, plan, violence, "area", area)
