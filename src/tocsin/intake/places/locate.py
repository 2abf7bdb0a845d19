"""locate(): a source's names and points -> names of the dated crosswalk, class of area, and an honest radius."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.errors import ContractError
from tocsin.intake.places.claims import Claims, claims, tables
from tocsin.intake.places.crosswalk import crosswalk
from tocsin.intake.places.points import Points, points
from tocsin.intake.places.shapes import district_rings
from tocsin.intake.places.towns import big_cities, gazetteer, towns
from tocsin.kernels.geo import outside_km
from tocsin.terms.tables import AREA_CLASS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: A point known no better than this (a district, in every codebook read here) tells the district, not the spot in it.
DISTRICT_KM = 25.0
#: A point this far outside the district that the source names contradicts it: listed.
CONTRADICTION_KM = 25.0

_TRIBAL, _MAINLAND, _BIG_CITY = range(3)
_IN = {"lat": pl.Float64, "lon": pl.Float64, "place": pl.String, "admin1": pl.String, "admin2": pl.String, "country": pl.String,
       "event_start": pl.Date, "radius_km": pl.Float64}  # fmt: skip
_UNPLACED = {"place": pl.String, "admin1": pl.String, "admin2": pl.String, "country": pl.String, "rows": pl.Int64, "reason": pl.String}

_ABROAD = 4
_MARGIN = 3.0  # degrees: no town and no big city reaches so far
_REASONS = (
    "no province is named, and no point tells it",
    "no province is named, and the point is not precise enough to tell it",
    "the point lies far outside the district named: the name is kept, the radius reaches to the district",
    "no country is named, and no point tells it",
    "no crosswalk for this country: names are kept as the source writes them",
    "the province's name is not in the crosswalk: placed by what else is known, or kept as written",
    "the district's name is not in the crosswalk: placed by what else is known, or kept as written",
    "neither name is in the crosswalk: placed by the point, or kept as written",
)


def locate(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows with the names, class and radius that their place has on the day of the event, and a list of what maps to nothing.

    frame: lat, lon (degrees), place, admin1, admin2 (as the source writes them), country (ISO 3166-1 alpha-3), event_start, radius_km (what the
    source states, km, 1 sigma); any of them null; further columns are kept. Returns (frame, unplaced): the same rows in the same order with admin1
    and admin2 (names of the dated crosswalk; as the source writes them in a country without one), area_class (null: cannot be told) and radius_km
    (never less than stated); and place, admin1, admin2, country, rows, reason, for the eye: the rows themselves are all in frame. A null day is read
    as today. Raises `ContractError` where a column is missing. Rules: docs/methods/places.md.
    """
    for name in _IN:
        if name not in frame.columns:
            raise ContractError(f"locate: column {name!r} is missing; it takes {', '.join(_IN)}")
    raw = frame.select(pl.col(c).cast(t) for c, t in _IN.items())
    far = _far_abroad(raw)
    if not far.any():
        found, reason = _found(raw)
    else:
        kept = raw.select("admin1", "admin2", pl.lit(None, dtype=pl.Enum(AREA_CLASS)).alias("area_class"), "radius_km")
        reason = np.full(raw.height, _ABROAD)
        found = kept
        if not far.all():
            near, reason[~far] = _found(raw.filter(~far))
            at = np.where(far, np.arange(raw.height), raw.height + np.cumsum(~far) - 1)
            found = pl.concat([kept, near])[at]
    return frame.with_columns(found.get_columns()), _unplaced(raw, reason)


def _far_abroad(raw: pl.DataFrame) -> Bools:
    """Rows of another country, by name, whose point (or, where there is none, whose country) is nowhere near a town or area that is known here."""
    table = towns()
    country = pl.col("country")
    off = pl.any_horizontal(
        ~pl.col(c).is_between(float(known.min()) - _MARGIN, float(known.max()) + _MARGIN)
        for c, known in (("lat", table.lat), ("lon", table.lon))
    )
    unknown = ~country.is_in(gazetteer()["country"].unique().to_list())
    bare = pl.col("lat").is_null() | pl.col("lon").is_null()
    far = country.is_not_null() & (country != crosswalk().country) & pl.when(bare).then(unknown).otherwise(off)
    return raw.select(far.fill_null(False)).to_series().to_numpy()


def _found(raw: pl.DataFrame) -> tuple[pl.DataFrame, Ints]:
    """(admin1, admin2, area_class and radius_km of each row; what it is listed for, -1 for nothing)."""
    rows = _rows(raw)
    area, ground = _areas(rows)
    table = tables()
    province = np.where(area >= 0, table.province[area, rows.epoch], rows.claim.province)
    stray = _stray_km(rows)
    radius = np.fmax(rows.stated, np.where((size := np.maximum(rows.at("size"), stray)) > 0, size, np.nan))
    kind = pl.Series([*AREA_CLASS, None], dtype=pl.Enum(AREA_CLASS)).gather(pl.Series(_area_class(rows, area, ground, province) % 4))
    own = pl.Series(rows.home)
    found = pl.DataFrame({"1": _named(table.provinces, province), "2": _named(table.areas, area)}).select(
        pl.when(own).then(pl.coalesce("1", raw["admin1"])).otherwise(raw["admin1"]).alias("admin1"),
        pl.when(own).then(pl.coalesce("2", raw["admin2"])).otherwise(raw["admin2"]).alias("admin2"),
        kind.alias("area_class"),
        pl.Series("radius_km", radius, nan_to_null=True),
    )
    return found, _reason(rows, province, stray, raw["country"])


@dataclass(frozen=True)
class _Rows:
    """Rows as arrays of shape (n,): what each one's point tells, and what its names claim."""

    which: Ints  # number of its point
    points: Points
    claim: Claims
    epoch: Ints
    stated: Floats  # radius_km, NaN where the source states none
    home: Bools
    district: Ints
    near: Bools  # its point tells the district

    def at(self, column: str) -> NDArray[np.float64]:
        """A column of the points, a value a row."""
        return np.asarray(getattr(self.points, column)[self.which])


def _rows(raw: pl.DataFrame) -> _Rows:
    which, spots = points(raw)
    epoch = _epochs(raw["event_start"])
    claim = claims(raw["admin1"], raw["admin2"], epoch)
    home = spots.home[which]
    abroad = Claims(*(np.where(home, c, np.int64(n)) for c, n in zip(vars(claim).values(), (-1, -1, 0, 0, 0), strict=True)))
    claim = Claims(abroad.area, abroad.province, abroad.stale > 0, abroad.fata > 0, abroad.unknown)
    stated = raw["radius_km"].fill_null(np.nan).to_numpy()
    return _Rows(which, spots, claim, epoch, stated, home, spots.district[which], ~(stated > DISTRICT_KM))


def _epochs(days: pl.Series) -> Ints:
    """Which stretch between two changes of the crosswalk a day lies in; the last where the day is null."""
    changes = np.array(crosswalk().changes, "datetime64[D]").astype(np.int64)
    day = days.to_physical().cast(pl.Int64).fill_null(changes[-1]).to_numpy()
    return np.searchsorted(changes, day, side="right") - 1


def _named(names: tuple[str, ...], number: Ints) -> pl.Series:
    """Numbers as names; -1 as null."""
    return pl.Series([*names, None], dtype=pl.String).gather(pl.Series(np.where(number < 0, len(names), number)))


def _areas(rows: _Rows) -> tuple[Ints, Ints]:
    """(area, ground): the area of each row, by its names or else its point; and the area that held its point's ground, -1 for none."""
    table, claim = tables(), rows.claim
    area = claim.area.copy()
    held = np.flatnonzero(rows.district >= 0)
    ground = np.full(len(area), -1, np.int64)
    ground[held] = table.ground[rows.district[held], rows.epoch[held]]
    stale = np.flatnonzero(claim.stale)
    if len(stale):
        code = np.stack([claim.area[stale], rows.epoch[stale], np.where(rows.near[stale], rows.district[stale], -1)])
        kinds, back = np.unique(code, axis=1, return_inverse=True)
        area[stale] = np.array([_heir(*k) for k in kinds.T.tolist()], np.int64)[back.ravel()]
    free = np.flatnonzero((area < 0) & (ground >= 0) & rows.near)
    fits = (claim.province[free] < 0) | (table.province[ground[free], rows.epoch[free]] == claim.province[free])
    area[free[fits]] = ground[free[fits]]
    return area, ground


def _heir(area: int, epoch: int, district: int) -> int:
    """What an area that is no more has become: where the point tells it, the area there; else its only heir, else itself."""
    table = tables()
    covered = np.flatnonzero(table.covers[area, epoch])
    if district in covered:
        return int(table.ground[district, epoch])
    heirs = np.unique(table.ground[covered, epoch])
    return int(heirs[0]) if len(heirs) == 1 else area


def _stray_km(rows: _Rows) -> Floats:
    """How far each point lies outside the area that its source names; 0 where it lies in it, or names none."""
    table, named = tables(), rows.claim.area
    out = np.zeros(len(named))
    held = np.flatnonzero((named >= 0) & rows.points.given[rows.which])
    inside = (rows.district[held] >= 0) & table.covers[named[held], rows.epoch[held], rows.district[held]]
    far = held[~inside]
    if len(far):
        kinds = len(table.sets[0])
        pair, back = np.unique(rows.which[far] * kinds + table.same[named[far], rows.epoch[far]], return_inverse=True)
        spot, kind = pair // kinds, pair % kinds
        out[far] = outside_km(rows.points.lat[spot], rows.points.lon[spot], kind, table.sets, district_rings())[back]
    return out


def _area_class(rows: _Rows, area: Ints, ground: Ints, province: Ints) -> Ints:
    """0 tribal, 1 mainland, 2 big city; 3 where the row may be of more than one, or is abroad and near no big city."""
    table, claim = tables(), rows.claim
    has = area >= 0
    touched = np.where(has, table.cities[area, rows.epoch], 0)
    foreign = np.int64(sum(1 << int(k) for k in np.flatnonzero(~big_cities().touches.any(axis=1))))
    sharp = ~(rows.stated >= DISTRICT_KM)
    city = sharp & ((rows.at("cities") & np.where(rows.home, touched, foreign)) > 0)
    out = np.full(len(area), 3, np.int64)
    out[has & ((touched == 0) | sharp)] = _MAINLAND
    out[~has & (province >= 0) & table.calm[province]] = _MAINLAND
    out[city | (has & table.whole[area])] = _BIG_CITY
    out[claim.fata | (has & table.tribal[area]) | ((claim.area >= 0) & table.tribal[claim.area])] = _TRIBAL
    return out


def _reason(rows: _Rows, province: Ints, stray: Floats, country: pl.Series) -> Ints:
    """Which of `_REASONS` a row is listed for; -1 where for none."""
    out = np.full(len(province), -1, np.int64)
    out[stray > CONTRADICTION_KM] = 2
    nowhere = rows.home & (province < 0)
    out[nowhere] = 0
    out[nowhere & ~rows.near & (rows.district >= 0)] = 1
    unknown = rows.claim.unknown > 0
    out[unknown] = 4 + rows.claim.unknown[unknown]
    out[~rows.home] = np.where(country.is_null().to_numpy()[~rows.home], 3, _ABROAD)
    return out


def _unplaced(raw: pl.DataFrame, reason: Ints) -> pl.DataFrame:
    """What maps to nothing, rows counted, most first; a country without a crosswalk is one line."""
    keys = ["place", "admin1", "admin2"]
    listed = raw.select(*keys, "country").with_columns(why=pl.Series(reason)).filter(pl.col("why") >= 0)
    listed = listed.with_columns(pl.when(pl.col("why") != _ABROAD).then(pl.col(c)).alias(c) for c in keys)
    counted = listed.group_by(*keys, "country", "why").agg(rows=pl.len())
    named = counted.with_columns(reason=pl.lit(pl.Series(_REASONS)).gather(pl.col("why")) if counted.height else pl.lit(None))
    order = ["rows", *keys, "country", "reason"]
    return named.select(pl.col(c).cast(t) for c, t in _UNPLACED.items()).sort(order, descending=[True, False, False, False, False, False])
