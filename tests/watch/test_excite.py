"""A self-exciting null: its chances are the slow oracle's, it leaves bursts alone and hears what is more than them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.oracles import excite as slow
from tocsin.errors import OptionError
from tocsin.kernels import excite as kernel
from tocsin.watch.excite import DELAYS, background, excited, fit, spread

Events = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]


def some(seed: int, events: int, places: int) -> Events:
    """Events at random."""
    chance = np.random.default_rng(seed)
    at = chance.random((places, 2)) * 100
    apart = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    return np.sort(chance.uniform(0, 400, events)), chance.integers(0, places, events), apart


@given(seed=st.integers(0, 999), events=st.integers(3, 25), places=st.integers(1, 6))
def test_what_is_expected_of_a_day_is_the_sum_of_the_slow_oracles_chances(seed: int, events: int, places: int) -> None:
    when, where, apart = some(seed, events, places)
    chance = np.random.default_rng(seed)
    kernels, share = spread(apart), chance.dirichlet(np.ones(places))
    rates, rate = chance.random((len(DELAYS), len(kernels))), chance.random(events) + 0.1
    begin = events // 2
    day = (400 - when).astype(np.int64)
    days = int(day[begin:].max()) + 1
    expected = kernel.one_step(when, where, begin, day, days, rate, share, rates, DELAYS, kernels)
    wanted = np.zeros((places, days))
    for i in range(begin, events):
        wanted[:, day[i]] += slow.chances(
            when.tolist(), where.tolist(), i, rate.tolist(), share.tolist(), rates.tolist(), DELAYS.tolist(), kernels.tolist()
        )
    assert expected == pytest.approx(wanted, abs=1e-9)
    assert expected.sum() == pytest.approx(events - begin)
    cases = chance.integers(0, 3, expected.shape)
    expected = chance.random(expected.shape) + 0.1
    expected *= cases.sum(axis=0) / expected.sum(axis=0)  # of each day as many as there are
    order = [np.argsort(row, kind="stable").tolist() for row in apart]
    starts, near = np.arange(places + 1) * places, np.concatenate(order).astype(np.int32)
    if days <= 40 and cases.sum():
        got = kernel.greatest(cases, expected, starts, near, 1, 2, np.zeros(3, np.int64))
        assert got == pytest.approx(slow.greatest(cases.tolist(), expected.tolist(), order), abs=1e-9)


def test_places_are_drawn_by_the_oracles_chances() -> None:
    when, where, apart = some(3, 12, 4)
    kernels, share, rates, rate = spread(apart), np.array([0.1, 0.2, 0.3, 0.4]), np.full((len(DELAYS), 4), 0.5), np.full(12, 0.03)
    wanted = slow.chances(
        when.tolist(), where.tolist(), 11, rate.tolist(), share.tolist(), rates.tolist(), DELAYS.tolist(), kernels.tolist()
    )
    state, count = np.array([5], np.uint64), np.zeros(4)
    for _ in range(20_000):
        made = where.copy()
        kernel.carried_on(when, made, 11, rate, share, rates, DELAYS, kernels, state)
        assert (made[:11] == where[:11]).all()
        count[made[11]] += 1
    assert count / 20_000 == pytest.approx(np.array(wanted), abs=0.015)


def burst(seed: int, branching: float) -> Events:
    """About 500 events, each of which sets off others at its own place some days later."""
    chance = np.random.default_rng(seed)
    at = chance.random((40, 2)) * 100
    apart = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    count = chance.poisson(500 * (1 - branching))
    when, where = [chance.uniform(0, 730, count)], [chance.integers(0, 40, count)]
    while len(when[-1]):
        children = chance.poisson(branching, len(when[-1]))
        t, p = np.repeat(when[-1], children) + chance.exponential(5.0, children.sum()), np.repeat(where[-1], children)
        when.append(t[t < 730])
        where.append(p[t < 730])
    t, p = np.concatenate(when), np.concatenate(where)
    order = np.argsort(t)
    return t[order], p[order], apart


def test_the_fit_tells_events_that_excite_each_other_from_those_that_do_not() -> None:
    found = []
    for branching in (0.0, 0.6):
        when, where, apart = burst(1, branching)
        null = fit(when, where, background(when, 0.0, 730.0), spread(apart), 5, 0)
        found.append(null.rates.sum() / (1 + null.rates.sum()))
        assert null.share.sum() == pytest.approx(1)
        assert null.shares.sum(axis=1) == pytest.approx(np.ones(5))
    assert found[0] < 0.25
    assert 0.4 < found[1] < 0.8


def test_many_events_more_at_a_place_that_had_few_are_heard_and_bursts_alone_are_not() -> None:
    quiet = [excited(*burst(seed, 0.6), end=730.0, most=30, replications=99).p_value for seed in range(12)]
    assert sum(p <= 0.05 for p in quiet) <= 4, "binomial(12, .05) exceeds 4 once in 5,000"
    when, where, apart = burst(1, 0.6)
    rare = int(np.argmin(np.bincount(where, minlength=40)))
    more = np.linspace(725, 729.5, 25)
    order = np.argsort(np.concatenate([when, more]))
    when, where = np.concatenate([when, more])[order], np.concatenate([where, np.full(25, rare)])[order]
    found = excited(when, where, apart, end=730.0, most=30, replications=99)
    assert found.p_value <= 0.03
    assert rare in found.places
    assert found.observed > 1.5 * found.expected
    again = excited(when[::-1], where[::-1], apart, end=730.0, most=30, replications=99)
    assert (again.statistic, again.p_value) == (found.statistic, found.p_value), "the order of rows does not matter"


def test_what_is_later_than_the_look_or_too_little_to_fit_is_refused() -> None:
    when, where, apart = some(0, 50, 5)
    with pytest.raises(OptionError, match="not before the end"):
        excited(when, where, apart, end=300.0)
    with pytest.raises(OptionError, match="at least 20"):
        excited(when, where, apart, end=401.0, most=390)
