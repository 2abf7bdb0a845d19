"""excited(): are there more events here, of late, than events that excite each other would bring by themselves?

The null is a self-exciting process (hawkes.py) fitted to the days before the window. What is looked for is a source of further events in a circle, over the
last days; the ratio of its likelihood against none is compared with that of windows in which the process goes on by itself: bursts are in the odds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.engine import mapped
from tocsin.errors import OptionError
from tocsin.kernels import excite as kernel
from tocsin.kernels.hawkes import traces
from tocsin.watch import hawkes

_SPANS = (3.0, 5.0, 7.0, 10.0, 14.0, 20.0, 30.0, 45.0, 60.0)
_EXTRA = tuple(0.008 * 2.5**k for k in range(10))  # events a day and place
_BLOCK = 64  # simulations made in one go
_FEWEST_BEFORE = 20
_PLACES = 3000  # more would take more memory than a laptop has
_JUMP, _BRANCHING = 3.0, 0.9
_MOST_SET_OFF = 0.98
_HEARD, _TRIES, _MOST_EXTRA = 0.8, 200, 64
_SAME = 1e-9

Floats = NDArray[np.float64]


class Cluster(NamedTuple):
    """A circle with more events in the last days than the process brings."""

    statistic: float  # log likelihood ratio of a source of further events there, against none
    p_value: float
    places: NDArray[np.int64]  # from the centre outward
    days: int  # the last so many
    observed: int
    expected: float  # the simulations' mean
    low: int  # 95 in 100 simulations lie from here
    high: int  # to here


@dataclass(frozen=True)
class Excited:
    """What excited() found."""

    clusters: tuple[Cluster, ...]  # none shares a place with a likelier one; the likeliest first
    maxima: Floats  # (replications,): the greatest statistic of each simulated window
    branching: float  # events that one sets off, as fitted
    uncalibrated: str | None  # why the stated odds may not hold here; None where nothing says so
    _process: kernel.Process
    _judge: kernel.Judge
    _seed: int
    _heard: dict[float, int | None] = field(default_factory=dict, compare=False, repr=False)

    def heard(self, level: float = 0.05) -> int | None:
        """The fewest events more, within 14 days at one place drawn like the background's, that would be heard at this level 4 times in 5; None above 64."""
        if level not in self._heard:
            self._heard[level] = self._fewest_heard(level)
        return self._heard[level]

    def _fewest_heard(self, level: float) -> int | None:
        rank = max(0, int(level * (1 + len(self.maxima)) + _SAME) - 1)
        limit = np.sort(self.maxima)[::-1][rank]
        tries = min(_TRIES, len(self.maxima))
        few, many = 1, _MOST_EXTRA + 1
        while many - few > 1:
            more = (few + many) // 2
            best = kernel.maxima(self._process, self._judge, self._seed, 0, tries, more)
            few, many = (few, more) if (best > limit).mean() >= _HEARD else (more, many)
        return many if many <= _MOST_EXTRA else None


def excited(
    when: ArrayLike,
    where: ArrayLike,
    apart: ArrayLike,
    *,
    end: float,
    most: int = 30,
    fewest: int = 2,
    share: float = 0.5,
    replications: int = 999,
    seed: int = 0,
    engine: str = "here",
) -> Excited:
    """Clusters of the last `most` days before `end` that a self-exciting process fitted to the days before does not bring by itself.

    when (n,): days; whole days are spread over the day. where (n,): numbers of places; apart (places, places): distances, in any unit. A cluster has `fewest`
    events at least; circles grow to `share` of the background. p_value: (1 + simulated windows whose greatest statistic is no less) / (1 + replications);
    each simulation has parameters of its own, drawn from their posterior. The order of the rows does not matter.

    Raises `OptionError` where events are not before `end`, fewer than 20 lie before the last days, or there are more than 3,000 places.
    """
    when, where, apart = _read(when, where, apart, end)
    begin = int(np.searchsorted(when, end - most))
    if begin < _FEWEST_BEFORE:
        raise OptionError(
            f"{begin} events before the last {most} days: at least {_FEWEST_BEFORE} are needed to fit what is usual; shorten the days or add history"
        )
    spread = hawkes.spread(apart)
    fitted = hawkes.posterior(when[:begin], where[:begin], end - most, spread, replications, seed)
    late, there = when[begin:] - (end - most), where[begin:]
    process, judge, jump = _prepared(fitted, when, where, begin, end, float(most), spread, apart, share, seed)
    found = kernel.judged(late, there, float(most), hawkes.DELAYS, judge)
    edges = [*range(0, replications, _BLOCK), replications]
    blocks = list(pairwise(edges))
    maxima = np.concatenate(list(mapped(partial(_block, process, judge, seed), blocks, engine)))

    def counted(circle: NDArray[np.int64], spans: Floats) -> NDArray[np.int64]:
        return np.concatenate(list(mapped(partial(_counts, process, circle, spans, seed), blocks, engine)))

    clusters = _told(found[found[:, 0] > 0], late, there, process, judge, maxima, fewest, counted)
    return Excited(clusters, maxima, float(fitted.rates.sum()), _doubt(fitted, jump), process, judge, seed)


def _read(when: ArrayLike, where: ArrayLike, apart: ArrayLike, end: float) -> tuple[Floats, NDArray[np.int64], Floats]:
    """In order of time; events of one whole day at times of it that neither the rows nor the places decide."""
    when, where, apart = np.asarray(when, np.float64), np.asarray(where, np.int64), np.asarray(apart, np.float64)
    if when.ndim != 1 or when.shape != where.shape or apart.ndim != 2 or apart.shape[0] != apart.shape[1]:
        raise OptionError(f"when {when.shape}, where {where.shape} and apart {apart.shape} do not fit: give (n,), (n,), (places, places)")
    if len(where) and not 0 <= where.min() <= where.max() < len(apart):
        raise OptionError(f"where holds {where.min()} to {where.max()}: give numbers of places from 0 to {len(apart) - 1}")
    if len(apart) > _PLACES:
        raise OptionError(f"{len(apart)} places are more than {_PLACES}: take those that are near each other as one")
    if len(when) and when.max() >= end:
        raise OptionError(f"an event at day {when.max():g} is not before the end, {end:g}: give what was known by then")
    order = np.lexsort((where, when))
    when, where = when[order], where[order]
    if np.array_equal(when, np.floor(when)):
        when = when + np.random.default_rng([len(when), 2]).random(len(when))
        order = np.argsort(when, kind="stable")
        when, where = when[order], where[order]
    return when, where, apart


def _prepared(
    fitted: hawkes.Posterior, when: Floats, where: NDArray[np.int64], begin: int, end: float, days: float, spread: Floats, apart: Floats,
    share: float, seed: int,
) -> tuple[kernel.Process, kernel.Judge, float]:  # fmt: skip
    """What windows are simulated and judged by; by how many standard deviations the window's level parts from what the days before foretold."""
    delays, first = hawkes.DELAYS, end - days
    held = np.zeros((len(delays), len(apart)))
    for k, delay in enumerate(delays):
        np.add.at(held[k], where[:begin], np.exp(-(first - when[:begin]) / delay))
    sets_off = np.einsum("ks,sqp->kqp", fitted.rates / delays[:, None], spread)
    starts, near = _circles(apart, fitted.share, share)
    spans = np.array([s for s in _SPANS if s < days] + [days])
    before = np.einsum("kq,kqp->kp", held, sets_off)
    judge = kernel.Judge(fitted.share, fitted.level, fitted.wide, before, sets_off, starts, near, spans, np.array(_EXTRA))
    here = traces(when, where, delays, spread)[begin:]
    chance = np.random.default_rng([seed, 2])
    wander = np.exp(hawkes.RATES_NOW * chance.standard_normal(len(fitted.rates_drawn)))
    wander = np.minimum(wander, _MOST_SET_OFF / fitted.rates_drawn.sum(axis=(1, 2)))
    rates = fitted.rates_drawn * wander[:, None, None]
    own = np.tensordot(rates, here, ((1, 2), (1, 2)))
    there = where[begin:]
    level = np.empty(len(own))
    for d, row in enumerate(
        own
    ):  # how much the background brings by now is judged with the window in sight: a source that starts is no cluster
        middle, wide = kernel.likeliest_level(fitted.shares_drawn[d][there], row, days, fitted.level_drawn[d], hawkes.NOW)
        level[d] = np.exp(middle + wide * chance.standard_normal())
    cumulated = np.cumsum(fitted.shares_drawn, axis=1)
    process = kernel.Process(days, delays, level, cumulated, rates, np.cumsum(held, axis=1), np.cumsum(spread, axis=2))
    now = kernel.likeliest_level(fitted.share[there], np.tensordot(fitted.rates, here, ((0, 1), (1, 2))), days, fitted.level, fitted.wide)[
        0
    ]
    return process, judge, float((now - fitted.level) / fitted.wide)


def _block(process: kernel.Process, judge: kernel.Judge, seed: int, edges: tuple[int, int]) -> Floats:
    return kernel.maxima(process, judge, seed, *edges)


def _counts(process: kernel.Process, circle: NDArray[np.int64], spans: Floats, seed: int, edges: tuple[int, int]) -> NDArray[np.int64]:
    return kernel.counted(process, circle, spans, seed, *edges)


def _told(
    found: Floats, late: Floats, there: NDArray[np.int64], process: kernel.Process, judge: kernel.Judge, maxima: Floats, fewest: int,
    counted: Callable[[NDArray[np.int64], Floats], NDArray[np.int64]],
) -> tuple[Cluster, ...]:  # fmt: skip
    """The circles that share no place with a likelier one; equal ones by the lesser centre. All are counted in each simulation at once."""
    chosen: list[tuple[float, NDArray[np.int64], float, int]] = []
    circle = np.full(len(judge.share), -1, np.int64)
    for statistic, centre, size, span in found[np.lexsort((found[:, 1], -found[:, 0]))]:
        places = judge.near[judge.starts[int(centre)] :][: int(size)].astype(np.int64)
        if (circle[places] >= 0).any():
            continue
        inside = np.zeros(len(judge.share), np.bool_)
        inside[places] = True
        days = float(judge.spans[int(span)])
        observed = int((inside[there] & (process.days - late <= days)).sum())
        if observed < fewest:
            continue
        circle[places] = len(chosen)
        chosen.append((float(statistic), places, days, observed))
    if not chosen:
        return ()
    counts = counted(circle, np.array([days for _, _, days, _ in chosen]))
    out = []
    for (statistic, places, days, observed), brought in zip(chosen, counts.T, strict=True):
        low, high = np.quantile(brought, [0.025, 0.975], method="nearest")
        p = (1 + int((maxima >= statistic - _SAME).sum())) / (1 + len(maxima))
        out.append(Cluster(statistic, p, places, int(days), observed, float(brought.mean()), int(low), int(high)))
    return tuple(out)


def _doubt(fitted: hawkes.Posterior, jump: float) -> str | None:
    if abs(jump) > _JUMP:
        return f"the level of all places parts from the months before by {abs(jump):.1f} standard deviations: a source may have started or stopped"
    if fitted.rates.sum() > _BRANCHING:
        return f"an event sets off {fitted.rates.sum():.2f} others: so close to 1 bursts have no usual size"
    return None


def _circles(apart: Floats, size: Floats, share: float) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    starts, near = [0], []
    for row in apart:
        order = np.argsort(row, kind="stable")
        count = max(1, int(np.searchsorted(np.cumsum(size[order]), share, side="right")))
        near.append(order[:count].astype(np.int32))
        starts.append(starts[-1] + count)
    return np.array(starts, np.int64), np.concatenate(near)
