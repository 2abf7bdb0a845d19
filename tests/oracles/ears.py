"""EARS, slow and plain: one look after another, each chart's statistic as it is defined."""

from __future__ import annotations

import math
from statistics import NormalDist, mean, stdev


def scaled(counts: list[int], look: int, baseline: int, gap: int, least: float) -> float:
    """How many standard deviations a count lies above the baseline's mean; where there is no deviation, 0 or infinity."""
    before = counts[look - gap - baseline : look - gap]
    above, deviation = counts[look] - mean(before), max(stdev(before), least)
    return above / deviation if deviation > 0 else math.inf if above > 0 else 0.0


def alarms(counts: list[int], method: str, baseline: int, alpha: float, least: float) -> list[int]:
    """The looks that raise an alarm."""
    limit = NormalDist().inv_cdf(1 - alpha)
    found = []
    for look in range(baseline + {"C1": 0, "C2": 2, "C3": 4}[method], len(counts)):
        if method == "C3":
            statistic = sum(max(0.0, scaled(counts, i, baseline, 2, least) - 1) for i in (look, look - 1, look - 2))
        else:
            statistic = scaled(counts, look, baseline, 0 if method == "C1" else 2, least)
        if statistic > limit and counts[look] > 0:
            found.append(look)
    return found
