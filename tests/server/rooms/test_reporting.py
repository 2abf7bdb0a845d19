"""Who reports, how late and who is silent: by what who asks may see, and by nothing else."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from math import ceil
from statistics import median
from typing import Any

import pytest
from argon2 import PasswordHasher
from hubs import Ticking, World
from people import Person, person

from tocsin.gate import Clearance, Role
from tocsin.hub.caller import Caller
from tocsin.hub.reporting import Delay
from tocsin.store.embedded import Embedded


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def first(postgres: Embedded, clock: Ticking) -> Iterator[World]:
    made = World(postgres, clock)
    made.hub.signing_in.hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    yield made
    made.close()


@pytest.fixture
def staff(first: World) -> Person:
    return person(first, "", "chief", "administer_hub")


def reader(world: World, clock: Ticking, agency: str) -> Person:
    return person(world, agency, f"reader {clock.at:%d%H%M}", "analyse")


def of(one: Person, agency: str) -> str:
    """What the page says of an agency."""
    text = one.get("/reporting").text
    cards = [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", card)).strip() for card in text.split("<li>")[1:]]
    return next(card for card in cards if card.startswith(agency))


def send(world: World, clock: Ticking, agency: str, marking: str = "GREEN", late: int = 1, **more: object) -> None:
    day = (clock.at.date() - timedelta(days=late)).isoformat()
    clock.tick()
    world.submit(agency, {"own_id": clock.at.isoformat(), "event_start": day, "marking": marking} | more)


def test_who_falls_silent_is_said_in_days_against_its_own_rhythm(first: World, clock: Ticking) -> None:
    for _ in range(10):
        send(first, clock, "A")
        clock.at += timedelta(days=2)
    clock.at += timedelta(days=1)  # 3 days since the last
    one = reader(first, clock, "B")
    assert "Silent for 3 days; never longer than 2 days before" in of(one, "A")
    assert "10 reports on 10 days" in of(one, "A")
    assert "Nothing in this time" in of(one, "C")
    send(first, clock, "A")
    assert "Last today; at most 3 days between two of its days" in of(one, "A")


def test_few_days_with_reports_are_too_few_to_tell_silence(first: World, clock: Ticking) -> None:
    for _ in range(9):
        send(first, clock, "A")
        clock.at += timedelta(days=1)
    clock.at += timedelta(days=40)
    assert "too few days with reports (9) to tell silence" in of(reader(first, clock, "B"), "A")


def test_how_late_is_said_with_how_many_it_was_counted_from(first: World, clock: Ticking) -> None:
    for late in (0, 1, 1, 1, 1, 2, 2, 3, 7, 30):
        send(first, clock, "A", late=late)
    clock.tick()
    told = (clock.at - timedelta(hours=5)).isoformat()
    first.submit("A", {"own_id": "no day", "marking": "GREEN", "reported_at": told})
    said = of(reader(first, clock, "B"), "A")
    assert "After the event: half within 2 days, nine of ten within 7 days (10 with a day)" in said
    assert "by its own clock: half within 5 hours, nine of ten within 5 hours (1 with a time)" in said


def test_what_is_hidden_makes_nobody_talk_or_late_and_what_opens_late_counts_from_when_it_opened(first: World, clock: Ticking) -> None:
    for _ in range(10):
        send(first, clock, "A")
        clock.at += timedelta(days=2)
    clock.at += timedelta(days=1)
    one = reader(first, clock, "B")
    before = one.get("/reporting").content
    for marking in ("RED", "AMBER", "AMBER+STRICT"):
        send(first, clock, "A", marking, late=300, releasable_to=["C"])
        send(first, clock, "C", marking)
    assert re.sub(rb'name="form" value="\w+"', b"", one.get("/reporting").content) == re.sub(rb'name="form" value="\w+"', b"", before)
    hidden = first.ask("A", "GET", "/api/feed?limit=1000").json()["reports"][-1]["report_id"]
    assert "Last today" in of(reader(first, clock, "A"), "A")
    clock.at += timedelta(days=3)
    assert first.ask("A", "POST", f"/api/reports/{hidden}/release", {"to": "B", "why": "x"}).status_code == 200
    assert "Last today" in of(reader(first, clock, "B"), "A")


def test_what_is_counted_in_the_database_is_what_is_counted_report_by_report(first: World, clock: Ticking) -> None:
    rng = random.Random(7)
    for n in range(120):
        clock.at += timedelta(hours=rng.choice([0, 1, 30, 50]), seconds=2)
        said: dict[str, Any] = {
            "own_id": str(n),
            "marking": rng.choice(["GREEN", "CLEAR", "RED", "AMBER"]),
            "releasable_to": rng.choice([[], ["B"], ["B", "C"]]),
        }
        if rng.random() < 0.7:
            said["event_start"] = (clock.at.date() - timedelta(days=rng.choice([-2, 0, 1, 1, 7, 40]))).isoformat()
        if rng.random() < 0.7:
            said["reported_at"] = (clock.at - timedelta(microseconds=rng.randrange(-(10**9), 10**12))).isoformat()
        first.submit(rng.choice("AC"), said)
    clock.at += timedelta(days=rng.randrange(5))
    feed = first.ask("B", "GET", "/api/feed?limit=1000").json()["reports"]
    begin = clock.at - timedelta(days=90)
    lately = [(datetime.fromisoformat(r["received_at"]), r) for r in feed if datetime.fromisoformat(r["received_at"]) > begin]
    assert 0 < len(lately) < len(feed)
    made = {one.agency: one for one in first.hub.reporting.table(Caller("x", Clearance("B", frozenset({Role.ANALYSE}))))["reporters"]}
    for agency in "AC":
        mine = [(at, r) for at, r in lately if r["agency"] == agency]
        days = sorted({at.date() for at, _ in mine})
        one = made[agency]
        assert (one.many, one.days, one.last) == (len(mine), len(days), days[-1])
        assert (one.since, one.longest) == ((clock.at.date() - days[-1]).days, max((b - a).days for a, b in pairwise(days)))
        ends = sorted(max((at.date() - date.fromisoformat(r["event_end"])).days, 0) for at, r in mine if "event_end" in r)
        told = sorted(
            max((at - datetime.fromisoformat(r["reported_at"])).total_seconds() / 3600, 0) for at, r in mine if "reported_at" in r
        )
        for delay, values in ((one.after_event, ends), (one.after_report, told)):
            assert delay == Delay(median(values), values[ceil(0.9 * len(values)) - 1], len(values))


def test_the_staff_is_told_of_what_all_the_world_may_see_and_of_nothing_else(first: World, clock: Ticking, staff: Person) -> None:
    before = [of(staff, name) for name in "ABC"]
    assert all("Nothing in this time" in one for one in before)
    for marking in ("RED", "AMBER", "AMBER+STRICT", "GREEN"):
        send(first, clock, "A", marking, releasable_to=["B"])
    assert [of(staff, name) for name in "ABC"] == before
    send(first, clock, "A", "CLEAR")
    assert "1 report on 1 day" in of(staff, "A")
    assert "what all the world may see" in staff.get("/reporting").text


def test_agencies_and_groups_are_seen_to_when_the_staff_says_yes(first: World, staff: Person) -> None:
    form = {"does": "join", "name": "B", "group": "north"}
    asked = staff.post("/agencies", form)
    assert asked.status_code == 200
    assert "earlier ones too" in asked.text
    assert "group north" not in staff.get("/agencies").text
    assert staff.post("/agencies", form | {"sure": "yes"}).status_code == 303
    assert "in the group <bdi>north</bdi>" in staff.get("/agencies").text
    assert first.ask("B", "GET", "/api/agencies").json()["groups"] == {"north": ["B"]}
    assert first.ask("A", "GET", "/api/agencies").json()["groups"] == {}
    assert staff.post("/agencies", form | {"does": "leave", "sure": "yes"}).status_code == 303
    assert "in the group" not in staff.get("/agencies").text
    assert "no agency nowhere" in staff.post("/agencies", form | {"name": "nowhere", "sure": "yes"}).text.replace("No agency", "no agency")
    assert staff.post("/agencies", {"does": "add", "name": "B", "sure": "yes"}).status_code == 400
