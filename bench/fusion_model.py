"""Makes the bundled fusion model again: trains it without the truth, then calibrates its odds with it.

usage: python bench/fusion_model.py FILE... [--out model.json] [--only-calibrate MODEL]

The bundled one came from bench/make_reports.py with --seed 1, 2 and 5 (--density 500), 3 (1300) and 4 (4000), 100,000 reports each.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl
from fusion import SPEC

import tocsin
from tocsin.fusion import load_model
from tocsin.fusion.calibrate import calibrate
from tocsin.fusion.model import Model
from tocsin.fusion.train import train


def reviewed(reports: pl.DataFrame, file: Path, model: Model) -> pl.DataFrame:
    """left, right, same: the pairs that the model links or joins, judged by the truth."""
    own = reports.select("report_id", unique_id=pl.col("origin").str.extract(r"(\d+)$").cast(pl.Int64))
    truth = own.join(pl.read_parquet(file, columns=["unique_id", "true_incident"]), on="unique_id").select("report_id", "true_incident")
    found = tocsin.fuse(reports, model=model, judgements=(), one_report_per_incident=())
    inside = found.clusters.join(found.clusters, on="incident_id").filter(pl.col("report_id") < pl.col("report_id_right"))
    pairs = pl.concat([found.links.select("left", "right"), inside.select(left="report_id", right="report_id_right")]).unique()
    both = pairs.join(truth, left_on="left", right_on="report_id").join(truth, left_on="right", right_on="report_id", suffix="_r")
    return both.select("left", "right", same=pl.col("true_incident") == pl.col("true_incident_r"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=Path("model.json"))
    parser.add_argument("--only-calibrate", type=Path, metavar="MODEL")
    options = parser.parse_args()
    sets = [(tocsin.read(file, spec=SPEC).reports, file) for file in options.files]
    model = (
        load_model(options.only_calibrate)
        if options.only_calibrate
        else train([r for r, _ in sets], name="benchmark reports, seeds 1 to 5")
    )
    judged = [(reports, reviewed(reports, file, model)) for reports, file in sets]
    made = calibrate(model, judged, name="synthetic reports (benchmark seeds 1 to 5)", fuse=tocsin.fuse)
    options.out.write_text(made.to_json(), encoding="utf-8")
    for what, curve in (("links", made.links), ("incidents", made.incidents)):
        print(what, *(f"{o / 1024:.1f}: {c:.3f}" for o, c in zip(curve.odds, curve.chance, strict=True)))


if __name__ == "__main__":
    main()
