"""The bytes of a file, unpacked."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import zstandard

from tocsin.errors import UnreadableFile

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_BLOCK = 1 << 20
_SMALL = 8192  # zstandard unpacks a block whole: small ones bound what comes out of a file made to explode


def is_packed(path: Path) -> bool:
    """True for gzip and zstandard, by the first bytes."""
    with path.open("rb") as file:
        magic = file.read(4)
    return magic[:2] == _GZIP or magic == _ZSTD


class Source:
    """Reads a file from its begin, unpacking gzip and zstandard.

    Packed data that is damaged or cut off ends early: `broken` then says so, and what came before it stands.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken: str | None = None
        self._file: IO[bytes] = path.open("rb", buffering=0)
        magic = self._file.read(4)
        self._file.seek(0)
        self._blocks: Iterator[bytes] | None = None
        if magic[:2] == _GZIP:
            self._blocks = self._unpacked(lambda: zlib.decompressobj(wbits=31), "gzip", _gunzip, _BLOCK)
        elif magic == _ZSTD:
            self._blocks = self._unpacked(lambda: zstandard.ZstdDecompressor().decompressobj(), "zstandard", _unzstd, _SMALL)
        self._left = memoryview(b"")

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *why: object) -> None:
        self._file.close()

    @property
    def position(self) -> int:
        """Bytes of the file read so far, packed as they are."""
        return self._file.tell()

    def readinto(self, view: memoryview) -> int:
        """Fills `view` as far as the data goes: bytes written, fewer than it holds only at the end."""
        done = 0
        try:
            while done < len(view):
                size = self._some(view[done:])
                if not size:
                    break
                done += size
        except OSError as why:
            raise UnreadableFile(f"{self.path}: cannot be read ({why.strerror}); check the disk or the drive, then try again") from why
        return done

    def _some(self, view: memoryview) -> int:
        if self._blocks is None:
            size: int | None = self._file.readinto(view)  # type: ignore[attr-defined]  # raw files have it, IO does not say so
            return size or 0
        if not self._left:
            self._left = memoryview(next(self._blocks, b""))
        size = min(len(view), len(self._left))
        view[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def _unpacked(self, new: Callable[[], Any], name: str, unpack: Callable[[Any, bytes], Iterator[bytes]], block: int) -> Iterator[bytes]:
        tool = None
        size = 0
        rest = b""
        while True:
            rest = rest or self._file.read(block)
            if not rest:
                break
            if tool is None and not rest.strip(b"\0"):
                rest = b""
                continue  # some writers pad the end with zeros
            tool = tool or new()
            try:
                for out in unpack(tool, rest):
                    size += len(out)
                    yield out
            except (zlib.error, zstandard.ZstdError) as why:
                self.broken = f"the {name} data is damaged after {size:,} unpacked bytes ({why}); what comes after them is missing"
                return
            rest = b""
            if tool.eof:
                rest, tool = tool.unused_data, None
        if tool is not None:
            self.broken = f"the {name} data is cut off after {size:,} unpacked bytes; what came after them is missing: get the file again"


def _gunzip(tool: Any, data: bytes) -> Iterator[bytes]:
    while data and not tool.eof:
        out = tool.decompress(data, _BLOCK)
        data = tool.unconsumed_tail
        if out:
            yield out
    while not tool.eof and (out := tool.decompress(b"", _BLOCK)):
        yield out


def _unzstd(tool: Any, data: bytes) -> Iterator[bytes]:
    out = tool.decompress(data)
    if out:
        yield out
