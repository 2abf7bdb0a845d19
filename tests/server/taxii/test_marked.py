"""A report that is marked anew is a new version by TAXII: who goes on from where it was gets it, and nobody learns of a marking that was hidden from it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from hubs import World

from tocsin.stix.fixed import ORCON, TLP

PICTURE = "collections/picture/"
BODY = {"event_start": "2026-01-01", "country": "PAK", "lat": 24.86, "lon": 67.0, "radius_km": 1.0, "killed": 3, "place": "Karachi"}


def put(world: World, marking: str = "GREEN", **more: Any) -> str:
    found: str = world.submit("A", BODY | {"own_id": str(uuid4()), "marking": marking} | more)[0]["report_id"]
    return found


def remark(world: World, report: str, marking: str, **more: Any) -> None:
    assert world.ask("A", "POST", f"/api/reports/{report}/remark", {"marking": marking} | more).status_code == 200


def lines(world: World, who: str = "B", collection: str = "picture") -> list[dict[str, Any]]:
    said = world.taxii(who, f"collections/{collection}/manifest/?match[type]=report,location").json()
    found: list[dict[str, Any]] = said.get("objects", [])
    return found


def since(world: World, at: str, who: str = "B", collection: str = "picture") -> list[dict[str, Any]]:
    query = f"objects/?match[type]=report,location&added_after={at}"
    found: list[dict[str, Any]] = world.taxii(who, f"collections/{collection}/{query}").json().get("objects", [])
    return found


@pytest.mark.parametrize(
    ("before", "after", "marks"),
    [
        ({"marking": "GREEN"}, {"marking": "CLEAR"}, [TLP["CLEAR"]]),
        ({"marking": "GREEN"}, {"marking": "GREEN", "orcon": True}, [TLP["GREEN"], ORCON]),
        ({"marking": "GREEN"}, {"marking": "AMBER", "releasable_to": ["B"]}, [TLP["AMBER"]]),
        ({"marking": "AMBER", "releasable_to": ["B"]}, {"marking": "RED", "releasable_to": ["B"]}, [TLP["RED"]]),
        ({"marking": "AMBER", "releasable_to": ["B"]}, {"marking": "GREEN"}, [TLP["GREEN"]]),
    ],
)
def test_who_goes_on_from_where_it_was_gets_the_new_marking_once(world: World, before: Any, after: Any, marks: list[str]) -> None:
    first, _ = put(world), put(world, killed=9)
    report = put(world, **before)
    put(world)
    old = lines(world)
    (was,) = world.taxii("B", f"{PICTURE}objects/report--{report}/").json()["objects"]
    remark(world, report, **after)
    place, made = since(world, old[-1]["date_added"])
    assert (place["id"], made["id"]) == (f"location--{report}", f"report--{report}")
    assert made["object_marking_refs"] == place["object_marking_refs"] == marks
    assert made["created"] == was["created"]
    assert made["modified"] > was["modified"]
    assert {k: v for k, v in made.items() if k not in ("modified", "object_marking_refs", "extensions")} == {
        k: v for k, v in was.items() if k not in ("modified", "object_marking_refs", "extensions")
    }
    now = lines(world)
    assert [line["id"] for line in now] == [line["id"] for line in old if report not in line["id"]] + [place["id"], made["id"]]
    assert [line for line in now if report not in line["id"]] == [line for line in old if report not in line["id"]]
    added = [line["date_added"] for line in now]
    assert added == sorted(set(added))
    for line in now:
        assert world.taxii("B", f"{PICTURE}manifest/?match[id]={line['id']}").json()["objects"] == [line]
    assert world.taxii("B", f"{PICTURE}objects/report--{report}/").json()["objects"] == [made]
    assert since(world, added[-1]) == []
    assert first in str(now)


@pytest.mark.parametrize("limit", [1, 2, 3])
@pytest.mark.parametrize("by", ["next", "added_after"])
def test_pages_with_reports_that_were_marked_anew_lose_and_repeat_nothing(world: World, limit: int, by: str) -> None:
    reports = [r["report_id"] for r in world.submit("A", *(BODY | {"own_id": str(n), "marking": "GREEN"} for n in range(4)))]
    remark(world, reports[1], "CLEAR")
    more = put(world, lat=1.0)
    remark(world, reports[2], "AMBER", releasable_to=["B"])
    remark(world, more, "GREEN", orcon=True)
    whole, seen, onward = lines(world), [], ""
    while True:
        answer = world.taxii("B", f"{PICTURE}manifest/?match[type]=report,location&limit={limit}{onward}")
        seen += answer.json()["objects"]
        if not answer.json().get("more"):
            break
        onward = f"&{by}={answer.json()['next'] if by == 'next' else answer.headers['X-TAXII-Date-Added-Last']}"
    assert seen == whole
    assert len(whole) == 10


def test_a_marking_that_stays_and_who_else_is_named_are_no_new_version(world: World) -> None:
    report = put(world, "AMBER", releasable_to=["B"])
    before = lines(world)
    remark(world, report, "AMBER", releasable_to=["B", "C"])
    assert lines(world) == before
    remark(world, report, "RED", releasable_to=["C"])
    assert lines(world) == []
    remark(world, report, "GREEN")
    (_, again) = lines(world)
    assert again["date_added"] > before[-1]["date_added"]


def test_what_opens_by_a_new_marking_is_new_and_says_nothing_of_an_earlier_one(world: World) -> None:
    report = put(world, "RED")
    remark(world, report, "AMBER", releasable_to=["A"])
    at = "2020-01-01T00:00:00Z"
    assert since(world, at) == []
    remark(world, report, "GREEN")
    _, made = since(world, at)
    assert made["created"] == made["modified"]
    assert len(lines(world)) == 2


def test_a_group_has_the_new_version_too(world: World) -> None:
    world.ask("admin", "PUT", "/api/groups/shore/A")
    world.ask("admin", "PUT", "/api/groups/shore/B")
    report, other = (put(world, "AMBER", releasable_to=["group:shore"]) for _ in range(2))
    last = lines(world, "B", "group:shore")[-1]["date_added"]
    remark(world, report, "AMBER", releasable_to=["group:shore"], orcon=True)
    _, made = since(world, last, "B", "group:shore")
    assert (made["id"], made["object_marking_refs"]) == (f"report--{report}", [TLP["AMBER"], ORCON])
    assert [line["id"].partition("--")[2] for line in lines(world, "B", "group:shore")] == [other, other, report, report]
