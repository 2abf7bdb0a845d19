"""tocsin watch on the command line: words in 80 columns, files, one message where something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from samples_incidents import AS_OF, quiet, shifted, table

from tocsin.cli import app
from tocsin.errors import OptionError, TocsinError, UnreadableFile


def tocsin(*words: object) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(app, ["watch", *map(str, words)])


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("watch") / "incidents.parquet"
    shifted().write_parquet(path)
    return path


def test_what_changed_is_told_in_words_and_written(changed: Path, tmp_path: Path) -> None:
    done = tocsin(changed, "--kind", "shift", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert "as of 2015-06-30, looking every 7d, 1 false alarm a year allowed." in done.stdout
    assert "Communities shifted (one_sided, by count): more sufi since" in done.stdout
    assert "What was tested" in done.stdout
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 80
    assert not any(line != line.rstrip() for line in done.stdout.splitlines() if line.startswith(" "))
    signals = pl.read_parquet(tmp_path / "signals.parquet")
    assert signals["as_of"].to_list() == [AS_OF] * signals.height
    assert pl.read_csv(tmp_path / "signals.csv")["evidence"][0].split(";") == signals["evidence"][0].to_list()
    assert pl.read_csv(tmp_path / "streams.csv").height > signals.height


def test_no_signal_says_what_could_have_been_seen(tmp_path: Path) -> None:
    table(quiet()).write_parquet(tmp_path / "incidents.parquet")
    done = tocsin(tmp_path / "incidents.parquet", "--kind", "shift", "--out", tmp_path)
    assert "No signals as of 2015-06-30" in done.stdout
    assert "is a signal 4 times of 5" in done.stdout
    assert "tests without a signal would have seen no change that was tried" in " ".join(done.stdout.split())
    assert "Not complete: of the last day fewer than 9 in 10 incidents (one_sided) are known yet." in " ".join(done.stdout.split())


def test_json_is_one_document(changed: Path, tmp_path: Path) -> None:
    words = ("--json", "--kind", "shift", "--every", "14d", "--pair", "target_type+area", "--violence", "one_sided", "--watched", 140)
    told = json.loads(tocsin(changed, *words, "--out", tmp_path).stdout)
    assert told["signals"][0]["category"] == "sufi"
    assert {"signals", "streams", "concentrated", "completeness", "left_out", "caveats", "stopped"} == set(told)


def test_the_signals_of_an_earlier_look_are_taken_up(changed: Path, tmp_path: Path) -> None:
    tocsin(changed, "--kind", "shift", "--out", tmp_path)
    old = pl.read_parquet(tmp_path / "signals.parquet").with_columns(signal_id=pl.lit("x"))
    old.head(1).write_parquet(tmp_path / "last.parquet")
    tocsin(changed, "--kind", "shift", "--out", tmp_path, "--last", tmp_path / "last.parquet")
    assert pl.read_parquet(tmp_path / "signals.parquet")["signal_id"].to_list().count("x") == 1


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (("missing.parquet",), UnreadableFile, "tocsin fuse"),
        (("INCIDENTS", "--every", "never"), OptionError, "every 'never'"),
        (("INCIDENTS", "--pair", "actor"), OptionError, "join two columns by +"),
        (("INCIDENTS", "--as-of", "2015-01-01"), TocsinError, "fuse them anew as of 2015-01-01"),
    ],
    ids=["missing", "every", "pair", "look ahead"],
)
def test_what_is_wrong_gets_one_message(words: tuple[str, ...], error: type[Exception], says: str, changed: Path) -> None:
    done = tocsin(*(str(changed) if w == "INCIDENTS" else w for w in words))
    assert isinstance(done.exception, error)
    assert says in str(done.exception)


def test_incidents_without_a_day_need_one(tmp_path: Path) -> None:
    table(quiet(1)).clear().write_parquet(tmp_path / "none.parquet")
    assert "give --as-of" in str(tocsin(tmp_path / "none.parquet").exception)
    done = tocsin(tmp_path / "none.parquet", "--as-of", "2015-06-30", "--out", tmp_path)
    assert "No incident of one_sided violence was known by 2015-06-30." in done.stdout


def test_ctrl_c_writes_what_is_done(changed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    module = sys.modules["tocsin.watch.look"]
    one, calls = module._one, []  # type: ignore[attr-defined]

    def interrupted(*words: object) -> object:
        calls.append(words)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return one(*words)

    monkeypatch.setattr(module, "_one", interrupted)
    done = tocsin(changed, "--kind", "shift", "--out", tmp_path)
    assert done.exit_code == 130
    assert "streams were not looked at" in done.stdout
    assert pl.read_parquet(tmp_path / "signals.parquet").height == 2
    assert (pl.read_csv(tmp_path / "streams.csv")["verdict"] == "not looked at").sum() > 5
