"""EARS: R's answers to the printed digit, the charts' own definitions, and what is no series of counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles import ears as slow
from tests.watch.r_series import BUNDLED, columns, number, published
from tocsin.errors import OptionError
from tocsin.watch.ears import ears

CHARTS = [("C1", "C1"), ("C2", "C2"), ("C3", "C3-surveillance")]


@pytest.mark.parametrize(("theirs", "ours"), CHARTS)
def test_the_bounds_are_rs_on_the_published_salmonella_series(theirs: str, ours: str) -> None:
    counts, looks, upper, alarm = published(f"ears_{theirs}")
    found = ears(counts, method=ours, alpha=0.05)
    at = np.searchsorted(found.look, looks)
    np.testing.assert_allclose(found.upper[at], upper, rtol=0, atol=2e-13)
    assert found.alarm[at].tolist() == alarm
    assert any(alarm)


@pytest.mark.parametrize(("theirs", "ours"), CHARTS)
def test_the_bounds_are_rs_on_a_simulated_series_with_rs_own_levels(theirs: str, ours: str) -> None:
    answer = columns(BUNDLED)
    found = ears([int(y) for y in answer["count"]], method=ours)
    np.testing.assert_allclose(found.upper[-120:], [number(u) for u in answer[theirs][-120:]], rtol=0, atol=2e-13)


def test_the_third_chart_looks_at_the_count_it_judges_which_rs_does_not() -> None:
    quiet, loud = [2, 3, 1, 2, 3, 2, 1, 2, 3, 2, 2, 2], [2, 3, 1, 2, 3, 2, 1, 2, 3, 2, 2, 90]
    assert not ears(quiet, method="C3").alarm[-1]
    assert ears(loud, method="C3").alarm[-1]
    assert not ears(loud, method="C3-surveillance").alarm[-1]


@given(
    st.lists(st.one_of(st.integers(0, 2), st.integers(0, 60)), min_size=14, max_size=40),
    st.sampled_from(["C1", "C2", "C3"]),
    st.integers(2, 9),
    st.sampled_from([0.001, 0.025, 0.2]),
    st.sampled_from([0.0, 0.7]),
)
def test_alarms_are_those_of_the_charts_as_they_are_defined(
    counts: list[int], method: str, baseline: int, alpha: float, least: float
) -> None:
    found = ears(counts, method=method, baseline=baseline, alpha=alpha, least=least)
    assert found.look[found.alarm].tolist() == slow.alarms(counts, method, baseline, alpha, least)
    assert np.isfinite(found.upper).all()


def test_one_event_after_quiet_is_an_alarm_unless_the_deviation_has_a_floor() -> None:
    counts = [0] * 10 + [1]
    assert ears(counts).alarm[-1]
    assert not ears(counts, least=0.5).alarm[-1]


@pytest.mark.parametrize(
    ("counts", "more", "says"),
    [
        ([1, 2, -1, 4, 5, 6, 7, 8, 9], {}, "holds -1 at look 2"),
        ([1, 2, 0.5, 4, 5, 6, 7, 8, 9], {}, "holds 0.5 at look 2"),
        ([1, 2, float("nan"), 4, 5, 6, 7, 8, 9], {}, "0 where nothing happened"),
        ([[1, 2]], {}, "one count a look"),
        (["a", "b"], {}, "one count a look"),
        ([1] * 7, {}, "C1 with a baseline of 7 needs 8"),
        ([1] * 11, {"method": "C3"}, "needs 12; give more, or a shorter baseline"),
        ([], {}, "too few|one count a look"),
        ([1] * 20, {"method": "C4"}, "one of C1, C2, C3"),
        ([1] * 20, {"alpha": 0.0}, "alpha in"),
        ([1] * 20, {"baseline": 1}, "two or more looks"),
        ([1] * 20, {"least": -1.0}, "deviation from 0"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_do(counts: Any, more: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        ears(counts, **more)
