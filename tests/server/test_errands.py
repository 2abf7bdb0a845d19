"""The process that makes pictures and looks, in a hub that runs: it comes when it is needed, goes when it is not, and may be killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from running import Running, new_folder

SECONDS = 90  # in which a loaded machine comes round to it


@pytest.fixture(scope="module")
def hub() -> Iterator[tuple[Running, str]]:
    """The last test stops it."""
    with new_folder() as folder:
        running = Running(folder)
        token = running.agency("A")
        running.ask(token, "POST", "/api/reports", {"own_id": "1", "marking": "RED", "event_start": "2026-01-01", "country": "PAK"})
        yield running, token
        running.close()


def below(pid: int) -> dict[int, str]:
    """Every process that one started, and those that these did, each with its words."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, new = dict[int, str](), {pid}
    while new:
        new = {child for child, parent in parents.items() if parent in new}
        for child in new:
            try:
                found[child] = (Path("/proc") / str(child) / "cmdline").read_text().replace("\0", " ").strip()
            except OSError:
                continue
    return found


def makers(hub: Running) -> list[int]:
    return [pid for pid, words in below(hub.process.pid).items() if words.endswith("tocsin.server.child make")]


def until(what: Any) -> Any:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.1)  # to go through all processes of a machine takes a while
    raise AssertionError(f"it did not come in {SECONDS} s")


def asked(hub: Running, token: str, see: str) -> int:
    with urlopen(Request(hub.url + see, headers={"Authorization": f"Bearer {token}"}), timeout=60) as answer:
        status: int = answer.status
        return status


def test_a_picture_is_made_though_what_makes_it_is_killed_and_nothing_stays_that_is_not_needed(hub: tuple[Running, str]) -> None:
    running, token = hub
    assert makers(running) == []
    see = running.ask(token, "GET", "/api/picture")["see"]
    (pid,) = until(lambda: makers(running))
    os.kill(pid, signal.SIGKILL)
    until(lambda: asked(running, token, see) == 200)
    assert running.ask(token, "GET", see)["reports"] == 1
    until(lambda: makers(running) == [])
    assert "as_of" not in running.errors()  # its log says of whom and when nothing


def test_where_memory_runs_out_what_makes_pictures_ends_first_and_a_hub_that_is_stopped_leaves_no_process_behind(
    hub: tuple[Running, str],
) -> None:
    running, token = hub
    running.ask(token, "GET", "/api/picture")
    (pid,) = until(lambda: makers(running))
    until(lambda: (Path("/proc") / str(pid) / "oom_score_adj").read_text().strip() == "1000")
    assert running.end() == 0
    until(lambda: not (Path("/proc") / str(pid)).exists())
