"""How a report gets its id: UUIDv5 of (agency, the agency's own id or content, version).

Two agencies can neither collide nor probe each other: the agency's name is part of what is hashed.
"""

from __future__ import annotations

import uuid

#: Namespace of all report ids (RFC 9562, section 5.5). Never changes.
NAMESPACE = uuid.UUID("8f0b6a52-6c1e-5d0b-9d7e-1c3a7b1f2e40")

#: Stands between the parts of a name; cannot occur in a cell of text that was checked.
SEPARATOR = "\x1f"


def report_name(agency: str, own_id: str, version: str | None = None) -> str:
    """The text whose UUIDv5 is the report's id."""
    return SEPARATOR.join((agency, own_id, version or ""))


def report_id(agency: str, own_id: str, version: str | None = None) -> str:
    """The id of one report, as 36 characters."""
    return str(uuid.uuid5(NAMESPACE, report_name(agency, own_id, version)))
