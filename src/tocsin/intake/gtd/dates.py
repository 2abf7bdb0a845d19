"""GTD's dates: three numbers, of which day and month may be unknown, and the day on which an extended incident ended."""

from __future__ import annotations

import polars as pl


def intervals(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Day 0 is the whole month, month 0 the whole year; `resolution` ends an extended event. And (row, field, value, reason) of what cannot be."""
    year = pl.when(pl.col("year").is_between(1900, 2200)).then("year")
    month, day = pl.col("month"), pl.col("of_month")
    known_month, known_day = month.is_between(1, 12).fill_null(False), (day >= 1).fill_null(False)
    text = pl.concat_str(year.cast(pl.String), month.cast(pl.String).str.zfill(2), day.cast(pl.String).str.zfill(2), separator="-")
    exact = pl.when(known_month & known_day).then(text.str.to_date("%Y-%m-%d", strict=False))
    first = pl.coalesce(exact, pl.date(year, pl.when(known_month).then(month).otherwise(1), 1))
    last = pl.coalesce(
        exact, pl.when(known_month).then(pl.date(year, month.clip(1, 12), 1).dt.month_end()).otherwise(pl.date(year, 12, 31))
    )
    wrong = [
        ("iyear", "year", year.is_null() & pl.col("year").is_not_null(), "no such year: left without a date"),
        ("imonth", "month", ~month.is_between(0, 12), "no such month: the whole year was taken"),
        (
            "iday",
            "of_month",
            (day < 0) | (known_month & known_day & exact.is_null() & year.is_not_null()),
            "no such day in that month: the whole month was taken",
        ),
        ("resolution", "last", pl.col("last") < first, "ends before it begins: passed over"),
    ]
    odd = pl.concat(
        frame.filter(bad.fill_null(False)).select("row", field=pl.lit(field), value=pl.col(column).cast(pl.String), reason=pl.lit(reason))
        for field, column, bad, reason in wrong
    )
    extended = pl.col("last") >= first
    return frame.with_columns(event_start=first, event_end=pl.when(extended).then(pl.max_horizontal(last, "last")).otherwise(last)), odd
