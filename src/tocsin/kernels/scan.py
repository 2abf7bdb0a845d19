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
    model: Any, cases: Any, expected: Any, starts: Any, near: Any, windows: Any, fewest: Any, total: Any, everyone: Any, room: Any
) -> Any:
    """The greatest ratio of all; room: that of each centre with its places, first and last interval; of equal ones that of fewest places, earliest."""
    least, most, only_last = windows
    times = cases.shape[1]
    c, e = np.zeros(times, np.int64), np.zeros(times, np.float64)
    held = cases.sum(axis=1)
    whole = 0.0
    for centre in range(len(starts) - 1):
        best = 0.0
        c[:] = 0
        e[:] = 0.0
        inside = 0
        for k in range(starts[centre], starts[centre + 1]):
            j = near[k]
            for t in range(times):
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
                    if (c[first] == 0 and least == 1) or o < fewest or o <= x or last - first + 1 < least:
                        continue
                    value = ratio(model, o, x, total, everyone)
                    if value > best * (1 + 1e-12):
                        best = value
                        room[1][centre] = k - starts[centre] + 1
                        room[2][centre] = first
                        room[3][centre] = last
        room[0][centre] = best
        whole = max(whole, best)
    return whole


@compiled
def greatest(model: Any, cases: Any, expected: Any, starts: Any, near: Any, windows: Any, fewest: Any, total: Any, everyone: Any) -> Any:
    """The greatest ratio of all, no more. The ratio falls with what is expected: where it was no greater once, it is not for more expected either."""
    least, most, only_last = windows
    times = cases.shape[1]
    begin = max(0, times - most) if only_last else 0
    c, e = np.zeros(times, np.int64), np.zeros(times, np.float64)
    held = cases[:, begin:].sum(axis=1)
    fails = np.arange(total + 1).astype(np.float64)  # expected from which so many cases are no greater than the greatest so far
    whole = 0.0
    for centre in range(len(starts) - 1):
        c[:] = 0
        e[:] = 0.0
        inside = 0
        for k in range(starts[centre], starts[centre + 1]):
            j = near[k]
            for t in range(begin, times):
                c[t] += cases[j, t]
                e[t] += expected[j, t]
            inside += held[j]
            if held[j] == 0 or inside < fewest:
                continue
            for last in range(times - 1 if only_last else 0, times):
                if c[last] == 0 and not only_last and least == 1:
                    continue
                o, x = 0, 0.0
                for first in range(last, max(-1, last - most), -1):
                    o += c[first]
                    x += e[first]
                    if x < fails[o] and o >= fewest and last - first + 1 >= least:
                        value = ratio(model, o, x, total, everyone)
                        whole = max(whole, value)
                        fails[o] = x
    return whole


@compiled
def _next(state: Any) -> Any:
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def _below(state: Any, n: Any) -> Any:
    """A whole number from 0 to n - 1."""
    return np.int64((_next(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0) * n)


@compiled
def _simulated(model: Any, which: Any, where: Any, when: Any, strata: Any, chances: Any, everyone: Any, cases: Any, state: Any) -> None:
    """Fills `cases` (n, times) with a data set in which nothing is the matter.

    which: cases to place; where, when (m,): of each case (permutation), grouped by stratum; strata (s + 1,): where these begin; chances: cumulative, over
    cells (Poisson) or the numbers of people (Bernoulli).
    """
    cases[:] = 0
    times = cases.shape[1]
    if model == 2:
        for s in range(len(strata) - 1):
            low, high = strata[s], strata[s + 1]
            for i in range(high - 1, low, -1):
                j = low + _below(state, i - low + 1)
                when[i], when[j] = when[j], when[i]
        for i in range(len(where)):
            cases[where[i], when[i]] += 1
    elif model == 0:
        for _ in range(which):
            x = (_next(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0) * chances[-1]
            cell = np.searchsorted(chances, x, side="right")
            cases[cell // times, cell % times] += 1
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
    cases = np.zeros(shape, np.int64)
    out = np.empty(high - low)
    state = np.zeros(1, np.uint64)
    for s in range(low, high):
        state[0] = np.uint64(seed) * np.uint64(0xD1342543DE82EF95) + np.uint64(s) * np.uint64(0xDA942042E4DD58B5)
        _next(state)
        shuffled = when.copy()
        _simulated(model, total, where, shuffled, strata, chances, everyone, cases, state)
        out[s - low] = greatest(model, cases, expected, starts, near, windows, fewest, total, everyone)
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
    _scan(data.model, data.cases, data.expected, *zones, tuple(windows), fewest, int(data.cases.sum()), everyone, room)
    return room


def maxima(data: Data, zones: Zones, windows: Windows, fewest: int, seed: int, low: int, high: int) -> NDArray[np.float64]:
    """The greatest ratio of each of the simulations low..high-1."""
    chances = np.cumsum(data.people).astype(np.float64) if data.model == BERNOULLI else np.cumsum(data.expected.ravel())
    return np.asarray(
        _maxima(
            data.model, seed, low, high, int(data.cases.sum()), float(data.people.sum()), data.cases.shape, data.where, data.when, data.strata,
            chances, data.expected, *zones, tuple(windows), fewest,
        )
    )  # fmt: skip
