"""Stated odds are true odds: the curve is the nearest rising one, and what it states on other data comes true."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from samples import invented

from tocsin import fuse
from tocsin.cli import app
from tocsin.errors import OptionError, TocsinError
from tocsin.fusion import default_model, load_model
from tocsin.fusion.calibrate import calibrate, curve, isotonic
from tocsin.fusion.model import parse_model


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 9)), min_size=1, max_size=12))
def test_pooling_gives_the_min_max_formula_of_isotonic_regression(cases: list[tuple[float, int]]) -> None:
    values, weights = np.array([c[0] for c in cases]), np.array([c[1] for c in cases], float)
    n = len(cases)
    mean = lambda a, b: np.average(values[a : b + 1], weights=weights[a : b + 1])  # noqa: E731
    slow = [max(min(mean(a, b) for b in range(i, n)) for a in range(i + 1)) for i in range(n)]
    assert isotonic(values, weights) == pytest.approx(slow, abs=1e-9)


def test_a_curve_through_cases_of_known_odds_gives_these_back() -> None:
    chance = np.random.default_rng(1)
    odds = chance.integers(-4000, 8000, 40_000)
    right = chance.random(len(odds)) < 1 / (1 + np.exp(-odds / 1024))
    found = curve(odds, right)
    at = np.arange(-3500, 7000, 250)
    assert np.abs(found.of(at) - 1 / (1 + np.exp(-at / 1024))).max() < 0.05, "2.5 standard errors of a step of 700 cases"
    assert list(found.chance) == sorted(found.chance)
    assert found.chance[0] > 0
    assert found.chance[-1] < 1


def _reviewed(reports: pl.DataFrame) -> pl.DataFrame:
    """Which invented incident each report is of stands in its origin, `A 17-4`."""
    true = reports.select("report_id", true=pl.col("origin").str.extract(r" (\d+)-"))
    both = true.join(true, how="cross", suffix="_r").filter(pl.col("report_id") < pl.col("report_id_r"))
    return both.select(left="report_id", right="report_id_r", same=pl.col("true") == pl.col("true_r"))


def test_what_is_stated_on_other_reports_comes_true() -> None:
    sets = [(r, _reviewed(r)) for r in (invented(seed, 700) for seed in (21, 22))]
    model = calibrate(default_model(), sets, name="invented", fuse=fuse)
    assert model.calibrated_on == "invented"
    assert parse_model(model.to_json(), "here").fingerprint == model.fingerprint != default_model().fingerprint
    other = invented(23, 700)
    links = fuse(other, model=model, judgements=(), one_report_per_incident=()).links.join(_reviewed(other), on=["left", "right"])
    assert links.height > 500
    assert abs(links["probability"].mean() - links["same"].mean()) < 0.05
    high = links.filter(pl.col("probability") > 0.8)
    assert abs(high["probability"].mean() - high["same"].mean()) < 0.08


def test_a_few_reviewed_pairs_make_no_curve() -> None:
    reports = invented(24, 20)
    with pytest.raises(OptionError, match="too few"):
        calibrate(default_model(), [(reports, _reviewed(reports))], name="few", fuse=fuse)


def test_the_shipped_model_says_what_its_odds_were_calibrated_on_and_a_model_without_a_curve_states_none() -> None:
    assert "synthetic reports" in default_model().calibrated_on
    reports = invented(25, 60)
    sure = fuse(reports, judgements=())
    assert sure.links["probability"].is_between(0, 1).all()
    several = sure.incidents.filter(pl.col("report_ids").list.len() > 1)
    assert several["confidence"].is_between(0, 1).all()
    assert sure.incidents.filter(pl.col("report_ids").list.len() == 1)["confidence"].null_count() == sure.incidents.height - several.height
    from dataclasses import replace

    from tocsin.fusion.model import Curve

    bare = fuse(reports, judgements=(), model=replace(default_model(), links=Curve(), incidents=Curve()))
    assert bare.links["probability"].null_count() == bare.links.height
    assert bare.incidents["confidence"].null_count() == bare.incidents.height


def test_on_the_command_line_reviewed_pairs_make_a_curve_and_a_bad_review_is_refused_in_words(tmp_path: Path) -> None:
    table = invented(12, 900)
    table.write_parquet(tmp_path / "reports.parquet")
    links = fuse(table, judgements=()).links
    chance = random.Random(1)
    links.select("left", "right", same=pl.Series([int(chance.random() < 0.8) for _ in range(links.height)])).write_csv(tmp_path / "r.csv")
    words = ["calibrate", str(tmp_path / "reports.parquet"), "--name", "tests", "--out", str(tmp_path / "m.json"), "--reviewed"]
    done = CliRunner().invoke(app, [*words, str(tmp_path / "r.csv")], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    made = load_model(tmp_path / "m.json")
    assert made.calibrated_on == "tests"
    assert np.mean(made.links.chance) == pytest.approx(0.8, abs=0.06)
    for text, says in (
        ("left,right\na,b\n", "no column 'same'"),
        ("left,right,same\na,b,perhaps\n", "line 2"),
        ("left,right,same\na,b,1\n", "in none of the files"),
    ):
        (tmp_path / "bad.csv").write_text(text)
        with pytest.raises(TocsinError, match=says):
            CliRunner().invoke(app, [*words, str(tmp_path / "bad.csv")], catch_exceptions=False, standalone_mode=False)
