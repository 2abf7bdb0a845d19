"""What was purged is not in the memory of the process that fuses: it begins anew."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hubs import World

from tocsin.server.parts import ANEW, Part

SECRET = "The Quince Brigade of 7731"
SECONDS = 60
POST = {"event_start": "2026-01-01", "country": "PAK", "marking": "RED", "lat": 24.9, "lon": 67.0, "radius_km": 1.0, "killed": 3}


@pytest.fixture
def fuse(world: World) -> Iterator[Part]:
    part = Part("fuse")
    part.tell({"conninfo": world.roles["fuse"], "every": 1, "forget": 0.2})
    yield part
    part.close()
    part.wait()


def until(what: Any) -> None:
    end = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < end, f"it did not come in {SECONDS} s"
        time.sleep(0.02)


def current(world: World) -> bool:
    found: bool = world.ask("A", "GET", "/api/incidents").json()["current"]
    return found


def holds(pid: int, secret: bytes) -> bool:
    """Whether it stands in the memory that a process has written."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(x, 16) for x in span.split("-"))
            try:
                memory.seek(start)
                if secret in memory.read(end - start):
                    return True
            except (OSError, OverflowError, ValueError):
                continue
    return False


def test_what_was_purged_is_not_in_the_memory_of_the_process_that_fuses(world: World, fuse: Part) -> None:
    kept, gone = (
        r["report_id"] for r in world.submit("A", POST | {"own_id": "1"}, POST | {"own_id": "2", "actor": SECRET, "text": SECRET})
    )
    until(lambda: current(world))
    first = fuse.process.pid
    assert holds(first, SECRET.encode())
    assert world.ask("A", "POST", f"/api/reports/{gone}/purge", {"why": "sent by mistake"}).status_code == 200
    until(lambda: not fuse.runs())
    assert fuse.process.returncode == ANEW
    assert fuse.keep() is False  # nobody is told of a failure
    assert fuse.process.pid != first
    world.submit("A", POST | {"own_id": "3", "event_start": "2026-03-01"})
    until(lambda: current(world))
    assert not holds(fuse.process.pid, SECRET.encode())
    assert world.ask("A", "GET", f"/api/incidents/{kept}").json()["report_ids"] == [kept]
    assert world.ask("A", "GET", f"/api/incidents/{gone}").status_code == 404


def test_a_process_that_fuses_goes_on_where_nothing_was_purged(world: World, fuse: Part) -> None:
    """A report that is hidden, or whose agency has left, is fused again some day."""
    one = world.submit("A", POST | {"own_id": "9"})[0]["report_id"]
    until(lambda: current(world))
    world.ask("A", "POST", f"/api/reports/{one}/release", {"to": "B", "why": "x"})
    world.ask("A", "POST", f"/api/reports/{one}/remark", {"marking": "RED"})
    world.submit("C", POST | {"own_id": "c"})
    until(lambda: current(world))
    assert world.ask("admin", "POST", "/api/agencies/C/leave", {"reports": "keep"}).status_code == 200
    until(lambda: current(world))
    time.sleep(1)
    assert fuse.runs()
