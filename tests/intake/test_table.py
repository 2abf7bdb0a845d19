"""Tables of one's own, by a description."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tocsin import read
from tocsin.errors import SpecError, UnknownFormat
from tocsin.intake.table import load_spec, sketch
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
    from tocsin.intake.files import Batch
    from tocsin.intake.table import TableReader

    reports, _ = TableReader(parse_spec(spec, "x")).read(Batch(frame, pl.Series([2, 3])), "x")
    assert reports["agency"].to_list() == ["A", "B"]
    assert reports["event_end"].to_list() == [date(2016, 1, 1), date(2016, 2, 1)]
