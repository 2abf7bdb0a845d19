"""`tocsin push` against a hub that runs: each report is there once, whatever is stopped on the way, and under the id that a posted file gets."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from importlib.resources import files
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from commands import Done, tocsin
from running import Running, new_folder

from tocsin.cli.client import Client, Passing, client_of
from tocsin.errors import HubError, OptionError

GED = Path(str(files("tocsin.data").joinpath("ged221_pakistan.csv.gz")))
TOCSIN = [sys.executable, "-m", "tocsin"]
ROWS, REPORTS = 300, 410  # a row may tell of several articles, each a report


@pytest.fixture(scope="module")
def ged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first rows of the bundled GED."""
    lines = gzip.decompress(GED.read_bytes()).decode().splitlines(keepends=True)
    path = tmp_path_factory.mktemp("push") / "ged.csv"
    path.write_text("".join(lines[: ROWS + 1]), encoding="utf-8")
    return path


def words(hub: Running, file: Path, *more: str) -> list[str]:
    return ["push", str(file), "--to", hub.url, "--marking", "AMBER", "--releasable-to", "group:x", *more]


def push(hub: Running, token: str, home: Path, file: Path, *more: str) -> Done:
    return tocsin(*words(hub, file, *more), env={"TOCSIN_TOKEN": token, "XDG_STATE_HOME": str(home)})


def test_a_pushed_file_and_a_posted_one_are_the_same_reports(hub: Running, ged: Path, tmp_path: Path) -> None:
    token = hub.agency("same")
    done = push(hub, token, tmp_path, ged)
    assert (done.returncode, f"{REPORTS} reports sent: {REPORTS} stored, 0 known, 0 refused" in done.stdout) == (0, True), (
        done.stdout + done.stderr
    )
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"}
    url = f"{hub.url}/api/files?name=ged.csv&marking=AMBER&releasable_to=group:x"
    with urlopen(Request(url, ged.read_bytes(), headers), timeout=60) as answer:
        posted = json.load(answer)
    assert (posted["stored"], posted["known"], posted["refused"]) == (0, REPORTS, 0)
    assert len(hub.feed(token)) == REPORTS


def test_a_push_says_whom_its_reports_do_not_reach(hub: Running, ged: Path, tmp_path: Path) -> None:
    done = push(hub, hub.agency("slip"), tmp_path, ged)
    assert done.returncode == 0
    assert done.stdout.count("warning: releasable_to: no agency of this hub, and no group that yours is in, is called group:x") == 1


def test_a_push_that_was_killed_goes_on_and_sends_no_more_than_is_left(hub: Running, ged: Path, tmp_path: Path) -> None:
    token = hub.agency("killed")
    env = os.environ | {"TOCSIN_TOKEN": token, "XDG_STATE_HOME": str(tmp_path)}
    first = subprocess.Popen([*TOCSIN, *words(hub, ged, "--batch", "20")], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    kept = 0
    while first.poll() is None and kept < 60:
        kept = max((json.loads(p.read_text())["done"] for p in tmp_path.rglob("*.json")), default=0)
        time.sleep(0.005)
    first.kill()
    assert first.wait() == -signal.SIGKILL
    stopped = subprocess.Popen([*TOCSIN, *words(hub, ged, "--batch", "1")], env=env, stdout=subprocess.PIPE, text=True)
    assert stopped.stdout is not None
    assert "Goes on after" in stopped.stdout.readline()
    stopped.send_signal(signal.SIGINT)
    said = stopped.communicate()[0]
    assert (stopped.returncode, "The same command goes on." in said) == (130, True), said
    done = push(hub, token, tmp_path, ged, "--batch", "20")
    went_on = int(done.stdout.split("Goes on after ")[1].split(" of")[0])
    assert 60 <= went_on < REPORTS
    counts = done.stdout.split(f"{REPORTS} reports sent: ")[1].splitlines()[0]
    stored, known = (int(counts.split(f" {s}")[0].split()[-1]) for s in ("stored", "known"))
    assert known <= 20  # what was under way when it was killed
    assert stored + known == REPORTS
    assert len({r["report_id"] for r in hub.feed(token)}) == len(hub.feed(token)) == REPORTS
    assert list(tmp_path.rglob("*.json")) == []


def test_a_push_that_was_cut_off_begins_anew_where_the_hub_has_nothing_of_it_any_more(ged: Path, tmp_path: Path) -> None:
    with new_folder() as folder:
        hub = Running(folder / "one")
        hub.agency("again", "submit")
        token, file = hub.agency("cut", "submit"), tmp_path / "copy"
        assert tocsin("backup", "--data", folder / "one", "--to", file).returncode == 0
        env = os.environ | {"TOCSIN_TOKEN": token, "XDG_STATE_HOME": str(tmp_path)}
        first = subprocess.Popen(
            [*TOCSIN, *words(hub, ged, "--batch", "20")], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while first.poll() is None and not list(tmp_path.rglob("*.json")):
            time.sleep(0.005)
        first.kill()
        first.wait()
        hub.close()
        assert tocsin("restore", file, "--data", folder / "two").returncode == 0
        restored = Running(folder / "two", port=hub.port)
        done = push(restored, token, tmp_path, ged)
        assert f"{REPORTS} reports sent: {REPORTS} stored, 0 known" in done.stdout, done.stdout + done.stderr
        assert "sent again from the first" in done.stdout
        assert len(restored.feed(token)) == REPORTS
        restored.close()


def test_a_file_of_refusals_that_cannot_be_written_is_told_before_anything_is_sent(hub: Running, ged: Path, tmp_path: Path) -> None:
    token = hub.agency("unwritten")
    done = push(hub, token, tmp_path, ged, "--out", str(tmp_path / "no" / "refused.csv"))
    assert (done.returncode, "cannot be written" in done.stderr) == (2, True)
    assert hub.feed(token) == []


def test_a_push_outlives_a_hub_that_is_away_for_a_while(ged: Path, tmp_path: Path) -> None:
    with new_folder() as folder:
        hub = Running(folder)
        token = hub.agency("away")
        hub.kill()
        env = os.environ | {"TOCSIN_TOKEN": token, "XDG_STATE_HOME": str(tmp_path)}
        pushing = subprocess.Popen([*TOCSIN, *words(hub, ged)], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert pushing.stdout is not None
        assert "does not answer" in pushing.stdout.readline()
        again = Running(folder, port=hub.port)
        said = pushing.communicate()[0]
        assert f"{REPORTS} stored" in said
        assert len(again.feed(token)) == REPORTS
        again.close()


def test_what_is_refused_is_told_with_file_row_and_reason(hub: Running, tmp_path: Path) -> None:
    token = hub.agency("refused")
    spec = tmp_path / "spec.yml"
    table = tmp_path / "own.csv"
    table.write_text("id,day,place,dead\n1,2026-01-01,Quetta,2\n2,2026-01-02,Quetta,3\n", encoding="utf-8")
    spec.write_text(tocsin("read", "--sketch", table).stdout, encoding="utf-8")
    first = push(hub, token, tmp_path, table, "--spec", str(spec))
    assert "2 stored" in first.stdout, first.stdout + first.stderr
    table.write_text(table.read_text().replace("Quetta,2", "Quetta,9"), encoding="utf-8")
    second = push(hub, token, tmp_path, table, "--spec", str(spec), "--out", str(tmp_path / "refused.csv"))
    assert second.returncode == 1
    assert "0 stored, 1 known, 1 refused" in second.stdout
    assert "refused: own.csv, row 2: another report of yours stands" in second.stdout
    assert (tmp_path / "refused.csv").read_text().splitlines()[1].startswith("own.csv,2,")


@pytest.mark.parametrize(
    ("more", "said"),
    [(("--marking", "AMBRE"), "AMBRE is none of the hub's markings"), (("--token-file", "/nowhere"), "the token cannot be read")],
)
def test_what_cannot_be_sent_is_told_before_anything_is(hub: Running, ged: Path, tmp_path: Path, more: tuple[str, ...], said: str) -> None:
    done = push(hub, hub.agency(more[1].strip("/")), tmp_path, ged, *more)
    assert done.returncode == 2
    assert said in " ".join((done.stdout + done.stderr).split())


def test_the_hubs_own_staff_and_an_unknown_token_push_nothing(hub: Running, ged: Path, tmp_path: Path) -> None:
    assert "reports nothing" in push(hub, hub.admin, tmp_path, ged).stderr
    assert "ask your agency's administrator" in push(hub, "guess", tmp_path, ged).stderr


@pytest.mark.parametrize(
    "url",
    [
        "http://hub.example", "ftp://hub.example", "hub.example", "http://10.0.0.1:8000", "http://127.0.0.1:80x00", "http://127.0.0.1:0",
        "http://127.0.0.1:99999", "https://hub.example/?x", "https://hüb.example", "https://hub example", "https://[::1",
    ],
)  # fmt: skip
def test_a_token_does_not_go_over_the_network_in_the_clear(url: str) -> None:
    with pytest.raises(OptionError):
        Client(url, "x")
    Client("https://hub.example", "x")
    Client("http://[::1]:8000", "x")


@pytest.mark.parametrize("token", ["“tocsin_x”", "a\nb", "é"])
def test_a_token_that_was_copied_with_what_stood_around_it_is_told(token: str) -> None:
    with pytest.raises(OptionError, match="copy it anew"):
        Client("http://127.0.0.1:8000", token)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "no hub"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", "no hub"),
        (
            b"HTTP/1.1 308 Permanent Redirect\r\nLocation: https://hub.example/api/me\r\nContent-Length: 0\r\n\r\n",
            "status 308, https://hub.example",
        ),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "not of a hub"),
    ],
)
def test_what_answers_and_is_no_hub_is_told_and_not_waited_for(answer: bytes, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def serve() -> None:
            line, _ = other.accept()
            with line:
                line.recv(65_536)
                line.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(HubError, match=said) as told:
            Client(f"http://127.0.0.1:{other.getsockname()[1]}", "x").ask("GET", "/api/me")
    assert not isinstance(told.value, Passing)


def test_https_of_a_hub_that_has_none_is_told_and_not_waited_for(hub: Running) -> None:
    with pytest.raises(HubError, match="no https") as told:
        Client(hub.url.replace("http:", "https:"), "x").ask("GET", "/api/me")
    assert not isinstance(told.value, Passing)


def test_a_token_is_asked_for_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_TOKEN", " ")
    with pytest.raises(OptionError, match="--token-file"):
        client_of("https://hub.example", None)
