"""`tocsin serve` as a user starts, stops and kills it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tocsin.store.embedded import Embedded


class Running:
    """A hub that runs in a process of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        words = [sys.executable, "-m", "tocsin", "serve", "--data", str(folder), "--port", str(self.port)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self.process.stdout is not None
        self.said = ""
        while "Ready" not in self.said:
            line = self.process.stdout.readline()
            assert line, self.said
            self.said += line

    def ask(self, token: str, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"http://127.0.0.1:{self.port}{path}", sent, headers, method=method), timeout=60) as answer:
            return json.load(answer)

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        self.said += self.process.communicate(timeout=60)[0]
        return self.process.returncode


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="tocsin-serve-"))
    made.chmod(0o755)
    yield made
    Embedded(made).stop()
    shutil.rmtree(made, ignore_errors=True)


def test_what_was_acknowledged_outlives_five_kills_and_a_clean_stop(folder: Path) -> None:
    hub = Running(folder)
    admin = re.search(r"tocsin_\S+", hub.said)
    assert admin is not None
    hub.ask(admin[0], "POST", "/api/agencies", {"name": "A"})
    token = hub.ask(admin[0], "POST", "/api/tokens", {"label": "A", "agency": "A", "roles": ["submit"]})["token"]
    kept = []
    for kill in range(5):
        for n in range(20):
            post = {"own_id": f"{kill}-{n}", "marking": "RED"}
            kept.append(hub.ask(token, "POST", "/api/reports", post)["results"][0]["report_id"])
        database = Embedded(folder).pid()
        hub.process.kill()
        hub.process.communicate()
        if kill % 2 and database is not None:  # the database too
            os.kill(database, signal.SIGKILL)
            time.sleep(0.2)
        hub = Running(folder)
        assert "token" not in hub.said
        feed = hub.ask(token, "GET", "/api/feed?limit=1000")["reports"]
        assert [r["report_id"] for r in feed] == kept
    assert hub.end(signal.SIGTERM) == 0
    assert "Stopped" in hub.said
    assert Embedded(folder).pid() is None
