from __future__ import annotations

import gzip
import json
import time
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tocsin.errors import ContractError, TaxonomyError
from tocsin.intake.places import PileUps, districts, gazetteer, gazetteer_names, locate, map_areas, outline, provinces
from tocsin.intake.places.crosswalk import crosswalk, key

KARACHI = ["Karachi West", "Karachi Central", "Karachi East", "Korangi", "Karachi South", "Keamari", "Malir"]
WHERE_PREC = {1: 1.0, 2: 12.5, 3: 25.0, 4: 100.0, 5: 50.0, 6: 300.0, 7: 300.0}  # intake/ucdp_ged/source.yml


def _rows(**columns: object) -> pl.DataFrame:
    """One row a value; what is not given is null."""
    types = {"lat": pl.Float64, "lon": pl.Float64, "place": pl.String, "admin1": pl.String, "admin2": pl.String, "country": pl.String,
             "event_start": pl.Date, "radius_km": pl.Float64}  # fmt: skip
    height = max(len(v) for v in columns.values() if isinstance(v, list)) if any(isinstance(v, list) for v in columns.values()) else 1
    data = {c: v if isinstance(v, list) else [v] * height for c, v in ((c, columns.get(c)) for c in types)}
    return pl.DataFrame(data, schema_overrides=types)


def _one(**columns: object) -> dict[str, object]:
    return locate(_rows(**({"country": "PAK", "event_start": date(2015, 5, 13)} | columns)))[0].row(0, named=True)


@pytest.fixture(scope="module")
def ged() -> pl.DataFrame:
    raw = gzip.decompress((Path(__file__).parent / "ged_places.csv.gz").read_bytes())
    frame = pl.read_csv(raw, try_parse_dates=True)
    return frame.select(
        "rows",
        lat="latitude",
        lon="longitude",
        place="where_coordinates",
        admin1="adm_1",
        admin2="adm_2",
        country="iso3",
        event_start="date",
        radius_km=pl.col("where_prec").replace_strict(WHERE_PREC, return_dtype=pl.Float64),
        said1="adm_1",
        said2="adm_2",
        said_km=pl.col("where_prec").replace_strict(WHERE_PREC, return_dtype=pl.Float64),
    )


@pytest.fixture(scope="module")
def pakistan(ged: pl.DataFrame) -> pl.DataFrame:
    return locate(ged.filter(pl.col("country") == "PAK"))[0]


def test_every_name_that_ged_uses_in_pakistan_is_in_the_crosswalk(ged: pl.DataFrame) -> None:
    named = ged.filter(pl.col("country") == "PAK")
    assert named["rows"].sum() == 6416
    assert [n for n in named["admin1"].unique().drop_nulls() if crosswalk().province_named(n) is None] == []
    assert [n for n in named["admin2"].unique().drop_nulls() if crosswalk().named(n, date(2015, 1, 1)) is None] == []


def test_what_ged_leaves_unnamed_is_listed_and_not_dropped(ged: pl.DataFrame) -> None:
    found, unplaced = locate(ged.filter(pl.col("country") == "PAK"))
    assert found["rows"].sum() == 6416
    nowhere = found.filter(pl.col("admin1").is_null())
    assert nowhere["rows"].sum() == 45  # the line of control, a road between two provinces, "Pakistan"
    listed = unplaced.filter(pl.col("reason").str.starts_with("no province"))
    assert listed["rows"].sum() == nowhere.height
    assert set(listed["place"]) == {"LoC", "LoC near AJK & Punjab", "Bannu-Miranshah road", "Pakistan"}


def test_all_rows_of_the_tribal_areas_are_tribal(pakistan: pl.DataFrame) -> None:
    fata = pakistan.filter(pl.col("said1") == "Federally Administered Tribal Areas")
    assert fata["rows"].sum() == 3378
    assert fata["area_class"].unique().to_list() == ["tribal"]
    assert pakistan.filter(pl.col("area_class") == "tribal", pl.col("said1") != "Federally Administered Tribal Areas").height == 0
    before = fata.filter(pl.col("event_start") <= date(2018, 5, 31))
    assert set(before["admin1"]) == {"FATA"}
    assert set(fata.filter(pl.col("event_start") > date(2018, 5, 31))["admin1"]) == {"Khyber Pakhtunkhwa"}


def test_karachi_is_a_big_city_of_seven_districts_and_its_point_is_worth_ten_kilometres(pakistan: pl.DataFrame) -> None:
    karachi = pakistan.filter(pl.col("said2") == "Karachi district")
    assert karachi["rows"].sum() == 342
    assert set(karachi["area_class"]) == {"big_city"}
    assert set(karachi["admin2"]) == {"Karachi"}
    assert sorted(map_areas("Karachi district", date(2005, 1, 1))) == sorted(map_areas("Karachi", date(2023, 1, 1))) == sorted(KARACHI)
    centre = karachi.filter(pl.col("lat") == 24.86, pl.col("said_km") == 1.0)
    assert centre["rows"].sum() == 333
    assert centre["radius_km"].min() == pytest.approx(11.3, abs=0.05)  # sqrt(803 / pi / 2)


def test_no_radius_is_less_than_the_source_states(pakistan: pl.DataFrame) -> None:
    assert (pakistan["radius_km"] >= pakistan["said_km"]).all()


def test_safoora_by_its_point_alone_lies_in_karachi() -> None:
    row = _one(lat=24.9317, lon=67.1603, radius_km=1.0)
    assert (row["admin1"], row["admin2"], row["area_class"], row["radius_km"]) == ("Sindh", "Karachi", "big_city", 1.0)


@pytest.mark.parametrize(
    ("day", "admin1", "admin2"),
    [
        (date(2009, 6, 1), "FATA", "Khyber Agency"),
        (date(2018, 5, 31), "FATA", "Khyber Agency"),
        (date(2018, 6, 1), "Khyber Pakhtunkhwa", "Khyber"),
    ],
)
def test_an_agency_is_called_what_it_was_called_on_the_day(day: date, admin1: str, admin2: str) -> None:
    by_name = _one(admin1="Federally Administered Tribal Areas", admin2="Khyber agency", event_start=day)
    by_point = _one(lat=33.9, lon=70.98, radius_km=1.0, event_start=day)
    for row in (by_name, by_point):
        assert (row["admin1"], row["admin2"], row["area_class"]) == (admin1, admin2, "tribal")
    assert map_areas(admin2, day) == ["Khyber"]


@pytest.mark.parametrize(("day", "name"), [(date(2010, 4, 18), "North-West Frontier Province"), (date(2010, 4, 19), "Khyber Pakhtunkhwa")])
def test_the_frontier_province_has_its_new_name_from_the_day_of_the_amendment(day: date, name: str) -> None:
    assert _one(admin1="Khyber Pakhtunkwa province", admin2="Swat district", event_start=day)["admin1"] == name


def test_swat_was_provincially_administered_and_is_mainland() -> None:
    assert _one(admin1="NWFP", admin2="Swat district", event_start=date(2009, 5, 1))["area_class"] == "mainland"


def test_a_frontier_region_is_tribal_and_lies_in_the_district_of_its_name() -> None:
    row = _one(admin1="FATA", admin2="FR Kohat", lat=33.694, lon=71.495, radius_km=1.0)
    assert (row["admin1"], row["admin2"], row["area_class"]) == ("FATA", "FR Kohat", "tribal")
    assert map_areas("FR Kohat", date(2015, 1, 1)) == ["Kohat"]
    after = _one(admin1="FATA", admin2="FR Kohat", event_start=date(2020, 1, 1))
    assert (after["admin1"], after["admin2"], after["area_class"]) == ("Khyber Pakhtunkhwa", "Kohat", "tribal")


def test_the_point_chooses_among_the_heirs_of_a_district_that_is_no_more() -> None:
    row = _one(admin2="Kohistan district", lat=35.45, lon=73.2, radius_km=12.5, event_start=date(2021, 6, 1))
    assert row["admin2"] in {"Upper Kohistan", "Lower Kohistan", "Kolai Pallas Kohistan"}
    assert _one(admin2="Kohistan district", event_start=date(2021, 6, 1))["admin2"] == "Kohistan"
    assert len(map_areas("Kohistan district", date(2021, 6, 1))) == 3


def test_a_name_younger_than_the_event_is_kept_for_it_says_more() -> None:
    assert _one(admin2="Neelam district", event_start=date(1999, 1, 1))["admin2"] == "Neelum"
    assert map_areas("Neelam district", date(1999, 1, 1)) == ["Neelum"]


@pytest.mark.parametrize(
    ("name", "day", "covers"),
    [
        ("Jafarabad Distrcit", date(2012, 1, 1), ["Jaffarabad", "Sohbatpur"]),
        ("Jaffarabad", date(2014, 1, 1), ["Jaffarabad"]),
        ("Bolan district", date(2020, 1, 1), ["Kachhi (Bolan)"]),
        ("Nawabshah", date(2000, 1, 1), ["Shaheed Benazirabad"]),
        ("Chitral district", date(2010, 1, 1), ["Upper Chitral", "Lower Chitral"]),
        ("Lower South Waziristan", date(2023, 1, 1), ["South Waziristan"]),
        ("Killa Abdullah", date(2015, 1, 1), ["Killa Abdullah", "Chaman"]),
        ("Hattian Bala district", date(2015, 1, 1), ["Jhelum Valley"]),
    ],
)
def test_an_old_district_covers_what_it_has_since_been_divided_into(name: str, day: date, covers: list[str]) -> None:
    assert sorted(map_areas(name, day)) == sorted(covers)


def test_every_district_of_the_map_lies_in_exactly_one_area_that_a_point_can_choose_on_every_day() -> None:
    walk = crosswalk()
    for day in walk.changes:
        for district in walk.mapped:
            area = walk.at(district, day)
            assert district in walk.map_areas(area.name, day)


def test_an_unknown_name_is_an_error_with_the_file_to_look_in() -> None:
    with pytest.raises(TaxonomyError, match="crosswalk_pak"):
        map_areas("Atlantis", date(2015, 1, 1))


def test_an_unknown_district_is_listed_and_placed_by_its_point() -> None:
    frame, unplaced = locate(
        _rows(admin1="Sindh", admin2="Atlantis", lat=27.95, lon=68.63, radius_km=1.0, country="PAK", event_start=date(2015, 1, 30))
    )
    assert frame["admin2"].to_list() == ["Shikarpur"]
    assert unplaced["reason"].to_list() == ["the district's name is not in the crosswalk: placed by what else is known, or kept as written"]
    assert unplaced["admin2"].to_list() == ["Atlantis"]


def test_a_named_district_wins_over_a_point_far_outside_it_and_the_radius_says_so() -> None:
    where = {
        "admin1": "Balochistan province",
        "admin2": "Dera Bugti district",
        "place": "Sui town",
        "lat": 25.648,
        "lon": 62.0495,
        "radius_km": 1.0,
    }
    frame, unplaced = locate(_rows(country="PAK", event_start=date(2013, 1, 1), **where))
    row = frame.row(0, named=True)
    assert (row["admin2"], row["area_class"]) == ("Dera Bugti", "mainland")
    assert 600 < row["radius_km"] < 900
    assert unplaced["reason"].to_list()[0].startswith("the point lies far outside")


def test_a_point_known_to_the_province_only_does_not_choose_a_district() -> None:
    row = _one(admin1="Punjab province", lat=31.55, lon=74.34, radius_km=100.0)
    assert (row["admin1"], row["admin2"], row["area_class"]) == ("Punjab", None, None)
    assert _one(lat=31.55, lon=74.34, radius_km=100.0)["admin1"] is None


def test_a_class_is_told_only_where_every_place_the_row_may_mean_has_it() -> None:
    assert _one(admin2="Peshawar district", lat=33.985, lon=71.558, radius_km=25.0)["area_class"] is None
    assert _one(admin2="Peshawar district", lat=34.017, lon=71.583, radius_km=1.0)["area_class"] == "big_city"
    assert _one(admin2="Peshawar district", lat=33.79, lon=71.58, radius_km=1.0)["area_class"] == "mainland"
    assert _one(admin2="Lahore district", radius_km=25.0)["area_class"] == "big_city"
    assert _one(admin1="FATA", radius_km=100.0)["area_class"] == "tribal"
    assert _one(admin1="Azad Jammu & Kashmir", radius_km=100.0)["area_class"] == "mainland"


def test_hayatabad_belongs_to_peshawar_and_bara_next_door_does_not() -> None:
    assert _one(admin2="Peshawar district", lat=33.9888, lon=71.447, radius_km=1.0)["area_class"] == "big_city"
    assert _one(admin2="Khyber agency", lat=33.9147, lon=71.4681, radius_km=1.0)["area_class"] == "tribal"


def test_a_named_town_widens_the_radius_though_its_point_is_elsewhere_in_it() -> None:
    assert _one(place="Karachi", lat=24.8915, lon=67.0433, radius_km=1.0)["radius_km"] == pytest.approx(11.3, abs=0.05)
    assert _one(place="Karachi", lat=30.2, lon=67.9, radius_km=1.0)["radius_km"] == 1.0  # another place of that name


def test_a_named_town_without_a_point_is_placed_by_its_name() -> None:
    row = _one(place="Shikarpur")
    assert (row["admin1"], row["admin2"], row["area_class"]) == ("Sindh", "Shikarpur", "mainland")
    assert row["lat"] is None


def test_a_country_without_a_crosswalk_keeps_its_names_and_every_row(ged: pl.DataFrame) -> None:
    raw = ged.filter(pl.col("country") == "BGD")
    found, unplaced = locate(raw)
    assert found["rows"].sum() == 601
    assert found["admin1"].equals(raw["admin1"], null_equal=True)
    assert found["admin2"].equals(raw["admin2"], null_equal=True)
    assert found["area_class"].null_count() == found.height
    assert unplaced.select("place", "country", "rows").rows() == [(None, "BGD", raw.height)]


def test_kabul_is_a_big_city_and_the_rest_of_its_country_has_no_class() -> None:
    kabul, elsewhere = (_one(lat=lat, lon=69.18, radius_km=1.0, country="AFG") for lat in (34.53, 33.0))
    assert (kabul["area_class"], elsewhere["area_class"]) == ("big_city", None)


def test_without_a_country_the_point_tells_it() -> None:
    assert _one(lat=31.55, lon=74.34, radius_km=1.0, country=None)["admin1"] == "Punjab"
    frame, unplaced = locate(_rows(place="Nowhere"))
    assert frame["admin1"].to_list() == [None]
    assert unplaced["reason"].to_list() == ["no country is named, and no point tells it"]


def test_an_empty_frame_and_one_of_nulls_pass_through() -> None:
    frame, unplaced = locate(_rows(lat=[]))
    assert frame.height == unplaced.height == 0
    frame, unplaced = locate(_rows(lat=[None, None]))
    assert frame.height == 2
    assert unplaced["rows"].to_list() == [2]


def test_further_columns_and_the_order_of_rows_are_kept() -> None:
    frame = _rows(lat=[31.55, None, 24.86], lon=[74.34, None, 67.01], country="PAK").with_columns(own=pl.Series([3, 1, 2]))
    found, _ = locate(frame)
    assert found["own"].to_list() == [3, 1, 2]
    assert found.columns == [*frame.columns, "area_class"]
    assert found["admin1"].to_list() == ["Punjab", None, "Sindh"]


def test_a_missing_column_is_an_error_that_names_it() -> None:
    with pytest.raises(ContractError, match="'admin2' is missing"):
        locate(_rows(lat=[1.0]).drop("admin2"))


def _pile(days: int, **more: object) -> pl.DataFrame:
    start = [date(2014, 1, 1 + d) for d in range(days)]
    return _rows(lat=33.5, lon=70.5, event_start=start, radius_km=1.0, **more).with_columns(known_at=pl.col("event_start"))


def test_ten_days_of_events_at_one_point_betray_that_it_stands_for_an_area() -> None:
    piles = PileUps()
    rows = _pile(12)
    for part in (rows[:7], rows[7:]):
        piles.add(part)
    assert piles.radius(rows)["radius_km"].to_list() == [1.0] * 9 + [5.0] * 3


def test_many_rows_of_one_day_are_no_pile_up_and_a_wider_radius_stays() -> None:
    piles = PileUps()
    piles.add(pl.concat([_pile(1)] * 20))
    assert piles.radius(_pile(1))["radius_km"].to_list() == [1.0]
    piles.add(_pile(12))
    wide = _pile(12).with_columns(radius_km=pl.lit(12.5))
    assert piles.radius(wide)["radius_km"].to_list() == [12.5] * 12


def test_a_pile_up_known_later_does_not_reach_back() -> None:
    early, both = PileUps(), PileUps()
    early.add(_pile(9))
    both.add(_pile(12))
    assert early.radius(_pile(9)).equals(both.radius(_pile(12))[:9])


def test_a_pile_up_does_not_depend_on_the_order_of_its_batches() -> None:
    rows, forward, back = _pile(12), PileUps(), PileUps()
    for i in range(12):
        forward.add(rows[i : i + 1])
        back.add(rows[11 - i : 12 - i])
    assert forward.radius(rows).equals(back.radius(rows))


def test_the_gazetteer_knows_its_big_cities_by_the_census() -> None:
    big = gazetteer().filter(pl.col("country") == "PAK", pl.col("population") >= 1_000_000)
    assert set(big["name"]) == set(crosswalk().raw["big_cities"])
    assert big.filter(pl.col("name") == "Karachi")["builtup_km"].item() == pytest.approx(15.99, abs=0.01)


def test_the_relation_of_area_and_population_reproduces_the_published_footprints() -> None:
    cities = crosswalk().raw["big_cities"].values()
    ratios = sorted(c["footprint_km2"] / (0.0100 * c["population"] ** (2 / 3)) for c in cities)
    assert 0.8 < (ratios[4] + ratios[5]) / 2 < 1.25
    assert all(0.45 < r < 2.0 for r in ratios)


def test_gazetteer_names_are_lower_case_latin_and_no_english_words() -> None:
    names = gazetteer_names()
    assert names["karachi"] == "Karachi"
    assert names["lyallpur"] == "Faisalabad"
    assert names["north waziristan"] == "North Waziristan"
    assert all(n == n.lower() and n.isascii() and len(n) >= 4 for n in names)
    assert not {"tank", "upper", "march", "much", "marsh", "gang", "spin", "hazara", "bahrain", "ghulam ali", "abbas"} & set(names)


def test_the_shapes_of_the_page_are_small_whole_and_credited() -> None:
    drawn = districts()
    assert "OpenStreetMap" in drawn["attribution"]
    assert [f["properties"]["name"] for f in drawn["features"]] == list(crosswalk().mapped)
    assert all(f["geometry"]["coordinates"] for f in drawn["features"])
    assert len(json.dumps(drawn)) < 150_000
    assert len(provinces()["features"]) == 7
    names = {f["properties"]["name"] for f in outline()["features"]}
    assert {"Pakistan", "India", "Afghanistan", "Iran", "China"} <= names
    assert len(json.dumps(outline())) < 100_000
    assert "Bangladesh" in {f["properties"]["name"] for f in outline((88.0, 20.0, 93.0, 27.0))["features"]}


def test_the_bundled_geography_is_under_its_share_of_the_package() -> None:
    folder = Path(__file__).parents[2] / "src" / "tocsin" / "data" / "geo"
    assert sum(f.stat().st_size for f in folder.iterdir() if f.is_file()) < 1_200_000


def test_names_are_compared_without_what_sources_add_to_them() -> None:
    assert key("Jafarabad Distrcit") == "jafarabad"
    assert key("D.I. Khan") == key("DI Khan") == "di khan"
    assert key("Azad Jammu & Kashmir") == key("Azad Jammu and Kashmir")
    assert key("Muzaffarābād District") == "muzaffarabad"
    assert key("District") == "district"


def test_a_hundred_thousand_rows_are_located_in_a_moment(ged: pl.DataFrame) -> None:
    many = pl.concat([ged] * (100_000 // ged.height + 1))
    locate(many[:1000])
    begun = time.perf_counter()
    locate(many)
    assert time.perf_counter() - begun < 1.0  # about 0.05 s on an idle machine
