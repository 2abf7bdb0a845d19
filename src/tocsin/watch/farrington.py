"""farrington(): is this week's count above what the same season of earlier years, and their trend, allow for?

Farrington, Andrews, Beale & Catchpole 1996 (Journal of the Royal Statistical Society A 159:547) as improved by Noufaily, Enki, Farrington, Garthwaite,
Andrews & Charlett 2013 (Statistics in Medicine 32:1206): weeks of all seasons, gentler reweighting, a negative binomial quantile as the bound. Answers are
those of `farringtonFlexible(thresholdMethod = "nbPlugin")` of the R package surveillance (Salmon, Schumacher & Höhle 2016, Journal of Statistical
Software 70(10)).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr
from scipy.stats import nbinom, poisson

from tocsin.errors import OptionError
from tocsin.watch.ears import whole_counts

_YEAR = 52  # looks, where no date is given
_TOLERANCE, _STEPS = 1e-10, 50  # when a fit has converged: the relative change of the deviance
_FARTHEST = 30.0  # of a logged mean from 0: a season without any case has a mean of almost 0
_FEWEST_YEARS = 3  # with fewer a trend is not fitted

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


class Farrington(NamedTuple):
    """What farrington() found, one row a look judged."""

    look: Whole  # from 0
    upper: Floats  # the bound; NaN where the last looks hold too few cases to judge
    alarm: NDArray[np.bool_]  # the count exceeds it
    expected: Floats
    dispersion: Floats  # variance over mean, no less than 1
    trend: Floats  # logged growth a look; NaN where none is kept


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What farrington() compares a week with; the defaults are Noufaily et al.'s, but for years and alpha.

    The settings of `farringtonFlexible` have other names: b, w, noPeriods, pastWeeksNotIncluded, weightsThreshold, pThresholdTrend, limit54.
    """

    years: int = 5  # of history
    half: int = 3  # weeks to each side of the same week in an earlier year that are of its season
    seasons: int = 10  # levels of the season; with 1 only the weeks of the same season are compared
    skipped: int = 26  # weeks before the one judged that are left out, so that an outbreak does not hide itself
    alpha: float = 0.05  # the chance of an alarm, one-sided
    trend: bool = True
    trend_level: float = 1.0  # a trend is kept where its p-value is below this
    reweight: bool = True
    extreme: float = 2.58  # residuals above this lose weight
    fewest: int = 5  # cases in the last `recent` weeks, the one judged included, below which there is no bound
    recent: int = 4


class _Fit(NamedTuple):
    coefficients: Floats
    mean: Floats
    leverage: Floats
    covariance: Floats  # of the coefficients, were the dispersion 1
    dispersion: float


def farrington(
    counts: ArrayLike, *, first_day: date | None = None, looks: ArrayLike | None = None, rules: Rules | None = None
) -> Farrington:
    """The upper bound of each week's count, and where the count exceeds it.

    counts (weeks,): whole numbers, one a week, none missing. first_day: the day that the first week begins, so that years are the calendar's; without it a
    year is 52 weeks. looks: the weeks to judge, from 0; by default all that have their history.

    A quasi-Poisson regression with log link on a season and a trend is fitted to the weeks of earlier years, weights w of 1; weeks whose Anscombe residual s
    exceeds `extreme` then get weights in proportion to s^-2, and it is fitted once more. The trend is left out where it is not significant, or where it takes
    the expected count above all that were seen. The bound is the 1 - alpha quantile of a negative binomial of the expected mean and the dispersion.

    Raises `OptionError` for counts that are none, a history that is too short, rules that make no sense.
    """
    y, rules = whole_counts(counts), rules or Rules()
    _check(rules)
    judged = _judged(len(y), first_day, looks, rules)
    rows = [_judge(y, int(t), _references(int(t), first_day, rules.years), rules) for t in judged]
    upper, expected, dispersion, slope = np.array(rows, np.float64).reshape(-1, 4).T
    enough = np.array([y[max(0, t - rules.recent + 1) : t + 1].sum() >= rules.fewest for t in judged], bool)
    upper = np.where(enough, upper, np.nan)
    return Farrington(judged, upper, y[judged] > upper, expected, dispersion, slope)


def _check(rules: Rules) -> None:
    whole = rules.years >= 1 and rules.half >= 0 and rules.seasons >= 1 and rules.skipped >= 0 and rules.recent >= 1
    if not whole or not 0 < rules.alpha < 1 or not rules.extreme > 0:
        raise OptionError(
            f"{rules} make no sense: give at least one year, season and recent week, an alpha between 0 and 1, extreme above 0"
        )
    if rules.seasons - 1 > _YEAR - 2 * rules.half - 1:
        raise OptionError(f"{rules.seasons} seasons do not fit in a year beside one of {2 * rules.half + 1} weeks; give fewer")
    if rules.skipped >= _YEAR - rules.half:
        raise OptionError(f"{rules.skipped} skipped weeks leave out the same season of last year; give fewer than {_YEAR - rules.half}")


def _judged(n: int, first_day: date | None, looks: ArrayLike | None, rules: Rules) -> Whole:
    """The looks asked for, or all that have their history."""
    have = [t for t in range(n) if _references(t, first_day, rules.years)[0] >= rules.half]
    if not have:
        need = rules.years * 53 + rules.half + 1
        raise OptionError(
            f"{n} weeks are too few for {rules.years} years of history: give about {need}, or fewer years (rules=Rules(years=...))"
        )
    if looks is None:
        return np.array(have, np.int64)
    asked = np.atleast_1d(np.asarray(looks, np.int64))
    if len(asked) and (asked.min() < have[0] or asked.max() >= n):
        raise OptionError(
            f"looks {asked.min()} to {asked.max()}: only {have[0]} to {n - 1} have {rules.years} years before them; give those, or fewer years"
        )
    return asked


def _references(t: int, first_day: date | None, years: int) -> list[int]:
    """The same week in earlier years, the earliest first, then the week itself; below 0 where it is before the series."""
    if first_day is None:
        return [t - _YEAR * back for back in range(years, -1, -1)]
    day = first_day + timedelta(weeks=t)
    return [round((_years_before(day, back) - first_day).days / 7) for back in range(years, -1, -1)]


def _years_before(day: date, back: int) -> date:
    """The same day of an earlier year; the first of March where there is no 29 February."""
    try:
        return day.replace(year=day.year - back)
    except ValueError:
        return date(day.year - back, 3, 1)


def _history(t: int, references: list[int], rules: Rules) -> tuple[Whole, Whole]:
    """The weeks to compare with, and the season of each.

    The season 0 is that of the week judged: the weeks around it in each year. What lies between two of those is cut into the other seasons, as equal as can
    be, the longer ones first.
    """
    weeks, seasons = [], []
    for at, following in zip(references, [*references[1:], None], strict=True):
        here = np.arange(at - rules.half, at + rules.half + 1)
        weeks.append(here)
        seasons.append(np.zeros(len(here), np.int64))
        if following is not None and rules.seasons > 1:
            between = np.arange(at + rules.half + 1, following - rules.half)
            parts = np.array_split(between, rules.seasons - 1)
            weeks.append(between)
            seasons.append(np.repeat(np.arange(1, rules.seasons), [len(part) for part in parts]))
    week, season = np.concatenate(weeks), np.concatenate(seasons)
    keep = week < t - rules.skipped
    return week[keep], season[keep]


def _judge(y: Floats, t: int, references: list[int], rules: Rules) -> tuple[float, float, float, float]:
    """The bound, the expected count, the dispersion, the trend."""
    week, season = _history(t, references, rules)
    past, since = y[week], (week - week[0]).astype(np.float64)
    levels = (season[:, None] == np.unique(season)).astype(np.float64)
    if len(week) <= levels.shape[1] + 1:
        raise OptionError(
            f"{len(week)} weeks of history are too few for {levels.shape[1]} seasons and a trend; give fewer seasons or more years"
        )
    if rules.trend and rules.years >= _FEWEST_YEARS:
        fit = _reweighted(past, np.column_stack([levels, since]), rules)
        slope = float(fit.coefficients[-1])
        expected = float(_mean(fit.coefficients[0] + slope * (t - week[0])))
        if _p_value(fit) < rules.trend_level and expected <= past.max():
            return _quantile(expected, fit.dispersion, rules.alpha), expected, fit.dispersion, slope
    fit = _reweighted(past, levels, rules)
    expected = float(_mean(fit.coefficients[0]))
    return _quantile(expected, fit.dispersion, rules.alpha), expected, fit.dispersion, np.nan


def _reweighted(y: Floats, design: Floats, rules: Rules) -> _Fit:
    """The fit after extreme weeks have lost weight."""
    fit = _fit(y, design, np.ones(len(y)))
    if not rules.reweight:
        return fit
    spread = np.sqrt(fit.dispersion * np.maximum(1 - fit.leverage, 1e-9))
    residual = 1.5 * (y ** (2 / 3) - fit.mean ** (2 / 3)) / (fit.mean ** (1 / 6) * spread)
    weight = np.where(residual > rules.extreme, np.maximum(residual, rules.extreme) ** -2.0, 1.0)
    return _fit(y, design, weight * len(y) / weight.sum())


def _fit(y: Floats, design: Floats, weight: Floats) -> _Fit:
    """Quasi-Poisson regression with log link by iteratively reweighted least squares."""
    mean, deviance = y + 0.1, np.inf
    for _ in range(_STEPS):
        root = np.sqrt(weight * mean)
        q, r = np.linalg.qr(root[:, None] * design)
        coefficients = np.linalg.solve(r, q.T @ (root * (np.log(mean) + (y - mean) / mean)))
        mean = _mean(design @ coefficients)
        before, deviance = deviance, _deviance(y, mean, weight)
        if abs(deviance - before) < _TOLERANCE * (abs(deviance) + 0.1):
            break
    inverse = np.linalg.inv(r)
    dispersion = float((weight * (y - mean) ** 2 / mean).sum() / (len(y) - design.shape[1]))
    return _Fit(coefficients, mean, (q**2).sum(axis=1), inverse @ inverse.T, max(dispersion, 1.0))


def _mean(logged: ArrayLike) -> Floats:
    return np.exp(np.clip(np.asarray(logged, np.float64), -_FARTHEST, _FARTHEST))


def _deviance(y: Floats, mean: Floats, weight: Floats) -> float:
    ratio = np.where(y > 0, y, mean) / mean
    return float(2 * (weight * (y * np.log(ratio) - (y - mean))).sum())


def _p_value(fit: _Fit) -> float:
    """Of no trend, the trend being the last coefficient."""
    error = np.sqrt(fit.covariance[-1, -1] * fit.dispersion)
    return float(2 * stdtr(len(fit.mean) - len(fit.coefficients), -abs(fit.coefficients[-1]) / error))


def _quantile(mean: float, dispersion: float, alpha: float) -> float:
    if dispersion > 1:
        return float(nbinom.ppf(1 - alpha, mean / (dispersion - 1), 1 / dispersion))
    return float(poisson.ppf(1 - alpha, mean))


__all__ = ["Farrington", "Rules", "farrington"]
