"""Is it UTF-8, and if not, what else: checks of bytes and the way from Windows-1252 to UTF-8."""

from __future__ import annotations

from typing import Any

import numpy as np

from tocsin.kernels.words import HIGH, LOW, compiled, get, inlined


@compiled
def oddities(buf: Any, begin: Any, stop: Any) -> Any:
    """(a NUL is among `buf[begin:stop]`, a byte beyond ASCII is)."""
    text = buf.ctypes.data
    zeros = np.uint64(0)
    highs = np.uint64(0)
    whole = begin + ((stop - begin) & ~7)
    for at in range(begin, whole, 8):
        word = get(text + at)
        zeros |= (word - LOW) & ~word
        highs |= word
    nul = (zeros & HIGH) != 0
    high = (highs & HIGH) != 0
    for at in range(whole, stop):
        nul |= buf[at] == 0
        high |= buf[at] >= 0x80
    return nul, high


@compiled
def has_nul(buf: Any, begin: Any, stop: Any) -> Any:
    """True where any of `buf[begin:stop]` is zero."""
    return oddities(buf, begin, stop)[0]


@inlined
def _sequence(buf: Any, at: Any, stop: Any) -> Any:
    """Length of the well-formed UTF-8 sequence at `at` (Unicode 15, table 3-7), or 0."""
    lead = buf[at]
    if lead < 0x80:
        return 1
    if lead < 0xC2 or lead > 0xF4:
        return 0
    size = 2 if lead < 0xE0 else (3 if lead < 0xF0 else 4)
    if at + size > stop:
        return 0
    second = buf[at + 1]
    low = 0xA0 if lead == 0xE0 else (0x90 if lead == 0xF0 else 0x80)
    high = 0x9F if lead == 0xED else (0x8F if lead == 0xF4 else 0xBF)
    if second < low or second > high:
        return 0
    for k in range(2, size):
        if buf[at + k] & 0xC0 != 0x80:
            return 0
    return size


@compiled
def first_bad_byte(buf: Any, begin: Any, stop: Any) -> Any:
    """Where `buf[begin:stop]` first is not well-formed UTF-8; `stop` where it is throughout."""
    text = buf.ctypes.data
    at = begin
    while at < stop:
        if at + 8 <= stop and (get(text + at) & HIGH) == 0:
            at += 8
            continue
        size = _sequence(buf, at, stop)
        if size == 0:
            return at
        at += size
    return stop


@compiled
def evidence(buf: Any, stop: Any, final: Any) -> Any:
    """(UTF-8 sequences beyond ASCII, bytes that are no UTF-8, bytes looked at): short of the end where a sequence may go on past it."""
    text = buf.ctypes.data
    good = 0
    bad = 0
    at = 0
    while at < stop:
        if at + 8 <= stop and (get(text + at) & HIGH) == 0:
            at += 8
            continue
        size = _sequence(buf, at, stop)
        if size == 0 and not final and at + 4 > stop:
            break
        if size == 0:
            bad += 1
        elif size > 1:
            good += 1
        at += max(size, 1)
    return good, bad, at


@compiled
def recode(source: Any, table: Any, out: Any) -> Any:
    """Writes single-byte text as UTF-8 to `out` (3 bytes a byte may be needed): bytes written. `table`: code point of each byte, none over
    0xFFFF.
    """
    size = 0
    for byte in source:
        point = table[byte]
        if point < 0x80:
            out[size] = point
            size += 1
        elif point < 0x800:
            out[size] = 0xC0 | (point >> 6)
            out[size + 1] = 0x80 | (point & 0x3F)
            size += 2
        else:
            out[size] = 0xE0 | (point >> 12)
            out[size + 1] = 0x80 | ((point >> 6) & 0x3F)
            out[size + 2] = 0x80 | (point & 0x3F)
            size += 3
    return size
