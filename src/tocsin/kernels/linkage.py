"""Which pairs of reports could be one incident, how alike they are, and what that is worth: arrays in, arrays out.

Whether a pair is a candidate, and its score, depend on the two reports and the model's numbers alone. Scores are whole numbers, 1/1024 of a natural log-odds,
so that no sum depends on its order. tests/oracles/linkage.py says the same in plain Python.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.words import compiled, inlined

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
    kind: NDArray[np.int8]  # of violence
    agency: NDArray[np.int32]  # below -1 where it is declared to report an incident once
    codes: NDArray[np.int32]  # (n, 3): attack, target, actor; rows of the three tables of steps
    tolls: NDArray[np.int32]  # (n, 2): killed, wounded
    attack: NDArray[np.int32]  # (distinct, DEPTH): the steps of each code, broad to narrow, -1 beyond its end
    target: NDArray[np.int32]
    actor: NDArray[np.int32]


def stretch(reports: Reports, low: int, high: int) -> Reports:
    """The reports low..high-1."""
    return Reports._make((*(x[low:high] for x in reports[:10]), *reports[10:]))


class Index(NamedTuple):
    """What `candidates` walks along, made by `index`."""

    cell: NDArray[np.int32]  # of each report, -1 where it has no point
    near_starts: NDArray[np.int64]  # of the cells that a cell's reports can reach, itself among them
    near: NDArray[np.int32]
    longest: int  # days, of any interval
    alike: tuple[
        NDArray[np.int8], NDArray[np.int8], NDArray[np.int8]
    ]  # (distinct, distinct): levels of attack, target, actor; empty where too many


def _widths() -> NDArray[np.float64]:
    """Degrees of longitude of a cell in each band of latitude, no narrower than FAR_KM at its poleward edge; whole cells round the globe."""
    edges = np.minimum(np.abs(np.arange(-150, 151) * CELL), 89.0)
    poleward = np.maximum(edges[:-1], edges[1:])
    return np.asarray(360.0 / np.floor(360.0 * np.cos(np.radians(poleward)) / CELL))


WIDTHS = _widths()


@compiled
def _band(lat: Any) -> Any:
    return min(max(int(np.floor(lat / CELL)) + 150, 0), 299)


@compiled
def cell_keys(lat: Any, lon: Any, widths: Any) -> Any:
    """The cell of each point; -1 where it has none."""
    out = np.full(len(lat), -1, np.int64)
    for i in range(len(lat)):
        if not np.isnan(lat[i]):
            b = _band(lat[i])
            round_globe = int(np.round(360.0 / widths[b]))
            out[i] = b * 4096 + int(np.floor((lon[i] + 180.0) / widths[b])) % round_globe
    return out


@compiled
def _reached(cells: Any, widths: Any) -> Any:
    """(starts, cells) of the cells, by their place in the sorted `cells`, that lie within FAR_KM of each."""
    starts = np.zeros(len(cells) + 1, np.int64)
    out = np.empty(64 * len(cells), np.int32)
    total = 0
    for k in range(len(cells)):
        b, c = cells[k] >> 12, cells[k] & 4095
        for other in range(max(0, b - 1), min(299, b + 1) + 1):
            edge = min(89.0, max(abs(b - 150), abs(b - 149), abs(other - 150), abs(other - 149)) * CELL)
            reach = FAR_KM / 111.195 / max(0.02, np.cos(np.radians(edge)))
            count = int(np.round(360.0 / widths[other]))
            left = int(np.floor((c * widths[b] - reach) / widths[other]))
            right = int(np.floor(((c + 1) * widths[b] + reach) / widths[other]))
            for x in range(left, min(right, left + count - 1) + 1):
                key = other * 4096 + x % count
                at = np.searchsorted(cells, key)
                if at < len(cells) and cells[at] == key:
                    if total == len(out):
                        more = np.empty(2 * len(out), np.int32)
                        more[:total] = out
                        out = more
                    out[total] = at
                    total += 1
        starts[k + 1] = total
    return starts, out[:total].copy()


def index(reports: Reports) -> Index:
    """The cells that reports lie in and reach, and how alike each two codes are."""
    keys = cell_keys(reports.lat, reports.lon, WIDTHS)
    cells = np.unique(keys[keys >= 0])
    cell = np.where(keys >= 0, np.searchsorted(cells, keys), -1).astype(np.int32)
    longest = int((reports.end - reports.start).max(initial=0))
    return Index(cell, *_reached(cells, WIDTHS), longest, alike(reports))


def alike(reports: Reports) -> tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int8]]:
    """The levels of each two codes of attack, target and actor; an empty table where there are too many codes to keep them."""
    steps = (reports.attack, reports.target, reports.actor)
    attack, target, actor = (code_levels(s) if len(s) <= _DISTINCT else np.empty((0, 0), np.int8) for s in steps)
    return attack, target, actor


@inlined
def kilometres(lat_a: Any, lon_a: Any, lat_b: Any, lon_b: Any) -> Any:
    """Kilometres on the mean sphere, near enough for what is compared (equirectangular about the mean latitude); NaN where a point is unknown."""
    dy = (lat_a - lat_b) * 111.195
    across = abs(lon_a - lon_b)
    dx = min(across, 360.0 - across) * 111.195 * np.cos(np.radians((lat_a + lat_b) * 0.5))
    return np.sqrt(dx * dx + dy * dy)


@compiled
def apart(lat: Any, lon: Any, lat_b: Any, lon_b: Any) -> Any:
    """Kilometres of each point from another."""
    out = np.empty(len(lat), np.float64)
    for i in range(len(lat)):
        out[i] = kilometres(lat[i], lon[i], lat_b, lon_b)
    return out


@compiled
def _bin(edges: Any, value: Any) -> Any:
    at = 0
    while at < len(edges) and value > edges[at]:
        at += 1
    return at


@compiled
def _weighed_toll(a: Any, b: Any) -> Any:
    if a < 0 or b < 0:
        return 0
    low, high = min(a, b) + 0.5, max(a, b) + 0.5
    return 1 + _bin(_RATIO, np.log(high / low)) * 6 + _bin(_SIZE, np.sqrt(low * high))


@compiled
def _toll_levels(most: Any) -> Any:
    out = np.zeros((most + 2, most + 2), np.int8)
    for a in range(-1, most + 1):
        for b in range(-1, most + 1):
            out[a + 1, b + 1] = _weighed_toll(a, b)
    return out


_MOST = 62
_DISTINCT = 1024  # codes of one kind, for which the likeness of each two is kept
_TOLLS = _toll_levels(_MOST)


@inlined
def _toll_level(a: Any, b: Any) -> Any:
    return _TOLLS[a + 1, b + 1] if max(a, b) <= _MOST else _weighed_toll(a, b)


@compiled
def _code_level(steps: Any, a: Any, b: Any) -> Any:
    """0 where one is silent; else how many steps both have, and how many of them agree."""
    both = agree = 0
    for k in range(DEPTH):
        if steps[a, k] < 0 or steps[b, k] < 0:
            break
        if agree == both and steps[a, k] == steps[b, k]:
            agree += 1
        both += 1
    return 0 if both == 0 else both * (both + 1) // 2 + agree


@compiled
def code_levels(steps: Any) -> Any:
    """The level of each two codes of a table."""
    out = np.empty((len(steps), len(steps)), np.int8)
    for a in range(len(steps)):
        for b in range(len(steps)):
            out[a, b] = _code_level(steps, a, b)
    return out


@inlined
def _alike(table: Any, steps: Any, a: Any, b: Any) -> Any:
    return table[a, b] if len(table) else _code_level(steps, a, b)


@inlined
def allowed(kind: Any, agency: Any, i: Any, j: Any) -> Any:
    """Whether two reports could be one incident by their kinds of violence, and by whose they are."""
    return (kind[i] == kind[j] or kind[i] < 0 or kind[j] < 0) and (agency[i] >= -1 or agency[i] != agency[j])


@inlined
def _day_level(same: Any, several: Any, gap: Any) -> Any:
    return 8 + same if several else 4 * same + min(max(gap, 0), 3)


@inlined
def _place_level(a: Any, b: Any, km: Any) -> Any:
    return 0 if np.isnan(km) else 1 + (min(a, b) * 4 + max(a, b)) * 13 + _bin(_KM, km)


@inlined
def weigh(reports: Any, alike: Any, weights: Any, i: Any, j: Any, gap: Any, km: Any) -> Any:
    """The sum of the weights of a pair's levels; gap: days from the end of the earlier to the begin of the later."""
    same = int(reports.agency[i] == reports.agency[j])
    several = reports.end[i] > reports.start[i] or reports.end[j] > reports.start[j]
    total = weights[STARTS[0] + _day_level(same, several, gap)]
    total += weights[STARTS[1] + _place_level(reports.radius[i], reports.radius[j], km)]
    total += weights[STARTS[2] + _alike(alike[0], reports.attack, reports.codes[i, 0], reports.codes[j, 0])]
    total += weights[STARTS[3] + _alike(alike[1], reports.target, reports.codes[i, 1], reports.codes[j, 1])]
    total += weights[STARTS[4] + _alike(alike[2], reports.actor, reports.codes[i, 2], reports.codes[j, 2])]
    total += weights[STARTS[5] + _toll_level(reports.tolls[i, 0], reports.tolls[j, 0])]
    total += weights[STARTS[6] + _toll_level(reports.tolls[i, 1], reports.tolls[j, 1])]
    return total + weights[STARTS[7] + same]


@compiled
def candidates(reports: Any, places: Any, weights: Any, floor: Any, lag: Any, low: Any, high: Any, room: Any) -> Any:
    """Walks the candidates whose later report is low..high-1: (candidates found, pairs above the floor).

    Reports hang in chains, newest first, by cell and by province; those of one day apart from those of several, for these reach further back. lag: least and
    most days from the end of the earlier report to the begin of the later, (-32000, DAYS) for candidates, (10, 13) for controls. room: pair (m, 2), score
    (m,), how many candidates each report has (n,). Where more pairs are above the floor than there is room for, the caller makes more and walks again.
    """
    found = kept = 0
    if low >= high:
        return found, kept
    start, end, lat, lon, radius, province, kind, agency = reports[:8]
    cell, near_starts, near, longest = places[:4]
    pair, score, count = room
    least, most = lag
    begin = np.searchsorted(start, start[low] - most - longest)
    cosine = np.zeros(high)
    cosine[begin:] = np.cos(np.radians(lat[begin:high]))
    areas = province[begin:high].max() + 1
    in_cell = np.full((2, len(near_starts) - 1), -1, np.int32)
    in_province = np.full((4, areas), -1, np.int32)  # one day, several days; the same of those known no better than a district
    chain = np.full((3, high), -1, np.int32)  # the report before: in its cell, its province, and its province's coarse ones
    who, apart = np.empty(high - begin, np.int32), np.empty(high - begin)
    for j in range(begin, high):
        several, coarse = int(end[j] > start[j]), radius[j] >= DISTRICT
        if j >= low:
            n = 0
            for k in range(2):
                oldest = start[j] - most - k * longest
                if cell[j] >= 0:
                    for at in range(near_starts[cell[j]], near_starts[cell[j] + 1]):
                        i = in_cell[k, near[at]]
                        while i >= 0 and start[i] >= oldest:
                            reach = FAR_KM if coarse or radius[i] >= DISTRICT else NEAR_KM
                            wide = reach * (1.000001 / 111.195)
                            across = abs(lon[i] - lon[j])
                            # no mean of the two latitudes brings two points nearer than the lesser cosine does
                            if abs(lat[i] - lat[j]) <= wide and min(across, 360.0 - across) * min(cosine[i], cosine[j]) <= wide:
                                gap = start[j] - end[i]
                                if least <= gap <= most and allowed(kind, agency, i, j):
                                    km = kilometres(lat[i], lon[i], lat[j], lon[j])
                                    if km <= reach:
                                        who[n], apart[n] = i, km
                                        n += 1
                            i = chain[0, i]
                if province[j] >= 0:
                    i = in_province[k if coarse else 2 + k, province[j]]
                    while i >= 0 and start[i] >= oldest:
                        gap = start[j] - end[i]
                        if least <= gap <= most and allowed(kind, agency, i, j):
                            km = kilometres(lat[i], lon[i], lat[j], lon[j])
                            if (
                                not km <= FAR_KM and not km > PROVINCE_KM
                            ):  # nearer ones came by their cells; NaN is one of the two without a point
                                who[n], apart[n] = i, km
                                n += 1
                        i = chain[1 if coarse else 2, i]
            found += n
            count[j] += n
            for x in range(n):
                i, km = who[x], apart[x]
                count[i] += 1
                value = weigh(reports, places.alike, weights, i, j, start[j] - end[i], km)
                if value > floor:
                    if kept < len(score):
                        pair[kept, 0], pair[kept, 1], score[kept] = i, j, value
                    kept += 1
        if cell[j] >= 0:
            chain[0, j] = in_cell[several, cell[j]]
            in_cell[several, cell[j]] = j
        if province[j] >= 0:
            chain[1, j] = in_province[several, province[j]]
            in_province[several, province[j]] = j
            if coarse:
                chain[2, j] = in_province[2 + several, province[j]]
                in_province[2 + several, province[j]] = j
    return found, kept


@compiled
def pair_levels(reports: Any, pairs: Any) -> Any:
    """The levels of given pairs, the earlier first, (m, 8) int16, counted from 0 in each comparison."""
    start, end, lat, lon, radius, _province, _kind, agency, codes, tolls, attack, target, actor = reports
    out = np.empty((len(pairs), 8), np.int16)
    for p in range(len(pairs)):
        i, j = pairs[p, 0], pairs[p, 1]
        same = int(agency[i] == agency[j])
        out[p, 0] = _day_level(same, end[i] > start[i] or end[j] > start[j], start[j] - end[i])
        out[p, 1] = _place_level(radius[i], radius[j], kilometres(lat[i], lon[i], lat[j], lon[j]))
        out[p, 2] = _code_level(attack, codes[i, 0], codes[j, 0])
        out[p, 3] = _code_level(target, codes[i, 1], codes[j, 1])
        out[p, 4] = _code_level(actor, codes[i, 2], codes[j, 2])
        out[p, 5] = _toll_level(tolls[i, 0], tolls[j, 0])
        out[p, 6] = _toll_level(tolls[i, 1], tolls[j, 1])
        out[p, 7] = same
    return out


@compiled
def distances(reports: Any, pairs: Any) -> Any:
    """Kilometres between the points of given pairs; NaN where one is unknown."""
    lat, lon = reports.lat, reports.lon
    out = np.empty(len(pairs), np.float64)
    for p in range(len(pairs)):
        out[p] = kilometres(lat[pairs[p, 0]], lon[pairs[p, 0]], lat[pairs[p, 1]], lon[pairs[p, 1]])
    return out


@compiled
def ordered(place: Any, pairs: Any) -> Any:
    """Pairs by the places of their reports, the lesser first."""
    out = np.empty_like(pairs)
    for p in range(len(pairs)):
        a, b = place[pairs[p, 0]], place[pairs[p, 1]]
        out[p, 0], out[p, 1] = min(a, b), max(a, b)
    return out
