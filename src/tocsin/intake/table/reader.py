"""Reads a described table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from tocsin.intake.countries import iso3
from tocsin.intake.files import Batch
from tocsin.intake.reader import Fields, issue_frame
from tocsin.intake.table.spec import TYPES, Spec, Value
from tocsin.terms.tables import ISSUES, MARKING, empty
from tocsin.terms.taxonomies import NAMES, taxonomy

_UNMAPPED = "not in the description's lookup: left empty"
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_TLP = {f"{prefix}{m}": m for m in MARKING for prefix in ("", "TLP:")} | {"WHITE": "CLEAR", "TLP:WHITE": "CLEAR"}
_STRICTEST = MARKING[-1]
_TOLLS = ("killed_low", "killed", "killed_high")


class TableReader:
    """Reader of one described table; `agency` may differ from row to row."""

    name = "table"

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.agency = str(spec.agency.constant) if spec.agency.constant is not None else f"column {spec.agency.columns[0]}"
        self.one_report_per_incident = spec.one_report_per_incident

    def recognises(self, header: Sequence[str]) -> bool:
        """True where the header has every column that the description names."""
        return self.spec.columns <= set(header)

    def missing(self, header: Sequence[str]) -> list[str]:
        """The columns that the description names and the header lacks."""
        return sorted(self.spec.columns - set(header))

    def columns(self, header: Sequence[str]) -> list[str]:
        """The columns that the description reads."""
        return [h for h in header if h in self.spec.columns]

    def strangers(self, header: Sequence[str]) -> list[str]:
        """The columns that the description neither reads nor passes over by name."""
        return [h for h in header if h not in self.spec.columns and h not in self.spec.ignored]

    def read(self, batch: Batch, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Reports and issues of one batch; a description's constants hold for every row."""
        fields = Fields(batch, file)
        columns: dict[str, pl.Series] = {"row": batch.rows}
        found: list[pl.DataFrame] = [empty(ISSUES)]
        for value in (self.spec.agency, *self.spec.values):
            if value.target not in ("lat", "lon"):
                series, odd = _checked(value, _read(fields, value, batch.frame.height), fields)
                columns[value.target] = series.alias(value.target)
                found.append(odd)
        frame, odd = _ordered(pl.DataFrame(columns | self._position(fields)), self.spec, file)
        if "killed" in frame.columns:
            frame = frame.with_columns(pl.col("killed").alias(c) for c in _TOLLS if c not in frame.columns)
        if "event_start" in frame.columns and "event_end" not in frame.columns:
            frame = frame.with_columns(event_end="event_start")
        if "reported_at" in frame.columns and "known_at" not in frame.columns and "event_end" in frame.columns:
            reported = pl.col("reported_at").dt.date()
            frame = frame.with_columns(known_at=pl.when(reported.is_not_null()).then(pl.max_horizontal(reported, "event_end")))
        return frame, pl.concat([fields.issues(), *found, odd])

    def _position(self, fields: Fields) -> dict[str, pl.Series]:
        """Both coordinates, checked together."""
        at = {v.target: v.columns[0] for v in self.spec.values if v.target in ("lat", "lon") and len(v.columns) == 1}
        if len(at) < 2:
            return {}
        lat, lon = fields.position(at["lat"], at["lon"])
        return {"lat": lat.alias("lat"), "lon": lon.alias("lon")}


def _read(fields: Fields, value: Value, height: int) -> pl.Series:
    """One value of every row, as the description says where it comes from."""
    dtype = TYPES.get(value.target, pl.String())
    if value.constant is not None:
        return pl.Series(value.target, [value.constant], dtype=dtype).new_from_index(0, height)
    if len(value.columns) > 1:
        steps = [fields.text(c).alias(str(i)) for i, c in enumerate(value.columns)]
        return pl.DataFrame(steps).select(pl.concat_str(pl.all(), separator="/", ignore_nulls=True)).to_series().replace("", None)
    column = value.columns[0]
    if value.lookup is None:
        return _plain(fields, value, column, dtype)
    if value.target in (*NAMES, "marking"):
        cells = fields.text(column)
        missed = None if value.target == "marking" else cells
        return cells.replace_strict(dict(value.lookup), default=missed, return_dtype=pl.String)
    return fields.one_of(column, value.lookup, dtype, _UNMAPPED)


def _plain(fields: Fields, value: Value, column: str, dtype: Any) -> pl.Series:
    if value.target == "marking":
        return fields.text(column).str.to_uppercase().replace_strict(_TLP, default=None, return_dtype=pl.String)
    if value.days_since is not None:
        return fields.days_since(column, value.days_since)
    if dtype == pl.Date:
        return fields.date(column, value.formats)
    if isinstance(dtype, pl.Datetime):
        return fields.moment(column, value.formats)
    if dtype == pl.Int32:
        return fields.count(column)
    if dtype == pl.Float64:
        return fields.real(column)
    if dtype == pl.Boolean:
        return fields.text(column).str.to_lowercase().replace_strict(_TRUTH, default=None, return_dtype=pl.Boolean)
    if isinstance(dtype, pl.Enum):
        return fields.one_of(column, {c: c for c in dtype.categories}, pl.String, f"none of {', '.join(dtype.categories)}: left empty")
    if dtype == pl.List(pl.String):
        return fields.text(column).str.split(value.separator).list.eval(pl.element().str.strip_chars())
    return fields.text(column)


def _checked(value: Value, series: pl.Series, fields: Fields) -> tuple[pl.Series, pl.DataFrame]:
    """What a column may hold, and the cells that it may not."""
    if value.constant is not None:
        return series, empty(ISSUES)
    cells = fields.text(value.columns[0]) if len(value.columns) == 1 else series
    out, bad, reason = _judged(value, series, cells)
    return out, issue_frame(fields.file, fields.rows.filter(bad), "/".join(value.columns), cells.filter(bad), reason)


def _judged(value: Value, series: pl.Series, cells: pl.Series) -> tuple[pl.Series, pl.Series, str]:
    """(values, where a cell is refused, why)."""
    target, none = value.target, pl.Series([False]).new_from_index(0, len(series))
    if target in NAMES and not value.own_codes:
        odd = series.is_not_null() & ~series.is_in(list(taxonomy(target)))
        return series, odd, f"no code of {target}: kept as written; map it with a lookup in the description"
    if target == "agency":
        return series.fill_null("unnamed agency"), series.is_null(), "no agency is named: called `unnamed agency`"
    if target == "marking":
        return (
            series.cast(pl.String).fill_null(_STRICTEST),
            series.is_null(),
            f"no marking of TLP 2.0: taken as {_STRICTEST}, the strictest",
        )
    if target == "orcon" and value.lookup is None:
        odd = series.is_null() & cells.is_not_null()
        return series.fill_null(True), odd, "neither true nor false: taken as true"
    if target == "country" and value.lookup is None:
        codes, odd = iso3(series, series)  # a number of ISO 3166-1, a code or a name
        return codes, odd, "a country without a code: left empty"
    if target == "credibility":
        return _kept(series, odd := ~series.is_between(1, 6).fill_null(True)), odd, "not 1 to 6: left empty"
    if target == "reliability":
        return _kept(series, odd := ~series.is_in(list("ABCDEF")).fill_null(True)), odd, "not A to F: left empty"
    if target == "radius_km":
        return _kept(series, odd := (series < 0).fill_null(False)), odd, "a negative radius: left empty"
    if series.dtype == pl.Boolean:
        return series, series.is_null() & cells.is_not_null(), "neither true nor false: left empty"
    return series, none, ""


def _kept(series: pl.Series, bad: pl.Series) -> pl.Series:
    return pl.select(pl.when(~bad).then(series)).to_series()


def _ordered(frame: pl.DataFrame, spec: Spec, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Days that end before they begin, and tolls out of order: mended, and said."""
    columns = {v.target: "/".join(v.columns) for v in spec.values}
    found = [empty(ISSUES)]
    if {"event_start", "event_end"} <= set(frame.columns):
        back = frame.filter(pl.col("event_end") < pl.col("event_start"))
        reason = "ends before it begins: the earlier day was taken as the first, the later as the last"
        found.append(issue_frame(file, back["row"], columns["event_end"], back["event_end"].cast(pl.String), reason))
        ends = (pl.col("event_start"), pl.col("event_end"))
        whole = pl.all_horizontal(e.is_not_null() for e in ends)
        frame = frame.with_columns(
            event_start=pl.when(whole).then(pl.min_horizontal(*ends)).otherwise(pl.coalesce(*ends)),
            event_end=pl.when(whole).then(pl.max_horizontal(*ends)).otherwise(pl.coalesce(*ends[::-1])),
        )
    tolls = [t for t in _TOLLS if t in frame.columns]
    if len(tolls) > 1:
        pairs = [(a, b) for i, a in enumerate(tolls) for b in tolls[i + 1 :]]
        over = frame.filter(pl.any_horizontal((pl.col(a) > pl.col(b)).fill_null(False) for a, b in pairs))
        cells = over.select(pl.concat_str(tolls, separator=" / ", ignore_nulls=True)).to_series()
        reason = "low, best and high are out of order: the least was taken as low, the greatest as high"
        found.append(issue_frame(file, over["row"], "/".join(columns[t] for t in tolls), cells, reason))
        outer = {"killed_low": pl.min_horizontal(*tolls), "killed_high": pl.max_horizontal(*tolls)}
        frame = frame.with_columns(pl.when(pl.col(t).is_not_null()).then(outer[t]).alias(t) for t in tolls if t in outer)
    return frame, pl.concat(found)
