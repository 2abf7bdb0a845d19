"""A self-exciting null: its numbers are the slow oracle's, it leaves bursts alone and hears what is more than them."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.oracles import excite as slow
from tocsin.errors import OptionError
from tocsin.kernels import excite as kernel
from tocsin.kernels import hawkes as process
from tocsin.watch.excite import excited
from tocsin.watch.hawkes import DELAYS, posterior, spread

Events = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]


def some(seed: int, events: int, places: int, days: float = 400) -> Events:
    """Events at random."""
    chance = np.random.default_rng(seed)
    at = chance.random((places, 2)) * 100
    apart = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    return np.sort(chance.uniform(0, days, events)), chance.integers(0, places, events), apart


def bursty(seed: int, branching: float, *, days: float = 730, events: int = 400, places: int = 60) -> Events:
    """A background at places of unlike weight, each event setting off others there within a week or so."""
    chance = np.random.default_rng(seed)
    at = chance.random((places, 2)) * 100
    share = chance.dirichlet(np.ones(places))
    when = [chance.uniform(-100, days, chance.poisson(events * (1 - branching) * (days + 100) / days))]
    where = [chance.choice(places, len(when[0]), p=share)]
    while len(when[-1]):
        off = chance.poisson(branching, len(when[-1]))
        when.append(np.repeat(when[-1], off) + chance.exponential(7, off.sum()))
        where.append(np.repeat(where[-1], off))
    t, p = np.concatenate(when), np.concatenate(where)
    keep = (t >= 0) & (t < days)
    order = np.argsort(t[keep])
    return t[keep][order], p[keep][order], np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))


@given(seed=st.integers(0, 999), events=st.integers(2, 25), places=st.integers(1, 6))
def test_what_events_set_off_at_the_next_ones_place_is_the_slow_oracles_sum(seed: int, events: int, places: int) -> None:
    when, where, apart = some(seed, events, places)
    kernels = spread(apart)
    rates = np.random.default_rng(seed).random((len(DELAYS), len(kernels)))
    plain = (rates.tolist(), DELAYS.tolist(), kernels.tolist())
    wanted = [slow.excitation(when.tolist(), where.tolist(), i, when[i], where[i], *plain) for i in range(events)]
    traced = process.traces(when, where, DELAYS, kernels)
    assert (traced * rates).sum(axis=(1, 2)) == pytest.approx(wanted, abs=1e-9)
    half = events // 2
    held = np.zeros((len(DELAYS), places))
    for k, delay in enumerate(DELAYS):
        np.add.at(held[k], where[:half], np.exp((when[:half] - 200) / delay))
    late = when[half:] if half and when[half - 1] < 200 <= when[half] else None
    if late is not None:
        sets_off = np.einsum("ks,sqp->kqp", rates / DELAYS[:, None], kernels)
        before = np.einsum("kq,kqp->kp", held, sets_off)
        assert kernel.excitation(late - 200, where[half:], DELAYS, before, sets_off) == pytest.approx(wanted[half:], abs=1e-9)


@given(seed=st.integers(0, 999), events=st.integers(1, 12), places=st.integers(1, 5))
@settings(max_examples=40)
def test_the_greatest_ratio_is_the_slow_oracles(seed: int, events: int, places: int) -> None:
    when, where, apart = some(seed, events, places, days=30)
    base = np.random.default_rng(seed).random(events) * 0.2 + 0.001
    order = [np.argsort(row, kind="stable") for row in apart]
    spans, extra = np.array([3.0, 10.0, 30.0]), np.array([0.01, 0.1, 0.5])
    mark, out = np.full(places, -1, np.int64), np.zeros((events, 4))
    starts, near = np.arange(places + 1) * places, np.concatenate(order).astype(np.int32)
    best = kernel.sources(when, where, base, 30.0, starts, near, spans, extra, mark, out)
    assert (mark == -1).all()
    mine = [
        o.tolist() for c, o in enumerate(order) if c in set(where.tolist())
    ]  # a circle round a place without events holds none that these do not
    assert best == pytest.approx(slow.greatest(when.tolist(), where.tolist(), base.tolist(), 30.0, mine, spans.tolist(), extra.tolist()))


def test_windows_are_made_as_the_slow_oracle_makes_them() -> None:
    when, where, apart = np.array([-20.0, -6.0, -1.0]), np.array([0, 1, 1]), some(3, 1, 4)[2]
    kernels, share = spread(apart), np.array([0.4, 0.3, 0.2, 0.1])
    rates = np.random.default_rng(1).random((len(DELAYS), len(kernels)))
    rates *= 0.6 / rates.sum()
    chance, tries = Random(5), 1500
    plain = (share.tolist(), rates.tolist(), DELAYS.tolist(), kernels.tolist())
    made = [slow.window(when.tolist(), where.tolist(), 10.0, 0.4, *plain, chance) for _ in range(tries)]
    wanted = np.array([[sum(p == q and 10 - t <= 5 for t, p in w) for q in range(4)] for w in made])
    held = np.zeros((len(DELAYS), 4))
    for k, delay in enumerate(DELAYS):
        np.add.at(held[k], where, np.exp(when / delay))
    draws = (np.full(6000, 0.4), np.tile(np.cumsum(share), (6000, 1)), np.tile(rates, (6000, 1, 1)))
    ours = kernel.Process(10.0, DELAYS, *draws, np.cumsum(held, axis=1), np.cumsum(kernels, axis=2))
    every = kernel.counted(ours, np.array([2, 1, 0, 3]), np.array([5.0, 5.0, 5.0, 5.0]), 7, 0, 6000)
    assert (kernel.counted(ours, np.array([-1, 0, -1, -1]), np.array([5.0]), 7, 0, 6000)[:, 0] == every[:, 1]).all()
    for q in range(4):
        counts = every[:, [2, 1, 0, 3][q]]
        error = np.sqrt(counts.var() / 6000 + wanted[:, q].var() / tries)
        assert abs(counts.mean() - wanted[:, q].mean()) < 4 * error
        assert counts.var() == pytest.approx(wanted[:, q].var(), rel=0.35)


def test_what_is_set_off_has_the_mean_of_the_slow_oracles_grid() -> None:
    chance = np.random.default_rng(2)
    starts = chance.uniform(0, 200, 30)
    when = np.sort(np.concatenate([starts, starts[:15] + chance.exponential(4, 15)]))
    delays, one = np.array([4.0]), np.ones((1, 1, 1))
    here = process.traces(when, np.zeros(45, np.int64), delays, one).reshape(45, 1)
    fallen = np.array([(1 - np.exp(-(210 - when) / 4)).sum()])
    month, days, grid = np.zeros(45, np.int64), np.array([210.0]), np.array([1.0])
    rates, shares, _ = process.posterior(here, np.zeros(45, np.int64), month, days, fallen, 1, 0.1, 1.0, 4.0, grid, 4000, 200, 5, 3)
    assert rates.mean() == pytest.approx(slow.mean_set_off(here[:, 0].tolist(), 210.0, float(fallen[0]), 1.0, 4.0), abs=0.012)
    assert (shares == 1).all()


@pytest.mark.parametrize("branching", [0.0, 0.5])
def test_what_an_event_sets_off_is_found_again(branching: float) -> None:
    found = [posterior(*bursty(seed, branching)[:2], 730.0, spread(bursty(seed, branching)[2]), 200, seed).rates.sum() for seed in range(8)]
    assert np.mean(found) == pytest.approx(branching, abs=0.1)


def test_bursts_raise_no_more_alarms_than_stated() -> None:
    sets = 60
    p = np.array([_least(excited(*bursty(100 + s, 0.5), end=730.0, replications=99, seed=s)) for s in range(sets)])
    assert (p <= 0.1).mean() < 0.1 + 3 * np.sqrt(0.09 / sets)
    assert (p <= 0.5).mean() > 0.3


def _least(found: object) -> float:
    return min((c.p_value for c in found.clusters), default=1.0)  # type: ignore[attr-defined]


def with_more(events: Events, count: int, place: int) -> Events:
    """Events more at a place in the last 14 days."""
    when, where, apart = events
    when = np.concatenate([when, np.random.default_rng(1).uniform(716, 730, count)])
    order = np.argsort(when)
    return when[order], np.concatenate([where, np.full(count, place)])[order], apart


def test_twelve_more_at_a_quiet_place_are_heard_there() -> None:
    heard = 0
    for seed in range(10):
        events = bursty(seed, 0.5)
        place = int(np.argsort(np.bincount(events[1], minlength=60))[20])
        first = excited(*with_more(events, 12, place), end=730.0, replications=199, seed=seed).clusters[0]
        heard += first.p_value <= 0.05 and place in first.places and first.observed >= 12 and first.high < first.observed
    assert heard >= 8


def test_what_could_be_heard_is_more_than_chance_brings_and_more_at_a_stricter_level() -> None:
    found = excited(*bursty(4, 0.5), end=730.0, replications=499)
    usual, strict = found.heard(0.05), found.heard(0.002)
    assert usual is not None
    assert strict is not None
    assert 2 < usual < strict


def test_neither_the_order_of_rows_nor_the_engine_matters() -> None:
    when, where, apart = with_more(bursty(5, 0.5), 9, 7)
    for times in (when, np.floor(when)):
        a = excited(times, where, apart, end=730.0, replications=199)
        order = np.random.default_rng(1).permutation(len(when))
        b = excited(times[order], where[order], apart, end=730.0, replications=199)
        assert (a.maxima == b.maxima).all()
        assert [c.p_value for c in a.clusters] == [c.p_value for c in b.clusters]
        assert [c.places.tolist() for c in a.clusters] == [c.places.tolist() for c in b.clusters]


def test_a_source_that_starts_everywhere_is_told_and_not_called_a_cluster() -> None:
    when, where, apart = bursty(6, 0.0)
    chance = np.random.default_rng(3)
    more = chance.uniform(702, 730, 120)
    order = np.argsort(np.concatenate([when, more]))
    where = np.concatenate([where, chance.choice(where, 120)])[order]
    found = excited(np.concatenate([when, more])[order], where, apart, end=730.0, replications=99)
    assert found.uncalibrated is not None
    assert "a source may have started" in found.uncalibrated


def test_ten_thousand_in_one_day_at_one_place_are_heard() -> None:
    when, where, apart = bursty(7, 0.3)
    when, where = np.concatenate([when, np.full(10_000, 728.0)]), np.concatenate([where, np.full(10_000, 3)])
    first = excited(when, where, apart, end=730.0, replications=99).clusters[0]
    assert first.p_value == 0.01
    assert first.observed >= 10_000
    assert first.places.tolist() == [3]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"end": 729.0}, "not before the end"),
        ({"most": 725}, "at least 20"),
        ({"where": [999]}, "give numbers of places"),
        ({"apart": np.zeros((3, 2))}, "do not fit"),
        ({"apart": np.zeros((3001, 3001), np.int8)}, "take those that are near each other as one"),
    ],
)
def test_bad_input_is_told_what_to_do(change: dict[str, object], said: str) -> None:
    when, where, apart = bursty(8, 0.0)
    when = np.append(when, 729.5)
    given: dict[str, object] = {"when": when, "where": np.append(where, 0), "apart": apart, "end": 730.0} | change
    if isinstance(given["where"], list):
        given["where"] = np.where(np.arange(len(when)) == 0, 999, given["where"])
    with pytest.raises(OptionError, match=said):
        excited(given.pop("when"), given.pop("where"), given.pop("apart"), **given)  # type: ignore[arg-type]
