"""The bundled shapes: districts of the 2023 map, and the outline of the countries."""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from tocsin.kernels.geo import Rings, index_rings

GeoJson = dict[str, Any]


def bundled(name: str) -> bytes:
    """The bytes of a bundled geography file, uncompressed."""
    return gzip.decompress(files("tocsin.data").joinpath("geo", name).read_bytes())


@cache
def _read(name: str) -> GeoJson:
    return dict(json.loads(bundled(name)))


@cache
def district_names() -> dict[str, str]:
    """Districts of the map and the province that the map draws them in, in the map's order."""
    return {f["properties"]["name"]: f["properties"]["province"] for f in _read("districts.geojson.gz")["features"]}


@cache
def district_rings() -> Rings:
    """The districts as the kernels take them; area i is the i-th name of `district_names`."""
    ring: list[list[float]] = []
    start, owner = [0], []
    for area, feature in enumerate(_read("districts.geojson.gz")["features"]):
        shape = feature["geometry"]
        for polygon in [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]:
            for line in polygon:
                ring += line
                start.append(len(ring))
                owner.append(area)
    return index_rings(np.array(ring, np.float64), np.array(start, np.int64), np.array(owner, np.int64), len(district_names()))


def districts() -> GeoJson:
    """Pakistan's 156 districts of 2023 as GeoJSON for the page, borders simplified to about 2 km, neighbours still touching.

    Each feature has `name` and `province`. (c) OpenStreetMap contributors, ODbL 1.0: the collection's `attribution` must be shown.
    """
    return _read("districts_page.geojson.gz")


def provinces() -> GeoJson:
    """Pakistan's provinces and territories of 2023 as GeoJSON for the page, made of the same borders as `districts`."""
    return _read("provinces_page.geojson.gz")


def outline(box: tuple[float, float, float, float] | None = None) -> GeoJson:
    """The countries as GeoJSON for the page: Pakistan and its neighbours, or what lies in `box` (west, south, east, north).

    Each feature has `name`. Natural Earth (public domain): 1:50m for the neighbours, 1:110m, unclipped at the edges of the box, elsewhere. Borders
    are those that Natural Earth draws, de facto; no position on any is taken.
    """
    if box is None:
        return _read("outline_region.geojson.gz")
    west, south, east, north = box
    world = _read("outline_world.geojson.gz")

    def touches(feature: GeoJson) -> bool:
        w, s, e, n = feature["bbox"]
        return bool(w <= east and e >= west and s <= north and n >= south)

    return {**world, "features": [f for f in world["features"] if touches(f)]}
