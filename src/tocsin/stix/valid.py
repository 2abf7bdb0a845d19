"""What is wrong with a STIX 2.1 object: a compiled schema (objects.yml), and rules that a schema cannot say."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs
import yaml

MOST, DEEPEST, WIDEST = 5, 30, 2**53  # reasons that are given back; levels of nesting; the largest whole number (RFC 7493)
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_OBSERVABLE = "an observable"  # no type is called so
_KEY = re.compile(r"[a-z0-9_]{1,250}")


def wrong_with(made: Any) -> list[str]:
    """Why an object cannot be taken, at most five reasons; none where it can."""
    if not isinstance(made, dict):
        return ["an object of STIX is wanted, with its type and id"]
    reasons = _of_values(made)
    if reasons:  # what no text or number holds is not looked at further
        return reasons
    kind = made.get("type")
    for error in _schemas().get(kind if isinstance(kind, str) else "", _schemas()[_strange(made)]).iter_errors(made):
        reasons.append(f"{'.'.join(map(str, error.instance_path)) or 'it'}: {_short(error.message)}")
        if len(reasons) == MOST:
            return reasons
    return reasons or _own_rules(made)


def _strange(made: dict[str, Any]) -> str:
    """Of a type that is another's own, whether it is an object or, as its extension says (section 7.3), an observable, which has no times."""
    several = made.get("extensions")
    known = several.values() if isinstance(several, dict) else ()
    return _OBSERVABLE if any(isinstance(e, dict) and e.get("extension_type") == "new-sco" for e in known) else ""


def version_of(made: dict[str, Any]) -> datetime | None:
    """When an object was last changed: `modified`, or `created` of what has no versions; None where it has neither. Precise to the microsecond."""
    text = made.get("modified", made.get("created"))
    return None if text is None else _instant(text)


def _instant(text: str) -> datetime:
    day, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{day}.{fraction[:6].ljust(6, '0')}").replace(tzinfo=UTC)


@cache
def _schemas() -> dict[str, Any]:
    """The compiled schema of each type, and of one that is another's own."""
    told = yaml.safe_load(files("tocsin.stix").joinpath("objects.yml").read_text(encoding="utf-8"))
    versioned = {kind: [told["every"], more] for kind, more in told["types"].items()} | {"": [told["every"]]}
    each = versioned | {_OBSERVABLE: [{}]} | {kind: [more] for kind, more in told["unversioned"].items()}
    return {kind: jsonschema_rs.validator_for(told["common"] | {"allOf": more}) for kind, more in each.items()}


def _own_rules(made: dict[str, Any]) -> list[str]:
    if made["id"].partition("--")[0] != made["type"]:
        return [f"id: begins with {_short(made['id'].partition('--')[0])}, which is not its type"]
    times = {}
    for name in ("created", "modified", "first_seen", "last_seen", "published"):
        if name in made:
            try:
                times[name] = _instant(made[name])
            except ValueError:
                return [f"{name}: there is no such time"]
    for first, last in (("created", "modified"), ("first_seen", "last_seen")):
        if first in times and last in times and times[last] < times[first]:
            return [f"{last}: before {first}"]
    strange = [k for k in made if not _KEY.fullmatch(k)]
    return [f"{_short(strange[0])}: names of properties have a-z, 0-9 and _ alone"] if strange else []


def _of_values(made: dict[str, Any]) -> list[str]:
    """What no database and no other system would take: texts with zero characters or halves of characters, numbers without end, nothing, depth."""
    left: list[tuple[Any, int]] = [(made, 1)]
    while left:
        value, depth = left.pop()
        if depth > DEEPEST:
            return [f"nested deeper than {DEEPEST} levels"]
        if isinstance(value, str):  # most are plain
            if not (value.isascii() and "\0" not in value) and _NO_TEXT.search(value):
                return ["a text has zero characters or halves of characters"]
        elif isinstance(value, dict):
            left += [(v, depth + 1) for v in value]
            left += [(v, depth + 1) for v in value.values()]
        elif isinstance(value, list):
            if not value:
                return ["an empty list: leave the property out"]
            left += [(v, depth + 1) for v in value]
        elif value is None:
            return ["null: leave the property out"]
        elif isinstance(value, (int, float)) and not (math.isfinite(value) and abs(value) < WIDEST):
            return ["a number is too large"]
    return []


def _short(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:200])
