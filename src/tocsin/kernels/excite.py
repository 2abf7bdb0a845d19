"""Events that excite each other: what those before add to each, windows that the process goes on to make, and the likeliest extra source of events in one.

Arrays in, arrays out. Times are days, in order; places are numbers; spread (kernels, places, places) says where what an event sets off falls, each row
summing to 1. At time t a place p has, a day,

    level share[p] + sum over earlier events j, scales k, kernels s of   rates[k, s] exp(-(t - t_j) / delay[k]) / delay[k] spread[s, p_j, p]

events (Hawkes 1971). tests/oracles/excite.py says the same in plain Python. Random numbers are a counter's hash of the seed and the simulation's number.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.hawkes import uniform
from tocsin.kernels.scan import _start
from tocsin.kernels.words import compiled

_ROOM = 20_000  # events of one simulated window; a process that makes more than that has exploded, and is cut there


class Process(NamedTuple):
    """What a simulated window is made of; days count from the window's first."""

    days: float
    delays: NDArray[np.float64]  # (scales,)
    level: NDArray[np.float64]  # (draws,) background events a day
    shares: NDArray[np.float64]  # (draws, places), cumulated
    rates: NDArray[np.float64]  # (draws, scales, kernels)
    held: NDArray[np.float64]  # (scales, places): what is left at the window's begin of events before it, cumulated over places
    reach: NDArray[np.float64]  # (kernels, places, places): spread, cumulated


class Judge(NamedTuple):
    """What a window is judged by: the likeliest process, and the sources of further events that are looked for."""

    share: NDArray[np.float64]  # (places,)
    level: float  # logarithm of the background's events a day, before the window is seen
    wide: float  # its standard deviation
    before: NDArray[np.float64]  # (scales, places): events a day at the window's begin that were set off before it
    sets_off: NDArray[np.float64]  # (scales, places, places): events a day, at once, that an event at a place sets off at another
    starts: NDArray[np.int64]  # circles: see kernels.scan.Zones
    near: NDArray[np.int32]
    spans: NDArray[np.float64]  # the last so many days
    extra: NDArray[np.float64]  # further events a day at each place of a circle


@compiled
def _drawn(cumulative: Any, state: Any) -> Any:
    x = uniform(state) * cumulative[-1]
    return min(np.searchsorted(cumulative, x, side="right"), len(cumulative) - 1)


@compiled
def _poisson(mean: Any, state: Any) -> Any:
    """Knuth's products, thirty at a time."""
    n = 0
    while mean > 0:
        part = min(mean, 30.0)
        limit, p = np.exp(-part), uniform(state)
        while p > limit:
            n += 1
            p *= uniform(state)
        mean -= part
    return n


@compiled
def _reached(weights: Any, reach: Any, place: Any, state: Any) -> Any:
    """Where an event at a place sets one off; the first kernel is the place itself."""
    x, s = uniform(state) * weights.sum(), 0
    while s < len(weights) - 1 and x >= weights[s]:
        x -= weights[s]
        s += 1
    return place if s == 0 else _drawn(reach[s, place], state)


@compiled
def _carried_on(
    days: Any, delays: Any, level: Any, share: Any, rates: Any, held: Any, reach: Any, state: Any, when: Any, where: Any
) -> Any:
    """Fills when and where with a window's events, in no order; how many. Those of the background, those set off before, and what each sets off."""
    room = len(when)
    n = min(_poisson(level * days, state), room)
    for i in range(n):
        when[i] = uniform(state) * days
        where[i] = _drawn(share, state)
    for k in range(len(delays)):
        inside = 1 - np.exp(-days / delays[k])
        for _ in range(_poisson(rates[k].sum() * held[k, -1] * inside, state)):
            if n < room:
                when[n] = -delays[k] * np.log(1 - uniform(state) * inside)
                where[n] = _reached(rates[k], reach, _drawn(held[k], state), state)
                n += 1
    i = 0
    while i < n:
        for k in range(len(delays)):
            for _ in range(_poisson(rates[k].sum(), state)):
                t = when[i] - delays[k] * np.log(1 - uniform(state))
                if t < days and n < room:
                    when[n] = t
                    where[n] = _reached(rates[k], reach, where[i], state)
                    n += 1
        i += 1
    return n


@compiled
def excitation(when: Any, where: Any, delays: Any, before: Any, sets_off: Any) -> Any:
    """(n,): events a day at each event's place that earlier ones set off, those before the window included."""
    n, places = len(when), before.shape[1]
    out = np.zeros(n)
    for k in range(len(delays)):
        if n <= places:  # pair by pair
            for i in range(n):
                out[i] += before[k, where[i]] * np.exp(-when[i] / delays[k])
                for j in range(i):
                    out[i] += sets_off[k, where[j], where[i]] * np.exp(-(when[i] - when[j]) / delays[k])
            continue
        mass = before[k].copy()
        for i in range(n):
            mass *= np.exp(-(when[i] - (when[i - 1] if i else 0.0)) / delays[k])
            out[i] += mass[where[i]]
            mass += sets_off[k, where[i]]
    return out


@compiled
def likeliest_level(share: Any, excited: Any, days: Any, guess: Any, wide: Any) -> Any:
    """(logarithm of the background's events a day, its standard deviation) of a window, with a normal prior; share, excited (n,): at each event's place."""
    x, h = guess, -1.0
    for _ in range(30):
        u = np.exp(x)
        g = -u * days - (x - guess) / wide**2
        h = -u * days - 1 / wide**2
        for i in range(len(share)):
            own = u * share[i] / (u * share[i] + excited[i])
            g += own
            h += own * (1 - own)
        step = max(-1.0, min(1.0, g / min(h, -1e-6)))
        x -= step
        if abs(step) < 1e-7:
            break
    return x, 1 / np.sqrt(max(-h, 1e-6))


@compiled
def sources(when: Any, where: Any, base: Any, days: Any, starts: Any, near: Any, spans: Any, extra: Any, mark: Any, out: Any) -> Any:
    """The greatest log likelihood ratio of a further source in a circle against none; fills out (n, 4) for each place that has events.

    base (n,): events a day at each event's place. A source adds `extra` events a day at each place of the circle in the last `span` days: the ratio is the sum
    of ln(1 + extra / base) over the circle's events in these days, less extra x places x days. out: the ratio, centre, places, number of the span;
    mark (places,): -1 everywhere, and again at the end.
    """
    places = 0
    value = np.zeros((len(when), len(extra), len(spans)))
    for i in range(len(when)):
        if mark[where[i]] < 0:
            mark[where[i]] = places
            out[places, 0], out[places, 1] = 0.0, where[i]
            places += 1
        for g in range(len(extra)):
            gain = np.log(1 + extra[g] / base[i])
            for d in range(len(spans)):
                if days - when[i] <= spans[d]:
                    value[mark[where[i]], g, d] += gain
    best = 0.0
    for c in range(places):
        held = np.zeros((len(extra), len(spans)))
        centre = int(out[c, 1])
        for k in range(starts[centre], starts[centre + 1]):
            at = mark[near[k]]
            if at < 0:
                continue
            size = k - starts[centre] + 1
            for g in range(len(extra)):
                for d in range(len(spans)):
                    held[g, d] += value[at, g, d]
                    x = held[g, d] - extra[g] * size * spans[d]
                    if x > out[c, 0]:
                        out[c, 0], out[c, 2], out[c, 3] = x, size, d
        best = max(best, out[c, 0])
    for c in range(places):
        mark[int(out[c, 1])] = -1
    return best


@compiled
def _judged(when: Any, where: Any, days: Any, delays: Any, share: Any, level: Any, wide: Any, before: Any, sets_off: Any, starts: Any, near: Any, spans: Any, extra: Any, mark: Any, out: Any) -> Any:  # fmt: skip  # noqa: E501
    excited = excitation(when, where, delays, before, sets_off)
    own = share[where]
    x, _ = likeliest_level(own, excited, days, level, wide)
    return sources(when, where, np.exp(x) * own + excited, days, starts, near, spans, extra, mark, out)


def judged(
    when: NDArray[np.float64], where: NDArray[np.int64], days: float, delays: NDArray[np.float64], judge: Judge
) -> NDArray[np.float64]:
    """(places with events, 4): the greatest ratio round each, its centre, its number of places, the number of its span."""
    mark, out = np.full(len(judge.share), -1, np.int64), np.zeros((max(len(when), 1), 4))
    _judged(when, where, days, delays, *judge, mark, out)
    return out[: len(np.unique(where))]


@compiled
def _maxima(
    seed: Any, low: Any, high: Any, more: Any, days: Any, delays: Any, level: Any, shares: Any, rates: Any, held: Any, reach: Any,
    share: Any, usual: Any, wide: Any, before: Any, sets_off: Any, starts: Any, near: Any, spans: Any, extra: Any,
) -> Any:  # fmt: skip
    best, state = np.empty(high - low), np.zeros(1, np.uint64)
    when, where = np.empty(_ROOM), np.empty(_ROOM, np.int64)
    mark, out = np.full(len(share), -1, np.int64), np.empty((_ROOM, 4))
    for s in range(low, high):
        _start(seed, s, state)
        n = _carried_on(days, delays, level[s], shares[s], rates[s], held, reach, state, when, where)
        place = _drawn(shares[s], state)
        for _ in range(min(more, _ROOM - n)):
            when[n], where[n] = days - uniform(state) * min(days, 14.0), place
            n += 1
        order = np.argsort(when[:n])
        best[s - low] = _judged(
            when[order], where[order], days, delays, share, usual, wide, before, sets_off, starts, near, spans, extra, mark, out
        )
    return best


def maxima(process: Process, judge: Judge, seed: int, low: int, high: int, more: int = 0) -> NDArray[np.float64]:
    """The greatest ratio of each of the simulations low..high-1; `more`: events hidden in the last 14 days at one place, drawn like the background's."""
    return np.asarray(_maxima(seed, low, high, more, *process, *judge))


@compiled
def _counted(seed: Any, low: Any, high: Any, circle: Any, spans: Any, days: Any, delays: Any, level: Any, shares: Any, rates: Any, held: Any, reach: Any) -> Any:  # fmt: skip  # noqa: E501
    out, state = np.zeros((high - low, len(spans)), np.int64), np.zeros(1, np.uint64)
    when, where = np.empty(_ROOM), np.empty(_ROOM, np.int64)
    for s in range(low, high):
        _start(seed, s, state)
        n = _carried_on(days, delays, level[s], shares[s], rates[s], held, reach, state, when, where)
        for i in range(n):
            c = circle[where[i]]
            if c >= 0 and days - when[i] <= spans[c]:
                out[s - low, c] += 1
    return out


def counted(process: Process, circle: NDArray[np.int64], spans: NDArray[np.float64], seed: int, low: int, high: int) -> NDArray[np.int64]:
    """(simulations low..high-1, circles): the events of each in each circle in its last days. circle (places,): which one a place is in, or -1."""
    return np.asarray(_counted(seed, low, high, circle, spans, *process))
