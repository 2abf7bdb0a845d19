"""Hands memory that a kernel filled to Polars as a String column, without a copy.

The way is the Arrow C data interface (arrow.apache.org/docs/format/CDataInterface.html) in its PyCapsule form. Whoever holds the column
last frees the memory, on whatever thread that is, so the release is compiled code that needs no Python lock.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from numba import carray, cfunc, types  # type: ignore[attr-defined]  # numba re-exports carray without saying so

from tocsin.kernels.views import SLACK

_free = types.ExternalFunction("PyMem_RawFree", types.void(types.intp))
_native: Callable[[Callable[..., Any]], Any] = cfunc(types.void(types.CPointer(types.intp)), cache=True)  # type: ignore[no-untyped-call]
# numba has no type for it


class _Schema(ctypes.Structure):
    _fields_ = (
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", ctypes.c_char_p),
        ("flags", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    )


class _Array(ctypes.Structure):
    _fields_ = (
        ("length", ctypes.c_int64),
        ("null_count", ctypes.c_int64),
        ("offset", ctypes.c_int64),
        ("n_buffers", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("buffers", ctypes.c_void_p),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    )


@_native
def _release_schema(schema: Any) -> None:
    carray(schema, 9)[7] = 0  # its strings are constants: nothing to free


@_native
def _release_array(array: Any) -> None:
    fields = carray(array, 10)
    _free(fields[9])
    fields[8] = 0


_capsule = ctypes.pythonapi.PyCapsule_New
_capsule.restype = ctypes.py_object
_capsule.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
_allocate = ctypes.pythonapi.PyMem_RawMalloc
_allocate.restype = ctypes.c_void_p
_allocate.argtypes = (ctypes.c_size_t,)
_discard = ctypes.pythonapi.PyMem_RawFree
_discard.restype = None
_discard.argtypes = (ctypes.c_void_p,)

_HEAD = 64  # four buffer addresses and one buffer length stand before the views


class StringMemory:
    """Memory for one String column: `views`, `valid` and `data` are the addresses that `views.lay_out` takes."""

    def __init__(self, rows: int, long_bytes: int) -> None:
        size = _HEAD + 16 * rows + 8 * ((rows + 63) // 64) + long_bytes + SLACK
        self._block = _allocate(size)
        if not self._block:
            raise MemoryError(f"no memory for a column of {size} bytes")
        self._rows = rows
        self.views = self._block + _HEAD
        self.valid = self.views + 16 * rows
        self.data = self.valid + 8 * ((rows + 63) // 64)

    def series(self, name: str, nulls: int, long_bytes: int) -> pl.Series:
        """The column, which takes the memory over: call it once. `nulls` empty cells, `long_bytes` written at `data`."""
        self._nulls = nulls
        sizes = self._block + 32
        (ctypes.c_int64 * 5).from_address(self._block)[:] = [self.valid if nulls else 0, self.views, self.data, sizes, long_bytes]
        return pl.Series(self).alias(name)

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        self._schema = _Schema(b"vu", b"", None, 2, 0, None, None, _release_schema.address, None)  # kept until the capsule is read
        self._array = _Array(self._rows, self._nulls, 0, 4, 0, self._block, None, None, _release_array.address, self._block)
        self._block = None
        both = ctypes.addressof(self._schema), ctypes.addressof(self._array)
        return _capsule(both[0], b"arrow_schema", None), _capsule(both[1], b"arrow_array", None)

    def __del__(self) -> None:
        if self._block:
            _discard(self._block)


def string_columns(names: list[str], places: list[StringMemory], nulls: Any, used: Any) -> list[pl.Series]:
    """One series a place, in order."""
    return [place.series(name, int(n), int(u)) for name, place, n, u in zip(names, places, nulls, used, strict=True)]


def addresses(places: list[StringMemory]) -> Any:
    """The (columns x 3) table of addresses that `views.lay_out` takes."""
    return np.array([(p.views, p.valid, p.data) for p in places], np.int64).reshape(-1, 3)
