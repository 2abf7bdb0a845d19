"""An agency leaves in the browser: nothing before it was asked twice, and then the same records as the command line's."""

from __future__ import annotations

import re
import uuid
from html import unescape
from typing import Any

import psycopg
import pytest
from hubs import World
from people import Person, person


def words(page: str) -> str:
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.partition("<main")[2]))
    return unescape(shown).replace("\u2068", "").replace("\u2069", "")


@pytest.fixture
def chief(world: World) -> Person:
    return person(world, "", f"chief {uuid.uuid4().hex[:6]}", "administer_hub")


def joins(world: World) -> str:
    """A new agency with a token, a person and a group."""
    name = f"unit {uuid.uuid4().hex[:6]}"
    assert world.ask("admin", "POST", "/api/agencies", {"name": name}).status_code == 201
    roles = ["submit", "analyse", "administer_agency"]
    made = world.ask("admin", "POST", "/api/tokens", {"label": "its desk", "agency": name, "roles": roles})
    world.tokens[name] = made.json()["token"]
    world.ask("admin", "PUT", f"/api/groups/shore/{name}")
    return name


def acts(world: World, name: str) -> list[dict[str, Any]]:
    with psycopg.connect(world.roles["owner"]) as connection:
        rows = connection.execute("SELECT said FROM tocsin.act WHERE kind = 'leave' AND said ->> 'name' = %s", (name,)).fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize(("fate", "heir"), [("keep", None), ("hand-to", "A"), ("purge", None)])
def test_an_agency_leaves_after_a_page_that_says_what_will_happen(world: World, chief: Person, fate: str, heir: str | None) -> None:
    name = joins(world)
    one = person(world, name, f"desk {uuid.uuid4().hex[:6]}", "submit")
    report = world.submit(name, {"own_id": "1", "event_start": "2026-01-05", "marking": "RED", "text": "quince-7731"})[0]["report_id"]
    page = f"/agencies/{name}/leave"
    assert f'href="/agencies/{name.replace(" ", "%20")}/leave"' in chief.get("/agencies").text
    said = words(chief.get(page).text)
    assert "its 1 token and 1 account end, and it is out of 1 group" in said
    form = {"fate": fate, "to": heir or "", "name": name}
    asked = chief.post(page, form)
    assert "its desk" in asked.text
    assert one.name in asked.text
    assert "shore" in asked.text
    told = words(asked.text)
    assert {"keep": "They stay as they are marked", "hand-to": "A is their originator", "purge": "gone for good"}[fate] in told
    assert ("Copies that were made earlier" in told) is (fate == "purge")
    assert report not in asked.text
    assert "quince" not in asked.text
    assert acts(world, name) == []
    assert world.ask(name, "GET", "/api/me").status_code == 200
    for _ in range(2):  # a double click
        assert chief.post(page, form | {"sure": "yes"}, at="/agencies").headers["Location"] == "/agencies"
    assert acts(world, name) == [{"name": name, "reports": fate, "to": heir}]
    assert world.ask(name, "GET", "/api/me").status_code == 401
    assert one.get("/feed").headers["Location"].startswith("/sign-in")
    assert name not in words(chief.get("/agencies").text)
    line = chief.client.get("/log").text
    assert f"agency leave {name}, reports {fate}" in line
    assert (world.ask("A", "GET", f"/api/reports/{report}").status_code == 200) is (fate == "hand-to")
    with psycopg.connect(world.roles["owner"]) as connection:
        (left,) = connection.execute("SELECT count(*) FROM tocsin.report WHERE report_id = %s", (report,)).fetchone() or (None,)
    assert left == (0 if fate == "purge" else 1)
    assert chief.get(page).status_code == 404


def test_it_does_not_leave_by_a_slip_of_the_hand(world: World, chief: Person) -> None:
    name = joins(world)
    page, good = f"/agencies/{name}/leave", {"fate": "keep", "to": "", "name": name, "sure": "yes"}
    for slip, reason in (
        ({"name": "A"}, f"write {name}"),
        ({"name": ""}, f"write {name}"),
        ({"fate": ""}, "what becomes of its reports"),
        ({"fate": "burn"}, "what becomes of its reports"),
        ({"fate": "hand-to"}, "choose the agency"),
        ({"fate": "hand-to", "to": name}, "choose the agency"),
        ({"fate": "hand-to", "to": "nobody"}, "choose the agency"),
    ):
        answer = chief.post(page, good | slip)
        assert answer.status_code == 400, slip
        assert reason.lower() in words(answer.text).lower(), slip
    assert acts(world, name) == []
    assert world.ask(name, "GET", "/api/me").status_code == 200
