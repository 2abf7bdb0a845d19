"""A body that is answered before all of it was read: who sends it all before it reads gets the answer, and nobody holds the hub by it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import time
from contextlib import closing
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import httpx
import pyotp
import pytest
import uvicorn
from loops import run
from people import PASSWORD
from running import Running

from tocsin.server import patience

TAXII = "application/taxii+json;version=2.1"
DOORS = {
    "reports": ("/api/reports", "application/json"),
    "a file": ("/api/files?name=a.csv&marking=RED", "application/octet-stream"),
    "taxii": ("/taxii2/hub/collections/inbox/objects/", TAXII),
    "an upload": ("/upload", "multipart/form-data; boundary=x"),
    "a form": ("/sign-in", "application/x-www-form-urlencoded"),
}


@pytest.fixture(scope="module")
def token(hub: Running) -> str:
    return hub.agency("A", "submit", "administer_agency")


@pytest.fixture(scope="module")
def cookies(hub: Running, token: str) -> str:
    """What the browser of a person who is signed in sends."""
    path = hub.ask(token, "POST", "/api/invitations", {"name": "amina", "roles": ["submit"]})["path"]
    with httpx.Client(base_url=hub.url) as browser:
        page = browser.get(path).text
        secret, form = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page), re.search(r'name="form" value="(\w+)"', page)
        assert secret is not None
        assert form is not None
        code = pyotp.TOTP(secret[1].replace(" ", "")).now()
        browser.post(path, data={"form": form[1], "password": PASSWORD, "again": PASSWORD, "code": code})
        assert browser.get("/upload").status_code == 200
        return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def by_urllib(url: str, body: Any, headers: dict[str, str]) -> tuple[int, str]:
    try:
        with urlopen(Request(url, body, headers), timeout=60) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as why:
        return why.code, why.read().decode()


@pytest.mark.parametrize("door", DOORS)
def test_what_is_too_large_is_told_to_who_sends_it_all_before_it_reads(hub: Running, token: str, cookies: str, door: str) -> None:
    path, media = DOORS[door]
    who = {"Cookie": cookies} if media.startswith("multipart") else {"Authorization": f"Bearer {token}", "Accept": TAXII}
    body = b" " * (11_000_000 if door != "an upload" else 44_000_000)
    for sent in (body, (body[n : n + 500_000] for n in range(0, len(body), 500_000))):  # with its length, and in chunks
        status, said = by_urllib(hub.url + path, sent, who | {"Content-Type": media})
        assert status == 413
        if path.startswith("/api"):
            assert json.loads(said) == {"error": {"status": 413, "reason": "too large: send less at once"}}
        else:
            assert "too large" in said.lower()


def test_so_is_any_other_answer_that_does_not_wait_for_the_body(hub: Running, token: str) -> None:
    body = b" " * 9_000_000
    for who, path, media, status in (
        ("nobody", "/api/reports", "application/json", 401),
        (hub.admin, "/api/reports", "application/json", 403),
        (token, "/api/nothing", "application/json", 404),
        (token, "/api/reports", "text/csv", 415),
    ):
        headers = {"Authorization": f"Bearer {who}", "Content-Type": media}
        got, said = by_urllib(hub.url + path, body, headers)
        assert (got, json.loads(said)["error"]["status"]) == (status, status)
        with httpx.Client(base_url=hub.url, timeout=60) as client:  # which keeps its connection, where it may
            assert [client.post(path, content=body, headers=headers).status_code for _ in range(2)] == [status, status]
            assert client.get("/health").status_code == 200


def head(token: str, *more: str) -> bytes:
    lines = ["POST /api/reports HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", "Content-Type: application/json", *more]
    return "\r\n".join([*lines, "", ""]).encode()


def heard(line: socket.socket) -> bytes:
    """All that comes until the hub says no more."""
    out = b""
    while part := line.recv(65_536):
        out += part
    return out


@pytest.mark.parametrize("more", [(), ("Expect: 100-continue",)])
def test_the_answer_to_what_says_that_it_is_too_large_asks_for_none_of_it(hub: Running, token: str, more: tuple[str, ...]) -> None:
    with closing(socket.create_connection(("127.0.0.1", hub.port), timeout=60)) as line:
        line.sendall(head(token, "Content-Length: 1000000000", *more))
        assert heard(line).startswith(b"HTTP/1.1 413 ")


def test_of_a_body_without_end_so_much_is_taken_and_no_more(hub: Running, token: str) -> None:
    with closing(socket.create_connection(("127.0.0.1", hub.port), timeout=60)) as line:
        line.sendall(head(token, "Content-Length: 1000000000"))
        assert heard(line).startswith(b"HTTP/1.1 413 ")
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 500_000_000:
                sent += line.send(b" " * 1_000_000)
    assert patience.REST_BYTES // 2 < sent < 2 * patience.REST_BYTES  # what the system holds itself is some MB
    assert by_urllib(f"{hub.url}/health", None, {})[0] == 200
    assert "Exception" not in hub.errors()


@contextlib.asynccontextmanager
async def _refusing(body_s: float, rest_s: float) -> Any:
    """(a server with these seconds that refuses all unread, its connections, one that said that 1 GB comes and had its answer)."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 413, "headers": [(b"connection", b"close"), (b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    kind = type("Hurried", (patience.Patient,), {"body": body_s, "rest": rest_s})
    served = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", http=kind))
    task = asyncio.create_task(served.serve())
    while not served.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.servers[0].sockets[0].getsockname()[1])
    try:
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 413 ")
        yield served.server_state.connections, writer
    finally:
        served.should_exit = True
        await asyncio.wait_for(task, 30)  # which no rest of a body holds up
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def _is_let_go(body_s: float, rest_s: float, *, trickles: bool) -> bool:
    """Whether a caller that stays is let go of, in time for this test."""
    async with _refusing(body_s, rest_s) as (connections, writer):
        end = time.monotonic() + 20
        while connections and time.monotonic() < end:
            if trickles:
                writer.write(b" ")
            await asyncio.sleep(0.05)
        return not connections


@pytest.mark.parametrize("trickles", [False, True])
def test_a_rest_that_never_comes_or_never_ends_is_let_go_of(trickles: bool) -> None:
    assert run(_is_let_go(600, 0.3, trickles=trickles))
    assert run(_is_let_go(0.3, 600, trickles=trickles))  # a body has so long, answered or not


def test_a_server_that_ends_does_not_wait_for_a_rest() -> None:
    async def ends() -> int:
        async with _refusing(600, 600) as (connections, _):
            return len(connections)

    assert run(ends()) == 1


def test_who_has_read_the_answer_and_goes_is_gone() -> None:
    async def goes() -> bool:
        async with _refusing(600, 600) as (connections, writer):
            writer.close()
            end = time.monotonic() + 20
            while connections and time.monotonic() < end:
                await asyncio.sleep(0.01)
            return not connections

    assert run(goes())
