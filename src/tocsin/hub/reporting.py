"""Who reports, how late and who is silent: counted from what who asks may see, and from nothing else.

The hub's own staff sees no agency's reports, and no count of them; to it goes what all the world may see. A directorate that is to
know more is an agency of the hub, and is named in the reports that it is to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from tocsin.gate import Action, Clearance, Role, may
from tocsin.hub.caller import Caller
from tocsin.hub.door import PUBLIC, Door
from tocsin.hub.shown import instant, marked

DAYS, MOST = 90, 10_000  # that are looked at: days, and reports within them, the latest first
EPOCH = date(1970, 1, 1)
ENOUGH = 10  # days with reports from which on silence can be told
OF_STAFF = frozenset({Role.ADMINISTER_HUB, Role.OVERSEE})


@dataclass(frozen=True)
class Delay:
    """How long what reached who asks had taken: half took at most `half`, nine of ten at most `nine_of_ten`; of so many that say when."""

    half: float
    nine_of_ten: float
    of: int


@dataclass(frozen=True)
class Reporter:
    """One agency, as who asks sees it. verdict: silent, nothing, too few, as usual. Days count from when a report opened to who asks."""

    agency: str
    verdict: str
    many: int = 0
    days: int = 0  # on which something came
    last: date | None = None
    since: int = 0  # days since then
    longest: int = 0  # most days between two of its days
    after_event: Delay | None = None  # in days, from the last day on which it may have happened
    after_report: Delay | None = None  # in hours, from when the agency says that it reported
    left: bool = False


class Reporting(Door):
    """Tells of every agency of the hub."""

    def table(self, who: Caller) -> dict[str, Any]:
        """Every agency, those first who are silent; `since` is from when on was counted, `capped` whether that is the latest reports alone. Raises `Denied`."""
        staff = who.is_staff
        if staff:
            who.has(OF_STAFF, "the table of who reports")
        audience = PUBLIC if staff else who.needs(Action.READ)
        clearance = Clearance(None) if staff else who.clearance
        now = self.now()
        begin = now - timedelta(days=DAYS)
        with self.store.transaction(audience, by_key=True) as tx:
            rows = tx.all("lately", audience=audience, after=begin, limit=MOST)
        if capped := sum(row["many"] for row in rows) == MOST:
            begin = min(row["first"] for row in rows)
        seen = [row for row in rows if may(clearance, Action.READ, marked(row), self.scheme)]
        with self.store.transaction(who.clearance.agency) as tx:
            there = [row["name"] for row in tx.all("agencies")]
            self.log(
                tx,
                who,
                "who reports",
                [f"{sum(row['many'] for row in seen)} reports"],
                True,
                "public" if staff else "counted from what it may see",
            )
        by: dict[str, list[dict[str, Any]]] = {name: [] for name in there}
        for row in seen:
            by.setdefault(row["agency"], []).append(row)
        made = [_reporter(name, some, now.date(), name not in there) for name, some in by.items()]
        order = ["silent", "nothing", "too few", "as usual"]
        return {
            "reporters": sorted(made, key=lambda one: (one.left, order.index(one.verdict), one.agency)),
            "since": instant(begin),
            "capped": capped,
        }


def _reporter(name: str, rows: list[dict[str, Any]], today: date, left: bool) -> Reporter:
    """rows: of one agency, a line a handling."""
    if not rows:
        return Reporter(name, "nothing")
    days = sorted(set(_numbers(rows, "days")))
    longest = max((b - a for a, b in pairwise(days)), default=0)
    last = EPOCH + timedelta(days=days[-1])
    since = (today - last).days
    verdict = "too few" if len(days) < ENOUGH else "silent" if since > longest else "as usual"
    told = [microseconds / 10**6 / 3600 for microseconds in _numbers(rows, "after_report")]
    many = sum(row["many"] for row in rows)
    return Reporter(name, verdict, many, len(days), last, since, longest, _delay(_numbers(rows, "after_event")), _delay(told), left)


def _numbers(rows: list[dict[str, Any]], name: str) -> list[int]:
    """Of each report that says so, for the database sends them as one text: rows of their own would take longer to read than to count."""
    return [int(number) for row in rows if row[name] for number in row[name].split(",")]


def _delay(values: list[Any]) -> Delay | None:
    """None where none says when. What came before its time, by an agency's clock or an event that is still to come, took no time."""
    if not values:
        return None
    held = sorted(max(v, 0) for v in values)
    return Delay(float(median(held)), float(held[-(-9 * len(held) // 10) - 1]), len(held))
