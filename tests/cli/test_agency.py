"""`tocsin agency` and `tocsin who-can-see` against a hub that runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from running import Running, new_folder


@pytest.fixture(scope="module")
def hub() -> Iterator[Running]:
    with new_folder() as folder:
        running = Running(folder)
        yield running
        running.close()


def run(hub: Running, token: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tocsin", *words, "--url", hub.url]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | {"TOCSIN_TOKEN": token}, check=False)


def test_the_staff_takes_agencies_in_gives_tokens_and_ends_them(hub: Running) -> None:
    for name in ("police", "rescue"):
        assert run(hub, hub.admin, "agency", "add", name).returncode == 0
    police, rescue = (run(hub, hub.admin, "agency", "token", name).stdout.strip() for name in ("police", "rescue"))
    assert run(hub, hub.admin, "agency", "group", "karachi", "rescue").returncode == 0
    handling = {"marking": "AMBER", "releasable_to": ["rescue", "group:karachi"]}
    made = hub.ask(police, "POST", "/api/reports", {"own_id": "1"} | handling)["results"][0]["report_id"]
    told = run(hub, police, "who-can-see", made)
    assert told.stdout.splitlines() == [
        "police  its originator",
        "rescue  AMBER names rescue",
        "        and who is in the group karachi, which your agency is not in",
    ]
    refused = run(hub, rescue, "who-can-see", made)
    assert (refused.returncode, "only its originator" in refused.stderr) == (2, True)
    listed = run(hub, hub.admin, "agency", "tokens").stdout
    assert "police  police  analyse,submit  until " in listed
    assert run(hub, hub.admin, "agency", "revoke", "police").returncode == 0
    assert "a token is needed" in run(hub, police, "who-can-see", made).stderr


def test_an_agency_leaves_when_asked_for_twice_and_its_heir_has_its_reports(hub: Running) -> None:
    for name in ("coast guard", "customs"):
        run(hub, hub.admin, "agency", "add", name)
    guard, customs = (run(hub, hub.admin, "agency", "token", name).stdout.strip() for name in ("coast guard", "customs"))
    red = hub.ask(guard, "POST", "/api/reports", {"own_id": "1", "marking": "RED"})["results"][0]["report_id"]
    words = ("agency", "leave", "coast guard", "--reports", "hand-to", "--to", "customs")
    assert run(hub, hub.admin, *words).returncode == 130  # nobody said yes
    assert hub.ask(guard, "GET", "/api/me")["agency"] == "coast guard"
    assert run(hub, hub.admin, *words, "--yes").stdout == "coast guard has left; its reports: hand-to customs.\n"
    assert run(hub, customs, "who-can-see", red).stdout == "customs  its originator\n"
    assert "no agency coast guard" in run(hub, hub.admin, *words, "--yes").stderr
