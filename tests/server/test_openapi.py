"""The API is what its description says, and does not fail at what the description allows or forbids: schemathesis, against a hub that runs."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.request import urlopen

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from running import Running
from schemathesis import GenerationMode, checks

from tocsin.hub.posted import posted
from tocsin.server.app import make_app
from tocsin.server.openapi import described, post, report

EXAMPLES = 10  # of each page, caller and kind
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
DESCRIBED: dict[str, Any] = described(make_app(None).openapi_schema.to_schema())  # type: ignore[arg-type]
API = schemathesis.openapi.from_dict(DESCRIBED)
KINDS = {"allowed": GenerationMode.POSITIVE, "forbidden": GenerationMode.NEGATIVE}
#: What a page that takes nothing is asked cannot be wrong.
ASKED = [
    (path, method.upper(), kind)
    for path, methods in sorted(DESCRIBED["paths"].items())
    for method, operation in methods.items()
    for kind in KINDS
    if kind == "allowed" or operation.get("parameters") or operation.get("requestBody")
]


@cache
def cases(path: str, method: str, kind: str) -> Any:
    """What a page is asked, by whomever."""
    return API[path][method].as_strategy(generation_mode=KINDS[kind])


@pytest.fixture(scope="module")
def tokens(hub: Running) -> dict[str, str]:
    return {
        "agency": hub.agency("of schemathesis", "submit", "analyse", "administer_agency", "oversee"),
        "staff": hub.admin,
        "nobody": "guess",
    }


@pytest.mark.parametrize("who", ["agency", "staff", "nobody"])
@pytest.mark.parametrize(("path", "method", "kind"), ASKED)
def test_every_page_answers_as_it_is_described(hub: Running, tokens: dict[str, str], path: str, method: str, kind: str, who: str) -> None:
    @settings(
        max_examples=EXAMPLES if who == "agency" and path != "/api/files" else 3,  # each file is read in a process of its own
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
    )
    @given(case=cases(path, method, kind))
    def ask(case: Any) -> None:
        answer = case.call(base_url=hub.url, headers={"Authorization": f"Bearer {tokens[who]}"}, timeout=60)
        case.validate_response(answer, checks=CHECKS)

    ask()


def test_every_page_says_what_it_takes_and_gives() -> None:
    for path, methods in DESCRIBED["paths"].items():
        for method, operation in methods.items():
            words = f"{method.upper()} {path}: say what it takes and gives in server/openapi.yml"
            done = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            assert all(content["schema"] for content in done["content"].values()), words
            assert operation.get("description"), f"{words}; what it does, in its docstring"
            assert method not in ("post", "patch") or "requestBody" in operation, words


def test_what_is_served_is_the_description(hub: Running) -> None:
    with urlopen(f"{hub.url}/api/schema/openapi.json", timeout=60) as answer:
        assert json.load(answer)["paths"].keys() == DESCRIBED["paths"].keys()


def test_a_report_that_the_description_allows_is_taken_and_comes_back_in_its_words(hub: Running, tokens: dict[str, str]) -> None:
    fields = post()["properties"]
    assert fields.keys() >= {"own_id", "version", "marking", "event_start", "attack_type"}
    assert not {"report_id", "received_at", "file"} & fields.keys()
    for name in fields:
        assert "no field of a report" not in " ".join(posted({name: 0}).reasons)
    sent = {"own_id": "1", "marking": "GREEN", "event_start": "2026-01-05", "credibility": 2, "releasable_to": [], "lat": 1.5, "lon": 2.0}
    ident = hub.ask(tokens["agency"], "POST", "/api/reports", sent)["results"][0]["report_id"]
    shown = hub.ask(tokens["agency"], "GET", f"/api/reports/{ident}")
    assert shown.keys() <= report()["properties"].keys()
