"""Who reports, by what one may see; and, for the hub's own staff, agencies and groups."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from tocsin.errors import Denied, Malformed
from tocsin.gate import Role
from tocsin.hub import Caller, Hub
from tocsin.hub.reporting import DAYS, ENOUGH
from tocsin.server.asked import AnyRequest, TheHub, Who, in_thread
from tocsin.server.rooms.confirm import sure
from tocsin.server.rooms.shown import PERSON, form_of, page, to

OPENS = "Whoever is taken in sees from then on every report that names the group, earlier ones too, and the members know of each other."
CLOSES = "It no longer sees what reaches it through the group alone. What it has read, it has read."


@get("/reporting", opt=PERSON)
async def reporting(request: AnyRequest, hub: TheHub, who: Who) -> Response[str]:
    """Who reports, how late, and who is silent."""
    return page(request, "reporting.html", **await in_thread(hub.reporting.table, who), window=DAYS, enough=ENOUGH)


@get("/agencies", opt=PERSON)
async def agencies(request: AnyRequest, hub: TheHub, who: Who) -> Response[str]:
    """The hub's agencies and groups, for its own staff."""
    _staff(who)
    return await _agencies(request, hub, who)


@post("/agencies", opt=PERSON, status_code=200)
async def change_agencies(request: AnyRequest, hub: TheHub, who: Who) -> Response[str]:
    """Takes an agency into the hub, or into a group or out of it, when asked twice."""
    _staff(who)
    who.has(frozenset({Role.ADMINISTER_HUB}), "this")
    said = await form_of(request)
    does, name, group = (said.get(k, "").strip() for k in ("does", "name", "group"))
    if does not in ("add", "join", "leave"):
        raise Malformed("this page takes an agency in, or into a group or out of it: load it anew")
    if "sure" not in said:
        asks = {
            "add": (f"Take {name} into the hub?", ["Its name stays taken, and all agencies see it.", "It sees at once what reaches every agency."]),
            "join": (f"Take {name} into the group {group}?", [OPENS]),
            "leave": (f"Take {name} out of the group {group}?", [CLOSES]),
        }  # fmt: skip
        return sure(request, "/agencies", said, *asks[does], back="/agencies")
    try:
        if does == "add":
            await in_thread(hub.staff.add_agency, who, name)
        else:
            await in_thread(hub.staff.set_member, who, group, name, does == "join")
    except Malformed as why:
        return await _agencies(request, hub, who, str(why), 400)
    return to("/agencies")


def _staff(who: Caller) -> None:
    if not who.is_staff:
        raise Denied("this is for the hub's own staff")


async def _agencies(request: AnyRequest, hub: Hub, who: Caller, wrong: str = "", status: int = 200) -> Response[str]:
    may = Role.ADMINISTER_HUB in who.clearance.roles
    return page(request, "agencies.html", status, wrong=wrong, may=may, **await in_thread(hub.agencies, who))


AGENCIES: list[Any] = [reporting, agencies, change_agencies]
