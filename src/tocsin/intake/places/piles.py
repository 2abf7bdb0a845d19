"""Pile-ups: many events at one point betray that the point stands for an area, whatever precision the source states."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

#: So many different days of events at one point are a pile-up.
DAYS = 10
#: What it is then worth, 1 sigma: as much as the point of a city of a million or two (the median of Pakistan's ten: docs/methods/places.md).
PILE_KM = 5.0

_WHERE = ["lat", "lon"]
_ROOM = 1 << 20  # rows that may wait before they are put together


@dataclass
class PileUps:
    """Collects, batch by batch, which points hold events of how many days, and when that could be known.

    A row's radius depends on rows known no later than itself: what a file says later does not reach back.
    """

    _days: list[pl.DataFrame] = field(default_factory=list)
    _rows: int = 0
    _settled: int = 0  # rows that were left when the days were last put together

    def add(self, frame: pl.DataFrame) -> None:
        """Takes note of a batch: lat, lon, event_start, radius_km, and known_at (absent: event_start); null points and days are passed over."""
        known = "known_at" if "known_at" in frame.columns else "event_start"
        sharp = (
            frame.select(*_WHERE, pl.col("event_start").alias("day"), pl.col(known).alias("known"), "radius_km")
            .filter(
                pl.col("radius_km").is_null() | (pl.col("radius_km") < PILE_KM),
                pl.all_horizontal(pl.col("lat", "lon", "day").is_not_null()),
            )
            .drop("radius_km")
        )
        self._days.append(sharp)
        self._rows += sharp.height
        if self._rows > 2 * self._settled + _ROOM:
            self._days = [self._each_day(pl.concat(self._days))]
            self._rows = self._settled = self._days[0].height

    @staticmethod
    def _each_day(days: pl.DataFrame) -> pl.DataFrame:
        return days.group_by(*_WHERE, "day").agg(pl.col("known").min())

    def betrayed(self) -> pl.DataFrame:
        """Points of pile-ups: lat, lon, since (the day on which the tenth day of events there was known)."""
        if not self._days:
            return pl.DataFrame(schema={"lat": pl.Float64, "lon": pl.Float64, "since": pl.Date})
        days = pl.concat(self._days)
        often = days.group_by(_WHERE).len().filter(pl.col("len") >= DAYS)  # most points are met once
        tenth = pl.col("known").drop_nulls().sort().get(DAYS - 1, null_on_oob=True)
        each = self._each_day(days.join(often, on=_WHERE, how="semi"))
        return each.group_by(_WHERE).agg(since=tenth).drop_nulls("since").sort(_WHERE)

    def radius(self, frame: pl.DataFrame) -> pl.DataFrame:
        """`frame` (lat, lon, radius_km, and known_at or event_start) with radius_km at least 5 km at a pile-up known by then; the rest unchanged."""
        points = self.betrayed()
        if not points.height or not frame.height:
            return frame
        known = pl.col("known_at" if "known_at" in frame.columns else "event_start")
        since = frame.select("lat", "lon").join(points, on=_WHERE, how="left", maintain_order="left")["since"]
        piled = (known >= since).fill_null(False)
        return frame.with_columns(radius_km=pl.when(piled).then(pl.max_horizontal("radius_km", pl.lit(PILE_KM))).otherwise("radius_km"))
