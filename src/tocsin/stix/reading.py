"""STIX as a report to be posted: the extension's word first, then STIX's own. What an object does not say is left open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from tocsin.stix.countries import THREE
from tocsin.stix.fixed import EXTENSION, INCIDENT, ORCON, TLP_1, Object, id_of, marking_id

REPORTS = ("report", "incident")
MOST_SOURCES = 100  # as many as a post may name
#: What an incident says that a report says too.
_SHARED = frozenset(
    "event_start event_end country admin1 admin2 place lat lon radius_km violence side_a side_b actor initiator attack_type weapon_type target_type "
    "target_group killed_low killed killed_high killed_civilians killed_a killed_b wounded".split()
)
#: What the hub says of a report itself.
_HUBS = ("extension_type", "report_id", "agency", "received_at", "known_at", "hindsight", "coded_spans", "file", "row", "source_hash")


def is_report(made: Object) -> bool:
    """Whether tocsin takes it for an account of one event: a `report` or an `incident`."""
    return made.get("type") in REPORTS


class Sent:
    """What was sent together: objects by their ids, the last of each, and what was seen of what."""

    def __init__(self, objects: Iterable[Object]) -> None:
        self._by_id = {o["id"]: o for o in objects}
        self._seen = {o["sighting_of_ref"]: o for o in self._by_id.values() if o["type"] == "sighting"}
        self._placed = {
            o["source_ref"]: o["target_ref"]
            for o in self._by_id.values()
            if o["type"] == "relationship" and o["target_ref"].startswith("location--")
        }

    def of(self, made: Object) -> list[Object]:
        """What else was sent that says something of a report: where it was, and when it was seen."""
        refs = [r for r in made.get("object_refs", []) if r.startswith("location--")]
        refs += [self._placed[made["id"]]] if made["id"] in self._placed else []
        places = [self._by_id[r] for r in refs if r in self._by_id]
        return places[:1] + ([self._seen[made["id"]]] if made["id"] in self._seen else [])


def post_of(made: Object, sent: Sent, agency: str, stricter: Callable[[list[str]], str], markings: Iterable[str]) -> dict[str, Any]:
    """A `report` or `incident` as a post of an agency; it has no `marking` where none was sent. markings: the hub's; stricter: the strictest of several."""
    extension, incident = (made.get("extensions", {}).get(one) for one in (EXTENSION, INCIDENT))
    if extension is None:
        said = _foreign(made, sent) if incident is None else _incident(made, incident)
    else:
        said = {k: v for k, v in extension.items() if k not in _HUBS} | ({"text": made["description"]} if made.get("description") else {})
        said = _own(said, made, agency)
    return {k: v for k, v in said.items() if k != "marking"} | _handling(made, stricter, markings)


def _own(said: dict[str, Any], made: Object, agency: str) -> dict[str, Any]:
    """A report that tocsin wrote: the agency's own is the same again; another's is repeated, and says so."""
    report_id = made["id"].partition("--")[2]
    if made.get("created_by_ref") in (None, id_of("identity", "agency", agency)):
        return {k: v for k, v in said.items() if k != "origin" or v != f"{agency} {report_id}"}
    kept = {k: v for k, v in said.items() if k not in ("own_id", "version", "supersedes", "part_of")}
    sources = said.get("derived_from", [])
    return kept | {"own_id": made["id"], "derived_from": [*sources, report_id] if isinstance(sources, list) else sources}


def _incident(made: Object, said: dict[str, Any]) -> dict[str, Any]:
    """An incident that tocsin made: it repeats the reports that it is made of, and says so."""
    sources = said.get("report_ids")
    kept = {k: v for k, v in said.items() if k in _SHARED}
    head = {"own_id": made["id"], "version": made["modified"], "reported_at": made["modified"]}
    return head | kept | {"derived_from": sources[:MOST_SOURCES] if isinstance(sources, list) else sources}


def _foreign(made: Object, sent: Sent) -> dict[str, Any]:
    """What STIX's own words say of an event."""
    words = [made[k] for k in ("name", "description") if made.get(k)]
    said = {
        "own_id": made["id"],
        "version": made["modified"],
        "reported_at": made.get("published", made["modified"]),
        "text": "\n".join(words),
    }
    if "lang" in made:
        said["lang"] = made["lang"]
    urls = [r["url"] for r in made.get("external_references", []) if "url" in r]
    if urls:
        said["url"] = urls[0]
    for other in sent.of(made):
        said |= _seen(other) if other["type"] == "sighting" else _place(other)
    return said


def _place(place: Object) -> dict[str, Any]:
    said = {"place": place.get("city") or place.get("name"), "admin1": place.get("administrative_area")}
    said["country"] = THREE.get(str(place.get("country")).upper())
    if "latitude" in place:
        said |= {"lat": place["latitude"], "lon": place["longitude"]}
        said["radius_km"] = place["precision"] / 1000 if "precision" in place else None
    return {k: v for k, v in said.items() if v is not None}


def _seen(sighting: Object) -> dict[str, Any]:
    """The days between which it was seen; where it says one alone, that day."""
    first, last = sighting.get("first_seen"), sighting.get("last_seen")
    days = {"event_start": first or last, "event_end": last or first}
    return {k: v[:10] for k, v in days.items() if v}


@cache
def _known(markings: tuple[str, ...]) -> dict[str, str]:
    """The markings of a hub by their ids."""
    return {marking_id(name): name for name in markings} | {ident: name for ident, name in TLP_1.items() if name in markings}


def _handling(made: Object, stricter: Callable[[list[str]], str], markings: Iterable[str]) -> dict[str, Any]:
    """The strictest marking of all that it or a part of it bears. One that nobody here knows holds it to its originator: it is never taken for nothing."""
    refs = {*made.get("object_marking_refs", []), *(g["marking_ref"] for g in made.get("granular_markings", []) if "marking_ref" in g)}
    known = _known(tuple(markings))
    names = [known[r] for r in refs if r in known]
    if not names:
        return {}
    strange = any(r not in known and r != ORCON for r in refs)
    return {"marking": stricter(names)} | ({"orcon": True} if strange or ORCON in refs else {})
