"""A name to whom a report may go, and that is nobody's whom its agency knows of, is told of; the report is taken all the same."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from hubs import World


@pytest.fixture
def world(world: World) -> World:
    world.ask("admin", "PUT", "/api/groups/north/A")
    world.ask("admin", "PUT", "/api/groups/south/C")
    return world


def post(marking: str, *named: str) -> dict[str, Any]:
    return {"own_id": str(uuid4()), "event_start": "2026-01-05", "country": "PAK", "marking": marking, "releasable_to": list(named)}


def test_a_report_that_names_nobody_is_stored_and_says_whom_it_does_not_reach(world: World) -> None:
    body = post("AMBER", "polise", "B")
    stored, again = world.submit("A", body)[0], world.submit("A", body)[0]
    assert (stored["status"], again["status"]) == ("stored", "known")
    assert stored["warnings"] == again["warnings"]
    assert "is called polise: so named, nobody" in stored["warnings"][0]
    assert "mark the report anew" in stored["warnings"][0]
    assert world.ask("B", "GET", f"/api/reports/{stored['report_id']}").status_code == 200


def test_nothing_is_said_of_names_that_reach_somebody(world: World) -> None:
    assert "warnings" not in world.submit("A", post("AMBER", "B", "C", "A", "group:north"))[0]
    assert "warnings" not in world.submit("A", post("AMBER"))[0]


def test_of_each_report_of_a_post_what_is_wrong_with_its_own_names_is_said(world: World) -> None:
    fine, wrong, refused = world.submit("A", post("AMBER", "B"), post("RED", "rescu"), post("AMBRE", "rescu"))
    assert "warnings" not in fine
    assert "rescu" in wrong["warnings"][0]
    assert (refused["status"], "warnings" in refused) == ("refused", False)


def test_a_group_that_one_is_not_in_is_told_of_as_one_that_never_was(world: World) -> None:
    hidden, never = (world.submit("A", post("AMBER", name))[0]["warnings"] for name in ("group:south", "group:nowhere"))
    assert [line.replace("south", "nowhere") for line in hidden] == never


def test_a_marking_that_reaches_no_group_says_so(world: World) -> None:
    said = world.submit("A", post("RED", "group:north", "B"))[0]["warnings"]
    assert said[0].startswith("releasable_to: RED reaches the agencies that it names, and no group: nobody sees it through group:north")
    assert len(said) == 1


def test_an_agency_that_left_is_nobody_any_more(world: World) -> None:
    world.ask("admin", "POST", "/api/agencies", {"name": "gone"})
    assert "warnings" not in world.submit("A", post("RED", "gone"))[0]
    assert world.ask("admin", "POST", "/api/agencies/gone/leave", {"reports": "keep"}).status_code == 200
    assert "gone" in world.submit("A", post("RED", "gone"))[0]["warnings"][0]


def test_a_report_that_is_marked_anew_says_whom_it_does_not_reach_and_so_does_who_can_see_it(world: World) -> None:
    ident = world.submit("A", post("RED"))[0]["report_id"]
    marked = world.ask("A", "POST", f"/api/reports/{ident}/remark", {"marking": "AMBER", "releasable_to": ["polise"]}).json()
    assert (marked["ok"], "polise" in marked["warnings"][0]) == (True, True)
    assert world.ask("A", "GET", f"/api/reports/{ident}/who").json()["warnings"] == marked["warnings"]
    right = world.ask("A", "POST", f"/api/reports/{ident}/remark", {"marking": "AMBER", "releasable_to": ["B"]}).json()
    assert right == {"ok": True}
    assert "warnings" not in world.ask("A", "GET", f"/api/reports/{ident}/who").json()
