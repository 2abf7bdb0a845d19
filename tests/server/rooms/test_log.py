"""The log in the browser: whose it is, and what of it is asked for."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import quote

import pytest
from hubs import Ticking, World
from people import Person, person

from tocsin.hub.auditing import KINDS
from tocsin.server.rooms.people import KINDS as SHOWN


@pytest.fixture
def overseer(world: World, clock: Ticking) -> Person:
    world.forget()
    clock.at += timedelta(days=1)
    one = person(world, "A", "overseer", "oversee")
    world.forget()
    return one


def lines(page: str) -> list[str]:
    return [re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", card))).strip() for card in page.split("<li>")[1:]]


def test_the_log_is_asked_by_day_kind_outcome_and_words(world: World, clock: Ticking, overseer: Person) -> None:
    first = clock.at.date()
    ident = world.submit("A", {"own_id": "1", "marking": "RED"})[0]["report_id"]
    world.ask("A", "GET", "/api/feed")
    world.ask("A", "POST", f"/api/reports/{ident}/release", {"to": "B", "why": "x"})
    world.ask("A", "GET", "/api/reports/nonsense")
    world.ask("A", "POST", "/api/tokens", {"label": f"desk {ident[:4]}", "roles": ["submit"]})
    clock.at += timedelta(days=1)
    world.ask("A", "GET", "/api/incidents/nonsense")
    overseer.sign_in()

    def shown(query: str) -> list[str]:
        return [line.split(" UTC ")[1].split(",")[0].strip() for line in lines(overseer.get(f"/log?{query}").text)]

    every = shown("")
    assert every[0] == "overseer (person) sign in"  # the latest first
    assert [line for line in every if "A " in line[:2]] == ["A incident", f"A token add desk {ident[:4]} allowed: its agency's administrator", "A report",
                                                             "A release to B", "A feed", "A submit"]  # fmt: skip
    assert shown("kind=sent") == ["A submit"]
    assert shown("kind=decided") == ["A release to B"]
    assert [line[:11] for line in shown("kind=people")] == ["A token add"]
    assert shown("kind=signed+in") == ["overseer (person) sign in"]
    assert shown("kind=read") == ["A incident", "A report", "A feed"]
    assert shown("outcome=refused") == ["A incident", "A report"]
    assert shown(f"words={ident[:8].upper()}&kind=decided") == ["A release to B"]
    assert shown("words=" + quote("its originator")) == ["A release to B", "A feed"]
    assert set(shown(f"until={first}")) == {line for line in every if line.startswith("A ") and line != "A incident"}
    assert shown(f"since={first + timedelta(days=1)}&kind=read") == ["A incident"]
    assert shown("words=" + quote("100%")) == shown("words=_") == []
    for wrong in ("since=yesterday", "kind=x", "outcome=maybe", "since=2026-02-30"):
        assert overseer.get(f"/log?{wrong}").status_code == 400
    assert overseer.get("/log?words=%00").status_code == 400
    assert SHOWN.keys() == {"read", *KINDS}


def test_a_long_log_is_paged_without_a_gap_and_with_what_was_asked_for(world: World, overseer: Person) -> None:
    for n in range(130):
        world.ask("A", "GET", f"/api/reports/number-{n}")
        world.ask("A", "GET", "/api/requests")
    first = overseer.get("/log?outcome=refused&words=number")
    onward = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert onward is not None
    rest = overseer.get(onward[1].replace("&amp;", "&"))
    assert 'rel="next"' not in rest.text
    seen = re.findall(r"number-(\d+)", first.text + rest.text)
    assert [int(n) for n in seen] == list(range(129, -1, -1))


def test_an_agencys_log_is_nothing_to_another_nor_to_the_staff_nor_the_staffs_to_it(world: World, overseer: Person) -> None:
    world.submit("A", {"own_id": "quince-7", "marking": "RED"})
    world.ask("B", "GET", "/api/reports/quince-b")
    world.ask("admin", "PUT", "/api/groups/quince-group/B")
    others = [person(world, "B", "overseer-b", "oversee"), person(world, "", "hub overseer", "oversee")]
    mine, theirs, staffs = (one.get("/log?words=quince").text for one in (overseer, *others))
    assert (len(lines(mine)), len(lines(theirs)), len(lines(staffs))) == (0, 1, 1)
    assert "quince-b" in theirs
    assert "quince-group" in staffs
    assert "submit" in overseer.get("/log").text
