"""Farrington, slow and plain: the weeks listed one by one, and a regression by Newton's steps on the likelihood, in lists."""

from __future__ import annotations

import math

Rows = list[list[float]]


def history(references: list[int], half: int, seasons: int, skipped: int) -> list[tuple[int, int]]:
    """(week, season) of the weeks to compare with; references are the same week in each year, the one judged last."""
    found = []
    for week in range(references[0] - half, references[-1] - skipped):
        centre = max(r for r in references if week >= r - half)
        if week <= centre + half:
            found.append((week, 0))
        elif seasons > 1:
            between = references[references.index(centre) + 1] - centre - 2 * half - 1
            short, longer = divmod(between, seasons - 1)
            place, season = week - centre - half - 1, 1
            while place >= short + (season <= longer):
                place -= short + (season <= longer)
                season += 1
            found.append((week, season))
    return found


def solve(matrix: Rows, right: list[float]) -> list[float]:
    """The solution of linear equations, by Gauss and Jordan."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for i in range(len(rows)):
        best = max(range(i, len(rows)), key=lambda k: abs(rows[k][i]))
        rows[i], rows[best] = rows[best], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for k in range(len(rows)):
            if k != i:
                rows[k] = [a - rows[k][i] * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[-1] for row in rows]


def fit(y: list[int], design: Rows, weight: list[float]) -> tuple[list[float], list[float], list[float], float]:
    """Coefficients, means, leverages and dispersion of a quasi-Poisson regression."""
    columns = range(len(design[0]))
    start = math.log(sum(y) / len(y) + 0.1)
    beta = [start if all(row[j] in (0, 1) for row in design) else 0.0 for j in columns]
    for _ in range(60):
        mu = [math.exp(sum(b * x for b, x in zip(beta, row, strict=True))) for row in design]
        gradient = [sum(w * (a - m) * row[j] for w, a, m, row in zip(weight, y, mu, design, strict=True)) for j in columns]
        curve = [[sum(w * m * row[j] * row[k] for w, m, row in zip(weight, mu, design, strict=True)) for k in columns] for j in columns]
        step = solve(curve, gradient)
        large = max(1.0, *(abs(s) for s in step))
        beta = [b + s / large for b, s in zip(beta, step, strict=True)]
    leverage = [
        w * m * sum(a * b for a, b in zip(row, solve(curve, row), strict=True)) for w, m, row in zip(weight, mu, design, strict=True)
    ]
    left = len(y) - len(beta)
    return beta, mu, leverage, max(1.0, sum(w * (a - m) ** 2 / m for w, a, m in zip(weight, y, mu, strict=True)) / left)


def judged(y: list[int], references: list[int], half: int, seasons: int, skipped: int, extreme: float) -> tuple[float, float, float]:
    """The expected count of the last reference, the dispersion, the trend, were the trend kept."""
    weeks = history(references, half, seasons, skipped)
    levels = sorted({season for _, season in weeks})
    design = [[*(float(season == level) for level in levels), float(week - weeks[0][0])] for week, season in weeks]
    past = [y[week] for week, _ in weeks]
    _, mu, leverage, dispersion = fit(past, design, [1.0] * len(past))
    weight = []
    for a, m, h in zip(past, mu, leverage, strict=True):
        residual = 1.5 * (a ** (2 / 3) - m ** (2 / 3)) / m ** (1 / 6) / math.sqrt(dispersion * (1 - h))
        weight.append(residual**-2 if residual > extreme else 1.0)
    beta, _, _, dispersion = fit(past, design, [w * len(past) / sum(weight) for w in weight])
    return math.exp(beta[0] + beta[-1] * (references[-1] - weeks[0][0])), dispersion, beta[-1]


def quantile(mean: float, dispersion: float, alpha: float) -> int:
    """The least count that is exceeded with a chance of at most alpha, by adding up the negative binomial (or Poisson)."""
    chance = math.exp(-mean) if dispersion <= 1 else dispersion ** (-mean / (dispersion - 1))
    below, count = chance, 0
    while below < 1 - alpha:
        if dispersion <= 1:
            chance *= mean / (count + 1)
        else:
            chance *= (count + mean / (dispersion - 1)) / (count + 1) * (1 - 1 / dispersion)
        count += 1
        below += chance
    return count
