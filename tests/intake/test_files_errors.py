"""What cannot be read is said in a sentence that helps, never as a traceback."""

import gzip
import io
import os
import zipfile
from pathlib import Path

import pytest
import zstandard

from tocsin.errors import InputError, UnknownFormat, UnreadableFile
from tocsin.intake.files import open_table


def zipped(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "x")
    return out.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", UnreadableFile, "is empty (0 bytes)"),
        (b"\n\r\n \n", UnreadableFile, "blank lines only"),
        (gzip.compress(b"", mtime=0), UnreadableFile, "is empty once unpacked"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:10], UnreadableFile, "cut off"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:12], UnreadableFile, "first line is not whole"),
        (zstandard.compress(b"a,b\n1,2\n")[:6], UnreadableFile, "cut off"),
        (b"%PDF-1.7\n\x00\x01\x02", UnknownFormat, "PDF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), UnknownFormat, "PNG"),
        (bytes(range(32)) * 20, UnknownFormat, "not text"),
        (b"<!DOCTYPE html><html></html>", UnknownFormat, "HTML"),
        (zipped("a.csv"), UnknownFormat, "unpack it first"),
        (b"PK\x03\x04" + bytes(50), UnreadableFile, "damaged or cut off .xlsx or zip"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), UnreadableFile, "locked with a password"),
        (OLE, UnknownFormat, "save it as .xlsx"),
        (b"PAR1" + bytes(100), UnreadableFile, "Parquet"),
        (b'{"a": \n', UnknownFormat, "no line is a JSON object"),
        (b'[{"a": 1}, ', UnreadableFile, "JSON array"),
        (b"[{]", UnreadableFile, "JSON array"),
        (zipped("xl/workbook.xml"), UnreadableFile, "damaged .xlsx"),
        (b'a,"b\n1,2\n', UnknownFormat, "repair that line"),
        (b"\xff\xfe\0\0a\0\0\0", UnknownFormat, "UTF-32"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_its_reason(tmp_path: Path, data: bytes, error: type[InputError], words: str) -> None:
    path = tmp_path / "reports.csv"
    path.write_bytes(data)
    with pytest.raises(error) as caught:
        open_table(path)
    assert str(caught.value).startswith(str(path))
    assert words in str(caught.value)


def test_a_missing_file_and_a_directory_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no such file"):
        open_table(tmp_path / "none.csv")
    with pytest.raises(UnreadableFile, match="is a directory"):
        open_table(tmp_path)
    with pytest.raises(UnreadableFile, match="no such file"):
        open_table(__file__ + "/none.csv")


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableFile, match="no regular file"):
        open_table(tmp_path / "pipe")


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.csv"
    path.write_text("a,b\n1,2\n")

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # root, who runs tests in containers, may read anything
    with pytest.raises(UnreadableFile, match="no permission"):
        open_table(path)
