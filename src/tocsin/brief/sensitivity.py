"""The five-minute numbers under other choices: how much of the answer is the data, how much the choice."""

from __future__ import annotations

from typing import Any

import polars as pl

from tocsin.brief.scope import Scope
from tocsin.brief.windows import BASELINES, Span, verdict, within
from tocsin.fusion import Judgement, fuse
from tocsin.terms.say import Message

_COLUMNS = ["event_start", "event_end", "violence", "killed_low", "killed", "killed_high"]
WEEK = 7


def sensitivity(
    reports: pl.DataFrame, incidents: pl.DataFrame, scope: Scope, columns: tuple[Span, ...], judgements: tuple[Judgement, ...]
) -> dict[str, Any]:
    """One-sided attacks in the window and its baselines, and the dead of the window, counted anew with one choice changed at a time.

    reports, incidents: as the brief has them, incidents within its scope. Returns plain values: columns; rows of label (a message), own (the brief's
    own choice), cells (count by column), low, best, high (dead in the window), killed (a message), verdict; and verdict, what they say together.
    """
    assert scope.as_of is not None
    mine = incidents.filter(pl.col("violence") == "one_sided").select(_COLUMNS)
    asked = pl.col("violence").is_in(["one_sided", "unknown"])
    choices: list[tuple[str, dict[str, Any], pl.DataFrame]] = [
        ("choice_own", {}, mine),
        ("choice_rows", {}, _as_told(reports, scope)),
        ("choice_window", {}, _window(reports, scope, judgements)),
        ("choice_unjudged", {}, _unjudged(reports, scope, judgements)),
        ("choice_unknown", {}, incidents.filter(asked).select(_COLUMNS)),
        ("choice_toll_known", {}, mine.filter(pl.col("killed").is_not_null())),
        ("choice_dated", {"days": WEEK}, mine.filter((pl.col("event_end") - pl.col("event_start")).dt.total_days() < WEEK)),
        ("choice_first_day", {}, mine.with_columns(event_end=pl.col("event_start"))),
        ("choice_deadly", {"n": 5}, mine.filter(pl.col("killed") >= 5)),
    ]
    rows = [_row(label, values, frame, columns) for label, values, frame in choices]
    rows[0]["own"] = True
    agree = sum(row["verdict"] == rows[0]["verdict"] for row in rows[1:])
    return {"columns": [s.key for s in columns], "rows": rows, "verdict": ("sensitivity_agree", {"n": agree, "of": len(rows) - 1})}


def _as_told(reports: pl.DataFrame, scope: Scope) -> pl.DataFrame:
    """Every source row known by then as an incident of its own: nothing fused, no part joined."""
    told = reports.filter((pl.col("derived_from").list.len().fill_null(0) == 0) & (pl.col("known_at") <= scope.as_of))
    kept, _ = scope.apply(told)
    return kept.filter(pl.col("violence") == "one_sided").select(_COLUMNS)


def _window(reports: pl.DataFrame, scope: Scope, judgements: tuple[Judgement, ...]) -> pl.DataFrame:
    """Fused by the naive window rule instead of weighed likeness."""
    kept, _ = scope.apply(fuse(reports, method="window", as_of=scope.as_of, judgements=judgements).incidents)
    return kept.filter(pl.col("violence") == "one_sided").select(_COLUMNS)


def _unjudged(reports: pl.DataFrame, scope: Scope, judgements: tuple[Judgement, ...]) -> pl.DataFrame:
    """Fused without any person's judgement."""
    found = fuse(reports, as_of=scope.as_of, judgements=()).incidents if judgements else fuse(reports, as_of=scope.as_of).incidents
    kept, _ = scope.apply(found)
    return kept.filter(pl.col("violence") == "one_sided").select(_COLUMNS)


def _row(label: str, values: dict[str, Any], frame: pl.DataFrame, columns: tuple[Span, ...]) -> dict[str, Any]:
    counts = {s.key: _count(frame, s) for s in columns}
    signs = {key: (counts["window"] > counts[key]) - (counts["window"] < counts[key]) for key in BASELINES}
    low, best, high = _dead(frame, columns[0])
    killed: Message = ("killed_sum_range", {"n": best, "low": low, "high": high}) if low != high else ("killed_sum", {"n": best})
    return {
        "label": (label, values),
        "own": False,
        "cells": counts,
        "low": low,
        "best": best,
        "high": high,
        "killed": killed,
        "verdict": (f"verdict_{verdict(signs)}", {}),
    }


def _count(frame: pl.DataFrame, span: Span) -> float:
    n = within(frame, span).height
    return round(n * span.scale, 1) if span.scale != 1 else n


def _dead(frame: pl.DataFrame, span: Span) -> tuple[int, int, int]:
    dead = within(frame, span).select(
        pl.coalesce("killed_low", "killed").cast(pl.Int64).sum().alias("low"),
        pl.col("killed").cast(pl.Int64).sum(),
        pl.coalesce("killed_high", "killed").cast(pl.Int64).sum().alias("high"),
    )
    low, best, high = dead.row(0)
    return int(low or 0), int(best or 0), int(high or 0)
