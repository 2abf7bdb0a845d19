"""CSV, TSV and their like: records and cells by `tocsin.kernels.csvscan`, which says what a record is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tocsin.errors import UnknownFormat, UnreadableFile
from tocsin.intake.files.records import CUT, WIDEST, BadRecords, Cell, cells_of
from tocsin.intake.files.table import Batch, IssueList, Piece, Table, unique_names
from tocsin.intake.files.text import Encoding, TextSource
from tocsin.kernels import csvscan
from tocsin.kernels.arrow import StringMemory, addresses, string_columns
from tocsin.kernels.utf8 import first_bad_byte, oddities
from tocsin.kernels.views import SLACK, lay_out, long_bytes

_DELIMITERS = b",\t;|"
_SAMPLE = 20  # records that a delimiter is tried on
_HEAD = 65536  # bytes that are enough for a header and the sample, nearly always
_CELLS = 4 << 20  # cells looked at in one go: bounds the memory for where they are


class DelimitedTable(Table):
    """Text with a delimiter between cells and a line end between records."""

    def __init__(
        self, path: Path, encoding: Encoding, *, header: bool = True, chunk_bytes: int = 16 << 20, limit: int = csvscan.LIMIT
    ) -> None:
        super().__init__(path)
        self._encoding = encoding
        self._chunk = max(chunk_bytes, 16)
        self._limit = limit
        notes = IssueList(self.file)
        if encoding.note:
            notes.add(0, encoding.note)
        head = self._head()
        self._delimiter = _delimiter(head)
        kind, cells, follows = cells_of(head.block, head.begin, head.have, head.final, self._delimiter)
        if kind != csvscan.GOOD:
            raise UnknownFormat(f"{path}: the quotes of its first line are damaged, or it never ends; repair that line, then try again")
        if len(cells) > WIDEST:
            raise UnknownFormat(f"{path}: its first line has {len(cells):,} cells, more than any table; is it text with a delimiter?")
        if head.broken and follows >= head.have:
            raise UnreadableFile(f"{path}: {head.broken}; its first line is not whole")
        self._signature = _signature(cells if header else [])
        self._before = head.lines_before if header else 0
        self._skip = follows if header else 0
        self.header = unique_names([c.text() for c in cells], notes) if header else tuple(f"column_{k + 1}" for k in range(len(cells)))
        if header and head.final and not head.block[follows : head.have].tobytes().strip(b"\r\n"):
            notes.add(0, "the file has a header and no rows")
        self.notes = notes.notes()

    def _head(self) -> _Head:
        size = _HEAD
        while True:
            block = np.zeros(size + SLACK, np.uint8)
            with TextSource(self.path, self._encoding) as source:
                have = source.readinto(block.data[:size])
            head = _Head(block, have, have < size, source.broken)
            if head.is_enough or size >= 4 * csvscan.LIMIT:
                return head
            size *= 4

    def _pieces(self, wanted: list[str]) -> Iterator[Piece]:
        columns = np.array([self.header.index(name) for name in wanted], np.int64)
        bad = BadRecords(self.file, self.header, self._delimiter)
        bad.blanks(1, self._before)
        row = self._before + (2 if self._skip else 1)
        scanner = _Scanner(self._chunk, len(self.header), (self._delimiter, self._limit), self._signature)
        with TextSource(self.path, self._encoding) as source:
            _pass_over(source, self._skip)
            for look in scanner.looks(source):
                bad.look(look.text, look.spans, look.kinds, row)
                rows = pl.Series("row", np.flatnonzero(look.kinds == csvscan.GOOD) + row, pl.Int64)
                row += len(look.kinds)
                yield Batch(scanner.frame(look, columns, wanted), rows), bad.take(), source.position
            if source.broken:
                bad.issues.add(row - 1, source.broken)
                empty = pl.DataFrame(schema=dict.fromkeys(wanted, pl.String))
                yield Batch(empty, pl.Series("row", [], pl.Int64)), bad.take(), source.position


@dataclass(frozen=True)
class _Head:
    """The begin of the text."""

    block: Any
    have: int
    #: it is the whole of the text
    final: bool
    #: what ended the text early, where something did
    broken: str | None

    @property
    def begin(self) -> int:
        """Where the first line stands that is not blank."""
        text = self.block[: self.have].tobytes()
        return len(text) - len(text.lstrip(b"\r\n"))

    @property
    def lines_before(self) -> int:
        """Blank lines before that."""
        return len(self.block[: self.begin].tobytes().splitlines())

    @property
    def is_enough(self) -> bool:
        """The first record is all there."""
        begin = self.begin
        return self.final or (begin < self.have and cells_of(self.block, begin, self.have, False, _DELIMITERS[0])[2] >= 0)


@dataclass(frozen=True)
class _Look:
    """Some records: `kinds` is the verdict of each, `spans` its begin and end in `text`, and its cells; `good` of them can be used."""

    text: Any
    spans: Any
    kinds: Any
    good: int


class _Scanner:
    """A block of text that moves along the file, and where its records and cells are."""

    def __init__(self, chunk: int, width: int, dialect: tuple[int, int], signature: tuple[Any, Any]) -> None:
        self._block = np.empty(chunk + SLACK, np.uint8)
        self._room = chunk
        rows = max(16, min(_CELLS // width, 1 << 18, chunk // width + 1))
        self._starts = np.empty((rows, width), np.int32)
        self._lens = np.empty((rows, width), np.int32)
        self._spans = np.empty((rows, 3), np.int32)
        self._kinds = np.empty(rows, np.uint8)
        self._delimiter, self._limit = dialect
        self._signature = signature

    def looks(self, source: TextSource) -> Iterator[_Look]:
        """All records of the text; one look holds until the next is asked for."""
        at = have = 0
        final = False
        while not final or at < have:
            records = good = used = 0
            if at < have:
                records, good, used = self._scan(self._block[at:], have - at, final)
            if not records:
                have = self._fill(source, at, have)
                at, final = 0, have < self._room
                continue
            end = at + used
            last = records - 1
            if final and source.broken and self._kinds[last] == csvscan.GOOD and self._spans[last, 1] == have - at:
                self._kinds[last] = CUT
                good -= 1
            yield _Look(self._block[at:], self._spans[:records], self._kinds[:records], good)
            at = end

    def frame(self, look: _Look, columns: Any, names: list[str]) -> pl.DataFrame:
        """The good records of a look, `columns` of them."""
        sizes = long_bytes(self._lens, look.good, columns)
        places = [StringMemory(look.good, int(size)) for size in sizes]
        nulls, used = lay_out(look.text, self._starts, self._lens, look.good, columns, addresses(places))
        return pl.DataFrame(string_columns(names, places, nulls, used))

    def _scan(self, text: Any, have: int, final: bool) -> Any:
        nul, high = oddities(text, 0, have)
        dirty = nul or (high and first_bad_byte(text, 0, have) < have)
        way = (final, self._delimiter, self._limit, dirty)
        return csvscan.scan(text, have, way, self._signature, self._starts, self._lens, self._spans, self._kinds)

    def _fill(self, source: TextSource, at: int, have: int) -> int:
        """Moves what is left to the front and reads on behind it: bytes in the block."""
        left = have - at
        old = self._block
        if left == self._room:  # a record that is longer than the block
            self._room *= 2
            self._block = np.empty(self._room + SLACK, np.uint8)
        self._block[:left] = old[at:have].copy()
        return left + source.readinto(self._block.data[left : self._room])


def _delimiter(head: _Head) -> int:
    """The one that gives the first records most cells, counting only records that have as many as the first."""
    best, most = _DELIMITERS[0], 0.0
    for delimiter in _DELIMITERS:
        widths: list[int] = []
        at, kind = head.begin, csvscan.GOOD
        while kind == csvscan.GOOD and at < head.have and len(widths) < _SAMPLE:
            kind, cells, at = cells_of(head.block, at, head.have, head.final, delimiter)
            if kind == csvscan.GOOD and (len(cells) > 1 or cells[0].raw or not widths):
                widths.append(len(cells))
        score = (widths[0] - 1) * widths.count(widths[0]) / len(widths) if widths else 0.0
        if score > most:
            best, most = delimiter, score
    return best


def _signature(cells: list[Cell]) -> tuple[Any, Any]:
    """The header's cells as `csvscan.scan` takes them."""
    return np.array(bytearray(b"".join(c.raw for c in cells)), np.uint8), np.cumsum([len(c.raw) for c in cells], dtype=np.int64)


def _pass_over(source: TextSource, size: int) -> None:
    block = memoryview(bytearray(_HEAD))
    while size and (read := source.readinto(block[: min(size, len(block))])):
        size -= read
