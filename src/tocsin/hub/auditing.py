"""The log, searched: the latest first, by when, by what and by how it was decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tocsin.errors import Malformed
from tocsin.gate import Role
from tocsin.hub.caller import Caller
from tocsin.hub.door import Door, page_of
from tocsin.hub.shown import instant

#: How the line of each kind begins; what begins otherwise was read.
KINDS: dict[str, tuple[str, ...]] = {
    "sent": ("submit", "upload", "correct", "taxii post"),
    "decided": ("release", "request release", "grant", "refuse", "remark", "purge", "judge ", "taxii delete"),
    "people": ("invite", "close account", "token", "agency", "group"),
    "signed in": ("sign in", "sign out", "accept invitation"),
    "copied": ("backup", "restore"),
}
READ = "read"
OUTCOMES = {"allowed": True, "refused": False}
_FIRST, _LAST = date(1970, 1, 1), date(9999, 12, 30)
_END = 2**62


class Auditing(Door):
    """Reads the log of the caller's agency, or of the hub's own staff for its overseers."""

    def page(self, who: Caller, *, after: int = 0, limit: int = 100) -> dict[str, Any]:
        """Lines of the log in their order; `next` is where to go on. Raises `Denied`."""
        agency = _whose(who)
        with self.store.transaction(agency) as tx:
            rows = tx.all("audit_page", audience=agency, after=after, limit=page_of(limit))
        return {"lines": [r | {"at": instant(r["at"])} for r in rows], "next": rows[-1]["position"] if rows else after}

    def found(self, who: Caller, asked: Mapping[str, str], *, before: int = 0, limit: int = 100) -> dict[str, Any]:
        """Lines of the log, the latest first; `next` is where to go on, 0 at the end.

        asked: `since` and `until`, days in UTC, both included; `kind`, one of `KINDS` or `READ`; `outcome`; `words`, that stand anywhere in a line.
        Raises `Denied`, `Malformed`."""
        agency = _whose(who)
        kind, outcome, words = (asked.get(k, "").strip() for k in ("kind", "outcome", "words"))
        if kind not in ("", READ, *KINDS) or outcome not in ("", *OUTCOMES) or "\0" in words:
            raise Malformed("kind, outcome or words: choose one that the page offers")
        begins = [begin for name in ([kind] if kind in KINDS else KINDS) for begin in KINDS[name]] if kind else None
        values = {
            "at": datetime.combine(_day("since", asked, _FIRST), time(), UTC),
            "until": datetime.combine(_day("until", asked, _LAST) + timedelta(days=1), time(), UTC),
            "begins": begins,
            "others": kind == READ,
            "outcome": OUTCOMES.get(outcome),
            "words": words[:200],
        }
        most = page_of(limit)
        with self.store.transaction(agency, by_key=True) as tx:
            rows = tx.all("audit_found", audience=agency, below=before or _END, limit=most + 1, **values)
        lines = [row | {"at": instant(row["at"])} for row in rows[:most]]
        return {"lines": lines, "next": lines[-1]["position"] if len(rows) > most else 0}


def _whose(who: Caller) -> str:
    """Whose log the caller reads. Raises `Denied`."""
    who.has(frozenset({Role.OVERSEE, Role.ADMINISTER_HUB if who.is_staff else Role.ADMINISTER_AGENCY}), "the audit log")
    return who.clearance.agency or ""


def _day(name: str, asked: Mapping[str, str], otherwise: date) -> date:
    text = asked.get(name, "").strip()
    try:
        day = date.fromisoformat(text) if text else otherwise
    except ValueError as why:
        raise Malformed(f"{name}: a day of the form 2026-01-31 is wanted") from why
    return min(max(day, _FIRST), _LAST)
