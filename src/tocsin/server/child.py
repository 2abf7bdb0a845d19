"""A process of the hub: `web` or `fuse`. It reads its connection from standard input, and ends when that closes."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from tocsin.store import Store


def web() -> Callable[[dict[str, Any], threading.Event], None]:
    """The HTTP server; what it needs is loaded before it is told its connection."""
    import uvicorn

    from tocsin.hub import Hub, clock
    from tocsin.hub.posted import posted
    from tocsin.server.app import make_app
    from tocsin.server.journal import Journal

    posted({})  # loads what a post is checked with

    def run(told: dict[str, Any], stop: threading.Event) -> None:
        store = Store(told["conninfo"], size=16)
        with store.transaction(None) as tx:
            last = tx.one("last_tick")
        journal = Journal()
        app = journal.around(make_app(Hub(store, clock(last["last"] if last else None)), journal))
        options: dict[str, Any] = {"host": "127.0.0.1", "port": told["port"], "log_level": "warning", "access_log": False}
        server = uvicorn.Server(
            uvicorn.Config(app, server_header=False, timeout_graceful_shutdown=8, h11_max_incomplete_event_size=32_768, **options)
        )

        def end() -> None:
            stop.wait()
            server.should_exit = True

        threading.Thread(target=end, daemon=True).start()
        server.run()
        store.close()

    return run


def fuse() -> Callable[[dict[str, Any], threading.Event], None]:
    """Makes incidents anew where something changed."""
    from tocsin.hub.pictures import run as refresh

    def run(told: dict[str, Any], stop: threading.Event) -> None:
        store = Store(told["conninfo"], size=2)
        refresh(store, stop)
        store.close()

    return run


def main() -> None:
    """Runs one of the two until standard input closes."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)  # the parent says when
    run = {"web": web, "fuse": fuse}[sys.argv[1]]()
    line = sys.stdin.readline()
    if not line:
        return
    stop = threading.Event()

    def end() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=end, daemon=True).start()
    run(json.loads(line), stop)


if __name__ == "__main__":
    main()
