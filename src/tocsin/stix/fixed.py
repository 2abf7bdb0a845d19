"""Objects that are the same in every hub: who makes them, the extension, the markings. Their ids never change."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

Object = dict[str, Any]

#: Namespace of the ids that tocsin makes for STIX (RFC 9562, section 5.5). Never changes.
NAMESPACE = uuid.UUID("2b6f4c1e-93d7-5a58-8f0a-6d2c7e51b904")
MADE = "2026-01-01T00:00:00.000Z"


@lru_cache(maxsize=1024)
def id_of(kind: str, *said: str) -> str:
    """The id of an object of a kind that follows from what is said of it."""
    return f"{kind}--{uuid.uuid5(NAMESPACE, chr(31).join((kind, *said)))}"


TOCSIN = id_of("identity", "tocsin")
EXTENSION = id_of("extension-definition", "report")
INCIDENT = id_of("extension-definition", "incident")
JUDGEMENT = id_of("extension-definition", "judgement")
SIGNAL = id_of("extension-definition", "signal")
ORCON = id_of("marking-definition", "originator control")

#: TLP 2.0 (OASIS, stix common objects, TLP 2.0 extension).
TLP_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
TLP = {
    "CLEAR": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "GREEN": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "AMBER": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "AMBER+STRICT": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "RED": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
#: TLP 1.0 (STIX 2.1, section 7.2.1.4), which others still send: read, never written.
TLP_1 = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": "CLEAR",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "GREEN",
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": "AMBER",
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "RED",
}


def marking_id(name: str) -> str:
    """The marking-definition of a marking: TLP 2.0's own, or one made of the name that a national scheme gives it."""
    return TLP.get(name) or id_of("marking-definition", "marking", name)


def identity_of(agency: str, at: str = MADE) -> Object:
    """An agency. at: since when it is in the hub."""
    return _object("identity", id_of("identity", "agency", agency), at) | {"name": agency, "identity_class": "organization"}


def fixed_objects(markings: Iterable[str]) -> list[Object]:
    """What every feed begins with, so that nothing in it points at what is not there. markings: the names that the hub knows."""
    said = "What an agency's report says: the columns of tocsin's table `reports`, each under its name."
    extension = _extension(
        EXTENSION, "report", said, "docs/reference/tables.md of tocsin: the columns of `reports`, and own_id and version"
    )
    said = "What an incident is to its reader: the columns of tocsin's table `incidents`, each under its name."
    incident = _extension(INCIDENT, "incident", said, "docs/reference/tables.md of tocsin: the columns of `incidents`")
    said = "What a person of an agency decided on reports, and when."
    judgement = _extension(JUDGEMENT, "judgement", said, "docs/reference/judgements.md of tocsin")
    maker = _object("identity", TOCSIN, MADE) | {"name": "tocsin", "identity_class": "system"}
    held = _statement(ORCON, "Originator control", "Onward release waits for the originator.")
    said = "What a signal of the watch is to its reader: the columns of tocsin's table `signals`, each under its name, and the look that raised it."
    signal = _extension(SIGNAL, "signal", said, "docs/reference/tables.md of tocsin: the columns of `signals`")
    return [maker, extension, incident, judgement, *(_marking(name) for name in markings), held, signal]


def _extension(ident: str, name: str, words: str, schema: str) -> Object:
    made = _object("extension-definition", ident, MADE) | {"created_by_ref": TOCSIN, "name": f"tocsin {name}", "description": words}
    return made | {"schema": schema, "version": "1.0.0", "extension_types": ["property-extension"]}


def _object(kind: str, ident: str, at: str) -> Object:
    return {"type": kind, "spec_version": "2.1", "id": ident, "created": at, "modified": at}


def _marking(name: str) -> Object:
    if name not in TLP:
        return _statement(marking_id(name), name, f"Handle as {name}.")
    head = {"type": "marking-definition", "spec_version": "2.1", "id": TLP[name], "created": "2022-10-01T00:00:00.000Z"}
    return head | {"name": f"TLP:{name}", "extensions": {TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": name.lower()}}}


def _statement(ident: str, name: str, words: str) -> Object:
    head = {"type": "marking-definition", "spec_version": "2.1", "id": ident, "created_by_ref": TOCSIN, "created": MADE}
    return head | {"name": name, "definition_type": "statement", "definition": {"statement": words}}
