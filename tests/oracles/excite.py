"""Chances of the places of events that excite each other, slow and plain: a double sum over all earlier events."""

from __future__ import annotations

import math

Rows = list[list[float]]


def chances(
    when: list[float],
    where: list[int],
    i: int,
    background: list[float],
    share: list[float],
    rates: Rows,
    delays: list[float],
    spread: list[Rows],
) -> list[float]:
    """Of each place, to be that of event i, given the events before it."""
    out = []
    for p in range(len(share)):
        x = background[i] * share[p]
        for j in range(i):
            for k, delay in enumerate(delays):
                for s, kernel in enumerate(spread):
                    x += rates[k][s] * math.exp(-(when[i] - when[j]) / delay) / delay * kernel[where[j]][p]
        out.append(x)
    return [x / sum(out) for x in out]


def greatest(cases: list[list[int]], expected: Rows, order: list[list[int]], *, least: int = 1, fewest: int = 2) -> float:
    """The greatest log likelihood ratio over circles and over the last 1, 2, ... days (counted back from the last), inside against outside."""
    best = 0.0
    for near in order:
        for size in range(1, len(near) + 1):
            for days in range(least, len(cases[0]) + 1):
                o = sum(sum(cases[p][:days]) for p in near[:size])
                e = sum(sum(expected[p][:days]) for p in near[:size])
                total = sum(sum(row[:days]) for row in cases)
                if o > e and o >= fewest:
                    value = o * math.log(o / e) + ((total - o) * math.log((total - o) / (total - e)) if o < total else 0.0)
                    best = max(best, value)
    return best
