"""How much of the hub one agency may take, so that none keeps the others waiting. It goes by what that agency itself asks, and by nothing that others do.

A token, or a person, asks so often a second; of one agency so much is done at once, the rest waits for it, and is answered 429 where that takes too long.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from contextvars import ContextVar

from tocsin.errors import TooMany

#: What of one agency is done at once: together less than half of the connections to the database.
AT_ONCE = {"read": 4, "write": 2, "file": 1}
WAITING = 256  # requests of one agency that wait for others of it: half of the connections that the hub takes
PATIENCE = 10.0  # seconds that one waits
RATE = 100  # requests a second of one token
BURST = 10  # seconds of them that may come at once


class Lane:
    """What is done at once of one agency and one kind; in the order in which it came."""

    def __init__(self, most: int, patience: float) -> None:
        self._free, self._patience, self._waiting = asyncio.Semaphore(most), patience, 0

    async def __aenter__(self) -> None:
        """Waits for its turn. Raises `TooMany`."""
        if self._waiting >= WAITING:
            raise TooMany(f"{WAITING} requests of your agency wait already: send fewer at once", 1)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError as why:
            raise TooMany("other requests of your agency take all that it may have at once: send one after another", 1) from why
        finally:
            self._waiting -= 1

    async def __aexit__(self, *_: object) -> None:
        """Makes way for the next."""
        self._free.release()


#: The lane of the request that is served.
lane: ContextVar[Lane | None] = ContextVar("lane", default=None)


class Fair:
    """Who asks how much. rate: requests a second of one token; now: seconds of a clock that only goes on."""

    def __init__(self, rate: int = RATE, *, patience: float = PATIENCE, now: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._patience, self._now = rate, patience, now
        self._left: dict[tuple[str | None, str], tuple[float, float]] = {}  # how many more may come at once, and when that was so
        self._lanes: dict[tuple[str | None, str], Lane] = {}

    def take(self, agency: str | None, label: str) -> None:
        """Counts a request. Raises `TooMany` where the token has asked too often of late."""
        at = self._now()
        left, since = self._left.get((agency, label), (float(self._rate * BURST), at))
        left = min(self._rate * BURST, left + (at - since) * self._rate)
        self._left[(agency, label)] = (left - 1 if left >= 1 else left, at)
        if left < 1:
            seconds = max(1, math.ceil((1 - left) / self._rate))
            raise TooMany(f"more than {self._rate} requests a second: wait {seconds} s, and send fewer", seconds)

    def enter(self, agency: str | None, kind: str) -> None:
        """From now on this request is one of the agency's. kind: of AT_ONCE."""
        key = (agency, kind)
        if key not in self._lanes:
            self._lanes[key] = Lane(AT_ONCE[kind], self._patience)
        lane.set(self._lanes[key])


def kind_of(method: str, path: str) -> str:
    """Files are read one after another, for that takes long."""
    return "read" if method in ("GET", "HEAD", "OPTIONS") else "file" if path == "/api/files" else "write"
