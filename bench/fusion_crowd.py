"""What a crowd costs: thousands of reports that are all the same, and thousands that differ a little (a riot of which everybody tells).

usage: python bench/fusion_crowd.py [--alike 10000] [--riot 5000] [--agencies 5]

A JSON line for each: seconds, incidents, the greatest of them, and the most memory held so far. Nothing was tuned on them.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from samples import DAY, report, reports

import tocsin


def riot(chance: random.Random) -> dict[str, Any]:
    """What one of them tells of it."""
    day = DAY + timedelta(days=chance.choice([0, 0, 0, 1]))
    where = {"lat": 27.957 + chance.gauss(0, 0.01), "lon": 68.638 + chance.gauss(0, 0.01), "radius_km": 2.5, "admin1": "Sindh"}
    how = {"attack_type": chance.choice(["explosion", "explosion/ied", None]), "actor": chance.choice(["TTP", None])}
    return {"killed": chance.choice([4, 5, 5, 5, 6, 8]), "event_start": day, "event_end": day, **where, **how}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alike", type=int, default=10_000)
    parser.add_argument("--riot", type=int, default=5_000)
    parser.add_argument("--agencies", type=int, default=5)
    options = parser.parse_args()
    chance = random.Random(1)
    tocsin.fuse(reports(report(), report("B")), judgements=())  # the kernels, compiled or loaded
    for name, count, tell in (("alike", options.alike, dict), ("riot", options.riot, lambda: riot(chance))):
        table = reports(*(report(f"A{k % options.agencies}", str(k), **tell()) for k in range(count)))
        begun = time.perf_counter()
        sizes = tocsin.fuse(table, judgements=()).clusters.group_by("incident_id").len()["len"]
        took = time.perf_counter() - begun
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            json.dumps(
                {"crowd": name, "reports": count, "seconds": round(took, 2), "incidents": len(sizes), "greatest": sizes.max(), "mb": most}
            )
        )


if __name__ == "__main__":
    main()
