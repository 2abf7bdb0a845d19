"""Rows that one source split by kind of violence: a rule proposes the pairs, a signed judgement decides.

The rule: two reports of one agency, on the same days and at the same point, of different kinds of violence, that cite the same article.
"""

from __future__ import annotations

import polars as pl


def propose_parts(reports: pl.DataFrame) -> pl.DataFrame:
    """Pairs that may be parts of one incident: (left, right, agency, event_start, place, article), left < right.

    A proposal changes nothing; give `fuse` a judgement that decides it.
    """
    article = pl.concat_str("agency", pl.col("reported_at").dt.date().cast(pl.String), "text", separator="|", ignore_nulls=True)
    cited = (
        reports.filter(pl.col("derived_from").list.len() > 0)
        .select(article=article, report_id=pl.col("derived_from").list.first())
        .unique()
    )
    point = ["agency", "event_start", "event_end", "lat", "lon", "place"]
    rows = reports.filter(pl.col("derived_from").list.len().fill_null(0) == 0).select("report_id", "violence", *point)
    known = rows.join(cited, on="report_id")
    pairs = known.join(known, on=["article", "agency", "event_start", "event_end", "lat", "lon"], suffix="_right")
    return (
        pairs.filter((pl.col("report_id") < pl.col("report_id_right")) & (pl.col("violence") != pl.col("violence_right")))
        .select(left="report_id", right="report_id_right", agency="agency", event_start="event_start", place="place", article="article")
        .unique(["left", "right"], keep="first", maintain_order=True)
        .sort("event_start", "left", "right")
    )
