"""What an agency sends as STIX: reports go to the hub, and every object is kept as it was sent, for its agency alone."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tocsin.gate import Action, Scheme
from tocsin.hub.caller import Caller
from tocsin.hub.clock import Clock
from tocsin.hub.door import MOST, Door, Submit
from tocsin.hub.shown import instant
from tocsin.hub.taxii.asked import EPOCH, Filters, Item, Page, Versions
from tocsin.stix import Sent, is_report, post_of, version_of, wrong_with
from tocsin.store import Jsonb, Store, Transaction
from tocsin.terms.ids import report_id as id_of

OTHER = "another object of yours stands under this id and version: send a change with a later `modified`"
LATE = "a later version of it stands: an earlier one is not taken any more"
REVOKED = (
    "revoked: what its sender withdrew is no account of an event; DELETE takes away what you sent before, a later `modified` corrects it"
)
GONE = "purged: the report that was made of it was taken away for good"


@dataclass
class _Sent:
    """One object of a post, and what becomes of it."""

    object: dict[str, Any]
    ident: str
    version: str
    reasons: list[str] = field(default_factory=list)
    at: datetime | None = None  # when it was last changed
    report_id: str | None = None
    warnings: list[str] = field(default_factory=list)


class Inbox(Door):
    """The objects that an agency sent."""

    def __init__(self, store: Store, now: Clock, scheme: Scheme | None, submit: Submit) -> None:
        super().__init__(store, now, scheme)
        self._submit = submit

    def page(self, who: Caller, asked: Filters, limit: int) -> Page:
        """The first objects of those asked for."""
        with self.store.transaction(who.agency) as tx:
            rows = [] if asked.nothing else _rows(tx, who, asked, limit + 1)
            self.log(tx, who, "taxii inbox", [row["id"] for row in rows[:limit]], True, "its own inbox")
        items = (
            Item(row["added"], row["object"].get("modified") or row["object"].get("created") or instant(row["added"]), row["object"])
            for row in rows
        )
        return Page(tuple(items)[:limit], len(rows) > limit)

    def found(self, who: Caller, asked: Filters) -> list[dict[str, Any]]:
        """What stands of the objects asked for: id, version, when it was added, and the report made of it."""
        with self.store.transaction(who.agency) as tx:
            return [] if asked.nothing else _rows(tx, who, asked, MOST)

    def post(self, who: Caller, objects: list[Any]) -> dict[str, Any]:
        """Takes or refuses each object by itself; gives the status."""
        who.needs(Action.SUBMIT)
        all_of_them = [_checked(made) for made in objects]
        good = [one for one in all_of_them if not one.reasons]
        together = Sent(one.object for one in good)
        self._reports(who, [one for one in good if is_report(one.object)], together)
        serves: dict[str, set[str]] = {}
        for one in good:
            for other in together.of(one.object) if one.report_id else ():
                serves.setdefault(other["id"], set()).add(str(one.report_id))
        ident, at = uuid.uuid4(), self.now()
        with self.store.transaction(who.agency) as tx:
            keep = [one for one in good if not one.reasons]
            for begin in range(0, len(keep), MOST):
                self._keep(tx, keep[begin : begin + MOST], serves)
            said = _status(str(ident), all_of_them)
            tx.do("file_posting", at=at, posting_id=ident, said=Jsonb(said))
            self.log(tx, who, "taxii post", [str(ident)], True, f"{said['success_count']} taken, {said['failure_count']} refused")
        return said | {"request_timestamp": instant(at)}

    def _reports(self, who: Caller, found: list[_Sent], together: Sent) -> None:
        """Submits those that are reports, in the order of their versions. A later version of one corrects the one before."""
        agency = who.agency
        with self.store.transaction(agency) as tx:
            rows = tx.all("inbox_latest", audience=agency, ids=[one.ident for one in found]) if found else []
            before = {row["id"]: (row["version"], str(row["report_id"])) for row in rows}
            _refuse_late(tx, who, found, before)
        found = sorted((one for one in found if not one.reasons), key=lambda one: one.at or EPOCH)
        again = {ident for ident, times in Counter(one.ident for one in found).items() if times > 1}
        for begin in range(0, len(found), MOST):
            part = found[begin : begin + MOST]
            posts = [self._post(one, before, again, together, agency) for one in part]
            for one, answer in zip(part, self._submit(who, posts), strict=True):
                one.report_id = answer.get("report_id")
                one.reasons += answer.get("reasons", [])
                one.warnings += answer.get("warnings", [])

    def _post(self, one: _Sent, before: dict[str, tuple[Any, str]], again: set[str], together: Sent, agency: str) -> dict[str, Any]:
        """again: those of which several versions were sent, so that one corrects the other."""
        names = [m.name for m in self.scheme.markings]
        post = post_of(one.object, together, agency, lambda several: self.scheme.strictest(several).name, names)
        earlier, report_id = before.get(one.ident, (None, ""))
        if post.get("own_id") == one.ident and one.at is not None and (earlier is None or earlier < one.at):
            if one.ident in again:
                before[one.ident] = (one.at, id_of(agency, one.ident, post.get("version")))
            post |= {"supersedes": report_id} if report_id else {}
        return post

    def _keep(self, tx: Transaction, some: list[_Sent], serves: dict[str, set[str]]) -> None:
        rows = [
            {
                "number": number,
                "id": one.ident,
                "type": one.object["type"],
                "version": one.at,
                "report_id": one.report_id,
                "serves": sorted(serves.get(one.ident, ())),
                "object": one.object,
            }
            for number, one in enumerate(some)
        ]
        answers = {row["number"]: row for row in tx.all("keep", at=self.now(), rows=Jsonb(rows))}
        for number, one in enumerate(some):
            answer = answers.get(number)
            if answer is None:
                one.reasons.append(GONE)
            elif not answer["same"]:
                one.reasons.append(OTHER)


def _rows(tx: Transaction, who: Caller, asked: Filters, limit: int | None) -> list[dict[str, Any]]:
    v = asked.versions
    ids, types = (None if some is None else sorted(some) for some in (asked.ids, asked.types))
    which = {"all_versions": v.every, "last_version": v.last, "first_version": v.first, "versions": sorted(v.times)}
    return tx.all("inbox_page", audience=who.agency, after=asked.after, ids=ids, types=types, limit=limit, **which)


def _refuse_late(tx: Transaction, who: Caller, found: list[_Sent], before: dict[str, tuple[Any, str]]) -> None:
    """An earlier version that comes after a later one would be a report beside its own correction. What was here before is harmless."""
    late = [one for one in found if one.at is not None and one.ident in before and one.at < before[one.ident][0]]
    if late:
        asked = Filters(ids=frozenset(one.ident for one in late), versions=Versions(every=True))
        there = {(row["id"], row["version"]) for row in _rows(tx, who, asked, None)}
        for one in late:
            one.reasons += [] if (one.ident, one.at) in there else [LATE]


def _checked(made: Any) -> _Sent:
    named = made if isinstance(made, dict) else {}
    ident, version = (named.get(k) for k in ("id", "modified"))
    version = version or named.get("created")
    texts = [value if isinstance(value, str) and value.isprintable() else "unknown" for value in (ident, version)]
    reasons = wrong_with(made)
    if not reasons and is_report(made) and made.get("revoked"):
        reasons = [REVOKED]
    return _Sent(made, texts[0][:300], texts[1][:40], reasons, None if reasons else version_of(made))


def _detail(one: _Sent, said: list[str]) -> dict[str, str]:
    return {"id": one.ident, "version": one.version} | ({"message": "; ".join(said)} if said else {})


def _status(ident: str, objects: list[_Sent]) -> dict[str, Any]:
    """TAXII 2.1, section 4.3.1."""
    done = [_detail(one, one.warnings) for one in objects if not one.reasons]
    failed = [_detail(one, one.reasons) for one in objects if one.reasons]
    counts = {"total_count": len(objects), "success_count": len(done), "failure_count": len(failed), "pending_count": 0}
    lists = {"successes": done, "failures": failed}
    return {"id": ident, "status": "complete"} | counts | {k: v for k, v in lists.items() if v}
