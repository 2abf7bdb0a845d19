"""Signals in the browser: what changed, by whose knowledge, in the words of the brief; and to whom one is opened, with its evidence or not at all."""

from __future__ import annotations

import re
import uuid
from html import unescape
from typing import Any

import pytest
from hubs import Ticking, World
from people import Person, person
from samples_hub import planted_signal

from tocsin.hub.pictures import refresh

BASE = {"event_start": "2025-12-03", "country": "PAK", "place": "Sehwan", "killed": 3}
CLUSTER = {"kind": "cluster", "dimension": "place", "category": "Sehwan", "lat": 26.42, "lon": 67.86, "radius_km": 2.0, "log_odds": 1.5}


class Desks:
    """A desk of each of three agencies."""

    def __init__(self, world: World, clock: Ticking) -> None:
        self.world, self.clock = world, clock
        roles = ("submit", "analyse", "administer_agency")
        self.people = {agency: person(world, agency, f"desk {uuid.uuid4().hex[:6]}", *roles) for agency in "ABC"}
        world.forget()
        clock.tick()

    def sends(self, agency: str, marking: str = "AMBER", **more: Any) -> str:
        body = BASE | {"own_id": uuid.uuid4().hex, "marking": marking} | more
        ident: str = self.world.submit(agency, body)[0]["report_id"]
        return ident

    def signal(self, agency: str, *reports: str, **more: Any) -> str:
        refresh(self.world.fuse)
        incidents = [self.world.ask(agency, "GET", f"/api/incidents/{r}").json() for r in reports]
        return planted_signal(self.world, agency, self.clock(), incidents, **more)

    def reads(self, agency: str, path: str, status: int = 200) -> str:
        answer = self.people[agency].get(path)
        assert answer.status_code == status, answer.text
        return words(answer.text)


def words(page: str) -> str:
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.partition("<main")[2]))
    return unescape(shown).replace("\u2068", "").replace("\u2069", "")


@pytest.fixture
def desks(world: World, clock: Ticking) -> Desks:
    return Desks(world, clock)


def test_a_signal_says_what_changed_where_since_when_and_how_often_chance_does_it(desks: Desks) -> None:
    mine = desks.sends("B", "RED")
    ident = desks.signal("B", mine)
    said = desks.reads("B", "/signals")
    assert "Communities: more attacks, Sufi" in said
    assert "since 1 Dec 2025" in said
    assert "1 attack where 1.2 would be usual; their odds 12 times those before (95 % interval 4.5 to 33)." in said
    assert "Chance alone raises one like it 0.5 times a year, with all that is watched here." in said
    assert "First raised 2 Dec 2025. Evidence: 1 incident." in said
    assert "Bear in mind: counted among all that is seen." in said
    assert "mostly in Sindh, PAK" in said
    assert "RED" in said
    one = desks.reads("B", f"/signals/{ident}")
    assert "2025-12-03, Sehwan" in one
    assert "3 killed" in one
    assert "uncalibrated" not in one


def test_a_signal_is_its_own_agencys_and_another_s_answers_like_one_that_never_was(desks: Desks) -> None:
    every = desks.sends("A", "GREEN")
    ident = desks.signal("A", every)
    assert "Sufi" in desks.reads("A", "/signals")
    assert "There was no look yet" in desks.reads("B", "/signals")
    for path in ("/signals/{}", "/signals/{}/release", "/signals/{}/request"):
        found, never = (desks.people["B"].get(path.format(i)) for i in (ident, uuid.uuid4()))
        assert (found.status_code, words(found.text)) == (404, words(never.text))
    fields = {"to": "C", "why": "x", "sure": "yes"}
    assert desks.people["B"].post(f"/signals/{ident}/release", fields, at="/log").status_code == 404


def test_one_whose_evidence_has_closed_says_so_and_nothing_else(desks: Desks) -> None:
    theirs = desks.sends("A", releasable_to=["B"])
    ident = desks.signal("B", theirs)
    desks.clock.tick()
    desks.world.ask("A", "POST", f"/api/reports/{theirs}/remark", {"marking": "RED"})
    for page in ("/signals", f"/signals/{ident}", f"/signals/{ident}/release"):
        said = desks.reads("B", page)
        assert "no longer yours to see" in said.replace("A report", "a report").replace("a report behind it is ", "")
        assert not [w for w in ("Sufi", "Sindh", "Sehwan", "odds", "12 times") if w in said.replace("its odds", "")]
    assert "nothing to open" in desks.reads("B", f"/signals/{ident}/release")


def test_what_the_latest_look_raises_no_more_stands_apart_once_as_it_was_last(desks: Desks) -> None:
    first, second = desks.sends("B"), desks.sends("B", event_start="2025-12-20", place="Multan", country="IND")
    old = desks.signal("B", first)
    desks.clock.tick()
    assert desks.signal("B", first) == old
    desks.clock.tick()
    desks.signal("B", second, **CLUSTER)
    now, _, ended = desks.reads("B", "/signals").partition("Raised no more")
    assert "More attacks than usual around Sehwan, 1 Dec 2025 to 1 Jan 2026" in now
    assert "1 attack within 5 km where 1.2 would be usual: 4.5 times as many" in now
    assert "Communities" not in now
    assert ended.count("Communities: more attacks, Sufi") == 1


def test_a_signal_is_opened_with_its_evidence_after_a_page_that_says_so_once(desks: Desks) -> None:
    mine, theirs = desks.sends("B", "RED"), desks.sends("A", releasable_to=["B"], event_start="2025-12-20", place="Multan")
    ident = desks.signal("B", mine, theirs)
    desks.clock.tick()
    form = {"to": "C", "why": "their province"}
    asked = desks.people["B"].post(f"/signals/{ident}/release", form)
    assert "C sees from then on each of the 2 reports that it rests on" in words(asked.text)
    assert "not its odds" in words(asked.text)
    assert "None." in desks.reads("C", "/signals")
    for _ in range(2):  # a double click
        assert desks.people["B"].post(f"/signals/{ident}/release", form | {"sure": "yes"}).headers["Location"] == f"/signals/{ident}"
    assert "Opened by us to C" in desks.reads("B", f"/signals/{ident}")
    assert len([r for r in desks.world.ask("B", "GET", "/api/releases").json()["releases"] if "report_id" not in r]) == 1
    said = desks.reads("C", "/signals")
    assert "Communities: Sufi" in said
    assert "2 attacks, 3 Dec 2025 to 1 Jan 2026" in said
    assert "Opened by B" in said
    assert not [w for w in ("12 times", "1.2", "0.5 times", "their province") if w in said]
    assert desks.world.ask("C", "GET", f"/api/reports/{mine}").status_code == 200
    desks.clock.tick()
    desks.world.ask("A", "POST", f"/api/reports/{theirs}/remark", {"marking": "RED"})
    said = desks.reads("C", "/signals")
    assert "A signal of B says no more" in said
    assert "Sufi" not in said


def test_what_may_not_be_passed_on_is_refused_before_it_is_asked_twice_and_its_originator_is_asked(desks: Desks) -> None:
    mine, held = desks.sends("B", "RED"), desks.sends("A", releasable_to=["B"], orcon=True, event_start="2025-12-20", place="Multan")
    ident = desks.signal("B", mine, held)
    form = {"to": "C", "why": "their province"}
    refused = desks.people["B"].post(f"/signals/{ident}/release", form)
    assert refused.status_code == 400
    assert "may not be passed on" in words(refused.text)
    asked = words(desks.people["B"].post(f"/signals/{ident}/request", form).text)
    assert "The originator of 1 of the 2 reports that it rests on is told" in asked
    for _ in range(2):
        assert desks.people["B"].post(f"/signals/{ident}/request", form | {"sure": "yes"}).headers["Location"] == "/requests"
    (one,) = desks.world.ask("A", "GET", "/api/requests").json()["requests"]
    assert (one["report_id"], one["to"]) == (held, "C")
    desks.clock.tick()
    granted = {"grant": True, "why": "agreed"}
    assert desks.world.ask("A", "POST", f"/api/requests/{one['request_id']}/decision", granted).status_code == 200
    assert desks.people["B"].post(f"/signals/{ident}/release", form | {"sure": "yes"}).status_code == 303
    assert "Communities: Sufi" in desks.reads("C", "/signals")


def test_who_only_sends_reads_signals_and_opens_none(desks: Desks) -> None:
    ident = desks.signal("B", desks.sends("B"))
    one: Person = person(desks.world, "B", f"typist {uuid.uuid4().hex[:6]}", "submit")
    page = one.get(f"/signals/{ident}")
    assert page.status_code == 200
    assert "release" not in page.text
    assert one.get(f"/signals/{ident}/release").status_code == 403
