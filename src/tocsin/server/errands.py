"""What the fusion process has made beside itself: a process that lives while there is something to make, so that incidents need not wait for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from tocsin.errors import StoreError
from tocsin.hub.making.due import waits
from tocsin.server.parts import Part
from tocsin.store import Store

WAIT = 0.3  # seconds between two looks for what is to be made
REST = 5.0  # seconds before it is tried again where the process failed


class Errand(threading.Thread):
    """`errands` in a thread; `at_it` while it has something made."""

    def __init__(self, store: Store, told: dict[str, object], stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._given, self._parts = (store, told, stop), list[Part]()

    def run(self) -> None:
        """Until it is stopped."""

        def start() -> Part:
            self._parts = [Part("make")]
            return self._parts[0]

        errands(*self._given, start)

    @property
    def at_it(self) -> bool:
        """Whether a process makes something."""
        return any(part.runs() for part in self._parts)


def errands(store: Store, told: dict[str, object], stop: threading.Event, start: Callable[[], Part] = lambda: Part("make")) -> None:
    """Starts the process `make` where something waits, until `stop`.

    told: its connection, `what` it makes (`pictures` or `looks`), and `every`, the days between two looks.
    """
    what, every = told["what"], told["every"]
    assert isinstance(what, str)
    assert isinstance(every, int)
    while not stop.wait(WAIT):
        try:
            if not waits(store, what, every, datetime.now(UTC)):
                continue
        except StoreError:  # the fusion process says so
            stop.wait(REST)
            continue
        part = start()
        part.tell(told)
        while part.runs() and not stop.wait(WAIT):
            pass
        if stop.is_set():
            part.close()
        elif part.process.returncode:
            logging.getLogger("tocsin").warning("what makes pictures and looks ended by itself")
            stop.wait(REST)
        part.wait()
