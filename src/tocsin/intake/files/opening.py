"""Which kind of file it is: by its first bytes, never by its name."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import numpy as np

from tocsin.errors import UnknownFormat, UnreadableFile
from tocsin.intake.files.columnar import ParquetTable
from tocsin.intake.files.delimited import DelimitedTable
from tocsin.intake.files.jsonlines import JsonArrayTable, JsonLinesTable
from tocsin.intake.files.sheet import SheetTable
from tocsin.intake.files.source import Source
from tocsin.intake.files.table import Table
from tocsin.intake.files.text import TextSource, encoding_of

_HEAD = 65536
_READABLE = "a table of rows can be CSV, TSV, .xlsx, .parquet or JSON lines (text also packed as .gz or .zst)"
_OTHER = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"BZh": "packed with bzip2: unpack it first",
    b"\xfd7zXZ": "packed with xz: unpack it first",
    b"7z\xbc\xaf": "a 7z archive: unpack it first",
    b"Rar!": "a RAR archive: unpack it first",
    b"SQLite format 3": "an SQLite database: export the table as CSV",
    b"{\\rtf": "an RTF document",
    b"ARROW1": "an Arrow file: save it as .parquet",
    b"\x7fELF": "a program",
    b"\xff\xfe\0\0": "UTF-32 text: save it as UTF-8",
    b"\0\0\xfe\xff": "UTF-32 text: save it as UTF-8",
}


def open_table(path: str | os.PathLike[str], *, header: bool = True, chunk_bytes: int = 16 << 20) -> Table:
    """A file of rows, ready to be read in batches.

    CSV, TSV and their like (the delimiter is found from the first records), JSON lines and a JSON array, each also packed as gzip or
    zstandard and in UTF-8, UTF-16 or Windows-1252; Excel's .xlsx (its first sheet with rows); Parquet. `header=False` says that a
    delimited file or a sheet begins with data: its columns are `column_1` and so on. `chunk_bytes` is how much text is read at a time;
    what is read does not depend on it. Raises `UnreadableFile` where the file cannot be had or used, `UnknownFormat` where it is no table.
    """
    place = Path(path)
    try:
        _check(place)
        return _table(place, header, chunk_bytes)
    except PermissionError as why:
        raise UnreadableFile(f"{place}: no permission to read it; ask its owner, or copy it to where you may") from why
    except OSError as why:
        raise UnreadableFile(f"{place}: cannot be read ({why.strerror or why}); check the path and the disk, then try again") from why


def _check(path: Path) -> None:
    try:
        about = path.stat()
    except (FileNotFoundError, NotADirectoryError) as why:
        raise UnreadableFile(f"{path}: there is no such file; check the path") from why
    if stat.S_ISDIR(about.st_mode):
        raise UnreadableFile(f"{path}: is a directory; name the files in it, such as {path}/*.csv")
    if not stat.S_ISREG(about.st_mode):
        raise UnreadableFile(f"{path}: is no regular file; save what comes out of it to a file first")
    if about.st_size == 0:
        raise UnreadableFile(f"{path}: is empty (0 bytes); get the file again")


def _table(path: Path, header: bool, chunk_bytes: int) -> Table:
    with Source(path) as source:
        block = bytearray(_HEAD)
        head = bytes(block[: source.readinto(memoryview(block))])
        broken = source.broken
    if not head:
        raise UnreadableFile(f"{path}: {broken or 'is empty once unpacked'}; nothing could be read, get the file again")
    if head.startswith(b"PAR1"):
        return ParquetTable(path)
    if head.startswith(b"PK\x03\x04"):
        if _is_workbook(path):
            return SheetTable(path, header=header)
        return _refuse(path, "a zip archive or a document, not .xlsx: unpack it first")
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _refuse_old_office(path)
    for magic, name in _OTHER.items():
        if head.startswith(magic):
            return _refuse(path, name)
    return _text_table(path, header, chunk_bytes)


def _text_table(path: Path, header: bool, chunk_bytes: int) -> Table:
    encoding = encoding_of(path)
    with TextSource(path, encoding) as source:
        block = bytearray(_HEAD)
        head = bytes(block[: source.readinto(memoryview(block))])
    codes = np.frombuffer(head, np.uint8)
    controls = np.count_nonzero((codes < 32) & ~np.isin(codes, (9, 10, 12, 13, 26)))
    if controls > 8 and controls > 0.1 * len(codes):
        return _refuse(path, "not text (too many control characters)")
    start = head.lstrip()
    if not start:
        raise UnreadableFile(f"{path}: holds blank lines only; get the file again")
    if start.startswith(b"<"):
        return _refuse(path, "HTML or XML, perhaps the page of an error or a login: open it in a browser to see")
    if start.startswith(b"{"):
        return JsonLinesTable(path, encoding, chunk_bytes=chunk_bytes)
    if start.startswith(b"[") and start[1:].lstrip()[:1] in (b"{", b"]", b""):
        return JsonArrayTable(path, encoding, chunk_bytes=chunk_bytes)
    return DelimitedTable(path, encoding, header=header, chunk_bytes=chunk_bytes)


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith("xl/workbook") for name in archive.namelist())
    except zipfile.BadZipFile as why:
        raise UnreadableFile(f"{path}: is a damaged or cut off .xlsx or zip file ({why}); get the file again") from why


def _refuse(path: Path, what: str) -> Table:
    raise UnknownFormat(f"{path}: is {what}; {_READABLE}")


def _refuse_old_office(path: Path) -> Table:
    with path.open("rb") as file:
        secret = "EncryptedPackage".encode("utf-16-le") in file.read(64 << 20)
    if secret:
        raise UnreadableFile(f"{path}: is a workbook locked with a password; open it and save it as .xlsx without one")
    return _refuse(path, "an old Office file (.xls, .doc): open it and save it as .xlsx")
