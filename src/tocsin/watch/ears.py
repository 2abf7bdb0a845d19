"""ears(): is this count above what the few looks before it allow for? The C1, C2 and C3 charts of the Early Aberration Reporting System.

For series without years of history. Sources: Hutwagner, Thompson, Seeman & Treadwell 2003 (Journal of Urban Health 80:i89); Fricker, Hegler & Dunfee 2008
(Statistics in Medicine 27:3407); with the quantiles and the bound of Salmon, Schumacher & Höhle 2016 (Journal of Statistical Software 70(10)).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from tocsin.errors import OptionError

#: Each chart's usual level, the one of the Centers for Disease Control.
LEVELS = {"C1": 0.001, "C2": 0.001, "C3": 0.025, "C3-surveillance": 0.025}

_GAP = 2  # looks that C2 and C3 leave out between their baseline and the look judged
_SUMMED = 2  # earlier looks whose excess C3 adds


class Ears(NamedTuple):
    """What ears() found, one row a look judged."""

    look: NDArray[np.int64]  # from 0
    upper: NDArray[np.float64]  # the bound
    alarm: NDArray[np.bool_]  # the count exceeds it


def ears(counts: ArrayLike, *, method: str = "C1", baseline: int = 7, alpha: float | None = None, least: float = 0.0) -> Ears:
    """The upper bound of each look's count, and where the count exceeds it, from the first look on that has its baseline before it.

    counts (looks,): whole numbers, at equal distances; none may be missing. method: C1 takes the mean and the standard deviation of the `baseline` looks
    before; C2 leaves out the last two; C3 adds the excess of the two looks before. alpha: the chance of an alarm were counts normal (.001; .025 for C3).
    least: the standard deviation is no less than this; above 0 it keeps one event after quiet from being an alarm.

    The bound is mean + z sd. C3 sums max(0, (count - mean) / sd - 1) over three looks, each with C2's baseline; its bound is the greatest count whose sum does
    not exceed z, and 0 where the two earlier looks exceed it. Where sd is 0, a count above the mean is an infinite excess, and any other none.
    "C3-surveillance" is what `earsC` of the R package surveillance 1.20.3 answers: the bound lies around the count judged instead of the mean, so that count
    never matters; for comparisons alone.

    Raises `OptionError` for counts that are none, another method, a history that is too short, a baseline below 2, a level outside ]0, .5], least below 0.
    """
    y = whole_counts(counts)
    if method not in LEVELS:
        raise OptionError(f"method {method!r} is not known; it is one of {', '.join(LEVELS)}")
    alpha = LEVELS[method] if alpha is None else alpha
    if not 0 < alpha <= 0.5 or baseline < 2 or not 0 <= least < math.inf:
        raise OptionError(
            f"alpha {alpha}, baseline {baseline}, least {least}: give alpha in ]0, .5], two or more looks, and a deviation from 0"
        )
    first = baseline + {"C1": 0, "C2": _GAP}.get(method, _GAP + _SUMMED)
    if len(y) <= first:
        raise OptionError(
            f"{len(y)} looks are too few: {method} with a baseline of {baseline} needs {first + 1}; give more, or a shorter baseline"
        )
    z = -float(ndtri(alpha))
    mean, deviation = _before(y, baseline, 0 if method == "C1" else _GAP)
    deviation = np.maximum(deviation, least)
    judged = y[-len(mean) :]
    upper = {"C3": _summed, "C3-surveillance": _summed_r}.get(method, _plain)(judged, mean, deviation, z)
    return Ears(np.arange(first, len(y)), upper, y[first:] > upper)


def whole_counts(counts: ArrayLike) -> NDArray[np.float64]:
    """The counts as float. Raises `OptionError` where they are no row of whole numbers from 0."""
    y = np.asarray(counts)
    if y.ndim != 1 or y.dtype.kind not in "iuf":
        raise OptionError(f"counts {y.shape} of {y.dtype} is no row of numbers: give one count a look")
    bad = np.flatnonzero(~((y >= 0) & (y == np.floor(y)) & np.isfinite(y)))
    if len(bad):
        raise OptionError(
            f"counts holds {y[bad[0]]} at look {bad[0]}, which is no count: give whole numbers from 0, and 0 where nothing happened"
        )
    return y.astype(np.float64)


def _before(y: NDArray[np.float64], baseline: int, gap: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean and the standard deviation of the baseline, of each look that has one."""
    windows = np.lib.stride_tricks.sliding_window_view(y, baseline)[: len(y) - baseline - gap]
    return windows.mean(axis=1), windows.std(axis=1, ddof=1)


def _plain(_y: NDArray[np.float64], mean: NDArray[np.float64], deviation: NDArray[np.float64], z: float) -> NDArray[np.float64]:
    return mean + z * deviation


def _summed(y: NDArray[np.float64], mean: NDArray[np.float64], deviation: NDArray[np.float64], z: float) -> NDArray[np.float64]:
    """C3's bound, from its third look on: 0 where the two looks before are excess enough."""
    above = y - mean
    scaled = np.divide(above, deviation, out=np.where(above > 0, np.inf, 0.0), where=deviation > 0)
    excess = np.maximum(0, scaled - 1)
    earlier = excess[1:-1] + excess[:-2]
    enough = earlier > z
    return np.where(enough, 0.0, mean[_SUMMED:] + deviation[_SUMMED:] * (1 + z - np.where(enough, 0.0, earlier)))


def _summed_r(y: NDArray[np.float64], mean: NDArray[np.float64], deviation: NDArray[np.float64], z: float) -> NDArray[np.float64]:
    """C3's bound as R's surveillance answers: around the count itself, NaN where a deviation of 0 leaves it undefined."""
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = np.maximum(0, (y - mean) / deviation - 1)
        return np.maximum(0, y[_SUMMED:] + deviation[_SUMMED:] * (z - (excess[1:-1] + excess[:-2])))


__all__ = ["LEVELS", "Ears", "ears", "whole_counts"]
