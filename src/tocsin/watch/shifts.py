"""A stream's mix, tested; and how large a change would have been seen."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.engine import mapped
from tocsin.kernels import shift as kernel
from tocsin.watch.plan import HISTORY, Plan, as_day
from tocsin.watch.shared import once
from tocsin.watch.shift import CHANGED, FACTORS, LITTLE, UNTELLABLE, Shift, shift
from tocsin.watch.streams import UNKNOWN, Stream

_LADDER = (1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 32.0, 64.0)  # factors of the odds that are tried
_TRIES, _SEEN = 100, 0.8
_COMMONEST = 6  # categories


class Mix(NamedTuple):
    """A stream's incidents as arrays, up to a day."""

    incidents: pl.DataFrame  # incident_id, day, area, category
    day: NDArray[np.int64]
    code: NDArray[np.int64]
    weight: NDArray[np.int64]
    names: list[str]
    unknown: int | None
    baseline: int  # looks
    looks: int

    def split(self, plan: Plan, until: int) -> tuple[int, int]:
        """Incidents (or deaths) before and in the watched days."""
        late = self.day >= until - plan.looks * plan.every
        return int(self.weight[~late].sum()), int(self.weight[late].sum())


def mix(incidents: pl.DataFrame, stream: Stream, plan: Plan, until: int) -> Mix:
    """The incidents of a stream in the watched days and the history before; of deaths those whose toll is known."""
    first = until - plan.looks * plan.every - HISTORY // plan.every * plan.every
    own = stream.of(incidents).filter(pl.col("day") >= first)
    if stream.measure == "deaths":
        own = own.filter(pl.col("killed").is_not_null())
    own = own.select("incident_id", "day", "area", "killed", category=stream.category()).sort("day", "incident_id")
    known = own["category"].drop_nulls().unique().sort().to_list()
    holes = own["category"].null_count() > 0
    number = {name: k for k, name in enumerate(known)}
    code = (
        own["category"].replace_strict(number, default=len(known), return_dtype=pl.Int64).to_numpy()
        if known
        else np.zeros(own.height, np.int64)
    )
    day = own["day"].to_numpy().astype(np.int64)
    weight = own["killed"].to_numpy().astype(np.int64) if stream.measure == "deaths" else np.ones(own.height, np.int64)
    looks = (until - 1 - int(day.min())) // plan.every + 1 if own.height else 0
    names = [*known, *([UNKNOWN] if holes else [])]
    return Mix(own, day, code, weight, names, len(known) if holes else None, looks - plan.looks, looks)


def tested(m: Mix, stream: Stream, plan: Plan, until: int, *, level: float, replications: int) -> Shift | str:
    """What shift() finds, or what there is too little of."""
    what = "incidents" if stream.measure == "count" else "incidents with a known toll"
    if m.baseline < 2:
        return f"{len(m.day)} {what}, none of them two looks before the watched days: there is no mix to compare with"
    if len(m.names) - (m.unknown is not None) < 2:
        return f"of {len(m.day)} {what} " + (
            "none has a known category" if m.names[:1] in ([], [UNKNOWN]) else f"all known are {m.names[0]}"
        )
    weight = m.weight if stream.measure == "deaths" else None
    options = {"unknown": m.unknown, "baseline": m.baseline, "every": plan.every, "until": until, "level": level, "seed": plan.seed}

    def make() -> Shift:
        return shift(m.day, m.code, weight, categories=m.names, replications=replications, engine=plan.engine, **options)  # type: ignore[arg-type]

    found = once(plan.shared, ("shift", m.day, m.code, weight, m.names, replications, options), make)
    return found.reason if found.verdict == LITTLE else found


def told(found: Shift) -> float:
    """The p-value that decides: where something is unknown, the greatest of the ways to spread it."""
    b = found.bounds
    return float(found.p_value if b is None else max(b.p_spread, b.p_up, b.p_down))  # type: ignore[arg-type]


def stream_row(found: Shift, level: float) -> dict[str, Any]:
    """Its columns of STREAMS."""
    reason = found.reason
    if found.p_unknown is not None and found.p_unknown <= level:
        reason += f"; how many are unknown changed itself, p {found.p_unknown:.3g}"
    out: dict[str, Any] = {"verdict": found.verdict, "reason": reason, "p_value": told(found), "p_unknown": found.p_unknown}
    if b := found.bounds:
        out |= {"p_spread": b.p_spread, "p_up": b.p_up, "p_down": b.p_down, "up": b.up, "down": b.down}
    return out


def signal_row(m: Mix, found: Shift, plan: Plan, until: int) -> dict[str, Any]:
    """Its columns of SIGNALS; evidence: the incidents of what moved most, from the change on."""
    start = until - plan.looks * plan.every if found.changed_on is None else found.changed_on
    odds = next(o for o in found.odds if o.category == found.moved)
    inside = m.incidents.filter((pl.col("category") == found.moved) & (pl.col("day") >= start))
    if found.measure == "deaths":
        inside = inside.filter(pl.col("killed") > 0)
    return {
        "category": found.moved,
        "area": common(inside["area"]),
        "start": as_day(start),
        "end": as_day(until - 1),
        "observed": found.observed,
        "expected": found.expected,
        "log_odds": odds.value,
        "low": odds.low,
        "high": odds.high,
        "statistic": found.statistic,
        "p_value": told(found),
        "evidence": inside["incident_id"].to_list(),
    }


def common(values: pl.Series) -> str | None:
    """The commonest, the first in the alphabet among equals."""
    count = values.drop_nulls().value_counts(name="n").sort(pl.col("n"), pl.nth(0), descending=[True, False])
    return count.item(0, 0) if count.height else None


def seen(m: Mix, found: Shift, plan: Plan, until: int, of: str | None = None) -> tuple[str | None, float | None]:
    """The least change that passes the limit 4 times of 5: (category, factor of its odds), of the six commonest categories before the watched days.

    of: one category alone.

    Incidents keep their days, and deaths stay with theirs in a random order; categories are drawn by the earlier mix, an incident taking that of the one
    before as often as bursts make it, and from the middle of the watched days with the odds multiplied.
    """
    given = ("seen", m.day, m.code, m.weight, m.names, m.unknown, m.baseline, m.looks, plan.every, plan.looks, plan.seed, until)
    return once(plan.shared, (*given, found.burst, found.limit, of), lambda: _seen(m, found, plan, until, of))


def _seen(m: Mix, found: Shift, plan: Plan, until: int, of: str | None) -> tuple[str | None, float | None]:
    before = (m.day < until - plan.looks * plan.every) & (m.code != (-1 if m.unknown is None else m.unknown))
    k = len(m.names) - (m.unknown is not None)
    share = np.bincount(m.code[before], minlength=k)[:k] + 0.5
    best: tuple[str | None, int] = (None, len(_LADDER))
    tried = np.argsort(-share, kind="stable")[:_COMMONEST] if of is None else [m.names.index(of)] if of in m.names else []
    for which in tried:
        low, high = 0, best[1]
        while low < high:
            at = (low + high) // 2
            moved = share.copy()
            moved[which] *= _LADDER[at]
            made = _Made(
                m, share / share.sum(), moved / moved.sum(), until, plan.every, plan.looks, found.burst, found.limit or 0.0, plan.seed
            )
            hits = sum(mapped(partial(_hits, made), [range(a, a + 25) for a in range(0, _TRIES, 25)], plan.engine))
            low, high = (low, at) if hits >= _SEEN * _TRIES else (at + 1, high)
        if low < best[1]:
            best = (m.names[which], low)
    return best[0], None if best[0] is None else _LADDER[best[1]]


class _Made(NamedTuple):
    """How data with a change are drawn."""

    mix: Mix
    share: NDArray[np.float64]
    moved: NDArray[np.float64]
    until: int
    every: int
    watched: int  # looks
    burst: float
    limit: float
    seed: int


def _hits(made: _Made, tries: range) -> int:
    """How many of the tries exceed the limit."""
    m, n = made.mix, len(made.mix.day)
    look = m.looks - 1 - (made.until - 1 - m.day) // made.every
    alike = (made.burst - 1) / (made.burst + 1)
    hits = 0
    for t in tries:
        chance = np.random.default_rng([made.seed, 5, t])
        owner = np.maximum.accumulate(np.where((chance.random(n) >= alike) | (np.arange(n) == 0), np.arange(n), 0))
        u = chance.random(n)[owner]
        early, late = (np.searchsorted(np.cumsum(s), u).clip(0, len(s) - 1) for s in (made.share, made.moved))
        code = np.where(m.day >= made.until - made.watched * made.every // 2, late, early)
        counts = np.zeros((m.looks, len(made.share)), np.int64)
        np.add.at(counts, (look, code), chance.permutation(m.weight))
        hits += kernel.greatest(counts, m.baseline, np.asarray(FACTORS))[0] > made.limit
    return hits


__all__ = ["CHANGED", "UNTELLABLE", "Mix", "common", "mix", "seen", "signal_row", "stream_row", "tested", "told"]
