"""Which keys came before: a set of 64-bit keys that grows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.words import compiled, inlined


class Seen:
    """A set of unsigned 64-bit keys (open addressing, linear probing; Knuth, TAOCP 3, 6.4, algorithm L); it uses at most 32 bytes a key."""

    def __init__(self) -> None:
        self._slots: NDArray[np.uint64] = np.zeros(1024, np.uint64)
        self._count = 0
        self._zero = False

    def __len__(self) -> int:
        return self._count + self._zero

    def add(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Adds `keys`; true for each that was there before, or stands earlier in `keys`."""
        keys = np.ascontiguousarray(keys, np.uint64)
        before: NDArray[np.bool_] = np.zeros(len(keys), np.bool_)
        at = 0
        while at < len(keys):
            # At most half full, so that a probe is short and always finds an end.
            part = keys[at : at + max(len(self._slots) // 2 - self._count, 0)]
            if not len(part):
                self._slots = _grown(self._slots)
                continue
            self._count += _add(self._slots, part, before[at : at + len(part)])
            at += len(part)
        self._zero |= _zero(keys, before, self._zero)
        return before


@inlined
def _slot(slots: Any, key: Any) -> Any:
    """Where `key` stands, or the free slot where it belongs. Keys may be anything, so they are mixed first (SplitMix64's finaliser)."""
    x = key
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    mask = np.uint64(len(slots) - 1)
    at = x & mask
    while slots[at] != 0 and slots[at] != key:
        at = (at + np.uint64(1)) & mask
    return at


@compiled
def _add(slots: Any, keys: Any, before: Any) -> Any:
    """Adds all keys but 0, which marks a free slot: how many are new."""
    new = 0
    for k in range(len(keys)):
        key = keys[k]
        if key == 0:
            continue
        at = _slot(slots, key)
        if slots[at] == key:
            before[k] = True
        else:
            slots[at] = key
            new += 1
    return new


@compiled
def _grown(slots: Any) -> Any:
    out = np.zeros(2 * len(slots), np.uint64)
    for key in slots:
        if key != 0:
            out[_slot(out, key)] = key
    return out


@compiled
def _zero(keys: Any, before: Any, known: Any) -> Any:
    """Marks the zeros among `keys`: true where there is any."""
    found = False
    for k in range(len(keys)):
        if keys[k] == 0:
            before[k] = known or found
            found = True
    return found
