"""UCDP GED as its codebook means it, on the bundled rows of Pakistan."""

from __future__ import annotations

import csv
import gzip
from datetime import date
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

from tocsin import fuse, read
from tocsin.intake import Intake
from tocsin.intake.ucdp_ged import UcdpGed
from tocsin.terms.tables import REPORTS, schema

GED = Path(str(files("tocsin.data").joinpath("ged221_pakistan.csv.gz")))


@pytest.fixture(scope="module")
def ged() -> Intake:
    return read(GED)


@pytest.fixture(scope="module")
def rows(ged: Intake) -> pl.DataFrame:
    return ged.reports.filter(pl.col("agency") == "UCDP GED")


def test_every_row_is_a_report_and_every_article_of_it_another(ged: Intake, rows: pl.DataFrame) -> None:
    with gzip.open(GED, "rt", encoding="utf-8", newline="") as f:
        physical = sum(1 for _ in csv.reader(f)) - 1
    assert rows.height == physical == 6416
    press = ged.reports.filter(pl.col("agency") != "UCDP GED")
    twice = ged.issues.filter(pl.col("reason").str.contains("stands twice")).height
    assert press.height + twice == 3230, "the links of report to event in GED's source_article"
    assert press["derived_from"].list.first().n_unique() == 2148
    assert press.select(pl.struct("agency", "reported_at", "text").n_unique()).item() == 2663


def test_reports_have_the_columns_of_the_contract(ged: Intake) -> None:
    assert ged.reports.schema == schema(REPORTS)


def test_kinds_of_violence_follow_the_codebook_and_wars_of_governments_stand_apart(rows: pl.DataFrame) -> None:
    counts = dict(rows["violence"].cast(pl.String).value_counts().iter_rows())
    assert counts == {"state_based": 4959, "interstate": 429, "non_state": 469, "one_sided": 559}


def test_the_killer_is_side_a_of_one_sided_violence_and_the_group_of_state_based(rows: pl.DataFrame) -> None:
    one_sided = rows.filter(pl.col("violence") == "one_sided")
    assert (one_sided["actor"] == one_sided["initiator"]).all()
    state = rows.filter(pl.col("violence") == "state_based")
    assert not state["actor"].str.starts_with("Government of").any()
    assert state["initiator"].null_count() == state.height
    assert rows.filter(pl.col("violence") == "interstate")["actor"].null_count() == 429


def test_months_of_deaths_equal_those_that_views_was_scored_on(rows: pl.DataFrame) -> None:
    """ged_sb of VIEWS for Pakistan, October 2014 to June 2015, counts best of type 1."""
    type_1 = rows.filter(pl.col("violence").is_in(["state_based", "interstate"]))
    months = type_1.filter(pl.col("event_start").is_between(date(2014, 10, 1), date(2015, 6, 30)))
    by_month = months.group_by(pl.col("event_end").dt.strftime("%Y-%m")).agg(pl.col("killed").sum()).sort("event_end")
    assert dict(by_month.iter_rows()) == VIEWS_GED_SB


#: country 136 in VIEWS' country-month table of UCDP aggregates (its history column)
VIEWS_GED_SB = {
    "2014-10": 308,
    "2014-11": 417,
    "2014-12": 422,
    "2015-01": 299,
    "2015-02": 122,
    "2015-03": 335,
    "2015-04": 236,
    "2015-05": 183,
    "2015-06": 216,
}


def test_the_clocks_are_hindsight_and_say_so(ged: Intake, rows: pl.DataFrame) -> None:
    assert rows["hindsight"].all()
    reasons = dict(ged.issues.group_by("reason").len().iter_rows())
    assert next(n for r, n in reasons.items() if "no source of this row is dated" in r) == 4268
    assert next(n for r, n in reasons.items() if "dated before the event" in r) == 21
    assert (rows["known_at"] >= rows["event_end"]).all()


def test_safoora_is_one_incident_of_43_to_47_dead(ged: Intake) -> None:
    incidents = fuse(ged.reports, as_of=date(2015, 5, 14)).incidents
    safoora = incidents.filter((pl.col("event_start") == date(2015, 5, 13)) & (pl.col("violence") == "one_sided")).row(0, named=True)
    assert (safoora["place"], safoora["killed_low"], safoora["killed_high"]) == ("Karachi town", 43, 47)
    assert safoora["corroboration"] == 1


def test_the_army_public_school_is_one_incident_of_146_and_10(ged: Intake) -> None:
    incidents = fuse(ged.reports, as_of=date(2015, 5, 14)).incidents
    school = incidents.filter((pl.col("event_start") == date(2014, 12, 16)) & (pl.col("killed") > 100))
    assert school.height == 1
    assert (school["killed"].item(), school["killed_civilians"].item()) == (156, 146)


def test_older_and_smaller_releases_are_known_too() -> None:
    columns = [
        "id",
        "year",
        "type_of_violence",
        "side_a",
        "side_b",
        "date_start",
        "date_end",
        "best",
        "high",
        "low",
        "latitude",
        "longitude",
    ]
    assert UcdpGed().recognises(columns)
    assert not UcdpGed().recognises(["event_id_cnty", "event_date"])
