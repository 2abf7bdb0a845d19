"""fuse(): what becomes one incident, what never does, and what the incident then is."""

from datetime import UTC, date, datetime, timedelta
from importlib.resources import as_file, files

import polars as pl
import pytest
from samples import DAY, report, reports

from tocsin import explain, fuse, read
from tocsin.errors import ContractError, OptionError
from tocsin.fusion import METHODS, propose_parts
from tocsin.fusion.judgements import Judgement, load
from tocsin.terms.ids import report_id
from tocsin.terms.tables import INCIDENTS, LINKS, schema


def _judge(decides: str, *own: str, **more: str) -> Judgement:
    ids = tuple(sorted(report_id("UCDP GED", o) for o in own))
    return Judgement(id=more.pop("id", "j1"), by="tester", signed=date(2026, 1, 1), why="a test", decides=decides, reports=ids, **more)


def test_two_agencies_a_day_apart_at_one_place_tell_of_one_incident() -> None:
    table = reports(report("A", killed=5), report("B", event_start=DAY + timedelta(days=1), killed=7))
    incidents, links = fuse(table, judgements=())
    assert incidents.height == 1
    assert incidents["agencies"].to_list() == [["A", "B"]]
    assert incidents.select("killed_low", "killed", "killed_high").row(0) == (5, 5, 7)
    assert incidents["corroboration"].to_list() == [2]
    assert links.select("days", "km").row(0) == (1, 0.0)


def test_three_days_or_fifty_kilometres_apart_stay_two() -> None:
    assert fuse(reports(report("A"), report("B", event_start=DAY + timedelta(days=3))), method="window").incidents.height == 2
    assert fuse(reports(report("A"), report("B", lat=28.5)), method="window").incidents.height == 2


def test_a_different_broad_type_or_kind_of_violence_stays_two() -> None:
    types = reports(report("A", attack_type="explosion"), report("B", attack_type="armed_assault"))
    assert fuse(types, method="window").incidents.height == 2
    for method in METHODS:
        assert fuse(reports(report("A"), report("B", violence="state_based")), method=method).incidents.height == 2


def test_a_narrower_type_joins_the_broad_one() -> None:
    incidents = fuse(reports(report("A", attack_type="explosion"), report("B", attack_type="explosion/suicide"))).incidents
    assert incidents["attack_type"].to_list() == ["explosion/suicide"]


def test_a_source_that_promises_one_report_an_incident_is_never_fused_with_itself() -> None:
    table = reports(report("UCDP GED", "1"), report("UCDP GED", "2"), report("B", "1"))
    assert fuse(table, judgements=()).incidents.height == 2
    assert fuse(table, judgements=(), one_report_per_incident=()).incidents.height == 1


def test_a_report_taken_out_of_another_follows_it_and_corroborates_nothing() -> None:
    above = report("UCDP GED", "9", killed=45, killed_low=43, killed_high=47, origin="UCDP GED 9")
    press = report("Dawn", "x", killed=41, origin="UCDP GED 9", derived_from=[above["report_id"]], target_group="shia/ismaili")
    incidents = fuse(reports(above, press), judgements=()).incidents
    assert incidents.height == 1
    assert incidents["corroboration"].to_list() == [1]
    assert incidents.select("killed_low", "killed", "killed_high").row(0) == (43, 45, 47)
    assert incidents["target_group"].to_list() == ["shia/ismaili"], "words speak where the source is silent"


def test_parts_that_a_judgement_joins_are_one_incident_and_their_tolls_add() -> None:
    civilians = report(
        "UCDP GED", "1", killed_low=146, killed=146, killed_high=146, killed_civilians=146, side_a="TTP", side_b="Civilians", killed_a=0
    )
    soldiers = report(
        "UCDP GED", "2", killed_low=10, killed=10, killed_high=10, killed_civilians=0, violence="state_based", killed_a=3, killed_b=7
    )
    table = reports(civilians, soldiers)
    assert fuse(table, judgements=()).incidents.height == 2
    incident = fuse(table, judgements=[_judge("part_of", "1", "2")]).incidents.row(0, named=True)
    assert (incident["killed"], incident["killed_civilians"], incident["violence"]) == (156, 146, "one_sided")
    assert [p["violence"] for p in sorted(incident["parts"], key=lambda p: p["killed"])] == ["state_based", "one_sided"]
    assert incident["judged"] == ["j1"]


def test_an_undone_judgement_joins_nothing() -> None:
    table = reports(report("UCDP GED", "1"), report("UCDP GED", "2", violence="state_based"))
    undo = Judgement(id="j2", by="tester", signed=date(2026, 1, 2), why="wrong", decides="undo", judgement="j1")
    assert fuse(table, judgements=[_judge("part_of", "1", "2"), undo]).incidents.height == 2


def test_a_signed_value_is_set_and_named() -> None:
    table = reports(report("UCDP GED", "1"))
    incident = fuse(table, judgements=[_judge("value", "1", field="target_group", value="shia")]).incidents.row(0, named=True)
    assert (incident["target_group"], incident["judged"]) == ("shia", ["j1"])


def test_a_pair_is_proposed_where_two_rows_of_two_kinds_share_day_place_and_article() -> None:
    rows = [
        report("UCDP GED", "1"),
        report("UCDP GED", "2", violence="state_based"),
        report("UCDP GED", "3", violence="state_based", lat=24.86),
    ]
    press = [
        report("Dawn", f"p{i}", text="Attack on school", reported_at=datetime(2015, 1, 31, tzinfo=UTC), derived_from=[r["report_id"]])
        for i, r in enumerate(rows)
    ]
    pairs = propose_parts(reports(*rows, *press))
    assert {frozenset(p) for p in pairs.select("left", "right").rows()} == {frozenset(r["report_id"] for r in rows[:2])}


def test_an_unknown_toll_stays_unknown_and_never_becomes_nought() -> None:
    incident = fuse(reports(report("A"), report("B")), judgements=()).incidents.row(0, named=True)
    assert (incident["killed_low"], incident["killed"], incident["killed_high"]) == (None, None, None)


def test_none_reported_is_low_nought_and_no_more() -> None:
    incident = fuse(reports(report("ACLED", killed_low=0))).incidents.row(0, named=True)
    assert (incident["killed_low"], incident["killed"], incident["killed_high"]) == (0, None, None)


def test_communities_that_disagree_are_disputed_and_none_is_chosen() -> None:
    incident = fuse(reports(report("A", target_group="shia"), report("B", target_group="christian")), judgements=()).incidents.row(
        0, named=True
    )
    assert incident["target_group"] is None
    assert "target_group" in incident["disputed"]


def test_a_corrected_report_gives_way_to_its_correction() -> None:
    old = report("A", "1", killed=5)
    new = report("A", "1b", killed=8, supersedes=old["report_id"])
    incidents = fuse(reports(old, new), judgements=()).incidents
    assert incidents["killed"].to_list() == [8]


def test_a_report_that_knows_only_the_month_stands_alone() -> None:
    month = report("B", event_start=date(2015, 1, 1), event_end=date(2015, 1, 31))
    assert fuse(reports(report("A"), month), method="window").incidents.height == 2


def test_no_reports_give_no_incidents_with_the_right_columns() -> None:
    incidents, links = fuse(reports(report()).clear())
    assert incidents.schema == schema(INCIDENTS)
    assert links.schema == schema(LINKS)


def test_any_arrow_table_is_taken() -> None:
    assert fuse(reports(report()).to_arrow(), judgements=()).incidents.height == 1


def test_a_table_that_is_not_reports_is_refused_with_the_column_that_lacks() -> None:
    with pytest.raises(ContractError, match="report_id"):
        fuse(pl.DataFrame({"agency": ["A"]}))


def test_an_unknown_method_is_refused_by_name() -> None:
    with pytest.raises(OptionError, match="splink"):
        fuse(reports(report()), method="splink")


def test_the_bundled_judgements_are_well_formed_and_signed() -> None:
    assert all(j.by and j.why for j in load())


def test_the_demo_has_the_school_and_the_bus_right_and_says_why() -> None:
    with as_file(files("tocsin.data").joinpath("ged221_pakistan.csv.gz")) as path:
        table = read(path).reports
    found = fuse(table, as_of=date(2015, 5, 14))
    attack = lambda day, least: found.incidents.filter((pl.col("event_start") == day) & (pl.col("killed") >= least)).row(0, named=True)  # noqa: E731
    school, bus = attack(date(2014, 12, 16), 100), attack(date(2015, 5, 13), 40)
    assert (school["killed"], len(school["parts"])) == (156, 2)
    assert [bus[k] for k in ("killed_low", "killed", "killed_high", "target_group")] == [43, 45, 47, "shia/ismaili"]
    assert len(bus["report_ids"]) == 4, "GED's row, and the three articles that it cites and that were known by then"
    assert bus["corroboration"] == 1
    said = str(explain(found.incidents, found.links, school["incident_id"], table))
    assert "ged-156098-156132" in said
    said = str(explain(found.incidents, found.links, bus["incident_id"], table))
    assert "3 of its reports were taken out of another" in said
