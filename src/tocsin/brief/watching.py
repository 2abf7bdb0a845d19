"""What the watch found, as the page takes it: signals with their charts and words, what was tested, where incidents concentrate."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.terms.say import Message
from tocsin.terms.signals import category_name, reach, short, signal_lines, signal_name, stream_name
from tocsin.watch import Look, look, shifts
from tocsin.watch.delays import thin_days
from tocsin.watch.known import known
from tocsin.watch.places import placed, vague_place
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
    values: dict[str, Any] = {"n": n, "tests": ("tests_n", {"n": held}), "rate": rate}
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
    values: dict[str, Any] = {"n": n, "tests": ("tests_n", {"n": tested}), "blind": _quiet(found)[1]}
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
        "radius_km": reach(row),
    }


def _stream(row: dict[str, Any]) -> dict[str, Any]:
    """A line of the table of what was tested."""
    keep = ("kind", "violence", "dimension", "actor", "measure", "before", "watched", "unknown", "verdict", "reason", "p_value", "level")
    return {k: row[k] for k in keep} | {"name": stream_name(row), "seen": seen_text(row)}


def seen_text(row: dict[str, Any]) -> Message | None:
    """The least change that would have been seen, where nothing was."""
    if row["verdict"] not in _QUIET:
        return None
    if row["kind"] == "cluster":
        return ("seen_none", {}) if row["seen_extra"] is None else ("seen_extra", {"n": row["seen_extra"]})
    if row["seen_odds"] is None:
        return ("seen_none", {})
    return ("seen_odds", {"category": category_name(row["dimension"], row["seen_category"]), "odds": short(row["seen_odds"])})


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


__all__ = ["PLAN", "seen_text", "watch_view", "watched"]
