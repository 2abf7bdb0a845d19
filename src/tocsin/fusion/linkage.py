"""Links by Fellegi and Sunter: candidates, levels of likeness, log-odds; then clusters by correlation clustering.

A link's weights depend on its two reports and the model alone. How many candidates a report has is shared out among them when its component is clustered:
in a crowded place and time, the same likeness says less (docs/methods/fusion.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.engine import mapped
from tocsin.fusion.judgements import NONE, Decided
from tocsin.fusion.model import ONE, Model
from tocsin.fusion.prepare import NEVER, STACK, Numbers, fitting, numbered, only, prepare, sameness
from tocsin.kernels import linkage as kernel
from tocsin.kernels.correlate import APART, NO_MARGIN, TOGETHER, components, parts, solve, take_large
from tocsin.terms.tables import LINKS, conform

#: Least and most days from the end of the earlier report to the begin of the later: candidates.
LAG = (-32_000, kernel.DAYS)
#: Candidates beyond which more say no less of each: a riot that thousands report is no thousand riots.
CROWD = 300
_SLICE = 65_536  # reports walked in one go
_PAIRS = 1 << 18  # pairs clustered in one go


class Pairs(NamedTuple):
    """Candidates above the model's floor, and how many candidates each report has."""

    pairs: NDArray[np.int32]  # (m, 2), rows of the prepared reports, the lesser first
    scores: NDArray[np.int32]  # (m,), sums of weights
    counts: NDArray[np.int32]  # (n,)


class Slice(NamedTuple):
    """Some of the prepared reports: the own ones, and before them all that these could be one incident with."""

    reports: kernel.Reports
    first: int  # where the first of them stands among all
    low: int  # where the own ones begin


class Scored(NamedTuple):
    """Candidates of one slice, the later report its own."""

    first: int
    pairs: NDArray[np.int32]  # (m, 2), counted among all
    scores: NDArray[np.int32]
    counts: NDArray[np.int32]  # of the slice's reports


def slices(made: kernel.Reports, most: int, size: int, begin: int = 0) -> Iterator[Slice]:
    """Stretches of `size` reports from `begin` on, with those before them that end within `most` days."""
    longest = int((made.end - made.start).max(initial=0))
    for low in range(begin, len(made.start), size):
        first = int(np.searchsorted(made.start, made.start[low] - most - longest))
        yield Slice(kernel.stretch(made, first, low + size), first, low - first)


def score(one: Slice, weights: NDArray[np.int32], floor: int, lag: tuple[int, int]) -> Scored:
    """The candidates of one slice; depends on nothing else."""
    places = kernel.index(one.reports)
    n, room = len(one.reports.start), 4 * len(one.reports.start)
    while True:
        space = (np.empty((room, 2), np.int32), np.empty(room, np.int32), np.zeros(n, np.int32))
        _, kept = kernel.candidates(one.reports, places, weights, np.int32(floor), lag, one.low, n, space)
        if kept <= room:
            return Scored(one.first, space[0][:kept] + np.int32(one.first), space[1][:kept].copy(), space[2])
        room = int(kept)


def walk(
    made: kernel.Reports, weights: NDArray[np.int32], floor: int, lag: tuple[int, int] = LAG, engine: str = "here", begin: int = 0
) -> Pairs:
    """All candidates whose later report stands at `begin` or after, scored; those above `floor` are kept."""
    counts = np.zeros(len(made.start), np.int32)
    pairs, scores = [np.empty((0, 2), np.int32)], [np.empty(0, np.int32)]
    for found in mapped(partial(score, weights=weights, floor=floor, lag=lag), slices(made, lag[1], _SLICE, begin), engine):
        counts[found.first : found.first + len(found.counts)] += found.counts
        pairs.append(found.pairs)
        scores.append(found.scores)
    return Pairs(np.concatenate(pairs), np.concatenate(scores), counts)


def halves(most: int) -> NDArray[np.int64]:
    """What a report with 0..most candidates takes off each pair: half the log, two added, in 1/1024; so many that they are a crowd count as `CROWD`."""
    return np.asarray(np.round(np.log(np.arange(most + 1).clip(max=CROWD) + 2.0) * (ONE / 2)).astype(np.int64))


def shares(counts: NDArray[np.int32], pairs: NDArray[np.int32]) -> NDArray[np.int64]:
    """What a pair loses because its reports have many candidates: the log of their geometric mean, two added to each, in 1/1024."""
    half = halves(int(counts.max(initial=0)))
    return np.asarray(half[counts[pairs[:, 0]]] + half[counts[pairs[:, 1]]])


class Kept(NamedTuple):
    """What is known of reports that later ones may still join."""

    counts: NDArray[np.int32]  # candidates that each has had so far
    pairs: NDArray[np.int32]  # (m, 2), rows, the earlier first
    scores: NDArray[np.int32]


NOTHING = Kept(np.empty(0, np.int32), np.empty((0, 2), np.int32), np.empty(0, np.int32))


class Linked(NamedTuple):
    """What `link` finds."""

    labels: NDArray[np.int64]  # of each report: the place of the first member of its cluster, by id; -1 where it is still open
    margins: NDArray[np.int64]  # what each has in its cluster more than elsewhere or alone, in 1/1024; NO_MARGIN where nothing else is near
    links: Callable[[], pl.DataFrame]  # by LINKS, among those that are not open
    kept: Kept  # of the open reports, counted among them


def clustered(
    n: int, pairs: NDArray[np.int32], odds: NDArray[np.int64], exclusive: NDArray[np.int64], unseen: int, engine: str, decided: Decided
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(the label of each of n: the least of its cluster; what it has there more than elsewhere or alone).

    Components are clustered apart from each other, many at a time. decided: pairs that a person put together or apart.
    """
    if len(decided.together) or len(decided.apart):
        pairs = np.concatenate([pairs, decided.together, decided.apart])
        odds = np.concatenate([odds, np.full(len(decided.together), TOGETHER), np.full(len(decided.apart), APART)])
    root, large = take_large(n, pairs, odds, exclusive, unseen)
    several = parts(n, pairs, odds, exclusive, root)
    cuts = np.unique(
        np.searchsorted(several.pair_starts, np.arange(0, len(several.ends) + _PAIRS, _PAIRS)).clip(max=len(several.starts) - 1)
    )
    cuts = np.unique(np.concatenate([[0], cuts, [len(several.starts) - 1]]))
    labels, margins = np.arange(n), np.full(n, NO_MARGIN)
    batches = (several.cut(int(a), int(b)) for a, b in pairwise(cuts))
    found = list(mapped(partial(solve, unseen=unseen), batches, engine))
    labels[several.members] = np.concatenate([np.empty(0, np.int32), *(f.labels for f in found)])
    margins[several.members] = np.concatenate([np.empty(0, np.int64), *(f.margins for f in found)])
    for one in large:
        labels[one.members] = one.labels
    return labels, margins


def link(
    reports: pl.DataFrame,
    place: NDArray[np.int32],
    model: Model,
    declared: frozenset[str],
    engine: str = "here",
    kept: Kept = NOTHING,
    until: int | None = None,
    decided: Decided = NONE,
    named: NDArray[np.int64] | None = None,
) -> Linked:
    """Clusters of reports, and how to get their links with all reasons.

    place: the rank of each report's id. declared: agencies that report an incident once; two of their reports are never joined. Where reports come in
    stretches of time: `kept` is what an earlier call found of the first reports, which begin before all others; until: the day from which on later ones
    begin. A component of which later reports may still join a member is open, and not clustered yet. decided, named: pairs that a person put together or
    apart, and all reports that any person's judgement names, which stay open until the end.
    """
    n = reports.height
    texts = Numbers()
    made, rows = prepare(reports, place, texts, declared)
    of = _stacked(sameness(made), rows, n, named)
    if of is not None:
        return _of_first(reports, place, model, declared, engine, kept, until, decided, named, of)
    pinned = np.zeros(n, np.bool_)
    if named is not None:
        pinned[named] = True
    fits = _fits(reports, place, made, rows, texts, declared, pinned)
    before = len(kept.counts)
    new = walk(made, model.table, model.floor, engine=engine, begin=int((rows < before).sum()))
    at = np.full(n, -1, np.int32)
    at[rows] = np.arange(len(rows), dtype=np.int32)
    counts = new.counts
    counts[at[:before][at[:before] >= 0]] += kept.counts[at[:before] >= 0]
    found = (
        Pairs(np.concatenate([at[kept.pairs], new.pairs]), np.concatenate([kept.scores, new.scores]), counts) if len(kept.pairs) else new
    )
    odds = found.scores.astype(np.int64) + model.prior - shares(found.counts, found.pairs)
    ends = kernel.ordered(place[rows], found.pairs)
    is_open = np.zeros(n, np.bool_) if until is None else _open(reports, place, ends, odds, until, pinned, fits)
    left = NOTHING
    if is_open.any():
        among = is_open[rows][found.pairs].all(axis=1)
        numbers = np.cumsum(is_open, dtype=np.int32) - 1
        totals = np.zeros(n, np.int32)
        totals[rows] = found.counts
        left = Kept(totals[is_open], numbers[rows[found.pairs[among]]], found.scores[among])
        closed = ~is_open[rows][found.pairs].any(axis=1)
        found, odds, ends = Pairs(found.pairs[closed], found.scores[closed], found.counts), odds[closed], ends[closed]
    exclusive = np.full(n, -1, np.int64)
    if declared:
        agency = reports["agency"]
        exclusive[place] = np.where(agency.is_in(list(declared)).to_numpy(), numbered(agency), -1)
    if is_open.any():
        decided = NONE
    ruled = Decided(*(kernel.ordered(place, p) for p in decided))
    labels, margins = (x[place] for x in clustered(n, ends, odds, exclusive, model.unseen, engine, ruled))
    for v, label in only(fits, labels).items():
        labels[v] = label
    labels[is_open] = -1
    return Linked(labels, margins, lambda: _links(reports["report_id"], made, rows, found, odds, model), left)


def _stacked(keys: NDArray[np.uint64], rows: NDArray[np.int64], n: int, named: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    """For each report the one that stands for it, where any does not stand for itself: the first by id of more than STACK that are the same."""
    inside = np.sort(keys[keys != 0])
    if len(inside) <= STACK or not (inside[STACK:] == inside[:-STACK]).any():
        return None
    keys = keys.copy()
    if named is not None:
        keys[np.isin(rows, named)] = 0
    distinct, first, which, count = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    stands = np.where((count > STACK) & (distinct != 0), first, -1)[which]
    of = np.arange(n)
    of[rows] = np.where(stands >= 0, rows[stands], rows)
    return of if (stands >= 0).any() else None


def _of_first(
    reports: pl.DataFrame,
    place: NDArray[np.int32],
    model: Model,
    declared: frozenset[str],
    engine: str,
    kept: Kept,
    until: int | None,
    decided: Decided,
    named: NDArray[np.int64] | None,
    of: NDArray[np.int64],
) -> Linked:
    """`link` of the reports that stand for others, and what follows for these."""
    own = np.flatnonzero(of == np.arange(len(of)))
    number = np.full(len(of), -1, np.int64)
    number[own] = np.arange(len(own))
    lesser = place[own].argsort().argsort().astype(np.int32)
    back = np.empty(len(own), np.int64)  # the place among all of what stands at each place among the own
    back[lesser] = place[own]
    found = link(
        reports[own], lesser, model, declared, engine, kept, until,
        Decided(*(number[p].astype(np.int32) for p in decided)), None if named is None else number[named],
    )  # fmt: skip
    labels = np.where(found.labels >= 0, back[found.labels], -1)[number[of]]
    return found._replace(labels=labels, margins=found.margins[number[of]])


def _fits(
    reports: pl.DataFrame,
    place: NDArray[np.int32],
    made: kernel.Reports,
    rows: NDArray[np.int64],
    numbers: Numbers,
    declared: frozenset[str],
    pinned: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Pairs (a report that knows no month, one that fits it), as rows; what a person decided of is left to that person."""
    vague, which = prepare(reports, place, numbers, declared, vague=True)
    if not len(which):
        return np.empty((0, 2), np.int64)
    pairs = fitting(made, vague)
    pairs = np.stack([which[pairs[:, 0]], rows[pairs[:, 1]]], axis=1)
    return np.asarray(pairs[~pinned[pairs[:, 0]]])


def _open(
    reports: pl.DataFrame,
    place: NDArray[np.int32],
    ends: NDArray[np.int32],
    odds: NDArray[np.int64],
    day: int,
    pinned: NDArray[np.bool_],
    fits: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Reports of components with a member that a report from `day` on could be one incident with, or that is pinned, or that fits an open one.

    Odds only fall as more candidates come, so components only fall apart as long as no report joins them.
    """
    late = (reports["event_end"].cast(pl.Int32).fill_null(NEVER).to_numpy().astype(np.int64) + kernel.DAYS >= day) | pinned
    if len(fits):
        ends, odds = (
            np.concatenate([ends, kernel.ordered(place, fits.astype(np.int32))]),
            np.concatenate([odds, np.ones(len(fits), np.int64)]),
        )
    root = components(reports.height, ends, odds, 0)[place]
    held = np.zeros(reports.height, np.bool_)
    held[root[late]] = True
    return np.asarray(held[root])


def _links(
    ids: pl.Series, made: kernel.Reports, rows: NDArray[np.int64], found: Pairs, odds: NDArray[np.int64], model: Model
) -> pl.DataFrame:
    """Pairs whose odds are better than even, each with what every comparison gave."""
    keep = odds > 0
    pairs = found.pairs[keep]
    level = kernel.pair_levels(made, pairs)
    tables = [np.array(model.weights[name], np.int32) for name in kernel.COMPARISONS]
    ends = pl.DataFrame({"a": ids.gather(rows[pairs[:, 0]]), "b": ids.gather(rows[pairs[:, 1]])})
    frame = ends.select(left=pl.min_horizontal("a", "b"), right=pl.max_horizontal("a", "b")).with_columns(
        log_odds=pl.Series(odds[keep].astype(np.int32)),
        probability=pl.Series(model.links.of(odds[keep])).fill_nan(None),
        days=pl.Series(np.maximum(0, made.start[pairs[:, 1]] - made.end[pairs[:, 0]])),
        km=pl.Series(kernel.distances(made, pairs)).round(3).fill_nan(None),
        **{f"by_{name}": pl.Series(tables[k][level[:, k]]) for k, name in enumerate(kernel.COMPARISONS)},
        by_share=pl.Series((model.prior - shares(found.counts, pairs)).astype(np.int32)),
    )
    return conform(frame.sort("left", "right"), LINKS, table="links")
