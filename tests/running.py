"""A hub in processes of its own, as a user runs it."""

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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tocsin.store.embedded import Embedded

_RUNNING: list[Running] = []


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def new_folder() -> Iterator[Path]:
    """A folder that root's PostgreSQL may enter too; what still runs there is stopped."""
    made = Path(tempfile.mkdtemp(prefix="tocsin-serve-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        for hub in _RUNNING:
            if made in (hub.folder, *hub.folder.parents):
                hub.close()
        Embedded(made).stop()
        shutil.rmtree(made, ignore_errors=True)


class Running:
    """A hub that runs; it is ready when this has been made."""

    def __init__(self, folder: Path, *words: str, port: int | None = None, env: dict[str, str] | None = None) -> None:
        self.folder, self.port = folder, port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "tocsin", "serve", "--data", str(folder), "--port", str(self.port), *words]
        folder.mkdir(parents=True, exist_ok=True)
        self.log = (folder / f"hub-{self.port}.log").open("a+", encoding="utf-8")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True, env=os.environ | (env or {}))
        assert self.process.stdout is not None
        self.said = ""
        _RUNNING.append(self)
        while "Ready" not in self.said:
            line = self.process.stdout.readline()
            assert line, self.said + self.errors()
            self.said += line
        found = re.search(r"administrator, shown this once:\s+(tocsin_\S+)", self.said)
        self.admin = found[1] if found else ""

    def errors(self) -> str:
        """What it wrote to standard error."""
        self.log.seek(0)
        return self.log.read()

    def ask(self, token: str, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        with urlopen(Request(self.url + path, sent, headers, method=method), timeout=60) as answer:
            return json.load(answer)

    def agency(self, name: str, *roles: str) -> str:
        """A new agency's token."""
        self.ask(self.admin, "POST", "/api/agencies", {"name": name})
        made = self.ask(self.admin, "POST", "/api/tokens", {"label": name, "agency": name, "roles": list(roles or ("submit", "analyse"))})
        token: str = made["token"]
        return token

    def feed(self, token: str) -> list[dict[str, Any]]:
        """All that it may see."""
        out: list[dict[str, Any]] = []
        after = 0
        while page := self.ask(token, "GET", f"/api/feed?limit=1000&after={after}"):
            out += page["reports"]
            if page["next"] == after:
                break
            after = page["next"]
        return out

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        self.said += self.process.communicate(timeout=60)[0]
        self.log.flush()
        return self.process.returncode

    def kill(self) -> None:
        """As by a power cut, but for the database, which goes on until the next hub takes it over."""
        self.process.kill()
        self.process.communicate()
        self.log.close()

    def close(self) -> None:
        """Gone, whatever it was at."""
        if self.process.poll() is None:
            self.end()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.log.close()
