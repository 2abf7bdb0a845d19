"""Signals of scheduled looks: each audience's own, from what it saw by then; one whose evidence has closed says nothing any more."""

from __future__ import annotations

import itertools
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hubs import Ticking, World
from samples_hub import changed

from tocsin.errors import OptionError
from tocsin.hub.making import looks
from tocsin.hub.making.due import days_of, moment, waits
from tocsin.hub.making.looks import LITTLE, look_next
from tocsin.terms.tables import SIGNALS
from tocsin.watch import excite, shifts
from tocsin.watch.shared import Shared

FIRST = datetime(2026, 1, 2, tzinfo=UTC)  # the first midnight after the clock begins


def look(world: World, at: datetime, every: int = 1) -> int:
    done, shared = 0, Shared()
    while look_next(world.fuse, every, at + timedelta(minutes=2), shared):
        done += 1
    return done


def signals(world: World, who: str = "B", more: str = "limit=1000") -> dict[str, Any]:
    answer = world.ask(who, "GET", f"/api/signals?{more}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(scope="module")
def looked(one: World, clock: Ticking) -> World:
    """A mix that changed, seen by A and B, and looked at on two days."""
    one.forget()
    posts = changed(date(2026, 1, 1))
    one.submit("A", *posts)
    one.submit("A", {"own_id": "x", "marking": "GREEN", "event_start": "2026-01-01", "country": "PAK"})
    assert look(one, FIRST) == 3
    clock.at = FIRST + timedelta(hours=3)
    assert look(one, FIRST + timedelta(days=1)) == 3
    return one


def test_a_change_is_a_signal_with_its_evidence_odds_cadence_and_moment(looked: World) -> None:
    found = signals(looked)
    now = [s for s in found["signals"] if s["look"] == "2026-01-03T00:00:00.000000Z"]
    assert now
    first = next(s for s in now if s["dimension"] == "target_group" and s["measure"] == "count")
    assert first["category"] == "sufi"
    assert first["every_days"] == 1
    assert first["as_of"] == "2026-01-02"  # the day that has ended
    assert first["marking"] == "AMBER"
    assert {"log_odds", "low", "high", "p_value", "false_alarms_per_year", "first_raised", "evidence"} <= first.keys()
    assert first.keys() <= {c.name for c in SIGNALS} | {"look", "every_days", "marking"}
    assert all(looked.ask("B", "GET", f"/api/reports/{i}").status_code == 200 for i in first["evidence"])


def test_a_signal_that_goes_on_keeps_its_id_and_since_when_it_is_raised(looked: World) -> None:
    by_look: dict[str, dict[str, str]] = {}
    for s in signals(looked)["signals"]:
        by_look.setdefault(s["look"], {})[s["signal_id"]] = s["first_raised"]
    first, second = by_look.values()
    assert first.keys() & second.keys()
    assert all(second[i] == first[i] for i in first.keys() & second.keys())


def test_each_agency_is_told_of_its_own_incidents_alone_and_too_little_is_said_to_be_so(looked: World) -> None:
    mine, other = signals(looked), signals(looked, "C")
    assert mine["look"]["reason"] is None
    assert mine["look"]["tested"] > 0
    assert mine["look"]["next"] == "2026-01-04T00:00:00.000000Z"
    assert other["signals"] == []
    assert (other["look"]["incidents"], other["look"]["tested"], other["look"]["reason"]) == (1, 0, LITTLE)


def test_signals_go_page_by_page(looked: World) -> None:
    whole = signals(looked)["signals"]
    seen, after = [], ""
    for _ in range(100):
        page = signals(looked, more=f"limit=2&after={after}")
        seen += page["signals"]
        if page["next"] == after:
            break
        after = page["next"]
    assert seen == whole


def test_a_look_is_taken_once_and_there_is_none_between_two(looked: World) -> None:
    before = signals(looked)
    assert look(looked, FIRST + timedelta(days=1)) == 0
    assert look(looked, FIRST + timedelta(days=1, hours=20)) == 0
    assert signals(looked) == before


def test_what_came_after_the_moment_of_a_look_is_not_in_it(world: World, clock: Ticking) -> None:
    clock.at = FIRST + timedelta(days=9)
    world.submit("A", {"own_id": "x", "marking": "GREEN", "event_start": "2026-01-05", "country": "PAK"})
    clock.at += timedelta(days=1, hours=1)
    world.submit("A", {"own_id": "y", "marking": "GREEN", "event_start": "2025-12-01", "country": "PAK"})
    look(world, FIRST + timedelta(days=10))
    assert signals(world)["look"]["reports"] == 1


def test_what_is_written_after_a_look_is_dated_after_it(world: World, clock: Ticking) -> None:
    """A write that is under way at midnight, and was given its time before, is not of a past that was looked at without it."""
    clock.at = FIRST + timedelta(days=20) - timedelta(seconds=1)
    look(world, FIRST + timedelta(days=20))
    world.submit("A", {"own_id": "x", "marking": "GREEN"})
    received = world.ask("B", "GET", "/api/feed").json()["reports"][0]["received_at"]
    assert received > "2026-01-22T00:00:00"


def test_the_moments_of_looks_depend_on_the_calendar_alone(world: World) -> None:
    at = datetime(2026, 3, 5, 17, 30, tzinfo=UTC)
    assert moment(at, 1) == datetime(2026, 3, 5, tzinfo=UTC)
    assert moment(datetime(2026, 3, 5, 0, 0, 30, tzinfo=UTC), 1) == datetime(2026, 3, 4, tzinfo=UTC)  # a clock may be a little ahead
    weeks = sorted({moment(at + timedelta(days=n), 7) for n in range(14)})
    assert {b - a for a, b in itertools.pairwise(weeks)} == {timedelta(days=7)}
    assert all(w <= at + timedelta(days=14) and (w.hour, w.minute) == (0, 0) for w in weeks)
    assert [days_of(t) for t in ("1d", "7d", "2w")] == [1, 7, 14]
    for wrong in ("0d", "daily", "1h", "", "365d"):
        with pytest.raises(OptionError):
            days_of(wrong)


@pytest.mark.parametrize(("what", "days"), [("remark", 30), ("purge", 40)])
def test_a_signal_whose_evidence_has_closed_says_so_and_nothing_else(world: World, clock: Ticking, what: str, days: int) -> None:
    clock.at = FIRST + timedelta(days=days) - timedelta(hours=1)
    world.submit("A", *changed((FIRST + timedelta(days=days - 1)).date()))
    look(world, FIRST + timedelta(days=days))
    clock.at = FIRST + timedelta(days=days, hours=1)
    before = {s["signal_id"]: s for s in signals(world)["signals"]}
    last = max(s["evidence"][-1] for s in before.values() if s["evidence"])
    body = {"marking": "RED"} if what == "remark" else {"why": "it was wrong"}
    assert world.ask("A", "POST", f"/api/reports/{last}/{what}", body).status_code == 200
    after = {s["signal_id"]: s for s in signals(world)["signals"]}
    assert after.keys() == before.keys()
    gone = {i for i, s in before.items() if last in s["evidence"]}
    assert gone
    assert {i for i, s in after.items() if "withdrawn" in s} >= gone
    for ident in gone:
        assert after[ident].keys() == {"signal_id", "look", "every_days", "withdrawn"}
    assert last not in str(after)
    own = [s for s in signals(world, "A")["signals"] if "withdrawn" in s]
    assert bool(own) is (what == "purge")  # A sees its own report still, unless it is purged
    with psycopg.connect(world.roles["owner"]) as connection:
        kept = connection.execute(
            "SELECT count(*) FROM tocsin.signal WHERE audience = 'B' AND body::text LIKE %s", (f"%{last}%",)
        ).fetchone()
    assert kept == (0,)


def test_what_closes_while_a_look_is_taken_is_in_no_signal(world: World, clock: Ticking, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.at = FIRST + timedelta(days=60) - timedelta(hours=1)
    posts = changed((FIRST + timedelta(days=59)).date())
    world.submit("A", *posts)
    idents = [r["report_id"] for r in world.ask("A", "GET", "/api/feed?limit=1000").json()["reports"]]
    whole = looks.said

    def closing(*words: Any) -> Any:
        for ident in idents[-12:]:
            world.ask("A", "POST", f"/api/reports/{ident}/purge", {"why": "x"})
        return whole(*words)

    monkeypatch.setattr(looks, "said", closing)
    look(world, FIRST + timedelta(days=60))
    for who in ("A", "B"):
        assert not [i for i in idents[-12:] if i in str(signals(world, who))]
    assert [s for s in signals(world, "A")["signals"] if "withdrawn" in s]


def test_a_look_that_fails_is_told_and_the_others_are_taken(world: World, clock: Ticking, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.at = FIRST + timedelta(days=80)
    monkeypatch.setattr(looks, "said", lambda *_: 1 / 0)
    assert look(world, FIRST + timedelta(days=80)) == 3
    assert signals(world)["look"]["reason"] == looks.FAILED


def test_what_waits_is_known_without_loading_what_makes_it(world: World, clock: Ticking) -> None:
    at = FIRST + timedelta(days=90, minutes=2)
    assert waits(world.fuse, "looks", 1, at)
    look(world, FIRST + timedelta(days=90))
    assert not waits(world.fuse, "looks", 1, at)
    assert not waits(world.fuse, "pictures", 1, at)
    world.ask("B", "GET", "/api/picture")
    assert waits(world.fuse, "pictures", 1, at)
    assert not waits(world.fuse, "looks", 1, at)


def test_what_two_agencies_see_alike_is_tested_once_and_found_by_both(
    world: World, clock: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sees one report more, of another kind and place: its own streams are tested, the others are those of B."""
    clock.at = FIRST + timedelta(days=110) - timedelta(hours=1)
    posts = changed((FIRST + timedelta(days=109)).date())
    world.submit("A", *posts, {"own_id": "x", "marking": "RED", "event_start": "2026-04-01", "country": "IND", "violence": "non_state"})
    made: list[str] = []
    for module, name in ((excite, "excited"), (shifts, "shift")):
        whole = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, _whole=whole, _name=name, **k: made.append(_name) or _whole(*a, **k))
    at, shared = FIRST + timedelta(days=110, minutes=2), Shared()
    assert look_next(world.fuse, 1, at, shared)
    tested = len(made)
    assert tested > 10
    while look_next(world.fuse, 1, at, shared):
        pass
    assert len(made) == tested
    alike = [signals(world, who) for who in "AB"]
    names = [[{k: v for k, v in s.items() if k not in ("signal_id", "evidence")} for s in one["signals"]] for one in alike]
    assert names[0] == names[1]
    assert names[0]


def test_where_there_are_more_actors_than_can_be_tested_the_commonest_are_and_that_is_told(
    world: World, clock: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daily look at an agency with forty actors failed, day after day."""
    monkeypatch.setattr(sys.modules["tocsin.watch.plan"], "_MOST", 1_600)  # enough for two streams of clusters, and not for three
    monkeypatch.setattr(looks, "ACTORS", 1)
    clock.at = FIRST + timedelta(days=130) - timedelta(hours=1)
    world.submit("A", *changed((FIRST + timedelta(days=129)).date()))
    look(world, FIRST + timedelta(days=130))
    found = signals(world)
    assert found["look"]["reason"] is None
    assert looks.FEWER in found["look"]["caveats"]
    own = {s["actor"] for s in found["look"]["of"] if s["kind"] == "cluster" and "actor" in s}
    assert len(own) == 1
    assert found["signals"]
