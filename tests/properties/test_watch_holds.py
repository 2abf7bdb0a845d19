"""What always holds of signals: they neither know what comes later nor in which order the rows stand."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples_incidents import AS_OF, incident, quiet, table

from tocsin.watch import Look, look

#: The whole, whose mix of communities and places changed in the last weeks.
ROWS = [r | ({"target_group": "sufi"} if (AS_OF - r["event_end"]).days < 90 else {}) for r in quiet(250, days=600)]
BURST = [incident(600_000 + k, AS_OF - timedelta(days=k % 9), town=k % 2, target_group="sufi") for k in range(12)]


def same(one: Look, other: Look) -> bool:
    return all(getattr(one, name).equals(getattr(other, name)) for name in ("signals", "streams", "concentrated", "completeness"))


@pytest.fixture(scope="module")
def whole() -> Look:
    return look(table(ROWS + BURST), as_of=AS_OF, actors=())


def test_the_sample_raises_something(whole: Look) -> None:
    assert whole.signals.height


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_the_order_of_the_rows_does_not_matter(seed: int, whole: Look) -> None:
    assert same(look(table(ROWS + BURST).sample(fraction=1.0, shuffle=True, seed=seed), as_of=AS_OF, actors=()), whole)


@settings(max_examples=4, deadline=None)
@given(back=st.integers(1, 60), delay=st.integers(0, 5))
def test_signals_are_unchanged_by_what_is_known_later(back: int, delay: int) -> None:
    as_of = AS_OF - timedelta(days=back)
    frame = table(ROWS + BURST).with_columns(known_at=pl.col("event_end") + pl.duration(days=delay), as_of=pl.lit(as_of))
    known = frame.filter((pl.col("known_at") <= as_of) & (pl.col("event_end") <= as_of))
    assert same(look(frame, as_of=as_of, actors=()), look(known, as_of=as_of, actors=()))


@settings(max_examples=2, deadline=None)
@given(k=st.integers(1, 8))
def test_when_a_signal_was_first_raised_is_what_the_earlier_look_raised(k: int, whole: Look) -> None:
    """A look at an earlier day, on what was known then, raises the signals that later looks say were raised by then."""
    as_of = AS_OF - timedelta(days=7 * k)
    then = look(
        table(ROWS + BURST).with_columns(as_of=pl.lit(as_of)).filter(pl.col("known_at") <= as_of), as_of=as_of, actors=(), sensitivity=False
    )
    raised = then.signals["signal_id"].to_list()
    older = whole.signals.filter((pl.col("first_raised") <= as_of) & (pl.col("kind").cast(pl.String) == "shift"))
    for row in older.iter_rows(named=True):
        assert row["signal_id"] in raised
