"""What one audience saw by a moment and sees still, as it saw it then, and the incidents that this makes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.fusion import Fusion, Judgement, default_model, fuse
from tocsin.fusion.judgements import standing
from tocsin.fusion.layers import Layer, batches
from tocsin.fusion.members import stamp
from tocsin.fusion.valued import Clusters, valued
from tocsin.fusion.views import EVERY, Views
from tocsin.hub.judging import of_row
from tocsin.hub.pictures import VALUED
from tocsin.hub.pictures.frames import frame_of
from tocsin.store import Store
from tocsin.terms.tables import INCIDENTS, REPORTS, conform, empty

Bits = NDArray[np.uint64]
LOADED = 20_000  # reports that are read at once
_MINE = 2  # the bit of the audience beside that of every agency
_BOTH = 3


@dataclass(frozen=True)
class Then:
    """One audience's record as of a moment."""

    audience: str
    as_of: datetime
    reports: pl.DataFrame
    sees: Bits  # of each report: seen by every agency too (3), or not (2)
    own: Bits  # of each report: whether the audience saw it at another time than every agency (2), or not (0)
    judgements: list[Judgement]
    marking: str | None  # the strictest of the reports'; None where there are none

    @property
    def day(self) -> date:
        """The day of as_of, UTC."""
        return self.as_of.astimezone(UTC).date()

    def fused(self) -> Fusion:
        """Its incidents as the hub makes them, from these reports and judgements alone; links are scored when they are asked for."""
        incidents = self._incidents()
        clusters = incidents.select(pl.col("report_ids").alias("report_id"), "incident_id").explode("report_id")
        links = lambda: fuse(self.reports, as_of=self.day, judgements=self.judgements, one_report_per_incident=()).links  # noqa: E731
        return Fusion(clusters, lambda: incidents, links, lambda: empty(INCIDENTS))

    def _incidents(self) -> pl.DataFrame:
        """Of every agency where the audience has the same, and its own for the rest."""
        if self.reports.is_empty():
            return empty(INCIDENTS)
        views = Views(["*", self.audience], judgements=self.judgements)
        views.admit(self.reports)
        numbers = views.numbers(self.reports["report_id"])
        change = views.shift(numbers, self.sees, self.own)
        of_all, of_own = (self._valued(numbers, change.of(v)) for v in (EVERY, 1))
        taken = pl.concat([views.ids_of(layer.seen) for layer in change.of(1)] or [pl.Series(dtype=pl.String)]).implode()
        others = [f.filter(~pl.col("report_ids").list.eval(pl.element().is_in(taken)).list.any()) for f in of_all]
        found = pl.concat([*others, *of_own]) if others or of_own else empty(INCIDENTS)
        if found.is_empty():
            return empty(INCIDENTS)
        stamps = stamp("linkage", default_model().fingerprint, frozenset(), standing(self.judgements), self.day)
        return conform(found.sort("incident_id").with_columns(**stamps), INCIDENTS, table="incidents")

    def _valued(self, numbers: NDArray[np.int32], layers: list[Layer]) -> list[pl.DataFrame]:
        """The incidents of some layers, worked out so many at once that it takes little memory. numbers: of the reports."""
        order, found = np.argsort(numbers), list[pl.DataFrame]()
        for several in batches(layers, VALUED):
            rows = (self.reports[order[np.searchsorted(numbers, one.seen, sorter=order)]] for one in several)
            found += valued([Clusters(r, one.cluster, one.margin, one.decided) for r, one in zip(rows, several, strict=True)])
        return found


def then(store: Store, audience: str, as_of: datetime) -> Then:
    """What the audience sees of what it saw by as_of. What is written while this is read, or later, is not in it."""
    frames, sees, own = list[pl.DataFrame](), [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
    with store.transaction(None, snapshot=True) as tx:
        after = UUID(int=0)
        while rows := tx.all("seen_then", audience=audience, as_of=as_of, after=after, limit=LOADED):
            after = rows[-1]["report_id"]
            frames.append(frame_of(rows))
            sees.append(np.array([_BOTH if row["every"] else _MINE for row in rows], np.uint64))
            own.append(np.array([_MINE if row["own"] and row["every"] else 0 for row in rows], np.uint64))
        judged = [of_row(row) for row in tx.all("judged_then", audience=audience, as_of=as_of)]
        strictest = tx.one("strictest", audience=audience, as_of=as_of)
    reports = pl.concat(frames) if frames else empty(REPORTS)
    return Then(audience, as_of, reports, np.concatenate(sees), np.concatenate(own), judged, strictest["name"] if strictest else None)
