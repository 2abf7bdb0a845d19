"""What changed in an agency's own incidents, in the words of the brief; and where a signal is opened to one more agency."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from tocsin.errors import Malformed
from tocsin.gate import Action
from tocsin.hub import Caller, Hub
from tocsin.hub.acts import checked_why
from tocsin.hub.cursor import all_of
from tocsin.server.asked import AnyRequest, Json, TheHub, Who, in_thread
from tocsin.server.rooms.acts import BACK
from tocsin.server.rooms.confirm import each_of, sure
from tocsin.server.rooms.handling import handling_of
from tocsin.server.rooms.shown import PERSON, form_of, page, to
from tocsin.terms.say import say
from tocsin.terms.signals import stream_name, words

RATE = 1.0  # false alarms a year of all that is watched: `look`'s own
RECEIVED = 50
TITLES = {"release": "Open a signal to one more agency", "request": "Ask the originators to open it"}


@get("/signals", opt=PERSON)
async def signals(request: AnyRequest, hub: TheHub, who: Who) -> Response[str]:
    """What the latest look at my agency's incidents raised, what it raises no more, and what other agencies released to mine."""

    def ask() -> Json:
        found = hub.signals.standing(who)
        given = {one["signal_id"]: one for one in all_of(hub.signals.received, "signals", who)}
        received = [_said(one) for one in list(given.values())[: -RECEIVED - 1 : -1]]
        now = sorted(map(_said, found["now"]), key=lambda one: (one.get("false_alarms_per_year", math.inf), one["signal_id"]))
        look = found["look"] and found["look"] | {"tests": _tests(found["look"]), "summary": _summary(found["look"])}
        return {"look": look, "now": now, "ended": [_said(one) for one in found["ended"]], "received": received}

    return page(request, "signals.html", **await in_thread(ask))


@get("/signals/{signal_id:str}", opt=PERSON)
async def signal(request: AnyRequest, hub: TheHub, who: Who, signal_id: FromPath[str]) -> Response[str]:
    """One signal of my agency, with the incidents that it rests on, and to whom it was opened."""

    def ask() -> Json:
        found = hub.signals.one(who, signal_id)
        others = [one["agency"] for one in hub.signals.who_has(who, signal_id)["agencies"][1:]]
        return {"one": _said(found["signal"]), "incidents": found["incidents"], "others": others}

    return page(request, "signal.html", **await in_thread(ask))


@get("/signals/{signal_id:str}/release", opt=PERSON)
async def release_form(request: AnyRequest, hub: TheHub, who: Who, signal_id: FromPath[str]) -> Response[str]:
    """Where a signal is opened to one more agency, with every report that it rests on."""
    who.needs(Action.RELEASE)
    return await _form(request, hub, who, signal_id, "release")


@post("/signals/{signal_id:str}/release", opt=PERSON, status_code=200)
async def release(request: AnyRequest, hub: TheHub, who: Who, signal_id: FromPath[str]) -> Response[str]:
    """Opens it, when asked twice."""
    who.needs(Action.RELEASE)
    return await _act(request, hub, who, signal_id, "release", _opens, hub.once.release_signal)


@get("/signals/{signal_id:str}/request", opt=PERSON)
async def request_form(request: AnyRequest, hub: TheHub, who: Who, signal_id: FromPath[str]) -> Response[str]:
    """Where the originators of what holds a signal are asked to open it."""
    who.needs(Action.REQUEST)
    return await _form(request, hub, who, signal_id, "request")


@post("/signals/{signal_id:str}/request", opt=PERSON, status_code=200)
async def request_release(request: AnyRequest, hub: TheHub, who: Who, signal_id: FromPath[str]) -> Response[str]:
    """Asks them, when asked twice."""
    who.needs(Action.REQUEST)
    return await _act(request, hub, who, signal_id, "request", _asks, hub.once.request_signal)


async def _act(
    request: AnyRequest,
    hub: Hub,
    who: Caller,
    signal_id: str,
    act: str,
    tell: Callable[[str, Json], list[str]],
    do: Callable[[Caller, str, str, str], None],
) -> Response[str]:
    said = await form_of(request)
    other, here = said.get("to", ""), f"/signals/{signal_id}"

    def ask() -> Json:
        checked_why(said.get("why", ""))
        return hub.signals.foreseen(who, signal_id, other)

    try:
        if "sure" in said:
            await in_thread(do, who, signal_id, other, said.get("why", ""))
            return to(here if act == "release" else "/requests")
        tells = tell(other, await in_thread(ask))
    except Malformed as why:
        return await _form(request, hub, who, signal_id, act, said, str(why))
    title = f"Open it to {other}?" if act == "release" else f"Ask to open it to {other}?"
    button = f"Open it to {other}" if act == "release" else "Ask them"
    return sure(request, f"{here}/{act}", said, title, tells, back=here, button=button)


def _opens(other: str, found: Json) -> list[str]:
    """What a release will do. Raises `Malformed` where it may not be."""
    if not found["release"]:
        more = "; you may ask the originators of what holds it" if found["request"] else ""
        several = "the one report" if found["reports"] == 1 else f"one of the {found['reports']} reports"
        raise Malformed(f"{several} that it rests on may not be passed on: {found['release'].reason}{more}")
    return [
        f"{other} sees from then on {each_of(found['reports'])} that it rests on.",
        f"{other} finds under Signals that it comes from you, what it is about, where, since when and how many; and not its odds, nor how likely chance is.",
        "It stays: you find it, with your reason, under Requests and releases; the originator of each report finds that its report was opened.",
        BACK,
    ]


def _asks(other: str, found: Json) -> list[str]:
    """What a request will do. Raises `Malformed` where there is nothing to ask for."""
    if not found["request"]:
        raise Malformed(found["request"].reason)
    held, reports = found["held"], found["reports"]
    which = "the one report" if reports == 1 else f"{held} of the {reports} reports"
    whose, them = (
        (f"The originator of {which} that it rests on is", "it")
        if held == 1
        else (f"The originators of {which} that it rests on are", "them")
    )
    return [
        f"{whose} told that your agency sees {them}, that you would have {them} opened to {other}, and why; not that there is a signal.",
        f"{other} is told nothing, and sees nothing new unless an originator grants it.",
        "You find the answers under Requests and releases. When all have granted it, open the signal.",
    ]


async def _form(
    request: AnyRequest, hub: Hub, who: Caller, signal_id: str, act: str, said: Json | None = None, wrong: str = ""
) -> Response[str]:
    def ask() -> Json:
        found = hub.signals.one(who, signal_id)
        return {"one": _said(found["signal"]), "handling": handling_of(hub, who)}

    return page(request, "signal_act.html", 400 if wrong else 200, **await in_thread(ask), said=said or {}, wrong=wrong, title=TITLES[act])


def _said(one: Mapping[str, Any]) -> Json:
    """A signal in words; one that another agency released says less."""
    if "withdrawn" in one:
        return dict(one)
    name, lines = words(one)
    row = dict.fromkeys(("lat", "lon", "calibrated")) | dict(one)
    return row | {"name": name, "whose": _whose(row), "lines": lines, "where": _where(row)}


def _whose(row: Mapping[str, Any]) -> str:
    kind = say((f"kind_{row['violence']}", {}))
    return say(("signal_whose", {"kind": kind, "actor": row["actor"]})) if row.get("actor") else kind


def _where(row: Mapping[str, Any]) -> str:
    """Where most of the evidence lies."""
    return ", ".join(reversed(row["area"].split("/", 1))) if row.get("area") else ""


def _summary(look: Json) -> list[str]:
    """How many signals in how many tests, and how much the silence of the others is worth."""
    if look["reason"]:
        return [f"Nothing was tested: {look['reason']}."]
    n, values = look["signals"], {"n": look["signals"], "tests": ("tests_n", {"n": look["tested"]}), "rate": f"{RATE:g}"}
    lines = [say(("watch_none" if not n else "watch_one" if n == 1 else "watch_some", values))]
    little = look["streams"] - look["tested"]
    return lines + ([say(("watch_little", {"n": little}))] if little else [])


def _tests(look: Json) -> list[Json]:
    """What was tested, and what came of each."""
    rows = [dict.fromkeys(("actor", "reason", "before", "watched")) | one for one in look["of"]]
    return [row | {"name": say(stream_name(row)), "verdict": say((f"verdict_{row['verdict']}", {}))} for row in rows]


SIGNALS_ROOM: list[Any] = [signals, signal, release_form, release, request_form, request_release]
