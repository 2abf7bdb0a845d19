"""What names claim: the dated crosswalk as arrays, and a source's pair of names on a day as numbers of its areas and provinces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.intake.places.crosswalk import crosswalk
from tocsin.intake.places.towns import big_cities

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Tables:
    """The crosswalk as arrays. An epoch is a stretch of days between two changes of it."""

    areas: tuple[str, ...]
    provinces: tuple[str, ...]  # every name that a province bore
    province: Ints  # (areas, epochs): the province that an area lay in
    tribal: Bools  # (areas,)
    ground: Ints  # (districts of the map, epochs): the area that held that ground
    covers: Bools  # (areas, epochs, districts of the map)
    same: Ints  # (areas, epochs): number of the set of districts covered
    sets: tuple[Ints, Ints]  # those sets: start, district
    cities: Ints  # (areas, epochs): bit k is set where it touches big city k
    whole: Bools  # (areas,): city throughout
    calm: Bools  # (provinces,): without tribal areas and big cities


@cache
def tables() -> Tables:
    """The crosswalk as arrays, made once."""
    walk, cities = crosswalk(), big_cities()
    areas, days, districts = tuple(walk.areas), walk.changes, list(walk.mapped)
    names = [[walk.province_on(walk.areas[a].province, d) for d in days] for a in areas]
    provinces = tuple(dict.fromkeys(n for row in names for n in row))
    number, place = {n: i for i, n in enumerate(areas)}, {d: i for i, d in enumerate(districts)}
    covers = np.zeros((len(areas), len(days), len(districts)), bool)
    for i, area in enumerate(areas):
        for e, day in enumerate(days):
            covers[i, e, [place[d] for d in walk.map_areas(area, day)]] = True
    flat, same = np.unique(covers.reshape(-1, len(districts)), axis=0, return_inverse=True)
    bits = (flat.astype(np.int64) @ cities.touches.T.astype(np.int64) > 0) @ (1 << np.arange(len(cities.lat), dtype=np.int64))
    same = same.reshape(covers.shape[:2]).astype(np.int64)
    start = np.concatenate([[0], np.cumsum(flat.sum(axis=1))]).astype(np.int64)
    calm = {"Azad Jammu & Kashmir", "Gilgit-Baltistan", "Northern Areas"}
    return Tables(
        areas, provinces,
        np.array([[provinces.index(n) for n in row] for row in names], np.int64),
        np.array([walk.areas[a].tribal for a in areas]),
        np.array([[number[walk.at(p, d).name] for d in days] for p in districts], np.int64),
        covers, same, (start, np.nonzero(flat)[1].astype(np.int64)),
        bits[same],
        np.array([bool(m := walk.map_areas(a, days[-1])) and set(m) <= cities.whole for a in areas]),
        np.array([p in calm for p in provinces]),
    )  # fmt: skip


class Claim(NamedTuple):
    """What a pair of names claims; -1 where it names none that the crosswalk knows."""

    area: int
    province: int
    stale: bool  # the area no longer existed on that day
    fata: bool  # names the tribal areas as a whole
    unknown: int  # 1: the province's name is not in the crosswalk, 2: the district's, 3: both


@lru_cache(maxsize=200_000)
def _claim(admin1: str | None, admin2: str | None, epoch: int) -> Claim:
    walk, table = crosswalk(), tables()
    day: date = walk.changes[epoch]
    wide = walk.province_named(admin1) if admin1 else None
    area = walk.named(admin2, day) if admin2 else None
    unknown = int(bool(admin1) and wide is None) + 2 * int(bool(admin2) and area is None)
    if area is None and wide is not None and wide.name == "Islamabad Capital Territory":
        area = walk.areas["Islamabad"]
    fata = wide is not None and wide.tribal
    if area is not None:
        number = table.areas.index(area.name)
        return Claim(number, int(table.province[number, epoch]), day > area.end, fata, unknown)
    province = table.provinces.index(walk.province_on(wide.name, day)) if wide is not None else -1
    return Claim(-1, province, False, fata, unknown)


@dataclass(frozen=True)
class Claims:
    """The claims of rows, as arrays of shape (n,)."""

    area: Ints
    province: Ints
    stale: Bools
    fata: Bools
    unknown: Ints


def claims(admin1: pl.Series, admin2: pl.Series, epoch: Ints) -> Claims:
    """What each row's names claim on its day; names are looked up once for each pair and epoch."""
    pairs = pl.DataFrame({"a": admin1, "b": admin2})
    which, few = numbered(pairs)
    epochs = len(crosswalk().changes)
    code = which * epochs + epoch
    present = np.flatnonzero(np.bincount(code, minlength=few.height * epochs))
    one, two = few["a"].to_list(), few["b"].to_list()
    known = np.zeros((few.height * epochs, 5), np.int64)
    if len(present):
        known[present] = [_claim(one[c // epochs], two[c // epochs], c % epochs) for c in present.tolist()]
    area, province, stale, fata, unknown = known.T
    return Claims(area[code], province[code], stale[code] > 0, fata[code] > 0, unknown[code])


def numbered(frame: pl.DataFrame) -> tuple[Ints, pl.DataFrame]:
    """Rows told apart: (number of each row's kind, one row of each kind); by a 64-bit hash of all columns."""
    rows = pl.DataFrame({"h": frame.hash_rows(seed=11), "at": pl.int_range(frame.height, dtype=pl.Int64, eager=True)})
    first = rows.group_by("h").agg(pl.col("at").first()).sort("at").with_row_index("kind")
    kind = rows.join(first.select("h", "kind"), on="h", how="left", maintain_order="left")["kind"]
    return kind.cast(pl.Int64).to_numpy(), frame[first["at"]]
