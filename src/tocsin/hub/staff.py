"""What the hub's own staff does: agencies, groups, tokens. It sees no report."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from tocsin.errors import Malformed
from tocsin.gate import Role
from tocsin.hub.caller import Caller, hashed, new_token
from tocsin.hub.clock import Clock
from tocsin.hub.shown import instant
from tocsin.store import Store

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
DAYS = 365  # that a token holds
#: Roles of a token of an agency, and of one of the hub's own staff.
OF_AGENCIES = frozenset({Role.SUBMIT, Role.ANALYSE, Role.ADMINISTER_AGENCY, Role.OVERSEE})
OF_STAFF = frozenset({Role.ADMINISTER_HUB, Role.OVERSEE})


class Staff:
    """Agencies, groups and tokens; every change is an act, and is logged."""

    def __init__(self, store: Store, now: Clock) -> None:
        self.store, self.now = store, now

    def first_token(self) -> str | None:
        """A token for the first of the staff, once; None where there was one ever."""
        return self._mint("setup", "admin", None, frozenset({Role.ADMINISTER_HUB}), DAYS)

    def add_agency(self, who: Caller, name: str) -> None:
        """A new agency; it sees at once what reaches every agency. Raises `Malformed` for one that is there."""
        self._allowed(who)
        _name(name, "an agency's")
        if not self._do(who, f"agency add {name}", "add_agency", name=name):
            raise Malformed(f"there is an agency {name}: give another name")

    def set_member(self, who: Caller, group: str, agency: str, is_in: bool) -> None:
        """Takes an agency into a group, or out of it; what the group is named in opens or closes with it."""
        self._allowed(who)
        _name(group, "a group's")
        self._there(agency)
        self._do(who, f"group {group} {'add' if is_in else 'remove'} {agency}", "set_member", group=group, agency=agency, is_in=is_in)

    def add_token(self, who: Caller, label: str, agency: str | None, roles: Iterable[str], days: int = DAYS) -> dict[str, Any]:
        """A new token, which is shown this once. Raises `Malformed` for a label that is taken, or roles that do not fit."""
        self._allowed(who)
        _name(label, "a token's")
        try:
            wanted = frozenset(map(Role, roles))
        except ValueError as why:
            raise Malformed(f"roles are {', '.join(Role)}") from why
        fit = OF_STAFF if agency is None else OF_AGENCIES
        if not wanted or not wanted <= fit or not 1 <= days <= 10 * DAYS:
            raise Malformed(f"give one or more of the roles {', '.join(sorted(fit))}, and days from 1 to {10 * DAYS}")
        if agency is not None:
            self._there(agency)
        token = self._mint(who.label, label, agency, wanted, days)
        if token is None:
            raise Malformed(f"there is a token {label}: give another label")
        return {"token": token, "label": label, "expires": instant(self.now() + timedelta(days=days))}

    def revoke(self, who: Caller, label: str) -> None:
        """A token holds no longer, from now on. Raises `Malformed` where none of that label stands."""
        self._allowed(who)
        if not self._do(who, f"token revoke {label}", "revoke_token", label=label):
            raise Malformed(f"no token {label} stands: see its label")

    def _allowed(self, who: Caller) -> None:
        who.has(frozenset({Role.ADMINISTER_HUB}), "this")

    def _there(self, agency: str) -> None:
        with self.store.transaction(None) as tx:
            if agency not in {row["name"] for row in tx.all("agencies")}:
                raise Malformed(f"no agency {agency} in this hub: add it first")

    def _do(self, who: Caller, what: str, query: str, **values: Any) -> bool:
        with self.store.transaction(None) as tx:
            row = tx.one(query, who=who.label, at=self.now(), **values) or {}
            done = bool(row.get("done", True))
            tx.do("note", at=self.now(), who=who.label, what=what, things=[], allowed=done, reason="the hub's staff")
            return done

    def _mint(self, by: str, label: str, agency: str | None, roles: frozenset[Role], days: int) -> str | None:
        token = new_token()
        at = self.now()
        values = {"hash": hashed(token), "label": label, "agency": agency, "roles": sorted(roles), "expires": at + timedelta(days=days)}
        with self.store.transaction(None) as tx:
            row = tx.one("add_token", who=by, at=at, **values)
        return token if row and row["done"] else None


def _name(text: str, whose: str) -> None:
    if not NAME.fullmatch(text):
        raise Malformed(f"{whose} name has 1 to 64 letters, digits, spaces, dots, dashes or underscores, and begins with a letter or digit")
