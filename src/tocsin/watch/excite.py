"""excited(): are there more events here, of late, than events that excite each other would bring by themselves?

The null is a self-exciting process (Hawkes 1971; Meyer, Elias & Hoehle 2012; Mohler et al. 2011) of which only the places are modelled, given the times: an
event is either of the background, whose shares of places do not change, or set off by an earlier one, near it and not long after. What a circle holds of the
last days is compared with what the process would bring there when it goes on from the days before, and how often it brings as much: bursts are in the odds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from tocsin.errors import OptionError
from tocsin.kernels import excite as kernel

#: Days after which what an event sets off has faded to 1/e: a mixture of these is fitted.
DELAYS = np.array([1.0, 4.0, 16.0, 64.0])
#: Reach of what it sets off, in typical distances between neighbouring places; and the place itself.
_REACH = (0.5, 1.0, 2.0)
_SMOOTH_DAYS = 45.0  # of the rate of all events
_PRIOR = 2.0  # standard deviation of the logarithms of the parameters


class Null(NamedTuple):
    """The fitted process, and draws of what it may be instead."""

    share: NDArray[np.float64]  # (places,) of the background
    rates: NDArray[np.float64]  # (delays, kernels) events set off for each of the background
    shares: NDArray[np.float64]  # (draws, places)
    rates_drawn: NDArray[np.float64]  # (draws, delays, kernels)


class Excited(NamedTuple):
    """The likeliest cluster of the last days under a self-exciting null."""

    statistic: float
    p_value: float
    places: NDArray[np.int64]  # from the centre outward
    days: int
    observed: int
    expected: float
    branching: float  # of all events, the share set off by others (fitted)
    maxima: NDArray[np.float64]


def spread(apart: NDArray[np.float64]) -> NDArray[np.float64]:
    """(kernels, places, places): where what an event at a place sets off falls: there, or by Gaussian kernels of three reaches."""
    n = len(apart)
    typical = np.median(np.sort(apart, axis=1)[:, min(4, n - 1)]) if n > 1 else 1.0
    out = [np.eye(n)]
    for reach in _REACH:
        near = np.exp(-((apart / max(reach * typical, 1e-9)) ** 2) / 2)
        out.append(near / near.sum(axis=1, keepdims=True))
    return np.array(out)


def background(when: NDArray[np.float64], begin: float, end: float) -> NDArray[np.float64]:
    """The rate of all events about each, a day, smoothed, the ends corrected for what lies outside."""
    from scipy.special import ndtr

    z = (when[:, None] - when[None, :]) / _SMOOTH_DAYS
    inside = ndtr((end - when) / _SMOOTH_DAYS) - ndtr((begin - when) / _SMOOTH_DAYS)
    return np.asarray(np.exp(-(z**2) / 2).sum(axis=1) / (_SMOOTH_DAYS * np.sqrt(2 * np.pi)) / inside)


def _rates(theta: NDArray[np.float64], kernels: int) -> NDArray[np.float64]:
    """Parameters are logarithms: how much is set off, then the weights of the delays and of the kernels against the first."""
    times = np.exp(np.concatenate([[0.0], theta[1 : len(DELAYS)]]))
    room = np.exp(np.concatenate([[0.0], theta[len(DELAYS) :]]))
    return np.asarray(np.exp(theta[0]) * np.outer(times / times.sum(), room / room.sum()))


def fit(
    when: NDArray[np.float64], where: NDArray[np.int64], rate: NDArray[np.float64], kernels: NDArray[np.float64], draws: int, seed: int
) -> Null:
    """The likeliest process of events before the days that are judged, by the chances of their places given their times.

    The background's shares are counts of events by how likely they are of the background (the event itself left out), with a Dirichlet prior. A draw is of
    the normal approximation of the other parameters' posterior, then of which events are of the background (Zhuang, Ogata & Vere-Jones 2002), then of the
    shares given these.
    """
    places, width = kernels.shape[1], len(kernels)
    here, everywhere = kernel.traces(when, where, DELAYS, kernels)
    own = np.full(len(when), 0.5)  # chance to be of the background
    theta = np.concatenate([[-1.0], np.zeros(len(DELAYS) - 1 + width - 1)])
    prior = 1.0
    for _ in range(4):
        counts = np.bincount(where, own, places).astype(np.float64)
        prior = _concentration(counts)
        share_here = (counts[where] - own + prior / places) / (counts.sum() - own + prior)

        def loss(theta: NDArray[np.float64], share_here: NDArray[np.float64] = share_here) -> float:
            r = _rates(theta, width)
            top = rate * share_here + (here * r).sum(axis=(1, 2))
            return float(-np.log(top / (rate + everywhere @ r.sum(axis=1))).sum() + ((theta / _PRIOR) ** 2).sum() / 2)

        theta = minimize(loss, theta, method="L-BFGS-B", bounds=[(-8.0, 4.0)] + [(-6.0, 6.0)] * (len(theta) - 1)).x
        r = _rates(theta, width)
        top = rate * share_here
        own = top / (top + (here * r).sum(axis=(1, 2)))
    counts = np.bincount(where, own, places).astype(np.float64)
    chance = np.random.default_rng(seed)
    root = np.linalg.cholesky(np.linalg.inv(_curvature(loss, theta)))
    drawn = np.clip(theta + chance.standard_normal((draws, len(theta))) @ root.T, -8.0, 6.0)
    rates_drawn = np.array([_rates(t, width) for t in drawn]).reshape(draws, len(DELAYS), width)
    shares = np.empty((draws, places))
    for d, r in enumerate(rates_drawn):
        of_background = chance.random(len(when)) < top / (top + (here * r).sum(axis=(1, 2)))
        shares[d] = chance.dirichlet(np.bincount(where[of_background], minlength=places) + prior / places)
    return Null((counts + prior / places) / (counts.sum() + prior), _rates(theta, width), shares, rates_drawn)


def _concentration(counts: NDArray[np.float64]) -> float:
    """The concentration of a symmetric Dirichlet prior that makes the counts likeliest."""
    from scipy.special import gammaln

    n, total = len(counts), counts.sum()
    grid = np.exp(np.linspace(np.log(0.5), np.log(50.0 * n), 40))
    value = [gammaln(a) - gammaln(a + total) + (gammaln(counts + a / n) - gammaln(a / n)).sum() for a in grid]
    return float(grid[int(np.argmax(value))])


def _curvature(loss: object, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix of second differences, made positive."""
    n, h = len(at), 0.05
    out = np.empty((n, n))
    for i in range(n):
        for j in range(i, n):
            a, b = np.eye(n)[i] * h, np.eye(n)[j] * h
            out[i, j] = out[j, i] = (loss(at + a + b) - loss(at + a - b) - loss(at - a + b) + loss(at - a - b)) / (4 * h * h)  # type: ignore[operator]
    value, vector = np.linalg.eigh(out)
    return np.asarray(vector * np.maximum(value, 1 / _PRIOR**2) @ vector.T)


def excited(
    when: NDArray[np.float64],
    where: NDArray[np.int64],
    apart: NDArray[np.float64],
    *,
    end: float,
    most: int = 60,
    least: int = 1,
    fewest: int = 2,
    share: float = 0.5,
    replications: int = 199,
    seed: int = 0,
) -> Excited:
    """The likeliest cluster of the last `most` days before `end`, and how often a self-exciting process alone does as much.

    when (n,): days; where (n,): numbers of places; apart (places, places): distances. Circles grow to `share` of the places' events.
    p_value: (1 + simulations whose greatest statistic is no less) / (1 + replications); the parameters' uncertainty is in the simulations.

    Raises `OptionError` where events are later than `end`, or too few lie before the last days to fit anything.
    """
    if len(when) and when.max() >= end:
        raise OptionError(f"an event at day {when.max():g} is not before the end, {end:g}: give what was known by then")
    order = np.argsort(when, kind="stable")
    when, where = np.asarray(when, np.float64)[order], np.asarray(where, np.int64)[order]
    begin = int(np.searchsorted(when, end - most))
    if begin < 20:
        raise OptionError(
            f"{begin} events before the last {most} days: at least 20 are needed to fit what is usual; shorten the days or add history"
        )
    kernels = spread(apart)
    rate = background(when, float(when[0]), end)
    null = fit(when[:begin], where[:begin], rate[:begin], kernels, replications, seed)
    near_starts, near = _circles(apart, null.share, share)
    day = np.minimum((end - when).astype(np.int64), most)
    day[begin:] = np.minimum(day[begin:], most - 1)
    made, total = kernel.simulated(
        seed, 0, replications, when, where, begin, day, most, rate, null.shares, null.rates_drawn, DELAYS, kernels
    )
    expected = total / replications
    cases = np.zeros((len(apart), most), np.int64)
    np.add.at(cases, (where[begin:], day[begin:]), 1)
    found = np.zeros(3, np.int64)
    statistic = kernel.greatest(cases, expected, near_starts, near, least, fewest, found)
    maxima = kernel.each_greatest(made, expected, near_starts, near, least, fewest)
    centre, count, days = found
    inside = near[near_starts[centre] : near_starts[centre] + count]
    return Excited(
        float(statistic),
        (1 + int((maxima >= statistic - 1e-9).sum())) / (1 + replications),
        inside.astype(np.int64),
        int(days),
        int(cases[inside, :days].sum()),
        float(expected[inside, :days].sum()),
        float(null.rates.sum() / (1 + null.rates.sum())),
        maxima,
    )


def _circles(apart: NDArray[np.float64], size: NDArray[np.float64], share: float) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    starts, near = [0], []
    for row in apart:
        order = np.argsort(row, kind="stable")
        count = max(1, int(np.searchsorted(np.cumsum(size[order]), share, side="right")))
        near.append(order[:count].astype(np.int32))
        starts.append(starts[-1] + count)
    return np.array(starts, np.int64), np.concatenate(near)
