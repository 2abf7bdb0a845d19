"""Onward release asks the originator; each is told of its own, and of no more."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from httpx import Response
from hubs import Ticking, World

from tocsin.hub.pictures import refresh

NEVER = "5f0b6a52-6c1e-5d0b-9d7e-1c3a7b1f2e40"


def post(marking: str = "AMBER", **more: Any) -> dict[str, Any]:
    return {"own_id": str(uuid4()), "event_start": "2026-01-01", "country": "PAK", "killed": 3, "marking": marking} | more


def sees(world: World, who: str, report_id: str) -> bool:
    return world.ask(who, "GET", f"/api/reports/{report_id}").status_code == 200


def controlled(world: World) -> str:
    """A report of A's that B sees and may not pass on."""
    found: str = world.submit("A", post(releasable_to=["B"], orcon=True))[0]["report_id"]
    return found


def request(world: World, report_id: str, who: str = "B", to: str = "C") -> Response:
    return world.ask(who, "POST", f"/api/reports/{report_id}/requests", {"to": to, "why": "their desk works on it"})


def decide(world: World, request_id: str, grant: bool, who: str = "A") -> Response:
    return world.ask(who, "POST", f"/api/requests/{request_id}/decision", {"grant": grant, "why": "agreed by telephone"})


def test_a_request_goes_to_the_originator_and_its_grant_is_a_release(world: World, clock: Ticking) -> None:
    report = controlled(world)
    assert world.ask("B", "POST", f"/api/reports/{report}/release", {"to": "C", "why": "x"}).status_code == 403
    asked = request(world, report)
    assert asked.status_code == 201
    ident = asked.json()["request_id"]
    for who in ("A", "B"):
        (line,) = world.ask(who, "GET", "/api/requests").json()["requests"]
        said = {k: line[k] for k in ("request_id", "report_id", "by", "to", "why")}
        assert said == {"request_id": ident, "report_id": report, "by": "B", "to": "C", "why": "their desk works on it"}
        assert ("who" in line) is (who == "B")  # the person is their own agency's to know
        assert "decision" not in line
    assert not sees(world, "C", report)
    clock.tick()
    assert decide(world, ident, grant=True).status_code == 200
    assert sees(world, "C", report)
    for who in ("A", "B"):
        decision = world.ask(who, "GET", "/api/requests").json()["requests"][0]["decision"]
        assert (decision["grant"], decision["why"]) == (True, "agreed by telephone")
        assert "who" not in decision
    assert [(r["by"], r["to"]) for r in world.ask("A", "GET", "/api/releases").json()["releases"]] == [("A", "C")]


def test_who_comes_to_see_a_report_learns_neither_who_asked_nor_that_anybody_did(world: World) -> None:
    report = controlled(world)
    decide(world, request(world, report).json()["request_id"], grant=True)
    for page in ("/api/requests", "/api/releases", "/api/audit", f"/api/reports/{report}/who"):
        answer = world.ask("C", "GET", page)
        assert "their desk" not in answer.text
        assert "telephone" not in answer.text
        assert '"B"' not in answer.text
    assert world.ask("C", "GET", "/api/requests").json()["requests"] == []
    assert world.ask("C", "GET", "/api/releases").json()["releases"] == []
    assert world.ask("B", "GET", "/api/releases").json()["releases"] == []


def test_a_refusal_opens_nothing_and_a_request_is_decided_once(world: World) -> None:
    report = controlled(world)
    ident = request(world, report).json()["request_id"]
    assert decide(world, ident, grant=False).status_code == 200
    again = decide(world, ident, grant=True)
    assert (again.status_code, "decided already" in again.text) == (400, True)
    assert not sees(world, "C", report)
    assert world.ask("B", "GET", "/api/requests").json()["requests"][0]["decision"]["grant"] is False


def test_only_the_originator_decides_and_a_request_between_others_is_not_there(world: World) -> None:
    ident = request(world, controlled(world)).json()["request_id"]
    assert decide(world, ident, grant=True, who="B").status_code == 403
    theirs, never = (decide(world, i, grant=True, who="C") for i in (ident, NEVER))
    assert (theirs.status_code, theirs.content, theirs.headers) == (never.status_code, never.content, never.headers)
    assert theirs.status_code == 404


def test_a_request_for_a_hidden_report_answers_like_one_for_what_never_was(world: World) -> None:
    hidden = world.submit("A", post("RED"))[0]["report_id"]
    found, never = (request(world, i) for i in (hidden, NEVER))
    assert (found.status_code, found.content, found.headers) == (never.status_code, never.content, never.headers)
    assert world.ask("A", "GET", "/api/requests").json()["requests"] == []


def test_who_may_release_is_told_to_do_so_instead_of_asking(world: World) -> None:
    free = world.submit("A", post("GREEN"))[0]["report_id"]
    for who in ("A", "B"):
        assert request(world, free, who).status_code == 403
    assert request(world, controlled(world), to="nobody").status_code == 400


def test_a_release_is_told_to_who_made_it_and_to_the_originator_and_to_nobody_else(world: World, clock: Ticking) -> None:
    free = world.submit("A", post(releasable_to=["B"]))[0]["report_id"]
    clock.tick()
    assert world.ask("B", "POST", f"/api/reports/{free}/release", {"to": "C", "why": "they were there"}).status_code == 200
    for who in ("A", "B"):
        (line,) = world.ask(who, "GET", "/api/releases").json()["releases"]
        assert (line["report_id"], line["by"], line["to"], line["why"]) == (free, "B", "C", "they were there")
        assert ("who" in line) is (who == "B")
        assert line["at"].endswith("Z")
    assert sees(world, "C", free)
    assert world.ask("C", "GET", "/api/releases").json()["releases"] == []


@pytest.mark.parametrize("why", ["", " ", "a" * 1001, "a\u0000", 7, None, ["x"]])
def test_a_release_says_why(world: World, why: Any) -> None:
    report = world.submit("A", post("RED"))[0]["report_id"]
    assert world.ask("A", "POST", f"/api/reports/{report}/release", {"to": "C", "why": why}).status_code == 400
    assert world.ask("A", "POST", f"/api/reports/{report}/release", {"to": "C"}).status_code == 400
    assert not sees(world, "C", report)


def test_pages_of_releases_go_on_where_the_last_one_ended(world: World, clock: Ticking) -> None:
    reports = [r["report_id"] for r in world.submit("A", *(post("RED") for _ in range(7)))]
    for report in reports:
        clock.tick()
        world.ask("A", "POST", f"/api/reports/{report}/release", {"to": "C", "why": "x"})
    met, after = [], ""
    while page := world.ask("A", "GET", f"/api/releases?limit=3&after={after}").json():
        met += [r["report_id"] for r in page["releases"]]
        if page["next"] == after:
            break
        after = page["next"]
    assert met == reports
    for wrong in ("x", "1", "AAAA", after[:-1]):
        assert world.ask("A", "GET", f"/api/releases?after={wrong}").status_code == 400


def near(marking: str, **more: Any) -> dict[str, Any]:
    """Reports that are fused into one incident."""
    return post(marking, lat=24.86, lon=67.0, radius_km=1.0, attack_type="explosion/suicide", **more)


def incident_of(world: World, who: str, report_id: str) -> dict[str, Any]:
    refresh(world.fuse)
    found: dict[str, Any] = world.ask(who, "GET", f"/api/incidents/{report_id}").json()
    return found


def test_the_release_of_an_incident_opens_exactly_the_reports_that_its_releaser_sees(world: World, clock: Ticking) -> None:
    mine = world.submit("B", near("RED"))[0]["report_id"]
    theirs = world.submit("A", near("AMBER", releasable_to=["B"]))[0]["report_id"]
    hidden = world.submit("A", near("RED"))[0]["report_id"]
    ident = incident_of(world, "B", mine)["incident_id"]
    assert sorted(incident_of(world, "B", mine)["report_ids"]) == sorted([mine, theirs])
    clock.tick()
    answer = world.ask("B", "POST", f"/api/incidents/{ident}/release", {"to": "C", "why": "one case"})
    assert (answer.status_code, answer.json()) == (200, {"report_ids": sorted([mine, theirs])})
    assert [sees(world, "C", i) for i in (mine, theirs, hidden)] == [True, True, False]
    assert sorted(incident_of(world, "C", mine)["report_ids"]) == sorted([mine, theirs])
    told = world.ask("B", "GET", "/api/releases").json()["releases"]
    assert {(r["report_id"], r["incident_id"], r["why"]) for r in told} == {(mine, ident, "one case"), (theirs, ident, "one case")}
    originator = world.ask("A", "GET", "/api/releases").json()["releases"]
    assert [r["report_id"] for r in originator] == [theirs]
    assert mine not in world.ask("A", "GET", "/api/releases").text  # which incident it is in, is B's picture


@pytest.mark.parametrize("held", [{"releasable_to": ["B"], "orcon": True}, {"marking": "AMBER+STRICT", "releasable_to": ["B"]}])
def test_an_incident_with_one_report_that_may_not_be_passed_on_is_released_to_nobody(world: World, held: dict[str, Any]) -> None:
    mine = world.submit("B", near("RED"))[0]["report_id"]
    theirs = world.submit("A", near("AMBER") | held)[0]["report_id"]
    assert theirs in incident_of(world, "B", mine)["report_ids"]
    answer = world.ask("B", "POST", f"/api/incidents/{mine}/release", {"to": "C", "why": "one case"})
    assert answer.status_code == 403
    assert "originator control" in answer.text or "no onward release" in answer.text
    assert not sees(world, "C", mine)
    assert not sees(world, "C", theirs)
    assert world.ask("B", "GET", "/api/releases").json()["releases"] == []


def test_the_release_of_a_hidden_incident_answers_like_that_of_one_that_never_was(world: World) -> None:
    hidden = world.submit("A", near("RED"))[0]["report_id"]
    incident_of(world, "A", hidden)
    found, never = (world.ask("B", "POST", f"/api/incidents/{i}/release", {"to": "C", "why": "x"}) for i in (hidden, NEVER))
    assert (found.status_code, found.content, found.headers) == (never.status_code, never.content, never.headers)
    assert found.status_code == 404
