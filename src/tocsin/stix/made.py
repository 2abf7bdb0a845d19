"""What the hub makes of reports as STIX: an incident, with where it was and when it was seen; a judgement as a note; a signal as a grouping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tocsin.stix.fixed import INCIDENT, JUDGEMENT, ORCON, SIGNAL, TOCSIN, Object, id_of, marking_id
from tocsin.stix.writing import instant_of, name_of, place_of
from tocsin.terms.signals import words


@dataclass(frozen=True)
class Made:
    """Under which id an object is given, since when, since when as it is now, and how it is marked."""

    object_id: str
    made: datetime
    added: datetime
    marking: str
    orcon: bool = False

    def head(self, kind: str) -> Object:
        """What all its objects begin with."""
        return {
            "type": kind,
            "spec_version": "2.1",
            "id": f"{kind}--{self.object_id}",
            "created_by_ref": TOCSIN,
            "created": instant_of(self.made),
            "modified": instant_of(self.added),
            "object_marking_refs": [marking_id(self.marking), *([ORCON] if self.orcon else [])],
        }


def incident_objects(incident_id: str, said: Mapping[str, Any], how: Made) -> list[Object]:
    """An incident as its reader has it, what is pointed at before what points: its place and its sighting where these are known."""
    place = place_of(said)
    objects = [how.head("location") | place] if place else []
    made = how.head("incident") | {"name": name_of(said)}
    if said.get("confidence") is not None:
        made["confidence"] = round(100 * said["confidence"])
    made["extensions"] = {INCIDENT: {"extension_type": "property-extension", "incident_id": incident_id} | _without_nothing(said)}
    objects.append(made)
    if said.get("event_start") and said.get("event_end"):
        seen = {"first_seen": f"{said['event_start']}T00:00:00.000Z", "last_seen": f"{said['event_end']}T23:59:59.999Z"}
        where = [o["id"] for o in objects[:-1]] + [id_of("identity", "agency", a) for a in said["agencies"]]
        more = {"count": len(said["report_ids"]), "sighting_of_ref": made["id"], "where_sighted_refs": where}
        objects.append(how.head("sighting") | seen | more)
    return objects


def note_of(agency: str, signed: datetime, names: Iterable[str], said: Mapping[str, Any], how: Made) -> Object:
    """A judgement on reports, by a person of an agency."""
    made = how.head("note")
    made |= {"abstract": said["decides"], "content": said["why"], "authors": [agency], "object_refs": [f"report--{n}" for n in names]}
    kept = {k: v for k, v in said.items() if k not in ("why", "undoes")}
    made["extensions"] = {JUDGEMENT: {"extension_type": "property-extension", "signed": instant_of(signed)} | _without_nothing(kept)}
    return made


def signal_object(said: Mapping[str, Any], names: Iterable[str], how: Made, giver: str | None = None) -> Object:
    """A signal, in words: the reports that it rests on have a change in common. giver: the agency that released it, which says of it what they say alone."""
    name, lines = words(said)
    made = how.head("grouping")
    made |= {"name": name[:200], "description": "\n".join(lines), "context": "unspecified", "object_refs": [f"report--{n}" for n in names]}
    if giver is not None:
        made["created_by_ref"] = id_of("identity", "agency", giver)
    made["extensions"] = {SIGNAL: {"extension_type": "property-extension"} | _without_nothing(said)}
    return made


_CEASED: dict[str, Object] = {
    "incident": {"name": "no longer an incident"},
    "note": {"content": "no longer given", "object_refs": [TOCSIN]},
    "grouping": {"name": "no longer given", "context": "unspecified", "object_refs": [TOCSIN]},
}


def ceased(kind: str, how: Made) -> Object:
    """What is no more, `incident`, `note` or `grouping`; nothing of what it said is in it."""
    return how.head(kind) | _CEASED[kind] | {"revoked": True}


def _without_nothing(value: Any) -> Any:
    """Without null and empty lists, which STIX has no room for."""
    if isinstance(value, Mapping):
        return {k: _without_nothing(v) for k, v in value.items() if v is not None and v != []}
    return [_without_nothing(v) for v in value] if isinstance(value, list) else value
