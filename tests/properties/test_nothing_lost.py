"""Nothing lost, from bytes to reports: every physical record is a report or an issue, and one bad row costs that row only."""

from __future__ import annotations

import csv
import gzip
import io
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.csv_records import count

from tocsin import read

GED = Path(str(files("tocsin.data").joinpath("ged221_pakistan.csv.gz")))


def _lines() -> tuple[list[str], list[list[str]]]:
    with gzip.open(GED, "rt", encoding="utf-8", newline="") as f:
        header, *rows = list(csv.reader(f))
    return header, rows


HEADER, ROWS = _lines()


def _text(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([HEADER, *rows])
    return out.getvalue()


@st.composite
def damaged(draw: st.DrawFn) -> tuple[list[list[str]], dict[int, str]]:
    """Rows of GED, and for some of them (by position) what is done to them."""
    rows = [ROWS[i] for i in sorted(draw(st.sets(st.integers(0, len(ROWS) - 1), min_size=3, max_size=12)))]
    hurt = draw(st.dictionaries(st.integers(0, len(rows) - 1), st.sampled_from(["short", "long", "cell", "twice"]), max_size=3))
    return rows, hurt


@settings(max_examples=40, deadline=None)
@given(case=damaged())
def test_every_record_of_a_damaged_file_is_a_report_or_an_issue(
    case: tuple[list[list[str]], dict[int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows, hurt = case
    written: list[list[str]] = []
    for i, row in enumerate(rows):
        if hurt.get(i) == "short":
            written.append(row[:20])
        elif hurt.get(i) == "long":
            written.append([*row, "more"])
        elif hurt.get(i) == "cell":
            bad = list(row)
            bad[HEADER.index("date_start")] = "2015-02-30"
            bad[HEADER.index("best")] = "many"
            written.append(bad)
        else:
            written += [row, row] if hurt.get(i) == "twice" else [row]
    path = tmp_path_factory.mktemp("ged") / "any.csv"
    path.write_text(_text(written), encoding="utf-8")
    intake = read(path)
    told = set(intake.reports["row"]) | set(intake.issues.filter(pl.col("row") > 0)["row"])
    assert told == set(range(2, 2 + len(written)))
    assert count(path, ",") - 1 == len(written) == intake.sources["records"].item()
    sound = [r for i, r in enumerate(rows) if hurt.get(i) in (None, "twice")]
    got = {o.removeprefix("UCDP GED ") for o in intake.reports.filter(pl.col("agency") == "UCDP GED")["origin"]}
    assert {r[HEADER.index("id")] for r in sound} <= got, "a bad row costs that row only"


def test_the_same_row_twice_counts_once_and_is_kept_as_an_issue(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    path.write_text(_text([ROWS[0], ROWS[0]]), encoding="utf-8")
    intake = read(path)
    assert intake.reports.filter(pl.col("agency") == "UCDP GED").height == 1
    assert intake.issues.filter(pl.col("reason").str.contains("same row again"))["row"].to_list() == [3]


def test_another_row_under_the_same_id_is_a_report_of_its_own(tmp_path: Path) -> None:
    other = list(ROWS[0])
    other[HEADER.index("best")] = "99"
    other[HEADER.index("high")] = "99"
    path = tmp_path / "clash.csv"
    path.write_text(_text([ROWS[0], other]), encoding="utf-8")
    intake = read(path)
    events = intake.reports.filter(pl.col("agency") == "UCDP GED")
    assert events.height == 2
    assert events["report_id"].n_unique() == 2
    assert intake.issues.filter(pl.col("reason").str.contains("met before")).height == 1


def test_a_table_in_memory_gives_the_reports_that_its_file_gives(tmp_path: Path) -> None:
    path = tmp_path / "small.csv"
    path.write_text(_text(ROWS[:50]), encoding="utf-8")
    frame = pl.read_csv(path, infer_schema=False)
    from_file, from_table = read(path).reports, read(frame.to_arrow()).reports
    assert from_file["report_id"].to_list() == from_table["report_id"].to_list()
    assert from_file.drop("file", "source_hash").equals(from_table.drop("file", "source_hash"))
