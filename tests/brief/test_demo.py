"""The demo as its reader meets it: the attacks of the period by date, town, toll and community, and nothing surer than the data."""

from __future__ import annotations

import csv
import io
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tocsin.brief import Brief
from tocsin.terms.say import say

#: date, town, killed_low, killed_high, community where the words have it (null: silent)
ATTACKS = [
    ("2015-01-09", "Rawalpindi", 8, 8, "shia"),
    ("2015-01-30", "Shikarpur", 61, 61, "shia"),
    ("2015-02-13", "Peshawar", 22, 22, "shia"),
    ("2015-02-18", "Rawalpindi", 4, 4, "shia"),
    ("2015-03-15", "Lahore", 17, 17, "christian"),
    ("2015-05-13", "Karachi", 43, 47, "shia"),
]


@pytest.fixture(scope="module")
def one_sided(demo: Brief) -> dict[tuple[str, str], dict[str, Any]]:
    mine = [i for i in demo.view["incidents"] if i["violence"] == "one_sided" and i["in_window"]]
    return {(i["date"], i["place"].removesuffix(" town")): i for i in mine}


@pytest.mark.parametrize(("date", "town", "low", "high", "group"), ATTACKS, ids=[f"{a[1]} {a[0]}" for a in ATTACKS])
def test_the_reader_finds_each_attack_of_the_period(one_sided: dict, date: str, town: str, low: int, high: int, group: str) -> None:
    attack = one_sided[date, town]
    assert (attack["killed_low"], attack["killed_high"]) == (low, high)
    assert attack["target_group"].split("/")[0] == group


def test_the_community_of_shikarpur_is_a_judgement_and_drawn_as_one(one_sided: dict) -> None:
    attack = one_sided["2015-01-30", "Shikarpur"]
    assert attack["group_by"] == "judgement"
    assert attack["judged"][0]["by"]
    assert attack["judged"][0]["why"]


def test_no_community_is_surer_than_its_words(demo: Brief) -> None:
    for incident in demo.view["incidents"]:
        if incident["group_by"] == "words":
            spans = [s for r in incident["report_ids"] for s in demo.view["reports"][r]["spans"]]
            assert any(s["field"] == "target_group" for s in spans), incident["id"]


def test_marked_words_stand_where_the_page_says(demo: Brief) -> None:
    for report in demo.view["reports"].values():
        for span in report["spans"]:
            assert report["text"][span["start"] : span["end"]] == span["words"]


def test_the_school_is_one_incident_of_two_rows(one_sided: dict) -> None:
    school = one_sided["2014-12-16", "Peshawar"]
    assert (school["killed"], school["killed_civilians"]) == (156, 146)
    assert len(school["parts"]) == 2


def test_the_page_says_hindsight_and_what_it_leaves_out(demo: Brief) -> None:
    assert demo.view["clock"] == "hindsight"
    left_out = {say(reason): n for reason, n in demo.view["left_out"]}
    assert left_out["rows known only after 14 May 2015"] > 900


def test_the_files_of_a_brief_lie_beside_the_page(demo: Brief) -> None:
    assert demo.page is not None
    names = {p.name for p in demo.page.parent.iterdir()}
    assert names == {
        "brief.html",
        "reports.parquet",
        "incidents.parquet",
        "incidents.csv",
        "incidents.geojson",
        "links.parquet",
        "issues.csv",
        "signals.parquet",
        "signals.csv",
        "streams.csv",
        "run.json",
    }


def test_no_cell_of_the_csv_is_taken_for_a_formula(demo: Brief) -> None:
    assert demo.page is not None
    for row in csv.reader(io.StringIO((demo.page.parent / "incidents.csv").read_text(encoding="utf-8"))):
        for cell in row:
            assert not cell.startswith(("=", "@", "+")), cell


def test_the_package_carries_its_data_under_three_megabytes() -> None:
    data = Path(str(files("tocsin.data")))
    assert sum(p.stat().st_size for p in data.rglob("*") if p.is_file()) < 3_000_000
