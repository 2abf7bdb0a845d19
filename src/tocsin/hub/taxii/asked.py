"""What a reader asks for, and what it gets."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tocsin.stix import version_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Collection:
    """One collection, and what the caller may do there."""

    id: str
    alias: str
    title: str
    description: str
    can_read: bool
    can_write: bool


@dataclass(frozen=True)
class Versions:
    """Which versions of an object: the latest, the first, every one, those of some times; any of these that is set."""

    last: bool = True
    first: bool = False
    every: bool = False
    times: frozenset[datetime] = frozenset()


@dataclass(frozen=True)
class Line:
    """A report in a feed: when it opened, and its id."""

    at: datetime
    report_id: uuid.UUID


@dataclass(frozen=True)
class Filters:
    """What is asked for; None: any. past: the line whose objects were given last; nothing: of no version of STIX that is here."""

    after: datetime = EPOCH
    past: Line | None = None
    ids: frozenset[str] | None = None
    types: frozenset[str] | None = None
    versions: Versions = field(default_factory=Versions)
    nothing: bool = False

    def of(self, ident: str) -> Filters:
        """The same, of one object."""
        return replace(self, ids=frozenset({ident}))

    def wants(self, made: dict[str, Any]) -> bool:
        """Whether an object of which there is one version, the first and the last, is asked for."""
        v = self.versions
        named = (self.ids is None or made["id"] in self.ids) and (self.types is None or made["type"] in self.types)
        return named and (v.last or v.first or v.every or version_of(made) in v.times)


@dataclass(frozen=True)
class Item:
    """An object in a collection: when it was added to it, its version, and the line that it was made of, if any; about: what else the log calls it."""

    added: datetime
    version: str
    object: dict[str, Any]
    line: Line | None = None
    about: str = ""


@dataclass(frozen=True)
class Page:
    """Items in the order in which they were added, and whether there are more."""

    items: tuple[Item, ...] = ()
    more: bool = False


def uuid_in(text: str) -> uuid.UUID | None:
    """Of an id of STIX the part that is one of the hub's, as the hub writes it; None for what is not."""
    try:
        return uuid.UUID(text) if text == text.lower() and len(text) == 36 else None
    except ValueError:
        return None


def id_of(kind: str, agency: str) -> str:
    """A collection's id: the bits of a random UUID (version 4) that are the same for an agency in every hub, and after a restore."""
    return str(uuid.UUID(bytes=hashlib.sha256(f"tocsin taxii {kind} {agency}".encode()).digest()[:16], version=4))
