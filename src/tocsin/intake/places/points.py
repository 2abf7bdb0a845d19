"""What points and place names tell, whatever the day: the district of the map, the town, the cities near."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.intake.places.claims import numbered
from tocsin.intake.places.crosswalk import crosswalk
from tocsin.intake.places.shapes import district_rings
from tocsin.intake.places.towns import ON_TOWN_KM, big_cities, gazetteer, towns, towns_called
from tocsin.kernels.geo import area_of, haversine_km, nearest_area, widest_town

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: How far outside every district (coast, simplified border) a point may lie and still be of the nearest.
SHORE_KM = 5.0
#: A named place counts where a town of that name lies this near to the point: farther off, it is another place of that name.
SAME_PLACE_KM = 30.0


@dataclass(frozen=True)
class Points:
    """Points as arrays of shape (n,)."""

    lat: Floats  # of the named town where the source gives no point; NaN for none
    lon: Floats
    given: Bools  # the source gives the point
    home: Bools  # in the country of the crosswalk
    district: Ints  # of the map; -1 for none
    size: Floats  # 1-sigma radius of the town stood on or named, km; 0 for none, and where the source gives no point
    cities: Ints  # bit k is set where big city k reaches


def points(frame: pl.DataFrame) -> tuple[Ints, Points]:
    """(which, points): the distinct points of lat, lon, place, country, and each row's number among them."""
    which, few = numbered(frame.select("lat", "lon", "place", "country"))
    lat, lon = (few[c].fill_null(np.nan).to_numpy().copy() for c in ("lat", "lon"))
    town = _named_towns(few, lat, lon)
    bare = np.isnan(lat) | np.isnan(lon)
    lent = bare & (town >= 0)
    lat[lent], lon[lent] = towns().lat[town[lent]], towns().lon[town[lent]]
    home, district = _districts(few["country"], lat, lon)
    table, cities = towns(), big_cities()
    size = widest_town(lat, lon, (table.lat, table.lon), table.sigma, reach=ON_TOWN_KM)
    size = np.where(bare, 0.0, np.maximum(size, np.where(town >= 0, table.sigma[town], 0.0)))
    near = np.zeros(len(lat), np.int64)
    for k in range(len(cities.lat)):
        belt = np.flatnonzero(np.abs(lat - cities.lat[k]) * 111.0 <= cities.reach[k])  # a degree of latitude is longer than that everywhere
        km = haversine_km(lat[belt], lon[belt], cities.lat[k : k + 1], cities.lon[k : k + 1])
        near[belt] |= (km <= cities.reach[k]).astype(np.int64) << k
    return which, Points(lat, lon, ~bare, home, district, size, near)


def _districts(country: pl.Series, lat: Floats, lon: Floats) -> tuple[Bools, Ints]:
    """Which points are in the crosswalk's country (where none is named, by the point), and the district that holds them."""
    own = (country == crosswalk().country).fill_null(False).to_numpy()
    district = area_of(lat, lon, district_rings())
    home = own | (country.is_null().to_numpy() & (district >= 0))
    district[~home] = -1
    lost = home & (district < 0)
    if lost.any():
        district[lost] = nearest_area(lat[lost], lon[lost], district_rings(), reach=SHORE_KM)
    return home, district


def _named_towns(few: pl.DataFrame, lat: Floats, lon: Floats) -> Ints:
    """The town that each place name means, -1 for none: the widest of that name near the point; without a point, the one that dwarfs the others."""
    out = np.full(few.height, -1, np.int64)
    names = few["place"].unique(maintain_order=True)
    called = [towns_called(p) if p else ((), -1) for p in names]
    found, sole = [c[0] for c in called], np.array([c[1] for c in called], np.int64)
    many = np.array([len(f) for f in found], np.int64)
    start = np.concatenate([[0], np.cumsum(many)]).astype(np.int64)
    flat = np.array([t for f in found for t in f], np.int64)
    name = few.select("place").join(
        pl.DataFrame({"place": names}).with_row_index("n"), on="place", how="left", nulls_equal=True, maintain_order="left"
    )
    at = name["n"].cast(pl.Int64).to_numpy()
    rows = np.repeat(np.arange(few.height), many[at])
    if not len(rows):
        return out
    bare = np.isnan(lat) | np.isnan(lon)
    covered = few["country"].is_null() | few["country"].is_in(gazetteer()["country"].unique().to_list())
    out = np.where(bare & covered.to_numpy(), sole[at], -1)
    step = np.arange(len(rows)) - np.repeat(np.cumsum(many[at]) - many[at], many[at])
    town = flat[start[at[rows]] + step]
    table = towns()
    km = haversine_km(lat[rows], lon[rows], table.lat[town], table.lon[town])
    good = km <= SAME_PLACE_KM
    order = np.lexsort((town[good], table.sigma[town[good]]))
    out[rows[good][order]] = town[good][order]
    return out
