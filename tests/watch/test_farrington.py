"""The improved Farrington method: R's answers, equal to the slow oracle, and what it cannot judge."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracles import farrington as slow
from tests.watch.r_series import BUNDLED, columns, number, published
from tocsin.errors import OptionError
from tocsin.watch.farrington import Rules, _references, farrington

START = date(2003, 3, 3)


def weeks(seed: int = 1, n: int = 330, level: float = 4.0) -> Any:
    return np.random.default_rng(seed).negative_binomial(3, 3 / (3 + level * np.exp(0.4 * np.cos(np.arange(n) / 52 * 2 * np.pi))))


def test_the_bounds_are_rs_on_the_published_salmonella_series() -> None:
    counts, looks, upper, alarm = published("farringtonFlexible_nbPlugin")
    found = farrington(counts, first_day=date(2004, 1, 5), looks=looks, rules=Rules(years=4, alpha=0.1))
    np.testing.assert_array_equal(found.upper, upper)
    assert found.alarm.tolist() == alarm
    assert sum(alarm) == 9


def test_the_bounds_are_rs_on_a_simulated_series_and_so_is_what_they_rest_on() -> None:
    answer = columns(BUNDLED)
    found = farrington([int(y) for y in answer["count"]], first_day=START, looks=range(280, 400))
    want = {name: [number(x) for x in answer[name][280:]] for name in ("bound", "mean", "dispersion")}
    np.testing.assert_array_equal(found.upper, want["bound"])
    np.testing.assert_allclose(found.expected, want["mean"], rtol=1e-5)  # R stops its fit when the deviance moves by 1e-8
    np.testing.assert_allclose(found.dispersion, want["dispersion"], rtol=1e-4)
    assert 0 < found.alarm.sum() < 20


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 99), st.sampled_from([1, 4, 10]), st.integers(3, 5), st.integers(1, 4), st.sampled_from([0, 3, 26]))
def test_the_fast_fit_is_the_slow_one(seed: int, seasons: int, years: int, half: int, skipped: int) -> None:
    y = weeks(seed)
    rules = Rules(years=years, half=half, seasons=seasons, skipped=skipped, fewest=0)
    found = farrington(y, looks=[len(y) - 1], rules=rules)
    if np.isfinite(found.trend[0]):
        references = [len(y) - 1 - 52 * back for back in range(years, -1, -1)]
        expected, dispersion, trend = slow.judged(y.tolist(), references, half, seasons, skipped, rules.extreme)
        np.testing.assert_allclose(
            [found.expected[0], found.dispersion[0], found.trend[0]], [expected, dispersion, trend], rtol=1e-4, atol=1e-7
        )
        assert found.upper[0] == slow.quantile(found.expected[0], found.dispersion[0], rules.alpha)


def test_an_outbreak_of_last_year_hardly_raises_the_bound() -> None:
    y = weeks()
    burst = y.copy()
    burst[len(y) - 54 : len(y) - 51] += 60
    plain, gentle, raw = (
        farrington(x, looks=[len(y) - 1], rules=Rules(trend=False, reweight=again)).upper[0]
        for x, again in ((y, True), (burst, True), (burst, False))
    )
    assert gentle < raw
    assert gentle - plain < (raw - plain) / 2


def test_a_trend_that_would_exceed_all_that_was_seen_is_left_out() -> None:
    y = np.round(2 * np.exp(0.012 * np.arange(330))).astype(int)
    found = farrington(y, looks=[329])
    assert np.isnan(found.trend[0])


def test_weeks_with_hardly_a_case_have_no_bound_and_no_alarm() -> None:
    y = weeks()
    y[-8:] = 0
    y[-1] = 4
    found = farrington(y)
    assert np.isnan(found.upper[-1])
    assert not found.alarm[-1]
    assert found.expected[-1] > 1


def test_a_series_without_any_case_or_that_has_just_begun_is_judged_without_a_warning() -> None:
    y = np.zeros(330, int)
    assert farrington(y, rules=Rules(fewest=0)).upper.max() == 0
    y[320:] = 30
    assert farrington(y).alarm[-1]


def test_the_same_week_of_earlier_years_is_the_calendars_where_a_day_is_given() -> None:
    leap = [START + timedelta(weeks=week) for week in _references(678, START, 5)]
    assert leap == [date(2011, 2, 28), date(2012, 2, 27), date(2013, 3, 4), date(2014, 3, 3), date(2015, 3, 2), date(2016, 2, 29)]
    assert _references(678, None, 2) == [574, 626, 678]
    assert farrington(weeks(), first_day=START).look[0] == 264  # five years hold 261 weeks


@pytest.mark.parametrize(
    ("counts", "more", "says"),
    [
        ([-1] * 330, {}, "holds -1 at look 0"),
        ([1.5] * 330, {}, "whole numbers from 0"),
        ([1] * 100, {}, "too few for 5 years of history: give about 269, or fewer years"),
        ([], {}, "too few|one count a look"),
        ([1] * 330, {"looks": [5]}, "only 263 to 329 have 5 years before them"),
        ([1] * 330, {"looks": [330]}, "only 263 to 329"),
        ([1] * 330, {"rules": Rules(years=0)}, "at least one year"),
        ([1] * 330, {"rules": Rules(alpha=1.0)}, "alpha between 0 and 1"),
        ([1] * 330, {"rules": Rules(seasons=60)}, "give fewer"),
        ([1] * 330, {"rules": Rules(skipped=50)}, "give fewer than 49"),
        ([1] * 330, {"rules": Rules(years=1, half=0, seasons=52)}, "fewer seasons or more years"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_do(counts: Any, more: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        farrington(counts, **more)
