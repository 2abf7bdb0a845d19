"""A group's collection: what is marked for the group, for who is in it; to everybody else it is not there."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hubs import World

from tocsin.hub.taxii.asked import id_of

NORTH = "collections/group:north/"
BODY = {"marking": "AMBER", "country": "PAK", "lat": 24.9, "lon": 67.0}


@pytest.fixture
def world(world: World) -> World:
    for group, agency in (("north", "A"), ("north", "B"), ("south", "C")):
        world.ask("admin", "PUT", f"/api/groups/{group}/{agency}")
    return world


def put(world: World, *names: str, who: str = "A", **more: str) -> str:
    return str(world.submit(who, BODY | {"own_id": str(uuid4()), "releasable_to": list(names)} | more)[0]["report_id"])


def found(world: World, who: str, where: str = NORTH) -> list[str]:
    answer = world.taxii(who, f"{where}objects/?match[type]=report")
    assert answer.status_code == 200, answer.text
    return [made["id"].partition("--")[2] for made in answer.json().get("objects", [])]


def test_a_groups_collection_has_what_is_marked_for_it_and_nothing_else(world: World) -> None:
    mine, theirs = put(world, "group:north", "C"), put(world, "group:north", "group:south", who="C")
    put(world, "B"), put(world, "group:south", who="C"), put(world, marking="GREEN"), put(world, "group:north", marking="RED")
    for who in ("A", "B"):
        assert found(world, who) == [mine, theirs]
        (listed,) = (c for c in world.taxii(who, "collections/").json()["collections"] if c["alias"] == "group:north")
        assert (listed["title"], listed["can_read"], listed["can_write"]) == ("Group north", True, False)
        assert found(world, who, f"collections/{listed['id']}/") == [mine, theirs]
    assert found(world, "C", "collections/group:south/")[0] == theirs


def test_what_it_points_at_is_in_it_too(world: World) -> None:
    put(world, "group:north")
    objects = world.taxii("B", f"{NORTH}objects/").json()["objects"]
    there = {made["id"] for made in objects}
    for made in objects:
        assert {made.get("created_by_ref"), *made.get("object_refs", []), *made.get("object_marking_refs", [])} <= {None, *there}


def test_a_group_that_one_is_not_in_answers_like_one_that_never_was(world: World) -> None:
    report = put(world, "group:north")
    for name in (id_of("group", "north"), "group:north"):
        for page in ("", "objects/", "manifest/", f"objects/report--{report}/", f"objects/report--{report}/versions/"):
            one, never = (world.taxii("C", f"collections/{n}/{page}") for n in (name, str(uuid4())))
            assert (one.status_code, one.content, one.headers) == (404, never.content, never.headers)
        assert world.taxii("C", f"collections/{name}/objects/", [{}]).status_code == 404
        assert world.taxii("C", f"collections/{name}/objects/report--{report}/", method="DELETE").status_code == 404
    assert "north" not in world.taxii("C", "collections/").text


def test_nobody_sends_to_a_group_or_deletes_in_it(world: World) -> None:
    report = put(world, "group:north")
    assert world.taxii("B", f"{NORTH}objects/", [{}]).status_code == 403
    assert world.taxii("A", f"{NORTH}objects/report--{report}/", method="DELETE").status_code == 403


def test_who_joins_finds_what_was_marked_before_at_the_time_of_joining_and_who_leaves_finds_nothing(world: World) -> None:
    before = [put(world, "group:north") for _ in range(3)]
    last = world.taxii("A", f"{NORTH}manifest/").json()["objects"][-1]["date_added"]
    world.ask("admin", "PUT", "/api/groups/north/C")
    lines = world.taxii("C", f"{NORTH}manifest/?match[type]=report").json()["objects"]
    assert {n["id"].partition("--")[2] for n in lines} == set(before)
    assert all(n["date_added"] > last for n in lines)
    assert len({n["date_added"] for n in lines}) == 3
    world.ask("admin", "DELETE", "/api/groups/north/C")
    assert world.taxii("C", f"{NORTH}objects/").status_code == 404
    world.ask("admin", "PUT", "/api/groups/north/C")
    assert set(found(world, "C")) == set(before)


def test_what_is_marked_anew_for_another_leaves_the_group_though_it_is_seen_still(world: World) -> None:
    report = put(world, "group:north")
    again = {"marking": "AMBER", "releasable_to": ["B"]}
    assert world.ask("A", "POST", f"/api/reports/{report}/remark", again).status_code == 200
    assert found(world, "B") == found(world, "A") == []
    assert report in found(world, "B", "collections/picture/")
    assert world.taxii("B", f"{NORTH}objects/report--{report}/").status_code == 404
    assert world.ask("A", "POST", f"/api/reports/{report}/remark", again | {"releasable_to": ["group:north"]}).status_code == 200
    assert found(world, "B") == [report]
    assert world.ask("A", "POST", f"/api/reports/{report}/purge", {"why": "a court ordered it"}).status_code == 200
    assert found(world, "B") == []


@pytest.mark.parametrize("by", ["next", "added_after"])
def test_a_group_is_read_page_by_page(world: World, by: str) -> None:
    for _ in range(3):
        world.submit("A", *[BODY | {"own_id": str(uuid4()), "releasable_to": ["group:north"]} for _ in range(4)])
    whole = [line["id"] for line in world.taxii("B", f"{NORTH}manifest/").json()["objects"]]
    seen: list[str] = []
    onward = ""
    while True:
        answer = world.taxii("B", f"{NORTH}objects/?limit=5{onward}")
        seen += [made["id"] for made in answer.json()["objects"]]
        if not answer.json().get("more"):
            break
        onward = f"&{by}={answer.json()['next'] if by == 'next' else answer.headers['X-TAXII-Date-Added-Last']}"
    assert seen == whole
    assert len(whole) == len(set(whole))
