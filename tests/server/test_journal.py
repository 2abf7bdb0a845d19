"""What the hub writes of its running: no id, no body, no path that somebody made up."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hubs import World
from litestar import get
from litestar.testing import TestClient

from tocsin.server.app import make_app
from tocsin.server.journal import Journal, Lines, to_stderr

NEVER = "5f0b6a52-6c1e-5d0b-9d7e-1c3a7b1f2e40"


@pytest.fixture
def told(world: World) -> Iterator[tuple[TestClient[Any], list[dict[str, Any]], Journal]]:
    lines: list[dict[str, Any]] = []
    journal = Journal(lines.append)
    app = make_app(world.hub, journal)

    @get("/api/breaks", opt={"for": "any"}, sync_to_thread=False)
    def breaks() -> None:
        raise RuntimeError(f"Failing row contains ({NEVER})")

    app.register(breaks)
    with TestClient(journal.around(app), raise_server_exceptions=False) as client:
        yield client, lines, journal


def test_a_request_is_one_line_with_its_routes_template_and_its_tokens_label(world: World, told: Any) -> None:
    client, lines, _ = told
    bearer = {"Authorization": f"Bearer {world.tokens['B']}"}
    assert client.get(f"/api/reports/{NEVER}", headers=bearer).status_code == 404
    assert client.get(f"/api/reports/{NEVER}").status_code == 401
    assert client.request("LEAK", f"/{NEVER}/../secret?x={NEVER}", headers=bearer).status_code in (404, 405)
    assert client.post("/api/reports", headers=bearer, json={"text": NEVER, "marking": "RED"}).status_code == 200
    assert [(line["method"], line["route"], line["status"], line["token"]) for line in lines] == [
        ("GET", "/api/reports/{report_id}", 404, "B"),
        ("GET", "/api/reports/{report_id}", 401, None),
        ("OTHER", "-", lines[2]["status"], None),
        ("POST", "/api/reports", 200, "B"),
    ]
    assert all(line["ms"] >= 0 and re.fullmatch(r"[0-9a-f]{32}", line["request"]) for line in lines)
    assert len({line["request"] for line in lines}) == 4
    assert NEVER not in json.dumps(lines)
    assert world.tokens["B"] not in json.dumps(lines)


def test_where_the_hub_failed_is_told_but_not_in_words_that_may_quote_a_report(world: World, told: Any) -> None:
    client, lines, _ = told
    answer = client.get("/api/breaks", headers={"Authorization": f"Bearer {world.tokens['B']}"})
    assert answer.status_code == 500
    assert NEVER not in answer.text
    failed, asked = lines
    assert (failed["level"], failed["error"], failed["request"]) == ("error", "RuntimeError", asked["request"])
    assert NEVER not in json.dumps(lines)


def test_metrics_are_for_the_hubs_staff_and_tell_nothing_of_any_agency(world: World, told: Any) -> None:
    client, _, _ = told
    world.submit("A", {"own_id": "hidden-17", "marking": "RED"})
    for n in range(3):
        client.get("/api/feed", headers={"Authorization": f"Bearer {world.tokens['AB'[n % 2]]}"})
    assert client.get("/metrics", headers={"Authorization": f"Bearer {world.tokens['A']}"}).status_code == 403
    found = client.get("/metrics", headers={"Authorization": f"Bearer {world.tokens['admin']}"})
    assert found.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'tocsin_requests_total{method="GET",route="/api/feed",status="200"} 3' in found.text
    assert 'tocsin_request_seconds_bucket{route="/api/feed",le="+Inf"} 3' in found.text
    labels = {name for line in found.text.splitlines() if "{" in line for name in re.findall(r"(\w+)=", line)}
    assert labels == {"method", "route", "status", "le"}
    assert "hidden-17" not in found.text


def test_every_line_of_the_metrics_has_the_form_that_prometheus_reads(told: Any) -> None:
    client, _, journal = told
    client.get("/health")
    label = r'\w+="[^"\\\n]*"'
    for line in journal.metrics({"x": ("What it says.", 0.5)}).splitlines():
        assert re.fullmatch(rf"# (HELP|TYPE) tocsin_\w+ .+|tocsin_\w+({{{label}(,{label})*}})? [0-9.e+-]+", line), line


def test_what_other_parts_log_is_a_line_without_what_stands_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise RuntimeError(NEVER)
    except RuntimeError:
        record = logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "Exception in %s", (NEVER,), sys.exc_info())
    Lines().handle(record)
    said = capsys.readouterr().err
    assert json.loads(said) | {"time": ""} == {"time": "", "level": "error", "by": "uvicorn.error", "said": "Exception in %s"}


SCRIPT = f"""
import logging, threading, warnings
from tocsin.server.journal import all_in_lines
all_in_lines("fuse")
logging.getLogger("tocsin").warning("incidents wait: %s", "{NEVER}")
logging.getLogger("asyncio").error("Task failed\\nexception=ValueError('{NEVER}')")
warnings.warn("{NEVER}")
def fails(): raise RuntimeError("{NEVER}")
thread = threading.Thread(target=fails); thread.start(); thread.join()
from tocsin.store import queries
queries()["{NEVER}"]
"""


def test_whatever_a_process_of_the_hub_writes_of_its_running_is_a_line_without_what_may_be_of_a_report() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert NEVER not in done.stderr
    assert [line.get("said") or line.get("warning") or line.get("error") for line in lines] == [
        "incidents wait: %s",
        "Task failed",
        "UserWarning",
        "RuntimeError",
        "KeyError",
    ]
    assert all(line["part"] == "fuse" and line["time"].endswith("Z") for line in lines)


def test_a_log_that_nobody_reads_any_more_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def write(self, _: str) -> None:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", Gone())
    to_stderr({"a": 1})
