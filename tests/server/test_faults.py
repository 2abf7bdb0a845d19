"""What goes wrong around a hub, with a hub that runs: each has a clear answer, hurts nobody else, and costs no report that was acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg
import pytest
from hubs import server
from loops import run
from running import Running, new_folder

from tocsin.server import patience
from tocsin.store.embedded import Embedded


@pytest.fixture(scope="module")
def hub(hub: Running) -> Running:
    hub.token = hub.agency("A")  # type: ignore[attr-defined]
    return hub


def said(hub: Running, token: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON of one request."""
    every = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
    sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urlopen(Request(hub.url + path, sent, every, method=method), timeout=60) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, json.load(answer)
    except HTTPError as why:
        return why.code, {k.lower(): v for k, v in why.headers.items()}, json.load(why)


def post(n: int) -> dict[str, Any]:
    return {"own_id": f"fault-{n}", "marking": "RED", "text": "x" * 1000}


def until(true: Any) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_database_that_goes_away_and_comes_back_costs_503_and_no_report() -> None:
    with server() as own, new_folder() as folder:
        hub = Running(folder, "--database-url", own.conninfo())
        token = hub.agency("A")
        kept = [hub.ask(token, "POST", "/api/reports", post(n))["results"][0]["report_id"] for n in range(5)]
        own.stop()
        status, headers, body = said(hub, token, "POST", "/api/reports", post(5))
        assert (status, headers["retry-after"]) == (503, "2")
        assert body["error"]["reason"] == "the hub's database does not answer: try again in a moment"
        assert said(hub, "", "GET", "/ready")[0] == 503
        assert said(hub, "", "GET", "/health")[0] == 200
        own.start()
        until(lambda: said(hub, "", "GET", "/ready")[0] == 200)
        kept += [hub.ask(token, "POST", "/api/reports", post(n))["results"][0]["report_id"] for n in (5, 6)]
        assert [r["report_id"] for r in hub.feed(token)] == kept
        until(lambda: hub.ask(token, "GET", "/api/incidents")["current"])
        assert str(folder) not in json.dumps(body)
        hub.close()


def test_what_ends_by_itself_is_started_again(hub: Running) -> None:
    token: str = hub.token  # type: ignore[attr-defined]
    kept = hub.ask(token, "POST", "/api/reports", post(100))["results"][0]["report_id"]
    pid = Embedded(hub.folder).pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: Embedded(hub.folder).pid() not in (None, pid))
    until(lambda: said(hub, "", "GET", "/ready")[0] == 200)
    assert kept in {r["report_id"] for r in hub.feed(token)}
    children = subprocess.run(
        ["pgrep", "-P", str(hub.process.pid), "-f", "tocsin.server.child web"], capture_output=True, text=True, check=True
    )
    os.kill(int(children.stdout), signal.SIGKILL)

    def answers() -> bool:
        try:
            return said(hub, "", "GET", "/ready")[0] == 200
        except OSError:
            return False

    time.sleep(0.2)  # until what was killed no longer answers
    until(answers)
    assert kept in {r["report_id"] for r in hub.feed(token)}


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 160 MB of its own."""
    with new_folder() as folder:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=755", "tmpfs", str(folder)], capture_output=True, check=False)
        if made.returncode:
            pytest.skip("only root may mount a small disk, and not in every container")
        try:
            yield folder
        finally:
            Embedded(folder).stop()
            subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told_and_costs_no_report_that_was_acknowledged(small_disk: Path) -> None:
    hub = Running(small_disk / "hub")
    token = hub.agency("A")
    kept = [hub.ask(token, "POST", "/api/reports", post(0))["results"][0]["report_id"]]
    ballast = small_disk / "ballast"
    with ballast.open("wb") as file:
        file.write(b"\0" * max(shutil.disk_usage(small_disk).free - 4_000_000, 0))
    refused, n = 0, 0
    while not refused:
        n += 1
        batch = [{"own_id": f"{n}-{i}", "marking": "RED", "text": os.urandom(4000).hex()} for i in range(50)]
        status, _, body = said(hub, token, "POST", "/api/reports", batch)
        if status == 200:
            kept += [r["report_id"] for r in body["results"]]
        else:
            refused = status
            assert refused in (503, 507)
            assert refused == 503 or "disk is full" in body["error"]["reason"]
    ballast.unlink()
    until(lambda: said(hub, token, "POST", "/api/reports", post(1))[0] == 200)
    there = {r["report_id"] for r in hub.feed(token)}
    assert set(kept) <= there
    hub.close()


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"{}," * 999_999 + b"{}]",
        b"{" + b",".join(b'"%d":0' % n for n in range(500_000)) + b"}",
        b"[" + b",".join([b'{"own_id":' + b'"x"' * 1 + b"}"] * 1000) + b"]",
        b"[" * 1_000_000 + b"]" * 1_000_000,
        b'{"text": "' + b"\\u0000" * 100_000 + b'"}',
        b'{"killed": ' + b"9" * 1_000_000 + b"}",
        b'{"lat": 1e999, "lon": NaN}',
    ],
    ids=[
        "a million tiny objects",
        "half a million fields",
        "a thousand without a marking",
        "a million deep",
        "zeros",
        "a long number",
        "no numbers",
    ],
)
def test_a_body_that_is_made_to_hurt_gets_a_short_answer_and_the_next_request_its_own(hub: Running, body: bytes) -> None:
    token: str = hub.token  # type: ignore[attr-defined]
    status, _, answer = said(hub, token, "POST", "/api/reports", body)
    assert status in (200, 400)
    assert status == 400 or all(r["status"] == "refused" for r in answer["results"])
    assert len(json.dumps(answer)) < 500_000
    assert said(hub, token, "POST", "/api/reports", post(200))[2]["results"][0]["status"] in ("stored", "known")


def raw(hub: Running, sent: bytes, *, cut: bool = False) -> bytes:
    """What a connection that says this is answered. cut: it hangs up then."""
    with closing(socket.create_connection(("127.0.0.1", hub.port), timeout=60)) as line:
        line.sendall(sent)
        if cut:
            line.shutdown(socket.SHUT_WR)
        out = b""
        while part := line.recv(65_536):
            out += part
        return out


def head(token: str, *more: str) -> bytes:
    lines = [
        "POST /api/reports HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        "Connection: close",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def test_a_body_that_is_cut_short_stores_nothing(hub: Running) -> None:
    token: str = hub.token  # type: ignore[attr-defined]
    whole = json.dumps([post(300), post(301)]).encode()
    raw(hub, head(token, f"Content-Length: {len(whole)}") + whole[:-30], cut=True)
    raw(hub, head(token, "Transfer-Encoding: chunked") + b"%x\r\n" % len(whole) + whole + b"\r\n", cut=True)  # the last chunk is missing
    assert not {"fault-300", "fault-301"} & {r["own_id"] for r in hub.feed(token)}
    whole = json.dumps(post(302)).encode()[:-20]
    assert b" 400 " in raw(hub, head(token, f"Content-Length: {len(whole)}") + whole).split(b"\r\n")[0]


def test_what_is_too_large_is_refused_before_it_is_read_whether_its_length_is_said_or_not(hub: Running) -> None:
    token: str = hub.token  # type: ignore[attr-defined]
    assert b" 413 " in raw(hub, head(token, "Content-Length: 20000000")).split(b"\r\n")[0]
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    assert b" 413 " in raw(hub, head(token, "Transfer-Encoding: chunked") + chunk * 40).split(b"\r\n")[0]
    assert said(hub, token, "GET", "/api/feed", Content_Type="text/plain")[0] == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"\0\1\2\3\r\n\r\n",
        b"GET / HTTP\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_what_is_no_http_is_answered_400(hub: Running, sent: bytes) -> None:
    with contextlib.suppress(ConnectionError):  # it may close before all was sent
        assert b" 400 " in raw(hub, sent).split(b"\r\n")[0]
    assert said(hub, "", "GET", "/health")[0] == 200


def test_a_body_in_crumbs_is_refused_and_one_in_small_pieces_is_taken(hub: Running) -> None:
    token: str = hub.token  # type: ignore[attr-defined]
    body = json.dumps(post(350)).encode()
    small = b"".join(b"1\r\n" + body[n : n + 1] + b"\r\n" for n in range(len(body))) + b"0\r\n\r\n"
    assert b" 200 " in raw(hub, head(token, "Transfer-Encoding: chunked") + small).split(b"\r\n")[0]
    large = b"".join(b"100\r\n" + b" " * 256 + b"\r\n" for _ in range(12_000)) + small
    assert b" 200 " in raw(hub, head(token, "Transfer-Encoding: chunked") + large).split(b"\r\n")[0]
    for who in (token, "nobody"):
        got = raw(hub, head(who, "Transfer-Encoding: chunked") + b"1\r\n \r\n" * 200_000 + small)
        assert got.split(b" ")[1] in ((b"400",) if who == token else (b"400", b"401"))
    assert [r["own_id"] for r in hub.feed(token)].count("fault-350") == 1
    assert "LocalProtocolError" not in hub.errors()


def test_callers_that_read_or_write_a_byte_at_a_time_keep_nobody_waiting(hub: Running) -> None:
    token: str = hub.token  # type: ignore[attr-defined]
    lines = []
    for n in range(60):  # more than there are threads, or connections to the database
        line = socket.create_connection(("127.0.0.1", hub.port), timeout=60)
        if n % 3 == 0:
            line.sendall(b"G")
        elif n % 3 == 1:
            line.sendall(head(token, "Content-Length: 1000") + b"[")
        else:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            line.sendall(f"GET /api/feed?limit=1000 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            line.recv(1)
        lines.append(line)
    for n in range(20):
        assert said(hub, token, "POST", "/api/reports", post(400 + n))[0] == 200
        assert said(hub, token, "GET", "/api/feed?limit=10")[0] == 200
    for line in lines:
        line.close()


def test_the_clock_of_the_hub_does_not_go_back_with_the_machines() -> None:
    with server() as own, new_folder() as folder:
        hub = Running(folder, "--database-url", own.conninfo())
        token = hub.agency("A")
        hub.ask(token, "POST", "/api/reports", post(0))
        hub.end()
        hub.close()
        with psycopg.connect(own.conninfo()) as connection:  # as if the machine's clock had been nine years ahead, and was set right
            connection.execute("UPDATE tocsin.clock SET last = last + interval '9 months'")
        again = Running(folder, "--database-url", own.conninfo())
        again.ask(token, "POST", "/api/reports", post(1))
        again.ask(token, "POST", "/api/reports", post(2))
        times = [r["received_at"] for r in again.feed(token)]
        assert times == sorted(times)
        assert times[1][:7] > times[0][:7]
        again.close()


async def _served(head_s: float, body_s: float, answer_s: float, talk: Any) -> Any:
    """What `talk` finds of a server with these seconds, whose only page reads a body and answers with 30 MB."""
    import uvicorn

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            while (await receive()).get("more_body"):
                pass
        except patience.Late as why:
            await send({"type": "http.response.start", "status": why.status_code, "headers": [(b"connection", b"close")]})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"30000000")]})
        await send({"type": "http.response.body", "body": b" " * 30_000_000})

    kind = type("Hurried", (patience.Patient,), {"head": head_s, "answer": answer_s})
    config = uvicorn.Config(patience.in_time(app, body_s), port=0, log_config=None, lifespan="off", http=kind)
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve())
    while not running.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", running.servers[0].sockets[0].getsockname()[1], limit=1024)
    try:
        return await asyncio.wait_for(talk(reader, writer), 60)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        running.should_exit = True
        await task


def test_a_head_a_body_and_an_answer_are_waited_for_so_long_and_no_longer() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET / HT")
        with contextlib.suppress(ConnectionResetError):
            return await reader.read()
        return b""

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        return await reader.read()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(1.5)
        got = 0
        with contextlib.suppress(ConnectionResetError):
            while part := await reader.read(65_536):
                got += len(part)
        return got

    assert run(_served(0.2, 60, 60, silent)) == b""
    assert b" 408 " in run(_served(60, 0.2, 60, half))
    assert run(_served(60, 60, 0.2, deaf)) < 30_000_000
    assert run(_served(60, 60, 60, deaf)) > 30_000_000
