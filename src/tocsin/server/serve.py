"""Runs a hub: its database, its web process and its fusion process. Each process gets the password of its own role, and no other.

The parent starts PostgreSQL and the migrations; the children read their connection from a pipe, and end when it closes, so that none outlives a killed parent.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tocsin.errors import StoreError
from tocsin.gate import tlp2
from tocsin.hub import Staff, clock
from tocsin.store import Store
from tocsin.store.embedded import Embedded
from tocsin.store.setup import install_scheme, prepare

HOST = "127.0.0.1"
WAIT = 60.0  # seconds in which the web process must answer


def default_folder() -> Path:
    """Where a hub keeps its data: /var/lib/tocsin for root, ~/.local/share/tocsin for others."""
    return Path("/var/lib/tocsin") if os.geteuid() == 0 else Path.home() / ".local" / "share" / "tocsin"


def serve(folder: Path, port: int, database_url: str | None, say: Callable[[str], None]) -> None:
    """Runs a hub until SIGTERM or ctrl-C. Raises `StoreError` where the database or a process does not start, or ends by itself."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    children = {"web": _child("web")}  # it loads while the database starts
    try:
        with _database(folder, database_url) as (admin, secrets):
            roles = prepare(admin, secrets)
            install_scheme(roles["migrate"], [(m.name, m.rank, m.reach, m.onward) for m in tlp2().markings])
            first = _first_token(roles["web"])
            _tell(children["web"], {"conninfo": roles["web"], "port": port})
            _answers(port, children["web"], stop)
            children["fuse"] = _child("fuse")
            _tell(children["fuse"], {"conninfo": roles["fuse"]})
            if first:
                say(f"The token of the hub's first administrator, shown this once:\n  {first}")
            say(f"Ready: http://{HOST}:{port} (data in {folder}); ctrl-C stops it.")
            while not stop.wait(0.5):
                for part, child in children.items():
                    if child.poll() is not None:
                        raise StoreError(f"the hub's {part} process ended by itself (status {child.returncode}): start the hub again")
            _end(children)
            say("Stopped; what was acknowledged is kept.")
    finally:
        _end(children)


@contextlib.contextmanager
def _database(folder: Path, url: str | None) -> Iterator[tuple[str, Path]]:
    """A connection that may make roles, and the folder of passwords."""
    if url is not None:
        yield url, folder / "secrets"
        return
    with Embedded(folder) as server:
        yield server.conninfo(), server.secrets


def _first_token(conninfo: str) -> str | None:
    store = Store(conninfo, size=1)
    try:
        return Staff(store, clock()).first_token()
    finally:
        store.close()


def _child(part: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tocsin.server.child", part], stdin=subprocess.PIPE, start_new_session=True)


def _tell(child: subprocess.Popen[bytes], said: dict[str, object]) -> None:
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        child.stdin.write(json.dumps(said).encode() + b"\n")
        child.stdin.flush()


def _answers(port: int, web: subprocess.Popen[bytes], stop: threading.Event) -> None:
    end = time.monotonic() + WAIT
    while not stop.is_set():
        with contextlib.suppress(URLError, OSError), urlopen(f"http://{HOST}:{port}/ready", timeout=5):
            if web.poll() is None:
                return
        if web.poll() is not None or time.monotonic() > end:
            raise StoreError(
                f"the web server does not answer on port {port}: see whether another program has it, or give another with --port"
            )
        time.sleep(0.02)


def _end(children: dict[str, subprocess.Popen[bytes]]) -> None:
    """The web process ends what it is at, then the others."""
    for child in children.values():
        if child.stdin is not None and child.poll() is None:
            with contextlib.suppress(BrokenPipeError):
                child.stdin.close()
    for child in children.values():
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
