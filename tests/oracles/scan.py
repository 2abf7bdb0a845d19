"""A scan statistic, slow and plain: every circle round every place, every stretch of time, one after another."""

from __future__ import annotations

import math

Cells = list[list[float]]  # of each place, its intervals


def ratio(observed: float, expected: float, total: float) -> float:
    """Kulldorff's log likelihood ratio; 0 where there are no more cases than expected."""
    if observed <= expected:
        return 0.0
    inside = observed * math.log(observed / expected)
    outside = (total - observed) * math.log((total - observed) / (total - expected)) if observed < total else 0.0
    return inside + outside


def best(
    cases: Cells, expected: Cells, order: list[list[int]], *, most: int, least: int = 1, last_only: bool = False, fewest: int = 2
) -> list[tuple[float, int, int, int]]:
    """(ratio, places, first, last) of the likeliest cluster of each place; order: of each place the places that its circle reaches, in turn."""
    total = sum(map(sum, cases))
    times = len(cases[0])
    out = []
    for near in order:
        found = (0.0, 0, 0, 0)
        for size in range(1, len(near) + 1):
            for first in range(times):
                for last in range(first, min(times, first + most)):
                    if last - first + 1 < least or (last_only and last != times - 1):
                        continue
                    o = sum(cases[p][t] for p in near[:size] for t in range(first, last + 1))
                    e = sum(expected[p][t] for p in near[:size] for t in range(first, last + 1))
                    value = ratio(o, e, total) if o >= fewest else 0.0
                    if value > found[0] * (1 + 1e-12):
                        found = (value, size, first, last)
        out.append(found)
    return out
