"""replay(): history as if live. What would have been raised, when, and before which attacks; and what simpler methods would have raised beside it.

dates.py (one date: fuse, watch, rivals.py) -> kept.py (done dates) -> spells.py (joined in order) -> cover.py (attacks) -> tell.py (tables) -> page.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import polars as pl

from tocsin.brief.replay.cover import covered
from tocsin.brief.replay.dates import Dated, Rules, look_at
from tocsin.brief.replay.kept import Kept, fingerprint
from tocsin.brief.replay.outputs import write_outputs
from tocsin.brief.replay.rivals import C1, C2, SCAN
from tocsin.brief.replay.spells import Spell, spells
from tocsin.brief.replay.tell import TOCSIN, Told, attacks_table, caveats, looks_table, raised_table, rivals_table
from tocsin.engine import ENGINES, mapped
from tocsin.errors import OptionError
from tocsin.fusion import Judgement, load
from tocsin.terms.tables import REPORTS, conform
from tocsin.watch.known import known
from tocsin.watch.plan import PAIRS, cadence

__all__ = ["Replay", "replay"]

NEVER = date(9999, 12, 31)
Progress = Callable[[int, int], None]  # looks done, in all


@dataclass(frozen=True)
class Replay:
    """What replay() found."""

    signals: pl.DataFrame  # by RAISED: each as it was when it was first raised, and how long it stood
    looks: pl.DataFrame  # by LOOKS: a row a date
    attacks: pl.DataFrame  # by ATTACKS: the mass-casualty attacks, and what stood before each
    rivals: pl.DataFrame  # by RIVALS: a row a method, side by side
    hindsight: bool  # no receipt history: no lead time is claimed
    caveats: tuple[str, ...]
    page: Path | None  # replay.html, where `out` was given

    @property
    def missed(self) -> pl.DataFrame:
        """The attacks before which no signal stood."""
        return self.attacks.filter(pl.col("signals").list.len() == 0)


def replay(
    reports: Any,
    *,
    start: date,
    end: date,
    every: str | int = "7d",
    mass: int = 10,
    kinds: Sequence[str] = ("cluster", "shift"),
    false_alarms_per_year: float = 1.0,
    violence: Sequence[str] = ("one_sided",),
    watched: int = 182,
    pairs: Sequence[tuple[str, str]] = PAIRS,
    actors: Sequence[str] | None = None,
    judgements: Iterable[Judgement] | None = None,
    seed: int = 0,
    engine: str = "here",
    out: str | PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Replay:
    """History as if live: which signals would have been raised when, and before which mass-casualty attacks.

    reports: any table with an Arrow stream and the columns of `reports`. At start, and then every so many days up to end, the reports known by then are fused
    anew and watched; nothing that became known later is used, judgements signed later included. mass: dead from which on an attack counts as mass-casualty.
    Options of the same name are watch()'s. A permutation scan and EARS C1 and C2 look on the same days, at the same promised rate of false alarms. engine:
    `here`, or `spark`, a date a task. out: a folder for signals.parquet and .csv, looks.csv, attacks.csv, rivals.csv, replay.html and run.json; the dates done
    are kept there in looks/, and a run that was stopped goes on. The order of the rows does not matter.

    From hindsight (reports without receipt history) no lead time is claimed: lead_days is null. Raises `OptionError` for options that make no sense or a period
    in which no report became known, `ContractError` for a table that is not reports.
    """
    table = conform(pl.DataFrame(reports), REPORTS, table="reports")
    days = dates(start, end, every)
    if mass < 1:
        raise OptionError(f"mass {mass} makes no sense: give the dead from which on an attack counts, 10 is usual")
    if engine not in ENGINES:
        raise OptionError(f"engine {engine!r} is none of {', '.join(ENGINES)}")
    span = _known_days(table, start, end)
    decided = tuple(load() if judgements is None else judgements)
    usual = Rules(cadence(every), _several(kinds), false_alarms_per_year, _several(violence), watched,
                  tuple(pairs), None if actors is None else tuple(actors), seed, decided)  # fmt: skip
    plan = usual.plan(end)  # what is wrong with the options is said before the work
    rules = Rules(**{**vars(usual), "kinds": plan.kinds, "violence": plan.violence, "pairs": plan.pairs, "actors": plan.actors})
    folder = None if out is None else Path(out)
    done = _looked(table, rules, days, engine, folder, progress)
    told = _told(table, rules, [done[d] for d in days], end, mass)
    notes = caveats(told, table, span, start, mass)
    page = None
    if folder is not None:
        page = write_outputs(folder, told, notes, table, _options(rules, start, end, mass))
    return Replay(told.signals, told.looks, told.attacks, told.rivals, told.hindsight, notes, page)


def dates(start: date, end: date, every: str | int) -> list[date]:
    """The days that are looked from. Raises `OptionError` where there would be no two of them."""
    step = cadence(every)
    if start > end:
        raise OptionError(f"the period starts on {start}, after its end {end}: give the earlier day first")
    if (end - start).days < step:
        raise OptionError(
            f"a look every {step} days is longer than the period of {(end - start).days} days from {start} to {end}: give a longer period, look more "
            "often, or take one look with `tocsin watch`"
        )
    return [start + timedelta(days=k) for k in range(0, (end - start).days + 1, step)]


def _several(given: Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _known_days(table: pl.DataFrame, start: date, end: date) -> tuple[date, date]:
    """The first and the last day on which a report became known. Raises `OptionError` where none did in the period."""
    day = table.select(pl.coalesce(pl.col("received_at").dt.date(), "known_at")).to_series()
    day = day.filter(day < NEVER)
    if day.is_empty():
        raise OptionError(
            f"none of {table.height} reports is dated, so there is no history to replay: see issues.csv of `tocsin read` for what went wrong"
        )
    first, last = day.min(), day.max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    if not day.is_between(start, end).any():
        raise OptionError(
            f"no report became known from {start} to {end}; the reports became known from {first} to {last}: give a period in them"
        )
    return first, last


def _looked(
    table: pl.DataFrame, rules: Rules, days: list[date], engine: str, out: Path | None, progress: Progress | None
) -> dict[date, Dated]:
    """Every date, those that are kept from an earlier run as they are."""
    kept = Kept(out, fingerprint(table, rules) if out is not None else "")
    done = kept.load(days)
    todo = [d for d in days if d not in done]
    if progress:
        progress(len(days) - len(todo), len(days))
    for made in mapped(partial(look_at, table, rules), todo, engine):
        kept.add(made)
        done[made.day] = made
        if progress:
            progress(len(done), len(days))
    return done


def _told(table: pl.DataFrame, rules: Rules, looked: list[Dated], end: date, mass: int) -> Told:
    """The dates joined in order, and set against what happened, as it was known at the end."""
    days = [d.day for d in looked]
    found: dict[str, list[Spell]] = {TOCSIN: spells((d.day, d.signals) for d in looked)}
    for method in (SCAN, C1, C2):
        found[method] = spells((d.day, [a for a in d.alarms if a["kind"] == method]) for d in looked)
    incidents = known(rules.fused(table, end), rules.plan(end)).incidents
    incidents = incidents.filter(pl.col("event_start") > days[0]).sort("event_start", "incident_id")
    cover = {method: covered(own, incidents, days) for method, own in found.items()}
    if "cluster" in rules.kinds and "shift" in rules.kinds:
        for kind in rules.kinds:
            found[kind] = [s for s in found[TOCSIN] if s.rows[s.first]["kind"] == kind]
            cover[kind] = covered(found[kind], incidents, days)
    hindsight = bool(table["hindsight"].any())
    massive = (incidents["killed"] >= mass).fill_null(False)
    return Told(
        raised_table(found[TOCSIN], days),
        looks_table(looked, found[TOCSIN]),
        attacks_table(incidents, massive, cover, hindsight=hindsight),
        rivals_table(found, cover, massive, rules, days, hindsight=hindsight),
        hindsight,
        incidents["killed"].null_count(),
        sum(j.signed > end for j in rules.judgements),
    )


def _options(rules: Rules, start: date, end: date, mass: int) -> dict[str, Any]:
    """The options of this run, as run.json keeps them."""
    return {
        "start": start, "end": end, "every": rules.every, "mass": mass, "kinds": rules.kinds, "false_alarms_per_year": rules.false_alarms,
        "violence": rules.violence, "watched": rules.watched, "pairs": rules.pairs, "actors": rules.actors, "seed": rules.seed,
        "judgements": [j.id for j in rules.judgements],
    }  # fmt: skip
