"""The pages of the API. Each says whom it is `for`; what they may see is the hub's to say."""

from __future__ import annotations

from litestar import get, post
from litestar.params import FromPath, FromQuery

from tocsin.errors import Malformed
from tocsin.hub import MOST
from tocsin.hub.files import submit_file
from tocsin.server.acts import ACTS
from tocsin.server.asked import (
    AGENCY,
    ANY,
    PUBLIC,
    STAFF,
    AnyRequest,
    Cursor,
    Json,
    Limit,
    Line,
    TheHub,
    Who,
    in_thread,
    json_of,
    media,
    of_reports,
)
from tocsin.server.pictures import PICTURES
from tocsin.server.staff import STAFFS


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

    await in_thread(ask)
    return {"ok": True}


@get("/metrics", opt=STAFF, media_type="text/plain; version=0.0.4")
async def metrics(request: AnyRequest, hub: TheHub) -> str:
    """How the hub runs, for Prometheus: requests by route, how long they took, connections to the database."""
    text: str = request.app.state.journal.metrics(hub.store.gauges())
    return text


@post("/api/reports", opt=AGENCY, status_code=200)
async def submit(request: AnyRequest, hub: TheHub, who: Who) -> Json:
    """Submit one report (an object), or up to 1,000 (a list). Each is stored, known, or refused with its reasons."""
    raw = await json_of(request, of_reports)
    many = raw if isinstance(raw, list) else [raw]
    if len(many) > MOST:
        raise Malformed(f"{len(many)} reports at once: send at most {MOST}")
    return {"results": await in_thread(hub.submit, who, many)}


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
    media(request, "application/octet-stream")
    handling = {"marking": marking, "releasable_to": releasable_to or [], "orcon": orcon}
    if reasons := hub.checked(handling)[1]:
        raise Malformed("; ".join(reasons))
    body = await request.body()
    return await in_thread(submit_file, hub.submit, who, name, body, handling)


@get("/api/feed", opt=AGENCY)
async def feed(hub: TheHub, who: Who, after: Cursor = "", limit: Limit = 100) -> Json:
    """Reports that my agency may see, in the order in which it came to see them."""
    return await in_thread(lambda: hub.feed(who, after=after, limit=limit))


@get("/api/public/feed", opt=PUBLIC)
async def public_feed(hub: TheHub, after: Cursor = "", limit: Limit = 100) -> Json:
    """Reports marked CLEAR, for all the world; no token is needed."""
    return await in_thread(lambda: hub.public_feed(after=after, limit=limit))


@get("/api/reports/{report_id:str}", opt=AGENCY)
async def report(hub: TheHub, who: Who, report_id: FromPath[str]) -> Json:
    """One report."""
    return await in_thread(hub.report, who, report_id)


@get("/api/incidents", opt=AGENCY)
async def incidents(hub: TheHub, who: Who, after: Cursor = "", limit: Limit = 100) -> Json:
    """Incidents made of what my agency may see."""
    return await in_thread(lambda: hub.incidents(who, after=after, limit=limit))


@get("/api/incidents/{incident_id:str}", opt=AGENCY)
async def incident(hub: TheHub, who: Who, incident_id: FromPath[str]) -> Json:
    """One incident, by its id or that of any report in it."""
    return await in_thread(hub.incident, who, incident_id)


@get("/api/me", opt=ANY, sync_to_thread=False)
def me(hub: TheHub, who: Who) -> Json:
    """Who I am to the hub: my token's label, my agency (none: the hub's own staff), roles and groups; and the markings that the hub knows."""
    mine = who.clearance
    said = {"label": who.label, "agency": mine.agency, "roles": sorted(mine.roles), "groups": sorted(mine.groups)}
    return said | {"markings": [m.name for m in hub.scheme.markings]}


@get("/api/agencies", opt=ANY)
async def agencies(hub: TheHub, who: Who) -> Json:
    """The hub's agencies, and the groups that mine is in."""
    return await in_thread(hub.agencies, who)


@get("/api/audit", opt=ANY)
async def audit(hub: TheHub, who: Who, after: Line = 0, limit: Limit = 100) -> Json:
    """What was done in my agency's name, and how it was decided."""
    return await in_thread(lambda: hub.auditing.page(who, after=after, limit=limit))


ROUTES = [
    health,
    ready,
    metrics,
    submit,
    submit_a_file,
    feed,
    public_feed,
    report,
    incidents,
    incident,
    me,
    agencies,
    audit,
    *ACTS,
    *PICTURES,
    *STAFFS,
]
