"""Each audience's incidents: fused from what it may see and nothing else. Runs with the role `fuse`, which has no HTTP.

    stale lines of the store -> fusion.views (clusters, once for all who see the same) -> written.py (what is no longer so goes, what is new comes)

What stands in memory can be made from the database at any time: a process that fails, or was killed, reads it anew.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from tocsin.errors import StoreError
from tocsin.fusion.layers import Change, batches
from tocsin.fusion.valued import Clusters, valued
from tocsin.fusion.views import Views
from tocsin.hub.clock import Clock, clock
from tocsin.hub.judging import of_row
from tocsin.hub.pictures.frames import ALL, Sight, frame_read, rows_of
from tocsin.hub.pictures.given import give
from tocsin.hub.pictures.written import Written
from tocsin.store import Store, Transaction, array
from tocsin.terms.judgements import Judgement

WAIT = 0.1  # seconds between two looks for what changed
LOADED = 1 << 27  # bytes of reports that are read at once when all are
TAKEN = 200_000  # reports that are read at once of what is new
VALUED = 100_000  # reports whose incidents are worked out at once
PIECE = 500_000  # reports of a backlog that are taken in by one transaction
FORGET = 60.0  # seconds after a purge, so that many need one beginning anew
_ANY = 0, 2**63 - 1  # lines
_SEES = {"report_id": pl.String, "sees": pl.UInt64, "late": pl.UInt64}


class Pictures:
    """Incidents of every audience, kept up to date."""

    def __init__(self, store: Store, now: Clock | None = None) -> None:
        self.store, self.now = store, now
        self._views: Views | None = None
        self._backlog = _ids(b"")  # in the order in which it is taken in
        self._anew = False  # whether some of what is stale may have been taken in before this process began
        self.purged_at: float | None = None  # when purged reports were last taken in; what was kept of them stays in this process's memory

    def refresh(self) -> int:
        """Brings the incidents up to date with all that is stored; gives how many changes that took in. Raises `StoreError`.

        What goes to TAXII is given a little at a time, so that what is new does not wait for it; of a backlog after each piece.
        """
        done = 0
        while True:
            done += (step := self.step())
            more = give(self.store, self.now)
            while more and self.waiting:
                more = give(self.store, self.now)
            if not step and not more:
                return done

    @property
    def waiting(self) -> int:
        """How many reports of a backlog are not taken in yet."""
        return len(self._backlog)

    def step(self) -> int:
        """One piece of `refresh`: of a backlog what is taken in by one transaction."""
        views, self._views = self._views, None  # what fails on the way is read anew
        backlog, self._backlog = self._backlog, _ids(b"")
        with self.store.transaction(None, snapshot=True) as tx:
            if views is None:
                self._anew = bool(tx.one("any_fused"))
                views = self._loaded(tx)
            self._widened(views, tx)
            ids, backlog, (first, last) = _next(tx, backlog)
            if len(ids):
                self._take_in(views, tx, ids)
                tx.do("no_longer_stale", ids=array(ids), first=first, last=last)
        self._views, self._backlog, self._anew = views, backlog, self._anew and len(backlog) > 0
        return len(ids)

    def _widened(self, views: Views, tx: Transaction) -> None:
        for row in tx.all("audiences"):
            if row["name"] not in views.audiences:
                views.widen(row["name"])

    def _loaded(self, tx: Transaction) -> Views:
        """All reports as they stood when the incidents were last brought up to date: what is stale is turned back."""
        views = Views([ALL, *(row["name"] for row in tx.all("audiences"))], judgements=self._judgements(tx, None))
        if not self._anew:  # nothing was fused yet, all is stale
            return views
        turned = rows_of(tx.copied("turned", places=views.audiences), {"report_id": pl.String, "bits": pl.UInt64})
        opened = _by_bits(views, tx.copied("all_opened", places=views.audiences)).join(turned, on="report_id", how="full", coalesce=True)
        before = pl.when(pl.col("bits") & 1 == 1).then(_every(views)).otherwise("bits").xor("sees")
        opened = opened.fill_null(0).select("report_id", "own", sees=before).filter(pl.col("sees") != 0)
        for csv in _ahead(tx.copied_in_parts("every_report", LOADED)):
            read = frame_read(csv)
            seen = read.select("report_id").with_row_index("at").join(opened, on="report_id").sort("at")
            views.admit(read[seen["at"]])
            views.place(views.numbers(seen["report_id"]), seen["sees"].to_numpy(), seen["own"].to_numpy())
        return views

    def _who_sees(self, views: Views, tx: Transaction, ids: pl.Series) -> pl.DataFrame:
        """For each report the bits of who sees it, and of those that see it since a time of their own (of all, where it is not that of receipt)."""
        read = _by_bits(views, tx.copied("who_sees", ids=array(ids), places=views.audiences))
        return ids.to_frame("report_id").join(read, on="report_id", how="left", maintain_order="left").fill_null(0)

    def _take_in(self, views: Views, tx: Transaction, ids: pl.Series) -> None:
        old = views.many
        new = pl.Series("report_id", [i for i in ids if views.number_of(i) is None], dtype=pl.String)
        for some in new.to_frame().iter_slices(TAKEN):
            views.admit(frame_read(tx.copied("reports", ids=array(some["report_id"]))))
        there = ids.filter(pl.Series([views.number_of(i) is not None for i in ids], dtype=pl.Boolean))
        parts = [self._who_sees(views, tx, some["report_id"]) for some in there.to_frame().iter_slices(TAKEN)]
        if parts:
            seen = pl.concat(parts)
            self._note_purged(tx, seen.filter(pl.col("sees") == 0)["report_id"])
            change = views.shift(views.numbers(seen["report_id"]), seen["sees"].to_numpy(), seen["own"].to_numpy())
            _write(views, tx, change, views.many if self._anew else old)
        known = {j.id: j for j in views.judgements} | {j.id: j for j in self._judgements(tx, array(ids))}
        if len(known) > len(views.judgements):
            _write(views, tx, views.judge(known.values()), views.many)

    def _note_purged(self, tx: Transaction, unseen: pl.Series) -> None:
        """Of reports that nobody sees any more, some may be gone; those of an agency that has left are kept."""
        if len(unseen) and len(tx.rows("reports", ids=array(unseen))) < len(unseen):
            self.purged_at = time.monotonic()

    def _judgements(self, tx: Transaction, ids: str | None) -> list[Judgement]:
        """Those that name one of these reports, or all."""
        return [of_row(row) for row in tx.all("judgements_named", reports=ids)]


def _next(tx: Transaction, backlog: pl.Series) -> tuple[pl.Series, pl.Series, tuple[int, int]]:
    """(reports to take in now, those that wait, the first and the last line that says so).

    A backlog goes by the days of its events, so that an incident is mostly made once.
    """
    lines = _ANY
    if not len(backlog):
        read = rows_of(tx.copied("stale", many=PIECE + 1), {"number": pl.Int64, "report_id": pl.String})
        backlog = read["report_id"].unique(maintain_order=True)
        if read.height > PIECE:
            backlog = _ids(tx.copied("stale_by_day"))
        elif read.height:
            lines = read["number"][0], read["number"][-1]
    return backlog[:PIECE], backlog[PIECE:], lines


def _ids(csv: bytes) -> pl.Series:
    return rows_of(csv, {"report_id": pl.String})["report_id"]


def _by_bits(views: Views, csv: bytes) -> pl.DataFrame:
    """Of `who_sees`: what every agency sees, each of them sees."""
    shared = pl.col("sees") & 1 == 1
    return rows_of(csv, _SEES).select(
        "report_id",
        sees=pl.when(shared).then(_every(views)).otherwise("sees"),
        own=pl.when(shared).then(pl.col("sees").xor(1) | (pl.col("late") & 1)).otherwise("late"),
    )


def _ahead(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same; the next is read while one is worked on."""
    with ThreadPoolExecutor(1) as beside:
        coming = beside.submit(next, parts, b"")
        while part := coming.result():
            coming = beside.submit(next, parts, b"")
            yield part


def _every(views: Views) -> pl.Expr:
    """The bits of all audiences."""
    return pl.lit((1 << len(views.audiences)) - 1, dtype=pl.UInt64)


def _write(views: Views, tx: Transaction, change: Change, old: int) -> None:
    """Writes the incidents anew that a change touches, some layers at a time."""
    written = Written(tx, views, change, old)
    for several in batches(change.layers, VALUED):
        sight = Sight(tx, views, several)
        clusters = [Clusters(sight.reports(one), one.cluster, one.margin, one.decided) for one in several]
        for layer, incidents in zip(several, valued(clusters), strict=True):
            written.take(layer, incidents)
    written.done()


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
