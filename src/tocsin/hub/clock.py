"""The hub's clock: it never goes back, whatever the machine's does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
_STEP = timedelta(microseconds=2)


def clock(floor: datetime | None = None) -> Clock:
    """A clock that starts at the machine's time, or after `floor` (the last time that the hub gave) where that is later; no two of its times are the same.

    Its microseconds are even: the store gives odd ones to writes that came later than their time.
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
