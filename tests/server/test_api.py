"""The API by one request after another: what is taken, what is refused and how, who gets in."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hubs import Ticking, World

from tocsin.gate import Marking, Role, Scheme
from tocsin.hub import Hub
from tocsin.hub.door import Door
from tocsin.server.app import ASKS
from tocsin.server.routes import ROUTES
from tocsin.store.embedded import Embedded
from tocsin.terms.ids import report_id

ACLED = """event_id_cnty,event_date,year,time_precision,disorder_type,event_type,sub_event_type,actor1,assoc_actor_1,inter1,actor2,assoc_actor_2,inter2,\
interaction,civilian_targeting,iso,region,country,admin1,admin2,admin3,location,latitude,longitude,geo_precision,source,source_scale,notes,fatalities,tags,timestamp
PAK2,05 March 2024,2024,2,x,Battles,Armed clash,Military Forces of Pakistan (2022-2024),,1,TTP: Tehreek-e-Taliban Pakistan,,2,12,,586,South Asia,Pakistan,\
Balochistan,Zhob,,Zhob,31.3,69.4,2,AFP,International,A clash.,0,,1710000000"""
NEVER = "5f0b6a52-6c1e-5d0b-9d7e-1c3a7b1f2e40"


def post(marking: str = "GREEN", **more: Any) -> dict[str, Any]:
    return {"own_id": str(uuid4()), "event_start": "2026-01-01", "country": "PAK", "killed": 3, "marking": marking} | more


def test_a_report_is_stored_once_and_resending_is_harmless(world: World) -> None:
    one = post()
    first, again = world.submit("A", one)[0], world.submit("A", one)[0]
    assert (first["status"], again["status"]) == ("stored", "known")
    assert first["report_id"] == again["report_id"] == report_id("A", one["own_id"])
    assert world.submit("A", one | {"killed": 4})[0]["status"] == "refused"


def test_a_report_with_half_a_character_costs_itself_only(world: World) -> None:
    bearer = {"Authorization": f"Bearer {world.tokens['A']}", "Content-Type": "application/json"}
    body = json.dumps(
        [post(), post(text="HALF"), {"HALF": "HALF", "marking": "RED"}, post(own_id="HALF", country="HALF", event_start="HALF")]
    )
    answer = world.client.post("/api/reports", content=body.replace("HALF", "\\udfff"), headers=bearer)
    assert [one["status"] for one in answer.json()["results"]] == ["stored", "refused", "refused", "refused"]
    judged = json.dumps({"decides": "value", "reports": [], "why": "HALF", "field": "HALF", "value": "HALF"}).replace("HALF", "\\udfff")
    assert world.client.post("/api/judgements", content=judged, headers=bearer).status_code == 400


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 30, "-" + "9" * 30])
def test_a_number_that_is_too_large_costs_its_report_only(world: World, number: str) -> None:
    bearer = {"Authorization": f"Bearer {world.tokens['A']}", "Content-Type": "application/json"}
    body = json.dumps([post(), post(killed="LARGE"), post(lat="LARGE", lon=7.5), post()]).replace('"LARGE"', number)
    answer = world.client.post("/api/reports", content=body, headers=bearer)
    assert answer.status_code == 200, answer.text
    assert [one["status"] for one in answer.json()["results"]] == ["stored", "refused", "refused", "stored"]


def test_names_that_no_index_of_the_database_holds_cost_their_report_only(world: World) -> None:
    chance = random.Random(1)
    long = "".join(chr(chance.randrange(0x20000, 0x2A000)) for _ in range(1000))  # as text it cannot be packed
    body = [post(), post("AMBER", releasable_to=[long]), post("AMBER", releasable_to=[f"group:{long[:900]}"]), post(part_of=long), post()]
    assert [one["status"] for one in world.submit("A", *body)] == ["stored", "refused", "refused", "refused", "stored"]
    longest = [post("AMBER", releasable_to=[long[:200]]), post(part_of=long[:500]), post(own_id=long[:200], version=long[-200:])]
    assert [one["status"] for one in world.submit("A", *longest)] == ["stored"] * 3


def test_one_poison_report_costs_itself_only(world: World) -> None:
    poison: list[Any] = [
        post(marking="AMBRE"), post(killed=-1), post(lat=200, lon=0), post(event_start="2026-02-30"), post(text="a\0b"), post(text=7), post(agency="B"),
        post(report_id=NEVER), post(roles=["administer_hub"]), post(event_end="2025-01-01"), {"own_id": "x"}, "text", None, 1e300, [[]], post(lat=True, lon=1),
        post(derived_from=["x"]), post(killed=2**40), post(attack_type="tickling"),
    ]  # fmt: skip
    body = [post(), *poison, post()]
    results = world.submit("A", *body)
    assert [r["status"] for r in results] == ["stored", *["refused"] * (len(body) - 2), "stored"]
    assert all(reason for r in results[1:-1] for reason in r["reasons"])


def test_an_id_that_another_agency_holds_tells_nothing(world: World) -> None:
    one = post("RED")
    theirs = world.submit("A", one)[0]["report_id"]
    mine = world.submit("B", one)[0]
    assert mine["status"] == "stored"
    assert mine["report_id"] != theirs
    assert world.submit("B", post(report_id=theirs))[0] == world.submit("B", post(report_id=NEVER))[0]


@pytest.mark.parametrize("path", ["/api/reports/{}", "/api/reports/{}/who", "/api/incidents/{}"])
def test_a_hidden_id_answers_like_one_that_never_was(world: World, path: str) -> None:
    hidden = world.submit("A", post("RED"))[0]["report_id"]
    found, never = (world.ask("B", "GET", path.format(i)) for i in (hidden, NEVER))
    assert (found.status_code, found.content, found.headers) == (never.status_code, never.content, never.headers)
    assert found.status_code == 404


@pytest.mark.parametrize("act", [("release", {"to": "C", "why": "they need it"}), ("remark", {"marking": "CLEAR"})])
def test_acting_on_a_hidden_id_answers_like_on_one_that_never_was(world: World, act: tuple[str, Any]) -> None:
    hidden = world.submit("A", post("RED"))[0]["report_id"]
    found, never = (world.ask("B", "POST", f"/api/reports/{i}/{act[0]}", act[1]) for i in (hidden, NEVER))
    assert (found.status_code, found.content, found.headers) == (never.status_code, never.content, never.headers)
    assert world.ask("C", "GET", f"/api/reports/{hidden}").status_code == 404


def test_release_remark_and_groups_open_and_close(world: World, clock: Ticking) -> None:
    red = world.submit("A", post("RED"))[0]["report_id"]
    named = world.submit("A", post("AMBER", releasable_to=["group:north"]))[0]["report_id"]

    def seen(who: str, i: str) -> bool:
        return world.ask(who, "GET", f"/api/reports/{i}").status_code == 200

    assert not seen("B", red)
    assert not seen("B", named)
    clock.tick()
    assert world.ask("A", "POST", f"/api/reports/{red}/release", {"to": "B", "why": "they need it"}).status_code == 200
    assert world.ask("B", "POST", f"/api/reports/{red}/release", {"to": "C", "why": "they need it"}).status_code == 403
    assert world.ask("B", "POST", f"/api/reports/{red}/remark", {"marking": "CLEAR"}).status_code == 403
    assert (seen("B", red), seen("C", red)) == (True, False)
    assert world.ask("admin", "PUT", "/api/groups/north/B").status_code == 200
    assert (seen("B", named), seen("C", named)) == (True, False)
    assert world.ask("B", "GET", "/api/agencies").json()["groups"] == {"north": ["B"]}
    assert world.ask("C", "GET", "/api/agencies").json()["groups"] == {}
    who = world.ask("A", "GET", f"/api/reports/{named}/who").json()
    assert "is called group:north" in who.pop("warnings")[0]
    assert who == {"agencies": [{"agency": "A", "reason": "its originator"}], "groups": ["north"]}
    assert world.ask("admin", "DELETE", "/api/groups/north/B").status_code == 200
    assert not seen("B", named)
    assert world.ask("A", "POST", f"/api/reports/{red}/remark", {"marking": "AMBER+STRICT"}).status_code == 200
    assert not seen("B", red)


def test_references_to_hidden_reports_are_left_out(world: World) -> None:
    hidden, other = (r["report_id"] for r in world.submit("A", post("RED", part_of="p"), post("RED")))
    child = world.submit("A", post(supersedes=hidden, derived_from=[hidden, other], part_of="p"))[0]["report_id"]
    assert {"supersedes", "derived_from", "part_of"} <= world.ask("A", "GET", f"/api/reports/{child}").json().keys()
    assert not {"supersedes", "derived_from", "part_of", "own_id"} & world.ask("B", "GET", f"/api/reports/{child}").json().keys()
    world.ask("A", "POST", f"/api/reports/{other}/release", {"to": "B", "why": "they need it"})
    assert world.ask("B", "GET", f"/api/reports/{child}").json()["derived_from"] == [other]


def test_nobody_supersedes_anothers_report(world: World) -> None:
    theirs = world.submit("A", post())[0]["report_id"]
    mine = world.submit("B", post(supersedes=theirs))[0]["report_id"]
    assert "supersedes" not in world.ask("B", "GET", f"/api/reports/{mine}").json()


def test_pages_of_the_feed_go_on_where_the_last_one_ended(postgres: Embedded) -> None:
    world = World(postgres, Ticking())
    ids = {r["report_id"] for r in world.submit("A", *(post() for _ in range(25)))}
    after, met = 0, []
    while page := world.ask("B", "GET", f"/api/feed?after={after}&limit=10").json():
        met += [r["report_id"] for r in page["reports"]]
        if page["next"] == after:
            break
        after = page["next"]
    assert set(met) == ids
    assert len(met) == 25
    world.close()


def test_what_was_done_in_an_agencys_name_is_logged_with_the_reason(world: World) -> None:
    hidden = world.submit("A", post("RED"))[0]["report_id"]
    world.ask("B", "GET", f"/api/reports/{hidden}")
    lines = []
    while page := world.ask("B", "GET", f"/api/audit?after={lines[-1]['position'] if lines else 0}&limit=1000").json()["lines"]:
        lines += page
    assert lines[-1]["things"] == [hidden]
    assert (lines[-1]["allowed"], lines[-1]["reason"]) == (False, "no such report, or none that you may see")
    assert all(line["reason"] and line["who"] in ("B", "the hub's staff") for line in lines)


def test_a_file_is_read_under_one_marking(world: World) -> None:
    body = b"event_id_cnty,event_date,event_type\nPAK1,2026-01-01,Battles\n"
    bearer = {"Authorization": f"Bearer {world.tokens['A']}", "Content-Type": "application/octet-stream"}
    unknown = world.client.post("/api/files?name=x.csv&marking=GREEN", content=body, headers=bearer)
    assert unknown.status_code == 400
    assert "no reader knows this header" in unknown.json()["error"]["reason"]
    sent = f"{ACLED}\n".encode()
    first, again = (world.client.post("/api/files?name=x.csv&marking=RED", content=sent, headers=bearer).json() for _ in range(2))
    assert first["stored"] > 0
    assert (again["stored"], again["known"]) == (0, first["stored"])
    assert first["refusals"] == []
    unmarked = world.client.post("/api/files?name=x.csv&marking=PURPLE&releasable_to=", content=sent, headers=bearer)
    assert unmarked.status_code == 400
    assert "'PURPLE' is none of" in unmarked.json()["error"]["reason"]
    broken = world.client.post("/api/files?name=x.csv&marking=RED", content=b"\x1f\x8b" + sent, headers=bearer)
    assert broken.status_code == 400
    assert broken.json()["error"]["reason"].startswith("x.csv: ")


def test_a_file_is_read_in_a_process_of_its_own_and_what_is_wrong_with_it_is_said_by_its_own_name(world: World) -> None:
    bearer = {"Authorization": f"Bearer {world.tokens['A']}", "Content-Type": "application/octet-stream"}
    wrong = world.client.post("/api/files?name=mine.csv&marking=RED", content=b"a,b\n1,2\n", headers=bearer).json()["error"]["reason"]
    assert wrong.startswith("mine.csv: no reader knows this header")
    assert "/" not in wrong
    odd = f"{ACLED}\n".replace("05 March 2024", "31 March 2024").replace("PAK2", "PAK3").replace("69.4", "none")
    issues = world.client.post("/api/files?name=x.csv&marking=RED", content=odd.encode(), headers=bearer).json()
    assert issues["issues_in_all"] == len(issues["issues"]) > 0
    assert {"row", "field", "value", "reason"} == set(issues["issues"][0])
    assert all(isinstance(i["row"], int) and i["reason"] for i in issues["issues"])


def routes() -> list[tuple[str, str, str]]:
    return sorted((m, p, str(h.opt.get("for"))) for h in ROUTES for p in h.paths for m in h.http_methods)  # type: ignore[attr-defined]


@pytest.mark.parametrize("agency", ["C", None])
@pytest.mark.parametrize("role", list(Role))
def test_a_token_has_roles_that_fit_whose_it_is(world: World, agency: str | None, role: Role) -> None:
    asked = {"label": f"{agency}-{role}", "roles": [role]} | ({"agency": agency} if agency else {})
    fits = role is Role.OVERSEE or (agency is None) is (role is Role.ADMINISTER_HUB)
    assert world.ask("admin", "POST", "/api/tokens", asked).status_code == (201 if fits else 400)


def test_every_route_says_whom_it_is_for() -> None:
    assert {whom for _, _, whom in routes()} <= set(ASKS)


def test_a_token_ends_when_it_expires_and_when_it_is_revoked(postgres: Embedded) -> None:
    clock = Ticking()
    world = World(postgres, clock)
    for label in ("short", "gone"):
        made = world.ask("admin", "POST", "/api/tokens", {"label": label, "agency": "A", "roles": ["submit"], "days": 1})
        world.tokens[label] = made.json()["token"]
        assert world.ask(label, "GET", "/api/feed").status_code == 200
    assert world.ask("admin", "DELETE", "/api/tokens/gone?agency=A").status_code == 200
    assert world.ask("gone", "GET", "/api/feed").status_code == 401
    clock.at += timedelta(days=1)
    assert world.ask("short", "GET", "/api/feed").status_code == 401
    assert world.hub.staff.first_token() is None
    world.close()


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({}, b"{}", 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, b"{}", 415),
        ({"Content-Type": "application/json"}, b"{", 400),
        ({"Content-Type": "application/json"}, b"[" * 200_000, 400),
        ({"Content-Type": "application/json"}, b'{"a":' * 200_000, 400),
        ({"Content-Type": "application/json"}, b'"' + b"x" * 10_000_001 + b'"', 413),
        ({"Content-Type": "application/json"}, b'[{"marking": "\xff"}]', 400),
        ({"Content-Type": "application/json"}, b'[{"own_id": "\\ud800"}', 400),
        ({"Content-Type": "application/json"}, b"[" + b"0," * 1000 + b"0]", 400),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(world: World, headers: dict[str, str], body: bytes, status: int) -> None:
    bearer = {"Authorization": f"Bearer {world.tokens['A']}"}
    answer = world.client.post("/api/reports", content=body, headers=bearer | headers)
    assert answer.status_code == status
    assert answer.json()["error"]["status"] == status
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "path", ["/api/reports/%00", "/api/incidents/a%00b", "/api/feed?after=%00", "/api/files?name=%00.csv&marking=RED", "/api/tokens/%00"]
)
def test_a_zero_character_in_an_address_is_refused(world: World, path: str) -> None:
    method = "POST" if "files" in path else "DELETE" if "tokens" in path else "GET"
    assert world.ask("A", method, path).status_code == 400


def test_the_schema_names_every_route(world: World) -> None:
    paths = world.ask(None, "GET", "/api/schema/openapi.json").json()["paths"]
    assert {p.replace(":str", "") for _, p, _ in routes()} <= paths.keys()


@pytest.mark.parametrize("path", ["feed?limit=0", "feed?limit=1001", "feed?limit=many", "feed?after=" + "A" * 500, "audit?after=-1"])
def test_a_parameter_that_is_wrong_is_named_with_what_is_wanted(world: World, path: str) -> None:
    answer = world.ask("A", "GET", f"/api/{path}")
    assert answer.status_code == 400
    assert answer.json()["error"]["reason"].startswith(path.partition("?")[2].partition("=")[0] + ": expected ")
    assert "AAA" not in answer.text


def test_every_door_of_a_hub_goes_by_the_scheme_of_the_hub(world: World) -> None:
    scheme = Scheme("national", (Marking("OPEN", 0, "public", True), Marking("SECRET", 1, "agencies", False)))
    doors = [door for door in vars(Hub(world.store, Ticking(), scheme)).values() if isinstance(door, Door)]
    assert len(doors) > 5
    assert [type(door).__name__ for door in doors if door.scheme is not scheme] == []


def test_a_page_says_its_encoding_once(world: World) -> None:
    pages = {"/metrics": "text/plain; version=0.0.4", "/sign-in": "text/html", "/style.css": "text/css"}
    assert {path: world.ask("admin", "GET", path).headers["content-type"] for path in pages} == {
        path: f"{kind}; charset=utf-8" for path, kind in pages.items()
    }


def test_two_agencies_or_groups_whose_names_look_alike_are_not_taken(postgres: Embedded) -> None:
    world = World(postgres, Ticking(), ("police",))
    for name in ("police ", "Police", "coast  guard", " rescue", "public", "Public"):
        assert world.ask("admin", "POST", "/api/agencies", {"name": name}).status_code == 400, name
    assert world.ask("admin", "POST", "/api/agencies", {"name": "coast guard"}).status_code == 201
    assert [world.ask("admin", "PUT", f"/api/groups/{name}/police").status_code for name in ("karachi", "Karachi", "karachi%20")] == [
        200,
        400,
        400,
    ]
    assert world.ask("admin", "GET", "/api/agencies").json() == {"agencies": ["coast guard", "police"], "groups": {"karachi": ["police"]}}
    world.close()


def test_the_sixty_third_agency_is_refused_with_a_reason(postgres: Embedded) -> None:
    world = World(postgres, Ticking(), ())
    for n in range(62):
        assert world.ask("admin", "POST", "/api/agencies", {"name": f"a{n}"}).status_code == 201
    answer = world.ask("admin", "POST", "/api/agencies", {"name": "one more"})
    assert (answer.status_code, "at most 62 agencies" in answer.json()["error"]["reason"]) == (400, True)
    world.close()
