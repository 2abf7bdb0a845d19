"""Workbooks, Parquet and JSON."""

import datetime as dt
import gzip
import json
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from tocsin.errors import UnreadableFile
from tocsin.intake.files import open_table, sheet
from tocsin.intake.files.table import Table


def read(table: Table) -> tuple[dict[int, dict[str, str | None]], list[tuple[int, str | None, str | None]]]:
    """(cells by record number, place and value of each issue)."""
    rows: dict[int, dict[str, str | None]] = {}
    issues = []
    for batch, wrong in table.batches():
        assert set(batch.frame.dtypes) <= {pl.String}
        rows |= dict(zip(batch.rows, batch.frame.to_dicts(), strict=True))
        issues += wrong.select("row", "field", "value").rows()
    return rows, issues


def workbook(path: Path, rows: list[list[object]], *, more: tuple[str, ...] = ()) -> Path:
    with xlsxwriter.Workbook(path) as book:
        days, times = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet = book.add_worksheet("data")
        for r, cells in enumerate(rows):
            for c, cell in enumerate(cells):
                if isinstance(cell, dt.date):
                    sheet.write_datetime(r, c, cell, times if isinstance(cell, dt.datetime) else days)
                elif isinstance(cell, str) and cell.startswith("="):
                    sheet.write_formula(r, c, cell, None, "#DIV/0!")
                elif cell is not None:
                    sheet.write(r, c, cell)
        for name in more:
            book.add_worksheet(name)
    return path


def test_cells_of_a_workbook_are_text_as_a_reader_would_write_it(tmp_path: Path) -> None:
    table = open_table(
        workbook(
            tmp_path / "no extension",
            [
                ["eventid", "lat", "when", "note", "flag"],
                [197000000001, 18.456792, dt.date(1970, 7, 2), 'a "b", c', True],
                [2, -69.0, dt.datetime(2015, 5, 13, 9, 30), "x\ny", None],
                [3, None, None, "007", False],
            ],
        )
    )
    names = ("eventid", "lat", "when", "note", "flag")
    assert table.header == names
    assert read(table) == (
        {
            2: dict(zip(names, ("197000000001", "18.456792", "1970-07-02", 'a "b", c', "true"), strict=True)),
            3: dict(zip(names, ("2", "-69", "2015-05-13 09:30:00", "x\ny", None), strict=True)),
            4: dict(zip(names, ("3", None, None, "007", "false"), strict=True)),
        },
        [],
    )


def test_blank_rows_repeated_headers_and_error_cells_of_a_sheet_are_issues(tmp_path: Path) -> None:
    rows: list[list[object]] = [[], ["a", "b"], [1, "=1/0"], [], ["a", "b"], [2, "x"]]
    table = open_table(workbook(tmp_path / "t.xlsx", rows))
    assert read(table) == (
        {3: {"a": "1", "b": None}, 6: {"a": "2", "b": "x"}},
        [(1, None, None), (3, "b", "#DIV/0!"), (4, None, None), (5, None, "a b")],
    )


def test_a_sheet_is_read_the_same_in_small_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "t.xlsx", [["a", "b"], *([k, None if k % 3 else k / 2] for k in range(50)), [], [7, 7]])
    whole = read(open_table(path))
    monkeypatch.setattr(sheet, "_CELLS", 14)
    assert read(open_table(path)) == whole
    assert sorted(whole[0]) == [*range(2, 52), 53]


def test_sheets_that_were_not_read_are_noted(tmp_path: Path) -> None:
    table = open_table(workbook(tmp_path / "t.xlsx", [["a"], [1]], more=("notes", "codes")))
    assert "'notes', 'codes'" in str(table.notes[0]["reason"])


def test_a_workbook_without_cells_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no sheet"):
        open_table(workbook(tmp_path / "t.xlsx", []))


def test_parquet_is_read_as_text_with_its_first_row_as_record_1(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "id": [1, None],
            "lat": [30.0, 30.25],
            "day": [dt.date(2015, 5, 13), None],
            "time": [dt.datetime(2015, 5, 13), dt.datetime(2015, 5, 13, 9, 30)],
            "list": [["a", 'b"'], None],
            "kind": pl.Series(["", "x"], dtype=pl.Categorical),
            "is": [True, False],
            "raw": [b"ab", None],
            "struct": [{"a": 1, "b": None}, None],
            "none": pl.Series([None, None], dtype=pl.Null),
        }
    )
    frame.write_parquet(tmp_path / "t")
    rows, issues = read(open_table(tmp_path / "t"))
    assert issues == []
    assert list(rows[1].values()) == [
        "1",
        "30",
        "2015-05-13",
        "2015-05-13",
        '["a", "b\\""]',
        None,
        "true",
        "ab",
        '{"a": 1, "b": null}',
        None,
    ]
    assert list(rows[2].values()) == [None, "30.25", None, "2015-05-13 09:30:00", None, "x", "false", None, None, None]
    ((batch, _),) = open_table(tmp_path / "t").batches(columns={"lat"})
    assert batch.frame.columns == ["lat"]


def test_a_parquet_file_is_read_in_batches(tmp_path: Path) -> None:
    pl.DataFrame({"n": range(140_000)}).write_parquet(tmp_path / "t", row_group_size=10_000)
    batches = [batch for batch, _ in open_table(tmp_path / "t").batches()]
    assert [b.frame.height for b in batches] == [65536, 65536, 8928]
    assert pl.concat([b.frame for b in batches])["n"].cast(pl.Int64).to_list() == list(range(140_000))
    assert batches[-1].rows[-1] == 140_000


def test_json_lines_have_the_keys_of_all_lines_and_numbers_as_written(tmp_path: Path) -> None:
    lines = [
        '{"id": 1, "lat": 30.10, "big": 12345678901234567890}',
        '{"id": "2", "tags": ["a", 1.50], "ok": true, "gone": null, "none": ""}',
    ]
    (tmp_path / "t").write_bytes(gzip.compress("\n".join(lines).encode()))
    table = open_table(tmp_path / "t", chunk_bytes=16)
    assert table.header == ("id", "lat", "big", "tags", "ok", "gone", "none")
    rows, issues = read(table)
    assert issues == []
    assert list(rows[1].values()) == ["1", "30.10", "12345678901234567890", None, None, None, None]
    assert list(rows[2].values()) == ["2", None, None, '["a",1.5]', "true", None, None]


def test_a_bad_line_of_json_costs_that_line(tmp_path: Path) -> None:
    good = json.dumps({"name": "é" * 5}, ensure_ascii=False).encode()
    bad = [
        b'{"name": ',
        b"",
        b"[1]",
        b'{"name": "\xff"}',
        b'{"name": 1, "name": 2}',
        b'{"name": "\\ud800"}',
        b'{"name": "a\\u0000"}',
        b"{" * 5000,
    ]
    (tmp_path / "t").write_bytes(b"\n".join([good, *bad, good, b"", b""]))
    rows, issues = read(open_table(tmp_path / "t"))
    assert sorted(rows) == [1, 10]
    assert [i[0] for i in issues] == list(range(2, 10))


def test_a_json_array_is_a_table_too(tmp_path: Path) -> None:
    (tmp_path / "t").write_text('[{"a": 1.0, "b": {"x": 2.50}},\n 7, {"a": null}]')
    table = open_table(tmp_path / "t")
    assert read(table) == ({1: {"a": "1.0", "b": '{"x":2.5}'}, 3: {"a": None, "b": None}}, [(2, None, "7")])
    (tmp_path / "t").write_text("[]")
    assert open_table(tmp_path / "t").notes[0]["row"] == 0
