"""Where a report is typed, and what became of those that were sent."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from tocsin.errors import Denied, NotKnown
from tocsin.gate import Action
from tocsin.hub import Caller, Hub
from tocsin.hub.caller import new_secret
from tocsin.server.asked import AnyRequest, Cursor, Json, TheHub, Who, in_thread
from tocsin.server.rooms.handling import handling_of
from tocsin.server.rooms.shown import PERSON, form_of, page, to, typed_before
from tocsin.terms.countries import countries
from tocsin.terms.taxonomies import taxonomy

TEXTS = ("event_start", "event_end", "country", "admin1", "place", "attack_type", "target_group", "actor", "violence", "text", "marking")
WHOLE = ("killed", "wounded")
REAL = ("lat", "lon")
#: What is kept of a report that was typed by who was signed out meanwhile.
FIELDS = (*TEXTS, *WHOLE, *REAL, "own_id", "form_id", "releasable_to", "orcon")
VIOLENCE = {
    "unknown": "not known",
    "one_sided": "an attack on people who were not fighting",
    "state_based": "fighting between the state and an armed group",
    "non_state": "fighting between armed groups",
    "interstate": "fighting between states",
}
#: What each act on a report is called, where it may be done.
ACTED = {
    "release": "Open it to an agency",
    "request": "Ask its originator to open it",
    "remark": "Mark it anew",
    "purge": "Take it away for good",
}
#: What a field is called on the form.
CALLED = {
    "event_start": "Day", "event_end": "Last day", "country": "Country", "admin1": "Province", "place": "Place", "attack_type": "How",
    "target_group": "Aimed at", "actor": "Who is held responsible", "violence": "Kind", "text": "In your words", "marking": "Who may see it",
    "why": "Why it is corrected", "killed": "Killed", "wounded": "Wounded", "lat": "Latitude", "lon": "Longitude", "own_id": "Your number for it",
}  # fmt: skip


@get("/report", opt=PERSON)
async def report_form(request: AnyRequest, hub: TheHub, who: Who) -> Response[str]:
    """Where one types a report."""
    who.needs(Action.SUBMIT)
    said = await in_thread(_begun, hub, who)
    return await report_page(request, hub, who, said, [], 200)


@post("/report", opt=PERSON | {"keeps": True}, status_code=200)
async def report_typed(request: AnyRequest, hub: TheHub) -> Response[str]:
    """Submits what was typed. Sent twice, it is one report. Who was signed out meanwhile signs in, and has it before them again."""
    who: Caller | None = request.state.get("caller")
    if who is None:
        kept = await typed_before(request, FIELDS)
        if not kept:
            raise NotKnown("you were signed out after a while")
        wrong = (
            "you were signed out after a while. What you typed was not sent; it is kept on this page: sign in, and it is before you again"
        )
        return page(request, "sign_in.html", 401, agency="", name="", wrong=wrong, back="/report", kept=kept)
    who.needs(Action.SUBMIT)
    said = await form_of(request)
    raw, reasons = raw_of(said)
    if not reasons:
        answer = (await in_thread(hub.submit, who, [raw]))[0]
        if answer["status"] != "refused":
            return to(f"/reports/{answer['report_id']}")
        reasons = answer["reasons"]
    return await report_page(request, hub, who, said, reasons, 400)


@get("/reports", opt=PERSON)
async def reports(request: AnyRequest, hub: TheHub, who: Who, after: Cursor = "") -> Response[str]:
    """What became of my agency's reports."""
    return page(request, "reports.html", **await in_thread(lambda: hub.sent.page(who, after=after)), after=after)


@get("/reports/{report_id:str}", opt=PERSON)
async def report(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Response[str]:
    """One report that my agency may see; of its own, who else may."""

    def ask() -> Json:
        one = hub.report(who, report_id)
        try:
            seen = hub.acts.reach(who, report_id)
        except Denied:  # another's
            seen = None
        return {"one": one, "seen": seen, "may": hub.foreseen.verdicts(who, report_id)}

    return page(request, "report.html", **await in_thread(ask), acts=ACTED, names=names(), violence=VIOLENCE)


def _begun(hub: Hub, who: Caller) -> Json:
    """A form as it is opened: the country is that of the last report, and nothing else is guessed."""
    last = hub.sent.page(who, limit=1)["reports"]
    return {
        "country": last[0].get("country", "") if last else "",
        "form_id": new_secret(),
    }


def raw_of(said: Json) -> tuple[Json, list[str]]:
    """A post of what was typed. A number may be typed in the digits of any script."""
    raw: Json = {name: said[name].strip().replace("\r\n", "\n") for name in TEXTS if said.get(name, "").strip()}
    reasons = []
    for name in (*WHOLE, *REAL):
        text = said.get(name, "").strip()
        if text:
            try:
                raw[name] = int(text) if name in WHOLE else float(text.replace("٫", "."))
            except ValueError:
                reasons.append(f"{name}: a number is wanted")
    raw["own_id"] = said.get("own_id", "").strip() or said.get("form_id", "").strip()
    raw["releasable_to"] = said.get("releasable_to", [])
    raw["orcon"] = "orcon" in said
    return raw, reasons


async def report_page(
    request: AnyRequest, hub: Hub, who: Caller, said: Json, reasons: list[str], status: int, corrects: Json | None = None
) -> Response[str]:
    """The form of a report. corrects: the report that it corrects."""
    handling = await in_thread(handling_of, hub, who, said.get("releasable_to", []))
    wrong = {m[1]: reason.partition(": ")[2] for reason in reversed(reasons) if (m := re.match(r"(\w+)[:,]", reason)) and m[1] in CALLED}
    others = [reason for reason in reasons if reason.partition(": ")[2] not in wrong.values()]
    values = {name: said.get(name, "") for name in (*TEXTS, *WHOLE, *REAL, "own_id", "form_id", "orcon", "why")}
    return page(
        request, "report_form.html", status, said=values, to=said.get("releasable_to", []), reasons=others, wrong=wrong, called=CALLED,
        corrects=corrects, handling=handling, countries=_countries(), names=names(), violence=VIOLENCE,
    )  # fmt: skip


@cache
def _countries() -> dict[str, str]:
    return dict(sorted(((code, entry["names"][0]) for code, entry in countries().items()), key=lambda item: item[1]))


@cache
def names() -> dict[str, dict[str, str]]:
    """What each code is called."""
    return {name: {code: node.name for code, node in taxonomy(name).nodes.items()} for name in ("attack_type", "target_group")}


SENT: list[Any] = [report_form, report_typed, reports, report]
