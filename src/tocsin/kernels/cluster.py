"""Clusters from links, taken one after another, where some members exclude each other."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def _root(parent, i):  # type: ignore[no-untyped-def]
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True, nogil=True)
def _merge(n, left, right, exclusive):  # type: ignore[no-untyped-def]
    parent = np.arange(n)
    following = np.full(n, -1, np.int64)  # each cluster is a chain of its members, root first
    last = np.arange(n)
    for k in range(len(left)):
        a, b = _root(parent, left[k]), _root(parent, right[k])
        if a == b:
            continue
        clash = False
        x = a
        while x >= 0 and not clash:
            if exclusive[x] >= 0:
                y = b
                while y >= 0:
                    if exclusive[y] == exclusive[x]:
                        clash = True
                        break
                    y = following[y]
            x = following[x]
        if clash:
            continue
        if b < a:
            a, b = b, a
        parent[b] = a
        following[last[a]] = b
        last[a] = last[b]
    return parent


@njit(cache=True, nogil=True)
def _labels(parent):  # type: ignore[no-untyped-def]
    out = np.empty(len(parent), np.int64)
    for i in range(len(parent)):
        out[i] = _root(parent, i)
    return out


def merge(n: int, left: NDArray[np.int64], right: NDArray[np.int64], exclusive: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cluster labels, shape (n,): the least index of each cluster.

    Links (`left`, `right`, shape (m,)) are taken in order; one is passed over where it would put two members of the same `exclusive` code
    (shape (n,); -1 excludes nobody) into one cluster. The order of the links is the caller's tie rule.
    """
    parent = _merge(n, left, right, exclusive)
    return np.asarray(_labels(parent), dtype=np.int64)
