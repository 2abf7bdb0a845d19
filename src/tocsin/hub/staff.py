"""What the hub's own staff does: agencies and groups. It sees no report."""

from __future__ import annotations

from typing import Any

from tocsin.errors import Malformed
from tocsin.gate import Role
from tocsin.hub.caller import Caller
from tocsin.hub.clock import Clock
from tocsin.hub.door import PUBLIC
from tocsin.hub.names import check_name, check_new, check_there
from tocsin.hub.tokens import Tokens
from tocsin.store import Store

#: What becomes of the reports of an agency that leaves.
FATES = ("keep", "purge", "hand-to")

AGENCIES = 62  # fusion has a bit for each, and one for what all see (`fusion.taking`)


class Staff:
    """Agencies and groups; every change is an act, and is logged."""

    def __init__(self, store: Store, now: Clock) -> None:
        self.store, self.now = store, now

    def first_token(self) -> str | None:
        """A token for an administrator of the hub where none holds, else None."""
        return Tokens(self.store, self.now).first()

    def add_agency(self, who: Caller, name: str) -> None:
        """A new agency; it sees at once what reaches every agency. Raises `Malformed` for one that is there, in whatever capitals, and for the 63rd."""
        self._allowed(who)
        check_name(name, "an agency's")
        if name.lower() == PUBLIC:
            raise Malformed(f"{name} is what all the world is called here: give another name")
        with self.store.transaction(None) as tx:
            there = [row["name"] for row in tx.all("audiences")]
            check_new(name, there, "an agency")
            if len(there) >= AGENCIES:
                raise Malformed(f"a hub fuses for at most {AGENCIES} agencies, those that left included: this one is full")
        if not self._do(who, f"agency add {name}", "add_agency", name=name):
            raise Malformed(f"there is an agency {name}: give another name")

    def set_member(self, who: Caller, group: str, agency: str, is_in: bool) -> None:
        """Takes an agency into a group, or out of it; what the group is named in opens or closes with it."""
        self._allowed(who)
        check_name(group, "a group's")
        check_there(self.store, agency)
        if is_in:
            with self.store.transaction(None) as tx:
                check_new(group, [row["group_name"] for row in tx.all("groups_there")], "a group")
        self._do(who, f"group {group} {'add' if is_in else 'remove'} {agency}", "set_member", group=group, agency=agency, is_in=is_in)

    def leave(self, who: Caller, name: str, reports: str, to: str | None = None) -> None:
        """An agency leaves: its tokens hold no longer, it is out of its groups, and its reports are kept, purged, or handed to another. Raises `Malformed`."""
        self._allowed(who)
        if reports not in FATES or (to is not None) is not (reports == "hand-to"):
            raise Malformed(f"reports: one of {', '.join(FATES)}; and `to`, the agency that they are handed to, with hand-to alone")
        if to is not None:
            check_there(self.store, to)
        if to == name or not self._do(
            who, f"agency leave {name}, reports {reports} {to or ''}".rstrip(), "leave", name=name, fate=reports, heir=to
        ):
            raise Malformed(f"no agency {name} that could leave so: GET /api/agencies lists them; it hands its reports to another")

    def _allowed(self, who: Caller) -> None:
        who.has(frozenset({Role.ADMINISTER_HUB}), "this")

    def _do(self, who: Caller, what: str, query: str, **values: Any) -> bool:
        with self.store.transaction(None) as tx:
            row = tx.one(query, who=who.label, at=self.now(), **values) or {}
            done = bool(row.get("done", True))
            tx.note(at=self.now(), who=who.label, what=what, things=[], allowed=done, reason="the hub's staff")
            return done
