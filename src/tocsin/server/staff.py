"""Pages of the hub's own staff, and of an agency's administrator: agencies, groups, tokens."""

from __future__ import annotations

from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery

from tocsin.server.asked import ANY, STAFF, AnyRequest, Json, TheHub, Who, in_thread, object_of


@post("/api/agencies", opt=STAFF, status_code=201)
async def add_agency(request: AnyRequest, hub: TheHub, who: Who) -> Json:
    """Take an agency into the hub: {"name": NAME}."""
    raw = await object_of(request, {"name": str})
    await in_thread(hub.staff.add_agency, who, raw["name"])
    return {"ok": True}


@post("/api/agencies/{agency:str}/leave", opt=STAFF, status_code=200)
async def leave_hub(request: AnyRequest, hub: TheHub, who: Who, agency: FromPath[str]) -> Json:
    """An agency leaves the hub: {"reports": "keep", "purge" or "hand-to", "to": the agency that they are handed to}."""
    raw = await object_of(request, {"reports": str}, {"to": str})
    await in_thread(hub.staff.leave, who, agency, raw["reports"], raw.get("to"))
    return {"ok": True}


@put("/api/groups/{group:str}/{agency:str}", opt=STAFF)
async def join(hub: TheHub, who: Who, group: FromPath[str], agency: FromPath[str]) -> Json:
    """Take an agency into a group."""
    await in_thread(hub.staff.set_member, who, group, agency, True)
    return {"ok": True}


@delete("/api/groups/{group:str}/{agency:str}", opt=STAFF, status_code=200)
async def leave(hub: TheHub, who: Who, group: FromPath[str], agency: FromPath[str]) -> Json:
    """Take an agency out of a group."""
    await in_thread(hub.staff.set_member, who, group, agency, False)
    return {"ok": True}


@get("/api/tokens", opt=ANY)
async def tokens(hub: TheHub, who: Who) -> Json:
    """The tokens of my agency (of all, for the hub's own staff), without their secrets."""
    return {"tokens": await in_thread(hub.tokens.all, who)}


@post("/api/tokens", opt=ANY, status_code=201)
async def add_token(request: AnyRequest, hub: TheHub, who: Who) -> Json:
    """Make a token, which is shown this once: {"label", "roles", "days", "agency"}. An administrator makes its own agency's."""
    raw = await object_of(request, {"label": str, "roles": list}, {"agency": str, "days": int})
    return await in_thread(lambda: hub.tokens.add(who, raw["label"], raw.get("agency"), raw["roles"], raw.get("days", 365)))


@delete("/api/tokens/{label:str}", opt=ANY, status_code=200)
async def revoke_token(hub: TheHub, who: Who, label: FromPath[str], agency: FromQuery[str | None] = None) -> Json:
    """A token of an agency holds no longer; without an agency, one of whose administrator asks."""
    await in_thread(hub.tokens.revoke, who, label, agency)
    return {"ok": True}


@get("/api/accounts", opt=ANY)
async def accounts(hub: TheHub, who: Who) -> Json:
    """The people of my agency (of all, for the hub's own staff) who sign in in the browser, and who is invited."""
    return {"accounts": await in_thread(hub.accounts.all, who)}


@post("/api/invitations", opt=ANY, status_code=201)
async def invite(request: AnyRequest, hub: TheHub, who: Who) -> Json:
    """Invite a person: {"name", "roles", "hours", "agency"}. The path that is given, this once, is where the person chooses a password."""
    raw = await object_of(request, {"name": str, "roles": list}, {"agency": str, "hours": int})
    return await in_thread(lambda: hub.accounts.invite(who, raw["name"], raw["roles"], raw.get("agency"), raw.get("hours", 72)))


@delete("/api/accounts/{name:str}", opt=ANY, status_code=200)
async def close_account(hub: TheHub, who: Who, name: FromPath[str], agency: FromQuery[str | None] = None) -> Json:
    """A person of an agency signs in no longer, and is signed out; an invitation that is open is taken back."""
    await in_thread(hub.accounts.close, who, name, agency)
    return {"ok": True}


STAFFS = [add_agency, leave_hub, join, leave, tokens, add_token, revoke_token, accounts, invite, close_account]
