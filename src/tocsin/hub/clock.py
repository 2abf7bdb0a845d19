"""The hub's clock: it never goes back, whatever the machine's does."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def clock(floor: datetime | None = None) -> Clock:
    """A clock that starts at the machine's time, or at `floor` (the last time that the hub gave) where that is later."""
    start = max(datetime.now(UTC), floor or datetime.min.replace(tzinfo=UTC))
    began = time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began)
