"""Looking at all streams of a day: what is raised, what is told of what was not, and what bad input gets."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from samples_incidents import AS_OF, incident, quiet, shifted, table

import tocsin
from tocsin.errors import ContractError, LookAheadError, OptionError
from tocsin.terms.tables import INCIDENTS, SIGNALS, STREAMS, empty, schema
from tocsin.watch import look
from tocsin.watch.plan import PAIRS, cadence, made
from tocsin.watch.shared import Shared

excite: Any = sys.modules["tocsin.watch.excite"]  # `tocsin.watch` names the verb
shifts_module: Any = sys.modules["tocsin.watch.shifts"]
SHARED = Shared()


def shifts(frame: pl.DataFrame, **more: Any) -> Any:
    """What these tests have in common is simulated once, and what would have been seen where it is asked for: what is raised is the same, as tests below show."""
    return look(frame, **({"as_of": AS_OF, "kinds": ("shift",), "sensitivity": False, "shared": SHARED} | more))


def plan(**more: Any) -> Any:
    usual = {"every": "7d", "kinds": ("cluster", "shift"), "violence": ("one_sided",), "watched": 182, "false_alarms": 1.0, "pairs": PAIRS}
    return made(AS_OF, **(usual | {"actors": None, "seed": 0, "engine": "here"} | more))


def clustered(extra: int = 9) -> pl.DataFrame:
    """Quiet, with more at one town in the last ten days."""
    return table(quiet() + [incident(900_000 + k, AS_OF - timedelta(days=k), town=7, target_group="shia") for k in range(extra)])


def fake(monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
    """A cluster of place 0 in the last twenty days, whatever the data, and no other."""

    def excited(when: Any, where: Any, apart: Any, *, end: float, **_: Any) -> Any:
        inside = int(((where == 0) & (when >= end - 20)).sum())
        found = SimpleNamespace(statistic=5.0, p_value=0.001, places=np.array([0]), days=20, observed=inside, expected=0.5, low=0, high=2)
        usual = {
            "clusters": (found,) if inside else (),
            "maxima": np.zeros(9),
            "branching": 0.3,
            "heard": lambda level: 6,
            "uncalibrated": None,
        }
        return SimpleNamespace(**(usual | more))

    monkeypatch.setattr(excite, "excited", excited)


def test_a_mix_that_changed_is_a_signal_with_all_that_the_contract_promises() -> None:
    found = shifts(shifted(), sensitivity=True)
    assert found.signals.schema == schema(SIGNALS)
    assert found.streams.schema == schema(STREAMS)
    first = found.signals.row(0, named=True)
    assert (first["kind"], first["dimension"], first["category"]) == ("shift", "target_group", "sufi")
    assert first["low"] < first["log_odds"] < first["high"]
    assert first["observed"] > 5 * first["expected"]
    assert first["observed"] == len(first["evidence"])
    assert first["false_alarms_per_year"] <= 1
    assert AS_OF - timedelta(days=100) < first["start"] < first["first_raised"] < AS_OF
    assert first["calibrated"]


def test_nothing_is_raised_where_nothing_changed_and_it_says_what_could_have_been_seen() -> None:
    found = shifts(table(quiet(800)), false_alarms_per_year=0.1, sensitivity=True)
    assert found.signals.is_empty()
    told = found.streams.filter(pl.col("verdict") == "no change")
    assert told.filter(dimension="target_group", measure="count")["seen_odds"][0] <= 16
    assert set(found.streams["verdict"]) == {"no change", "too little"}


def test_a_change_as_large_as_told_is_mostly_seen() -> None:
    one: dict[str, Any] = {"actor": "TTP", "admin1": "Sindh", "killed": 1}  # so that only communities have a mix
    told = shifts(table(quiet(800, **one)), actors=(), pairs=(), sensitivity=True).streams
    told = told.filter(dimension="target_group", measure="count").row(0, named=True)
    seen = 0
    for seed in range(6):
        rows = quiet(800, seed=100 + seed, **one)
        chance = np.random.default_rng(seed)
        late = [r for r in rows if (AS_OF - r["event_end"]).days < 91]
        share = np.array([0.4, 0.3, 0.2, 0.1]) * [
            told["seen_odds"] if g == told["seen_category"] else 1.0 for g in ("shia", "christian", "general", "sufi")
        ]
        for r in late:
            r["target_group"] = str(chance.choice(["shia", "christian", "general", "sufi"], p=share / share.sum()))
        streams = shifts(table(rows), actors=(), pairs=()).streams
        seen += streams.filter(dimension="target_group", measure="count")["verdict"][0] == "changed"
    assert seen >= 3


def test_deaths_of_a_split_incident_are_those_of_its_own_kind() -> None:
    part = {"report_id": "r", "side_a": None, "side_b": None}
    parts = [part | {"violence": "one_sided", "killed": 3}, part | {"violence": "state_based", "killed": 40}]
    rows = [*quiet(60, killed=1), incident(1, AS_OF, killed=43, parts=parts)]
    streams = shifts(table(rows)).streams.filter(dimension="target_group", measure="deaths")
    assert streams["before"][0] + streams["watched"][0] == sum(r["killed"] for r in rows[:-1]) + 3


def test_the_kinds_of_violence_are_never_summed() -> None:
    both = table(quiet() + [incident(800_000 + k, AS_OF - timedelta(days=2 * k), violence="state_based") for k in range(200)])
    assert shifts(both).signals.equals(shifts(table(quiet())).signals)
    two = shifts(both, violence=("one_sided", "state_based")).streams
    assert set(two["violence"]) == {"one_sided", "state_based"}


def test_false_alarms_are_shared_out_among_kinds_and_streams() -> None:
    assert plan().level("cluster", 3) == pytest.approx(0.5 / 3 * 7 / 365.25)
    assert plan(kinds=("cluster",)).level("cluster", 3) == pytest.approx(1 / 3 * 7 / 365.25)
    assert plan(every=1).level("cluster", 3) == pytest.approx(0.5 / 3 / 365.25)
    for kind in ("cluster", "shift"):
        assert plan().rate(kind, 7, plan().level(kind, 7)) == pytest.approx(1.0)


def test_a_limit_that_no_simulation_reaches_is_refused_with_what_to_do() -> None:
    with pytest.raises(OptionError, match="allow more false alarms"):
        shifts(shifted(), false_alarms_per_year=1e-4)


def test_the_categories_of_the_unknown_decide_nothing_unsaid() -> None:
    frame = shifted().with_columns(
        target_group=pl.when(pl.col("incident_id").str.slice(-1).is_in(["1", "2", "3", "4", "5"])).then("target_group")
    )
    row = shifts(frame).streams.filter(dimension="target_group", measure="count").row(0, named=True)
    assert row["unknown"] > 150
    assert row["p_value"] == max(row["p_spread"], row["p_up"], row["p_down"])
    assert row["verdict"] in ("changed", "cannot be told")


def test_a_cluster_is_a_signal_with_place_interval_and_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch)
    found = look(clustered(40), as_of=AS_OF, kinds=("cluster",))
    one = found.signals.filter(pl.col("actor").is_null()).row(0, named=True)
    assert (one["lat"], one["lon"]) == (26.2, 66.7)
    assert one["category"] == "town 26.2 66.7"
    assert one["start"] == AS_OF - timedelta(days=19)
    assert one["observed"] == len(one["evidence"]) >= 9
    assert one["low"] < one["log_odds"] == pytest.approx(np.log(one["observed"] / 0.5))
    assert one["first_raised"] < AS_OF
    assert "0 to 2 incidents" in one["note"]
    assert found.streams["seen_extra"].to_list() == [6, 6, 6]


def test_a_doubt_about_the_null_stands_on_the_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, uncalibrated="too few bursts")
    one = look(clustered(40), as_of=AS_OF, kinds=("cluster",)).signals.row(0, named=True)
    assert not one["calibrated"]
    assert "too few bursts" in one["note"]


def test_a_burst_beyond_what_incidents_set_off_is_found() -> None:
    found = look(clustered(12), as_of=AS_OF, kinds=("cluster",), actors=(), false_alarms_per_year=4)
    assert found.signals["lat"].to_list()[:1] == [26.2]


def test_an_incident_known_to_its_province_neither_makes_nor_hides_a_cluster() -> None:
    rough = [incident(700_000 + k, AS_OF - timedelta(days=k % 10), town=7, radius_km=80.0) for k in range(40)]
    found = look(table(quiet() + rough), as_of=AS_OF, kinds=("cluster",), actors=())
    assert found.signals.equals(look(table(quiet()), as_of=AS_OF, kinds=("cluster",), actors=()).signals)
    assert found.left_out.filter(kept_from="clusters")["incidents"].to_list() == [40]


def test_reports_that_were_not_fused_make_false_clusters_where_incidents_make_none() -> None:
    rows = quiet()
    copies = [
        r | {"incident_id": f"{r['incident_id']}-{n}", "lat": r["lat"] + 0.01 * n}
        for r in rows
        if (AS_OF - r["event_end"]).days < 20 and r["lat"] < 26
        for n in range(8)
    ]
    options: Any = {"as_of": AS_OF, "kinds": ("cluster",), "actors": (), "false_alarms_per_year": 4}
    assert look(table(rows), **options).signals.is_empty()
    assert not look(table(rows + copies), **options).signals.is_empty()


def test_an_earlier_look_lends_its_ids_where_half_of_the_evidence_is_the_same() -> None:
    first = shifts(shifted()).signals
    kept = first.with_columns(signal_id=pl.lit("old ") + pl.col("dimension") + pl.col("measure"), first_raised=date(2015, 1, 1))
    again = shifts(shifted(), last=kept).signals
    assert again["signal_id"].to_list() == kept["signal_id"].to_list()
    assert set(again["first_raised"]) == {date(2015, 1, 1)}
    other = kept.with_columns(evidence=pl.lit(["elsewhere"], dtype=pl.List(pl.String)))
    assert shifts(shifted(), last=other).signals.equals(first)


def test_the_id_of_a_signal_stays_from_week_to_week() -> None:
    frame = shifted()
    for back in (7, 14):
        then = AS_OF - timedelta(days=back)
        earlier = shifts(frame.with_columns(as_of=pl.lit(then)), as_of=then).signals
        now = shifts(frame).signals.filter(dimension="target_group", measure="count")
        assert earlier.filter(dimension="target_group", measure="count")["signal_id"].to_list() == now["signal_id"].to_list()


def test_incidents_stamped_later_are_refused() -> None:
    with pytest.raises(LookAheadError, match=f"fuse them anew as of {date(2015, 6, 1)}"):
        tocsin.watch(table(quiet(30)), as_of=date(2015, 6, 1))
    late = shifts(shifted()).signals.with_columns(as_of=pl.lit(AS_OF + timedelta(days=1)))
    with pytest.raises(LookAheadError, match="earlier look"):
        shifts(shifted(), last=late)


def test_a_table_that_is_not_incidents_is_refused() -> None:
    with pytest.raises(ContractError, match="incidents"):
        tocsin.watch(pl.DataFrame({"a": [1]}), as_of=AS_OF)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"every": "1x"}, "every"),
        ({"every": 0}, "every"),
        ({"kinds": ("shifts",)}, "kinds 'shifts' is none of"),
        ({"kinds": ()}, "kinds is empty"),
        ({"violence": ("war",)}, "violence 'war' is none of"),
        ({"false_alarms_per_year": 0}, "false_alarms_per_year"),
        ({"watched": 3}, "watched 3"),
        ({"pairs": (("actor", "actor"),)}, "a pair is two different"),
        ({"engine": "there"}, "engine"),
        ({"as_of": "2015"}, "as_of"),
    ],
    ids=lambda x: str(x)[:30],
)
def test_an_option_that_makes_no_sense_is_named(options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        tocsin.watch(table(quiet(30)), **({"as_of": AS_OF} | options))


def test_a_cadence_is_days_or_weeks() -> None:
    assert [cadence(x) for x in ("7d", "2w", 1, "14")] == [7, 14, 1, 14]


def reasons(frame: pl.DataFrame, **more: Any) -> tuple[Any, list[str]]:
    found = look(frame, **({"as_of": AS_OF} | more))
    assert found.signals.is_empty()
    assert set(found.streams["verdict"]) == {"too little"}
    return found, found.streams["reason"].to_list()


def test_no_incident_gets_a_word_and_no_signal() -> None:
    found, why = reasons(empty(INCIDENTS))
    assert any("no incident of one_sided violence was known by 2015-06-30" in c for c in found.caveats)
    assert any("0 incidents" in w for w in why)


def test_incidents_of_one_day_are_too_little_for_anything() -> None:
    _, why = reasons(table([incident(k, AS_OF, town=k % 20) for k in range(100)]))
    assert any("no mix to compare with" in w for w in why)
    assert any("0 incidents at a known place before" in w for w in why)


def test_incidents_on_one_point_make_no_cluster() -> None:
    found = look(table(quiet(town=0)), as_of=AS_OF, kinds=("cluster",))
    assert found.signals.is_empty()
    assert set(found.streams["reason"]) == {"all incidents are at one place: a cluster has more than its share of several"}


def test_a_single_actor_has_no_streams_beside_those_of_all() -> None:
    found = look(table(quiet(actor="TTP")), as_of=AS_OF)
    assert found.streams["actor"].null_count() == found.streams.height
    assert "all known are TTP" in found.streams.filter(dimension="actor")["reason"][0]


def test_a_year_that_is_missing_is_told_and_puts_signals_in_doubt() -> None:
    hole = shifted().filter(~pl.col("event_end").is_between(date(2013, 9, 1), date(2014, 8, 31)))
    found = shifts(hole)
    assert any("from 2013-09" in c and "data seem to be missing" in c for c in found.caveats)
    assert not found.signals["calibrated"].any()
    assert "data seem to be missing" in found.signals["note"][0]


def test_a_source_that_starts_or_falls_silent_is_told_and_puts_signals_in_doubt() -> None:
    late = AS_OF - timedelta(days=40)
    by = pl.when((pl.col("event_end") > late) & (pl.col("incident_id").str.slice(-1) < "5")).then(pl.lit(["B"])).otherwise("agencies")
    found = shifts(shifted().with_columns(agencies=by))
    assert any("B, which alone tells of" in c and "started on" in c for c in found.caveats)
    assert not found.signals["calibrated"].any()
    assert "started on" in found.signals["note"][0]
    by = pl.when((pl.col("event_end") <= late) & (pl.col("incident_id").str.slice(-1) < "5")).then(pl.lit(["B"])).otherwise("agencies")
    assert any("is silent since" in c for c in shifts(shifted().with_columns(agencies=by)).caveats)
    assert not any("started" in c or "silent" in c for c in shifts(shifted()).caveats)


def test_thousands_in_one_day_at_one_place_are_judged_in_time() -> None:
    many = table(quiet() + [incident(500_000 + k, AS_OF, town=3) for k in range(4_000)])
    found = look(many, as_of=AS_OF, actors=(), pairs=(), false_alarms_per_year=4)
    assert "not looked at" not in found.streams["verdict"].to_list()


def test_what_is_dated_after_the_day_is_left_out_and_counted() -> None:
    late = [incident(1, AS_OF + timedelta(days=3)), incident(2, AS_OF, event_end=AS_OF + timedelta(days=3))]
    vague = [incident(3, AS_OF, event_start=date(2014, 1, 1)), incident(4, AS_OF, vague=True)]
    found = shifts(table(quiet() + late + vague))
    assert found.streams.equals(shifts(table(quiet())).streams)
    assert found.left_out.rows() == [
        ("one_sided", "all", "known only after the day that is looked from", 1),
        ("one_sided", "all", "ends after the day that is looked from", 1),
        ("one_sided", "all", "day not known to a month (31 days)", 2),
    ]


def test_a_category_never_seen_before_is_a_shift_to_it() -> None:
    rows = quiet()
    for r in rows:
        if (AS_OF - r["event_end"]).days < 60:
            r["target_group"] = "zikri"
    found = shifts(table(rows)).signals.filter(dimension="target_group", measure="count").row(0, named=True)
    assert found["category"] == "zikri"


def test_a_community_counts_with_the_first_level_of_its_code() -> None:
    rows = [r | {"target_group": "shia/ismaili"} if r["target_group"] == "shia" and k % 2 else r for k, r in enumerate(quiet())]
    assert shifts(table(rows)).streams.equals(shifts(table(quiet())).streams)


def test_the_area_of_a_country_without_provinces_is_the_country() -> None:
    rows = [r | {"country": "AFG", "admin1": None} if k % 3 == 0 else r for k, r in enumerate(quiet())]
    row = shifts(table(rows)).streams.filter(dimension="area", measure="count").filter(pl.col("actor").is_null()).row(0, named=True)
    assert row["unknown"] == 0


def test_what_is_not_known_yet_of_the_last_days_is_told() -> None:
    slow = table(quiet()).with_columns(known_at=pl.col("event_end") + pl.duration(days=10))
    found = shifts(slow)
    whole = found.completeness.filter(violence="one_sided")
    assert whole.filter(~pl.col("complete")).height == 10
    assert shifts(table(quiet())).completeness.filter(~pl.col("complete")).height == 1
    assert shifts(table(quiet(20))).completeness["share"].null_count() == 60


def test_places_within_a_few_kilometres_are_one() -> None:
    jitter = table([r | {"lat": r["lat"] + 0.001 * (k % 10)} for k, r in enumerate(quiet())])
    from tocsin.watch.places import placed

    until = (AS_OF - date(1970, 1, 1)).days + 1
    frame = jitter.with_columns(day=pl.col("event_end").cast(pl.Int32), area=pl.col("admin1"))
    assert len(placed(frame, until).at) == 20


def test_what_is_stopped_gives_what_is_done() -> None:
    def stop(done: int, _: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tocsin.watch(shifted(), as_of=AS_OF, kinds=("shift",), progress=stop)
    found = shifts(shifted(), progress=stop)
    assert found.stopped
    assert found.streams["verdict"].to_list()[4:] == ["not looked at"] * (found.streams.height - 4)
    assert found.signals.height == 2


def test_a_signal_that_one_look_fails_to_raise_is_the_same_and_two_end_it() -> None:
    from tocsin.watch.signals import traced

    p = plan()
    row = {"evidence": ["a", "b"], "category": "x"}
    raised = {p.until - 7 * back: [row] for back in (1, 3, 6)}
    assert traced(row, lambda until: raised.get(until, []), p)[0] == p.until - 21


def test_looks_that_share_find_what_each_finds_alone_and_test_once_what_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = shifted(), shifted().filter(pl.col("actor").fill_null("") != "X")
    options: dict[str, Any] = {"as_of": AS_OF, "false_alarms_per_year": 4.0}
    alone = [look(x, **options) for x in (one, other)]
    shared, tested = Shared(), list[str]()
    for module, name in ((excite, "excited"), (shifts_module, "shift")):
        whole = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, _whole=whole, _name=name, **k: tested.append(_name) or _whole(*a, **k))
    together, counts = [], []
    for x in (one, other, one):
        together.append(look(x, shared=shared, **options))
        counts.append(len(tested))
    for found, wanted in zip(together, [*alone, alone[0]], strict=True):
        assert found.signals.equals(wanted.signals)
        assert found.streams.equals(wanted.streams)
    assert counts[0] > 0
    assert counts[2] == counts[1]  # the third is the first


@pytest.mark.parametrize(("frame", "raised"), [(clustered(14), True), (table(quiet()), False)], ids=["a cluster", "nothing"])
def test_without_what_would_have_been_seen_the_same_is_raised_in_fewer_simulations(
    frame: pl.DataFrame, raised: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"as_of": AS_OF, "every": "1d", "kinds": ("cluster",)}
    simulated: list[int] = []
    whole = excite.excited
    monkeypatch.setattr(excite, "excited", lambda *a, **k: simulated.append(k["replications"]) or whole(*a, **k))
    wanted = look(frame, **options)
    before, simulated[:] = sum(simulated), []
    found = look(frame, sensitivity=False, **options)
    assert found.signals.equals(wanted.signals)
    columns = ["kind", "dimension", "actor", "measure", "before", "watched", "unknown", "verdict"]
    assert found.streams.select(columns).equals(wanted.streams.select(columns))
    assert found.streams["seen_extra"].null_count() == found.streams.height
    assert (found.signals.height > 0) is raised
    assert raised or sum(simulated) < before / 2


def test_what_is_kept_of_tests_has_a_limit() -> None:
    shared, tests = Shared(2), list[int]()
    for n in (1, 2, 1, 3, 1, 2):
        assert shared.found(("x", np.arange(n), n), lambda n=n: tests.append(n) or n) == n  # type: ignore[misc]
    assert tests == [1, 2, 3, 2]
