"""Slow, obvious geography: what kernels/geo.py must equal."""

from __future__ import annotations

import math
from itertools import pairwise

EARTH_KM = 6371.0088

Ring = list[tuple[float, float]]  # (lon, lat), closed


def km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Spherical distance by the angle between two unit vectors (not the haversine formula)."""

    def unit(lat: float, lon: float) -> tuple[float, float, float]:
        a, b = math.radians(lat), math.radians(lon)
        return math.cos(a) * math.cos(b), math.cos(a) * math.sin(b), math.sin(a)

    p, q = unit(lat1, lon1), unit(lat2, lon2)
    cross = (p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0])
    return EARTH_KM * math.atan2(math.sqrt(sum(c * c for c in cross)), sum(a * b for a, b in zip(p, q, strict=True)))


def holds(rings: list[Ring], lat: float, lon: float) -> bool:
    """True where a ray to the east crosses the rings an odd number of times."""
    crossings = 0
    for ring in rings:
        for (x1, y1), (x2, y2) in pairwise(ring):
            if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
                crossings += 1
    return crossings % 2 == 1


def area_of(areas: list[list[Ring]], lat: float, lon: float) -> int:
    """The first area that holds a point; -1 where none does."""
    return next((i for i, rings in enumerate(areas) if holds(rings, lat, lon)), -1)


def widest_town(towns: list[tuple[float, float, float]], lat: float, lon: float, reach: float) -> float:
    """The largest size of the towns (lat, lon, size) within `reach` km; 0 where there is none."""
    return max((size for a, b, size in towns if km(lat, lon, a, b) <= reach), default=0.0)
