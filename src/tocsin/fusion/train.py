"""Makes a fusion model from reports alone, without the truth: expectation and maximisation against displaced controls, then clusters against the rest.

Fellegi & Sunter 1969 (the model), Winkler 1988 (EM). Pairs that lie in one area but 10 to 13 days apart carry its mix of actors and tactics and are hardly
ever one incident: they tell how alike two different incidents look there. Within each comparison only likeness counts, not what the two reports have left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.errors import OptionError
from tocsin.fusion.linkage import shares, walk
from tocsin.fusion.members import ranks
from tocsin.fusion.model import ONE, Model
from tocsin.fusion.prepare import prepare
from tocsin.kernels import linkage as kernel
from tocsin.kernels.correlate import cluster

CONTROLS = (10, 13)  # days apart
UNSEEN = 3 * ONE
FLOOR = -6 * ONE
#: exp of this is the odds that a pair of the only two candidates starts with; tuned on seeds 1 to 5 of the benchmark, against their truth.
PRIOR = np.log(4.0)
ROUNDS, STEPS = 2, 60
_MOST = 0.2  # share of candidates that may be matches: above it EM has locked onto something else

Floats = NDArray[Any]


class _Set(NamedTuple):
    n: int
    pairs: NDArray[np.int32]
    counts: NDArray[np.int32]
    levels: NDArray[np.int16]  # (m, 8)
    controls: NDArray[np.int16]


def train(sets: Sequence[pl.DataFrame], *, name: str, rounds: int = ROUNDS) -> Model:
    """A model from one or more sets of reports, each by the contract; `name` says what they are.

    Raises `OptionError` where they hold too few pairs, or where what EM finds is no small part of the candidates (it has locked onto waves of attacks).
    """
    given = [_prepared(reports) for reports in sets]
    if sum(len(s.pairs) for s in given) < 1000 or sum(len(s.controls) for s in given) < 1000:
        raise OptionError(
            "too few reports lie near each other to train on: a model needs about 10,000 reports of a time and region with several agencies"
        )
    weights, prior = _expectation(given)
    for turn in range(rounds):
        together = [_together(s, weights, prior if turn == 0 else None) for s in given]
        weights = _likeness(given, together)
    table = {c: tuple(round(float(w) * ONE) for w in weights[k]) for k, c in enumerate(kernel.COMPARISONS)}
    return Model(name, "not calibrated", round(float(PRIOR) * ONE), UNSEEN, FLOOR, table)


def _prepared(reports: pl.DataFrame) -> _Set:
    made, _ = prepare(reports, ranks(reports["report_id"]))
    none = np.zeros(int(kernel.STARTS[-1]), np.int32)
    found, apart = walk(made, none, -1), walk(made, none, -1, CONTROLS)
    return _Set(len(made.start), found.pairs, found.counts, kernel.pair_levels(made, found.pairs), kernel.pair_levels(made, apart.pairs))


def _groups(k: int) -> NDArray[np.int64]:
    """Levels of one comparison that the same reports could have had: what they leave out is the same in all of a group."""
    at = np.arange(kernel.LEVELS[k])
    name = kernel.COMPARISONS[k]
    if name == "day":
        return np.where(at < 8, at // 4, 2 + at - 8)
    if name == "place":
        return np.where(at == 0, 0, 1 + (at - 1) // 13)
    if name in ("attack", "target", "actor"):
        return np.searchsorted([1, 3, 6], at, side="right")
    if name in ("killed", "wounded"):
        return np.where(at == 0, 0, 1 + (at - 1) % 6)
    return at


def _shares_within(counts: Floats, groups: NDArray[np.int64]) -> Floats:
    return np.asarray(counts / np.bincount(groups, counts)[groups])


def _expectation(sets: Sequence[_Set]) -> tuple[list[Floats], float]:
    """Weights by EM with the controls' levels for pairs that are no match, and the log-odds of a match among the candidates."""
    levels, controls = np.concatenate([s.levels for s in sets]), np.concatenate([s.controls for s in sets])
    groups = [_groups(k) for k in range(8)]
    apart = [_shares_within(np.bincount(controls[:, k], minlength=kernel.LEVELS[k]) + 1.0, groups[k]) for k in range(8)]
    apart[0] = _shares_within(np.array([1.0, 2, 2, 2, 1, 2, 2, 2, 1, 1]), groups[0])  # of seven days, one is the same
    alike = (
        3.0 * np.isin(levels[:, 2], (2, 5, 9))
        + 3.0 * np.isin(levels[:, 3], (2, 5, 9))
        + 2.0 * np.isin(levels[:, 4], (2, 5, 9))
        + (levels[:, 0] % 4 == 0)
    )
    chance = 1 / (1 + np.exp(6.0 - alike))
    odds = 0.0
    weights: list[Floats] = []
    for _ in range(STEPS):
        match = [_shares_within(np.bincount(levels[:, k], chance, kernel.LEVELS[k]) + 0.5, groups[k]) for k in range(8)]
        share = chance.mean()
        if share > _MOST:
            raise OptionError(
                f"{share:.0%} of all candidates look like one incident: reports repeat each other, or attacks come in waves; no model made"
            )
        odds = float(np.log(share / (1 - share)))
        weights = [np.log(match[k] / apart[k]) for k in range(8)]
        score = odds + sum(weights[k][levels[:, k]] for k in range(8))
        new = 1 / (1 + np.exp(-score))
        settled = np.abs(new - chance).mean() < 1e-6
        chance = new
        if settled:
            break
    return weights, odds


def _together(given: _Set, weights: list[Floats], prior: float | None) -> NDArray[np.bool_]:
    """Which candidates end in one cluster: with one prior for all, or with the candidates' own shares."""
    score = np.zeros(len(given.pairs), np.int64)
    for k in range(8):
        score += np.round(weights[k] * ONE).astype(np.int64)[given.levels[:, k]]
    odds = score + (int(prior * ONE) if prior is not None else -shares(given.counts, given.pairs))
    keep = score > FLOOR
    labels, _ = cluster(given.n, given.pairs[keep], np.asarray(odds[keep]), np.full(given.n, -1, np.int64), UNSEEN)
    return np.asarray(labels[given.pairs[:, 0]] == labels[given.pairs[:, 1]])


def _likeness(sets: Sequence[_Set], together: Sequence[NDArray[np.bool_]]) -> list[Floats]:
    """Weights from pairs in one cluster against all other candidates."""
    levels, one = np.concatenate([s.levels for s in sets]), np.concatenate(together)
    out = []
    for k in range(8):
        match = np.bincount(levels[one, k], minlength=kernel.LEVELS[k]).astype(np.float64)
        other = np.bincount(levels[~one, k], minlength=kernel.LEVELS[k]).astype(np.float64)
        match, other = match + 0.5, other + 0.5 * other.sum() / max(match.sum(), 1.0)  # a level that was never seen says nothing
        out.append(np.log(match / match.sum()) - np.log(other / other.sum()))
    return out
