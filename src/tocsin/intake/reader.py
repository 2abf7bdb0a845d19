"""What a source's reader is, and the checked parsers of cells that readers share.

`Fields` parses one batch column by column; what a cell cannot give is null and an issue, and the row stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import polars as pl

from tocsin.intake.files import Batch
from tocsin.terms.tables import ISSUES, conform, empty

_VALUE = 200  # characters of a bad value that an issue keeps
_FIRST, _LAST = dt.date(1000, 1, 1), dt.date(2199, 12, 31)  # a year of two digits reads as one of the first century
_UNKNOWN_CODE = "a code that the codebook does not have: left empty"
_CLOCK = r"[ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$"


class Reader(Protocol):
    """One source format."""

    name: str
    agency: str
    one_report_per_incident: bool

    def recognises(self, header: Sequence[str]) -> bool:
        """True where a header, whatever its order and case, is this format's."""
        ...

    def columns(self, header: Sequence[str]) -> list[str]:
        """The columns of this header that are read."""
        ...

    def strangers(self, header: Sequence[str]) -> list[str]:
        """The columns that are neither read nor passed over by name."""
        ...

    def read(self, batch: Batch, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Partial reports (REPORTS' columns, `own_id`, `version`, `row`) and issues of one batch."""
        ...


def issue_frame(file: str, rows: Any, field: Any, values: Any, reason: Any) -> pl.DataFrame:
    """Issues as a table; `field` and `reason` are one text for all or a series, an empty field is the whole record."""
    frame = pl.DataFrame({"row": rows}, schema={"row": pl.Int64})
    if frame.is_empty():
        return empty(ISSUES)
    frame = frame.with_columns(
        file=pl.lit(file),
        field=field if isinstance(field, pl.Series) else pl.lit(field or None, dtype=pl.String),
        value=pl.Series(values, dtype=pl.String).str.slice(0, _VALUE),
        reason=reason if isinstance(reason, pl.Series) else pl.lit(reason),
    )
    return conform(frame, ISSUES, table="issues")


_Parse = Callable[[pl.Series], pl.Series]


class Fields:
    """The cells of one batch, parsed and checked; absent columns are all null."""

    def __init__(self, batch: Batch, file: str) -> None:
        self.frame, self.rows, self.file = batch.frame, batch.rows, file
        self._found: list[pl.DataFrame] = []
        self._texts: dict[str, pl.Series] = {}

    def text(self, column: str) -> pl.Series:
        """Cells as they stand, outer white space removed; blank is null."""
        if column not in self._texts:
            self._texts[column] = self._text(column)
        return self._texts[column]

    def _text(self, column: str) -> pl.Series:
        if column not in self.frame.columns:
            return pl.Series(column, [None], dtype=pl.String).new_from_index(0, self.frame.height)
        cells = self.frame[column]
        if (cells.str.starts_with(" ") | cells.str.ends_with(" ") | cells.str.ends_with("\t") | cells.str.starts_with("\t")).any():
            cells = cells.str.strip_chars().replace("", None)
        return cells

    def date(self, column: str, formats: Sequence[str] = ("%Y-%m-%d",)) -> pl.Series:
        """Days; a time of day after the date is dropped, and a year before 1000 or after 2199 is refused."""

        def parsed(cells: pl.Series) -> pl.Series:
            day = pl.coalesce(*(pl.col("c").str.to_date(f, strict=False, exact=True) for f in formats))
            return pl.DataFrame({"c": cells}).select(day).to_series()

        def again(cells: pl.Series) -> pl.Series:
            return parsed(cells.str.replace(_CLOCK, ""))

        out = self._parsed(column, parsed, again, "not a date that exists: left empty")
        return self._refuse(column, out, (out < _FIRST) | (out > _LAST), "no year that an event can have: left empty")

    def moment(self, column: str, formats: Sequence[str] = ("%Y-%m-%d",)) -> pl.Series:
        """Points of time in UTC; without an offset the cell is taken as UTC, without a time of day as midnight."""
        day = self.date(column, formats)
        clock = self.text(column).str.extract(f"({_CLOCK})").str.slice(1).str.replace("Z$", "+00:00")
        clock = clock.str.replace(r"^(\d\d:\d\d)($|[+-])", "${1}:00${2}").str.replace(r"^([\d:.]+)$", "${1}+00:00")
        cell = pl.DataFrame({"day": day, "clock": clock})
        stamp = pl.concat_str(pl.col("day").dt.to_string("%Y-%m-%d "), "clock")
        exact = stamp.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%z", time_unit="us", strict=False, exact=True)
        out = cell.select(exact.dt.convert_time_zone("UTC")).to_series()
        self._say(
            column, self.text(column), out.is_null() & clock.is_not_null() & day.is_not_null(), "no such time of day: midnight was taken"
        )
        return out.fill_null(day.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")).alias(column)

    def days_since(self, column: str, start: dt.date) -> pl.Series:
        """Days, from whole numbers of days after `start`."""
        days = self.whole(column)
        far = days.to_frame("days").select(pl.lit(start) + pl.duration(days=pl.col("days").clip(-400_000, 400_000))).to_series()
        return self._refuse(column, far, (far < _FIRST) | (far > _LAST), "no year that an event can have: left empty").alias(column)

    def count(self, column: str) -> pl.Series:
        """Whole numbers from 0; `2.0` is 2."""
        out = self.whole(column)
        return self._refuse(column, out, out < 0, "a negative number of persons: left empty")

    def whole(self, column: str) -> pl.Series:
        """Whole numbers of either sign; `2.0` is 2."""

        def again(cells: pl.Series) -> pl.Series:
            real = cells.cast(pl.Float64, strict=False)
            return pl.select(pl.when(real == real.round()).then(real)).to_series().cast(pl.Int32, strict=False)

        return self._parsed(column, _whole, again, "not a whole number: left empty")

    def real(self, column: str) -> pl.Series:
        """Finite numbers."""
        out = self._parsed(column, _real, _real, "not a number: left empty")
        return self._refuse(column, out, ~out.is_finite(), "not a finite number: left empty")

    def amount(self, column: str) -> pl.Series:
        """Numbers from 0, fractions kept: a toll that a source shares out among several rows."""
        out = self.real(column)
        return self._refuse(column, out, (out < 0) | (out >= 2**31), "not a number of persons: left empty")

    def position(self, lat_column: str, lon_column: str) -> tuple[pl.Series, pl.Series]:
        """Degrees north and east; a point off the globe loses both, and is said to look swapped where it does."""
        lat, lon = self.real(lat_column), self.real(lon_column)
        off = (lat.abs() > 90) | (lon.abs() > 180)
        half = lat.is_null() != lon.is_null()
        if off.any():
            swapped = (lat.abs() > 90) & (lat.abs() <= 180) & (lon.abs() <= 90)
            says = "position left empty"
            self._say(lat_column, self.text(lat_column), swapped, f"no such latitude, and latitude and longitude look swapped: {says}")
            self._say(lat_column, self.text(lat_column), off & ~swapped & (lat.abs() > 90), f"no such latitude: {says}")
            self._say(lon_column, self.text(lon_column), off & ~swapped & (lon.abs() > 180), f"no such longitude: {says}")
        if half.any():
            self._say(lat_column, self.text(lat_column), half, "half a position: left empty")
        elif not off.any():
            return lat, lon
        bad = pl.Series((off | half).fill_null(True))
        return _where(~bad, lat), _where(~bad, lon)

    def one_of(self, column: str, mapping: Mapping[str, Any], dtype: Any, reason: str = _UNKNOWN_CODE) -> pl.Series:
        """Codes through a mapping; an unknown code is an issue (`reason`), never a guess."""
        cell = self.text(column)
        out = cell.replace_strict(dict(mapping), default=None, return_dtype=dtype)
        if out.null_count() > cell.null_count():
            plain = cell.str.strip_suffix(".0")  # a spreadsheet's number
            out = plain.replace_strict(dict(mapping), default=None, return_dtype=dtype)
            self._say(column, cell, cell.is_not_null() & ~plain.is_in(list(mapping)), reason)
        return out

    def ordered(self, low: str, best: str, high: str) -> tuple[pl.Series, pl.Series, pl.Series]:
        """Three estimates; where they are out of order the least becomes the low and the greatest the high, and it is said."""
        a, b, c = self.count(low), self.count(best), self.count(high)
        odd = ((a > b).fill_null(False)) | ((b > c).fill_null(False)) | ((a > c).fill_null(False))
        if odd.any():
            cells = pl.select(pl.concat_str(a, b, c, separator=" / ", ignore_nulls=True)).to_series()
            self._say(
                f"{low}/{best}/{high}", cells, odd, "low, best and high are out of order: the least was taken as low, the greatest as high"
            )
            least, most = pl.min_horizontal(a, b, c), pl.max_horizontal(a, b, c)
            a = pl.select(pl.when(odd).then(least).otherwise(a)).to_series()
            c = pl.select(pl.when(odd).then(most).otherwise(c)).to_series()
        return a, b, c

    def issues(self) -> pl.DataFrame:
        """What was found so far."""
        return pl.concat(self._found) if self._found else empty(ISSUES)

    def _parsed(self, column: str, first: _Parse, again: _Parse, reason: str) -> pl.Series:
        """Cells parsed as they stand; those that fail are trimmed and tried once more, and what fails then is an issue."""
        if column not in self.frame.columns:
            return first(self.text(column)).alias(column)
        cells = self.frame[column]
        out = first(cells)
        if out.null_count() == cells.null_count():
            return out.alias(column)
        trimmed = self.text(column)
        out = out.fill_null(again(trimmed))
        self._say(column, trimmed, out.is_null() & trimmed.is_not_null(), reason)
        return out.alias(column)

    def _refuse(self, column: str, out: pl.Series, bad: pl.Series, reason: str) -> pl.Series:
        if not bad.any():
            return out
        self._say(column, self.text(column), bad, reason)
        return _where(~bad.fill_null(False), out)

    def _say(self, column: str, cell: pl.Series, bad: pl.Series, reason: str) -> None:
        bad = bad.fill_null(False)
        if bad.any():
            self._found.append(issue_frame(self.file, self.rows.filter(bad), column, cell.filter(bad), reason))


def _where(keep: pl.Series, values: pl.Series) -> pl.Series:
    return pl.select(pl.when(keep).then(values)).to_series()


def _whole(cells: pl.Series) -> pl.Series:
    return cells.cast(pl.Int32, strict=False)


def _real(cells: pl.Series) -> pl.Series:
    return cells.cast(pl.Float64, strict=False)
