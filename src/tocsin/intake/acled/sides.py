"""The two sides of an ACLED event: what kind each is, and what the words beside the side that was hit say about it."""

from __future__ import annotations

from typing import Any

import polars as pl

from tocsin.intake.reader import Fields


def sides(fields: Fields, crosswalk: dict[str, Any]) -> pl.DataFrame:
    """side_a, side_b, kind_a, kind_b (words of the crosswalk), target_type and target_group.

    The side hit is the second; where ACLED names none (a bomb that hit nobody's side), nothing is said of a target.
    """
    kinds = {s: fields.one_of(f"inter{n}", crosswalk["inter"], pl.String) for s, n in (("a", 1), ("b", 2))}
    frame = pl.DataFrame(
        {
            "side_a": fields.text("actor1"),
            "side_b": fields.text("actor2"),
            "kind_a": kinds["a"],
            "kind_b": kinds["b"].replace("none", None),
            "_hit": pl.select(
                pl.concat_str(fields.text("actor2"), fields.text("assoc_actor_2"), separator="; ", ignore_nulls=True)
            ).to_series(),
        }
    )
    civilian = pl.col("kind_b").is_in(["civilians", "protesters"])
    broad = pl.col("kind_b").replace_strict(crosswalk["target_type"], default=None, return_dtype=pl.String)
    narrow = pl.coalesce(
        *(pl.when(pl.col("_hit").str.contains(word, literal=True)).then(pl.lit(code)) for word, code in crosswalk["narrower_target"])
    )
    group = pl.coalesce(
        *(pl.when(pl.col("_hit").str.contains(word, literal=True)).then(pl.lit(code)) for word, code in crosswalk["target_group"])
    )
    allowed = pl.when(narrow.str.starts_with("security") == (pl.col("kind_b") == "state")).then(narrow)
    return frame.with_columns(
        target_type=pl.coalesce(allowed, broad),
        target_group=pl.when(civilian).then(group),
    ).drop("_hit")
