"""Memory that Polars takes over is freed once, whoever drops it, and stays true as long as anyone holds it."""

import gc
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tocsin.intake.files import open_table


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text("short,long,empty\n" + "".join(f"{k},a text of more than twelve bytes {k // 3},\n" for k in range(500)))
    return path


def test_a_column_outlives_its_batch_and_its_file(file: Path) -> None:
    kept = [batch.frame["long"] for batch, _ in open_table(file, chunk_bytes=1000).batches()]
    file.unlink()
    gc.collect()
    assert pl.concat(kept).to_list() == [f"a text of more than twelve bytes {k // 3}" for k in range(500)]


def test_columns_can_be_changed_sorted_and_joined_like_any_other(file: Path) -> None:
    frame = pl.concat([batch.frame for batch, _ in open_table(file, chunk_bytes=3000).batches()])
    assert frame["empty"].null_count() == 500
    back = frame.sort("short").join(frame, on="short").sort(pl.col("short").cast(pl.Int64))
    assert back["long_right"].str.to_uppercase().to_list() == [f"A TEXT OF MORE THAN TWELVE BYTES {k // 3}" for k in range(500)]
    assert frame.rechunk().equals(frame)


def test_a_program_that_ends_while_it_holds_columns_ends_well(file: Path) -> None:
    code = (
        "import sys; from tocsin.intake.files import open_table; held = list(open_table(sys.argv[1], chunk_bytes=1000).batches());"
        "it = open_table(sys.argv[1], chunk_bytes=1000).batches(); first = next(it); print(len(held))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
