"""What an incident is, from reports that differ."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
from hypothesis import given
from polars.testing import assert_frame_equal
from samples import DAY, report, report_tables, reports

from tocsin import fuse
from tocsin.fusion import Judgement
from tocsin.fusion.origins import repeats
from tocsin.fusion.resolve import _of_one, _of_several

WIRE = "At least twelve people were killed when a bomb exploded outside a mosque in Shikarpur on Friday, officials said"


def one(*rows: dict[str, Any]) -> dict[str, Any]:
    """The incident that these reports are, whatever the odds."""
    table = reports(*rows)
    together = Judgement("j", "tester", DAY, "seen", "merge", tuple(table["report_id"]))
    incidents = fuse(table, judgements=[together]).incidents
    assert incidents.height == 1
    return incidents.row(0, named=True)


@given(table=report_tables(most=6))
def test_an_incident_of_one_report_is_resolved_as_those_of_several_are(table: pl.DataFrame) -> None:
    ready = table.with_columns(
        _cluster=pl.int_range(pl.len(), dtype=pl.Int64),
        _part=pl.lit(None, dtype=pl.Int64),
        _derived=pl.lit(False),
        _margin=pl.lit(None, dtype=pl.Float64),
        incident_id="report_id",
        _source="origin",
    )
    quick, slow = _of_one(ready), _of_several(ready)
    names = [c for c in quick.columns if not c.startswith("_")]
    assert_frame_equal(quick.select(names).sort("incident_id"), slow.select(names).sort("incident_id"))
    assert not slow.select(pl.any_horizontal(pl.selectors.starts_with("_odd_"))).to_series().any()


def test_the_last_number_of_each_origin_counts_and_then_the_middle_one() -> None:
    early = report("A", "1", killed=3, origin="desk a")
    late = report("A", "2", killed=9, origin="desk a", known_at=DAY + timedelta(days=2))
    incident = one(early, late, report("B", killed=9), report("C", killed=20))
    assert (incident["killed_low"], incident["killed"], incident["killed_high"]) == (3, 9, 20)
    assert "killed" in incident["disputed"]


def test_a_bare_lower_bound_raises_what_lies_below_it_and_lowers_nothing() -> None:
    assert [one(report("A", killed=45), report("B", killed_low=20))[k] for k in ("killed_low", "killed", "killed_high")] == [45, 45, 45]
    above = one(report("A", killed=12), report("B", killed_low=20))
    assert [above[k] for k in ("killed_low", "killed", "killed_high")] == [12, 20, 20]
    assert above["disputed"] == ["killed"]
    alone = one(report("A", killed_low=20), report("B", killed_low=30))
    assert [alone[k] for k in ("killed_low", "killed", "killed_high")] == [30, None, None]


def test_whom_most_origins_hold_responsible_did_it_and_of_equals_whom_the_most_reliable_does() -> None:
    assert one(report("A", actor="TTP", radius_km=0.1), report("B", actor="BLA"), report("C", actor="BLA"))["actor"] == "BLA"
    tied = one(report("A", actor="TTP", reliability="E"), report("B", actor="BLA", reliability="B"))
    assert (tied["actor"], tied["disputed"]) == ("BLA", ["actor"])


def test_one_account_told_many_times_corroborates_nothing() -> None:
    assert one(report("A", text=WIRE), report("B", text=f"{WIRE.upper()}. (Agencies)"))["corroboration"] == 1
    assert (
        one(report("A", text=WIRE), report("B", text="Twelve worshippers died as a suicide attacker struck an imambargah in Sindh"))[
            "corroboration"
        ]
        == 2
    )
    assert one(report("A", origin="wire"), report("B", origin="wire"), report("C"))["corroboration"] == 2
    row = report("A", killed=5)
    taken = fuse(reports(row, report("P", derived_from=[row["report_id"]])), judgements=()).incidents.row(0, named=True)
    assert (len(taken["report_ids"]), taken["corroboration"]) == (2, 1)


def test_a_number_that_copies_repeat_does_not_outvote_an_independent_one() -> None:
    copies = [report(agency, killed=40, text=WIRE) for agency in "ABC"]
    incident = one(
        *copies,
        report("D", killed=12, text="Hospital staff counted twelve bodies after the blast near the bus stand"),
        report("E", killed=13),
    )
    assert incident["killed"] == 13


def test_chains_of_copies_are_one_origin() -> None:
    words = WIRE.split()
    halves = [" ".join(words[:14]), " ".join(words), " ".join(words[4:])]
    assert one(*(report(a, text=t) for a, t in zip("ABC", halves, strict=True)))["corroboration"] == 1
    assert repeats(["too short", "too short"]) == []
