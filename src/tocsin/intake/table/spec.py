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

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from tocsin.errors import SpecError
from tocsin.terms.tables import REPORTS
from tocsin.terms.taxonomies import NAMES, taxonomy

#: What a description may give: the columns of reports that an agency states, and the two that its id is made of.
_SET_ELSEWHERE = {"report_id", "agency", "received_at", "coded_spans", "derived_from", "file", "row", "source_hash"}
GIVABLE = (*(c.name for c in REPORTS if c.name not in _SET_ELSEWHERE), "own_id", "version")
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
    lookup = given.get("lookup")
    if lookup is not None and not isinstance(lookup, dict):
        raise SpecError(f"{at}.lookup: a mapping from a cell's text to a value")
    since = given.get("days_since")
    if since is not None and not isinstance(since, date):
        raise SpecError(f"{at}.days_since: a date of the form 2016-01-31")
    own = given.get("taxonomy") == "own"
    if target in NAMES and not own:
        _check_codes(at, target, [*(lookup or {}).values(), given.get("constant")])
    formats = given.get("formats", ["%Y-%m-%d"])
    return Value(
        target,
        tuple(map(str, given.get("path") or ([given["column"]] if "column" in given else []))),
        given.get("constant"),
        tuple([formats] if isinstance(formats, str) else formats),
        {str(k): v for k, v in lookup.items()} if lookup is not None else None,
        since,
        own,
        str(given.get("separator", ";")),
    )


def _check_codes(at: str, target: str, codes: list[Any]) -> None:
    for code in codes:
        if code is not None and code not in taxonomy(target):
            raise SpecError(
                f"{at}: {code!r} is no code of {target} (docs/reference/codes.md lists them); `taxonomy: own` keeps codes of your own"
            )


def _line(why: Exception) -> str:
    mark = getattr(why, "problem_mark", None)
    return f", line {mark.line + 1}" if mark is not None else ""
