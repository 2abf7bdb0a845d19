"""The text coder's speed: headlines a second, spans included. Run: python bench/coder.py [--rows N] [--threads N].

The headlines are those of 2016-21 in the bundled UCDP GED file, repeated in a shuffled order up to N rows; the coder keeps nothing by text, so a
repeated headline costs what a new one does. Best of five runs, after one that compiles.
"""

from __future__ import annotations

import argparse
import gzip
import random
from importlib.resources import files
from time import perf_counter

import polars as pl

from tocsin.intake.coder import Coder
from tocsin.intake.places import gazetteer_names
from tocsin.intake.ucdp_ged.articles import articles


def headlines() -> list[str]:
    raw = gzip.decompress(files("tocsin.data").joinpath("ged221_pakistan.csv.gz").read_bytes())
    ged = pl.read_csv(raw, infer_schema_length=0).filter(pl.col("date_start") >= "2016-01-01").with_row_index("row")
    found, _ = articles(ged["source_article"], ged.select(pl.col("row").cast(pl.Int64)))
    return found["headline"].to_list()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    real = headlines()
    many = (real * (options.rows // len(real) + 1))[: options.rows]
    random.Random(7).shuffle(many)
    texts = pl.Series(many)
    coder = Coder(places=gazetteer_names())
    coder.code(texts[:20_000], threads=options.threads)
    best = float("inf")
    for _ in range(5):
        begin = perf_counter()
        coded = coder.code(texts, threads=options.threads)
        best = min(best, perf_counter() - begin)
    spans = int(coded["coded_spans"].list.len().sum())
    print(f"headlines: {len(real)} real ones of 2016-21, repeated to {options.rows:,}, {texts.str.len_chars().mean():.0f} characters each")
    print(f"text coder: {options.rows / best:,.0f} headlines a second on {options.threads} cores, {spans:,} spans included")


if __name__ == "__main__":
    main()
