"""What a signal says, in sentences: what changed, where, since when, how often chance alone does it, and what would make it go away.

Of a signal by `SIGNALS`, and of a stream by `STREAMS`; a day is a date or its text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from tocsin.terms.say import NAME_OF, Message, counted, day, say
from tocsin.terms.taxonomies import taxonomy

NEAR = 5  # kilometres within which points are one place
_MOST = 300.0  # log-odds beyond which odds are no number to read
#: What JSON has no number for, where a signal leaves it out.
_ENDLESS = {"low": -math.inf, "high": math.inf, "log_odds": math.inf, "expected": math.inf, "false_alarms_per_year": math.inf}
_LEFT_OUT = {"actor": None, "falls_without": None, "note": None} | _ENDLESS
_DIMENSIONS = {
    "target_type": "mix_target_type",
    "target_group": "mix_target_group",
    "attack_type": "mix_attack_type",
    "weapon_type": "mix_weapon_type",
    "actor": "mix_actor",
    "area": "mix_area",
    "area_class": "mix_area_class",
    "place": "mix_place",
}
_AREAS = {"tribal": "area_tribal", "mainland": "area_mainland", "big_city": "area_big_city"}


def stream_name(row: Mapping[str, Any]) -> Message:
    """`Communities, by attacks`."""
    what = mix_name(row["dimension"])
    if row["kind"] == "shift":
        what = ("mix_count" if row["measure"] == "count" else "mix_deaths", {"mix": what})
    return ("mix_of", {"mix": what, "actor": row["actor"]}) if row["actor"] else what


def mix_name(dimension: str) -> Message:
    """What a mix is of."""
    first, *rest = dimension.split("+")
    one: Message = (_DIMENSIONS[first], {})
    return ("mix_by", {"a": one, "b": (_DIMENSIONS[rest[0]], {})}) if rest else one


def category_name(dimension: str, category: str) -> Message:
    """A category in words: a community's name, a province without its country, a kind of area."""
    parts = category.split(", ", 1) if "+" in dimension else [category]
    told = [_named(d, c) for d, c in zip(dimension.split("+"), parts, strict=False)]
    return ("pair_of", {"a": told[0], "b": told[1]}) if len(told) == 2 else told[0]


def _named(dimension: str, code: str) -> Message:
    if dimension == "area":
        return code.split("/", 1)[-1]
    if dimension == "area_class" and code in _AREAS:
        return (_AREAS[code], {})
    nodes = taxonomy(dimension).nodes if dimension in ("target_type", "target_group", "attack_type", "weapon_type") else {}
    return (NAME_OF, {"tree": dimension, "code": code}) if code in nodes else code


def signal_name(row: Mapping[str, Any]) -> Message:
    """What changed, in a line."""
    category = category_name(row["dimension"], row["category"])
    values: dict[str, Any] = {"category": category, "date": str(row["start"])}
    if row["kind"] == "cluster":
        return ("signal_cluster", values | {"end": str(row["end"])})
    way = "more" if row["log_odds"] > 0 else "less"
    key = {("more", "count"): "signal_more", ("less", "count"): "signal_less", ("more", "deaths"): "signal_more_dead"}
    return (key.get((way, row["measure"]), "signal_less_dead"), values | {"mix": mix_name(row["dimension"])})


def signal_lines(row: Mapping[str, Any]) -> list[Message]:
    """Counts and odds; how often chance does it; since when; what would make it go away; what to bear in mind."""
    low, value, high = (short(math.exp(row[c]) if row[c] <= _MOST else math.inf) for c in ("low", "log_odds", "high"))
    counts: dict[str, Any] = {"n": row["observed"], "expected": short(row["expected"]), "odds": value, "low": low, "high": high}
    if row["kind"] == "cluster":
        first: Message = ("signal_counts_near", counts | {"radius": reach(row)})
    else:
        first = ("signal_counts" if row["measure"] == "count" else "signal_counts_dead", counts)
    out = [
        first,
        _chance(row["false_alarms_per_year"]),
        ("signal_first", {"date": str(row["first_raised"]), "n": len(row["evidence"])}),
    ]
    if row["falls_without"] is not None:
        key = "signal_falls" if row["measure"] == "count" else "signal_falls_dead"
        out.append((key, {"k": row["falls_without"], "n": len(row["evidence"])}))
    return [*out, *([("signal_note", {"note": row["note"]})] if row["note"] else [])]


def reach(row: Mapping[str, Any]) -> int:
    """Kilometres of a signal's circle, for a reader: points so near each other are one place."""
    return max(NEAR, round(float(row["radius_km"])))


def _chance(rate: float) -> Message:
    return ("signal_chance", {"n": short(rate)}) if rate >= 0.5 else ("signal_chance_years", {"n": short(1 / rate)})


def short(x: float) -> str:
    """A number to two digits that matter."""
    if not math.isfinite(x):
        return "∞"
    return f"{x:,.0f}" if abs(x) >= 100 else f"{float(f'{x:.2g}'):g}"


def words(said: Mapping[str, Any]) -> tuple[str, list[str]]:
    """In English, of a signal as a hub tells of it: what changed in a line, and its sentences.

    One that another agency released says where, since when and how many; it has no odds, nor whether it is more or fewer.
    """
    if "first_raised" in said:
        row = _LEFT_OUT | {k: v for k, v in said.items() if v is not None}
        return say(signal_name(row)), [say(line) for line in signal_lines(row)]
    category = say(category_name(said["dimension"], said["category"]))
    since, until = (day(date.fromisoformat(said[k])) for k in ("start" if "start" in said else "end", "end"))
    near = f" within {reach(said)} km" if "radius_km" in said else ""
    what = counted(said["observed"], "death" if said["measure"] == "deaths" else "attack")
    head = f"Around {category}" if said["kind"] == "cluster" else f"{say(mix_name(said['dimension']))}: {category}"
    return head, [f"{what}{near}, {since} to {until}"]
