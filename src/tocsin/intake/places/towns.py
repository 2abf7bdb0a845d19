"""Towns: how far their built-up ground reaches, which of them a point stands on, which a name means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.intake.places.crosswalk import crosswalk, key
from tocsin.intake.places.shapes import bundled

Floats = NDArray[np.float64]

#: area in km2 = KM2 * population ** ELASTICITY. Exponent: Bettencourt, Science 340 (2013) 1438; factor: docs/methods/places.md.
KM2, ELASTICITY = 0.0100, 2 / 3
#: For a town whose population the gazetteer does not know: the median of those that it knows.
TYPICAL = 30_000
#: A point at most this far from a town's is taken to be the town's: gazetteers differ by about a kilometre on where a town is.
ON_TOWN_KM = 1.5
#: Cities of this many people are `big_city`.
BIG = 1_000_000

_TOWN_WORD = re.compile(r"(?i)\s+(town|village|city|area|tehsil|locality|cantonment|cantt)\.?$")


def builtup_km(population: pl.Expr) -> pl.Expr:
    """Radius in kilometres of a disk as large as a town's built-up ground, from its population; null counts as 30,000."""
    return (KM2 * population.fill_null(TYPICAL).cast(pl.Float64) ** ELASTICITY / np.pi).sqrt()


@cache
def gazetteer() -> pl.DataFrame:
    """Towns and places of Pakistan and Afghanistan.

    Columns: name (ASCII), alternates (list of Latin spellings), lat, lon, population (null: not known), builtup_km (radius of a disk as large as the
    built-up ground; of GED's places, which are valleys and hamlets as well as towns, null), country (ISO 3166-1 alpha-3), admin1, admin2 (of the
    2023 map; null outside Pakistan), source. GeoNames CC BY 4.0; UCDP GED CC BY 4.0.
    """
    cities = crosswalk().raw["big_cities"]
    frame = pl.read_csv(bundled("places.csv.gz"), schema_overrides={"alternates": pl.String, "population": pl.Int64})
    footprint = pl.col("name").replace_strict({n: c["footprint_km2"] for n, c in cities.items()}, default=None, return_dtype=pl.Float64)
    is_city = (pl.col("country") == crosswalk().country) & (pl.col("population") >= BIG)
    return frame.select(
        "name",
        pl.col("alternates").fill_null("").str.split("|").list.eval(pl.element().filter(pl.element() != "")),
        "lat",
        "lon",
        "population",
        pl.when(is_city & footprint.is_not_null())
        .then((footprint / np.pi).sqrt())
        .when(pl.col("source") == "GeoNames")
        .then(builtup_km(pl.col("population")))
        .alias("builtup_km"),
        "country",
        "admin1",
        "admin2",
        "source",
    )


@cache
def gazetteer_names() -> dict[str, str]:
    """Lower-case names and spellings, in Latin letters, that mean one place only -> the place's canonical name.

    For finding places in English text: names of fewer than four letters (spellings: five) and the English words, given names and peoples listed in
    crosswalk_pak.yml (`not_in_text`) are left out. A name that several places share means the one with ten times the people of any other, or none.
    Districts and agencies are among the names.
    """
    skip = {s.lower() for s in crosswalk().raw["not_in_text"]}
    claims: dict[str, list[_Claimant]] = {}
    for row in gazetteer().iter_rows(named=True):
        for text, least in ((row["name"], 4), *((a, 5) for a in row["alternates"])):
            if len(text) >= least and text.lower() not in skip:
                claims.setdefault(text.lower(), []).append(_Claimant(row["population"] or 0, row["name"], row["lat"], row["lon"]))
    out = {text: str(one.place) for text, found in claims.items() if (one := _one(found)) is not None}
    for area in crosswalk().areas.values():
        text = re.sub(r" \(.*\)", "", area.name).lower()
        if len(text) >= 4 and text not in skip and text not in claims:
            out[text] = area.name
    return out


class _Claimant(NamedTuple):
    """A place that bears a name."""

    population: int
    place: Any  # its name, or its number
    lat: float
    lon: float


def _one(found: list[_Claimant]) -> _Claimant | None:
    """The place that a shared name means: the only one, one that dwarfs the others, or one written down twice within 15 km."""
    first, *rest = sorted(found, key=lambda c: (-c.population, c.place, c.lat, c.lon))
    if all(abs(first.lat - r.lat) < 0.13 and abs(first.lon - r.lon) < 0.15 for r in rest):
        return first
    return first if first.population >= max(100_000, 10 * rest[0].population) else None


@dataclass(frozen=True)
class Towns:
    """The gazetteer as the kernels take it, sorted by latitude."""

    lat: Floats
    lon: Floats
    sigma: Floats  # 1-sigma position uncertainty of a point that stands for the town, km; 0 for GED's places
    by_name: dict[str, tuple[int, ...]]  # key of a name -> towns
    alone: dict[str, int]  # key of a name -> the one town that it means without a point to go by


@cache
def towns() -> Towns:
    """The towns, with the uncertainty of a point that stands for one.

    Where the true spot and the point that the source uses for the town each lie anywhere in a disk of radius R, the difference has a standard
    deviation of R / sqrt(2) along each axis: R/2 from each of the two.
    """
    frame = gazetteer().sort("lat", "lon", "name")
    by_name: dict[str, list[int]] = {}
    for i, (name, alternates) in enumerate(frame.select("name", "alternates").iter_rows()):
        for text in dict.fromkeys(key(t) for t in (name, *alternates)):
            by_name.setdefault(text, []).append(i)
    sigma = (frame["builtup_km"].fill_null(0.0) / np.sqrt(2)).to_numpy()
    rows = [_Claimant(p or 0, i, a, b) for i, (p, a, b) in enumerate(frame.select("population", "lat", "lon").iter_rows())]
    alone = {k: one.place for k, v in by_name.items() if (one := _one([rows[i] for i in v])) is not None}
    return Towns(frame["lat"].to_numpy(), frame["lon"].to_numpy(), sigma, {k: tuple(v) for k, v in by_name.items()}, alone)


@cache
def towns_called(place: str) -> tuple[tuple[int, ...], int]:
    """(rows of `towns` that a place name may mean, the one that it means without a point or -1); "Karachi town" and "Karachi" alike."""
    text = key(_TOWN_WORD.sub("", place))
    return towns().by_name.get(text, ()), towns().alone.get(text, -1)


@dataclass(frozen=True)
class BigCities:
    """Cities of a million: where they are, how far they reach, which districts of the map they touch."""

    lat: Floats
    lon: Floats
    reach: Floats  # km from the point beyond which no built-up ground of the city lies
    touches: NDArray[np.bool_]  # (cities, districts of the map); all false outside Pakistan
    whole: frozenset[str]  # districts that are city throughout


@cache
def big_cities() -> BigCities:
    """Cities with at least a million people, by the census of 2017 in Pakistan and by GeoNames elsewhere.

    A city's point lies somewhere in its built-up ground, taken for a disk of radius R: all of that ground is then within 2 R of the point.
    """
    walk = crosswalk()
    cities = walk.raw["big_cities"]
    frame = gazetteer().filter(pl.col("population") >= BIG, pl.col("source") == "GeoNames").sort("country", "name")
    names = list(walk.mapped)
    touches = np.zeros((frame.height, len(names)), bool)
    for row, (name, country) in enumerate(frame.select("name", "country").iter_rows()):
        if country == walk.country:
            touches[row, [names.index(d) for d in cities[name]["districts"]]] = True
    whole = frozenset(d for c in cities.values() if c.get("whole") for d in c["districts"])
    reach = 2 * frame["builtup_km"].to_numpy() + ON_TOWN_KM
    return BigCities(frame["lat"].to_numpy(), frame["lon"].to_numpy(), reach, touches, whole)
