"""What a form asks for, done once although it was sent twice: a double click is two requests, and each release and each request is a record that stays."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tocsin.hub.acts import Acts
from tocsin.hub.caller import Caller
from tocsin.hub.clock import Clock

SAME = timedelta(seconds=10)  # within which the same act by the same person is one
PAGE = 1_000


class Once:
    """Releases and requests from the rooms."""

    def __init__(self, acts: Acts, now: Clock) -> None:
        self._acts, self._now, self._lock = acts, now, threading.Lock()

    def release(self, who: Caller, report_id: str, to: str, why: str) -> None:
        """As `Acts.release`."""
        with self._lock:
            if not self._was(self._acts.releases, "releases", who, report_id=report_id, to=to, why=why):
                self._acts.release(who, report_id, to, why)

    def request(self, who: Caller, report_id: str, to: str, why: str) -> None:
        """As `Acts.request`."""
        with self._lock:
            if not self._was(self._acts.requests, "requests", who, report_id=report_id, to=to, why=why):
                self._acts.request(who, report_id, to, why)

    def _was(self, ask: Callable[..., dict[str, Any]], name: str, who: Caller, **said: str) -> bool:
        """Whether the caller did exactly this a moment ago."""
        wanted = said | {"by": who.agency, "who": who.label}
        since = self._now() - SAME
        return any(
            datetime.fromisoformat(one["at"]) > since and all(one.get(k) == v for k, v in wanted.items()) for one in told(ask, name, who)
        )


def told(ask: Callable[..., dict[str, Any]], name: str, who: Caller) -> list[dict[str, Any]]:
    """All that there is in a list of releases or requests, page by page; the last `PAGE` of it."""
    out: list[dict[str, Any]] = []
    after = ""
    while True:
        found = ask(who, after=after, limit=PAGE)
        out = (out + found[name])[-PAGE:]
        if len(found[name]) < PAGE:
            return out
        after = found["next"]
