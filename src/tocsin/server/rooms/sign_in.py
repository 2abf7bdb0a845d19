"""Where one signs in, accepts an invitation, and signs out."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import anyio
import anyio.to_thread
import segno
from litestar import Response, get, post
from litestar.params import FromPath

from tocsin.errors import Denied, Malformed, Wait
from tocsin.gate import Action
from tocsin.hub import Hub
from tocsin.server.asked import PUBLIC, AnyRequest, TheHub, Who, in_thread
from tocsin.server.rooms.sent import report_page
from tocsin.server.rooms.shown import KEPT, PERSON, SESSION, back_of, form_of, page, session_of, set_cookie, to


@get("/style.css", opt=PUBLIC, media_type="text/css", sync_to_thread=False)
def style() -> str:
    """How the rooms look."""
    return files("tocsin.server.rooms").joinpath("pages/style.css").read_text(encoding="utf-8")


@get("/sign-in", opt=PUBLIC)
async def sign_in_page(request: AnyRequest) -> Response[str]:
    """Where one signs in."""
    return page(request, "sign_in.html", agency="", name="", wrong="", back=back_of(request.query_params.get("back", "/")))


@post("/sign-in", opt=PUBLIC, status_code=200)
async def sign_in(request: AnyRequest, hub: TheHub) -> Response[str]:
    """Signs in."""
    said = await form_of(request)
    agency, name = (said.get(k, "").strip()[:200] for k in ("agency", "name"))
    back = back_of(said.get("back", "/"))
    try:
        session = await _slowly(
            request, lambda: hub.signing_in.sign_in(agency, name, said.get("password", ""), said.get("code", ""), _address(request))
        )
    except (Denied, Wait) as why:
        status, kept = 429 if isinstance(why, Wait) else 403, _kept(said)
        made = page(request, "sign_in.html", status, agency=agency, name=name, wrong=str(why), back=back, kept=kept)
        if isinstance(why, Wait):
            made.headers["Retry-After"] = str(why.seconds)
        return made
    cookie = set_cookie(request, SESSION, session)
    if typed := {k.removeprefix(KEPT): v for k, v in said.items() if k.startswith(KEPT)}:
        request.state["session"] = session
        request.state["caller"] = who = await in_thread(hub.signing_in.caller, session)
        who.needs(Action.SUBMIT)
        made = await report_page(request, hub, who, typed, [], 200)
        made.cookies.append(cookie)
        return made
    return to(back, [cookie])


@get("/invitation/{link:str}", opt=PUBLIC)
async def invitation(request: AnyRequest, hub: TheHub, link: FromPath[str]) -> Response[str]:
    """Where who is invited chooses a password. Looking at it does not use it up."""
    return await _invitation(request, hub, link, "", 200)


@post("/invitation/{link:str}", opt=PUBLIC, status_code=200)
async def accept(request: AnyRequest, hub: TheHub, link: FromPath[str]) -> Response[str]:
    """Accepts an invitation, and signs in."""
    said = await form_of(request)
    try:
        session = await _slowly(
            request,
            lambda: hub.signing_in.accept(link, said.get("password", ""), said.get("again", ""), said.get("code", ""), _address(request)),
        )
    except Malformed as why:
        return await _invitation(request, hub, link, str(why), 400)
    return to("/", [set_cookie(request, SESSION, session)])


@post("/sign-out", opt=PERSON, status_code=200)
async def sign_out(request: AnyRequest, hub: TheHub, who: Who) -> Response[str]:
    """Ends the session."""
    await form_of(request)
    await in_thread(hub.signing_in.sign_out, who, session_of(request) or "")
    return to("/sign-in", [set_cookie(request, SESSION, "")])


def _kept(said: dict[str, Any]) -> list[tuple[str, str]]:
    """What was typed before, to be sent along once more."""
    return [(k, v) for k, values in said.items() if k.startswith(KEPT) for v in (values if isinstance(values, list) else [values])]


async def _invitation(request: AnyRequest, hub: Hub, link: str, wrong: str, status: int) -> Response[str]:
    one = await in_thread(hub.signing_in.invited, link)
    picture = segno.make(one.uri, micro=False).svg_data_uri(scale=5, dark="#000", light="#fff")
    return page(request, "invitation.html", status, one=one, secret=_spaced(one.totp), picture=picture, wrong=wrong)


def _spaced(secret: str) -> str:
    return " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))


def _address(request: AnyRequest) -> str:
    return request.client.host if request.client else "unknown"


async def _slowly(request: AnyRequest, ask: Callable[[], str]) -> str:
    """Asks where a password is verified: so many at once as the app allows."""
    return await anyio.to_thread.run_sync(ask, limiter=request.app.state.verifying)


SIGN_IN = [style, sign_in_page, sign_in, invitation, accept, sign_out]
