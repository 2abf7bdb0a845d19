"""Answers leave at even steps after their request was whole, so that their time tells little of what the hub did for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from loops import run

from tocsin.server.journal import Journal
from tocsin.server.patience import Patient
from tocsin.server.steps import SPREAD, Bell, leaves, stepped

STEP = 0.2
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]


@given(took=st.floats(1e-6, 30), step=st.floats(1e-4, 1))
def test_an_answer_leaves_at_the_next_step_and_up_to_a_part_of_one_later_and_never_before_it_is_ready(took: float, step: float) -> None:
    at, own = leaves(took, step), step
    while took >= 16 * own:
        own *= 2
    steps = at / own
    assert at >= took
    assert 1 - 1e-9 <= steps <= took / own + 1 + SPREAD + 1e-9
    assert steps % 1 <= SPREAD + 1e-6 or steps % 1 > 1 - 1e-6


def test_what_takes_long_leaves_at_longer_steps_that_cost_a_seventh_of_it_at_most() -> None:
    assert all(0.192 <= leaves(took, 0.008) <= 0.194 for took in (0.177, 0.185, 0.191))
    assert all(leaves(0.13 * 1.1**k, 0.008) <= 1.141 * 0.13 * 1.1**k for k in range(60))


def test_what_takes_more_or_less_within_one_step_leaves_alike() -> None:
    short, long = ([leaves(took, 0.008) for _ in range(2000)] for took in (0.0021, 0.0079))
    assert all(0.008 <= at <= 0.009 for at in short + long)
    assert abs(sum(short) - sum(long)) / 2000 < 0.0001  # 15 standard errors


def test_who_waits_is_woken_in_the_order_of_the_times_and_never_before() -> None:
    async def many() -> list[tuple[float, float]]:
        bell, begun = Bell(), time.perf_counter()
        woken: list[tuple[float, float]] = []

        async def one(at: float) -> None:
            await bell.until(at)
            woken.append((at, time.perf_counter()))

        times = [begun + 0.05 + (n * 7 % 20) * 0.005 for n in range(20)]
        await asyncio.gather(*(one(at) for at in times), one(begun - 1))
        return woken

    woken = run(many())
    assert len(woken) == 21
    assert all(now >= at for at, now in woken)
    assert [at for at, _ in woken] == sorted(at for at, _ in woken)


def test_a_wait_that_was_given_up_hinders_no_other() -> None:
    async def both() -> bool:
        bell = Bell()
        gone = asyncio.create_task(bell.until(time.perf_counter() + 0.02))
        await asyncio.sleep(0.001)
        gone.cancel()
        await bell.until(time.perf_counter() + 0.05)
        return gone.cancelled()

    assert run(both())


async def _served(works: float, talk: Talk, step: float = STEP, around: Callable[[Any], Any] = lambda app: app) -> Any:
    """What `talk` finds of a server that works so many seconds for an answer."""
    import uvicorn

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await asyncio.sleep(works)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    config = uvicorn.Config(stepped(around(app), step), port=0, log_config=None, lifespan="off", http=Patient)
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve())
    while not running.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", running.servers[0].sockets[0].getsockname()[1])
    try:
        return await asyncio.wait_for(talk(reader, writer), 30)
    finally:
        writer.close()
        running.should_exit = True
        await task


async def _get(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
    """Seconds until the first byte of an answer."""
    begun = time.perf_counter()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readexactly(1)
    took = time.perf_counter() - begun
    assert (await reader.readuntil(b"ok")).endswith(b"ok")
    return took


def test_not_even_an_answers_first_byte_comes_before_its_step_and_no_answer_comes_at_once() -> None:
    assert run(_served(0, _get)) >= STEP
    assert run(_served(STEP * 1.1, _get)) >= 2 * STEP


def test_every_answer_of_a_connection_waits_for_a_step_of_its_own() -> None:
    async def three(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[float]:
        return [await _get(reader, writer) for _ in range(3)]

    assert min(run(_served(0, three))) >= STEP


def test_steps_are_counted_from_when_a_request_is_whole() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
        await asyncio.sleep(STEP * 0.7)
        begun = time.perf_counter()
        writer.write(b"cd")
        await reader.readuntil(b"ok")
        return time.perf_counter() - begun

    assert run(_served(0, slow)) >= STEP


def test_who_sends_many_requests_ahead_has_every_answer() -> None:
    async def ahead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 5)
        return len([await reader.readuntil(b"ok") for _ in range(5)])

    assert run(_served(0, ahead, 0.01)) == 5


def test_the_log_says_how_long_the_hub_worked_and_not_when_the_answer_left() -> None:
    lines: list[dict[str, Any]] = []
    journal = Journal(lines.append)
    assert run(_served(0, _get, 1.0, journal.around)) >= 1.0
    assert [line["status"] for line in lines] == [200]
    assert lines[0]["ms"] < 900


def test_without_steps_the_app_is_as_it_was() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None: ...

    assert stepped(app, 0) is app
