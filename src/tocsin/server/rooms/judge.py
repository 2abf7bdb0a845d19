"""Where a person says what is one incident and what is not, and what was said."""

from __future__ import annotations

import re
from typing import Any

from litestar import Response, get, post

from tocsin.errors import Malformed, NotThere
from tocsin.gate import Action
from tocsin.hub import Caller, Hub
from tocsin.hub.acts import checked_why
from tocsin.hub.judging import MOST
from tocsin.hub.shown import instant
from tocsin.server.asked import AnyRequest, Cursor, Json, TheHub, Who, in_thread
from tocsin.server.rooms.confirm import isolated, sure
from tocsin.server.rooms.shown import PERSON, form_of, page, to

KINDS = {
    "merge": "They are one incident",
    "split": "The ticked ones are another incident than the rest",
    "confirm": "Their incident is right as it stands",
    "part_of": "They are parts of one incident, and their tolls add",
    "not_part_of": "They are not parts of one incident",
    "value": "Their incident has this value",
}
SEEN = "Whoever sees every one of these reports sees this judgement, with your agency's name and your reason; nobody else learns of it."
HEED = "The incidents of all who see it heed it. It is never changed; your agency can undo it."
_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@get("/judge", opt=PERSON)
async def judge_form(request: AnyRequest, hub: TheHub, who: Who) -> Response[str]:
    """Where one judges reports, those of an incident, or undoes a judgement of one's own."""
    who.needs(Action.JUDGE)
    asked = request.query_params
    undone = asked.get("undo", "")
    idents = asked.getall("reports", [])[:MOST]
    if incident := asked.get("incident", ""):
        idents = (await in_thread(hub.incident, who, incident))["report_ids"][:MOST]
    said = {"listed": idents, "reports": idents} | ({"decides": "undo", "judgement": undone} if undone else {})
    return await _form(request, hub, who, said)


@post("/judge", opt=PERSON, status_code=200)
async def judge(request: AnyRequest, hub: TheHub, who: Who) -> Response[str]:
    """Appends a judgement, when asked twice. Sent twice, it is one."""
    who.needs(Action.JUDGE)
    said = await form_of(request)
    more = [i for i in _ID.findall(said.get("further", "")) if i not in said.get("listed", [])]
    said |= {"listed": [*said.get("listed", []), *more], "reports": [*said.get("reports", []), *more], "further": ""}
    said.setdefault("signed", instant(hub.now()))
    try:
        raw = _raw(said)
        checked_why(said.get("why", ""))
        if "sure" in said:
            await in_thread(hub.judging.judge, who, raw)
            return to("/judgements")
        cards = await in_thread(_cards, hub, who, [*raw.get("reports", []), *raw.get("apart_from", [])])
    except Malformed as why:
        return await _form(request, hub, who, said, str(why))
    title, back = ("Undo the judgement?", "/judgements") if raw["decides"] == "undo" else (f"{KINDS[raw['decides']]}?", "/incidents")
    lists = [(words, [c["line"] for c in cards if c["report_id"] in raw.get(k, [])]) for k, words in _HEADS.items() if k in raw]
    tells = [SEEN, HEED] + ([f"{raw['field'].replace('_', ' ')}: {isolated(raw['value'])}"] if "field" in raw else [])
    return sure(request, "/judge", said, title, tells, back=back, lists=lists, button="Sign it")


_HEADS = {"reports": "Reports", "apart_from": "Apart from"}


@get("/judgements", opt=PERSON)
async def judgements(request: AnyRequest, hub: TheHub, who: Who, after: Cursor = "") -> Response[str]:
    """Judgements of which my agency sees every report."""
    found = await in_thread(lambda: hub.judging.judgements(who, after=after, limit=50))
    undone = {one.get("judgement") for one in found["judgements"]}
    more = len(found["judgements"]) == 50
    return page(request, "judgements.html", **found, after=after, more=more, undone=undone, kinds=KINDS)


def _raw(said: Json) -> Json:
    """A judgement as the hub takes it. Raises `Malformed`."""
    kind = said.get("decides", "")
    raw: Json = {"decides": kind, "why": said.get("why", ""), "signed": said["signed"]}
    if kind == "undo":
        return raw | {"judgement": said.get("judgement", "")}
    if kind not in KINDS:
        raise Malformed("say what you judge")
    raw["reports"] = said["reports"]
    if kind == "split":
        raw["apart_from"] = [i for i in said["listed"] if i not in said["reports"]]
        if not raw["apart_from"]:
            raise Malformed("leave those unticked that the ticked ones are apart from")
    if kind == "value":
        raw |= {"field": said.get("field", ""), "value": said.get("value", "").strip()}
    return raw


def _cards(hub: Hub, who: Caller, idents: list[str]) -> list[Json]:
    """The reports, each with a line that says which it is. Raises `Malformed` where one is not there, or hidden, alike."""
    there, out = {one["report_id"]: one for one in hub.reports(who, idents)}, []
    for ident in dict.fromkeys(idents):
        try:
            one = there.get(ident) or hub.report(who, ident)
        except NotThere as why:
            raise Malformed(f"report {ident[:40]}: {why}") from why
        place = ", ".join(one[k] for k in ("place", "admin1", "country") if one.get(k)) or "no place"
        toll = f"{one['killed']} killed" if one.get("killed") is not None else "no toll"
        out.append(one | {"line": f"{one.get('event_start', 'no day')}, {isolated(place)}, {toll}, {one['agency']}"})
    return out


async def _form(request: AnyRequest, hub: Hub, who: Caller, said: Json, wrong: str = "") -> Response[str]:
    from tocsin.terms.judgements import FIELDS  # with the first judgement

    def ask() -> tuple[list[Json], str]:
        try:
            return _cards(hub, who, said.get("listed", [])[:MOST]), wrong
        except Malformed as why:
            return [], wrong or str(why)

    cards, reason = await in_thread(ask)
    return page(request, "judge.html", 400 if reason else 200, cards=cards, said=said, wrong=reason, kinds=KINDS, settable=FIELDS)


JUDGE: list[Any] = [judge_form, judge, judgements]
