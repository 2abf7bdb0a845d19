"""Attacks that agencies expect are fused among themselves, and name the later incidents that fit."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from samples import DAY, report, reports

from tocsin import fuse, read
from tocsin.errors import ContractError
from tocsin.fusion import fuse_to


def threat(agency: str, own: str = "t", **more: Any) -> dict[str, Any]:
    expected = {"event_start": DAY, "event_end": DAY + timedelta(days=10), "known_at": DAY - timedelta(days=2), "target_type": "transport"}
    return report(agency, own, kind="threat", **{**expected, "killed": None, **more})


def attack(own: str, days: int = 4, **more: Any) -> dict[str, Any]:
    day = DAY + timedelta(days=days)
    return report("Z", own, **{"event_start": day, "event_end": day, "known_at": day, "target_type": "transport/bus", "killed": 9, **more})


def found(*rows: dict[str, Any]) -> list[list[str]]:
    return fuse(reports(*rows), judgements=()).threats["fulfilled_by"].to_list()


def test_threats_are_fused_among_themselves_and_never_with_incidents() -> None:
    table = reports(threat("A"), threat("B"), attack("x"))
    fusion = fuse(table, judgements=())
    assert fusion.incidents["report_ids"].list.len().to_list() == [1]
    assert fusion.threats["agencies"].to_list() == [["A", "B"]]
    assert fusion.threats["fulfilled_by"].to_list() == [[attack("x")["report_id"]]]


def test_an_incident_fits_where_it_came_later_then_and_there_and_no_code_contradicts() -> None:
    fits = attack("1")
    assert found(threat("A"), fits) == [[fits["report_id"]]]
    for other in (
        attack("2", days=-5),
        attack("3", days=40),
        attack("4", lat=31.5, lon=74.3),
        attack("5", target_type="civilians/religious"),
        attack("6", violence="state_based"),
    ):
        assert found(threat("A"), other) == [[]]
    assert found(threat("A", actor="TTP"), attack("7", actor=None)) == [[attack("7")["report_id"]]]


def test_a_threat_that_names_only_a_country_needs_a_code_that_agrees() -> None:
    nowhere = {"lat": None, "lon": None, "radius_km": None}
    assert found(threat("A", **nowhere), attack("1")) == [[attack("1")["report_id"]]]
    assert found(threat("A", **nowhere, target_type=None), attack("1")) == [[]]
    assert found(threat("A", **nowhere, admin1="sindh", target_type=None), attack("1", admin1="Sindh")) == [[attack("1")["report_id"]]]


def test_those_that_agree_in_more_codes_come_first() -> None:
    sure, early = attack("1", days=6, actor="TTP"), attack("2", days=1, lat=27.99, killed=2)
    assert found(threat("A", actor="TTP"), sure, early) == [[sure["report_id"], early["report_id"]]]


def test_a_threat_that_was_corrected_or_is_not_yet_known_is_none() -> None:
    first, second = threat("A", "1"), threat("A", "2", supersedes=threat("A", "1")["report_id"], lat=24.9)
    table = reports(first, second)
    assert fuse(table, judgements=()).threats["report_ids"].to_list() == [[second["report_id"]]]
    assert fuse(table, judgements=(), as_of=DAY - timedelta(days=3)).threats.is_empty()


def test_from_disk_to_disk_threats_come_out_too(tmp_path: Path) -> None:
    table = reports(threat("A"), threat("B"), attack("x"))
    table.write_parquet(tmp_path / "r.parquet")
    fuse_to(tmp_path / "out", [tmp_path / "r.parquet"], judgements=())
    assert_frame_equal(
        pl.read_parquet(tmp_path / "out" / "threats.parquet").drop("as_of"), fuse(table, judgements=()).threats.drop("as_of")
    )


def test_a_threat_in_a_table_is_known_from_the_day_it_was_reported(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,said,first,last\n1,2015-05-01,2015-05-10,2015-05-20\n")
    (tmp_path / "t.yml").write_text(
        "agency: Desk\nvalues: {own_id: id, reported_at: said, event_start: first, event_end: last, kind: {constant: threat}, country: {constant: PAK}}\n"
    )
    row = read(tmp_path / "t.csv", spec=tmp_path / "t.yml").reports.row(0, named=True)
    assert (row["kind"], str(row["known_at"])) == ("threat", "2015-05-01")


def test_one_id_with_two_contents_is_refused_and_sent_twice_it_counts_once(tmp_path: Path) -> None:
    once, other = attack("x"), attack("x", killed=10)
    assert fuse(reports(once, once), judgements=()).incidents["report_ids"].list.len().to_list() == [1]
    with pytest.raises(ContractError, match="supersedes"):
        fuse(reports(once, other), judgements=())
    reports(once, other).write_parquet(tmp_path / "r.parquet")
    with pytest.raises(ContractError, match="supersedes"):
        fuse_to(tmp_path / "out", [tmp_path / "r.parquet"], judgements=())
    reports(once, once).write_parquet(tmp_path / "r.parquet")
    assert fuse_to(tmp_path / "out", [tmp_path / "r.parquet"], judgements=()).reports == 1
