"""The naive rule, kept as the baseline: days apart, kilometres apart or the same place, the same broad type."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from tocsin.errors import OptionError
from tocsin.kernels.pairs import near_pairs
from tocsin.terms.tables import LINKS, empty


@dataclass(frozen=True)
class Window:
    """The limits of the naive rule."""

    days: int = 1  # most days between the two intervals
    km: float = 25.0  # most kilometres between the two points
    longest: int = 7  # reports that know the day less well than this many days stand alone

    def __post_init__(self) -> None:
        if self.days < 0 or self.km < 0 or self.longest < 1:
            raise OptionError(
                f"a window of {self.days} days, {self.km} km, intervals up to {self.longest} days makes no sense; none may be negative"
            )


def window_links(reports: pl.DataFrame, window: Window, declared: frozenset[str]) -> pl.DataFrame:
    """Links between reports that the rule takes for one incident, by LINKS, nearest first: (days, km, left, right).

    The broad type is the attack type's first step where both have one; the kind of violence must be the same in any case.
    """
    span = (pl.col("event_end") - pl.col("event_start")).dt.total_days()
    usable = reports.filter(pl.col("event_start").is_not_null() & (span < window.longest)).sort("event_start", "report_id")
    if usable.height < 2:
        return empty(LINKS)
    frame = usable.select(
        "report_id",
        "agency",
        start=pl.col("event_start").cast(pl.Int32),
        end=pl.col("event_end").cast(pl.Int32),
        lat=pl.col("lat").fill_null(np.nan),
        lon=pl.col("lon").fill_null(np.nan),
        place=pl.concat_str("country", "admin1", "place", separator="|").rank("dense").cast(pl.Int64).fill_null(-1),
        kind=pl.col("violence").to_physical().cast(pl.Int64),
        broad=pl.col("attack_type").str.split("/").list.first(),
    )
    left, right = near_pairs(
        (frame["start"].to_numpy(), frame["end"].to_numpy()),
        (frame["lat"].to_numpy(), frame["lon"].to_numpy()),
        frame["place"].to_numpy(),
        frame["kind"].to_numpy(),
        days=window.days,
        km=window.km,
    )
    a, b = frame[left], frame[right]
    pairs = pl.concat([a, b.rename(lambda c: f"{c}_r")], how="horizontal")
    same_type = (pl.col("broad") == pl.col("broad_r")).fill_null(True)
    barred = (pl.col("agency") == pl.col("agency_r")) & pl.col("agency").is_in(list(declared))
    return (
        pairs.filter(same_type & ~barred)
        .select(
            left=pl.min_horizontal("report_id", "report_id_r"),
            right=pl.max_horizontal("report_id", "report_id_r"),
            days=pl.max_horizontal(pl.col("start_r") - pl.col("end"), pl.lit(0, dtype=pl.Int32)),
            km=_km(),
        )
        .sort("days", "km", "left", "right", nulls_last=True)
    )


def _km() -> pl.Expr:
    """Great-circle distance on the mean sphere, to a metre, so that no order depends on the last bit."""
    lat, lon = (pl.col("lat").radians(), pl.col("lat_r").radians()), (pl.col("lon").radians(), pl.col("lon_r").radians())
    a = ((lat[1] - lat[0]) / 2).sin().pow(2) + lat[0].cos() * lat[1].cos() * ((lon[1] - lon[0]) / 2).sin().pow(2)
    return (2 * 6371.0088 * a.sqrt().clip(0, 1).arcsin()).fill_nan(None).round(3)
