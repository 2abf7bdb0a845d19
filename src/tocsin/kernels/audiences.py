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
def reach(
    head: Any,
    following: Any,
    other: Any,
    weight: Any,
    half: Any,
    least: Any,
    prior: Any,
    active: Any,
    bit: Any,
    queue: Any,
    begun: Any,
    mark: Any,
) -> Any:
    """As `live.dirty`, for the audience of one bit; least: (reports,), of that audience."""
    at, n = 0, begun
    while at < n:
        a = queue[at]
        at += 1
        e = head[a]
        while e >= 0:
            b = other[e]
            if active[b] & bit and not mark[b] and weight[e] + prior - half[least[a]] - half[least[b]] > 0:
                mark[b] = True
                queue[n] = b
                n += 1
            e = following[e]
    return n
