"""Correlation clustering: clusters whose summed weights are as great as greedy merging and then local moves make them.

Weights are whole numbers; a pair that is not given weighs `-unseen`, two members of one exclusive code are never joined, and pairs that weigh
TOGETHER or APART always or never. Members of a component stand in the order of their numbers, and of equal gains the one with the lesser numbers
is taken, so the result depends on the pairs alone. tests/oracles/correlate.py says the same slowly. Bansal, Blum & Chawla 2004 (the problem);
greedy additive contraction as in Keuper et al. 2015.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.words import compiled

#: Members of a component that are weighed all against all; a larger one is first cut where its weights are least.
LARGEST = 1500
#: Weights of pairs that are decided: in one cluster whatever else holds, or in two. No two members may be both.
TOGETHER = 1 << 41
APART = -(1 << 40)
_ROUNDS = 20


@compiled
def _root(parent: Any, i: Any) -> Any:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@compiled
def components(n: Any, pairs: Any, weights: Any, above: Any) -> Any:
    """For each of n, the least member of its component under the pairs that weigh more than `above`."""
    parent = np.arange(n)
    for p in range(len(pairs)):
        if weights[p] > above:
            a, b = _root(parent, pairs[p, 0]), _root(parent, pairs[p, 1])
            if a != b:
                parent[max(a, b)] = min(a, b)
    for i in range(n):
        parent[i] = _root(parent, i)
    return parent


@compiled
def _greedy(matrix: Any, label: Any) -> None:
    """Merges the two clusters that gain most, while any two gain; label: what they begin with, the least member of each."""
    k = len(label)
    sums = matrix.copy()
    alive = np.ones(k, np.bool_)
    best, other = np.zeros(k, np.int64), np.full(k, -1)
    for b in range(k):
        a = label[b]
        if a != b:
            alive[b] = False
            for x in range(k):
                if alive[x] and x != a:
                    sums[a, x] += sums[b, x]
                    sums[x, a] = sums[a, x]
    for a in range(k):
        for b in range(a + 1, k):
            if alive[a] and alive[b] and sums[a, b] > best[a]:
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
def _moves(matrix: Any, label: Any, bound: Any) -> Any:
    """Moves single members that are not bound to the cluster, or out alone, where that gains, until none does: the gain."""
    k = len(label)
    size = np.zeros(k, np.int64)
    for x in range(k):
        size[label[x]] += 1
    toward = np.zeros(k, np.int64)
    gain = 0
    for _ in range(_ROUNDS):
        moved = False
        for x in range(k):
            if bound[x]:
                continue
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


class Parts(NamedTuple):
    """Components of several members, each with its pairs: what is clustered apart from all else."""

    starts: NDArray[np.int64]  # of the members
    members: NDArray[np.int32]
    pair_starts: NDArray[np.int64]
    ends: NDArray[np.int32]  # (m, 2): of each pair, counted within its component
    weights: NDArray[np.int64]
    exclusive: NDArray[np.int64]  # of each member

    def cut(self, low: int, high: int) -> Parts:
        """The components low..high-1."""
        a, b, p, q = self.starts[low], self.starts[high], self.pair_starts[low], self.pair_starts[high]
        return Parts(
            self.starts[low : high + 1] - a,
            self.members[a:b],
            self.pair_starts[low : high + 1] - p,
            self.ends[p:q],
            self.weights[p:q],
            self.exclusive[a:b],
        )


class Solved(NamedTuple):
    """Clusters of some components."""

    labels: NDArray[np.int32]  # of each member: the least of its cluster
    margins: NDArray[np.int64]  # what each member has in its cluster more than elsewhere or alone; `NO_MARGIN` where too many to tell
    gain: int  # of the local moves


#: Stands where a margin cannot be told.
NO_MARGIN = 1 << 40


def solve(parts: Parts, unseen: int) -> Solved:
    """Clusters each component by itself. A pair that is not given weighs `-unseen`."""
    labels, margins = np.empty(len(parts.members), np.int32), np.empty(len(parts.members), np.int64)
    return Solved(labels, margins, int(_solve(*parts, np.int64(unseen), labels, margins)))


@compiled
def _margins(matrix: Any, label: Any, bound: Any, out: Any) -> None:
    k = len(label)
    size, toward = np.zeros(k, np.int64), np.zeros(k, np.int64)
    for x in range(k):
        size[label[x]] += 1
    for x in range(k):
        toward[:] = 0
        for y in range(k):
            if y != x:
                toward[label[y]] += matrix[x, y]
        other = APART // 2
        if size[label[x]] > 1:
            other = 0  # alone
        for c in range(k):
            if c != label[x] and size[c] > 0:
                other = max(other, toward[c])
        out[x] = NO_MARGIN if bound[x] or other == APART // 2 else toward[label[x]] - other


@compiled
def _solve(
    starts: Any, members: Any, pair_starts: Any, ends: Any, weights: Any, exclusive: Any, unseen: Any, out: Any, margins: Any
) -> Any:
    gain = 0
    for c in range(len(starts) - 1):
        low, high = starts[c], starts[c + 1]
        own, alone, result = members[low:high], exclusive[low:high], out[low:high]
        k = len(own)
        mine, weight = ends[pair_starts[c] : pair_starts[c + 1]], weights[pair_starts[c] : pair_starts[c + 1]]
        label = components(k, mine, weight, TOGETHER - 1)
        if k > 2 * LARGEST:  # so many that no weight tells them apart: one cluster, but for those that exclude each other
            _join(own, alone, mine, weight, label, result)
            margins[low:high] = NO_MARGIN
            continue
        matrix = np.full((k, k), -unseen)
        bound = np.zeros(k, np.bool_)
        for p in range(len(mine)):
            a, b = mine[p, 0], mine[p, 1]
            matrix[a, b] = matrix[b, a] = 0 if weight[p] == TOGETHER else weight[p]
        for a in range(k):
            if label[a] != a:
                bound[a] = bound[label[a]] = True
            if alone[a] >= 0:
                for b in range(k):
                    if label[a] != label[b] and alone[b] == alone[a]:
                        matrix[a, b] = APART
        _greedy(matrix, label)
        gain += _moves(matrix, label, bound)
        _margins(matrix, label, bound, margins[low:high])
        first = np.full(k, -1)
        for a in range(k):
            if first[label[a]] < 0:
                first[label[a]] = own[a]
            result[a] = first[label[a]]
    return gain


@compiled
def _join(own: Any, exclusive: Any, pairs: Any, weights: Any, bound: Any, out: Any) -> None:
    """Each into the first cluster that holds nothing it excludes."""
    k = len(own)
    label, barred = np.full(k, -1), np.full(k, -1)
    starts, others = _apart(k, pairs, weights)
    for a in range(k):
        if bound[a] != a:
            label[a] = label[bound[a]]
            continue
        for x in range(a, k):
            if bound[x] != a:
                continue
            for p in range(starts[x], starts[x + 1]):
                if label[others[p]] >= 0:
                    barred[label[others[p]]] = a
            for b in range(k):
                if exclusive[x] >= 0 and exclusive[b] == exclusive[x] and label[b] >= 0:
                    barred[label[b]] = a
        for c in range(k):
            if barred[c] != a:
                label[a] = c
                break
    first = np.full(k, -1)
    for a in range(k):
        if first[label[a]] < 0:
            first[label[a]] = own[a]
        out[a] = first[label[a]]


@compiled
def _apart(k: Any, pairs: Any, weights: Any) -> Any:
    """(starts, members) that each of k is decided to be apart from."""
    starts = np.zeros(k + 1, np.int64)
    for p in range(len(pairs)):
        if weights[p] == APART:
            starts[pairs[p, 0] + 1] += 1
            starts[pairs[p, 1] + 1] += 1
    starts = np.cumsum(starts)
    at, out = starts.copy(), np.empty(starts[k], np.int64)
    for p in range(len(pairs)):
        if weights[p] == APART:
            for x in range(2):
                out[at[pairs[p, x]]] = pairs[p, 1 - x]
                at[pairs[p, x]] += 1
    return starts, out


def parts(n: int, pairs: NDArray[np.int32], weights: NDArray[np.int64], exclusive: NDArray[np.int64]) -> Parts:
    """The components of several members under the pairs that weigh more than 0; too large ones are cut where their weights are least, each by itself.

    pairs (m, 2): of a pair that is given twice the later counts; exclusive (n,): codes of which a cluster holds one member each, -1 for none.
    """
    root = components(n, pairs, weights, 0)
    large = np.bincount(root, minlength=1) > LARGEST
    if large.any():
        held = np.flatnonzero(large[root[pairs[:, 0]]] & (weights > 0) & (weights < TOGETHER))
        for c in np.flatnonzero(large):
            members = np.flatnonzero(root == c)
            own = held[root[pairs[held, 0]] == c]
            root[members] = members[_cut(len(members), np.searchsorted(members, pairs[own]).astype(np.int32), weights[own], 0)]
        for a, b in pairs[weights == TOGETHER]:
            if root[a] != root[b]:
                root[root == max(root[a], root[b])] = min(root[a], root[b])
    starts, members, pair_starts, of = _grouped(root, pairs)
    return Parts(starts, members, pair_starts, _within(starts, members, pair_starts, pairs[of]), weights[of], exclusive[members])


def _cut(n: int, pairs: NDArray[np.int32], weights: NDArray[np.int64], above: int) -> NDArray[np.int64]:
    """For each of one component's members, the least of its part: cut at ever higher weights, until no part is too large or no weight tells it apart."""
    if n <= LARGEST or not len(weights) or weights.min() == weights.max():
        return np.zeros(n, np.int64)
    level = int(np.median(weights))
    level = level if level < weights.max() else int(weights.max()) - 1
    pairs, weights = pairs[weights > level], weights[weights > level]
    root = np.asarray(components(n, pairs, weights, level))
    for c in np.flatnonzero(np.bincount(root) > LARGEST):
        members = np.flatnonzero(root == c)
        own = root[pairs[:, 0]] == c
        root[members] = members[_cut(len(members), np.searchsorted(members, pairs[own]).astype(np.int32), weights[own], level)]
    return root


def cluster(
    n: int, pairs: NDArray[np.int32], weights: NDArray[np.int64], exclusive: NDArray[np.int64], unseen: int
) -> tuple[NDArray[np.int64], int]:
    """(label of each of n: the least member of its cluster; what the local moves gained); arguments as for `parts` and `solve`."""
    out = np.arange(n)
    several = parts(n, pairs, weights, exclusive)
    found = solve(several, unseen)
    out[several.members] = found.labels
    return out, found.gain


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


@compiled
def _within(starts: Any, members: Any, pair_starts: Any, pairs: Any) -> Any:
    """Pairs, grouped by component, counted within it: members stand in their order."""
    out = np.empty_like(pairs)
    for c in range(len(starts) - 1):
        own = members[starts[c] : starts[c + 1]]
        for p in range(pair_starts[c], pair_starts[c + 1]):
            for k in range(2):
                out[p, k] = np.searchsorted(own, pairs[p, k])
    return out
