"""The cells of a batch, parsed and checked: what a cell cannot give is empty and said, and the row stays."""

from __future__ import annotations

import re
from datetime import date, datetime, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.intake.files import Batch
from tocsin.intake.reader import Fields
from tocsin.terms.tables import ISSUES, schema


def _fields(**cells: list[str | None]) -> Fields:
    height = len(next(iter(cells.values())))
    frame = pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String))
    return Fields(Batch(frame, pl.int_range(2, height + 2, dtype=pl.Int64, eager=True)), "made.csv")


def _said(fields: Fields) -> list[tuple]:
    return fields.issues().select("row", "field", "value").rows()


def test_a_date_that_does_not_exist_is_empty_and_said() -> None:
    fields = _fields(day=["2015-02-28", "2015-02-30", None, "2016-02-29 00:00:00.000", " 2015-03-01 "])
    assert fields.date("day").to_list() == [date(2015, 2, 28), None, None, date(2016, 2, 29), date(2015, 3, 1)]
    assert _said(fields) == [(3, "day", "2015-02-30")]


def test_a_year_of_two_digits_is_not_the_first_century() -> None:
    fields = _fields(day=["03/05/15", "03/05/2015", "01/01/9999"])
    assert fields.date("day", ("%d/%m/%Y",)).to_list() == [None, date(2015, 5, 3), None]
    assert _said(fields) == [(2, "day", "03/05/15"), (4, "day", "01/01/9999")]


def test_the_forms_of_a_date_are_tried_in_turn() -> None:
    fields = _fields(day=["2015-01-30", "30 January 2015", "30-Jan-2015"])
    assert set(fields.date("day", ("%Y-%m-%d", "%d %B %Y", "%d-%b-%Y"))) == {date(2015, 1, 30)}


def test_a_moment_keeps_its_time_of_day_and_its_offset() -> None:
    fields = _fields(at=["2015-01-30 10:11:12", "2015-01-30T10:11+05:00", "2015-01-30", "2015-01-30 25:00:00", "then"])
    utc = timezone.utc  # noqa: UP017  # datetime.UTC compares equal, and Polars gives a zone of its own
    assert [m and m.astimezone(utc) for m in fields.moment("at")] == [
        datetime(2015, 1, 30, 10, 11, 12, tzinfo=utc),
        datetime(2015, 1, 30, 5, 11, tzinfo=utc),
        datetime(2015, 1, 30, tzinfo=utc),
        datetime(2015, 1, 30, tzinfo=utc),
        None,
    ]
    assert sorted(_said(fields)) == [(5, "at", "2015-01-30 25:00:00"), (6, "at", "then")]


def test_days_since_a_start_may_be_negative_and_not_absurd() -> None:
    fields = _fields(day=["0", "-1", "31.0", "99999999", "x"])
    assert fields.days_since("day", date(2016, 1, 1)).to_list() == [date(2016, 1, 1), date(2015, 12, 31), date(2016, 2, 1), None, None]
    assert sorted(_said(fields)) == [(5, "day", "99999999"), (6, "day", "x")]


def test_a_toll_is_a_whole_number_from_nought() -> None:
    fields = _fields(dead=["0", "12.0", "+7", "-1", "1.5", "many", "nan", "99999999999", None])
    assert fields.count("dead").to_list() == [0, 12, 7, None, None, None, None, None, None]
    assert {value for _, _, value in _said(fields)} == {"-1", "1.5", "many", "nan", "99999999999"}


def test_a_toll_shared_out_among_rows_keeps_its_fraction() -> None:
    fields = _fields(dead=["1.5", "-0.5"])
    assert fields.amount("dead").to_list() == [1.5, None]
    assert _said(fields) == [(3, "dead", "-0.5")]


def test_a_point_off_the_globe_loses_both_coordinates() -> None:
    fields = _fields(lat=["24.9", "97", "-91", "10", "NaN", None], lon=["67", "500", "200", "181", "5", "6"])
    lat, lon = fields.position("lat", "lon")
    assert lat.to_list() == [24.9, None, None, None, None, None]
    assert lon.to_list() == [67.0, None, None, None, None, None]
    assert {row for row, _, _ in _said(fields)} == {3, 4, 5, 6, 7}


def test_swapped_coordinates_are_said_to_look_swapped() -> None:
    fields = _fields(lat=["117.1"], lon=["24.9"])
    assert fields.position("lat", "lon")[0].to_list() == [None]
    assert "look swapped" in fields.issues()["reason"][0]


def test_an_unknown_code_is_said_and_a_spreadsheets_one_is_one() -> None:
    fields = _fields(code=["1", "1.0", "9", "-", None])
    assert fields.one_of("code", {"1": "exact"}, pl.String).to_list() == ["exact", "exact", None, None, None]
    assert _said(fields) == [(4, "code", "9"), (5, "code", "-")]


def test_estimates_out_of_order_are_put_in_order_and_said() -> None:
    fields = _fields(low=["1", "5", None], best=["2", "3", "4"], high=["3", "4", "2"])
    assert [s.to_list() for s in fields.ordered("low", "best", "high")] == [[1, 3, 2], [2, 3, 4], [3, 5, 4]]
    assert [row for row, _, _ in _said(fields)] == [3, 4]


def test_a_column_that_is_not_there_is_empty_and_nothing_is_said() -> None:
    fields = _fields(other=["x", "y"])
    made = [fields.text("a"), fields.date("a"), fields.moment("a"), fields.count("a"), fields.real("a"), *fields.position("a", "b")]
    assert all(s.to_list() == [None, None] for s in made)
    assert fields.issues().is_empty()
    assert fields.issues().schema == schema(ISSUES)


def test_an_empty_batch_gives_empty_columns_of_the_right_type() -> None:
    fields = _fields(a=[])
    assert [fields.date("a").dtype, fields.count("a").dtype, fields.real("a").dtype] == [pl.Date, pl.Int32, pl.Float64]


def test_a_formula_stays_text() -> None:
    assert _fields(note=["=cmd|' /C calc'!A0"]).text("note").to_list() == ["=cmd|' /C calc'!A0"]


@pytest.mark.parametrize("parse", ["date", "moment", "count", "whole", "real", "amount"])
@given(cells=st.lists(st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12), min_size=1, max_size=5))
def test_every_cell_is_read_or_said_or_blank(parse: str, cells: list[str | None]) -> None:
    fields = _fields(cell=cells)
    values = getattr(fields, parse)("cell")
    said = {row for row, _, _ in _said(fields)}
    blank = re.compile(r"\s*", re.UNICODE)
    for row, (cell, value) in enumerate(zip(cells, values, strict=True), 2):
        assert value is not None or row in said or cell is None or blank.fullmatch(cell)
