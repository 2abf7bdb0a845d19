"""What an agency may see, as STIX: first what every feed has, then agencies as they joined, and reports as they opened to it.

Every object has a time of its own. Reports that opened at one time stand in the order of their ids, of those that the agency sees: the n-th has the 2n-th
microsecond after that time for its place, and the one after for itself. The hub keeps these microseconds free (`take` in schema.sql).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tocsin.hub.caller import Caller
from tocsin.hub.door import MOST, Door
from tocsin.hub.shown import shown
from tocsin.hub.taxii.asked import EPOCH, MICROSECOND, Filters, Item, Line, Page, Versions
from tocsin.stix import fixed_objects, identity_of, instant_of, objects_of, version_of
from tocsin.store import Transaction

BEGAN = datetime(2022, 10, 1, tzinfo=UTC)  # of what every feed has
_FIRST, _LAST = uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)
_ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)
_LINES = frozenset({"report", "location"})
Placed = tuple[dict[str, Any], datetime]  # a row, and the first of its two microseconds
Found = tuple[Item, dict[str, Any] | None]  # an item, and the row that it was made of


class Picture(Door):
    """The reports of an agency's feed, as objects of STIX."""

    def page(self, who: Caller, asked: Filters, limit: int) -> Page:
        """The first objects of those asked for."""
        if asked.nothing:
            return Page()
        agency = who.agency
        with self.store.transaction(agency) as tx:
            tx.do("by_key")
            asked = _onward(tx, agency, asked)
            found: list[Found] = [(item, None) for item in self._standing(tx) if item.added > asked.after and _wanted(item, asked)]
            found += self._of_lines(tx, who, asked, limit)
            found.sort(key=lambda f: f[0].added)
            rows = {id(row): row for _, row in found[:limit] if row is not None}
            allowed = {id(row) for row in self.read(tx, who, list(rows.values()), "taxii picture", asked=_one(asked))}
        kept = tuple(item for item, row in found[:limit] if row is None or id(row) in allowed)
        return Page(kept, len(found) > limit)

    def _standing(self, tx: Transaction) -> Iterator[Item]:
        """What is not a report's: extension, markings, agencies."""
        for number, made in enumerate(fixed_objects(m.name for m in self.scheme.markings)):
            yield _item(BEGAN + number * MICROSECOND, made)
        before = EPOCH
        for row in tx.all("joined"):
            before = max(row["added_at"], before + MICROSECOND)
            yield _item(before, identity_of(row["name"], instant_of(row["added_at"])))

    def _of_lines(self, tx: Transaction, who: Caller, asked: Filters, limit: int) -> list[Found]:
        """One more than the limit, where there are so many."""
        found: list[Found] = []
        if asked.types is not None and not asked.types & _LINES:
            return found
        for row, at in _some(tx, who, asked) if asked.ids is not None else _lines(tx, who, asked, limit + 1):
            made = objects_of(shown(row, who.clearance))
            line = Line(row["visible_at"], row["report_id"])
            items = [_item(at + (2 - len(made) + n) * MICROSECOND, one, line) for n, one in enumerate(made)]
            found += [(item, row) for item in items if item.added > asked.after and _wanted(item, asked)]
            if len(found) > limit and asked.ids is None:
                break
        return found


def _item(added: datetime, made: dict[str, Any], line: Line | None = None) -> Item:
    return Item(added, made.get("modified", made["created"]), made, line)


def _onward(tx: Transaction, agency: str, asked: Filters) -> Filters:
    """Where a reader goes on after a line: some that opened with it may have closed since, and those after it have moved up."""
    if asked.past is None:
        return asked
    now = tx.one("feed_place", audience=agency, at=asked.past.at, report_id=asked.past.report_id) or {"place": 0, "there": False}
    given = (asked.after - asked.past.at) // MICROSECOND % 2 if now["there"] else -1
    return replace(asked, after=asked.past.at + (2 * now["place"] + given) * MICROSECOND)


def _wanted(item: Item, asked: Filters) -> bool:
    """Of each object there is one version: the first, and the last."""
    v = asked.versions
    return asked.take(item.object) and (v.last or v.first or v.every or version_of(item.object) in v.times)


def _one(asked: Filters) -> str:
    """The one object asked for, where it is one of a report."""
    ident = next(iter(asked.ids)) if asked.ids is not None and len(asked.ids) == 1 else ""
    return ident if ident.partition("--")[0] in _LINES else ""


def _some(tx: Transaction, who: Caller, asked: Filters) -> Iterator[Placed]:
    """The lines of some objects: a report and its place have its id."""
    idents = {ident.partition("--")[2] for ident in asked.ids or () if ident.partition("--")[0] in _LINES}
    for ident in sorted(idents):
        row = tx.one("feed_one", audience=who.agency, report_id=_uuid(ident))
        if row is not None:
            place = tx.one("feed_place", audience=who.agency, at=row["visible_at"], report_id=row["report_id"])
            yield row, row["visible_at"] + 2 * (place or {"place": 0})["place"] * MICROSECOND


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text == text.lower() and len(text) == 36 else None
    except ValueError:
        return None


def _lines(tx: Transaction, who: Caller, asked: Filters, limit: int) -> Iterator[Placed]:
    """Lines from where the reader goes on, page by page."""
    low, before = _between(asked.versions)
    start = tx.one("feed_from", audience=who.agency, after=asked.after) or {"at": EPOCH, "many": 0}
    at, skip = start["at"], max(0, ((asked.after - start["at"]) // MICROSECOND + 1) // 2)
    ident = _FIRST
    if skip >= start["many"]:
        ident, skip = _LAST, 0
    if low > at:
        at, ident, skip = low, _FIRST, 0
    place, size = skip, min(limit, MOST)
    while True:
        rows = tx.all("feed_on", audience=who.agency, at=at, id=ident, before=before, limit=size, skip=skip)
        for row in rows:
            place = place if row["visible_at"] == at else 0
            at, ident, skip = row["visible_at"], row["report_id"], 0
            yield row, at + 2 * place * MICROSECOND
            place += 1
        if len(rows) < size:
            return
        size = MOST


def _between(versions: Versions) -> tuple[datetime, datetime]:
    """The times between which lines opened that may have the versions asked for."""
    if versions.last or versions.first or versions.every or not versions.times:
        return EPOCH, _ALWAYS
    return min(versions.times), min(max(versions.times), _ALWAYS) + 1000 * MICROSECOND
