"""Candidates, likeness and clusters equal their slow oracles, and neither the order nor the company of the reports changes a link."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import report, reports

from tests.oracles import correlate as slow_clusters
from tests.oracles import linkage as oracle
from tocsin import explain, fuse
from tocsin.errors import OptionError, SpecError
from tocsin.fusion.explain import why
from tocsin.fusion.linkage import walk
from tocsin.fusion.members import ranks
from tocsin.fusion.model import default_model, parse_model
from tocsin.fusion.prepare import prepare
from tocsin.fusion.train import train
from tocsin.kernels import linkage as kernel
from tocsin.kernels.correlate import LARGEST, cluster
from tocsin.terms.tables import REPORTS, conform

DAY = dt.date(2015, 5, 13)
_maybe = lambda s: st.one_of(st.none(), s)  # noqa: E731  one word for a value that may be missing
REPORT = st.builds(
    lambda start, span, point, radius, province, kind, agency, codes, tolls: oracle.Report(
        start, start + span, point and point[0], point and point[1], radius, province, kind, agency, codes, tolls
    ),
    st.integers(0, 8),
    st.sampled_from([0, 0, 0, 2, 30]),
    _maybe(st.tuples(st.sampled_from([24.86, 24.87, 25.0, 25.4, 27.7]), st.sampled_from([67.0, 67.01, 67.2, 67.6, 68.8]))),
    _maybe(st.sampled_from([0.6, 2.5, 12.0, 60.0])),
    _maybe(st.sampled_from(["Sindh", "Punjab"])),
    _maybe(st.sampled_from(["one_sided", "non_state"])),
    st.sampled_from("AB"),
    st.tuples(*[_maybe(st.sampled_from(["x", "x/y", "x/y/z", "x/w", "u/y"]))] * 3),
    st.tuples(*[_maybe(st.integers(0, 60))] * 2),
)


def table(reports: list[oracle.Report]) -> pl.DataFrame:
    rows = [
        {
            "report_id": f"{i:04}", "agency": r.agency, "kind": "event", "violence": r.kind or "unknown", "marking": "CLEAR", "hindsight": True, "origin": f"{r.agency} {i}",
            "known_at": DAY + dt.timedelta(r.end + 1), "event_start": DAY + dt.timedelta(r.start), "event_end": DAY + dt.timedelta(r.end), "country": "PAK", "admin1": r.province,
            "lat": r.lat, "lon": r.lon, "radius_km": r.radius, "attack_type": r.codes[0], "target_type": r.codes[1], "actor": r.codes[2], "killed": r.tolls[0], "wounded": r.tolls[1],
        }
        for i, r in enumerate(reports)
    ]  # fmt: skip
    types = {c.name: c.dtype for c in REPORTS}
    frame = pl.DataFrame(rows, schema={k: types[k] for k in rows[0]} if rows else {"report_id": pl.String})
    return conform(
        frame.with_columns(pl.lit(None, dtype=t).alias(c) for c, t in types.items() if c not in frame.columns), REPORTS, table="reports"
    )


@settings(deadline=None, max_examples=150)
@given(st.lists(REPORT, min_size=1, max_size=9))
def test_candidates_and_levels_are_those_of_the_oracle(reports: list[oracle.Report]) -> None:
    made, rows = prepare(table(reports), np.arange(len(reports), dtype=np.int32))
    found = walk(made, np.zeros(int(kernel.STARTS[-1]), np.int32), -1)
    got = {
        frozenset((int(rows[i]), int(rows[j]))): level.tolist()
        for (i, j), level in zip(found.pairs, kernel.pair_levels(made, found.pairs), strict=True)
    }
    assert len(got) == len(found.pairs), "no pair comes twice"
    expected = {
        frozenset((a, b)): oracle.levels(reports[a], reports[b])
        for a, b in itertools.combinations(range(len(reports)), 2)
        if oracle.candidate(reports[a], reports[b])
    }
    assert set(got) == set(expected)
    ordered = {key: oracle.levels(*sorted((reports[k] for k in key), key=lambda r: r.start)) for key in expected}
    assert got == ordered
    degree = [sum(k in key for key in expected) for k in range(len(reports))]
    assert [int(found.counts[rows.tolist().index(k)]) for k in range(len(reports))] == degree


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, slow_clusters.Weights, list[int]]:
    n = draw(st.integers(1, 8))
    weights = draw(
        st.dictionaries(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda p: p[0] < p[1]), st.integers(-5, 9))
    )
    return n, weights, draw(st.lists(st.sampled_from([-1, -1, 0, 1]), min_size=n, max_size=n))


@settings(deadline=None, max_examples=200)
@given(graphs())
def test_clusters_are_worth_no_less_than_the_greedy_oracles_and_keep_the_exclusive_apart(
    graph: tuple[int, slow_clusters.Weights, list[int]],
) -> None:
    n, weights, exclusive = graph
    pairs = np.array(sorted(weights), np.int32).reshape(-1, 2)
    labels, gain = cluster(n, pairs, np.array([weights[tuple(p)] for p in pairs.tolist()], np.int64), np.array(exclusive), 3)
    groups = [[i for i in range(n) if labels[i] == k] for k in sorted(set(labels.tolist()))]
    slow = [g for members in slow_clusters.components(n, weights) for g in slow_clusters.greedy(members, weights, 3, exclusive)]
    assert slow_clusters.value(groups, weights, 3) == slow_clusters.value(slow, weights, 3) + gain
    assert gain >= 0
    for group in groups:
        held = [exclusive[i] for i in group if exclusive[i] >= 0]
        assert len(held) == len(set(held))
        assert min(group) == labels[group[0]]


def test_a_component_too_large_for_one_table_is_cut_and_what_belongs_together_is_joined_again() -> None:
    n = LARGEST + 300
    alike = np.stack(np.triu_indices(n, 1), axis=1).astype(np.int32)
    labels, _ = cluster(n, alike, np.full(len(alike), 5, np.int64), np.full(n, -1), 3)
    assert len(set(labels.tolist())) == 1, "weights that tell nothing apart"
    labels, _ = cluster(n, alike, np.full(len(alike), 5, np.int64), np.arange(n) % (n // 2), 3)
    assert np.unique(labels, return_counts=True)[1].tolist() == [n // 2, n // 2], "two of each code exclude each other"
    n = 4000
    chain = np.stack([np.arange(n - 1), np.arange(1, n)], axis=1).astype(np.int32)
    weights = np.where(np.arange(n - 1) % 10 == 9, 1, 500 + np.arange(n - 1) % 3).astype(np.int64)
    labels, _ = cluster(n, chain, weights, np.full(n, -1), 3)
    assert np.unique(labels, return_counts=True)[1].tolist() == [10] * (n // 10)


@settings(deadline=None, max_examples=40)
@given(st.lists(REPORT, min_size=2, max_size=9), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_every_report_is_in_one_incident(reports: list[oracle.Report], chance: random.Random) -> None:
    frame = table(reports)
    shuffled = frame[chance.sample(range(frame.height), frame.height)]
    one, other = (fuse(f, judgements=()) for f in (frame, shuffled))
    assert one.incidents.equals(other.incidents)
    assert one.links.equals(other.links)
    assert sorted(one.incidents["report_ids"].explode().to_list()) == frame["report_id"].to_list()


def test_the_reasons_of_a_link_add_up(two_reports: pl.DataFrame) -> None:
    links = fuse(two_reports, judgements=()).links
    assert links.height == 1
    named = [c for c in links.columns if c.startswith("by_")]
    assert links.select(pl.sum_horizontal(named)).item() == links["log_odds"].item() > 0


@pytest.fixture
def two_reports() -> pl.DataFrame:
    codes = ("explosion/suicide", "civilians/religious", "TTP")
    return table([oracle.Report(0, 0, 24.86, 67.0, 2.5, "Sindh", None, a, codes, (k, 30)) for a, k in (("A", 20), ("B", 22))])


def test_an_agency_declared_to_report_once_is_not_fused_with_itself(two_reports: pl.DataFrame) -> None:
    same = two_reports.with_columns(agency=pl.lit("A"))
    assert fuse(same, judgements=()).incidents.height == 1
    assert fuse(same, judgements=(), one_report_per_incident=["A"]).incidents.height == 2


def test_a_model_of_another_version_or_shape_is_refused_in_words() -> None:
    text = default_model().to_json()
    assert parse_model(text, "here").fingerprint == default_model().fingerprint
    with pytest.raises(SpecError, match=r"here: a model of version 9"):
        parse_model(text.replace('"version": 2', '"version": 9'), "here")
    with pytest.raises(SpecError, match=r"lacks floor"):
        parse_model(text.replace('"floor"', '"flor"'), "here")
    with pytest.raises(SpecError, match=r"not a fusion model"):
        parse_model("{", "here")


def test_too_few_reports_make_no_model(two_reports: pl.DataFrame) -> None:
    with pytest.raises(OptionError, match="too few reports"):
        train([two_reports], name="two")


def test_an_explanation_names_the_weakest_member_and_the_runner_up(two_reports: pl.DataFrame) -> None:
    codes = ("explosion/suicide", "civilians/religious", "TTP")
    third = oracle.Report(2, 2, 24.86, 67.0, 2.5, "Sindh", None, "C", codes, (1, 2))
    reports = pl.concat([two_reports, table([third]).with_columns(report_id=pl.lit("9999"))])
    found = fuse(reports, judgements=())
    told = explain(found.incidents, found.links, "0001")
    assert told.incident_id == "0000"
    assert told.links.select("left", "right").rows() == [("0000", "0001")]
    assert told.weakest == "0000"
    assert told.weakest_log_odds == pytest.approx(told.links["log_odds"].item() / 1024)
    assert told.runner_up in (None, "9999")
    assert told.margin > 0
    with pytest.raises(OptionError, match="nobody: no incident"):
        explain(found.incidents, found.links, "nobody")


def test_why_gives_the_links_own_numbers(two_reports: pl.DataFrame) -> None:
    link = fuse(two_reports, judgements=()).links.row(0, named=True)
    given = why(two_reports, "0001", "0000")
    assert {name: link[f"by_{name}"] / 1024 for name in kernel.COMPARISONS} == pytest.approx({k: v for k, v in given.items() if k != "sum"})
    with pytest.raises(OptionError, match="7777: no such report"):
        why(two_reports, "0000", "7777")


def test_a_model_is_trained_from_reports_alone_and_finds_what_is_one() -> None:
    """2,600 invented incidents of which two agencies report most: the model is made without knowing which reports belong together."""
    chance = random.Random(1)
    reports, truth = [], []
    for k in range(2600):
        codes = tuple(chance.choice(["x/y/z", "x/w", "u/v", "s/t", "q/r"]) for _ in range(3))
        day, lat, lon, toll = chance.randrange(300), 24 + chance.random(), 67 + chance.random(), chance.choice([0, 1, 1, 2, 5, 20])
        for agency in "AB":
            if chance.random() < 0.8:
                near = lat + chance.gauss(0, 0.01), lon + chance.gauss(0, 0.01)
                reports.append(oracle.Report(day, day, *near, 2.5, "Sindh", None, agency, codes, (toll, toll * 2)))  # type: ignore[arg-type]
                truth.append(k)
    frame = table(reports)
    model = train([frame], name="invented")
    assert model.weights["attack"][5] > 0 > model.weights["attack"][3]
    labels = fuse(frame, judgements=(), model=model).incidents.select("report_ids").with_row_index().explode("report_ids")
    of = dict(zip(labels["report_ids"], labels["index"], strict=True))
    both = [(a, b) for a, b in itertools.pairwise(range(len(truth))) if truth[a] == truth[b]]
    right = sum(of[f"{a:04}"] == of[f"{b:04}"] for a, b in both)
    assert right / len(both) > 0.9
    assert frame.height - labels["index"].n_unique() < 1.15 * len(both), "and little else is joined"


@settings(deadline=None)
@given(st.lists(st.one_of(st.uuids(version=5).map(str), st.text("0123456789abcdefABCDEF-", max_size=36)), unique=True))
def test_ids_are_ranked_as_texts(ids: list[str]) -> None:
    expected = {i: k for k, i in enumerate(sorted(ids))}
    assert ranks(pl.Series(ids, dtype=pl.String)).tolist() == [expected[i] for i in ids]


def test_an_incident_of_a_corrected_report_keeps_the_id_of_the_first_version(two_reports: pl.DataFrame) -> None:
    first = two_reports["report_id"][0]
    again = two_reports.head(1).with_columns(report_id=pl.lit("0000b"), supersedes=pl.lit(first), killed=pl.lit(21, dtype=pl.Int32))
    found = fuse(pl.concat([two_reports, again]), judgements=())
    assert found.incidents["report_ids"].to_list() == [["0000b", "0001"]]
    assert found.incidents["incident_id"].to_list() == [first]
    assert found.clusters["incident_id"].unique().to_list() == [first]


def vaguely(own: str, **more: Any) -> dict[str, Any]:
    year = {"event_start": date(2015, 1, 1), "event_end": date(2015, 12, 31), "known_at": date(2014, 1, 1)}
    return report("Y", own, **{**year, "actor": "TTP", "killed": 7, **more})


def test_a_report_that_knows_only_the_year_joins_the_one_incident_of_its_actor_toll_and_place_or_none() -> None:
    sharp = report("A", actor="TTP", killed=7)
    other = report("A", "2", actor="TTP", killed=7, event_start=date(2015, 6, 1), event_end=date(2015, 6, 1))
    found = lambda *rows: {frozenset(i) for i in fuse(reports(*rows), judgements=()).incidents["report_ids"]}  # noqa: E731
    one = vaguely("1")
    assert found(sharp, one) == {frozenset([sharp["report_id"], one["report_id"]])}
    assert len(found(sharp, other, one)) == 3, "two fit: which of them cannot be told"
    for differs in (
        {"killed": 8},
        {"actor": None},
        {"lat": 28.4},
        {"radius_km": 60.0},
        {"violence": "state_based"},
        {"event_start": date(2015, 3, 1)},
    ):
        assert len(found(sharp, vaguely("1", **differs))) == 2
    made = fuse(reports(sharp, one, vaguely("2", killed=9)), judgements=()).incidents.sort("vague")
    assert made["vague"].to_list() == [False, True]
    assert made["incident_id"][0] == sharp["report_id"], "an incident is called by a report that knows its day"
