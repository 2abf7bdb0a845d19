"""In threads of this process: kernels and Polars let go of the interpreter while they work."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


def here(function: Callable[[Any], Any], slices: Iterable[Any]) -> Iterator[Any]:
    """As many at a time as there are cores, and one waiting for each."""
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        waiting: deque[Future[Any]] = deque()
        for one in slices:
            waiting.append(pool.submit(function, one))
            if len(waiting) >= 2 * cores:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
