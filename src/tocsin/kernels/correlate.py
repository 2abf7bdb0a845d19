"""Correlation clustering: clusters whose summed weights are as great as greedy merging and then local moves make them.

Weights are whole numbers; a pair that is not given weighs `-unseen`, and two members of one exclusive code are never joined. Members of a component stand in
the order of their numbers, and of equal gains the one with the lesser numbers is taken, so the result depends on the pairs alone. tests/oracles/correlate.py
says the same slowly. Bansal, Blum & Chawla 2004 (the problem); greedy additive contraction as in Keuper et al. 2015.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.words import compiled

#: Members of a component that are weighed all against all; a larger one is first cut where its weights are least.
LARGEST = 1500
_NEVER = -(1 << 40)
_ROUNDS = 20


@compiled
def _root(parent: Any, i: Any) -> Any:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@compiled
def components(n: Any, pairs: Any, weights: Any, above: Any, use: Any) -> Any:
    """For each of n, the least member of its component under the pairs that `use` marks and that weigh more than `above`."""
    parent = np.arange(n)
    for p in range(len(pairs)):
        if use[p] and weights[p] > above:
            a, b = _root(parent, pairs[p, 0]), _root(parent, pairs[p, 1])
            if a != b:
                parent[max(a, b)] = min(a, b)
    for i in range(n):
        parent[i] = _root(parent, i)
    return parent


@compiled
def _greedy(matrix: Any, label: Any) -> None:
    """Merges the two clusters that gain most, while any two gain."""
    k = len(label)
    sums = matrix.copy()
    alive = np.ones(k, np.bool_)
    best, other = np.zeros(k, np.int64), np.full(k, -1)
    for a in range(k):
        label[a] = a
        for b in range(a + 1, k):
            if sums[a, b] > best[a]:
                best[a], other[a] = sums[a, b], b
    while True:
        a = -1
        for x in range(k):
            if alive[x] and other[x] >= 0 and (a < 0 or best[x] > best[a]):
                a = x
        if a < 0:
            return
        b = other[a]
        alive[b] = False
        for x in range(k):
            if label[x] == b:
                label[x] = a
            if alive[x] and x != a:
                sums[a, x] += sums[b, x]
                sums[x, a] = sums[a, x]
        for x in range(k):
            if not alive[x]:
                continue
            if x == a or other[x] == a or other[x] == b:
                best[x], other[x] = 0, -1
                for y in range(x + 1, k):
                    if alive[y] and sums[x, y] > best[x]:
                        best[x], other[x] = sums[x, y], y
            elif x < a and (sums[x, a] > best[x] or (other[x] > a and sums[x, a] == best[x])):
                best[x], other[x] = sums[x, a], a


@compiled
def _moves(matrix: Any, label: Any) -> Any:
    """Moves single members to the cluster, or out alone, where that gains, until none does: the gain."""
    k = len(label)
    size = np.zeros(k, np.int64)
    for x in range(k):
        size[label[x]] += 1
    toward = np.zeros(k, np.int64)
    gain = 0
    for _ in range(_ROUNDS):
        moved = False
        for x in range(k):
            toward[:] = 0
            for y in range(k):
                if y != x:
                    toward[label[y]] += matrix[x, y]
            own = label[x]
            goal, value = own, toward[own]
            for c in range(k):
                if c != own and size[c] > 0 and toward[c] > value:
                    goal, value = c, toward[c]
            if goal == own and value < 0 and size[own] > 1:
                value = 0
                for c in range(k):
                    if size[c] == 0:
                        goal = c
                        break
            if goal != own:
                gain += value - toward[own]
                size[own] -= 1
                size[goal] += 1
                label[x] = goal
                moved = True
        if not moved:
            break
    return gain


@compiled
def _join(own: Any, exclusive: Any, out: Any) -> None:
    for a in range(len(own)):
        alone = False
        if exclusive[own[a]] >= 0:
            for b in range(a):
                alone |= exclusive[own[b]] == exclusive[own[a]]
        out[own[a]] = own[a] if alone else own[0]


@compiled
def _solve(
    starts: Any, members: Any, pair_starts: Any, of_pairs: Any, pairs: Any, weights: Any, exclusive: Any, unseen: Any, out: Any
) -> Any:
    """Clusters each component by itself: the gain of the local moves."""
    gain = 0
    place = np.empty(len(out), np.int64)
    for c in range(len(starts) - 1):
        k = starts[c + 1] - starts[c]
        own = members[starts[c] : starts[c + 1]]
        if k > 2 * LARGEST:  # so many that no weight tells them apart: one cluster, but for those that exclude each other
            _join(own, exclusive, out)
            continue
        matrix = np.full((k, k), -unseen)
        for a in range(k):
            place[own[a]] = a
        for q in range(pair_starts[c], pair_starts[c + 1]):
            p = of_pairs[q]
            a, b = place[pairs[p, 0]], place[pairs[p, 1]]
            matrix[a, b] = matrix[b, a] = weights[p]
        for a in range(k):
            if exclusive[own[a]] >= 0:
                for b in range(k):
                    if a != b and exclusive[own[b]] == exclusive[own[a]]:
                        matrix[a, b] = _NEVER
        label = np.empty(k, np.int64)
        _greedy(matrix, label)
        gain += _moves(matrix, label)
        first = np.full(k, -1)
        for a in range(k):
            if first[label[a]] < 0:
                first[label[a]] = own[a]
            out[own[a]] = first[label[a]]
    return gain


def cluster(
    n: int, pairs: NDArray[np.int32], weights: NDArray[np.int64], exclusive: NDArray[np.int64], unseen: int
) -> tuple[NDArray[np.int64], int]:
    """(label of each of n: the least member of its cluster; what the local moves gained).

    pairs (m, 2): no pair twice; weights (m,): what joining them gains; exclusive (n,): codes of which a cluster holds one member each, -1 for none.
    """
    use = np.ones(len(pairs), np.bool_)
    root = components(n, pairs, weights, 0, use)
    above = 0
    while len(root) and np.bincount(root).max() > LARGEST:
        root, above, whole = _cut(n, pairs, weights, root, above)
        if whole:
            break
    starts, members, pair_starts, of_pairs = _grouped(root, pairs)
    out = np.arange(n)
    gain = _solve(starts, members, pair_starts, of_pairs, pairs, weights, exclusive, np.int64(unseen), out)
    return out, int(gain)


def _cut(
    n: int, pairs: NDArray[np.int32], weights: NDArray[np.int64], root: NDArray[np.int64], above: int
) -> tuple[NDArray[np.int64], int, bool]:
    """Components with the too large ones cut at a higher weight; True where none can be cut further."""
    large = np.bincount(root, minlength=n) > LARGEST
    inside = large[root[pairs[:, 0]]] & (root[pairs[:, 0]] == root[pairs[:, 1]])
    held = weights[inside & (weights > above)]
    if not len(held) or held.min() == held.max():
        return root, above, True
    level = int(np.median(held))
    level = level if level < held.max() else int(held.max()) - 1
    keep = ~inside | (weights > level)
    return components(n, pairs, weights, 0, keep), level, False


@compiled
def _grouped(root: Any, pairs: Any) -> Any:
    """(starts, members) of the components of several, by their least member, and (starts, pairs) of the pairs within each."""
    n = len(root)
    size, place = np.zeros(n, np.int32), np.full(n, -1, np.int32)
    for i in range(n):
        size[root[i]] += 1
    count = members = 0
    for i in range(n):
        if size[i] > 1:
            place[i] = count
            count += 1
            members += size[i]
    starts, pair_starts = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    for i in range(n):
        if place[i] >= 0:
            starts[place[i] + 1] = size[i]
    inside = 0
    for p in range(len(pairs)):
        if root[pairs[p, 0]] == root[pairs[p, 1]]:
            pair_starts[place[root[pairs[p, 0]]] + 1] += 1
            inside += 1
    starts, pair_starts = np.cumsum(starts), np.cumsum(pair_starts)
    at, own, pair_at, of = starts.copy(), np.empty(members, np.int32), pair_starts.copy(), np.empty(inside, np.int64)
    for i in range(n):
        c = place[root[i]]
        if c >= 0:
            own[at[c]] = i
            at[c] += 1
    for p in range(len(pairs)):
        if root[pairs[p, 0]] == root[pairs[p, 1]]:
            c = place[root[pairs[p, 0]]]
            of[pair_at[c]] = p
            pair_at[c] += 1
    return starts, own, pair_starts, of
