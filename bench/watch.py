"""How many false signals a year `tocsin.watch` raises on data in which nothing changes, looked at again and again for a year.

usage: python bench/watch.py [--sets 20] [--first 0] [--every 14] [--kind shift] [--branching .5]

800 incidents over four years at 60 places, each of a target, community, tactic, weapon, actor and area drawn by a mix that stays, one in seven of a
community that is not known. `--branching`: so many others an incident sets off on average, 7 days later on average, at its place and of its kind. Each look
gets the signals of the one before (`last`); what is counted are ids that no earlier look had. Beside it: signals raised at a time.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from datetime import date, timedelta

import polars as pl

from tocsin.terms.tables import INCIDENTS, conform
from tocsin.watch import look

END, DAYS = date(2015, 6, 30), 1460
MIX = {
    "target_type": (["civilians", "government", "military", "police"], [5, 3, 1, 1]),
    "target_group": (["shia", "christian", "general", "sufi"], [4, 3, 2, 1]),
    "attack_type": (["explosion", "armed_assault", "kidnapping"], [5, 3, 1]),
    "weapon_type": (["explosives", "firearms", "melee"], [5, 3, 1]),
    "actor": (["TTP", "BLA"], [1, 1]),
    "admin1": (["Sindh", "Punjab"], [1, 1]),
    "area_class": (["mainland", "big_city", "tribal"], [1, 1, 1]),
    "killed": ([0, 1, 3, 9], [1, 2, 1, 1]),
}


def quiet(seed: int, branching: float, count: int = 800) -> pl.DataFrame:
    chance = random.Random(seed)
    towns = [(24 + 12 * chance.random(), 61 + 15 * chance.random()) for _ in range(60)]
    rows = []
    days = [chance.uniform(0, DAYS) for _ in range(int(count * (1 - branching)))]
    todo = [(t, {c: chance.choices(values, weights)[0] for c, (values, weights) in MIX.items()}, chance.choice(towns)) for t in days]
    while todo:
        ago, kind, town = todo.pop()
        todo += [(ago - chance.expovariate(1 / 7), kind, town) for _ in range(poisson(branching, chance))]
        if ago < 0:
            continue
        k, day, row = len(rows), END - timedelta(days=int(ago)), dict(kind)
        row["target_group"] = None if chance.random() < 1 / 7 else row["target_group"]
        row["lat"], row["lon"] = town
        rows.append(row | {"incident_id": f"i{k:05d}", "event_start": day, "event_end": day, "known_at": day})
    kinds = {c.name: c.dtype for c in INCIDENTS}
    frame = pl.DataFrame(rows, schema_overrides={c: kinds[c] for c in rows[0]}).with_columns(
        report_ids=pl.concat_list("incident_id"), agencies=pl.lit(["A"]), as_of=pl.lit(END), model=pl.lit("m"), hindsight=pl.lit(False),
        country=pl.lit("PAK"), radius_km=pl.lit(1.0), violence=pl.lit("one_sided"), vague=pl.lit(False), corroboration=pl.lit(1),
        parts=pl.lit([], dtype=kinds["parts"]), disputed=pl.lit([], dtype=pl.List(pl.String)), judged=pl.lit([], dtype=pl.List(pl.String)),
    )  # fmt: skip
    return conform(frame, INCIDENTS, table="incidents")


def poisson(mean: float, chance: random.Random) -> int:
    n, p, limit = 0, chance.random(), math.exp(-mean)
    while p > limit:
        n, p = n + 1, p * chance.random()
    return n


def a_year(seed: int, every: int, kind: str, branching: float) -> tuple[int, int, int]:
    """(new signals, signals raised summed over looks, looks after the first)."""
    whole, seen, new, raised, last, before = quiet(seed, branching), set[str](), 0, 0, None, None
    looks = 364 // every
    for k in range(looks, -1, -1):
        day = END - timedelta(days=every * k)
        known = whole.filter(pl.col("known_at") <= day).with_columns(as_of=pl.lit(day))
        now = look(known, as_of=day, every=every, kinds=(kind,), last=last, seed=seed, quick=True).signals
        ids = set(now["signal_id"])
        # one look may fail to raise a signal: it goes on, as in watch() and replay()
        last, before = (now if before is None else pl.concat([now, before.filter(~pl.col("signal_id").is_in(list(ids)))])), now
        new += len(ids - seen) if k < looks else 0
        raised += len(ids)
        seen |= ids
    return new, raised, looks


def main() -> None:
    options = argparse.ArgumentParser()
    for name, usual in (("sets", 20), ("first", 0), ("every", 14)):
        options.add_argument(f"--{name}", type=int, default=usual)
    options.add_argument("--kind", choices=("shift", "cluster"), default="shift")
    options.add_argument("--branching", type=float, default=0.0)
    given = options.parse_args()
    begin, counts, raised, looks = time.perf_counter(), [], 0, 0
    for seed in range(given.first, given.first + given.sets):
        one = a_year(seed, given.every, given.kind, given.branching)
        counts.append(one[0])
        raised, looks = raised + one[1], looks + one[2] + 1
        years = len(counts) * (364 // given.every) * given.every / 365.25
        rate, error = sum(counts) / years, (sum(counts) ** 0.5) / years
        print(
            f"{given.kind}s, branching {given.branching}, every {given.every} days, {len(counts)} sets: {rate:.2f} new false signals a year "
            f"(+- {error:.2f}; 1 is promised), "
            f"{raised / looks:.2f} raised at a time; {time.perf_counter() - begin:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
