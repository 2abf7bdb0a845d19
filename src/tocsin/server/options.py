"""OPTIONS: which methods a page takes.

It goes by the route alone, and so tells nothing of what the ids in an address name.
"""

from __future__ import annotations

from typing import Any

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.routes import HTTPRoute

OPTIONS = "OPTIONS"


def asked_by(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """Whom OPTIONS of a page is for: whoever has a token where one of its methods is for some of them.

    It is for nobody where one of its methods does not say whom it is for."""
    every = {handler.opt.get("for") for handler in _route(connection).route_handlers if OPTIONS not in handler.http_methods}
    if None in every:
        return None
    return every.pop() if len(every) == 1 and every <= {"public", "person"} else "any"


async def options(request: Request[Any, Any, Any]) -> Response[None] | None:
    """The answer to OPTIONS; of another method none."""
    if request.method != OPTIONS:
        return None
    return Response(
        None, status_code=204, headers={"Allow": ", ".join(sorted(_route(request).methods))}
    )  # litestar's own names those of one handler of the page alone


def _route(connection: ASGIConnection[Any, Any, Any, Any]) -> HTTPRoute:
    template = connection.scope["path_template"]
    return next(made for made in connection.app.routes if isinstance(made, HTTPRoute) and made.path_format == template)
