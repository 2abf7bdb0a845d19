"""Where one's own report is corrected."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from tocsin.errors import Malformed
from tocsin.gate import Action
from tocsin.hub import Caller, Hub
from tocsin.hub.acts import checked_why
from tocsin.hub.caller import new_secret
from tocsin.hub.correcting import corrected
from tocsin.server.asked import AnyRequest, Json, TheHub, Who, in_thread
from tocsin.server.rooms.confirm import isolated, sure
from tocsin.server.rooms.sent import CALLED, REAL, TEXTS, WHOLE, raw_of, report_page
from tocsin.server.rooms.shown import PERSON, form_of, to

_TYPED = (*TEXTS, *WHOLE, *REAL)


@get("/reports/{report_id:str}/correct", opt=PERSON)
async def correct_form(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Response[str]:
    """Where one's own report is corrected: the form has what it says now."""
    one = await in_thread(hub.correcting.begun, who, report_id)
    said = {name: str(one.get(name, "")) for name in _TYPED}
    said |= {"releasable_to": one["releasable_to"], "form_id": new_secret()} | ({"orcon": "on"} if one["orcon"] else {})
    return await report_page(request, hub, who, said, [], 200, one)


@post("/reports/{report_id:str}/correct", opt=PERSON, status_code=200)
async def correct(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Response[str]:
    """Sends the correction, when asked twice. Sent twice, it is one report."""
    who.needs(Action.SUBMIT)
    said = await form_of(request)
    typed, reasons = raw_of(said)
    typed.pop("own_id")

    def ask() -> tuple[Json, Json, list[str]]:
        one = hub.correcting.begun(who, report_id)
        raw = corrected(one, typed, _TYPED, said.get("form_id", ""))
        wrong = hub.checked(raw)[1] + _why(said)
        if not wrong and not reasons and "sure" in said:
            answer = hub.correcting.correct(who, report_id, raw, said["why"])
            return one, answer, answer.get("reasons", [])
        return one, {}, wrong

    one, answer, wrong = await in_thread(ask)
    if wrong or reasons:
        return await report_page(request, hub, who, said, [*reasons, *wrong], 400, one)
    if answer:
        return to(f"/reports/{answer['report_id']}")
    return await in_thread(_asked, request, hub, who, said, one)


def _asked(request: AnyRequest, hub: Hub, who: Caller, said: Json, one: Json) -> Response[str]:
    """What the correction will do: who will see it, and who sees the earlier report alone."""
    before = hub.foreseen.as_it_stands(who, one["report_id"])
    after = hub.foreseen.marked_anew(who, said.get("marking", ""), said.get("releasable_to", []), "orcon" in said)
    tells = ["It stands for the earlier report, in incidents too, where both are seen.", "The earlier report stays as it is marked."]
    lists = [("Changes", _changes(one, said) or ["nothing but who may see it"]), ("See the correction", after.names)]
    if lost := [name for name in before if name not in after.names]:
        tells.append("Who sees the earlier report and not the correction goes on with the earlier word.")
        lists.append(("See the earlier report alone", lost))
    here = f"/reports/{one['report_id']}"
    more = {"lists": lists, "one": one, "warnings": after.warnings}
    return sure(request, f"{here}/correct", said, "Send the correction?", tells, back=here, button="Send the correction", **more)


def _changes(one: Json, said: Json) -> list[str]:
    """What the correction says otherwise, field by field."""
    out = []
    for name in _TYPED:
        was, now = str(one.get(name, "")), said.get(name, "").strip().replace("\r\n", "\n")
        if was != now and name != "marking":
            out.append(
                f"{CALLED[name]}: changed"
                if name == "text"
                else f"{CALLED[name]}: {isolated(now or 'not said')}, was {isolated(was or 'not said')}"
            )
    return out


def _why(said: Json) -> list[str]:
    try:
        checked_why(said.get("why", ""))
    except Malformed as why:
        return [str(why)]
    return []


CORRECT: list[Any] = [correct_form, correct]
