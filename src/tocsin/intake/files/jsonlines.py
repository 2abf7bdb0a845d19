"""JSON: one object a line, or an array of objects. Numbers stay as they are written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from tocsin.errors import UnknownFormat, UnreadableFile
from tocsin.intake.files.table import Batch, IssueList, Piece, Table
from tocsin.intake.files.text import Encoding, TextSource

_CELLS = 1 << 20  # cells a batch
_ARRAY = 512 << 20  # an array is held whole: longer ones are refused

Row = dict[str, object]


class JsonLinesTable(Table):
    """One JSON object a line, the first line being record 1; the columns are the keys of all lines, in the order in which they first
    come.
    """

    def __init__(self, path: Path, encoding: Encoding, *, chunk_bytes: int = 16 << 20) -> None:
        super().__init__(path)
        self._encoding = encoding
        self._chunk = chunk_bytes
        keys: dict[str, None] = {}
        with TextSource(path, encoding) as source:
            for line in source.lines():
                keys.update(dict.fromkeys(_row(line)[0] or ()))
        if not keys:
            raise UnknownFormat(f"{path}: begins like JSON, but no line is a JSON object; write one object a line")
        self.header = tuple(keys)
        notes = IssueList(self.file)
        if encoding.note:
            notes.add(0, encoding.note)
        self.notes = notes.notes()

    def _pieces(self, wanted: list[str]) -> Iterator[Piece]:
        with TextSource(self.path, self._encoding) as source:
            gather = _Gather(self.file, wanted)
            blanks: list[int] = []
            number = bytes_seen = 0
            for number, line in enumerate(source.lines(), 1):
                row, wrong = _row(line)
                if not line.strip():
                    blanks.append(number)
                    continue
                for blank in blanks:
                    gather.issues.add(blank, "the line is blank; nothing was read from it")
                blanks.clear()
                gather.add(number, row, wrong, line)
                bytes_seen += len(line)
                if gather.is_full or bytes_seen >= self._chunk:
                    yield *gather.take(), source.position
                    bytes_seen = 0
            if source.broken:
                gather.issues.add(number, source.broken)
            yield *gather.take(), source.position


class JsonArrayTable(Table):
    """A JSON array of objects, the first element being record 1."""

    def __init__(self, path: Path, encoding: Encoding, *, chunk_bytes: int = 16 << 20) -> None:
        super().__init__(path)
        self._elements = _elements(path, encoding)
        keys: dict[str, None] = {}
        for element in self._elements:
            if isinstance(element, dict):
                keys.update(dict.fromkeys(element))
        self.header = tuple(keys)
        notes = IssueList(self.file)
        if encoding.note:
            notes.add(0, encoding.note)
        if not self._elements:
            notes.add(0, "the file is a JSON array without elements")
        elif not keys:
            raise UnknownFormat(f"{path}: is a JSON array without objects; write an array of objects, or one object a line")
        self.notes = notes.notes()

    def _pieces(self, wanted: list[str]) -> Iterator[Piece]:
        gather = _Gather(self.file, wanted)
        for number, element in enumerate(self._elements, 1):
            row = element if isinstance(element, dict) else None
            gather.add(number, row, None if row is not None else "the element is no JSON object; it was left out", _text(element) or "null")
            if gather.is_full:
                yield *gather.take(), self.size_hint * number // len(self._elements)
        yield *gather.take(), self.size_hint


class _Gather:
    """Rows and issues on their way to a batch."""

    def __init__(self, file: str, wanted: list[str]) -> None:
        self.issues = IssueList(file)
        self._wanted = wanted
        self._columns: list[list[str | None]] = [[] for _ in wanted]
        self._rows: list[int] = []

    @property
    def is_full(self) -> bool:
        return len(self._rows) * max(len(self._wanted), 1) >= _CELLS

    def add(self, number: int, row: Row | None, wrong: str | None, raw: bytes | str) -> None:
        if row is None:
            self.issues.add(number, wrong or "", value=raw if isinstance(raw, str) else raw.decode("utf-8", "replace"))
            return
        self._rows.append(number)
        for name, column in zip(self._wanted, self._columns, strict=True):
            column.append(_text(row.get(name)) or None)

    def take(self) -> tuple[Batch, pl.DataFrame]:
        frame = pl.DataFrame([pl.Series(n, c, pl.String) for n, c in zip(self._wanted, self._columns, strict=True)])
        out = Batch(frame, pl.Series("row", self._rows, pl.Int64)), self.issues.frame()
        self.__init__(self.issues.file, self._wanted)  # type: ignore[misc]  # begins anew
        return out


class _TwiceError(ValueError):
    """A key stands twice in one object."""


def _object(pairs: list[tuple[str, object]]) -> Row:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise _TwiceError
    return row


def _literal(text: str) -> _Number:
    return _Number(text)


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_literal, parse_int=_literal, parse_constant=_literal)


def _row(line: bytes) -> tuple[Row | None, str | None]:
    """(the object on a line, what is wrong with it)."""
    try:
        value = _DECODER.decode(line.decode("utf-8"))
    except UnicodeDecodeError:
        return None, "a byte (shown as \N{REPLACEMENT CHARACTER}) is no UTF-8; the line was left out"
    except _TwiceError:
        return None, "a key stands twice in the object; the line was left out"
    except (ValueError, RecursionError) as why:
        return None, f"the line is no JSON ({why}); it was left out"
    if not isinstance(value, dict):
        return None, "the line is no JSON object; it was left out"
    if any("\0" in key for key in value) or "\\u0000" in line.decode("utf-8") or "\\ud" in line.decode("utf-8").lower():
        return _strict(value)
    return value, None


def _strict(row: Row) -> tuple[Row | None, str | None]:
    """Escapes can smuggle in what the text itself may not have."""
    text = json.dumps(row, ensure_ascii=False)
    if "\\u0000" in text:
        return None, "a NUL character stands in the object; the line was left out"
    if any("\ud800" <= c <= "\udfff" for c in text):
        return None, "half a surrogate pair stands in the object; the line was left out"
    return row, None


def _elements(path: Path, encoding: Encoding) -> list[object]:
    if path.stat().st_size > _ARRAY:
        raise UnreadableFile(f"{path}: is a JSON array of more than {_ARRAY >> 20} MB; write one object a line, which is read in batches")
    with TextSource(path, encoding) as source:
        data = b"\n".join(source.lines())
        broken = source.broken
    try:
        value = _DECODER.decode(data.decode("utf-8"))
    except (ValueError, RecursionError) as why:
        reason = "a key stands twice in an object" if isinstance(why, _TwiceError) else str(why)
        raise UnreadableFile(f"{path}: is no valid JSON array ({broken or reason}); repair it, or write one object a line") from why
    return list(value) if isinstance(value, Iterable) else []


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value
    return json.dumps(_bare(value), ensure_ascii=False, separators=(",", ":")) if not isinstance(value, bool) else str(value).lower()


def _bare(value: object) -> object:
    """Numbers inside lists and objects as numbers again."""
    if isinstance(value, _Number):
        return json.loads(value)
    if isinstance(value, list):
        return [_bare(v) for v in value]
    return {k: _bare(v) for k, v in value.items()} if isinstance(value, dict) else value
