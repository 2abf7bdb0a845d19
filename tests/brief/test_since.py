"""What changed since the last brief."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.brief import Brief
from tocsin.brief.since import FIELDS, Last, changes, last_brief
from tocsin.errors import UnreadableFile

OPTIONS: dict[str, Any] = {"as_of": "2015-05-07", "window": 150, "area": None}
TYPES = {
    "incident_id": pl.String, "report_ids": pl.List(pl.String), "event_start": pl.Date, "event_end": pl.Date, "killed_low": pl.Int32, "killed": pl.Int32, "killed_high": pl.Int32,
}  # fmt: skip


def incidents(*groups: list[str], **values: Any) -> pl.DataFrame:
    rows = [
        {"incident_id": min(g), "report_ids": sorted(g), **dict.fromkeys(FIELDS), "event_end": dt.date(2015, 5, 1), **values}
        for g in groups
    ]
    return pl.DataFrame(rows, schema={c: TYPES.get(c, pl.String) for c in ("incident_id", "report_ids", *FIELDS)})


@st.composite
def partitions(draw: st.DrawFn) -> list[list[str]]:
    reports = draw(st.lists(st.sampled_from("abcdefghij"), unique=True))
    label = [draw(st.integers(0, 4)) for _ in reports]
    return [[r for r, x in zip(reports, label, strict=True) if x == k] for k in sorted(set(label))]


@settings(deadline=None)
@given(partitions(), partitions())
def test_every_incident_is_new_or_matched_and_every_old_one_is_matched_or_gone(then: list[list[str]], now: list[list[str]]) -> None:
    found = changes(Last(OPTIONS, incidents(*then)), incidents(*now), OPTIONS)
    old = {r for g in then for r in g}
    assert {one["id"] for one in found["new"]} == {min(g) for g in now if not old & set(g)}
    kept = {r for g in now for r in g}
    assert {one["id"] for one in found["gone"]} == {min(g) for g in then if not kept & set(g)}
    same = {tuple(sorted(g)) for g in then} & {tuple(sorted(g)) for g in now}
    assert {one["id"] for one in found["revised"]} == {min(g) for g in now if old & set(g) and tuple(sorted(g)) not in same}


@settings(deadline=None)
@given(partitions())
def test_a_brief_against_itself_shows_nothing(groups: list[list[str]]) -> None:
    found = changes(Last(OPTIONS, incidents(*groups)), incidents(*groups), OPTIONS)
    assert (found["new"], found["revised"], found["gone"], found["differs"]) == ([], [], [], [])


def test_a_toll_told_anew_is_named_with_both_values() -> None:
    found = changes(Last(OPTIONS, incidents(["a"], killed=43)), incidents(["a"], killed=45, place="Karachi"), OPTIONS | {"area": "Sindh"})
    assert found["revised"] == [
        {
            "id": "a",
            "was": ["a"],
            "changes": [{"field": "place", "then": None, "now": "Karachi"}, {"field": "killed", "then": 43, "now": 45}],
        }
    ]
    assert found["differs"] == ["area"]


def test_what_happened_before_and_became_known_since_is_late() -> None:
    now = pl.concat([incidents(["a"]), incidents(["b"], event_end=dt.date(2015, 5, 9))])
    found = changes(Last(OPTIONS, incidents()), now, OPTIONS)
    assert found["new"] == [{"id": "b", "late": False}, {"id": "a", "late": True}]


def test_the_demo_a_week_later_shows_safoora_as_new(demo_a_week_later: Brief) -> None:
    made = demo_a_week_later
    since = made.view["since"]
    places = {i["id"]: (i["date"], i["place"]) for i in made.view["incidents"]}
    assert ("2015-05-13", "Karachi town") in [places[one["id"]] for one in since["new"] if not one["late"]]
    assert since["now"] == since["then"]["incidents"] + len(since["new"]) - len(since["gone"])
    assert since["differs"] == []


def test_a_folder_without_a_brief_is_refused_in_words(demo: Brief, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"run\.json"):
        last_brief(tmp_path)
    assert demo.page is not None
    shutil.copytree(demo.page.parent, tmp_path, dirs_exist_ok=True)
    last_brief(tmp_path)
    (tmp_path / "incidents.parquet").write_bytes(b"not parquet")
    with pytest.raises(UnreadableFile, match="incidents of the last brief cannot be read"):
        last_brief(tmp_path)
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "incidents.parquet")
    with pytest.raises(UnreadableFile, match="lacks incident_id"):
        last_brief(tmp_path / "run.json")
