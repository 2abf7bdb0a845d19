"""The app: every route asks for a token but those that say they are public."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
from litestar import Litestar, Request, Router
from litestar.connection import ASGIConnection
from litestar.datastructures import ResponseHeader, State
from litestar.di import Provide
from litestar.handlers.base import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from tocsin.errors import Denied, Malformed, NotKnown, StoreError
from tocsin.hub import PUBLIC, Caller, Hub
from tocsin.server.asked import LARGEST
from tocsin.server.errors import HEADERS, on_error
from tocsin.server.fairness import Fair, kind_of
from tocsin.server.journal import Journal
from tocsin.server.openapi import Described
from tocsin.server.options import OPTIONS, asked_by, options
from tocsin.server.rooms import ROOMS
from tocsin.server.rooms.shown import session_of
from tocsin.server.routes import ROUTES
from tocsin.server.taxii import TAXII, is_taxii

#: Passwords that are verified at once: each takes 64 MB while it is, and a thread.
VERIFIED_AT_ONCE = 2
ASKS = ("agency", "staff", "any", "public", "person")


def make_app(hub: Hub, journal: Journal | None = None, fair: Fair | None = None) -> Litestar:
    """The API over a hub. journal: what /metrics tells; it counts what goes through `journal.around(app)`.

    fair: how much one agency may take; all that it likes, where it is left out.
    """

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """Default deny: a route that does not say whom it is for is for nobody."""
        method, path = connection.scope["method"], connection.scope["path"]  # type: ignore[typeddict-item]
        whom, kind = asked_by(connection) if method == OPTIONS else handler.opt.get("for"), kind_of(method, path)
        if whom == "public":
            if fair is not None and path.startswith("/api/public/"):
                fair.enter(PUBLIC, kind)
            return
        if "\0" in path or b"%00" in connection.scope["query_string"]:  # no text of the database has one
            raise Malformed("the address has a zero character: nothing is called so")
        try:
            who = await anyio.to_thread.run_sync(_who, hub, connection, whom)
        except NotKnown:
            if whom == "person" and handler.opt.get("keeps"):  # it does nothing without a caller, but gives back what was typed
                return
            raise
        if whom not in ASKS:
            raise Denied("this page is for nobody yet")
        if whom not in ("any", "person") and who.is_staff != (whom == "staff"):
            raise Denied("this is for the hub's own staff" if whom == "staff" else "this is for agencies")
        connection.state["caller"] = who
        if fair is not None:
            fair.take(who.clearance.agency, who.label)
            fair.enter(who.clearance.agency, kind)

    return Litestar(
        [*ROUTES, ROOMS, TAXII],
        guards=[guard],
        before_request=options,
        dependencies={"hub": Provide(_always(hub), sync_to_thread=False), "who": Provide(_caller, sync_to_thread=False)},
        exception_handlers={Exception: on_error},
        request_max_body_size=LARGEST,
        response_headers=[ResponseHeader(name=k, value=v) for k, v in HEADERS.items()],
        openapi_config=_openapi(),
        include_in_schema=True,
        state=State({"journal": journal or Journal(), "verifying": anyio.CapacityLimiter(VERIFIED_AT_ONCE)}),
        debug=False,
        logging_config=None,  # the journal is the log
    )


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="tocsin hub",
        version="1",
        openapi_router=Router(path="/api/schema", route_handlers=[], opt={"for": "public"}),
        render_plugins=[Described()],
        use_handler_docstrings=True,
        components=Components(security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}),
        security=[{"bearer": []}],
    )


def _always(hub: Hub) -> Callable[[], Hub]:
    return lambda: hub


def _caller(request: Request[Any, Any, Any]) -> Caller:
    who = request.state.get("caller")
    if not isinstance(who, Caller):
        raise StoreError("a page asked who calls without a guard: tell who runs this hub")
    return who


def _who(hub: Hub, connection: ASGIConnection[Any, Any, Any, Any], whom: str | None) -> Caller:
    """Whose token it is. A person's session opens the rooms, and of other pages those that are only read."""
    reads = connection.scope["method"] in ("GET", "HEAD", OPTIONS) and "authorization" not in connection.headers and session_of(connection)  # type: ignore[typeddict-item]
    if whom == "person" or reads:
        return hub.signing_in.caller(session_of(connection))
    return hub.caller(_token(connection))


def _token(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """The bearer's token; for TAXII the password of HTTP Basic too, whatever the user is called, and what taxii2-client's `TokenAuth` sends.

    No browser is to send one by itself to the other pages.
    """
    kind, _, token = connection.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if kind.lower() == "basic" and is_taxii(connection.scope["path"]):
        try:
            token = base64.b64decode(token, validate=True).decode().partition(":")[2]
        except ValueError:
            return None
    elif kind.lower() != "bearer" and not (kind.lower() == "token" and is_taxii(connection.scope["path"])):
        return None
    return token if 0 < len(token) <= 200 else None
