"""Events that excite each other: where the next one would be, given all before; simulated on, and scanned.

Arrays in, arrays out. Times are days, in order; places are numbers; spread (kernels, places, places) says where what an event sets off falls, each row
summing to 1. An event at time t falls at place p with the chance

    background(t) share[p] + sum over earlier events j, scales k, kernels s of   rates[k, s] exp(-(t - t_j) / delay[k]) / delay[k] spread[s, p_j, p]

divided by its sum over places: the times are taken as they are, so a drift, a season or late reports, alike in all places, cancel. tests/oracles/excite.py
says the same in plain Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tocsin.kernels.scan import _next, _start, ratio
from tocsin.kernels.words import compiled


@compiled
def traces(when: Any, where: Any, delays: Any, spread: Any) -> Any:
    """Of each event what those before it add, by scale and kernel, at its place (n, scales, kernels) and over all places (n, scales)."""
    n, kernels, places, scales = len(when), spread.shape[0], spread.shape[1], len(delays)
    here, all_places = np.zeros((n, scales, kernels)), np.zeros((n, scales))
    held = np.zeros((scales, places))
    for i in range(n):
        for k in range(scales):
            fade = np.exp(-(when[i] - when[i - 1]) / delays[k]) if i else 1.0
            for q in range(places):
                held[k, q] *= fade
                if held[k, q] > 1e-12:
                    all_places[i, k] += held[k, q] / delays[k]
                    for s in range(kernels):
                        here[i, k, s] += held[k, q] / delays[k] * spread[s, q, where[i]]
        for k in range(scales):
            held[k, where[i]] += 1.0
    return here, all_places


@compiled
def _uniform(state: Any) -> Any:
    return (_next(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled
def _drawn(cumulative: Any, state: Any) -> Any:
    x = _uniform(state) * cumulative[-1]
    return min(np.searchsorted(cumulative, x, side="right"), len(cumulative) - 1)


@compiled
def one_step(
    when: Any, where: Any, begin: Any, day: Any, days: Any, background: Any, share: Any, rates: Any, delays: Any, spread: Any
) -> Any:
    """What is expected (places, days) of the events from `begin` on, each by the chances given all before it; day: of each event, counted back from the last.

    An event's chances sum to 1, so each day's expected sum to its events.
    """
    kernels, places, scales = spread.shape[0], spread.shape[1], len(delays)
    expected = np.zeros((places, days))
    mass = np.zeros((scales, places))  # what is set off so far, by where it falls, for each scale
    chance = np.empty(places)
    for i in range(len(when)):
        for k in range(scales):
            fade = np.exp(-(when[i] - when[i - 1]) / delays[k]) if i else 1.0
            for p in range(places):
                mass[k, p] *= fade
        if i >= begin:
            total = 0.0
            for p in range(places):
                x = background[i] * share[p]
                for k in range(scales):
                    x += mass[k, p]
                chance[p] = x
                total += x
            for p in range(places):
                expected[p, day[i]] += chance[p] / total
        for k in range(scales):
            for s in range(kernels):
                w = rates[k, s] / delays[k]
                if w > 0:
                    for p in range(places):
                        mass[k, p] += w * spread[s, where[i], p]
    return expected


@compiled
def carried_on(when: Any, where: Any, begin: Any, background: Any, share: Any, rates: Any, delays: Any, spread: Any, state: Any) -> None:
    """Fills where[begin:] with places drawn by the chances given all before, drawn ones included."""
    kernels, places, scales = spread.shape[0], spread.shape[1], len(delays)
    mass = np.zeros((scales, places))
    cumulative = np.empty(places)
    for i in range(len(when)):
        for k in range(scales):
            fade = np.exp(-(when[i] - when[i - 1]) / delays[k]) if i else 1.0
            for p in range(places):
                mass[k, p] *= fade
        if i >= begin:
            total = 0.0
            for p in range(places):
                total += background[i] * share[p]
                for k in range(scales):
                    total += mass[k, p]
                cumulative[p] = total
            where[i] = _drawn(cumulative, state)
        for k in range(scales):
            for s in range(kernels):
                w = rates[k, s] / delays[k]
                if w > 0:
                    for p in range(places):
                        mass[k, p] += w * spread[s, where[i], p]


@compiled
def greatest(cases: Any, expected: Any, starts: Any, near: Any, least: Any, fewest: Any, found: Any) -> Any:
    """The greatest log likelihood ratio over circles and over the last 1, 2, ... days; found: centre, places, days of it.

    cases, expected (places, days), days counted back from the last. The cases of a window are taken as they are: inside against outside.
    """
    days = cases.shape[1]
    total = np.zeros(days)
    t = 0.0
    for d in range(days):
        t += cases[:, d].sum()
        total[d] = t
    best = 0.0
    fails = np.zeros((days, int(t) + 1))
    for d in range(days):
        fails[d] = np.arange(int(t) + 1)
    c, e = np.zeros(days, np.int64), np.zeros(days)
    held = cases.sum(axis=1)
    for centre in range(len(starts) - 1):
        c[:] = 0
        e[:] = 0.0
        for k in range(starts[centre], starts[centre + 1]):
            j = near[k]
            o, x = 0, 0.0
            for d in range(days):
                o += cases[j, d]
                x += expected[j, d]
                c[d] += o
                e[d] += x
            if held[j] == 0:
                continue
            for d in range(least - 1, days):
                o = c[d]
                if o < fewest or e[d] >= fails[d, o]:
                    continue
                fails[d, o] = e[d]
                value = ratio(2, float(o), e[d], total[d], 0.0)
                if value > best * (1 + 1e-12):
                    best = value
                    found[0], found[1], found[2] = centre, k - starts[centre] + 1, d + 1
    return best


@compiled
def simulated(
    seed: Any, low: Any, high: Any, when: Any, where: Any, begin: Any, day: Any, days: Any, background: Any, shares: Any, rates: Any, delays: Any, spread: Any
) -> Any:  # fmt: skip
    """Cases (simulations, places, days) of the simulations low..high-1, drawn with shares[s] and rates[s], and the sum of what was expected step by step."""
    places = spread.shape[1]
    cases, expected = np.zeros((high - low, places, days), np.int64), np.zeros((places, days))
    state = np.zeros(1, np.uint64)
    made = where.copy()
    for s in range(low, high):
        _start(seed, s, state)
        made[:] = where
        carried_on(when, made, begin, background, shares[s], rates[s], delays, spread, state)
        for i in range(begin, len(when)):
            cases[s - low, made[i], day[i]] += 1
        expected += one_step(when, made, begin, day, days, background, shares[s], rates[s], delays, spread)
    return cases, expected


@compiled
def each_greatest(cases: Any, expected: Any, starts: Any, near: Any, least: Any, fewest: Any) -> Any:
    """The greatest ratio of each of several data sets."""
    out, found = np.empty(len(cases)), np.zeros(3, np.int64)
    for s in range(len(cases)):
        out[s] = greatest(cases[s], expected, starts, near, least, fewest, found)
    return out
