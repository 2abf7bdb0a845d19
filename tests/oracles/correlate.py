"""Correlation clustering, slow and plain: dictionaries of weights, the best merge looked for anew each time."""

from __future__ import annotations

import itertools

Weights = dict[tuple[int, int], int]


def joined(left: list[int], right: list[int], weights: Weights, unseen: int, exclusive: list[int]) -> int | None:
    """What joining two groups gains; None where they may not be."""
    total = 0
    for a, b in itertools.product(left, right):
        if exclusive[a] >= 0 and exclusive[a] == exclusive[b]:
            return None
        total += weights.get((min(a, b), max(a, b)), -unseen)
    return total


def components(n: int, weights: Weights) -> list[list[int]]:
    """Members joined by weights above nought."""
    group = {i: {i} for i in range(n)}
    for (a, b), w in weights.items():
        if w > 0 and group[a] is not group[b]:
            both = group[a] | group[b]
            for i in both:
                group[i] = both
    return sorted({min(g): sorted(g) for g in group.values()}.values())


def greedy(members: list[int], weights: Weights, unseen: int, exclusive: list[int]) -> list[list[int]]:
    """Merges the two groups that gain most, of equals those with the least members first, until none gain."""
    groups = [[m] for m in members]
    while True:
        best, pick = 0, None
        for a in range(len(groups)):
            for b in range(a + 1, len(groups)):
                gain = joined(groups[a], groups[b], weights, unseen, exclusive)
                if gain is not None and gain > best:
                    best, pick = gain, (a, b)
        if pick is None:
            return groups
        a, b = pick
        groups[a] = sorted(groups[a] + groups[b])
        del groups[b]


def value(groups: list[list[int]], weights: Weights, unseen: int) -> int:
    """What a clustering is worth: the sum of the weights within its groups."""
    return sum(weights.get((a, b), -unseen) for g in groups for a, b in itertools.combinations(sorted(g), 2))
