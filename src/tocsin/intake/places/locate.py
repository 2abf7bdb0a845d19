"""locate(): a source's names and points -> names of the dated crosswalk, class of area, and an honest radius."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.errors import ContractError
from tocsin.intake.places.crosswalk import crosswalk
from tocsin.intake.places.shapes import district_rings
from tocsin.intake.places.towns import ON_TOWN_KM, big_cities, towns, towns_called
from tocsin.kernels.geo import area_of, haversine_km, nearest_area, outside_km, widest_town
from tocsin.terms.tables import AREA_CLASS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: A point known no better than this (a district, in every codebook read here) does not choose between districts.
DISTRICT_KM = 25.0
#: How far outside every district (coast, simplified border) a point may lie and still be of the nearest.
SHORE_KM = 5.0
#: A named place counts where a town of that name lies this near to the point: farther off, it is another place of that name.
SAME_PLACE_KM = 30.0
#: A point this far outside the district that the source names contradicts it: listed.
CONTRADICTION_KM = 25.0

_IN = {"lat": pl.Float64, "lon": pl.Float64, "place": pl.String, "admin1": pl.String, "admin2": pl.String, "country": pl.String,
       "event_start": pl.Date, "radius_km": pl.Float64}  # fmt: skip
UNPLACED = pl.Schema({"place": pl.String, "admin1": pl.String, "admin2": pl.String, "country": pl.String, "rows": pl.Int64, "reason": pl.String})


def locate(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with the names, class and radius that their place has on the day of the event, and a list of what maps to nothing.

    frame: lat, lon (degrees), place, admin1, admin2 (as the source writes them), country (ISO 3166-1 alpha-3), event_start, radius_km (what the
    source states, km, 1 sigma); any of them null; further columns are kept. Returns (frame, unplaced): the same rows in the same order with admin1
    and admin2 (names of the dated crosswalk; as the source writes them in a country without one), area_class (null: cannot be told) and radius_km
    (never less than stated); and place, admin1, admin2, country, rows, reason. A null day is read as today. Raises `ContractError` where a column is
    missing. Rules: docs/methods/places.md.
    """
    for name in _IN:
        if name not in frame.columns:
            raise ContractError(f"locate: column {name!r} is missing; it takes {', '.join(_IN)}")
    keys = frame.select(pl.col(c).cast(t) for c, t in _IN.items()).with_columns(_epochs(frame["event_start"].cast(pl.Date))).drop("event_start")
    groups = pl.DataFrame({"h": keys.hash_rows(seed=11), "at": pl.int_range(frame.height, dtype=pl.Int64, eager=True)})
    first = groups.group_by("h", maintain_order=True).agg(pl.col("at").first(), rows=pl.len().cast(pl.Int64))
    some = keys[first["at"]]
    found, reason = _resolved(some)
    where = groups.join(first.select("h", which=pl.int_range(pl.len(), dtype=pl.Int64)), on="h", how="left", maintain_order="left")["which"]
    return frame.with_columns(found[where].get_columns()), _unplaced(some.with_columns(rows=first["rows"], reason=reason))


def _epochs(days: pl.Series) -> pl.Series:
    """Which stretch between two changes of the crosswalk a day lies in; the last where the day is null."""
    changes = crosswalk().changes
    at = np.searchsorted(np.array(changes, "datetime64[D]"), days.to_numpy().astype("datetime64[D]"), side="right") - 1
    return pl.Series("epoch", np.where(days.is_null().to_numpy(), len(changes) - 1, at), dtype=pl.Int64)


@dataclass(frozen=True)
class _Tables:
    """The crosswalk as arrays: areas by number, by epoch."""

    names: tuple[str, ...]
    number: dict[str, int]
    province: NDArray[np.object_]  # (areas, epochs): name of the province on that day
    tribal: Bools  # (areas,)
    ground: Ints  # (districts of the map, epochs): the area that holds that ground
    covers: Bools  # (areas, epochs, districts of the map)
    whole_city: Bools  # (areas,): city throughout


@cache
def _tables() -> _Tables:
    walk, cities = crosswalk(), big_cities()
    names, days, districts = tuple(walk.areas), walk.changes, list(walk.mapped)
    number = {n: i for i, n in enumerate(names)}
    province = np.array([[walk.province_on(walk.areas[n].province, d) for d in days] for n in names], dtype=object)
    ground = np.array([[number[walk.at(p, d).name] for d in days] for p in districts], np.int64)
    place = {d: i for i, d in enumerate(districts)}
    covers = np.zeros((len(names), len(days), len(districts)), bool)
    for i, name in enumerate(names):
        for e, day in enumerate(days):
            covers[i, e, [place[d] for d in walk.map_areas(name, day)]] = True
    whole = np.array([bool(a := walk.map_areas(n, days[-1])) and set(a) <= cities.whole for n in names])
    return _Tables(names, number, province, np.array([walk.areas[n].tribal for n in names]), ground, covers, whole)


@dataclass(frozen=True)
class _Claim:
    """What a source's names claim: numbers of an area, names of a province; -1 and None where it names none that is known."""

    area: int = -1
    stale: bool = False  # the area no longer existed on that day: the point may choose among its successors
    province: str | None = None
    fata: bool = False  # names the tribal areas as a whole
    unknown1: bool = False
    unknown2: bool = False


@lru_cache(maxsize=100_000)
def _claim(admin1: str | None, admin2: str | None, epoch: int) -> _Claim:
    walk, tables = crosswalk(), _tables()
    day: date = walk.changes[epoch]
    wide = walk.province_named(admin1) if admin1 else None
    area = walk.named(admin2, day) if admin2 else None
    fata = wide is not None and wide.tribal
    unknown1, unknown2 = bool(admin1) and wide is None, bool(admin2) and area is None
    if area is None and wide is not None and wide.name == "Islamabad Capital Territory":
        area = walk.areas["Islamabad"]
    province = walk.province_on(wide.name, day) if wide is not None else None
    if area is None:
        return _Claim(province=province, fata=fata, unknown1=unknown1, unknown2=unknown2)
    number = tables.number[area.name]
    return _Claim(number, day > area.end, tables.province[number, epoch], fata, unknown1, unknown2)


@dataclass
class _Rows:
    """Distinct rows as arrays."""

    lat: Floats
    lon: Floats
    stated: Floats  # radius_km, NaN where the source states none
    epoch: Ints
    home: Bools  # in the crosswalk's country
    district: Ints  # district of the map that holds the point, -1 for none
    town: Ints  # the gazetteer's row that the place names, -1 for none
    named: Ints  # the area that the source names
    stale: Bools
    province: NDArray[np.object_]
    fata: Bools
    unknown: NDArray[np.object_]  # which of its names are not in the crosswalk


def _rows(some: pl.DataFrame) -> _Rows:
    own = (some["country"] == crosswalk().country).fill_null(False).to_numpy()
    lat, lon = some["lat"].to_numpy().copy(), some["lon"].to_numpy().copy()
    epoch = some["epoch"].to_numpy()
    town = _named_towns(some, lat, lon)
    bare = np.isnan(lat) | np.isnan(lon)
    lat[bare & (town >= 0)], lon[bare & (town >= 0)] = towns().lat[town[bare & (town >= 0)]], towns().lon[town[bare & (town >= 0)]]
    district = area_of(lat, lon, district_rings())
    open_home = (some["country"].is_null()).to_numpy() & (district >= 0)
    home = own | open_home
    outside = home & (district < 0)
    if outside.any():
        district[outside] = nearest_area(lat[outside], lon[outside], district_rings(), reach=SHORE_KM)
    district[~home] = -1
    blank = _Claim()
    names = zip(some["admin1"], some["admin2"], epoch.tolist(), home.tolist(), strict=True)
    claims = [_claim(a, b, e) if h else blank for a, b, e, h in names]
    return _Rows(
        lat, lon, some["radius_km"].to_numpy(), epoch, home, district, town,
        np.array([c.area for c in claims], np.int64),
        np.array([c.stale for c in claims], bool),
        np.array([c.province for c in claims], object),
        np.array([c.fata for c in claims], bool),
        np.array([("district " if c.unknown2 else "") + ("province " if c.unknown1 else "") for c in claims], object),
    )  # fmt: skip


def _named_towns(some: pl.DataFrame, lat: Floats, lon: Floats) -> Ints:
    """The town that each place name means: the widest of that name near the point; without a point, the only one."""
    out = np.full(some.height, -1, np.int64)
    found = [towns_called(p) if p else () for p in some["place"]]
    rows = np.array([i for i, f in enumerate(found) for _ in f], np.int64)
    which = np.array([t for f in found for t in f], np.int64)
    if not len(rows):
        return out
    table = towns()
    km = haversine_km(lat[rows], lon[rows], table.lat[which], table.lon[which])
    single = np.array([len(f) == 1 for f in found])[rows]
    good = (km <= SAME_PLACE_KM) | (np.isnan(km) & single & (some["country"].is_null() | some["country"].is_in(["PAK", "AFG"])).to_numpy()[rows])
    order = np.lexsort((which[good], table.sigma[which[good]]))
    out[rows[good][order]] = which[good][order]
    return out


def _resolved(some: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """(admin1, admin2, area_class, radius_km) and the reason for a listing, of distinct rows."""
    rows, tables = _rows(some), _tables()
    close = np.isnan(rows.stated) | (rows.stated <= DISTRICT_KM)
    area = _areas(rows, close)
    has = area >= 0
    province = rows.province.copy()
    province[has] = tables.province[area[has], rows.epoch[has]]
    stray = _stray_km(rows)
    radius = _radius(rows, stray)
    kind = _area_class(rows, area, province, close & ~(rows.stated >= DISTRICT_KM))
    names = np.array([*tables.names, None], object)
    raw1, raw2 = some["admin1"], some["admin2"]
    own = pl.Series(rows.home)
    found = pl.DataFrame(
        {
            "admin1": pl.Series(province.tolist(), dtype=pl.String),
            "admin2": pl.Series(names[area].tolist(), dtype=pl.String),
            "area_class": pl.Series(kind.tolist(), dtype=pl.Enum(AREA_CLASS)),
            "radius_km": pl.Series(radius, nan_to_null=True),
        }
    ).with_columns(
        admin1=pl.when(own).then(pl.coalesce("admin1", raw1)).otherwise(raw1),
        admin2=pl.when(own).then(pl.coalesce("admin2", raw2)).otherwise(raw2),
    )
    return found, _reasons(some, rows, province, stray)


def _areas(rows: _Rows, close: Bools) -> Ints:
    """The area of each row: the one that the source names, else the one that holds its point."""
    tables = _tables()
    area = rows.named.copy()
    held = rows.district >= 0
    ground = np.full(len(area), -1, np.int64)
    ground[held] = tables.ground[rows.district[held], rows.epoch[held]]
    stale = rows.stale & held & close
    stale[stale] = tables.covers[rows.named[stale], rows.epoch[stale], rows.district[stale]]
    area[stale] = ground[stale]
    # a frontier region that is no more is the district around it, wherever the point lies
    for i in np.flatnonzero(rows.stale & ~stale):
        covered = np.flatnonzero(tables.covers[rows.named[i], rows.epoch[i]])
        if len(covered) == 1:
            area[i] = tables.ground[covered[0], rows.epoch[i]]
    free = (area < 0) & (ground >= 0) & close
    wide = np.array([p is None for p in rows.province])
    free[free] = wide[free] | (tables.province[ground[free], rows.epoch[free]] == rows.province[free])
    area[free] = ground[free]
    return area


def _stray_km(rows: _Rows) -> Floats:
    """How far each point lies outside the area that its source names; 0 where it lies in it or names none."""
    tables = _tables()
    out = np.zeros(len(rows.lat))
    held = (rows.named >= 0) & ~np.isnan(rows.lat) & ~np.isnan(rows.lon)
    inside = held & (rows.district >= 0)
    inside[inside] = tables.covers[rows.named[inside], rows.epoch[inside], rows.district[inside]]
    far = held & ~inside
    if far.any():
        sets, at = np.unique(np.stack([rows.named[far], rows.epoch[far]]), axis=1, return_inverse=True)
        members = [np.flatnonzero(tables.covers[a, e]) for a, e in sets.T]
        start = np.cumsum([0, *(len(m) for m in members)]).astype(np.int64)
        flat = np.concatenate(members).astype(np.int64)
        out[far] = outside_km(rows.lat[far], rows.lon[far], at.ravel().astype(np.int64), (start, flat), district_rings())
    return out


def _radius(rows: _Rows, stray: Floats) -> Floats:
    """The largest of what the source states, the town that the point stands on, the town it names, and how far it strays; NaN where none."""
    table = towns()
    size = widest_town(rows.lat, rows.lon, (table.lat, table.lon), table.sigma, reach=ON_TOWN_KM)
    size = np.maximum(size, np.where(rows.town >= 0, table.sigma[rows.town], 0.0))
    size = np.maximum(size, np.where(np.isfinite(stray), stray, 0.0))
    return np.fmax(rows.stated, np.where(size > 0, size, np.nan))


def _area_class(rows: _Rows, area: Ints, province: NDArray[np.object_], sharp: Bools) -> NDArray[np.object_]:
    """tribal, big_city, mainland; None where the row may be of more than one, and abroad where no big city is near."""
    tables, cities = _tables(), big_cities()
    out = np.full(len(area), None, object)
    km = haversine_km(rows.lat[:, None], rows.lon[:, None], cities.lat[None, :], cities.lon[None, :])
    near = (km <= cities.reach) & sharp[:, None]
    ground = np.zeros((len(area), cities.touches.shape[1]), bool)
    has = area >= 0
    ground[has] = tables.covers[area[has], rows.epoch[has]]
    touched = ground.astype(np.int8) @ cities.touches.T.astype(np.int8) > 0
    city = (near & np.where(rows.home[:, None], touched, ~cities.touches.any(axis=1))).any(axis=1)
    whole = has & tables.whole_city[area]
    tribal = rows.fata | (has & tables.tribal[area]) | ((rows.named >= 0) & tables.tribal[rows.named])
    may_be_city = touched.any(axis=1) & ~sharp
    out[has & ~may_be_city] = "mainland"
    wide = rows.home & ~has
    out[wide & np.isin(province, ["Azad Jammu & Kashmir", "Gilgit-Baltistan", "Northern Areas"])] = "mainland"
    out[city | whole] = "big_city"
    out[tribal] = "tribal"
    return out


def _reasons(some: pl.DataFrame, rows: _Rows, province: NDArray[np.object_], stray: Floats) -> pl.Series:
    """Why a row is listed; null where it is not."""
    nothing = np.array([p is None for p in province])
    imprecise = ~np.isnan(rows.lat) & (rows.stated > DISTRICT_KM)
    out = np.full(len(nothing), None, object)
    out[stray > CONTRADICTION_KM] = "the point lies far outside the district named: the name is kept, the radius reaches to it"
    out[nothing] = "no province is named, and no point tells it"
    out[nothing & imprecise] = "no province is named, and the point is not precise enough to tell it"
    for i in np.flatnonzero(rows.unknown != ""):
        what = " and ".join(rows.unknown[i].split())
        out[i] = f"{what} not in the crosswalk: " + ("kept as written" if nothing[i] else "placed by what else is known")
    abroad = ~rows.home & some["country"].is_not_null().to_numpy()
    out[abroad] = "no crosswalk for this country: names are kept as the source writes them"
    out[~rows.home & ~abroad] = "no country is named, and no point tells it"
    return pl.Series("reason", out.tolist(), dtype=pl.String)


def _unplaced(some: pl.DataFrame) -> pl.DataFrame:
    """What maps to nothing, rows counted; a country without a crosswalk is one line."""
    keys = ["place", "admin1", "admin2"]
    abroad = pl.col("reason").str.starts_with("no crosswalk")
    listed = some.filter(pl.col("reason").is_not_null()).with_columns(pl.when(~abroad).then(pl.col(c)).alias(c) for c in keys)
    counted = listed.group_by(*keys, "country", "reason").agg(pl.col("rows").sum())
    return counted.select(UNPLACED.names()).cast(dict(UNPLACED)).sort("rows", *keys, "country", "reason", descending=[True] + [False] * 5)  # type: ignore[arg-type]
