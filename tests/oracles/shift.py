"""Changes in composition, slow and plain: one look after another, one alternative after another."""

from __future__ import annotations

import math

Counts = list[list[int]]  # of each look, its categories


def categorical_cusum(counts: Counts, before: list[float], after: list[float], limit: float) -> tuple[list[float], list[int]]:
    """The statistic of each look, and the looks that exceed the limit, after each of which it starts again at 0."""
    s, statistic, alarms = 0.0, [], []
    for look, row in enumerate(counts):
        s = max(0.0, s + sum(y * math.log(b / a) for y, a, b in zip(row, before, after, strict=True) if y))
        statistic.append(s)
        if s > limit:
            alarms.append(look)
            s = 0.0
    return statistic, alarms


def fit(history: Counts) -> tuple[list[float], float]:
    """The mix of the looks, and the concentration of the Dirichlet that a further look's shares are drawn from."""
    k = len(history[0])
    total = sum(map(sum, history))
    share = [(sum(row[i] for row in history) + 0.5) / (total + 0.5 * k) for i in range(k)]
    looks = [row for row in history if sum(row)]
    rho = 0.002
    if len(looks) > 1 and total > len(looks):
        apart = sum((row[i] - sum(row) * share[i]) ** 2 / sum(row) for row in looks for i in range(k))
        chance = 1 - sum(m * m for m in share)
        rho = (apart / chance * len(looks) / (len(looks) - 1) - len(looks)) / (total - len(looks))
        rho = min(max(rho, 0.002), 0.5)
    effect = 1 + max(0.0, total / max(len(looks), 1) - 1) * rho
    known = total / effect + 0.5 * k
    return share, 1 / min(rho + 1 / (known + 1), 0.75) - 1


def likelihood(row: list[int], alpha: list[float]) -> float:
    """The log probability of a row, its total given, were its shares drawn from a Dirichlet; but for the multinomial coefficient."""
    n, a = sum(row), sum(alpha)
    return math.lgamma(a) - math.lgamma(a + n) + sum(math.lgamma(y + v) - math.lgamma(v) for y, v in zip(row, alpha, strict=True))


def greatest(counts: Counts, baseline: int, factors: list[float]) -> tuple[float, int, int, int, int]:
    """(statistic, category, factor, look of the peak, look of the change): the alternative whose CUSUM rises highest; (0, -1, ...) where none does."""
    share, a = fit(counts[:baseline])
    best = (0.0, -1, -1, -1, -1)
    for j in range(len(share)):
        if not any(row[j] for row in counts):
            continue
        for g, factor in enumerate(factors):
            moved = [m * (factor if i == j else 1) for i, m in enumerate(share)]
            before, after = [a * m for m in share], [a * m / sum(moved) for m in moved]
            s, start = 0.0, baseline
            for t in range(baseline, len(counts)):
                s += likelihood(counts[t], after) - likelihood(counts[t], before)
                if s <= 0:
                    s, start = 0.0, t + 1
                if s > best[0] + 1e-9:
                    best = (s, j, g, t, start)
    return best


def agreement(codes: list[int], lag: int) -> float:
    """How much oftener than two at random events so far apart are of one category; 1 where always."""
    n = len(codes)
    chance = sum(a == b for i, a in enumerate(codes) for j, b in enumerate(codes) if i != j) / (n * (n - 1))
    alike = sum(a == b for a, b in zip(codes, codes[lag:], strict=False)) / (n - lag)
    return (alike - chance) / (1 - chance) if chance < 1 else 0.0
