"""An agency's picture: incidents made of what it may see, and the reports themselves."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.params import FromPath
from msgspec.json import decode

from tocsin.gate import Action
from tocsin.gate.rule import ROLES
from tocsin.server.asked import AnyRequest, Cursor, Json, TheHub, Who, in_thread
from tocsin.server.rooms.sent import VIOLENCE, names
from tocsin.server.rooms.shown import PERSON, page, to

PAGE = 50  # incidents, or reports


@get("/", opt=PERSON, sync_to_thread=False)
def home(who: Who) -> Response[str]:
    """Leads to the first room that one may enter."""
    staff = who.is_staff
    return to("/reporting" if staff else "/incidents" if who.clearance.roles & ROLES[Action.READ] else "/log")


@get("/incidents", opt=PERSON)
async def incidents(request: AnyRequest, hub: TheHub, who: Who, after: Cursor = "") -> Response[str]:
    """Incidents made of what my agency may see, the latest first."""
    found = await in_thread(lambda: hub.incidents(who, after=after, limit=PAGE))
    found["incidents"] = [decode(one) for one in found["incidents"]]
    return page(request, "incidents.html", **found, more=len(found["incidents"]) == PAGE, after=after, names=names())


@get("/incidents/{incident_id:str}", opt=PERSON)
async def incident(request: AnyRequest, hub: TheHub, who: Who, incident_id: FromPath[str]) -> Response[str]:
    """One incident, with the reports in it."""

    def ask() -> tuple[Json, list[Json]]:
        one = hub.incident(who, incident_id)
        return one, hub.reports(who, one["report_ids"][:PAGE])

    one, found = await in_thread(ask)
    return page(request, "incident.html", one=one, reports=found, names=names(), violence=VIOLENCE)


@get("/feed", opt=PERSON)
async def feed(request: AnyRequest, hub: TheHub, who: Who, after: Cursor = "") -> Response[str]:
    """Reports that my agency may see, the one that opened last first."""
    found = await in_thread(lambda: hub.sent.seen(who, after=after, limit=PAGE))
    return page(request, "feed.html", **found, more=len(found["reports"]) == PAGE, after=after, names=names())


PICTURE: list[Any] = [home, incidents, incident, feed]
