"""Which pairs of reports could be one incident, how alike they are, and what that is worth: arrays in, arrays out.

Whether a pair is a candidate, and its score, depend on the two reports and the model's numbers alone. Scores are whole numbers, 1/1024 of a natural log-odds,
so that no sum depends on its order. tests/oracles/linkage.py says the same in plain Python.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.words import compiled

#: Kilometres within which two points known to a few kilometres may be one place, and two of which one is known less well.
NEAR_KM, FAR_KM = 20.0, 60.0
#: Kilometres beyond which even a named province does not make two points one place.
PROVINCE_KM = 300.0
#: Days between the two intervals, at most.
DAYS = 3
#: Edges of the classes of radius (km, 1 sigma): a spot, a town, a district, a province.
RADII = np.array([1.0, 5.0, 30.0])
DISTRICT = 2  # the class from which on a point tells no more than its district
#: Edges of distance (km), of the ratio of two tolls (log) and of their size (geometric mean, half a person added to each).
_KM = np.array([0.05, 1.0, 2.0, 3.5, 6.0, 9.0, 13.0, 20.0, 35.0, 60.0, 100.0, 170.0])
_RATIO = np.array([0.01, 0.25, 0.5, 0.9, 1.5])
_SIZE = np.array([0.6, 1.8, 4.0, 10.0, 25.0])
#: Comparisons, in the order of a model's tables, and how many levels each has.
COMPARISONS = ("day", "place", "attack", "target", "actor", "killed", "wounded", "agency")
LEVELS = (10, 4 * 4 * 13 + 1, 10, 10, 10, 37, 37, 2)
STARTS = np.cumsum((0, *LEVELS))
DEPTH = 3  # steps of a code that are compared
CELL = 0.6  # degrees of latitude: a cell is no narrower than FAR_KM


class Reports(NamedTuple):
    """Reports in the order of their first day, then their id; -1 is unknown."""

    start: NDArray[np.int32]  # days
    end: NDArray[np.int32]
    lat: NDArray[np.float64]  # degrees, NaN where unknown
    lon: NDArray[np.float64]
    radius: NDArray[np.int8]  # class, see RADII
    province: NDArray[np.int32]
    agency: NDArray[np.int32]
    codes: NDArray[np.int32]  # (n, 3 x DEPTH): attack, target, actor, broad to narrow
    tolls: NDArray[np.int32]  # (n, 2): killed, wounded


class Index(NamedTuple):
    """Where reports lie: by cell, by province, and those known no better than a district by province; each list in the order of the reports."""

    cells: NDArray[np.int64]  # sorted keys
    cell_starts: NDArray[np.int64]
    in_cell: NDArray[np.int32]
    province_starts: NDArray[np.int64]
    in_province: NDArray[np.int32]
    coarse_starts: NDArray[np.int64]
    coarse_in: NDArray[np.int32]


def _widths() -> NDArray[np.float64]:
    """Degrees of longitude of a cell in each band of latitude, no narrower than FAR_KM at its poleward edge."""
    edges = np.minimum(np.abs(np.arange(-150, 151) * CELL), 89.0)
    poleward = np.maximum(edges[:-1], edges[1:])
    return np.asarray(CELL / np.cos(np.radians(poleward)))


WIDTHS = _widths()


@compiled
def _band(lat: Any) -> Any:
    return min(max(int(np.floor(lat / 0.6)) + 150, 0), 299)


@compiled
def cell_keys(lat: Any, lon: Any, widths: Any) -> Any:
    """The cell of each point; -1 where it has none."""
    out = np.full(len(lat), -1, np.int64)
    for i in range(len(lat)):
        if not np.isnan(lat[i]):
            b = _band(lat[i])
            out[i] = b * 4096 + int(np.floor((lon[i] + 180.0) / widths[b]))
    return out


def grouped(keys: NDArray[Any], n: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """(starts, members) of groups 0..n-1, members in their own order; negative keys are in no group."""
    order = np.argsort(keys, kind="stable").astype(np.int32)
    order = order[np.searchsorted(keys[order], 0) :]
    return np.searchsorted(keys[order], np.arange(n + 1)), order


def index(reports: Reports) -> Index:
    """The lists that `candidates` walks."""
    keys = cell_keys(reports.lat, reports.lon, WIDTHS)
    cells = np.unique(keys[keys >= 0])
    place = np.where(keys >= 0, np.searchsorted(cells, keys), -1)
    cell_starts, in_cell = grouped(place, len(cells))
    n = int(reports.province.max(initial=-1)) + 1
    province_starts, in_province = grouped(reports.province, n)
    coarse_starts, coarse_in = grouped(np.where(reports.radius >= DISTRICT, reports.province, -1), n)
    return Index(cells, cell_starts, in_cell, province_starts, in_province, coarse_starts, coarse_in)


@compiled
def _km(reports: Any, i: Any, j: Any) -> Any:
    """Kilometres on the mean sphere, near enough for what is compared (equirectangular about the mean latitude); NaN where a point is unknown."""
    dy = (reports.lat[i] - reports.lat[j]) * 111.195
    across = abs(reports.lon[i] - reports.lon[j])
    dx = min(across, 360.0 - across) * 111.195 * np.cos(np.radians((reports.lat[i] + reports.lat[j]) * 0.5))
    return np.sqrt(dx * dx + dy * dy)


@compiled
def _bin(edges: Any, value: Any) -> Any:
    at = 0
    while at < len(edges) and value > edges[at]:
        at += 1
    return at


@compiled
def _near(reports: Any, i: Any, j: Any, km: Any) -> Any:
    return km <= (NEAR_KM if max(reports.radius[i], reports.radius[j]) < DISTRICT else FAR_KM)


@compiled
def _toll_level(a: Any, b: Any) -> Any:
    if a < 0 or b < 0:
        return 0
    low, high = min(a, b) + 0.5, max(a, b) + 0.5
    return 1 + _bin(_RATIO, np.log(high / low)) * 6 + _bin(_SIZE, np.sqrt(low * high))


@compiled
def _code_level(codes: Any, i: Any, j: Any, first: Any) -> Any:
    """0 where one is silent; else how many steps both have, and how many of them agree."""
    both = agree = 0
    for k in range(first, first + DEPTH):
        if codes[i, k] < 0 or codes[j, k] < 0:
            break
        if agree == both and codes[i, k] == codes[j, k]:
            agree += 1
        both += 1
    return 0 if both == 0 else both * (both + 1) // 2 + agree


@compiled
def levels(reports: Any, i: Any, j: Any, km: Any, out: Any) -> None:
    """How alike two reports are: a level of each comparison, offset into one table of weights."""
    same = reports.agency[i] == reports.agency[j]
    gap = max(0, reports.start[j] - reports.end[i])
    if reports.end[i] > reports.start[i] or reports.end[j] > reports.start[j]:
        out[0] = 8 + same
    else:
        out[0] = 4 * same + min(gap, 3)
    low, high = min(reports.radius[i], reports.radius[j]), max(reports.radius[i], reports.radius[j])
    out[1] = 0 if np.isnan(km) else 1 + (low * 4 + high) * 13 + _bin(_KM, km)
    for k in range(3):
        out[2 + k] = _code_level(reports.codes, i, j, k * DEPTH)
    out[5] = _toll_level(reports.tolls[i, 0], reports.tolls[j, 0])
    out[6] = _toll_level(reports.tolls[i, 1], reports.tolls[j, 1])
    out[7] = same
    for k in range(8):
        out[k] += STARTS[k]


@compiled
def _take(reports: Any, weights: Any, floor: Any, i: Any, j: Any, km: Any, room: Any, state: Any) -> None:
    """Scores one candidate: counts it for both reports, and keeps it where it is above the floor. state: found, kept."""
    pair, score, count, level = room
    levels(reports, i, j, km, level)
    total = np.int32(0)
    for k in range(8):
        total += weights[level[k]]
    count[i] += 1
    count[j] += 1
    state[0] += 1
    if total > floor:
        if state[1] < len(score):
            pair[state[1], 0], pair[state[1], 1], score[state[1]] = i, j, total
        state[1] += 1


@compiled
def _after(members: Any, low: Any, high: Any, i: Any) -> Any:
    """Where in a list the first report after `i` stands."""
    while low < high:
        middle = (low + high) >> 1
        if members[middle] <= i:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _by_cell(reports: Any, places: Any, widths: Any, weights: Any, floor: Any, lag: Any, i: Any, room: Any, state: Any) -> None:
    if np.isnan(reports.lat[i]):
        return
    first, last = reports.end[i] + lag[0], reports.end[i] + lag[1]
    own = _band(reports.lat[i])
    reach = FAR_KM / 111.195 / max(0.02, np.cos(np.radians(min(89.0, abs(reports.lat[i]) + 0.6))))
    for b in range(max(0, own - 1), min(299, own + 1) + 1):
        left = int(np.floor((reports.lon[i] - reach + 180.0) / widths[b]))
        right = int(np.floor((reports.lon[i] + reach + 180.0) / widths[b]))
        for c in range(left, right + 1):
            key = b * 4096 + c
            at = np.searchsorted(places.cells, key)
            if at == len(places.cells) or places.cells[at] != key:
                continue
            stop = places.cell_starts[at + 1]
            for m in range(_after(places.in_cell, places.cell_starts[at], stop, i), stop):
                j = places.in_cell[m]
                if reports.start[j] > last:
                    break
                if reports.start[j] < first:
                    continue
                km = _km(reports, i, j)
                if _near(reports, i, j, km):
                    _take(reports, weights, floor, i, j, km, room, state)


@compiled
def _by_province(reports: Any, places: Any, weights: Any, floor: Any, lag: Any, i: Any, room: Any, state: Any) -> None:
    """Pairs of one named province of which one is known no better than a district, beyond what `_by_cell` took."""
    p = reports.province[i]
    if p < 0:
        return
    first, last = reports.end[i] + lag[0], reports.end[i] + lag[1]
    coarse = reports.radius[i] >= DISTRICT
    members = places.in_province if coarse else places.coarse_in
    starts = places.province_starts if coarse else places.coarse_starts
    stop = starts[p + 1]
    for m in range(_after(members, starts[p], stop, i), stop):
        j = members[m]
        if reports.start[j] > last:
            break
        if reports.start[j] < first:
            continue
        km = _km(reports, i, j)
        if not _near(reports, i, j, km) and not km > PROVINCE_KM:
            _take(reports, weights, floor, i, j, km, room, state)


@compiled
def candidates(reports: Any, places: Any, widths: Any, weights: Any, floor: Any, lag: Any, low: Any, high: Any, room: Any) -> Any:
    """Walks the candidates whose earlier report is low..high-1: (candidates found, pairs above the floor).

    lag: least and most days from the end of the earlier report to the begin of the later, (-32000, DAYS) for candidates, (10, 13) for controls. room: pair
    (m, 2), score (m,), how many candidates each report has (n,), and 8 numbers of scratch. Where more pairs are above the floor than there is room
    for, the caller makes more and walks again.
    """
    state = np.zeros(2, np.int64)
    for i in range(low, high):
        _by_cell(reports, places, widths, weights, floor, lag, i, room, state)
        _by_province(reports, places, weights, floor, lag, i, room, state)
    return state[0], state[1]


@compiled
def pair_levels(reports: Any, pairs: Any) -> Any:
    """The levels of given pairs, (m, 8) int16, counted from 0 in each comparison."""
    out = np.empty((len(pairs), 8), np.int16)
    level = np.empty(8, np.int64)
    for p in range(len(pairs)):
        i, j = pairs[p, 0], pairs[p, 1]
        levels(reports, i, j, _km(reports, i, j), level)
        for k in range(8):
            out[p, k] = level[k] - STARTS[k]
    return out


@compiled
def distances(reports: Any, pairs: Any) -> Any:
    """Kilometres between the points of given pairs; NaN where one is unknown."""
    out = np.empty(len(pairs), np.float64)
    for p in range(len(pairs)):
        out[p] = _km(reports, pairs[p, 0], pairs[p, 1])
    return out
