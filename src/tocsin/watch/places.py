"""Places that a cluster is made of: points known to a town, those within a few kilometres of each other taken as one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.kernels.geo import haversine_km
from tocsin.terms.signals import NEAR
from tocsin.watch.plan import HISTORY, RECENT

_MANY = 800  # places, at most: the kilometres within which points are one are doubled until there are no more
#: Kilometres: an incident whose place is known less well neither makes nor hides a cluster.
WIDE = 25.0


class Placed(NamedTuple):
    """Incidents at places."""

    incidents: pl.DataFrame  # incident_id, day, area, place, lat, lon; by day, place and id
    where: NDArray[np.int64]  # the place of each
    at: NDArray[np.float64]  # (places, 2): degrees north and east
    apart: NDArray[np.float64]  # (places, places) kilometres
    near: float  # kilometres within which points were taken as one place
    left_out: int  # incidents whose place is not known well enough


def vague_place() -> pl.Expr:
    """Incidents that cannot be part of a cluster."""
    return (pl.col("radius_km").is_null() | (pl.col("radius_km") > WIDE) | pl.col("lat").is_null() | pl.col("lon").is_null()).fill_null(
        True
    )


def placed(own: pl.DataFrame, until: int) -> Placed:
    """Incidents of the last two years and a month before `until`, at their places. The order of the rows does not matter."""
    own = own.filter(pl.col("day").is_between(until - HISTORY - RECENT, until, closed="left"))
    held = own.filter(~vague_place())
    points = held.group_by("lat", "lon").len().sort("len", "lat", "lon", descending=[True, False, False])
    xy = points.select("lat", "lon").to_numpy()
    near = float(NEAR)
    label, at = merged(xy, near)
    while len(at) > _MANY:
        near *= 2
        label, at = merged(xy, near)
    held = held.join(points.select("lat", "lon", where=pl.Series(label, dtype=pl.Int64)), on=["lat", "lon"], how="left")
    held = held.select("incident_id", "day", "area", "place", "lat", "lon", "where").sort("day", "where", "incident_id")
    return Placed(held.drop("where"), held["where"].to_numpy(), at, _apart(at), near, own.height - held.height)


def _apart(at: NDArray[np.float64]) -> NDArray[np.float64]:
    n = len(at)
    rows, columns = at.repeat(n, axis=0), np.tile(at, (n, 1))
    return haversine_km(rows[:, 0], rows[:, 1], columns[:, 0], columns[:, 1]).reshape(n, n)


def merged(points: NDArray[np.float64], near: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(place of each point, places): a point joins the nearest earlier place within `near` kilometres, else it is one; the busiest points come first."""
    label, at = np.zeros(len(points), np.int64), np.empty((len(points), 2))
    n = 0
    for k, (lat, lon) in enumerate(points):
        away = haversine_km(at[:n, 0], at[:n, 1], np.full(n, lat), np.full(n, lon))
        j = int(np.argmin(away)) if n else 0
        if n and away[j] <= near:
            label[k] = j
        else:
            label[k], at[n] = n, (lat, lon)
            n += 1
    return label, at[:n].copy()
