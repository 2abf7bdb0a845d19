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
def _moves(matrix: Any, label: Any, bound: Any, rounds: Any) -> Any:
    """Moves single members that are not bound to the cluster, or out alone, where that gains, until none does: the gain."""
    k = len(label)
    size = np.zeros(k, np.int64)
    for x in range(k):
        size[label[x]] += 1
    toward = np.zeros(k, np.int64)
    gain = 0
    for _ in range(rounds):
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
    sizes: NDArray[np.int64]  # how many each member stands for

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
            self.sizes[a:b],
        )


class Solved(NamedTuple):
    """Clusters of some components."""

    labels: NDArray[np.int32]  # of each member: the least of its cluster
    margins: NDArray[np.int64]  # what each member has in its cluster more than elsewhere or alone; `NO_MARGIN` where too many to tell
    gain: int  # of the local moves


#: Stands where a margin cannot be told.
NO_MARGIN = 1 << 40


def solve(parts: Parts, unseen: int, rounds: int = _ROUNDS) -> Solved:
    """Clusters each component by itself. A pair that is not given weighs `-unseen`; rounds: of local moves after the greedy merges, at most."""
    labels, margins = np.empty(len(parts.members), np.int32), np.empty(len(parts.members), np.int64)
    return Solved(labels, margins, int(_solve(*parts, np.int64(unseen), rounds, labels, margins)))


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
    starts: Any,
    members: Any,
    pair_starts: Any,
    ends: Any,
    weights: Any,
    exclusive: Any,
    sizes: Any,
    unseen: Any,
    rounds: Any,
    out: Any,
    margins: Any,
) -> Any:
    gain = 0
    for c in range(len(starts) - 1):
        low, high = starts[c], starts[c + 1]
        own, alone, size, result = members[low:high], exclusive[low:high], sizes[low:high], out[low:high]
        k = len(own)
        mine, weight = ends[pair_starts[c] : pair_starts[c + 1]], weights[pair_starts[c] : pair_starts[c + 1]]
        label = components(k, mine, weight, TOGETHER - 1)
        matrix = np.empty((k, k), np.int64)
        for a in range(k):
            for b in range(k):
                matrix[a, b] = -unseen * size[a] * size[b]
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
        gain += _moves(matrix, label, bound, rounds)
        _margins(matrix, label, bound, margins[low:high])
        first = np.full(k, -1)
        for a in range(k):
            if first[label[a]] < 0:
                first[label[a]] = own[a]
            result[a] = first[label[a]]
    return gain


def parts(
    n: int,
    pairs: NDArray[np.int32],
    weights: NDArray[np.int64],
    exclusive: NDArray[np.int64],
    root: NDArray[np.int64] | None = None,
    sizes: NDArray[np.int64] | None = None,
) -> Parts:
    """The components of several members under the pairs that weigh more than 0, or those that `root` gives (the least member of each).

    pairs (m, 2): of a pair that is given twice the later counts; exclusive (n,): codes of which a cluster holds one member each, -1 for none; sizes
    (n,): how many each stands for, 1 by default.
    """
    root = components(n, pairs, weights, 0) if root is None else root
    starts, members, pair_starts, of = _grouped(root, pairs)
    size = np.ones(len(members), np.int64) if sizes is None else sizes[members]
    return Parts(starts, members, pair_starts, _within(starts, members, pair_starts, pairs[of]), weights[of], exclusive[members], size)


class Large(NamedTuple):
    """A component too large for `solve`, clustered."""

    members: NDArray[np.int64]
    labels: NDArray[np.int64]  # of each member: the least of its cluster


def take_large(
    n: int, pairs: NDArray[np.int32], weights: NDArray[np.int64], exclusive: NDArray[np.int64], unseen: int
) -> tuple[NDArray[np.int64], list[Large]]:
    """(components, the least member of each, where the members of one too large for `solve` stand alone; those, clustered)."""
    root = np.asarray(components(n, pairs, weights, 0))
    out = []
    for c in np.flatnonzero(np.bincount(root, minlength=1) > LARGEST):
        members = np.flatnonzero(root == c)
        own = root[pairs[:, 0]] == c
        own[own] = root[pairs[own, 1]] == c
        inside = _places(n, members)[pairs[own]]
        out.append(Large(members, members[_coarsened(len(members), inside, weights[own], exclusive[members], unseen)]))
    for one in out:
        root[one.members] = one.members
    return root, out


def _coarsened(
    n: int, pairs: NDArray[np.int32], weights: NDArray[np.int64], exclusive: NDArray[np.int64], unseen: int
) -> NDArray[np.int64]:
    """Clusters of one large component: cut where its weights are least and each part solved, then again with the clusters as members, until none join."""
    pairs, weights = _once(pairs, weights)
    node = np.asarray(components(n, pairs, weights, TOGETHER - 1))
    barred = _barred(exclusive)
    barred = barred[node[barred[:, 0]] != node[barred[:, 1]]]
    graph = _Graph(np.concatenate([pairs, barred]), np.concatenate([weights, np.full(len(barred), APART)]), np.array(1))
    for _ in range(_ROUNDS):
        graph = graph.joined(node)
        sizes = np.bincount(node, minlength=n)
        alive = np.flatnonzero(sizes)
        place = _places(n, alive)
        ends = place[graph.ends]
        gain = graph.sums - unseen * (sizes[graph.ends[:, 0]] * sizes[graph.ends[:, 1]] - graph.seen)
        gain[graph.sums < APART // 2] = APART
        root = _cut_large(len(alive), ends, gain)
        several = parts(len(alive), ends, gain, np.full(len(alive), -1), root, sizes[alive])
        label = np.arange(len(alive))
        label[several.members] = solve(several, unseen).labels
        after = alive[label[place[node]]]
        if (after == node).all():
            break
        node = after
    return np.asarray(node)


def _places(n: int, members: NDArray[np.int64]) -> NDArray[np.int32]:
    """Where each of n stands among the members."""
    out = np.full(n, -1, np.int32)
    out[members] = np.arange(len(members), dtype=np.int32)
    return out


class _Graph(NamedTuple):
    """Pairs of clusters."""

    ends: NDArray[np.int32]  # (m, 2), the least members
    sums: NDArray[np.int64]  # of the weights of pairs between them
    seen: NDArray[np.int64]  # how many these are; one number where all are alike

    def joined(self, node: NDArray[np.int64]) -> _Graph:
        """With each pair once, between the clusters that `node` gives."""
        if (node == np.arange(len(node))).all():
            return self
        names, place = np.unique(node, return_inverse=True)
        a, b = place[self.ends[:, 0]], place[self.ends[:, 1]]
        apart = np.flatnonzero(a != b)
        a, b = a[apart], b[apart]
        keys = np.minimum(a, b) * len(names) + np.maximum(a, b)
        if len(names) <= _DENSE:
            which, size = keys, len(names) ** 2
        else:
            keys, which = np.unique(keys, return_inverse=True)
            size = len(keys)
        sums, seen = np.zeros(size, np.int64), np.zeros(size, np.int64)
        np.add.at(sums, which, self.sums[apart])
        np.add.at(seen, which, self.seen[apart] if self.seen.ndim else self.seen)
        if len(names) <= _DENSE:
            keys = np.flatnonzero(seen)
            sums, seen = sums[keys], seen[keys]
        return _Graph(names[np.stack([keys // len(names), keys % len(names)], axis=1)].astype(np.int32), sums, seen)


_DENSE = 3000  # clusters whose pairs are summed in a table


def _once(pairs: NDArray[np.int32], weights: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Pairs without those that are given again later, as those are that a person decided."""
    last = np.flatnonzero((weights == APART) | (weights == TOGETHER))
    if not len(last):
        return pairs, weights
    keys = pairs[:, 0].astype(np.int64) << 32 | pairs[:, 1]
    keep = ~np.isin(keys, keys[last])
    keep[last] = True
    return pairs[keep], weights[keep]


def _barred(exclusive: NDArray[np.int64]) -> NDArray[np.int32]:
    """All pairs of one exclusive code."""
    out = [np.empty((0, 2), np.int32)]
    for code in np.unique(exclusive[exclusive >= 0]):
        who = np.flatnonzero(exclusive == code)
        a, b = np.triu_indices(len(who), 1)
        out.append(np.stack([who[a], who[b]], axis=1).astype(np.int32))
    return np.concatenate(out)


def _cut_large(n: int, pairs: NDArray[np.int32], weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """Components, those too large cut where their weights are least."""
    root = np.asarray(components(n, pairs, weights, 0))
    held = weights > 0
    pairs, weights = pairs[held], weights[held]
    for c in np.flatnonzero(np.bincount(root) > LARGEST):
        members = np.flatnonzero(root == c)
        own = root[pairs[:, 0]] == c
        root[members] = members[_cut(len(members), _places(n, members)[pairs[own]], weights[own], 0)]
    return root


def _cut(n: int, pairs: NDArray[np.int32], weights: NDArray[np.int64], above: int) -> NDArray[np.int64]:
    """For each of one component's members, the least of its part: cut at ever higher weights; by order where no weight tells them apart."""
    if n <= LARGEST:
        return np.zeros(n, np.int64)
    if not len(weights) or weights.min() == weights.max():
        return np.asarray(np.arange(n) // LARGEST * LARGEST)
    level = int(np.median(weights))
    level = level if level < weights.max() else int(weights.max()) - 1
    pairs, weights = pairs[weights > level], weights[weights > level]
    root = np.asarray(components(n, pairs, weights, level))
    for c in np.flatnonzero(np.bincount(root) > LARGEST):
        members = np.flatnonzero(root == c)
        own = root[pairs[:, 0]] == c
        root[members] = members[_cut(len(members), _places(n, members)[pairs[own]], weights[own], level)]
    return root


def cluster(
    n: int, pairs: NDArray[np.int32], weights: NDArray[np.int64], exclusive: NDArray[np.int64], unseen: int
) -> tuple[NDArray[np.int64], int]:
    """(label of each of n: the least member of its cluster; what the local moves gained); arguments as for `parts` and `solve`."""
    root, large = take_large(n, pairs, weights, exclusive, unseen)
    several = parts(n, pairs, weights, exclusive, root)
    found = solve(several, unseen)
    out = np.arange(n)
    out[several.members] = found.labels
    for one in large:
        out[one.members] = one.labels
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
