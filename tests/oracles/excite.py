"""Events that excite each other, slow and plain: double sums over all earlier events, and windows made event by event (Ogata 1981)."""

from __future__ import annotations

import math
from random import Random

Rows = list[list[float]]


def excitation(
    when: list[float], where: list[int], before: int, t: float, place: int, rates: Rows, delays: list[float], spread: list[Rows]
) -> float:
    """Events a day at a place and time that the first `before` events set off."""
    x = 0.0
    for j in range(before):
        for k, delay in enumerate(delays):
            for s, kernel in enumerate(spread):
                x += rates[k][s] * math.exp(-(t - when[j]) / delay) / delay * kernel[where[j]][place]
    return x


def window(
    when: list[float], where: list[int], days: float, level: float, share: list[float], rates: Rows, delays: list[float],
    spread: list[Rows], chance: Random,
) -> list[tuple[float, int]]:  # fmt: skip
    """Events of the days from 0 on, by thinning; `when` of those before is below 0."""
    when, where, first, t = list(when), list(where), len(when), 0.0
    places = range(len(share))

    def each(t: float) -> list[float]:
        return [level * share[p] + excitation(when, where, len(when), t, p, rates, delays, spread) for p in places]

    while True:
        most = sum(each(t))  # it only falls until the next event
        t += chance.expovariate(most)
        if t >= days:
            return list(zip(when[first:], where[first:], strict=True))
        now = each(t)
        if chance.random() * most < sum(now):
            when.append(t)
            where.append(chance.choices(places, now)[0])


def greatest(
    when: list[float], where: list[int], base: list[float], days: float, order: list[list[int]], spans: list[float], extra: list[float]
) -> float:
    """The greatest log likelihood ratio of a further source, over all circles, spans and strengths; order: the places of each circle, from its centre."""
    best = 0.0
    for near in order:
        for size in range(1, len(near) + 1):
            for span in spans:
                for more in extra:
                    inside = [b for t, p, b in zip(when, where, base, strict=True) if p in near[:size] and days - t <= span]
                    best = max(best, sum(math.log(1 + more / b) for b in inside) - more * size * span)
    return best


def mean_set_off(here: list[float], days: float, fallen: float, shape: float, rate: float) -> float:
    """The posterior mean of what an event sets off, at one place and by one scale, on a fine grid; the logarithm of the background's level is flat."""
    top, mean = 0.0, 0.0
    for x in (k * 0.05 - 7.0 for k in range(200)):
        for r in (k * 0.01 + 0.005 for k in range(98)):
            value = sum(math.log(math.exp(x) + r * h) for h in here) - math.exp(x) * days - r * fallen
            weight = math.exp(value + (shape - 1) * math.log(r) - rate * r + 0.0)
            top, mean = top + weight, mean + weight * r
    return mean / top
