"""Single records of delimited text, looked at closely: the header, and those that are damaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tocsin.intake.files.table import SHOWN, IssueList
from tocsin.kernels import csvscan
from tocsin.kernels.utf8 import first_bad_byte

CUT = 100
"""Verdict beside those of `csvscan`: the last record of packed data that breaks off."""
WIDEST = 16384
"""Columns, as many as a spreadsheet may have."""

_ALONE = "the record was taken to end with its line and left out"
_REASONS = {
    csvscan.UNCLOSED: f"a quote is opened and not closed; {_ALONE}",
    csvscan.STRAY: f"text follows a closing quote; {_ALONE}",
    csvscan.BLANK: "the line is blank; nothing was read from it",
    csvscan.NUL: "a NUL byte (shown as \N{SYMBOL FOR NULL}) stands in the record; it was left out",
    csvscan.BAD_BYTE: "a byte (shown as \N{REPLACEMENT CHARACTER}) is no UTF-8; the record was left out",
    csvscan.REPEATED: "the header stands here again; it was left out",
    csvscan.TOO_LONG: f"no record may have more than {csvscan.LIMIT:,} bytes; it was cut here and left out",
    CUT: "the packed data breaks off within this record; it was left out",
}


@dataclass(frozen=True)
class Cell:
    """One cell as its bytes stand in the file, the outer quotes taken off."""

    raw: bytes
    doubled: bool

    def text(self) -> str:
        """What it says: doubled quotes made one, a byte that is no UTF-8 shown as the replacement character."""
        return (self.raw.replace(b'""', b'"') if self.doubled else self.raw).decode("utf-8", "replace")


def cells_of(block: Any, begin: int, stop: int, final: bool, delimiter: int) -> tuple[int, list[Cell], int]:
    """The record at `begin`: (`csvscan.GOOD`, what is wrong with its quotes, or -1 where more bytes are needed; cells; begin of the
    next).
    """
    starts, lens = np.empty(WIDEST, np.int32), np.empty(WIDEST, np.int32)
    kind, cells, _, follows, _ = csvscan.record(block, begin, stop, final, delimiter, starts, lens)
    found = []
    for start, size in zip(starts[:cells].tolist(), lens[:cells].tolist(), strict=True):
        length = size if size >= 0 else ~size
        found.append(Cell(block[start : start + length].tobytes(), size < 0))
    return kind, found, follows


class BadRecords:
    """Turns what `csvscan.scan` could not use into issues; blank lines count only where something other than a blank line follows."""

    def __init__(self, file: str, header: tuple[str, ...], delimiter: int) -> None:
        self.issues = IssueList(file)
        self._header = header
        self._delimiter = delimiter
        self._blank = (1, 0)  # first row, number of blank lines that nothing has followed yet

    def blanks(self, row: int, count: int) -> None:
        """So many blank lines in a row, from record `row`."""
        self._blank = (row, count)

    def look(self, block: Any, spans: Any, kinds: Any, row: int) -> None:
        """One look's records, the first being record `row`."""
        written = np.flatnonzero(kinds != csvscan.BLANK)
        if not len(written):
            self._blank = (self._blank[0] if self._blank[1] else row, self._blank[1] + len(kinds))
            return
        first, count = self._blank
        for blank in range(first, first + count):
            self.issues.add(blank, _REASONS[csvscan.BLANK])
        last = int(written[-1]) + 1
        self._blank = (row + last, len(kinds) - last)
        for k in np.flatnonzero(kinds[:last] != csvscan.GOOD).tolist():
            begin, end, cells = spans[k].tolist()
            self._add(row + k, int(kinds[k]), block[begin:end], cells)

    def take(self) -> pl.DataFrame:
        """The issues since the last call."""
        frame = self.issues.frame()
        self.issues = IssueList(self.issues.file)
        return frame

    def _add(self, row: int, kind: int, raw: Any, cells: int) -> None:
        if kind == csvscan.BLANK:
            self.issues.add(row, _REASONS[kind])
            return
        value = raw[: 4 * SHOWN].tobytes().decode("utf-8", "replace")
        if kind in (csvscan.SHORT, csvscan.LONG):
            self.issues.add(row, f"{cells} cells where the header has {len(self._header)}; the record was left out", value=value)
            return
        field = None
        if kind in (csvscan.NUL, csvscan.BAD_BYTE):
            field, value = self._damaged_cell(raw, kind, value)
        self.issues.add(row, _REASONS[kind], field=field, value=value)

    def _damaged_cell(self, raw: Any, kind: int, value: str) -> tuple[str | None, str]:
        """(column, what its cell says) of the first damaged cell; the whole record where its cells are not as many as the columns."""
        padded = np.concatenate((raw, np.zeros(8, np.uint8)))
        _, cells, _ = cells_of(padded, 0, len(raw), True, self._delimiter)
        if len(cells) == len(self._header):
            for name, one in zip(self._header, cells, strict=True):
                codes = np.frombuffer(one.raw + bytes(8), np.uint8)
                if (b"\0" in one.raw) if kind == csvscan.NUL else first_bad_byte(codes, 0, len(one.raw)) < len(one.raw):
                    return name, one.text()
        return None, value
