"""What the standard asks of an alert that its schema cannot say (section 3.2), and what it can, in words."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any

from tocsin.cap import alert as a

_NAME = re.compile(r"[^\s,<&]+")
_NO_TEXT = re.compile("[\0-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_CHOICES = {
    "status": a.STATUS,
    "msg_type": a.MSG_TYPE,
    "scope": a.SCOPE,
    "category": a.CATEGORY,
    "response_type": a.RESPONSE_TYPE,
    "urgency": a.URGENCY,
    "severity": a.SEVERITY,
    "certainty": a.CERTAINTY,
}


def wrong_with(alert: a.Alert) -> list[str]:
    """Why an alert may not be sent, a reason for each thing that is wrong; none where it may."""
    return [*_values("", alert), *_together(alert), *(reason for info in alert.infos for reason in _of_info(info))]


def _values(where: str, made: Any) -> Iterator[str]:
    """Of every value by itself."""
    for field in fields(made):
        value = getattr(made, field.name)
        name = f"{where}{field.name}"
        for one in value if isinstance(value, tuple) and field.name != "polygons" else (value,):
            if is_dataclass(one):
                yield from _values(f"{name}.", one)
            elif field.name in _CHOICES and one not in _CHOICES[field.name]:
                yield f"{name}: one of {', '.join(_CHOICES[field.name])}"
            elif isinstance(one, str):
                yield from _text(name, one)
            elif isinstance(one, datetime):
                yield from _time(name, one)
            elif isinstance(one, float) and not math.isfinite(one):
                yield f"{name}: a number is wanted"


def _text(name: str, text: str) -> Iterator[str]:
    if not text or text != text.strip() or _NO_TEXT.search(text):
        yield f"{name}: a text without space at its ends and without control characters"
    if name.rpartition(".")[2] in ("identifier", "sender") and not _NAME.fullmatch(text):
        yield f"{name}: without spaces, commas, < and &"
    if name.rpartition(".")[2] == "language" and not _LANGUAGE.fullmatch(text):
        yield f"{name}: a language as en-US or ur"
    if name in ("addresses", "incidents") and '"' in text:
        yield f"{name}: without quotes"


def _time(name: str, at: datetime) -> Iterator[str]:
    offset = at.utcoffset()
    if offset is None or at.microsecond or offset % timedelta(minutes=1):
        yield f"{name}: a time with its zone, to the second"


def _together(alert: a.Alert) -> Iterator[str]:
    if (alert.scope == "Restricted") != (alert.restriction is not None):
        yield "restriction: with the scope Restricted, and with no other"
    if alert.scope == "Private" and not alert.addresses:
        yield "addresses: a Private alert names whom it is for"
    if alert.msg_type != "Alert" and not alert.references:
        yield f"references: an {alert.msg_type} names the alerts that it is about"
    if alert.msg_type == "Error" and alert.note is None:
        yield "note: an Error says what was wrong"
    if alert.status == "Exercise" and alert.note is None:
        yield "note: an Exercise says which"


def _of_info(info: a.Info) -> Iterator[str]:
    if not info.category:
        yield "category: at least one"
    times = [at for at in (info.effective or info.onset, info.expires) if at is not None]
    if len(times) == 2 and all(at.utcoffset() is not None for at in times) and times[1] < times[0]:
        yield "expires: before it begins"
    for resource in info.resources:
        if resource.size is not None and resource.size < 0:
            yield "resources.size: bytes"
    for area in info.areas:
        yield from _of_area(area)


def _of_area(area: a.Area) -> Iterator[str]:
    points = [*(point for polygon in area.polygons for point in polygon), *((c.lat, c.lon) for c in area.circles)]
    if not all(-90 <= lat <= 90 and -180 <= lon <= 180 for lat, lon in points):
        yield "areas: degrees north from -90 to 90, degrees east from -180 to 180"
    if any(len(polygon) < 4 or polygon[0] != polygon[-1] for polygon in area.polygons):
        yield "polygons: at least four points, the last being the first"
    if any(circle.radius_km < 0 for circle in area.circles):
        yield "circles: kilometres, 0 or more"
    if area.ceiling is not None and area.altitude is None:
        yield "ceiling: with an altitude alone"
