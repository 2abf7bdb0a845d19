"""The description of a table: YAML, checked word by word.

agency: {column: source}          # or a text that holds for all rows
one_report_per_incident: false
values:
  own_id: event_id                # short for {column: event_id}
  event_start: {column: day, formats: ["%d/%m/%Y"]}
  event_end: {column: day_last, days_since: 2016-01-01}
  radius_km: {column: precision, lookup: {"1": 0.6, "2": 2.5}}
  attack_type: {path: [broad, middle, narrow], taxonomy: own}
  country: {constant: PAK}
ignored: {note: why it is not read}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from tocsin.errors import SpecError
from tocsin.terms.tables import REPORTS
from tocsin.terms.taxonomies import NAMES, taxonomy

#: What a description may give: the columns of reports that an agency states, and the two that its id is made of.
_SET_ELSEWHERE = {"report_id", "agency", "received_at", "coded_spans", "derived_from", "file", "row", "source_hash"}
GIVABLE = (*(c.name for c in REPORTS if c.name not in _SET_ELSEWHERE), "own_id", "version")
#: What each value is.
TYPES: dict[str, Any] = {c.name: c.dtype for c in REPORTS} | {"own_id": pl.String(), "version": pl.String()}
_KEYS = {"column", "path", "constant", "formats", "lookup", "days_since", "taxonomy", "separator"}


@dataclass(frozen=True)
class Value:
    """Where one value comes from and how it is read."""

    target: str  # a column of reports
    columns: tuple[str, ...] = ()  # of the file; several make a path, broad to narrow
    constant: Any = None
    formats: tuple[str, ...] = ("%Y-%m-%d",)
    lookup: Mapping[str, Any] | None = None
    days_since: date | None = None
    own_codes: bool = False  # codes of the table's own, not checked against the taxonomy
    separator: str = ";"  # between the entries of a list


@dataclass(frozen=True)
class Spec:
    """A checked description."""

    where: str  # the file it came from, for messages
    agency: Value
    one_report_per_incident: bool
    values: tuple[Value, ...]
    ignored: frozenset[str] = field(default_factory=frozenset)

    @property
    def columns(self) -> frozenset[str]:
        """Every column of the file that is read."""
        return frozenset(c for v in (self.agency, *self.values) for c in v.columns)


def load_spec(path: Path) -> Spec:
    """The description in a YAML file. Raises `SpecError` that names the key that is wrong."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as why:
        raise SpecError(f"{path}: cannot be read ({why.strerror}); `tocsin read --sketch FILE > {path.name}` drafts one") from why
    except (yaml.YAMLError, UnicodeDecodeError) as why:
        raise SpecError(f"{path}: not YAML: {str(why).splitlines()[0]}{_line(why)}") from why
    return parse_spec(raw, str(path))


def parse_spec(raw: Any, where: str) -> Spec:
    """A description from plain values. Raises `SpecError`."""
    if not isinstance(raw, dict) or "agency" not in raw or "values" not in raw:
        raise SpecError(f"{where}: a description needs the keys `agency` and `values`; `tocsin read --sketch FILE` drafts one")
    unknown = set(raw) - {"agency", "values", "ignored", "one_report_per_incident"}
    if unknown:
        raise SpecError(f"{where}: unknown key {sorted(unknown)[0]!r}; known are agency, one_report_per_incident, values, ignored")
    agency = raw["agency"]
    one = _value("agency", {"constant": agency} if isinstance(agency, str) else agency, where)
    if not isinstance(raw["values"], dict):
        raise SpecError(f"{where}: `values` is a mapping from a column of reports to where it comes from")
    values = tuple(_value(target, given, where) for target, given in raw["values"].items())
    placed = [v.target for v in values if v.target in ("lat", "lon") and len(v.columns) == 1]
    if len(placed) == 1 or any(v.target in ("lat", "lon") and len(v.columns) != 1 for v in values):
        raise SpecError(f"{where}: values.lat and values.lon each name one column, and neither goes without the other")
    return Spec(where, one, bool(raw.get("one_report_per_incident", False)), values, frozenset(map(str, raw.get("ignored") or ())))


def _value(target: str, given: Any, where: str) -> Value:
    at = f"{where}: values.{target}"
    if target not in (*GIVABLE, "agency"):
        raise SpecError(f"{at}: not a column that a table can give; these are {', '.join(GIVABLE)}")
    if isinstance(given, str):
        given = {"column": given}
    if not isinstance(given, dict) or not given.keys() & {"column", "path", "constant"}:
        raise SpecError(f"{at}: give a column's name, or a mapping with `column`, `path` or `constant`")
    if given.keys() - _KEYS:
        raise SpecError(f"{at}: unknown key {sorted(given.keys() - _KEYS)[0]!r}; known are {', '.join(sorted(_KEYS))}")
    lookup, constant, since = given.get("lookup"), given.get("constant"), given.get("days_since")
    _check_columns(at, target, given)
    if lookup is not None:
        _check_lookup(at, target, lookup)
    if constant is not None and not _fits(target, constant):
        raise SpecError(f"{at}.constant: {constant!r} is not {_wanted(target)}")
    if since is not None and (not isinstance(since, date) or TYPES[target] != pl.Date):
        raise SpecError(f"{at}.days_since: a date of the form 2016-01-31, for a value that is a date")
    own = given.get("taxonomy") == "own"
    if "taxonomy" in given and not (own and target in NAMES):
        raise SpecError(f"{at}.taxonomy: only `own`, and only for {', '.join(NAMES)}")
    if target in NAMES and not own:
        _check_codes(at, target, [*(lookup or {}).values(), constant])
    formats = given.get("formats", ["%Y-%m-%d"])
    formats = [formats] if isinstance(formats, str) else formats
    if not isinstance(formats, list) or not formats or not all(isinstance(f, str) for f in formats):
        raise SpecError(f'{at}.formats: a list of forms such as ["%d/%m/%Y", "%d %B %Y"]')
    return Value(
        target,
        tuple(map(str, given.get("path") or ([given["column"]] if "column" in given else []))),
        constant,
        tuple(formats),
        {str(k): v for k, v in lookup.items()} if lookup is not None else None,
        since,
        own,
        str(given.get("separator", ";")),
    )


def _check_columns(at: str, target: str, given: Mapping[str, Any]) -> None:
    """One of column, path and constant, in the right form."""
    if len(given.keys() & {"column", "path", "constant"}) > 1:
        raise SpecError(f"{at}: `column`, `path` and `constant` exclude each other")
    if isinstance(given.get("column", ""), (list, dict, bool)):
        raise SpecError(f"{at}.column: the name of one column; several make a `path`")
    path = given.get("path", [])
    if not isinstance(path, list):
        raise SpecError(f"{at}.path: a list of columns, broad to narrow")
    if path and TYPES.get(target, pl.String()) != pl.String:
        raise SpecError(f"{at}.path: only for a value that is a text; give one `column`")


def _check_lookup(at: str, target: str, lookup: Any) -> None:
    if not isinstance(lookup, dict):
        raise SpecError(f"{at}.lookup: a mapping from a cell's text to a value")
    for cell, value in lookup.items():
        if isinstance(cell, bool) or not isinstance(cell, (str, int, float)):
            raise SpecError(f"{at}.lookup: YAML reads a key as {cell!r}; put it in quotes")
        if value is not None and not _fits(target, value):
            raise SpecError(f"{at}.lookup: {cell!r} leads to {value!r}, which is not {_wanted(target)}")


def _fits(target: str, value: Any) -> bool:
    """True where a value of the description can stand in a column."""
    dtype, number = TYPES.get(target, pl.String()), isinstance(value, (int, float)) and not isinstance(value, bool)
    if target == "country":
        return isinstance(value, str) and re.fullmatch("[A-Z]{3}", value) is not None
    if isinstance(dtype, pl.Enum):
        return value in dtype.categories.to_list()
    if dtype == pl.Int32:
        return number and value == int(value) and 0 <= value < 2**31
    if dtype == pl.Float64:
        return bool(number) and (value >= 0 or target in ("lat", "lon"))
    if dtype == pl.Boolean:
        return isinstance(value, bool)
    if dtype == pl.Date or isinstance(dtype, pl.Datetime):
        return isinstance(value, date)
    if dtype == pl.List(pl.String):
        return isinstance(value, list) and all(isinstance(v, str) for v in value)
    return isinstance(value, str)


def _wanted(target: str) -> str:
    dtype = TYPES.get(target, pl.String())
    if target == "country":
        return "a code of ISO 3166-1 alpha-3, such as PAK"
    if isinstance(dtype, pl.Enum):
        return f"one of {', '.join(dtype.categories)}"
    if dtype == pl.List(pl.String):
        return "a list of texts"
    if isinstance(dtype, pl.Datetime):
        return "a date or a time such as 2016-01-31 12:00:00"
    words = {
        pl.Int32: "a whole number from 0",
        pl.Float64: "a number from 0",
        pl.Boolean: "true or false",
        pl.Date: "a date such as 2016-01-31",
    }
    return words.get(dtype.base_type(), "a text")


def _check_codes(at: str, target: str, codes: list[Any]) -> None:
    for code in codes:
        if code is not None and code not in taxonomy(target):
            raise SpecError(
                f"{at}: {code!r} is no code of {target} (docs/reference/codes.md lists them); `taxonomy: own` keeps codes of your own"
            )


def _line(why: Exception) -> str:
    mark = getattr(why, "problem_mark", None)
    return f", line {mark.line + 1}" if mark is not None else ""
