"""A judgement is seen by who sees every report that it names, and by nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from httpx import Response
from hubs import Ticking, World

from tocsin.fusion.judgements import standing

NEVER = "5f0b6a52-6c1e-5d0b-9d7e-1c3a7b1f2e40"


def put(world: World, marking: str = "GREEN", who: str = "A", **more: Any) -> str:
    """A report's id."""
    sent = {"own_id": str(uuid4()), "event_start": "2026-01-01", "country": "PAK", "killed": 3, "marking": marking} | more
    found: str = world.submit(who, sent)[0]["report_id"]
    return found


def judge(world: World, who: str, decides: str, reports: list[str] | None = None, **more: Any) -> Response:
    named = {"reports": reports} if reports is not None else {}
    return world.ask(who, "POST", "/api/judgements", {"decides": decides, "why": "two calls about one blast"} | named | more)


def listed(world: World, who: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.ask(who, "GET", "/api/judgements").json()["judgements"]
    return found


def test_who_sees_every_report_sees_the_judgement_and_nobody_else(world: World) -> None:
    shared, named = put(world), put(world, "AMBER", releasable_to=["B"])
    made = judge(world, "B", "merge", [shared, named])
    assert made.status_code == 201
    for who in ("A", "B"):
        (line,) = listed(world, who)
        assert (line["judgement_id"], line["by"], line["decides"]) == (made.json()["judgement_id"], "B", "merge")
        assert line["reports"] == sorted([shared, named])
        assert ("who" in line) is (who == "B")
    assert listed(world, "C") == []


def test_a_judgement_opens_and_closes_with_the_reports_that_it_names(world: World, clock: Ticking) -> None:
    shared, red = put(world), put(world, "RED")
    judge(world, "A", "merge", [shared, red])
    assert listed(world, "B") == []
    clock.tick()
    world.ask("A", "POST", f"/api/reports/{red}/release", {"to": "B", "why": "x"})
    (line,) = listed(world, "B")
    assert line["received_at"] > line["signed"]
    world.ask("A", "POST", f"/api/reports/{red}/remark", {"marking": "RED"})
    assert listed(world, "B") == []
    world.ask("A", "POST", f"/api/reports/{red}/remark", {"marking": "AMBER", "releasable_to": ["group:north"]})
    world.ask("admin", "PUT", "/api/groups/north/B")
    assert len(listed(world, "B")) == 1
    world.ask("admin", "DELETE", "/api/groups/north/B")
    assert listed(world, "B") == []


@pytest.mark.parametrize("decides", ["merge", "split", "value", "not_part_of"])
def test_judging_a_hidden_report_answers_like_judging_one_that_never_was(world: World, decides: str) -> None:
    shared, hidden = put(world), put(world, "RED")
    more = {"apart_from": [shared]} if decides == "split" else {"field": "killed", "value": "3"} if decides == "value" else {}
    found, never = (judge(world, "B", decides, [i] if decides == "split" else [shared, i], **more) for i in (hidden, NEVER))
    assert (found.status_code, found.content, found.headers) == (never.status_code, never.content, never.headers)
    assert found.status_code == 404
    assert listed(world, "A") == []


def test_an_undo_is_a_new_record_of_who_judged_and_hidden_with_what_it_undoes(world: World, clock: Ticking) -> None:
    shared, named = put(world), put(world, "AMBER", releasable_to=["B"])
    first = judge(world, "B", "merge", [shared, named]).json()["judgement_id"]
    clock.tick()
    assert judge(world, "A", "undo", judgement=first).status_code == 403
    theirs, never = (judge(world, "C", "undo", judgement=i) for i in (first, NEVER))
    assert (theirs.status_code, theirs.content, theirs.headers) == (never.status_code, never.content, never.headers)
    assert judge(world, "B", "undo", judgement=first).status_code == 201
    assert [j["decides"] for j in listed(world, "A")] == ["merge", "undo"]
    assert listed(world, "A")[1]["judgement"] == first
    assert listed(world, "C") == []
    assert standing(world.judgements([shared, named])) == ()


def test_a_judgement_keeps_when_it_was_signed_and_none_is_signed_ahead(world: World, clock: Ticking) -> None:
    one, two = put(world), put(world)
    assert judge(world, "A", "merge", [one, two], signed="2025-12-31T23:00:00+05:00").status_code == 201
    assert listed(world, "A")[0]["signed"] == "2025-12-31T18:00:00.000000Z"
    for wrong in ((clock() + timedelta(seconds=1)).isoformat(), "2025-12-31", "2025-12-31T23:00:00", "x", "0001-01-01T00:00:00+14:00"):
        assert judge(world, "A", "merge", [one, two], signed=wrong).status_code == 400, wrong


def test_resending_a_judgement_is_harmless(world: World) -> None:
    one, two = put(world), put(world)
    ids = {judge(world, "A", "merge", [one, two], signed="2025-12-31T23:00:00Z").json()["judgement_id"] for _ in range(2)}
    assert len(ids) == len(listed(world, "A")) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"decides": "delete"}, {"decides": "merge"}, {"decides": "split"}, {"decides": "value"}, {"decides": "value", "field": "report_ids", "value": "x"},
        {"decides": "value", "field": "killed", "value": "many"}, {"decides": "merge", "by": "C"}, {"decides": "merge", "marking": "CLEAR"},
        {"decides": "undo"}, {"decides": "undo", "judgement": NEVER, "reports": []}, {"decides": "merge", "reports": []}, {"decides": "merge", "field": "killed"},
        {"decides": "merge", "reports": [NEVER] * 200}, {"decides": "merge", "why": ""}, {"decides": "merge", "token": "x"},
    ],
)  # fmt: skip
def test_what_is_no_judgement_is_refused_with_a_reason(world: World, wrong: dict[str, Any]) -> None:
    reports = [put(world)]
    answer = judge(world, "A", **({"reports": reports} | wrong if wrong["decides"] != "undo" else wrong))
    assert answer.status_code == 400, answer.text
    assert listed(world, "A") == []


def test_the_web_role_sees_no_judgement_that_the_gate_would_hide(world: World) -> None:
    shared, red = put(world), put(world, "RED")
    judge(world, "A", "merge", [shared, red])
    for audience, found in (("A", 1), ("B", 0), ("", 0)):
        with psycopg.connect(world.roles["web"]) as connection:
            connection.execute("SELECT set_config('tocsin.audience', %s, true)", (audience,))
            assert len(connection.execute("SELECT * FROM tocsin.judgement").fetchall()) == found
            assert len(connection.execute("SELECT * FROM tocsin.judged").fetchall()) == found
