"""Where to go on in a list that is in order of time: an opaque text made of what stood last, and of nothing else."""

from __future__ import annotations

import base64
import binascii
import struct
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin.errors import Malformed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_START = (_EPOCH, uuid.UUID(int=0))


def next_of(rows: list[dict[str, Any]], at: str, ident: str, after: str) -> str:
    """The `next` of a page: its last row's, or where it was asked from if it has none. at, ident: the columns that order it."""
    if not rows:
        return after
    last = rows[-1]
    return base64.urlsafe_b64encode(struct.pack(">q", (last[at] - _EPOCH) // timedelta(microseconds=1)) + last[ident].bytes).decode()


def after_of(text: str) -> tuple[datetime, uuid.UUID]:
    """What a page begins after; nothing for an empty text. Raises `Malformed` for what was no `next`."""
    if not text:
        return _START
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
        (micros,) = struct.unpack(">q", raw[:8])
        return _EPOCH + timedelta(microseconds=micros), uuid.UUID(bytes=raw[8:])
    except (ValueError, binascii.Error, struct.error, OverflowError) as why:
        raise Malformed("after: give the `next` of the page before, or leave it out") from why
