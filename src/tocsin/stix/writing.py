"""A report as STIX: a `location` where one is known, and a `report` that points at it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tocsin.stix.countries import TWO
from tocsin.stix.fixed import EXTENSION, ORCON, Object, id_of, marking_id

#: Columns of a report that STIX's own words say whole, or that the hub sets.
SAID_ELSEWHERE = ("report_id", "agency", "received_at", "text", "marking", "orcon")
#: The Admiralty code's credibility as STIX's confidence (STIX 2.1, appendix A); 6 cannot be judged.
CONFIDENCE = {1: 90, 2: 70, 3: 50, 4: 30, 5: 10}
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9/._~-]*)?")
_LANG = re.compile(r"[a-z]{2}")


def objects_of(said: Mapping[str, Any]) -> list[Object]:
    """The objects of a report as the hub shows it to somebody, what is pointed at before what points. Its time is when it became visible to them."""
    where = place_of(said)
    place = _head("location", said) | where if where else None
    made = _head("report", said) | {"name": name_of(said)}
    if "text" in said:
        made["description"] = said["text"]
    made["published"] = instant_of(said["received_at"])
    made["object_refs"] = [place["id"] if place else made["created_by_ref"]]
    if said.get("credibility") in CONFIDENCE:
        made["confidence"] = CONFIDENCE[said["credibility"]]
    if _LANG.fullmatch(said.get("lang", "")):
        made["lang"] = said["lang"]
    if _URL.fullmatch(said.get("url", "")):
        made["external_references"] = [{"source_name": said["agency"], "url": said["url"]}]
    rest = {k: v for k, v in said.items() if k not in SAID_ELSEWHERE and v != []}
    made["extensions"] = {EXTENSION: {"extension_type": "property-extension"} | rest}
    return [place, made] if place else [made]


def instant_of(at: str | datetime) -> str:
    """A time to the millisecond, rounded down: the precision of STIX's `created` and `modified` (section 3.2)."""
    when = datetime.fromisoformat(at) if isinstance(at, str) else at
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _head(kind: str, said: Mapping[str, Any]) -> Object:
    at = instant_of(said["received_at"])
    marks = [marking_id(said["marking"]), *([ORCON] if said.get("orcon") else [])]
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--{said['report_id']}",
        "created_by_ref": id_of("identity", "agency", said["agency"]),
        "created": at,
        "modified": at,
        "object_marking_refs": marks,
    }


def place_of(said: Mapping[str, Any]) -> Object:
    """What a `location` says: a point with its precision in metres, a country; nothing where neither is known."""
    point = {"latitude": said["lat"], "longitude": said["lon"]} if "lat" in said else {}
    if point and "radius_km" in said:
        point["precision"] = said["radius_km"] * 1000
    country = {"country": TWO[said["country"]]} if said.get("country") in TWO else {}
    if not point and not country:
        return {}
    named = {"name": said.get("place"), "administrative_area": said.get("admin1"), "city": said.get("place")}
    return {k: v for k, v in named.items() if v} | point | country


def name_of(said: Mapping[str, Any]) -> str:
    """One line of what is known, the type of attack first."""
    when = " to ".join(dict.fromkeys(str(said[k]) for k in ("event_start", "event_end") if k in said))
    what = said.get("attack_type") or ("threat" if said.get("kind") == "threat" else "attack or clash")
    where = said.get("place") or said.get("admin2") or said.get("admin1") or said.get("country")
    return ", ".join(part for part in (what, where, when) if part)[:200]
