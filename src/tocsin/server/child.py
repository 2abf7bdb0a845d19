"""A process of the hub: `web`, `fuse`, `make` while there is something to make, or, once, `kernels` and `demo`.

It reads its connection from standard input, and ends when that closes.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tocsin.errors import StoreError, TocsinError
from tocsin.server.journal import all_in_lines
from tocsin.server.parts import ANEW
from tocsin.store import Store

PORT_WAIT = 12.0  # seconds; a web process that is told to end ends within 8


def web() -> Callable[[dict[str, Any], threading.Event], None]:
    """The HTTP server; what it needs is loaded before it is told its connection."""
    import uvicorn

    from tocsin.gate import Marking, Scheme
    from tocsin.hub import Hub, clock_of
    from tocsin.hub.posted import posted
    from tocsin.server.app import make_app
    from tocsin.server.fairness import RATE, Fair
    from tocsin.server.journal import Journal
    from tocsin.server.patience import CONNECTIONS, Patient, in_time
    from tocsin.server.steps import STEP, stepped

    posted({})  # loads what a post is checked with

    def run(told: dict[str, Any], stop: threading.Event) -> None:
        store = Store(told["conninfo"], size=16)
        journal = Journal()
        scheme = Scheme("the hub's scheme", tuple(Marking(*one) for one in told["markings"])) if "markings" in told else None
        hub, fair = Hub(store, clock_of(store), scheme), Fair(told.get("rate", RATE))
        app = stepped(journal.around(in_time(make_app(hub, journal, fair))), told.get("step", STEP))
        options: dict[str, Any] = {"log_config": None, "access_log": False, "http": Patient}
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                server_header=False,
                limit_concurrency=CONNECTIONS,
                timeout_graceful_shutdown=8,
                h11_max_incomplete_event_size=32_768,
                **options,
            )
        )

        def end() -> None:
            stop.wait()
            server.should_exit = True

        threading.Thread(target=end, daemon=True).start()
        server.run(sockets=[listening(told["port"], stop)])
        store.close()

    return run


def listening(port: int, stop: threading.Event) -> socket.socket:
    """The port; the web process of a hub that was killed may take some seconds to give it up. Raises `StoreError`."""
    end = time.monotonic() + PORT_WAIT
    while True:
        line = socket.socket(
            proto=socket.IPPROTO_TCP
        )  # or asyncio leaves TCP_NODELAY off, and half an answer waits 40 ms for its acknowledgement
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            line.bind(("127.0.0.1", port))
            return line
        except OSError as why:
            line.close()
            if stop.is_set() or time.monotonic() > end:
                raise StoreError(f"port {port} cannot be had ({why.strerror}): give another with --port") from why
        time.sleep(0.05)


def fuse() -> Callable[[dict[str, Any], threading.Event], None]:
    """Makes incidents anew where something changed, and sees to it that what else is asked for is made."""
    from tocsin.hub.pictures import FORGET
    from tocsin.hub.pictures import run as refresh
    from tocsin.server.errands import Errand

    def run(told: dict[str, Any], stop: threading.Event) -> None:
        store = Store(told["conninfo"], size=3)
        over = threading.Event()
        beside = [Errand(store, told | {"what": what}, over) for what in ("pictures", "looks")]
        for errand in beside:
            errand.start()

        def end() -> None:
            stop.wait()
            over.set()

        threading.Thread(target=end, daemon=True).start()
        anew = refresh(store, over, forget=told.get("forget", FORGET), free=lambda: not any(errand.at_it for errand in beside))
        over.set()
        for errand in beside:
            errand.join(10)
        store.close()
        if anew:
            sys.exit(ANEW)

    return run


def make() -> Callable[[dict[str, Any], threading.Event], None]:
    """Makes pictures and looks until none waits; it gives way to the hub's other processes."""
    from tocsin.hub.making import work

    def run(told: dict[str, Any], stop: threading.Event) -> None:
        _give_way(stop, 10)  # what it is at is in one transaction, and is made anew
        store = Store(told["conninfo"], size=2)
        work(store, told["what"], told["every"], stop)
        store.close()

    return run


def kernels() -> Callable[[dict[str, Any], threading.Event], None]:
    """Compiles what reading a file needs, and ends."""
    from tocsin.hub.compiling import compile_kernels

    def run(_: dict[str, Any], stop: threading.Event) -> None:
        with tempfile.TemporaryDirectory(prefix="tocsin-") as folder:
            # what numba writes, it writes beside its place, and moves there when it is whole
            _give_way(stop, 15, lambda: shutil.rmtree(folder, ignore_errors=True))
            compile_kernels(Path(folder))

    return run


def _give_way(stop: threading.Event, nice: int, clear: Callable[[], object] = lambda: None) -> None:
    """From now on this process gives way to the hub's others, is ended first where memory runs out, and at once by `stop`, when it has done `clear`."""

    def end() -> None:
        stop.wait()
        clear()
        os._exit(0)

    os.nice(nice)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")  # where memory runs out, not the database ends but this
    threading.Thread(target=end, daemon=True).start()


def demo() -> Callable[[dict[str, Any], threading.Event], None]:
    """Fills a fresh hub with invented agencies, and ends."""
    from tocsin.hub import Hub, clock_of
    from tocsin.hub.demo import AGENCIES, GROUPS, fill, pictures

    def say(line: str) -> None:
        print(line, flush=True)

    def run(told: dict[str, Any], stop: threading.Event) -> None:
        store = Store(told["conninfo"], size=2)
        hub = Hub(store, clock_of(store))
        tokens = fill(hub, say, stop)
        pictures(hub, say, stop)
        store.close()
        if not stop.is_set():
            say(f"{len(AGENCIES)} agencies and {len(GROUPS)} groups, all invented, share what UCDP GED reports of Pakistan (CC BY 4.0).")
            say(
                "Their tokens, shown this once:"
                if tokens
                else "Their tokens were shown before; `tocsin agency token invented-07 --label again` makes one."
            )
            for name, token in tokens.items():
                say(f"  export {name.upper().replace('-', '_')}={token}")
            for page in ("incidents?limit=3", "feed?limit=3", "agencies"):
                say(f"  curl -H \"Authorization: Bearer $INVENTED_07\" '{told['url']}/api/{page}'")

    return run


def main() -> None:
    """Runs one of them until standard input closes. What went wrong is told in one line, and the status is 2."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)  # the parent says when
    all_in_lines(sys.argv[1])
    run = {"web": web, "fuse": fuse, "make": make, "kernels": kernels, "demo": demo}[sys.argv[1]]()
    line = sys.stdin.readline()
    if not line:
        return
    stop = threading.Event()

    def end() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=end, daemon=True).start()
    try:
        run(json.loads(line), stop)
    except TocsinError as why:
        print(f"tocsin: {why}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
