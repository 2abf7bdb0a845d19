"""Candidates and levels of likeness, slow and plain: every pair of reports looked at by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

_RADII = (1.0, 5.0, 30.0)
_KM = (0.05, 1.0, 2.0, 3.5, 6.0, 9.0, 13.0, 20.0, 35.0, 60.0, 100.0, 170.0)
_RATIO = (0.01, 0.25, 0.5, 0.9, 1.5)
_SIZE = (0.6, 1.8, 4.0, 10.0, 25.0)


@dataclass(frozen=True)
class Report:
    start: int
    end: int
    lat: float | None
    lon: float | None
    radius: float | None
    province: str | None
    kind: str | None
    agency: str
    codes: tuple[str | None, str | None, str | None]  # attack, target, actor, as paths
    tolls: tuple[int | None, int | None]


def km(a: Report, b: Report) -> float | None:
    if a.lat is None or b.lat is None or a.lon is None or b.lon is None:
        return None
    across = min(abs(a.lon - b.lon), 360 - abs(a.lon - b.lon))
    return math.hypot((a.lat - b.lat) * 111.195, across * 111.195 * math.cos(math.radians((a.lat + b.lat) / 2)))


def precision(r: Report) -> int:
    if r.lat is None or r.radius is None:
        return 3
    return sum(r.radius > edge for edge in _RADII)


def candidate(a: Report, b: Report) -> bool:
    """Two reports that could be one incident: at most 3 days apart, not of two kinds of violence, and near, or of one province where one is known no better than a district."""
    first, second = (a, b) if a.start <= b.start else (b, a)
    if a.kind and b.kind and a.kind != b.kind:
        return False
    if second.start - first.end > 3:
        return False
    apart, rough = km(a, b), max(precision(a), precision(b)) >= 2
    if apart is not None and apart <= (60 if rough else 20):
        return True
    return rough and a.province is not None and a.province == b.province and (apart is None or apart <= 300)


def _bin(edges: tuple[float, ...], x: float) -> int:
    return sum(x > e for e in edges)


def _code(a: str | None, b: str | None) -> int:
    if a is None or b is None:
        return 0
    left, right = a.split("/")[:3], b.split("/")[:3]
    both = min(len(left), len(right))
    agree = next((k for k in range(both) if left[k] != right[k]), both)
    return both * (both + 1) // 2 + agree


def _toll(a: int | None, b: int | None) -> int:
    if a is None or b is None:
        return 0
    low, high = min(a, b) + 0.5, max(a, b) + 0.5
    return 1 + 6 * _bin(_RATIO, math.log(high / low)) + _bin(_SIZE, math.sqrt(low * high))


def levels(a: Report, b: Report) -> list[int]:
    """Levels of day, place, attack, target, actor, killed, wounded, agency."""
    first, second = (a, b) if a.start <= b.start else (b, a)
    same = a.agency == b.agency
    day = 8 + same if a.end > a.start or b.end > b.start else 4 * same + min(3, max(0, second.start - first.end))
    low, high = sorted((precision(a), precision(b)))
    apart = km(a, b)
    place = 0 if apart is None else 1 + (low * 4 + high) * 13 + _bin(_KM, apart)
    return [
        day,
        place,
        *(_code(x, y) for x, y in zip(a.codes, b.codes, strict=True)),
        *(_toll(x, y) for x, y in zip(a.tolls, b.tolls, strict=True)),
        int(same),
    ]
