"""Where to go on in a list that is in order of time: an opaque text made of what stood last, and of nothing else."""

from __future__ import annotations

import base64
import binascii
import struct
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tocsin.errors import Malformed
from tocsin.hub.caller import Caller

PAGE = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_START = (_EPOCH, uuid.UUID(int=0))


def next_of(rows: list[dict[str, Any]], at: str, ident: str, after: str) -> str:
    """The `next` of a page: its last row's, or where it was asked from if it has none. at, ident: the columns that order it."""
    if not rows:
        return after
    last = rows[-1]
    when = datetime.combine(last[at], time(), UTC) if type(last[at]) is date else last[at]
    return base64.urlsafe_b64encode(
        struct.pack(">q", (when - _EPOCH) // timedelta(microseconds=1)) + uuid.UUID(str(last[ident])).bytes
    ).decode()


def after_of(text: str) -> tuple[datetime, uuid.UUID]:
    """What a page begins after; nothing for an empty text, or 0. Raises `Malformed` for what was no `next`."""
    if text in ("", "0"):
        return _START
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
        (micros,) = struct.unpack(">q", raw[:8])
        return _EPOCH + timedelta(microseconds=micros), uuid.UUID(bytes=raw[8:])
    except (ValueError, binascii.Error, struct.error, OverflowError) as why:
        raise Malformed("after: give the `next` of the page before, or leave it out") from why


def before_time_of(text: str) -> tuple[datetime, uuid.UUID]:
    """As `after_of`, for a list that goes from the latest time back."""
    return after_of(text) if text not in ("", "0") else (datetime.max.replace(tzinfo=UTC), uuid.UUID(int=2**128 - 1))


def before_of(text: str) -> tuple[date, uuid.UUID]:
    """As `after_of`, for a list that goes from the latest day back."""
    if text in ("", "0"):
        return date.max, uuid.UUID(int=2**128 - 1)
    at, ident = after_of(text)
    return at.date(), ident


def all_of(ask: Callable[..., dict[str, Any]], name: str, who: Caller) -> list[dict[str, Any]]:
    """All that there is in a list that is in order of time, page by page; the last `PAGE` of it. name: what the list is called in its pages."""
    out: list[dict[str, Any]] = []
    after = ""
    while True:
        found = ask(who, after=after, limit=PAGE)
        out = (out + found[name])[-PAGE:]
        if len(found[name]) < PAGE:
            return out
        after = found["next"]
