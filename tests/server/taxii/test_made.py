"""What the hub makes of reports, by TAXII: incidents and judgements, a version for each change, revoked when they cease."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest
import stix2
from hubs import World
from psycopg import sql
from samples_hub import planted_signal
from stix2validator import ValidationOptions, validate_instance

from tocsin.hub.pictures import refresh
from tocsin.stix import wrong_with
from tocsin.stix.fixed import INCIDENT, JUDGEMENT, ORCON, SIGNAL, TLP, TOCSIN, id_of

PICTURE = "collections/picture/"
BODY = {"event_start": "2026-01-01", "country": "PAK", "lat": 24.86, "lon": 67.0, "radius_km": 1.0, "killed": 3, "place": "Karachi"}
MADE = ("incident", "sighting", "note")


def put(world: World, who: str = "A", marking: str = "GREEN", **more: Any) -> str:
    found: str = world.submit(who, BODY | {"own_id": str(uuid4()), "marking": marking} | more)[0]["report_id"]
    return found


def far(world: World, who: str = "A", marking: str = "GREEN", **more: Any) -> str:
    return put(world, who, marking, **{"lat": 34.0, "lon": 71.5, "place": "Peshawar", "event_start": "2026-02-02"} | more)


def judge(world: World, who: str, decides: str, *reports: str, **more: Any) -> str:
    answer = world.ask(who, "POST", "/api/judgements", {"decides": decides, "reports": list(reports), "why": "two calls"} | more)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["judgement_id"]
    return found


def given(world: World, who: str, kind: str = "incident", query: str = "") -> list[dict[str, Any]]:
    refresh(world.fuse)
    answer = world.taxii(who, f"{PICTURE}objects/?match[type]={kind}{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json().get("objects", [])
    return found


def reports_of(made: dict[str, Any]) -> set[str]:
    found: list[str] = made["extensions"][INCIDENT]["report_ids"]
    return set(found)


def lines(world: World, who: str) -> list[dict[str, Any]]:
    refresh(world.fuse)
    found: list[dict[str, Any]] = world.taxii(who, f"{PICTURE}manifest/").json()["objects"]
    return found


def test_an_incident_is_given_with_its_place_its_sighting_and_all_its_columns(world: World) -> None:
    first, second = put(world), put(world, "B")
    (made,) = given(world, "C")
    (told,) = world.ask("C", "GET", "/api/incidents").json()["incidents"]
    assert made["created_by_ref"] == TOCSIN
    assert reports_of(made) == {first, second}
    extension = made["extensions"][INCIDENT]
    assert {k: v for k, v in told.items() if v not in ([], None)} == {k: v for k, v in extension.items() if k != "extension_type"}
    (sighting,) = given(world, "C", "sighting")
    assert (sighting["sighting_of_ref"], sighting["count"]) == (made["id"], 2)
    assert (sighting["first_seen"], sighting["last_seen"]) == ("2026-01-01T00:00:00.000Z", "2026-01-01T23:59:59.999Z")
    place = world.taxii("C", f"{PICTURE}objects/{made['id'].replace('incident', 'location')}/").json()["objects"][0]
    assert (place["country"], place["city"]) == ("PK", "Karachi")
    assert {*sighting["where_sighted_refs"]} == {place["id"], *(id_of("identity", "agency", a) for a in "AB")}


def test_oasis_tools_agree_with_all_that_is_made(world: World) -> None:
    first, second, third = put(world, orcon=True), put(world, "B"), far(world, "B", killed_low=1, wounded=2)
    judge(world, "B", "confirm", first, second)
    judge(world, "B", "value", third, field="killed", value="7")
    ident = signal(world, "B", first, second, radius_km=2.0, lat=1.5, lon=2.5)
    signal(world, "A", first), signal(world, "A", third)
    world.ask("B", "POST", f"/api/signals/{ident}/release", {"to": "A", "why": "so"})
    given(world, "A")
    gone = judge(world, "C", "merge", first, third)
    given(world, "A")
    world.ask("C", "POST", "/api/judgements", {"decides": "undo", "judgement": gone, "why": "no"})
    world.ask("B", "POST", f"/api/reports/{third}/remark", {"marking": "RED"})
    seen = set()
    for made in given(world, "A", "incident,location,sighting,note,grouping,extension-definition"):
        assert wrong_with(made) == []
        stix2.parse(made, allow_custom=False)
        result = validate_instance(made, ValidationOptions(strict=True, version="2.1", disabled=["uuid-check", "extref-hashes"]))
        assert result.is_valid, [str(e) for e in result.errors]
        seen.add((made["type"], made.get("revoked", False)))
    assert {("incident", False), ("incident", True), ("note", False), ("note", True), ("location", False)} <= seen
    assert {("grouping", False), ("grouping", True)} <= seen


def test_an_incident_that_changes_is_a_new_version_that_is_added_later_and_nothing_else_is(world: World) -> None:
    put(world), far(world)
    before, stays = given(world, "B")
    last = lines(world, "B")[-1]["date_added"]
    report = put(world, "C")
    kinds = ("report", "location", "incident", "sighting")
    refresh(world.fuse)
    objects = world.taxii("B", f"{PICTURE}objects/?added_after={last}").json()["objects"]
    assert sorted(o["type"] for o in objects) == sorted((*kinds, "location"))
    (after,) = (o for o in objects if o["type"] == "incident")
    if after["id"] != before["id"]:
        before, stays = stays, before
    assert (after["id"], after["created"]) == (before["id"], before["created"])
    assert after["modified"] > before["modified"]
    assert reports_of(after) == reports_of(before) | {report}
    assert world.taxii("B", f"{PICTURE}objects/{stays['id']}/").json()["objects"] == [stays]


def test_what_is_fused_anew_and_comes_out_the_same_is_not_given_again(world: World) -> None:
    put(world)
    before = lines(world, "B")
    put(world, "A", "RED")  # hidden from B, in the same incident for A
    far(world, "C", "AMBER", releasable_to=["A"])
    refresh(world.fuse)
    assert lines(world, "B") == before
    assert len(lines(world, "A")) > len(before)


def test_an_agency_that_sees_more_has_its_own_version_of_the_same_incident(world: World) -> None:
    every = put(world)
    shared = given(world, "B")[0]
    hidden = put(world, "C", "RED", releasable_to=["A"])
    mine, theirs = given(world, "A"), given(world, "B")
    assert [reports_of(i) for i in (*mine, *theirs)] == [{every, hidden}, {every}]
    assert mine[0]["id"] == theirs[0]["id"] == shared["id"]
    assert theirs[0] == shared
    assert mine[0]["object_marking_refs"] == [TLP["RED"]]
    assert world.ask("C", "POST", f"/api/reports/{hidden}/remark", {"marking": "RED"}).status_code == 200
    (again,) = given(world, "A")
    assert (again["id"], reports_of(again)) == (shared["id"], {every})
    assert again["modified"] > mine[0]["modified"]


def test_an_incident_that_ceases_is_revoked_and_what_comes_to_be_again_is_another_object(world: World) -> None:
    first, second = put(world), far(world)
    before = {next(iter(reports_of(i))): i["id"] for i in given(world, "B")}
    judgement = judge(world, "A", "merge", first, second)
    after = given(world, "B")
    (kept,), (gone,) = ([i for i in after if i.get("revoked", False) is r] for r in (False, True))
    assert reports_of(kept) == {first, second}
    assert {kept["id"], gone["id"]} == set(before.values())
    assert gone.keys() == {"type", "spec_version", "id", "created_by_ref", "created", "modified", "object_marking_refs", "name", "revoked"}
    world.ask("A", "POST", "/api/judgements", {"decides": "undo", "judgement": judgement, "why": "no"})
    last = given(world, "B")
    assert gone in last
    living = [i for i in last if "revoked" not in i]
    assert len(living) == 2
    assert gone["id"] not in {i["id"] for i in living}


def test_what_closes_is_not_given_any_more_at_once_and_then_revoked(world: World) -> None:
    report = put(world)
    (made,) = given(world, "B")
    address = f"{PICTURE}objects/{made['id']}/"
    assert world.taxii("B", address).status_code == 200
    assert world.ask("A", "POST", f"/api/reports/{report}/remark", {"marking": "RED"}).status_code == 200
    never = f"{PICTURE}objects/incident--{uuid4()}/"
    one, other = world.taxii("B", address), world.taxii("B", never)
    assert (one.status_code, one.content) == (404, other.content)
    (gone,) = given(world, "B")
    assert gone["revoked"] is True
    assert gone["id"] == made["id"]
    assert reports_of(given(world, "A")[0]) == {report}


def test_a_purge_leaves_nothing_but_that_something_was_revoked(world: World) -> None:
    gone, other = put(world, text="quince-7731"), put(world, "B")
    judgement = judge(world, "C", "value", gone, other, field="killed", value="77")
    before = {made["id"] for kind in MADE for made in given(world, "C", kind)}
    assert world.ask("A", "POST", f"/api/reports/{gone}/purge", {"why": "a court ordered it"}).status_code == 200
    for kind in MADE:
        assert world.taxii("C", f"{PICTURE}objects/?match[type]={kind}").json() == {}
    for _ in range(2):
        with psycopg.connect(world.roles["owner"]) as connection:
            for table in ("published", "touched"):
                query = sql.SQL("SELECT count(*) FROM tocsin.{} t WHERE t::text LIKE ANY (%s)").format(sql.Identifier(table))
                assert connection.execute(query, ([f"%{word}%" for word in (gone, judgement, "quince")],)).fetchone() == (0,)
        refresh(world.fuse)
    after = [made for kind in MADE for made in given(world, "C", kind)]
    assert {made["id"] for made in after if made.get("revoked")} == {i for i in before if not i.startswith("sighting--")}
    assert [reports_of(i) for i in after if i["type"] == "incident" and "revoked" not in i] == [{other}]


def test_an_incident_bears_the_strictest_marking_of_its_reports_and_originator_control(world: World) -> None:
    put(world), put(world, "B", "AMBER", releasable_to=["A", "C"], orcon=True)
    for who in ("A", "C"):
        assert given(world, who)[0]["object_marking_refs"] == [TLP["AMBER"], ORCON]


def test_a_judgement_is_a_note_for_who_sees_every_report_that_it_names(world: World) -> None:
    every, hidden = put(world), put(world, "B", "AMBER", releasable_to=["A"])
    judge(world, "A", "confirm", every)
    refresh(world.fuse)
    judge(world, "A", "merge", every, hidden)
    mine, theirs = given(world, "A", "note"), given(world, "C", "note")
    assert [n["abstract"] for n in mine] == ["confirm", "merge"]
    assert [n["abstract"] for n in theirs] == ["confirm"]
    assert mine[1]["object_refs"] == sorted(f"report--{i}" for i in (every, hidden))
    assert (mine[1]["content"], mine[1]["authors"], mine[1]["object_marking_refs"]) == ("two calls", ["A"], [TLP["AMBER"]])
    assert mine[1]["extensions"][JUDGEMENT]["decides"] == "merge"
    assert world.ask("B", "POST", f"/api/reports/{hidden}/remark", {"marking": "RED"}).status_code == 200
    assert [n["abstract"] for n in world.taxii("A", f"{PICTURE}objects/?match[type]=note").json()["objects"]] == ["confirm"]
    confirm, gone = given(world, "A", "note")
    assert (confirm, gone["id"], gone["revoked"]) == (mine[0], mine[1]["id"], True)


def signal(world: World, who: str, *reports: str, **more: Any) -> str:
    refresh(world.fuse)
    incidents = [world.ask(who, "GET", f"/api/incidents/{r}").json() for r in reports]
    return planted_signal(world, who, world.hub.now(), incidents, **more)


def groupings(world: World, who: str) -> list[dict[str, Any]]:
    return given(world, who, "grouping")


def test_a_signal_is_a_grouping_of_the_reports_that_it_rests_on_for_its_own_agency_alone(world: World) -> None:
    every, hidden = put(world), far(world, "B", "AMBER", releasable_to=["A"], orcon=True)
    ident = signal(world, "A", every, hidden)
    (made,) = groupings(world, "A")
    assert groupings(world, "B") == groupings(world, "C") == []
    assert made["name"] == "Communities: more attacks, Sufi, since 1 Dec 2025"
    assert "Chance alone raises one like it 0.5 times a year, with all that is watched here." in made["description"]
    assert made["object_refs"] == sorted(f"report--{i}" for i in (every, hidden))
    assert (made["created_by_ref"], made["object_marking_refs"]) == (TOCSIN, [TLP["AMBER"], ORCON])
    (told,) = world.ask("A", "GET", "/api/signals").json()["signals"]
    said = made["extensions"][SIGNAL]
    assert {k: v for k, v in told.items() if v is not None and k != "marking"} == {k: v for k, v in said.items() if k != "extension_type"}
    assert said["signal_id"] == ident
    address = f"{PICTURE}objects/{made['id']}/"
    one, other = world.taxii("B", address), world.taxii("B", f"{PICTURE}objects/grouping--{uuid4()}/")
    assert (one.status_code, one.content) == (404, other.content)
    assert one.headers.keys() == other.headers.keys()


def test_a_signal_that_goes_on_is_a_new_version_and_one_that_ended_stays_as_it_was_raised_last(world: World) -> None:
    first, second = put(world), far(world)
    signal(world, "B", first)
    (before,) = groupings(world, "B")
    last = lines(world, "B")[-1]["date_added"]
    signal(world, "B", first, observed=7)
    refresh(world.fuse, world.hub.now)
    (after,) = world.taxii("B", f"{PICTURE}objects/?added_after={last}").json()["objects"]
    assert (after["id"], after["created"]) == (before["id"], before["created"])
    assert after["modified"] > before["modified"]
    assert after["extensions"][SIGNAL]["observed"] == 7
    signal(world, "B", second)  # the next look raises another alone
    assert groupings(world, "B")[0] == after
    assert len(groupings(world, "B")) == 2


@pytest.mark.parametrize(("what", "body"), [("remark", {"marking": "RED"}), ("purge", {"why": "a court ordered it"})])
def test_a_signal_whose_evidence_closes_is_not_given_at_once_and_then_revoked(world: World, what: str, body: dict[str, Any]) -> None:
    report, other = put(world), far(world, "C")
    signal(world, "B", report, other)
    (made,) = groupings(world, "B")
    assert world.ask("A", "POST", f"/api/reports/{report}/{what}", body).status_code == 200
    assert world.taxii("B", f"{PICTURE}objects/{made['id']}/").status_code == 404
    (gone,) = groupings(world, "B")
    assert (gone["id"], gone["revoked"], gone["name"], gone["object_refs"]) == (made["id"], True, "no longer given", [TOCSIN])
    assert "extensions" not in gone
    assert "description" not in gone


def test_a_signal_that_is_released_is_given_without_its_odds_and_says_from_whom(world: World) -> None:
    mine, theirs = put(world, "B", "RED"), far(world, "A", "AMBER", releasable_to=["B"])
    ident = signal(world, "B", mine, theirs)
    assert world.ask("B", "POST", f"/api/signals/{ident}/release", {"to": "C", "why": "their province"}).status_code == 200
    (made,) = groupings(world, "C")
    (told,) = world.ask("C", "GET", "/api/signals/received").json()["signals"]
    said = made["extensions"][SIGNAL]
    assert {k: v for k, v in told.items() if v is not None and k not in ("by", "received_at", "marking")} == {
        k: v for k, v in said.items() if k != "extension_type"
    }
    assert made["created_by_ref"] == id_of("identity", "agency", "B")
    assert (made["name"], made["description"]) == ("Communities: Sufi", "2 attacks, 1 Jan 2026 to 1 Jan 2026")
    assert not {"odds", "expected", "Chance", ident, "their province"} & {
        w for w in ("odds", "expected", "Chance", ident, "their province") if w in str(made)
    }
    assert groupings(world, "A") == []
    assert groupings(world, "B")[0]["id"] != made["id"]
    assert world.ask("A", "POST", f"/api/reports/{theirs}/remark", {"marking": "RED"}).status_code == 200
    assert groupings(world, "C")[0]["revoked"] is True


def test_an_incident_that_is_sent_on_names_the_reports_that_it_is_made_of(world: World) -> None:
    first, second = put(world), put(world, "B")
    (made,) = given(world, "C")
    said = world.taxii("C", "collections/inbox/objects/", [made]).json()
    assert said["success_count"] == 1, said
    report = world.ask("C", "GET", "/api/feed").json()["reports"][-1]
    assert (report["agency"], report["killed"], report["derived_from"]) == ("C", 3, sorted((first, second)))
    assert reports_of(given(world, "B")[0]) >= {first, second}
    assert world.ask("B", "GET", "/api/incidents").json()["incidents"][0]["corroboration"] == 2


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_of_reports_and_of_what_is_made_of_them_lose_and_repeat_nothing(world: World, limit: int) -> None:
    for n in range(4):
        (
            put(world, "A", event_start=f"2026-0{n + 1}-01"),
            far(world, "B", event_start=f"2026-0{n + 1}-11", marking="AMBER", releasable_to=["C"]),
        )
        judge(world, "C", "confirm", put(world, "C", "AMBER", releasable_to=["B"], event_start=f"2026-0{n + 1}-21"))
        refresh(world.fuse)
    whole = lines(world, "C")
    added = [line["date_added"] for line in whole]
    assert added == sorted(set(added))
    assert {line["id"].partition("--")[0] for line in whole} >= {"report", "location", *MADE}
    for by in ("next", "added_after"):
        seen: list[str] = []
        onward = ""
        while True:
            answer = world.taxii("C", f"{PICTURE}objects/?limit={limit}{onward}")
            seen += [made["id"] for made in answer.json()["objects"]]
            if not answer.json().get("more"):
                break
            onward = f"&{by}={answer.json()['next'] if by == 'next' else answer.headers['X-TAXII-Date-Added-Last']}"
        assert seen == [line["id"] for line in whole]
    for line in whole[-6:]:
        (found,) = world.taxii("C", f"{PICTURE}manifest/?match[id]={line['id']}").json()["objects"]
        assert found == line
        assert line["id"] in [o["id"] for o in world.taxii("C", f"{PICTURE}objects/?match[version]={line['version']}").json()["objects"]]
