"""Scan statistics: exact to SaTScan's own answers, equal to the slow oracle, the same whatever the threads."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import tocsin
from tests.oracles import scan as slow
from tocsin.cli import app
from tocsin.errors import InputError, OptionError
from tocsin.kernels import scan as kernel
from tocsin.watch import Study, read_study, scan

STUDIES = Path(__file__).parent / "satscan"
RUNS = (
    "nyc-stp-prospective-1t",
    "nyc-stp-retrospective-1t",
    "nm-stp-retrospective-1t",
    "nm-poisson-retrospective-1t",
    "nm-poisson-prospective-1t",
)


def reference(name: str) -> list[dict[str, str]]:
    """SaTScan's clusters."""
    head, *rows = [re.split(r"\s+", line.strip()) for line in (STUDIES / f"{name}.col.txt").read_text().splitlines()]
    return [dict(zip(head, row, strict=False)) for row in rows]


def members(name: str) -> list[list[str]]:
    """The places of each cluster, as SaTScan's report names them."""
    text = (STUDIES / f"{name}.report.txt").read_text()
    return [
        re.split(r",\s*", re.sub(r"\s+", " ", found).strip())
        for found in re.findall(r"Location IDs included\.: (.*?)\n  Coord", text, re.S)
    ]


@pytest.mark.parametrize("name", RUNS)
def test_clusters_are_satscans_to_the_printed_digit_and_chance_agrees(name: str) -> None:
    study, replications = read_study(STUDIES / f"{name}.prm")
    found = scan(study, replications=replications)
    ours = found.clusters.to_dicts()
    theirs, places = reference(name), members(name)
    for cluster, row, inside in zip(ours, theirs, places, strict=False):
        assert cluster["centre"] == row["LOC_ID"]
        assert sorted(cluster["places"]) == sorted(inside)
        statistic = row.get("LLR") or row["TEST_STAT"]
        assert f"{cluster['statistic']:.6f}" == statistic
        assert cluster["observed"] == int(row["OBSERVED"])
        assert cluster["expected"] == pytest.approx(float(row["EXPECTED"]), abs=0.0051)
        assert cluster["radius"] == pytest.approx(float(row["RADIUS"]), abs=0.0051)
        assert [f"{d.year}/{d.month}/{d.day}" for d in (cluster["start"], cluster["end"])] == [row["START_DATE"], row["END_DATE"]]
        p = float(row["P_VALUE"])
        assert cluster["p_value"] == pytest.approx(p, abs=4 * (2 * p * (1 - p) / 1000) ** 0.5 + 0.002)
        if "RECURR_INT" in row:
            assert cluster["recurrence_days"] * cluster["p_value"] == pytest.approx(365.25 if name.startswith("nm") else 1.0)
    more = [c["p_value"] for c in ours[len(theirs) :]] + [float(r["P_VALUE"]) for r in theirs[len(ours) :]]
    assert all(p > 0.99 for p in more), (
        "a list ends where chance does as much every time, which other random numbers put a cluster earlier or later"
    )
    simulated = np.loadtxt(STUDIES / f"{name}.llr.txt", skiprows=1).round(6)
    ours_too = found.maxima.round(6)
    every = np.sort(np.concatenate([simulated, ours_too]))
    apart = np.abs(np.searchsorted(np.sort(simulated), every, "right") - np.searchsorted(np.sort(ours_too), every, "right")).max() / 999
    assert apart < 1.95 * (2 / 999) ** 0.5, "Kolmogorov and Smirnov, at 1 in 1,000"


def test_bernoullis_clusters_are_satscans() -> None:
    study, _ = read_study(STUDIES / "NHumbersideSpatialBernoulli.prm")
    ours = {c["centre"]: c for c in scan(study, replications=99).clusters.to_dicts()}
    for row in reference("NHumbersideSpatialBernoulli"):
        cluster = ours[row["LOC_ID"]]
        assert f"{cluster['statistic']:.6f}" == row["LLR"]
        assert (cluster["observed"], len(cluster["places"])) == (int(row["OBSERVED"]), int(row["NUMBER_LOC"]))
        assert cluster["radius"] == pytest.approx(float(row["RADIUS"]), abs=0.0051)


@given(
    cells=st.lists(st.lists(st.integers(0, 4), min_size=5, max_size=5), min_size=3, max_size=5),
    seed=st.integers(0, 99),
    most=st.integers(1, 5),
    least=st.integers(1, 2),
    last_only=st.booleans(),
)
def test_the_likeliest_cluster_of_each_centre_is_that_of_the_slow_oracle(
    cells: list[list[int]], seed: int, most: int, least: int, last_only: bool
) -> None:
    cases = np.array(cells, np.int64)
    chance = np.random.default_rng(seed)
    if not cases.sum():
        return
    expected = chance.random(cases.shape) + 0.1
    expected *= cases.sum() / expected.sum()
    order = [chance.permutation(len(cases)).tolist() for _ in cases]
    zones = kernel.Zones(np.arange(len(cases) + 1) * len(cases), np.concatenate(order).astype(np.int32))
    none = np.zeros(0, np.int32)
    data = kernel.Data(kernel.POISSON, cases, expected, np.zeros(0, np.int64), none, none, np.zeros(1, np.int64))
    found = kernel.best(data, zones, kernel.Windows(least, most, last_only), 2)
    wanted = slow.best(cells, expected.tolist(), order, most=most, least=least, last_only=last_only)  # type: ignore[arg-type]
    assert found.ratio == pytest.approx([w[0] for w in wanted], abs=1e-9)


@given(
    model=st.sampled_from([kernel.POISSON, kernel.PERMUTATION]),
    seed=st.integers(0, 999),
    events=st.integers(2, 60),
    most=st.integers(1, 40),
    least=st.integers(1, 3),
    prospective=st.booleans(),
)
def test_the_greatest_of_each_simulated_data_set_is_that_of_the_slow_oracle(
    model: int, seed: int, events: int, most: int, least: int, prospective: bool
) -> None:
    chance = np.random.default_rng(seed)
    places, days = int(chance.integers(2, 6)), int(chance.integers(1, 50))
    most, least = min(most, days), min(least, most, days)
    where, when = (
        chance.integers(0, places, events).astype(np.int32),
        np.sort(chance.integers(0, days, events)).astype(np.int32)[::-1].copy(),
    )
    cases = np.zeros((places, days), np.int64)
    np.add.at(cases, (where, when), 1)
    expected = np.outer(cases.sum(axis=1), cases.sum(axis=0)) / events
    if model == kernel.POISSON:
        expected = chance.random(cases.shape) + 0.01
        expected *= events / expected.sum()
    order = [chance.permutation(places).tolist() for _ in range(places)]
    zones = kernel.Zones(np.arange(places + 1) * places, np.concatenate(order).astype(np.int32))
    data = kernel.Data(model, cases, expected, np.zeros(0, np.int64), where, when, np.array([0, events]))
    found = kernel.maxima(data, zones, kernel.Windows(least, most, prospective), 2, seed, 0, 5)
    made, state = np.zeros(cases.shape, np.int32), np.zeros(1, np.uint64)
    for number, greatest in enumerate(found):
        kernel._start(seed, number, state)
        kernel._simulated(model, events, where.copy(), when, data.strata, np.cumsum(expected.ravel()), 0.0, 0, made, state)
        wanted = slow.best(made.tolist(), expected.tolist(), order, most=most, least=least, last_only=prospective)  # type: ignore[arg-type]
        assert greatest == pytest.approx(max(w[0] for w in wanted), abs=1e-6)


def test_simulations_depend_on_the_seed_and_on_nothing_else() -> None:
    study, _ = read_study(STUDIES / "nyc-stp-prospective-1t.prm")
    once, again, other = scan(study, replications=50, seed=3), scan(study, replications=50, seed=3), scan(study, replications=50, seed=4)
    assert once.maxima.tolist() == again.maxima.tolist()
    assert once.maxima.tolist() != other.maxima.tolist()
    assert scan(study, replications=30, seed=3).maxima.tolist() == once.maxima[:30].tolist()


@pytest.mark.parametrize("name", ["nyc-stp-retrospective-1t", "nm-poisson-retrospective-1t", "NHumbersideSpatialBernoulli"])
def test_a_simulated_data_set_has_as_many_cases_and_keeps_what_its_model_holds_fixed(name: str) -> None:
    study, _ = read_study(STUDIES / f"{name}.prm")
    data = study.data
    cases = np.zeros_like(data.cases)
    chances = np.cumsum(data.people).astype(float) if data.model == kernel.BERNOULLI else np.cumsum(data.expected.ravel())
    total = np.zeros(data.cases.shape)
    for s in range(200):
        state = np.array([s * 7919 + 1], np.uint64)
        kernel._simulated(
            data.model, int(data.cases.sum()), data.where, data.when, data.strata, chances, float(data.people.sum()), 0, cases, state
        )
        assert cases.sum() == data.cases.sum()
        if data.model == kernel.PERMUTATION:
            assert (cases.sum(axis=0) == data.cases.sum(axis=0)).all()
            assert (cases.sum(axis=1) == data.cases.sum(axis=1)).all()
        if data.model == kernel.BERNOULLI:
            assert (cases[:, 0] <= data.people).all()
        total += cases
    wide = 6 * np.sqrt(data.expected / 200 + 1e-6) + 1e-3
    assert (np.abs(total / 200 - data.expected) < wide).all(), "on average as many as expected"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("SpatialWindowShapeType=0", "SpatialWindowShapeType=1"), "SpatialWindowShapeType=1 is not supported"),
        (("ModelType=2", "ModelType=5"), "ModelType=5 is not supported"),
        (("IncludePurelySpatial=n", "IncludePurelySpatial=y"), "IncludePurelySpatial=y is not supported"),
        (("EndDate=2001/11/24", "EndDate=2001/11/31"), "no date"),
        (("EndDate=2001/11/24", "EndDate=2001/11/20"), "outside the study period"),
        (("CoordinatesFile=NYCfever.geo", "CoordinatesFile=nowhere.geo"), "nowhere.geo: cannot be read"),
        (("CaseFile=NYCfever.cas", "CaseFile=NYCfever.geo"), "line 1"),
        (("TimeAggregationLength=1", "TimeAggregationLength=7"), "no whole number of intervals"),
    ],
)
def test_a_study_that_is_not_supported_or_not_right_stops_by_name(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    for name in ("NYCfever.cas", "NYCfever.geo"):
        (tmp_path / name).write_bytes((STUDIES / name).read_bytes())
    text = (STUDIES / "nyc-stp-prospective-1t.prm").read_text()
    assert change[0] in text
    (tmp_path / "study.prm").write_text(text.replace(*change))
    with pytest.raises(InputError, match=says):
        read_study(tmp_path / "study.prm")


def test_a_study_without_cases_is_refused() -> None:
    study, _ = read_study(STUDIES / "nyc-stp-prospective-1t.prm")
    empty = Study(study.places, study.at, True, study.begins, study.data._replace(cases=np.zeros_like(study.data.cases)))
    with pytest.raises(OptionError, match="no case"):
        scan(empty)


def test_the_command_prints_one_json_document_and_a_table() -> None:
    path = str(STUDIES / "nyc-stp-prospective-1t.prm")
    done = CliRunner().invoke(app, ["scan", path, "--json", "--replications", "99"], catch_exceptions=False)
    told = json.loads(done.output)
    first = told["clusters"][0]
    assert (first["centre"], first["observed"], first["start"], round(first["llr"], 6)) == ("11418", 4, "2001-11-22", 3.845418)
    assert set(first) == {
        "centre",
        "members",
        "lat",
        "lon",
        "radius_km",
        "start",
        "end",
        "observed",
        "expected",
        "llr",
        "p",
        "recurrence_days",
    }
    assert told["replications"] == 99
    shown = CliRunner().invoke(app, ["scan", path, "--replications", "99"], catch_exceptions=False).output
    assert "11418" in shown
    assert "concentrated" in shown


def test_an_early_stop_gives_besag_and_cliffords_p_value_from_the_same_simulations() -> None:
    study, _ = read_study(STUDIES / "nyc-stp-prospective-1t.prm")
    whole, short = scan(study, replications=999), scan(study, replications=999, early_stop=50)
    assert len(short.maxima) < len(whole.maxima) / 2
    assert short.maxima.tolist() == whole.maxima[: len(short.maxima)].tolist()
    taken = int(np.flatnonzero(np.cumsum(whole.maxima >= whole.clusters["statistic"][0] - 1e-9) == 50)[0]) + 1
    assert short.clusters["p_value"][0] == 50 / taken
    assert short.clusters["statistic"][0] == whole.clusters["statistic"][0]
    with pytest.raises(OptionError, match="early_stop 0"):
        scan(study, early_stop=0)


def test_a_gumbel_tail_is_near_the_counted_p_value_and_goes_below_what_can_be_counted() -> None:
    study, _ = read_study(STUDIES / "nyc-stp-retrospective-1t.prm")
    few, many = scan(study, replications=199, gumbel=True), scan(study, replications=999)
    assert few.clusters["p_gumbel"][0] == pytest.approx(many.clusters["p_value"][0], abs=0.01)
    assert scan(study, replications=19).clusters["p_gumbel"].is_null().all()


def test_scan_is_public() -> None:
    assert tocsin.scan is scan
