"""`tocsin serve --demo`: agencies that say that they are invented, reports of every marking, and a picture for each."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hubs import Ticking, World
from running import Running, free_port, new_folder

from tocsin.errors import Malformed
from tocsin.hub.demo import AGENCIES, GROUPS, MARKINGS, SHOWN, fill, pictures
from tocsin.hub.pictures import refresh
from tocsin.store.embedded import Embedded

ROWS = 400


@pytest.fixture(scope="module")
def world(postgres: Embedded) -> Iterator[World]:
    made = World(postgres, Ticking(), agencies=())
    yield made
    made.close()


def test_each_agency_is_named_as_invented_and_has_a_picture_of_its_own(world: World) -> None:
    said: list[str] = []
    tokens = fill(world.hub, said.append, threading.Event(), last=ROWS)
    assert said[-1].endswith(f"{ROWS} of {ROWS} reports")
    refresh(world.fuse)
    pictures(world.hub, said.append, threading.Event())
    assert said[-1].endswith(f"{len(AGENCIES)} of {len(AGENCIES)}")
    assert set(tokens) == set(SHOWN)
    names = world.ask("admin", "GET", "/api/agencies").json()["agencies"]
    assert len(names) == 26
    assert all(name.startswith("invented-") for name in [*names, *GROUPS])
    seen, markings, derived = [], set(), 0
    world.tokens |= tokens
    for name in SHOWN:
        feed = world.ask(name, "GET", "/api/feed?limit=1000").json()["reports"]
        assert world.ask(name, "GET", "/api/incidents").json()["incidents"]
        seen.append({r["report_id"] for r in feed})
        markings |= {r["marking"] for r in feed}
        derived += sum("derived_from" in r for r in feed)
    assert markings == set(MARKINGS)
    assert derived > 0
    assert len(set(map(frozenset, seen))) == len(SHOWN)
    assert all(0 < len(ids) < ROWS for ids in seen)


def taken_in(world: World) -> int:
    """How often an agency was taken in, into the hub or into a group."""
    lines = world.ask("admin", "GET", "/api/audit?limit=1000").json()["lines"]
    return sum(line["what"].startswith(("agency add", "group")) for line in lines)


def test_filling_it_again_adds_nothing_and_gives_no_token(world: World) -> None:
    before = world.ask(SHOWN[0], "GET", "/api/feed?limit=1000").content
    joined = taken_in(world)
    assert fill(world.hub, str, threading.Event(), last=ROWS) == {}
    assert taken_in(world) == joined > len(AGENCIES)
    assert world.ask(SHOWN[0], "GET", "/api/feed?limit=1000").content == before


def test_a_hub_of_others_is_not_filled(postgres: Embedded) -> None:
    world = World(postgres, Ticking(), agencies=("A",))
    with pytest.raises(Malformed, match="fills a hub of its own"):
        fill(world.hub, str, threading.Event(), last=ROWS)
    assert world.ask("admin", "GET", "/api/agencies").json()["agencies"] == ["A"]
    world.close()


def test_the_command_refuses_such_a_hub_and_stops(tmp_path: Path) -> None:
    with new_folder() as folder:
        hub = Running(folder)
        hub.agency("A")
        hub.end()
        hub.close()
        words = [sys.executable, "-m", "tocsin", "serve", "--demo", "--data", str(folder), "--port", str(free_port())]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 2
        assert "--demo fills a hub of its own" in done.stderr
        assert "Traceback" not in done.stderr
