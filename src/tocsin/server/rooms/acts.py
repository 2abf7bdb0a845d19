"""What is decided on one report: marked anew, released, asked for, purged. Each says why, and is asked once more with what it will do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from tocsin.gate import Action
from tocsin.hub import Caller, Hub
from tocsin.hub.acts import checked_why
from tocsin.hub.foreseen import OF_A_REPORT
from tocsin.server.asked import AnyRequest, Json, TheHub, Who, in_thread
from tocsin.server.rooms.confirm import Foretold, each_of, twice
from tocsin.server.rooms.handling import handling_of
from tocsin.server.rooms.sent import names
from tocsin.server.rooms.shown import PERSON, page

STAYS = "It stays: you and the report's originator find it, with your reason, under Requests and releases."
BACK = "Only its originator takes it back, by marking the report anew; who has read it by then has read it."


def _forms(action: Action) -> Any:
    """The page where a report's act begins, under the act's own name."""

    @get(f"/reports/{{report_id:str}}/{action}", opt=PERSON)
    async def form(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Response[str]:
        return await _form(request, hub, who, report_id, action)

    return form


@post("/reports/{report_id:str}/remark", opt=PERSON, status_code=200)
async def remark(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Response[str]:
    """Marks one's own report anew, when asked twice."""

    def ask(said: Json) -> Foretold:
        checked_why(said.get("why", ""))
        hub.foreseen.allowed(who, report_id, Action.REMARK)
        marking, before = said.get("marking", ""), hub.foreseen.as_it_stands(who, report_id)
        after = hub.foreseen.marked_anew(who, marking, said.get("releasable_to", []), "orcon" in said)
        tells = ["This replaces its whole handling: earlier releases are gone.", "Who has read it has read it."]
        lists = [
            ("See it from then on", after.names),
            ("Come to see it", [n for n in after.names if n not in before]),
            ("See it no longer", [n for n in before if n not in after.names]),
        ]
        return Foretold(f"Mark it {marking}?", tells, f"Mark it {marking}", {"lists": lists, "warnings": after.warnings})

    def do(said: Json) -> None:
        hub.acts.remark(who, report_id, said.get("marking", ""), said.get("releasable_to", []), "orcon" in said, said["why"])

    return await _twice(request, hub, who, report_id, Action.REMARK, ask, do)


@post("/reports/{report_id:str}/release", opt=PERSON, status_code=200)
async def release(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Response[str]:
    """Opens a report to one more agency, when asked twice."""

    def ask(said: Json) -> Foretold:
        one, other = _checked(hub, who, report_id, Action.RELEASE, said), said.get("to", "")
        free = hub.scheme[one["marking"]].onward and not one["orcon"]
        tells = [
            f"{other} sees this report from then on, and incidents that are made of it.",
            f"{other} may pass it on." if free else f"{other} may not pass it on without asking its originator.",
            STAYS,
            f"{other} is not told of it.",
            BACK,
        ]
        return Foretold(f"Open it to {other}?", tells, f"Open it to {other}", {"one": one})

    def do(said: Json) -> None:
        hub.once.release(who, report_id, said.get("to", ""), said["why"])

    return await _twice(request, hub, who, report_id, Action.RELEASE, ask, do)


@post("/reports/{report_id:str}/request", opt=PERSON, status_code=200)
async def request_release(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Response[str]:
    """Asks a report's originator to open it, when asked twice."""

    def ask(said: Json) -> Foretold:
        one, other = _checked(hub, who, report_id, Action.REQUEST, said), said.get("to", "")
        tells = [
            f"The report's originator is told that your agency sees it, that you would have it opened to {other}, and why.",
            f"{other} is told nothing, and sees nothing new unless the originator grants it.",
            "You find the answer under Requests and releases.",
        ]
        return Foretold(f"Ask its originator to open it to {other}?", tells, "Ask its originator", {"one": one})

    def do(said: Json) -> None:
        hub.once.request(who, report_id, said.get("to", ""), said["why"])

    return await _twice(request, hub, who, report_id, Action.REQUEST, ask, do, "/requests")


@post("/reports/{report_id:str}/purge", opt=PERSON, status_code=200)
async def purge(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Response[str]:
    """Takes one's own report away for good, when asked twice."""

    def ask(said: Json) -> Foretold:
        one = _checked(hub, who, report_id, Action.PURGE, said)
        tells = [
            "It is gone for good, with all that the hub made of it: nobody brings it back, and it is not taken again.",
            "Its id, your name and your reason stay, for your agency alone.",
            "Who has read it has read it.",
        ]
        return Foretold("Take it away for good?", tells, "Take it away for good", {"one": one})

    def do(said: Json) -> None:
        hub.acts.purge(who, report_id, said["why"])

    return await _twice(request, hub, who, report_id, Action.PURGE, ask, do, "/reports")


@get("/incidents/{incident_id:str}/release", opt=PERSON)
async def release_incident_form(request: AnyRequest, hub: TheHub, who: Who, incident_id: FromPath[str]) -> Response[str]:
    """Where an incident is opened to one more agency, with its reports."""
    who.needs(Action.RELEASE)
    return await _incident_form(request, hub, who, incident_id)


@post("/incidents/{incident_id:str}/release", opt=PERSON, status_code=200)
async def release_incident(request: AnyRequest, hub: TheHub, who: Who, incident_id: FromPath[str]) -> Response[str]:
    """Opens each of its reports, or none, when asked twice."""
    who.needs(Action.RELEASE)

    def ask(said: Json) -> Foretold:
        one, other = hub.incident(who, incident_id), said.get("to", "")
        checked_why(said.get("why", ""))
        hub.acts.to(who.agency, other)
        tells = [
            f"{other} sees from then on {each_of(len(one['report_ids']))} in it; where one of them may not be passed on, none is opened.",
            f"{other} has an incident made of what it may see, as always.",
            STAYS,
            f"{other} is not told of it.",
            BACK,
        ]
        return Foretold(f"Open the incident to {other}?", tells, f"Open it to {other}", {})

    def do(said: Json) -> None:
        hub.once.release_incident(who, incident_id, said["to"], said["why"])

    form = partial(_incident_form, request, hub, who, incident_id)
    return await twice(request, ask, do, form, back=f"/incidents/{incident_id}", then="/requests")


async def _twice(
    request: AnyRequest,
    hub: Hub,
    who: Caller,
    report_id: str,
    action: Action,
    ask: Callable[[Json], Foretold],
    do: Callable[[Json], None],
    then: str = "",
) -> Response[str]:
    """An act on a report, asked twice. then: where it leads on to, if not to the report."""
    who.needs(action)
    form, here = partial(_form, request, hub, who, report_id, action), f"/reports/{report_id}"
    return await twice(request, ask, do, form, back=here, then=then or here)


async def _incident_form(
    request: AnyRequest, hub: Hub, who: Caller, incident_id: str, said: Json | None = None, wrong: str = ""
) -> Response[str]:
    def ask() -> Json:
        return {"one": hub.incident(who, incident_id), "handling": handling_of(hub, who)}

    return page(request, "incident_act.html", 400 if wrong else 200, **await in_thread(ask), said=said or {}, wrong=wrong)


def _checked(hub: Hub, who: Caller, report_id: str, action: Action, said: Json) -> Json:
    """The report, where this may be done with it as it is said. Raises `Malformed`, `NotThere`, `Denied`."""
    hub.foreseen.allowed(who, report_id, action)
    checked_why(said.get("why", ""))
    if action in (Action.RELEASE, Action.REQUEST):
        hub.acts.to(who.agency, said.get("to", ""))
    return hub.report(who, report_id)


async def _form(
    request: AnyRequest, hub: Hub, who: Caller, report_id: str, action: Action, said: Json | None = None, wrong: str = ""
) -> Response[str]:
    who.needs(action)

    def ask() -> Json:
        hub.foreseen.allowed(who, report_id, action)
        one = hub.report(who, report_id)
        first = {"marking": one["marking"], "releasable_to": one["releasable_to"], "orcon": one["orcon"]}
        handling = handling_of(hub, who, one["releasable_to"])
        return {"one": one, "said": said or first, "handling": handling, "act": str(action)}

    return page(request, "act.html", 400 if wrong else 200, **await in_thread(ask), wrong=wrong, names=names())


ACTS: list[Any] = [
    *map(_forms, OF_A_REPORT),
    remark,
    release,
    request_release,
    purge,
    release_incident_form,
    release_incident,
]
