"""Tables of one's own, by a description."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tocsin import read
from tocsin.errors import SpecError, UnknownFormat
from tocsin.intake.files import Batch
from tocsin.intake.table import TableReader, load_spec, sketch
from tocsin.intake.table.spec import parse_spec

CSV = """ref,day,y,x,town,dead,what,kind,broad,middle,narrow,note
1,30/01/2015,27.9,68.6,Shikarpur,61,mosque,A,explosion,suicide,,"bomb, at noon"
2,31/02/2015,97,68,X,-1,palace,B,explosion,,,=cmd|' /C calc'!A0
3,1 March 2015,24.9,67.1,Karachi,,mosque,A,,,,
"""
SPEC = """agency: Desk 7
values:
  own_id: ref
  event_start: {column: day, formats: ["%d/%m/%Y", "%d %B %Y"]}
  lat: y
  lon: x
  place: town
  killed: dead
  violence: {column: kind, lookup: {A: one_sided}}
  target_type: {column: what, lookup: {mosque: civilians/religious}}
  attack_type: {path: [broad, middle, narrow], taxonomy: own}
  text: note
"""


@pytest.fixture
def table(tmp_path: Path) -> tuple[Path, Path]:
    data, spec = tmp_path / "own.csv", tmp_path / "own.yml"
    data.write_text(CSV, encoding="utf-8")
    spec.write_text(SPEC, encoding="utf-8")
    return data, spec


def test_a_description_says_which_column_gives_which_value(table: tuple[Path, Path]) -> None:
    reports, issues = read(table[0], spec=table[1])
    first, second, third = reports.sort("row").iter_rows(named=True)
    assert (first["event_start"], first["event_end"], first["killed"], first["killed_high"]) == (
        date(2015, 1, 30),
        date(2015, 1, 30),
        61,
        61,
    )
    assert (first["violence"], first["target_type"], first["attack_type"]) == ("one_sided", "civilians/religious", "explosion/suicide")
    assert (second["event_start"], second["lat"], second["killed"], second["violence"]) == (None, None, None, "unknown")
    assert (third["event_start"], third["killed"]) == (date(2015, 3, 1), None)
    said = {(i["row"], i["field"]) for i in issues.iter_rows(named=True)}
    assert {(3, "day"), (3, "y"), (3, "dead"), (3, "kind"), (3, "what")} <= said


def test_without_a_description_the_file_is_unknown_and_the_way_is_shown(table: tuple[Path, Path]) -> None:
    with pytest.raises(UnknownFormat, match="--sketch"):
        read(table[0])


def test_a_sketch_is_a_description_that_loads(table: tuple[Path, Path], tmp_path: Path) -> None:
    draft = tmp_path / "draft.yml"
    draft.write_text(sketch(table[0]), encoding="utf-8")
    spec = load_spec(draft)
    assert {v.target for v in spec.values} >= {"own_id", "event_start", "lat", "lon", "place", "killed", "text"}
    assert read(table[0], spec=draft).reports.height == 3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"values": {"colour": "x"}}, "colour"),
        ({"values": {"lat": "y"}}, "lon"),
        ({"values": {"killed": {"colum": "dead"}}}, "column"),
        ({"values": {"target_type": {"column": "what", "lookup": {"a": "spaceship"}}}}, "spaceship"),
        ({"values": {"event_start": {"column": "day", "days_since": "then"}}}, "days_since"),
        ({"valeus": {}}, "valeus"),
    ],
)
def test_a_wrong_description_is_refused_by_the_key_that_is_wrong(change: dict, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        parse_spec({"agency": "A", "values": {}} | change, "own.yml")


def test_yaml_that_is_not_yaml_names_the_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text("agency: A\nvalues: [", encoding="utf-8")
    with pytest.raises(SpecError, match="line"):
        load_spec(bad)


def test_agencies_may_differ_from_row_to_row() -> None:
    frame = pl.DataFrame({"who": ["A", "B"], "day": ["0", "31"]})
    spec = {"agency": {"column": "who"}, "values": {"event_start": {"column": "day", "days_since": date(2016, 1, 1)}}}
    reports, _ = TableReader(parse_spec(spec, "x")).read(Batch(frame, pl.Series([2, 3])), "x")
    assert reports["agency"].to_list() == ["A", "B"]
    assert reports["event_end"].to_list() == [date(2016, 1, 1), date(2016, 2, 1)]


def _read(values: dict, agency: str | dict = "A", **cells: list) -> tuple[list[dict], list[tuple]]:
    """Rows and issues (row, field, value) of the reader alone."""
    frame = pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String))
    spec = parse_spec({"agency": agency, "values": values}, "own.yml")
    reports, issues = TableReader(spec).read(Batch(frame, pl.int_range(2, frame.height + 2, dtype=pl.Int64, eager=True)), "own.csv")
    return reports.to_dicts(), issues.select("row", "field", "value").rows()


def test_a_marking_that_is_not_known_is_the_strictest_and_never_public() -> None:
    rows, issues = _read({"marking": "m"}, m=["TLP:AMBER", "green", "secret", None, "AMBER+STRICT", "TLP:WHITE"])
    assert [r["marking"] for r in rows] == ["AMBER", "GREEN", "RED", "RED", "AMBER+STRICT", "CLEAR"]
    assert issues == [(4, "m", "secret"), (5, "m", None)]
    assert _read({"marking": {"column": "m", "lookup": {"open": "CLEAR"}}}, m=["open", "x"])[0][1]["marking"] == "RED"


def test_originator_control_that_cannot_be_read_holds() -> None:
    rows, issues = _read({"orcon": "o"}, o=["no", "perhaps", "YES"])
    assert ([r["orcon"] for r in rows], issues) == ([False, True, True], [(3, "o", "perhaps")])


def test_an_event_that_ends_before_it_begins_is_turned_round_and_said() -> None:
    rows, issues = _read({"event_start": "a", "event_end": "b"}, a=["2015-01-05", "2015-01-05"], b=["2015-01-01", None])
    assert [(r["event_start"].day, r["event_end"].day) for r in rows] == [(1, 5), (5, 5)]
    assert issues == [(2, "b", "2015-01-01")]


def test_tolls_out_of_order_are_put_in_order_and_said() -> None:
    rows, issues = _read({"killed_low": "a", "killed": "b", "killed_high": "c"}, a=["5", "9"], b=["3", None], c=["4", "2"])
    assert [(r["killed_low"], r["killed"], r["killed_high"]) for r in rows] == [(3, 3, 5), (2, None, 9)]
    assert [row for row, _, _ in issues] == [2, 3]


def test_values_outside_their_range_are_empty_and_said() -> None:
    rows, issues = _read({"radius_km": "a", "credibility": "b", "reliability": "c"}, a=["-5"], b=["9"], c=["Q"])
    assert (rows[0]["radius_km"], rows[0]["credibility"], rows[0]["reliability"], len(issues)) == (None, None, None, 3)


def test_a_country_may_be_named_or_coded() -> None:
    rows, issues = _read({"country": "c"}, c=["Pakistan", "AFG", "Atlantis", "586"])
    assert ([r["country"] for r in rows], issues) == (["PAK", "AFG", None, "PAK"], [(4, "c", "Atlantis")])


def test_a_description_says_which_of_its_columns_a_header_lacks() -> None:
    reader = TableReader(parse_spec({"agency": "A", "values": {"place": "town", "killed": "dead"}}, "own.yml"))
    assert (reader.recognises(["town"]), reader.missing(["town"])) == (False, ["dead"])


def test_a_code_that_a_lookup_lacks_is_kept_as_written_and_said() -> None:
    rows, issues = _read({"target_type": {"column": "t", "lookup": {"mosque": "civilians/religious"}}}, t=["mosque", "palace"])
    assert ([r["target_type"] for r in rows], issues) == (["civilians/religious", "palace"], [(3, "t", "palace")])


def test_a_time_of_report_keeps_its_hour() -> None:
    rows, _ = _read({"reported_at": "r", "event_start": "d"}, r=["2015-01-30T10:11:12+05:00"], d=["2015-01-29"])
    assert (rows[0]["reported_at"].isoformat()[:19], rows[0]["known_at"]) == ("2015-01-30T05:11:12", date(2015, 1, 30))


def test_a_row_of_nobody_is_kept_and_said() -> None:
    rows, issues = _read({"own_id": "i"}, agency={"column": "a"}, i=["1", "2"], a=["Desk", None])
    assert ([r["agency"] for r in rows], issues) == (["Desk", "unnamed agency"], [(3, "a", None)])


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"violence": {"constant": "onesided"}}, "one_sided"),
        ({"violence": {"column": "a", "lookup": {"1": "onesided"}}}, "one_sided"),
        ({"killed": {"constant": "many"}}, "whole number"),
        ({"killed": {"column": "a", "lookup": {"1": -1}}}, "whole number"),
        ({"killed": {"column": ["a", "b"]}}, "one column"),
        ({"killed": {"path": ["a", "b"]}}, "text"),
        ({"target_type": {"path": "a"}}, "list of columns"),
        ({"orcon": {"column": "a", "lookup": {True: True}}}, "quotes"),
        ({"event_start": {"column": "a", "formats": [3]}}, "formats"),
        ({"event_start": {"constant": "2016-01-01"}}, "date"),
        ({"killed": {"column": "a", "days_since": date(2016, 1, 1)}}, "days_since"),
        ({"country": {"constant": "Pakistan"}}, "alpha-3"),
        ({"place": {"column": "a", "taxonomy": "own"}}, "taxonomy"),
        ({"place": {"column": "a", "constant": "b"}}, "exclude"),
        ({"radius_km": {"constant": -1}}, "number"),
    ],
)
def test_a_value_that_cannot_stand_there_is_refused_before_a_row_is_read(value: dict, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        parse_spec({"agency": "A", "values": value}, "own.yml")


MANY_AGENCIES = """agency: {column: source_dataset}
values:
  own_id: unique_id
  event_start: {column: day_first, days_since: 2016-01-01}
  event_end: {column: day_last, days_since: 2016-01-01}
  country: {column: country, lookup: {PK: PAK, AF: AFG}}
  admin1: adm1
  admin2: adm2
  place: town
  lat: lat
  lon: lon
  radius_km: {column: geo_prec, lookup: {"1": 0.6, "2": 2.5, "3": 12.0, "4": 60.0}}
  actor: actor_raw
  attack_type: {path: [type3, type2, type1], taxonomy: own}
  target_type: {path: [tgt3, tgt2, tgt1], taxonomy: own}
  killed: killed
  wounded: wounded
ignored: {date: day_first and day_last have it, day: truth, seq: truth, true_incident: truth, actor: truth, actor_family: of the truth, actor_class: of the truth}
"""


def test_many_agencies_reports_in_one_parquet_file_are_described_in_a_few_lines(tmp_path: Path) -> None:
    data, spec = tmp_path / "reports.parquet", tmp_path / "reports.yml"
    row = {
        "unique_id": 1,
        "source_dataset": "A",
        "date": date(2016, 1, 3),
        "day": 2,
        "lat": 33.9,
        "lon": 70.1,
        "geo_prec": 2,
        "country": "PK",
    }
    row |= {
        "adm1": "PK/KP",
        "adm2": None,
        "town": "Parachinar",
        "actor_raw": "Pakistani Taliban",
        "actor": "TTP",
        "actor_family": "Taliban",
    }
    row |= {"actor_class": "non-state", "type1": None, "type2": "ied", "type3": "explosion", "tgt1": "market", "tgt2": "public place"}
    row |= {"tgt3": "civilians", "killed": 4, "wounded": None, "seq": 0, "true_incident": 7, "day_first": 0, "day_last": 30}
    pl.DataFrame([row, row | {"unique_id": 2, "source_dataset": "B", "killed": None}]).write_parquet(data)
    spec.write_text(MANY_AGENCIES, encoding="utf-8")
    reports, issues = read(data, spec=spec)
    assert sorted(reports["agency"]) == ["A", "B"]
    first = reports.filter(pl.col("agency") == "A").row(0, named=True)
    assert (first["event_start"], first["event_end"], first["radius_km"] >= 2.5) == (date(2016, 1, 1), date(2016, 1, 31), True)
    assert (first["actor"], first["attack_type"], first["target_type"]) == ("TTP", "explosion/ied", "civilians/public place/market")
    assert issues.filter(pl.col("row") == 0).is_empty()


def test_a_column_that_the_file_lacks_is_named(table: tuple[Path, Path]) -> None:
    data, spec = table
    spec.write_text(SPEC.replace("killed: dead", "killed: deaths"), encoding="utf-8")
    with pytest.raises(SpecError, match=r"does not have: deaths"):
        read(data, spec=spec)
