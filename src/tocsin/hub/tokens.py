"""Tokens: random, kept as a hash, each of one agency or of the hub's own staff. An agency's administrator makes and revokes those of its own agency."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from tocsin.errors import Denied, Malformed
from tocsin.gate import Role
from tocsin.hub.caller import Caller, hashed, new_token
from tocsin.hub.clock import Clock
from tocsin.hub.names import check_name, check_there
from tocsin.hub.shown import instant, known_of
from tocsin.store import Jsonb, Store, Transaction

DAYS = 365  # that a token holds
#: Roles of a token of an agency, and of one of the hub's own staff.
OF_AGENCIES = frozenset({Role.SUBMIT, Role.ANALYSE, Role.ADMINISTER_AGENCY, Role.OVERSEE})
OF_STAFF = frozenset({Role.ADMINISTER_HUB, Role.OVERSEE})
ADMINISTER = frozenset({Role.ADMINISTER_AGENCY, Role.ADMINISTER_HUB})


class Tokens:
    """Makes, lists and revokes tokens; every change is an act, and is logged where its maker's agency finds it."""

    def __init__(self, store: Store, now: Clock) -> None:
        self.store, self.now = store, now

    def first(self) -> str | None:
        """A token for an administrator of the hub where none holds: at first, or when the last one expired or was revoked. None where one holds."""
        with self.store.transaction(None) as tx:
            staff = [row for row in tx.all("tokens") if row["agency"] is None]
        now = self.now()
        if any(Role.ADMINISTER_HUB in r["roles"] and r["revoked_at"] is None and r["expires"] > now for r in staff):
            return None
        label = next(n for n in ("admin", *(f"admin {n}" for n in range(2, len(staff) + 3))) if n not in {r["label"] for r in staff})
        return self._mint(None, "setup", label, None, frozenset({Role.ADMINISTER_HUB}), DAYS)

    def add(self, who: Caller, label: str, agency: str | None, roles: Iterable[str], days: int = DAYS) -> dict[str, Any]:
        """A new token, which is shown this once. Raises `Malformed` for a label that is taken, or roles that do not fit; `Denied`."""
        of = self.of(who, agency)
        check_name(label, "a token's")
        try:
            wanted = frozenset(map(Role, roles))
        except ValueError as why:
            raise Malformed(f"roles are {', '.join(Role)}") from why
        fit = OF_STAFF if of is None else OF_AGENCIES
        if not wanted or not wanted <= fit or not 1 <= days <= 10 * DAYS:
            raise Malformed(f"give one or more of the roles {', '.join(sorted(fit))}, and days from 1 to {10 * DAYS}")
        if of is not None and who.is_staff:
            check_there(self.store, of)
        token = self._mint(who, who.label, label, of, wanted, days)
        if token is None:
            raise Malformed(f"there is a token {label}: give another label")
        return {"token": token, "label": label, "expires": instant(self.now() + timedelta(days=days))}

    def all(self, who: Caller) -> list[dict[str, Any]]:
        """The tokens of the caller's agency, of every agency for the hub's own staff: all but their secrets, which are not kept."""
        who.has(ADMINISTER | {Role.OVERSEE}, "the list of tokens")
        with self.store.transaction(who.clearance.agency) as tx:
            rows = tx.all("tokens")
        return [known_of(row) for row in rows]

    def revoke(self, who: Caller, label: str, agency: str | None = None) -> None:
        """A token holds no longer, from now on. Raises `Malformed` where none of that label stands; `Denied` for another agency."""
        of = self.of(who, agency)
        with self.store.transaction(who.clearance.agency) as tx:
            row = tx.one("revoke_token", who=who.label, at=self.now(), agency=of, label=label)
            done = bool(row and row["done"])
            self.note(tx, who, "token revoke", of, label, done)
        if not done:
            raise Malformed(f"no token {label} stands: GET /api/tokens lists them")

    def of(self, who: Caller, agency: str | None) -> str | None:
        """Whose token or account it is to be: of an agency's administrator, its own agency's and no other's, whether the other is there or not."""
        who.has(ADMINISTER, "this")
        mine = who.clearance.agency
        if mine is not None and agency not in (None, mine):
            raise Denied("an agency's administrator sees to the tokens and people of its own agency, and to no others")
        return mine or agency

    def _mint(self, who: Caller | None, by: str, label: str, agency: str | None, roles: frozenset[Role], days: int) -> str | None:
        token, at = new_token(), self.now()
        values = {"hash": hashed(token), "label": label, "agency": agency, "roles": sorted(roles), "expires": at + timedelta(days=days)}
        with self.store.transaction(who.clearance.agency if who else None) as tx:
            row = tx.one("add_token", who=by, at=at, **values)
            done = bool(row and row["done"])
            if who is not None:
                self.note(tx, who, "token add", agency, label, done)
        return token if done else None

    def note(self, tx: Transaction, who: Caller, what: str, agency: str | None, label: str, done: bool) -> None:
        """A line in the log of whose act it was; where the staff did it to an agency's, in that agency's too, which is not told who of the staff."""
        staff = who.is_staff
        line = {"at": self.now(), "things": [], "allowed": done, "reason": "the hub's staff" if staff else "its agency's administrator"}
        tx.note(**line, who=who.label, what=f"{what} {label}{f' of {agency}' if agency and staff else ''}")
        if agency and staff and done:
            tx.do("note_for", agency=agency, lines=Jsonb([line | {"who": "the hub's staff", "what": f"{what} {label}"}]))
