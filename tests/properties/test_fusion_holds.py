"""What always holds of fuse(): order does not matter, nothing is lost, no look-ahead."""

from datetime import date, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from samples import DAY, report_tables

from tocsin import fuse


@settings(max_examples=60, deadline=None)
@given(table=report_tables(), seed=st.integers(0, 2**16))
def test_the_order_of_the_reports_does_not_matter(table: pl.DataFrame, seed: int) -> None:
    once, again = fuse(table, judgements=()), fuse(table.sample(fraction=1, shuffle=True, seed=seed), judgements=())
    assert_frame_equal(once.incidents, again.incidents)
    assert_frame_equal(once.links, again.links)


@settings(max_examples=60, deadline=None)
@given(table=report_tables(), days=st.integers(0, 70))
def test_what_is_computed_as_of_a_day_is_unchanged_by_what_is_known_later(table: pl.DataFrame, days: int) -> None:
    as_of = DAY + timedelta(days=days)
    known = table.filter(pl.col("known_at") <= as_of)
    assert_frame_equal(fuse(table, as_of=as_of, judgements=()).incidents, fuse(known, as_of=as_of, judgements=()).incidents)


@settings(max_examples=60, deadline=None)
@given(table=report_tables())
def test_each_report_is_in_exactly_one_incident(table: pl.DataFrame) -> None:
    incidents = fuse(table, as_of=date(2100, 1, 1), judgements=()).incidents
    assert sorted(incidents.explode("report_ids")["report_ids"]) == sorted(table["report_id"])


@settings(max_examples=60, deadline=None)
@given(table=report_tables())
def test_a_declared_agency_never_stands_twice_in_an_incident(table: pl.DataFrame) -> None:
    incidents = fuse(table, judgements=()).incidents
    agency = dict(table.select("report_id", "agency").iter_rows())
    for ids in incidents["report_ids"]:
        declared = [agency[i] for i in ids if agency[i] in ("UCDP GED", "ACLED")]
        assert len(declared) == len(set(declared))


@settings(max_examples=60, deadline=None)
@given(table=report_tables())
def test_a_range_of_dead_holds_every_number_that_a_report_gives(table: pl.DataFrame) -> None:
    for incident in fuse(table, judgements=()).incidents.iter_rows(named=True):
        mine = table.filter(pl.col("report_id").is_in(incident["report_ids"]))["killed"].drop_nulls()
        if len(mine):
            assert incident["killed_low"] <= mine.min() <= incident["killed"] <= mine.max() <= incident["killed_high"]
