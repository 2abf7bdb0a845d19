"""Eight bytes at a time: what the text kernels share.

Addresses are int64, words uint64 with the first byte lowest (little-endian machines, the only ones that numba and Polars ship wheels for).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic

compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = njit(cache=True, nogil=True)
"""Compiles a kernel; keeps it on disk, and lets other threads run meanwhile."""
inlined: Callable[[Callable[..., Any]], Callable[..., Any]] = njit(inline="always")
"""Compiles a part of a kernel into its callers."""
_instruction: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic

LOW = np.uint64(0x0101010101010101)
HIGH = np.uint64(0x8080808080808080)
FULL = np.uint64(0xFFFFFFFFFFFFFFFF)


@_instruction
def get(typingctx: Any, address: Any) -> Any:
    """The eight bytes at an address."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load(builder.inttoptr(args[0], ir.IntType(64).as_pointer()), align=1)

    return types.uint64(types.int64), codegen


@_instruction
def put(typingctx: Any, address: Any, word: Any) -> Any:
    """Writes eight bytes at an address."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        builder.store(args[1], builder.inttoptr(args[0], ir.IntType(64).as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.uint64), codegen


@_instruction
def trailing_zeros(typingctx: Any, word: Any) -> Any:
    """Number of zero bits below the lowest set bit of a word other than 0."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.cttz(args[0], context.get_constant(types.boolean, True))

    return types.int64(types.uint64), codegen


@inlined
def zero_bytes(word: Any) -> Any:
    """A mask whose lowest set bit is the high bit of the first zero byte; 0 where there is none (bits above the lowest may be false)."""
    return (word - LOW) & ~word & HIGH
