"""Which reports belong together, once links have made clusters: declared parts join, reports taken out of others follow them, incidents get ids."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.errors import ContractError
from tocsin.fusion.judgements import Judgement, fingerprint, heirs, named
from tocsin.fusion.model import ONE
from tocsin.fusion.prepare import LONGEST
from tocsin.kernels.correlate import NO_MARGIN

Ints = NDArray[np.int64]
_UUID = 36  # characters
_NO_DAY = date(9999, 12, 31)


def known_by(reports: pl.DataFrame, as_of: date | None) -> pl.DataFrame:
    """Reports known by a day: received by then where a hub received them."""
    return reports if as_of is None else reports.filter(pl.coalesce(pl.col("received_at").dt.date(), "known_at") <= as_of)


def without_corrected(known: pl.DataFrame, corrected: pl.Series) -> pl.DataFrame:
    """Events, without those whose id is one of `corrected`."""
    return known.filter((pl.col("kind") == "event") & ~pl.col("report_id").is_in(corrected.implode()))


#: What a report says: two of one id that differ in it are no repeats.
CONTENT = (
    "agency", "event_start", "event_end", "country", "admin1", "place", "lat", "lon", "radius_km", "violence", "actor", "attack_type",
    "target_type", "target_group", "killed_low", "killed", "killed_high", "wounded", "text", "supersedes",
)  # fmt: skip


def without_repeats(reports: pl.DataFrame) -> pl.DataFrame:
    """Each report once. Raises `ContractError` where one id comes with two contents."""
    said = reports.select("report_id", *CONTENT).unique()
    twice = said.filter(pl.col("report_id").is_duplicated()).sort("report_id")["report_id"]
    if len(twice):
        raise ContractError(
            f"report {twice[0]} stands there with {(twice == twice[0]).sum()} contents: a correction is a new report, with an id of its own, that "
            "supersedes it"
        )
    return reports.unique("report_id", keep="first", maintain_order=True)


def first_known(reports: pl.DataFrame) -> Ints:
    """When each became known, in microseconds: when the hub received it, or the begin of the day of `known_at`."""
    known = pl.coalesce(pl.col("received_at").dt.replace_time_zone(None), pl.col("known_at").cast(pl.Datetime("us"))).cast(
        pl.Datetime("us")
    )
    return np.asarray(reports.select(known.to_physical()).to_series().to_numpy())


def vague() -> pl.Expr:
    """Whether a report knows its day no better than LONGEST days."""
    return ((pl.col("event_end") - pl.col("event_start")).dt.total_days() > LONGEST).fill_null(True)


def derived(reports: pl.DataFrame) -> NDArray[np.bool_]:
    """Which reports were taken out of others."""
    return np.asarray((reports["derived_from"].list.len().fill_null(0) > 0).to_numpy())


def last_known(days: pl.Series) -> date:
    """The last day on which any became known."""
    last = days.filter(days < _NO_DAY).max()
    return last if isinstance(last, date) else _NO_DAY


def stamp(method: str, limits: str, declared: frozenset[str], decided: tuple[Judgement, ...], as_of: date) -> dict[str, pl.Expr]:
    """What each incident carries: the day whose knowledge it is, and a hash of all that made it; limits: the method's, or its model's fingerprint."""
    text = f"{method}|{limits}|{sorted(declared)}|{fingerprint(decided)}"
    return {"as_of": pl.lit(as_of), "model": pl.lit(hashlib.sha256(text.encode()).hexdigest()[:16])}


def ranks(ids: pl.Series) -> NDArray[np.int32]:
    """The place of each id among all, sorted; ids are distinct."""
    out = np.empty(len(ids), np.int32)
    out[_order(ids)] = np.arange(len(ids), dtype=np.int32)
    return out


def _order(ids: pl.Series) -> NDArray[Any]:
    """What sorts distinct ids. UUIDs are sorted as numbers of 64 bits, several times as fast as texts, where those differ."""
    key = _key(ids)
    if key is not None:
        order = key.arg_sort()
        if not (key.gather(order).diff() == 0).any():
            return order.to_numpy()
    return ids.arg_sort().to_numpy()


def _key(ids: pl.Series) -> pl.Series | None:
    if not len(ids) or not (ids.str.len_bytes() == _UUID).all():
        return None
    high, low = (ids.str.slice(at, size).str.to_integer(base=16, dtype=pl.UInt64, strict=False) for at, size in ((0, 8), (9, 4)))
    tail = ids.str.slice(14, 4).str.to_integer(base=16, dtype=pl.UInt64, strict=False)
    key = high * 2**32 + low * 2**16 + tail
    if key.null_count() or (ids.str.contains("[A-F]").any()):
        return None
    return key


def labelled(
    current: pl.DataFrame,
    own: pl.DataFrame,
    labels: Ints,
    decided: tuple[Judgement, ...],
    rank: NDArray[np.int32],
    roots: dict[str, str],
    margins: Ints | None = None,
) -> pl.DataFrame:
    """Reports with `incident_id`, `_cluster`, `_part` (its group of judged parts, null for most), `_derived`, and `_margin` in log-odds, null where none.

    own: those of `current` that were not taken out of others, with their labels and margins; rank: of each id in `current`.
    """
    margin = pl.Series("_margin", np.full(own.height, np.nan) if margins is None else np.where(margins == NO_MARGIN, np.nan, margins / ONE))
    own = own.with_columns(margin.fill_nan(None))
    current = (
        own
        if own.height == current.height
        else current.join(own.select("report_id", "_margin"), on="report_id", how="left", maintain_order="left")
    )
    made = _follow(current, own, pl.Series("_cluster", labels), _parts(own, labels, decided, roots))
    return made.with_columns(_incident_ids(made, rank, roots))


def _parts(own: pl.DataFrame, labels: Ints, decided: tuple[Judgement, ...], roots: dict[str, str]) -> pl.Series:
    """The group of judged parts that each report is of, null for most; rows that another judgement put apart add nothing up."""
    group = np.full(own.height, -1, np.int64)
    ruling = [j for j in decided if j.decides == "part_of"]
    at = heirs(own["report_id"], named(ruling), roots) if ruling else {}
    for judgement in ruling:
        members = [p for r in judgement.reports for p in at.get(r, ())]
        if len(members) > 1 and len({int(labels[p]) for p in members}) == 1:
            group[members] = members[0]
    return pl.Series("_part", group).replace(-1, None)


def _follow(current: pl.DataFrame, own: pl.DataFrame, labels: pl.Series, parts: pl.Series) -> pl.DataFrame:
    """All reports with their cluster; one taken out of another goes where that one went, or stands alone where it is not visible."""
    if own.height == current.height:
        return current.with_columns(labels, parts, _derived=pl.lit(False))
    known = pl.DataFrame({"report_id": own["report_id"], "_cluster": labels, "_part": parts})
    out = current.join(known, on="report_id", how="left", maintain_order="left")
    above = known.select(_above="report_id", _above_cluster="_cluster")
    out = out.with_columns(_above=pl.col("derived_from").list.first()).join(above, on="_above", how="left", maintain_order="left")
    alone = int(labels.to_numpy().max(initial=-1)) + 1 + pl.int_range(pl.len(), dtype=pl.Int64)
    follows = pl.col("_above_cluster").is_not_null()
    return out.with_columns(
        _derived=pl.col("_cluster").is_null() & follows, _cluster=pl.coalesce("_cluster", "_above_cluster", alone)
    ).drop("_above", "_above_cluster")


def _incident_ids(labelled: pl.DataFrame, rank: NDArray[np.int32], roots: dict[str, str]) -> pl.Series:
    """The incident of each report: the supersession root of its cluster's first, by (first_known, report_id); one that knows no month only where none does.

    labelled: report_id, known_at, received_at, event_start, event_end, _cluster; rank: of each report's id; roots: what a report that corrects another goes
    back to.
    """
    order = np.lexsort((rank, first_known(labelled), labelled.select(vague()).to_series().to_numpy()))
    cluster = labelled["_cluster"].to_numpy()
    first = np.empty(int(cluster.max(initial=-1)) + 1, np.int64)
    first[cluster[order[::-1]]] = order[::-1]  # the last that is written stays
    ids = labelled["report_id"].gather(first[cluster])
    return (_once(ids, first[cluster], order, roots) if roots else ids).alias("incident_id")


def _once(ids: pl.Series, first: Ints, order: Ints, roots: dict[str, str]) -> pl.Series:
    """The root of each id; where two incidents go back to one report, the one whose first report comes first has its id, the other its own."""
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    frame = pl.DataFrame({"own": ids, "root": ids.replace(roots), "place": place[first]})
    mine = pl.col("place") == pl.col("place").min().over("root")
    return frame.select(pl.when(mine).then("root").otherwise("own")).to_series()


def roots(reports: pl.DataFrame) -> dict[str, str]:
    """What each report that corrects another goes back to, through however many corrections."""
    return traced(dict(reports.filter(pl.col("supersedes").is_not_null()).select("report_id", "supersedes").iter_rows()))


def traced(before: dict[str, str]) -> dict[str, str]:
    """What each goes back to, where `before` has the one that each corrects."""
    out = {}
    for report in before:
        at, seen = report, {report}
        while at in before and before[at] not in seen:
            at = before[at]
            seen.add(at)
        out[report] = at
    return out
