"""What an audience saw by a moment: its picture, made anew from exactly that; what closes is in no picture, whatever the moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hubs import Ticking, World

from tocsin.hub.making.pictures import make_next
from tocsin.hub.pictures import refresh


def attack(own: str, day: str = "2025-12-30", marking: str = "GREEN", **more: Any) -> dict[str, Any]:
    said = {"own_id": own, "event_start": day, "event_end": day, "country": "PAK", "admin1": "Sindh", "lat": 24.9, "lon": 67.0}
    return said | {"violence": "one_sided", "killed": 3, "marking": marking} | more


def make(world: World) -> None:
    while make_next(world.fuse):
        pass


def picture(world: World, who: str = "B", at: datetime | None = None, more: str = "") -> dict[str, Any]:
    """Asked for, made and read."""
    page = f"/api/picture?as_of={text(at)}{more}" if at else "/api/picture"
    first = world.ask(who, "GET", page)
    if first.status_code == 202:
        make(world)
        first = world.ask(who, "GET", first.json()["see"] + more)
    assert first.status_code == 200, first.text
    found: dict[str, Any] = first.json()
    return found


def text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def test_a_picture_is_made_when_it_is_asked_for_and_then_stands(world: World) -> None:
    world.submit("A", attack("1"))
    first = world.ask("B", "GET", "/api/picture")
    assert first.status_code == 202
    assert first.json()["being_made"] is True
    assert first.headers["location"] == first.json()["see"]
    assert world.ask("B", "GET", first.json()["see"]).status_code == 202  # asked again: it is the same one that is made
    make(world)
    one, two = (world.ask("B", "GET", first.json()["see"]) for _ in range(2))
    assert one.status_code == 200
    assert one.content == two.content
    assert one.json()["reports"] == one.json()["in_all"] == len(one.json()["incidents"]) == 1


def test_a_picture_of_now_has_the_incidents_that_are_live(world: World, clock: Ticking) -> None:
    world.submit("A", *(attack(str(n), killed=n) for n in range(1, 4)), attack("9", marking="RED"))
    world.submit("B", attack("1", killed=2), attack("2", day="2025-12-11"))
    world.submit("C", attack("1", part_of="p"), attack("2", part_of="p", violence="state_based"))
    refresh(world.fuse)
    clock.tick()
    stamps = {"as_of", "model"}
    live = [{k: v for k, v in i.items() if k not in stamps} for i in world.ask("B", "GET", "/api/incidents?limit=1000").json()["incidents"]]
    then = [{k: v for k, v in i.items() if k not in stamps} for i in picture(world)["incidents"]]
    assert live == then
    assert len(live) > 1


def test_a_picture_of_the_past_knows_nothing_of_what_came_later(world: World, clock: Ticking) -> None:
    first = world.submit("A", attack("1"), attack("2", day="2025-11-01"))
    clock.tick()
    then = clock()
    before = picture(world, at=then)
    clock.tick()
    world.submit("A", attack("1", killed=7, version="2", supersedes=first[0]["report_id"]))
    world.submit("C", attack("5", day="2025-11-01"))
    ids = [r["report_id"] for r in world.ask("B", "GET", "/api/feed").json()["reports"]]
    assert world.ask("B", "POST", "/api/judgements", {"decides": "merge", "reports": ids[:2], "why": "one"}).status_code == 201
    with psycopg.connect(world.roles["owner"]) as connection:
        connection.execute("TRUNCATE tocsin.picture, tocsin.pictured")
    clock.tick()
    assert picture(world, at=then) == before
    assert picture(world)["reports"] == 4
    assert picture(world)["judgements"] == 1


def test_the_numbers_are_those_of_its_incidents_by_kind(world: World, clock: Ticking) -> None:
    world.submit("A", attack("1"), attack("2", day="2025-10-01", violence="state_based", killed=9), attack("3", day="2024-01-01", killed=4))
    clock.tick()
    found = picture(world)
    assert {k: (v["incidents"], v["killed"]) for k, v in found["by_violence"].items()} == {"one_sided": (2, 7), "state_based": (1, 9)}
    window = {row["violence"]: row["cells"]["window"]["incidents"] for row in found["change"]}
    assert window == {"one_sided": 1, "state_based": 1}
    assert (found["agency"], found["marking"], found["agencies"]) == ("B", "GREEN", {"A": 3})


def test_incidents_of_a_picture_go_page_by_page(world: World, clock: Ticking) -> None:
    world.submit("A", *(attack(str(n), day=f"2025-{n:02}-01") for n in range(1, 8)))
    clock.tick()
    whole = picture(world, at=clock())
    seen, after = [], ""
    for _ in range(10):
        page = picture(world, at=clock(), more=f"&limit=3&after={after}")
        seen += page["incidents"]
        if page["next"] == after:
            break
        after = page["next"]
    assert seen == whole["incidents"]
    assert len(seen) == 7


@pytest.mark.parametrize("what", ["remark", "purge"])
def test_what_closes_is_in_no_picture_whatever_its_moment(world: World, clock: Ticking, what: str) -> None:
    ident = world.submit("A", attack("1", text="a word that is to go"))[0]["report_id"]
    world.submit("A", attack("2", day="2025-11-01"))
    clock.tick()
    then = clock()
    assert picture(world, at=then)["reports"] == 2
    page = world.ask("B", "GET", f"/picture/brief.html?as_of={text(then)}")
    make(world)
    assert page.status_code == 202
    clock.tick()
    body = {"marking": "RED"} if what == "remark" else {"why": "it was wrong"}
    assert world.ask("A", "POST", f"/api/reports/{ident}/{what}", body).status_code == 200
    assert world.ask("B", "GET", f"/picture/brief.html?as_of={text(then)}").status_code == 202
    after = picture(world, at=then)
    assert after["reports"] == 1
    assert ident not in str(after)
    if what == "purge":
        with psycopg.connect(world.roles["owner"]) as connection:
            kept = connection.execute(
                "SELECT string_agg(p::text, '') FROM tocsin.picture p UNION ALL SELECT string_agg(p::text, '') FROM tocsin.pictured p"
            )
            assert not [row for row in kept if row[0] and ident in row[0]]


def test_what_closes_while_a_picture_is_made_does_not_come_into_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from tocsin.hub.making import pictures

    ident = world.submit("A", attack("1"))[0]["report_id"]
    see = world.ask("B", "GET", "/api/picture").json()["see"]
    whole = pictures.counted

    def closing(*words: Any) -> dict[str, Any]:
        world.ask("A", "POST", f"/api/reports/{ident}/remark", {"marking": "RED"})
        return whole(*words)

    monkeypatch.setattr(pictures, "counted", closing)
    assert make_next(world.fuse)
    monkeypatch.undo()
    assert world.ask("B", "GET", see).status_code == 202
    make(world)
    assert world.ask("B", "GET", see).json()["reports"] == 0


def test_a_new_marking_is_in_the_picture_that_is_asked_for_next(world: World) -> None:
    ident = world.submit("A", attack("1"))[0]["report_id"]
    assert picture(world)["marking"] == "GREEN"
    world.ask("A", "POST", f"/api/reports/{ident}/remark", {"marking": "AMBER+STRICT", "releasable_to": ["B"]})
    assert picture(world)["marking"] == "AMBER+STRICT"


def test_another_agencys_picture_is_another_and_changes_nothing_of_ones_own(world: World, clock: Ticking) -> None:
    world.submit("A", attack("1"), attack("2", day="2025-11-01", marking="RED"))
    clock.tick()
    assert picture(world, "A")["reports"] == 2
    mine = picture(world)
    assert mine["reports"] == 1
    ident = world.submit("A", attack("3", marking="RED", releasable_to=["C"]))[0]["report_id"]
    world.ask("A", "POST", f"/api/reports/{ident}/purge", {"why": "x"})
    assert world.ask("B", "GET", "/api/picture").status_code == 200  # it stands
    with psycopg.connect(world.roles["web"]) as connection:
        connection.execute("SELECT set_config('tocsin.audience', 'C', false)")
        assert connection.execute("SELECT count(*) FROM tocsin.picture").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM tocsin.pictured").fetchone() == (0,)


def test_a_moment_that_makes_no_sense_or_is_still_to_come_is_told(world: World, clock: Ticking) -> None:
    for as_of in (
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "yesterday",
        "2026-01-01",
        "2026-01-01T00:00:00",
        text(clock() + timedelta(days=1)),
        "9999-12-31T23:59:59Z",
    ):
        for page in ("/api/picture", "/picture/brief.html"):
            answer = world.ask("B", "GET", f"{page}?as_of={as_of}")
            assert answer.status_code == 400, as_of
            assert "as_of" in answer.json()["error"]["reason"]


def test_an_agency_waits_for_eight_pictures_at_a_time_and_keeps_the_latest(world: World, clock: Ticking) -> None:
    world.submit("A", attack("1"))
    at = clock()
    for n in range(8):
        assert world.ask("B", "GET", f"/api/picture?as_of={text(at - timedelta(days=n))}").status_code == 202
    refused = world.ask("B", "GET", f"/api/picture?as_of={text(at - timedelta(days=8))}")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    assert world.ask("C", "GET", "/api/picture").status_code == 202
    make(world)
    assert world.ask("B", "GET", f"/api/picture?as_of={text(at - timedelta(days=8))}").status_code == 202
    assert world.ask("B", "GET", f"/api/picture?as_of={text(at)}").status_code == 202  # the first of the eight has gone, and is made anew
    assert world.ask("B", "GET", f"/api/picture?as_of={text(at - timedelta(days=7))}").status_code == 200


def test_a_picture_that_cannot_be_made_is_said_to_have_failed_and_others_are_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from tocsin.hub.making import pictures

    world.submit("A", attack("1"))
    see = world.ask("B", "GET", "/api/picture").json()["see"]
    monkeypatch.setattr(pictures, "counted", lambda *_: 1 / 0)
    make(world)
    monkeypatch.undo()
    assert world.ask("B", "GET", see).status_code == 500
    assert picture(world, "C")["reports"] == 1
