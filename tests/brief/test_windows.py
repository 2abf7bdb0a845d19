"""The window and its baselines."""

from datetime import date, timedelta

import polars as pl
import pytest
from samples import report, reports

from tocsin import fuse
from tocsin.brief.scope import Scope, box
from tocsin.brief.view import day, days, toll
from tocsin.brief.windows import spans, table, verdict
from tocsin.errors import OptionError

AS_OF = date(2015, 5, 14)


def _incidents(*events: tuple[date, int, str]) -> pl.DataFrame:
    rows = [
        report("A", str(i), event_start=d, killed=k, killed_low=k, killed_high=k, violence=v, lat=None)
        for i, (d, k, v) in enumerate(events)
    ]
    return fuse(reports(*rows), judgements=()).incidents


def test_the_window_of_the_demo_begins_on_the_day_of_the_school() -> None:
    window, before, year_before, rate = spans(AS_OF, 150)
    assert (window.start, window.end, window.days) == (date(2014, 12, 16), AS_OF, 150)
    assert (before.end, before.days) == (date(2014, 12, 15), 150)
    assert (year_before.start, year_before.end) == (date(2013, 12, 16), date(2014, 5, 14))
    assert (rate.end, rate.days) == (date(2014, 12, 15), 365)


def test_kinds_of_violence_are_never_summed_together() -> None:
    rows = table(_incidents((AS_OF, 3, "one_sided"), (AS_OF, 90, "state_based")), spans(AS_OF, 150))
    assert {r["violence"]: r["cells"]["window"]["killed"] for r in rows} == {"one_sided": 3, "state_based": 90}


def test_the_years_own_rate_is_scaled_to_the_window() -> None:
    events = [(AS_OF - timedelta(days=150 + i * 36), 1, "one_sided") for i in range(10)]
    cell = table(_incidents(*events), spans(AS_OF, 150))[0]["cells"]["year_rate"]
    assert cell["incidents"] == round(10 * 150 / 365, 1)


def test_baselines_that_point_different_ways_give_cannot_be_told() -> None:
    assert verdict({"before": 1, "year_before": -1, "year_rate": 1}) == "cannot be told"
    assert verdict({"before": 1, "year_before": 0, "year_rate": 1}) == "cannot be told"
    assert verdict({"before": 1, "year_before": 1, "year_rate": 1}) == "more than all three"
    assert verdict({"before": -1, "year_before": -1, "year_rate": -1}) == "fewer than all three"


def test_the_dead_of_a_government_are_told_from_those_of_its_opponents() -> None:
    row = report(
        "A", violence="state_based", event_start=AS_OF, side_a="Government of Pakistan", side_b="TTP", killed=10, killed_a=3, killed_b=7
    )
    cell = table(fuse(reports(row), judgements=()).incidents, spans(AS_OF, 150))[0]["cells"]["window"]
    assert (cell["own_forces"], cell["opponents"]) == (3, 7)


def test_the_dead_of_many_incidents_may_be_more_than_32_bits_hold() -> None:
    most = 2**31 - 1
    rows = table(_incidents((AS_OF, most, "one_sided"), (AS_OF - timedelta(days=9), most, "one_sided")), spans(AS_OF, 150))
    assert {k: rows[0]["cells"]["window"][k] for k in ("killed", "killed_low", "killed_high")} == dict.fromkeys(
        ("killed", "killed_low", "killed_high"), 2 * most
    )


def test_an_unknown_toll_is_counted_as_unknown() -> None:
    row = report("A", event_start=AS_OF)
    cell = table(fuse(reports(row), judgements=()).incidents, spans(AS_OF, 150))[0]["cells"]["window"]
    assert (cell["killed"], cell["toll_unknown"], cell["deaths_per_attack"]) == (0, 1, None)


def test_a_group_holds_its_narrower_ones() -> None:
    rows = [report("A", str(i), target_group=g, lat=None) for i, g in enumerate(["shia", "shia/ismaili", "christian", None])]
    kept, left_out = Scope(AS_OF, group="shia").apply(fuse(reports(*rows), judgements=()).incidents)
    assert sorted(kept["target_group"]) == ["shia", "shia/ismaili"]
    assert left_out == [("--group shia", 2)]


@pytest.mark.parametrize("bad", [{"window": 0}, {"group": "martian"}, {"where": (10.0, 0.0, 5.0, 1.0)}])
def test_options_that_make_no_sense_are_refused(bad: dict) -> None:
    with pytest.raises(OptionError, match="--"):
        Scope(AS_OF, **bad)


def test_a_box_that_is_not_four_numbers_is_refused_with_an_example() -> None:
    with pytest.raises(OptionError, match=r"west,south,east,north.*Karachi"):
        box("24,67")


def test_words_for_days_and_tolls() -> None:
    assert day(AS_OF) == "14 May 2015"
    assert days(date(2015, 5, 13), AS_OF) == "13 to 14 May 2015"
    assert days(date(2014, 12, 30), date(2015, 1, 2)) == "30 Dec 2014 to 2 Jan 2015"
    assert days(None, None) == "date unknown"
    assert [toll(43, 45, 47), toll(15, None, None), toll(0, None, None), toll(None, None, None), toll(4, 4, 4)] == [
        "45 (43 to 47)",
        "at least 15",
        "none reported",
        "not known",
        "4",
    ]
