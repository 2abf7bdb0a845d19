"""What an audience asks of the past: its picture as of a moment, made when it is asked for, and the signals of the looks that were."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tocsin.errors import NotThere, TooMany
from tocsin.gate import Action
from tocsin.hub.caller import Caller
from tocsin.hub.clock import past_of
from tocsin.hub.cursor import after_of, before_of, next_of
from tocsin.hub.door import MADE_OF, incident_rows, page_of, uuid_of
from tocsin.hub.shown import incident_shown, instant
from tocsin.hub.signals import NO_SIGNAL, WITHDRAWN, Signals
from tocsin.store import Transaction

KEPT = 8  # pictures and pages of one agency
ENDED = 20  # signals that are raised no more
LATEST = 50  # incidents in the evidence of a signal


class Made(NamedTuple):
    """What was made; None while it is being made, and `see` is where to look again."""

    what: dict[str, Any] | None
    see: str


class Moments(Signals):
    """Pictures and signals."""

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

    def signals(self, who: Caller, *, after: str = "", limit: int = 100) -> dict[str, Any]:
        """Signals of the looks at the incidents of the caller's agency, in their order, and what there is to say of the latest look."""
        agency = who.needs(Action.READ)
        at, ident = after_of(after)
        with self.store.transaction(agency) as tx:
            rows = tx.all("signals_page", audience=agency, after_at=at, after_id=ident, limit=page_of(limit))
            last = tx.one("last_look", audience=agency)
            out = [self._signal(tx, who, row) for row in rows]
            self.log(tx, who, "signals", [str(r["signal_id"]) for r in rows], True, MADE_OF)
        return {"signals": out, "next": next_of(rows, "at", "signal_id", after), "look": None if last is None else _look(last)}

    def standing(self, who: Caller) -> dict[str, Any]:
        """The signals of the latest look at the incidents of the caller's agency, the `ENDED` latest that it raised no more, and what there is to say of it."""
        agency = who.needs(Action.READ)
        with self.store.transaction(agency) as tx:
            last = tx.one("last_look", audience=agency)
            now, ended = tx.all("signals_now", audience=agency), tx.all("signals_ended", audience=agency, limit=ENDED)
            out = {"now": [self._signal(tx, who, row) for row in now], "ended": [self._signal(tx, who, row) for row in ended]}
            self.log(tx, who, "signals", [str(r["signal_id"]) for r in (*now, *ended)], True, MADE_OF)
        return out | {"look": None if last is None else _look(last)}

    def signal(self, who: Caller, signal_id: str) -> dict[str, Any]:
        """One signal of the caller's agency as its latest look has it, and of its evidence the incidents that are incidents still. Raises `NotThere`."""
        agency = who.needs(Action.READ)
        with self.store.transaction(agency) as tx:
            row = tx.one("signal_one", audience=agency, signal_id=uuid_of(signal_id))
            self.log(tx, who, "signal", [signal_id], row is not None, MADE_OF if row else NO_SIGNAL)
            if row is None:
                raise NotThere(NO_SIGNAL)
            said = self._signal(tx, who, row)
            found = {row["incident_id"]: row for row in incident_rows(tx, agency, said.get("evidence", [])[-LATEST:])}
        return {"signal": said, "incidents": [incident_shown(row) for row in found.values()][::-1]}

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

    def _signal(self, tx: Transaction, who: Caller, row: dict[str, Any]) -> dict[str, Any]:
        """As it was issued; one whose evidence is not all seen any more says that, and nothing else."""
        when = {"look": instant(row["at"]), "every_days": row["every"]}
        marking = self.marking_of(tx, who, row)
        if marking is None:
            return {"signal_id": str(row["signal_id"])} | when | {"withdrawn": WITHDRAWN}
        said: dict[str, Any] = row["body"]
        return said | when | {"marking": marking}


def _look(row: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = row["said"]
    following = row["at"] + timedelta(days=row["every"])
    return {"at": instant(row["at"]), "every_days": row["every"], "next": instant(following)} | said
