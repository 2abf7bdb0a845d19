"""How often shift() cries wolf, and how often it sees a change, beside the plain multinomial CUSUM.

usage: python bench/shift.py [--sets 400] [--seed 1] [--replications 199]

Data sets of 78 looks of a week, 52 of them history, about 10 events a look in 5 categories. Quiet ones: events apart; bursts that share their category (4
events on average), one after another on any days, or the denser the larger, or strewn over some days and mingled; weeks whose mix varies by itself; deaths
with a long tail, apart or in bursts. Changed ones: from the 9th watched look on, the odds of a category of share .15 are multiplied by 2 or 4. The rival is
the CUSUM of Höhle 2010 over the same alternatives, with the history's shares taken as true and its limit from independent multinomial looks; deaths are to it
so many events. Each line: the share of data sets in which each raises an alarm at 5 %, with its standard error. Where the mix is quiet that share should be
.05; where the rival's is far above, its power means nothing; so it is also given with the limit that its own statistic has on quiet data of the kind, which
nobody knows beforehand.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

import numpy as np
from numpy.typing import NDArray

from tocsin.watch.shift import CHANGED, FACTORS, shift

LOOKS, BASELINE, EVERY, EACH, CHANGE = 78, 52, 7, 10, 60
SHARES = np.array([0.4, 0.25, 0.15, 0.12, 0.08])
MOVES = 2
NAMES = list("abcde")

Events = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64] | None]


def events(kind: str, factor: float, rng: np.random.Generator) -> Events:
    """Days, codes and deaths of one data set."""
    days = LOOKS * EVERY
    moved = SHARES * np.where(np.arange(len(SHARES)) == MOVES, factor, 1.0)
    moved /= moved.sum()
    bursty = "bursts" in kind
    n = rng.poisson(LOOKS * EACH / (4 if bursty else 1))
    start = np.sort(rng.integers(0, days, n)) if "mingled" in kind or not bursty else np.sort(rng.uniform(0, days, n))
    if "weeks" in kind:
        mixes = np.array([rng.dirichlet(30 * (moved if t >= CHANGE else SHARES)) for t in range(LOOKS)])
        code = np.array([rng.choice(len(SHARES), p=mixes[t // EVERY]) for t in start])
    else:
        code = np.where(start >= CHANGE * EVERY, rng.choice(len(SHARES), n, p=moved), rng.choice(len(SHARES), n, p=SHARES))
    if bursty:
        size = rng.geometric(0.25, n)
        owner = np.repeat(np.arange(n), size)
        code = code[owner]  # a burst that begins before the change keeps its category
        if "mingled" in kind:
            start = start[owner] + rng.exponential(2.0, len(owner))
        elif "dense" not in kind:  # bursts follow each other, the days of their events are any
            start = np.sort(rng.uniform(0, days, len(owner)))
        else:  # the more events a burst has, the denser they are: it ends before the next begins
            ends = np.append(start[1:], days)
            step = np.concatenate([np.arange(s) for s in size])
            start = start[owner] + step / size[owner] * (ends - start)[owner]
    keep = start < days
    day = (start * 1000).astype(np.int64)[keep]  # thousandths of a day: what comes first stays first
    deaths = np.minimum(np.round(rng.pareto(1.5, len(day)) * 2 + 1), 300).astype(np.int64) if "deaths" in kind else None
    return day, code[keep], deaths


def rival(data: Events, replications: int, rng: np.random.Generator) -> tuple[bool, float]:
    """Whether the plain multinomial CUSUM, its limit from independent looks, raises an alarm at 5 %; its statistic."""
    day, code, deaths = data
    counts = np.zeros((LOOKS, len(SHARES)))
    np.add.at(counts, (day // (EVERY * 1000), code), 1 if deaths is None else deaths)
    share = (counts[:BASELINE].sum(axis=0) + 0.5) / (counts[:BASELINE].sum() + 0.5 * len(SHARES))
    ratios = []
    for j in range(len(SHARES)):
        for factor in FACTORS:
            after = share * np.where(np.arange(len(share)) == j, factor, 1.0)
            ratios.append(np.log(after / after.sum() / share))
    totals = counts[BASELINE:].sum(axis=1).astype(np.int64)
    chance = np.stack([rng.multinomial(n, share, size=replications) for n in totals], axis=1)

    def greatest(looks: NDArray[np.float64]) -> NDArray[np.float64]:
        gains = looks @ np.array(ratios).T
        s = best = np.zeros((len(looks), len(ratios)))
        for t in range(gains.shape[1]):
            s = np.maximum(s + gains[:, t], 0.0)
            best = np.maximum(best, s)
        return np.asarray(best.max(axis=1))

    found = greatest(counts[None, BASELINE:])[0]
    return bool((1 + (greatest(chance) >= found - 1e-9).sum()) / (1 + replications) <= 0.05), float(found)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--replications", type=int, default=199)
    asked = parser.parse_args(argv)
    settings = [(kind, 1.0) for kind in ("apart", "bursts", "dense bursts", "mingled bursts", "weeks", "deaths", "deaths in bursts")]
    settings += [(kind, factor) for kind in ("apart", "bursts", "mingled bursts", "deaths") for factor in (2.0, 4.0)]
    quiet: dict[str, float] = {}
    for number, (kind, factor) in enumerate(settings):
        alarms = np.zeros((asked.sets, 2))
        statistic = np.zeros(asked.sets)
        right, late, took = 0, [], 0.0
        for i in range(asked.sets):
            rng = np.random.default_rng([asked.seed, number, i])
            data = events(kind, factor, rng)
            begun = time.perf_counter()
            found = shift(
                *data,
                categories=NAMES,
                baseline=BASELINE,
                every=EVERY * 1000,
                until=LOOKS * EVERY * 1000,
                replications=asked.replications,
                seed=i,
            )
            took += time.perf_counter() - begun
            alarm, statistic[i] = rival(data, asked.replications, rng)
            alarms[i] = found.verdict == CHANGED, alarm
            if found.verdict == CHANGED and factor != 1 and found.changed_at is not None:
                right += found.moved == NAMES[MOVES]
                late.append(found.changed_at - CHANGE)
        share = alarms.mean(axis=0)
        error = np.sqrt(share * (1 - share) / asked.sets)
        line = {
            "data": kind,
            "odds_times": factor,
            "sets": asked.sets,
            "shift": round(float(share[0]), 3),
            "shift_error": round(float(error[0]), 3),
            "rival": round(float(share[1]), 3),
            "rival_error": round(float(error[1]), 3),
            "ms_each": round(1000 * took / asked.sets, 1),
        }
        if factor == 1:
            quiet[kind] = float(np.quantile(statistic, 0.95))
        else:
            line["rival_were_its_limit_right"] = round(float((statistic > quiet[kind]).mean()), 3)
        if late:
            line |= {"names_the_category": round(right / len(late), 3), "median_looks_off": float(np.median(late))}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
