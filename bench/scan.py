"""What a scan costs, and that the fast kernel answers as the slow oracle does.

usage: python bench/scan.py [--replications 96]

Prospective space-time permutation scans of events strewn at random over places and days, at the sizes for which SaTScan 10.3.2 was timed (one thread, 999
replications): 5,000 events over 500 places, windows up to 182 of 730 days, and so on. Each line gives ours in CPU seconds: what a scan
takes without replications and that of the replications, scaled to 999; beside it SaTScan's stored figure, which was measured on another machine and cannot be
measured here. The last lines give what tests/oracles/scan.py takes for one small data set, so that machines can be compared, the wall time of one thread
against two, and the most memory held.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from tocsin.kernels.scan import PERMUTATION, Data, Windows, Zones, maxima
from tocsin.watch import Study, scan

#: events, places, longest window (days): SaTScan's CPU seconds for 999 replications, one thread
STORED = {
    (5_000, 500, 182): 88.0,
    (100_000, 500, 182): 109.0,
    (5_000, 2_000, 30): 225.0,
    (20_000, 2_000, 30): 256.0,
    (5_000, 500, 30): 12.0,
}
DAYS = 730


def study(events: int, places: int, most: int, seed: int = 1) -> Study:
    """Events at random places and days."""
    chance = np.random.default_rng(seed)
    at = chance.random((places, 2)) * 10
    cells = np.stack([chance.integers(0, places, events), chance.integers(0, DAYS, events)], axis=1).astype(np.int32)
    cases = np.zeros((places, DAYS), np.int64)
    np.add.at(cases, (cells[:, 0], cells[:, 1]), 1)
    expected = np.outer(cases.sum(axis=1), cases.sum(axis=0)) / events
    data = Data(PERMUTATION, cases, expected, np.zeros(0, np.int64), cells[:, 0].copy(), cells[:, 1].copy(), np.array([0, events]))
    begins = tuple(date(2013, 1, 1) + timedelta(days=k) for k in range(DAYS + 1))
    return Study(tuple(f"p{k:04}" for k in range(places)), at, False, begins, data, prospective=True, most=most)


def oracle() -> None:
    """What the slow version takes."""
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from tests.oracles import scan as slow

    one = study(200, 20, 10)
    cases, expected = one.data.cases[:, :60], one.data.expected[:, :60]
    order = [list(range(k, 20)) for k in range(20)]
    begun = time.process_time()
    slow.best(cases.tolist(), expected.tolist(), order, most=10)
    print(json.dumps({"oracle": "20 places, 60 days, windows to 10", "cpu_s": round(time.process_time() - begun, 2)}))


def threads(count: int) -> None:
    """Wall seconds of the first size on one thread and on two."""
    one = study(5_000, 500, 182)
    apart = np.hypot(*(one.at[:, None] - one.at[None]).transpose(2, 0, 1))
    zones = Zones(np.arange(501) * 250, np.argsort(apart, axis=1)[:, :250].astype(np.int32).ravel())
    took = []
    for workers in (1, 2):
        begun = time.perf_counter()
        with ThreadPoolExecutor(workers) as pool:
            parts = [(low, low + 32) for low in range(0, count, 32)]
            list(pool.map(lambda edges: maxima(one.data, zones, Windows(1, 182, True), 2, 0, *edges), parts))
        took.append(time.perf_counter() - begun)
    print(json.dumps({"replications": count, "wall_s_1_thread": round(took[0], 2), "wall_s_2_threads": round(took[1], 2)}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replications", type=int, default=96)
    options = parser.parse_args()
    scan(study(50, 10, 5), replications=9)  # the kernels, compiled or loaded
    for (events, places, most), stored in STORED.items():
        one = study(events, places, most)
        begun = time.process_time()
        scan(one, replications=0)
        fixed = time.process_time() - begun
        scan(one, replications=options.replications)
        took = fixed + (time.process_time() - begun - 2 * fixed) * 999 / options.replications
        print(
            json.dumps(
                {
                    "events": events,
                    "places": places,
                    "days": most,
                    "cpu_s_999": round(took, 1),
                    "satscan_cpu_s": stored,
                    "times": round(stored / took, 1),
                }
            ),
            flush=True,
        )
    threads(4 * options.replications)
    oracle()
    print(json.dumps({"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


if __name__ == "__main__":
    main()
