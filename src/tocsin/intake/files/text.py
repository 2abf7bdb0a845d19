"""The text of a file as UTF-8, whatever it was written in."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tocsin.intake.files.source import Source, is_packed
from tocsin.kernels.utf8 import evidence, recode
from tocsin.kernels.views import SLACK

_BLOCK = 1 << 20
_ENOUGH = 1000  # sequences and bytes beyond ASCII that settle the encoding
_PACKED = 64 << 20  # unpacking twice is dear: a packed file is judged on so many bytes at most


@dataclass(frozen=True)
class Encoding:
    """How a file's text is written."""

    name: str
    #: bytes of the byte order mark
    mark: int = 0
    #: what to tell the user; null where it is plain UTF-8
    note: str | None = None


_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def encoding_of(path: Path) -> Encoding:
    """The encoding of a text file: by its byte order mark; else UTF-8 unless bytes that are not outnumber those that are, then
    Windows-1252.

    Judged on the first thousand characters beyond ASCII; in a packed file also on no more than its first 64 MB.
    """
    with Source(path) as source:
        block = np.empty(_BLOCK + SLACK, np.uint8)
        have = source.readinto(block.data[:_BLOCK])
        head = block[:4].tobytes()
        for mark, name in _MARKS:
            if head.startswith(mark) and have >= len(mark):
                return Encoding(name, len(mark), None if name == "utf-8" else f"the file is {name.upper()}, not UTF-8; it was read as such")
        wide = _wide(block[: min(have, 4096)])
        if wide:
            return Encoding(wide, 0, f"the file looks like {wide.upper()} without a byte order mark; it was read as such")
        good, bad = _evidence(source, block, have, _PACKED if is_packed(path) else None)
    if bad <= good:
        return Encoding("utf-8")
    say = f"the file is not UTF-8 ({bad:,} bytes are none, {good:,} characters would be); read as Windows-1252, which has Latin-1 in it"
    return Encoding("cp1252", 0, say)


def _wide(head: NDArray[np.uint8]) -> str | None:
    """UTF-16 without a mark: nearly every second byte of Latin text is then zero."""
    even, odd = np.count_nonzero(head[::2] == 0), np.count_nonzero(head[1::2] == 0)
    half = len(head) // 2
    if half < 2:
        return None
    if odd > 0.6 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.6 * half and odd < 0.1 * half else None


def _evidence(source: Source, block: NDArray[np.uint8], have: int, most: int | None) -> tuple[int, int]:
    good = bad = seen = 0
    while True:
        final = have < _BLOCK
        more, worse, used = evidence(block, have, final)
        good, bad, seen = good + more, bad + worse, seen + used
        if final or good + bad >= _ENOUGH or (most is not None and seen >= most):
            return good, bad
        left = have - used
        block[:left] = block[used:have].copy()
        have = left + source.readinto(block.data[left:_BLOCK])


class TextSource:
    """Reads a file's text from its begin, as UTF-8 without a byte order mark."""

    def __init__(self, path: Path, encoding: Encoding) -> None:
        self._source = Source(path)
        self._encoding = encoding
        self._left = memoryview(b"")
        self._blocks: Iterator[bytes] | None = None
        if encoding.mark:
            self._source.readinto(memoryview(bytearray(encoding.mark)))
        if encoding.name != "utf-8":
            self._blocks = self._recoded()

    def __enter__(self) -> TextSource:
        return self

    def __exit__(self, *why: object) -> None:
        self._source.__exit__(*why)

    @property
    def position(self) -> int:
        """Bytes of the file read so far."""
        return self._source.position

    @property
    def broken(self) -> str | None:
        """What ended the text early, where something did."""
        return self._source.broken

    def readinto(self, view: memoryview) -> int:
        """Fills `view` as far as the text goes: bytes written, fewer than it holds only at the end."""
        if self._blocks is None:
            return self._source.readinto(view)
        done = 0
        while done < len(view):
            if not self._left:
                self._left = memoryview(next(self._blocks, b""))
                if not self._left:
                    break
            size = min(len(view) - done, len(self._left))
            view[done : done + size] = self._left[:size]
            self._left = self._left[size:]
            done += size
        return done

    def lines(self) -> Iterator[bytes]:
        """Its lines, without their ends (LF, CR LF)."""
        block = bytearray(_BLOCK)
        rest = b""
        while size := self.readinto(memoryview(block)):
            whole = (rest + block[:size]).split(b"\n")
            rest = whole.pop()
            for line in whole:
                yield line.removesuffix(b"\r")
        if rest:
            yield rest

    def _recoded(self) -> Iterator[bytes]:
        single = self._encoding.name == "cp1252"
        decoder = None if single else codecs.getincrementaldecoder(self._encoding.name)("surrogatepass")
        raw = bytearray(_BLOCK)
        while size := self._source.readinto(memoryview(raw)):
            if decoder is None:
                out = np.empty(3 * size, np.uint8)
                yield out[: recode(np.frombuffer(raw, np.uint8)[:size], _CP1252, out)].tobytes()
            else:
                # A lone surrogate becomes bytes that are no UTF-8: a bad byte of its record, like any other.
                if text := decoder.decode(raw[:size]).encode("utf-8", "surrogatepass"):
                    yield text
        if decoder is not None and decoder.getstate()[0]:
            yield b"\xff"


def _windows_1252() -> NDArray[np.uint16]:
    """Code point of each byte; the five that Windows-1252 leaves out stand for themselves, as browsers have it (WHATWG Encoding)."""
    return np.array([ord(bytes([b]).decode("cp1252", "ignore") or chr(b)) for b in range(256)], np.uint16)


_CP1252 = _windows_1252()
