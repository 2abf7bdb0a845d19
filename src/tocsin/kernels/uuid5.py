"""Name-based UUIDs, version 5, many at a time: RFC 9562 section 5.5, on SHA-1 as in FIPS 180-4 section 6.1."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl

from tocsin.kernels.arrow import StringMemory
from tocsin.kernels.words import compiled, inlined, put

_SIZE = 36  # characters of a UUID
_MOST = 1 << 26  # rows a column: its bytes are addressed by 32 bits
_PART = 1 << 15  # rows that are worth a thread
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8).copy()


def uuid5_series(namespace: UUID, names: pl.Series) -> pl.Series:
    """The UUIDv5 of each name as 36 characters; what `uuid.uuid5` gives.

    `names` is a String series; a null name has a null UUID.
    """
    if len(names) > _MOST:
        return pl.concat([uuid5_series(namespace, names[low : low + _MOST]) for low in range(0, len(names), _MOST)])
    filled = names.fill_null("")
    joined = filled.str.join("").cast(pl.Binary).item() if len(names) else b""
    text = np.frombuffer(joined or b" ", np.uint8)
    ends = filled.str.len_bytes().to_numpy().astype(np.int64).cumsum()
    memory = StringMemory(len(names), _SIZE * len(names))
    first = np.frombuffer(namespace.bytes, ">u4").astype(np.uint32)
    cores = os.cpu_count() or 1
    part = max(_PART, -(-len(names) // cores))
    with ThreadPoolExecutor(cores) as pool:
        jobs = [
            pool.submit(_fill, text, ends, low, min(low + part, len(names)), first, memory.views, memory.data, _HEX)
            for low in range(0, len(names), part)
        ]
        for job in jobs:
            job.result()
    out = memory.series(names.name, 0, _SIZE * len(names))
    return out.zip_with(names.is_not_null(), pl.Series([None], dtype=pl.String)) if names.null_count() else out


@inlined
def _turn(x: Any, by: Any) -> Any:
    return np.uint32((x << np.uint32(by)) | (x >> np.uint32(32 - by)))


@inlined
def _step(a: Any, b: Any, e: Any, f: Any, k: Any, word: Any) -> Any:
    return np.uint32(_turn(a, 5) + np.uint32(f) + e + np.uint32(k) + word), _turn(b, 30)


@inlined
def _word(w: Any, t: Any) -> Any:
    w[t & 15] = _turn(w[(t + 13) & 15] ^ w[(t + 8) & 15] ^ w[(t + 2) & 15] ^ w[t & 15], 1)
    return w[t & 15]


@compiled
def _block(w: Any, h: Any) -> None:
    """SHA-1's work on one block of 16 words, which are used up."""
    a, b, c, d, e = h[0], h[1], h[2], h[3], h[4]
    for t in range(16):
        (a, c), b, d, e = _step(a, b, e, d ^ (b & (c ^ d)), 0x5A827999, w[t]), a, c, d
    for t in range(16, 20):
        (a, c), b, d, e = _step(a, b, e, d ^ (b & (c ^ d)), 0x5A827999, _word(w, t)), a, c, d
    for t in range(20, 40):
        (a, c), b, d, e = _step(a, b, e, b ^ c ^ d, 0x6ED9EBA1, _word(w, t)), a, c, d
    for t in range(40, 60):
        (a, c), b, d, e = _step(a, b, e, (b & c) | (d & (b | c)), 0x8F1BBCDC, _word(w, t)), a, c, d
    for t in range(60, 80):
        (a, c), b, d, e = _step(a, b, e, b ^ c ^ d, 0xCA62C1D6, _word(w, t)), a, c, d
    h[0] += a
    h[1] += b
    h[2] += c
    h[3] += d
    h[4] += e


@compiled
def _digest(text: Any, begin: Any, end: Any, first: Any, w: Any, h: Any) -> None:
    """SHA-1 of the namespace (`first`, four words) and `text[begin:end]`, into `h`."""
    h[0], h[1], h[2], h[3], h[4] = 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0
    w[:4] = first
    w[4:] = 0
    at = 16
    for k in range(begin, end):
        w[(at & 63) >> 2] |= np.uint32(text[k]) << np.uint32(24 - 8 * (at & 3))
        at += 1
        if at & 63 == 0:
            _block(w, h)
            w[:] = 0
    w[(at & 63) >> 2] |= np.uint32(0x80) << np.uint32(24 - 8 * (at & 3))
    if at & 63 >= 56:
        _block(w, h)
        w[:] = 0
    w[14] = np.uint32(at >> 29)
    w[15] = np.uint32(at << 3)
    _block(w, h)


@compiled
def _fill(text: Any, ends: Any, low: Any, high: Any, first: Any, views: Any, data: Any, digits: Any) -> None:
    """Writes the UUIDs of names `low:high` at `data`, and their views."""
    w = np.empty(16, np.uint32)
    h = np.empty(5, np.uint32)
    out = np.zeros(40, np.uint8)
    for row in range(low, high):
        _digest(text, ends[row - 1] if row else 0, ends[row], first, w, h)
        h[1] = (h[1] & np.uint32(0xFFFF0FFF)) | np.uint32(0x5000)  # version 5
        h[2] = (h[2] & np.uint32(0x3FFFFFFF)) | np.uint32(0x80000000)  # variant of RFC 9562
        at = 0
        for k in range(16):
            if k == 4 or k == 6 or k == 8 or k == 10:
                out[at] = 45
                at += 1
            byte = (h[k >> 2] >> np.uint32(24 - 8 * (k & 3))) & np.uint32(255)
            out[at] = digits[byte >> 4]
            out[at + 1] = digits[byte & 15]
            at += 2
        words = out.view(np.uint64)
        place = data + _SIZE * row
        for k in range(4):
            put(place + 8 * k, words[k])
        put(place + 28, (words[3] >> np.uint64(32)) | (words[4] << np.uint64(32)))
        put(views + 16 * row, np.uint64(_SIZE) | (words[0] << np.uint64(32)))
        put(views + 16 * row + 8, np.uint64(_SIZE * row) << np.uint64(32))
