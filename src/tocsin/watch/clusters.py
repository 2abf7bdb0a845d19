"""A stream's places, tested: more of late in a circle than events that excite each other bring; and where events merely concentrate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
from scipy.special import gammaincinv

from tocsin.errors import OptionError
from tocsin.kernels import scan as kernel
from tocsin.watch import excite
from tocsin.watch.places import Placed, placed
from tocsin.watch.plan import HISTORY, RECENT, Plan, as_day
from tocsin.watch.scan import scan
from tocsin.watch.shared import once
from tocsin.watch.shifts import common
from tocsin.watch.streams import Stream
from tocsin.watch.study import Study

_FEWEST = 20  # incidents before the last days, that what is usual is fitted on
_CONCENTRATED = 0.05
_FIRST, _QUIET = 499, 0.02

CONCENTRATED = pl.Schema(
    {
        "violence": pl.String,
        "place": pl.String,
        "places": pl.Int64,
        "lat": pl.Float64,
        "lon": pl.Float64,
        "radius_km": pl.Float64,
        "start": pl.Date,
        "end": pl.Date,
        "observed": pl.Int64,
        "expected": pl.Float64,
        "statistic": pl.Float64,
        "p_value": pl.Float64,
    }
)


def little(p: Placed, until: int) -> str | None:
    """What there is too little of for clusters."""
    before = int((p.incidents["day"] < until - RECENT).sum())
    if before < _FEWEST:
        return f"{before} incidents at a known place before the last {RECENT} days; {_FEWEST} are needed"
    if len(p.at) < 2:
        return "all incidents are at one place: a cluster has more than its share of several"
    return None


def tested(p: Placed, plan: Plan, until: int, replications: int) -> excite.Excited | str:
    """What excited() finds, or why it cannot.

    Where nobody asks what would have been seen, a first run of 499 simulations ends it if more than 2 in 100 of them have as great a cluster: none at the
    level of a signal does, and whatever is raised is raised by the whole run, at its own rate of false alarms.
    """
    if why := little(p, until):
        return why
    days, seed = p.incidents["day"].to_numpy().astype(np.float64), plan.seed

    def run(many: int) -> excite.Excited:
        def make() -> excite.Excited:
            return excite.excited(days, p.where, p.apart, end=float(until), most=RECENT, replications=many, seed=seed, engine=plan.engine)

        return once(plan.shared, ("excited", days, p.where, p.apart, until, many, seed), make)

    try:
        if not plan.sensitivity and replications > 2 * _FIRST:
            first = run(_FIRST)
            if min((c.p_value for c in first.clusters), default=1.0) > _QUIET:
                return first
        return run(replications)
    except OptionError as why:
        return str(why)


def signal_row(p: Placed, c: excite.Cluster, until: int, replications: int) -> dict[str, Any]:
    """A cluster's columns of SIGNALS.

    The interval is of observed / expected with the observed as a Poisson count (Garwood 1936, exact): it knows nothing of bursts, p_value does.
    """
    first, centre = until - c.days, int(c.places[0])
    inside = p.incidents.filter(pl.Series(np.isin(p.where, c.places)) & (pl.col("day") >= first))
    there = p.incidents.filter(pl.Series(p.where == centre))
    expected = max(c.expected, 0.5 / replications)  # no simulation need have had one
    low, high = gammaincinv(c.observed, 0.025), gammaincinv(c.observed + 1, 0.975)
    lat, lon = (float(x) for x in p.at[centre])
    return {
        "category": common(there["place"]) or f"{lat:.2f}, {lon:.2f}",
        "area": common(inside["area"]),
        "lat": lat,
        "lon": lon,
        "radius_km": float(p.apart[centre, c.places].max()),
        "start": as_day(first),
        "end": as_day(until - 1),
        "observed": c.observed,
        "expected": expected,
        "log_odds": math.log(c.observed / expected),
        "low": math.log(low / expected),
        "high": math.log(high / expected),
        "statistic": c.statistic,
        "p_value": c.p_value,
        "evidence": inside["incident_id"].to_list(),
        "note": f"without a change {c.low} to {c.high} incidents would be there in 95 simulations of 100",
    }


def concentrated(incidents: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Where incidents of the last 30 days concentrate, by a plain space-time permutation scan over two years (p up to .05): nothing here need have changed."""
    rows: list[pl.DataFrame] = []
    for violence in plan.violence:
        p = placed(Stream("cluster", violence, "place").of(incidents).filter(pl.col("day") >= plan.until - HISTORY), plan.until)
        if little(p, plan.until):
            continue
        found = scan(study(p, plan), replications=999, seed=plan.seed, engine=plan.engine).clusters
        rows.append(
            found.filter(pl.col("p_value") <= _CONCENTRATED)
            .rename({"x": "lat", "y": "lon", "radius": "radius_km", "centre": "place"})
            .with_columns(pl.col("places").list.len().cast(pl.Int64), violence=pl.lit(violence))
            .select(CONCENTRATED.names())
        )
    return pl.concat(rows) if rows else pl.DataFrame(schema=CONCENTRATED)


def study(p: Placed, plan: Plan) -> Study:
    """The last two years, day by day, of which the last 30 days are scanned."""
    first = plan.until - HISTORY
    when = (p.incidents["day"].to_numpy() - first).astype(np.int32)
    cases = np.zeros((len(p.at), HISTORY), np.int64)
    np.add.at(cases, (p.where, when), 1)
    expected = np.outer(cases.sum(axis=1), cases.sum(axis=0)) / cases.sum()
    edges = np.array([0, len(when)], np.int64)
    data = kernel.Data(kernel.PERMUTATION, cases, expected, np.zeros(0, np.int64), p.where.astype(np.int32), when, edges)
    days = tuple(as_day(first + d) for d in range(HISTORY + 1))
    names = tuple(
        common(p.incidents.filter(pl.Series(p.where == k))["place"]) or f"{lat:.2f}, {lon:.2f}" for k, (lat, lon) in enumerate(p.at)
    )
    return Study(names, p.at, True, days, data, prospective=True, most=RECENT)


__all__ = ["CONCENTRATED", "Placed", "concentrated", "little", "placed", "signal_row", "study", "tested"]
