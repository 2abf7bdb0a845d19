"""No look-ahead: a page as of a day is unchanged by rows that are known only later. What the watch says is held to that in test_watch_holds.py."""

from __future__ import annotations

import csv
import gzip
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin import brief, read

GED = Path(str(files("tocsin.data").joinpath("ged221_pakistan.csv.gz")))


@pytest.fixture(scope="module")
def known_at() -> dict[int, date]:
    """When each physical record of the bundled file could be known."""
    reports = read(GED).reports.filter(pl.col("agency") == "UCDP GED")
    return dict(reports.select("row", "known_at").iter_rows())


@pytest.fixture(scope="module")
def records() -> list[list[str]]:
    """Its head and its physical records."""
    with gzip.open(GED, "rt", encoding="utf-8", newline="") as f:
        return list(csv.reader(f))


@settings(max_examples=3, deadline=None)
@given(days=st.integers(0, 2500))
def test_a_page_is_unchanged_by_what_is_known_later(
    days: int, records: list[list[str]], known_at: dict[int, date], tmp_path_factory: pytest.TempPathFactory
) -> None:
    as_of = date(2013, 6, 1) + timedelta(days=days)
    kept = [records[0], *(r for n, r in enumerate(records[1:], 2) if known_at[n] <= as_of)]
    path = tmp_path_factory.mktemp("cut") / "cut.csv"
    with path.open("w", encoding="utf-8", newline="") as f:
        csv.writer(f).writerows(kept)
    whole, cut = (brief(file, as_of=as_of, watch=False).view for file in (GED, path))
    for part in ("change", "deadliest", "incidents", "would_change"):
        assert whole[part] == cut[part], part


def test_a_later_as_of_never_takes_back_an_earlier_incident() -> None:
    early = brief(GED, as_of=date(2014, 12, 20), watch=False)
    late = brief(GED, as_of=date(2015, 5, 14), watch=False)
    resolved = {r for ids in late.incidents["report_ids"] for r in ids}
    assert all(r in resolved for ids in early.incidents["report_ids"] for r in ids)
