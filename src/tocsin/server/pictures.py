"""Pages on what my agency saw by a moment, and on the signals of the looks at its incidents."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, QueryParameter

from tocsin.errors import NotKnown
from tocsin.server.asked import AGENCY, AnyRequest, Cursor, Json, Limit, TheHub, Who, in_thread, object_of
from tocsin.server.errors import on_error
from tocsin.server.rooms.shown import sign_in_for, to

Moment = Annotated[
    str, QueryParameter(max_length=40, description="A time with its zone, as 2026-01-31T12:00:00Z; now, where it is left out.")
]
#: Seconds after which to ask again for what is being made.
AGAIN = 1
#: Of a page of one agency's picture: nobody frames it, it asks nobody for anything, and tells nobody where it was read.
STRICT = {
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'"
_WAITING = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Your picture is being made: tocsin</title></head>
<body><p>Your picture is being made. This page looks again by itself: <a href="{see}">look now</a>.</p></body></html>
"""


@get("/api/picture", opt=AGENCY)
async def picture(hub: TheHub, who: Who, as_of: Moment = "", after: Cursor = "", limit: Limit = 100) -> Response[Json]:
    """What my agency saw by a moment and sees still: counts, and its incidents, fused from exactly that. 202 while it is made: look again where it says."""
    made = await in_thread(lambda: hub.moments.picture(who, as_of=as_of, after=after, limit=limit))
    if made.what is None:
        return Response({"being_made": True, "see": made.see}, status_code=202, headers=_again(made.see), media_type="application/json")
    return Response(made.what, media_type="application/json")


def _to_sign_in(request: Request[Any, Any, Any], why: NotKnown) -> Response[Any]:
    """A person who is not signed in any more comes to where one signs in, and back; a program is told that it needs a token."""
    person = "authorization" not in request.headers and "text/html" in request.headers.get("accept", "")
    return to(sign_in_for(request)) if person else on_error(request, why)


@get("/picture/brief.html", opt=AGENCY, media_type="text/html", exception_handlers={NotKnown: _to_sign_in})
async def page(hub: TheHub, who: Who, as_of: Moment = "") -> Response[str]:
    """The same as one page with map, search and every report behind it. 202 while it is made: look again where it says."""
    made = await in_thread(lambda: hub.moments.page(who, as_of=as_of))
    if made.what is None:
        headers = _strict(_NOTHING) | _again(made.see) | {"Refresh": f"{AGAIN}; url={made.see}"}
        return Response(_WAITING.format(see=made.see), status_code=202, headers=headers, media_type="text/html")
    return Response(made.what["text"], headers=_strict(made.what["policy"]), media_type="text/html")


@get("/api/signals", opt=AGENCY)
async def signals(hub: TheHub, who: Who, after: Cursor = "", limit: Limit = 100) -> Json:
    """Signals of the scheduled looks at my agency's incidents, in their order; `look` says what the latest look tested, and when the next one is."""
    return await in_thread(lambda: hub.signals.page(who, after=after, limit=limit))


@get("/api/signals/received", opt=AGENCY)
async def signals_received(hub: TheHub, who: Who, after: Cursor = "", limit: Limit = 100) -> Json:
    """Signals that other agencies released to mine, in the order in which they came. What they say rests on reports that I see, and on nothing else."""
    return await in_thread(lambda: hub.signals.received(who, after=after, limit=limit))


@post("/api/signals/{signal_id:str}/release", opt=AGENCY, status_code=200)
async def release_signal(request: AnyRequest, hub: TheHub, who: Who, signal_id: FromPath[str]) -> Json:
    """Open each report that a signal of mine rests on to one more agency, and give it the signal without its odds, or nothing: {"to": NAME, "why": TEXT}."""
    raw = await object_of(request, {"to": str, "why": str})
    return await in_thread(hub.signals.release_signal, who, signal_id, raw["to"], raw["why"])


@post("/api/signals/{signal_id:str}/requests", opt=AGENCY, status_code=201)
async def request_signal(request: AnyRequest, hub: TheHub, who: Who, signal_id: FromPath[str]) -> Json:
    """Ask the originators of the reports that a signal of mine rests on, and that I may not pass on, to release them: {"to": NAME, "why": TEXT}."""
    raw = await object_of(request, {"to": str, "why": str})
    return await in_thread(hub.signals.request_signal, who, signal_id, raw["to"], raw["why"])


@get("/api/signals/{signal_id:str}/who", opt=AGENCY)
async def who_has(hub: TheHub, who: Who, signal_id: FromPath[str]) -> Json:
    """To whom my agency released a signal of its own."""
    return await in_thread(hub.signals.who_has, who, signal_id)


def _again(see: str) -> dict[str, Any]:
    return {"Location": see, "Retry-After": str(AGAIN)}


def _strict(policy: str) -> dict[str, str]:
    return STRICT | {"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"}


PICTURES = [picture, page, signals, signals_received, release_signal, request_signal, who_has]
