"""Circles and times scanned for more cases than expected: the greatest log likelihood ratio of each centre, and of each simulated data set.

Arrays in, arrays out. Kulldorff 1997 (the statistic), 2001 (prospective), Kulldorff et al. 2005 (space-time permutation). tests/oracles/scan.py says the
same in plain Python. Random numbers are a counter's hash (splitmix64, Steele, Lea & Flood 2014) of the seed and the number of the simulation: they do not
depend on threads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.words import compiled

#: Models: cases by population at risk; cases among cases and controls; times shuffled among cases.
POISSON, BERNOULLI, PERMUTATION = range(3)


class Zones(NamedTuple):
    """Circles: of each centre the places in the order in which its circle reaches them, as far as it may grow."""

    starts: NDArray[np.int64]  # (n + 1,)
    near: NDArray[np.int32]


class Windows(NamedTuple):
    """Times that are scanned."""

    least: int  # intervals
    most: int
    last: bool  # only those that end with the last interval (prospective)


class Best(NamedTuple):
    """The likeliest cluster of each centre."""

    ratio: NDArray[np.float64]  # log likelihood ratio, 0 where none
    places: NDArray[np.int32]  # how many, from the centre outward
    first: NDArray[np.int32]  # interval
    last: NDArray[np.int32]


@compiled
def ratio(model: Any, o: Any, e: Any, total: Any, everyone: Any) -> Any:
    """The log likelihood ratio of o cases where e are expected, of `total`; everyone: cases and controls (Bernoulli), else unused."""
    if o <= e:
        return 0.0
    if model == 1:
        n = e * everyone / total  # people in the zone
        value = o * np.log(o / n) - total * np.log(total / everyone) - (everyone - total) * np.log(1.0 - total / everyone)
        if o < n:
            value += (n - o) * np.log(1.0 - o / n)
        rest, cases = everyone - n, total - o
        if cases > 0:
            value += cases * np.log(cases / rest)
        if cases < rest:
            value += (rest - cases) * np.log(1.0 - cases / rest)
        return value
    value = o * np.log(o / e)
    if o < total:
        value += (total - o) * np.log((total - o) / (total - e))
    return value


@compiled
def _scan(
    model: Any,
    cases: Any,
    expected: Any,
    starts: Any,
    near: Any,
    windows: Any,
    fewest: Any,
    total: Any,
    everyone: Any,
    room: Any,
    each: Any,
) -> Any:
    """The greatest ratio of all; where `each`, room gets that of each centre with its places, first and last interval: of equal ones that of fewest
    places, the latest end and the shortest.

    The ratio falls with what is expected: so many cases that were no greater than the greatest so far are not with more expected either (`fails`).
    """
    least, most, only_last = windows
    times = cases.shape[1]
    begin = max(0, times - most) if only_last else 0
    c, e = np.zeros(times, np.int64), np.zeros(times, np.float64)
    held = cases[:, begin:].sum(axis=1)
    fails = np.arange(total + 1).astype(np.float64)
    whole = best = 0.0
    for centre in range(len(starts) - 1):
        c[:] = 0
        e[:] = 0.0
        inside = 0
        if each:
            fails[:] = np.arange(total + 1)
            best = 0.0
        for k in range(starts[centre], starts[centre + 1]):
            j = near[k]
            for t in range(begin, times):
                c[t] += cases[j, t]
                e[t] += expected[j, t]
            inside += held[j]
            if held[j] == 0 or inside < fewest:
                continue  # as many cases with more expected
            for last in range(times - 1 if only_last else 0, times):
                if c[last] == 0 and not only_last and least == 1:
                    continue  # a shorter window has as many
                o, x = 0, 0.0
                for first in range(last, max(-1, last - most), -1):
                    o += c[first]
                    x += e[first]
                    if x >= fails[o] or (c[first] == 0 and least == 1) or o < fewest or last - first + 1 < least:
                        continue
                    value = ratio(model, o, x, total, everyone)
                    fails[o] = x
                    if value > best * (1 + 1e-12):
                        best = value
                        if each:
                            room[1][centre] = k - starts[centre] + 1
                            room[2][centre] = first
                            room[3][centre] = last
        if each:
            room[0][centre] = best
        whole = max(whole, best)
    return whole


#: Data sets simulated side by side.
_TOGETHER = 32


@compiled
def _grown16(row: Any, more: Any, most: Any, sign: Any) -> None:
    """Adds `more` to the row (windows, data sets); sign: below 0 for the data sets whose row then exceeds `most` anywhere."""
    for s in range(_TOGETHER):
        sign[s] = 0
    for t in range(row.shape[0]):
        m = most[t]
        for s in range(_TOGETHER):
            x = np.int16(row[t, s] + more[t, s])
            row[t, s] = x
            sign[s] = np.int16(sign[s] | np.int16(m - x))


@compiled
def _grown32(row: Any, more: Any, most: Any, sign: Any) -> None:
    for s in range(_TOGETHER):
        sign[s] = 0
    for t in range(row.shape[0]):
        m = most[t]
        for s in range(_TOGETHER):
            x = np.int32(row[t, s] + more[t, s])
            row[t, s] = x
            sign[s] = np.int32(sign[s] | np.int32(m - x))


@compiled
def _groups(expected: Any, share: Any) -> Any:
    """Where groups of windows begin, and the end: so narrow that what is expected grows by no more than about half its root in one."""
    n, times = expected.shape
    out = np.zeros(times + 1, np.int64)
    if n == 0:
        return out[:1]
    rate = max(expected[:, times - 1].sum() * share / times, 1e-12)
    t = count = 0
    while t < times:
        out[count] = t
        count += 1
        t += max(1, int(0.5 * np.sqrt((t + 1) / rate)))
    out[count] = times
    return out[: count + 1]


@compiled
def _latest(
    model: Any, sets: Any, held: Any, expected: Any, groups: Any, starts: Any, near: Any, least: Any, fewest: Any, total: Any, coarse: Any, narrow: Any
) -> Any:  # fmt: skip
    """The greatest ratio of each of the first `sets` data sets held, over windows that end with the last interval.

    held (data sets, places, windows): cases of a place in the last 1, 2, ... intervals; expected (places, windows); coarse (places, groups, data sets): the
    cases of the longest window of each group, int16 where narrow, else int32.

    Few windows need a logarithm. The ratio of a group's windows is no more than that of the cases of its longest and what is expected in its shortest. With
    d cases more than the e expected the ratio is no more than d**2 (1/e + 1/(total - o)) / 2, for its second derivative by o is 1/o + 1/(total - o); and o
    is no more than all the cases of the window. So many cases as this bound allows for the least of the data sets' greatest ratios so far are looked up for
    all of them at once; only a group that exceeds it, and its own data set's greatest, is looked into.
    """
    n = len(expected)
    count = len(groups) - 1
    free = np.zeros(count, np.float32)  # the least share of cases outside a window
    for g in range(count):
        greatest = 0
        for s in range(sets):
            inside = 0
            for j in range(n):
                inside += coarse[j, g, s]
            greatest = max(greatest, inside)
        free[g] = max(0.0, 1.0 - greatest / total)
    some = np.zeros(n, np.bool_)
    for j in range(n):
        for s in range(sets):
            some[j] |= coarse[j, count - 1, s] > 0
    fails = np.empty((sets, total + 1), np.float64)
    fails[:] = np.arange(total + 1)
    whole = np.zeros(sets)
    row, most, sign = np.zeros((count, _TOGETHER), coarse.dtype), np.zeros(count, coarse.dtype), np.zeros(_TOGETHER, coarse.dtype)
    shortest = np.zeros(count)
    begins = np.zeros((n, count))  # expected in the shortest window of each group
    for j in range(n):
        for g in range(count):
            begins[j, g] = expected[j, groups[g]]
    bound, top = np.float32(0.0), np.float32(32767.0 if narrow else 2e9)
    for centre in range(len(starts) - 1):
        row[:] = 0
        shortest[:] = 0.0
        for k in range(starts[centre], starts[centre + 1]):
            j = near[k]
            for g in range(count):
                shortest[g] += begins[j, g]
            if not some[j]:
                continue  # as many cases with more expected
            for g in range(count):
                mean = np.float32(shortest[g])
                most[g] = np.int32(min(mean + bound * np.sqrt(mean * free[g]), top))
            if narrow:
                _grown16(row, coarse[j], most, sign)
            else:
                _grown32(row, coarse[j], most, sign)
            for s in range(sets):
                if sign[s] >= 0:
                    continue
                for g in range(count):
                    o = int(row[g, s])
                    if o <= most[g] or o < fewest or shortest[g] >= fails[s, o]:
                        continue
                    if shortest[g] > 0 and ratio(model, o, shortest[g], total, 0.0) <= whole[s]:
                        fails[s, o] = shortest[g]
                        continue
                    for t in range(max(groups[g], least - 1), groups[g + 1]):
                        x = 0.0
                        if groups[g + 1] - groups[g] == 1:
                            x = shortest[g]
                        else:
                            o = 0
                            for i in range(starts[centre], k + 1):
                                o += held[s, near[i], t]
                                x += expected[near[i], t]
                        if o >= fewest and x < fails[s, o]:
                            whole[s] = max(whole[s], ratio(model, o, x, total, 0.0))
                            fails[s, o] = x
        bound = np.float32(np.sqrt(2 * whole.min()) * 0.999)
    return whole


@compiled
def _next(state: Any) -> Any:
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def _start(seed: Any, simulation: Any, state: Any) -> None:
    state[0] = np.uint64(seed) * np.uint64(0xD1342543DE82EF95) + np.uint64(simulation) * np.uint64(0xDA942042E4DD58B5)
    _next(state)


@compiled
def _below(state: Any, n: Any) -> Any:
    """A whole number from 0 to n - 1."""
    return np.int64((_next(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0) * n)


@compiled
def _simulated(
    model: Any, which: Any, where: Any, when: Any, strata: Any, chances: Any, everyone: Any, begin: Any, cases: Any, state: Any
) -> None:
    """Fills `cases` (n, times - begin) with the intervals from `begin` on of a data set in which nothing is the matter.

    which: cases to place; where, when (m,): of each case (permutation), grouped by stratum and there the latest first; strata (s + 1,): where these begin;
    chances: cumulative, over cells (Poisson) or the numbers of people (Bernoulli).
    """
    cases[:] = 0
    if model == 2:
        for s in range(len(strata) - 1):
            low, high = strata[s], strata[s + 1]
            for i in range(low, high):
                if when[i] < begin:
                    break
                j = i + _below(state, high - i)
                where[i], where[j] = where[j], where[i]
                cases[where[i], when[i] - begin] += 1
    elif model == 0:
        times = cases.shape[1] + begin
        for _ in range(which):
            x = (_next(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0) * chances[-1]
            cell = np.searchsorted(chances, x, side="right")
            if cell % times >= begin:
                cases[cell // times, cell % times - begin] += 1
    else:
        left, wanted = int(everyone), which
        for cell in range(len(chances)):
            people = int(chances[cell]) - (int(chances[cell - 1]) if cell else 0)
            for _ in range(people):
                if _below(state, left) < wanted:
                    cases[cell, 0] += 1
                    wanted -= 1
                left -= 1


@compiled
def _maxima(
    model: Any, seed: Any, low: Any, high: Any, total: Any, everyone: Any, shape: Any, where: Any, when: Any, strata: Any, chances: Any,
    expected: Any, starts: Any, near: Any, windows: Any, fewest: Any,
) -> Any:  # fmt: skip
    n, times = shape
    least, most, only_last = windows
    latest = only_last and model != 1
    begin = max(0, times - most) if latest else 0
    wide = times - begin
    cases = np.zeros((n, wide), np.int32)
    out = np.empty(high - low)
    state = np.zeros(1, np.uint64)
    room = (np.zeros(0), np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int32))
    mean = np.zeros((n if latest else 0, wide))
    for j in range(len(mean)):
        mean[j] = np.cumsum(expected[j, begin:][::-1])
    groups = _groups(mean, 0.25)
    held = np.zeros((_TOGETHER, len(mean), wide), np.int32)
    coarse = np.zeros((len(mean), len(groups) - 1, _TOGETHER), np.int32)
    narrow = coarse.astype(np.int16)
    for s in range(low, high):
        _start(seed, s, state)
        _simulated(model, total, where.copy(), when, strata, chances, everyone, begin, cases, state)
        if not latest:
            out[s - low] = _scan(model, cases, expected, starts, near, windows, fewest, total, everyone, room, False)
            continue
        at = (s - low) % _TOGETHER
        for j in range(n):
            o = g = 0
            for t in range(wide):
                o += cases[j, wide - 1 - t]
                held[at, j, t] = o
                if t + 1 == groups[g + 1]:
                    coarse[j, g, at] = o
                    g += 1
        if at == _TOGETHER - 1 or s == high - 1:
            cut = slice(s - low - at, s - low + 1)
            if coarse[:, -1].sum(axis=0).max() < 32768:
                narrow[:] = coarse
                out[cut] = _latest(model, at + 1, held, mean, groups, starts, near, least, fewest, total, narrow, True)
            else:
                out[cut] = _latest(model, at + 1, held, mean, groups, starts, near, least, fewest, total, coarse, False)
    return out


class Data(NamedTuple):
    """What is scanned. People: cases and controls of each place (Bernoulli), else empty."""

    model: int
    cases: NDArray[np.int64]  # (places, intervals)
    expected: NDArray[np.float64]  # (places, intervals), summing to the cases
    people: NDArray[np.int64]  # (places,)
    where: NDArray[np.int32]  # of each case its place, grouped by stratum (permutation)
    when: NDArray[np.int32]  # its interval
    strata: NDArray[np.int64]  # where each stratum begins, and the end


def best(data: Data, zones: Zones, windows: Windows, fewest: int) -> Best:
    """The likeliest cluster of each centre."""
    n = data.cases.shape[0]
    room = Best(np.zeros(n), np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(n, np.int32))
    everyone = float(data.people.sum())
    _scan(
        data.model, data.cases.astype(np.int32), data.expected, *zones, tuple(windows), fewest, int(data.cases.sum()), everyone, room, True
    )
    return room


def maxima(data: Data, zones: Zones, windows: Windows, fewest: int, seed: int, low: int, high: int) -> NDArray[np.float64]:
    """The greatest ratio of each of the simulations low..high-1."""
    stratum = np.repeat(np.arange(len(data.strata) - 1), np.diff(data.strata))
    order = np.lexsort((-data.when, stratum)) if len(data.when) else np.zeros(0, np.int64)
    chances = np.cumsum(data.people).astype(np.float64) if data.model == BERNOULLI else np.cumsum(data.expected.ravel())
    return np.asarray(
        _maxima(
            data.model, seed, low, high, int(data.cases.sum()), float(data.people.sum()), data.cases.shape, data.where[order], data.when[order], data.strata,
            chances, data.expected, *zones, tuple(windows), fewest,
        )
    )  # fmt: skip
