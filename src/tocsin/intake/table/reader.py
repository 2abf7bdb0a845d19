"""Reads a described table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from tocsin.intake.files import Batch
from tocsin.intake.reader import Fields, issue_frame
from tocsin.intake.table.spec import Spec, Value
from tocsin.terms.tables import ISSUES, REPORTS, empty
from tocsin.terms.taxonomies import NAMES, taxonomy

_TYPES: dict[str, Any] = {c.name: c.dtype for c in REPORTS} | {"own_id": pl.String(), "version": pl.String()}


class TableReader:
    """Reader of one described table; `agency` may differ from row to row."""

    name = "table"

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.agency = str(spec.agency.constant) if spec.agency.constant is not None else f"column {spec.agency.columns[0]}"
        self.one_report_per_incident = spec.one_report_per_incident
        self._told = False

    def recognises(self, header: Sequence[str]) -> bool:
        """True where the header has every column that the description names."""
        return self.spec.columns <= set(header)

    def columns(self, header: Sequence[str]) -> list[str]:
        """The columns that the description reads."""
        return [h for h in header if h in self.spec.columns]

    def strangers(self, header: Sequence[str]) -> list[str]:
        """The columns that the description neither reads nor passes over by name."""
        return [h for h in header if h not in self.spec.columns and h not in self.spec.ignored]

    def read(self, batch: Batch, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Reports and issues of one batch; a description's constants hold for every row."""
        fields = Fields(batch, file)
        extra: list[pl.DataFrame] = [empty(ISSUES)]
        columns: dict[str, pl.Series] = {"row": batch.rows}
        for value in (self.spec.agency, *self.spec.values):
            if value.target in ("lat", "lon"):
                continue
            series = _read(fields, value, batch.frame.height)
            if value.target in NAMES and not value.own_codes and value.lookup is None and value.constant is None:
                series, odd = _known_codes(value, series, batch, file)
                extra.append(odd)
            columns[value.target] = series
        columns |= self._position(fields)
        frame = pl.DataFrame(columns)
        if "event_start" in frame and "event_end" not in frame:
            frame = frame.with_columns(event_end="event_start")
        if "killed" in frame:
            frame = frame.with_columns(pl.col("killed").alias(c) for c in ("killed_low", "killed_high") if c not in frame.columns)
        if "reported_at" in frame and "known_at" not in frame and "event_end" in frame:
            reported = pl.col("reported_at").dt.date()
            frame = frame.with_columns(known_at=pl.when(reported.is_not_null()).then(pl.max_horizontal(reported, "event_end")))
        return frame, pl.concat([fields.issues(), *extra])

    def _position(self, fields: Fields) -> dict[str, pl.Series]:
        """Both coordinates, checked together."""
        at = {v.target: v.columns[0] for v in self.spec.values if v.target in ("lat", "lon") and len(v.columns) == 1}
        if len(at) < 2:
            return {}
        lat, lon = fields.position(at["lat"], at["lon"])
        return {"lat": lat.alias("lat"), "lon": lon.alias("lon")}


def _read(fields: Fields, value: Value, height: int) -> pl.Series:
    dtype = _TYPES.get(value.target, pl.String())
    if value.constant is not None:
        return pl.Series(value.target, [value.constant], dtype=None).cast(dtype).new_from_index(0, height)
    if len(value.columns) > 1:
        steps = [fields.text(c).alias(str(i)) for i, c in enumerate(value.columns)]
        joined = pl.DataFrame(steps).select(pl.concat_str(pl.all(), separator="/", ignore_nulls=True))
        return joined.to_series().replace("", None).alias(value.target)
    column = value.columns[0]
    if value.lookup is not None:
        return fields.one_of(column, value.lookup, dtype).alias(value.target)
    return _plain(fields, value, column, dtype).alias(value.target)


def _plain(fields: Fields, value: Value, column: str, dtype: Any) -> pl.Series:
    if value.days_since is not None:
        days = pl.DataFrame({"days": fields.whole(column)})
        return days.select(pl.lit(value.days_since) + pl.duration(days="days")).to_series().cast(pl.Date)
    if dtype == pl.Date:
        return fields.date(column, value.formats)
    if isinstance(dtype, pl.Datetime):
        return fields.date(column, value.formats).cast(dtype)
    if dtype == pl.Int32:
        return fields.count(column)
    if dtype == pl.Float64:
        return fields.real(column)
    if dtype == pl.Boolean:
        truth = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        return fields.one_of(column, truth, pl.Boolean)
    if isinstance(dtype, pl.Enum):
        return fields.one_of(column, {c: c for c in dtype.categories}, pl.String)
    if dtype == pl.List(pl.String):
        return fields.text(column).str.split(value.separator)
    return fields.text(column)


def _known_codes(value: Value, series: pl.Series, batch: Batch, file: str) -> tuple[pl.Series, pl.DataFrame]:
    """Codes of the taxonomy; others stay as they are written and are said."""
    odd = series.is_not_null() & ~series.is_in(list(taxonomy(value.target)))
    reason = f"no code of {value.target}: kept as written; map it with a lookup in the description"
    return series, issue_frame(file, batch.rows.filter(odd), value.columns[0], series.filter(odd), reason)
