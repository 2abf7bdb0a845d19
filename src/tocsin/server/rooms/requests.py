"""What was asked of us and by us, what was released, and where one decides."""

from __future__ import annotations

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from tocsin.errors import Malformed, NotThere
from tocsin.gate import Action
from tocsin.hub import Caller, Hub
from tocsin.hub.acts import checked_why
from tocsin.hub.cursor import all_of
from tocsin.server.asked import AnyRequest, Json, TheHub, Who, in_thread
from tocsin.server.rooms.acts import BACK
from tocsin.server.rooms.confirm import Foretold, twice
from tocsin.server.rooms.shown import PERSON, page


@get("/requests", opt=PERSON)
async def requests(request: AnyRequest, hub: TheHub, who: Who) -> Response[str]:
    """Requests and releases of my agency, and those of its reports, the latest first."""

    def ask() -> Json:
        asked = all_of(hub.acts.requests, "requests", who)
        released = all_of(hub.acts.releases, "releases", who)
        return {"asked": asked[::-1], "released": released[::-1]}

    return page(request, "requests.html", **await in_thread(ask))


@get("/requests/{request_id:str}", opt=PERSON)
async def decide_form(request: AnyRequest, hub: TheHub, who: Who, request_id: FromPath[str]) -> Response[str]:
    """Where a request for one's own report is granted or refused."""
    return await _form(request, hub, who, request_id)


@post("/requests/{request_id:str}", opt=PERSON, status_code=200)
async def decide(request: AnyRequest, hub: TheHub, who: Who, request_id: FromPath[str]) -> Response[str]:
    """Grants or refuses, when asked twice."""
    who.needs(Action.RELEASE)

    def ask(said: Json) -> Foretold:
        asked = _asked(hub, who, request_id)
        checked_why(said.get("why", ""))
        if said.get("grant") not in ("yes", "no"):
            raise Malformed("grant: say whether you grant it")
        by, other = asked["by"], asked["to"]
        answer, more = f"{by} is told, with your reason.", {"one": hub.report(who, asked["report_id"])}
        if said["grant"] == "yes":
            tells = [f"{other} sees this report from then on.", answer, f"{other} is not told who asked.", BACK]
            return Foretold(f"Open it to {other}?", tells, "Grant it", more)
        tells = [f"{other} goes on seeing nothing of it.", answer, "It is decided once: you may still open the report yourself."]
        return Foretold("Refuse it?", tells, "Refuse it", more)

    def do(said: Json) -> None:
        hub.acts.decide(who, request_id, said["grant"] == "yes", said["why"])

    return await twice(request, ask, do, partial(_form, request, hub, who, request_id), back="/requests", then="/requests")


def _asked(hub: Hub, who: Caller, request_id: str) -> Json:
    """One request that is for a report of my agency's own, and is not decided. Raises `NotThere`, `Malformed`."""
    for one in all_of(hub.acts.requests, "requests", who):
        if one["request_id"] == request_id and one["by"] != who.agency:
            if "decision" in one:
                raise Malformed("it is decided already: mark the report anew to take a release back, or release it")
            return one
    raise NotThere("no such request, or none that you may decide")


async def _form(request: AnyRequest, hub: Hub, who: Caller, request_id: str, said: Json | None = None, wrong: str = "") -> Response[str]:
    who.needs(Action.RELEASE)

    def ask() -> Json:
        asked = _asked(hub, who, request_id)
        return {"asked": asked, "one": hub.report(who, asked["report_id"])}

    return page(request, "decide.html", 400 if wrong else 200, **await in_thread(ask), said=said or {}, wrong=wrong)


REQUESTS: list[Any] = [requests, decide_form, decide]
