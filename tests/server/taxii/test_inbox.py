"""What an agency sends as STIX becomes its reports; others read them in their pictures; what is no report comes back as it was sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hubs import World

from tocsin.hub import clock
from tocsin.stix.fixed import EXTENSION, ORCON, TLP
from tocsin.store.embedded import Embedded

OBJECTS = "collections/inbox/objects/"
HEAD = {"spec_version": "2.1", "created": "2026-01-02T00:00:00.000Z", "modified": "2026-01-03T00:00:00.000Z"}


def incident(**more: Any) -> dict[str, Any]:
    made = {
        "type": "incident",
        "id": f"incident--{uuid4()}",
        "name": "Blast",
        "description": "quince-7731",
        "object_marking_refs": [TLP["GREEN"]],
    }
    return HEAD | made | more


def place_of(made: dict[str, Any]) -> list[dict[str, Any]]:
    at = {
        "type": "location",
        "id": f"location--{uuid4()}",
        "latitude": 24.9,
        "longitude": 67.1,
        "precision": 500.0,
        "country": "PK",
        "name": "quince-7731",
    } | HEAD
    tie = {
        "type": "relationship",
        "id": f"relationship--{uuid4()}",
        "relationship_type": "located-at",
        "source_ref": made["id"],
        "target_ref": at["id"],
    }
    return [at, tie | HEAD]


def sent(world: World, *objects: dict[str, Any], who: str = "A") -> dict[str, Any]:
    answer = world.taxii(who, OBJECTS, list(objects))
    assert answer.status_code == 202, answer.text
    said: dict[str, Any] = answer.json()
    return said


def test_a_name_that_is_nobodys_is_told_of_with_the_object_that_was_taken(world: World) -> None:
    world.forget()
    extension = {EXTENSION: {"extension_type": "property-extension", "event_start": "2026-01-05", "releasable_to": ["polise", "B"]}}
    made = incident(extensions=extension, object_marking_refs=[TLP["AMBER"]])
    status = sent(world, made, incident())
    assert (status["success_count"], status["failure_count"]) == (2, 0)
    one, other = status["successes"]
    assert "is called polise" in one["message"]
    assert "message" not in other
    assert [found["id"] for found in picture(world, "B")] != []


def picture(world: World, who: str, kind: str = "report") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.taxii(who, f"collections/picture/objects/?match[type]={kind}").json().get("objects", [])
    return found


def feed(world: World, who: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.ask(who, "GET", "/api/feed").json()["reports"]
    return found


def everywhere(world: World, word: str) -> list[str]:
    """The tables of what was sent in which a word stands."""
    with psycopg.connect(world.roles["owner"]) as connection:
        return [
            t
            for t in ("inbox", "report", "posting")
            if connection.execute(f"SELECT 1 FROM tocsin.{t} x WHERE x::text LIKE %s", (f"%{word}%",)).fetchone()
        ]


def test_an_incident_that_one_agency_sends_is_read_by_another_with_its_place(world: World) -> None:
    made = incident()
    assert sent(world, made, *place_of(made))["success_count"] == 3
    (seen,) = picture(world, "B")
    assert seen["description"] == "Blast\nquince-7731"
    assert seen["object_marking_refs"] == [TLP["GREEN"]]
    (place,) = picture(world, "B", "location")
    assert (place["latitude"], place["precision"], place["country"]) == (24.9, 500.0, "PK")
    assert seen["object_refs"] == [place["id"]]
    (report,) = feed(world, "B")
    assert (report["agency"], report["country"], report["radius_km"]) == ("A", "PAK", 0.5)


def test_nobody_but_its_sender_finds_the_object_that_was_sent(world: World) -> None:
    made = incident()
    sent(world, made)
    assert world.taxii("A", f"{OBJECTS}{made['id']}/").json()["objects"] == [made]
    assert world.taxii("B", f"{OBJECTS}{made['id']}/").status_code == 404
    assert world.taxii("B", OBJECTS).json() == {}


def test_what_tocsin_does_not_know_comes_back_unchanged(world: World) -> None:
    odd = [
        {"type": "x-own", "id": f"x-own--{uuid4()}", "anything": {"a": [1, 2.5, True, "é\u2028"], "b": {"c": "d"}}} | HEAD,
        {"type": "note", "id": f"note--{uuid4()}", "content": "so", "object_refs": [f"report--{uuid4()}"], "x_more": "kept"} | HEAD,
        {"type": "opinion", "id": f"opinion--{uuid4()}", "opinion": "agree", "object_refs": [f"report--{uuid4()}"]} | HEAD,
        {"type": "grouping", "id": f"grouping--{uuid4()}", "context": "unspecified", "object_refs": [f"report--{uuid4()}"]} | HEAD,
        {"type": "url", "id": f"url--{uuid4()}", "value": "https://example.org/"},
        {
            "type": "x-plate",
            "id": f"x-plate--{uuid4()}",
            "number": "ABC-123",
            "extensions": {f"extension-definition--{uuid4()}": {"extension_type": "new-sco"}},
        },
        incident(x_more={"kept": ["too"]}),
    ]
    assert sent(world, *odd)["failure_count"] == 0
    assert world.taxii("A", OBJECTS).json()["objects"] == odd


def test_a_later_version_corrects_the_report_that_was_made_of_the_one_before(world: World) -> None:
    made = incident(description="0. day")
    later, latest = (made | {"modified": f"2026-01-0{day}T00:00:00.000Z", "description": f"{day}. day"} for day in (4, 5))
    sent(world, made)
    sent(world, later, latest)
    first, second, third = sorted(feed(world, "B"), key=lambda report: report["text"])
    assert (second["supersedes"], third["supersedes"]) == (first["report_id"], second["report_id"])
    assert "supersedes" not in first


def test_versions_that_are_sent_in_no_order_are_corrections_in_theirs(world: World) -> None:
    made = incident(description="0. day")
    sent(world, *(made | {"modified": f"2026-01-0{day}T00:00:00.000Z", "description": f"{day}. day"} for day in (5, 4)), made)
    first, second, third = sorted(feed(world, "B"), key=lambda report: report["text"])
    assert (second["supersedes"], third["supersedes"]) == (first["report_id"], second["report_id"])


def test_an_earlier_version_that_comes_after_a_later_one_is_refused_and_what_was_here_before_is_not(world: World) -> None:
    made = incident()
    later, latest = (made | {"modified": f"2026-01-0{day}T00:00:00.000Z"} for day in (4, 5))
    sent(world, made)
    sent(world, latest)
    (failure,) = sent(world, made, later)["failures"]
    assert (failure["version"], failure["message"][:16]) == (later["modified"], "a later version ")
    assert [report.get("supersedes") is None for report in feed(world, "B")] == [True, False]
    assert world.taxii("A", f"{OBJECTS}{made['id']}/versions/").json()["versions"] == [made["modified"], latest["modified"]]


def test_what_its_sender_withdrew_is_no_report(world: World) -> None:
    made = incident()
    sent(world, made)
    gone = made | {"modified": "2026-01-04T00:00:00.000Z", "revoked": True}
    (failure,) = sent(world, gone)["failures"]
    assert failure["message"].startswith("revoked: ")
    assert len(feed(world, "B")) == 1
    assert sent(world, {"type": "note", "id": f"note--{uuid4()}", "content": "so", "object_refs": [made["id"]], "revoked": True} | HEAD)[
        "success_count"
    ]


def test_sending_the_same_again_makes_nothing_new(world: World) -> None:
    made = incident()
    for _ in range(2):
        assert sent(world, made, *place_of(made)[:1])["failure_count"] == 0
    assert len(feed(world, "B")) == 1


def test_a_report_without_a_marking_is_refused_and_kept_nowhere(world: World) -> None:
    made = incident()
    del made["object_marking_refs"]
    (failure,) = sent(world, made)["failures"]
    assert failure["message"].startswith("marking: missing")
    assert world.taxii("A", f"{OBJECTS}{made['id']}/").status_code == 404
    assert everywhere(world, "quince-7731") == []


def test_an_extension_with_a_wrong_value_is_refused_with_the_reason(world: World) -> None:
    made = incident(extensions={EXTENSION: {"extension_type": "property-extension", "killed": -1, "nonsense": 1}})
    (failure,) = sent(world, made)["failures"]
    assert "killed: a whole number" in failure["message"]
    assert "nonsense: no field of a report" in failure["message"]


def test_a_marking_in_the_extension_stands_for_none_of_those_that_an_object_bears(world: World) -> None:
    """Or an object that bears a marking which the hub does not know, and is stricter, would be published by what stands beside it."""
    world.forget()
    strange = "marking-definition--11111111-1111-4111-8111-111111111111"
    said = {EXTENSION: {"extension_type": "property-extension", "own_id": "x", "marking": "CLEAR"}}
    made = incident(type="report", id=f"report--{uuid4()}", object_refs=["identity--2b6f4c1e-93d7-4a58-8f0a-6d2c7e51b904"], extensions=said)
    made["published"] = made["created"]
    for refs in ({"object_marking_refs": [strange]}, {}):
        (failure,) = sent(world, {k: v for k, v in made.items() if k != "object_marking_refs"} | refs)["failures"]
        assert failure["message"].startswith("marking: missing")
    assert sent(world, made | {"object_marking_refs": [TLP["AMBER"], strange]})["success_count"] == 1
    (report,) = world.ask("A", "GET", "/api/feed").json()["reports"]
    assert (report["marking"], report["orcon"]) == ("AMBER", True)
    assert world.ask(None, "GET", "/api/public/feed").json()["reports"] == []


def test_originator_control_travels_as_a_marking(world: World) -> None:
    sent(world, incident(object_marking_refs=[TLP["GREEN"], ORCON]))
    (seen,) = picture(world, "B")
    assert seen["object_marking_refs"] == [TLP["GREEN"], ORCON]


def test_a_restricted_report_reaches_whom_it_names_and_nobody_else(world: World) -> None:
    extension = {EXTENSION: {"extension_type": "property-extension", "releasable_to": ["B", "C"], "killed": 45}}
    sent(world, incident(object_marking_refs=[TLP["RED"]], extensions=extension, name="x"))
    world.submit("A", {"own_id": "hidden", "marking": "RED"})
    (seen,) = picture(world, "B")
    assert seen["extensions"][EXTENSION]["releasable_to"] == ["B"]
    assert len(picture(world, "A")) == 2


def test_a_picture_that_is_sent_on_is_repeated_in_the_senders_name(world: World) -> None:
    sent(world, incident())
    theirs = picture(world, "B")
    assert sent(world, *theirs, who="B")["success_count"] == 1
    first, second = feed(world, "C")
    assert (second["agency"], second["derived_from"]) == ("B", [first["report_id"]])


def test_ones_own_report_that_comes_back_is_known(world: World) -> None:
    world.submit("A", {"own_id": "1", "version": "2", "marking": "GREEN", "killed": 3, "text": "so", "country": "PAK"})
    assert sent(world, *picture(world, "A"))["failure_count"] == 0
    assert len(feed(world, "A")) == 1


def test_a_purge_takes_what_was_sent_with_the_report_too(world: World) -> None:
    made = incident()
    sent(world, made, *place_of(made))
    (report,) = feed(world, "A")
    assert world.ask("A", "POST", f"/api/reports/{report['report_id']}/purge", {"why": "a court ordered it"}).status_code == 200
    assert everywhere(world, "quince-7731") == []
    (failure,) = sent(world, made)["failures"]
    assert failure["message"].startswith("purged")


def test_who_deletes_an_object_purges_the_report_that_was_made_of_it(world: World) -> None:
    made = incident()
    sent(world, made)
    (report,) = feed(world, "B")
    assert world.taxii("A", f"{OBJECTS}{made['id']}/", method="DELETE").status_code == 200
    assert feed(world, "B") == picture(world, "B") == []
    assert world.ask("A", "GET", "/api/purged").json()["purged"][0]["report_id"] == report["report_id"]


def test_the_inbox_of_an_agency_that_leaves_is_emptied(postgres: Embedded) -> None:
    world = World(postgres, clock(), agencies=("A", "B"))
    sent(world, incident())
    assert world.ask("admin", "POST", "/api/agencies/A/leave", {"reports": "keep"}).status_code == 200
    assert everywhere(world, "quince-7731") == ["report"]
    world.close()


def test_objects_point_at_nothing_that_is_not_there(world: World) -> None:
    made = incident()
    sent(world, made, *place_of(made))
    world.submit("C", {"own_id": "1", "marking": "AMBER", "releasable_to": ["B"], "orcon": True})
    objects = world.taxii("B", "collections/picture/objects/").json()["objects"]
    there = {o["id"] for o in objects}
    for made in objects:
        refs = [made.get("created_by_ref"), *made.get("object_refs", []), *made.get("object_marking_refs", [])]
        assert {r for r in refs if r} <= there
        assert {e for e in made.get("extensions", {}) if e == EXTENSION} <= there


class Crowded:
    """A clock whose times stand as close as the hub's can."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(microseconds=2)
        return self.at


def test_whatever_opens_at_one_time_has_times_of_its_own_that_no_later_write_takes(postgres: Embedded) -> None:
    world = World(postgres, Crowded())
    body = {"marking": "AMBER", "releasable_to": ["group:north"], "country": "PAK"}
    for n in range(5):
        world.submit("A", *[body | {"own_id": f"{n}.{m}"} for m in range(7)])
    assert world.ask("admin", "PUT", "/api/groups/north/B").status_code == 200  # opens 35 at once
    seen: list[str] = []
    after = "1970-01-01T00:00:00Z"
    for n in range(40):
        world.submit("A", {"own_id": f"more {n}", "marking": "GREEN", "country": "PAK"})
        answer = world.taxii("B", f"collections/picture/manifest/?limit=4&added_after={after}")
        seen += [line["id"] for line in answer.json().get("objects", [])]
        after = answer.headers["X-TAXII-Date-Added-Last"]
    lines = world.taxii("B", "collections/picture/manifest/").json()["objects"]
    added = [line["date_added"] for line in lines]
    assert added == sorted(set(added))
    assert seen == [line["id"] for line in lines][: len(seen)]
    assert len(seen) == 160
    world.close()


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_reader_that_goes_on_by_next_loses_nothing_where_reports_of_the_same_moment_close_meanwhile(world: World, limit: int) -> None:
    world.submit("A", *[{"own_id": str(n), "marking": "GREEN", "country": "PAK"} for n in range(12)])
    kept = {line["id"] for line in world.taxii("B", "collections/picture/manifest/").json()["objects"]}
    seen: list[str] = []
    onward = ""
    for n in range(100):
        said = world.taxii("B", f"collections/picture/manifest/?limit={limit}{onward}").json()
        seen += [line["id"] for line in said["objects"]]
        if n % 3 == 0 and seen[-1].startswith("report--"):
            gone = seen[-1].partition("--")[2]
            assert world.ask("A", "POST", f"/api/reports/{gone}/remark", {"marking": "RED"}).status_code == 200
            kept -= {f"report--{gone}", f"location--{gone}"}
        if "next" not in said:
            break
        onward = f"&next={said['next']}"
    assert len(seen) == len(set(seen))
    assert kept <= set(seen)
