"""Distances on the sphere, points in polygons, points on towns: arrays in, arrays out.

Polygons are flat arrays: `ring` holds (lon, lat) of every vertex, closed rings one after another; `start` where each ring begins (and one past the
last ends); `owner` the area each ring belongs to. An area's holes are rings of their own: even-odd counting takes them out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

EARTH_KM = 6371.0088  # mean radius, IUGG
KM_PER_DEGREE = EARTH_KM * np.pi / 180.0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@njit(cache=True, nogil=True, inline="always")
def _km(lat1, lon1, lat2, lon2):  # type: ignore[no-untyped-def]
    a = np.sin(np.radians(lat2 - lat1) / 2) ** 2
    a += np.cos(np.radians(lat1)) * np.cos(np.radians(lat2)) * np.sin(np.radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * np.arcsin(np.sqrt(min(1.0, a)))


@njit(cache=True, nogil=True)
def _haversine(lat1, lon1, lat2, lon2, out):  # type: ignore[no-untyped-def]
    for i in range(len(out)):
        out[i] = _km(lat1[i], lon1[i], lat2[i], lon2[i])


def haversine_km(lat1: Floats, lon1: Floats, lat2: Floats, lon2: Floats) -> Floats:
    """Great-circle distances in kilometres between points in degrees; arrays broadcast, NaN gives NaN.

    Haversine formula: R. W. Sinnott, "Virtues of the haversine", Sky and Telescope 68:2 (1984) 159; sphere of radius 6371.0088 km.
    """
    four = np.broadcast_arrays(*(np.asarray(x, np.float64) for x in (lat1, lon1, lat2, lon2)))
    out = np.empty(four[0].size, np.float64)
    a, b, c, d = (np.ascontiguousarray(x).ravel() for x in four)
    _haversine(a, b, c, d, out)
    return out.reshape(four[0].shape)


@dataclass(frozen=True)
class Rings:
    """Areas as flat rings, with a grid that says which areas may hold a point."""

    ring: Floats  # (vertices, 2): lon, lat
    start: Ints  # (rings + 1,)
    owner: Ints  # (rings,), not falling: an area's rings stand together
    box: Floats  # (areas, 4): west, south, east, north
    first: Ints  # (areas + 1,): the rings of an area
    corner: tuple[float, float]  # west, south of the grid
    shape: tuple[int, int]  # columns, rows of the grid
    cell_start: Ints  # (cells + 1,)
    cell_area: Ints  # areas whose box touches a cell, falling in no cell twice


CELL = 0.25  # degrees: a district's box then touches about a dozen cells, a cell about three boxes


def index_rings(ring: Floats, start: Ints, owner: Ints, areas: int) -> Rings:
    """Flat rings of `areas` areas with their grid; `owner` must not fall, and each area must have a ring."""
    first = np.searchsorted(owner, np.arange(areas + 1)).astype(np.int64)
    box = np.empty((areas, 4))
    for area in range(areas):
        own = ring[start[first[area]] : start[first[area + 1]]]
        box[area] = *own.min(axis=0), *own.max(axis=0)
    west, south = box[:, :2].min(axis=0)
    columns, rows = (int(n) for n in np.floor((box[:, 2:].max(axis=0) - (west, south)) / CELL) + 1)
    cells: list[list[int]] = [[] for _ in range(columns * rows)]
    for area in range(areas):
        x0, y0, x1, y1 = (int(n) for n in np.floor((box[area] - (west, south, west, south)) / CELL))
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                cells[y * columns + x].append(area)
    cell_start = np.cumsum([0, *(len(c) for c in cells)]).astype(np.int64)
    flat = np.array([area for c in cells for area in c], np.int64)
    return Rings(ring, start, owner, box, first, (float(west), float(south)), (columns, rows), cell_start, flat)


@njit(cache=True, nogil=True)
def _inside(lat, lon, ring, start, first, box, corner, shape, cell_start, cell_area, out):  # type: ignore[no-untyped-def]
    for i in range(len(lat)):
        out[i] = -1
        x, y = lon[i], lat[i]
        if not (np.isfinite(x) and np.isfinite(y)):
            continue
        column, row = int(np.floor((x - corner[0]) / CELL)), int(np.floor((y - corner[1]) / CELL))
        if column < 0 or row < 0 or column >= shape[0] or row >= shape[1]:
            continue
        cell = row * shape[0] + column
        for c in range(cell_start[cell], cell_start[cell + 1]):
            area = cell_area[c]
            if x < box[area, 0] or x > box[area, 2] or y < box[area, 1] or y > box[area, 3]:
                continue
            odd = False
            for r in range(first[area], first[area + 1]):
                for k in range(start[r], start[r + 1] - 1):
                    x1, y1, x2, y2 = ring[k, 0], ring[k, 1], ring[k + 1, 0], ring[k + 1, 1]
                    # half-open in y: of two areas that share an edge, exactly one holds a point on it
                    if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                        odd = not odd
            if odd:
                out[i] = area
                break


def area_of(lat: Floats, lon: Floats, rings: Rings) -> Ints:
    """The area that holds each point, shape (n,); -1 where none does or a coordinate is missing; the lowest where areas overlap.

    Even-odd ray casting: M. Shimrat, Algorithm 112, CACM 5:8 (1962) 434, in the plane of longitude and latitude.
    """
    out = np.empty(len(lat), np.int64)
    r = rings
    _inside(lat, lon, r.ring, r.start, r.first, r.box, r.corner, r.shape, r.cell_start, r.cell_area, out)
    return out


@njit(cache=True, nogil=True)
def _edge_km(x, y, area, ring, start, first):  # type: ignore[no-untyped-def]
    best = np.inf
    squeeze = np.cos(np.radians(y))
    for r in range(first[area], first[area + 1]):
        for k in range(start[r], start[r + 1] - 1):
            ax, ay = (ring[k, 0] - x) * squeeze, ring[k, 1] - y
            bx, by = (ring[k + 1, 0] - x) * squeeze, ring[k + 1, 1] - y
            dx, dy = bx - ax, by - ay
            length = dx * dx + dy * dy
            t = 0.0 if length == 0.0 else min(1.0, max(0.0, -(ax * dx + ay * dy) / length))
            best = min(best, (ax + t * dx) ** 2 + (ay + t * dy) ** 2)
    return np.sqrt(best) * KM_PER_DEGREE


@njit(cache=True, nogil=True)
def _nearest(lat, lon, ring, start, first, box, reach, out):  # type: ignore[no-untyped-def]
    for i in range(len(lat)):
        out[i] = -1
        best = reach
        x, y = lon[i], lat[i]
        if not (np.isfinite(x) and np.isfinite(y)):
            continue
        margin = reach / KM_PER_DEGREE
        wide = margin / max(0.05, np.cos(np.radians(y)))
        for area in range(len(box)):
            if x < box[area, 0] - wide or x > box[area, 2] + wide or y < box[area, 1] - margin or y > box[area, 3] + margin:
                continue
            km = _edge_km(x, y, area, ring, start, first)
            if km < best:
                best, out[i] = km, area


def nearest_area(lat: Floats, lon: Floats, rings: Rings, *, reach: float) -> Ints:
    """For points in no area: the one whose edge is nearest and nearer than `reach` km, shape (n,); -1 where none is."""
    out = np.empty(len(lat), np.int64)
    _nearest(lat, lon, rings.ring, rings.start, rings.first, rings.box, reach, out)
    return out


@njit(cache=True, nogil=True)
def _outside(lat, lon, at, member_start, member, ring, start, first, out):  # type: ignore[no-untyped-def]
    for i in range(len(lat)):
        out[i] = np.inf
        for m in range(member_start[at[i]], member_start[at[i] + 1]):
            out[i] = min(out[i], _edge_km(lon[i], lat[i], member[m], ring, start, first))


def outside_km(lat: Floats, lon: Floats, at: Ints, members: tuple[Ints, Ints], rings: Rings) -> Floats:
    """Kilometres from each point to the nearest edge of the areas of set `at[i]`, shape (n,); infinite for an empty set.

    `members` is (start, area): set s holds area[start[s]:start[s + 1]]. Flat-earth distance about the point, good to 1 % within 100 km.
    """
    out = np.empty(len(lat), np.float64)
    _outside(lat, lon, at, members[0], members[1], rings.ring, rings.start, rings.first, out)
    return out


@njit(cache=True, nogil=True)
def _widest(lat, lon, town_lat, town_lon, size, reach, out):  # type: ignore[no-untyped-def]
    margin = reach / KM_PER_DEGREE * 1.001
    for i in range(len(lat)):
        out[i] = 0.0
        if not (np.isfinite(lat[i]) and np.isfinite(lon[i])):
            continue
        k = np.searchsorted(town_lat, lat[i] - margin)
        while k < len(town_lat) and town_lat[k] <= lat[i] + margin:
            if size[k] > out[i] and _km(lat[i], lon[i], town_lat[k], town_lon[k]) <= reach:
                out[i] = size[k]
            k += 1


def widest_town(lat: Floats, lon: Floats, towns: tuple[Floats, Floats], size: Floats, *, reach: float) -> Floats:
    """The largest `size` among towns within `reach` km of each point, shape (n,); 0 where there is none.

    `towns` is (lat, lon), sorted by latitude.
    """
    out = np.empty(len(lat), np.float64)
    _widest(lat, lon, towns[0], towns[1], size, reach, out)
    return out
