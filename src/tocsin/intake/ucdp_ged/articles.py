"""The press articles that a GED row cites: `"office,YYYY-MM-DD,headline";"office,YYYY-MM-DD,headline"`."""

from __future__ import annotations

import polars as pl

#: The office may hold commas and the headline quotes and semicolons: the date between them tells them apart.
_ARTICLE = r'^"?(?P<office>[^"]*?),(?P<date>\d{4}-\d\d-\d\d),(?P<headline>(?s:.*?))"?$'

_ODD = {"row": pl.Int64, "field": pl.String, "value": pl.String, "reason": pl.String}


def articles(cells: pl.Series, event: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The dated articles of each row, and what about them is odd.

    Returns (row Int64, office, date Date, headline; in the order of the cell) and (row, field, value, reason). A cell without a date, as all before
    2013 are (`R 7/2 1990`), names no article.
    """
    parts = (
        pl.DataFrame({"row": event["row"], "cell": cells})
        .filter(pl.col("cell").str.contains(r",\d{4}-\d\d-\d\d,"))
        .select("row", part=pl.col("cell").str.split('";"'))
        .explode("part", empty_as_null=False)
    )
    read = parts.with_columns(pl.col("part").str.extract_groups(_ARTICLE).alias("_a")).unnest("_a")
    read = read.with_columns(
        pl.col("date").str.to_date("%Y-%m-%d", strict=False), pl.col("office").str.strip_chars(), pl.col("headline").str.strip_chars()
    )
    good = read.filter(pl.col("date").is_not_null() & (pl.col("office") != ""))
    bad = read.filter(pl.col("date").is_null() | (pl.col("office") == "")).select(
        "row",
        field=pl.lit("source_article"),
        value=pl.col("part").str.slice(0, 200),
        reason=pl.lit("not of the form office,date,headline: no press report made of it"),
    )
    keys = ["row", "office", "date", "headline"]
    again = ~good.select(pl.struct(keys).is_first_distinct()).to_series() if good.height else pl.Series([], dtype=pl.Boolean)
    twice = good.filter(again).select(
        "row",
        field=pl.lit("source_article"),
        value=pl.col("part").str.slice(0, 200),
        reason=pl.lit("this article stands twice in the row: one press report made of the two"),
    )
    return good.filter(~again).select(keys), pl.concat([bad.cast(_ODD), twice.cast(_ODD)])  # type: ignore[arg-type]


def earliest_source(found: pl.DataFrame) -> pl.DataFrame:
    """The first date of each row's articles, and their headlines as one text (a line each)."""
    return found.group_by("row", maintain_order=True).agg(
        first_source=pl.col("date").min(), text=pl.col("headline").str.join("\n"), lang=pl.lit("en").first()
    )
