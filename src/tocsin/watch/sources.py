"""Whether a source that alone tells of many incidents started or stopped of late: then more or fewer incidents need be no change of violence."""

from __future__ import annotations

import polars as pl

from tocsin.watch.plan import HISTORY, Plan, as_day

_LATE = 120  # days in which a start or a stop is late
_SILENT = 30  # days without a word that make a stop
_SHARE, _FEWEST = 0.2, 5  # of the incidents then; incidents that it alone tells of, or would have
_BEFORE = 20  # incidents that there must be before, for a start to be one


def changed(incidents: pl.DataFrame, plan: Plan) -> tuple[str, ...]:
    """What is told of each such source, by name; incidents with `agencies` and `day`."""
    frame = incidents.filter(pl.col("day") >= plan.until - HISTORY - _LATE).select("agencies", "day")
    alone = (
        frame.filter(pl.col("agencies").list.len() == 1)
        .with_columns(agency=pl.col("agencies").list.first())
        .group_by("agency")
        .agg(pl.col("day").min().alias("first"), pl.col("day").max().alias("last"), pl.len())
        .sort("agency")
    )
    day, late, out = frame["day"], plan.until - _LATE, []
    for agency, first, last, count in alone.iter_rows():
        since, until_then = int((day >= first).sum()), int((day <= last).sum())
        if first >= late and int((day < first).sum()) >= _BEFORE and count >= max(_FEWEST, _SHARE * since):
            out.append(f"{agency}, which alone tells of {count} of the {since} incidents since then, started on {as_day(first)}")
        missed = count / max(last - first + 1, 1) * (plan.until - 1 - last)
        if last >= late and plan.until - 1 - last >= _SILENT and count >= _SHARE * until_then and missed >= _FEWEST:
            out.append(f"{agency}, which alone told of {count} of the {until_then} incidents until then, is silent since {as_day(last)}")
    return tuple(out)
