"""What a source's reader is, and the checked parsers of cells that readers share.

`Fields` parses one batch column by column; what a cell cannot give is null and an issue, and the row stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import polars as pl

from tocsin.intake.files import Batch
from tocsin.terms.tables import ISSUES, conform, empty

_VALUE = 200  # characters of a bad value that an issue keeps


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


class Fields:
    """The cells of one batch, parsed and checked; absent columns are all null."""

    def __init__(self, batch: Batch, file: str) -> None:
        self.frame, self.rows, self.file = batch.frame, batch.rows, file
        self._found: list[pl.DataFrame] = []

    def text(self, column: str) -> pl.Series:
        """Cells as they stand, outer white space removed; blank is null."""
        if column not in self.frame.columns:
            return pl.Series(column, [None], dtype=pl.String).new_from_index(0, self.frame.height)
        cells = self.frame[column]
        if (cells.str.starts_with(" ") | cells.str.ends_with(" ") | cells.str.ends_with("\t") | cells.str.starts_with("\t")).any():
            cells = cells.str.strip_chars().replace("", None)
        return cells

    def date(self, column: str, formats: Sequence[str] = ("%Y-%m-%d",)) -> pl.Series:
        """Days; a time of day after the date is dropped."""
        cell = self.text(column)
        day = pl.coalesce(*(pl.col("c").str.to_date(f, strict=False, exact=True) for f in formats))
        frame = pl.DataFrame({"c": cell})
        out = frame.select(day).to_series()
        late = out.is_null() & cell.is_not_null()
        if late.any():
            cut = pl.DataFrame({"c": cell.str.replace(r"[ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$", "")})
            out = out.fill_null(cut.select(day).to_series())
        return self._checked(column, cell, out, "not a date that exists: left empty").alias(column)

    def count(self, column: str) -> pl.Series:
        """Whole numbers from 0."""
        cell = self.text(column)
        out = cell.cast(pl.Int32, strict=False)
        if (out.is_null() & cell.is_not_null()).any():
            real = cell.cast(pl.Float64, strict=False)
            out = out.fill_null(pl.select(pl.when(real == real.round()).then(real)).to_series().cast(pl.Int32, strict=False))
        out = self._checked(column, cell, out, "not a whole number: left empty")
        return self._refuse(column, cell, out, out < 0, "a negative number of persons: left empty")

    def whole(self, column: str) -> pl.Series:
        """Whole numbers of either sign."""
        cell = self.text(column)
        return self._checked(column, cell, cell.cast(pl.Int32, strict=False), "not a whole number: left empty")

    def real(self, column: str) -> pl.Series:
        """Finite numbers."""
        cell = self.text(column)
        out = cell.cast(pl.Float64, strict=False)
        out = self._checked(column, cell, out, "not a number: left empty")
        return self._refuse(column, cell, out, ~out.is_finite(), "not a finite number: left empty")

    def position(self, lat_column: str, lon_column: str) -> tuple[pl.Series, pl.Series]:
        """Degrees north and east; a point off the globe loses both, and is said to look swapped where it does."""
        lat, lon = self.real(lat_column), self.real(lon_column)
        swapped = (lat.abs() > 90) & (lat.abs() <= 180) & (lon.abs() <= 90)
        off = (lat.abs() > 90) | (lon.abs() > 180)
        self._say(
            lat_column, self.text(lat_column), swapped, "no such latitude, and latitude and longitude look swapped: position left empty"
        )
        self._say(lat_column, self.text(lat_column), off & ~swapped & (lat.abs() > 90), "no such latitude: position left empty")
        self._say(lon_column, self.text(lon_column), off & ~swapped & (lon.abs() > 180), "no such longitude: position left empty")
        half = lat.is_null() != lon.is_null()
        self._say(lat_column, self.text(lat_column), half, "half a position: left empty")
        bad = pl.Series((off | half).fill_null(True))
        return _where(~bad, lat), _where(~bad, lon)

    def one_of(self, column: str, mapping: Mapping[str, Any], dtype: Any) -> pl.Series:
        """Codes through a mapping; an unknown code is an issue, never a guess."""
        cell = self.text(column)
        out = cell.replace_strict(dict(mapping), default=None, return_dtype=dtype)
        known = cell.is_in(list(mapping))
        self._say(column, cell, cell.is_not_null() & ~known, "a code that the codebook does not have: left empty")
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

    def _checked(self, column: str, cell: pl.Series, out: pl.Series, reason: str) -> pl.Series:
        self._say(column, cell, out.is_null() & cell.is_not_null(), reason)
        return out

    def _refuse(self, column: str, cell: pl.Series, out: pl.Series, bad: pl.Series, reason: str) -> pl.Series:
        bad = bad.fill_null(False)
        self._say(column, cell, bad, reason)
        return _where(~bad, out) if bad.any() else out

    def _say(self, column: str, cell: pl.Series, bad: pl.Series, reason: str) -> None:
        bad = bad.fill_null(False)
        if bad.any():
            self._found.append(issue_frame(self.file, self.rows.filter(bad), column, cell.filter(bad), reason))


def _where(keep: pl.Series, values: pl.Series) -> pl.Series:
    return pl.select(pl.when(keep).then(values)).to_series()
