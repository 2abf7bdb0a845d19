"""Nothing lost (invariant 1) in the file layer: every physical record, counted by an independent reader, is in a batch or an issue."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracles.csv_records import records

from tocsin.intake.files import open_table
from tocsin.intake.files.table import Table

CELL = st.text(st.sampled_from('ab,;\t|"\n\r é漢🙂'), max_size=6) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20
)
DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from(",;\t|"),
        "lineterminator": st.sampled_from(["\n", "\r\n", "\r"]),
        "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    }
)
CHUNKS = st.sampled_from([16, 64, 97, 1000, 1 << 20])


@st.composite
def tables(draw: st.DrawFn, cells: st.SearchStrategy[str] = CELL) -> list[list[str]]:
    """A header and rows; no row is a second header."""
    width = draw(st.integers(2, 5))
    header = [f"column {k}" for k in range(width)]
    return [header, *draw(st.lists(st.lists(cells, min_size=width, max_size=width), max_size=12))]


def write(rows: list[list[str]], dialect: dict[str, object]) -> bytes:
    out = io.StringIO(newline="")
    other = {"\n": "\r", "\r": "\n"}.get(str(dialect["lineterminator"]), "\0")
    if any(other in cell for row in rows for cell in row):
        dialect = {**dialect, "quoting": csv.QUOTE_ALL}  # Python 3.11's writer leaves the other kind of line end without quotes
    csv.writer(out, **dialect).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue().encode()


def read(data: bytes, chunk_bytes: int) -> tuple[Table, dict[int, list[str | None]], pl.DataFrame]:
    """(the table, each row's cells by its record number, the issues)."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        table = open_table(path, chunk_bytes=chunk_bytes)
        rows, issues = {}, []
        for batch, wrong in table.batches():
            assert batch.frame.height == len(batch.rows)
            assert tuple(batch.frame.columns) == table.header
            for number, cells in zip(batch.rows, batch.frame.rows(), strict=True):
                assert number not in rows
                rows[number] = list(cells)
            issues.append(wrong)
        assert len(table.source_hash) == 64
        return table, rows, pl.concat(issues)


@settings(deadline=None)
@given(tables(), DIALECTS, CHUNKS, st.booleans())
def test_every_cell_comes_back_as_it_was_written(rows: list[list[str]], dialect: dict[str, object], chunk: int, mark: bool) -> None:
    table, got, issues = read((b"\xef\xbb\xbf" if mark else b"") + write(rows, dialect), chunk)
    assert list(table.header) == rows[0]
    assert issues.height == 0
    assert got == {number: [cell or None for cell in row] for number, row in enumerate(rows[1:], 2)}


PLAIN = st.text(st.sampled_from('abc,"\n é'), max_size=8)
DAMAGE = st.lists(
    st.tuples(st.sampled_from(["cut", "quote", "nul", "byte", "cr", "header", "blank", "more"]), st.integers(0, 10**6)), max_size=3
)


def damaged(lines: list[bytes], damage: list[tuple[str, int]]) -> tuple[list[bytes], set[int]]:
    """(the records' bytes with some spoilt, the places of those that are)."""
    spoilt = set()
    for kind, seed in damage:
        place = seed % len(lines)
        if place == 0 or place in spoilt:
            continue
        line = lines[place].removesuffix(b"\n")
        at = seed % (len(line) + 1)
        line = {
            "cut": line[: len(line) // 2],
            "quote": b'"' + line,
            "nul": line[:at] + b"\0" + line[at:],
            "byte": line[:at] + b"\xff" + line[at:],
            "cr": line[:at] + b"\r" + line[at:],
            "header": lines[0].removesuffix(b"\n"),
            "blank": b"",
            "more": line + b",x",
        }[kind]
        lines[place] = line + b"\n"
        spoilt.add(place)
    return lines, spoilt


@given(tables(PLAIN), DAMAGE, CHUNKS)
@settings(max_examples=150, deadline=None)
@example([["column 0", "column 1"], ["a", "b"], ["c", 'd"e'], ["f", "g\nh"]], [("quote", 1)], 16)
@example([["column 0", "column 1"], ["a", "b"], ["c", "d"], ["f", "g"]], [("quote", 1)], 64)
@example([["column 0", "column 1", "column 2"], ["", ",", ""], ["", "", ",a"], ["", "", ""]], [("cut", 1)], 16)
def test_every_record_of_a_damaged_file_is_a_row_or_an_issue_exactly_once(
    rows: list[list[str]], damage: list[tuple[str, int]], chunk: int
) -> None:
    lines, _ = damaged([write([row], {"lineterminator": "\n"}) for row in rows], damage)
    # "é" and more of it in the header say that the file is UTF-8, so that one bad byte is a bad byte.
    data = lines[0].replace(b"column 0", "éééééé".encode()) + b"".join(lines[1:])
    _, got, issues = read(data, chunk)
    expected = records(data)
    named = set(issues["row"].to_list())
    assert not named & set(got)
    assert named | set(got) == set(range(2, len(expected) + 1))
    assert len(named) == issues.height
    for number, cells in got.items():
        assert [(c or "").encode() for c in cells] == [c.encode("latin-1") for c in expected[number - 1].cells or []]


@given(tables(st.text(st.sampled_from("abcé"), max_size=8)), DAMAGE, CHUNKS)
@settings(deadline=None)
def test_one_bad_row_costs_that_row_only(rows: list[list[str]], damage: list[tuple[str, int]], chunk: int) -> None:
    """Cells without quotes and line ends of their own, and one stray quote at most, for two can make one whole cell of all that is between them: then no
    damage can be mistaken for part of a neighbour."""
    quotes = [d for d in damage if d[0] == "quote"]
    some = [d for d in damage if d[0] not in ("cr", "quote")] + quotes[:1]
    lines, spoilt = damaged([write([row], {"lineterminator": "\n"}) for row in rows], some)
    data = lines[0].replace(b"column 0", "éééééé".encode()) + b"".join(lines[1:])
    _, got, _ = read(data, chunk)
    for number, row in enumerate(rows[1:], 2):
        if number - 1 not in spoilt:
            assert got[number] == [cell or None for cell in row]


@given(
    st.binary(max_size=300) | st.lists(st.sampled_from([b'"', b",", b"\n", b"\r", b"a", b"\0", b"\xe9", b'""']), max_size=60).map(b"".join)
)
@settings(max_examples=150, deadline=None)
def test_what_is_read_does_not_depend_on_the_size_of_the_chunks(body: bytes) -> None:
    data = f"{'é' * 600},é,é\n".encode() + body
    small, large = (read(data, size) for size in (16, 1 << 20))
    assert small[1] == large[1]
    assert small[2].equals(large[2])
