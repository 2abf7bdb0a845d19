"""One date of a replay: the reports known by then are fused anew and watched, as if live.

A date knows of no other date, so dates can be worked out in any order and anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from tocsin.brief.replay.rivals import ears_alarms, scan_alarms
from tocsin.errors import OptionError
from tocsin.fusion import Judgement, fuse
from tocsin.fusion.members import known_by
from tocsin.watch import look
from tocsin.watch.known import Known, known
from tocsin.watch.plan import RECENT, Plan, made

Row = dict[str, Any]


@dataclass(frozen=True)
class Rules:
    """How each date is looked at: the options of watch(), and the decisions that were signed by then."""

    every: int  # days
    kinds: tuple[str, ...]
    false_alarms: float  # a year
    violence: tuple[str, ...]
    watched: int  # days
    pairs: tuple[tuple[str, str], ...]
    actors: tuple[str, ...] | None
    seed: int
    judgements: tuple[Judgement, ...]

    def plan(self, day: date) -> Plan:
        """The plan of a look from this day. Raises `OptionError` for options that make no sense."""
        return made(day, every=self.every, kinds=self.kinds, violence=self.violence, watched=self.watched, false_alarms=self.false_alarms,
                    pairs=self.pairs, actors=self.actors, seed=self.seed, engine="here")  # fmt: skip

    def fused(self, reports: pl.DataFrame, day: date) -> pl.DataFrame:
        """The incidents of the reports known by a day, with the decisions signed by then."""
        return fuse(reports, as_of=day, judgements=[j for j in self.judgements if j.signed <= day]).incidents


class Dated(NamedTuple):
    """What one date gave."""

    day: date
    counts: Row  # columns of LOOKS
    signals: list[Row]  # by SIGNALS; first_raised is this day
    alarms: list[Row]  # of the rivals, as rivals.py has them


def look_at(reports: pl.DataFrame, rules: Rules, day: date) -> Dated:
    """One date. Raises `OptionError` that names the date where it cannot be looked from."""
    mine = known_by(reports, day)
    incidents = rules.fused(mine, day)
    try:
        found = look(incidents, as_of=day, every=rules.every, kinds=rules.kinds, false_alarms_per_year=rules.false_alarms,
                     violence=rules.violence, watched=rules.watched, pairs=rules.pairs, actors=rules.actors, seed=rules.seed, quick=True)  # fmt: skip
    except OptionError as why:
        raise OptionError(f"the look of {day}: {why}") from why
    plan = rules.plan(day)
    have = known(incidents, plan)
    alarms = [*scan_alarms(have.incidents, plan), *ears_alarms(have.incidents, plan)]
    tested = found.streams.filter(pl.col("verdict").cast(pl.String) != "too little").height
    return Dated(
        day, _counts(mine, incidents, have, plan) | {"streams": found.streams.height, "tested": tested}, found.signals.to_dicts(), alarms
    )


def _counts(mine: pl.DataFrame, incidents: pl.DataFrame, have: Known, plan: Plan) -> Row:
    late = have.incidents.filter(pl.col("day") >= plan.until - RECENT).height
    return {"as_of": plan.as_of, "reports": mine.height, "incidents": incidents.height, "watched": late}
