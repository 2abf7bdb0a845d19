"""fuse(): which reports describe the same incident, and what that incident is.

    reports -> window.py (links) -> kernels.cluster (labels) -> parts and judgements -> resolve.py (incidents)

`fuse` never trains and never looks past its `as_of`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tocsin.errors import OptionError
from tocsin.fusion.explain import Explanation, explain
from tocsin.fusion.judgements import Judgement, fingerprint, load, standing
from tocsin.fusion.linkage import link
from tocsin.fusion.model import Model, default_model, load_model
from tocsin.fusion.parts import propose_parts
from tocsin.fusion.resolve import resolve
from tocsin.fusion.window import Window, window_links
from tocsin.kernels.cluster import merge
from tocsin.terms.publishers import one_report_agencies
from tocsin.terms.tables import INCIDENTS, LINKS, REPORTS, conform, empty

__all__ = ["Explanation", "Fusion", "Judgement", "Model", "default_model", "explain", "fuse", "load", "load_model", "propose_parts"]

METHODS = ("window", "linkage")


class Fusion(NamedTuple):
    """What fuse() gives back: `incidents` and `links`, by their contracts."""

    incidents: pl.DataFrame
    links: pl.DataFrame


def fuse(
    reports: Any,
    *,
    method: str = "window",
    as_of: date | None = None,
    judgements: Iterable[Judgement] | None = None,
    one_report_per_incident: Collection[str] | None = None,
    window: Window | None = None,
    model: Model | None = None,
) -> Fusion:
    """Incidents and links from a table of reports.

    reports: any table with an Arrow stream and the columns of `reports`. as_of: only what was known by that day counts (`known_at`, or the day of
    `received_at` where a hub set it); by default all. judgements: signed decisions; the bundled ones by default, `()` for none.
    one_report_per_incident: agencies never fused with themselves; by default those whose publisher promises it. method: `linkage` weighs what two reports share
    by a trained model (`model`, the bundled one by default); `window` is the naive rule, with its limits in `window`.

    Incidents are stamped with the as_of and a hash of the method, limits, declarations and judgements that made them. Raises `OptionError` for an
    unknown method and `ContractError` for a table that is not reports.
    """
    if method not in METHODS:
        raise OptionError(f"method {method!r} is none of {', '.join(METHODS)}")
    window = window or Window()
    decided = standing(load() if judgements is None else judgements)
    declared = frozenset(one_report_agencies() if one_report_per_incident is None else one_report_per_incident)
    current = _visible(conform(pl.DataFrame(reports), REPORTS, table="reports"), as_of)
    if current.is_empty():
        return Fusion(empty(INCIDENTS), empty(LINKS))
    stamp = as_of or current["known_at"].filter(current["known_at"] < date(9999, 12, 31)).max() or date(9999, 12, 31)
    trained = model or default_model()
    limits = trained.fingerprint if method == "linkage" else str(window)
    stamped = hashlib.sha256(f"{method}|{limits}|{sorted(declared)}|{fingerprint(decided)}".encode()).hexdigest()[:16]
    own = current.filter(pl.col("derived_from").list.len().fill_null(0) == 0)
    if method == "linkage":
        links, labels = link(own, trained, declared)
    else:
        links = window_links(own, window, declared)
        labels = _cluster(own, links, declared)
    clusters, parts = _join_parts(own, labels, decided)
    labelled = _follow(current, own, clusters, parts)
    incidents = resolve(labelled, decided).with_columns(as_of=pl.lit(stamp), model=pl.lit(stamped))
    return Fusion(conform(incidents, INCIDENTS, table="incidents"), conform(links, LINKS, table="links"))


def _visible(reports: pl.DataFrame, as_of: date | None) -> pl.DataFrame:
    """Events known by as_of, without those that a visible report supersedes, in the order of their ids."""
    if as_of is not None:
        known = pl.coalesce(pl.col("received_at").dt.date(), "known_at")
        reports = reports.filter(known <= as_of)
    gone = reports["supersedes"].drop_nulls().implode()
    return (
        reports.filter((pl.col("kind") == "event") & ~pl.col("report_id").is_in(gone)).unique("report_id", keep="first").sort("report_id")
    )


def _cluster(own: pl.DataFrame, links: pl.DataFrame, declared: frozenset[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """A label for each of `own`: the position of the first member of its cluster."""
    place = pl.DataFrame({"id": own["report_id"], "at": np.arange(own.height)})
    at = links.select("left", "right").join(place, left_on="left", right_on="id", how="left", maintain_order="left")
    at = at.join(place, left_on="right", right_on="id", how="left", suffix="_r", maintain_order="left")
    exclusive = own.select(
        pl.when(pl.col("agency").is_in(list(declared))).then(pl.col("agency").rank("dense").cast(pl.Int64)).otherwise(-1)
    ).to_series()
    return merge(own.height, at["at"].to_numpy(), at["at_r"].to_numpy(), exclusive.to_numpy())


def _join_parts(own: pl.DataFrame, labels: np.ndarray[Any, Any], decided: tuple[Judgement, ...]) -> tuple[pl.Series, pl.Series]:
    """Labels with judged parts joined, and the part group of each report (null for most)."""
    ids = own["report_id"]
    at = {r: i for i, r in enumerate(ids)} if any(j.decides == "part_of" for j in decided) else {}
    group: list[int | None] = [None] * own.height
    for judgement in decided:
        members = sorted(at[r] for r in judgement.reports if r in at)
        if judgement.decides != "part_of" or len(members) < 2:
            continue
        goal = min(int(labels[m]) for m in members)
        for m in members:
            group[m] = members[0]
            labels[labels == labels[m]] = goal
    return pl.Series("_cluster", labels), pl.Series("_part", group, dtype=pl.Int64)


def _follow(current: pl.DataFrame, own: pl.DataFrame, labels: pl.Series, parts: pl.Series) -> pl.DataFrame:
    """All reports with their cluster; one taken out of another goes where that one went, or stands alone where it is not visible."""
    known = pl.DataFrame({"report_id": own["report_id"], "_cluster": labels, "_part": parts})
    out = current.join(known, on="report_id", how="left", maintain_order="left")
    above = known.select(_above="report_id", _above_cluster="_cluster")
    out = out.with_columns(_above=pl.col("derived_from").list.first()).join(above, on="_above", how="left", maintain_order="left")
    alone = own.height + pl.int_range(pl.len(), dtype=pl.Int64)
    follows = pl.col("_above_cluster").is_not_null()
    return out.with_columns(
        _derived=pl.col("_cluster").is_null() & follows, _cluster=pl.coalesce("_cluster", "_above_cluster", alone)
    ).drop("_above", "_above_cluster")
