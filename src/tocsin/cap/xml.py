"""Alerts as XML: one table says which element holds what, in the order of the schema; the writer and the reader go by it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree

from tocsin.cap.alert import Alert, Area, Circle, Info, Named, Point, Reference, Resource
from tocsin.cap.rules import wrong_with
from tocsin.errors import InputError

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", re.ASCII)
_WORD = re.compile(r'"([^"]*)"|(\S+)')


@dataclass(frozen=True)
class _Part:
    """An element: its tag, the field that it holds, and how a value is written and read; of, what stands in it; many, whether it may come again."""

    tag: str
    field: str
    write: Callable[[Any], str] = str
    read: Callable[[str], Any] = str
    many: bool = False
    of: type | None = None


def written(alert: Alert) -> bytes:
    """An alert as a CAP 1.2 message, in UTF-8. Raises `InputError` where the standard does not allow it."""
    reasons = wrong_with(alert)
    if reasons:
        raise InputError(f"an alert that CAP 1.2 does not allow: {'; '.join(reasons)}")
    root = ElementTree.Element("alert", {"xmlns": NAMESPACE})
    _write(root, alert)
    text: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return text


def read_alert(text: bytes) -> Alert:
    """A CAP 1.2 message. Raises `InputError` where it is none, has an element that the standard does not know, or says what it does not allow."""
    try:
        said = text.decode("utf-8-sig")
        if "<!DOCTYPE" in said or "<!ENTITY" in said:
            raise InputError("an alert declares no document type and no entities")
        root = ElementTree.fromstring(said)
    except (UnicodeDecodeError, ElementTree.ParseError, ValueError) as why:
        raise InputError(f"no XML in UTF-8 ({why}): an alert is a CAP 1.2 message") from why
    if root.tag != f"{{{NAMESPACE}}}alert":
        raise InputError("no alert of CAP 1.2: its root is `alert`, in the namespace of version 1.2")
    alert: Alert = _read(root, Alert)
    reasons = wrong_with(alert)
    if reasons:
        raise InputError(f"an alert that CAP 1.2 does not allow: {'; '.join(reasons)}")
    return alert


def _write(into: ElementTree.Element, made: Any) -> None:
    for part in PARTS[type(made)]:
        value = getattr(made, part.field)
        for one in value if part.many else () if value in (None, ()) else (value,):
            child = ElementTree.SubElement(into, part.tag)
            if part.of is None:
                child.text = part.write(one)
            else:
                _write(child, one)


def _read(element: ElementTree.Element, kind: type) -> Any:
    """An element's children as the fields of a kind, in their order."""
    parts = PARTS[kind]
    said: dict[str, Any] = {}
    at = 0
    for child in element:
        tag = str(child.tag)
        if tag.startswith(SIGNATURE):  # whether it holds is for who has the keys
            continue
        name = tag.removeprefix(f"{{{NAMESPACE}}}")
        place = next((n for n, part in enumerate(parts) if part.tag == name), None)
        if place is None or tag == name or place < at:
            raise InputError(f"{name}: not an element of {element.tag.rpartition('}')[2]}, or not at its place")
        part = parts[place]
        at = place if part.many else place + 1
        value = _read(child, part.of) if part.of else _leaf(part, name, child)
        said[part.field] = (*said.get(part.field, ()), value) if part.many else value
    try:
        return kind(**said)
    except TypeError as why:
        raise InputError(f"{element.tag.rpartition('}')[2]}: lacks an element that every one has") from why


def _leaf(part: _Part, name: str, child: ElementTree.Element) -> Any:
    if len(child):
        raise InputError(f"{name}: has elements in it")
    try:
        return part.read((child.text or "").strip())
    except (ValueError, IndexError, OverflowError) as why:
        raise InputError(f"{name}: {(child.text or '').strip()[:60]!r} is not what stands there") from why


def _time_to(at: datetime) -> str:
    """With its zone; of no difference to UTC as -00:00, for CAP does not allow Z (section 3.3.2)."""
    minutes = int((at.utcoffset() or timedelta()) / timedelta(minutes=1))
    sign = "+" if minutes > 0 else "-"
    return f"{at:%Y-%m-%dT%H:%M:%S}{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}".rjust(25, "0")


def _time_of(text: str) -> datetime:
    if not _TIME.fullmatch(text):
        raise ValueError("a time with its zone, to the second, without Z")
    return datetime.fromisoformat(text)


def _number_to(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _words_to(values: tuple[str, ...]) -> str:
    return " ".join(f'"{v}"' if v.split() != [v] else v for v in values)


def _words_of(text: str) -> tuple[str, ...]:
    return tuple(quoted or plain for quoted, plain in _WORD.findall(text))


def _references_to(values: tuple[Reference, ...]) -> str:
    return " ".join(f"{r.sender},{r.identifier},{_time_to(r.sent)}" for r in values)


def _references_of(text: str) -> tuple[Reference, ...]:
    triples = (one.split(",") for one in text.split())
    return tuple(Reference(sender, ident, _time_of(sent)) for sender, ident, sent in triples)


def _point_to(point: Point) -> str:
    return ",".join(_number_to(value) for value in point)


def _point_of(text: str) -> Point:
    lat, lon = text.split(",")
    return float(lat), float(lon)


def _polygon_to(points: tuple[Point, ...]) -> str:
    return " ".join(_point_to(point) for point in points)


def _polygon_of(text: str) -> tuple[Point, ...]:
    return tuple(_point_of(one) for one in text.split())


def _circle_to(circle: Circle) -> str:
    return f"{_point_to((circle.lat, circle.lon))} {_number_to(circle.radius_km)}"


def _circle_of(text: str) -> Circle:
    point, radius = text.split()
    return Circle(*_point_of(point), float(radius))


def _at(tag: str, field: str) -> _Part:
    return _Part(tag, field, _time_to, _time_of)


def _named(tag: str, field: str) -> _Part:
    return _Part(tag, field, many=True, of=Named)


PARTS: dict[type, tuple[_Part, ...]] = {
    Alert: (
        _Part("identifier", "identifier"),
        _Part("sender", "sender"),
        _at("sent", "sent"),
        _Part("status", "status"),
        _Part("msgType", "msg_type"),
        _Part("source", "source"),
        _Part("scope", "scope"),
        _Part("restriction", "restriction"),
        _Part("addresses", "addresses", _words_to, _words_of),
        _Part("code", "codes", many=True),
        _Part("note", "note"),
        _Part("references", "references", _references_to, _references_of),
        _Part("incidents", "incidents", _words_to, _words_of),
        _Part("info", "infos", many=True, of=Info),
    ),
    Info: (
        _Part("language", "language"),
        _Part("category", "category", many=True),
        _Part("event", "event"),
        _Part("responseType", "response_type", many=True),
        _Part("urgency", "urgency"),
        _Part("severity", "severity"),
        _Part("certainty", "certainty"),
        _Part("audience", "audience"),
        _named("eventCode", "event_codes"),
        _at("effective", "effective"),
        _at("onset", "onset"),
        _at("expires", "expires"),
        _Part("senderName", "sender_name"),
        _Part("headline", "headline"),
        _Part("description", "description"),
        _Part("instruction", "instruction"),
        _Part("web", "web"),
        _Part("contact", "contact"),
        _named("parameter", "parameters"),
        _Part("resource", "resources", many=True, of=Resource),
        _Part("area", "areas", many=True, of=Area),
    ),
    Resource: (
        _Part("resourceDesc", "description"),
        _Part("mimeType", "mime_type"),
        _Part("size", "size", str, int),
        _Part("uri", "uri"),
        _Part("derefUri", "deref_uri"),
        _Part("digest", "digest"),
    ),
    Area: (
        _Part("areaDesc", "description"),
        _Part("polygon", "polygons", _polygon_to, _polygon_of, many=True),
        _Part("circle", "circles", _circle_to, _circle_of, many=True),
        _named("geocode", "geocodes"),
        _Part("altitude", "altitude", _number_to, float),
        _Part("ceiling", "ceiling", _number_to, float),
    ),
    Named: (_Part("valueName", "name"), _Part("value", "value")),
}
