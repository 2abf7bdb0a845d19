"""Pairs of points that lie near each other in days and kilometres."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_EARTH_KM = 6371.0088  # mean radius, IUGG


@njit(cache=True, nogil=True)
def _scan(start, end, lat, lon, place, group, days, km, out_i, out_j):  # type: ignore[no-untyped-def]
    found = 0
    n = len(start)
    widest = 0
    for i in range(n):
        widest = max(widest, end[i] - start[i])
    for i in range(n):
        for j in range(i + 1, n):
            if start[j] - start[i] > days + widest:
                break
            if start[j] - end[i] > days or group[i] != group[j]:
                continue
            near = place[i] >= 0 and place[i] == place[j]
            if not near:
                if not (abs(lat[i] - lat[j]) * 111.0 <= km):  # also false where a coordinate is missing
                    continue
                half_lat = np.radians(lat[j] - lat[i]) / 2
                half_lon = np.radians(lon[j] - lon[i]) / 2
                a = np.sin(half_lat) ** 2 + np.cos(np.radians(lat[i])) * np.cos(np.radians(lat[j])) * np.sin(half_lon) ** 2
                near = 2 * _EARTH_KM * np.arcsin(np.sqrt(min(1.0, a))) <= km
            if near:
                if found < len(out_i):
                    out_i[found] = i
                    out_j[found] = j
                found += 1
    return found


def near_pairs(
    interval: tuple[NDArray[np.int32], NDArray[np.int32]],
    point: tuple[NDArray[np.float64], NDArray[np.float64]],
    place: NDArray[np.int64],
    group: NDArray[np.int64],
    *,
    days: int,
    km: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Index pairs (i < j) whose intervals come within `days`, in the same group, at most `km` apart or at the same place.

    All arrays have shape (n,). `interval` is (first day, last day) as integers and must be sorted by the first day; `point` is (lat, lon) in degrees,
    NaN where unknown (never near, unless the place is the same); `place` is a code, -1 for none; `group` is a code.
    """
    start, end = interval
    lat, lon = point
    room = max(1024, 4 * len(start))
    while True:
        out_i, out_j = np.empty(room, np.int64), np.empty(room, np.int64)
        found = _scan(start, end, lat, lon, place, group, days, km, out_i, out_j)
        if found <= room:
            return out_i[:found], out_j[:found]
        room = found
