"""Lays cells out as Arrow string views: 16 bytes a cell that hold a short one whole and point to a long one.

Layout: Arrow columnar format 1.4, variable-size binary view.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tocsin.kernels.words import FULL, LOW, compiled, get, inlined, put, trailing_zeros, zero_bytes

SLACK = 32
"""Bytes that may be read past the last cell's text, and written past the last long cell's."""

_QUOTES = np.uint64(34) * LOW


@compiled
def long_bytes(lens: Any, rows: Any, columns: Any) -> Any:
    """For each of `columns`, the most bytes that `lay_out` writes for its long cells (`SLACK` apart)."""
    out = np.zeros(len(columns), np.int64)
    for r in range(rows):
        for k in range(len(columns)):
            size = lens[r, columns[k]]
            if size < 0:
                size = ~size
            if size > 12:
                out[k] += size
    return out


@compiled
def lay_out(buf: Any, starts: Any, lens: Any, rows: Any, columns: Any, places: Any) -> Any:
    """Writes the first `rows` cells of `columns`: for each, (empty cells, bytes of long cells written), as two int64 arrays.

    `starts` and `lens` (rows x cells, int32) say where in `buf` a cell is; a length below 0 is ~length of a cell with doubled quotes, which
    become one. An empty cell is null. `places` (columns x 3, int64) are the addresses of the views (16 bytes a row), of the validity bits
    (8 bytes for each 64 rows) and of the long cells' bytes. A cell equal to the last long one above it shares its bytes. `buf` goes on for
    `SLACK` bytes after the last cell, the long cells' place for as many after what `long_bytes` says.
    """
    text = buf.ctypes.data
    heads = np.zeros(len(columns), np.uint64)
    tails = np.zeros(len(columns), np.uint64)
    used = np.zeros(len(columns), np.int64)
    nulls = np.zeros(len(columns), np.int64)
    for low in range(0, rows, 128):  # so few rows that their text stays in the nearest cache while the columns take turns
        high = min(low + 128, rows)
        for k in range(len(columns)):
            c = columns[k]
            none, used[k], heads[k], tails[k] = _column(
                text, starts[low:high, c], lens[low:high, c], places[k], low, used[k], heads[k], tails[k]
            )
            nulls[k] += none
    return nulls, used


@compiled
def _column(text: Any, starts: Any, lens: Any, place: Any, low: Any, top: Any, head: Any, tail: Any) -> Any:
    """Up to 128 rows of one column: (empty cells, bytes used, the last long cell's view)."""
    view, valid, data = place[0] + 16 * low, place[1] + (low >> 3), place[2]
    nulls = 0
    bits = np.uint64(0)
    for r in range(len(lens)):
        size = np.int64(lens[r])
        start = text + np.int64(starts[r])
        if size < 0:
            size = _undouble(start, ~size, data + top)
            start = data + top
        one = np.uint64(0)
        two = np.uint64(0)
        if size == 0:
            nulls += 1
        elif size <= 12:
            one, two = _short(get(start), get(start + 4), size)
        else:
            first = np.uint64(size) | (get(start) << np.uint64(32))
            if first != head or not _same(start, data + np.int64(tail >> np.uint64(32)), size):
                _copy(start, data + top, size)
                head, tail = first, np.uint64(top) << np.uint64(32)
                top += size
            one, two = head, tail
        put(view, one)
        put(view + 8, two)
        view += 16
        bits |= np.uint64(size != 0) << np.uint64(r & 63)
        if r & 63 == 63 or r + 1 == len(lens):
            put(valid, bits)
            valid += 8
            bits = np.uint64(0)
    return nulls, top, head, tail


@inlined
def _short(head: Any, tail: Any, size: Any) -> Any:
    """The two words of a view that holds its own bytes: `head` begins at the cell's byte 0, `tail` at byte 4."""
    if size <= 4:
        return np.uint64(size) | ((head & (FULL >> np.uint64(64 - 8 * size))) << np.uint64(32)), np.uint64(0)
    return np.uint64(size) | (head << np.uint64(32)), tail & (FULL >> np.uint64(96 - 8 * size))


@inlined
def _same(one: Any, other: Any, size: Any) -> Any:
    for at in range(0, size - 7, 8):
        if get(one + at) != get(other + at):
            return False
    return get(one + size - 8) == get(other + size - 8)


@inlined
def _copy(source: Any, target: Any, size: Any) -> None:
    if source != target:
        for at in range(0, size, 8):
            put(target + at, get(source + at))


@inlined
def _undouble(source: Any, size: Any, target: Any) -> Any:
    """Copies a cell with each two quotes made one: the new length."""
    read = 0
    write = 0
    while read < size:
        word = get(source + read)
        mask = zero_bytes(word ^ _QUOTES)
        step = 8 if mask == 0 else (trailing_zeros(mask) >> 3) + 1
        put(target + write, word)
        if read + step > size:
            return write + size - read
        write += step
        read += step if mask == 0 else step + 1
    return write
