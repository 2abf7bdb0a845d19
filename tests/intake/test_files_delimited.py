"""Delimited text: what is read, what is an issue, and what each issue says."""

import csv
import gzip
import hashlib
import io
from pathlib import Path

import polars as pl
import pytest
import zstandard

from tocsin.intake.files import open_table
from tocsin.intake.files.delimited import DelimitedTable
from tocsin.intake.files.table import Table
from tocsin.intake.files.text import Encoding
from tocsin.terms.tables import ISSUES, schema


def make(folder: Path, data: bytes | str, name: str = "reports.dat") -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def read(table: Table) -> tuple[dict[int, tuple[str | None, ...]], list[tuple[int, str | None, str | None, str]]]:
    """(cells by record number, issues as tuples)."""
    rows: dict[int, tuple[str | None, ...]] = {}
    issues = []
    for batch, wrong in table.batches():
        assert wrong.schema == schema(ISSUES)
        assert set(wrong["file"]) <= {table.file}
        rows |= dict(zip(batch.rows, batch.frame.rows(), strict=True))
        issues += wrong.drop("file").rows()
    return rows, issues


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_delimiter_and_the_line_end_are_found(tmp_path: Path, delimiter: str, end: str) -> None:
    out = io.StringIO(newline="")
    rows = [["date", "place, as written", "note; free"], ["2015-01-30", "Shikarpur", 'a "b" | c'], ["2015-02-13", "", "x\ty"]]
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(rows)
    table = open_table(make(tmp_path, out.getvalue()))
    assert table.header == tuple(rows[0])
    assert read(table) == ({2: tuple(rows[1]), 3: ("2015-02-13", None, "x\ty")}, [])


def test_line_ends_of_all_kinds_may_stand_in_one_file(tmp_path: Path) -> None:
    assert read(open_table(make(tmp_path, "a,b\r1,2\r\n3,4\n5,6"))) == ({2: ("1", "2"), 3: ("3", "4"), 4: ("5", "6")}, [])


def test_a_quote_inside_a_cell_without_quotes_is_data(tmp_path: Path) -> None:
    assert read(open_table(make(tmp_path, 'what,n\n5" shell,1\n'))) == ({2: ('5" shell', "1")}, [])


def test_an_unclosed_quote_costs_its_own_line_only(tmp_path: Path) -> None:
    rows, issues = read(open_table(make(tmp_path, 'a,b,c\n1,"x,y\n2,"p ""q"" r",z\n3,"l1\nl2",z\n4,,\n')))
    assert rows == {3: ("2", 'p "q" r', "z"), 4: ("3", "l1\nl2", "z"), 5: ("4", None, None)}
    assert issues == [(2, None, '1,"x,y', "a quote is opened and not closed; the record was taken to end with its line and left out")]


def test_an_unclosed_quote_that_a_later_row_closes_by_chance_is_seen_by_the_number_of_cells(tmp_path: Path) -> None:
    rows, issues = read(open_table(make(tmp_path, 'a,b,c\n1,x,"y\n2,y,",b"\n3,3,3\n')))
    assert rows == {3: ("2", "y", ",b"), 4: ("3", "3", "3")}
    assert [i[0] for i in issues] == [2]


def test_an_unclosed_quote_that_swallows_a_row_of_the_right_width_is_seen_by_the_quote_left_over(tmp_path: Path) -> None:
    rows, issues = read(open_table(make(tmp_path, 'a,b,c\n1,",\n2,,",x"\n3,"l1\nl2, l3, l4",5" shell\n')))
    assert rows == {3: ("2", None, ",x"), 4: ("3", "l1\nl2, l3, l4", '5" shell')}
    assert [i[0] for i in issues] == [2]


def test_an_unclosed_quote_does_not_reach_further_than_the_longest_record(tmp_path: Path) -> None:
    path = make(tmp_path, "a,b\n" + '1,"x\n' + "2,y\n" * 100)
    rows, issues = read(DelimitedTable(path, Encoding("utf-8"), chunk_bytes=16, limit=50))
    assert sorted(rows) == list(range(3, 103))
    assert [i[0] for i in issues] == [2]


def test_a_record_without_end_is_cut_at_the_longest_that_one_may_be(tmp_path: Path) -> None:
    path = make(tmp_path, "a,b\n" + "x" * 120 + "\n1,2\n")
    for chunk in (16, 1000):
        rows, issues = read(DelimitedTable(path, Encoding("utf-8"), chunk_bytes=chunk, limit=50))
        assert rows == {5: ("1", "2")}
        assert [i[0] for i in issues] == [2, 3, 4]


def test_each_kind_of_damage_is_said_with_its_place(tmp_path: Path) -> None:
    lines = ["é id,name", "1,é", "2", "3,é,x", "", "4,a\0b", "é id,name", '5,"é"é', "6,é"]
    data = "\n".join(lines).encode() + b"\n7,\xffz\n\n\n"
    rows, issues = read(open_table(make(tmp_path, data)))
    assert rows == {2: ("1", "é"), 9: ("6", "é")}
    assert issues == [
        (3, None, "2", "1 cells where the header has 2; the record was left out"),
        (4, None, "3,é,x", "3 cells where the header has 2; the record was left out"),
        (5, None, None, "the line is blank; nothing was read from it"),
        (6, "name", "a␀b", "a NUL byte (shown as ␀) stands in the record; it was left out"),
        (7, None, "é id,name", "the header stands here again; it was left out"),
        (8, None, '5,"é"é', "text follows a closing quote; the record was taken to end with its line and left out"),
        (10, "name", "\N{REPLACEMENT CHARACTER}z", "a byte (shown as \N{REPLACEMENT CHARACTER}) is no UTF-8; the record was left out"),
    ]


def test_blank_lines_before_the_header_keep_their_numbers(tmp_path: Path) -> None:
    rows, issues = read(open_table(make(tmp_path, "\r\n\na,b\n1,2\n")))
    assert rows == {4: ("1", "2")}
    assert [i[0] for i in issues] == [1, 2]


def test_a_value_is_shown_up_to_200_characters(tmp_path: Path) -> None:
    _, issues = read(open_table(make(tmp_path, "a,b\n" + "é" * 1000 + "\n")))
    assert issues[0][2] == "é" * 200


def test_a_repeated_header_behind_a_byte_order_mark_is_an_issue(tmp_path: Path) -> None:
    part = '\ufeff"a",b\n1,2\n'
    rows, issues = read(open_table(make(tmp_path, part + part.replace('"', ""))))
    assert sorted(rows) == [2, 4]
    assert [i[0] for i in issues] == [3]


def test_names_in_the_header_are_made_unique_and_that_is_noted(tmp_path: Path) -> None:
    table = open_table(make(tmp_path, "id, id ,,name,name_2,name\n1,2,3,4,5,6\n"))
    assert table.header == ("id", "id_2", "column_3", "name", "name_2", "name_3")
    assert [(n["row"], n["field"]) for n in table.notes] == [(0, "id_2"), (0, "column_3"), (0, "name_3")]
    assert read(table)[0] == {2: ("1", "2", "3", "4", "5", "6")}


def test_without_a_header_the_first_record_is_data(tmp_path: Path) -> None:
    table = open_table(make(tmp_path, "1,2\n1,2\n"), header=False)
    assert table.header == ("column_1", "column_2")
    assert read(table) == ({1: ("1", "2"), 2: ("1", "2")}, [])


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    for data in ("a,b", "a,b\r\n\n"):
        table = open_table(make(tmp_path, data))
        assert [n["reason"] for n in table.notes] == ["the file has a header and no rows"]
        (batch, issues) = next(table.batches())
        assert batch.frame.schema == pl.Schema({"a": pl.String, "b": pl.String})
        assert (batch.frame.height, len(batch.rows), issues.height) == (0, 0, 0)


def test_only_the_columns_asked_for_are_made(tmp_path: Path) -> None:
    table = open_table(make(tmp_path, 'a,b,c\n1,"x""y",3\n'))
    ((batch, _),) = table.batches(columns={"c", "b", "unknown"})
    assert batch.frame.to_dicts() == [{"b": 'x"y', "c": "3"}]
    ((batch, _),) = table.batches(columns=[])
    assert batch.frame.width == 0
    assert batch.rows.to_list() == [2]


def test_progress_ends_with_the_size_of_the_file(tmp_path: Path) -> None:
    told: list[int] = []
    table = open_table(make(tmp_path, "a,b\n" + "1,2\n" * 1000), chunk_bytes=500)
    assert sum(batch.frame.height for batch, _ in table.batches(progress=told.append)) == 1000
    assert told == sorted(told)
    assert told[-1] == table.size_hint == 4004


def test_reading_may_stop_early(tmp_path: Path) -> None:
    table = open_table(make(tmp_path, "a,b\n" + "1,2\n" * 1000), chunk_bytes=100)
    batches = table.batches()
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert sum(batch.frame.height for batch, _ in table.batches()) == 1000


def test_the_hash_is_that_of_the_bytes_on_disk(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n1,2\n")
    assert open_table(make(tmp_path, packed)).source_hash == hashlib.sha256(packed).hexdigest()


@pytest.mark.parametrize("pack", [gzip.compress, lambda d: gzip.compress(d[:9]) + gzip.compress(d[9:]) + bytes(20), zstandard.compress])
def test_packed_files_are_told_by_their_bytes(tmp_path: Path, pack: object) -> None:
    data = "é,b\n" + "".join(f"{k},é\n" for k in range(5000))
    table = open_table(make(tmp_path, pack(data.encode()), "reports.csv"), chunk_bytes=999)  # type: ignore[operator]
    rows, issues = read(table)
    assert issues == []
    assert rows == {k + 2: (str(k), "é") for k in range(5000)}


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_packed_file_that_is_cut_off_gives_what_came_before(tmp_path: Path, pack: object) -> None:
    noise = "".join(f"{k},{k * 7919 % 1000003}\n" for k in range(50000))
    packed = pack(("a,b\n" + noise).encode())  # type: ignore[operator]
    table = open_table(make(tmp_path, packed[: len(packed) * 2 // 3]))
    rows, issues = read(table)
    assert 1000 < len(rows) < 50000
    assert all(rows[number] == (str(number - 2), str((number - 2) * 7919 % 1000003)) for number in rows)
    assert "cut off" in issues[-1][3] or "damaged" in issues[-1][3]
    assert issues[-1][0] in (max(rows), max(rows) + 1)
    assert set(range(2, issues[-1][0] + 1)) == set(rows) | {i[0] for i in issues[:-1]}


@pytest.mark.parametrize("chunk", [16, 1 << 20])
def test_latin_1_is_read_and_said(tmp_path: Path, chunk: int) -> None:
    table = open_table(make(tmp_path, "name,n\nKaráchi – “x”,1\n".encode("cp1252")), chunk_bytes=chunk)
    assert "Windows-1252" in str(table.notes[0]["reason"])
    assert read(table) == ({2: ("Karáchi – “x”", "1")}, [])


def test_every_byte_that_windows_1252_leaves_out_is_kept(tmp_path: Path) -> None:
    table = open_table(make(tmp_path, b"a,b\n\x81\x8d\x8f\x90\x9d\xe9,1\n"))
    assert read(table)[0] == {2: ("\x81\x8d\x8f\x90\x9dé", "1")}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_other_unicode_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    table = open_table(make(tmp_path, (mark + "place,n\nKaráchi 🙂,1\nx,2\n").encode(encoding)), chunk_bytes=16)
    assert read(table) == ({2: ("Karáchi 🙂", "1"), 3: ("x", "2")}, [])
    assert bool(table.notes) == (encoding != "utf-8-sig")


def test_half_a_surrogate_pair_in_utf_16_costs_its_row_only(tmp_path: Path) -> None:
    data = "\ufeffaa,b\n1,x".encode("utf-16-le") + b"\x00\xd8" + "\n2,y\n".encode("utf-16-le")
    rows, issues = read(open_table(make(tmp_path, data)))
    assert rows == {3: ("2", "y")}
    assert issues[0][:2] == (2, "b")
