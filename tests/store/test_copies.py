"""A backup is restored into a new hub that answers every page with the same bytes, and goes on."""

from __future__ import annotations

import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from running import Running, new_folder

from tocsin.store.embedded import programs

REPORTS = [("RED", []), ("AMBER+STRICT", ["B"]), ("AMBER", ["group:north"]), ("GREEN", []), ("CLEAR", [])]
PAGES = ["/api/me", "/api/agencies", "/api/feed", "/api/feed?limit=2", "/api/incidents", "/nowhere"]


def tocsin(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tocsin", *map(str, words)], capture_output=True, text=True, check=False)


def page(hub: Running, token: str, path: str) -> tuple[int, bytes]:
    try:
        with urlopen(Request(hub.url + path, headers={"Authorization": f"Bearer {token}"}), timeout=60) as answer:
            return answer.status, answer.read()
    except HTTPError as why:
        return why.code, why.read()


@pytest.fixture(scope="module")
def folders() -> Iterator[tuple[Path, Path]]:
    with new_folder() as one, new_folder() as two:
        yield one, two


def filled(folder: Path) -> tuple[Running, dict[str, str], list[str]]:
    """A hub with reports of every marking, a release, a new marking and a group; its tokens and the ids."""
    hub = Running(folder)
    every = ("submit", "analyse", "administer_agency")
    tokens = {name: hub.agency(name, *every) for name in "ABC"}
    hub.ask(hub.admin, "PUT", "/api/groups/north/B")
    ids = []
    for who in "AB":
        for n, (marking, to) in enumerate(REPORTS):
            post = {"own_id": str(n), "event_start": "2026-01-05", "country": "PAK", "killed": n, "marking": marking, "releasable_to": to}
            ids.append(hub.ask(tokens[who], "POST", "/api/reports", post)["results"][0]["report_id"])
    hub.ask(tokens["A"], "POST", f"/api/reports/{ids[0]}/release", {"to": "C", "why": "asked"})
    hub.ask(tokens["A"], "POST", f"/api/reports/{ids[3]}/remark", {"marking": "RED"})
    for token in tokens.values():
        while not hub.ask(token, "GET", "/api/incidents")["current"]:
            time.sleep(0.05)
    return hub, tokens, ids


def test_a_restored_hub_answers_every_page_with_the_same_bytes_and_goes_on(folders: tuple[Path, Path], tmp_path: Path) -> None:
    hub, tokens, ids = filled(folders[0])
    pages = [*PAGES, *(f"/api/{kind}/{i}" for i in ids for kind in ("reports", "incidents")), *(f"/api/reports/{i}/who" for i in ids)]
    before = {(who, path): page(hub, token, path) for who, token in tokens.items() for path in pages}
    logs = {who: page(hub, token, "/api/audit?limit=1000") for who, token in tokens.items()}
    file = tmp_path / "copy"
    done = tocsin("backup", "--data", folders[0], "--to", file)
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    folder = folders[1] / "again"
    done = tocsin("restore", file, "--data", folder)
    assert done.returncode == 0, done.stderr
    again = Running(folder)
    assert again.admin == ""
    assert {who: page(again, token, "/api/audit?limit=1000") for who, token in tokens.items()} == logs
    assert {(who, path): page(again, token, path) for who, token in tokens.items() for path in pages} == before
    staff = [line["what"] for line in again.ask(hub.admin, "GET", "/api/audit?limit=1000")["lines"]]
    assert staff[-2:] == ["backup", "restore"]
    posts = [
        {"own_id": "0", "event_start": "2026-01-05", "country": "PAK", "killed": 0, "marking": "RED", "releasable_to": []},
        {"own_id": "new", "marking": "RED"},
    ]
    assert [r["status"] for r in again.ask(tokens["A"], "POST", "/api/reports", posts)["results"]] == ["known", "stored"]
    assert again.feed(tokens["A"])[-1]["own_id"] == "new"
    for word in ("web", "fuse", "purge", "migrate", "owner"):
        assert (folders[0] / "secrets" / word).read_text() != (folder / "secrets" / word).read_text()
    text = subprocess.run([programs() / "pg_restore", "--file=-", file], capture_output=True, check=True).stdout
    assert not any((folders[0] / "secrets" / word).read_bytes() in text for word in ("web", "fuse", "purge", "migrate", "owner"))
    assert ids[0].encode() in text
    for running in (hub, again):
        assert running.end() == 0
        running.close()
    stopped = tocsin("backup", "--data", folders[0], "--to", tmp_path / "stopped")  # of a hub that does not run
    assert stopped.returncode == 0, stopped.stderr
    twice = tocsin("restore", file, "--data", folders[0])
    assert "has a hub already" in twice.stderr


def test_what_is_no_hub_and_no_copy_of_one_is_told(folders: tuple[Path, Path], tmp_path: Path) -> None:
    assert "there is no hub in" in tocsin("backup", "--data", tmp_path, "--to", tmp_path / "x").stderr
    assert "cannot be written" in tocsin("backup", "--data", tmp_path, "--to", tmp_path / "no" / "x").stderr
    assert "cannot be read" in tocsin("restore", tmp_path / "x", "--data", tmp_path / "new").stderr
    (tmp_path / "text").write_text("no copy", encoding="utf-8")
    assert "pg_restore failed" in tocsin("restore", tmp_path / "text", "--data", tmp_path / "new").stderr
    assert not (tmp_path / "new").exists()


def test_a_copy_that_is_cut_short_leaves_nothing_behind(folders: tuple[Path, Path], tmp_path: Path) -> None:
    hub = Running(folders[1] / "cut")
    file = tmp_path / "copy"
    assert tocsin("backup", "--data", folders[1] / "cut", "--to", file).returncode == 0
    hub.end()
    hub.close()
    whole = file.read_bytes()
    for left in (len(whole) * 3 // 4, len(whole) - 50):
        file.write_bytes(whole[:left])
        done = tocsin("restore", file, "--data", folders[1] / "new")
        assert done.returncode == 2
        assert f"{file} " in done.stderr
        assert "Traceback" not in done.stderr
        assert not (folders[1] / "new").exists()
    assert "is a folder" in tocsin("backup", "--data", folders[1] / "cut", "--to", tmp_path).stderr
