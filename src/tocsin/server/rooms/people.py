"""An agency's people and tokens, and what was done in its name."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post

from tocsin.errors import Malformed
from tocsin.hub.tokens import ADMINISTER
from tocsin.server.asked import AnyRequest, Json, Line, TheHub, Who, in_thread
from tocsin.server.rooms.shown import PERSON, form_of, page, to

ROLES = {
    "submit": "sends reports, and reads",
    "analyse": "judges, releases and asks for releases, and reads",
    "administer_agency": "sees to people, tokens and purges, and reads",
    "oversee": "reads the log, and no report",
}
STAFFS = {"administer_hub": "of the hub's staff: agencies, groups, people and tokens; no report"}
LINES = 100
ASKED = ("since", "until", "kind", "outcome", "words")
#: Kinds of lines, as the log is asked for them.
KINDS = {
    "read": "read",
    "sent": "sent: reports and files",
    "decided": "decided: releases, markings, judgements, purges",
    "people": "people, tokens, agencies and groups",
    "signed in": "signed in and out",
    "copied": "copies of the hub",
}


@get("/people", opt=PERSON)
async def people(request: AnyRequest, hub: TheHub, who: Who) -> Response[str]:
    """My agency's people and tokens."""
    return await _people(request, hub, who)


@post("/people", opt=PERSON, status_code=200)
async def change(request: AnyRequest, hub: TheHub, who: Who) -> Response[str]:
    """Invites a person, or makes a token: each secret is shown this once. Closes an account, or revokes a token."""
    who.has(ADMINISTER, "this")
    said = await form_of(request)
    does, name, roles, agency = said.get("does", ""), said.get("name", "").strip(), said.get("roles", []), said.get("agency") or None
    try:
        if does == "invite":
            made = await in_thread(hub.accounts.invite, who, name, roles, agency)
            link = f"{str(request.base_url).rstrip('/')}{made['path']}"
            return await _people(request, hub, who, made={"what": "invitation", "name": name, "secret": link, "until": made["expires"]})
        if does == "token":
            text = said.get("days", "").strip()
            days = int(text) if text.isdecimal() and len(text) < 6 else 0
            made = await in_thread(hub.tokens.add, who, name, agency, roles, days)
            return await _people(request, hub, who, made={"what": "token", "name": name, "secret": made["token"], "until": made["expires"]})
        if does not in ("close", "revoke"):
            raise Malformed("this page invites, makes a token, closes an account or revokes a token: load it anew")
        await in_thread(hub.accounts.close if does == "close" else hub.tokens.revoke, who, name, agency)
    except Malformed as why:
        return await _people(request, hub, who, wrong=str(why), status=400)
    return to("/people")


@get("/log", opt=PERSON)
async def log(request: AnyRequest, hub: TheHub, who: Who, before: Line = 0) -> Response[str]:
    """What was done in my agency's name, the latest first; of a time, a kind, an outcome, or with some words."""
    asked = {k: request.query_params.get(k, "") for k in ASKED}
    try:
        found, wrong = await in_thread(lambda: hub.auditing.found(who, asked, before=before, limit=LINES)), ""
    except Malformed as why:
        found, wrong = {"lines": [], "next": 0}, str(why)
    again = urlencode({k: v for k, v in asked.items() if v})
    return page(request, "log.html", 400 if wrong else 200, **found, asked=asked, again=again, before=before, wrong=wrong, kinds=KINDS)


async def _people(
    request: AnyRequest, hub: TheHub, who: Who, made: Json | None = None, wrong: str = "", status: int = 200
) -> Response[str]:
    def ask() -> Json:
        staff = who.is_staff
        roles = STAFFS | ROLES if staff else ROLES
        agencies = hub.agencies(who)["agencies"] if staff else []
        return {"accounts": hub.accounts.all(who), "tokens": hub.tokens.all(who), "roles": roles, "agencies": agencies}

    return page(request, "people.html", status, **await in_thread(ask), made=made, wrong=wrong)


PEOPLE: list[Any] = [people, change, log]
