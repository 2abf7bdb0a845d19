"""`tocsin serve` as a user starts, stops and kills it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hubs import server
from psycopg.conninfo import make_conninfo
from running import Running, free_port, new_folder

from tocsin.cli.serve import serve as cli
from tocsin.server.steps import STEP
from tocsin.store.embedded import Embedded

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def folder() -> Iterator[Path]:
    with new_folder() as made:
        yield made


def tocsin(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tocsin", *words], capture_output=True, text=True, timeout=120, check=False)


def serve(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return tocsin("serve", "--data", str(folder), "--port", str(free_port()), *words)


def test_what_was_acknowledged_outlives_five_kills_under_load() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "loss.py"), "--kills", "5", "--posters", "2"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"acknowledged ([\d,]+), lost 0, twice 0", done.stdout)
    assert found is not None, done.stdout
    assert int(found[1].replace(",", "")) > 0
    assert sum(int(n) for n in re.findall(r"^(?:parent|web|PostgreSQL|parent and PostgreSQL) +(\d+) ", done.stdout, re.MULTILINE)) == 5


@pytest.fixture(scope="module")
def stopped() -> Iterator[tuple[Running, str]]:
    """A hub that was stopped, and a token of it."""
    with new_folder() as made:
        hub = Running(made)
        token = hub.agency("A")
        hub.ask(token, "POST", "/api/reports", {"own_id": "1", "marking": "RED"})
        hub.end()
        assert Embedded(made).pid() is None
        yield hub, token
        hub.close()


@pytest.fixture(scope="module")
def hub(stopped: tuple[Running, str]) -> Running:
    """That hub, started again, with long steps. It is killed by the last test that uses it."""
    again = Running(stopped[0].folder, "--answer-step", "150")
    again.admin = stopped[0].admin
    return again


def test_a_clean_stop_says_so_and_the_next_start_makes_no_new_administrator(stopped: tuple[Running, str], hub: Running) -> None:
    first, token = stopped
    assert first.process.returncode == 0
    assert "Stopped; what was acknowledged is kept." in first.said
    assert "administrator" not in hub.said
    assert [r["own_id"] for r in hub.feed(token)] == ["1"]


def test_no_answer_leaves_before_the_step_that_a_hub_is_told(hub: Running) -> None:
    for _ in range(3):
        begun = time.perf_counter()
        hub.ask("", "GET", "/ready")
        assert time.perf_counter() - begun >= 0.15


def test_a_hub_that_is_told_no_step_has_that_of_the_server() -> None:
    (option,) = [p for p in cli.params if p.name == "answer_step"]
    assert option.default == 1000 * STEP


def test_a_second_hub_over_one_folder_is_refused_and_the_first_goes_on(hub: Running) -> None:
    second = serve(hub.folder)
    assert (second.returncode, "is in use by another hub" in second.stderr) == (2, True)
    assert hub.ask("", "GET", "/ready") == {"ok": True}


@pytest.fixture(scope="module")
def own_server() -> Iterator[Embedded]:
    with server() as running:
        yield running


def database(running: Embedded, name: str) -> str:
    """A database of one's own: its owner may make roles, and is no superuser."""
    with psycopg.connect(running.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD 'x'")
        connection.execute(f"CREATE DATABASE {name} OWNER {name}")
    return make_conninfo(running.conninfo(name), user=name, password="x")


def test_a_database_of_ones_own_is_taken_by_one_hub_at_a_time_and_keeps_what_it_was_given(own_server: Embedded, folder: Path) -> None:
    url = database(own_server, "own")
    hub = Running(folder / "one", "--database-url", url)
    token = hub.agency("A")
    stored = hub.ask(token, "POST", "/api/reports", {"own_id": "1", "marking": "RED"})["results"][0]
    assert not (folder / "one" / "pg").exists()
    second = serve(folder / "two", "--database-url", url)
    assert second.returncode == 2
    assert "the database is in use by another hub" in second.stderr
    assert "Traceback" not in second.stderr
    hub.kill()
    again = Running(folder / "one", "--database-url", url)
    assert [r["report_id"] for r in again.feed(token)] == [stored["report_id"]]
    file = folder / "copy"
    words = [sys.executable, "-m", "tocsin", "backup", "--data", str(folder / "one"), "--to", str(file), "--database-url", url]
    subprocess.run(words, check=True, capture_output=True)
    again.close()
    with server() as other:
        elsewhere = database(other, "elsewhere")
        words = [sys.executable, "-m", "tocsin", "restore", str(file), "--data", str(folder / "new"), "--database-url", elsewhere]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert (
            "has a hub already"
            in subprocess.run([*words[:-3], str(folder / "third"), *words[-2:]], capture_output=True, text=True, check=False).stderr
        )
        restored = Running(folder / "new", "--database-url", elsewhere)
        assert [r["report_id"] for r in restored.feed(token)] == [stored["report_id"]]
        restored.close()


def test_a_database_that_is_not_there_is_told_without_its_password(folder: Path) -> None:
    done = serve(folder, "--database-url", "postgresql://me:secret-word@127.0.0.1:1/hub")
    assert done.returncode == 2
    assert "the database does not answer" in done.stderr
    assert "secret-word" not in done.stderr + done.stdout


@pytest.mark.parametrize("url", ["mysql://me:secret-word@host/hub", "postgresql://me:secret-%word@host/hub", "secret-word", ""])
def test_an_address_that_is_none_of_a_database_is_told_without_its_password(folder: Path, url: str) -> None:
    for words in (["serve", "--port", str(free_port())], ["restore", __file__], ["backup", "--to", str(folder / "x")]):
        said = tocsin(*words, "--data", str(folder / "new"), "--database-url", url)
        assert (said.returncode, "Traceback" in said.stderr, "secret-" in said.stderr + said.stdout) == (2, False, False), said.stderr
        assert "%25" in said.stderr or words[0] != "serve"


def test_a_folder_that_cannot_be_a_hubs_is_told(folder: Path) -> None:
    (folder / "file").write_text("mine")
    for where in (folder / "file", folder / "file" / "below", Path("/proc/nothing")):
        done = tocsin("serve", "--data", str(where), "--port", str(free_port()))
        assert done.returncode == 2
        assert f"{where} cannot be the folder of a hub" in done.stderr
        assert "--data" in done.stderr


def test_ctrl_c_while_the_database_is_set_up_stops_the_hub_and_harms_nothing(folder: Path) -> None:
    words = [sys.executable, "-m", "tocsin", "serve", "--data", str(folder), "--port", str(free_port())]
    first = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    while not list(folder.glob("pg*")):
        time.sleep(0.01)
    os.killpg(first.pid, signal.SIGINT)  # as a terminal does
    said = first.communicate(timeout=120)[0]
    assert (first.returncode, "could not set up" in said) == (0, False), said
    again = Running(folder)
    assert ("administrator" in said) is not ("administrator" in again.said)  # a token is shown once
    assert again.end(signal.SIGHUP) == 0  # its terminal closes
    assert "Stopped" in again.said
    assert Embedded(folder).pid() is None


def test_a_port_that_another_program_has_is_told(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = serve(folder, "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "give another with --port" in done.stderr
    assert "Traceback" not in done.stderr
    assert Embedded(folder).pid() is None


NATIONAL = "scheme: national\nmarkings:\n  OPEN: {reach: public, onward: true}\n  RESTRICTED: {reach: hub, onward: false}\n  SECRET: {reach: agencies, onward: false}\n"


def test_a_hub_keeps_the_national_scheme_that_it_began_with(folder: Path) -> None:
    path = folder / "national.yml"
    path.write_text(NATIONAL)
    hub = Running(folder / "hub", "--scheme", str(path))
    one, other, third = (hub.agency(name) for name in ("A", "B", "C"))
    assert hub.ask(one, "GET", "/api/me")["markings"] == ["OPEN", "RESTRICTED", "SECRET"]
    said = hub.ask(
        one, "POST", "/api/reports", [{"own_id": m, "marking": m, "releasable_to": ["B"]} for m in ("SECRET", "RESTRICTED", "GREEN")]
    )
    assert [r["status"] for r in said["results"]] == ["stored", "stored", "refused"]
    assert [[r["marking"] for r in hub.feed(token)] for token in (other, third)] == [["SECRET", "RESTRICTED"], ["RESTRICTED"]]
    hub.close()
    again = Running(folder / "hub")
    assert [[r["marking"] for r in again.feed(token)] for token in (other, third)] == [["SECRET", "RESTRICTED"], ["RESTRICTED"]]
    again.close()
    for wrong, why in ((NATIONAL.replace("reach: agencies", "reach: hub"), "scheme that it began with"), ("a: [", "no scheme can be read")):
        path.write_text(wrong)
        done = serve(folder / "hub", "--scheme", str(path))
        assert (done.returncode, why in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr


def test_a_second_hub_on_the_port_of_a_first_is_told_and_shows_no_token(hub: Running, folder: Path) -> None:
    done = serve(folder, "--port", str(hub.port))
    assert (done.returncode, done.stdout) == (2, "")
    assert "give another with --port" in done.stderr


def test_a_hub_takes_over_from_one_that_was_killed_while_a_caller_was_slow(hub: Running) -> None:
    token = hub.agency("B")
    with socket.create_connection(("127.0.0.1", hub.port), timeout=60) as slow:
        head = f"POST /api/reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
        slow.sendall(head.encode() + b"[")
        assert hub.ask(token, "GET", "/api/me")["agency"] == "B"  # so that the slow one has been heard
        hub.kill()
        again = Running(hub.folder, port=hub.port)
        assert again.ask(token, "GET", "/api/me")["agency"] == "B"
    again.close()
