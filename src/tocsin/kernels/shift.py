"""Changes in composition: the greatest likelihood ratio CUSUM of Dirichlet-multinomial looks, and of each data set whose bursts are shuffled.

Arrays in, arrays out. Höhle 2010 (the multinomial CUSUM). tests/oracles/shift.py says the same in plain Python. Random numbers are a counter's hash of the
seed and the number of the simulation: they do not depend on threads.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.scan import _below, _next, _start
from tocsin.kernels.words import compiled

#: What two events of one look have in common beyond the mix: no less, no more (1 / (1 + concentration)).
LEAST, MOST = 0.002, 0.5
_SPREAD = 0.75  # the same, the mix's own uncertainty included
_SAME = 1e-9  # statistics that differ by less are the same


@compiled
def categorical_cusum(counts: Any, ratios: Any, limit: Any) -> Any:
    """The statistic of each look (looks,), and which exceed the limit: after each it starts again at 0. ratios (categories,): of shares, logged."""
    looks, k = counts.shape
    statistic, alarm = np.zeros(looks), np.zeros(looks, np.bool_)
    s = 0.0
    for t in range(looks):
        for i in range(k):
            if counts[t, i]:
                s += counts[t, i] * ratios[i]
        s = max(s, 0.0)
        statistic[t] = s
        if s > limit:
            alarm[t] = True
            s = 0.0
    return statistic, alarm


@compiled
def fit(counts: Any, share: Any) -> Any:
    """Fills `share` (categories,) with the mix of the looks; the concentration of the Dirichlet that a further look's shares are drawn from."""
    looks, k = counts.shape
    total = used = 0
    share[:] = 0.5
    for t in range(looks):
        n = counts[t].sum()
        total += n
        used += n > 0
        for i in range(k):
            share[i] += counts[t, i]
    share /= total + 0.5 * k
    rho = LEAST
    if used > 1 and total > used:
        apart, chance = 0.0, 1.0
        for i in range(k):
            chance -= share[i] ** 2
        for t in range(looks):
            n = counts[t].sum()
            if n > 0:
                for i in range(k):
                    apart += (counts[t, i] - n * share[i]) ** 2 / n
        rho = (apart / chance * used / (used - 1) - used) / (total - used)
        rho = min(max(rho, LEAST), MOST)
    effect = 1 + max(0.0, total / max(used, 1) - 1) * rho
    known = total / effect + 0.5 * k
    return 1 / min(rho + 1 / (known + 1), _SPREAD) - 1


@compiled
def _risen(v: Any, y: Any, base: Any) -> Any:
    """log gamma(v + y) - base, base being log gamma(v)."""
    if y > 8:
        return math.lgamma(v + y) - base
    x = 1.0
    for i in range(y):
        x *= v + i
    return math.log(x)


@compiled
def greatest(counts: Any, baseline: Any, factors: Any) -> Any:
    """(statistic, category, factor, look of the peak, look of the change) of the alternative whose CUSUM rises highest after the baseline."""
    looks, k = counts.shape
    share = np.empty(k)
    a = fit(counts[:baseline], share)
    wide = looks - baseline
    begin = np.zeros(wide + 1, np.int64)
    which = np.empty(wide * k, np.int64)
    size = np.empty(wide * k, np.int64)
    usual = np.zeros(wide)
    seen = np.zeros(k, np.bool_)
    m = 0
    for t in range(looks):
        for i in range(k):
            y = counts[t, i]
            if y == 0:
                continue
            seen[i] = True
            if t >= baseline:
                which[m], size[m] = i, y
                m += 1
                usual[t - baseline] += _risen(a * share[i], y, math.lgamma(a * share[i]) if y > 8 else 0.0)
        if t >= baseline:
            begin[t - baseline + 1] = m
    best, category, factor, peak, change = 0.0, -1, -1, -1, -1
    moved, base = np.empty(k), np.empty(k)
    for j in range(k):
        if not seen[j]:
            continue
        for g in range(len(factors)):
            whole = 1 + (factors[g] - 1) * share[j]
            for i in range(k):
                moved[i] = a * share[i] * (factors[g] if i == j else 1.0) / whole
                base[i] = math.lgamma(moved[i])
            s, start = 0.0, baseline
            for t in range(wide):
                s -= usual[t]
                for x in range(begin[t], begin[t + 1]):
                    s += _risen(moved[which[x]], size[x], base[which[x]])
                if s <= 0:
                    s, start = 0.0, baseline + t + 1
                if s > best + _SAME:
                    best, category, factor, peak, change = s, j, g, baseline + t, start
    return best, category, factor, peak, change


@compiled
def agreements(codes: Any, categories: Any, lags: Any) -> Any:
    """(lags,): how much oftener than two at random events 1, 2, ... places apart are of one category; 1 where always."""
    n = len(codes)
    out = np.zeros(lags)
    held = np.zeros(categories, np.int64)
    for c in codes:
        held[c] += 1
    chance = 0.0
    for y in held:
        chance += y * (y - 1.0) / (n * (n - 1.0))
    if chance >= 1:
        return out
    for lag in range(1, lags + 1):
        alike = 0
        for i in range(n - lag):
            alike += codes[i] == codes[i + lag]
        out[lag - 1] = (alike / (n - lag) - chance) / (1 - chance)
    return out


@compiled
def _class(size: Any) -> Any:
    """Bursts of one class change places: of equal size up to 8, then within half as much again."""
    return size if size <= 8 else 9 + int(math.log(size / 8.0) / math.log(1.5))


@compiled
def _shuffled(n: Any, joined: Any, block: Any, state: Any, order: Any, starts: Any) -> None:
    """Fills `order` (n,) with which event comes in each one's place.

    Bursts, drawn by `joined`, change places with bursts of about their size, so that a burst that fills one look fills one look again; where sizes differ the
    events of the one are spread over the places of the other. Blocks of at least so many events, where wanted, are shuffled whole.
    """
    units, held = 0, 0
    wanted = 1 + _below(state, block) if block > 1 else 1  # the first block is cut short at random
    for i in range(n):
        u = (_next(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0)
        if i == 0 or (u >= joined[i] and held >= wanted):
            if i > 0:
                wanted = block
            starts[units] = i
            units += 1
            held = 0
        held += 1
    starts[units] = n
    kind = np.zeros(units, np.int64)
    if block == 1:
        for u in range(units):
            kind[u] = _class(starts[u + 1] - starts[u])
    first = np.zeros(kind.max() + 2, np.int64)  # where each class begins among the picks
    for u in range(units):
        first[kind[u] + 1] += 1
    for c in range(1, len(first)):
        first[c] += first[c - 1]
    end = first[1:].copy()
    picks, at = np.empty(units, np.int64), first.copy()
    for u in range(units):
        picks[at[kind[u]]] = u
        at[kind[u]] += 1
    place = 0
    for u in range(units):
        c = kind[u]
        x = first[c]
        y = x + _below(state, end[c] - x)
        picks[x], picks[y] = picks[y], picks[x]
        first[c] += 1
        begin, size = starts[picks[x]], starts[picks[x] + 1] - starts[picks[x]]
        room = size if block > 1 else starts[u + 1] - starts[u]
        for i in range(room):
            order[place] = begin + i * size // room
            place += 1


@compiled
def shuffled(joined: Any, block: Any, seed: Any, simulation: Any) -> Any:
    """(n,): which event comes in each one's place in one simulation."""
    n = len(joined)
    order, starts, state = np.empty(n, np.int64), np.empty(n + 1, np.int64), np.zeros(1, np.uint64)
    _start(seed, simulation, state)
    _shuffled(n, joined, block, state, order, starts)
    return order


@compiled
def _maxima(
    look: Any, code: Any, weight: Any, looks: Any, categories: Any, baseline: Any, factors: Any, joined: Any, block: Any, seed: Any, low: Any, high: Any
) -> Any:  # fmt: skip
    n = len(look)
    out = np.empty(high - low)
    order, starts, state = np.empty(n, np.int64), np.empty(n + 1, np.int64), np.zeros(1, np.uint64)
    counts = np.empty((looks, categories), np.int64)
    for s in range(low, high):
        _start(seed, s, state)
        _shuffled(n, joined, block, state, order, starts)
        counts[:] = 0
        for i in range(n):
            counts[look[i], code[order[i]]] += weight[order[i]]
        out[s - low] = greatest(counts, baseline, factors)[0]
    return out


class Data(NamedTuple):
    """Events in order of time, and how they hang together."""

    look: NDArray[np.int64]  # (n,)
    code: NDArray[np.int64]  # (n,)
    weight: NDArray[np.int64]  # (n,): 1, or deaths
    looks: int
    categories: int
    baseline: int  # looks
    joined: NDArray[np.float64]  # (n,): the chance that an event belongs to the burst of the one before
    block: int  # events that stay together at least, where bursts alone do not explain how alike neighbours are; else 1


def counted(data: Data) -> NDArray[np.int64]:
    """(looks, categories): events, or deaths."""
    counts = np.zeros((data.looks, data.categories), np.int64)
    np.add.at(counts, (data.look, data.code), data.weight)
    return counts


def maxima(data: Data, factors: NDArray[np.float64], seed: int, low: int, high: int) -> NDArray[np.float64]:
    """The greatest statistic of each of the simulations low..high-1."""
    return np.asarray(
        _maxima(
            data.look, data.code, data.weight, data.looks, data.categories, data.baseline, factors, data.joined, data.block, seed, low, high
        )
    )
