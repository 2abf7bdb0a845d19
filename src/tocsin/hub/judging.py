"""Judgements in the hub: a person's decisions on reports. Who sees every report that one names sees it, and its incidents heed it; nobody else does."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tocsin.errors import Denied, InputError, Malformed, NotThere
from tocsin.gate import Action, Verdict, made_of, may
from tocsin.hub.caller import Caller
from tocsin.hub.clock import past_of
from tocsin.hub.cursor import after_of, next_of
from tocsin.hub.door import NOT_THERE, Door, page_of, said_as, uuid_of
from tocsin.hub.shown import instant, marked
from tocsin.store import Jsonb, Transaction
from tocsin.terms.ids import NAMESPACE

if TYPE_CHECKING:
    from tocsin.terms.judgements import Judgement

MOST = 100  # reports of one judgement
NEEDED = {"merge": 2, "confirm": 1, "split": 1, "part_of": 2, "not_part_of": 2, "value": 1}  # reports, of each kind
NO_JUDGEMENT = "no such judgement, or none that you may see"


class Judging(Door):
    """Judges, and lists what was judged."""

    def judge(self, who: Caller, raw: Mapping[str, Any]) -> str:
        """Appends a judgement on reports that the caller sees, and gives its id. Raises `NotThere` where one is not there or hidden, `Malformed`, `Denied`."""
        agency = who.needs(Action.JUDGE)
        signed = past_of("signed", raw.get("signed"), self.now())
        said, names = self._undoing(who, raw) if raw["decides"] == "undo" else _said(raw)
        _check(said, agency, signed)
        ident = uuid.uuid5(NAMESPACE, repr((agency, instant(signed), sorted(said.items()))))
        with self.store.transaction(agency) as tx:
            verdict = self._sees_all(tx, who, names)
            self.log(tx, who, f"judge {said['decides']}", names, verdict is not None, verdict.reason if verdict is not None else NOT_THERE)
            if verdict is not None:
                ids = sorted(uuid.UUID(n) for n in names)
                tx.do("judge", who=who.label, at=self.now(), judgement_id=ident, signed=signed, names=ids, said=Jsonb(said))
        if verdict is None:
            raise NotThere(NOT_THERE)
        return str(ident)

    def judgements(self, who: Caller, *, after: str = "", limit: int = 100) -> dict[str, Any]:
        """Judgements of which the caller's agency sees every report, in the order in which it came to see them."""
        agency = who.needs(Action.READ)
        at, ident = after_of(after)
        with self.store.transaction(agency) as tx:
            rows = tx.all("judgements_page", audience=agency, after_at=at, after_id=ident, limit=page_of(limit))
            out = [row for row in rows if self._sees_all(tx, who, [str(n) for n in row["names"]], Action.READ)]
            self.log(tx, who, "judgements", [str(row["judgement_id"]) for row in out], True, "it sees every report that they name")
        return {"judgements": [_shown(row, agency) for row in out], "next": next_of(rows, "visible_at", "judgement_id", after)}

    def _sees_all(self, tx: Transaction, who: Caller, names: Collection[str], action: Action = Action.JUDGE) -> Verdict | None:
        """The verdict that allows it of all of them together; None where one is not there, or is hidden."""
        ids = [i for n in names if (i := uuid_of(n))]
        rows = tx.all("handlings", reports=ids)
        if len(rows) != len(set(names)):
            return None
        return may(who.clearance, action, made_of([marked(r) for r in rows], self.scheme), self.scheme) or None

    def _undoing(self, who: Caller, raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """An agency undoes its own judgements; against another's it judges otherwise."""
        if set(raw) - {"decides", "judgement", "why", "signed"} or "judgement" not in raw:
            raise Malformed("an undo has `judgement`, the id of what it undoes, and `why`")
        with self.store.transaction(who.agency) as tx:
            row = tx.one("judgement_one", audience=who.agency, judgement_id=uuid_of(raw["judgement"]))
        if row is None:
            raise NotThere(NO_JUDGEMENT)
        if row["agency"] != who.agency:
            raise Denied("an agency undoes its own judgements: against another's, judge otherwise; the later one holds")
        said = {"decides": "undo", "judgement": str(row["judgement_id"]), "undoes": _id_of(row), "why": said_as("why", raw["why"])}
        return said, [str(n) for n in row["names"]]


def of_row(row: Mapping[str, Any]) -> Judgement:
    """A judgement as fusion takes it. Its id begins with when it was signed, so that of two of one day the later one holds."""
    from tocsin.terms.judgements import Judgement

    said, signed = row["said"], row["signed"].astimezone(UTC).date()
    reports, apart_from = (tuple(said.get(k, ())) for k in ("reports", "apart_from"))
    value = {"field": said.get("field"), "value": said.get("value"), "judgement": said.get("undoes")}
    return Judgement(_id_of(row), row["agency"], signed, said["why"], said["decides"], reports, apart_from, **value)


def _id_of(row: Mapping[str, Any]) -> str:
    return f"{row['signed'].astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{row['judgement_id']}"


def _said(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What a judgement says, and the reports that it names. Raises `Malformed`."""
    kind = raw["decides"]
    if kind not in NEEDED:
        raise Malformed(f"decides: one of {', '.join((*NEEDED, 'undo'))}")
    allowed = {"decides", "reports", "why", "signed"} | (
        {"apart_from"} if kind == "split" else {"field", "value"} if kind == "value" else set()
    )
    if set(raw) - allowed:
        raise Malformed(f"a {kind} has {', '.join(sorted(allowed))}, and nothing else")
    said: dict[str, Any] = {"decides": kind, "why": said_as("why", raw["why"])}
    for name, least in (("reports", NEEDED[kind]), *((("apart_from", 1),) if kind == "split" else ())):
        found = sorted({str(uuid_of(i) or i) for i in raw.get(name, ())})
        if not least <= len(found) <= MOST:
            raise Malformed(f"{name}: from {least} to {MOST} ids of reports are wanted")
        said[name] = found
    if kind == "value":
        said |= {name: said_as(name, raw.get(name, "")) for name in ("field", "value")}
    return said, sorted({*said["reports"], *said.get("apart_from", ())})


def _check(said: Mapping[str, Any], agency: str, signed: datetime) -> None:
    """Raises `Malformed` where fusion would not take it."""
    from tocsin.terms.judgements import parse

    try:
        parse({"id": "judgement", "by": agency, "signed": signed.date(), **said}, "what was sent")
    except InputError as why:
        raise Malformed(str(why)) from why


def _shown(row: Mapping[str, Any], agency: str) -> dict[str, Any]:
    said = {k: v for k, v in row["said"].items() if k != "undoes"}
    mine = {"who": row["who"]} if row["agency"] == agency else {}
    times = {"signed": instant(row["signed"]), "received_at": instant(row["visible_at"])}
    return {"judgement_id": str(row["judgement_id"]), "by": row["agency"]} | mine | times | said
