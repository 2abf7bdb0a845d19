"""Which incidents a signal names before they happen: those of its category, area or actor, or at a place within its circle.

A signal covers an incident if the last look before the incident's first possible day raised it. What fell (less of a category) covers nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.brief.replay.spells import Spell
from tocsin.kernels.geo import haversine_km
from tocsin.watch.places import vague_place
from tocsin.watch.streams import PLACE, Stream

#: Kilometres beyond a circle's farthest place: points so near are one place, as watch takes them.
NEAR = 5.0


class Covered(NamedTuple):
    """What spells covered, incident by incident."""

    by: list[list[Spell]]  # the earliest first
    lead: list[int | None]  # days from when the earliest was first raised
    at_least: list[bool]  # the first look of all raised it

    def count(self, of: NDArray[np.bool_]) -> int:
        """How many of these incidents are covered."""
        return sum(bool(s) for s, mine in zip(self.by, of, strict=True) if mine)

    def median_lead(self, of: NDArray[np.bool_]) -> float | None:
        """Of these incidents, those that are covered."""
        days = [x for x, mine in zip(self.lead, of, strict=True) if mine and x is not None]
        return float(median(days)) if days else None


def covered(spells: Sequence[Spell], incidents: pl.DataFrame, days: Sequence[date]) -> Covered:
    """incidents: as watch's known() gives them. days: of the looks."""
    before = [bisect_left(days, d) - 1 for d in incidents["event_start"].to_list()]  # the last look before each
    of = np.array(before)
    by: list[list[Spell]] = [[] for _ in before]
    for spell in spells:
        for n, row in spell.rows.items():
            week = np.flatnonzero(of == n)
            named = names(row, incidents[week])
            for k in week[named]:
                by[int(k)].append(spell)
    lead: list[int | None] = []
    for spelled, day in zip(by, incidents["event_start"].to_list(), strict=True):
        spelled.sort(key=lambda s: (s.first, s.rows[s.first]["signal_id"]))
        lead.append((day - days[spelled[0].first]).days if spelled else None)
    return Covered(by, lead, [bool(s) and s[0].first == 0 for s in by])


def names(row: dict[str, Any], incidents: pl.DataFrame) -> NDArray[np.bool_]:
    """Which incidents a signal, as it is at one look, names."""
    stream = Stream(row["kind"], row["violence"], row["dimension"], row["actor"])
    own = stream.of(incidents)
    if row["log_odds"] <= 0 or own.is_empty():
        return np.zeros(incidents.height, np.bool_)
    if row["dimension"] == PLACE:
        own = own.filter(~vague_place())
        at = own.select("lat", "lon").to_numpy()
        middle = np.broadcast_to([row["lat"], row["lon"]], at.shape)
        own = own.filter(pl.Series(haversine_km(at[:, 0], at[:, 1], middle[:, 0], middle[:, 1]) <= row["radius_km"] + NEAR))
    else:
        own = own.filter(stream.category() == row["category"])
    return incidents["incident_id"].is_in(own["incident_id"].implode()).to_numpy()
