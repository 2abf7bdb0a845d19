"""Reports come and go, in any order and batches: the clusters are at any time those of fuse()."""

from __future__ import annotations

import random
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from samples import DAY, alike, invented, report, report_tables, reports

from tocsin import fuse
from tocsin.errors import ContractError
from tocsin.fusion import Judgement, graph, linkage
from tocsin.fusion import live as module
from tocsin.fusion.live import Live


def _as_fused(live: Live, table: pl.DataFrame) -> None:
    whole = fuse(table, judgements=()).clusters
    assert_frame_equal(live.clusters.sort("report_id"), whole.sort("report_id"))


@settings(max_examples=30, deadline=None)
@given(table=report_tables(), seed=st.integers(0, 2**16))
def test_whatever_order_and_batches_reports_come_in_the_clusters_are_those_of_fuse(table: pl.DataFrame, seed: int) -> None:
    chance = random.Random(seed)
    rest, live = table.sample(fraction=1, shuffle=True, seed=seed), Live()
    there = table.clear()
    while rest.height:
        size = chance.randint(1, rest.height)
        live.add(rest.head(size))
        there, rest = pl.concat([there, rest.head(size)]), rest.slice(size)
        _as_fused(live, there)
        if chance.random() < 0.4:
            away = chance.choice(there["report_id"].to_list())
            live.remove([away])
            there = there.filter(pl.col("report_id") != away)
            _as_fused(live, there)


@pytest.mark.parametrize("recent", [1, 200, 10**6])
def test_crowded_reports_too_with_short_lists_and_long_ones(monkeypatch: pytest.MonkeyPatch, recent: int) -> None:
    monkeypatch.setattr(graph, "RECENT", recent)
    table = invented(9, 400).sample(fraction=1, shuffle=True, seed=1)
    live = Live(table.head(600))
    for low in range(600, table.height, 97):
        live.add(table.slice(low, 97))
    _as_fused(live, table)
    away = table["report_id"].sample(120, seed=2)
    live.remove(away)
    _as_fused(live, table.filter(~pl.col("report_id").is_in(away.implode())))


@pytest.mark.parametrize("recent", [1, 10**6])
@pytest.mark.parametrize("seed", range(6))
def test_many_that_are_the_same_count_as_one_in_bulk_and_live_alike(monkeypatch: pytest.MonkeyPatch, seed: int, recent: int) -> None:
    for where in (module, linkage):
        monkeypatch.setattr(where, "STACK", 3)
    monkeypatch.setattr(graph, "RECENT", recent)
    chance = random.Random(seed)
    table = alike(chance)
    live, there, rest = Live(), table.clear(), table
    ids = table["report_id"].to_list()
    while rest.height:
        size = chance.randint(1, 9)
        live.add(rest.head(size))
        there, rest = pl.concat([there, rest.head(size)]), rest.slice(size)
        _as_fused(live, there)
        if chance.random() < 0.5:
            away = chance.sample(there["report_id"].to_list(), min(there.height, chance.randint(1, 6)))
            live.remove(away)
            there = there.filter(~pl.col("report_id").is_in(away))
            _as_fused(live, there)
    judgement = Judgement("j1", "tester", DAY, "seen", "split", (ids[0],), tuple(ids[1:4]))
    live.judge([judgement])
    assert_frame_equal(live.clusters.sort("report_id"), fuse(there, judgements=[judgement]).clusters.sort("report_id"))
    live.judge([])
    _as_fused(live, there)


def test_ten_thousand_reports_that_are_the_same_are_one_incident_and_all_are_in_it() -> None:
    table = reports(*(report(f"A{k % 3}", str(k), killed=5) for k in range(10_000)))
    incidents = fuse(table, judgements=()).incidents
    assert incidents["report_ids"].list.len().to_list() == [10_000]
    declared = fuse(table.head(500), judgements=(), one_report_per_incident=["A0", "A1", "A2"])
    assert declared.incidents["report_ids"].list.len().max() == 3


def test_a_riot_that_thousands_report_is_one_incident() -> None:
    chance = random.Random(1)
    table = reports(
        *(
            report(
                f"A{k % 40}",
                str(k),
                killed=chance.choice([4, 5, 5, 6]),
                lat=27.957 + chance.gauss(0, 0.01),
                lon=68.638 + chance.gauss(0, 0.01),
                radius_km=2.5,
            )
            for k in range(2_000)
        )
    )
    sizes = fuse(table, judgements=()).clusters.group_by("incident_id").len()["len"]
    assert (sizes.max(), sizes.sum()) == (pytest.approx(2_000, abs=100), 2_000)


def test_splits_and_merges_come_out_as_events_and_what_nothing_touched_keeps_its_id() -> None:
    far = report("A", "far", lat=30.0, lon=66.0)
    live = Live(reports(report("A", killed=5), far))
    first, away = (reports(r)["report_id"].item() for r in (report("A"), far))
    second = report("B", killed=5, known_at=DAY + timedelta(days=1))
    grown = live.add(reports(second)).events
    assert grown.rows() == [(first, "grown", [first], sorted([first, second["report_id"]]))]
    shrunk = live.remove([second["report_id"]]).events
    assert shrunk.rows() == [(first, "shrunk", [first], [first])]
    new = live.add(reports(report("C", "x", lat=10.0))).events
    assert new["change"].to_list() == ["new"]
    gone = live.remove([away]).events
    assert gone.rows() == [(away, "gone", [away], [])]


def test_events_tell_all_that_changed() -> None:
    table = invented(10, 250).sample(fraction=1, shuffle=True, seed=3)
    live = Live()
    of: dict[str, str] = {}
    for low in range(0, table.height, 60):
        events = live.add(table.slice(low, 60)).events
        now = dict(live.clusters.iter_rows())
        told = {r for reports in events["reports"] for r in reports}
        members = lambda m, i: {r for r, x in m.items() if x == i}  # noqa: E731
        changed = {r for r in now if of.get(r) is None or members(of, of[r]) != members(now, now[r])}
        assert told == changed
        assert set(events["change"]) <= {"new", "grown", "merged", "split", "shrunk"}
        of = now


def test_a_correction_takes_the_place_of_what_it_corrects_even_where_that_comes_late() -> None:
    old, new = report("A", "1", killed=5), report("A", "1b", killed=8, supersedes=report("A", "1")["report_id"])
    live = Live(reports(old))
    live.add(reports(new))
    assert live.clusters["report_id"].to_list() == [new["report_id"]]
    late = Live(reports(new))
    late.add(reports(old))
    assert late.clusters["report_id"].to_list() == [new["report_id"]]


def test_sending_again_changes_nothing_and_another_content_under_an_id_is_refused() -> None:
    live = Live(reports(report("A", killed=5)))
    assert live.add(reports(report("A", killed=5))).events.is_empty()
    with pytest.raises(ContractError, match="supersedes"):
        live.add(reports(report("A", killed=6)))
    with pytest.raises(ContractError, match="not there"):
        live.remove(["nobody"])
