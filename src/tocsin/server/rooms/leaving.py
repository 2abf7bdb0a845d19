"""Where the hub's own staff lets an agency leave: first a page that says what will happen, then the same record as the command line's."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from tocsin.errors import Malformed, NotThere
from tocsin.gate import Role
from tocsin.hub import Caller, Hub
from tocsin.server.asked import AnyRequest, Json, TheHub, Who, in_thread
from tocsin.server.rooms.confirm import sure
from tocsin.server.rooms.shown import PERSON, form_of, page, to

#: What becomes of its reports, in words that say beforehand what follows.
FATES = {
    "keep": "They stay as they are marked; nobody can release, re-mark or purge them any more.",
    "hand-to": "Another agency is their originator from now on: it sees them all, RED ones too, and decides on them.",
    "purge": "They are gone for good, with all that was made of them; nobody brings them back.",
}
CALLED = {"keep": "Keep them", "hand-to": "Hand them to another agency", "purge": "Take them away for good"}


@get("/agencies/{agency:str}/leave", opt=PERSON)
async def leave_form(request: AnyRequest, hub: TheHub, who: Who, agency: FromPath[str]) -> Response[str]:
    """Where it is said what becomes of the reports of an agency that leaves."""
    _allowed(who)
    return await _form(request, hub, who, agency)


@post("/agencies/{agency:str}/leave", opt=PERSON, status_code=200)
async def leave(request: AnyRequest, hub: TheHub, who: Who, agency: FromPath[str]) -> Response[str]:
    """The agency leaves, when asked twice."""
    _allowed(who)
    said = await form_of(request)
    fate, heir = said.get("fate", ""), said.get("to", "") if said.get("fate") == "hand-to" else ""
    try:
        held = await in_thread(_checked, hub, who, agency, fate, heir, said)
        if "sure" in said:
            await in_thread(hub.staff.leave, who, agency, fate, heir or None)
            return to("/agencies")
    except Malformed as why:
        return await _form(request, hub, who, agency, said, str(why))
    except NotThere:
        if "sure" not in said:
            raise
        return to("/agencies")  # pressed twice: it has left
    tells = [
        f"{agency} is out of the hub at once, for good: nobody signs in in its name, and the name stays taken.",
        f"Its reports: {FATES[fate].replace('Another agency', heir)}",
        "Who asked it for a release is told that nobody is there to decide.",
        "Copies that were made earlier still have them." if fate == "purge" else "To have the way back, take a copy first: tocsin backup.",
        "It is in the staff's log.",
    ]
    lists = [
        ("Tokens that end", held["tokens"]),
        ("People who sign in no longer", held["people"]),
        ("Groups that it is out of", held["groups"]),
    ]
    title, button = f"{agency} leaves the hub?", f"{agency} leaves"
    return sure(request, request.url.path, said, title, tells, back="/agencies", lists=lists, button=button)


def _allowed(who: Caller) -> None:
    who.has(frozenset({Role.ADMINISTER_HUB}), "this")


def _checked(hub: Hub, who: Caller, agency: str, fate: str, heir: str, said: Json) -> Json:
    """What ends with the agency, where it may leave as it is said. Raises `NotThere`, `Malformed`."""
    held = _held(hub, who, agency)
    if fate not in FATES:
        raise Malformed("say what becomes of its reports")
    if fate == "hand-to" and heir not in held["others"]:
        raise Malformed("to: choose the agency that its reports are handed to")
    if said.get("name", "").strip() != agency:
        raise Malformed(f"name: write {agency}, as it stands, so that no other agency is meant")
    return held


def _held(hub: Hub, who: Caller, agency: str) -> Json:
    """What an agency has that ends with it; of its reports the staff sees nothing, not even how many. Raises `NotThere`."""
    known = hub.agencies(who)
    if agency not in known["agencies"]:
        raise NotThere("no such agency in this hub")
    now = hub.now().isoformat()
    tokens = [t["label"] for t in hub.tokens.all(who) if t.get("agency") == agency and "revoked_at" not in t and t["expires"] > now]
    people = [a["name"] for a in hub.accounts.all(who) if a.get("agency") == agency and ("closed_at" not in a or "invited_until" in a)]
    groups = [name for name, inside in known["groups"].items() if agency in inside]
    others = [name for name in known["agencies"] if name != agency]
    return {"agency": agency, "tokens": tokens, "people": people, "groups": groups, "others": others}


async def _form(request: AnyRequest, hub: Hub, who: Caller, agency: str, said: Json | None = None, wrong: str = "") -> Response[str]:
    held = await in_thread(_held, hub, who, agency)
    return page(request, "leave.html", 400 if wrong else 200, held=held, said=said or {}, wrong=wrong, fates=FATES, called=CALLED)


LEAVING: list[Any] = [leave_form, leave]
