"""Expectation and maximisation for pairs that may match, slow and plain: one pair after another, what is left out counting for nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

Pair = tuple[int, ...]  # the level of each comparison
Group = Callable[[int, int], int]  # (comparison, level) -> which levels the same two reports could have had


def shares(counts: list[float], group: Callable[[int], int]) -> list[float]:
    """Each count as a share of those of its group."""
    out = []
    for level, count in enumerate(counts):
        out.append(count / sum(c for other, c in enumerate(counts) if group(other) == group(level)))
    return out


def weights(
    pairs: Sequence[Pair],
    controls: Sequence[Pair],
    sizes: Sequence[int],
    group: Group,
    by_chance: list[float],
    start: Callable[[Pair], float],
    steps: int,
) -> tuple[list[list[float]], float]:
    """(log of how much likelier each level is among matches than among controls, log-odds of a match) after `steps` rounds.

    by_chance: how often each level of the first comparison comes among pairs that do not match.
    """

    def of(k: int) -> Callable[[int], int]:
        return lambda level: group(k, level)

    apart = []
    for k, size in enumerate(sizes):
        counts = [1.0] * size
        for pair in controls:
            counts[pair[k]] += 1
        apart.append(shares(by_chance if k == 0 else counts, of(k)))
    chance = [start(pair) for pair in pairs]
    found: list[list[float]] = []
    odds = 0.0
    for _ in range(steps):
        match = []
        for k, size in enumerate(sizes):
            counts = [0.5] * size
            for pair, p in zip(pairs, chance, strict=True):
                counts[pair[k]] += p
            match.append(shares(counts, of(k)))
        share = sum(chance) / len(chance)
        odds = math.log(share / (1 - share))
        found = [[math.log(m / u) for m, u in zip(match[k], apart[k], strict=True)] for k in range(len(sizes))]
        chance = [1 / (1 + math.exp(-odds - sum(found[k][level] for k, level in enumerate(pair)))) for pair in pairs]
    return found, odds
