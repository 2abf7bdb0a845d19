"""Headlines: no day, seldom a place; which of them tell of one event."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from samples import DAY, report, reports

from tocsin import fuse
from tocsin.errors import OptionError
from tocsin.fusion import Judgement
from tocsin.fusion.press import COMPARISONS, press_model, train


def headline(text: str, day: int, office: str = "A", **more: Any) -> dict[str, Any]:
    at = datetime.combine(DAY + timedelta(days=day), datetime.min.time(), UTC)
    nothing = {
        "event_start": None,
        "event_end": None,
        "lat": None,
        "lon": None,
        "radius_km": None,
        "known_at": at.date(),
        "violence": "unknown",
    }
    return report(office, f"{text} {day}", **nothing, reported_at=at, text=text, **more)


BUS = {"killed": 45, "target_type": "transport", "attack_type": "armed_assault/shooting"}
SAME = [
    headline("Gunmen kill 45 on Karachi bus", 0, **BUS),
    headline("45 Ismailis shot dead on bus in Karachi", 1, "B", **BUS, place="Karachi"),
]
OTHER = headline(
    "Polio worker shot dead in Peshawar",
    0,
    "C",
    killed=1,
    place="Peshawar",
    target_type="civilians/health",
    attack_type="armed_assault/shooting",
)
LATER = headline("Gunmen kill 45 on Karachi bus", 30, **BUS)


def groups(*rows: dict[str, Any], **more: Any) -> set[frozenset[str]]:
    found = fuse(reports(*rows), method="press", judgements=(), **more).incidents["report_ids"]
    return {frozenset(ids) for ids in found}


def test_headlines_of_one_attack_are_one_and_another_attack_or_another_month_is_not() -> None:
    ids = [row["report_id"] for row in (*SAME, OTHER, LATER)]
    assert groups(*SAME, OTHER, LATER) == {frozenset(ids[:2]), frozenset(ids[2:3]), frozenset(ids[3:])}


def test_the_reasons_of_a_link_add_up_and_the_words_are_one_of_them() -> None:
    (link,) = fuse(reports(*SAME), method="press", judgements=()).links.to_dicts()
    assert link["log_odds"] == sum(v for k, v in link.items() if k.startswith("by_") and v is not None)
    assert link["by_words"] > 0
    assert (link["probability"], link["days"]) == (None, 1)


def test_order_does_not_matter_and_nothing_is_lost_among_headlines_too() -> None:
    chance = random.Random(3)
    words = (
        "blast bomb gunmen kill police soldiers bus mosque market Quetta Peshawar convoy dead wounded attack drone strike militants".split()
    )
    rows = [
        headline(" ".join(chance.sample(words, 5)), chance.randrange(40), chance.choice("ABC"), killed=chance.choice([None, 1, 2, 5]))
        for _ in range(200)
    ]
    table = reports(*rows, report("D", text=None)).unique("report_id", keep="first", maintain_order=True)
    once, again = (fuse(t, method="press", judgements=()) for t in (table, table.sample(fraction=1, shuffle=True, seed=4)))
    assert_frame_equal(once.incidents, again.incidents)
    assert_frame_equal(once.links, again.links)
    assert sorted(once.clusters["report_id"]) == sorted(table["report_id"])
    assert once.incidents.height < table.height


def test_a_person_decides_about_headlines_too() -> None:
    ids = tuple(row["report_id"] for row in SAME)
    split = Judgement("j", "tester", DAY, "two buses", "split", ids[:1], ids[1:])
    assert fuse(reports(*SAME), method="press", judgements=[split]).incidents.height == 2


def test_the_bundled_model_has_a_weight_for_each_level_and_rare_words_weigh_more() -> None:
    model = press_model()
    assert {name: len(model.weights[name]) for name in COMPARISONS} == COMPARISONS
    assert model.rarity("ismailis") > model.rarity("militants") > 0
    assert all(a < b for a, b in pairwise(model.weights["words"][2:7]))


def test_too_few_headlines_make_no_model() -> None:
    with pytest.raises(OptionError, match="too few"):
        train([reports(*SAME)], name="two")


def test_another_model_gives_another_stamp() -> None:
    table = reports(*SAME, OTHER)
    own = fuse(table, method="press", judgements=()).incidents["model"][0]
    changed = press_model().__class__("x", -9000, 100, press_model().weights, {})
    other = fuse(table, method="press", judgements=(), press=changed).incidents
    assert other["model"][0] != own
    assert other.height == 3
    assert isinstance(other, pl.DataFrame)
