"""One report as an agency posts it to a hub: a flat object, checked field by field; what is wrong is said, never guessed."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from tocsin.terms.countries import countries
from tocsin.terms.posts import RANGES, SET_BY_THE_HUB
from tocsin.terms.taxonomies import taxonomy

if TYPE_CHECKING:
    import polars as pl

#: What a post has besides the columns of `reports`.
OWN = ("own_id", "version")
CODED = ("attack_type", "weapon_type", "target_type", "target_group")
LONGEST, LONGEST_TEXT, MOST = 1_000, 20_000, 100
REASONS = 20  # that are given back of one report
_IDS = ("supersedes", "derived_from")
#: Characters of what stands in an index of the database, where a line has at most 2,704 bytes.
_INDEXED = {"part_of": 500, "releasable_to": 200}
_NO_TEXT = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]"
)  # control characters, but for a tab and ends of lines, and halves of characters


@dataclass(frozen=True)
class Posted:
    """What a post says, in the order of the contract, and the reasons for which it cannot be taken."""

    fields: dict[str, Any]
    reasons: tuple[str, ...]


def posted(raw: Any) -> Posted:
    """Checks one post. A field that is null counts as not given."""
    if not isinstance(raw, dict):
        return Posted({}, ("a report is an object of fields (docs/reference/tables.md): send {...}",))
    checks, reasons, said = _checks(), [], {}
    for name, value in raw.items():
        if name in SET_BY_THE_HUB:
            reasons.append(f"{_short(name)}: the hub sets it; leave it out")
        elif name not in checks:
            reasons.append(f"{_short(name)}: no field of a report; docs/reference/tables.md lists them")
        elif value is not None:
            try:
                said[name] = checks[name](value)
            except ValueError as why:
                reasons.append(f"{name}: {why}")
    if "marking" not in raw or raw["marking"] is None:
        reasons.append("marking: missing; say who may see the report (GET /api/me lists the markings)")
    reasons += _together(said)
    if len(reasons) > REASONS:
        reasons = [*reasons[:REASONS], f"and {len(reasons) - REASONS} more"]
    return Posted({name: said[name] for name in checks if name in said}, tuple(reasons))


def _together(said: dict[str, Any]) -> list[str]:
    for one, other in (("event_start", "event_end"), ("event_end", "event_start")):
        if one in said:
            said.setdefault(other, said[one])
    out = []
    if said.get("event_start", "") > said.get("event_end", ""):
        out.append("event_start: after event_end; the two are the first and the last day on which it may have happened")
    if ("lat" in said) != ("lon" in said):
        out.append("lat, lon: one without the other; give both, or neither")
    tolls = [said[k] for k in ("killed_low", "killed", "killed_high") if k in said]
    if tolls != sorted(tolls):
        out.append("killed_low, killed, killed_high: not in order")
    return out


@cache
def _checks() -> dict[str, Callable[[Any], Any]]:
    """How each field is checked, in the contract's order. polars is loaded here: a process that checks no post does without."""
    import polars as pl

    from tocsin.terms.tables import REPORTS

    out: dict[str, Callable[[Any], Any]] = dict.fromkeys(OWN, text_of(200))
    for column in REPORTS:
        name, kind = column.name, column.dtype
        if name in SET_BY_THE_HUB:
            continue
        if name in CODED:
            out[name] = _code(name)
        elif name == "country":
            out[name] = _country
        elif name == "marking":
            out[name] = text_of(64)  # the hub's scheme knows which there are
        elif isinstance(kind, pl.Enum):
            out[name] = _one_of(tuple(kind.categories))
        elif isinstance(kind, pl.List):
            out[name] = _list(_id if name in _IDS else text_of(longest(name)))
        elif isinstance(kind, pl.String):
            out[name] = _id if name in _IDS else _one_of(tuple("ABCDEF")) if name == "reliability" else text_of(longest(name))
        else:
            out[name] = _plain(name, kind)
    return out


def _plain(name: str, kind: pl.DataType) -> Callable[[Any], Any]:
    import polars as pl

    if isinstance(kind, pl.Int32):
        return _number(name)
    if isinstance(kind, pl.Float64):
        return _real(name)
    return _day if isinstance(kind, pl.Date) else _flag if isinstance(kind, pl.Boolean) else _instant


def longest(name: str) -> int:
    """How many characters a text may have."""
    return {"text": LONGEST_TEXT, "country": 3, "lang": 8, **_INDEXED}.get(name, LONGEST)


def _short(value: object) -> str:
    text = "".join(c if c.isprintable() else "?" for c in str(value)[:60])
    return text.encode("utf-8", "replace").decode()


def text_of(longest: int) -> Callable[[Any], str]:
    """A check that gives back a text of at most so many characters, and raises `ValueError` for what is none."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"a text is wanted, not {type(value).__name__}")
        if not value.strip() or len(value) > longest:
            raise ValueError(f"a text of 1 to {longest} characters is wanted; this has {len(value)}")
        if _NO_TEXT.search(value):
            raise ValueError("it has control characters or halves of characters")
        return value

    return check


def _one_of(choices: tuple[str, ...]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"{_short(value)!r} is none of {', '.join(choices)}")
        return str(value)

    return check


def _code(name: str) -> Callable[[Any], str]:
    tree = taxonomy(name)

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in tree:
            raise ValueError(f"{_short(value)!r} is no code of it; docs/reference/codes.md lists them")
        return value

    return check


def _country(value: Any) -> str:
    if not isinstance(value, str) or value not in countries():
        raise ValueError(f"{_short(value)!r} is no ISO 3166-1 alpha-3 code, such as PAK")
    return value


def _list(check: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def several(value: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) > MOST:
            raise ValueError(f"a list of at most {MOST} texts is wanted")
        return sorted({check(item) for item in value})

    return several


def _id(value: Any) -> str:
    try:
        return str(uuid.UUID(value)) if isinstance(value, str) and len(value) == 36 else _refuse()
    except ValueError:
        return _refuse()


def _refuse() -> str:
    raise ValueError("a report id (36 characters) is wanted")


def _number(name: str) -> Callable[[Any], int]:
    low, high = RANGES.get(name, (0, 2**31 - 1))

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high} is wanted")
        return value

    return check


def _real(name: str) -> Callable[[Any], float]:
    low, high = RANGES[name]

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high or not math.isfinite(value):
            raise ValueError(f"a number from {low:g} to {high:g} is wanted")
        return float(value)

    return check


def _day(value: Any) -> str:
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise ValueError("a day of the form 2026-01-31 is wanted")


def _instant(value: Any) -> str:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
        if at is not None and at.tzinfo is not None:
            return at.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        pass
    raise ValueError("a time with its zone is wanted, as 2026-01-31T12:00:00Z")


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is wanted")
    return value
