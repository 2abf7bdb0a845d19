"""What closes to an agency is in none of its incidents from that moment on, before anything is made anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from hubs import World

from tocsin.fusion.layers import Change
from tocsin.fusion.views import Views
from tocsin.gate import Clearance, Role
from tocsin.hub import Caller, pictures
from tocsin.hub.pictures import Pictures, refresh
from tocsin.terms.ids import report_id

NEVER = "5f0b6a52-6c1e-5d0b-9d7e-1c3a7b1f2e40"


def put(world: World, marking: str = "GREEN", who: str = "A", **more: Any) -> str:
    """A report's id; all are of one attack."""
    facts = {"event_start": "2026-01-01", "country": "PAK", "killed": 3, "lat": 24.86, "lon": 67.0, "radius_km": 1.0}
    found: str = world.submit(who, {"own_id": str(uuid4()), "marking": marking} | facts | more)[0]["report_id"]
    return found


def remark(world: World, report_id: str, marking: str = "RED", *names: str) -> None:
    answer = world.ask("A", "POST", f"/api/reports/{report_id}/remark", {"marking": marking, "releasable_to": names})
    assert answer.status_code == 200


def told(world: World, who: str = "B") -> str:
    """All that an agency is told of its incidents."""
    pages = ("/api/incidents?limit=1000", "/api/incidents?limit=1")
    taxii = world.taxii(who, "collections/picture/objects/?match[type]=incident,sighting").text
    return "".join(world.ask(who, "GET", page).text for page in pages) + taxii


def gone(world: World, report_id: str) -> None:
    """B is answered as of one that never was, and told of none."""
    one, never = (world.ask("B", "GET", f"/api/incidents/{i}") for i in (report_id, NEVER))
    assert (one.status_code, one.content, one.headers) == (never.status_code, never.content, never.headers)
    assert report_id not in told(world)


CLOSES: dict[str, Callable[[World, str], Any]] = {
    "marked anew for nobody": remark,
    "marked anew for another": lambda world, i: remark(world, i, "AMBER", "C"),
    "out of its group": lambda world, _: world.ask("admin", "DELETE", "/api/groups/north/B"),
    "a release taken back": remark,
}


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("how", CLOSES)
def test_what_closes_is_in_no_incident_from_that_moment_on(world: World, how: str, live: bool) -> None:
    going = Pictures(world.fuse)
    world.ask("admin", "PUT", "/api/groups/north/B")
    grouped, released = how == "out of its group", how == "a release taken back"
    marking, names = ("AMBER", ["group:north"]) if grouped else ("RED", []) if released else ("GREEN", [])
    closing, mine = put(world, marking, releasable_to=names, killed=7), put(world, "RED", "B", killed=4)
    if released:
        world.ask("A", "POST", f"/api/reports/{closing}/release", {"to": "B", "why": "x"})
    going.refresh()
    assert world.ask("B", "GET", f"/api/incidents/{mine}").json()["report_ids"] == sorted([closing, mine])
    CLOSES[how](world, closing)
    gone(world, closing)
    assert world.ask("B", "GET", "/api/incidents").json()["current"] is False
    (going if live else Pictures(world.fuse)).refresh()
    gone(world, closing)
    incident = world.ask("B", "GET", f"/api/incidents/{mine}").json()
    assert (incident["incident_id"], incident["report_ids"], incident["killed"]) == (mine, [mine], 4)
    assert world.ask("A", "GET", f"/api/incidents/{closing}").json()["report_ids"] == [closing]


@pytest.mark.parametrize("points", ["supersedes", "derived_from", "what it corrects"])
def test_what_closes_leaves_no_incident_that_bears_its_id_or_what_it_said(world: World, points: str) -> None:
    first = put(world)
    second = put(world, killed=9, **({"derived_from": [first]} if points == "derived_from" else {"supersedes": first}))
    closing = first if points == "what it corrects" else second
    other = second if closing == first else first
    refresh(world.fuse)
    assert closing in told(world)
    remark(world, closing)
    gone(world, closing)
    refresh(world.fuse)
    gone(world, closing)
    assert world.ask("B", "GET", f"/api/incidents/{other}").json()["report_ids"] == [other]


@pytest.mark.parametrize("decides", ["value", "split"])
def test_what_was_judged_with_a_report_that_closes_is_in_no_incident_either(world: World, decides: str) -> None:
    """The judgement has closed with it, and the incident of another report that it names heeds it no longer."""
    other, closing = put(world), put(world, event_start="2026-01-09", lat=30.0)
    more = (
        {"reports": [other, closing], "field": "actor", "value": "quince band"}
        if decides == "value"
        else {"reports": [other], "apart_from": [closing]}
    )
    made = world.ask("A", "POST", "/api/judgements", {"decides": decides, "why": "x"} | more).json()["judgement_id"]
    refresh(world.fuse)
    assert made in told(world)
    remark(world, closing)
    gone(world, closing)
    assert not [word for word in (made, "quince band") if word in told(world)]
    refresh(world.fuse)
    assert world.ask("B", "GET", f"/api/incidents/{other}").json()["judged"] == []
    assert not [word for word in (made, "quince band") if word in told(world)]
    assert made in told(world, "A")


def test_a_report_of_ones_own_is_said_to_be_in_no_incident_until_that_is_made_anew(world: World) -> None:
    """Also where every agency has another incident under the same id, which that report is not in."""
    every = put(world, own_id=min(map(str, range(200)), key=lambda own: report_id("A", own)))
    mine, closing = put(world, "RED", "B", own_id="mine"), put(world, "AMBER", releasable_to=["B"], own_id="closing")
    who = Caller("B", Clearance("B", frozenset({Role.ANALYSE})))

    def said() -> Any:
        (one,) = world.hub.sent.page(who)["reports"]
        return one["incident"] and one["incident"]["report_ids"]

    assert said() is None
    refresh(world.fuse)
    assert said() == sorted([every, mine, closing])
    bears = {who: world.ask(who, "GET", f"/api/incidents/{every}").json()["incident_id"] for who in "BC"}
    assert set(bears.values()) == {every}
    remark(world, closing)
    assert said() is None
    refresh(world.fuse)
    assert said() == sorted([every, mine])


def test_who_sees_it_still_has_its_incident_again_when_it_is_made_anew(world: World) -> None:
    closing, beside = put(world), put(world, "GREEN", "C")
    refresh(world.fuse)
    remark(world, closing, "AMBER", "C")
    refresh(world.fuse)
    for who, several in (("A", [closing, beside]), ("B", [beside]), ("C", [closing, beside])):
        assert world.ask(who, "GET", f"/api/incidents/{beside}").json()["report_ids"] == sorted(several)


def test_what_closes_while_incidents_are_made_is_in_none_of_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    closing, mine = put(world), put(world, "RED", "B")
    written = pictures._write

    def closing_meanwhile(views: Views, tx: Any, change: Change, old: int) -> None:
        written(views, tx, change, old)
        remark(world, closing)

    monkeypatch.setattr(pictures, "_write", closing_meanwhile)
    going = Pictures(world.fuse)
    going.step()
    monkeypatch.undo()
    gone(world, closing)
    going.refresh()
    gone(world, closing)
    assert world.ask("B", "GET", f"/api/incidents/{mine}").json()["report_ids"] == [mine]
