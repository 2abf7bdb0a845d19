"""tocsin replay on the command line: words in 80 columns, files, one message where something is wrong, and a killed run that goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from samples_replay import END, history

from tocsin.cli import app
from tocsin.errors import OptionError, TocsinError, UnreadableFile

FROM = str(END - timedelta(days=35))
WORDS = ("--kind", "shift", "--actor", "nobody", "--from", FROM, "--to", str(END))


def tocsin(*words: object) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(app, ["replay", *map(str, words)])


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replay") / "reports.parquet"
    history().write_parquet(path)
    return path


@pytest.fixture(scope="module")
def done(reports: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    out = tmp_path_factory.mktemp("out")
    return tocsin(reports, *WORDS, "--out", out), out


def test_what_was_raised_is_told_in_words_and_written(done: tuple[Result, Path]) -> None:
    result, out = done
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert f"6 looks from {FROM} to {END} raised" in text
    assert "Communities shifted: more sufi" in text
    assert "permutation scan" in text
    assert "Attacks that killed 10 or more: 1" in text
    assert max(map(len, result.stdout.splitlines()[:-1])) <= 80
    assert "Hindsight" not in text
    names = {p.name for p in out.iterdir()}
    assert names == {"signals.parquet", "signals.csv", "looks.csv", "attacks.csv", "rivals.csv", "replay.html", "run.json", "looks"}


def test_hindsight_is_said_first(tmp_path: Path) -> None:
    history(hindsight=True).write_parquet(tmp_path / "reports.parquet")
    result = tocsin(tmp_path / "reports.parquet", *WORDS, "--out", tmp_path)
    assert result.stdout.startswith("Hindsight: these files hold no receipt history.")
    assert "refused" in result.stdout
    assert ", lead " not in result.stdout


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (("missing.csv", *WORDS), UnreadableFile, "missing.csv"),
        (("REPORTS", *WORDS, "--pair", "actor"), OptionError, "join two columns by +"),
        (("REPORTS", "--from", "2015-02-01", "--to", "2015-01-01"), OptionError, "give the earlier day first"),
        (("REPORTS", "--from", "2015-01-01", "--to", "2015-01-05"), TocsinError, "a look every 7 days is longer than the period of 4 days"),
        (("REPORTS", "--from", "1990-01-01", "--to", "1991-01-05"), TocsinError, "no report became known"),
    ],
    ids=["missing", "pair", "from after to", "cadence", "no reports"],
)
def test_what_is_wrong_gets_one_message(words: tuple[str, ...], error: type[Exception], says: str, reports: Path, tmp_path: Path) -> None:
    result = tocsin(*(str(reports) if w == "REPORTS" else w for w in words), "--out", tmp_path)
    assert isinstance(result.exception, error)
    assert says in str(result.exception)


def test_no_file_is_asked_for() -> None:
    assert "name at least one file" in tocsin(*WORDS).output


def test_ctrl_c_keeps_what_is_done_and_says_where(reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = sys.modules["tocsin.brief.replay"]
    look_at, calls = module.look_at, []

    def stopping(*words: Any) -> Any:
        calls.append(words)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return look_at(*words)

    monkeypatch.setattr(module, "mapped", lambda function, slices, _: map(function, slices))
    monkeypatch.setattr(module, "look_at", stopping)
    result = tocsin(reports, *WORDS, "--out", tmp_path)
    assert result.exit_code == 130
    assert f"Stopped: 2 looks are done and kept in {tmp_path / 'looks'}" in result.stderr


def test_a_killed_run_goes_on_to_the_same_files(reports: Path, tmp_path: Path, done: tuple[Result, Path]) -> None:
    words = [sys.executable, "-m", "tocsin", "replay", str(reports), *WORDS, "--out", str(tmp_path)]
    run = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
    while run.poll() is None and not list(tmp_path.glob("looks/2*.json")):
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    run.wait()
    kept = {p: p.stat().st_mtime_ns for p in tmp_path.glob("looks/2*.json")}
    assert kept
    assert tocsin(reports, *WORDS, "--out", tmp_path).exit_code == 0
    assert all(p.stat().st_mtime_ns == when for p, when in kept.items())
    for name in ("signals.parquet", "looks.csv", "attacks.csv", "rivals.csv", "replay.html"):
        assert (tmp_path / name).read_bytes() == (done[1] / name).read_bytes(), name
    assert pl.read_parquet(tmp_path / "signals.parquet").height
