"""When an answer leaves: not when it is ready, but at the next even step after its request was whole, and a random part of a step later.

How long the database works for an answer hangs a little on how much is stored, hidden reports included. Rounded up to steps that are longer than such
differences, times of answers are the same but where one falls on another step; the random part covers what is left: what a processor's caches do.
What takes longer differs by more: from the sixteenth step on, steps are twice as long with each doubling of the time.
After Askarov, Zhang and Myers (2010), "Predictive black-box mitigation of timing channels"; their steps grow with what was asked before, and so tell of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import math
import random
import threading
import time
from typing import Any

#: Seconds of a step, by default.
STEP = 0.0075
#: Steps are longer from so many doublings of the first on.
FINE = 3
#: The random part is up to so much of a step.
SPREAD = 1 / 8
#: Where the protocol notes in a request's state when the last of it was there.
WHOLE = "whole"

_chance = random.SystemRandom()


def stepped(app: Any, step: float = STEP) -> Any:
    """The app, whose answers begin at even steps. step: seconds; 0: at once."""
    if not step:
        return app
    bell = Bell()

    async def on_steps(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        begun, head = time.perf_counter(), None

        async def answer(message: Any) -> None:
            nonlocal head
            if message["type"] == "http.response.start":
                head = message  # it would tell that the answer is near
                return
            if head is not None:
                whole = scope.get("state", {}).get(WHOLE, begun)
                await bell.until(whole + leaves(time.perf_counter() - whole, step))
                await send(head)
                head = None
            await send(message)

        await app(scope, receive, answer)

    return on_steps


def leaves(took: float, step: float) -> float:
    """When an answer leaves that was ready `took` seconds after its request was whole: seconds after that."""
    own = math.ldexp(step, max(0, math.floor(math.log2(max(took, step) / step)) - FINE))
    return (max(1, math.ceil(took / own)) + _chance.random() * SPREAD) * own


class Bell:
    """Wakes who waits within some hundredths of a millisecond.

    asyncio's own timers are late by up to one, by when they were set: by that, an answer would tell when it was ready.
    """

    def __init__(self) -> None:
        self._due: list[tuple[float, int, asyncio.Future[None]]] = []
        self._changed = threading.Condition()
        self._count = 0

    async def until(self, at: float) -> None:
        """Waits until `at`, a time of `time.perf_counter`."""
        future = asyncio.get_running_loop().create_future()
        with self._changed:
            if not self._count:
                threading.Thread(target=self._ring, daemon=True).start()
            self._count += 1
            heapq.heappush(self._due, (at, self._count, future))
            if self._due[0][2] is future:
                self._changed.notify()
        await future

    def _ring(self) -> None:
        while True:
            with self._changed:
                while not self._due or self._due[0][0] > time.perf_counter():
                    self._changed.wait(self._due[0][0] - time.perf_counter() if self._due else None)
                future = heapq.heappop(self._due)[2]
            with contextlib.suppress(RuntimeError):  # the loop has ended
                future.get_loop().call_soon_threadsafe(_settle, future)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
