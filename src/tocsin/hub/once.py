"""What a form asks for, done once although it was sent twice: a double click is two requests, and each release and each request is a record that stays."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tocsin.hub.caller import Caller
from tocsin.hub.clock import Clock
from tocsin.hub.signals import Signals

SAME = timedelta(seconds=10)  # within which the same act by the same person is one


class Once:
    """Releases and requests from the rooms. What was done is in memory for some seconds."""

    def __init__(self, acts: Signals, now: Clock) -> None:
        self._acts, self._now, self._lock = acts, now, threading.Lock()
        self._done: dict[tuple[str, ...], datetime] = {}

    def release(self, who: Caller, report_id: str, to: str, why: str) -> None:
        """As `Acts.release`."""
        self._once(self._acts.release, who, report_id, to, why)

    def release_incident(self, who: Caller, incident_id: str, to: str, why: str) -> None:
        """As `Acts.release_incident`."""
        self._once(self._acts.release_incident, who, incident_id, to, why)

    def request(self, who: Caller, report_id: str, to: str, why: str) -> None:
        """As `Acts.request`."""
        self._once(self._acts.request, who, report_id, to, why)

    def release_signal(self, who: Caller, signal_id: str, to: str, why: str) -> None:
        """As `Signals.release_signal`."""
        self._once(self._acts.release_signal, who, signal_id, to, why)

    def request_signal(self, who: Caller, signal_id: str, to: str, why: str) -> None:
        """As `Signals.request_signal`."""
        self._once(self._acts.request_signal, who, signal_id, to, why)

    def _once(self, act: Callable[..., Any], who: Caller, *said: str) -> None:
        with self._lock:
            now, this = self._now(), (act.__name__, who.agency, who.label, *said)
            self._done = {done: at for done, at in self._done.items() if at > now - SAME}
            if this not in self._done:
                act(who, *said)
                self._done[this] = now
