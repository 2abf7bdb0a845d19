"""What a form asks for, done once although it was sent twice: a double click is two requests, and each release and each request is a record that stays."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin.hub.caller import Caller
from tocsin.hub.clock import Clock
from tocsin.hub.cursor import all_of, since
from tocsin.hub.signals import Signals

SAME = timedelta(seconds=10)  # within which the same act by the same person is one


class Once:
    """Releases and requests from the rooms."""

    def __init__(self, acts: Signals, now: Clock) -> None:
        self._acts, self._now, self._lock = acts, now, threading.Lock()
        self._asked: tuple[str, ...] = ()
        self._asked_at = datetime.min.replace(tzinfo=UTC)

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

    def release_signal(self, who: Caller, signal_id: str, to: str, why: str) -> None:
        """As `Signals.release_signal`."""
        with self._lock:
            if not self._was(self._acts.releases, "releases", who, signal_id=signal_id, to=to, why=why):
                self._acts.release_signal(who, signal_id, to, why)

    def request_signal(self, who: Caller, signal_id: str, to: str, why: str) -> None:
        """As `Signals.request_signal`, which leaves no record of the signal but in the log."""
        with self._lock:
            asked, now = (who.agency, who.label, signal_id, to, why), self._now()
            if self._asked != asked or self._asked_at <= now - SAME:
                self._acts.request_signal(who, signal_id, to, why)
                self._asked, self._asked_at = asked, now

    def _was(self, ask: Callable[..., dict[str, Any]], name: str, who: Caller, **said: str) -> bool:
        """Whether the caller did exactly this a moment ago."""
        wanted = said | {"by": who.agency, "who": who.label}
        lately = all_of(ask, name, who, since(self._now() - SAME))
        return any(all(one.get(k) == v for k, v in wanted.items()) for one in lately)
