"""What the watch found, as the page takes it: signals with their charts and words, what was tested, where incidents concentrate."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.brief.say import NAME_OF, Message
from tocsin.terms.taxonomies import taxonomy
from tocsin.watch import Look, look, shifts
from tocsin.watch.delays import thin_days
from tocsin.watch.known import known
from tocsin.watch.places import NEAR, placed, vague_place
from tocsin.watch.plan import HISTORY, PAIRS, RECENT, Plan, as_day, made
from tocsin.watch.streams import Stream

#: How a brief watches: the options of `look`.
PLAN: dict[str, Any] = {
    "every": "7d",
    "kinds": ("cluster", "shift"),
    "violence": ("one_sided",),
    "watched": 182,
    "false_alarms": 1.0,
    "pairs": PAIRS,
    "actors": None,
    "seed": 0,
    "engine": "here",
}
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
_QUIET = ("no change", "cannot be told")
_WEEK = 7


def watched(incidents: pl.DataFrame, as_of: date, *, last: pl.DataFrame | None = None, progress: Any = None) -> Look:
    """What look() finds in a brief's incidents."""
    options = {k: v for k, v in PLAN.items() if k != "false_alarms"}
    return look(incidents, as_of=as_of, false_alarms_per_year=PLAN["false_alarms"], last=last, progress=progress, **options)


def watch_view(found: Look, incidents: pl.DataFrame, as_of: date) -> dict[str, Any]:
    """Plain values for the page: signals, streams, concentrated; short, summary and remarks (messages); thin (days not complete, by violence)."""
    plan = made(as_of, **PLAN)
    have = known(incidents, plan).incidents
    thin = {v: n for v in plan.violence if (n := thin_days(found.completeness, v))}
    return {
        "every": plan.every,
        "false_alarms": plan.false_alarms,
        "violence": list(plan.violence),
        "recent": RECENT,
        "watched": plan.looks * plan.every,
        "short": _short(found),
        "summary": _summary(found, plan),
        "signals": [signal_item(row, have, plan) for row in found.signals.iter_rows(named=True)],
        "streams": [_stream(row) for row in found.streams.iter_rows(named=True)],
        "concentrated": [_dense(row) for row in found.concentrated.iter_rows(named=True)],
        "thin": thin,
        "remarks": [*_thin(found, plan), *_left_out(found), *(f"{c[0].upper()}{c[1:]}." for c in found.caveats)],
    }


def _summary(found: Look, plan: Plan) -> list[Message]:
    """The signals in a sentence, and how much the silence of the others is worth."""
    n, streams = found.signals.height, found.streams
    held = int(streams["p_value"].is_not_null().sum())
    rate = short(plan.false_alarms)
    values: dict[str, Any] = {"n": n, "tested": held, "rate": rate}
    out: list[Message] = [("watch_none" if not n else "watch_one" if n == 1 else "watch_some", values)]
    if held < streams.height:
        out.append(("watch_little", {"n": streams.height - held}))
    quiet, blind = _quiet(found)
    if blind:
        out.append(("watch_blind", {"blind": blind, "quiet": quiet}))
    if found.stopped:
        out.append(("watch_stopped", {}))
    return out


def _short(found: Look) -> Message:
    """The summary for the first screen: the signals, and how many of the tests that raised none could have raised one."""
    n, tested = found.signals.height, int(found.streams["p_value"].is_not_null().sum())
    values = {"n": n, "tested": tested, "blind": _quiet(found)[1]}
    return ("watch_short_none" if not n else "watch_short_one" if n == 1 else "watch_short_some", values)


def _quiet(found: Look) -> tuple[int, int]:
    """(tests without a signal, those of them that would have seen none of the changes tried)."""
    quiet = found.streams.filter(pl.col("verdict").cast(pl.String).is_in(_QUIET))
    return quiet.height, quiet.filter(pl.all_horizontal(pl.col("seen_odds", "seen_extra").is_null())).height


def _thin(found: Look, plan: Plan) -> list[Message]:
    out: list[Message] = []
    for violence in plan.violence:
        n = thin_days(found.completeness, violence)
        if n is None:
            out.append(("watch_thin_unknown", {"kind": (f"kind_{violence}", {})}))
        elif n:
            out.append(("watch_thin_one" if n == 1 else "watch_thin", {"n": n, "kind": (f"kind_{violence}", {})}))
    return out


def _left_out(found: Look) -> list[Message]:
    return [
        ("watch_left_clusters" if of == "clusters" else "watch_left", {"n": n, "why": why}) for _, of, why, n in found.left_out.iter_rows()
    ]


def _dense(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v.isoformat() if isinstance(v, date) else v for k, v in row.items()} | {
        "expected": short(row["expected"]),
        "radius_km": _reach(row),
    }


def _stream(row: dict[str, Any]) -> dict[str, Any]:
    """A line of the table of what was tested."""
    keep = ("kind", "violence", "dimension", "actor", "measure", "before", "watched", "unknown", "verdict", "reason", "p_value", "level")
    return {k: row[k] for k in keep} | {"name": stream_name(row), "seen": seen_text(row)}


def stream_name(row: dict[str, Any]) -> Message:
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


def seen_text(row: dict[str, Any]) -> Message | None:
    """The least change that would have been seen, where nothing was."""
    if row["verdict"] not in _QUIET:
        return None
    if row["kind"] == "cluster":
        return ("seen_none", {}) if row["seen_extra"] is None else ("seen_extra", {"n": row["seen_extra"]})
    if row["seen_odds"] is None:
        return ("seen_none", {})
    return ("seen_odds", {"category": category_name(row["dimension"], row["seen_category"]), "odds": short(row["seen_odds"])})


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


def signal_item(row: dict[str, Any], have: pl.DataFrame, plan: Plan) -> dict[str, Any]:
    """One signal: its values, its sentences and the weeks of its chart."""
    stream = Stream(row["kind"], row["violence"], row["dimension"], row["actor"], row["measure"])
    weeks = (_weeks_near if row["kind"] == "cluster" else _weeks_of)(row, stream, have, plan)
    keep = (
        "kind",
        "violence",
        "dimension",
        "actor",
        "measure",
        "category",
        "area",
        "lat",
        "lon",
        "radius_km",
        "observed",
        "evidence",
        "calibrated",
    )
    return {
        **{k: row[k] for k in keep},
        "id": row["signal_id"],
        **{k: row[k].isoformat() for k in ("start", "end", "first_raised")},
        **{k: _plain(row[k]) for k in ("expected", "p_value", "false_alarms_per_year", "log_odds", "low", "high")},
        "falls_without": row["falls_without"],
        "name": signal_name(row),
        "category_name": category_name(row["dimension"], row["category"]),
        "lines": signal_lines(row),
        "weeks": weeks,
    }


def signal_name(row: dict[str, Any]) -> Message:
    """What changed, in a line."""
    category = category_name(row["dimension"], row["category"])
    values: dict[str, Any] = {"category": category, "date": row["start"].isoformat()}
    if row["kind"] == "cluster":
        return ("signal_cluster", values | {"end": row["end"].isoformat()})
    way = "more" if row["log_odds"] > 0 else "less"
    key = {("more", "count"): "signal_more", ("less", "count"): "signal_less", ("more", "deaths"): "signal_more_dead"}
    return (key.get((way, row["measure"]), "signal_less_dead"), values | {"mix": mix_name(row["dimension"])})


def signal_lines(row: dict[str, Any]) -> list[Message]:
    """Counts and odds; how often chance does it; since when; what would make it go away; what to bear in mind."""
    low, value, high = (short(math.exp(min(row[c], 300.0))) for c in ("low", "log_odds", "high"))
    counts: dict[str, Any] = {"n": row["observed"], "expected": short(row["expected"]), "odds": value, "low": low, "high": high}
    if row["kind"] == "cluster":
        first: Message = ("signal_counts_near", counts | {"radius": _reach(row)})
    else:
        first = ("signal_counts" if row["measure"] == "count" else "signal_counts_dead", counts)
    out = [
        first,
        _chance(row["false_alarms_per_year"]),
        ("signal_first", {"date": row["first_raised"].isoformat(), "n": len(row["evidence"])}),
    ]
    if row["falls_without"] is not None:
        key = "signal_falls" if row["measure"] == "count" else "signal_falls_dead"
        out.append((key, {"k": row["falls_without"], "n": len(row["evidence"])}))
    return [*out, *([("signal_note", {"note": row["note"]})] if row["note"] else [])]


def _reach(row: dict[str, Any]) -> int:
    """Kilometres of a circle: points so near each other are one place."""
    reach: int = round(row["radius_km"])
    return max(round(NEAR), reach)


def _chance(rate: float) -> Message:
    return ("signal_chance", {"rate": short(rate)}) if rate >= 0.5 else ("signal_chance_years", {"years": short(1 / rate)})


def _weeks_of(row: dict[str, Any], stream: Stream, have: pl.DataFrame, plan: Plan) -> dict[str, Any]:
    """A shift's weeks: its category, the others, those whose category is not known."""
    m = shifts.mix(have, stream, plan, plan.until)
    mine = m.code == (m.names.index(row["category"]) if row["category"] in m.names else -2)
    silent = m.code == (-1 if m.unknown is None else m.unknown)
    return _weeks(m.day, m.weight, mine, silent, plan) | {"expected": _plain(_a_week(row))}


def _weeks_near(row: dict[str, Any], stream: Stream, have: pl.DataFrame, plan: Plan) -> dict[str, Any]:
    """A cluster's weeks: those within its circle, those elsewhere, those whose place is not known well enough."""
    own = stream.of(have).filter(pl.col("day") >= plan.until - HISTORY - RECENT)
    p = placed(own, plan.until)
    centre = int(np.argmin(np.abs(p.at - np.array([row["lat"], row["lon"]])).sum(axis=1)))
    inside = p.apart[centre][p.where] <= row["radius_km"] + 1e-6
    vague = own.filter(vague_place())["day"].to_numpy()
    day = np.concatenate([p.incidents["day"].to_numpy(), vague]).astype(np.int64)
    mine = np.concatenate([inside, np.zeros(len(vague), bool)])
    silent = np.concatenate([np.zeros(len(inside), bool), np.ones(len(vague), bool)])
    return _weeks(day, np.ones(len(day), np.int64), mine, silent, plan) | {"expected": _plain(_a_week(row))}


def _a_week(row: dict[str, Any]) -> float:
    days: int = (row["end"] - row["start"]).days + 1
    return float(row["expected"]) * _WEEK / days


def _weeks(
    day: NDArray[np.int64], weight: NDArray[np.int64], mine: NDArray[np.bool_], silent: NDArray[np.bool_], plan: Plan
) -> dict[str, Any]:
    """Sums by week, the last ending with the day looked from."""
    n = max(1, int(-(-(plan.until - int(day.min())) // _WEEK))) if len(day) else 1
    at = n - 1 - (plan.until - 1 - day) // _WEEK
    sums = {
        name: np.bincount(at[part], weights=weight[part], minlength=n).astype(int).tolist()
        for name, part in (("mine", mine), ("others", ~mine & ~silent), ("unknown", silent))
    }
    return {"start": as_day(plan.until - n * _WEEK).isoformat(), "days": _WEEK, **sums}


def _plain(x: float) -> float | None:
    """A number that JSON has, to six digits."""
    return float(f"{x:.6g}") if math.isfinite(x) else None


def short(x: float) -> str:
    """A number to two digits that matter."""
    if not math.isfinite(x):
        return "∞"
    return f"{x:,.0f}" if abs(x) >= 100 else f"{float(f'{x:.2g}'):g}"


__all__ = ["PLAN", "category_name", "mix_name", "seen_text", "short", "signal_lines", "signal_name", "stream_name", "watch_view", "watched"]
