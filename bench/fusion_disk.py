"""Fusing from disk to disk: wall and CPU seconds and peak memory of `tocsin fuse`'s way, which must not grow with the file.

usage: python bench/fusion_disk.py --reports FILE [--keep FOLDER]

FILE is made by bench/make_reports.py (`--reports 10000000`). It is read straight to disk, then fused straight to disk, values and links included; a JSON line
for each step, then one with the accuracy.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
from fusion import SPEC, score

from tocsin.fusion import fuse_to
from tocsin.intake import read_to


def step(name: str, work: Callable[[], object]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    took = {"wall_s": round(time.perf_counter() - wall, 2), "cpu_s": round(time.process_time() - cpu, 2)}
    print(json.dumps({"step": name, **took, "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}), flush=True)


def accuracy(out: Path, file: Path) -> dict[str, float]:
    of = pl.scan_parquet(out / "incidents.parquet").select(pl.int_range(pl.len()).alias("incident_id"), report_id="report_ids")
    of = of.explode("report_id", empty_as_null=False)
    own = pl.scan_parquet(out / "reports.parquet").select("report_id", unique_id=pl.col("origin").str.extract(r"(\d+)$").cast(pl.Int64))
    truth = pl.scan_parquet(file).select("unique_id", "true_incident")
    return score(own.join(of, on="report_id").join(truth, on="unique_id").select("incident_id", "true_incident").collect())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=Path, required=True)
    parser.add_argument("--keep", type=Path, help="leave what is written here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = options.keep or Path(folder)
        out.mkdir(parents=True, exist_ok=True)
        step("read to disk", lambda: read_to(out, [options.reports], spec=SPEC))
        step("fuse to disk", lambda: fuse_to(out, [out / "reports.parquet"], judgements=(), one_report_per_incident=()))
        print(json.dumps({k: round(v, 4) for k, v in accuracy(out, options.reports).items()}))


if __name__ == "__main__":
    main()
