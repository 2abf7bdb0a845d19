"""scan(): where and when were there more cases than expected, and how often would chance do as much?

Kulldorff 1997 (circles, Poisson and Bernoulli), 2001 (prospective), Kulldorff, Heffernan, Hartman, Assuncao & Mostashari 2005 (space-time permutation).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.engine import mapped
from tocsin.errors import OptionError
from tocsin.kernels import scan as kernel
from tocsin.watch.study import MODELS, Study

#: Kilometres: the sphere that SaTScan measures on.
EARTH_KM = 6367.0
_BLOCK = 32  # simulations made in one go
_SAME = 1e-9  # statistics that differ by less are the same

Progress = Callable[[int, int], None]  # simulations done, in all


class Scan(NamedTuple):
    """What scan() found."""

    #: cluster (1 is the likeliest), centre, places, x, y, radius, start, end, observed, expected, statistic, p_value, p_gumbel, recurrence_days
    clusters: pl.DataFrame
    maxima: NDArray[np.float64]  # the greatest statistic of each simulation


_SCHEMA = pl.Schema(
    [
        ("cluster", pl.Int64()),
        ("centre", pl.String()),
        ("places", pl.List(pl.String)),
        ("x", pl.Float64()),
        ("y", pl.Float64()),
        ("radius", pl.Float64()),
        ("start", pl.Date()),
        ("end", pl.Date()),
        ("observed", pl.Int64()),
        ("expected", pl.Float64()),
        ("statistic", pl.Float64()),
        ("p_value", pl.Float64()),
        ("p_gumbel", pl.Float64()),
        ("recurrence_days", pl.Float64()),
    ]
)


def scan(
    study: Study,
    *,
    replications: int = 999,
    seed: int = 0,
    early_stop: int | None = None,
    gumbel: bool = False,
    engine: str = "here",
    progress: Progress | None = None,
) -> Scan:
    """The clusters of a study, the likeliest first, each with how often chance does as much.

    p_value: (1 + simulations whose greatest statistic is no less) / (1 + replications); only clusters below 1 are given. A further cluster of lesser
    statistic is one that shares no place with a likelier one while their times overlap. x and y are latitude and longitude where the study's are, and the
    radius then kilometres. recurrence_days: days of an interval / p_value, for prospective scans. The seed fixes the simulations; threads do not matter.

    early_stop: simulate no more once so many were no less than the likeliest cluster; a cluster's p_value is then that number / the simulations it took
    (Besag & Clifford 1991), right for large p at a small part of the work. gumbel: p_gumbel is the tail of a Gumbel distribution with the simulations' mean
    and variance (Abrams, Kleinman & Kulldorff 2010), for p below what so many simulations can count; it is an approximation.

    Raises `OptionError` where the study holds no case, or an option makes no sense.
    """
    if replications < 0:
        raise OptionError(f"{replications} replications make no sense; 999 are usual, 0 gives no p-values")
    if early_stop is not None and early_stop < 1:
        raise OptionError(f"early_stop {early_stop} makes no sense; SaTScan's own is 50")
    if not study.data.cases.sum():
        raise OptionError("the study holds no case in its period: nothing can be scanned")
    apart = _distances(study)
    zones = _zones(study, apart)
    windows = kernel.Windows(study.least, study.most, study.prospective)
    found = kernel.best(study.data, zones, windows, study.fewest)
    work = partial(_block, study.data, zones, windows, study.fewest, seed)
    edges = [*range(0, replications, _BLOCK), replications]
    parts = [np.empty(0)]
    exceeded = 0
    for done, part in zip(edges[1:], mapped(work, list(pairwise(edges)), engine), strict=False):
        parts.append(part)
        exceeded += int((part >= found.ratio.max() - _SAME).sum())
        if progress:
            progress(done, replications)
        if early_stop and exceeded >= early_stop:
            break
    maxima = np.concatenate(parts)
    clusters = _clusters(study, found, zones, apart, maxima, early_stop)
    if gumbel and len(maxima):
        clusters = clusters.with_columns(p_gumbel=pl.Series(_gumbel(maxima, clusters["statistic"].to_numpy()), dtype=pl.Float64))
    return Scan(clusters, maxima)


def _p_value(statistic: float, maxima: NDArray[np.float64], early_stop: int | None) -> float:
    """How often chance does as much."""
    (no_less,) = np.nonzero(maxima >= statistic - _SAME)
    if early_stop and len(no_less) >= early_stop:
        return float(early_stop / (no_less[early_stop - 1] + 1))
    return (1 + len(no_less)) / (1 + len(maxima))


def _gumbel(maxima: NDArray[np.float64], statistic: NDArray[np.float64]) -> NDArray[np.float64]:
    """The upper tail of the Gumbel distribution with the mean and variance of the maxima."""
    scale = max(maxima.std(ddof=1) * np.sqrt(6) / np.pi, 1e-12) if len(maxima) > 1 else np.inf
    return np.asarray(-np.expm1(-np.exp(-(statistic - maxima.mean() + np.euler_gamma * scale) / scale)))


def _block(
    data: kernel.Data, zones: kernel.Zones, windows: kernel.Windows, fewest: int, seed: int, edges: tuple[int, int]
) -> NDArray[np.float64]:
    return kernel.maxima(data, zones, windows, fewest, seed, *edges)


def _distances(study: Study) -> NDArray[np.float64]:
    """Between all places: kilometres on the sphere, or the study's own units."""
    a, b = study.at[:, None, :], study.at[None, :, :]
    if not study.spherical:
        return np.asarray(np.hypot(a[..., 0] - b[..., 0], a[..., 1] - b[..., 1]))
    (la, lo), (lb, lp) = (np.moveaxis(np.radians(x), -1, 0) for x in (a, b))
    cosine = np.sin(la) * np.sin(lb) + np.cos(la) * np.cos(lb) * np.cos(lo - lp)
    out = np.asarray(EARTH_KM * np.arccos(np.clip(cosine, -1.0, 1.0)))
    np.fill_diagonal(out, 0.0)
    return out


def _zones(study: Study, apart: NDArray[np.float64]) -> kernel.Zones:
    """How far each circle may grow: to the greatest radius, and to the greatest share of the population at risk."""
    size = study.data.people.astype(np.float64) if study.data.model == kernel.BERNOULLI else study.data.expected.sum(axis=1)
    limit = study.share * size.sum() * (1 + 1e-12)
    starts, near = [0], []
    for i in range(len(apart)):
        order = np.argsort(apart[i], kind="stable")
        fits = (np.cumsum(size[order]) <= limit) & (apart[i][order] <= study.radius)
        count = int(np.argmin(fits)) if not fits.all() else len(order)
        near.append(order[:count].astype(np.int32))
        starts.append(starts[-1] + count)
    return kernel.Zones(np.array(starts, np.int64), np.concatenate(near))


def _clusters(
    study: Study,
    found: kernel.Best,
    zones: kernel.Zones,
    apart: NDArray[np.float64],
    maxima: NDArray[np.float64],
    early_stop: int | None,
) -> pl.DataFrame:
    """The likeliest of all centres, then those that overlap no likelier one in space and time, while chance does not do as much every time."""
    order = sorted(np.flatnonzero(found.ratio > 0), key=lambda i: (-round(float(found.ratio[i]), 9), found.places[i], i))
    taken: list[tuple[set[int], int, int]] = []
    rows: list[dict[str, Any]] = []
    for i in order:
        p = _p_value(float(found.ratio[i]), maxima, early_stop)
        if len(maxima) and p >= 1:
            break
        members = zones.near[zones.starts[i] : zones.starts[i] + found.places[i]].tolist()
        first, last = int(found.first[i]), int(found.last[i])
        if any(who & set(members) and first <= b and last >= a for who, a, b in taken):
            continue
        taken.append((set(members), first, last))
        rows.append(
            {
                "cluster": len(rows) + 1,
                "centre": study.places[i],
                "places": [study.places[m] for m in members],
                "x": float(study.at[i, 0]),
                "y": float(study.at[i, 1]),
                "radius": float(apart[i, members].max()),
                "start": study.begins[first],
                "end": date.fromordinal(study.begins[last + 1].toordinal() - 1),
                "observed": int(study.data.cases[members, first : last + 1].sum()),
                "expected": float(study.data.expected[members, first : last + 1].sum()),
                "statistic": float(found.ratio[i]),
                "p_value": p if len(maxima) else None,
                "p_gumbel": None,
                "recurrence_days": study.interval_days / p if study.prospective and len(maxima) else None,
            }
        )
    return pl.DataFrame(rows, schema=_SCHEMA)


__all__ = ["MODELS", "Scan", "scan"]
