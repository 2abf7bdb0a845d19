"""How a page is shown, what a form is held to, and the cookie that a session is."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, quote

import jinja2
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, UploadFile

from tocsin.errors import Denied, Malformed, NotKnown
from tocsin.gate import Action, Role
from tocsin.gate.rule import ROLES
from tocsin.hub import Caller
from tocsin.hub.acts import TOLD
from tocsin.hub.caller import new_secret
from tocsin.hub.tokens import ADMINISTER
from tocsin.server.asked import AnyRequest, media
from tocsin.server.errors import HEADERS, on_error

PERSON = {"for": "person"}
#: Nothing but the hub's own style sheet and the picture of a code; no script, no frame, no form that goes elsewhere.
POLICY = "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
PAGE_HEADERS = HEADERS | {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin"}
SESSION, FORM = "tocsin", "tocsin-form"
BAD_FORM = "this form is not of your session, or too old: go back, load the page anew, and send it again"
_PAGE = re.compile(r"/(?:[A-Za-z0-9_-][A-Za-z0-9_/.,:?&=%+-]{0,400})?")
KEPT = "kept-"  # of a field that was typed before one was signed out
_LISTS = "roles", "releasable_to", "reports", "listed", f"{KEPT}releasable_to"


@cache
def _pages() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: files("tocsin.server.rooms").joinpath("pages", name).read_text(encoding="utf-8")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["instant"] = lambda text: f"{text[:10]} {text[11:16]}" if text else ""
    made.filters["thousands"] = lambda number: f"{number:,}"
    return made


def cookie_name(connection: ASGIConnection[Any, Any, Any, Any], name: str) -> str:
    """Where the hub is asked by https, a name that no other site, and no plain http, may set."""
    return f"__Host-{name}" if connection.scope["scheme"] == "https" else name


def session_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """The secret of the session that a request says it is of."""
    said = connection.cookies.get(cookie_name(connection, SESSION))
    return said if said and len(said) <= 200 else None


def set_cookie(request: AnyRequest, name: str, value: str) -> Cookie:
    """A cookie that no script reads and no other site sends. An empty value takes it away."""
    secure = request.scope["scheme"] == "https"
    max_age = None if value else 0
    return Cookie(key=cookie_name(request, name), value=value, httponly=True, samesite="strict", secure=secure, max_age=max_age)


def page(request: AnyRequest, template: str, status: int = 200, **values: Any) -> Response[str]:
    """A page of the rooms. Its forms hold for the session, or, before one is signed in, for the browser."""
    who, cookies = request.state.get("caller"), []
    secret = request.state.get("session") or (session_of(request) if who else request.cookies.get(cookie_name(request, FORM)))
    if not secret:
        secret = new_secret()
        cookies.append(set_cookie(request, FORM, secret))
    shown = {"me": who, "can": _can(who), "here": request.url.path, "form": _form_token(secret)} | values
    text = _pages().get_template(template).render(shown)
    return Response(text, status_code=status, media_type="text/html", headers=PAGE_HEADERS, cookies=cookies)


def to(path: str, cookies: list[Cookie] | None = None) -> Response[str]:
    """Leads on to another page, so that loading anew sends nothing twice."""
    return Response("", status_code=303, headers=PAGE_HEADERS | {"Location": path}, cookies=cookies or [])


async def form_of(request: AnyRequest) -> dict[str, Any]:
    """The fields of a form, lists where several may be chosen. Raises `Malformed`; `Denied` where the form is not of this session."""
    return _held(request, await _fields(request))


async def typed_before(request: AnyRequest, names: Collection[str]) -> list[tuple[str, str]]:
    """What was typed into a form of this hub's by who was signed out meanwhile; nothing where it comes from elsewhere, or a browser does not say."""
    if request.headers.get("sec-fetch-site") != "same-origin":
        return []
    return [(f"{KEPT}{name}", value) for name, values in (await _fields(request)).items() if name in names for value in values]


async def _fields(request: AnyRequest) -> dict[str, list[str]]:
    media(request, "application/x-www-form-urlencoded")
    try:
        return parse_qs((await request.body()).decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=400)
    except ValueError as why:
        raise Malformed("the form cannot be read: load the page anew, and send it again") from why


async def form_with_file(request: AnyRequest) -> tuple[dict[str, Any], str, bytes]:
    """The fields of a form that carries a file, and the file's name and bytes. Raises as `form_of`."""
    media(request, "multipart/form-data")
    said: dict[str, list[str]] = {}
    name, body = "", b""
    for field, value in (await request.form()).multi_items():
        if isinstance(value, UploadFile):
            name, body = value.filename, await value.read()
            await value.close()
        else:
            said.setdefault(field, []).append(value)
    return _held(request, said), name, body


def _held(request: AnyRequest, said: dict[str, list[str]]) -> dict[str, Any]:
    """The fields of a form of this session: a text each, or a list where several may be chosen."""
    if any("\0" in value for values in said.values() for value in values):
        raise Malformed("the form has a zero character in it: take it out, and send it again")
    secret = session_of(request) if request.state.get("caller") else request.cookies.get(cookie_name(request, FORM))
    given = said.get("form", [""])[0].encode("utf-8", "replace")
    if not secret or not hmac.compare_digest(_form_token(secret).encode(), given):
        raise Denied(BAD_FORM)
    return {k: v if k in _LISTS else v[0] for k, v in said.items()}


def on_page_error(request: Request[Any, Any, Any], why: Exception) -> Response[Any]:
    """What is answered where something is wrong: who is not signed in comes to where one signs in."""
    if isinstance(why, NotKnown) and request.method in ("GET", "HEAD"):
        return to(sign_in_for(request))
    said = on_error(request, why)
    error = said.content["error"]
    lost = sign_in_for(request) if isinstance(why, NotKnown) else ""
    made = page(request, "wrong.html", error["status"], reason=error["reason"], lost=lost)
    return Response(
        made.content,
        status_code=error["status"],
        media_type=made.media_type,
        headers={k: v for k, v in said.headers.items() if k != "WWW-Authenticate"} | PAGE_HEADERS,
        cookies=made.cookies,
    )


def sign_in_for(request: Request[Any, Any, Any]) -> str:
    """Where one signs in, to come back to the page that was asked for."""
    query = request.scope["query_string"].decode("ascii", "replace")
    here = back_of(f"{request.url.path}?{query}" if query and request.method == "GET" else request.url.path)
    return "/sign-in" if here == "/" else f"/sign-in?back={quote(here, safe='')}"


def back_of(path: str) -> str:
    """A page of this hub, and of no other; the first one for what is none."""
    return path if _PAGE.fullmatch(path) and not path.startswith(("/sign-", "/invitation")) else "/"


def _form_token(secret: str) -> str:
    return hashlib.sha256(b"form\0" + secret.encode("utf-8", "replace")).hexdigest()


def _can(who: Caller | None) -> dict[str, bool]:
    """Which rooms there are for whom."""
    roles = who.clearance.roles if who else frozenset()
    return {
        "staff": who is not None and who.is_staff,
        "read": bool(roles & ROLES[Action.READ]),
        "submit": Role.SUBMIT in roles,
        "judge": bool(roles & ROLES[Action.JUDGE]),
        "release": bool(roles & ROLES[Action.RELEASE]),
        "told": who is not None and not who.is_staff and bool(roles & TOLD),
        "administer": bool(roles & ADMINISTER),
        "oversee": bool(roles & (ADMINISTER | {Role.OVERSEE})),
    }
