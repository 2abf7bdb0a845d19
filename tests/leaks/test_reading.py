"""Each of these has happened to a peer: what user B of another agency can learn of A's restricted report by asking."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from httpx import Response
from hubs import World

from tocsin.hub.pictures import refresh

NEVER = "5f0b6a52-6c1e-5d0b-9d7e-1c3a7b1f2e40"
SECRET = "quince-7731"  # stands in A's hidden reports, and nowhere else


def post(marking: str = "RED", **more: Any) -> dict[str, Any]:
    return {"own_id": str(uuid4()), "event_start": "2026-01-01", "country": "PAK", "killed": 3, "marking": marking} | more


def hide(world: World, **more: Any) -> str:
    """A report of A's that only A sees."""
    found: str = world.submit("A", post(text=SECRET, **more))[0]["report_id"]
    return found


def same(one: Response, other: Response) -> bool:
    return (one.status_code, one.content, one.headers) == (other.status_code, other.content, other.headers)


PAGES = [
    "/api/feed?limit=1000",
    "/api/incidents?limit=1000",
    "/api/agencies",
    "/api/audit?limit=1000",
    "/ready",
    "/api/schema/openapi.json",
]


def pages(world: World, who: str = "B") -> list[bytes]:
    """All that a user is answered, its incidents made anew."""
    refresh(world.fuse)
    return [world.ask(who, "GET", page).content for page in PAGES if "audit" not in page]


@pytest.mark.parametrize(
    "path",
    [
        "/api/reports/{}", "/api/reports/{}/who", "/api/incidents/{}", "/api/reports/{}/history", "/api/reports/{}/attachment",
        "/api/reports/{}/", "/api/reports/{}?agency=A", "/api/reports/{}?audience=A", "/api/reports/{}/release", "/api/reports/{}/versions/1",
    ],
)  # fmt: skip
def test_a_hidden_report_its_history_and_its_attachments_answer_like_one_that_never_was(world: World, path: str) -> None:
    hidden = hide(world)
    refresh(world.fuse)
    assert same(world.ask("B", "GET", path.format(hidden)), world.ask("B", "GET", path.format(NEVER)))
    assert SECRET in world.ask("A", "GET", f"/api/reports/{hidden}").text


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "POST", "get", "TRACE"])
def test_no_verb_tells_a_hidden_id_from_one_that_never_was(world: World, method: str) -> None:
    hidden = hide(world)
    for path in ("/api/reports/{}", "/api/reports/{}/who", "/api/reports/{}/release", "/api/incidents/{}"):
        assert same(world.ask("B", method, path.format(hidden)), world.ask("B", method, path.format(NEVER)))


@pytest.mark.parametrize("spelt", [str.upper, lambda i: i.replace("-", ""), lambda i: f"{{{i}}}", lambda i: f"urn:uuid:{i}"])
def test_no_spelling_of_a_hidden_id_is_answered_otherwise(world: World, spelt: Any) -> None:
    hidden = hide(world)
    for path in ("/api/reports/{}", "/api/incidents/{}"):
        assert same(world.ask("B", "GET", path.format(spelt(hidden))), world.ask("B", "GET", path.format(spelt(NEVER))))


def test_counts_orders_and_pages_are_those_of_a_hub_without_the_hidden(world: World) -> None:
    world.submit("A", post("GREEN", own_id="1"))
    before = pages(world)
    for n in range(20):
        hide(world, own_id=f"hidden {n}")
    assert pages(world) == before
    world.submit("A", post("GREEN", own_id="2"))
    after = pages(world)
    world.forget()
    world.submit("A", post("GREEN", own_id="1"))
    pages(world)
    world.submit("A", post("GREEN", own_id="2"))
    assert pages(world) == after


def test_an_error_text_says_nothing_of_the_hidden(world: World) -> None:
    hidden = hide(world)
    asked = [
        ("POST", f"/api/reports/{hidden}/release", {"to": "nobody", "why": "they need it"}), ("POST", f"/api/reports/{hidden}/release", {"to": 7, "why": "they need it"}),
        ("POST", f"/api/reports/{hidden}/remark", {"marking": "AMBRE"}), ("POST", f"/api/reports/{hidden}/remark", {}),
        ("GET", f"/api/feed?after={hidden}", None), ("GET", f"/api/reports/{hidden}%00", None), ("GET", f"/api/incidents/{hidden}'", None),
    ]  # fmt: skip
    for method, path, body in asked:
        one, other = world.ask("B", method, path, body), world.ask("B", method, path.replace(hidden, NEVER), body)
        assert one.status_code == other.status_code >= 400
        assert one.text.replace(hidden, NEVER) == other.text
        assert SECRET not in one.text


def test_a_child_that_is_laxer_than_its_parent_opens_nothing_of_it(world: World) -> None:
    parent = hide(world, part_of="whole")
    child = world.submit("A", post("GREEN", supersedes=parent, derived_from=[parent], part_of="whole"))[0]["report_id"]
    for page in pages(world):
        assert parent not in page.decode()
        assert SECRET not in page.decode()
    shown = world.ask("B", "GET", f"/api/reports/{child}").json()
    assert not {"supersedes", "derived_from", "part_of"} & shown.keys()
    assert world.ask("B", "GET", f"/api/incidents/{parent}").status_code == 404


def test_an_edit_that_associates_a_visible_report_with_a_hidden_one_changes_nothing_for_b(world: World) -> None:
    hidden = hide(world)
    seen = world.submit("A", post("GREEN", own_id="seen"))[0]["report_id"]
    before = pages(world)
    world.submit("A", post("RED", own_id="seen", version="2", supersedes=seen, derived_from=[hidden], part_of="x"))
    assert pages(world) == before


@pytest.mark.parametrize(
    "named", [["group:north"], ["group:NORTH", "group:north"], ["group:north", "C"], [], ["group:"], ["group:nowhere"]]
)
def test_a_group_that_one_is_not_in_opens_nothing_given_or_omitted(world: World, named: list[str]) -> None:
    assert world.ask("admin", "PUT", "/api/groups/north/C").status_code == 200
    before = pages(world)
    hidden = hide(world, marking="AMBER", releasable_to=named)
    assert pages(world) == before
    for asked in ("", "?group=north", "?releasable_to=group:north", "?groups=north"):
        assert world.ask("B", "GET", f"/api/reports/{hidden}{asked}").status_code == 404
    assert "north" not in world.ask("B", "GET", "/api/agencies").text


def test_lists_of_agencies_show_no_group_and_no_name_on_a_report_that_b_may_not_know_of(world: World) -> None:
    world.ask("admin", "PUT", "/api/groups/north/C")
    world.ask("admin", "PUT", "/api/groups/south/B")
    seen = world.submit("A", post("AMBER", releasable_to=["B", "C", "group:north", "group:south"]))[0]["report_id"]
    assert world.ask("B", "GET", f"/api/reports/{seen}").json()["releasable_to"] == ["B", "group:south"]
    assert world.ask("B", "GET", "/api/agencies").json()["groups"] == {"south": ["B"]}
    assert world.ask("B", "GET", f"/api/reports/{seen}/who").status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Agency": "A"}, {"X-Forwarded-User": "A"}, {"X-HTTP-Method-Override": "DELETE"}, {"X-Original-URL": "/api/feed"}, {"Cookie": "agency=A; audience=A"},
        {"tocsin.audience": "A"}, {"X-Override-Marking": "true"}, {"X-Role": "administer_hub"}, {"Accept": "text/html"}, {"Range": "bytes=0-1"},
        {"If-None-Match": "*"}, {"Host": "localhost"}, {"X-Forwarded-For": "127.0.0.1"}, {"Accept-Language": "ur"}, {"Prefer": "include-hidden"},
    ],
)  # fmt: skip
def test_no_header_opens_or_tells_anything(world: World, headers: dict[str, str]) -> None:
    hidden = hide(world)
    world.submit("A", post("GREEN"))
    bearer = {"Authorization": f"Bearer {world.tokens['B']}"}
    for path in (f"/api/reports/{hidden}", "/api/feed", "/api/incidents", "/api/agencies"):
        plain, dressed = (world.client.get(path, headers=bearer | h) for h in ({}, headers))
        assert (plain.status_code, plain.content) == (dressed.status_code, dressed.content)


@pytest.mark.parametrize(
    "asked",
    [
        "audience=A", "agency=A", "all=true", "sort=killed", "sort=report_id;DROP TABLE report", "order_by=1 DESC", "filter=1=1", "where=true", "marking=RED",
        "include_hidden=1", "q=quince-7731", "fields=body", "role=administer_hub", "as=A", "token=A",
    ],
)  # fmt: skip
def test_sorts_filters_and_flags_that_are_not_there_open_nothing(world: World, asked: str) -> None:
    hide(world)
    world.submit("A", post("GREEN"))
    refresh(world.fuse)
    for path in ("/api/feed", "/api/incidents"):
        assert world.ask("B", "GET", f"{path}?{asked}").content == world.ask("B", "GET", path).content


@pytest.mark.parametrize(
    "wrong", ["after=0;DROP TABLE tocsin.report", "limit=1 OR 1=1", "limit=-1", "limit=0", "limit=1001", "limit=99999999999999999999"]
)
def test_what_is_no_place_or_number_is_refused_and_harms_nothing(world: World, wrong: str) -> None:
    hide(world)
    for path in ("/api/feed", "/api/incidents", "/api/audit"):
        answer = world.ask("B", "GET", f"{path}?{wrong}")
        assert answer.status_code == 400
        assert SECRET not in answer.text
    assert len(world.ask("A", "GET", "/api/feed").json()["reports"]) == 1


def test_the_log_of_b_has_no_line_of_what_others_did_with_the_hidden(world: World) -> None:
    hidden = hide(world)
    world.ask("A", "GET", f"/api/reports/{hidden}")
    world.ask("A", "POST", f"/api/reports/{hidden}/remark", {"marking": "AMBER+STRICT"})
    assert world.ask("B", "GET", "/api/audit").json()["lines"] == []
    world.ask("B", "GET", f"/api/reports/{hidden}")
    lines = world.ask("B", "GET", "/api/audit").json()["lines"]
    assert [(line["position"], line["reason"]) for line in lines] == [(1, "no such report, or none that you may see")]


def test_what_is_given_out_in_bulk_has_nothing_above_the_readers_marking(world: World) -> None:
    """The feed and the incidents are all that can be taken away; an incident is no better known for a report that its reader may not see."""
    seen = post("GREEN", lat=24.86, lon=67.0, radius_km=1.0, killed=3, attack_type="explosion/suicide")
    world.submit("A", seen)
    before = pages(world)
    hide(world, **{k: v for k, v in seen.items() if k not in ("own_id", "marking")} | {"killed": 40})
    assert pages(world) == before
    assert any(b"40" in page for page in pages(world, "A"))


def test_posting_an_id_that_another_holds_tells_nothing_and_takes_nothing(world: World) -> None:
    one = post(own_id="17")
    theirs = world.submit("A", one)[0]
    mine = world.submit("B", one | {"text": "mine"})[0]
    world.forget()
    alone = world.submit("B", one | {"text": "mine"})[0]
    assert mine == alone
    assert mine["report_id"] != theirs["report_id"]
    for named in ({"report_id": theirs["report_id"]}, {"supersedes": theirs["report_id"]}, {"derived_from": [theirs["report_id"]]}):
        told = [world.submit("B", post(own_id=n) | named)[0]["status"] for n in ("x",)]
        ghost = [
            world.submit("B", post(own_id=n) | {k: NEVER if isinstance(v, str) else [NEVER] for k, v in named.items()})[0]["status"]
            for n in ("y",)
        ]
        assert told == ghost


def test_b_that_points_at_a_hidden_report_is_shown_no_more_than_if_it_pointed_at_nothing(world: World) -> None:
    hidden = hide(world, part_of="p")
    for field in ("supersedes", "derived_from"):
        mine = [world.submit("B", post(**{field: [i] if field == "derived_from" else i}))[0]["report_id"] for i in (hidden, NEVER)]
        shown = [world.ask("B", "GET", f"/api/reports/{i}").json() for i in mine]
        assert not any(field in s for s in shown)
