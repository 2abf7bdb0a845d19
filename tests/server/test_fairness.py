"""One agency's load does not keep the others waiting: it is slowed down by what it asks itself, and told when to ask again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from httpx import Response
from hubs import World
from litestar.testing import TestClient

from tocsin.errors import TooMany
from tocsin.server.app import make_app
from tocsin.server.fairness import AT_ONCE, BURST, Fair, kind_of

MANY = AT_ONCE["read"]


class Gate(threading.Event):
    """What A asks of the hub waits here until it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def waiting(who: Any, *args: Any) -> Any:
            if who.clearance.agency == "A":
                self.inside.append(who.label)
                assert self.wait(60)
            return call(who, *args)

        return waiting

    def holds(self, many: int) -> None:
        while len(self.inside) < many:
            time.sleep(0.005)


@pytest.fixture
def gate(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate()
    for name in ("agencies", "submit"):
        monkeypatch.setattr(world.hub, name, made.around(getattr(world.hub, name)))
    yield made
    made.set()


class Served:
    """The hub's API with a limit, asked by several at once."""

    def __init__(self, world: World, fair: Fair) -> None:
        self.world = world
        self.client = TestClient(make_app(world.hub, fair=fair), raise_server_exceptions=False)
        self.pool = ThreadPoolExecutor(40)

    def ask(self, who: str, path: str = "/api/agencies", body: Any = None) -> Response:
        headers = {"Authorization": f"Bearer {self.world.tokens[who]}"}
        return self.client.request("GET" if body is None else "POST", path, headers=headers, json=body)


@pytest.fixture
def served(world: World, gate: Gate) -> Iterator[Served]:
    made = Served(world, Fair(patience=0.3))
    with made.client, made.pool:
        yield made
        gate.set()


def test_of_one_agency_so_much_is_done_at_once_and_others_do_not_wait_for_it(served: Served, gate: Gate) -> None:
    held = [served.pool.submit(served.ask, "A") for _ in range(MANY)]
    gate.holds(MANY)
    more = served.ask("A")
    assert (more.status_code, more.headers["Retry-After"]) == (429, "1")
    assert "your agency" in more.json()["error"]["reason"]
    assert served.ask("B").status_code == 200
    assert served.ask("admin").status_code == 200
    assert len(gate.inside) == MANY
    gate.set()
    assert [h.result().status_code for h in held] == [200] * MANY
    assert served.ask("A").status_code == 200


def test_what_waits_for_its_turn_is_done_when_it_comes(world: World, gate: Gate) -> None:
    served = Served(world, Fair())
    with served.client, served.pool:
        held = [served.pool.submit(served.ask, "A") for _ in range(2 * MANY)]
        gate.holds(MANY)
        gate.set()
        assert [h.result().status_code for h in held] == [200] * 2 * MANY


def test_an_agency_that_sends_much_reads_still(served: Served, gate: Gate) -> None:
    report = {"own_id": "1", "marking": "RED"}
    held = [served.pool.submit(served.ask, "A", "/api/reports", report) for _ in range(AT_ONCE["write"])]
    gate.holds(AT_ONCE["write"])
    assert served.ask("A", "/api/reports", report).status_code == 429
    assert served.ask("A", "/api/feed").status_code == 200
    gate.set()
    assert {h.result().status_code for h in held} == {200}


def test_more_than_may_wait_are_turned_away_at_once(world: World, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tocsin.server.fairness.WAITING", 3)
    served = Served(world, Fair())
    with served.client, served.pool:
        held = [served.pool.submit(served.ask, "A") for _ in range(MANY + 8)]
        gate.holds(MANY)
        while sum(h.done() for h in held) < 5:
            time.sleep(0.005)
        gate.set()
        statuses = sorted(h.result().status_code for h in held)
        assert statuses == [200] * (MANY + 3) + [429] * 5


def test_a_token_asks_so_often_a_second_and_is_told_when_it_may_again() -> None:
    at = 0.0
    fair = Fair(10, now=lambda: at)
    for _ in range(10 * BURST):
        fair.take("A", "desk")
    with pytest.raises(TooMany, match="10 requests a second") as why:
        fair.take("A", "desk")
    assert why.value.seconds == 1
    fair.take("A", "other desk")
    fair.take("B", "desk")  # whose token bears the same label
    at += why.value.seconds
    for _ in range(10):
        fair.take("A", "desk")
    with pytest.raises(TooMany):
        fair.take("A", "desk")


def test_a_token_that_asks_too_often_is_answered_429_in_the_form_of_every_page(world: World) -> None:
    with TestClient(make_app(world.hub, fair=Fair(1))) as one:
        for path in ("/api/feed", "/taxii2/"):
            answers = [one.get(path, headers={"Authorization": f"Bearer {world.tokens['A']}"}) for _ in range(2 * BURST)]
            last = answers[-1]
            assert (last.status_code, last.headers["Retry-After"]) == (429, "1")
            assert "requests a second" in last.text
        assert one.get("/api/feed", headers={"Authorization": f"Bearer {world.tokens['B']}"}).status_code == 200
        assert [one.get("/health").status_code for _ in range(2 * BURST)] == [200] * 2 * BURST


def test_files_are_read_in_a_lane_of_their_own() -> None:
    assert [kind_of(*r) for r in (("GET", "/api/feed"), ("POST", "/api/reports"), ("POST", "/api/files"))] == ["read", "write", "file"]
