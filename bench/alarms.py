"""How often a scan raises a false alarm on quiet data, and how often it hears 8 events more.

usage: python bench/alarms.py [--sets 100] [--seed 0] [--branching .5] [--case drift ...] [--alone] [--files EVENTS.csv ...]

Quiet data sets of about 400 events in 730 days at 100 places of 100 km by 100 km: a background with log-normal shares of places, and events that set off
`branching` others each, 7 days later on average (exponential), at the same place or near it. Cases: base; drift (the background grows by e in two years);
season; delay (the last days are not all reported yet); source (from day 400 half as many more are reported, everywhere); stops (until day 400); late_source
(from day 710); area (as source, in half of the region only); scales (delays of 2 days or of 60). A cluster of 8 events is put round a place in the last 14
days for the power. Each line gives, of the self-exciting null, of the space-time permutation scan and of an expectation-based Poisson scan, the false alarms
at a nominal 5 % and 1 %, and the power where the limit, in standard deviations of the simulations, is what 5 % of the quiet sets exceed ("equal"). --files
takes tables of your own (set, day, x, y), each set a data set that ends with its last day; points are taken together until there are four events a place.
"""

from __future__ import annotations

import argparse
import json
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a process a core: threads of each would wait for each other
from functools import partial
from multiprocessing import Pool
from typing import Any

import numpy as np
import polars as pl
from numba import njit
from numpy.typing import NDArray

from tocsin.kernels import scan as kernel
from tocsin.watch.excite import excited

DAYS, PLACES, EVENTS, MOST = 730, 100, 400, 30
CASES = ("base", "drift", "season", "delay", "source", "stops", "late_source", "area", "scales")
Events = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]


def made(case: str, branching: float, chance: np.random.Generator) -> Events:
    """Days, places, and the places' distances."""
    at = chance.random((PLACES, 2)) * 100
    apart = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    share = np.exp(chance.standard_normal(PLACES))
    share /= share.sum()
    near = np.exp(-((apart / 10) ** 2) / 2)
    fall = 0.5 * np.eye(PLACES) + 0.5 * near / near.sum(axis=1, keepdims=True)
    early = -200.0  # the process is under way when the data begin
    count = chance.poisson(EVENTS * (1 - branching) * (DAYS - early) / DAYS * 1.6)
    t = chance.uniform(early, DAYS, count)
    level = {"drift": np.exp(t / DAYS - 1), "season": (1 + 0.6 * np.sin(2 * np.pi * t / 365)) / 1.6}.get(case, np.full(count, 1 / 1.6))
    t = t[chance.random(count) < np.minimum(level, 1.0)]
    p = chance.choice(PLACES, len(t), p=share)
    when, where = [t], [p]
    while len(t):
        children = chance.poisson(branching, len(t))
        mean = np.where(chance.random(children.sum()) < 0.5, 2.0, 60.0) if case == "scales" else 7.0
        t = np.repeat(t, children) + chance.exponential(mean, children.sum())
        parents = np.repeat(p, children)
        p = np.array([chance.choice(PLACES, p=fall[q]) for q in parents], np.int64)
        keep = t < DAYS
        t, p = t[keep], p[keep]
        when.append(t)
        where.append(p)
    t, p = np.concatenate(when), np.concatenate(where)
    keep = t >= 0
    if case == "delay":
        keep &= chance.random(len(t)) < 1 - 0.9 * np.exp(-(DAYS - t) / 9)
    if case in ("source", "stops", "late_source", "area"):
        covered = (at[p, 0] < 50) if case == "area" else np.full(len(t), True)
        more = {"stops": t < 400, "late_source": t > 710}.get(case, t > 400)
        keep &= ~covered | more | (chance.random(len(t)) < 2 / 3)
    order = np.argsort(t[keep])
    return t[keep][order], p[keep][order].astype(np.int64), apart


def hidden(events: Events, chance: np.random.Generator) -> Events:
    """With 8 events more, in the last 14 days at a place and its next neighbours."""
    when, where, apart = events
    place = chance.choice(np.argsort(apart[chance.integers(PLACES)])[:3], 8)
    when, where = np.concatenate([when, chance.uniform(DAYS - 14, DAYS, 8)]), np.concatenate([where, place])
    order = np.argsort(when)
    return when[order], where[order], apart


def p_values(events: Events, end: float, replications: int, seed: int, alone: bool) -> list[float]:
    """Of each scan, p and how many standard deviations the statistic is above the simulations' mean; last whether ours says that it is uncalibrated."""
    when, where, apart = events
    ours = excited(when, where, apart, end=end, most=MOST, replications=replications, seed=seed)
    likeliest = ours.clusters[0].statistic if ours.clusters else 0.0
    others = [] if alone else _rivals(events, end, replications, seed)
    return [*_told(likeliest, ours.maxima), *others, float(ours.uncalibrated is not None)]


def _rivals(events: Events, end: float, replications: int, seed: int) -> list[float]:
    when, where, apart = events
    n, days = len(apart), int(np.ceil(end - when.min()))
    cells = np.stack([where, np.clip(days - 1 - (end - when).astype(int), 0, days - 1)], axis=1).astype(np.int32)
    cases = np.zeros((n, days), np.int64)
    np.add.at(cases, (cells[:, 0], cells[:, 1]), 1)
    size = cases.sum(axis=1) / cases.sum()
    near = [np.argsort(row, kind="stable")[: max(1, int((np.cumsum(size[np.argsort(row, kind="stable")]) <= 0.5).sum()))] for row in apart]
    zones = kernel.Zones(np.cumsum([0, *map(len, near)]), np.concatenate(near).astype(np.int32))
    windows = kernel.Windows(1, MOST, True)
    expected = np.outer(cases.sum(axis=1), cases.sum(axis=0)) / len(when)
    none = np.zeros(0, np.int64)
    data = kernel.Data(kernel.PERMUTATION, cases, expected, none, cells[:, 0].copy(), cells[:, 1].copy(), np.array([0, len(when)]))
    stp = _told(kernel.best(data, zones, windows, 2).ratio.max(), kernel.maxima(data, zones, windows, 2, seed, 0, replications))
    # expectation-based: what the days before the window held, a place a day; a window's cases are Poisson
    usual = (cases[:, :-MOST].sum(axis=1) + 0.5) / (days - MOST)
    chance = np.random.default_rng(seed)
    draw = [cases[:, -MOST:]] + [chance.poisson(usual[:, None], (n, MOST)) for _ in range(replications)]
    best = np.array([_based(np.ascontiguousarray(c[:, ::-1]), usual, zones.starts, zones.near) for c in draw])
    return [*stp, *_told(best[0], best[1:])]


def _told(statistic: float, maxima: NDArray[np.float64]) -> tuple[float, float]:
    p = (1 + int((maxima >= statistic - 1e-9).sum())) / (1 + len(maxima))
    return p, float((statistic - maxima.mean()) / max(maxima.std(), 1e-9))


@njit(nogil=True)
def _based(cases: Any, usual: Any, starts: Any, near: Any) -> Any:
    """The greatest o ln(o/e) + e - o (Neill 2005)."""
    best = 0.0
    c = np.zeros(cases.shape[1])
    for i in range(len(starts) - 1):
        c[:] = 0
        rate = 0.0
        for k in range(starts[i], starts[i + 1]):
            rate += usual[near[k]]
            o = 0.0
            for d in range(cases.shape[1]):
                c[d] += cases[near[k], d]
                o += c[d]
                e = rate * (d + 1)
                if o > 1 and o > e:
                    best = max(best, o * np.log(o / e) + e - o)
    return best


def one(case: str, branching: float, power: bool, replications: int, alone: bool, seed: int) -> list[list[float]]:
    chance = np.random.default_rng(seed)
    events = made(case, branching, chance)
    out = [p_values(events, float(DAYS), replications, seed, alone)]
    return [*out, p_values(hidden(events, chance), float(DAYS), replications, seed, alone)] if power else out


def told(name: str, quiet: NDArray[np.float64], heard: NDArray[np.float64] | None = None, **more: Any) -> None:
    """One line; se is of the share at 5 %, were it .05."""
    line: dict[str, Any] = {"case": name, **more, "sets": len(quiet), "se": round(float(np.sqrt(0.05 * 0.95 / len(quiet))), 4)}
    for column, method in enumerate(("self_exciting", "stp", "eb_poisson")[: quiet.shape[1] // 2]):
        p, z = quiet[:, 2 * column], quiet[:, 2 * column + 1]
        line[method] = {"at_5%": round(float((p <= 0.05).mean()), 3), "at_1%": round(float((p <= 0.01).mean()), 3)}
        if heard is not None:
            line[method]["heard_at_5%"] = round(float((heard[:, 2 * column] <= 0.05).mean()), 3)
            line[method]["power_equal"] = round(float((heard[:, 2 * column + 1] > np.quantile(z, 0.95)).mean()), 3)
    line["told_uncalibrated"] = round(float(quiet[:, -1].mean()), 3)
    print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--branching", type=float, nargs="*", default=[0.0, 0.5, 0.7])
    parser.add_argument("--case", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--replications", type=int, default=199)
    parser.add_argument("--alone", action="store_true", help="without the two other scans, in a third of the time")
    parser.add_argument("--files", nargs="*", default=[])
    options = parser.parse_args()
    with Pool() as pool:
        for path in options.files:
            table = pl.read_csv(path)
            sets = [part for _, part in sorted(table.group_by("set"), key=lambda pair: pair[0])]
            quiet = np.array(pool.map(partial(_own, replications=options.replications, alone=options.alone), sets))
            told(str(path), quiet)
        for case in options.case if not options.files else []:
            for branching in options.branching if case == "base" else [0.5]:
                begun = time.monotonic()
                work = partial(one, case, branching, case == "base", options.replications, options.alone)
                seeds = [options.seed * 1_000_003 + k for k in range(options.sets)]
                p = np.array(pool.map(work, seeds, chunksize=4))
                told(
                    case,
                    p[:, 0],
                    p[:, 1] if case == "base" else None,
                    branching=branching,
                    seed=options.seed,
                    minutes=round((time.monotonic() - begun) / 60, 1),
                )


def _own(table: pl.DataFrame, replications: int, alone: bool) -> list[float]:
    when = table["day"].to_numpy().astype(np.float64)
    order = np.argsort(when, kind="stable")
    where, apart = _places(table.select("x", "y").to_numpy().astype(np.float64))
    return p_values((when[order], where[order], apart), float(np.floor(when.max()) + 1), replications, 0, alone)


def _places(at: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Points taken together, the busiest first, ever wider until there are four events a place: a number for each row, and the places' distances."""
    points, row, count = np.unique(at, axis=0, return_inverse=True, return_counts=True)
    rank = np.argsort(-count, kind="stable")
    points, row = points[rank], np.argsort(rank)[row.ravel()]
    apart = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    reach, owner = 0.0, np.arange(len(points))
    while len(np.unique(owner)) > max(20, len(at) // 4):
        reach = reach * 1.2 or float(np.median(np.sort(apart, axis=1)[:, 1]))
        owner = np.full(len(points), -1)
        for k in range(len(points)):
            if owner[k] < 0:
                owner[(owner < 0) & (apart[k] <= reach)] = k
    kept, number = np.unique(owner, return_inverse=True)
    return number[row].astype(np.int64), apart[np.ix_(kept, kept)]


if __name__ == "__main__":
    main()
