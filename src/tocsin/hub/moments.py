"""What an audience asks of the past: its picture as of a moment, made when it is asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from tocsin.errors import TooMany
from tocsin.gate import Action
from tocsin.hub.caller import Caller
from tocsin.hub.clock import past_of
from tocsin.hub.cursor import before_of, next_of
from tocsin.hub.door import MADE_OF, Door, page_of
from tocsin.hub.shown import incident_shown, instant
from tocsin.store import Transaction

KEPT = 8  # pictures and pages of one agency


class Made(NamedTuple):
    """What was made; None while it is being made, and `see` is where to look again."""

    what: dict[str, Any] | None
    see: str


class Moments(Door):
    """Pictures, and their pages."""

    def picture(self, who: Caller, *, as_of: str = "", after: str = "", limit: int = 100) -> Made:
        """The numbers and, page by page, the incidents of what the caller's agency saw by a moment and sees still. Raises `Malformed`, `TooMany`."""
        agency, at = who.needs(Action.READ), past_of("as_of", as_of or None, self.now())
        day, ident = before_of(after)
        see = f"/api/picture?as_of={instant(at)}"
        with self.store.transaction(agency) as tx:
            made = self._made(tx, agency, "picture", at)
            if made is None:
                return Made(None, see)
            rows = tx.all("pictured_page", audience=agency, number=made["number"], limit=page_of(limit), day=day, id=ident)
            self.log(tx, who, "picture", [str(r["incident_id"]) for r in rows] or [instant(at)], True, MADE_OF)
        return Made(
            made["said"] | {"incidents": [incident_shown(r) for r in rows], "next": next_of(rows, "day", "incident_id", after)}, see
        )

    def page(self, who: Caller, *, as_of: str = "") -> Made:
        """The same as a page for a browser: `text`, and the `policy` that it is to be shown under. Raises `Malformed`, `TooMany`."""
        agency, at = who.needs(Action.READ), past_of("as_of", as_of or None, self.now())
        with self.store.transaction(agency) as tx:
            made = self._made(tx, agency, "page", at)
            if made is not None:
                self.log(tx, who, "page", [instant(at)], True, MADE_OF)
        found = None if made is None else {"text": made["page"], "policy": made["said"]["policy"]}
        return Made(found, f"/picture/brief.html?as_of={instant(at)}")

    def _made(self, tx: Transaction, agency: str, what: str, at: datetime) -> dict[str, Any] | None:
        """A picture that is there; None where it is, or will be, made."""
        row = tx.one("picture_one", audience=agency, what=what, as_of=at)
        if row is None:
            taken = tx.one("want", at=self.now(), as_of=at, what=what, most=KEPT)
            if taken is None or not taken["taken"]:
                raise TooMany(f"{KEPT} pictures of your agency are being made: ask again when one of them is there")
            return None
        if row["said"] is None:
            return None
        if row["said"].get("failed"):
            raise RuntimeError("a picture could not be made")  # the caller is told that the hub failed, and its log where
        return row
