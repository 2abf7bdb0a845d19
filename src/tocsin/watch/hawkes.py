"""The self-exciting process of events at places that a history speaks for: draws of its posterior.

Hawkes 1971; Meyer, Elias & Hoehle 2012 (endemic and epidemic parts); Ross 2021 (its posterior by what set off what). At time t a place has so many
events a day: level(t) share + what earlier events set off near it. The level is a random walk from month to month, so drifts, seasons and sources that come
and go are followed; the shares of places do not change.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels import hawkes as kernel

#: Days after which what an event sets off has faded to 1/e: a mixture of these is fitted.
DELAYS = np.array([1.0, 4.0, 16.0, 64.0])
#: Reach of what it sets off, in typical distances between neighbouring places; and the place itself.
_REACH = (0.5, 1.0, 2.0)
#: Standard deviation of the level's logarithm from a month to the next.
STEP = 0.12
#: The same for the step into the window, where a source may start.
NOW = 0.22
#: And of the logarithm of how much an event sets off in the window, against the history.
RATES_NOW = 0.18
MONTH = 30.0  # days
#: Gamma prior of the events that one sets off by each scale and kernel: near none, or any number; weighs as much as 4 events.
_SHAPE, _RATE = 0.02, 4.0
_BURN, _SWEEPS = 500, 4000  # sweeps left out, and made at least

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Posterior(NamedTuple):
    """Draws of the process, and their means."""

    rates: Floats  # (scales, kernels): events that one sets off
    share: Floats  # (places,) of the background
    level: float  # logarithm of the background's events a day, in the last month
    wide: float  # its standard deviation for the month that follows
    rates_drawn: Floats  # (draws, scales, kernels)
    shares_drawn: Floats  # (draws, places)
    level_drawn: Floats  # (draws,)


def spread(apart: Floats) -> Floats:
    """(kernels, places, places): where what an event at a place sets off falls: there, or by Gaussian kernels of three reaches."""
    n = len(apart)
    typical = np.median(np.sort(apart, axis=1)[:, min(4, n - 1)]) if n > 1 else 1.0
    out = [np.eye(n)]
    for reach in _REACH:
        near = np.exp(-((apart / max(reach * typical, 1e-9)) ** 2) / 2)
        out.append(near / near.sum(axis=1, keepdims=True))
    return np.array(out)


def posterior(when: Floats, where: Ints, end: float, kernels: Floats, draws: int, seed: int) -> Posterior:
    """`draws` of the process that made the events before `end`; when (n,) in order, where (n,): places, kernels as of spread()."""
    width, places = len(kernels), kernels.shape[1]
    here = kernel.traces(when, where, DELAYS, kernels).reshape(len(when), -1)
    fallen = np.repeat([(1 - np.exp(-(end - when) / d)).sum() for d in DELAYS], width)
    months = max(1, int(np.ceil((end - when[0]) / MONTH)))
    month = months - 1 - np.minimum(((end - when) / MONTH).astype(np.int64), months - 1)
    days = np.full(months, MONTH)
    days[0] = max(end - when[0] - MONTH * (months - 1), 1.0)
    grid = np.exp(np.linspace(np.log(0.5), np.log(50.0 * places), 40))
    thin = max(2, -(-_SWEEPS // draws))
    r, shares, level = kernel.posterior(here, where, month, days, fallen, places, STEP, _SHAPE, _RATE, grid, draws, _BURN, thin, seed)
    r = r.reshape(draws, len(DELAYS), width)
    return Posterior(r.mean(axis=0), shares.mean(axis=0), float(level.mean()), float(np.sqrt(level.var() + NOW**2)), r, shares, level)
