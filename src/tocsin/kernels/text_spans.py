"""Hands the spans of a block of texts to Polars as one List(Struct) column, in one piece of memory.

The way is the Arrow C data interface (arrow.apache.org/docs/format/CDataInterface.html) in its PyCapsule form, as in kernels/arrow.py; words and
values are Arrow string views. The memory is freed by compiled code, on whatever thread holds the column last.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numba import carray, cfunc, types  # type: ignore[attr-defined]  # numba re-exports carray without saying so
from numpy.typing import NDArray

from tocsin.kernels.text import write
from tocsin.kernels.text_code import CODES, FIELDS, PLACE
from tocsin.kernels.words import compiled, get, put

_SLACK = 32  # bytes that may be read or written past the end of words
_INLINE = 12  # bytes that a view holds by itself
_NAMES = ("field", "value", "words", "start", "end")

_free = types.ExternalFunction("PyMem_RawFree", types.void(types.intp))
_native: Callable[[Callable[..., Any]], Any] = cfunc(types.void(types.CPointer(types.intp)), cache=True)


@_native
def _release_schema(schema: Any) -> None:
    carray(schema, 9)[7] = 0


@_native
def _release_child(array: Any) -> None:
    carray(array, 10)[8] = 0  # its memory is its parent's


@_native
def _release_list(array: Any) -> None:
    fields = carray(array, 10)
    _free(fields[9])
    fields[8] = 0


_capsule = ctypes.pythonapi.PyCapsule_New
_capsule.restype = ctypes.py_object
_capsule.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
_allocate = ctypes.pythonapi.PyMem_RawMalloc
_allocate.restype = ctypes.c_void_p
_allocate.argtypes = (ctypes.c_size_t,)


@dataclass(frozen=True)
class Values:
    """The texts of all values that a span can have, as string views."""

    views: NDArray[np.uint64]  # two words a text
    base: NDArray[np.int64]  # of each field: where its texts begin
    pool: bytes  # what is longer than a view holds
    names: NDArray[np.uint64]  # the fields' names, as views


def values_of(codes: Sequence[Sequence[str]], places: Sequence[str]) -> Values:
    """The texts of the codes of each coded field, and of the places."""
    base, texts, pool = np.zeros(len(FIELDS), np.int64), list[bytes](), bytearray()
    for field, some in [*enumerate(codes), (PLACE, places)]:
        base[field] = len(texts)
        texts += [t.encode() for t in some]
    return Values(_views(texts, pool), base, bytes(pool), _views([f.encode() for f in FIELDS], bytearray()))


def _views(texts: list[bytes], pool: bytearray) -> NDArray[np.uint64]:
    out = np.zeros((len(texts), 16), np.uint8)
    for row, one in zip(out, texts, strict=True):
        row[:4] = np.frombuffer(len(one).to_bytes(4, "little"), np.uint8)
        head = one if len(one) <= _INLINE else one[:4] + bytes(4) + len(pool).to_bytes(4, "little")
        row[4 : 4 + len(head)] = np.frombuffer(head, np.uint8)
        if len(one) > _INLINE:
            pool += one
    return out.view(np.uint64).reshape(-1, 2)


@compiled
def _fill(buf: Any, spans: Any, n: Any, values: Any, base: Any, names: Any, places: Any) -> Any:
    """Writes the columns of `n` spans at the addresses `places` (field, value, words, long words, start, end): bytes of long words."""
    text, used = np.int64(buf.ctypes.data), np.int64(0)
    field_at, value_at, words_at, long_at, start_at, end_at = places
    for k in range(n):
        field = spans[k, 0]
        put(field_at + 16 * k, names[field, 0])
        put(field_at + 16 * k + 8, names[field, 1])
        if CODES <= field < PLACE:
            one, two = _digits(spans[k, 1])
        else:
            row = base[field] + spans[k, 1]
            one, two = values[row, 0], values[row, 1]
        put(value_at + 16 * k, one)
        put(value_at + 16 * k + 8, two)
        begin = text + spans[k, 4]
        size = spans[k, 5] - spans[k, 4]
        one, two = _short(begin, size)
        if size > 12:
            one = np.uint64(size) | get(begin) << np.uint64(32)
            two = np.uint64(used) << np.uint64(32)
            for at in range(0, size, 8):
                put(long_at + used + at, get(begin + at))
            used += size
        put(words_at + 16 * k, one)
        put(words_at + 16 * k + 8, two)
        write(start_at + 4 * k, np.int64(spans[k, 2]))
        write(end_at + 4 * k, np.int64(spans[k, 3]))
    return used


@compiled
def _short(begin: Any, size: Any) -> Any:
    """The view of at most twelve bytes."""
    full = np.uint64(0xFFFFFFFFFFFFFFFF)
    one = np.uint64(size) | get(begin) << np.uint64(32)
    if size < 4:
        return one & (full >> np.uint64(32 - 8 * size)), np.uint64(0)
    if size <= 4:
        return one, np.uint64(0)
    return one, get(begin + 4) & (full >> np.uint64(max(0, 96 - 8 * size)))


@compiled
def _digits(number: Any) -> Any:
    """A number of at most ten digits as the view of its text."""
    one, two, size, rest = np.uint64(0), np.uint64(0), 0, number
    while True:
        two = two << np.uint64(8) | one >> np.uint64(56)
        one = one << np.uint64(8) | np.uint64(48 + rest % 10)
        rest //= 10
        size += 1
        if rest == 0:
            break
    # `one` and `two` hold the bytes in order; the first four belong behind the length
    return np.uint64(size) | one << np.uint64(32), one >> np.uint64(32) | two << np.uint64(32)


class SpanMemory:
    """The spans of a block as an Arrow array; `pl.Series(name, memory)` takes it over once."""

    def __init__(self, buf: NDArray[np.uint8], spans: NDArray[np.int32], counts: NDArray[np.int32], values: Values) -> None:
        n, rows = len(spans), len(counts)
        sizes = spans[:, 5] - spans[:, 4]
        long_bytes = int(sizes[sizes > _INLINE].sum())
        ends = np.zeros(rows + 1, np.int64)
        np.cumsum(counts, out=ends[1:])
        parts = {"arrays": 560, "tables": 8 * 26, "sizes": 32, "offsets": 8 * (rows + 1), "field": 16 * n, "value": 16 * n, "words": 16 * n}
        parts |= {"start": 4 * n, "end": 4 * n, "pool": len(values.pool), "long": long_bytes + _SLACK}
        self._at = self._laid_out(parts)
        self._rows, self._n = rows, n
        ctypes.memmove(self._at["offsets"], ends.ctypes.data, ends.nbytes)
        ctypes.memmove(self._at["pool"], values.pool, len(values.pool))
        places = tuple(self._at[name] for name in ("field", "value", "words", "long", "start", "end"))
        used = fill(buf, spans, values, places)
        self._describe(len(values.pool), used)

    def _laid_out(self, parts: dict[str, int]) -> dict[str, int]:
        self._block = _allocate(sum((size + 15) & ~15 for size in parts.values()))
        if not self._block:
            raise MemoryError("no memory for the spans of a block of texts")
        at, out = self._block, {}
        for name, size in parts.items():
            out[name] = at
            at += (size + 15) & ~15
        return out

    def _describe(self, pool: int, long_bytes: int) -> None:
        """Writes the seven ArrowArray structs, their tables of buffers and of children."""
        at, n = self._at, self._n
        arrays = [at["arrays"] + 80 * k for k in range(7)]
        sizes = (ctypes.c_int64 * 3).from_address(at["sizes"])
        sizes[:] = [0, pool, long_bytes]
        buffers = [[0, at["offsets"]], [0]]
        buffers += [
            [0, at[name], at[data], at["sizes"] + 8 * k]
            for k, (name, data) in enumerate((("field", "pool"), ("value", "pool"), ("words", "long")))
        ]
        buffers += [[0, at["start"]], [0, at["end"]]]
        table = (ctypes.c_int64 * 26).from_address(at["tables"])
        children = [arrays[1:2], arrays[2:], [], [], [], [], []]
        top = 0
        for k, address in enumerate(arrays):
            mine, below = buffers[k], children[k]
            table[top : top + len(mine) + len(below)] = mine + below
            here = at["tables"] + 8 * top
            release = _release_child.address if k else _release_list.address
            fields = [
                n if k else self._rows,
                0,
                0,
                len(mine),
                len(below),
                here,
                here + 8 * len(mine) if below else 0,
                0,
                release,
                self._block,
            ]
            (ctypes.c_int64 * 10).from_address(address)[:] = fields
            top += len(mine) + len(below)

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        formats = [(b"+L", b""), (b"+s", b"item"), *zip((b"vu", b"vu", b"vu", b"i", b"i"), (s.encode() for s in _NAMES), strict=True)]
        self._schemas = [(ctypes.c_void_p * 9)() for _ in formats]  # kept until the capsules are read
        addresses = [ctypes.addressof(s) for s in self._schemas]
        self._inner, self._leaves = (ctypes.c_void_p * 1)(addresses[1]), (ctypes.c_void_p * 5)(*addresses[2:])
        self._texts = [ctypes.create_string_buffer(t) for pair in formats for t in pair]
        below: list[tuple[int, Any]] = [(1, self._inner), (5, self._leaves), *[(0, None)] * 5]
        for k, schema in enumerate(self._schemas):
            count, table = below[k]
            pointer = ctypes.addressof(table) if count else None
            text, name = (ctypes.addressof(t) for t in self._texts[2 * k : 2 * k + 2])
            schema[:] = [text, name, None, 2, count, pointer, None, _release_schema.address, None]
        array, self._block = self._block, None
        return _capsule(addresses[0], b"arrow_schema", None), _capsule(array, b"arrow_array", None)

    def series(self, name: str) -> pl.Series:
        """The column; call it once."""
        return pl.Series(name, self)

    def __del__(self) -> None:
        if self._block:
            ctypes.pythonapi.PyMem_RawFree(ctypes.c_void_p(self._block))


def fill(buf: NDArray[np.uint8], spans: NDArray[np.int32], values: Values, places: tuple[int, ...]) -> int:
    """Writes the columns of spans at their addresses: bytes of long words. `buf` goes on for 32 bytes after its last text."""
    return int(_fill(buf, spans, len(spans), values.views, values.base, values.names, places))
