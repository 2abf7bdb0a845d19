"""History as if live: what is raised when, what stood before an attack, what is refused, and that a stopped run goes on."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from samples_incidents import AS_OF, incident, quiet, shifted, table
from samples_replay import END, START, TURN, history

import tocsin
from tocsin.brief.replay import Replay, dates
from tocsin.brief.replay.cover import covered, names
from tocsin.brief.replay.dates import look_at
from tocsin.brief.replay.rivals import ears_alarms, level, scan_alarms
from tocsin.brief.replay.spells import spells
from tocsin.errors import ContractError, OptionError, UnreadableFile
from tocsin.fusion import Judgement
from tocsin.terms.ids import report_id
from tocsin.terms.tables import ATTACKS, LOOKS, RAISED, RIVALS, schema
from tocsin.watch import look
from tocsin.watch.ears import ears
from tocsin.watch.known import known
from tocsin.watch.plan import PAIRS, made

module: Any = sys.modules["tocsin.brief.replay"]
Row = dict[str, Any]


def replayed(reports: pl.DataFrame | None = None, **more: Any) -> Replay:
    usual: Row = {"start": START, "end": END, "kinds": ("shift",), "actors": (), "pairs": ()}
    return tocsin.replay(history() if reports is None else reports, **(usual | more))


@pytest.fixture(scope="module")
def found() -> Replay:
    return replayed()


def plan(**more: Any) -> Any:
    usual = {"every": 7, "kinds": ("cluster", "shift"), "violence": ("one_sided",), "watched": 182, "false_alarms": 1.0, "pairs": PAIRS}
    return made(AS_OF, **(usual | {"actors": None, "seed": 0, "engine": "here"} | more))


def test_the_tables_are_as_their_contracts_promise(found: Replay) -> None:
    for name, contract in (("signals", RAISED), ("looks", LOOKS), ("attacks", ATTACKS), ("rivals", RIVALS)):
        assert getattr(found, name).schema == schema(contract), name
    assert found.looks["as_of"].to_list() == dates(START, END, 7)
    assert found.page is None


def test_a_signal_stands_from_the_look_that_raised_it_first_to_the_last(found: Replay) -> None:
    sufi = found.signals.filter(pl.col("category") == "sufi").row(0, named=True)
    assert TURN < sufi["first_raised"] <= sufi["last_raised"]
    assert not sufi["at_start"]
    assert sufi["looks"] <= (sufi["last_raised"] - sufi["first_raised"]).days // 7 + 1
    assert sufi["as_of"] == sufi["first_raised"]
    assert set(sufi["evidence"]) <= set(sufi["incidents"])
    assert found.signals["signal_id"].is_unique().all()
    assert found.looks["new"].sum() == found.signals.height
    assert found.looks["signals"].sum() == found.signals["looks"].sum()


def test_a_signal_that_stood_before_an_attack_is_named_with_its_lead(found: Replay) -> None:
    late = found.attacks.filter(pl.col("event_start") == END - timedelta(days=9)).row(0, named=True)
    own = found.signals.filter(pl.col("signal_id").is_in(late["signals"]))
    assert "sufi" in own["category"]
    assert late["first_raised"] == own["first_raised"].min()
    assert late["lead_days"] == (late["event_start"] - late["first_raised"]).days > 0
    assert late["lead_at_least"] is False


def test_an_attack_before_any_signal_is_missed(found: Replay) -> None:
    assert END - timedelta(days=69) in found.missed["event_start"].to_list()
    assert found.missed["lead_days"].null_count() == found.missed.height > 0
    assert found.missed.height + found.attacks.filter(pl.col("signals").list.len() > 0).height == found.attacks.height == 2


def test_hindsight_tells_which_signals_stood_and_no_lead(tmp_path: Path, found: Replay) -> None:
    hind = replayed(history(hindsight=True), out=tmp_path)
    assert hind.hindsight
    assert hind.caveats[0].startswith("Hindsight")
    assert hind.attacks["signals"].to_list() == found.attacks["signals"].to_list()
    for column in ("lead_days", "lead_at_least", "scan_lead_days", "c1_lead_days", "c2_lead_days"):
        assert hind.attacks[column].null_count() == hind.attacks.height
    assert hind.rivals["lead_days"].null_count() == hind.rivals.height
    page = (tmp_path / "replay.html").read_text(encoding="utf-8")
    assert page.index("Hindsight") < page.index("looks from")
    assert "not claimed: hindsight" in page
    assert not found.hindsight
    assert not any(c.startswith("Hindsight") for c in found.caveats)


def test_all_methods_stand_side_by_side_under_one_rule(found: Replay) -> None:
    both = replayed(kinds=("cluster", "shift"))
    assert both.rivals["method"].to_list() == [
        "tocsin", "tocsin, clusters alone", "tocsin, shifts alone", "permutation scan", "EARS C1 per area", "EARS C2 per area"
    ]  # fmt: skip
    assert both.rivals["promised_per_year"].to_list() == [1, 0.5, 0.5, 1, 1, 1]
    assert both.rivals["raised"][0] == both.rivals["raised"][1] + both.rivals["raised"][2]
    assert both.rivals["attacks"].unique().to_list() == [2]
    years = (found.looks["as_of"][-1] - found.looks["as_of"][0]).days / 365.25
    assert np.allclose(both.rivals["raised_per_year"] * years, both.rivals["raised"])
    assert found.rivals.height == 4


def test_what_the_rivals_promise_is_shared_out_among_what_they_test() -> None:
    p = plan(false_alarms=2.0)
    assert level(p, 1) * 365.25 / 7 == pytest.approx(2.0)
    assert level(p, 10) * 10 == pytest.approx(level(p, 1))
    assert level(plan(false_alarms=500.0), 1) == 0.5


def test_ears_alarms_are_those_of_the_chart_on_counts_per_area_and_look() -> None:
    rows = quiet(300, admin1="Sindh") + [
        incident(800_000 + k, AS_OF - timedelta(days=k % 6), admin1="Punjab", town=k % 20) for k in range(9)
    ]
    p = plan()
    have = known(table(rows), p).incidents
    told = {(a["kind"], a["category"]) for a in ears_alarms(have, p)}
    for area in ("PAK/Sindh", "PAK/Punjab"):
        days = have.filter(pl.col("area") == area)["day"].to_list()
        counts = [sum(p.until - 7 * (b + 1) <= d < p.until - 7 * b for d in days) for b in range(9, -1, -1)]
        for method in ("C1", "C2"):
            assert ((method.lower(), area) in told) == bool(ears(counts, method=method, alpha=level(p, 2), least=0.5).alarm[-1])
    assert ("c1", "PAK/Punjab") in told


def test_the_scan_raises_a_burst_with_its_incidents_as_evidence() -> None:
    burst = [incident(800_000 + k, AS_OF - timedelta(days=k % 6), town=7) for k in range(9)]
    (alarm,) = scan_alarms(known(table(quiet() + burst), plan()).incidents, plan())
    assert {r["incident_id"] for r in burst} <= set(alarm["evidence"])
    assert list(scan_alarms(known(table(quiet()), plan()).incidents, plan())) == []


def raised(day: date, *evidence: str, **more: Any) -> Row:
    row = {"kind": "shift", "measure": "count", "violence": "one_sided", "dimension": "target_group", "actor": None, "category": "sufi"}
    return row | {"signal_id": f"id {evidence[0]}", "first_raised": day, "evidence": list(evidence), "log_odds": 1.0} | more


DAYS = [date(2015, 1, 1) + timedelta(days=7 * k) for k in range(6)]


def test_one_look_may_fail_to_raise_a_signal_that_goes_on() -> None:
    looks = [(d, [raised(d, "a", "b")] if k in (0, 2, 5) else []) for k, d in enumerate(DAYS)]
    first, again = spells(looks)
    assert sorted(first.rows) == [0, 2]
    assert sorted(again.rows) == [5]
    assert first.rows[2]["first_raised"] == DAYS[0]
    assert again.rows[5]["signal_id"] != first.rows[2]["signal_id"]


def test_a_signal_with_other_evidence_is_another_one() -> None:
    looks = [(DAYS[0], [raised(DAYS[0], "a", "b", "c")]), (DAYS[1], [raised(DAYS[1], "c", "d", "e")])]
    assert [sorted(s.rows) for s in spells(looks)] == [[0], [1]]
    looks = [(DAYS[0], [raised(DAYS[0], "a", "b", "c")]), (DAYS[1], [raised(DAYS[1], "b", "c", "d", "e")])]
    (one,) = spells(looks)
    assert one.incidents == ["a", "b", "c", "d", "e"]


def test_the_looks_may_be_made_anywhere_and_are_joined_the_same() -> None:
    looks = [(d, [raised(d, "a", "b"), raised(d, "x", category="shia", dimension="actor")]) for d in DAYS]
    kept = json.dumps([[r["signal_id"] for r in s.rows.values()] for s in spells(looks)])
    assert json.dumps([[r["signal_id"] for r in s.rows.values()] for s in spells([(d, r[::-1]) for d, r in looks])]) == kept


def frame(*rows: Row) -> pl.DataFrame:
    return known(table(list(rows)), plan()).incidents


@pytest.mark.parametrize(
    ("signal", "hits"),
    [
        ({"dimension": "target_group", "category": "shia"}, [True, False]),
        ({"dimension": "target_group", "category": "shia", "log_odds": -1.0}, [False, False]),
        ({"dimension": "area", "category": "PAK/Sindh"}, [True, True]),
        ({"dimension": "area", "category": "PAK/Sindh", "actor": "BLA"}, [False, True]),
        ({"dimension": "target_group+area_class", "category": "sufi, mainland"}, [False, True]),
        ({"dimension": "place", "kind": "cluster", "lat": 25.6, "lon": 66.0, "radius_km": 1.0}, [True, False]),
        ({"dimension": "place", "kind": "cluster", "lat": 25.55, "lon": 66.0, "radius_km": 0.0}, [False, False]),
        ({"dimension": "place", "kind": "cluster", "lat": 25.6, "lon": 66.0, "radius_km": 400.0}, [True, True]),
        ({"dimension": "area", "category": "PAK/Sindh", "violence": "state_based"}, [False, False]),
    ],
)
def test_a_signal_covers_what_it_names(signal: Row, hits: list[bool]) -> None:
    two = frame(incident(1, AS_OF, town=1, target_group="shia/ismaili"), incident(2, AS_OF, town=4, target_group="sufi", actor="BLA; TTP"))
    assert names(raised(AS_OF, "e") | signal, two).tolist() == hits


def test_an_incident_without_a_place_lies_in_no_cluster() -> None:
    one = frame(incident(1, AS_OF, radius_km=60.0))
    assert not names(raised(AS_OF, "e", kind="cluster", dimension="place", lat=25.0, lon=66.0, radius_km=500.0), one).any()


def test_only_what_the_last_look_before_an_attack_raised_stood_before_it() -> None:
    days = [AS_OF - timedelta(days=k) for k in (21, 14, 7)]
    (own,) = spells([(days[0], [raised(days[0], "a")]), (days[1], [raised(days[1], "a")]), (days[2], [])])
    when = [days[0], days[0] + timedelta(days=1), days[1], days[1] + timedelta(days=7), days[2] + timedelta(days=1)]
    attacks = frame(*(incident(k, d, target_group="sufi") for k, d in enumerate(when))).sort("event_start", "incident_id")
    found = covered([own], attacks, days)
    assert [bool(s) for s in found.by] == [False, True, True, True, False]
    assert found.lead == [None, 1, 7, 14, None]
    assert found.at_least == [False, True, True, True, False]


def test_a_quick_look_raises_what_a_whole_look_raises() -> None:
    whole, quick = (look(shifted(), as_of=AS_OF, actors=(), quick=q) for q in (False, True))
    apart = {"signal_id", "first_raised", "falls_without"}
    assert whole.signals.height
    assert_frame_equal(whole.signals.drop(apart), quick.signals.drop(apart), check_row_order=False)
    assert set(quick.signals["first_raised"]) == {AS_OF}
    seen = {"seen_category", "seen_odds", "seen_extra"}
    assert_frame_equal(whole.streams.drop(seen), quick.streams.drop(seen))
    assert quick.streams.select(pl.col(*seen).is_null().all()).row(0) == (True, True, True)


def test_replay_raises_first_what_a_whole_look_at_the_same_day_traces_back_to(found: Replay) -> None:
    """Where nothing that a report says was learnt later, looking back and having looked give one answer, but for the limit, which moves with the streams."""
    day = found.looks["as_of"][-1]
    whole = look(tocsin.fuse(history(), as_of=day, judgements=()).incidents, as_of=day, kinds=("shift",), actors=(), pairs=()).signals
    standing = found.signals.filter(pl.col("ended").is_null())
    both = whole.join(standing, on=["dimension", "category", "measure"], suffix="_live")
    assert both.height == whole.height == standing.height > 0
    assert (both["first_raised"] - both["first_raised_live"]).dt.total_days().abs().max() <= 14


def test_a_judgement_signed_later_is_not_used() -> None:
    reports = history()
    day = reports["event_start"].max()
    decided = [
        Judgement("j", "me", END + timedelta(days=1), "why", "value", (r,), field="target_group", value="shia")
        for r in reports.filter(pl.col("event_start") >= TURN)["report_id"]
    ]
    assert isinstance(day, date)
    short: Row = {"start": END - timedelta(days=28)}
    plain, judged = replayed(judgements=(), **short), replayed(judgements=decided, **short)
    assert "sufi" in plain.signals["category"].to_list()
    assert judged.signals.equals(plain.signals)
    assert any("signed after the period not used" in c for c in judged.caveats)
    early = replayed(judgements=[Judgement(**{**vars(j), "id": f"j{k}", "signed": TURN}) for k, j in enumerate(decided)], **short)
    assert "sufi" not in early.signals["category"].to_list()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"start": END, "end": START}, "after its end"),
        ({"start": END - timedelta(days=5)}, "longer than the period of 5 days"),
        ({"start": END, "end": END}, "take one look with `tocsin watch`"),
        ({"start": date(1999, 1, 1), "end": date(1999, 6, 1)}, "no report became known from 1999-01-01 to 1999-06-01"),
        ({"every": "never"}, "every 'never'"),
        ({"mass": 0}, "mass 0 makes no sense"),
        ({"engine": "ray"}, "'ray' is none of here, spark"),
        ({"kinds": ("trend",)}, "kinds 'trend'"),
        ({"false_alarms_per_year": 0}, "false_alarms_per_year 0"),
        ({"every": 1, "false_alarms_per_year": 0.001}, "the look of"),
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(options: Row, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        replayed(**options)


def test_what_is_no_table_of_reports_is_refused() -> None:
    with pytest.raises(ContractError):
        replayed(history().drop("agency"))


def test_reports_without_a_date_leave_nothing_to_replay() -> None:
    none = history(hindsight=True).with_columns(known_at=pl.lit(date(9999, 12, 31)))
    with pytest.raises(OptionError, match="none of 260 reports is dated"):
        replayed(none)
    some = history(hindsight=True).with_columns(known_at=pl.when(pl.int_range(pl.len()) < 3).then(date(9999, 12, 31)).otherwise("known_at"))
    assert any(c.startswith("3 reports of 260 say no day") for c in replayed(some, start=END - timedelta(days=14)).caveats)


def test_a_period_longer_than_the_data_is_told() -> None:
    after = replayed(start=END - timedelta(days=14), end=END + timedelta(days=30))
    assert any("hear nothing new" in c for c in after.caveats)
    first = history()["known_at"].min()
    assert isinstance(first, date)
    before = replayed(start=first - timedelta(days=20), end=first + timedelta(days=20))
    assert any("before it hold nothing" in c for c in before.caveats)
    assert before.looks["reports"][0] == 0
    assert before.signals.is_empty()


def test_a_higher_toll_leaves_fewer_attacks(tmp_path: Path) -> None:
    none = replayed(mass=41, out=tmp_path, start=END - timedelta(days=28))
    assert none.attacks.is_empty()
    assert "No attack in the period killed 41 or more." in (tmp_path / "replay.html").read_text(encoding="utf-8")


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: Replay) -> None:
    calls: list[date] = []

    def stopping(reports: pl.DataFrame, rules: Any, day: date) -> Any:
        calls.append(day)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return look_at(reports, rules, day)

    monkeypatch.setattr(module, "mapped", lambda function, slices, _: map(function, slices))
    monkeypatch.setattr(module, "look_at", stopping)
    with pytest.raises(KeyboardInterrupt):
        replayed(out=tmp_path)
    done = sorted(p.stem for p in (tmp_path / "looks").glob("2*.json"))
    assert len(done) == 5
    (tmp_path / "looks" / f"{done[0]}.json").write_text('{"counts": ', encoding="utf-8")  # cut short
    told: list[tuple[int, int]] = []
    again = replayed(out=tmp_path, progress=lambda n, of: told.append((n, of)))
    assert told[0] == (4, 13)
    assert len(calls) == 6 + 13 - 4
    for name in ("signals", "looks", "attacks", "rivals"):
        assert_frame_equal(getattr(again, name), getattr(found, name))
    page = (tmp_path / "replay.html").read_bytes()
    replayed(out=tmp_path)
    assert len(calls) == 15
    assert (tmp_path / "replay.html").read_bytes() == page


def test_dates_of_other_reports_or_options_are_not_taken_up(tmp_path: Path) -> None:
    short: Row = {"start": END - timedelta(days=21), "out": tmp_path}
    replayed(**short)
    for more, kept in (
        ({"seed": 1}, 0),
        ({"seed": 1, "end": END - timedelta(days=7)}, 3),
        ({"reports": history().head(250), "seed": 1}, 0),
    ):
        told: list[int] = []
        replayed(**(short | more), progress=lambda n, _, told=told: told.append(n))
        assert told[0] == kept


def test_a_folder_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnreadableFile, match="give another folder with --out"):
        replayed(out=tmp_path / "file")


def test_every_file_is_written_and_run_json_holds_the_options(tmp_path: Path) -> None:
    made_ = replayed(out=tmp_path, start=END - timedelta(days=28))
    assert made_.page == tmp_path / "replay.html"
    assert pl.read_parquet(tmp_path / "signals.parquet").equals(made_.signals)
    for name in ("signals", "looks", "attacks", "rivals"):
        assert pl.read_csv(tmp_path / f"{name}.csv").height == getattr(made_, name).height
    run = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert run["options"]["every"] == 7
    assert run["options"]["start"] == str(END - timedelta(days=28))
    assert len(run["page_sha256"]) == 64


def test_words_of_a_report_stay_words_on_the_page(tmp_path: Path) -> None:
    odd = history().with_columns(place=pl.lit("<script>x</script>"), actor=pl.lit("<b>&"))
    replayed(odd, out=tmp_path, start=END - timedelta(days=28))
    page = (tmp_path / "replay.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_corrections_count_from_the_day_they_were_received() -> None:
    """A toll that was corrected after the period does not make a mass-casualty attack of it."""
    last = history().filter(pl.col("event_start") == END - timedelta(days=3)).head(1)
    late = last.with_columns(
        report_id=pl.lit(report_id("A", "late")),
        supersedes="report_id",
        killed=pl.lit(99, pl.Int32),
        received_at=pl.lit(datetime(2016, 1, 1, tzinfo=UTC)).cast(pl.Datetime("us", "UTC")),
    )
    assert replayed(pl.concat([history(), late]), start=END - timedelta(days=21)).attacks["killed"].max() == 40
