from __future__ import annotations

import sys
from datetime import date
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.intake.places import PileUps, locate
from tocsin.intake.places.shapes import district_rings
from tocsin.kernels.geo import area_of, haversine_km, index_rings, nearest_area, outside_km, widest_town

_spec = spec_from_file_location("oracle_geo", Path(__file__).parents[1] / "oracles" / "geo.py")
assert _spec is not None
assert _spec.loader is not None
oracle = module_from_spec(_spec)
sys.modules["oracle_geo"] = oracle
_spec.loader.exec_module(oracle)

LAT, LON = st.floats(-89.9, 89.9), st.floats(-180, 180)
NEAR_LAT, NEAR_LON = st.floats(23.5, 37.2), st.floats(60.5, 77.5)


def _areas() -> list[list[list[tuple[float, float]]]]:
    r = district_rings()
    return [
        [[tuple(p) for p in r.ring[r.start[k] : r.start[k + 1]].tolist()] for k in range(r.first[a], r.first[a + 1])]  # type: ignore[misc]
        for a in range(len(r.box))
    ]


AREAS = _areas()


@given(st.lists(st.tuples(LAT, LON, LAT, LON), min_size=1, max_size=20))
def test_the_distance_kernel_equals_the_angle_between_unit_vectors(pairs: list[tuple[float, float, float, float]]) -> None:
    columns = np.array(pairs).T
    assert np.allclose(haversine_km(*columns), [oracle.km(*p) for p in pairs], rtol=1e-6, atol=1e-5)


@settings(deadline=None)
@given(st.lists(st.tuples(NEAR_LAT, NEAR_LON), min_size=1, max_size=20))
def test_the_grid_finds_the_same_district_as_trying_them_all(spots: list[tuple[float, float]]) -> None:
    lat, lon = np.array(spots).T
    assert area_of(lat, lon, district_rings()).tolist() == [oracle.area_of(AREAS, *s) for s in spots]


@given(st.integers(0, 3), st.integers(0, 3))
def test_a_point_on_a_shared_edge_lies_in_exactly_one_of_the_areas(x: int, y: int) -> None:
    squares = [[(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1), (i, j)] for j in range(-1, 4) for i in range(-1, 4)]
    flat = np.array([p for s in squares for p in s], np.float64)
    rings = index_rings(flat, np.arange(0, len(flat) + 1, 5, dtype=np.int64), np.arange(len(squares), dtype=np.int64), len(squares))
    inside = [oracle.holds([s], y, x) for s in squares]  # type: ignore[list-item]
    assert sum(inside) == 1
    assert area_of(np.array([float(y)]), np.array([float(x)]), rings)[0] == inside.index(True)


@settings(deadline=None)
@given(
    st.lists(st.tuples(NEAR_LAT, NEAR_LON, st.floats(0.1, 20)), min_size=1, max_size=30), st.lists(st.tuples(NEAR_LAT, NEAR_LON), min_size=1, max_size=10),
    st.floats(0.5, 300),
)  # fmt: skip
def test_the_widest_town_in_reach_is_the_one_that_trying_them_all_finds(
    towns: list[tuple[float, float, float]], spots: list[tuple[float, float]], reach: float
) -> None:
    towns.sort()
    a, b, size = np.array(towns).T
    lat, lon = np.array(spots).T
    got = widest_town(lat, lon, (np.ascontiguousarray(a), np.ascontiguousarray(b)), np.ascontiguousarray(size), reach=reach)
    want = [oracle.widest_town(towns, p, q, reach) for p, q in spots]
    edge = [min(abs(oracle.km(p, q, t[0], t[1]) - reach) for t in towns) < 1e-6 for p, q in spots]
    assert all(w == g or e for w, g, e in zip(want, got, edge, strict=True))


@settings(deadline=None, max_examples=40)
@given(NEAR_LAT, NEAR_LON)
def test_the_nearest_area_is_the_one_whose_edge_is_nearest(lat: float, lon: float) -> None:
    r, n = district_rings(), len(AREAS)
    one, other = np.full(n, lat), np.full(n, lon)
    alone = (np.arange(n + 1, dtype=np.int64), np.arange(n, dtype=np.int64))
    km = outside_km(one, other, np.arange(n, dtype=np.int64), alone, r)
    found = nearest_area(one[:1], other[:1], r, reach=40.0)[0]
    assert found == (int(np.argmin(km)) if km.min() < 40.0 else -1)


NAMES = st.sampled_from([None, "Sindh province", "Federally Administered Tribal Areas", "NWFP", "Atlantis", "Punjab province"])
DISTRICTS = st.sampled_from(
    [None, "Karachi district", "Khyber agency", "FR Kohat", "Kohistan district", "Nowhere district", "Neelam district"]
)
PLACES = st.sampled_from([None, "Karachi town", "Sahiwal", "Bara town", "LoC"])
ROW = st.tuples(
    st.one_of(st.none(), NEAR_LAT), st.one_of(st.none(), NEAR_LON), PLACES, NAMES, DISTRICTS, st.sampled_from([None, "PAK", "AFG", "BGD"]),
    st.one_of(st.none(), st.dates(date(1980, 1, 1), date(2030, 1, 1))), st.sampled_from([None, 0.5, 1.0, 12.5, 25.0, 50.0, 300.0]),
)  # fmt: skip
COLUMNS = {"lat": pl.Float64, "lon": pl.Float64, "place": pl.String, "admin1": pl.String, "admin2": pl.String, "country": pl.String,
           "event_start": pl.Date, "radius_km": pl.Float64}  # fmt: skip


def _frame(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


@settings(deadline=None, max_examples=60)
@given(st.lists(ROW, min_size=1, max_size=25), st.randoms(use_true_random=False))
def test_a_row_is_located_alike_in_whatever_company_and_order(rows: list[tuple[object, ...]], random: object) -> None:
    together = locate(_frame(rows))[0]
    alone = pl.concat([locate(_frame([r]))[0] for r in rows])
    assert together.equals(alone, null_equal=True)
    mixed = rows.copy()
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert locate(_frame(mixed))[0].sort(pl.all(), nulls_last=True).equals(together.sort(pl.all(), nulls_last=True), null_equal=True)


@settings(deadline=None, max_examples=60)
@given(st.lists(ROW, min_size=1, max_size=25))
def test_locating_loses_no_row_and_never_narrows_a_radius(rows: list[tuple[object, ...]]) -> None:
    frame = _frame(rows)
    found, unplaced = locate(frame)
    assert found.height == frame.height
    assert found.select("lat", "lon", "place", "country", "event_start").equals(
        frame.select("lat", "lon", "place", "country", "event_start")
    )
    stated = frame["radius_km"].is_not_null()
    assert (found["radius_km"].filter(stated) >= frame["radius_km"].filter(stated)).all()
    nowhere = found.filter(pl.col("admin1").is_null() & pl.col("admin2").is_null()).height
    assert unplaced["rows"].sum() >= nowhere


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from([1.0, 2.0]), st.dates(date(2014, 1, 1), date(2014, 2, 15))), min_size=1, max_size=80),
    st.integers(1, 79),
)
def test_pile_ups_never_look_ahead(events: list[tuple[float, date]], cut: int) -> None:
    frame = pl.DataFrame({"lat": [e[0] for e in events], "event_start": sorted(e[1] for e in events)})
    frame = frame.with_columns(lon=pl.lit(70.0), radius_km=pl.lit(1.0), known_at=pl.col("event_start"))
    last = frame["known_at"][min(cut, frame.height) - 1]
    past = frame.filter(pl.col("known_at") <= last)
    whole, known = PileUps(), PileUps()
    whole.add(frame)
    known.add(past)
    assert known.radius(past).equals(whole.radius(frame).filter(pl.col("known_at") <= last))
