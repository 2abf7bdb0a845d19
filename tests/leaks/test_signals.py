"""A signal to another agency: every report that it rests on opens, or nothing; and it says what these say by themselves."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from httpx import Response
from hubs import Ticking, World
from samples_hub import planted_signal

from tocsin.hub.pictures import refresh
from tocsin.hub.signals import released

NEVER = "5f0b6a52-6c1e-5d0b-9d7e-1c3a7b1f2e40"
ODDS = {"expected", "log_odds", "low", "high", "statistic", "p_value", "false_alarms_per_year", "first_raised", "falls_without", "note"}


def post(day: int, marking: str = "AMBER", **more: Any) -> dict[str, Any]:
    where = {"lat": 24.0 + day / 10, "lon": 67.0, "radius_km": 1.0, "place": f"Town {day}"}
    return {"own_id": str(uuid4()), "event_start": f"2025-12-{day:02}", "country": "PAK", "marking": marking} | where | more


def signal(world: World, clock: Ticking, reports: list[str], who: str = "B", **more: Any) -> str:
    """A signal of `who` that rests on the incidents of these reports."""
    refresh(world.fuse)
    incidents = [world.ask(who, "GET", f"/api/incidents/{r}").json() for r in reports]
    return planted_signal(world, who, clock(), incidents, **more)


def release(world: World, ident: str, who: str = "B", to: str = "C") -> Response:
    return world.ask(who, "POST", f"/api/signals/{ident}/release", {"to": to, "why": "their province"})


def request(world: World, ident: str) -> Response:
    return world.ask("B", "POST", f"/api/signals/{ident}/requests", {"to": "C", "why": "their province"})


def received(world: World, who: str = "C") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.ask(who, "GET", "/api/signals/received").json()["signals"]
    return found


def sees(world: World, who: str, report_id: str) -> bool:
    return world.ask(who, "GET", f"/api/reports/{report_id}").status_code == 200


def sent(world: World) -> tuple[str, str, str]:
    """A report of B's, one of A's that B may pass on, and one of A's that is hidden from B, near the first."""
    mine = world.submit("B", post(3, "RED"))[0]["report_id"]
    theirs = world.submit("A", post(9, releasable_to=["B"]))[0]["report_id"]
    hidden = world.submit("A", post(3, "RED"))[0]["report_id"]
    return mine, theirs, hidden


def test_a_released_signal_opens_its_evidence_and_says_what_that_says_and_no_odds(world: World, clock: Ticking) -> None:
    mine, theirs, hidden = sent(world)
    ident = signal(world, clock, [mine, theirs])
    clock.tick()
    answer = release(world, ident)
    assert (answer.status_code, answer.json()) == (200, {"report_ids": sorted([mine, theirs])})
    assert [sees(world, "C", i) for i in (mine, theirs, hidden)] == [True, True, False]
    (given,) = received(world)
    assert given.keys() & ODDS == set()
    assert (given["by"], given["category"], given["observed"], given["start"]) == ("B", "sufi", 2, "2025-12-03")
    assert given["marking"] == "RED"
    assert given["evidence"] == sorted([mine, theirs])
    refresh(world.fuse)
    assert all(world.ask("C", "GET", f"/api/incidents/{i}").status_code == 200 for i in given["evidence"])
    assert given["signal_id"] != ident
    assert received(world, "A") == received(world, "B") == []


def test_what_is_said_of_a_released_signal_follows_from_what_its_reader_sees(world: World, clock: Ticking) -> None:
    """Where a cluster is, and since when, is counted anew from its evidence: the middle that its releaser has may be that of a hidden report."""
    mine, theirs, _ = sent(world)
    about = {"kind": "cluster", "category": "a hidden town", "lat": 33.3, "lon": 73.3, "radius_km": 12.5}
    release(world, signal(world, clock, [mine, theirs], **about))
    (given,) = received(world)
    rows = [{"report_id": i, "body": world.ask("C", "GET", f"/api/reports/{i}").json()} for i in (mine, theirs)]
    said = released(about | {k: given[k] for k in ("as_of", "measure", "violence", "dimension", "area", "end", "observed", "kind")}, rows)
    assert {k: given[k] for k in said} == said
    assert (given["lat"], given["category"]) == (pytest.approx(24.6), "Town 3")
    assert given["radius_km"] == pytest.approx(33.36, abs=0.01)
    assert not {"33.3", "73.3", "12.5", "a hidden town"} & set(map(str, given.values()))


@pytest.mark.parametrize("held", [{"orcon": True}, {"marking": "AMBER+STRICT"}, {"marking": "RED"}])
def test_a_signal_with_one_report_that_may_not_be_passed_on_is_released_to_nobody(
    world: World, clock: Ticking, held: dict[str, Any]
) -> None:
    mine = world.submit("B", post(3, "RED"))[0]["report_id"]
    theirs = world.submit("A", post(9, releasable_to=["B"]) | held)[0]["report_id"]
    ident = signal(world, clock, [mine, theirs])
    answer = release(world, ident)
    assert answer.status_code == 403
    assert not sees(world, "C", mine)
    assert not sees(world, "C", theirs)
    assert received(world) == []
    assert world.ask("B", "GET", "/api/releases").json()["releases"] == []


def test_the_originator_of_each_report_that_is_held_is_asked_and_their_grants_let_the_signal_go(world: World, clock: Ticking) -> None:
    mine = world.submit("B", post(3, "RED"))[0]["report_id"]
    held = world.submit("A", post(9, releasable_to=["B"], orcon=True), post(15, releasable_to=["B"], orcon=True))
    ident = signal(world, clock, [mine, *(r["report_id"] for r in held)])
    asked = request(world, ident)
    assert asked.status_code == 201
    assert len(asked.json()["request_ids"]) == 2
    again = request(world, ident)
    assert (again.status_code, "asked already" in again.text) == (403, True)
    told = world.ask("A", "GET", "/api/requests").json()["requests"]
    assert {r["report_id"] for r in told} == {r["report_id"] for r in held}
    assert ident not in str(told)  # that there is a signal, is B's
    assert mine not in str(told)
    for n, one in enumerate(asked.json()["request_ids"]):
        assert release(world, ident).status_code == 403, n
        clock.tick()
        assert world.ask("A", "POST", f"/api/requests/{one}/decision", {"grant": True, "why": "agreed"}).status_code == 200
    assert release(world, ident).status_code == 200
    assert len(received(world)[0]["evidence"]) == 3
    assert world.ask("B", "POST", f"/api/signals/{ident}/requests", {"to": "C", "why": "x"}).status_code == 403  # nothing is held any more


def test_a_grant_ends_where_the_report_is_marked_anew(world: World, clock: Ticking) -> None:
    theirs = world.submit("A", post(9, releasable_to=["B"], orcon=True))[0]["report_id"]
    ident = signal(world, clock, [theirs])
    (one,) = request(world, ident).json()["request_ids"]
    world.ask("A", "POST", f"/api/requests/{one}/decision", {"grant": True, "why": "agreed"})
    clock.tick()
    handling = {"marking": "AMBER", "releasable_to": ["B"], "orcon": True}
    world.ask("A", "POST", f"/api/reports/{theirs}/remark", handling)
    assert release(world, ident).status_code == 403
    world.ask("A", "POST", f"/api/reports/{theirs}/release", {"to": "C", "why": "B is not told, and cannot learn it"})
    assert release(world, ident).status_code == 403
    assert received(world) == []


def test_a_granted_report_keeps_no_incident_from_being_released(world: World, clock: Ticking) -> None:
    theirs = world.submit("A", post(9, releasable_to=["B"], orcon=True))[0]["report_id"]
    refresh(world.fuse)
    go = {"to": "C", "why": "one case"}
    assert world.ask("B", "POST", f"/api/incidents/{theirs}/release", go).status_code == 403
    one = world.ask("B", "POST", f"/api/reports/{theirs}/requests", go).json()["request_id"]
    world.ask("A", "POST", f"/api/requests/{one}/decision", {"grant": True, "why": "agreed"})
    assert world.ask("B", "POST", f"/api/incidents/{theirs}/release", go).status_code == 200


@pytest.mark.parametrize("what", ["release", "requests", "who"])
def test_another_agencys_signal_answers_like_one_that_never_was(world: World, clock: Ticking, what: str) -> None:
    report = world.submit("A", post(3, "GREEN"))[0]["report_id"]
    ident = signal(world, clock, [report], who="A")
    method, body = ("GET", None) if what == "who" else ("POST", {"to": "C", "why": "x"})
    found, never = (world.ask("B", method, f"/api/signals/{i}/{what}", body) for i in (ident, NEVER))
    assert (found.status_code, found.content, found.headers) == (never.status_code, never.content, never.headers)
    assert found.status_code == 404


@pytest.mark.parametrize(("what", "body"), [("remark", {"marking": "AMBER", "releasable_to": ["B"]}), ("purge", {"why": "it was wrong"})])
def test_a_given_signal_whose_evidence_closes_says_so_and_nothing_else(
    world: World, clock: Ticking, what: str, body: dict[str, Any]
) -> None:
    mine, theirs, _ = sent(world)
    ident = signal(world, clock, [mine, theirs])
    release(world, ident)
    clock.tick()
    assert world.ask("A", "POST", f"/api/reports/{theirs}/{what}", body).status_code == 200
    (given,) = received(world)
    assert given.keys() == {"signal_id", "by", "received_at", "withdrawn"}
    with psycopg.connect(world.roles["owner"]) as connection:
        assert connection.execute("SELECT body, reports FROM tocsin.signal_given").fetchall() == [(None, [])]
    answer = release(world, ident)
    assert (answer.status_code, received(world)) == (200 if what == "remark" else 403, received(world))
    assert sees(world, "C", theirs) is (what == "remark")  # B sees it still, and may pass it on again


def test_the_release_of_a_signal_is_told_to_its_releaser_and_of_reports_to_their_originators(world: World, clock: Ticking) -> None:
    mine, theirs, _ = sent(world)
    ident = signal(world, clock, [mine, theirs])
    release(world, ident)
    told = world.ask("B", "GET", "/api/releases").json()["releases"]
    assert all((r["signal_id"], r["by"], r["to"], r["why"]) == (ident, "B", "C", "their province") for r in told)
    assert {r.get("report_id") for r in told} == {None, mine, theirs}
    (one,) = world.ask("A", "GET", "/api/releases").json()["releases"]
    assert (one["report_id"], one["to"]) == (theirs, "C")
    assert ident not in str(one)
    assert world.ask("C", "GET", "/api/releases").json()["releases"] == []
    assert "their province" not in world.ask("C", "GET", "/api/signals/received").text
    said = {a["agency"]: a["reason"] for a in world.ask("B", "GET", f"/api/signals/{ident}/who").json()["agencies"]}
    assert said == {"B": "made of what it may see", "C": "released to C"}
    seen = {a["agency"]: a["reason"] for a in world.ask("A", "GET", f"/api/reports/{theirs}/who").json()["agencies"]}
    assert seen["C"] == "released to C"


def test_a_signal_that_is_released_again_keeps_its_id_for_who_receives_it(world: World, clock: Ticking) -> None:
    mine, theirs, _ = sent(world)
    ident = signal(world, clock, [mine, theirs])
    for _ in range(2):
        clock.tick()
        assert release(world, ident).status_code == 200
    first, second = received(world)
    assert first["signal_id"] == second["signal_id"]
    assert first["received_at"] < second["received_at"]


def test_what_is_marked_anew_while_it_is_released_is_not_released(world: World, clock: Ticking) -> None:
    """A release waits for the new marking that is being written, and is decided by it."""
    theirs = world.submit("A", post(9, releasable_to=["B"]))[0]["report_id"]
    ident = signal(world, clock, [theirs])
    pages = [f"/api/reports/{theirs}/release", f"/api/incidents/{theirs}/release", f"/api/signals/{ident}/release"]
    answers: list[int] = []

    def passes(page: str) -> None:
        answers.append(world.ask("B", "POST", page, {"to": "C", "why": "x"}).status_code)

    threads = [threading.Thread(target=passes, args=(page,)) for page in pages]
    with psycopg.connect(world.roles["web"], options="-c search_path=tocsin -c tocsin.audience=A") as connection:
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=1)
        connection.execute("SELECT remark('A', %s, %s, 'AMBER+STRICT', '{B}', false)", (at, theirs))
        for thread in threads:
            thread.start()
        with psycopg.connect(world.roles["owner"]) as other:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            while other.execute(waiting).fetchone() != (len(pages),):
                assert not answers
                other.commit()
    for thread in threads:
        thread.join()
    assert answers == [403] * 3
    assert not sees(world, "C", theirs)
    assert sees(world, "B", theirs)
