"""A model is made without the truth; what it takes for one incident must not be a wave of attacks."""

from __future__ import annotations

import random
from datetime import timedelta

import numpy as np
import pytest
from samples import DAY, invented, report, reports

from tests.oracles import em as slow
from tocsin import fuse
from tocsin.errors import OptionError
from tocsin.fusion import train as module
from tocsin.fusion.train import train
from tocsin.kernels import linkage as kernel


def test_weights_are_those_of_the_slow_and_plain_em(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEPS", 6)
    made = module._prepared(invented(2, 220))
    few = made._replace(levels=made.levels[:1500], controls=made.controls[:1500])
    quick, odds = module._expectation([few])
    groups = [module._groups(k) for k in range(8)]

    def start(pair: tuple[int, ...]) -> float:
        alike = 3 * (pair[2] in (2, 5, 9)) + 3 * (pair[3] in (2, 5, 9)) + 2 * (pair[4] in (2, 5, 9)) + (pair[0] % 4 == 0)
        return 1 / (1 + np.exp(6.0 - alike))

    found, slow_odds = slow.weights(
        [tuple(p) for p in few.levels.tolist()],
        [tuple(p) for p in few.controls.tolist()],
        kernel.LEVELS,
        lambda k, level: int(groups[k][level]),
        [1.0, 2, 2, 2, 1, 2, 2, 2, 1, 1],
        start,
        6,
    )
    assert odds == pytest.approx(slow_odds, abs=1e-9)
    for k in range(8):
        assert quick[k] == pytest.approx(np.array(found[k]), abs=1e-9)


def waves(chance: random.Random, agencies: str) -> tuple[list[dict[str, object]], list[int]]:
    """Weeks in each of which one group strikes one kind of target in one way, all over a district; and the attack that each report is of."""
    rows, truth = [], []
    for week in range(60):
        kind, whom, who = (
            chance.choice(["explosion/ied", "armed_assault/shooting"]),
            chance.choice(["police", "civilians"]),
            chance.choice(["TTP", "BLA"]),
        )
        for attack in range(14):
            day, lat, lon = DAY + timedelta(days=7 * week + chance.randrange(3)), 25 + chance.random() / 2, 67 + chance.random() / 2
            toll = chance.choice([0, 1, 2, 3, 5, 8])
            for agency in agencies:
                at = {"lat": lat + chance.gauss(0, 0.005), "lon": lon + chance.gauss(0, 0.005), "radius_km": 0.6, "admin1": "Sindh"}
                said = {"attack_type": kind, "target_type": whom, "actor": who, "killed": toll}
                rows.append(report(agency, f"{week}-{attack}", event_start=day, event_end=day, **at, **said))
                truth.append(100 * week + attack)
    return rows, truth


def test_waves_of_attacks_of_which_each_is_reported_once_make_no_model() -> None:
    rows, _ = waves(random.Random(5), "A")
    with pytest.raises(OptionError, match="waves"):
        train([reports(*rows)], name="waves")


def test_among_some_waves_a_model_finds_the_incidents_and_not_the_waves() -> None:
    chance = random.Random(6)
    rows, truth = waves(chance, "AB")
    rows, truth = rows[: 2 * 14 * 20], truth[: 2 * 14 * 20]
    kinds = ["explosion/ied", "armed_assault/shooting", "explosion/suicide", "armed_assault/raid", "abduction"]
    for k in range(2500):
        day, lat, lon, toll = (
            DAY + timedelta(days=chance.randrange(140)),
            25 + chance.random() / 2,
            67 + chance.random() / 2,
            chance.choice([0, 1, 1, 2, 3, 5, 8, 20]),
        )
        said = {
            "attack_type": chance.choice(kinds),
            "target_type": chance.choice(["police", "civilians", "military", "government"]),
        }
        for agency in "AB":
            at = {"lat": lat + chance.gauss(0, 0.005), "lon": lon + chance.gauss(0, 0.005), "radius_km": 0.6, "admin1": "Sindh"}
            rows.append(
                report(
                    agency, f"x{k}", event_start=day, event_end=day, killed=toll, actor=chance.choice(["TTP", "BLA", None]), **at, **said
                )
            )
            truth.append(10_000 + k)
    model = train([reports(*rows)], name="waves, and what is none")
    of = dict(fuse(reports(*rows), judgements=(), model=model, one_report_per_incident=()).clusters.iter_rows())
    attacks: dict[int, list[str]] = {}
    for row, attack in zip(rows, truth, strict=True):
        attacks.setdefault(attack, []).append(of[row["report_id"]])
    assert sum(a == b for a, b in attacks.values()) / len(attacks) > 0.8
    assert len(of) - len(set(of.values())) < 1.05 * len(attacks), "and little else is joined"
    struck = {x for attack, found in attacks.items() if attack < 10_000 for x in found}
    assert len(struck) > 0.95 * sum(attack < 10_000 for attack in attacks), "an attack of a wave is one of many"
