"""What changes for many audiences at once: each has a bit, each report the bits of those in whose clusters it takes part."""

from __future__ import annotations

from typing import Any

import numpy as np

from tocsin.kernels.words import compiled


@compiled
def tally(pairs: Any, before: Any, after: Any, first_new: Any, counts: Any, base: Any) -> None:
    """Counts candidates: counts (reports, audiences) of those that an audience sees, base (reports,) of those that take part for audience 0.

    Up where a pair begins to be one of candidates, down where it ends; pairs with a report from `first_new` on are met the first time.
    """
    audiences, one = counts.shape[1], np.uint64(1)
    for p in range(len(pairs)):
        a, b = pairs[p, 0], pairs[p, 1]
        for x, y in ((a, b), (b, a)):
            base[x] += np.int32(after[y] & one)
            if a < first_new and b < first_new:
                base[x] -= np.int32(before[y] & one)
        old, new = before[a] & before[b], after[a] & after[b]
        if old == new:
            continue
        for v in range(audiences):
            step = np.int32((new >> np.uint64(v)) & one) - np.int32((old >> np.uint64(v)) & one)
            counts[a, v] += step
            counts[b, v] += step


@compiled
def linked(a: Any, b: Any, score: Any, half: Any, least: Any, bit: Any, active: Any) -> Any:
    """Whether two are linked for the audience of one bit; least: (reports,), how many candidates weigh in links of each; score: with the prior."""
    return active[a] & active[b] & bit != 0 and score - half[least[a]] - half[least[b]] > 0


@compiled
def reach(chains: Any, half: Any, prior: Any, active: Any, one: Any, other: Any, queue: Any, begun: Any, mark: Any) -> Any:
    """All reports of the components, by the links of either of two audiences, that hold the first `begun` of `queue`: how many, put into `queue`.

    chains: head, following, other, weight; one, other: (bit, least) of an audience, see `linked`; mark: of those in the queue.
    """
    head, following, beside, weight = chains
    bit_a, least_a = one
    bit_b, least_b = other
    at, n = 0, begun
    while at < n:
        a = queue[at]
        at += 1
        e = head[a]
        while e >= 0:
            b = beside[e]
            if not mark[b]:
                score = weight[e] + prior
                if linked(a, b, score, half, least_a, bit_a, active) or linked(a, b, score, half, least_b, bit_b, active):
                    mark[b] = True
                    queue[n] = b
                    n += 1
            e = following[e]
    return n


@compiled
def _root(parent: Any, x: Any) -> Any:
    while parent[x] != x:
        parent[x] = parent[parent[x]]
        x = parent[x]
    return x


@compiled
def unite(chains: Any, half: Any, prior: Any, active: Any, one: Any, other: Any, members: Any, place: Any, ties: Any, parent: Any) -> None:
    """As `reach`: parent (members,) becomes the first of each one's component; ties: (m, 2) places of members that are in one whatever links say."""
    head, following, beside, weight = chains
    bit_a, least_a = one
    bit_b, least_b = other
    for k in range(len(members)):
        a = members[k]
        e = head[a]
        while e >= 0:
            b = beside[e]
            m = place[b]
            if m > k:
                score = weight[e] + prior
                if linked(a, b, score, half, least_a, bit_a, active) or linked(a, b, score, half, least_b, bit_b, active):
                    x, y = _root(parent, k), _root(parent, m)
                    parent[max(x, y)] = min(x, y)
            e = following[e]
    for t in range(len(ties)):
        x, y = _root(parent, ties[t, 0]), _root(parent, ties[t, 1])
        parent[max(x, y)] = min(x, y)
    for k in range(len(members)):
        parent[k] = _root(parent, k)


@compiled
def _mixed(x: Any) -> Any:
    """A step of splitmix64 (Steele, Lea and Flood 2014)."""
    x += np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@compiled
def digest(members: Any, component: Any, active: Any, bit: Any, least: Any, seed: Any, keys: Any) -> None:
    """Sums into keys (components, 2) 128 bits of each member, whether it takes part, and how many candidates weigh: equal sums are equal components."""
    for k in range(len(members)):
        x = members[k]
        said = (np.uint64(x) << np.uint64(17)) | (np.uint64(least[x]) << np.uint64(1)) | np.uint64(active[x] & bit != 0)
        first = _mixed(said ^ seed)
        keys[component[k], 0] += first
        keys[component[k], 1] += _mixed(first ^ said)
