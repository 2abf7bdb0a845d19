"""shift(): did the mix of categories change, when, which one moved, and how often would chance do as much?

Only the mix, never the volume: each look's total is taken as it is. Höhle 2010 (CUSUM of categories), Monroe, Colaresi & Quinn 2008 (which one moved),
Manski 1989 (what the unknown could hide). Nothing here knows of incidents: days, codes and weights in, a verdict out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.engine import mapped
from tocsin.errors import OptionError
from tocsin.kernels import shift as kernel

#: By how much a category's odds are multiplied in the alternatives that are watched for.
FACTORS = (0.25, 0.5, 2.0, 4.0)
CHANGED, UNCHANGED, UNTELLABLE, LITTLE = "changed", "no change", "cannot be told", "too little"

_BLOCK = 64  # simulations made in one go
_FEWEST_BEFORE, _FEWEST_AFTER, _FEWEST_BURSTS = 10, 5, 20
_YEAR = 365.25  # days
_95 = 1.959964


class Cusum(NamedTuple):
    """What categorical_cusum() found."""

    statistic: NDArray[np.float64]  # (looks,)
    alarms: NDArray[np.int64]  # looks whose statistic exceeds the limit


class Odds(NamedTuple):
    """How a category's odds differ after the change, logged, with a 95 % interval."""

    category: str
    before: int  # events, or deaths
    after: int
    low: float
    value: float
    high: float


class Bounds(NamedTuple):
    """What the unknown could hide: the p-value of no change, however the unknown are spread."""

    verdict: str  # changed, no change, or cannot be told where the three do not agree
    p_unknown: float  # that the share of the unknown did not change
    p_spread: float  # the unknown as the earlier mix has them
    p_up: float  # all of them, earlier and later, of the category `up`
    p_down: float
    up: str  # rose most among the known
    down: str  # fell most


class Shift(NamedTuple):
    """What shift() found."""

    verdict: str  # changed, no change, cannot be told, too little
    reason: str  # what the verdict rests on
    measure: str  # count, deaths
    looks: int  # in all, the baseline's included
    changed_at: int | None  # the first look after the change, from 0; None where no alternative fits better than no change
    changed_on: int | None  # its first day
    statistic: float | None
    limit: float | None  # a statistic above it has p_value <= level
    p_value: float | None
    false_alarms_per_year: float  # at this limit, looking again as often as a look is long
    moved: str | None  # the category that moved most: its share before and after by the likelihood ratio
    observed: int | None  # its events (or deaths) from the change on
    expected: float | None  # had the mix stayed
    odds: tuple[Odds, ...]  # before and from the change on (the baseline's end where there is none), the known alone
    burst: float  # events that hang together, on average
    block: int  # events kept together at least, where bursts do not explain how alike neighbours are; else 1
    p_unknown: float | None  # None where nothing is unknown
    bounds: Bounds | None


class _Events(NamedTuple):
    look: NDArray[np.int64]
    code: NDArray[np.int64]
    weight: NDArray[np.int64]


class _Test(NamedTuple):
    """How the statistic is compared with chance."""

    looks: int
    baseline: int
    factors: NDArray[np.float64]
    replications: int
    seed: int
    engine: str


class _Bursts(NamedTuple):
    joined: NDArray[np.float64]
    block: int
    length: float  # events that count as one


def categorical_cusum(counts: ArrayLike, in_control: ArrayLike, out_of_control: ArrayLike, *, limit: float) -> Cusum:
    """The multinomial likelihood ratio CUSUM: S = max(0, S + the looks' log likelihood ratio), 0 again after a look where S > limit.

    counts (looks, categories): events; in_control, out_of_control (categories,): shares, each summing to 1. As `categoricalCUSUM` of the R package
    surveillance has it for multinomial counts (Höhle 2010, in: Kneib & Tutz, Statistical Modelling and Regression Structures).

    Raises `OptionError` for shapes that do not fit, counts below 0, shares that are not above 0 or do not sum to 1, a limit that is not above 0.
    """
    y = np.asarray(counts)
    before, after = np.asarray(in_control, np.float64), np.asarray(out_of_control, np.float64)
    if y.ndim != 2 or before.shape != y.shape[1:] or after.shape != before.shape:
        raise OptionError(
            f"counts {y.shape} and shares {before.shape}, {after.shape} do not fit: give (looks, categories) and twice (categories,)"
        )
    if y.size and (y.min() < 0 or not np.array_equal(y, np.floor(y))):
        raise OptionError("counts holds numbers that are no counts: give whole numbers from 0")
    for name, share in (("in_control", before), ("out_of_control", after)):
        if not (share > 0).all() or abs(share.sum() - 1) > 1e-6:
            raise OptionError(f"{name} {share.tolist()} are no shares: each must be above 0, and they must sum to 1")
    if not limit > 0:
        raise OptionError(f"limit {limit} makes no sense; it must be above 0, and 3 to 6 are usual")
    statistic, alarm = kernel.categorical_cusum(y.astype(np.int64), np.log(after / before), float(limit))
    return Cusum(np.asarray(statistic), np.flatnonzero(alarm))


def level(false_alarms: float, *, looks: int, every: int) -> float:
    """The chance of a false alarm in so many watched looks of `every` days each that amounts to so many false alarms a year, if they are rare and apart."""
    if not false_alarms > 0 or looks < 1 or every < 1:
        raise OptionError(f"{false_alarms} false alarms a year over {looks} looks of {every} days make no sense: all must be above 0")
    return -math.expm1(-false_alarms * looks * every / _YEAR)


def log_odds(before: ArrayLike, after: ArrayLike, *, effect: float = 1.0) -> NDArray[np.float64]:
    """(3, categories): low, value, high of the log odds ratio of each category, after against before, with a 95 % interval.

    before, after (categories,): counts. effect: by how much bursts and clusters raise the counts' variance; the counts are divided by it. The prior is a
    Dirichlet of the pooled mix with the mass of one count a category, so rare categories do not lead by chance (Monroe, Colaresi & Quinn 2008,
    Political Analysis 16:372). The interval knows nothing of how the change point was chosen.
    """
    a, b = np.asarray(before, np.float64) / effect, np.asarray(after, np.float64) / effect
    if a.ndim != 1 or a.shape != b.shape or len(a) < 2 or a.min() < 0 or b.min() < 0 or effect < 1:
        raise OptionError(f"before {a.shape} and after {b.shape} must be counts of the same two or more categories, and effect at least 1")
    prior = (a + b + 0.5) / (a + b + 0.5).sum() * len(a)
    a, b = a + prior, b + prior
    rest_a, rest_b = a.sum() - a, b.sum() - b
    value = np.log(b / rest_b) - np.log(a / rest_a)
    half = _95 * np.sqrt(1 / a + 1 / rest_a + 1 / b + 1 / rest_b)
    return np.stack([value - half, value, value + half])


def bounds(
    when: ArrayLike,
    category: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    categories: Sequence[str],
    unknown: int,
    baseline: int,
    every: int,
    until: int | None = None,
    factors: Sequence[float] = FACTORS,
    level: float = 0.05,
    replications: int = 999,
    seed: int = 0,
    engine: str = "here",
) -> Bounds:
    """Did the share of the unknown change, and does the verdict hold however the unknown are spread?

    Arguments as of shift(). The unknown are spread as the earlier mix has them (drawn by the seed), then all given to the category that rose most among the
    known, then all to the one that fell most, each time alike before and after: how unknowns come about may change, what they are may not
    (bounds in the manner of Manski 1989, narrowed by that). Raises `OptionError` as shift() does, and where there is too little.
    """
    test, events, _ = _read(when, category, weight, categories, unknown, baseline, every, until, factors, level, replications, seed, engine)
    if little := _too_little(_without(events, unknown), test, len(categories)):
        raise OptionError(f"{little}: nothing can be told; give a longer baseline or coarser categories")
    return _bounds(events, test, list(categories), unknown, level)[0]


def shift(
    when: ArrayLike,
    category: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    categories: Sequence[str],
    unknown: int | None = None,
    baseline: int,
    every: int,
    until: int | None = None,
    factors: Sequence[float] = FACTORS,
    level: float = 0.05,
    replications: int = 999,
    seed: int = 0,
    engine: str = "here",
) -> Shift:
    """Did the mix of categories change after the baseline, beyond what chance and bursts do?

    when (n,): days, whole numbers; category (n,): codes, indexes of `categories`; weight (n,): deaths, whole numbers from 0, or None to count events.
    unknown: the code that means so. A look is `every` days; the last ends with the day before `until` (else with the last event), the first may be cut
    short. The first `baseline` looks are history. The order of the rows does not matter.

    The statistic is the greatest CUSUM after the baseline over all alternatives in which the odds of one category are multiplied by one of `factors`: log
    likelihood ratios of Dirichlet-multinomial looks, whose mix and concentration are those of the baseline, its own uncertainty included. Chance is what the
    same statistic does once bursts of about one size, of all looks, change places: each look keeps its events, those of a burst stay together, and deaths
    stay with their attack. How far neighbours hang together is estimated from how much oftener than chance they agree; where that lasts for longer than
    bursts can explain, blocks of `block` events are shuffled instead. p_value: (1 + simulations that are no less) / (1 + replications); verdict `changed`
    where it is at most `level`, the chance of a false alarm in the watched looks (level() makes it of false alarms a year). Dimensions that are watched
    side by side have each its own.

    Raises `OptionError` for arrays that do not fit, codes outside the categories, weights below 0, a baseline that leaves nothing to watch, a level that so
    many replications cannot reach.
    """
    test, events, until = _read(
        when, category, weight, categories, unknown, baseline, every, until, factors, level, replications, seed, engine
    )
    names, k = list(categories), len(categories)
    known = events if unknown is None else _without(events, unknown)
    measure = "count" if weight is None else "deaths"
    yearly = -math.log1p(-level) * _YEAR / ((test.looks - baseline) * every)
    if little := _too_little(known, test, k):
        return Shift(LITTLE, little, measure, test.looks, None, None, None, None, None, yearly, None, None, None, (), 1.0, 1, None, None)
    bound: Bounds | None = None
    if unknown is not None and len(known.look) < len(events.look):
        bound, (found, maxima) = _bounds(events, test, names, unknown, level)
        p, verdict = bound.p_spread, bound.verdict
        change, bursts, odds = _moved(known, test, names, unknown)
    else:
        change, bursts, odds = _moved(known, test, names, None)
        found, maxima = _against_chance(known, test, k)
        p = _p_value(found, maxima)
        verdict = CHANGED if p <= level else UNCHANGED
    limit = float(np.sort(maxima)[::-1][int(level * (1 + len(maxima)) + 1e-9) - 1])
    before, after = sum(o.before for o in odds), sum(o.after for o in odds)
    most = max(odds, key=lambda o: _ratio(o.before, before, o.after, after))
    reason = f"p {p:.3g} against a level of {level:.3g}"
    if bound and verdict == UNTELLABLE:
        reason = f"the unknown decide: p {bound.p_spread:.3g} spread, {bound.p_up:.3g} all {bound.up}, {bound.p_down:.3g} all {bound.down}"
    return Shift(
        verdict=verdict,
        reason=reason,
        measure=measure,
        looks=test.looks,
        changed_at=change,
        changed_on=None if change is None else until - (test.looks - change) * every,
        statistic=found,
        limit=limit,
        p_value=p,
        false_alarms_per_year=yearly,
        moved=most.category,
        observed=most.after,
        expected=after * (most.before + 0.5) / (before + 0.5 * len(odds)),
        odds=odds,
        burst=bursts.length,
        block=bursts.block,
        p_unknown=bound.p_unknown if bound else None,
        bounds=bound,
    )


def _read(
    when: ArrayLike, category: ArrayLike, weight: ArrayLike | None, categories: Sequence[str], unknown: int | None, baseline: int, every: int,
    until: int | None, factors: Sequence[float], level: float, replications: int, seed: int, engine: str,
) -> tuple[_Test, _Events, int]:  # fmt: skip
    """The events in order of time; those of one day in an order that neither the rows nor the categories decide."""
    day, code = _whole("when", when), _whole("category", category)
    deaths = np.ones(len(day), np.int64) if weight is None else _whole("weight", weight)
    if not len(day) == len(code) == len(deaths):
        raise OptionError(f"when, category and weight have {len(day)}, {len(code)} and {len(deaths)} rows: give one of each an event")
    if len(categories) - (unknown is not None) < 2:
        raise OptionError(f"categories names {len(categories)}, unknown {unknown}: a mix takes two or more that are known")
    if len(code) and not 0 <= code.min() <= code.max() < len(categories):
        raise OptionError(
            f"category holds {code.min()} to {code.max()}: give codes from 0 to {len(categories) - 1}, as categories has names"
        )
    if unknown is not None and not 0 <= unknown < len(categories):
        raise OptionError(f"unknown {unknown} is no category: give a code from 0 to {len(categories) - 1}, or None")
    if len(deaths) and deaths.min() < 0:
        raise OptionError(f"weight holds {deaths.min()}: deaths are counted from 0; leave out events whose toll is not known")
    if every < 1:
        raise OptionError(f"every {every} makes no sense: a look is one day or more")
    if not len(day):
        raise OptionError("when holds no event: there is no mix to watch")
    end = int(day.max()) + 1 if until is None else int(until)
    if day.max() >= end:
        raise OptionError(f"an event is on day {day.max()}, not before until {end}: leave it out or look later")
    looks = (end - 1 - int(day.min())) // every + 1
    if not 2 <= baseline < looks:
        raise OptionError(f"baseline {baseline} of {looks} looks makes no sense: give 2 or more, and leave one or more to watch")
    if not len(factors) or any(not f > 0 or f == 1 for f in factors):
        raise OptionError(f"factors {list(factors)} make no sense: odds are multiplied by numbers above 0 that are not 1, such as 2 and .5")
    if not 0 < level < 1:
        raise OptionError(f"level {level} makes no sense: it is a chance between 0 and 1")
    if replications < 1 or int(level * (1 + replications) + 1e-9) < 1:
        raise OptionError(f"{replications} replications cannot reach a level of {level:.3g}: give {math.ceil(1 / level) - 1} or more")
    same = np.lexsort((deaths, code, day))
    order = same[np.lexsort((np.random.default_rng([len(day), 1]).random(len(day)), day[same]))]
    day, code, deaths = day[order], code[order], deaths[order]
    test = _Test(looks, baseline, np.asarray(factors, np.float64), replications, seed, engine)
    return test, _Events(looks - 1 - (end - 1 - day) // every, code, deaths), end


def _whole(name: str, values: ArrayLike) -> NDArray[np.int64]:
    out = np.asarray(values)
    if out.ndim != 1 or (out.dtype.kind not in "iub" and not (out.dtype.kind == "f" and np.array_equal(out, np.floor(out)))):
        raise OptionError(f"{name} {out.shape} of {out.dtype} is no row of whole numbers: give (n,) of int")
    return out.astype(np.int64)


def _without(events: _Events, unknown: int) -> _Events:
    known = events.code != unknown
    return _Events(events.look[known], events.code[known], events.weight[known])


def _too_little(events: _Events, test: _Test, k: int) -> str:
    """What there is too little of, or nothing."""
    told = events.weight > 0
    before, after = int((told & (events.look < test.baseline)).sum()), int((told & (events.look >= test.baseline)).sum())
    if before < _FEWEST_BEFORE or after < _FEWEST_AFTER:
        return f"{before} events of known category in the baseline and {after} after it; {_FEWEST_BEFORE} and {_FEWEST_AFTER} are needed"
    if len(np.unique(events.code[told])) < 2:
        return "all events are of one category"
    bursts = len(events.code) / _bursts(events, test, k).length
    return f"the events make only {bursts:.0f} bursts; {_FEWEST_BURSTS} are needed" if bursts < _FEWEST_BURSTS else ""


def _bursts(events: _Events, test: _Test, k: int) -> _Bursts:
    """How events hang together.

    An event takes the category of the one before with chance s, else it draws its own (Jacobs & Lewis 1978): s is how much oftener than chance neighbours
    agree, and two that agree are of one burst with chance s / (s + (1 - s) share). Where further neighbours agree by more than that entails, twice
    its standard error, blocks of twice the events that then count as one are kept whole.
    """
    n = len(events.code)
    share = np.bincount(events.code, minlength=k) / n
    lags = max(1, min(max(5, math.ceil(n / test.looks)), n // 10))
    alike = np.asarray(kernel.agreements(events.code, k, lags))
    s = float(np.clip(alike[0], 0.0, 0.98))
    joined = np.zeros(n)
    same = np.flatnonzero(events.code[1:] == events.code[:-1]) + 1
    if s > 0:
        joined[same] = s / (s + (1 - s) * share[events.code[same]])
    short = 1 + 2 * float((s ** np.arange(1, lags + 1)).sum())
    long = 1 + 2 * float(alike.sum())
    squares = float((share**2).sum())
    variance = (squares - 2 * float((share**3).sum()) + squares**2) / max(1 - squares, 1e-9) ** 2 / n
    length = (1 + s) / (1 - s)
    if long - short > 4 * math.sqrt(lags * variance * short):
        length = max(length, long)
        return _Bursts(joined, max(1, min(math.ceil(2 * length), n // _FEWEST_BURSTS)), length)
    return _Bursts(joined, 1, length)


def _data(events: _Events, test: _Test, k: int) -> kernel.Data:
    """Where bursts begin is drawn once, so that the statistic is one of those that the shuffles of its bursts make, no likelier the greatest than another."""
    bursts = _bursts(events, test, k)
    joined = np.random.default_rng([test.seed, 3]).random(len(events.code)) < bursts.joined
    return kernel.Data(*events, test.looks, k, test.baseline, joined.astype(np.float64), bursts.block)


def _against_chance(events: _Events, test: _Test, k: int) -> tuple[float, NDArray[np.float64]]:
    """The statistic, and that of each simulation."""
    data = _data(events, test, k)
    found = float(kernel.greatest(kernel.counted(data), data.baseline, test.factors)[0])
    edges = [*range(0, test.replications, _BLOCK), test.replications]
    return found, np.concatenate(list(mapped(partial(_maxima, data, test.factors, test.seed), list(pairwise(edges)), test.engine)))


def _maxima(data: kernel.Data, factors: NDArray[np.float64], seed: int, edges: tuple[int, int]) -> NDArray[np.float64]:
    return kernel.maxima(data, factors, seed, *edges)


def _p_value(found: float, maxima: NDArray[np.float64]) -> float:
    return float((1 + (maxima >= found - kernel._SAME).sum()) / (1 + len(maxima)))


def _ratio(before: int, of: int, after: int, of_after: int) -> float:
    """The log likelihood ratio of two shares against one."""

    def fit(y: int, n: int) -> float:
        return sum(x * math.log(x / n) for x in (y, n - y) if x)

    return fit(before, of) + fit(after, of_after) - fit(before + after, of + of_after)


def _moved(known: _Events, test: _Test, names: list[str], unknown: int | None) -> tuple[int | None, _Bursts, tuple[Odds, ...]]:
    """When the mix changed, and how, among events of known category."""
    data = _data(known, test, len(names))
    counts = kernel.counted(data)
    change = int(kernel.greatest(counts, test.baseline, test.factors)[4])
    at = test.baseline if change < 0 else change
    bursts = _bursts(known, test, len(names))
    clusters = float((known.weight**2).sum() / known.weight.sum())
    keep = [i for i in range(len(names)) if i != unknown]
    before, after = counts[:at, keep].sum(axis=0), counts[at:, keep].sum(axis=0)
    low, value, high = log_odds(before, after, effect=max(1.0, bursts.length * clusters))
    rows = zip(keep, before, after, low, value, high, strict=True)
    return (
        None if change < 0 else change,
        bursts,
        tuple(Odds(names[i], int(b), int(a), float(x), float(y), float(z)) for i, b, a, x, y, z in rows),
    )


def _bounds(events: _Events, test: _Test, names: list[str], unknown: int, level: float) -> tuple[Bounds, tuple[float, NDArray[np.float64]]]:
    """The bounds, and the statistic with its simulations where the unknown are spread as the earlier mix has them."""
    hidden = events.code == unknown
    known = _without(events, unknown)
    odds = _moved(known, test, names, unknown)[2]
    up = names.index(max(odds, key=lambda o: o.value).category)
    down = names.index(min(odds, key=lambda o: o.value).category)
    share = np.bincount(known.code[known.look < test.baseline], minlength=len(names)).astype(np.float64)
    drawn = np.random.default_rng([test.seed, 2]).choice(len(names), int(hidden.sum()), p=share / share.sum())
    fills = (drawn, np.full(len(drawn), up), np.full(len(drawn), down))
    answers = []
    for fill in fills:
        code = events.code.copy()
        code[hidden] = fill
        answers.append(_against_chance(_Events(events.look, code, events.weight), test, len(names)))
    p = [_p_value(*answer) for answer in answers]
    p_unknown = _p_value(*_against_chance(_Events(events.look, hidden.astype(np.int64), events.weight), test, 2))
    alike = len({x <= level for x in p}) == 1
    verdict = (CHANGED if p[0] <= level else UNCHANGED) if alike else UNTELLABLE
    return Bounds(verdict, p_unknown, p[0], p[1], p[2], names[up], names[down]), answers[0]


__all__ = [
    "CHANGED",
    "FACTORS",
    "LITTLE",
    "UNCHANGED",
    "UNTELLABLE",
    "Bounds",
    "Cusum",
    "Odds",
    "Shift",
    "bounds",
    "categorical_cusum",
    "level",
    "log_odds",
    "shift",
]
