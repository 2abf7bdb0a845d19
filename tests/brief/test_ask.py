"""A claim put to the record: no count is lost, no verdict stands that the unknown could turn, and nothing is surer than the counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
import samples_incidents as made
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from tocsin.brief.ask import answer, asked
from tocsin.brief.windows import BASELINES, verdict
from tocsin.terms.say import say

SINCE = made.AS_OF - timedelta(days=99)
ASK = asked("religious,mainland,big_city", SINCE, made.AS_OF)


def told(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return answer(ASK, made.table(rows), made.AS_OF, streams=None)


@st.composite
def attacks(draw: st.DrawFn) -> list[dict[str, Any]]:
    out = []
    for k in range(draw(st.integers(1, 25))):
        day = made.AS_OF - timedelta(days=draw(st.integers(0, 500)))
        group = draw(st.sampled_from([None, "shia/ismaili", "christian", "general", "hazara"]))
        area = draw(st.sampled_from([None, "mainland", "big_city", "tribal"]))
        out.append(made.incident(k, day, target_group=group, area_class=area, killed=draw(st.none() | st.integers(0, 9))))
    return out


@settings(deadline=None, max_examples=50)
@given(attacks())
def test_every_attack_is_asked_about_another_or_not_known(rows: list[dict[str, Any]]) -> None:
    mine, unknown, others, whole = told(rows)["rows"]
    for span in ("window", "before", "year_before"):
        for measure in ("incidents", "killed"):
            assert sum(r["cells"][span][measure] for r in (mine, unknown, others)) == whole["cells"][span][measure]


@settings(deadline=None, max_examples=50)
@given(attacks(), st.randoms())
def test_an_answer_that_the_record_supports_stays_wherever_the_unknown_belong(rows: list[dict[str, Any]], chance: Any) -> None:
    supported = say(told(rows)["answer"][0])
    filled = [r | {"target_group": r["target_group"] or chance.choice(["shia", "general"]), "area_class": r["area_class"] or chance.choice(["mainland", "tribal"])} for r in rows]  # fmt: skip
    now = told(filled)["rows"][0]
    for words, measure in (("attacks", "incidents"), ("deaths", "killed")):
        if f"more {words} than in all three" in supported:
            assert now["verdicts"][measure] == "more than all three"
        if f"fewer {words} than in all three" in supported:
            assert now["verdicts"][measure] == "fewer than all three"


def test_a_narrower_community_is_asked_about_and_silence_is_not_absence() -> None:
    day = made.AS_OF
    rows = [
        made.incident(0, day, target_group="shia/ismaili"),
        made.incident(1, day, target_group=None),
        made.incident(2, day, target_group=None, area_class="tribal"),
        made.incident(3, day, target_group="shia", area_class=None),
        made.incident(4, day, target_group="general", area_class=None),
    ]
    mine, unknown, others, _ = (r["cells"]["window"]["incidents"] for r in told(rows)["rows"])
    assert (mine, unknown, others) == (1, 2, 2)


def test_baselines_that_disagree_say_cannot_be_told() -> None:
    rows = [made.incident(k, made.AS_OF, target_group="shia") for k in range(2)]
    rows += [made.incident(9, SINCE - timedelta(days=9), target_group="shia")]
    rows += [made.incident(20 + k, made.AS_OF - timedelta(days=380), target_group="shia") for k in range(3)]
    found = told(rows)
    cells = found["rows"][0]["cells"]
    signs = {
        b: (cells["window"]["incidents"] > cells[b]["incidents"]) - (cells["window"]["incidents"] < cells[b]["incidents"])
        for b in BASELINES
    }
    assert verdict(signs) == found["rows"][0]["verdicts"]["incidents"] == "cannot be told"
    assert "whether there were more attacks" in say(found["answer"][-1])


@pytest.mark.parametrize(("now", "then"), [(7, 7), (0, 4), (5, 0), (1, 30)])
def test_what_the_counts_leave_open_is_the_exact_interval_of_two_poisson_counts(now: int, then: int) -> None:
    rows = [made.incident(k, made.AS_OF, target_group="shia") for k in range(now)]
    rows += [made.incident(100 + k, SINCE - timedelta(days=1 + k), target_group="shia") for k in range(then)]
    _, values = next(line for line in told(rows)["lines"] if line[0] == "asked_open")
    share = binomtest(now, now + then).proportion_ci(0.95, method="exact")
    for name, x in (("low", share.low), ("high", share.high)):
        shown = values[name]
        assert shown == ("asked_any", {}) if x == 1 else float(shown) == pytest.approx(x / (1 - x) * 365 / 100, rel=0.06, abs=1e-9)


def test_the_tests_verdict_and_what_it_could_have_seen_are_told() -> None:
    rows = made.quiet(300, seed=3)
    for k, r in enumerate(rows):
        r["target_group"] = "sufi" if (made.AS_OF - r["event_end"]).days < 80 or k % 10 == 0 else "general"
    streams = pl.DataFrame(schema={"dimension": pl.String, "actor": pl.String})
    found = answer(ASK, made.table(rows), made.AS_OF, streams=streams)
    assert [t["verdict"] for t in found["tests"]] == ["changed", "changed"], found["tests"]
    assert "rose, beyond shuffled bursts" in say(found["tests"][0]["told"])
    few = answer(ASK, made.table(made.quiet(40)), made.AS_OF, streams=streams)
    assert any(words in say(few["tests"][0]["told"]) for words in ("would have been seen", "too little to test"))
