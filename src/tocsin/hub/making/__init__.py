"""What is made for one audience when it asks, or when its time has come: pictures as of a moment, their pages, and looks. Runs with the role `fuse`.

    then.py (what the audience saw by a moment) -> pictures.py (a picture, or its page), looks.py (signals)

Pictures and looks each run in a process of their own, which is started where there is something to make and ends soon after: live incidents do not wait for
it, who asks for a picture does not wait for looks, and it takes no memory while nothing is asked.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

from tocsin.hub.making.due import waits
from tocsin.store import Store

LINGER = 10.0  # seconds that it stays when all is made
WAIT = 0.1  # seconds between two looks for what is asked


def work(store: Store, what: str, every: int, stop: threading.Event) -> None:
    """Makes `pictures`, or takes `looks` that are due, until none waited for some seconds. every: days between two looks. Raises `StoreError`."""
    from tocsin.hub.making.looks import look_next
    from tocsin.hub.making.pictures import make_next
    from tocsin.watch.shared import Shared

    last, shared = time.monotonic(), Shared()
    while not stop.is_set() and time.monotonic() - last < LINGER:
        if make_next(store) if what == "pictures" else look_next(store, every, datetime.now(UTC), shared):
            last, shared = time.monotonic(), Shared()
        else:
            stop.wait(WAIT)


__all__ = ["waits", "work"]
