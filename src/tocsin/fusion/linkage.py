"""Links by Fellegi and Sunter: candidates, levels of likeness, log-odds; then clusters by correlation clustering.

A link's weights depend on its two reports and the model alone. How many candidates a report has is shared out among them when its component is clustered:
in a crowded place and time, the same likeness says less (docs/methods/fusion.md).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.fusion.model import ONE, Model
from tocsin.kernels import linkage as kernel
from tocsin.kernels.correlate import cluster
from tocsin.terms.actors import above
from tocsin.terms.tables import LINKS, conform, empty

#: Days that an interval may have: what is known less well joins nothing by its place and time.
LONGEST = 31
_SLICE = 32_768  # reports walked in one go
_CODES = ("attack_type", "target_type", "actor")


class Pairs(NamedTuple):
    """Candidates above the model's floor, and how many candidates each report has."""

    pairs: NDArray[np.int32]  # (m, 2), rows of the prepared reports, the lesser first
    scores: NDArray[np.int32]  # (m,), sums of weights
    counts: NDArray[np.int32]  # (n,)


def prepare(reports: pl.DataFrame) -> tuple[kernel.Reports, NDArray[np.int64]]:
    """(arrays in the order of first day and id, the row of `reports` that each came from); reports too vague in time are left out.

    `reports` has the columns of the contract, one row a report, in the order of report_id.
    """
    span = (pl.col("event_end") - pl.col("event_start")).dt.total_days()
    usable = reports.with_row_index("_row").filter(pl.col("event_start").is_not_null() & (span <= LONGEST)).sort("event_start", "_row")
    lat, lon = usable["lat"].fill_null(np.nan).to_numpy(), usable["lon"].fill_null(np.nan).to_numpy()
    radius = np.searchsorted(kernel.RADII, usable["radius_km"].fill_null(kernel.RADII[-1] + 1).to_numpy()).astype(np.int8)
    radius[np.isnan(lat)] = len(kernel.RADII)
    made = kernel.Reports(
        usable["event_start"].cast(pl.Int32).to_numpy(),
        usable["event_end"].cast(pl.Int32).to_numpy(),
        np.ascontiguousarray(lat),
        np.ascontiguousarray(lon),
        radius,
        _numbered(usable.select(pl.concat_str("country", pl.lit("|"), pl.col("admin1").str.to_lowercase())).to_series()),
        _numbered(usable["agency"]),
        np.ascontiguousarray(np.concatenate([_steps(_path(usable, name)) for name in _CODES], axis=1)),
        np.ascontiguousarray(
            usable.select(pl.coalesce("killed", "killed_low").fill_null(-1), pl.col("wounded").fill_null(-1)).cast(pl.Int32).to_numpy()
        ),
    )
    return made, usable["_row"].cast(pl.Int64).to_numpy()


def _numbered(series: pl.Series) -> NDArray[np.int32]:
    """Distinct texts as numbers from 0, only good to tell equal from unequal; null is -1."""
    return np.asarray(_kinds(series)[0])


def _kinds(series: pl.Series) -> tuple[NDArray[np.int32], pl.Series]:
    """(the number of each text, -1 for null; the text of each number)."""
    distinct = series.drop_nulls().unique(maintain_order=True)
    numbers = pl.int_range(len(distinct), dtype=pl.Int32, eager=True)
    return series.replace_strict(distinct, numbers, default=None, return_dtype=pl.Int32).fill_null(-1).to_numpy(), distinct


def _path(reports: pl.DataFrame, name: str) -> pl.Series:
    """A code as a path, broad to narrow; an actor's umbrellas stand above it."""
    codes = reports[name]
    if name != "actor":
        return codes
    distinct = codes.drop_nulls().unique()
    return codes.replace_strict(
        {a: a if "/" in a else "/".join(reversed(above(a))) for a in distinct}, return_dtype=pl.String, default=None
    )


def _steps(paths: pl.Series) -> NDArray[np.int32]:
    """Each step of a path as a number that stands for the path so far, (n, DEPTH); -1 beyond its end."""
    which, distinct = _kinds(paths)
    parts = distinct.to_frame("p").select(pl.col("p").str.split("/"))
    depth = range(1, kernel.DEPTH + 1)
    frame = parts.select(pl.when(pl.col("p").list.len() >= k).then(pl.col("p").list.head(k).list.join("/")).alias(str(k)) for k in depth)
    table = np.stack([_numbered(frame[str(k)]) for k in depth], axis=1)
    return np.concatenate([table, np.full((1, kernel.DEPTH), -1, np.int32)])[which]


def walk(made: kernel.Reports, weights: NDArray[np.int32], floor: int, lag: tuple[int, int] = (-32_000, kernel.DAYS)) -> Pairs:
    """All candidates, scored; those above `floor` are kept. Slices are walked side by side and put together in their order."""
    places = kernel.index(made)
    n = len(made.start)
    bounds = [(low, min(low + _SLICE, n)) for low in range(0, n, _SLICE)]

    def one(bound: tuple[int, int]) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        room = 4 * _SLICE
        while True:
            space = (np.empty((room, 2), np.int32), np.empty(room, np.int32), np.zeros(n, np.int32), np.empty(8, np.int64))
            _, kept = kernel.candidates(made, places, kernel.WIDTHS, weights, np.int32(floor), np.array(lag), *bound, space)
            if kept <= room:
                return space[0][:kept].copy(), space[1][:kept].copy(), space[2]
            room = int(kept)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(_in_turn(pool.map(one, bounds), n))
    if not found:
        return Pairs(np.empty((0, 2), np.int32), np.empty(0, np.int32), np.zeros(n, np.int32))
    return Pairs(np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found]), found[-1][2])


def _in_turn(found: Iterator[Any], n: int) -> Iterator[Any]:
    """The slices' pairs, with the counts summed so far."""
    counts = np.zeros(n, np.int32)
    for pairs, scores, more in found:
        counts += more
        yield pairs, scores, counts


def shares(counts: NDArray[np.int32], pairs: NDArray[np.int32]) -> NDArray[np.int64]:
    """What a pair loses because its reports have many candidates: the log of their geometric mean, two added to each, in 1/1024."""
    half = np.round(np.log(np.arange(int(counts.max(initial=0)) + 1) + 2.0) * (ONE / 2)).astype(np.int64)
    return np.asarray(half[counts[pairs[:, 0]]] + half[counts[pairs[:, 1]]])


def link(reports: pl.DataFrame, model: Model, declared: frozenset[str]) -> tuple[pl.DataFrame, NDArray[np.int64]]:
    """(links by the contract, the label of each of `reports`: the row of the first member of its cluster).

    declared: agencies that report an incident once; two of their reports are never joined.
    """
    labels = np.arange(reports.height)
    made, rows = prepare(reports)
    found = walk(made, model.table, model.floor)
    if not len(found.pairs):
        return empty(LINKS), labels
    odds = found.scores.astype(np.int64) + model.prior - shares(found.counts, found.pairs)
    exclusive = np.full(reports.height, -1, np.int64)
    agency = reports["agency"]
    exclusive[agency.is_in(list(declared)).to_numpy()] = _numbered(agency)[agency.is_in(list(declared)).to_numpy()]
    ends = rows[found.pairs]
    ordered = np.sort(ends, axis=1).astype(np.int32)
    labels, _ = cluster(reports.height, ordered, odds, exclusive, model.unseen)
    return _links(reports, made, found, ends, odds, model), labels


def _links(
    reports: pl.DataFrame, made: kernel.Reports, found: Pairs, ends: NDArray[np.int64], odds: NDArray[np.int64], model: Model
) -> pl.DataFrame:
    """Pairs whose odds are better than even, each with what every comparison gave."""
    keep = odds > 0
    pairs, ends = found.pairs[keep], np.sort(ends[keep], axis=1)
    level = kernel.pair_levels(made, pairs)
    tables = [np.array(model.weights[name], np.int32) for name in kernel.COMPARISONS]
    ids = reports["report_id"]
    km = pl.Series(kernel.distances(made, pairs)).round(3)
    later, earlier = made.start[pairs[:, 1]], made.end[pairs[:, 0]]
    frame = pl.DataFrame(
        {
            "left": ids.gather(ends[:, 0]),
            "right": ids.gather(ends[:, 1]),
            "log_odds": odds[keep].astype(np.int32),
            "days": np.maximum(0, later - earlier),
            "km": km.fill_nan(None),
            **{f"by_{name}": tables[k][level[:, k]] for k, name in enumerate(kernel.COMPARISONS)},
            "by_share": (model.prior - shares(found.counts, pairs)).astype(np.int32),
        }
    )
    return conform(frame.sort("left", "right"), LINKS, table="links")
