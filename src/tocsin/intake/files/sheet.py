"""Excel's .xlsx: the first sheet that has rows."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastexcel
import polars as pl

from tocsin.errors import UnreadableFile
from tocsin.intake.files.table import Batch, IssueList, Piece, Table, unique_names

_CELLS = 2 << 20  # cells a batch
_BLOCK = 1 << 20
_ERROR_CELL = re.compile(rb'<c r="([A-Z]{1,3})([0-9]+)"[^<>]*\bt="e"[^<>]*>(?:<f[^<]*</f>|<f[^<>]*/>)?<v>([^<]*)</v>')
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^<>]*>")
_RELATION = re.compile(rb"<Relationship\b[^<>]*>")


class SheetTable(Table):
    """One sheet of a workbook; records are its rows, numbered as Excel does. The sheet is held in memory."""

    def __init__(self, path: Path, *, header: bool = True) -> None:
        super().__init__(path)
        notes = IssueList(self.file)
        try:
            self._cells, sheet = self._load(notes)
            self._errors = list(_error_cells(path, sheet))
        except (fastexcel.FastExcelError, zipfile.BadZipFile, KeyError, EOFError) as why:
            raise UnreadableFile(f"{path}: is a damaged .xlsx ({str(why).splitlines()[0]}); open it, save it anew, then try again") from why
        blank = self._blank_rows()
        self._before = next((k for k, empty in enumerate(blank) if not empty), 0)
        names = list(self._cells.row(self._before))
        self._keep = [k for k, name in enumerate(names) if name is not None or self._cells.to_series(k).null_count() < self._cells.height]
        names = [names[k] for k in self._keep]
        self.header = unique_names(names, notes) if header else tuple(f"column_{k + 1}" for k in range(len(names)))
        self._begin = self._before + 1 if header else self._before
        if self._begin >= self._cells.height:
            notes.add(0, "the sheet has a header and no rows")
        self.notes = notes.notes()

    def _load(self, notes: IssueList) -> tuple[pl.DataFrame, int]:
        """(every cell of the sheet from its cell A1 on as text, its place in the workbook)."""
        book = fastexcel.read_excel(self.path)
        for place, name in enumerate(book.sheet_names):
            sheet = book.load_sheet(place, header_row=None, skip_rows=0, dtypes="string")
            frame = pl.DataFrame(sheet) if sheet.width else pl.DataFrame()
            written = frame.select(pl.all().is_not_null().any()).row(0) if frame.height else ()
            if not any(written):
                continue
            others = [other for other in book.sheet_names if other != name]
            if others:
                notes.add(0, f"only the sheet {name!r} was read; the workbook also has {', '.join(map(repr, others))}"[:400])
            return frame.select(_as_text(frame.columns)), place
        raise UnreadableFile(f"{self.path}: no sheet of the workbook has any cell; get the file again")

    def _blank_rows(self) -> pl.Series:
        return self._cells.select(pl.all_horizontal(pl.all().is_null())).to_series()

    def _pieces(self, wanted: list[str]) -> Iterator[Piece]:
        kept = [(self._cells.columns[k], name) for k, name in zip(self._keep, self.header, strict=True) if name in wanted]
        table = self._cells.select([pl.col(old).alias(new) for old, new in kept])
        blank = self._blank_rows()
        last = self._cells.height  # blank rows at the end are no records
        while last > self._begin and blank[last - 1]:
            last -= 1
        step = max(1, _CELLS // max(len(self.header), 1))
        header = tuple(self._cells.row(self._before)) if self._begin > self._before else None
        for low in range(self._begin, last, step):
            high = min(low + step, last)
            issues = IssueList(self.file)
            if low == self._begin:
                self._blanks(issues, range(self._before))
            empty = blank[low:high]
            self._blanks(issues, [low + k for k in empty.arg_true().to_list()])
            again = self._repeats(low, high, header)
            for k in again.arg_true().to_list():
                issues.add(low + k + 1, "the header stands here again; it was left out", value=" ".join(self.header))
            self._error_issues(issues, low, high)
            good = ~(empty | again)
            rows = pl.Series("row", range(low + 1, high + 1), pl.Int64).filter(good)
            yield Batch(table[low:high].filter(good), rows), issues.frame(), self.size_hint * high // last

    def _blanks(self, issues: IssueList, places: Any) -> None:
        for place in places:
            issues.add(place + 1, "the row is blank; nothing was read from it")

    def _repeats(self, low: int, high: int, header: tuple[Any, ...] | None) -> pl.Series:
        part = self._cells[low:high]
        if header is None:
            return pl.Series([False]).new_from_index(0, high - low)
        same = [pl.col(name).eq_missing(pl.lit(cell, pl.String)) for name, cell in zip(part.columns, header, strict=True)]
        return part.select(pl.all_horizontal(same)).to_series()

    def _error_issues(self, issues: IssueList, low: int, high: int) -> None:
        names = dict(zip(self._keep, self.header, strict=True))
        for place, row, value in self._errors:
            if low < row <= high and place in names:
                issues.add(row, "the cell holds a spreadsheet error; it was read as empty", field=names[place], value=value)


def _as_text(names: list[str]) -> list[pl.Expr]:
    """A day has no time of day; empty text is null."""
    text = [pl.col(name).str.replace(r"^(\d{4}-\d\d-\d\d) 00:00:00$", "$1") for name in names]
    return [pl.when(one != "").then(one).alias(name) for one, name in zip(text, names, strict=True)]


def _error_cells(path: Path, place: int) -> Iterator[tuple[int, int, str]]:
    """(column from 0, row from 1, text) of cells such as #DIV/0!, which the reader gives as empty."""
    with zipfile.ZipFile(path) as archive:
        part = _sheet_part(archive, place)
        if part not in archive.namelist():
            return
        with archive.open(part) as file:
            rest = b""
            while block := file.read(_BLOCK):
                text = rest + block
                edge = text.rfind(b"<c ")
                edge = edge if edge > 0 else len(text)
                if b't="e"' in text:
                    for found in _ERROR_CELL.finditer(text[:edge]):
                        yield _column(found[1]), int(found[2]), found[3].decode("utf-8", "replace")
                rest = text[edge:]
            for found in _ERROR_CELL.finditer(rest):
                yield _column(found[1]), int(found[2]), found[3].decode("utf-8", "replace")


def _sheet_part(archive: zipfile.ZipFile, place: int) -> str:
    """Where in the workbook's archive a sheet's cells are (ECMA-376 part 1, 18.2.19)."""
    sheets = _SHEET.findall(archive.read("xl/workbook.xml"))
    wanted = _attribute(sheets[place], rb"\w+:id")
    for relation in _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels")):
        if _attribute(relation, rb"Id") == wanted:
            target = _attribute(relation, rb"Target").decode()
            return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return ""


def _attribute(tag: bytes, name: bytes) -> bytes:
    found = re.search(rb"\s" + name + rb'="([^"]*)"', tag)
    return found[1] if found else b""


def _column(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place - 1
