"""What every door of the hub does: it asks the gate, and logs what was asked, what was decided and why."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tocsin.errors import Denied, Malformed, MarkingError, NotThere
from tocsin.gate import Action, Marked, Scheme, Verdict, may, tlp2
from tocsin.hub.caller import Caller
from tocsin.hub.clock import Clock
from tocsin.hub.posted import posted, text_of
from tocsin.hub.shown import marked
from tocsin.store import Jsonb, Store, Transaction

MOST = 1_000  # of a page, or of a post
PUBLIC = "public"  # the audience that is nobody's
NOT_THERE = "no such report, or none that you may see"
NO_INCIDENT = "no such incident, or none that you may see"
MADE_OF = "made of what it may see"  # why what is made of reports is given
#: How the hub takes reports: what it says of each.
Submit = Callable[[Caller, Sequence[Any]], list[dict[str, Any]]]
_text = text_of(1_000)


class Door:
    """A store, a clock and a scheme of markings."""

    def __init__(self, store: Store, now: Clock, scheme: Scheme | None = None) -> None:
        self.store, self.now, self.scheme = store, now, scheme or tlp2()

    def checked(self, raw: Any) -> tuple[dict[str, Any], list[str]]:
        """A post's fields, and the reasons for which it cannot be taken."""
        made = posted(raw)
        reasons = list(made.reasons)
        if "marking" in made.fields:
            try:
                self.scheme[made.fields["marking"]]
            except MarkingError as why:
                reasons.append(str(why))
        return made.fields, reasons

    def read(self, tx: Transaction, who: Caller, rows: list[dict[str, Any]], what: str, asked: str = "") -> list[dict[str, Any]]:
        """Of the rows, those that may() shows too; each logged."""
        verdicts = self._verdicts(who, rows)
        by_reason: dict[str, list[str]] = {}
        for row, verdict in verdicts:
            by_reason.setdefault(verdict.reason if verdict else NOT_THERE, []).append(str(row["report_id"]))
        if asked and not rows:
            by_reason[NOT_THERE] = [asked]
        lines = [self._line(who, what, ids, reason != NOT_THERE, reason) for reason, ids in by_reason.items()]
        if lines:
            tx.last("note_all", lines=Jsonb(lines))
        return [row for row, verdict in verdicts if verdict]

    def _verdicts(self, who: Caller, rows: list[dict[str, Any]]) -> list[tuple[dict[str, Any], Verdict]]:
        """Each row with whether it is shown. Of a page many have the same handling: it is asked about once."""
        known: dict[tuple[Any, ...], Verdict] = {}
        out = []
        for row in rows:
            key = (row["marking"], row["originator"], row["orcon"], tuple(row["releasable_to"]), tuple(row["released_to"]))
            verdict = known.get(key)
            if verdict is None:
                verdict = known[key] = may(who.clearance, Action.READ, marked(row), self.scheme)
            out.append((row, verdict))
        return out

    def visible(self, tx: Transaction, who: Caller, report_id: str) -> dict[str, Any] | None:
        """The row of a report that the caller sees; None where there is none, and where it is hidden, alike."""
        row = tx.one("feed_one", audience=who.agency, report_id=uuid_of(report_id))
        return row if row is not None and may(who.clearance, Action.READ, marked(row), self.scheme) else None

    def act(
        self,
        who: Caller,
        report_id: str,
        what: str,
        decide: Callable[[Marked], Verdict],
        then: Callable[[Transaction], None] | None = None,
        *,
        hold: bool = False,
    ) -> dict[str, Any]:
        """The row of a report that the caller sees and may do this to; `then` is done with it, in one transaction with its line in the log.

        hold: nobody writes between the verdict and what is done, so that none marks it anew."""
        with self.store.transaction(who.agency) as tx:
            if hold:
                tx.do("hold")
            row = self.visible(tx, who, report_id)
            verdict = decide(marked(row)) if row is not None else None
            self.log(tx, who, what, [report_id], bool(verdict), verdict.reason if verdict is not None else NOT_THERE)
            if verdict and then is not None:
                then(tx)
        if row is None or verdict is None:
            raise NotThere(NOT_THERE)
        if not verdict:
            raise Denied(verdict.reason)
        return row

    def log(self, tx: Transaction, who: Caller, what: str, things: list[str], allowed: bool, reason: str) -> None:
        """A line in the log of the caller's agency."""
        if things:
            tx.last("note_all", lines=Jsonb([self._line(who, what, things, allowed, reason)]))

    def _line(self, who: Caller, what: str, things: list[str], allowed: bool, reason: str) -> dict[str, Any]:
        return {"at": self.now(), "who": who.label, "what": what, "things": things, "allowed": allowed, "reason": reason}


def incident_rows(tx: Transaction, agency: str, idents: Iterable[str]) -> list[dict[str, Any]]:
    """Incidents of the agency, each by its id or that of any report in it, with the id by which it was `asked`; of what is none, nothing."""
    return tx.all("incidents_with", audience=agency, ids=[uuid_of(i) for i in idents])


def report_rows(tx: Transaction, agency: str, idents: Iterable[str]) -> list[dict[str, Any]]:
    """Reports that the agency sees, in the order of their ids; of what it does not see, nothing."""
    return tx.all("feed_some", audience=agency, ids=[uuid_of(i) for i in idents])


def said_as(name: str, text: Any) -> str:
    """A text of 1 to 1,000 characters that somebody gives as `name`. Raises `Malformed` for what is none."""
    try:
        return _text(text)
    except ValueError as why:
        raise Malformed(f"{name}: {why}") from why


def page_of(limit: int) -> int:
    """How many of a page. Raises `Malformed`."""
    if not 1 <= limit <= MOST:
        raise Malformed(f"limit: from 1 to {MOST}")
    return limit


def uuid_of(text: str) -> uuid.UUID | None:
    """None, which no report has, for what is no id: it is answered like one that never was."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
