"""Accounts: an agency's administrator invites a person by a link that is good once, and closes an account.

The hub's own staff does so for any agency, and for itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pyotp

from tocsin.errors import Malformed
from tocsin.gate import Role
from tocsin.hub.caller import Caller, hashed, new_secret
from tocsin.hub.clock import Clock
from tocsin.hub.names import check_name, check_there
from tocsin.hub.shown import instant, known_of
from tocsin.hub.tokens import ADMINISTER, OF_AGENCIES, OF_STAFF, Tokens
from tocsin.store import Store

HOURS = 72  # that an invitation holds


class Accounts:
    """Invites, lists and closes; every change is an act, and is logged where its maker's agency finds it."""

    def __init__(self, store: Store, now: Clock) -> None:
        self.store, self.now, self.tokens = store, now, Tokens(store, now)

    def invite(self, who: Caller, name: str, roles: Iterable[str], agency: str | None = None, hours: int = HOURS) -> dict[str, Any]:
        """A link, shown this once, by which a person becomes an account of the agency, or, where the staff names none, of the staff.

        Of one that is there, by which the password is chosen anew. Raises `Malformed` for a name or roles that do not fit; `Denied`."""
        of = self.tokens.of(who, agency)
        check_name(name, "a person's")
        wanted, fit = frozenset(roles), OF_STAFF if of is None else OF_AGENCIES
        if not wanted or not wanted <= {*map(str, fit)} or not 1 <= hours <= 30 * 24:
            raise Malformed(f"give one or more of the roles {', '.join(sorted(fit))}, and hours from 1 to {30 * 24}")
        if of is not None:
            check_there(self.store, of)
        secret, at = new_secret(), self.now()
        values = {"hash": hashed(secret), "agency": of or "", "name": name, "totp": pyotp.random_base32(), "roles": sorted(wanted)}
        with self.store.transaction(who.clearance.agency) as tx:
            tx.do("invite", who=who.label, at=at, expires=at + timedelta(hours=hours), **values)
            self.tokens.note(tx, who, "invite", of, name, True)
        return {"path": f"/invitation/{secret}", "name": name, "expires": instant(at + timedelta(hours=hours))}

    def all(self, who: Caller) -> list[dict[str, Any]]:
        """The people of the caller's agency, of every agency for the hub's own staff; who is invited has `invited_until`."""
        who.has(ADMINISTER | {Role.OVERSEE}, "the list of people")
        with self.store.transaction(who.clearance.agency) as tx:
            rows = tx.all("accounts")
        return [known_of(row) for row in rows]

    def close(self, who: Caller, name: str, agency: str | None = None) -> None:
        """A person signs in no longer, and what it has open ends. Raises `Malformed` where there is none of that name; `Denied` for another agency."""
        of = self.tokens.of(who, agency)
        with self.store.transaction(who.clearance.agency) as tx:
            row = tx.one("close_account", who=who.label, at=self.now(), agency=of or "", name=name)
            done = bool(row and row["done"])
            self.tokens.note(tx, who, "close account", of, name, done)
        if not done:
            raise Malformed(f"nobody is called {name} here: GET /api/accounts lists them")
