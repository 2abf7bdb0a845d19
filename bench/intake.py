"""How fast and how lean tocsin.read is, beside polars.read_csv, on a GED-shaped file of a million rows, in one run.

usage: python bench/intake.py [--rows 1000000] [--keep FILE]

The file repeats the bundled rows of UCDP GED for Pakistan with ids of their own. Each figure comes from a fresh process: wall and CPU seconds inside it, after
one warm-up on a small file (imports and compiling apart), and the process's peak resident memory. What tocsin does in that time: bytes hashed, records
checked, values typed, words coded, places found, press reports taken out, ids made, reports.parquet and issues.csv written.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path

GED = Path(str(files("tocsin.data").joinpath("ged221_pakistan.csv.gz")))


def make(path: Path, rows: int) -> None:
    """A GED-shaped CSV of `rows` records."""
    with gzip.open(GED, "rt", encoding="utf-8", newline="") as f:
        header, *body = list(csv.reader(f))
    at = header.index("id")
    with path.open("w", encoding="utf-8", newline="") as f:
        out = csv.writer(f)
        out.writerow(header)
        for i in range(rows):
            row = list(body[i % len(body)])
            row[at] = str(i)
            out.writerow(row)


def polars_default(path: Path) -> None:
    import polars as pl

    pl.read_csv(path)


def polars_strings(path: Path) -> None:
    import polars as pl

    pl.read_csv(path, infer_schema=False)


def tocsin_read(path: Path) -> None:
    from click.testing import CliRunner

    from tocsin.cli.read import read

    with tempfile.TemporaryDirectory() as out:
        done = CliRunner().invoke(read, [str(path), "--out", out])
        assert done.exit_code == 0, done.output


def tocsin_in_memory(path: Path) -> None:
    import tocsin

    tocsin.read(path)


METHODS = {
    "polars.read_csv": polars_default,
    "polars.read_csv, all strings": polars_strings,
    "tocsin.read, into memory": tocsin_in_memory,
    "tocsin read, onto disk": tocsin_read,
}


def measure(name: str, small: Path, big: Path) -> None:
    """In a process of its own: print wall, CPU and peak."""
    METHODS[name](small)
    wall, cpu = time.perf_counter(), time.process_time()
    METHODS[name](big)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "peak": peak}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3, help="the fastest of this many is shown")
    parser.add_argument("--keep", type=Path, help="where to leave the big file")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure[0], Path(options.measure[1]), Path(options.measure[2]))
        return
    with tempfile.TemporaryDirectory() as folder:
        small, big = Path(folder) / "small.csv", options.keep or Path(folder) / "big.csv"
        make(small, 5000)
        if not big.exists():
            make(big, options.rows)
        print(f"{options.rows:,} rows, {big.stat().st_size / 1e6:,.0f} MB; fastest of {options.repeat}")
        print(f"{'':38}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'x wall':>9}{'x peak':>9}")
        first = None
        for name in METHODS:
            runs: list[dict[str, float]] = [
                json.loads(
                    subprocess.run(
                        [sys.executable, __file__, "--measure", name, small, big], capture_output=True, text=True, check=True
                    ).stdout
                )
                for _ in range(options.repeat)
            ]
            best = min(runs, key=lambda r: r["wall"])
            first = first or best
            ratios = f"{best['wall'] / first['wall']:9.2f}{best['peak'] / first['peak']:9.2f}"
            print(f"{name:38}{best['wall']:9.2f}{best['cpu']:9.2f}{best['peak']:9.0f}{ratios}")


if __name__ == "__main__":
    main()
