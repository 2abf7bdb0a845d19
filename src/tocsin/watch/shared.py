"""What tests found, kept for looks that are taken one after another: where two agencies see the same of a stream, it is tested once.

A test is a function of the numbers that it is given, its seed among them: what is kept is what it would give again.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")
MOST = 400  # tests that are kept: four looks or so


class Shared:
    """The latest tests, by all that they were given."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._kept = most, OrderedDict[bytes, Any]()

    def found(self, given: tuple[Any, ...], make: Callable[[], T]) -> T:
        """What `make` gives, or gave before for the same. given: numbers, texts, arrays, and lists of these."""
        key = _key(given)
        if key not in self._kept:
            self._kept[key] = make()
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        found: T = self._kept[key]
        return found


def once(shared: Shared | None, given: tuple[Any, ...], make: Callable[[], T]) -> T:
    """What `make` gives; where looks share, it is made once."""
    return make() if shared is None else shared.found(given, make)


def _key(given: tuple[Any, ...]) -> bytes:
    made = hashlib.blake2b(digest_size=16)
    for one in given:
        if isinstance(one, np.ndarray):
            made.update(repr((one.shape, one.dtype.str)).encode())
            made.update(np.ascontiguousarray(one).data)
        else:
            made.update(repr(one).encode() + b"\0")
    return made.digest()
