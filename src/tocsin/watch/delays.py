"""How long it takes until an incident is known, and so how much of the last days is still missing."""

from __future__ import annotations

import numpy as np
import polars as pl

from tocsin.watch.plan import Plan

#: Days that are told; incidents this old are taken to be all known; days of them that are looked at.
_TOLD, _SETTLED, _SPAN = 60, 120, 730
_FEWEST = 20  # incidents
_COMPLETE = 0.9

COMPLETENESS = pl.Schema({"violence": pl.String, "days_ago": pl.Int64, "share": pl.Float64, "incidents": pl.Int64, "complete": pl.Boolean})


def completeness(incidents: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Of each kind of violence the share of incidents that is known so many days after they end, by those that ended 120 to 850 days ago.

    complete: at least .9. Share and complete are null where fewer than 20 incidents tell.
    """
    rows = []
    for violence in plan.violence:
        own = incidents.filter(
            (pl.col("violence") == violence) & pl.col("day").is_between(plan.until - _SETTLED - _SPAN, plan.until - _SETTLED, closed="left")
        )
        delay = (own["known"] - own["day"]).to_numpy()
        delay = delay[delay < _SETTLED]  # those later are not told of incidents that old alone
        for days in range(_TOLD):
            share = float((np.maximum(delay, 0) <= days).mean()) if len(delay) >= _FEWEST else None
            rows.append((violence, days, share, len(delay), None if share is None else share >= _COMPLETE))
    return pl.DataFrame(rows, schema=COMPLETENESS, orient="row")


def thin_days(table: pl.DataFrame, violence: str) -> int | None:
    """How many of the last days are not yet complete; None where that cannot be told."""
    own = table.filter(pl.col("violence") == violence)
    if own["complete"].null_count():
        return None
    return int((~own["complete"]).sum())
