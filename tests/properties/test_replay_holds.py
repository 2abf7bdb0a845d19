"""What always holds of a replay: a look neither knows what comes later nor in which order the rows stand."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples_replay import END, history

from tocsin import replay
from tocsin.brief.replay import Replay

START = END - timedelta(days=28)


def replayed(reports: pl.DataFrame, start: int = 28, end: int = 0) -> Replay:
    days = (END - timedelta(days=k) for k in (start, end))
    return replay(reports, start=next(days), end=next(days), kinds=("shift",), actors=(), pairs=())


@pytest.fixture(scope="module")
def whole() -> Replay:
    return replayed(history())


def test_the_sample_raises_something(whole: Replay) -> None:
    assert whole.signals.height


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_the_order_of_the_reports_does_not_matter(seed: int, whole: Replay) -> None:
    shuffled = replayed(history().sample(fraction=1.0, shuffle=True, seed=seed))
    for name in ("signals", "looks", "attacks", "rivals"):
        assert getattr(shuffled, name).equals(getattr(whole, name)), name
    assert shuffled.caveats == whole.caveats


@settings(max_examples=4, deadline=None)
@given(looks=st.integers(1, 3))
def test_looks_and_signals_up_to_a_date_are_unchanged_by_what_is_known_later(looks: int, whole: Replay) -> None:
    day = START + timedelta(days=7 * looks)
    cut = replayed(history().filter(pl.col("received_at").dt.date() <= day), end=(END - day).days)
    assert cut.looks.equals(whole.looks.head(looks + 1))
    told = ("signal_id", "first_raised", "category", "start", "end", "observed", "expected", "p_value", "evidence", "at_start")
    assert cut.signals.select(told).equals(whole.signals.filter(pl.col("first_raised") <= day).select(told))


def test_the_looks_of_a_longer_period_are_those_of_its_parts(whole: Replay) -> None:
    late = replayed(history(), start=14)
    assert late.looks.drop("new").equals(whole.looks.tail(3).drop("new"))
