"""The only door for anything that comes from outside: clearance -> gate -> store.

Every read and write of a marked thing is logged with the verdict's reason. Python's may() stands behind SQL's visibility: what either hides is hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Raw

from tocsin.errors import NotKnown, NotThere
from tocsin.gate import Action, Clearance, Role, Scheme, may
from tocsin.hub.accounts import Accounts
from tocsin.hub.acts import Acts
from tocsin.hub.auditing import Auditing
from tocsin.hub.caller import Caller, hashed, new_token
from tocsin.hub.clock import Clock, clock, clock_of
from tocsin.hub.coding import with_words
from tocsin.hub.correcting import Correcting
from tocsin.hub.cursor import after_of, before_of, next_of
from tocsin.hub.door import MADE_OF, MOST, NO_INCIDENT, NOT_THERE, PUBLIC, Door, incident_rows, page_of, report_rows, uuid_of
from tocsin.hub.foreseen import Foreseen
from tocsin.hub.judging import Judging
from tocsin.hub.moments import Moments
from tocsin.hub.named import known, warned, warnings
from tocsin.hub.once import Once
from tocsin.hub.reporting import Reporting
from tocsin.hub.sent import Sent
from tocsin.hub.shown import all_shown, incident_shown, instant, marked, shown
from tocsin.hub.signals import Signals
from tocsin.hub.signing_in import SigningIn
from tocsin.hub.staff import Staff
from tocsin.hub.taxii import Taxii
from tocsin.hub.tokens import Tokens
from tocsin.hub.uploads import Uploads
from tocsin.store import Jsonb, Store
from tocsin.terms.ids import report_id as id_of

__all__ = ["MOST", "PUBLIC", "Caller", "Hub", "Staff", "clock", "clock_of", "hashed", "instant", "new_token"]


class Hub(Door):
    """A hub over a store. clock: gives the hub's time, and never goes back."""

    def __init__(self, store: Store, now: Clock, scheme: Scheme | None = None) -> None:
        super().__init__(store, now, scheme)
        self.acts, self.judging = Acts(store, now, scheme), Judging(store, now, scheme)
        self.moments, self.signals = Moments(store, now, scheme), Signals(store, now, scheme)
        self.once = Once(self.signals, now)
        self.auditing, self.foreseen = Auditing(store, now, scheme), Foreseen(store, now, scheme)
        self.correcting = Correcting(store, now, scheme, self.submit)
        self.staff, self.tokens = Staff(store, now), Tokens(store, now)
        self.sent, self.reporting = Sent(store, now, scheme), Reporting(store, now, scheme)
        self.accounts, self.signing_in = Accounts(store, now), SigningIn(store, now)
        self.taxii = Taxii(store, now, scheme, self.submit, self.acts)
        self.uploads = Uploads(store, now, scheme, self.submit)

    def caller(self, token: str | None) -> Caller:
        """Who a bearer token stands for. Raises `NotKnown`."""
        row = self.store.one("whoami", hash=hashed(token), at=self.now()) if token else None
        if row is None:
            raise NotKnown("a token is needed that is known, not expired and not revoked: send `Authorization: Bearer TOKEN`")
        return Caller(row["label"], Clearance(row["agency"], frozenset(map(Role, row["roles"])), frozenset(row["groups"])))

    def submit(self, who: Caller, raws: Sequence[Any]) -> list[dict[str, Any]]:
        """Appends reports, and says of each: stored, known (it was here, the same), or refused with the reasons. One that is refused costs itself only.

        One that names whom nobody knows is taken, with `warnings`."""
        agency = who.needs(Action.SUBMIT)
        answers: list[dict[str, Any]] = []
        rows: dict[str, dict[str, Any]] = {}
        for raw in raws:
            fields, reasons = self.checked(raw)
            if reasons:
                answers.append({"status": "refused", "reasons": reasons})
                continue
            row = _row(agency, fields)
            if row["report_id"] in (row["supersedes"], *row["derived_from"]):
                answers.append({"status": "refused", "reasons": ["supersedes, derived_from: name the report itself; name the earlier one"]})
                continue
            again = rows.setdefault(row["report_id"], row)
            answers.append({"status": "" if again is row else _known(again["body"] == row["body"]), "report_id": row["report_id"]})
        for row, body in zip(rows.values(), with_words([row["body"] for row in rows.values()]), strict=True):
            row["body"] = body
        with self.store.transaction(agency) as tx:
            sent = tx.all("submit", agency=agency, at=self.now(), rows=Jsonb(list(rows.values()))) if rows else []
            found = {str(r["report_id"]): r for r in sent}
            names = known(tx, who) if any(row["releasable_to"] for row in rows.values()) else frozenset()
            for answer in answers:
                if answer["status"] == "":
                    one = found.get(answer["report_id"])
                    answer["status"] = "refused" if one is None else "stored" if one["stored"] else _known(one["same"])
                    if one is None:
                        answer["reasons"] = [PURGED]
                if answer["status"] == "refused":
                    answer.setdefault("reasons", [TWICE])
                else:
                    row = rows[answer["report_id"]]
                    answer |= warned(warnings(row["marking"], row["releasable_to"], names, self.scheme))
            self.log(tx, who, "submit", [a["report_id"] for a in answers if a["status"] == "stored"], True, "its own report")
            refused = [a.get("report_id", "") for a in answers if a["status"] == "refused"]
            self.log(tx, who, "submit", refused, False, "refused: see the reasons given back")
        return answers

    def feed(self, who: Caller, *, after: str = "", limit: int = 100) -> dict[str, Any]:
        """Reports that the caller's agency may see, in the order in which they opened to it, ready to be written as JSON; `next` is where to go on."""
        agency = who.needs(Action.READ)
        at, ident = after_of(after)
        with self.store.transaction(agency, by_key=True) as tx:
            rows = tx.all("feed_page", audience=agency, limit=page_of(limit), at=at, id=ident)
            out = self.read(tx, who, rows, "feed")
        return {"reports": all_shown(out, who.clearance), "next": next_of(rows, "visible_at", "report_id", after)}

    def public_feed(self, *, after: str = "", limit: int = 100) -> dict[str, Any]:
        """Reports that all the world may see, in the order in which they opened to it; who reads it is not known, and not logged."""
        world = Clearance(None)
        at, ident = after_of(after)
        with self.store.transaction(PUBLIC) as tx:
            rows = tx.all("feed_page", audience=PUBLIC, limit=page_of(limit), at=at, id=ident)
        out = [row for row in rows if may(world, Action.READ, marked(row), self.scheme)]
        return {"reports": all_shown(out, world), "next": next_of(rows, "visible_at", "report_id", after)}

    def report(self, who: Caller, report_id: str) -> dict[str, Any]:
        """One report. Raises `NotThere` where there is none, and where the caller may not see it, alike."""
        agency = who.needs(Action.READ)
        with self.store.transaction(agency) as tx:
            row = tx.one("feed_one", audience=agency, report_id=uuid_of(report_id))
            out = self.read(tx, who, [row] if row else [], "report", asked=report_id)
        if not out:
            raise NotThere(NOT_THERE)
        return shown(out[0], who.clearance)

    def reports(self, who: Caller, report_ids: Iterable[str]) -> list[dict[str, Any]]:
        """Of some reports those that the caller may see, in the order given."""
        agency = who.needs(Action.READ)
        with self.store.transaction(agency) as tx:
            out = self.read(tx, who, report_rows(tx, agency, report_ids), "report")
        return [shown(row, who.clearance) for row in out]

    def agencies(self, who: Caller) -> dict[str, Any]:
        """Every agency of the hub, and the groups that the caller's agency is in (all, for the hub's own staff), with their members."""
        with self.store.transaction(who.clearance.agency) as tx:
            groups = {r["group_name"]: r["agencies"] for r in tx.all("members" if who.clearance.agency else "groups_there")}
            return {"agencies": [r["name"] for r in tx.all("agencies")], "groups": groups}

    def incidents(self, who: Caller, *, after: str = "", limit: int = 100) -> dict[str, Any]:
        """Incidents made of what the caller's agency may see, each as JSON; `current` is false while later reports are still to be fused."""
        agency = who.needs(Action.READ)
        day, ident = before_of(after)
        with self.store.transaction(agency, by_key=True) as tx:
            rows = tx.all("incident_page", audience=agency, limit=page_of(limit), day=day, id=ident)
            standing = tx.one("standing", audience=agency)
            self.log(tx, who, "incidents", [r["incident_id"] for r in rows], True, MADE_OF)
        out = {"incidents": [_written(r) for r in rows], "next": next_of(rows, "day", "incident_id", after)}
        return out | {"current": bool(standing and standing["current"])}

    def incident(self, who: Caller, incident_id: str) -> dict[str, Any]:
        """One incident, by its id or that of any report in it. Raises `NotThere`."""
        agency = who.needs(Action.READ)
        with self.store.transaction(agency) as tx:
            rows = incident_rows(tx, agency, [incident_id])
            self.log(tx, who, "incident", [incident_id], bool(rows), MADE_OF if rows else NOT_THERE)
        if not rows:
            raise NotThere(NO_INCIDENT)
        return incident_shown(rows[0])


PURGED = "purged: it was taken away for good, and is not taken again under this own_id and version"
TWICE = (
    "another report of yours stands under this own_id and version: send a correction with a version of its own, and `supersedes`; "
    "where it is the marking that differs, mark that report anew"
)


def _written(row: dict[str, Any]) -> Raw:
    """As `incident_shown`, of a body that is JSON as it was written."""
    return Raw(f'{{"incident_id":"{row["incident_id"]}",{row["body"][1:]}')


def _known(same: bool) -> str:
    return "known" if same else "refused"


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
