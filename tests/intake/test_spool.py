"""Reading straight to disk gives what reading into memory gives."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tocsin import read
from tocsin.errors import UnreadableFile
from tocsin.intake import read_to

GED = Path(str(files("tocsin.data").joinpath("ged221_pakistan.csv.gz")))


def test_the_tables_on_disk_equal_those_in_memory(tmp_path: Path) -> None:
    sources, reasons = read_to(tmp_path, [GED])
    intake = read(GED)
    assert_frame_equal(pl.read_parquet(tmp_path / "reports.parquet"), intake.reports)
    on_disk = pl.read_csv(tmp_path / "issues.csv", infer_schema=False)
    assert_frame_equal(on_disk, intake.issues.with_columns(pl.col("row").cast(pl.String)), check_row_order=False)
    assert sources.row(0, named=True) == intake.sources.row(0, named=True)
    assert reasons["len"].sum() == intake.issues.height


def test_a_file_named_twice_counts_once(tmp_path: Path) -> None:
    sources, reasons = read_to(tmp_path, [GED, GED])
    assert sources["reports"].to_list() == [9626, 0]
    assert pl.read_parquet(tmp_path / "reports.parquet").height == 9626
    assert reasons.filter(pl.col("reason").str.contains("another file"))["len"].to_list() == [9626]


def test_nothing_half_written_is_left_where_a_file_fails(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        read_to(tmp_path, [GED, tmp_path / "missing.csv"])
    assert list(tmp_path.iterdir()) == []


def test_an_empty_table_is_written_with_its_columns(tmp_path: Path) -> None:
    empty = tmp_path / "header.csv"
    empty.write_text("id,type_of_violence,side_a,side_b,date_start,date_end,best\n", encoding="utf-8")
    read_to(tmp_path / "out", [empty])
    assert pl.read_parquet(tmp_path / "out" / "reports.parquet").width == 50
