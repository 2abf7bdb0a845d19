"""A person's decisions hold whatever the odds say, can be undone, and stand in a log that shows every change."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from samples import DAY, invented, report, report_tables, reports

from tocsin import fuse
from tocsin.cli import app
from tocsin.errors import InputError, TocsinError
from tocsin.fusion import Judgement, fuse_to, load
from tocsin.fusion import bulk as bulk_module
from tocsin.fusion.live import Live
from tocsin.fusion.log import append
from tocsin.kernels.correlate import APART, LARGEST, TOGETHER, cluster

A, B, C = (report(x, killed=5)["report_id"] for x in "ABC")
SAME = reports(report("A", killed=5), report("B", killed=5), report("C", killed=5))
FAR = reports(report("A", killed=5), report("B", killed=5, lat=24.9), report("C", killed=5, event_start=DAY + timedelta(days=40)))


def judged(number: int, decides: str, *reports: str, apart_from: tuple[str, ...] = (), **more: str) -> Judgement:
    return Judgement(f"j{number}", "tester", date(2026, 1, number), "seen", decides, reports, apart_from, **more)


def members(table: pl.DataFrame, *judgements: Judgement) -> set[frozenset[str]]:
    incidents = fuse(table, judgements=judgements, one_report_per_incident=()).incidents
    return {frozenset(ids) for ids in incidents["report_ids"]}


def test_what_a_person_merges_is_one_however_far_apart_and_apart_again_once_undone() -> None:
    alone = {frozenset([x]) for x in (A, B, C)}
    merge = judged(1, "merge", A, B)
    assert members(FAR) == alone
    assert members(FAR, merge) == {frozenset([A, B]), frozenset([C])}
    assert members(FAR, merge, judged(2, "undo", judgement="j1")) == alone


def test_what_a_person_splits_is_apart_however_alike_and_the_rest_stays() -> None:
    assert members(SAME) == {frozenset([A, B, C])}
    assert members(SAME, judged(1, "split", B, apart_from=(A, C))) == {frozenset([A, C]), frozenset([B])}


def test_the_window_rule_follows_judgements_too() -> None:
    for table, one in ((FAR, judged(1, "merge", A, B)), (SAME, judged(1, "split", C, apart_from=(A, B)))):
        found = fuse(table, method="window", judgements=[one], one_report_per_incident=()).incidents["report_ids"]
        assert {frozenset(ids) for ids in found} == {frozenset([A, B]), frozenset([C])}


def test_of_two_judgements_that_contradict_each_other_the_later_holds() -> None:
    merge, split = judged(1, "merge", A, B, C), judged(2, "split", A, apart_from=(B, C))
    assert members(SAME, merge, split) == {frozenset([A]), frozenset([B, C])}
    again = judged(3, "confirm", A, B, C)
    assert members(SAME, merge, split, again) == {frozenset([A, B, C])}
    assert members(SAME, again, split, merge) == {frozenset([A, B, C])}


def test_an_undone_undo_lets_the_first_judgement_stand_again() -> None:
    merge, back = judged(1, "merge", A, B), judged(2, "undo", judgement="j1")
    assert members(FAR, merge, back, judged(3, "undo", judgement="j2")) == {frozenset([A, B]), frozenset([C])}


def test_a_person_outranks_what_an_agency_declares() -> None:
    table = reports(report("UCDP GED", "1"), report("UCDP GED", "2"))
    ids = table["report_id"].to_list()
    assert fuse(table, judgements=()).incidents.height == 2
    assert fuse(table, judgements=[judged(1, "merge", *ids)]).incidents.height == 1


def test_a_judgement_follows_the_report_it_names_through_corrections() -> None:
    new = report("B", "b2", killed=9, lat=24.9, supersedes=B)
    table = pl.concat([FAR, reports(new)])
    found = members(table, judged(1, "merge", A, B), judged(2, "value", B, field="target_group", value="shia"))
    assert found == {frozenset([A, new["report_id"]]), frozenset([C])}
    value = fuse(table, judgements=[judged(2, "value", B, field="target_group", value="shia")]).incidents
    assert value.filter(pl.col("report_ids").list.contains(new["report_id"]))["target_group"].item() == "shia"


def test_of_two_values_the_later_holds_and_both_are_named() -> None:
    early, late = judged(1, "value", A, field="killed", value="7"), judged(2, "value", A, field="killed", value="9")
    incident = fuse(reports(report("A")), judgements=[late, early]).incidents.row(0, named=True)
    assert (incident["killed"], incident["judged"]) == (9, ["j1", "j2"])


def test_parts_that_a_later_judgement_puts_apart_add_nothing() -> None:
    table = reports(report("UCDP GED", "1", killed=5), report("UCDP GED", "2", killed=7, violence="state_based"))
    ids = table["report_id"].to_list()
    part, split = judged(1, "part_of", *ids), judged(2, "split", ids[0], apart_from=(ids[1],))
    assert fuse(table, judgements=[part]).incidents["killed"].to_list() == [12]
    assert sorted(fuse(table, judgements=[part, split]).incidents["killed"]) == [5, 7]


def random_judgements(ids: list[str], chance: random.Random) -> list[Judgement]:
    out = []
    for k in range(chance.randint(1, 5)):
        some = chance.sample(ids, min(len(ids), chance.randint(2, 4)))
        kind = chance.choice(["merge", "confirm", "split", "part_of"])
        cut = chance.randint(1, len(some) - 1) if len(some) > 1 else 1
        more = tuple(some[cut:]) if kind == "split" else ()
        out.append(judged(k + 1, kind, *(some[:cut] if kind == "split" else some), apart_from=more))
    return [*out, judged(9, "undo", judgement="j1")] if chance.random() < 0.3 else out


@settings(max_examples=30)
@given(table=report_tables(), seed=st.integers(0, 2**16))
def test_with_judgements_too_order_does_not_matter_and_live_equals_bulk(table: pl.DataFrame, seed: int) -> None:
    chance = random.Random(seed)
    decided = random_judgements(table["report_id"].to_list(), chance)
    whole = fuse(table, judgements=decided)
    mixed = fuse(table.sample(fraction=1, shuffle=True, seed=seed), judgements=chance.sample(decided, len(decided)))
    assert_frame_equal(whole.incidents, mixed.incidents)
    live, rest = Live(judgements=decided[:1]), table.sample(fraction=1, shuffle=True, seed=seed + 1)
    while rest.height:
        size = chance.randint(1, rest.height)
        live.add(rest.head(size))
        rest = rest.slice(size)
        if chance.random() < 0.5:
            live.judge(chance.sample(decided, chance.randint(0, len(decided))))
    live.judge(decided)
    assert_frame_equal(live.clusters.sort("report_id"), whole.clusters.sort("report_id"))
    away = chance.choice(table["report_id"].to_list())
    live.remove([away])
    left = fuse(table.filter(pl.col("report_id") != away), judgements=decided).clusters
    assert_frame_equal(live.clusters.sort("report_id"), left.sort("report_id"))


def test_live_tells_what_a_judgement_changed() -> None:
    live = Live(FAR, one_report_per_incident=())
    assert live.judge([judged(1, "merge", A, B)]).events.rows() == [(min(A, B), "merged", sorted([A, B]), sorted([A, B]))]
    assert set(live.judge([]).events["change"]) == {"split"}


def test_in_stretches_from_disk_to_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_module, "_SLAB", 60)
    table, chance = invented(5, 120), random.Random(4)
    table.write_parquet(tmp_path / "r.parquet")
    decided = random_judgements(table["report_id"].to_list(), chance) + random_judgements(table["report_id"].to_list(), chance)
    decided = [Judgement(f"k{n}", j.by, j.signed, j.why, j.decides, j.reports, j.apart_from) for n, j in enumerate(decided) if j.reports]
    fuse_to(tmp_path / "out", [tmp_path / "r.parquet"], judgements=decided)
    whole = fuse(table, judgements=decided).incidents
    assert_frame_equal(pl.read_parquet(tmp_path / "out" / "incidents.parquet").sort("incident_id"), whole.sort("incident_id"))


def test_in_a_crowd_too_large_for_one_table_a_person_still_decides() -> None:
    n = LARGEST + 50
    alike = np.stack(np.triu_indices(n, 1), axis=1).astype(np.int32)
    pairs = np.concatenate([alike, np.array([(3, 7), (5, 9), (5, 11)], np.int32)])
    weights = np.concatenate([np.full(len(alike), 1000), [APART, APART, TOGETHER]])
    labels, _ = cluster(n, pairs, weights, np.full(n, -1), 3000)
    assert labels[3] != labels[7]
    assert labels[5] != labels[9]
    assert labels[5] == labels[11]
    assert np.unique(labels, return_counts=True)[1].max() >= n - 3


def test_a_log_is_read_back_and_every_change_to_it_shows(tmp_path: Path) -> None:
    log = tmp_path / "judgements.jsonl"
    first, _ = append(log, by="Desk 3", why="two calls, one blast", decides="merge", reports=(A, B))
    append(log, by="Desk 3", why="another street", decides="split", reports=(A,), apart_from=(B,))
    append(log, by="Desk 4", why="no", decides="undo", judgement=first.id)
    assert [j.decides for j in load(log)] == ["merge", "split", "undo"]
    whole = log.read_text().splitlines()
    changed = json.loads(whole[0]) | {"by": "Desk 9"}
    for lines in ([json.dumps(changed), *whole[1:]], whole[1:], [whole[1], whole[0], whole[2]], [*whole[:1], whole[2]]):
        log.write_text("\n".join(lines) + "\n")
        with pytest.raises(InputError, match="changed, taken out or moved"):
            load(log)
        with pytest.raises(InputError, match="changed, taken out or moved"):
            append(log, by="x", why="y", decides="merge", reports=(A, B))


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"decides": "marry"}, "none of merge"),
        ({"decides": "split", "reports": (A,)}, "apart_from"),
        ({"decides": "split", "reports": (A, B), "apart_from": (B, C)}, f"not split from itself: {B}"),
        ({"decides": "value", "reports": (A,), "field": "confidence", "value": "1"}, "can be set"),
        ({"decides": "value", "reports": (A,), "field": "target_group", "value": "martian"}, "no code of target_group"),
        ({"decides": "value", "reports": (A,), "field": "killed", "value": "many"}, "no value of killed"),
        ({"decides": "value", "reports": (A,), "field": "event_start", "value": "2015-02-30"}, "no value of event_start"),
        *(
            ({"decides": "value", "reports": (A,), "field": field, "value": value}, f"no (value of )?{field}")
            for field, value in (
                ("lat", "1e400"),
                ("lat", "nan"),
                ("lat", "90.5"),
                ("lon", "-181"),
                ("radius_km", "-1"),
                ("killed", "-5"),
                ("country", "Pakistan"),
            )
        ),
        ({"decides": "undo", "judgement": "nothing"}, "holds no judgement"),
        ({"decides": "merge", "reports": (A, B), "by": " "}, "say who decides"),
    ],
)
def test_a_judgement_that_makes_no_sense_is_refused_and_nothing_is_written(tmp_path: Path, entry: dict[str, object], says: str) -> None:
    log = tmp_path / "j.jsonl"
    with pytest.raises(TocsinError, match=says):
        append(log, **({"by": "me", "why": "so"} | entry))  # type: ignore[arg-type]
    assert not log.exists() or log.read_text() == ""


def test_a_day_can_be_judged_as_every_other_value() -> None:
    days = [judged(n, "value", A, field=field, value="2015-05-01") for n, field in enumerate(("event_start", "event_end"), 1)]
    of_it = fuse(SAME, judgements=days).incidents.filter(pl.col("report_ids").list.contains(A))
    assert of_it.select("event_start", "event_end").row(0) == (date(2015, 5, 1), date(2015, 5, 1))


def test_on_the_command_line_an_incident_is_split_confirmed_set_and_all_undone(tmp_path: Path) -> None:
    SAME.write_parquet(tmp_path / "reports.parquet")
    log, out = tmp_path / "j.jsonl", tmp_path / "out"

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, [*words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    def fused() -> list[dict[str, object]]:
        more = ["--judgements", str(log)] if log.exists() else []
        run("fuse", str(tmp_path / "reports.parquet"), "--out", str(out), *more)
        return pl.read_parquet(out / "incidents.parquet").sort("incident_id").to_dicts()

    signed = ["--by", "Desk 3", "--source", "call of 9 May", "--log", str(log)]
    assert len(fused()) == 1
    run("judge", "split", A[:12], B, "--in", str(out), *signed)
    two = fused()
    assert sorted(len(i["report_ids"]) for i in two) == [1, 2]  # type: ignore[arg-type]
    run("judge", "merge", A, B, "--in", str(out), *signed)
    assert len(fused()) == 1
    run("judge", "set", A, "target_group=shia", "killed=6", "--in", str(out), *signed)
    run("judge", "confirm", A, "--in", str(out), *signed)
    (one,) = fused()
    assert (one["target_group"], one["killed"], len(one["judged"])) == ("shia", 6, 5)  # type: ignore[arg-type]
    for j in load(log):
        run("judge", "undo", j.id, *signed)
    (plain,) = fused()
    assert (plain["judged"], plain["killed"]) == ([], 5)
    said = run("why", A[:10], "--in", str(out), "--reports", str(tmp_path / "reports.parquet"))
    assert "3 links between its reports" in said
    shown = run("judge", "list", "--log", str(log))
    assert "10 entries, 0 judgements stand" in shown
    refused = CliRunner().invoke(app, ["judge", "merge", "00000000-nobody", A, "--in", str(out), *signed])
    assert refused.exit_code == 2
    assert "no incident and no report" in refused.output
