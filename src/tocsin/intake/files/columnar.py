"""Parquet: typed columns, turned back into text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tocsin.errors import UnreadableFile
from tocsin.intake.files.table import Batch, IssueList, Piece, Table, unique_names

_ROWS = 65536  # rows a batch


class ParquetTable(Table):
    """A Parquet file; it has no header record, so its first row is record 1."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._frame = pl.scan_parquet(path, glob=False)
            self._schema = self._frame.collect_schema()
            self._height = int(self._frame.select(pl.len()).collect().item())
        except pl.exceptions.PolarsError as why:
            raise UnreadableFile(f"{path}: is a damaged or cut off Parquet file ({str(why).splitlines()[0]}); get the file again") from why
        notes = IssueList(self.file)
        self._names = list(self._schema.names())
        self.header = unique_names([*self._names], notes)
        if not self._height:
            notes.add(0, "the file has columns and no rows")
        self.notes = notes.notes()

    def _pieces(self, wanted: list[str]) -> Iterator[Piece]:
        columns = [text_of(old, self._schema[old]).alias(new) for old, new in zip(self._names, self.header, strict=True) if new in wanted]
        for low in range(0, self._height, _ROWS):
            high = min(low + _ROWS, self._height)
            try:
                frame = self._frame.slice(low, high - low).select(columns).collect()
            except pl.exceptions.PolarsError as why:
                reason = str(why).splitlines()[0]
                raise UnreadableFile(f"{self.path}: is damaged after row {low:,} ({reason}); get the file again") from why
            rows = pl.Series("row", range(low + 1, high + 1), pl.Int64)
            yield Batch(frame, rows), IssueList(self.file).frame(), self.size_hint * high // self._height


def text_of(name: str, dtype: pl.DataType) -> pl.Expr:
    """A typed column as text: whole numbers without a decimal point, dates and times as ISO 8601, lists and structs as JSON; empty text is
    null.
    """
    value = pl.col(name)
    if dtype == pl.Null:
        text = value.cast(pl.String)
    elif dtype.is_float():
        text = value.cast(pl.String).str.strip_suffix(".0")
    elif isinstance(dtype, pl.Datetime):
        text = value.dt.to_string("iso").str.strip_suffix(" 00:00:00.000000").str.strip_suffix(".000000")
    elif dtype.is_nested():
        text = value.map_elements(lambda cell: json.dumps(_plain(cell), default=str, ensure_ascii=False), pl.String, skip_nulls=True)
    elif dtype == pl.Binary:
        text = value.map_elements(lambda cell: cell.decode("utf-8", "replace"), pl.String, skip_nulls=True)
    else:
        text = value.cast(pl.String)
    return pl.when(text != "").then(text)


def _plain(cell: object) -> object:
    return cell.to_list() if isinstance(cell, pl.Series) else cell
