"""What a page asks with: its body, checked before anything is done with it, and the types of what it is given."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import anyio.to_thread
import msgspec
from litestar import Request
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.params import QueryParameter

from tocsin.errors import Malformed
from tocsin.hub import MOST, Caller, Hub
from tocsin.server.fairness import lane

LARGEST = 10_000_000  # bytes of a request
T = TypeVar("T")
Json = dict[str, Any]
AnyRequest = Request[Any, Any, Any]
Line = Annotated[int, QueryParameter(ge=0, le=2**62, description="Where to go on: `next` of the page before.")]
Cursor = Annotated[str, QueryParameter(max_length=64, description="Where to go on: `next` of the page before.")]
Limit = Annotated[int, QueryParameter(ge=1, le=MOST)]
AGENCY, STAFF, ANY, PUBLIC = ({"for": whom} for whom in ("agency", "staff", "any", "public"))
TheHub = NamedDependency[Hub]
Who = NamedDependency[Caller]


async def in_thread(call: Callable[..., T], *args: Any) -> T:
    """What a call gives, which is made in a thread when it is the turn of who asks. Raises `TooMany`."""
    own = lane.get()
    if own is None:
        return await anyio.to_thread.run_sync(call, *args)
    async with own:
        return await anyio.to_thread.run_sync(call, *args)


class WrongMedia(ClientException):
    """A body of a media type that is not taken here."""

    status_code = 415


async def json_of(request: AnyRequest, read: Callable[[bytes], Any] = msgspec.json.decode) -> Any:
    """The body, as JSON. Raises `Malformed`, 413, 415."""
    media(request, "application/json")
    try:
        return read(await request.body())
    except RecursionError as why:
        raise Malformed("JSON that is nested too deep: a report is flat") from why
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise Malformed(f"not JSON ({why}): nothing of it was stored") from why


def with_halves(body: bytes, *, large: bool = False) -> Any:
    """JSON, also where a text in it has half a character (an escape such as `\\ud800` that stands alone): whoever checks the texts refuses that one alone.

    large: also where a number is larger than 64 bits hold (1e400 is then infinite), for who checks every number too.

    Raises `msgspec.DecodeError`, `UnicodeDecodeError`, `RecursionError`."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as why:
        if b"\\ud" not in body.lower() and not (large and "out of range" in str(why)):
            raise
        try:
            return json.loads(body.decode(), parse_constant=_no_number)
        except ValueError:
            raise why from None


def of_reports(body: bytes) -> Any:
    """JSON of reports, of which each value is checked. Raises as `with_halves`."""
    return with_halves(body, large=True)


def _no_number(name: str) -> None:
    raise ValueError(name)  # NaN and the like are no JSON


def media(request: AnyRequest, wanted: str) -> None:
    """Raises 415 where the body is said to be something else, or packed."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != wanted or "content-encoding" in request.headers:
        raise WrongMedia


async def object_of(request: AnyRequest, needed: Mapping[str, type], optional: Mapping[str, type] | None = None) -> Json:
    """The body as an object of these fields and no others. Raises `Malformed`."""
    raw, every = await json_of(request), {**needed, **(optional or {})}
    if not isinstance(raw, dict) or not needed.keys() <= raw.keys() <= every.keys():
        raise Malformed(f"an object is wanted with {', '.join(needed)}" + (f", and as you like {', '.join(optional)}" if optional else ""))
    for name, value in raw.items():
        if not isinstance(value, every[name]) or (isinstance(value, bool) and every[name] is int):
            raise Malformed(f"{name}: wanted is {every[name].__name__}")
        if "\0" in str(value) or (isinstance(value, list) and not all(isinstance(v, str) for v in value)):
            raise Malformed(f"{name}: has what is no text")
    return raw
