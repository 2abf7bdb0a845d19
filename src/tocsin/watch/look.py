"""look(): what changed, by what was known on a day; and what was tested, and could have been seen, where nothing did.

    incidents -> known.py -> streams.py -> clusters.py, shifts.py -> signals.py

plan.py shares out the false alarms of a year; delays.py says how much of the last days is still missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, NamedTuple

import polars as pl

from tocsin.terms.tables import STREAMS, conform
from tocsin.watch import clusters, shifts
from tocsin.watch.clusters import CONCENTRATED
from tocsin.watch.delays import completeness, thin_days
from tocsin.watch.known import LEFT_OUT, Known, known, known_then, missing
from tocsin.watch.places import placed, vague_place
from tocsin.watch.plan import HISTORY, PAIRS, RECENT, Plan, made, replications
from tocsin.watch.shared import Shared
from tocsin.watch.signals import Row, finished, same, table
from tocsin.watch.sources import changed
from tocsin.watch.streams import Stream, streams

Progress = Callable[[int, int], None]  # streams looked at, in all


@dataclass(frozen=True)
class Look:
    """What look() found."""

    signals: pl.DataFrame  # by SIGNALS
    streams: pl.DataFrame  # by STREAMS: all that was tested, whatever came of it
    concentrated: pl.DataFrame  # where incidents concentrate by a plain scan, which need be no change
    completeness: pl.DataFrame  # violence, days_ago, share known by then, incidents that tell, complete (at least .9)
    left_out: pl.DataFrame  # violence, kept_from (all, clusters), reason, incidents
    caveats: tuple[str, ...]
    stopped: bool  # by ctrl-C: the streams that are `not looked at` are not


class _Share(NamedTuple):
    """What one kind's streams may do."""

    streams: int  # that hold enough
    level: float
    replications: int


class _Run(NamedTuple):
    """What all streams of a run share."""

    incidents: pl.DataFrame
    plan: Plan
    share: dict[str, _Share]
    doubts: dict[str, tuple[str, ...]]  # by violence
    notes: dict[str, tuple[str, ...]]
    quick: bool


_NOT_LOOKED: tuple[Row, list[Row]] = ({"verdict": "not looked at", "reason": "stopped before"}, [])


def watch(
    incidents: Any,
    *,
    as_of: date,
    every: str | int = "7d",
    kinds: Sequence[str] = ("cluster", "shift"),
    false_alarms_per_year: float = 1.0,
    violence: Sequence[str] = ("one_sided",),
    watched: int = 182,
    pairs: Sequence[tuple[str, str]] = PAIRS,
    actors: Sequence[str] | None = None,
    last: Any = None,
    seed: int = 0,
    engine: str = "here",
    progress: Progress | None = None,
) -> pl.DataFrame:
    """The signals of a day: changes that chance and bursts do not explain, the rarest first.

    incidents: any table with an Arrow stream and the columns of `incidents`, stamped no later than as_of. every: days between two looks (`7d`, `1d`, `2w` or a
    number); the false alarms of a year are counted at that cadence. kinds: `cluster` (more at some places in the last 30 days than incidents that excite each
    other bring), `shift` (the mix of targets, tactics, actors or areas changed in the `watched` days against up to two years before). Half of
    false_alarms_per_year goes to each kind, in equal parts to its streams. violence: the kinds that are watched, each on its own. pairs: columns whose
    combinations are watched too. actors: those with streams of their own; by default all with 20 incidents. last: the signals of an earlier look, whose id and
    first_raised stay where half of the evidence is the same. The order of the rows does not matter.

    `tocsin.watch.look` gives what was tested too. Raises `LookAheadError` for incidents stamped later than as_of, `ContractError` for a table that is not
    incidents, `OptionError` for options that make no sense.
    """
    plan = made(as_of, every=every, kinds=kinds, violence=violence, watched=watched, false_alarms=false_alarms_per_year, pairs=pairs,
                actors=actors, seed=seed, engine=engine)  # fmt: skip
    found = _look(incidents, plan, last, progress)
    if found.stopped:
        raise KeyboardInterrupt
    return found.signals


def look(
    incidents: Any,
    *,
    as_of: date,
    every: str | int = "7d",
    kinds: Sequence[str] = ("cluster", "shift"),
    false_alarms_per_year: float = 1.0,
    violence: Sequence[str] = ("one_sided",),
    watched: int = 182,
    pairs: Sequence[tuple[str, str]] = PAIRS,
    actors: Sequence[str] | None = None,
    last: Any = None,
    seed: int = 0,
    engine: str = "here",
    progress: Progress | None = None,
    quick: bool = False,
    shared: Shared | None = None,
    sensitivity: bool = True,
) -> Look:
    """watch() with what was tested, what could have been seen, what was left out and why. ctrl-C gives what is done by then (`stopped`).

    quick: raise what is raised, and no more: `first_raised` is this look and the id is named by it, `falls_without` and what would have been seen stay empty,
    and where incidents merely concentrate is not asked. For who looks at every day in turn and takes up the signals of the look before, as replay does.
    shared: looks that have it in common test once what is the same in them. sensitivity: where it is false, what would have been seen and where incidents
    merely concentrate is not asked, and a stream in which 499 simulations find nothing near a cluster is simulated no further: the signals are the same, and
    it takes a fraction of the time. Other arguments and errors as of watch().
    """
    plan = made(as_of, every=every, kinds=kinds, violence=violence, watched=watched, false_alarms=false_alarms_per_year, pairs=pairs,
                actors=actors, seed=seed, engine=engine, shared=shared, sensitivity=sensitivity)  # fmt: skip
    return _look(incidents, plan, last, progress, quick=quick)


def _look(incidents: Any, plan: Plan, last: Any, progress: Progress | None, *, quick: bool = False) -> Look:
    have = known(incidents, plan)
    whole = completeness(have.incidents, plan)
    todo = streams(have.incidents, plan)
    table([], last, plan)  # what is wrong with `last` is said before the work
    little = {s: _little(have.incidents, s, plan) for s in todo}
    run = _Run(have.incidents, plan, _shares(little, plan), _doubts(have.incidents, plan), _notes(whole, plan), quick)
    rows, signals, stopped = [], [], False
    for n, stream in enumerate(todo, 1):
        row, raised = _NOT_LOOKED
        try:
            if not stopped:
                row, raised = _one(run, stream, little[stream])
                if progress:
                    progress(n, len(todo))
        except KeyboardInterrupt:
            stopped = True
        rows.append({**_counted(run, stream), **row})
        signals += raised
    dense = pl.DataFrame(schema=CONCENTRATED)
    if "cluster" in plan.kinds and not stopped and not quick and plan.sensitivity:
        dense = clusters.concentrated(have.incidents, plan)
    tested = conform(pl.DataFrame(rows, schema_overrides={c.name: c.dtype for c in STREAMS}), STREAMS, table="streams")
    return Look(table(signals, last, plan), tested, dense, whole, _left_out(have, plan), have.caveats, stopped)


def _little(incidents: pl.DataFrame, stream: Stream, plan: Plan) -> str | None:
    """What a stream has too little of; None where it can be tested."""
    if stream.kind == "cluster":
        return clusters.little(placed(stream.of(incidents), plan.until), plan.until)
    found = shifts.tested(shifts.mix(incidents, stream, plan, plan.until), stream, plan, plan.until, level=0.5, replications=1)
    return found if isinstance(found, str) else None


def _shares(little: dict[Stream, str | None], plan: Plan) -> dict[str, _Share]:
    """Only streams that hold enough share the false alarms."""
    out = {}
    for kind in plan.kinds:
        n = sum(s.kind == kind and why is None for s, why in little.items())
        level = plan.level(kind, n)
        out[kind] = _Share(n, level, replications(level) if n else 0)
    return out


def _doubts(incidents: pl.DataFrame, plan: Plan) -> dict[str, tuple[str, ...]]:
    out: dict[str, tuple[str, ...]] = {}
    for kind in plan.violence:
        own = incidents.filter(pl.col("violence") == kind)
        gap = missing(own["day"].to_numpy(), plan)
        out[kind] = (*((gap,) if gap else ()), *changed(own, plan))
    return out


def _notes(whole: pl.DataFrame, plan: Plan) -> dict[str, tuple[str, ...]]:
    out: dict[str, tuple[str, ...]] = {}
    for kind in plan.violence:
        thin = thin_days(whole, kind)
        days = "day" if thin == 1 else f"{thin} days"
        out[kind] = (f"of the last {days} fewer than 9 in 10 incidents are known yet",) if thin else ()
    return out


def _one(run: _Run, stream: Stream, little: str | None) -> tuple[Row, list[Row]]:
    """Columns of STREAMS, and the signals of one stream."""
    if little is not None:
        return {"verdict": "too little", "reason": little}, []
    own = run.share[stream.kind]
    row, raised = (_cluster if stream.kind == "cluster" else _shift)(run, stream)

    @cache
    def then(until: int) -> list[Row]:
        return [] if run.quick else _raised(run, stream, known_then(run.incidents, until), until)

    doubts = (*row.pop("doubts", ()), *run.doubts[stream.violence])
    notes = run.notes[stream.violence]
    done = [finished(r, stream, run.plan, then, streams=own.streams, doubts=doubts, notes=notes) for r in raised]
    done = [r | {"falls_without": _falls(run, stream, r) if r["evidence"] and not run.quick else None} for r in done]
    return {**row, "level": own.level, "replications": own.replications}, done


def _cluster(run: _Run, stream: Stream) -> tuple[Row, list[Row]]:
    own, until = run.share["cluster"], run.plan.until
    p = placed(stream.of(run.incidents), until)
    found = clusters.tested(p, run.plan, until, own.replications)
    if isinstance(found, str):
        return {"verdict": "too little", "reason": found}, []
    raised = [c for c in found.clusters if c.p_value <= own.level]
    least = min((c.p_value for c in found.clusters), default=1.0)
    row: Row = {
        "verdict": "changed" if raised else "no change",
        "p_value": least,
        "seen_extra": None if run.quick or not run.plan.sensitivity else found.heard(own.level),
    }
    row["reason"] = f"p {least:.3g} against a level of {own.level:.2g}; an incident sets off {found.branching:.2f} others"
    row["doubts"] = (found.uncalibrated,) if found.uncalibrated else ()
    return row, [clusters.signal_row(p, c, until, own.replications) for c in raised]


def _shift(run: _Run, stream: Stream) -> tuple[Row, list[Row]]:
    own, plan = run.share["shift"], run.plan
    m = shifts.mix(run.incidents, stream, plan, plan.until)
    found = shifts.tested(m, stream, plan, plan.until, level=own.level, replications=own.replications)
    if isinstance(found, str):
        return {"verdict": "too little", "reason": found}, []
    row = shifts.stream_row(found, own.level)
    if found.verdict == shifts.CHANGED:
        return row, [shifts.signal_row(m, found, plan, plan.until)]
    if not run.quick and plan.sensitivity:
        row["seen_category"], row["seen_odds"] = shifts.seen(m, found, plan, plan.until)
    return row, []


def _raised(run: _Run, stream: Stream, incidents: pl.DataFrame, until: int) -> list[Row]:
    """The signals that a stream would raise before `until` on these incidents, at today's limit."""
    own, plan = run.share[stream.kind], run.plan
    if stream.kind == "cluster":
        p = placed(stream.of(incidents), until)
        found = clusters.tested(p, plan, until, own.replications)
        if isinstance(found, str):
            return []
        return [clusters.signal_row(p, c, until, own.replications) for c in found.clusters if c.p_value <= own.level]
    m = shifts.mix(incidents, stream, plan, until)
    seen = shifts.tested(m, stream, plan, until, level=own.level, replications=own.replications)
    return [shifts.signal_row(m, seen, plan, until)] if not isinstance(seen, str) and seen.verdict == shifts.CHANGED else []


def _falls(run: _Run, stream: Stream, row: Row) -> int:
    """How many of a signal's evidence must fall away until it is none, found by halving: the latest first, of deaths the deadliest first."""
    ids = row["evidence"][::-1]
    if stream.measure == "deaths":
        toll = dict(run.incidents.filter(pl.col("incident_id").is_in(ids)).select("incident_id", "killed").iter_rows())
        ids = sorted(row["evidence"], key=lambda i: -(toll[i] or 0))
    low, high = 1, len(ids)
    while low < high:
        at = (low + high) // 2
        rest = run.incidents.filter(~pl.col("incident_id").is_in(ids[:at]))
        if any(same(r, row) for r in _raised(run, stream, rest, run.plan.until)):
            low = at + 1
        else:
            high = at
    return low


def _counted(run: _Run, stream: Stream) -> Row:
    """What a stream holds."""
    plan = run.plan
    if stream.kind == "cluster":
        own = stream.of(run.incidents).filter(pl.col("day") >= plan.until - HISTORY - RECENT)
        late = own["day"] >= plan.until - RECENT
        held = {"before": int((~late).sum()), "watched": int(late.sum()), "unknown": own.filter(vague_place()).height}
    else:
        m = shifts.mix(run.incidents, stream, plan, plan.until)
        before, watched = m.split(plan, plan.until)
        held = {"before": before, "watched": watched, "unknown": 0 if m.unknown is None else int(m.weight[m.code == m.unknown].sum())}
    return {"as_of": plan.as_of, **stream.row(), **held}


def _left_out(have: Known, plan: Plan) -> pl.DataFrame:
    """What all were kept from, and clusters alone."""
    if "cluster" not in plan.kinds:
        return have.left_out
    rows = [
        (kind, "clusters", "place not known to 25 km", n)
        for kind, n in have.incidents.filter(vague_place() & (pl.col("day") >= plan.until - HISTORY - RECENT))
        .group_by("violence").len().sort("violence").iter_rows()
    ]  # fmt: skip
    return pl.concat([have.left_out, pl.DataFrame(rows, schema=LEFT_OUT, orient="row")])


__all__ = ["Look", "Shared", "look", "watch"]
