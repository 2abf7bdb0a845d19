"""Incidents, judgements and signals as objects: each as an audience was given it last, what is no more as revoked (`publish` in schema.sql sees to it)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tocsin.gate import Action, made_of, may
from tocsin.hub.caller import Caller
from tocsin.hub.door import MADE_OF, MOST, NOT_THERE, Door
from tocsin.hub.shown import instant, marked
from tocsin.hub.taxii.asked import EPOCH, MICROSECOND, Filters, Item, uuid_in
from tocsin.stix import Made, ceased, incident_objects, note_of, signal_object
from tocsin.store import Transaction

#: The types of the objects that each is given as.
TYPES = {"incident": frozenset({"location", "incident", "sighting"}), "judgement": frozenset({"note"}), "signal": frozenset({"grouping"})}
_CALLED = {"incident": "incident", "judgement": "note", "signal": "grouping"}
_SPAN = 4 * MICROSECOND  # of the objects of one of them


class Given(Door):
    """What the hub makes of the reports that an agency sees."""

    def items(self, tx: Transaction, who: Caller, asked: Filters, limit: int, low: datetime, before: datetime) -> list[Item]:
        """One more than the limit, where there are so many. low, before: between which they were given."""
        found: list[Item] = []
        after = max(asked.after, EPOCH, low) - _SPAN
        new = {row["kind"] for row in tx.all("published_since", audience=who.agency, after=after)}
        for kind, types in TYPES.items():
            many = 0
            if kind in new and (asked.types is None or asked.types & types):
                rows = self._some(tx, who, asked, types) if asked.ids is not None else self._on(tx, who, kind, after, before, limit + 1)
                for row in rows:
                    items = [item for item in self._items(who, row) if item.added > asked.after and asked.wants(item.object)]
                    many, found = many + len(items), found + items
                    if many > limit and asked.ids is None:
                        break
        return found

    def noted(self, tx: Transaction, who: Caller, items: list[Item], asked: Filters) -> None:
        """A line in the log: of what is given, or that the one asked for is not there."""
        self.log(tx, who, "taxii picture", list(dict.fromkeys(i.about for i in items if i.about)), True, MADE_OF)
        one = next(iter(asked.ids)) if asked.ids is not None and len(asked.ids) == 1 else ""
        if not items and one.partition("--")[0] in ("incident", "sighting", "note", "grouping"):
            self.log(tx, who, "taxii picture", [one], False, NOT_THERE)

    def _on(self, tx: Transaction, who: Caller, kind: str, after: datetime, before: datetime, limit: int) -> Iterator[dict[str, Any]]:
        size = min(limit // 2 + 1, MOST)
        while True:
            rows = tx.all("published_on", audience=who.agency, kind=kind, after=after, before=before, limit=size)
            yield from rows
            if len(rows) < size:
                return
            after, size = rows[-1]["added"], min(2 * size, MOST)

    def _some(self, tx: Transaction, who: Caller, asked: Filters, types: frozenset[str]) -> Iterator[dict[str, Any]]:
        for ident in sorted({i.partition("--")[2] for i in asked.ids or () if i.partition("--")[0] in types}):
            row = tx.one("published_one", audience=who.agency, given_id=uuid_in(ident))
            if row is not None:
                yield row

    def _items(self, who: Caller, row: dict[str, Any]) -> list[Item]:
        return [
            Item(row["added"] + n * MICROSECOND, made["modified"], made, about=str(row["about"] or ""))
            for n, made in enumerate(self._objects(who, row))
        ]

    def _objects(self, who: Caller, row: dict[str, Any]) -> list[dict[str, Any]]:
        """None of what the caller may not see whole, whatever is written down of it: the hub is about to take it back."""
        kind = _CALLED[row["kind"]]
        if row["says"] is None:
            strictest = self.scheme.strictest([m.name for m in self.scheme.markings]).name
            return [ceased(kind, self._how(row, strictest))]
        names = row["names"] or row["reports"] or (row["body"] or {}).get("report_ids", [])
        if not names or len(row["handled"]) != len(names):
            return []
        whole = made_of([marked(h) for h in row["handled"]], self.scheme)
        if not may(who.clearance, Action.READ, whole, self.scheme):
            return []
        how = self._how(row, whole.marking, whole.orcon)
        if kind == "note":
            return [note_of(row["agency"], row["signed"], map(str, names), row["said"], how)]
        if kind == "grouping":
            more = {"look": instant(row["at"]), "every_days": row["every"]} if row["giver"] is None else {}
            return [signal_object(row["signal"] | more | {"signal_id": str(row["about"])}, map(str, names), how, row["giver"])]
        return incident_objects(str(row["about"]), row["body"], how)

    def _how(self, row: dict[str, Any], marking: str, orcon: bool = False) -> Made:
        return Made(str(row["object_id"]), row["made"], row["added"], marking, orcon)
