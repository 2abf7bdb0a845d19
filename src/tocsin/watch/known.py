"""Which incidents a look may use, and what it leaves out for which reason."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.errors import LookAheadError
from tocsin.terms.tables import INCIDENTS, VIOLENCE, conform
from tocsin.watch.plan import HISTORY, Plan, as_day, latest
from tocsin.watch.sources import changed

_WIDEST = 31  # days within which an incident must be known to lie
_GAP, _MISSED = 60, 15.0  # days without an incident, and incidents that would be usual in them, from which on data seem to be missing

LEFT_OUT = pl.Schema({"violence": pl.String, "kept_from": pl.String, "reason": pl.String, "incidents": pl.Int64})


class Known(NamedTuple):
    """What is looked at."""

    incidents: pl.DataFrame  # by id, with day and known (numbers), area, and the dead of its own kind of violence
    left_out: pl.DataFrame  # by LEFT_OUT
    caveats: tuple[str, ...]


def known(incidents: Any, plan: Plan) -> Known:
    """The incidents of a plan's kinds of violence that were known by its day.

    Raises `LookAheadError` where any is stamped later than that, and `ContractError` for a table that is not incidents.
    """
    frame = conform(pl.DataFrame(incidents), INCIDENTS, table="incidents", extra=True).select(c.name for c in INCIDENTS)
    stamped = latest(frame)
    if stamped is not None and stamped > plan.as_of:
        raise LookAheadError(f"incidents are stamped as of {stamped}, later than {plan.as_of}: fuse them anew as of {plan.as_of}")
    frame = frame.filter(pl.col("violence").cast(pl.String).is_in(plan.violence))
    wide = (pl.col("event_end") - pl.col("event_start")).dt.total_days() + 1 > _WIDEST
    reasons = (
        ("known only after the day that is looked from", pl.col("known_at") > plan.as_of),
        ("ends after the day that is looked from", pl.col("event_end") > plan.as_of),
        ("day not known", pl.col("event_end").is_null() | pl.col("event_start").is_null()),
        ("day not known to a month (31 days)", pl.col("vague") | wide),
    )
    rows = []
    for reason, out in reasons:
        away = frame.filter(out.fill_null(False))
        rows += [(str(v), "all", reason, n) for v, n in away.group_by("violence").len().sort("violence").iter_rows()]
        frame = frame.filter(~out.fill_null(False))
    frame = frame.with_columns(
        day=pl.col("event_end").cast(pl.Int32),
        known=pl.col("known_at").cast(pl.Int32),
        killed=_dead(),
        area=_area(frame),
        violence=pl.col("violence").cast(pl.String),
    ).sort("incident_id")
    return Known(frame, pl.DataFrame(rows, schema=LEFT_OUT, orient="row"), tuple(_caveats(frame, plan, stamped)))


def known_then(incidents: pl.DataFrame, until: int) -> pl.DataFrame:
    """Those that were known on the day before `until`."""
    return incidents.filter((pl.col("day") < until) & (pl.col("known") < until))


def _dead() -> pl.Expr:
    """The dead of an incident's own kind of violence: of one that a source split, only those of its rows of that kind."""
    whole = pl.col("killed")
    for kind in VIOLENCE:
        own = (
            pl.col("parts")
            .list.eval(pl.when(pl.element().struct.field("violence") == kind).then(pl.element().struct.field("killed")))
            .list.drop_nulls()
        )
        split = (pl.col("violence").cast(pl.String) == kind) & (pl.col("parts").list.len() > 0)
        whole = pl.when(split).then(pl.when(own.list.len() > 0).then(own.list.sum())).otherwise(whole)
    return whole


def _area(frame: pl.DataFrame) -> pl.Expr:
    """country/province; the country alone where no incident in it has a province."""
    told = frame.filter(pl.col("admin1").is_not_null())["country"].drop_nulls().unique().to_list()
    without = pl.when(~pl.col("country").is_in(told)).then("country")
    return pl.when(pl.col("admin1").is_not_null()).then(pl.concat_str("country", "admin1", separator="/")).otherwise(without)


def _caveats(frame: pl.DataFrame, plan: Plan, stamped: Any) -> list[str]:
    out = []
    if stamped is not None and (plan.as_of - stamped).days >= plan.every:
        out.append(f"the incidents are stamped as of {stamped}: nothing that became known later is in them")
    if frame["hindsight"].any():
        out.append(
            "the incidents are hindsight: as a later release knows them, and where no source is dated, as if known the day after; "
            "nothing here shows how early a signal would have come"
        )
    for kind in plan.violence:
        own = frame.filter(pl.col("violence") == kind)
        if own.is_empty():
            out.append(f"no incident of {kind} violence was known by {plan.as_of}")
        elif (since := (plan.until - 1 - int(own["day"].max()))) > max(_GAP, 2 * plan.every):  # type: ignore[arg-type]
            out.append(f"the last incident of {kind} violence is {since} days before {plan.as_of}")
        if gap := missing(own["day"].to_numpy(), plan):
            out.append(f"{kind}: {gap}")
        out += [f"{kind}: {told}" for told in changed(own, plan)]
    return out


def missing(day: NDArray[np.int32], plan: Plan) -> str | None:
    """A stretch without any incident in which many would be usual, told; None where there is none."""
    first = plan.until - plan.looks * plan.every - HISTORY
    days = np.unique(day[day >= first])
    if len(days) < 2:
        return None
    gaps = np.diff(days)
    k = int(np.argmax(gaps))
    length = int(gaps[k]) - 1
    span = int(days[-1] - days[0]) + 1 - length
    usual = length * int((day >= first).sum()) / max(span, 1)
    if length < _GAP or usual < _MISSED:
        return None
    return f"no incident from {as_day(days[k] + 1)} to {as_day(days[k + 1] - 1)}, where {usual:.0f} would be usual: data seem to be missing"


__all__ = ["LEFT_OUT", "Known", "known", "known_then", "missing"]
