"""Where a file is sent, how far it is, and what became of it. It looks again by itself, without a script."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from tocsin.errors import Busy, Malformed, TooMany
from tocsin.gate import Action
from tocsin.hub import Caller, Hub
from tocsin.hub.uploads import LARGEST
from tocsin.server.asked import AnyRequest, Json, TheHub, Who, in_thread
from tocsin.server.rooms.handling import handling_of
from tocsin.server.rooms.shown import PERSON, form_of, form_with_file, page, to

#: Bytes of a request: somewhat more than a file may have, so that who sends one that is too large is told so.
LARGEST_REQUEST = 4 * LARGEST
AGAIN = 2  # seconds after which the page of a file that is under way looks again
UNDER_WAY = ("waiting", "reading", "sending")


@get("/upload", opt=PERSON)
async def upload_form(request: AnyRequest, hub: TheHub, who: Who) -> Response[str]:
    """Where a file is chosen, and the files of the last week."""
    who.needs(Action.SUBMIT)
    return await _form(request, hub, who, {})


@post("/upload", opt=PERSON, status_code=200, request_max_body_size=LARGEST_REQUEST)
async def uploaded(request: AnyRequest, hub: TheHub, who: Who) -> Response[str]:
    """Takes a file. Sent twice, it is taken once."""
    who.needs(Action.SUBMIT)
    said, name, body = await form_with_file(request)
    handling = {"marking": said.get("marking", "") or None, "releasable_to": said.get("releasable_to", []), "orcon": "orcon" in said}
    try:
        ident = await in_thread(hub.uploads.begin, who, name, body, handling, said.get("description", "").strip())
    except (Malformed, TooMany, Busy) as why:
        status = 400 if isinstance(why, Malformed) else 429 if isinstance(why, TooMany) else 503
        return await _form(request, hub, who, said, str(why), status)
    return to(f"/upload/{ident}")


@get("/upload/{upload_id:str}", opt=PERSON)
async def upload(request: AnyRequest, hub: TheHub, who: Who, upload_id: FromPath[str]) -> Response[str]:
    """How far a file is, or what became of it."""
    return await _one(request, hub, who, upload_id)


@post("/upload/{upload_id:str}", opt=PERSON, status_code=200)
async def described(request: AnyRequest, hub: TheHub, who: Who, upload_id: FromPath[str]) -> Response[str]:
    """Goes on with a file whose columns are described now."""
    who.needs(Action.SUBMIT)
    said = await form_of(request)
    try:
        await in_thread(hub.uploads.describe, who, upload_id, said.get("description", ""))
    except Malformed as why:
        return await _one(request, hub, who, upload_id, str(why), 400)
    return to(f"/upload/{upload_id}")


async def _one(request: AnyRequest, hub: Hub, who: Caller, ident: str, wrong: str = "", status: int = 200) -> Response[str]:
    one = await in_thread(hub.uploads.one, who, ident)
    made = page(request, "upload.html", status, one=one, wrong=wrong or one.get("wrong", ""))
    if one["stage"] in UNDER_WAY:
        made.headers["Refresh"] = str(AGAIN)
    return made


async def _form(request: AnyRequest, hub: Hub, who: Caller, said: Json, wrong: str = "", status: int = 200) -> Response[str]:
    def ask() -> Json:
        return {"files": hub.uploads.all(who), "handling": handling_of(hub, who)}

    return page(request, "upload_form.html", status, said=said, wrong=wrong, megabytes=LARGEST // 1_000_000, **await in_thread(ask))


UPLOAD: list[Any] = [upload_form, uploaded, upload, described]
