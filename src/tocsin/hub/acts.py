"""What an agency does to who sees a report: each act is a record that stays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tocsin.errors import Denied, Malformed, NotThere
from tocsin.gate import Action, Marked, Role, Verdict, made_of, may
from tocsin.hub.caller import Caller
from tocsin.hub.cursor import after_of, next_of
from tocsin.hub.door import NO_INCIDENT, NOT_THERE, Door, incident_rows, page_of, report_rows, said_as, uuid_of
from tocsin.hub.foreseen import Reach, own, reached
from tocsin.hub.named import known, warned, warnings
from tocsin.hub.shown import instant, marked
from tocsin.store import Jsonb, Transaction

#: Roles that are told of releases and requests.
TOLD = frozenset({Role.ANALYSE, Role.ADMINISTER_AGENCY, Role.OVERSEE})


class Acts(Door):
    """Release, request, decision, new marking, purge; and who can see a report."""

    def reach(self, who: Caller, report_id: str) -> Reach:
        """Who may see a report of one's own, and why. Raises `NotThere`, `Denied`."""
        agency = who.needs(Action.READ)
        row = self.act(who, report_id, "who can see", lambda thing: own(thing, agency))
        with self.store.transaction(agency) as tx:
            return reached(tx, marked(row), self.scheme)

    def who_can_see(self, who: Caller, report_id: str) -> dict[str, Any]:
        """The same as the API says it."""
        seen = self.reach(who, report_id)
        agencies = [{"agency": name, "reason": reason} for name, reason in seen.agencies.items()]
        return {"agencies": agencies, "groups": seen.groups, **warned(seen.warnings)}

    def release(self, who: Caller, report_id: str, to: str, why: str) -> None:
        """Opens a report to one more agency. Raises `NotThere`, `Malformed`, or `Denied` with the verdict's reason."""
        self.to(who.needs(Action.RELEASE), to)
        said = {"to": to, "why": checked_why(why), "released_with": Jsonb({})}

        def then(tx: Transaction) -> None:
            tx.do("release", who=who.label, at=self.now(), report_id=uuid_of(report_id), **said)

        self.act(who, report_id, f"release to {to}", lambda t: may(who.clearance, Action.RELEASE, t, self.scheme), then, hold=True)

    def release_incident(self, who: Caller, incident_id: str, to: str, why: str) -> dict[str, Any]:
        """Opens to one more agency each report that the caller sees in an incident, or none where one may not be passed on. Raises as `release`."""
        agency = who.needs(Action.RELEASE)
        self.to(agency, to)
        said = {"to": to, "why": checked_why(why)}
        with self.store.transaction(agency) as tx:
            tx.do("hold")
            found = incident_rows(tx, agency, [incident_id])
            ident, body = (found[0]["incident_id"], found[0]["body"]) if found else (None, {"report_ids": []})
            rows = report_rows(tx, agency, sorted(body["report_ids"]))
            thing = made_of([marked(r) for r in rows], self.scheme) if rows else None
            seen = thing is not None and bool(may(who.clearance, Action.READ, thing, self.scheme))
            free, verdict = self.to_release(tx, who, rows, to) if seen else ([], None)
            ids = [str(r["report_id"]) for r in rows] if verdict is not None else []
            self.log(
                tx,
                who,
                f"release incident to {to}",
                [incident_id, *ids],
                bool(verdict),
                verdict.reason if verdict is not None else NOT_THERE,
            )
            for row in free if verdict else []:
                mine = Jsonb({"incident_id": str(ident)})
                tx.do("release", who=who.label, at=self.now(), report_id=row["report_id"], released_with=mine, **said)
        if verdict is None:
            raise NotThere(NO_INCIDENT)
        if not verdict:
            raise Denied(verdict.reason)
        return {"report_ids": ids}

    def to_release(self, tx: Transaction, who: Caller, rows: Sequence[dict[str, Any]], to: str) -> tuple[list[dict[str, Any]], Verdict]:
        """Of reports that the caller sees, those that are still to be opened to an agency, and whether all of them may be passed on.

        One whose originator granted it, as the caller asked, is open to that agency."""
        granted = {r["report_id"] for r in tx.all("granted", reports=[r["report_id"] for r in rows], to=to)}
        free = [r for r in rows if r["report_id"] not in granted]
        if not free:
            return [], Verdict(True, "their originators granted it")
        return free, may(who.clearance, Action.RELEASE, made_of([marked(r) for r in free], self.scheme), self.scheme)

    def request(self, who: Caller, report_id: str, to: str, why: str) -> str:
        """Asks the originator of a report to release it to an agency; gives the request's id. Raises `NotThere`, `Malformed`, `Denied`."""
        there = self.to(who.needs(Action.REQUEST), to)
        said = {"to": to, "why": checked_why(why)}
        made: list[str] = []

        def then(tx: Transaction) -> None:
            row = tx.one("request", who=who.label, at=self.now(), report_id=uuid_of(report_id), **said)
            made.extend([str(row["request_id"])] if row else [])

        def decide(thing: Marked) -> Verdict:
            verdict = may(who.clearance, Action.REQUEST, thing, self.scheme)
            return verdict if thing.originator in there else Verdict(False, "its originator has left the hub: nobody is there to decide")

        self.act(who, report_id, f"request release to {to}", decide, then)
        return made[0]

    def decide(self, who: Caller, request_id: str, grant: bool, why: str) -> None:
        """Grants or refuses a request for a report of one's own; a grant is a release. Raises `NotThere`, `Denied`, `Malformed`."""
        agency = who.needs(Action.RELEASE)
        reason = checked_why(why)
        with self.store.transaction(agency) as tx:
            row = tx.one("request_one", audience=agency, request_id=uuid_of(request_id))
        if row is None:
            raise NotThere("no such request, or none that you may see")
        if row["said"]["by"] == agency:
            raise Denied("the report's originator decides, and not who asked")

        def then(tx: Transaction) -> None:
            made = tx.one("decide", who=who.label, at=self.now(), request_id=uuid_of(request_id), grant=grant, why=reason)
            if not (made and made["done"]):
                raise Malformed("it is decided already: mark the report anew to take a release back, or release it")

        what = f"{'grant' if grant else 'refuse'} release to {row['said']['to']}"
        self.act(who, str(row["report_id"]), what, lambda t: may(who.clearance, Action.RELEASE, t, self.scheme), then)

    def requests(self, who: Caller, *, after: str = "", limit: int = 100) -> dict[str, Any]:
        """Requests that the caller's agency made, and those for its reports, with what was decided, in order of time."""
        rows, to = self._told(who, "requests", after, limit)
        out = []
        for row in rows:
            decided = row["decided"]
            decision = {"decision": decided | {"at": instant(row["decided_at"])}} if decided is not None else {}
            out.append({"request_id": str(row["told_id"])} | _line(row) | decision)
        return {"requests": out, "next": to}

    def releases(self, who: Caller, *, after: str = "", limit: int = 100) -> dict[str, Any]:
        """Releases that the caller's agency made, and those of its reports, in order of time."""
        rows, to = self._told(who, "releases", after, limit)
        return {"releases": [_line(row) for row in rows], "next": to}

    def purge(self, who: Caller, report_id: str, why: str) -> None:
        """Takes a report of one's own away for good: its text, and every copy that the hub has. Raises `NotThere`, `Denied`, `Malformed`."""
        who.needs(Action.PURGE)
        reason = checked_why(why)

        def then(tx: Transaction) -> None:
            tx.do("purge", who=who.label, at=self.now(), report_id=uuid_of(report_id), why=reason)

        self.act(who, report_id, "purge", lambda t: may(who.clearance, Action.PURGE, t, self.scheme), then)

    def purged(self, who: Caller, *, after: str = "", limit: int = 100) -> dict[str, Any]:
        """What stays of the reports that the caller's agency had purged: their ids, who, when and why."""
        agency = who.agency
        who.has(frozenset({Role.ADMINISTER_AGENCY, Role.OVERSEE}), "the list of purged reports")
        at, ident = after_of(after)
        with self.store.transaction(agency) as tx:
            rows = tx.all("purged_page", audience=agency, after_at=at, after_id=ident, limit=page_of(limit))
        lines = [{"report_id": str(r["report_id"]), "at": instant(r["at"]), "who": r["who"], "why": r["why"]} for r in rows]
        return {"purged": lines, "next": next_of(rows, "at", "report_id", after)}

    def _told(self, who: Caller, query: str, after: str, limit: int) -> tuple[list[dict[str, Any]], str]:
        agency = who.agency
        who.has(TOLD, query)
        at, ident = after_of(after)
        with self.store.transaction(agency) as tx:
            rows = tx.all(query, audience=agency, after_at=at, after_id=ident, limit=page_of(limit))
        return rows, next_of(rows, "at", "told_id", after)

    def to(self, agency: str, to: str) -> set[str]:
        """The agencies of the hub. Raises `Malformed` where `to` is none of them."""
        with self.store.transaction(agency) as tx:
            there = {row["name"] for row in tx.all("agencies")}
        if to not in there:
            raise Malformed("`to` is no agency of this hub: GET /api/agencies lists them")
        return there

    def remark(
        self, who: Caller, report_id: str, marking: str, releasable_to: Iterable[str] = (), orcon: bool = False, why: str | None = None
    ) -> dict[str, list[str]]:
        """Marks one's own report anew; that replaces its whole handling, releases included. why: for the log of one's agency. Gives `warnings`.

        Raises `NotThere`, `Denied`, `Malformed`."""
        who.needs(Action.REMARK)
        reason = f"; {checked_why(why)}" if why is not None else ""
        named = {"marking": marking, "releasable_to": list(releasable_to), "orcon": orcon}
        fields, reasons = self.checked(named)
        if reasons:
            raise Malformed("; ".join(reasons))

        names = fields.get("releasable_to", [])
        said: dict[str, list[str]] = {}

        def then(tx: Transaction) -> None:
            handling = {"marking": marking, "releasable_to": names, "orcon": orcon}
            tx.do("remark", who=who.label, at=self.now(), report_id=uuid_of(report_id), **handling)
            said.update(warned(warnings(marking, names, known(tx, who), self.scheme)))

        def decide(thing: Marked) -> Verdict:
            verdict = may(who.clearance, Action.REMARK, thing, self.scheme)
            return Verdict(verdict.allowed, verdict.reason + reason)

        self.act(who, report_id, f"remark {marking}", decide, then)
        return said


def checked_why(why: str) -> str:
    """Why an act is done. Raises `Malformed` for what is no text of 1 to 1,000 characters."""
    return said_as("why", why)


def _line(row: dict[str, Any]) -> dict[str, Any]:
    of: dict[str, Any] = {"report_id": str(row["report_id"])} if row["report_id"] else {}
    return {**of, "at": instant(row["at"]), **row["said"]}
