"""Each of these has happened to a peer: what user B of another agency, or one with a lesser role, can do that it may not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hubs import World

from tocsin.hub.clock import clock as hub_clock
from tocsin.store.embedded import Embedded

NEVER = "5f0b6a52-6c1e-5d0b-9d7e-1c3a7b1f2e40"
SCRIPT = "<script>alert(1)</script>"


def post(marking: str = "RED", **more: Any) -> dict[str, Any]:
    return {"own_id": str(uuid4()), "event_start": "2026-01-01", "country": "PAK", "killed": 3, "marking": marking} | more


def sees(world: World, who: str, report_id: str) -> bool:
    return world.ask(who, "GET", f"/api/reports/{report_id}").status_code == 200


def holder(world: World, label: str, agency: str | None, *roles: str) -> str:
    """A token of these roles, under its label."""
    if label not in world.tokens:
        made = world.ask("admin", "POST", "/api/tokens", {"label": label, "roles": list(roles)} | ({"agency": agency} if agency else {}))
        world.tokens[label] = made.json()["token"]
    return label


def test_who_is_let_in_for_one_report_changes_no_other_by_an_id_in_the_body(world: World) -> None:
    hidden = world.submit("A", post())[0]["report_id"]
    mine = world.submit("B", post())[0]["report_id"]
    for name in ("report_id", "id", "report", "ids"):
        for act, body in (("release", {"to": "B", "why": "they need it"}), ("remark", {"marking": "CLEAR"})):
            assert world.ask("B", "POST", f"/api/reports/{mine}/{act}", body | {name: hidden}).status_code == 400
            assert world.ask("B", "POST", f"/api/reports/{mine}/{act}?{name}={hidden}", body).status_code in (200, 400)
    assert not sees(world, "B", hidden)
    assert not sees(world, "C", hidden)


@pytest.mark.parametrize(
    "named",
    ["agency", "originator", "received_at", "visible_at", "known_at", "report_id", "released_to", "position", "roles", "role", "token"],
)
def test_a_post_sets_nothing_that_is_the_hubs_to_set(world: World, named: str) -> None:
    answer = world.submit("B", post(**{named: "A"}))[0]
    assert answer["status"] == "refused"
    assert answer["reasons"][0].startswith(named)


@pytest.mark.parametrize(
    "more", [{"agency": "A"}, {"role": "administer_hub"}, {"roles": ["administer_hub"]}, {"token": "x"}, {"hash": "x"}, {"who": "A"}]
)
def test_no_act_takes_a_field_that_it_does_not_know(world: World, more: dict[str, Any]) -> None:
    mine = world.submit("B", post())[0]["report_id"]
    for path, body in (
        (f"/api/reports/{mine}/release", {"to": "C", "why": "they need it"}),
        (f"/api/reports/{mine}/remark", {"marking": "RED"}),
    ):
        assert world.ask("B", "POST", path, body | more).status_code == 400
    for path, body in (("/api/agencies", {"name": "D"}), ("/api/tokens", {"label": "z", "roles": ["oversee"], "agency": "B"})):
        if not more.keys() & body.keys():
            assert world.ask("admin", "POST", path, body | more).status_code == 400


@pytest.mark.parametrize(
    ("role", "acts"),
    [
        ("oversee", {"submit", "file", "release", "remark"}),
        ("analyse", {"submit", "file", "remark"}),
        ("submit", {"release"}),
        ("administer_agency", {"submit", "file"}),
    ],
)
def test_who_may_only_read_makes_nothing(world: World, role: str, acts: set[str]) -> None:
    who = holder(world, f"only {role}", "A", role)
    mine = world.submit("A", post())[0]["report_id"]
    bearer = {"Authorization": f"Bearer {world.tokens[who]}", "Content-Type": "application/octet-stream"}
    tried = {
        "submit": lambda: world.ask(who, "POST", "/api/reports", post()),
        "file": lambda: world.client.post("/api/files?name=x.csv&marking=RED", content=b"a,b\n", headers=bearer),
        "release": lambda: world.ask(who, "POST", f"/api/reports/{mine}/release", {"to": "B", "why": "they need it"}),
        "remark": lambda: world.ask(who, "POST", f"/api/reports/{mine}/remark", {"marking": "CLEAR"}),
    }
    for act in acts:
        assert tried[act]().status_code == 403, act
    assert not sees(world, "B", mine)


@pytest.mark.parametrize("guess", ["A", "admin", "label", "tocsin_", "tocsin_A", "null", "0", "' OR '1'='1", "A:A", "\t", "é"])
def test_a_name_or_label_is_no_token(world: World, guess: str) -> None:
    for kind in ("Bearer", "bearer", "Basic", "Token", ""):
        answer = world.client.get("/api/feed", headers={"Authorization": f"{kind} {guess}".encode()})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_kept_hash_of_a_token_is_no_token(world: World) -> None:
    from tocsin.hub import hashed

    kept = hashed(world.tokens["A"]).hex()
    assert world.client.get("/api/feed", headers={"Authorization": f"Bearer {kept}"}).status_code == 401
    for place in (f"/api/feed?token={world.tokens['A']}", f"/api/feed?access_token={world.tokens['A']}"):
        assert world.ask(None, "GET", place).status_code == 401


def test_an_agencys_administrator_does_nothing_to_the_hub_or_to_another_agency(world: World) -> None:
    who = holder(world, "B administrator", "B", "administer_agency")
    tried = [
        ("POST", "/api/agencies", {"name": "D"}), ("PUT", "/api/groups/north/B", None), ("DELETE", "/api/groups/north/A", None),
        ("POST", "/api/tokens", {"label": "up", "roles": ["administer_hub"]}), ("POST", "/api/tokens", {"label": "over", "roles": ["analyse"], "agency": "A"}),
    ]  # fmt: skip
    for method, path, body in tried:
        assert world.ask(who, method, path, body).status_code in (400, 403), path
    assert world.ask("A", "GET", "/api/feed").status_code == 200
    assert "D" not in world.ask("A", "GET", "/api/agencies").json()["agencies"]


def test_wrong_tokens_however_many_and_by_whatever_verb_lock_nobody_out(world: World) -> None:
    for verb in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"):
        for guess in range(20):
            wrong = {"Authorization": f"Bearer {world.tokens['A'][:-2]}{guess:02}"}
            assert world.client.request(verb, "/api/feed", headers=wrong).status_code in (401, 404, 405, 204)
    assert world.ask("A", "GET", "/api/feed").status_code == 200


@pytest.mark.parametrize(
    "path", ["/API/feed", "/api/Feed", "//api/feed", "/api//feed", "/api/feed/../feed", "/api/%66eed", "/api/feed%2f", "/api/feed;x"]
)
def test_no_spelling_of_a_page_goes_round_the_guard(world: World, path: str) -> None:
    answer = world.client.get(
        path, follow_redirects=False
    )  # //api/feed is the page /feed of a host `api`: a room, which leads to its sign-in
    assert answer.status_code in (303, 401, 404)
    assert "reports" not in answer.text


def test_a_token_that_expired_holds_no_longer_when_the_machines_clock_is_put_back(postgres: Embedded) -> None:
    now = hub_clock()()
    world = World(postgres, hub_clock(now + timedelta(days=400)), agencies=("A",))  # a hub that was once 400 days ahead
    world.tokens["brief"] = world.ask(
        "admin", "POST", "/api/tokens", {"label": "brief", "agency": "A", "roles": ["submit"], "days": 1}
    ).json()["token"]
    world.submit("A", post())
    with world.store.transaction(None) as tx:
        last = tx.one("last_tick")
    assert last is not None
    late = last["last"]
    world.hub.now = hub_clock(late)  # started again: the machine's clock is right by now, and the hub's goes on from its last
    assert world.ask("brief", "GET", "/api/feed").status_code == 200
    world.hub.now = hub_clock(late + timedelta(days=1))
    assert world.ask("brief", "GET", "/api/feed").status_code == 401
    assert hub_clock(late)() >= late
    world.close()


def test_a_script_in_a_text_comes_back_as_data_that_no_browser_runs(world: World) -> None:
    made = world.submit("A", post("GREEN", text=SCRIPT, admin2=SCRIPT, url="javascript:alert(1)", part_of=SCRIPT, publisher=SCRIPT))[0]
    assert made["status"] in ("stored", "refused")
    if made["status"] == "refused":
        made = world.submit("A", post("GREEN", text=SCRIPT))[0]
    for path in (
        f"/api/reports/{made['report_id']}",
        "/api/feed?limit=1000",
        "/api/incidents",
        f"/api/reports/{SCRIPT}",
        f"/{SCRIPT}",
        "/api/agencies",
    ):
        answer = world.ask("B", "GET", path)
        assert answer.headers["content-type"].split(";")[0] == "application/json", path
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert answer.headers["cache-control"] == "no-store", path


@pytest.mark.parametrize("name", [SCRIPT, "", " ", "a" * 65, "a\nb", "../x", "a;b", "a'b", "é", "\u202ea", "-x", "group:x", "a/b", "A\0"])
def test_no_name_or_label_can_carry_a_script_a_path_or_a_trick_of_writing(world: World, name: str) -> None:
    from urllib.parse import quote

    assert world.ask("admin", "POST", "/api/agencies", {"name": name}).status_code == 400
    assert world.ask("admin", "POST", "/api/tokens", {"label": name, "agency": "A", "roles": ["submit"]}).status_code == 400
    assert world.ask("admin", "PUT", f"/api/groups/{quote(name, safe='')}/A").status_code in (400, 404, 405)
