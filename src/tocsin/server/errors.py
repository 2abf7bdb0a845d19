"""What is answered where something is wrong: a status and a reason, in one form, never a traceback."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from tocsin.errors import Busy, Denied, Malformed, NotKnown, NotThere, StoreError, TocsinError, TooMany
from tocsin.server.taxii.answers import SIGN_IN, Unacceptable, Unprocessable, failed, is_taxii

STATUS: dict[type[Exception], int] = {NotKnown: 401, Denied: 403, NotThere: 404, TocsinError: 400, Malformed: 400}
STATUS |= {Unacceptable: 406, Unprocessable: 422}
_SAID = {
    404: "no such page, or none that you may see",
    405: "this page does not take that method",
    413: "too large: send less at once",
    415: "not a media type that is taken here: see `Content-Type`",
}
#: What comes before all of a body was read: the rest is not waited for.
CLOSES = frozenset({408, 413, 415})
DISK_FULL = "53100"

#: Of every answer, errors included.
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def answer(status: int, reason: str, more: dict[str, str] | None = None) -> Response[dict[str, Any]]:
    """One form for all."""
    headers = HEADERS | ({"WWW-Authenticate": "Bearer"} if status == 401 else {}) | (more or {})
    return Response({"error": {"status": status, "reason": reason}}, status_code=status, headers=headers, media_type="application/json")


def on_error(request: Request[Any, Any, Any], why: Exception) -> Response[Any]:
    """The answer to an exception, in the form of the page that was asked for."""
    said = _of(request, why)
    if not is_taxii(request.url.path):
        return said
    error = said.content["error"]
    headers = dict(said.headers) | ({"WWW-Authenticate": SIGN_IN} if error["status"] == 401 else {})
    return failed(error["status"], error["reason"], headers)


def _wrong(why: HTTPException) -> str:
    """Which parameters of the address are wrong, and what is wanted of each."""
    extra = why.extra if isinstance(why.extra, list) else []
    found = [f"{one['key']}: {one['message'][:1].lower()}{one['message'][1:]}" for one in extra if "key" in one and "message" in one]
    return "; ".join(found) + " (/api/schema/openapi.json says what each page takes)" if found else why.detail or "it cannot be understood"


def _of(request: Request[Any, Any, Any], why: Exception) -> Response[dict[str, Any]]:
    if isinstance(why, StoreError):  # its words are for who runs the hub: they name its machine
        request.app.state.journal.failed(request.state.get("request"), why)
        if getattr(why.__cause__, "sqlstate", None) == DISK_FULL:
            return answer(507, "the hub's disk is full: nothing of this was stored; tell who runs it")
        return answer(503, "the hub's database does not answer: try again in a moment", {"Retry-After": "2"})
    if isinstance(why, Busy):
        return answer(503, str(why), {"Retry-After": "5"})
    if isinstance(why, TooMany):
        return answer(429, str(why), {"Retry-After": str(why.seconds)})
    for kind in type(why).__mro__:
        if kind in STATUS:
            return answer(STATUS[kind], str(why))
    if isinstance(why, HTTPException) and why.status_code < 500:
        more = (
            {"Connection": "close"}
            if why.status_code in CLOSES
            else {"Allow": why.headers["allow"]}
            if why.headers and "allow" in why.headers
            else {}
        )
        return answer(why.status_code, _SAID.get(why.status_code) or _wrong(why), more)
    request.app.state.journal.failed(request.state.get("request"), why)
    return answer(500, "the hub failed at this; what was acknowledged before stands. Try again, or tell who runs it")
