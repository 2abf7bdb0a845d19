"""fuse(): which reports describe the same incident, and what that incident is.

    reports -> linkage.py (candidates, log-odds, clusters) -> members.py (parts, ids) -> resolve.py (incidents)

window.py is the naive rule, the baseline; model.py, train.py and explain.py are what the weights are, come from and say.

`fuse` never trains and never looks past its `as_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from tocsin.engine import ENGINES
from tocsin.errors import OptionError
from tocsin.fusion.bulk import Totals, fuse_to
from tocsin.fusion.explain import Explanation, explain
from tocsin.fusion.judgements import Decided, Judgement, constraints, load, places_named, standing
from tocsin.fusion.linkage import link
from tocsin.fusion.members import derived, known_by, labelled, last_known, ranks, roots, stamp, without_corrected, without_repeats
from tocsin.fusion.model import Curve, Model, default_model, load_model
from tocsin.fusion.parts import propose_parts
from tocsin.fusion.press import PressModel, press_links, press_model
from tocsin.fusion.resolve import resolve
from tocsin.fusion.threats import fulfilled, threats
from tocsin.fusion.window import Window, window_links
from tocsin.kernels.cluster import merge
from tocsin.terms.publishers import one_report_agencies
from tocsin.terms.tables import INCIDENTS, LINKS, REPORTS, conform, empty

__all__ = [
    "Explanation",
    "Fusion",
    "Judgement",
    "Model",
    "Totals",
    "default_model",
    "explain",
    "fuse",
    "fuse_to",
    "load",
    "load_model",
    "propose_parts",
]

METHODS = ("linkage", "window", "press")


class Fusion:
    """What fuse() found; unpacks as `incidents, links`.

    `clusters` says which report is in which incident. The values of the incidents, and the links with their reasons, are made when first asked for.
    """

    def __init__(
        self,
        clusters: pl.DataFrame,
        incidents: Callable[[], pl.DataFrame],
        links: Callable[[], pl.DataFrame],
        threats: Callable[[], pl.DataFrame],
    ) -> None:
        self.clusters = clusters  # report_id, incident_id: a row a report of an event
        self._incidents, self._links, self._threats = incidents, links, threats

    @cached_property
    def incidents(self) -> pl.DataFrame:
        """By INCIDENTS."""
        return self._incidents()

    @cached_property
    def links(self) -> pl.DataFrame:
        """By LINKS."""
        return self._links()

    @cached_property
    def threats(self) -> pl.DataFrame:
        """By THREATS: expected attacks, fused among themselves, and the later incidents that fit each."""
        return fulfilled(self._threats(), self.incidents)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return iter((self.incidents, self.links))


def fuse(
    reports: Any,
    *,
    method: str = "linkage",
    as_of: date | None = None,
    judgements: Iterable[Judgement] | None = None,
    one_report_per_incident: Collection[str] | None = None,
    window: Window | None = None,
    model: Model | None = None,
    press: PressModel | None = None,
    engine: str = "here",
) -> Fusion:
    """Incidents and links from a table of reports.

    reports: any table with an Arrow stream and the columns of `reports`. as_of: only what was known by that day counts (`known_at`, or the day of
    `received_at` where a hub set it); by default all. judgements: signed decisions; the bundled ones by default, `()` for none.
    one_report_per_incident: agencies never fused with themselves; by default those whose publisher promises it. method: `linkage` weighs what two reports share
    by a trained model (`model`, the bundled one by default); `window` is the naive rule, with its limits in `window`; `press` is for headlines, which
    name no day and seldom a place: their words count too (`press`, its model). engine: `here` or `spark` (`pip install
    'tocsin[spark]'`); the incidents are the same.

    Incidents are stamped with the as_of and a hash of the method, limits, declarations and judgements that made them. Raises `OptionError` for an
    unknown method and `ContractError` for a table that is not reports.
    """
    if method not in METHODS:
        raise OptionError(f"method {method!r} is none of {', '.join(METHODS)}")
    if engine not in ENGINES:
        raise OptionError(f"engine {engine!r} is none of {', '.join(ENGINES)}")
    window = window or Window()
    decided = standing(load() if judgements is None else judgements)
    declared = frozenset(one_report_agencies() if one_report_per_incident is None else one_report_per_incident)
    known = known_by(conform(pl.DataFrame(reports), REPORTS, table="reports"), as_of)
    current = without_corrected(known, known["supersedes"].drop_nulls())
    if current["report_id"].n_unique() < current.height:
        current = without_repeats(current)
    options: dict[str, Any] = {"method": method, "as_of": as_of, "judgements": decided, "one_report_per_incident": declared}
    options |= {"window": window, "model": model, "press": press, "engine": engine}

    def expected() -> pl.DataFrame:
        return threats(known, lambda own, _: fuse(own, **options).incidents)

    if current.is_empty():
        return Fusion(_NO_CLUSTERS, lambda: empty(INCIDENTS), lambda: empty(LINKS), expected)
    trained = model or default_model()
    headlines = (press or press_model()) if method == "press" else None
    limits = headlines.fingerprint if headlines else trained.fingerprint if method == "linkage" else str(window)
    stamps = stamp(method, limits, declared, decided, as_of or last_known(current["known_at"]))
    rank = ranks(current["report_id"])
    mine = ~derived(current)
    own, place = (current, rank) if mine.all() else (current.filter(mine), rank[mine].argsort().argsort().astype(np.int32))
    origins = roots(known)
    ruled = constraints(decided, own["report_id"], origins)
    if headlines:
        found = press_links(own, place, ruled, headlines)
        labels, margins, links = found.labels, found.margins, found.links
    elif method == "linkage":
        found = link(own, place, trained, declared, engine, decided=ruled, named=places_named(decided, own["report_id"], origins))
        labels, margins, links = found.labels, found.margins, found.links
    else:
        near = window_links(own, window, declared)
        labels, margins, links = _cluster(own, place, near, declared, ruled), None, lambda: near
    made = labelled(current, own, labels, decided, rank, origins, margins)
    return Fusion(
        made.select("report_id", "incident_id"),
        lambda: conform(
            resolve(made, decided, Curve() if headlines else trained.incidents, origins).with_columns(**stamps),
            INCIDENTS,
            table="incidents",
        ),
        lambda: conform(links(), LINKS, table="links"),
        expected,
    )


_NO_CLUSTERS = pl.DataFrame(schema={"report_id": pl.String, "incident_id": pl.String})


def _cluster(
    own: pl.DataFrame, place: np.ndarray[Any, Any], links: pl.DataFrame, declared: frozenset[str], decided: Decided
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """A label for each of `own` by links taken one after another; place: the rank of each id."""
    at = {
        side: links.join(pl.DataFrame({side: own["report_id"], "at": place}), on=side, how="left", maintain_order="left")["at"]
        for side in ("left", "right")
    }
    exclusive = np.full(own.height, -1, np.int64)
    exclusive[place] = own.select(
        pl.when(pl.col("agency").is_in(list(declared))).then(pl.col("agency").rank("dense").cast(pl.Int64)).otherwise(-1)
    ).to_series()
    labels = np.asarray(merge(own.height, at["left"].to_numpy(), at["right"].to_numpy(), exclusive)[place])
    for a, b in decided.together:
        labels[labels == max(labels[a], labels[b])] = min(labels[a], labels[b])
    for a, b in decided.apart:  # the links of the one that is taken out are not weighed: it goes alone, with what is bound to it
        if labels[a] == labels[b]:
            out = [a, *(int(x) for pair in decided.together if a in pair for x in pair)]
            labels[out] = labels.max() + 1
    return labels
