"""A day's reports against all there are: how long until the clusters are those of fuse() again.

usage: python bench/fusion_live.py --reports FILE [--day 600] [--days 20]

FILE is made by bench/make_reports.py (`--reports 1000000`). All but the last reports are taken in first (the cold start, printed apart), then so many
days of `--day` reports, one day after another. Prints a JSON line: seconds of the cold start, and of a day the median and the worst, in milliseconds:
taking it in as arrays, meeting all others, clustering what was touched, telling what changed; and whether the clusters are those of fuse().
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

from fusion import SPEC

import tocsin
from tocsin.fusion.live import Live


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=Path, required=True)
    parser.add_argument("--day", type=int, default=600)
    parser.add_argument("--days", type=int, default=20)
    options = parser.parse_args()
    reports = tocsin.read(options.reports, spec=SPEC).reports.sort("event_end", "report_id")
    known = reports.height - options.day * options.days
    began = time.perf_counter()
    live = Live(reports.head(known), one_report_per_incident=())
    cold = time.perf_counter() - began
    took: dict[str, list[float]] = {}
    for k in range(options.days):
        began = time.perf_counter()
        changes = live.add(reports.slice(known + k * options.day, options.day))
        took.setdefault("day_ms", []).append(1000 * (time.perf_counter() - began))
        for name, seconds in changes.seconds.items():
            took.setdefault(f"{name}_ms", []).append(1000 * seconds)
        took.setdefault("touched", []).append(changes.touched)
    same = live.clusters.sort("report_id").equals(
        tocsin.fuse(reports, judgements=(), one_report_per_incident=()).clusters.sort("report_id")
    )
    figures = {k: {"median": round(statistics.median(v[1:]), 1), "worst": round(max(v[1:]), 1)} for k, v in took.items()}
    print(json.dumps({"reports": reports.height, "cold_s": round(cold, 2), **figures, "as_fuse": same}))


if __name__ == "__main__":
    main()
