"""How long the hub waits for a caller that is slow, or says nothing. None holds a thread; each holds a connection, and of these there is a number.

A request's head must be there within HEAD seconds, its body within BODY, and an answer must be taken within ANSWER: after that the connection is closed.
A body comes in pieces that are not all crumbs, for each takes the one thread that hears all callers some hundredths of a millisecond.
What comes of a body after its answer (that it is too large, say) is still taken, and thrown away: a connection that is closed with some of it unread loses the
answer on its way, to whoever sends all before it reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any, cast

import h11
from litestar.exceptions import HTTPException
from uvicorn.protocols.http.h11_impl import H11Protocol

from tocsin.server.steps import WHOLE

HEAD, BODY, ANSWER = 20.0, 120.0, 120.0
#: Pieces of a body that a sender cuts itself (`Transfer-Encoding: chunked`): so many, and one more for each so many bytes.
PIECES, PIECE = 10_000, 256
#: Of a body that was answered before it was whole: so many bytes are still taken, for so many seconds, and never beyond BODY after its head.
REST_BYTES, REST = 64_000_000, 10.0
#: Connections at once; more are answered 503.
CONNECTIONS = 500


class Late(HTTPException):
    """The body did not come in time."""

    status_code = 408
    detail = "the rest of the request did not come in time: nothing of it was stored"


def in_time(app: Any, seconds: float = BODY) -> Any:
    """The app, whose requests' bodies come within `seconds`, or are answered 408."""

    async def hurried(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        end, whole = asyncio.get_running_loop().time() + seconds, False

        async def body() -> Any:
            nonlocal whole
            if whole:  # what comes now is that the caller has gone
                return await receive()
            try:
                async with asyncio.timeout_at(end):
                    message = await receive()
            except TimeoutError as why:
                raise Late from why
            whole = not message.get("more_body", False)
            return message

        await app(scope, body, send)

    return hurried


class Sparing(h11.Connection):
    """h11's HTTP/1.1, which by itself takes a body in as many pieces as it has bytes. Too many are no HTTP that is understood: 400."""

    _pieces = _bytes = 0
    since = 0.0  # when the head was there, by the clock of `time.monotonic`

    def next_event(self) -> Any:
        """What comes next. Raises `h11.RemoteProtocolError`."""
        event = super().next_event()
        if type(event) is h11.Request:
            self._pieces = self._bytes = 0
            self.since = time.monotonic()
        elif type(event) is h11.Data and event.chunk_end:
            self._pieces, self._bytes = self._pieces + 1, self._bytes + len(event.data)
            if self._pieces > PIECES + self._bytes // PIECE:
                raise h11.RemoteProtocolError("a body in crumbs")
        return event


class Line:
    """A transport that asks its protocol, when it is to be closed, whether it hears the rest of a body first."""

    def __init__(self, transport: asyncio.Transport, hears: Callable[[], bool]) -> None:
        self._transport, self._hears, self._parted = transport, hears, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Whether nothing more is sent."""
        return self._parted or self._transport.is_closing()

    def close(self) -> None:
        """Nothing more is sent; it is gone at once, or when the rest was heard."""
        if self._parted:
            return
        self._parted = not self._transport.is_closing() and self._hears()
        if self._parted:
            with contextlib.suppress(OSError):  # the caller has just gone
                self._transport.write_eof()
        else:
            self._transport.close()


class Patient(H11Protocol):
    """uvicorn's HTTP/1.1, which by itself waits for ever for a head, and for an answer to be taken, and closes with a body unread."""

    conn: Sparing
    head, body, answer, rest = HEAD, BODY, ANSWER, REST
    _timer: asyncio.TimerHandle | None = None
    _left: int | None = None  # bytes of the rest of a body

    def __init__(self, config: Any, *more: Any, **named: Any) -> None:
        super().__init__(config, *more, **named)
        self.conn = Sparing(h11.SERVER, config.h11_max_incomplete_event_size or 16_384)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller is there."""
        super().connection_made(cast("asyncio.Transport", Line(transport, self._hears)))
        self._wait(self.head)

    def data_received(self, data: bytes) -> None:
        """Part of a request is there: from its first byte on, its head has so long."""
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                self.transport.abort()
            return
        try:
            super().data_received(data)
        except h11.LocalProtocolError:  # what is no HTTP came after an answer that did not wait for it
            self.transport.abort()
            return
        self._mark()
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait(None)
        elif self._timer is None:
            self._wait(self.head)

    def on_response_complete(self) -> None:
        """The answer is on its way; most are taken at once."""
        if self._left is not None:
            super().on_response_complete()
            return
        self._wait(self.answer if self.transport.get_write_buffer_size() else None)
        super().on_response_complete()
        self._mark()  # what was sent ahead

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller has gone."""
        self._wait(None)
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The hub ends: what is only thrown away is not waited for."""
        if self._left is None:
            super().shutdown()
        else:
            self.transport.abort()

    def _hears(self) -> bool:
        """Whether the rest of a body is still to come after its answer, and may; from then on it is thrown away."""
        cycle, seconds = self.cycle, min(self.rest, self.conn.since + self.body - time.monotonic())
        if self.conn.their_state not in (h11.SEND_BODY, h11.ERROR) or seconds <= 0 or self.transport.get_write_buffer_size():
            return False
        if cycle is None or not cycle.keep_alive:  # no head was understood; the hub ends
            return False
        self._left = REST_BYTES
        if not cycle.response_complete:  # it was answered for its form, and its page is not
            cycle.disconnected = True
            cycle.message_event.set()
        cycle.body.clear()
        self.flow.resume_reading()
        self._wait(seconds)
        return True

    def _mark(self) -> None:
        if self.cycle is not None and not self.cycle.more_body:
            self.cycle.scope["state"].setdefault(WHOLE, time.perf_counter())

    def _wait(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)
