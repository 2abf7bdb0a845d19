"""What the physical records of a delimited file are, by the standard library's csv reader alone: slow, and easy to believe.

A line ends at LF, CR LF or CR. A record is as many lines as csv's strict reader takes for one. Where it finds the quotes wrong, or takes
several lines for a record although the second of them is a better one by itself, the first line alone is a record, a damaged one. Better
is: it has the right width where the long one has not; or both have it, and only the second has all quotes where RFC 4180 wants them.
Blank lines at the end are no records.
"""

from __future__ import annotations

import csv
import gzip
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

csv.field_size_limit(1 << 30)


@dataclass(frozen=True)
class Record:
    """One physical record; `cells` is null where its quotes are damaged. Cells are Latin-1 readings of their bytes."""

    cells: list[str] | None
    line: str


def records(data: bytes, delimiter: str = ",") -> list[Record]:
    """All records of a file's bytes, the header first."""
    lines = re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", data.decode("latin-1"))
    while lines and not lines[-1].strip("\r\n"):
        lines.pop()
    found: list[Record] = []
    width = None
    at = 0
    while at < len(lines):
        cells, used = _strict(lines, at, delimiter)
        if used > 1 and width is not None and cells is not None:
            second, more = _strict(lines, at + 1, delimiter)
            fits = len(cells) == width
            better = not fits or (not _tidy(lines[at : at + used], delimiter) and _tidy(lines[at + 1 : at + 1 + more], delimiter))
            if second is not None and len(second) == width and better:
                cells, used = None, 1
        found.append(Record(cells, lines[at].rstrip("\r\n")))
        if width is None and cells:
            width = len(cells)
        at += used
    return found


def count(path: Path, delimiter: str = ",") -> int:
    """Number of records of a file, packed as .gz or not; the header is one."""
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    return len(records(data.removeprefix(b"\xef\xbb\xbf"), delimiter))


def _strict(lines: list[str], at: int, delimiter: str) -> tuple[list[str] | None, int]:
    """(cells, lines used) of the record at line `at`; (null, 1) where its quotes are damaged."""
    reader = csv.reader(islice(lines, at, None), delimiter=delimiter, strict=True)
    try:
        cells = next(reader)
    except csv.Error:
        return None, 1
    return cells, reader.line_num


def _tidy(lines: list[str], delimiter: str) -> bool:
    """Quotes stand around whole cells or doubled inside them, nowhere else."""
    cell = rf'(?:"(?:[^"]|"")*"|[^"\r\n{re.escape(delimiter)}]*)'
    return re.fullmatch(rf"{cell}(?:{re.escape(delimiter)}{cell})*", "".join(lines).rstrip("\r\n")) is not None
