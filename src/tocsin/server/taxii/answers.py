"""What TAXII answers with: its media type, its errors, and whether who asks takes them (sections 1.6.8, 3.1, 3.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Request, Response

from tocsin.errors import Malformed
from tocsin.server.options import options

MEDIA = "application/taxii+json;version=2.1"
STIX = "application/stix+json;version=2.1"
ROOT = "/taxii2/"
#: How one signs in: the token as the password of HTTP Basic, or as a bearer's.
SIGN_IN = 'Basic realm="tocsin", Bearer'
_KINDS = ("application/taxii+json", "application/*", "*/*")
_TITLES = {
    400: "Not understood",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not there",
    405: "No such method here",
    406: "No answer in that media type",
    413: "Too large",
    415: "Not a media type that is taken here",
    422: "No objects in it",
}


class Unacceptable(Malformed):
    """Who asks takes no answer that TAXII has."""


class Unprocessable(Malformed):
    """It is JSON, and no envelope of objects."""


def answer(said: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    """A resource of TAXII."""
    return Response(msgspec.json.encode(said), status_code=status, headers=headers, media_type=MEDIA)


def failed(status: int, reason: str, headers: dict[str, str]) -> Response[bytes]:
    """An error message (section 3.6.1)."""
    said = {"title": _TITLES.get(status, "The hub failed at this"), "description": reason, "http_status": str(status)}
    return answer(said, status, headers)


def is_taxii(path: str) -> bool:
    """Whether a path is one of TAXII's."""
    return path == ROOT[:-1] or path.startswith(ROOT)


async def accepted(request: Request[Any, Any, Any]) -> Response[None] | None:
    """Answers OPTIONS.

    Raises 406 where who asks says which media types it takes, and none of them is TAXII 2.1's; of a manifest (section 5.3) STIX's will do too."""
    header = request.headers.get("accept", "").strip()
    kinds = (*_KINDS, "application/stix+json") if request.url.path.rstrip("/").endswith("/manifest") else _KINDS
    if header and not any(_takes(kind, parameters, kinds) for kind, parameters in _ranges(header)):
        raise Unacceptable(f"Accept: ask for {MEDIA}")
    return await options(request)


def sent_as(header: str) -> bool:
    """Whether a body is said to be TAXII 2.1's."""
    return any(_takes(kind, parameters, _KINDS[:1]) for kind, parameters in _ranges(header))


def _ranges(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The media ranges of a header, in lower case, each with its parameters (RFC 9110, section 12.5.1)."""
    for part in header.lower().split(","):
        kind, *rest = (piece.strip() for piece in part.split(";"))
        pairs = (piece.partition("=") for piece in rest)
        yield kind, {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def _takes(kind: str, parameters: dict[str, str], kinds: tuple[str, ...]) -> bool:
    """No version is the latest that there is."""
    if kind not in kinds or parameters.get("version", "2.1") != "2.1":
        return False
    return parameters.get("q", "1").strip("0.") != ""
