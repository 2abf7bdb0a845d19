"""The pages of the API. Each says whom it is `for`; what they may see is the hub's to say."""

from __future__ import annotations

from typing import Annotated, Any

import anyio.to_thread
import msgspec
from litestar import Request, delete, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import FromPath, FromQuery, QueryParameter

from tocsin.errors import Malformed
from tocsin.hub import MOST, Caller, Hub
from tocsin.hub.files import submit_file

Json = dict[str, Any]
AnyRequest = Request[Any, Any, Any]
After = Annotated[int, QueryParameter(ge=0, le=2**62, description="Where to go on: `next` of the page before.")]
Limit = Annotated[int, QueryParameter(ge=1, le=MOST)]
AGENCY, STAFF, ANY, PUBLIC = ({"for": whom} for whom in ("agency", "staff", "any", "public"))
TheHub = NamedDependency[Hub]
Who = NamedDependency[Caller]
_in_thread = anyio.to_thread.run_sync


class _WrongMedia(ClientException):
    status_code = 415


async def _json(request: AnyRequest) -> Any:
    """The body, as JSON. Raises `Malformed`, 413, 415."""
    _media(request, "application/json")
    try:
        return msgspec.json.decode(await request.body())
    except RecursionError as why:
        raise Malformed("JSON that is nested too deep: a report is flat") from why
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise Malformed(f"not JSON ({why}): nothing of it was stored") from why


def _media(request: AnyRequest, wanted: str) -> None:
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != wanted or "content-encoding" in request.headers:
        raise _WrongMedia


async def _object(request: AnyRequest, needed: dict[str, type], optional: dict[str, type] | None = None) -> Json:
    """The body as an object of these fields and no others. Raises `Malformed`."""
    raw, every = await _json(request), needed | (optional or {})
    if not isinstance(raw, dict) or not needed.keys() <= raw.keys() <= every.keys():
        raise Malformed(f"an object is wanted with {', '.join(needed)}" + (f", and as you like {', '.join(optional)}" if optional else ""))
    for name, value in raw.items():
        if not isinstance(value, every[name]) or (isinstance(value, bool) and every[name] is int):
            raise Malformed(f"{name}: wanted is {every[name].__name__}")
        if "\0" in str(value) or (isinstance(value, list) and not all(isinstance(v, str) for v in value)):
            raise Malformed(f"{name}: has what is no text")
    return raw


@get("/health", opt=PUBLIC, sync_to_thread=False)
def health() -> Json:
    """The server runs."""
    return {"ok": True}


@get("/ready", opt=PUBLIC)
async def ready(hub: TheHub) -> Json:
    """The database answers too."""

    def ask() -> None:
        with hub.store.transaction(None) as tx:
            tx.all("last_tick")

    await _in_thread(ask)
    return {"ok": True}


@get("/metrics", opt=STAFF, media_type="text/plain; version=0.0.4; charset=utf-8")
async def metrics(request: AnyRequest, hub: TheHub) -> str:
    """How the hub runs, for Prometheus: requests by route, how long they took, connections to the database."""
    text: str = request.app.state.journal.metrics(hub.store.gauges())
    return text


@post("/api/reports", opt=AGENCY, status_code=200)
async def submit(request: AnyRequest, hub: TheHub, who: Who) -> Json:
    """Submit one report (an object), or up to 1,000 (a list). Each is stored, known, or refused with its reasons."""
    raw = await _json(request)
    many = raw if isinstance(raw, list) else [raw]
    if len(many) > MOST:
        raise Malformed(f"{len(many)} reports at once: send at most {MOST}")
    return {"results": await _in_thread(hub.submit, who, many)}


@post("/api/files", opt=AGENCY, status_code=200)
async def submit_a_file(
    request: AnyRequest,
    hub: TheHub,
    who: Who,
    name: FromQuery[str],
    marking: FromQuery[str],
    releasable_to: FromQuery[list[str] | None] = None,
    orcon: FromQuery[bool] = False,
) -> Json:
    """Submit a file that `tocsin read` knows, under one marking."""
    _media(request, "application/octet-stream")
    handling = {"marking": marking, "releasable_to": releasable_to or [], "orcon": orcon}
    body = await request.body()
    return await _in_thread(submit_file, hub, who, name, body, handling)


@get("/api/feed", opt=AGENCY)
async def feed(hub: TheHub, who: Who, after: After = 0, limit: Limit = 100) -> Json:
    """Reports that my agency may see, in the order in which it came to see them."""
    return await _in_thread(lambda: hub.feed(who, after=after, limit=limit))


@get("/api/reports/{report_id:str}", opt=AGENCY)
async def report(hub: TheHub, who: Who, report_id: FromPath[str]) -> Json:
    """One report."""
    return await _in_thread(hub.report, who, report_id)


@get("/api/reports/{report_id:str}/who", opt=AGENCY)
async def who_can_see(hub: TheHub, who: Who, report_id: FromPath[str]) -> Json:
    """Who may see a report of my agency, and why."""
    return await _in_thread(hub.who_can_see, who, report_id)


@post("/api/reports/{report_id:str}/release", opt=AGENCY, status_code=200)
async def release(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Json:
    """Open a report to one more agency: {"to": NAME}."""
    raw = await _object(request, {"to": str})
    await _in_thread(hub.release, who, report_id, raw["to"])
    return {"ok": True}


@post("/api/reports/{report_id:str}/remark", opt=AGENCY, status_code=200)
async def remark(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Json:
    """Mark a report of my agency anew; that replaces its whole handling, releases included."""
    raw = await _object(request, {"marking": str}, {"releasable_to": list, "orcon": bool})
    await _in_thread(lambda: hub.remark(who, report_id, raw["marking"], raw.get("releasable_to", []), raw.get("orcon", False)))
    return {"ok": True}


@get("/api/incidents", opt=AGENCY)
async def incidents(hub: TheHub, who: Who, after: After = 0, limit: Limit = 100) -> Json:
    """Incidents made of what my agency may see."""
    return await _in_thread(lambda: hub.incidents(who, after=after, limit=limit))


@get("/api/incidents/{incident_id:str}", opt=AGENCY)
async def incident(hub: TheHub, who: Who, incident_id: FromPath[str]) -> Json:
    """One incident, by its id or that of any report in it."""
    return await _in_thread(hub.incident, who, incident_id)


@get("/api/me", opt=ANY, sync_to_thread=False)
def me(hub: TheHub, who: Who) -> Json:
    """Who I am to the hub: my token's label, my agency (none: the hub's own staff), roles and groups; and the markings that the hub knows."""
    mine = who.clearance
    said = {"label": who.label, "agency": mine.agency, "roles": sorted(mine.roles), "groups": sorted(mine.groups)}
    return said | {"markings": [m.name for m in hub.scheme.markings]}


@get("/api/agencies", opt=ANY)
async def agencies(hub: TheHub, who: Who) -> Json:
    """The hub's agencies, and the groups that mine is in."""
    return await _in_thread(hub.agencies, who)


@get("/api/audit", opt=ANY)
async def audit(hub: TheHub, who: Who, after: After = 0, limit: Limit = 100) -> Json:
    """What was done in my agency's name, and how it was decided."""
    return await _in_thread(lambda: hub.audit(who, after=after, limit=limit))


@post("/api/agencies", opt=STAFF, status_code=201)
async def add_agency(request: AnyRequest, hub: TheHub, who: Who) -> Json:
    """Take an agency into the hub: {"name": NAME}."""
    raw = await _object(request, {"name": str})
    await _in_thread(hub.staff.add_agency, who, raw["name"])
    return {"ok": True}


@put("/api/groups/{group:str}/{agency:str}", opt=STAFF)
async def join(hub: TheHub, who: Who, group: FromPath[str], agency: FromPath[str]) -> Json:
    """Take an agency into a group."""
    await _in_thread(hub.staff.set_member, who, group, agency, True)
    return {"ok": True}


@delete("/api/groups/{group:str}/{agency:str}", opt=STAFF, status_code=200)
async def leave(hub: TheHub, who: Who, group: FromPath[str], agency: FromPath[str]) -> Json:
    """Take an agency out of a group."""
    await _in_thread(hub.staff.set_member, who, group, agency, False)
    return {"ok": True}


@post("/api/tokens", opt=STAFF, status_code=201)
async def add_token(request: AnyRequest, hub: TheHub, who: Who) -> Json:
    """Make a token, which is shown this once: {"label", "roles", "agency" (none: the hub's own staff), "days"}."""
    raw = await _object(request, {"label": str, "roles": list}, {"agency": str, "days": int})
    return await _in_thread(lambda: hub.staff.add_token(who, raw["label"], raw.get("agency"), raw["roles"], raw.get("days", 365)))


@delete("/api/tokens/{label:str}", opt=STAFF, status_code=200)
async def revoke_token(hub: TheHub, who: Who, label: FromPath[str]) -> Json:
    """A token holds no longer."""
    await _in_thread(hub.staff.revoke, who, label)
    return {"ok": True}


ROUTES = [
    health, ready, metrics, submit, submit_a_file, feed, report, who_can_see, release, remark, incidents, incident, me, agencies, audit,
    add_agency, join, leave, add_token, revoke_token,
]  # fmt: skip
