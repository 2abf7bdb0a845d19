"""The filters of TAXII (section 3.4), checked, and `next`: where a reader goes on, sealed, so that it goes on with nothing else."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import struct
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from litestar import Request

from tocsin.errors import Malformed
from tocsin.hub import MOST, Caller
from tocsin.hub.taxii import Filters
from tocsin.hub.taxii.asked import EPOCH, MICROSECOND, Item, Line, Versions

_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,12}))?Z")
_ID = re.compile(r"[a-z0-9-]{1,250}--[0-9a-f-]{36}")
_TYPE = re.compile(r"[a-z0-9-]{1,250}")
_SPEC = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}")
_NUMBER = re.compile(r"0*[1-9][0-9]{0,18}")
_WHERE, _SEAL = 32, 16  # bytes


def filters_of(request: Request[Any, Any, Any], every: bool = False) -> tuple[Filters, int]:
    """What is asked for, without `next`, and how many at most. every: all versions, where none are named. Raises `Malformed`."""
    said = _said(request)
    versions = _versions(said["match[version]"]) if "match[version]" in said else Versions(every=every)
    specs = _several(said, "match[spec_version]", _SPEC)
    asked = Filters(
        after=_time("added_after", said["added_after"]) if "added_after" in said else EPOCH,
        ids=_several(said, "match[id]", _ID),
        types=_several(said, "match[type]", _TYPE),
        versions=versions,
        nothing=specs is not None and "2.1" not in specs,
    )
    return asked, min(_limit(said.get("limit", str(MOST))), MOST)


class Seal:
    """Seals where a reader goes on: for one caller, one page and one set of filters.

    The limit may change, and so may `added_after`, which some clients leave out, or set to when they asked last: both hold.
    """

    def __init__(self, key: bytes, who: Caller, request: Request[Any, Any, Any]) -> None:
        said = sorted((k, v) for k, v in _said(request).items() if k not in ("next", "limit", "added_after"))
        self._key, self._bound = key, repr((who.label, who.clearance.agency, request.url.path.rstrip("/"), said)).encode()
        self._next = _said(request).get("next")

    def onward(self, asked: Filters) -> Filters:
        """The filters from where `next` says. Raises `Malformed` where it is another's, another page's or made up."""
        if self._next is None:
            return asked
        try:
            raw = base64.b64decode(self._next, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raw = b""
        if len(raw) != _WHERE + _SEAL or not hmac.compare_digest(raw[_WHERE:], self._of(raw[:_WHERE])):
            raise Malformed("next: give the `next` of the page before, with the same filters, as the same user")
        added, opened = (EPOCH + n * MICROSECOND for n in struct.unpack(">qq", raw[:16]))
        report = uuid.UUID(bytes=raw[16:_WHERE])
        if asked.after > added:
            return asked
        return replace(asked, after=added, past=Line(opened, report) if report.int else None)

    def of(self, last: Item) -> str:
        """The `next` after what was added last."""
        line = last.line or Line(EPOCH, uuid.UUID(int=0))
        raw = struct.pack(">qq", *((at - EPOCH) // MICROSECOND for at in (last.added, line.at))) + line.report_id.bytes
        return base64.urlsafe_b64encode(raw + self._of(raw)).decode()

    def _of(self, raw: bytes) -> bytes:
        return hmac.digest(self._key, raw + self._bound, hashlib.sha256)[:_SEAL]


def _said(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The parameters; those that TAXII does not know are ignored. Raises `Malformed` where one is given twice."""
    said: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in said:
            raise Malformed(f"{name if name.isprintable() else 'a parameter'}: given twice")
        said[name] = value
    return said


def _several(said: dict[str, str], name: str, form: re.Pattern[str]) -> frozenset[str] | None:
    if name not in said:
        return None
    values = said[name].split(",")
    if not all(form.fullmatch(value) for value in values):
        raise Malformed(f"{name}: values of the form that STIX gives them, with a comma between two")
    return frozenset(values)


def _time(name: str, text: str) -> datetime:
    """A time of TAXII or STIX: in UTC, with Z; what is finer than a microsecond is cut off."""
    found = _TIME.fullmatch(text)
    try:
        if found:
            return datetime.fromisoformat(found[1]).replace(tzinfo=UTC) + timedelta(microseconds=int((found[2] or "0")[:6].ljust(6, "0")))
    except ValueError:
        pass
    raise Malformed(f"{name}: a time of the form 2026-01-31T12:00:00.000000Z is wanted")


def _limit(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise Malformed("limit: a whole number from 1 is wanted")
    return int(text)


def _versions(text: str) -> Versions:
    values = text.split(",")
    if len(set(values)) < len(values) or ("all" in values and len(values) > 1):
        raise Malformed("match[version]: each value once, and `all` by itself")
    times = frozenset(_time("match[version]", value) for value in values if value not in ("all", "first", "last"))
    return Versions(last="last" in values, first="first" in values, every="all" in values, times=times)
