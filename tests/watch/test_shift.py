"""Changes of mix: R's own answers, equal to the slow oracle, quiet where nothing changed however bursty, and honest about the unknown."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.oracles import shift as slow
from tocsin.errors import OptionError
from tocsin.kernels import shift as kernel
from tocsin.watch.shift import CHANGED, FACTORS, LITTLE, UNCHANGED, UNTELLABLE, bounds, categorical_cusum, level, log_odds, shift

REFERENCE = Path(__file__).parent / "r_reference" / "categoricalCUSUM_multinomial.csv"
NAMES = ["a", "b", "c", "d"]
Codes = NDArray[np.int64]


def tables(looks: int, categories: int) -> st.SearchStrategy[list[list[int]]]:
    cell = st.one_of(st.integers(0, 3), st.integers(0, 40))
    return st.lists(st.lists(cell, min_size=categories, max_size=categories), min_size=looks, max_size=looks)


def year(rng: np.random.Generator, before: list[float], after: list[float], *, each: int = 10, burst: float = 1.0) -> tuple[Codes, Codes]:
    """52 weeks, the mix another from week 40 on; bursts share their category."""
    n = 52 * each
    when = np.arange(n) * 7 // each
    owner = np.cumsum(rng.random(n) < 1 / burst)
    first, then = rng.choice(4, n + 1, p=before), rng.choice(4, n + 1, p=after)
    return when, np.where(when < 280, first[owner], then[owner])


def run(when: Any, category: Any, weight: Any = None, **more: Any) -> Any:
    return shift(when, category, weight, **({"categories": NAMES, "baseline": 32, "every": 7, "replications": 199} | more))


MIX, OTHER = [0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.6, 0.1]


def test_the_cusum_of_categories_is_rs_to_the_printed_digit() -> None:
    rows = np.loadtxt(REFERENCE, delimiter=",", skiprows=1)
    found = categorical_cusum(rows[:, :3], [0.5, 0.3, 0.2], [0.3, 0.3, 0.4], limit=5)
    np.testing.assert_allclose(found.statistic, rows[:, 3], rtol=0, atol=5e-14)
    assert found.alarms.tolist() == np.flatnonzero(rows[:, 4]).tolist()
    assert len(found.alarms) > 5


@given(tables(12, 3), st.floats(0.5, 20))
def test_the_fast_cusum_of_categories_is_the_slow_one(counts: list[list[int]], limit: float) -> None:
    found = categorical_cusum(counts, [0.5, 0.3, 0.2], [0.2, 0.3, 0.5], limit=limit)
    statistic, alarms = slow.categorical_cusum(counts, [0.5, 0.3, 0.2], [0.2, 0.3, 0.5], limit)
    np.testing.assert_allclose(found.statistic, statistic, atol=1e-9)
    assert found.alarms.tolist() == alarms


@given(tables(9, 4), st.integers(2, 8))
def test_the_fast_statistic_is_the_slow_one(counts: list[list[int]], baseline: int) -> None:
    y = np.array(counts, np.int64)
    share = np.empty(4)
    concentration = kernel.fit(y[:baseline], share)
    theirs = slow.fit(counts[:baseline])
    np.testing.assert_allclose(share, theirs[0])
    assert concentration == pytest.approx(theirs[1])
    fast, plain = kernel.greatest(y, baseline, np.array(FACTORS)), slow.greatest(counts, baseline, list(FACTORS))
    assert fast[0] == pytest.approx(plain[0], abs=1e-7)
    assert fast[1:] == plain[1:]


@given(st.lists(st.integers(0, 2), min_size=6, max_size=40))
def test_how_far_neighbours_agree_is_the_slow_answer(codes: list[int]) -> None:
    fast = kernel.agreements(np.array(codes), 3, 4)
    np.testing.assert_allclose(fast, [slow.agreement(codes, lag) for lag in range(1, 5)], atol=1e-12)


@given(st.integers(1, 60), st.integers(0, 2**31), st.booleans())
def test_bursts_change_places_whole(n: int, seed: int, blocks: bool) -> None:
    rng = np.random.default_rng(seed)
    joined = (rng.random(n) < 0.5).astype(float)
    order = kernel.shuffled(joined, 4 if blocks else 1, seed, 3)
    bursts = np.cumsum(joined == 0)
    if blocks or np.bincount(bursts).max() <= 8:
        assert sorted(order) == list(range(n))
        for burst in np.unique(bursts):
            (at,) = np.nonzero(bursts[order] == burst)
            assert (np.diff(at) == 1).all()
    else:
        assert len(order) == n
        assert order.min() >= 0
        assert order.max() < n


def test_events_apart_are_shuffled_into_every_order_alike() -> None:
    seen = [tuple(kernel.shuffled(np.zeros(3), 1, 5, s)) for s in range(6000)]
    counts = [seen.count(order) for order in sorted(set(seen))]
    assert len(counts) == 6
    assert sum((c - 1000) ** 2 / 1000 for c in counts) < 20.5  # chi square, 5 degrees, .001


def test_a_change_is_found_when_it_was_and_the_category_named() -> None:
    found = run(*year(np.random.default_rng(1), MIX, OTHER))
    assert found.verdict == CHANGED
    assert found.p_value == 1 / 200
    assert found.statistic > found.limit
    assert abs(found.changed_at - 40) <= 1
    assert abs(found.changed_on - 280) <= 7
    assert found.moved == "c"
    (c,) = (o for o in found.odds if o.category == "c")
    assert c.low > 0
    assert c.low < np.log(0.6 / 0.4 / (0.2 / 0.8)) < c.high
    assert found.observed == c.after > 2 * found.expected


def test_the_order_of_the_rows_and_the_threads_do_not_matter() -> None:
    rng = np.random.default_rng(2)
    when, code = year(rng, MIX, [0.3, 0.25, 0.35, 0.1], burst=2)
    deaths = rng.geometric(0.3, len(when))
    order = rng.permutation(len(when))
    for weight in (None, deaths):
        for unknown in (None, 3):
            a = run(when, code, weight, unknown=unknown)
            assert a == run(when[order], code[order], None if weight is None else weight[order], unknown=unknown)


@given(st.integers(0, 1000), st.permutations(range(4)))
@settings(max_examples=10, deadline=None)
def test_what_the_categories_are_called_does_not_matter(seed: int, names: list[int]) -> None:
    when, code = year(np.random.default_rng(seed), MIX, OTHER)
    a = run(when, code, replications=19)
    counts = np.zeros((2, 52, 4), np.int64)
    np.add.at(counts, (0, when // 7, code), 1)
    np.add.at(counts, (1, when // 7, np.array(names)[code]), 1)
    one, two = (kernel.greatest(c, 32, np.array(FACTORS))[0] for c in counts)
    assert one == pytest.approx(two)
    assert one == pytest.approx(a.statistic)


def test_more_events_of_the_same_mix_are_no_change() -> None:
    rng = np.random.default_rng(3)
    when, code = year(rng, MIX, MIX, each=40)
    keep = (when >= 280) | (rng.random(len(when)) < 0.25)
    assert run(when[keep], code[keep]).verdict == UNCHANGED


@pytest.mark.parametrize(("burst", "deaths"), list(product((1.0, 4.0), (False, True))))
def test_false_alarms_are_as_many_as_stated_however_bursty(burst: float, deaths: bool) -> None:
    sets, alarms, low = 300, 0, 0
    for seed in range(sets):
        rng = np.random.default_rng([9, seed])
        when, code = year(rng, MIX, MIX, burst=burst)
        weight = np.minimum(np.round(rng.pareto(1.5, len(when)) * 2), 300).astype(int) if deaths else None
        p = run(when, code, weight, replications=99, seed=seed).p_value
        alarms += p <= 0.05
        low += p <= 0.5
    assert 0.012 <= alarms / sets <= 0.088  # .05 and three standard errors
    assert 0.38 <= low / sets <= 0.6


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(400):
        low, _, high = log_odds(rng.multinomial(300, MIX), rng.multinomial(100, MIX))
        held += int(((low <= 0) & (high >= 0)).sum())
    assert held / 1600 >= 0.94


@given(st.lists(st.integers(0, 50), min_size=3, max_size=3), st.lists(st.integers(0, 50), min_size=3, max_size=3), st.floats(1, 20))
def test_time_turned_round_turns_the_log_odds_round(a: list[int], b: list[int], effect: float) -> None:
    low, value, high = log_odds(a, b, effect=effect)
    assert ((low < value) & (value < high)).all()
    np.testing.assert_allclose(log_odds(b, a, effect=effect), [-high, -value, -low], atol=1e-9)


@given(st.lists(st.integers(20, 200), min_size=6, max_size=6), st.floats(1, 10))
def test_bursts_widen_the_interval(counts: list[int], effect: float) -> None:
    apart, together = log_odds(counts[:3], counts[3:]), log_odds(counts[:3], counts[3:], effect=effect)
    assert (together[2] - together[0] >= apart[2] - apart[0] - 1e-9).all()


def test_a_category_that_was_never_seen_is_named() -> None:
    when, code = year(np.random.default_rng(10), [0.4, 0.3, 0.3, 0.0], [0.25, 0.25, 0.2, 0.3])
    found = run(when, code)
    assert found.verdict == CHANGED
    assert found.moved == "d"
    assert abs(found.changed_at - 40) <= 1


def test_unknowns_that_grow_leave_it_untold() -> None:
    when, code = year(np.random.default_rng(5), [0.55, 0.3, 0.1, 0.05], [0.3, 0.2, 0.1, 0.4])
    found = run(when, code, unknown=3)
    assert found.verdict == UNTELLABLE
    assert found.p_unknown <= 0.01
    assert "the unknown decide" in found.reason
    again = bounds(when, code, categories=NAMES, unknown=3, baseline=32, every=7, replications=199)
    assert again == found.bounds
    assert len({p <= 0.05 for p in (again.p_spread, again.p_up, again.p_down)}) == 2


def test_few_and_steady_unknowns_do_not_hide_a_change() -> None:
    rng = np.random.default_rng(6)
    found = run(*year(rng, [0.5, 0.25, 0.2, 0.05], [0.15, 0.2, 0.6, 0.05]), unknown=3)
    assert found.verdict == CHANGED
    assert found.bounds.up == "c"
    assert found.bounds.down == "a"
    assert [o.category for o in found.odds] == ["a", "b", "c"]


def test_deaths_of_one_attack_are_no_change() -> None:
    when, code = year(np.random.default_rng(7), MIX, MIX)
    weight = np.ones(len(when), int)
    weight[450] = 500
    found = run(when, code, weight)
    assert found.measure == "deaths"
    assert found.verdict == UNCHANGED


def test_too_little_is_said() -> None:
    found = run([0, 7, 300], [0, 1, 2])
    assert found.verdict == LITTLE
    assert "2 events of known category in the baseline" in found.reason
    assert found.p_value is None
    assert run(np.arange(364), np.zeros(364, int)).reason == "all events are of one category"


def test_a_level_is_so_many_false_alarms_a_year() -> None:
    chance = level(0.5, looks=20, every=7)
    assert chance == pytest.approx(1 - np.exp(-0.5 * 140 / 365.25))
    assert run(*year(np.random.default_rng(8), MIX, MIX), level=chance).false_alarms_per_year == pytest.approx(0.5)


GOOD: dict[str, Any] = {"when": list(range(100)), "category": [0, 1] * 50, "categories": ["a", "b", "c"], "baseline": 5, "every": 7}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"category": [0, 1]}, "100, 2 and 100 rows"),
        ({"category": [0, 3] * 50}, "codes from 0 to 2"),
        ({"when": [0.5] * 100}, "whole numbers"),
        ({"weight": [-1] * 100}, "counted from 0"),
        ({"categories": ["a"]}, "two or more"),
        ({"unknown": 3}, "no category"),
        ({"baseline": 15}, "leave one or more to watch"),
        ({"every": 0}, "one day or more"),
        ({"until": 50}, "not before until 50"),
        ({"factors": [1.0]}, "factors"),
        ({"level": 0.0}, "chance between 0 and 1"),
        ({"level": 0.001, "replications": 99}, "give 999 or more"),
        ({"when": [], "category": []}, "no event"),
    ],
)
def test_bad_input_is_told_what_to_do(change: dict[str, Any], said: str) -> None:
    arguments = GOOD | change
    with pytest.raises(OptionError, match=said):
        shift(arguments.pop("when"), arguments.pop("category"), arguments.pop("weight", None), **arguments)


@pytest.mark.parametrize(
    ("counts", "shares", "limit"),
    [
        ([[1, 2]], [0.5, 0.4], 5),
        ([[1, -2]], [0.5, 0.5], 5),
        ([[1, 2, 3]], [0.5, 0.5], 5),
        ([[1, 2]], [0.5, 0.5], 0),
        ([[0.5, 2]], [0.5, 0.5], 5),
    ],
)
def test_counts_and_shares_that_make_no_sense_are_refused(counts: Any, shares: Any, limit: float) -> None:
    with pytest.raises(OptionError):
        categorical_cusum(counts, shares, shares, limit=limit)
