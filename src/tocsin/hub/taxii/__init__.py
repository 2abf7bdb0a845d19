"""The hub as TAXII 2.1 has it: of each agency a picture, which it reads, an inbox, to which it sends and where it finds again what it sent, and its groups.

What a picture has is what the feed has, report by report as STIX; its order is that of the feed. An inbox is its agency's alone: what of it is a report goes to
the hub as every report does, and the rest is kept as it was sent.
"""

from __future__ import annotations

import uuid
from typing import Any

from tocsin.errors import Denied, NotThere
from tocsin.gate import GROUP, Action, Scheme
from tocsin.gate.rule import ROLES
from tocsin.hub.acts import Acts
from tocsin.hub.caller import Caller
from tocsin.hub.clock import Clock
from tocsin.hub.door import Door, Submit, uuid_of
from tocsin.hub.shown import instant
from tocsin.hub.taxii.asked import Collection, Filters, Page, id_of
from tocsin.hub.taxii.inbox import Inbox
from tocsin.hub.taxii.picture import Picture
from tocsin.store import Store

__all__ = ["Collection", "Filters", "Page", "Taxii"]

NO_COLLECTION = "no such collection, or none that you may see"
NO_OBJECT = "no such object, or none that you may see"
WHY = "deleted by TAXII"


class Taxii(Door):
    """The collections of who asks. submit: how the hub takes reports."""

    def __init__(self, store: Store, now: Clock, scheme: Scheme | None, submit: Submit, acts: Acts) -> None:
        super().__init__(store, now, scheme)
        self._picture, self._inbox = Picture(store, now, scheme), Inbox(store, now, scheme, submit)
        self._acts = acts
        self._key: bytes | None = None

    def collections(self, who: Caller) -> list[Collection]:
        """Those of the caller's agency, and what the caller may do there. Raises `Denied` for the hub's own staff."""
        agency, roles = who.agency, who.clearance.roles
        reads, writes = bool(roles & ROLES[Action.READ]), bool(roles & ROLES[Action.SUBMIT])
        picture = Collection(
            id_of("picture", agency),
            "picture",
            f"Picture of {agency}",
            "Reports that the agency may see, and what is made of them.",
            reads,
            False,
        )
        inbox = Collection(
            id_of("inbox", agency), "inbox", f"Inbox of {agency}", "What the agency sends, and finds here again.", reads, writes
        )
        groups = [
            Collection(
                id_of("group", g), GROUP + g, f"Group {g}", "Reports that are marked for the group, as the agency sees them.", reads, False
            )
            for g in sorted(who.clearance.groups)
        ]
        return [picture, inbox, *groups]

    def collection(self, who: Caller, name: str) -> Collection:
        """One, by its id or its alias. Raises `NotThere`."""
        for one in self.collections(who):
            if name in (one.id, one.alias):
                return one
        raise NotThere(NO_COLLECTION)

    def page(self, who: Caller, name: str, asked: Filters, limit: int) -> Page:
        """The objects that were added first, of those asked for. Raises `NotThere`, `Denied`."""
        one = self.collection(who, name)
        who.needs(Action.READ)
        if one.alias == "inbox":
            return self._inbox.page(who, asked, limit)
        return self._picture.page(who, asked, limit, one.alias.removeprefix(GROUP) if one.alias != "picture" else "")

    def object(self, who: Caller, name: str, ident: str, asked: Filters, limit: int) -> Page:
        """The versions of one object. Raises `NotThere` where there is none at all, and where none may be seen, alike."""
        page = self.page(who, name, asked.of(ident), limit)
        if not page.items and not self.page(who, name, Filters().of(ident), 1).items:
            raise NotThere(NO_OBJECT)
        return page

    def writable(self, who: Caller, name: str) -> None:
        """Raises `NotThere`, and `Denied` where the caller may send nothing to it."""
        if not self.collection(who, name).can_write:
            raise Denied("this collection takes no objects from you: your inbox does, with the role submit")

    def post(self, who: Caller, name: str, objects: list[Any]) -> dict[str, Any]:
        """Takes or refuses each object by itself, and says so in a status that stands for a week. Raises `NotThere`, `Denied`."""
        self.writable(who, name)
        return self._inbox.post(who, objects)

    def status(self, who: Caller, ident: str) -> dict[str, Any]:
        """What became of a post of the caller's agency. Raises `NotThere`."""
        agency = who.agency
        with self.store.transaction(agency) as tx:
            row = tx.one("posting", audience=agency, posting_id=uuid_of(ident))
        if row is None:
            raise NotThere("no such status, or none that you may see: one stands for a week")
        said: dict[str, Any] = row["said"]
        return said | {"request_timestamp": instant(row["at"])}

    def delete(self, who: Caller, name: str, ident: str, asked: Filters) -> None:
        """Takes an object out of the inbox, and purges the reports that were made of it, for which one needs more. Raises `NotThere`, `Denied`."""
        one = self.collection(who, name)
        if not one.can_read and not one.can_write:
            raise NotThere(NO_COLLECTION)
        if not (one.can_read and one.can_write):
            raise Denied("of this collection you may not delete: of your inbox you may, with the role submit")
        found = self._inbox.found(who, asked.of(ident))
        if not found:
            raise NotThere(NO_OBJECT)
        reports = [row["report_id"] for row in found if row["report_id"]]
        if reports:
            who.needs(Action.PURGE)
        for report_id in reports:
            self._purge(who, report_id)
        with self.store.transaction(who.agency) as tx:
            tx.do("discard", object_id=ident, times=[row["added"] for row in found])
            self.log(tx, who, "taxii delete", [ident], True, "its own inbox")

    def seal(self) -> bytes:
        """The key that seals where a reader goes on; it is the database's, and asked for once."""
        if self._key is None:
            with self.store.transaction(None) as tx:
                row = tx.one("seal")
            self._key = row["key"].encode() if row else b""
        return self._key

    def _purge(self, who: Caller, report_id: uuid.UUID) -> None:
        try:
            self._acts.purge(who, str(report_id), WHY)
        except NotThere:  # it went while this was under way
            return
