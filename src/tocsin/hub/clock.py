"""The hub's clock: it never goes back, whatever the machine's does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tocsin.errors import Malformed
from tocsin.store import Store

Clock = Callable[[], datetime]
FIRST = datetime(1970, 1, 1, tzinfo=UTC)  # no hub has a report from before
_STEP = timedelta(microseconds=2)


def clock(floor: datetime | None = None) -> Clock:
    """A clock that starts at the machine's time, or after `floor` (the last time that the hub gave) where that is later; no two of its times are the same.

    Its microseconds are even: the store makes a write's time of it, and takes odd ones too (`tick` in schema.sql).
    """
    start = max(datetime.now(UTC), (floor or datetime.min.replace(tzinfo=UTC)) + _STEP)
    start -= timedelta(microseconds=start.microsecond % 2)
    began, lock = time.monotonic_ns(), threading.Lock()
    last = start - _STEP

    def now() -> datetime:
        nonlocal last
        with lock:
            last = max(start + (time.monotonic_ns() - began) // 2000 * _STEP, last + _STEP)
            return last

    return now


def clock_of(store: Store) -> Clock:
    """A clock that goes on after the last time that the hub of a store gave. Raises `StoreError`."""
    last = store.one("last_tick")
    return clock(last["last"] if last else None)


def past_of(name: str, text: str | None, now: datetime) -> datetime:
    """A time that somebody gives as `name`, from 1970 on and not later than now; now, where none is given. Raises `Malformed`."""
    try:
        at = now if text is None else datetime.fromisoformat(text)
        if at.tzinfo is not None and FIRST <= (at := at.astimezone(UTC)) <= now:
            return at
    except (ValueError, OverflowError):
        pass
    raise Malformed(f"{name}: a time with its zone, as 2026-01-31T12:00:00Z, from 1970 on and not later than now; leave it out for now")
