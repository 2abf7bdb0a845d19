"""The watch in the brief: what it found in words, where silence is worth nothing, and what would make a signal go away."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import polars as pl
import pytest
import samples_incidents as made
from samples_planted import AS_OF, CHANGED, planted

from tocsin import brief
from tocsin.brief import Brief
from tocsin.brief.outputs import check_run, read_run
from tocsin.brief.watching import watch_view, watched
from tocsin.errors import OptionError
from tocsin.terms.say import say
from tocsin.terms.signals import signal_lines
from tocsin.watch import look


@pytest.fixture(scope="module")
def shift(tmp_path_factory: pytest.TempPathFactory) -> Brief:
    folder = tmp_path_factory.mktemp("planted")
    table, spec = planted(folder)
    brief([table], spec=spec, as_of=CHANGED - dt.timedelta(days=7), out=folder / "before")
    return brief([table], spec=spec, as_of=AS_OF, out=folder / "out", ask="sufi", ask_since=CHANGED, since=folder / "before")


def test_a_planted_change_is_a_signal_with_its_counts_odds_and_chance(shift: Brief) -> None:
    one = next(s for s in shift.view["watch"]["signals"] if s["kind"] == "shift" and s["measure"] == "count")
    text = " ".join(say(line) for line in one["lines"])
    assert say(one["name"]).startswith("Communities: more attacks, Sufi, since")
    assert abs((dt.date.fromisoformat(one["start"]) - CHANGED).days) <= 21
    assert f"{one['observed']} attacks where" in text
    assert "95 % interval" in text
    assert "Chance alone raises one like it" in text
    assert f"of its {len(one['evidence'])} incidents" in text


def test_a_signals_weeks_hold_every_incident_of_its_stream_once(shift: Brief) -> None:
    streams = {(s["kind"], s["dimension"], s["actor"], s["measure"]): s for s in shift.view["watch"]["streams"]}
    for one in shift.view["watch"]["signals"]:
        weeks, stream = one["weeks"], streams[one["kind"], one["dimension"], one["actor"], one["measure"]]
        assert sum(map(sum, (weeks["mine"], weeks["others"], weeks["unknown"]))) == stream["before"] + stream["watched"]
        assert sum(weeks["unknown"]) == stream["unknown"]
        assert dt.date.fromisoformat(weeks["start"]) + dt.timedelta(days=7 * len(weeks["mine"]) - 1) == AS_OF


def test_a_signal_goes_away_without_as_many_of_its_incidents_as_it_says_and_not_with_one_less() -> None:
    incidents = made.shifted()
    (row,) = (r for r in watched(incidents, made.AS_OF).signals.to_dicts() if r["measure"] == "count" and r["kind"] == "shift")

    def without(k: int) -> list[str]:
        gone = row["evidence"][::-1][:k]
        kept = incidents.filter(~pl.col("incident_id").is_in(gone))
        found = look(kept, as_of=made.AS_OF, kinds=("shift",), false_alarms_per_year=0.5).signals
        return found.filter((pl.col("dimension") == row["dimension"]) & (pl.col("measure") == "count"))["category"].to_list()

    assert without(row["falls_without"] - 1) == [row["category"]]
    assert without(row["falls_without"]) != [row["category"]]


def test_no_signal_says_how_many_tests_there_were_and_how_many_were_blind() -> None:
    view = watch_view(watched(made.table(made.quiet(60)), made.AS_OF), made.table(made.quiet(60)), made.AS_OF)
    first, *rest = (say(m) for m in view["summary"])
    assert first.startswith("No signal in ")
    assert "chance alone would raise 1 a year" in first
    assert any("could have seen none of the changes tried" in line for line in rest)


def test_what_is_not_to_be_relied_on_says_uncalibrated(shift: Brief) -> None:
    row = shift.signals.to_dicts()[0] | {"note": "uncalibrated here: data seem to be missing"}
    assert say(signal_lines(row)[-1]) == "Bear in mind: uncalibrated here: data seem to be missing."


def test_concentrated_stands_beside_and_says_that_it_is_unadjusted(shift: Brief) -> None:
    (one,) = shift.view["watch"]["concentrated"]
    assert one["place"] == "Town 3"
    assert "unadjusted" in say(("concentrated_note", {}))


def test_filters_narrow_what_is_watched(shift: Brief, tmp_path: Path) -> None:
    table, spec = planted(tmp_path)
    narrow = brief([table], spec=spec, as_of=AS_OF, group="christian")
    count = {name: b.view["watch"]["streams"][0]["before"] for name, b in (("narrow", narrow), ("whole", shift))}
    assert count["narrow"] < count["whole"]
    assert not any(s["dimension"] == "target_group" for s in narrow.view["watch"]["signals"])


def test_the_same_page_is_made_again_from_its_run_json(shift: Brief, tmp_path: Path) -> None:
    assert shift.page is not None
    run = read_run(shift.page.parent / "run.json")
    assert run["seeds"] == [0]
    o = run["options"]
    more = {"watch": o["watch"], "ask": o["ask"], "ask_since": CHANGED, "since": shift.page.parent.parent / "before"}
    made_again = brief(o["files"], spec=o["spec"], as_of=AS_OF, out=tmp_path, **more)
    assert made_again.page is not None
    assert "same page" in check_run(run, made_again.page)


def test_the_signals_lie_beside_the_page_and_not_those_of_another_brief(shift: Brief, tmp_path: Path) -> None:
    assert shift.page is not None
    out = tmp_path / "counts"
    shutil.copytree(shift.page.parent, out)
    assert pl.read_parquet(out / "signals.parquet").equals(shift.signals)
    assert (out / "streams.csv").exists()
    table, spec = planted(tmp_path)
    counts = brief([table], spec=spec, as_of=AS_OF, out=out, watch=False)
    assert not (out / "signals.parquet").exists()
    assert counts.view["watch"] is None
    assert counts.signals.is_empty()
    assert "--no-watch" in counts.view["reproduce"]
    assert json.loads((out / "run.json").read_text())["options"]["watch"] is False


def test_a_later_brief_says_which_signals_are_new_go_on_and_ended(shift: Brief, tmp_path: Path) -> None:
    table, spec = planted(tmp_path)
    assert shift.page is not None
    now = shift.page.parent
    found = shift.view["since"]["signals"]
    assert found["new"] == [s["id"] for s in shift.view["watch"]["signals"]]
    again = brief([table], spec=spec, as_of=AS_OF, since=now).view["since"]["signals"]
    assert (again["new"], again["ended"], set(again["on"])) == ([], [], set(found["new"]))
    back = brief([table], spec=spec, as_of=AS_OF, group="christian", since=now).view["since"]["signals"]
    assert len(back["ended"]) == len(found["new"])
    unwatched = brief([table], spec=spec, as_of=AS_OF, since=now, watch=False)
    assert unwatched.view["since"]["signals"] is None


def test_an_alert_is_not_a_signal(shift: Brief) -> None:
    assert shift.view["watch"]["signals"]
    assert say(shift.view["alert_text"]) == "No alert was issued."


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"ask": "martian", "ask_since": CHANGED}, "'martian' is neither"),
        ({"ask": "mainland", "ask_since": CHANGED}, "names no community"),
        ({"ask": "shia"}, "since when"),
        ({"ask_since": CHANGED}, "of what"),
        ({"ask": "shia", "ask_since": AS_OF}, "7 days"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_in_words(tmp_path: Path, options: dict, told: str) -> None:
    table, spec = planted(tmp_path)
    with pytest.raises(OptionError, match=told):
        brief([table], spec=spec, as_of=AS_OF, **options)
