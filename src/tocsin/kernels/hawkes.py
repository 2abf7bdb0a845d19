"""The posterior of a self-exciting process of events at places, by Gibbs sampling.

Arrays in, arrays out. What set an event off is drawn given the process, and the process given what set each event off (Rasmussen 2013; Ross 2021): then
rates are gamma, shares Dirichlet (summed out but where they are kept), and the level of the background a random walk from month to month.
tests/oracles/excite.py has the likelihood in plain Python. Random numbers are a counter's hash of the seed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tocsin.kernels.scan import _next, _start
from tocsin.kernels.words import compiled


@compiled
def traces(when: Any, where: Any, delays: Any, spread: Any) -> Any:
    """(n, scales, kernels): what the events before each would add at its place, a day, if each set off one."""
    n, kernels, places, scales = len(when), spread.shape[0], spread.shape[1], len(delays)
    here = np.zeros((n, scales, kernels))
    held = np.zeros((scales, places))
    for i in range(n):
        for k in range(scales):
            fade = np.exp(-(when[i] - when[i - 1]) / delays[k]) if i else 1.0
            for q in range(places):
                held[k, q] *= fade
                if held[k, q] > 1e-12:
                    for s in range(kernels):
                        here[i, k, s] += held[k, q] / delays[k] * spread[s, q, where[i]]
        for k in range(scales):
            held[k, where[i]] += 1.0
    return here


@compiled
def uniform(state: Any) -> Any:
    """From 0 to 1, 1 left out."""
    return (_next(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled
def normal(state: Any) -> Any:
    """Box and Muller's."""
    return math.sqrt(-2 * math.log(1 - uniform(state))) * math.cos(2 * math.pi * uniform(state))


@compiled
def gamma(shape: Any, state: Any) -> Any:
    """Of scale 1 (Marsaglia & Tsang 2000)."""
    if shape < 1:
        return gamma(shape + 1.0, state) * (1 - uniform(state)) ** (1 / shape)
    d = shape - 1 / 3
    c = 1 / math.sqrt(9 * d)
    while True:
        x = normal(state)
        v = (1 + c * x) ** 3
        if v > 0 and math.log(1 - uniform(state)) < x * x / 2 + d - d * v + d * math.log(v):
            return d * v


@compiled
def _walked(level: Any, held: Any, days: Any, step: Any, state: Any) -> None:
    """Each month's level anew given its neighbours and how many events of the background it holds: a normal proposal, taken or left (Metropolis)."""
    n = len(level)
    for b in range(n):
        ties, middle = 0, 0.0
        if b > 0:
            ties, middle = ties + 1, middle + level[b - 1]
        if b < n - 1:
            ties, middle = ties + 1, middle + level[b + 1]
        precision = ties / step**2 if ties else 1e-4
        middle = middle / ties if ties else 0.0
        at = level[b]
        for _ in range(4):  # towards the likeliest
            bend = math.exp(at) * days[b] + precision
            at += max(-1.0, min(1.0, (held[b] - math.exp(at) * days[b] - precision * (at - middle)) / bend))
        wide = 1 / math.sqrt(math.exp(at) * days[b] + precision)
        new = at + wide * normal(state)
        gain = held[b] * (new - level[b]) - days[b] * (math.exp(new) - math.exp(level[b]))
        gain -= precision * ((new - middle) ** 2 - (level[b] - middle) ** 2) / 2
        gain += ((new - at) ** 2 - (level[b] - at) ** 2) / (2 * wide**2)
        if math.log(1 - uniform(state)) < gain:
            level[b] = new


@compiled
def _concentrated(counts: Any, total: Any, grid: Any, chance: Any, state: Any) -> Any:
    """The concentration of the shares' Dirichlet prior, drawn from a grid by how likely it makes the counts."""
    places = len(counts)
    most = -np.inf
    for g in range(len(grid)):
        a = grid[g]
        x = math.lgamma(a) - math.lgamma(a + total)
        empty = math.lgamma(a / places)
        for c in counts:
            if c > 0:
                x += math.lgamma(c + a / places) - empty
        chance[g] = x
        most = max(most, x)
    total_chance = 0.0
    for g in range(len(grid)):
        total_chance += math.exp(chance[g] - most)
        chance[g] = total_chance
    x = uniform(state) * total_chance
    g = 0
    while g < len(grid) - 1 and chance[g] < x:
        g += 1
    return grid[g]


@compiled
def _set_off(here: Any, where: Any, month: Any, rates: Any, level: Any, counts: Any, held: Any, sets: Any, own: Any, total: Any, prior: Any, state: Any) -> Any:  # fmt: skip  # noqa: E501
    """Draws of each event whether it is of the background, else by which scale and kernel it was set off; how many are of the background."""
    n, width = here.shape
    sets[:] = 0
    weight = np.empty(width)
    for i in range(n):
        p = where[i]
        if own[i]:
            counts[p] -= 1
            held[month[i]] -= 1
            total -= 1
        first = math.exp(level[month[i]]) * (counts[p] + prior / len(counts)) / (total + prior)
        x = first
        for k in range(width):
            x += rates[k] * here[i, k]
            weight[k] = x
        u = uniform(state) * x
        own[i] = u < first
        if own[i]:
            counts[p] += 1
            held[month[i]] += 1
            total += 1
        else:
            k = 0
            while k < width - 1 and weight[k] <= u:
                k += 1
            sets[k] += 1
    return total


@compiled
def posterior(
    here: Any, where: Any, month: Any, days: Any, fallen: Any, places: Any, step: Any, shape: Any, rate: Any, grid: Any, draws: Any,
    burn: Any, thin: Any, seed: Any,
) -> Any:  # fmt: skip
    """Draws of (rates (draws, scales x kernels), shares (draws, places), level of the last month (draws,), logged).

    here (n, scales x kernels): traces; month (n,) of each event, days (months,); fallen (scales x kernels,): events that would be set off by now if each set
    off one. shape, rate: of the gamma prior of each rate; grid: concentrations of the shares' prior. Draws in which an event sets off one or more are left.
    """
    n, width = here.shape
    state = np.zeros(1, np.uint64)
    _start(seed, 0, state)
    counts, held, sets, own = np.zeros(places), np.zeros(len(days)), np.zeros(width), np.zeros(n, np.bool_)
    rates, level, chance = np.full(width, 0.5 / width), np.full(len(days), math.log(0.5 * n / days.sum())), np.empty(len(grid))
    out, shares, last = np.empty((draws, width)), np.empty((draws, places)), np.empty(draws)
    prior, total, kept, sweep = grid[len(grid) // 2], 0, 0, 0
    while kept < draws:
        total = _set_off(here, where, month, rates, level, counts, held, sets, own, total, prior, state)
        most = 1.0
        while most >= 0.99:
            most = 0.0
            for k in range(width):
                rates[k] = gamma(shape + sets[k], state) / (rate + fallen[k])
                most += rates[k]
            if most >= 0.99 and sets.sum() >= 0.9 * n:  # a process that explodes has no windows to come
                for k in range(width):
                    rates[k] *= 0.98 / most
                most = 0.98
        _walked(level, held, days, step, state)
        if sweep % 10 == 0:
            prior = _concentrated(counts, total, grid, chance, state)
        sweep += 1
        if sweep > burn and sweep % thin == 0:
            out[kept], last[kept] = rates, level[-1]
            sum_ = 0.0
            for p in range(places):
                shares[kept, p] = gamma(counts[p] + prior / places, state) + 1e-300
                sum_ += shares[kept, p]
            shares[kept] /= sum_
            kept += 1
    return out, shares, last
