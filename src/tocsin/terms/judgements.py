"""A person's decision on reports, and what makes one well formed; fusion/judgements.py tells of the kinds and heeds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from tocsin.errors import InputError
from tocsin.terms.countries import countries
from tocsin.terms.ids import report_id
from tocsin.terms.posts import RANGES
from tocsin.terms.tables import INCIDENTS, schema
from tocsin.terms.taxonomies import NAMES, taxonomy

KINDS = ("merge", "confirm", "split", "part_of", "not_part_of", "value", "undo")
#: Fields of an incident that a person may set.
FIELDS = tuple(
    c.name
    for c in INCIDENTS[INCIDENTS.index(next(c for c in INCIDENTS if c.name == "event_start")) :]
    if c.name not in ("parts", "disputed", "corroboration", "confidence", "margin", "vague", "judged")
)


@dataclass(frozen=True)
class Judgement:
    """One signed decision."""

    id: str
    by: str
    signed: date
    why: str
    decides: str  # one of KINDS
    reports: tuple[str, ...] = ()  # report ids
    apart_from: tuple[str, ...] = ()  # of a `split`: the report ids that the others are none with
    field: str | None = None  # of a `value`: the column
    value: str | None = None  # of a `value`: what it is
    judgement: str | None = None  # of an `undo`: the id undone


def parse(item: Any, name: str) -> Judgement:
    """A judgement from an entry of a file; name: what the file is called. Raises `InputError`."""
    where = f"{name}, judgement {item.get('id', '?')!r}" if isinstance(item, dict) else name
    if not isinstance(item, dict) or not {"id", "by", "signed", "why", "decides"} <= item.keys():
        raise InputError(f"{where}: each judgement needs id, by, signed, why and decides")
    if item["decides"] not in KINDS:
        raise InputError(f"{where}: decides {item['decides']!r}, which is none of {', '.join(KINDS)}")
    try:
        signed = item["signed"] if isinstance(item["signed"], date) else date.fromisoformat(str(item["signed"]))
    except ValueError as why_not:
        raise InputError(f"{where}: `signed` is not a date of the form 2026-01-31") from why_not
    several = {
        key: tuple(
            sorted(r if isinstance(r, str) else report_id(r["agency"], str(r["own_id"]), r.get("version")) for r in item.get(key) or ())
        )
        for key in ("reports", "apart_from")
    }
    if item["decides"] == "split" and not (several["reports"] and several["apart_from"]):
        raise InputError(f"{where}: a split names `reports`, and the reports that they are `apart_from`")
    if both := sorted({*several["reports"]} & {*several["apart_from"]}):
        raise InputError(f"{where}: a report is not split from itself: {both[0]} is in `reports` and in `apart_from`")
    field, value = item.get("field"), item.get("value")
    if item["decides"] == "value":
        check_value(field, value, where)
    who, by, why, decides = (str(item[k]) for k in ("id", "by", "why", "decides"))
    value = None if value is None else str(value)
    return Judgement(who, by, signed, why, decides, several["reports"], several["apart_from"], field, value, item.get("judgement"))


def check_value(field: Any, value: Any, where: str) -> None:
    """Raises `InputError` where a field is none that a person may set, or cannot have that value."""
    if field not in FIELDS:
        raise InputError(f"{where}: {field!r} is no field of an incident that can be set; these are: {', '.join(FIELDS)}")
    if field in NAMES and value not in taxonomy(field):
        raise InputError(f"{where}: {value!r} is no code of {field}; docs/reference/codes.md lists them")
    dtype = schema(INCIDENTS)[field]
    try:
        said = pl.select(as_value(pl.lit(None if value is None else str(value), dtype=pl.String), dtype)).item()
    except pl.exceptions.PolarsError as why:
        raise InputError(f"{where}: {value!r} is no value of {field} ({dtype})") from why
    low, high = RANGES.get(field, (0, 2**31 - 1))
    if isinstance(said, (int, float)) and not isinstance(said, bool) and not low <= said <= high:  # what is no number is in no range
        raise InputError(f"{where}: {value!r} is no value of {field}: a number from {low:g} to {high:g} is wanted")
    if field == "country" and said is not None and said not in countries():
        raise InputError(f"{where}: {value!r} is no country: an ISO 3166-1 alpha-3 code is wanted, such as PAK")


def as_value(text: pl.Expr, dtype: Any) -> pl.Expr:
    """A judged value, which is a text, as its column has it. Raises a `PolarsError`, when it is worked out, for what is none."""
    return text.str.to_date("%Y-%m-%d") if dtype == pl.Date else text.cast(dtype)
