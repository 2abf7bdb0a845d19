"""What CAP 1.2 says of an alert (section 3.2): its words, in the order in which it wants them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

STATUS = ("Actual", "Exercise", "System", "Test", "Draft")
MSG_TYPE = ("Alert", "Update", "Cancel", "Ack", "Error")
SCOPE = ("Public", "Restricted", "Private")
CATEGORY = ("Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other")
RESPONSE_TYPE = ("Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None")
URGENCY = ("Immediate", "Expected", "Future", "Past", "Unknown")
SEVERITY = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
CERTAINTY = ("Observed", "Likely", "Possible", "Unlikely", "Unknown")
Point = tuple[float, float]  # degrees north, degrees east, WGS 84


@dataclass(frozen=True)
class Named:
    """A value under a name that a system gives it."""

    name: str
    value: str


@dataclass(frozen=True)
class Circle:
    """A place: degrees north and east, and kilometres around it."""

    lat: float
    lon: float
    radius_km: float


@dataclass(frozen=True)
class Reference:
    """An earlier alert."""

    sender: str
    identifier: str
    sent: datetime


@dataclass(frozen=True)
class Area:
    """Where: in words, and as polygons (the last point being the first), circles and codes."""

    description: str
    polygons: tuple[tuple[Point, ...], ...] = ()
    circles: tuple[Circle, ...] = ()
    geocodes: tuple[Named, ...] = ()
    altitude: float | None = None  # feet above mean sea level
    ceiling: float | None = None  # feet; with an altitude alone


@dataclass(frozen=True)
class Resource:
    """A file beside the alert."""

    description: str
    mime_type: str
    size: int | None = None  # bytes
    uri: str | None = None
    deref_uri: str | None = None  # the file itself, in base64
    digest: str | None = None  # SHA-1


@dataclass(frozen=True)
class Info:
    """What is expected, how bad, how sure, and what to do; one for each language."""

    category: tuple[str, ...]
    event: str
    urgency: str
    severity: str
    certainty: str
    language: str = "en-US"
    response_type: tuple[str, ...] = ()
    audience: str | None = None
    event_codes: tuple[Named, ...] = ()
    effective: datetime | None = None
    onset: datetime | None = None
    expires: datetime | None = None
    sender_name: str | None = None
    headline: str | None = None
    description: str | None = None
    instruction: str | None = None
    web: str | None = None
    contact: str | None = None
    parameters: tuple[Named, ...] = ()
    resources: tuple[Resource, ...] = ()
    areas: tuple[Area, ...] = ()


@dataclass(frozen=True)
class Alert:
    """One message: from whom, for whom, about what, and which earlier ones it stands for."""

    identifier: str
    sender: str
    sent: datetime
    status: str
    msg_type: str
    scope: str
    source: str | None = None
    restriction: str | None = None
    addresses: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    note: str | None = None
    references: tuple[Reference, ...] = ()
    incidents: tuple[str, ...] = ()
    infos: tuple[Info, ...] = ()
