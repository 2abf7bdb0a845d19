"""Runs a hub: its database, its web process and its fusion process. Each process gets the password of its own role, and no other.

The parent starts PostgreSQL and the migrations, and starts again what ends by itself; the children read their connection from a pipe, and end when it closes,
so that none outlives a killed parent.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tocsin.errors import StoreError
from tocsin.gate import Scheme, tlp2
from tocsin.hub import Staff, clock_of
from tocsin.hub.compiling import compiled
from tocsin.server.child import listening
from tocsin.server.fairness import RATE
from tocsin.server.parts import Part
from tocsin.server.steps import STEP
from tocsin.store import Store
from tocsin.store.alone import Alone
from tocsin.store.embedded import Embedded
from tocsin.store.setup import checked_url, prepare, settle_scheme

HOST = "127.0.0.1"
WAIT = 60.0  # seconds in which the web process must answer
Say = Callable[[str], None]


def default_folder() -> Path:
    """Where a hub keeps its data: /var/lib/tocsin for root, ~/.local/share/tocsin for others."""
    return Path("/var/lib/tocsin") if os.geteuid() == 0 else Path.home() / ".local" / "share" / "tocsin"


def serve(
    folder: Path,
    port: int,
    database_url: str | None,
    say: Say,
    *,
    demo: bool = False,
    look_every: int = 1,
    rate: int = RATE,
    scheme: Scheme | None = None,
    step: float = STEP,
) -> None:
    """Runs a hub until SIGTERM, ctrl-C or its terminal's end; demo: filled with invented agencies; look_every: days between two looks for signals;
    rate: requests a second of one token; step: seconds, see `steps.py`; scheme: of a hub that has no report yet; TLP 2.0, or what the hub has,
    where it is left out.

    Raises `StoreError` where the database does not start or is another hub's, or a process ends again and again."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if name != signal.SIGHUP or signal.getsignal(name) != signal.SIG_IGN:  # `nohup` lets it outlive its terminal
            signal.signal(name, lambda *_: stop.set())
    parts = [Part("web")]  # it loads while the database starts
    try:
        listening(port, stop).close()  # what answers there must be this hub, and not another that is ready
        with _database(folder, database_url) as (admin, secrets, server), contextlib.closing(Alone(admin)) as alone:
            roles = prepare(admin, secrets)
            markings = settle_scheme(roles["migrate"], scheme.markings if scheme else None, tlp2().markings)
            first = _first_token(roles["web"])
            parts[0].tell({"conninfo": roles["web"], "port": port, "rate": rate, "step": step, "markings": markings})
            _answers(port, parts[0], stop)
            parts.append(Part("fuse"))
            parts[1].tell({"conninfo": roles["fuse"], "every": look_every})
            if first:
                say(f"The token of the hub's first administrator, shown this once:\n  {first}")
            if not compiled():
                parts.append(Part("kernels", once=True, needed=False))
                parts[-1].tell({})
            say(f"Ready: http://{HOST}:{port} (data in {folder}); ctrl-C stops it.")
            if demo:
                parts.append(Part("demo", once=True))
                parts[-1].tell({"conninfo": roles["web"], "url": f"http://{HOST}:{port}"})
            _watch(stop, parts, server, alone, say)
            _end(parts)
            say("Stopped; what was acknowledged is kept.")
    finally:
        _end(parts)


def _watch(stop: threading.Event, parts: list[Part], server: Embedded | None, alone: Alone, say: Say) -> None:
    """Starts again what ends by itself, until `stop`."""
    while not stop.wait(0.5):
        if server is not None and server.keep():
            say("PostgreSQL had ended by itself, and was started again.")
        alone.keep()
        for part in parts:
            if part.keep():
                say(f"The {part.name} process had ended by itself, and was started again.")


@contextlib.contextmanager
def _database(folder: Path, url: str | None) -> Iterator[tuple[str, Path, Embedded | None]]:
    """A connection that may make roles, the folder of passwords, and the server where it is the hub's own."""
    if url is not None:
        yield checked_url(url), folder / "secrets", None
        return
    with Embedded(folder) as server:
        yield server.conninfo(), server.secrets, server


def _first_token(conninfo: str) -> str | None:
    store = Store(conninfo, size=1)
    try:
        return Staff(store, clock_of(store)).first_token()
    finally:
        store.close()


def _answers(port: int, web: Part, stop: threading.Event) -> None:
    end = time.monotonic() + WAIT
    while not stop.is_set():
        with contextlib.suppress(URLError, OSError), urlopen(f"http://{HOST}:{port}/ready", timeout=5):
            if web.runs():
                return
        if not web.runs() or time.monotonic() > end:
            raise StoreError(
                f"the web server does not answer on port {port}: see whether another program has it, or give another with --port"
            )
        time.sleep(0.02)


def _end(parts: list[Part]) -> None:
    """The web process ends what it is at, then the others."""
    for part in parts:
        part.close()
    for part in parts:
        part.wait()
