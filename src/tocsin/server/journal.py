"""What the hub's staff learns of its running: a line of JSON a request, and counters for Prometheus. Neither has an id, a body or an agency's figures.

A route is told by its template, for what stands in its place may be the id of a hidden report; a path that leads nowhere is not told at all.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import threading
import time
import traceback
import uuid
import warnings
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
#: Upper bounds of the histogram, in seconds.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
NOWHERE = "-"
_HOUSE = str(Path(__file__).parent.parent)


def to_stderr(line: dict[str, Any]) -> None:
    """Writes a line; a reader of the log that has gone stops nothing."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(json.dumps(line, ensure_ascii=True) + "\n")
        sys.stderr.flush()


class Lines(logging.Handler):
    """What other parts of the server log, as lines of the same form: the words of the program, without what stands in them, for that may be of a report."""

    def __init__(self, part: str = "") -> None:
        super().__init__()
        self._part = {"part": part} if part else {}

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one."""
        said = str(record.msg).partition("\n")[0]
        to_stderr({"time": _now(), "level": record.levelname.lower(), **self._part, "by": record.name, "said": said})


def all_in_lines(part: str) -> None:
    """From now on whatever this process writes of its running is a line of that form: logs, warnings, and what nobody caught, in whatever thread."""
    logging.basicConfig(handlers=[Lines(part)], level=logging.WARNING, force=True)

    def warned(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: str | None = None
    ) -> None:
        at = f"{filename.removeprefix(_HOUSE)}:{lineno}"
        to_stderr({"time": _now(), "level": "warning", "part": part, "warning": category.__name__, "at": [at]})

    def failed(why: BaseException | None) -> None:
        if why is not None:
            to_stderr(_failure(why) | {"part": part})

    warnings.showwarning = warned
    sys.excepthook = lambda _, why, __: failed(why)
    threading.excepthook = lambda args: failed(args.exc_value)
    sys.unraisablehook = lambda args: failed(args.exc_value)


def _failure(why: BaseException) -> dict[str, Any]:
    """Where something failed; not with what words, for they may quote a report."""
    frames = [
        f"{f.filename.removeprefix(_HOUSE)}:{f.lineno} {f.name}" for f in traceback.extract_tb(why.__traceback__) if _HOUSE in f.filename
    ]
    said = {"time": _now(), "level": "error", "error": type(why).__qualname__, "at": frames[-5:]}
    return said | ({"sqlstate": why.sqlstate} if getattr(why, "sqlstate", None) else {})  # type: ignore[attr-defined]


class Journal:
    """Counts and tells of requests. write: takes each line."""

    def __init__(self, write: Callable[[dict[str, Any]], None] = to_stderr) -> None:
        self.write = write
        self.began = time.time()
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._spread: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}
        self._open = 0

    def around(self, app: Any) -> Any:
        """The app, with each of its requests told of when it is answered, or its caller has gone."""

        async def told(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            status, begun, ready = 0, time.perf_counter(), 0.0
            state = scope.setdefault("state", {})
            state["request"] = uuid.uuid4().hex

            async def answer(message: Any) -> None:
                nonlocal status, ready
                if message["type"] == "http.response.start":
                    status, ready = message["status"], time.perf_counter()  # it may leave later: see steps.py
                await send(message)

            self._open += 1
            try:
                await app(scope, receive, answer)
            finally:
                self._open -= 1
                self._note(scope, status, (ready or time.perf_counter()) - begun)

        return told

    def failed(self, request: str | None, why: BaseException) -> None:
        """Tells where the hub failed at a request."""
        self.write(_failure(why) | {"request": request})

    def _note(self, scope: Any, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        route = scope.get("path_template") or NOWHERE
        with self._lock:
            self._requests[(method, route, status)] += 1
            self._seconds[route] = self._seconds.get(route, 0.0) + seconds
            spread = self._spread.setdefault(route, [0] * len(BUCKETS))
            for n, most in enumerate(BUCKETS):
                spread[n] += seconds <= most
        who = scope["state"].get("caller")
        said = {"time": _now(), "level": "info", "method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
        self.write(said | {"token": who.label if who is not None else None, "request": scope["state"]["request"]})

    def metrics(self, gauges: dict[str, tuple[str, float]]) -> str:
        """The text that Prometheus reads. gauges: more of them, by name, each with what it says."""
        with self._lock:
            requests, seconds = dict(self._requests), dict(self._seconds)
            spread = {route: list(counts) for route, counts in self._spread.items()}
        out = ["# HELP tocsin_requests_total Requests answered; status 0: the caller had gone.", "# TYPE tocsin_requests_total counter"]
        for (method, route, status), n in sorted(requests.items()):
            out.append(f'tocsin_requests_total{{method="{method}",route="{route}",status="{status}"}} {n}')
        out += [
            "# HELP tocsin_request_seconds How long an answer takes until it is ready; it leaves at the next step.",
            "# TYPE tocsin_request_seconds histogram",
        ]
        for route, counts in sorted(spread.items()):
            every = sum(n for (_, r, _), n in requests.items() if r == route)
            for most, n in zip((*map(str, BUCKETS), "+Inf"), (*counts, every), strict=True):
                out.append(f'tocsin_request_seconds_bucket{{route="{route}",le="{most}"}} {n}')
            out.append(f'tocsin_request_seconds_sum{{route="{route}"}} {seconds[route]:.6f}')
            out.append(f'tocsin_request_seconds_count{{route="{route}"}} {every}')
        own = {"open_requests": ("Requests under way.", self._open), "start_time_seconds": ("When the web process started.", self.began)}
        for name, (help_text, value) in (own | gauges).items():
            out += [f"# HELP tocsin_{name} {help_text}", f"# TYPE tocsin_{name} gauge", f"tocsin_{name} {value:.17g}"]
        return "\n".join(out) + "\n"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
