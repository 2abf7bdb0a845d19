"""A process of the hub: `web`, `fuse`, or, once, `demo`. It reads its connection from standard input, and ends when that closes."""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from tocsin.errors import TocsinError
from tocsin.store import Store


def web() -> Callable[[dict[str, Any], threading.Event], None]:
    """The HTTP server; what it needs is loaded before it is told its connection."""
    import uvicorn

    from tocsin.hub import Hub, clock
    from tocsin.hub.posted import posted
    from tocsin.server.app import make_app
    from tocsin.server.journal import Journal, Lines
    from tocsin.server.patience import CONNECTIONS, Patient, in_time

    posted({})  # loads what a post is checked with

    def run(told: dict[str, Any], stop: threading.Event) -> None:
        store = Store(told["conninfo"], size=16)
        with store.transaction(None) as tx:
            last = tx.one("last_tick")
        journal = Journal()
        app = journal.around(in_time(make_app(Hub(store, clock(last["last"] if last else None)), journal)))
        options: dict[str, Any] = {"host": "127.0.0.1", "port": told["port"], "log_config": None, "access_log": False, "http": Patient}
        logging.basicConfig(handlers=[Lines()], level=logging.WARNING)
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


def demo() -> Callable[[dict[str, Any], threading.Event], None]:
    """Fills a fresh hub with invented agencies, and ends."""
    from tocsin.hub import Hub, clock
    from tocsin.hub.demo import AGENCIES, GROUPS, fill, pictures

    def say(line: str) -> None:
        print(line, flush=True)

    def run(told: dict[str, Any], stop: threading.Event) -> None:
        store = Store(told["conninfo"], size=2)
        with store.transaction(None) as tx:
            last = tx.one("last_tick")
        hub = Hub(store, clock(last["last"] if last else None))
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
    run = {"web": web, "fuse": fuse, "demo": demo}[sys.argv[1]]()
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
