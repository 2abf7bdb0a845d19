"""Precision and recall of the text coder on rows labelled by hand, with exact (Clopper-Pearson) 95 % intervals.

usage: python bench/coder_accuracy.py [--labels tests/intake/data/coder_blind_labels.csv] [--errors]

The rule by which a person labelled is tests/intake/data/labelling-rule.md. coder_blind_labels.csv are the 113 one-sided rows of UCDP GED for Pakistan of
2013-01 to 2015-05-14, labelled blind to the date and before the coder was run on them; the coder was developed on the headlines of 2016-21
(coder_dev_labels.csv). A value counts as right where it equals the label; `root` compares the first step of a code only. Groups with fewer
than 30 cases get counts and no shares.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl
from scipy.stats import beta

from tocsin.intake.coder import code
from tocsin.intake.places import gazetteer_names

HERE = Path(__file__).parent.parent / "tests" / "intake" / "data"
COLUMNS = ("target_group", "target_type", "attack_type", "killed_low", "killed", "killed_high", "wounded")
FEWEST = 30


def interval(hits: int, of: int) -> tuple[float, float]:
    """Clopper-Pearson, 95 %."""
    low = beta.ppf(0.025, hits, of - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, of - hits) if hits < of else 1.0
    return float(low), float(high)


def share(hits: int, of: int) -> str:
    if of < FEWEST:
        return f"{hits} of {of}"
    low, high = interval(hits, of)
    return f"{hits / of:.3f} [{low:.3f}, {high:.3f}] ({hits} of {of})"


def judged(labels: pl.DataFrame, coded: pl.DataFrame, column: str, *, root: bool = False) -> pl.DataFrame:
    """(id, text, label, coded) of one column."""
    pair = pl.DataFrame(
        {"id": labels["id"], "text": labels["text"], "label": labels[column].cast(pl.String), "coded": coded[column].cast(pl.String)}
    )
    return pair.with_columns(pl.col("label", "coded").str.split("/").list.first()) if root else pair


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=Path, default=HERE / "coder_blind_labels.csv")
    parser.add_argument("--errors", action="store_true", help="print what was coded wrongly (never for development on blind labels)")
    options = parser.parse_args()
    labels = pl.read_csv(options.labels, infer_schema=False)
    coded = code(labels["text"], places=gazetteer_names())
    print(f"{options.labels.name}: {labels.height} rows")
    print(f"{'column':22}{'precision':38}recall")
    for column in COLUMNS:
        if column not in labels.columns:
            continue
        for root in (False, True) if column.startswith(("target", "attack")) else (False,):
            pair = judged(labels, coded, column, root=root)
            right = pair.filter(pl.col("label") == pl.col("coded")).height
            name = f"{column}, root" if root else column
            print(f"{name:22}{share(right, pair['coded'].count()):38}{share(right, pair['label'].count())}")
            if options.errors and not root:
                for row in pair.filter(pl.col("label").ne_missing(pl.col("coded"))).iter_rows():
                    print("   ", row)
    pooled = pl.concat([judged(labels, coded, column) for column in COLUMNS if column in labels.columns])
    right = pooled.filter(pl.col("label") == pl.col("coded")).height
    print(f"{'all values together':22}{share(right, pooled['coded'].count()):38}{share(right, pooled['label'].count())}")
    groups = judged(labels, coded, "target_group")
    print("by community: labelled, coded, both")
    for group in sorted(set(groups["label"].drop_nulls()) | set(groups["coded"].drop_nulls())):
        same = groups.filter((pl.col("label") == group) & (pl.col("coded") == group)).height
        print(f"  {group:18}{(groups['label'] == group).sum():4}{(groups['coded'] == group).sum():4}{same:4}")


if __name__ == "__main__":
    main()
