"""What a replay tells, as tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.brief.replay.cover import Covered
from tocsin.brief.replay.dates import Dated, Rules
from tocsin.brief.replay.rivals import C1, C2, SCAN
from tocsin.brief.replay.spells import Spell
from tocsin.terms.tables import ATTACKS, LOOKS, RAISED, RIVALS, SIGNALS, Column, conform, empty

TOCSIN = "tocsin"
_YEAR = 365.25  # days
#: The rows of the rivals' table, in order.
METHODS = {
    TOCSIN: "tocsin",
    "cluster": "tocsin, clusters alone",
    "shift": "tocsin, shifts alone",
    SCAN: "permutation scan",
    C1: "EARS C1 per area",
    C2: "EARS C2 per area",
}
_NEVER = date(9999, 12, 31)

HINDSIGHT = (
    "Hindsight: these files hold no receipt history. Values are as their release knows them, not as known on the day. Which signals stood before an attack is "
    "told; no lead time is claimed."
)


class Tables(Protocol):
    """The tables of a replay."""

    @property
    def looks(self) -> pl.DataFrame: ...  # noqa: D102
    @property
    def rivals(self) -> pl.DataFrame: ...  # noqa: D102


class Told(NamedTuple):
    """The tables, and what the sentences need."""

    signals: pl.DataFrame
    looks: pl.DataFrame
    attacks: pl.DataFrame
    rivals: pl.DataFrame
    hindsight: bool
    no_toll: int  # incidents of the period whose toll is not known
    judged_later: int  # judgements signed after the end


def raised_table(found: Sequence[Spell], days: Sequence[date]) -> pl.DataFrame:
    """By RAISED, the earliest first."""
    names = [c.name for c in SIGNALS]
    return _made(
        [
            {
                **{c: s.rows[s.first][c] for c in names},
                "last_raised": days[s.last],
                "ended": days[s.last + 1] if s.last + 1 < len(days) else None,
                "looks": len(s.rows),
                "at_start": s.first == 0,
                "incidents": s.incidents,
            }
            for s in found
        ],
        RAISED,
        "raised",
    )


def looks_table(looked: Sequence[Dated], found: Sequence[Spell]) -> pl.DataFrame:
    """By LOOKS."""
    rows = []
    for n, made in enumerate(looked):
        alarms = {m: sum(a["kind"] == m for a in made.alarms) for m in (SCAN, C1, C2)}
        rows.append(made.counts | {"signals": len(made.signals), "new": sum(s.first == n for s in found)} | alarms)
    return _made(rows, LOOKS, "looks")


def attacks_table(incidents: pl.DataFrame, massive: pl.Series, cover: Mapping[str, Covered], *, hindsight: bool) -> pl.DataFrame:
    """By ATTACKS: those that are `massive`, in order."""
    plain = [c.name for c in ATTACKS if c.name in incidents.columns]
    rows = []
    for k in np.flatnonzero(massive.to_numpy()):
        row: dict[str, Any] = incidents.select(plain).row(int(k), named=True)
        own = cover[TOCSIN].by[k]
        row["signals"] = [s.rows[s.first]["signal_id"] for s in own]
        row["first_raised"] = own[0].rows[own[0].first]["first_raised"] if own else None
        for method, prefix in ((TOCSIN, ""), (SCAN, "scan_"), (C1, "c1_"), (C2, "c2_")):
            row[f"{prefix}lead_days"] = None if hindsight else cover[method].lead[k]
            if prefix:
                row[method] = bool(cover[method].by[k])
        row["lead_at_least"] = None if row["lead_days"] is None else cover[TOCSIN].at_least[k]
        rows.append(row)
    return _made(rows, ATTACKS, "attacks")


def rivals_table(
    found: Mapping[str, Sequence[Spell]], cover: Mapping[str, Covered], massive: pl.Series, rules: Rules, days: Sequence[date], *, hindsight: bool
) -> pl.DataFrame:  # fmt: skip
    """By RIVALS."""
    mass: NDArray[np.bool_] = massive.to_numpy()
    years = (days[-1] - days[0]).days / _YEAR
    rows = []
    for method, name in METHODS.items():
        if method not in found:
            continue
        new = sum(s.first > 0 for s in found[method])
        rows.append(
            {
                "method": name,
                "promised_per_year": rules.false_alarms * (0.5 if method in ("cluster", "shift") else 1.0),
                "at_start": len(found[method]) - new,
                "raised": new,
                "raised_per_year": new / years,
                "attacks": int(mass.sum()),
                "attacks_covered": cover[method].count(mass),
                "incidents": len(mass),
                "incidents_covered": cover[method].count(np.ones(len(mass), np.bool_)),
                "lead_days": None if hindsight else cover[method].median_lead(mass),
            }
        )
    return _made(rows, RIVALS, "rivals")


def _made(rows: list[dict[str, Any]], contract: tuple[Column, ...], name: str) -> pl.DataFrame:
    if not rows:
        return empty(contract)
    return conform(pl.DataFrame(rows, schema_overrides={c.name: c.dtype for c in contract}), contract, table=name)


def caveats(told: Told, reports: pl.DataFrame, span: tuple[date, date], start: date, mass: int) -> tuple[str, ...]:
    """What a reader must know before quoting a number; hindsight first."""
    first, last = span
    out = [HINDSIGHT] if told.hindsight else []
    looks = told.looks["as_of"]
    late = looks.filter(looks > last)
    if len(late):
        out.append(
            f"The last report became known on {last}: the {_many(len(late), 'look')} after it ({late[0]} to {late[-1]}) hear nothing new."
        )
    early = looks.filter(looks < first)
    if len(early):
        out.append(f"The first report became known on {first}: the {_many(len(early), 'look')} before it hold nothing.")
    elif (start - first) < timedelta(days=912):
        out.append(
            f"The first report became known on {first}, less than two and a half years before the first look: the early looks have less history than a look "
            "may use, and fewer of their tests can be made."
        )
    undated = reports.filter(pl.col("known_at") == _NEVER).height
    if undated:
        out.append(f"{_many(undated, 'report')} of {reports.height:,} say no day: no look holds them.")
    if told.judged_later:
        out.append(f"{_many(told.judged_later, 'judgement')} signed after the period not used: as if live, nobody had decided yet.")
    if told.no_toll:
        out.append(
            f"Of {_many(told.no_toll, 'incident')} in the period the toll is not known: none counts as a mass-casualty attack of {mass} dead."
        )
    tested, streams = (int(told.looks.sort("tested", "as_of")[c][told.looks.height // 2]) for c in ("tested", "streams"))
    out.append(
        f"At the middle look {tested} of {_many(streams, 'test')} could be made; for the others there were too few incidents. `tocsin watch` tells how large a "
        "change each could have seen."
    )
    doubtful = told.signals.filter(~pl.col("calibrated")).height
    if doubtful:
        out.append(
            f"{doubtful} of {_many(told.signals.height, 'signal')}: the rate of false alarms is not to be relied on; the note of each says why."
        )
    return (*out, "Attacks, their places and tolls are as known at the end of the period; signals are as known on their day.")


def summary(told: Tables) -> str:
    """What was promised and what was raised, in a sentence or two."""
    all_ = told.rivals.row(0, named=True)
    first, last, promised = told.looks["as_of"][0], told.looks["as_of"][-1], all_["promised_per_year"]
    text = (
        f"{_many(told.looks.height, 'look')} from {first} to {last} raised {_many(all_['raised'], 'signal')} in {_many((last - first).days, 'day')}, "
        f"{all_['raised_per_year']:.1f} a year, true and false; {promised:g} false {'one a year is' if promised == 1 else 'ones a year are'} promised."
    )
    if all_["at_start"]:
        text += f" {_many(all_['at_start'], 'more')} stood already at the first look."
    return text


def covering(told: Tables, mass: int) -> str:
    """How many of the attacks a signal covered, beside what chance would."""
    r = told.rivals.row(0, named=True)
    if not r["attacks"]:
        return f"No attack in the period killed {mass} or more."
    return (
        f"Before {r['attacks_covered']} of {_many(r['attacks'], 'attack')} that killed {mass} or more, a signal stood that names the attack's category, "
        f"area, actor or place. The same holds for {r['incidents_covered']} of all {_many(r['incidents'], 'incident')} in the period, large and small."
    )


def headline(row: Mapping[str, Any]) -> str:
    """A signal in a line."""
    whose = f" of {row['actor']}" if row["actor"] else ""
    if row["kind"] == "cluster":
        return f"Cluster{whose} at {row['category']}, {row['radius_km']:.0f} km around"
    way = "more" if row["log_odds"] > 0 else "less"
    what = "incidents" if row["measure"] == "count" else "deaths"
    return f"{_dimension(row['dimension'])} shifted{whose}: {way} {row['category']} (by {what})"


_WORDS = {"target_type": "targets", "target_group": "communities", "attack_type": "tactics", "weapon_type": "weapons", "actor": "actors", "area": "areas",
          "area_class": "kinds of area"}  # fmt: skip


def _dimension(name: str) -> str:
    return " by ".join(_WORDS[n] for n in name.split("+")).capitalize()


def _many(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 or what == "more" else "s")
