"""What an agency may see, as STIX: first what every feed has, then agencies as they joined, and reports as they opened to it.

Every object has a time of its own. Reports that opened at one time stand in the order of their ids, of those that the agency sees: the n-th has the 2n-th
microsecond after that time for its place, and the one after for itself. The hub keeps these microseconds free (`take` in schema.sql). A report whose marking
changed after it had opened has its last version alone, at the time of that change.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tocsin.gate import Scheme
from tocsin.hub.caller import Caller
from tocsin.hub.clock import Clock
from tocsin.hub.door import MOST, Door
from tocsin.hub.shown import shown
from tocsin.hub.taxii.asked import EPOCH, MICROSECOND, Filters, Item, Line, Page, Versions, uuid_in
from tocsin.hub.taxii.given import Given
from tocsin.stix import fixed_objects, identity_of, instant_of, objects_of
from tocsin.store import Store, Transaction

BEGAN = datetime(2022, 10, 1, tzinfo=UTC)  # of what every feed has
LONG = 1_000_000 * MICROSECOND  # more than there is of that
_FIRST, _LAST = uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)
_ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)
_LINES = frozenset({"report", "location"})
Placed = tuple[dict[str, Any], datetime]  # a row, and the first of its two microseconds
Found = tuple[Item, dict[str, Any] | None]  # an item, and the row that it was made of


@dataclass(frozen=True)
class _Feed:
    """The lines of an agency's feed, or of those those that are marked for a group."""

    tx: Transaction
    agency: str
    group: str

    def all(self, query: str, **values: Any) -> list[dict[str, Any]]:
        return self.tx.all(("group_" if self.group else "feed_") + query, audience=self.agency, group=self.group, **values)

    def one(self, query: str, **values: Any) -> dict[str, Any] | None:
        return next(iter(self.all(query, **values)), None)

    def row(self, report_id: uuid.UUID | None) -> dict[str, Any] | None:
        row = self.tx.one("feed_one", audience=self.agency, report_id=report_id)
        if row is None or not self.group:
            return row
        since = self.one("one", report_id=report_id)
        return None if since is None else row | since

    def marked_since(self, row: dict[str, Any]) -> datetime | None:
        """When its marking changed after it had opened here; None where it did not."""
        at: datetime | None = row.get("marked_at")
        return at if at is not None and at > self.opened(row) else None

    def place(self, line: Line) -> tuple[int, bool]:
        """How many of the lines that opened with one stand before it, and whether it is there still."""
        found = self.one("place", at=line.at, report_id=line.report_id) or {"place": 0, "there": False}
        return found["place"], found["there"]

    def opened(self, row: dict[str, Any]) -> datetime:
        at: datetime = row["opened_at" if self.group else "visible_at"]
        return at


class Picture(Door):
    """The reports of an agency's feed and what is made of them, as objects of STIX; or of the reports, those that are marked for a group that it is in."""

    def __init__(self, store: Store, now: Clock, scheme: Scheme | None = None) -> None:
        super().__init__(store, now, scheme)
        self._given = Given(store, now, scheme)

    def page(self, who: Caller, asked: Filters, limit: int, group: str = "") -> Page:
        """The first objects of those asked for."""
        if asked.nothing:
            return Page()
        with self.store.transaction(who.agency, by_key=True) as tx:
            feed = _Feed(tx, who.agency, group)
            asked = _onward(feed, asked)
            found: list[Found] = [(item, None) for item in self._standing(tx, asked.after) if asked.wants(item.object)]
            found += self._of_lines(feed, who, asked, limit)
            found.sort(key=_added)
            if not group:
                low, before = _between(asked.versions)
                before = min(before, found[limit][0].added) if len(found) > limit else before
                found += [(item, None) for item in self._given.items(tx, who, asked, limit, low, before)]
                found.sort(key=_added)
            rows = {id(row): row for _, row in found[:limit] if row is not None}
            what = f"taxii group {group}" if group else "taxii picture"
            allowed = {id(row) for row in self.read(tx, who, list(rows.values()), what, asked="" if found else _one(asked))}
            self._given.noted(tx, who, [item for item, _ in found[:limit]], asked)
        kept = tuple(item for item, row in found[:limit] if row is None or id(row) in allowed)
        return Page(kept, len(found) > limit)

    def _standing(self, tx: Transaction, after: datetime) -> Iterator[Item]:
        """What is not a report's and was added later: extensions, markings, agencies."""
        if after < BEGAN + LONG:
            several = (_item(BEGAN + n * MICROSECOND, made) for n, made in enumerate(fixed_objects(m.name for m in self.scheme.markings)))
            yield from (item for item in several if item.added > after)
        before = EPOCH
        for row in tx.all("joined"):
            before = max(row["added_at"], before + MICROSECOND)
            if before > after:
                yield _item(before, identity_of(row["name"], instant_of(row["added_at"])))

    def _of_lines(self, feed: _Feed, who: Caller, asked: Filters, limit: int) -> list[Found]:
        """One more than the limit, where there are so many."""
        found: list[Found] = []
        if asked.types is not None and not asked.types & _LINES:
            return found
        several = _some(feed, asked) if asked.ids is not None else _lines(feed, asked, limit + 1)
        for row, at in several:
            if asked.ids is not None or feed.marked_since(row) is None:
                found += _items(feed, who, asked, row, at)
            if len(found) > limit and asked.ids is None:
                break
        if asked.ids is None:
            low, before = _between(asked.versions)
            for row in feed.all("marked", at=max(asked.after, low) - MICROSECOND, before=before, limit=limit + 1):
                found += _items(feed, who, asked, row, row["marked_at"])
        return found


def _items(feed: _Feed, who: Caller, asked: Filters, row: dict[str, Any], at: datetime) -> list[Found]:
    """The objects of a report that are asked for. at: the first of its two microseconds."""
    made, marked = objects_of(shown(row, who.clearance)), feed.marked_since(row)
    if marked is not None:
        made = [one | {"modified": instant_of(marked)} for one in made]
    line = Line(feed.opened(row), row["report_id"]) if marked is None else None
    items = [_item(at + (2 - len(made) + n) * MICROSECOND, one, line) for n, one in enumerate(made)]
    return [(item, row) for item in items if item.added > asked.after and asked.wants(item.object)]


def _added(found: Found) -> datetime:
    return found[0].added


def _item(added: datetime, made: dict[str, Any], line: Line | None = None) -> Item:
    return Item(added, made.get("modified", made["created"]), made, line)


def _onward(feed: _Feed, asked: Filters) -> Filters:
    """Where a reader goes on after a line: some that opened with it may have closed since, and those after it have moved up."""
    if asked.past is None:
        return asked
    place, there = feed.place(asked.past)
    given = (asked.after - asked.past.at) // MICROSECOND % 2 if there else -1
    return replace(asked, after=asked.past.at + (2 * place + given) * MICROSECOND)


def _one(asked: Filters) -> str:
    """The one object asked for, where it is one of a report."""
    ident = next(iter(asked.ids)) if asked.ids is not None and len(asked.ids) == 1 else ""
    return ident if ident.partition("--")[0] in _LINES else ""


def _some(feed: _Feed, asked: Filters) -> Iterator[Placed]:
    """The lines of some objects: a report and its place have its id."""
    idents = {ident.partition("--")[2] for ident in asked.ids or () if ident.partition("--")[0] in _LINES}
    for ident in sorted(idents):
        row = feed.row(uuid_in(ident))
        if row is not None:
            at, marked = feed.opened(row), feed.marked_since(row)
            yield row, marked or at + 2 * feed.place(Line(at, row["report_id"]))[0] * MICROSECOND


def _lines(feed: _Feed, asked: Filters, limit: int) -> Iterator[Placed]:
    """Lines from where the reader goes on, page by page."""
    low, before = _between(asked.versions)
    start = feed.one("from", after=asked.after) or {"at": EPOCH, "many": 0, "more": True}
    at, skip = start["at"], max(0, ((asked.after - start["at"]) // MICROSECOND + 1) // 2)
    ident = _FIRST
    if skip >= start["many"] and not start["more"]:
        return
    if skip >= start["many"]:
        ident, skip = _LAST, 0
    if low > at:
        at, ident, skip = low, _FIRST, 0
    place, size = skip, min(limit, MOST)
    while True:
        rows = feed.all("on", at=at, id=ident, before=before, limit=size, skip=skip)
        for row in rows:
            place = place if feed.opened(row) == at else 0
            at, ident, skip = feed.opened(row), row["report_id"], 0
            yield row, at + 2 * place * MICROSECOND
            place += 1
        if len(rows) < size:
            return
        size = min(2 * size, MOST)


def _between(versions: Versions) -> tuple[datetime, datetime]:
    """The times between which lines opened that may have the versions asked for."""
    if versions.last or versions.first or versions.every or not versions.times:
        return EPOCH, _ALWAYS
    return min(versions.times), min(max(versions.times), _ALWAYS) + 1000 * MICROSECOND
