"""The command line as its user meets it: one message, what to do next, never a traceback."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from commands import tocsin

from tocsin.cli import app

GED = Path(str(files("tocsin.data").joinpath("ged221_pakistan.csv.gz")))


def started(*words: object) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    return subprocess.run([sys.executable, "-m", "tocsin", *map(str, words)], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def ged_2015(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows of 2014 and 2015, as a small file."""
    path = tmp_path_factory.mktemp("ged") / "small.csv"
    frame = pl.read_csv(gzip.decompress(GED.read_bytes()), infer_schema=False)
    frame.filter(pl.col("year").is_in(["2014", "2015"])).write_csv(path)
    return path


@pytest.mark.parametrize("verb", ["read", "fuse", "brief"])
def test_a_verb_without_files_says_what_it_needs(verb: str) -> None:
    done = (started if verb == "brief" else tocsin)(verb)
    assert done.returncode == 2
    assert "name at least one file" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: p / "missing.csv", "missing.csv"),
        (lambda p: p, "directory"),
        (lambda p: _write(p / "empty.csv", b""), "empty"),
        (lambda p: _write(p / "odd.csv", b"colour,shape\nred,round\n"), "no reader knows this header"),
        (lambda p: _write(p / "picture.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 64), "picture.png"),
    ],
    ids=["missing", "directory", "empty", "unknown header", "binary"],
)
def test_a_file_that_cannot_be_used_gets_one_clear_message(make: object, says: str, tmp_path: Path) -> None:
    done = tocsin("read", make(tmp_path), "--out", tmp_path / "out")  # type: ignore[operator]
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def _write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_read_writes_reports_and_issues(ged_2015: Path, tmp_path: Path) -> None:
    done = tocsin("read", ged_2015, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    reports = pl.read_parquet(tmp_path / "out" / "reports.parquet")
    assert reports.filter(pl.col("agency") == "UCDP GED").height == 413 + 276
    assert set(pl.read_csv(tmp_path / "out" / "issues.csv").columns) == {"file", "row", "field", "value", "reason"}


def test_fuse_takes_the_reports_that_read_wrote(ged_2015: Path, tmp_path: Path) -> None:
    assert tocsin("read", ged_2015, "--out", tmp_path).returncode == 0
    done = tocsin("fuse", tmp_path / "reports.parquet", "--out", tmp_path / "fused")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "fused" / "incidents.geojson").exists()


def test_the_same_brief_twice_is_the_same_page_byte_for_byte(ged_2015: Path, tmp_path: Path) -> None:
    pages = []
    for name, run in (("one", started), ("two", tocsin)):  # in another process, whose hashes and threads fall otherwise
        done = run("brief", ged_2015, "--as-of", "2015-05-14", "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
        pages.append((tmp_path / name / "brief.html").read_bytes())
    assert pages[0] == pages[1]
    run = json.loads((tmp_path / "one" / "run.json").read_text())
    assert run["options"]["as_of"] == "2015-05-14"
    assert len(run["inputs"][0]["sha256"]) == 64


def test_a_wrong_date_names_the_form() -> None:
    done = tocsin("brief", "--demo", "--as-of", "14.5.2015")
    assert done.returncode == 2
    assert "%Y-%m-%d" in done.stderr


def test_run_json_makes_the_same_page_again_and_says_so(ged_2015: Path, tmp_path: Path) -> None:
    assert tocsin("brief", ged_2015, "--window", "30", "--group", "shia", "--out", tmp_path / "one").returncode == 0
    done = tocsin("brief", "--again", tmp_path / "one" / "run.json", "--out", tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert "byte for byte" in done.stdout


def test_run_json_of_another_file_names_the_file_that_changed(ged_2015: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_bytes(ged_2015.read_bytes())
    assert tocsin("brief", copy, "--out", tmp_path / "one").returncode == 0
    copy.write_bytes(b"".join(ged_2015.read_bytes().splitlines(keepends=True)[:-200]))
    done = tocsin("brief", "--again", tmp_path / "one" / "run.json", "--out", tmp_path / "two")
    assert "copy.csv" in done.stdout


def test_what_is_not_a_run_json_is_refused(tmp_path: Path) -> None:
    odd = tmp_path / "odd.json"
    odd.write_text("[1]", encoding="utf-8")
    done = tocsin("brief", "--again", odd)
    assert done.returncode == 2
    assert "run.json" in done.stderr


def test_fuse_reads_event_files_on_its_way_and_keeps_what_it_read(ged_2015: Path, tmp_path: Path) -> None:
    done = tocsin("fuse", ged_2015, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    incidents = pl.read_parquet(tmp_path / "incidents.parquet")
    reports = pl.read_parquet(tmp_path / "reports.parquet")
    assert f"{reports.height:,} reports, {incidents.height:,} incidents" in done.stdout
    assert sum(map(len, incidents["report_ids"])) == reports.height
    assert len(json.loads((tmp_path / "incidents.geojson").read_text())["features"]) == incidents.height
    assert pl.read_csv(tmp_path / "incidents.csv", infer_schema=False).height == incidents.height
    assert {p.name for p in tmp_path.iterdir()} == {
        "reports.parquet",
        "issues.csv",
        "links.parquet",
        *(f"incidents.{k}" for k in ("parquet", "csv", "geojson")),
    }


def test_fuse_does_not_write_over_reports_that_it_was_given(ged_2015: Path, tmp_path: Path) -> None:
    assert tocsin("read", ged_2015, "--out", tmp_path).returncode == 0
    done = tocsin("fuse", tmp_path / "reports.parquet", ged_2015, "--out", tmp_path)
    assert done.returncode == 2
    assert "give another folder with --out" in done.stderr


def test_headlines_are_fused_by_their_own_method(tmp_path: Path) -> None:
    (tmp_path / "press.csv").write_text(
        "id,office,day,headline\n1,A,2015-05-13,Gunmen kill 45 on Karachi bus\n2,B,2015-05-13,45 Ismailis shot dead on bus in Karachi\n3,B,2015-09-01,Polio worker shot dead\n"
    )
    (tmp_path / "press.yml").write_text(
        "agency: {column: office}\nvalues: {own_id: id, reported_at: day, text: headline, country: {constant: PAK}}\n"
    )
    words = [
        "fuse",
        str(tmp_path / "press.csv"),
        "--spec",
        str(tmp_path / "press.yml"),
        "--method",
        "press",
        "--out",
        str(tmp_path / "out"),
    ]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert sorted(pl.read_parquet(tmp_path / "out" / "incidents.parquet")["report_ids"].list.len()) == [1, 2]
