"""What a look of a hub costs where an agency sees many incidents, and what the next agency's costs that sees the same, or one incident more.

usage: python bench/looks.py INCIDENTS.parquet [--incidents 10000] [--every 1] [--seed 1]

INCIDENTS.parquet is what `tocsin fuse` or `tocsin brief` writes. Its incidents are drawn with replacement, as one-sided violence of the last 900 days, so that
places, actors and targets are as many as the file's. Looks as the hub makes them: without what would have been seen, sharing what is the same. CPU seconds.
"""

from __future__ import annotations

import argparse
import time
import uuid
from datetime import date, timedelta

import numpy as np
import polars as pl

from tocsin.errors import OptionError
from tocsin.hub.making.looks import commonest
from tocsin.watch import look
from tocsin.watch.shared import Shared

AS_OF = date(2015, 6, 14)
DAYS = 900


def drawn(path: str, many: int, seed: int) -> pl.DataFrame:
    """So many incidents, each with an id and a day of its own."""
    known = pl.read_parquet(path).filter(pl.col("lat").is_not_null(), pl.col("event_end").is_not_null())
    chance = np.random.default_rng(seed)
    days = [AS_OF - timedelta(days=int(d)) for d in chance.integers(0, DAYS, many)]
    return known[chance.integers(0, known.height, many)].with_columns(
        incident_id=pl.Series([str(uuid.UUID(int=k)) for k in range(many)]),
        violence=pl.lit("one_sided").cast(known.schema["violence"]),
        event_start=pl.Series(days),
        event_end=pl.Series(days),
        known_at=pl.Series([d + timedelta(days=1) for d in days]),
        as_of=pl.lit(AS_OF),
        hindsight=pl.lit(False),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    seen = drawn(args.file, args.incidents, args.seed)
    day = AS_OF - timedelta(days=5)
    more = seen.head(1).with_columns(incident_id=pl.lit(str(uuid.UUID(int=2**100))), event_start=pl.lit(day), event_end=pl.lit(day))
    shared = Shared()
    print(f"{'':24} CPU s  wall s  streams  tested  signals")
    for name, incidents in (
        ("the first agency", seen),
        ("one that sees the same", seen),
        ("one that sees one more", pl.concat([seen, more])),
    ):
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            found = look(incidents, as_of=AS_OF, every=args.every, shared=shared, sensitivity=False)
        except OptionError:
            found = look(incidents, as_of=AS_OF, every=args.every, shared=shared, sensitivity=False, actors=commonest(incidents))
        tested = int(found.streams["p_value"].is_not_null().sum())
        cost = f"{time.process_time() - cpu:6.1f} {time.perf_counter() - wall:7.1f}"
        print(f"{name:24}{cost}  {found.streams.height:7}  {tested:6}  {found.signals.height:7}")


if __name__ == "__main__":
    main()
