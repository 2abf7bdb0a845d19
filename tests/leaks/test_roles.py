"""Default deny: every route with every role, against a table that is written by hand. A route without a line in it fails."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from hubs import TAXII, Ticking, World
from litestar import get
from litestar.testing import TestClient
from people import Person, person

from tocsin.server.app import make_app

NEVER = "5f0b6a52-6c1e-5d0b-9d7e-1c3a7b1f2e40"

#: Who asks: a token of one role, of an agency or of the hub's own staff.
AGENCY = {"submit", "analyse", "administer_agency", "oversee"}
STAFF = {"administer_hub", "hub's overseer"}
EVERY = AGENCY | STAFF
READ = {"submit", "analyse", "administer_agency"}
RELEASE = {"analyse", "administer_agency"}
REMARK = {"submit", "administer_agency"}
TOLD = {"analyse", "administer_agency", "oversee"}
TOKENS = {"administer_agency", "administer_hub"}
LOG = {"administer_agency", "oversee", "administer_hub", "hub's overseer"}
#: Who has no token that holds: 401 everywhere but on what is public.
NOBODY = ("none", "wrong", "expired", "revoked")
PUBLIC: set[str] | None = None

#: (method, path): who may, and a body with which it goes as far as the roles.
MAY: dict[tuple[str, str], tuple[set[str] | None, Any]] = {
    ("GET", "/health"): (PUBLIC, None),
    ("GET", "/ready"): (PUBLIC, None),
    ("GET", "/api/schema"): (PUBLIC, None),
    ("GET", "/api/schema/openapi.json"): (PUBLIC, None),
    ("GET", "/api/schema/{path}"): (PUBLIC, None),
    ("POST", "/api/reports"): ({"submit"}, {"marking": "RED"}),
    ("POST", "/api/files?name=x.csv&marking=RED"): ({"submit"}, b"a,b\n"),
    ("GET", "/api/feed"): (READ, None),
    ("GET", "/api/public/feed"): (PUBLIC, None),
    ("GET", "/api/reports/{report_id}"): (READ, None),
    ("GET", "/api/reports/{report_id}/who"): (READ, None),
    ("POST", "/api/reports/{report_id}/release"): (RELEASE, {"to": "B", "why": "they need it"}),
    ("POST", "/api/reports/{report_id}/requests"): (RELEASE, {"to": "B", "why": "x"}),
    ("GET", "/api/requests"): (TOLD, None),
    ("POST", "/api/requests/{request_id}/decision"): (RELEASE, {"grant": True, "why": "x"}),
    ("POST", "/api/judgements"): ({"analyse"}, {"decides": "merge", "reports": [NEVER, NEVER[::-1]], "why": "x"}),
    ("GET", "/api/judgements"): (READ, None),
    ("POST", "/api/reports/{report_id}/purge"): ({"administer_agency"}, {"why": "x"}),
    ("GET", "/api/purged"): ({"administer_agency", "oversee"}, None),
    ("POST", "/api/agencies/{agency}/leave"): ({"administer_hub"}, {"reports": "keep"}),
    ("GET", "/api/releases"): (TOLD, None),
    ("POST", "/api/incidents/{incident_id}/release"): (RELEASE, {"to": "B", "why": "x"}),
    ("POST", "/api/reports/{report_id}/remark"): (REMARK, {"marking": "RED"}),
    ("GET", "/api/incidents"): (READ, None),
    ("GET", "/api/incidents/{incident_id}"): (READ, None),
    ("GET", "/api/picture"): (READ, None),
    ("GET", "/picture/brief.html"): (READ, None),
    ("GET", "/api/signals"): (READ, None),
    ("GET", "/api/signals/received"): (READ, None),
    ("POST", "/api/signals/{signal_id}/release"): (RELEASE, {"to": "B", "why": "x"}),
    ("POST", "/api/signals/{signal_id}/requests"): (RELEASE, {"to": "B", "why": "x"}),
    ("GET", "/api/signals/{signal_id}/who"): (READ, None),
    ("GET", "/metrics"): (STAFF, None),
    ("GET", "/api/agencies"): (EVERY, None),
    ("GET", "/api/me"): (EVERY, None),
    ("GET", "/api/audit"): (LOG, None),
    ("POST", "/api/agencies"): ({"administer_hub"}, {"name": "B"}),
    ("PUT", "/api/groups/{group}/{agency}"): ({"administer_hub"}, None),
    ("DELETE", "/api/groups/{group}/{agency}"): ({"administer_hub"}, None),
    ("GET", "/api/tokens"): (LOG, None),
    ("POST", "/api/tokens"): (TOKENS, {"label": "x", "roles": []}),
    ("DELETE", "/api/tokens/{label}"): (TOKENS, None),
    ("GET", "/api/accounts"): (LOG, None),
    ("POST", "/api/invitations"): (TOKENS, {"name": "x", "roles": []}),
    ("DELETE", "/api/accounts/{name}"): (TOKENS, None),
    ("GET", "/style.css"): (PUBLIC, None),
    ("GET", "/sign-in"): (PUBLIC, None),
    ("GET", "/invitation/{link}"): (PUBLIC, None),
    ("GET", "/taxii2"): (EVERY, None),
    ("GET", "/taxii2/hub"): (EVERY, None),
    ("GET", "/taxii2/hub/status/{status}"): (AGENCY, None),
    ("GET", "/taxii2/hub/collections"): (AGENCY, None),
    ("GET", "/taxii2/hub/collections/{collection}"): (AGENCY, None),
    ("GET", "/taxii2/hub/collections/{collection}/manifest"): (READ, None),
    ("GET", "/taxii2/hub/collections/{collection}/objects"): (READ, None),
    ("POST", "/taxii2/hub/collections/{collection}/objects"): ({"submit"}, b'{"objects": [{}]}'),
    ("GET", "/taxii2/hub/collections/{collection}/objects/{object_id}"): (READ, None),
    ("DELETE", "/taxii2/hub/collections/{collection}/objects/{object_id}"): ({"submit", "oversee"}, None),  # to who may neither read nor write it is not there
    ("GET", "/taxii2/hub/collections/{collection}/objects/{object_id}/versions"): (READ, None),
}  # fmt: skip


#: Of a form that carries a file: it is sent with one.
MULTIPART = {"marking": "none"}
#: The rooms, which a session opens and no token: of which role, and a form that goes as far as the roles.
ROOMS: dict[tuple[str, str], tuple[set[str], dict[str, Any] | None]] = {
    ("GET", "/"): (EVERY, None),
    ("GET", "/report"): ({"submit"}, None),
    ("POST", "/report"): ({"submit"}, {"killed": "x"}),
    ("GET", "/upload"): ({"submit"}, None),
    ("POST", "/upload"): ({"submit"}, MULTIPART),
    ("GET", "/upload/{upload_id}"): ({"submit"}, None),
    ("POST", "/upload/{upload_id}"): ({"submit"}, {"description": "x"}),
    ("GET", "/reports"): (READ, None),
    ("GET", "/reports/{report_id}"): (READ, None),
    ("GET", "/reports/{report_id}/correct"): ({"submit"}, None),
    ("POST", "/reports/{report_id}/correct"): ({"submit"}, {"why": "x"}),
    ("GET", "/reports/{report_id}/remark"): (REMARK, None),
    ("POST", "/reports/{report_id}/remark"): (REMARK, {"marking": "RED", "why": "x"}),
    ("GET", "/reports/{report_id}/release"): (RELEASE, None),
    ("POST", "/reports/{report_id}/release"): (RELEASE, {"to": "B", "why": "x"}),
    ("GET", "/reports/{report_id}/request"): (RELEASE, None),
    ("POST", "/reports/{report_id}/request"): (RELEASE, {"to": "B", "why": "x"}),
    ("GET", "/reports/{report_id}/purge"): ({"administer_agency"}, None),
    ("POST", "/reports/{report_id}/purge"): ({"administer_agency"}, {"why": "x", "sure": "yes"}),
    ("GET", "/requests"): (TOLD, None),
    ("GET", "/requests/{request_id}"): (RELEASE, None),
    ("POST", "/requests/{request_id}"): (RELEASE, {"grant": "yes", "why": "x"}),
    ("GET", "/judge"): ({"analyse"}, None),
    ("POST", "/judge"): ({"analyse"}, {"decides": "confirm", "reports": NEVER, "why": "x"}),
    ("GET", "/judgements"): (READ, None),
    ("GET", "/incidents"): (READ, None),
    ("GET", "/incidents/{incident_id}"): (READ, None),
    ("GET", "/incidents/{incident_id}/release"): (RELEASE, None),
    ("POST", "/incidents/{incident_id}/release"): (RELEASE, {"to": "B", "why": "x"}),
    ("GET", "/feed"): (READ, None),
    ("GET", "/signals"): (READ, None),
    ("GET", "/signals/{signal_id}"): (READ, None),
    ("GET", "/signals/{signal_id}/release"): (RELEASE, None),
    ("POST", "/signals/{signal_id}/release"): (RELEASE, {"to": "B", "why": "x"}),
    ("GET", "/signals/{signal_id}/request"): (RELEASE, None),
    ("POST", "/signals/{signal_id}/request"): (RELEASE, {"to": "B", "why": "x"}),
    ("GET", "/reporting"): (READ | STAFF, None),
    ("GET", "/agencies"): (STAFF, None),
    ("POST", "/agencies"): ({"administer_hub"}, {"does": "x"}),
    ("GET", "/agencies/{agency}/leave"): ({"administer_hub"}, None),
    ("POST", "/agencies/{agency}/leave"): ({"administer_hub"}, {"fate": "keep"}),
    ("GET", "/people"): (LOG, None),
    ("POST", "/people"): (TOKENS, {"does": "x"}),
    ("GET", "/log"): (LOG, None),
    ("POST", "/sign-out"): (EVERY, {}),
}  # fmt: skip
#: Forms that one sends before one is signed in; tests/server/test_signing_in.py tries them.
BEFORE = {("POST", "/sign-in"), ("POST", "/invitation/{link}")}


@pytest.fixture(scope="module")
def world(one: World, clock: Ticking) -> World:
    for role in sorted(AGENCY):
        one.tokens[role] = _token(one, role, [role], agency="C")
    one.tokens["administer_hub"] = _token(one, "administer", ["administer_hub"])
    one.tokens["hub's overseer"] = _token(one, "overseer", ["oversee"])
    every = ["submit", "analyse", "administer_agency", "oversee"]
    one.tokens["revoked"] = _token(one, "revoked", every, agency="C")
    one.tokens["expired"] = _token(one, "expired", every, agency="C", days=1)
    one.tokens["wrong"] = "tocsin_" + "x" * 43
    assert one.ask("admin", "DELETE", "/api/tokens/revoked?agency=C").status_code == 200
    clock.at += timedelta(days=2)
    return one


def _token(world: World, label: str, roles: list[str], **more: Any) -> str:
    made = world.ask("admin", "POST", "/api/tokens", {"label": label, "roles": roles} | more)
    assert made.status_code == 201, made.text
    found: str = made.json()["token"]
    return found


def _ask(world: World, who: str, method: str, path: str, body: Any) -> int:
    for name in ("report_id", "incident_id", "request_id", "signal_id"):
        path = path.replace(f"{{{name}}}", NEVER)
    path = path.replace("{collection}", "inbox").replace("{object_id}", f"report--{NEVER}").replace("{status}", NEVER)
    for name in ("group", "agency", "label", "name", "link"):
        path = path.replace(f"{{{name}}}", "nobody")
    if isinstance(body, bytes):
        headers = {"Authorization": f"Bearer {world.tokens[who]}"} if who != "none" else {}
        return world.client.request(
            method, path, content=body, headers=headers | {"Content-Type": TAXII if "taxii2" in path else "application/octet-stream"}
        ).status_code
    return world.ask(None if who == "none" else who, method, path, body).status_code


def _routes(app: Any) -> set[tuple[str, str]]:
    return {
        (m, r.path.replace(":str", "").rstrip("/")) for r in app.routes for m in getattr(r, "methods", ()) if m not in ("OPTIONS", "HEAD")
    }


TABLE = {(m, p.partition("?")[0]) for m, p in MAY} | {(m, p.rstrip("/")) for m, p in ROOMS} | BEFORE


def test_every_route_of_the_app_stands_in_the_table(world: World) -> None:
    assert _routes(world.client.app) == TABLE


def test_a_route_that_says_nothing_of_whom_it_is_for_is_for_nobody_and_fails_the_table(world: World) -> None:
    @get("/api/new", sync_to_thread=False)
    def new() -> dict[str, bool]:
        return {"ok": True}

    app = make_app(world.hub)
    app.register(new)
    assert _routes(app) != TABLE
    with TestClient(app) as client:
        for who in sorted(EVERY):
            for method in ("GET", "OPTIONS"):
                answer = client.request(method, "/api/new", headers={"Authorization": f"Bearer {world.tokens[who]}"})
                assert (answer.status_code, "Allow" in answer.headers) == (403, False)


@pytest.mark.parametrize(("method", "path"), sorted(MAY))
def test_who_may_is_let_in_and_nobody_else(world: World, method: str, path: str) -> None:
    may, body = MAY[(method, path)]
    for who in (*sorted(EVERY), *NOBODY):
        status = _ask(world, who, method, path, body)
        if may is None or who in may:
            assert status in (200, 201, 202, 400, 404), (who, status)
        else:
            assert status == (401 if who in NOBODY else 403), (who, status)


@pytest.fixture(scope="module")
def people(world: World) -> dict[str, Person]:
    world.hub.signing_in.hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    made = {role: person(world, "C", role.replace("_", "-"), role) for role in sorted(AGENCY)}
    return made | {
        "administer_hub": person(world, "", "chief", "administer_hub"),
        "hub's overseer": person(world, "", "overseer", "oversee"),
    }


@pytest.mark.parametrize(("method", "path"), sorted(ROOMS))
def test_a_room_opens_to_the_session_of_who_may_and_to_nobody_else(world: World, people: dict[str, Person], method: str, path: str) -> None:
    may, fields = ROOMS[(method, path)]
    place = (
        path.replace("{report_id}", NEVER).replace("{incident_id}", NEVER).replace("{collection}", "inbox").replace("{upload_id}", NEVER)
    )
    for who in (*sorted(EVERY), *NOBODY):
        headers = {"Authorization": f"Bearer {world.tokens[who]}"} if who != "none" else {}
        answer = world.client.request(method, place, headers=headers, data=fields, follow_redirects=False)
        assert answer.status_code == (303 if method == "GET" else 401), who
        assert method == "POST" or answer.headers["Location"].startswith("/sign-in")
    for role in sorted(EVERY):
        one = people[role]
        if fields is None:
            status = one.get(place).status_code
        else:
            form = re.search(r'name="form" value="(\w+)"', one.get("/log").text + one.get("/feed").text)
            assert form is not None
            files = {"file": ("x.csv", b"a")} if fields is MULTIPART else None
            status = one.client.post(place, data={"form": form[1]} | fields, files=files, follow_redirects=False).status_code
        assert status in ((200, 303, 400, 404) if role in may else (403,)), (role, status)
        if path == "/sign-out":
            one.sign_in()


@pytest.mark.parametrize(("method", "path"), sorted(key for key in ROOMS if key[0] == "POST"))
def test_no_form_is_taken_that_is_not_of_the_session(people: dict[str, Person], method: str, path: str) -> None:
    may, fields = ROOMS[(method, path)]
    place = re.sub(r"{\w+}", NEVER, path)
    one, other = people[min(may)], people[min(EVERY - {min(may)})]
    form = re.search(r'name="form" value="(\w+)"', other.get("/log").text + other.get("/feed").text)
    assert form is not None
    for given in ({}, {"form": form[1]}, {"form": "x"}):
        files = {"file": ("x.csv", b"a")} if fields is MULTIPART else None
        answer = one.client.post(place, data=(fields or {}) | given | {"sure": "yes"}, files=files, follow_redirects=False)
        assert answer.status_code == 403, given
        assert "this form is not of your session" in answer.text.replace("This form", "this form")


def test_a_session_reads_of_the_api_what_its_role_may_and_changes_nothing(world: World, people: dict[str, Person]) -> None:
    for (method, path), (may, body) in sorted(MAY.items(), key=str):
        if may is None:
            continue
        place = path.replace("{report_id}", NEVER).replace("{incident_id}", NEVER).replace("{collection}", "inbox")
        for role, one in people.items():
            answer = one.client.request(method, place, json=body if isinstance(body, dict) else None)
            if method != "GET":
                assert answer.status_code in (400, 401, 404), (method, path, role)
                assert answer.status_code == 401 or "{" in path, (method, path, role)
            else:
                allowed = (200, 202, 400, 404) if role in may else (403,)
                assert answer.status_code in allowed, (path, role, answer.status_code)


def _verbs(path: str) -> set[str]:
    """What the table says that a route takes."""
    named = {m for m, p in TABLE if p.rstrip("/") == path.rstrip("/")}
    return named | {"OPTIONS"} | ({"HEAD"} if path.startswith("/taxii2") and "GET" in named else set())


@pytest.mark.parametrize("path", sorted({p.partition("?")[0] for _, p in (*MAY, *ROOMS, *BEFORE)}))
def test_options_names_the_methods_of_a_route_to_all_that_it_may_be_for_and_looks_nothing_up(
    world: World, people: dict[str, Person], path: str
) -> None:
    verbs = [m for m in ("GET", "POST", "PUT", "DELETE") if m in _verbs(path)]
    public = all((m, path) in BEFORE or MAY.get((m, path), (set(), None))[0] is PUBLIC for m in verbs)
    room = (verbs[0], path) in ROOMS
    place = re.sub(r"{\w+}", NEVER, path)
    for who in (*sorted(EVERY), *NOBODY):
        headers = {"Authorization": f"Bearer {world.tokens[who]}"} if who != "none" else {}
        answer = world.client.options(place, headers=headers)
        if public or (who in EVERY and not room):
            assert (answer.status_code, answer.content, set(answer.headers["Allow"].split(", "))) == (204, b"", _verbs(path)), who
            assert answer.headers["Cache-Control"] == "no-store"
        else:
            assert answer.status_code == 401, who
            assert "Allow" not in answer.headers
    for role, one in people.items():
        assert one.client.options(place).status_code == 204, role


def test_options_says_the_same_of_every_id_and_nothing_of_what_is_no_route(world: World, people: dict[str, Person]) -> None:
    stored = world.ask("submit", "POST", "/api/reports", {"marking": "RED", "own_id": "asked by OPTIONS"}).json()["results"][0]["report_id"]
    pages = ("/api/reports/{}", "/api/incidents/{}", "/api/reports/{}/purge", "/reports/{}", "/incidents/{}", "/reports/{}/purge")
    for client, token in (
        (world.client, "submit"),
        (world.client, "administer_hub"),
        (people["submit"].client, ""),
        (world.client, "wrong"),
    ):
        headers = {"Authorization": f"Bearer {world.tokens[token]}"} if token else {}
        for page in pages:
            answers = [client.options(page.format(ident), headers=headers) for ident in (stored, NEVER)]
            there, never = (
                (a.status_code, a.text.replace(ident, ""), a.headers.items()) for a, ident in zip(answers, (stored, NEVER), strict=True)
            )
            assert there == never, (page, token)
        nowhere = [client.request(method, f"/api/nothing/{stored}", headers=headers) for method in ("GET", "OPTIONS")]
        assert [(a.status_code, a.content) for a in nowhere] == [(404, nowhere[0].content)] * 2
