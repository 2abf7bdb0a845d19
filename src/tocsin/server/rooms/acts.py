"""What is decided on one report: marked anew, released, asked for, purged. Each says why, and is asked once more with what it will do."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from tocsin.errors import Malformed
from tocsin.gate import Action
from tocsin.hub import Caller, Hub
from tocsin.hub.acts import checked_why
from tocsin.server.asked import AnyRequest, Json, TheHub, Who, in_thread
from tocsin.server.rooms.confirm import sure
from tocsin.server.rooms.sent import handling_of, names
from tocsin.server.rooms.shown import PERSON, form_of, page, to

STAYS = "It stays: you and the report's originator find it, with your reason, under Requests and releases."
BACK = "Only its originator takes it back, by marking the report anew; who has read it by then has read it."


@get("/reports/{report_id:str}/remark", opt=PERSON)
async def remark_form(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Response[str]:
    """Where one's own report is marked anew."""
    return await _form(request, hub, who, report_id, Action.REMARK)


@post("/reports/{report_id:str}/remark", opt=PERSON, status_code=200)
async def remark(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Response[str]:
    """Marks it anew, when asked twice."""
    who.needs(Action.REMARK)
    said = await form_of(request)
    marking, named, orcon = said.get("marking", ""), said.get("releasable_to", []), "orcon" in said

    def ask() -> tuple[list[str], list[str]]:
        checked_why(said.get("why", ""))
        hub.foreseen.allowed(who, report_id, Action.REMARK)
        return hub.foreseen.as_it_stands(who, report_id), hub.foreseen.marked_anew(who, marking, named, orcon)

    try:
        before, after = await in_thread(ask)
        if "sure" in said:
            await in_thread(lambda: hub.acts.remark(who, report_id, marking, named, orcon, said["why"]))
            return to(f"/reports/{report_id}")
    except Malformed as why:
        return await _form(request, hub, who, report_id, Action.REMARK, said, str(why))
    tells = ["This replaces its whole handling: earlier releases are gone.", "Who has read it has read it."]
    lists = [
        ("See it from then on", after),
        ("Come to see it", [n for n in after if n not in before]),
        ("See it no longer", [n for n in before if n not in after]),
    ]
    here = f"/reports/{report_id}"
    return sure(request, f"{here}/remark", said, f"Mark it {marking}?", tells, back=here, lists=lists, button=f"Mark it {marking}")


@get("/reports/{report_id:str}/release", opt=PERSON)
async def release_form(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Response[str]:
    """Where a report is opened to one more agency."""
    return await _form(request, hub, who, report_id, Action.RELEASE)


@post("/reports/{report_id:str}/release", opt=PERSON, status_code=200)
async def release(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Response[str]:
    """Opens it, when asked twice."""
    who.needs(Action.RELEASE)
    said = await form_of(request)
    other = said.get("to", "")
    try:
        one = await in_thread(_checked, hub, who, report_id, Action.RELEASE, said)
        if "sure" in said:
            await in_thread(hub.once.release, who, report_id, other, said["why"])
            return to(f"/reports/{report_id}")
    except Malformed as why:
        return await _form(request, hub, who, report_id, Action.RELEASE, said, str(why))
    free = hub.scheme[one["marking"]].onward and not one["orcon"]
    onward = f"{other} may pass it on." if free else f"{other} may not pass it on without asking its originator."
    tells = [
        f"{other} sees this report from then on, and incidents that are made of it.",
        onward,
        STAYS,
        f"{other} is not told of it.",
        BACK,
    ]
    here = f"/reports/{report_id}"
    return sure(request, f"{here}/release", said, f"Open it to {other}?", tells, back=here, one=one, button=f"Open it to {other}")


@get("/reports/{report_id:str}/request", opt=PERSON)
async def request_form(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Response[str]:
    """Where a report's originator is asked to open it."""
    return await _form(request, hub, who, report_id, Action.REQUEST)


@post("/reports/{report_id:str}/request", opt=PERSON, status_code=200)
async def request_release(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Response[str]:
    """Asks the originator, when asked twice."""
    who.needs(Action.REQUEST)
    said = await form_of(request)
    other = said.get("to", "")
    try:
        one = await in_thread(_checked, hub, who, report_id, Action.REQUEST, said)
        if "sure" in said:
            await in_thread(hub.once.request, who, report_id, other, said["why"])
            return to("/requests")
    except Malformed as why:
        return await _form(request, hub, who, report_id, Action.REQUEST, said, str(why))
    tells = [
        f"The report's originator is told that your agency sees it, that you would have it opened to {other}, and why.",
        f"{other} is told nothing, and sees nothing new unless the originator grants it.",
        "You find the answer under Requests and releases.",
    ]
    here, title = f"/reports/{report_id}", f"Ask its originator to open it to {other}?"
    return sure(request, f"{here}/request", said, title, tells, back=here, one=one, button="Ask its originator")


@get("/reports/{report_id:str}/purge", opt=PERSON)
async def purge_form(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Response[str]:
    """Where one's own report is taken away for good."""
    return await _form(request, hub, who, report_id, Action.PURGE)


@post("/reports/{report_id:str}/purge", opt=PERSON, status_code=200)
async def purge(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Response[str]:
    """Takes it away, when asked twice."""
    who.needs(Action.PURGE)
    said = await form_of(request)
    try:
        one = await in_thread(_checked, hub, who, report_id, Action.PURGE, said)
        if "sure" in said:
            await in_thread(hub.acts.purge, who, report_id, said["why"])
            return to("/reports")
    except Malformed as why:
        return await _form(request, hub, who, report_id, Action.PURGE, said, str(why))
    tells = [
        "It is gone for good, with all that the hub made of it: nobody brings it back, and it is not taken again.",
        "Its id, your name and your reason stay, for your agency alone.",
        "Who has read it has read it.",
    ]
    here = f"/reports/{report_id}"
    return sure(request, f"{here}/purge", said, "Take it away for good?", tells, back=here, one=one, button="Take it away for good")


@get("/incidents/{incident_id:str}/release", opt=PERSON)
async def release_incident_form(request: AnyRequest, hub: TheHub, who: Who, incident_id: FromPath[str]) -> Response[str]:
    """Where an incident is opened to one more agency, with its reports."""
    who.needs(Action.RELEASE)
    return await _incident_form(request, hub, who, incident_id)


@post("/incidents/{incident_id:str}/release", opt=PERSON, status_code=200)
async def release_incident(request: AnyRequest, hub: TheHub, who: Who, incident_id: FromPath[str]) -> Response[str]:
    """Opens each of its reports, or none, when asked twice."""
    who.needs(Action.RELEASE)
    said = await form_of(request)
    other, here = said.get("to", ""), f"/incidents/{incident_id}"

    def ask() -> Json:
        one = hub.incident(who, incident_id)
        checked_why(said.get("why", ""))
        hub.acts.to(who.agency, other)
        return one

    try:
        one = await in_thread(ask)
        if "sure" in said:
            await in_thread(hub.acts.release_incident, who, incident_id, other, said["why"])
            return to("/requests")
    except Malformed as why:
        return await _incident_form(request, hub, who, incident_id, said, str(why))
    tells = [
        f"{other} sees from then on each of the {len(one['report_ids'])} reports in it; where one of them may not be passed on, none is opened.",
        f"{other} has an incident made of what it may see, as always.",
        STAYS,
        f"{other} is not told of it.",
        BACK,
    ]
    return sure(request, f"{here}/release", said, f"Open the incident to {other}?", tells, back=here, button=f"Open it to {other}")


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
    remark_form,
    remark,
    release_form,
    release,
    request_form,
    request_release,
    purge_form,
    purge,
    release_incident_form,
    release_incident,
]
