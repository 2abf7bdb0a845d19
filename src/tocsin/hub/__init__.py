"""The only door for anything that comes from outside: clearance -> gate -> store.

Every read and write of a marked thing is logged with the verdict's reason. Python's may() stands behind SQL's visibility: what either hides is hidden.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tocsin.errors import Denied, Malformed, MarkingError, NotKnown, NotThere
from tocsin.gate import Action, Clearance, Marked, Role, Scheme, Verdict, may, tlp2
from tocsin.hub.caller import Caller, hashed, new_token
from tocsin.hub.clock import Clock, clock
from tocsin.hub.posted import posted
from tocsin.hub.shown import GROUP, instant, marked, shown
from tocsin.hub.staff import Staff
from tocsin.hub.tokens import Tokens
from tocsin.store import Jsonb, Store, Transaction
from tocsin.terms.ids import report_id as id_of

__all__ = ["Caller", "Hub", "Staff", "clock", "hashed", "instant", "new_token"]

MOST = 1_000  # of a page, or of a post
NOT_THERE = "no such report, or none that you may see"


class Hub:
    """A hub over a store. clock: gives the hub's time, and never goes back."""

    def __init__(self, store: Store, now: Clock, scheme: Scheme | None = None) -> None:
        self.store, self.now, self.scheme = store, now, scheme or tlp2()
        self.staff, self.tokens = Staff(store, now), Tokens(store, now)

    def caller(self, token: str | None) -> Caller:
        """Who a bearer token stands for. Raises `NotKnown`."""
        with self.store.transaction(None) as tx:
            row = tx.one("whoami", hash=hashed(token), at=self.now()) if token else None
        if row is None:
            raise NotKnown("a token is needed that is known, not expired and not revoked: send `Authorization: Bearer TOKEN`")
        return Caller(row["label"], Clearance(row["agency"], frozenset(map(Role, row["roles"])), frozenset(row["groups"])))

    def submit(self, who: Caller, raws: Sequence[Any]) -> list[dict[str, Any]]:
        """Appends reports, and says of each: stored, known (it was here, the same), or refused with the reasons. One that is refused costs itself only."""
        agency = who.needs(Action.SUBMIT)
        answers: list[dict[str, Any]] = []
        rows: dict[str, dict[str, Any]] = {}
        for raw in raws:
            fields, reasons = self._checked(raw, agency)
            if reasons:
                answers.append({"status": "refused", "reasons": reasons})
                continue
            row = _row(agency, fields)
            if row["report_id"] in (row["supersedes"], *row["derived_from"]):
                answers.append({"status": "refused", "reasons": ["supersedes, derived_from: name the report itself; name the earlier one"]})
                continue
            again = rows.setdefault(row["report_id"], row)
            answers.append({"status": "" if again is row else _known(again["body"] == row["body"]), "report_id": row["report_id"]})
        at = self.now()
        with self.store.transaction(agency) as tx:
            found = (
                {str(r["report_id"]): r for r in tx.all("submit", agency=agency, at=at, rows=Jsonb(list(rows.values())))} if rows else {}
            )
            for answer in answers:
                if answer["status"] == "":
                    one = found[answer["report_id"]]
                    answer["status"] = "stored" if one["stored"] else _known(one["same"])
                if answer["status"] == "refused":
                    answer.setdefault("reasons", [TWICE])
            self._log(tx, who, "submit", [a["report_id"] for a in answers if a["status"] == "stored"], True, "its own report")
            refused = [a.get("report_id", "") for a in answers if a["status"] == "refused"]
            self._log(tx, who, "submit", refused, False, "refused: see the reasons given back")
        return answers

    def _checked(self, raw: Any, agency: str) -> tuple[dict[str, Any], list[str]]:
        made = posted(raw)
        reasons = list(made.reasons)
        if "marking" in made.fields:
            try:
                self.scheme[made.fields["marking"]]
            except MarkingError as why:
                reasons.append(str(why))
        return made.fields, reasons

    def feed(self, who: Caller, *, after: int = 0, limit: int = 100) -> dict[str, Any]:
        """Reports that the caller's agency may see, by the place that each has for that agency alone; `next` is where to go on."""
        agency = who.needs(Action.READ)
        with self.store.transaction(agency) as tx:
            rows = tx.all("feed_page", audience=agency, after=after, limit=_page(limit))
            out = self._read(tx, who, rows, "feed")
        return {"reports": [shown(row, who.clearance) for row in out], "next": rows[-1]["position"] if rows else after}

    def report(self, who: Caller, report_id: str) -> dict[str, Any]:
        """One report. Raises `NotThere` where there is none, and where the caller may not see it, alike."""
        agency = who.needs(Action.READ)
        with self.store.transaction(agency) as tx:
            row = tx.one("feed_one", audience=agency, report_id=_uuid(report_id))
            out = self._read(tx, who, [row] if row else [], "report", asked=report_id)
        if not out:
            raise NotThere(NOT_THERE)
        return shown(out[0], who.clearance)

    def who_can_see(self, who: Caller, report_id: str) -> dict[str, Any]:
        """Who may see a report of one's own, and why. Of a group that the caller is not in, the name alone."""
        agency = who.needs(Action.READ)
        row = self._act(who, report_id, "who can see", lambda thing: _own(thing, agency))
        thing = marked(row)
        with self.store.transaction(agency) as tx:
            members = {r["group_name"]: set(r["agencies"]) for r in tx.all("members")}
            names = [r["name"] for r in tx.all("agencies")]
        groups = {name: frozenset(g for g, inside in members.items() if name in inside) for name in names}
        verdicts = {n: may(Clearance(n, frozenset({Role.ANALYSE}), groups[n]), Action.READ, thing, self.scheme) for n in names}
        seen = [{"agency": n, "reason": v.reason} for n, v in verdicts.items() if v]
        named = self.scheme[thing.marking].reach == "named"
        others = sorted(n.removeprefix(GROUP) for n in thing.releasable_to if n.startswith(GROUP)) if named else []
        return {"agencies": seen, "groups": [g for g in others if g not in members]}

    def release(self, who: Caller, report_id: str, to: str) -> None:
        """Opens a report to one more agency. Raises `NotThere`, or `Denied` with the verdict's reason."""
        agency = who.needs(Action.RELEASE)
        with self.store.transaction(agency) as tx:
            if to not in {row["name"] for row in tx.all("agencies")}:
                raise Malformed("`to` is no agency of this hub: GET /api/agencies lists them")

        def then(tx: Transaction) -> None:
            tx.do("release", who=who.label, at=self.now(), report_id=_uuid(report_id), to=to)

        self._act(who, report_id, f"release to {to}", lambda t: may(who.clearance, Action.RELEASE, t, self.scheme), then)

    def remark(self, who: Caller, report_id: str, marking: str, releasable_to: Iterable[str] = (), orcon: bool = False) -> None:
        """Marks one's own report anew; that replaces its whole handling, releases included. Raises `NotThere`, `Denied`, `Malformed`."""
        who.needs(Action.REMARK)
        named = {"marking": marking, "releasable_to": list(releasable_to), "orcon": orcon}
        fields, reasons = self._checked(named, "")
        if reasons:
            raise Malformed("; ".join(reasons))

        def then(tx: Transaction) -> None:
            handling = {"marking": marking, "releasable_to": fields.get("releasable_to", []), "orcon": orcon}
            tx.do("remark", who=who.label, at=self.now(), report_id=_uuid(report_id), **handling)

        self._act(who, report_id, f"remark {marking}", lambda t: may(who.clearance, Action.REMARK, t, self.scheme), then)

    def agencies(self, who: Caller) -> dict[str, Any]:
        """Every agency of the hub, and the groups that the caller's agency is in, with their members."""
        with self.store.transaction(who.clearance.agency) as tx:
            groups = {r["group_name"]: r["agencies"] for r in tx.all("members")}
            return {"agencies": [r["name"] for r in tx.all("agencies")], "groups": groups}

    def incidents(self, who: Caller, *, after: int = 0, limit: int = 100) -> dict[str, Any]:
        """Incidents made of what the caller's agency may see; `current` is false while later reports are still to be fused."""
        agency = who.needs(Action.READ)
        with self.store.transaction(agency) as tx:
            rows = tx.all("incident_page", audience=agency, after=after, limit=_page(limit))
            standing = tx.one("standing", audience=agency)
            self._log(tx, who, "incidents", [r["body"]["incident_id"] for r in rows], True, "made of what it may see")
        out = {"incidents": [r["body"] for r in rows], "next": rows[-1]["place"] if rows else after}
        return out | {"current": bool(standing and standing["current"])}

    def incident(self, who: Caller, incident_id: str) -> dict[str, Any]:
        """One incident, by its id or that of any report in it. Raises `NotThere`."""
        agency = who.needs(Action.READ)
        with self.store.transaction(agency) as tx:
            row = tx.one("incident_one", audience=agency, incident_id=_uuid(incident_id))
            self._log(tx, who, "incident", [incident_id], row is not None, "made of what it may see" if row else NOT_THERE)
        if row is None:
            raise NotThere("no such incident, or none that you may see")
        body: dict[str, Any] = row["body"]
        return body

    def audit(self, who: Caller, *, after: int = 0, limit: int = 100) -> dict[str, Any]:
        """What was done in the name of the caller's agency, and how it was decided; of the hub's own staff for its overseers."""
        staff = who.clearance.agency is None
        who.has(frozenset({Role.OVERSEE, Role.ADMINISTER_HUB} if staff else {Role.OVERSEE, Role.ADMINISTER_AGENCY}), "the audit log")
        agency = who.clearance.agency or ""
        with self.store.transaction(agency) as tx:
            rows = tx.all("audit_page", audience=agency, after=after, limit=_page(limit))
        return {"lines": [r | {"at": instant(r["at"])} for r in rows], "next": rows[-1]["position"] if rows else after}

    def _read(self, tx: Transaction, who: Caller, rows: list[dict[str, Any]], what: str, asked: str = "") -> list[dict[str, Any]]:
        """Of the rows, those that may() shows too; each logged."""
        verdicts = [(row, may(who.clearance, Action.READ, marked(row), self.scheme)) for row in rows]
        by_reason: dict[str, list[str]] = {}
        for row, verdict in verdicts:
            by_reason.setdefault(verdict.reason if verdict else NOT_THERE, []).append(str(row["report_id"]))
        if asked and not rows:
            by_reason[NOT_THERE] = [asked]
        for reason, ids in by_reason.items():
            self._log(tx, who, what, ids, reason != NOT_THERE, reason)
        return [row for row, verdict in verdicts if verdict]

    def _act(
        self, who: Caller, report_id: str, what: str, decide: Callable[[Marked], Verdict], then: Callable[[Transaction], None] | None = None
    ) -> dict[str, Any]:
        """The row of a report that the caller sees and may do this to; `then` is done with it, in one transaction with its line in the log."""
        with self.store.transaction(who.agency) as tx:
            row = tx.one("feed_one", audience=who.agency, report_id=_uuid(report_id))
            seen = row is not None and bool(may(who.clearance, Action.READ, marked(row), self.scheme))
            verdict = decide(marked(row)) if row is not None and seen else None
            self._log(tx, who, what, [report_id], bool(verdict), verdict.reason if verdict is not None else NOT_THERE)
            if verdict and then is not None:
                then(tx)
        if row is None or verdict is None:
            raise NotThere(NOT_THERE)
        if not verdict:
            raise Denied(verdict.reason)
        return row

    def _log(self, tx: Transaction, who: Caller, what: str, things: list[str], allowed: bool, reason: str) -> None:
        if things:
            tx.do("note", at=self.now(), who=who.label, what=what, things=things, allowed=allowed, reason=reason)


TWICE = "another report of yours stands under this own_id and version: send a correction with a version of its own, and `supersedes`"


def _known(same: bool) -> str:
    return "known" if same else "refused"


def _own(thing: Marked, agency: str) -> Verdict:
    mine = thing.originator == agency
    return Verdict(mine, "its originator" if mine else "only its originator may ask who can see it")


def _page(limit: int) -> int:
    if not 1 <= limit <= MOST:
        raise Malformed(f"limit: from 1 to {MOST}")
    return limit


def _uuid(text: str) -> uuid.UUID | None:
    """None, which no report has, for what is no id: it is answered like one that never was."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _row(agency: str, fields: dict[str, Any]) -> dict[str, Any]:
    """A report as the store takes it; its body is what was posted."""
    own = fields.get("own_id") or repr(sorted((k, v) for k, v in fields.items() if k != "version"))
    report_id = id_of(agency, own, fields.get("version"))
    body = {"kind": "event", "violence": "unknown", "origin": f"{agency} {report_id}"} | fields
    return {
        "report_id": report_id,
        "supersedes": fields.get("supersedes"),
        "derived_from": fields.get("derived_from", []),
        "part_of": fields.get("part_of"),
        "marking": fields["marking"],
        "releasable_to": fields.get("releasable_to", []),
        "orcon": fields.get("orcon", False),
        "body": body,
    }
