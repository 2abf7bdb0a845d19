"""Each audience's incidents: fused from what it may see and nothing else. Runs with the role `fuse`, which has no HTTP.

    stale lines of the store -> fusion.views (clusters, once for all who see the same) -> written.py (what is no longer so goes, what is new comes)

What stands in memory can be made from the database at any time: a process that fails, or was killed, reads it anew.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import polars as pl

from tocsin.errors import StoreError
from tocsin.fusion.valued import Clusters, valued
from tocsin.fusion.views import EVERY, Part, Views
from tocsin.hub.clock import Clock, clock
from tocsin.hub.judging import of_row
from tocsin.hub.pictures.frames import Sight, frame_of
from tocsin.hub.pictures.given import give
from tocsin.hub.pictures.written import ALL, Written
from tocsin.store import Store, Transaction, array
from tocsin.terms.judgements import Judgement
from tocsin.terms.tables import REPORTS, empty

WAIT = 0.1  # seconds between two looks for what changed
AT_ONCE = 20_000  # stale lines that one transaction takes in
LOADED = 20_000  # reports that are read at once
FORGET = 60.0  # seconds after a purge, so that many need one beginning anew


class Pictures:
    """Incidents of every audience, kept up to date."""

    def __init__(self, store: Store, now: Clock | None = None) -> None:
        self.store, self.now = store, now
        self._views: Views | None = None
        self.purged_at: float | None = (
            None  # when something was last taken in as purged; what was kept of it stays in this process's memory
        )

    def refresh(self) -> int:
        """Brings the incidents up to date with all that is stored; gives how many changes that took in. Raises `StoreError`."""
        done = 0
        while step := self._step():
            done += step
            give(self.store, self.now)
        give(self.store, self.now)
        return done

    def _step(self) -> int:
        views, self._views = self._views, None  # what fails on the way is read anew
        with self.store.transaction(None, snapshot=True) as tx:
            views = views or self._loaded(tx)
            self._widened(views, tx)
            rows = tx.all("stale", limit=AT_ONCE)
            if rows:
                self._take_in(views, tx, rows)
                tx.do("no_longer_stale", numbers=[row["number"] for row in rows])
        self._views = views
        return len(rows)

    def _widened(self, views: Views, tx: Transaction) -> None:
        for row in tx.all("audiences"):
            if row["name"] not in views.audiences:
                views.widen(row["name"])

    def _loaded(self, tx: Transaction) -> Views:
        """All reports as they stood when the incidents were last brought up to date: what is stale is turned back."""
        views = Views([ALL, *(row["name"] for row in tx.all("audiences"))], judgements=self._judgements(tx, None))
        turned: dict[str, int] = {}
        for _, audience, report_id in tx.rows("stale", limit=None):
            turned[str(report_id)] = turned.get(str(report_id), 0) | 1 << views.audiences.index(audience)
        after = UUID(int=0)
        while ids := [row["report_id"] for row in tx.all("reports_after", after=after, limit=LOADED)]:
            after = ids[-1]
            sees, own = self._who_sees(views, tx, ids)
            views.load(
                frame_of(tx.all("reports", ids=array(ids))), {i: who ^ _turned(views, turned.get(i, 0)) for i, who in sees.items()}, own
            )
        return views

    def _who_sees(self, views: Views, tx: Transaction, ids: Sequence[Any]) -> tuple[dict[str, int], dict[str, int]]:
        """For each report (the bits of who sees it, the bits of those that have a line of their own beside that of all)."""
        place = {name: n for n, name in enumerate(views.audiences)}
        every = (1 << len(place)) - 1
        sees, own = dict.fromkeys(map(str, ids), 0), {}
        for ident, audiences in tx.rows("who_sees", ids=array(ids)):
            bits = sum(1 << place[a] for a in audiences)
            if bits & 1:
                own[ident] = bits & ~1
            sees[ident] = every if bits & 1 else bits
        return sees, dict.fromkeys(sees, 0) | own

    def _take_in(self, views: Views, tx: Transaction, rows: list[dict[str, Any]]) -> None:
        ids = sorted({str(row["report_id"]) for row in rows})
        sees, own = self._who_sees(views, tx, ids)
        self._note_purged(tx, [i for i in ids if not sees[i] and views.number_of(i) is not None])
        new = [i for i in ids if views.number_of(i) is None]
        found = tx.all("reports", ids=array(new)) if new else []
        there = {str(row["report_id"]) for row in found} | {i for i in ids if i not in new}
        parts = views.change(
            frame_of(found) if found else empty(REPORTS),
            {i: s for i, s in sees.items() if i in there},
            {i: o for i, o in own.items() if i in there},
        )
        self._write(views, tx, parts, ids)
        known = {j.id: j for j in views.judgements} | {j.id: j for j in self._judgements(tx, ids)}
        if len(known) > len(views.judgements):
            self._write(views, tx, views.judge(known.values()), ids)

    def _note_purged(self, tx: Transaction, unseen: list[str]) -> None:
        """Of reports that nobody sees any more, some may be gone; those of an agency that has left are kept."""
        if unseen and len(tx.all("reports", ids=array(unseen))) < len(unseen):
            self.purged_at = time.monotonic()

    def _judgements(self, tx: Transaction, ids: list[str] | None) -> list[Judgement]:
        """Those that name one of these reports, or all."""
        return [of_row(row) for row in tx.all("judgements_named", reports=ids)]

    def _write(self, views: Views, tx: Transaction, parts: list[Part], ids: Iterable[str]) -> None:
        written = Written(tx, {i for part in parts for i in part.around} | set(ids))
        for part, incidents in zip(parts, _valued(views, tx, parts), strict=True):
            if part.audience == EVERY:
                written.every(part.around, incidents)
            else:
                written.own(views.audiences[part.audience], part.around, part.seen, incidents)
        written.done()


def _valued(views: Views, tx: Transaction, parts: list[Part]) -> list[pl.DataFrame]:
    """The incidents of each part; parts that are the same to the reader are worked out once."""
    sight = Sight(tx, {i for part in parts for i in part.seen})
    where: dict[tuple[int, tuple[datetime, ...]], int] = {}
    several: list[Clusters] = []
    place = []
    for part in parts:
        audience = views.audiences[part.audience]
        key = (id(part.label), tuple(sight.times(audience, part.seen)))
        if key not in where:
            where[key] = len(several)
            several.append(Clusters(sight.reports(audience, part.seen), part.label, part.decided))
        place.append(where[key])
    made = valued(several)
    return [made[k] for k in place]


def _turned(views: Views, bits: int) -> int:
    """The bits of who sees a report that are to be turned back; where all agencies came to see it, or no longer do, each did."""
    return (1 << len(views.audiences)) - 1 if bits & 1 else bits


def refresh(store: Store, now: Clock | None = None) -> int:
    """Brings the incidents up to date from the database alone, as a process does that begins. now: see `give`."""
    return Pictures(store, now).refresh()


def run(store: Store, stop: threading.Event, *, forget: float = FORGET, free: Callable[[], bool] = lambda: True) -> bool:
    """Refreshes until `stop` is set; a database that does not answer is asked again.

    True where the process is to begin anew, so that its memory holds nothing of what was purged: so many seconds after the last purge, when nothing is
    to be fused and `free` says that nothing else would be cut short.
    """
    pictures = Pictures(store, clock())
    while not stop.is_set():
        try:
            done = pictures.refresh()
        except StoreError as why:
            logging.getLogger("tocsin").warning("incidents wait: %s", why)
            done = 0
        if not done and pictures.purged_at is not None and time.monotonic() - pictures.purged_at >= forget and free():
            return True
        if not done:
            stop.wait(WAIT)
    return False
