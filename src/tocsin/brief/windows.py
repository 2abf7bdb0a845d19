"""The window and its three baselines: how many incidents, whose dead, and whether the baselines agree.

Kinds of violence are never summed together. An incident that a source split by kind is counted once, under the kind that killed most; its dead are
counted under the kind of the row that gives them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from tocsin.terms.tables import VIOLENCE

LABELS = {
    "one_sided": "One-sided: attacks on civilians",
    "state_based": "State-based: a government and its armed opponents",
    "non_state": "Non-state: armed groups and communities",
    "interstate": "Between governments",
    "unknown": "Kind not stated",
}

BASELINES = ("before", "year_before", "year_rate")


@dataclass(frozen=True)
class Span:
    """A stretch of days, both ends included; `scale` brings its counts to the window's length."""

    key: str
    label: str
    start: date
    end: date
    scale: float = 1.0

    @property
    def days(self) -> int:
        """Its length in days."""
        return (self.end - self.start).days + 1


def spans(as_of: date, days: int) -> tuple[Span, ...]:
    """The window of `days` that ends on as_of, the window before, the same dates a year before, and the rate of the year before the window."""
    start = as_of - timedelta(days=days - 1)
    year = timedelta(days=365)
    return (
        Span("window", "window", start, as_of),
        Span("before", "before", start - timedelta(days=days), start - timedelta(days=1)),
        Span("year_before", "year before", start - year, as_of - year),
        Span("year_rate", "year's rate", start - year, start - timedelta(days=1), days / 365),
    )


def within(incidents: pl.DataFrame, span: Span) -> pl.DataFrame:
    """Incidents whose last possible day lies in the span."""
    return incidents.filter(pl.col("event_end").is_between(span.start, span.end))


def table(incidents: pl.DataFrame, columns: tuple[Span, ...]) -> list[dict[str, Any]]:
    """A line for each kind of violence that occurs in any span, the default series first."""
    units = _units(incidents)
    rows = []
    for kind in VIOLENCE:
        cells = {s.key: _cell(incidents, units, kind, s) for s in columns}
        if not any(c["incidents"] or c["killed"] for c in cells.values()):
            continue
        now = cells["window"]["incidents"]
        signs = {key: (now > cells[key]["incidents"]) - (now < cells[key]["incidents"]) for key in BASELINES}
        rows.append(
            {
                "violence": kind,
                "label": LABELS[kind],
                "default": kind == "one_sided",
                "cells": cells,
                "signs": signs,
                "verdict": verdict(signs),
            }
        )
    return rows


def cells(incidents: pl.DataFrame, kind: str, columns: tuple[Span, ...]) -> dict[str, dict[str, Any]]:
    """The counts of one kind of violence, by column."""
    units = _units(incidents)
    return {s.key: _cell(incidents, units, kind, s) for s in columns}


def verdict(signs: dict[str, int]) -> str:
    """What the three baselines say together; never that chance is ruled out."""
    distinct = set(signs.values())
    if distinct == {1}:
        return "more than all three"
    if distinct == {-1}:
        return "fewer than all three"
    return "no change" if distinct == {0} else "cannot be told"


def _units(incidents: pl.DataFrame) -> pl.DataFrame:
    """One line for each incident, or for each part of a split one, with the dead by whose they are."""
    columns = ["violence", "side_a", "side_b", "killed_low", "killed", "killed_high", "killed_civilians", "killed_a", "killed_b"]
    split = pl.col("parts").list.len() > 0
    whole = incidents.filter(~split).select("event_end", pl.col("violence").cast(pl.String), *columns[1:])
    parts = incidents.filter(split).select("event_end", "parts").explode("parts").unnest("parts").select("event_end", *columns)
    both = pl.concat([whole, parts])
    state = {s: pl.col(f"side_{s}").str.starts_with("Government of ").fill_null(False) for s in "ab"}
    sided = pl.col("side_a").is_not_null() | pl.col("side_b").is_not_null()

    def dead(of_state: bool) -> pl.Expr:
        terms = [pl.when(state[s] == of_state).then(pl.col(f"killed_{s}").cast(pl.Int64).fill_null(0)).otherwise(0) for s in "ab"]
        known = sided & (pl.col("killed_a").is_not_null() | pl.col("killed_b").is_not_null())
        return pl.when(known).then(terms[0] + terms[1])

    return both.with_columns(own_forces=dead(True), opponents=dead(False))


def _sum(what: str | pl.Expr) -> pl.Expr:
    """Of numbers of 32 bits, whose sum may need more."""
    return (pl.col(what) if isinstance(what, str) else what).cast(pl.Int64).sum()


def _cell(incidents: pl.DataFrame, units: pl.DataFrame, kind: str, span: Span) -> dict[str, Any]:
    mine = within(incidents, span).filter(pl.col("violence") == kind)
    dead = within(units, span).filter(pl.col("violence") == kind)
    high = pl.coalesce("killed_high", "killed")
    sums = dead.select(
        _sum("killed"),
        _sum(pl.coalesce("killed_low", "killed")).alias("killed_low"),
        _sum(high).alias("killed_high"),
        _sum("killed_civilians"),
        _sum("own_forces"),
        _sum("opponents"),
        pl.col("killed").null_count().alias("toll_unknown"),
        pl.col("killed_civilians").null_count().alias("civilians_unknown"),
        pl.col("own_forces").null_count().alias("sides_unknown"),
    ).row(0, named=True)
    with_toll = dead.height - sums["toll_unknown"]
    cell: dict[str, Any] = {k: round(float(v) * span.scale, 1) if span.scale != 1 else int(v) for k, v in sums.items()}
    cell["incidents"] = round(mine.height * span.scale, 1) if span.scale != 1 else mine.height
    cell["deaths_per_attack"] = round(sums["killed"] / with_toll, 1) if with_toll else None
    return cell
