"""One day's reports against all there are: who could be one incident with them, and which components that touches.

Reports stand in the order in which they came. Candidates are those of kernels/linkage.py, looked up in lists that are sorted by day.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.linkage import (
    CELL,
    DAYS,
    DISTRICT,
    FAR_KM,
    NEAR_KM,
    PROVINCE_KM,
    WIDTHS,
    Reports,
    allowed,
    cell_keys,
    kilometres,
    weigh,
)
from tocsin.kernels.words import compiled


class Lists(NamedTuple):
    """Reports by cell, by province, and those known no better than a district by province; each list by first day."""

    cells: NDArray[np.int64]  # sorted keys
    cell_starts: NDArray[np.int64]
    in_cell: NDArray[np.int32]
    province_starts: NDArray[np.int64]
    in_province: NDArray[np.int32]
    coarse_starts: NDArray[np.int64]
    in_coarse: NDArray[np.int32]


def lists(reports: Reports, which: NDArray[np.int32], provinces: int) -> Lists:
    """The lists of some reports; provinces: how many there are."""
    which = which[np.argsort(reports.start[which], kind="stable")]
    keys = cell_keys(reports.lat[which], reports.lon[which], WIDTHS)
    province = reports.province[which]
    coarse = np.where(reports.radius[which] >= DISTRICT, province, -1)
    cells = np.unique(keys[keys >= 0])
    cell = np.where(keys >= 0, np.searchsorted(cells, keys), -1)
    return Lists(cells, *_by(cell, len(cells), which), *_by(province, provinces, which), *_by(coarse, provinces, which))


def _by(keys: NDArray[Any], n: int, which: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    order = np.argsort(keys, kind="stable")
    starts = np.searchsorted(keys[order], np.arange(n + 1))
    return starts, which[order]


@compiled
def _from(members: Any, start: Any, low: Any, high: Any, day: Any) -> Any:
    """Where in a list the first report that begins on `day` or later stands."""
    while low < high:
        middle = (low + high) >> 1
        if start[members[middle]] < day:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def meet(reports: Any, alike: Any, there: Any, longest: Any, weights: Any, floor: Any, who: Any, fresh: Any, alive: Any, room: Any) -> Any:
    """Candidates of the reports `who` in the lists `there`: (how many, how many above the floor).

    fresh: those among `who`; two of them are met once. room: pair (m, 2), score (m,), met (n,), to which a candidate adds one for both.
    """
    start, end, lat, lon, radius, province, kind, agency = reports[:8]
    cells, cell_starts, in_cell, province_starts, in_province, coarse_starts, in_coarse = there
    pair, score, met = room
    found = kept = 0
    for x in who:
        oldest, newest = start[x] - DAYS - longest, end[x] + DAYS
        coarse = radius[x] >= DISTRICT
        for near in range(2):
            if near == 0:
                if np.isnan(lat[x]):
                    continue
                band = min(max(int(np.floor(lat[x] / CELL)) + 150, 0), 299)
                bands = range(max(0, band - 1), min(299, band + 1) + 1)
            else:
                if province[x] < 0:
                    continue
                bands = range(1)
            for b in bands:
                left = right = 0
                count = 1
                if near == 0:
                    edge = min(89.0, max(abs(band - 150), abs(band - 149), abs(b - 150), abs(b - 149)) * CELL)
                    reach = FAR_KM / 111.195 / max(0.02, np.cos(np.radians(edge)))
                    count = int(np.round(360.0 / WIDTHS[b]))
                    left = int(np.floor((lon[x] + 180.0 - reach) / WIDTHS[b]))
                    right = min(int(np.floor((lon[x] + 180.0 + reach) / WIDTHS[b])), left + count - 1)
                for c in range(left, right + 1):
                    if near == 0:
                        key = b * 4096 + c % count
                        at = np.searchsorted(cells, key)
                        if at == len(cells) or cells[at] != key:
                            continue
                        members, low, high = in_cell, cell_starts[at], cell_starts[at + 1]
                    elif coarse:
                        members, low, high = in_province, province_starts[province[x]], province_starts[province[x] + 1]
                    else:
                        members, low, high = in_coarse, coarse_starts[province[x]], coarse_starts[province[x] + 1]
                    for m in range(_from(members, start, low, high, oldest), high):
                        j = members[m]
                        if start[j] > newest:
                            break
                        if j == x or not alive[j] or (fresh[j] and j > x):
                            continue
                        gap = max(start[x] - end[j], start[j] - end[x])
                        if gap > DAYS or not allowed(kind, agency, x, j):
                            continue
                        km = kilometres(lat[x], lon[x], lat[j], lon[j])
                        rough = coarse or radius[j] >= DISTRICT
                        close = km <= (FAR_KM if rough else NEAR_KM)
                        if close != (near == 0) or (near == 1 and km > PROVINCE_KM):
                            continue
                        found += 1
                        met[x] += 1
                        met[j] += 1
                        value = weigh(reports, alike, weights, x, j, gap, km)
                        if value > floor:
                            if kept < len(score):
                                pair[kept, 0], pair[kept, 1], score[kept] = x, j, value
                            kept += 1
    return found, kept


@compiled
def join(pairs: Any, scores: Any, count: Any, head: Any, following: Any, other: Any, weight: Any, used: Any) -> Any:
    """Hangs pairs into the chains of both their reports; gives how many places are used."""
    for p in range(count):
        for k in range(2):
            a, b = pairs[p, k], pairs[p, 1 - k]
            other[used], weight[used], following[used] = b, scores[p], head[a]
            head[a] = used
            used += 1
    return used


@compiled
def dirty(
    head: Any, following: Any, other: Any, weight: Any, half: Any, least: Any, prior: Any, alive: Any, queue: Any, begun: Any, mark: Any
) -> Any:
    """All reports of the components that hold the first `begun` of `queue`: how many, put into `queue`.

    least: for each report, the fewest candidates that it had or has, so that a link that was or is counts. mark: of those in the queue.
    """
    at, n = 0, begun
    while at < n:
        a = queue[at]
        at += 1
        e = head[a]
        while e >= 0:
            b = other[e]
            if alive[b] and not mark[b] and weight[e] + prior - half[least[a]] - half[least[b]] > 0:
                mark[b] = True
                queue[n] = b
                n += 1
            e = following[e]
    return n


@compiled
def among(
    head: Any, following: Any, other: Any, weight: Any, half: Any, counts: Any, prior: Any, members: Any, place: Any, pair: Any, odds: Any
) -> Any:
    """Pairs among `members` with their log-odds; place: of each report among them, -1 for others. How many there are, whether there is room or not."""
    n = 0
    for k in range(len(members)):
        a = members[k]
        e = head[a]
        while e >= 0:
            b = other[e]
            if place[b] > k:
                if n < len(odds):
                    pair[n, 0], pair[n, 1] = k, place[b]
                    odds[n] = weight[e] + prior - half[counts[a]] - half[counts[b]]
                n += 1
            e = following[e]
    return n
