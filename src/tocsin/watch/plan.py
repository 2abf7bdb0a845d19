"""What a look looks at, how often, and how the false alarms of a year are shared out among what it looks at."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import polars as pl

from tocsin.engine import ENGINES
from tocsin.errors import OptionError
from tocsin.terms.tables import SIGNAL_KIND, VIOLENCE
from tocsin.watch.shared import Shared

#: Columns whose mix is watched.
DIMENSIONS = ("target_type", "target_group", "attack_type", "weapon_type", "actor", "area", "area_class")
PAIRS = (("target_group", "area_class"),)
#: Days that are looked back on before the watched ones; the last days in which a cluster is looked for.
HISTORY, RECENT = 730, 30
_LEAST, _MOST = 999, 19_999  # simulations
_YEAR = 365.25  # days
#: Of the watched days, how long a false shift stays raised, by watching quiet data for years (docs/methods/watch.md).
_STAYS = 0.4
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Plan:
    """The options of a look. Days are numbers since 1970-01-01."""

    as_of: date
    every: int  # days
    looks: int  # that are watched
    kinds: tuple[str, ...]
    violence: tuple[str, ...]
    false_alarms: float  # a year
    pairs: tuple[tuple[str, str], ...]
    actors: tuple[str, ...] | None  # None: those with enough incidents
    seed: int
    engine: str
    shared: Shared | None = field(default=None, repr=False, compare=False)  # with looks before and after this one
    sensitivity: bool = True  # whether it is asked what would have been seen

    @property
    def until(self) -> int:
        """The day after the last."""
        return day_number(self.as_of) + 1

    @property
    def budget(self) -> float:
        """False alarms a year of one kind."""
        return self.false_alarms / len(self.kinds)

    @property
    def _raised(self) -> float:
        """Days that a false shift stays raised, on average: chance brings as many new ones as are raised at a time, over this."""
        return max(self.every, _STAYS * self.looks * self.every)

    def level(self, kind: str, streams: int) -> float:
        """The greatest p-value that is a signal, where so many streams of a kind are looked at."""
        own = self.budget / max(1, streams)
        if kind == "cluster":
            return min(0.5, own * self.every / _YEAR)
        return min(0.5, -math.expm1(-own * self._raised / _YEAR))

    def rate(self, kind: str, streams: int, p_value: float) -> float:
        """False alarms a year of the whole run if every limit stood where this p-value just passes."""
        share = max(1, streams) * len(self.kinds)
        if kind == "cluster":
            return p_value * _YEAR / self.every * share
        return math.inf if p_value >= 1 else -math.log1p(-p_value) * _YEAR / self._raised * share


def made(
    as_of: date,
    *,
    every: str | int,
    kinds: Sequence[str],
    violence: Sequence[str],
    watched: int,
    false_alarms: float,
    pairs: Sequence[tuple[str, str]],
    actors: Sequence[str] | None,
    seed: int,
    engine: str,
    shared: Shared | None = None,
    sensitivity: bool = True,
) -> Plan:
    """A plan from options as they are given. Raises `OptionError` that names the one that makes no sense."""
    if not isinstance(as_of, date):
        raise OptionError(f"as_of {as_of!r} is no day: give a date")
    days = cadence(every)
    kinds, violence = _chosen("kinds", kinds, SIGNAL_KIND), _chosen("violence", violence, VIOLENCE)
    if not 0 < false_alarms <= 1000:
        raise OptionError(f"false_alarms_per_year {false_alarms} makes no sense: give a number above 0, 1 is usual")
    if not days <= watched <= 3650:
        raise OptionError(f"watched {watched}: give a number of days from one look ({days} days) to 3650")
    for pair in pairs:
        if len(pair) != 2 or pair[0] == pair[1] or not set(pair) <= set(DIMENSIONS):
            raise OptionError(f"pairs {tuple(pair)}: a pair is two different ones of {', '.join(DIMENSIONS)}")
    if engine not in ENGINES:
        raise OptionError(f"engine {engine!r} is none of {', '.join(ENGINES)}")
    wanted = None if actors is None else tuple(dict.fromkeys(actors))
    return Plan(
        as_of,
        days,
        watched // days,
        kinds,
        violence,
        false_alarms,
        tuple((a, b) for a, b in pairs),
        wanted,
        seed,
        engine,
        shared,
        sensitivity,
    )


def cadence(every: str | int) -> int:
    """Days between two looks, from a number, `7d` or `2w`."""
    found = re.fullmatch(r"(\d+)([dw]?)", str(every).strip())
    days = int(found[1]) * (7 if found[2] == "w" else 1) if found else 0
    if not 1 <= days <= 366:
        raise OptionError(f"every {every!r} is no time between two looks: give days or weeks, such as 1d, 7d or 2w")
    return days


def _chosen(name: str, given: Sequence[str], known: tuple[str, ...]) -> tuple[str, ...]:
    """Each once, in the order in which they are known."""
    given = (given,) if isinstance(given, str) else tuple(given)
    if strange := [x for x in given if x not in known]:
        raise OptionError(f"{name} {strange[0]!r} is none of {', '.join(known)}")
    if not given:
        raise OptionError(f"{name} is empty: give one or more of {', '.join(known)}")
    return tuple(x for x in known if x in given)


def replications(level: float) -> int:
    """Simulations that reach a level with one to spare. Raises `OptionError` where that takes too many."""
    if level * (1 + _MOST) < 1:
        raise OptionError(
            f"a limit of p {level:.2g} takes more than {_MOST:,} simulations a stream: allow more false alarms a year, look less often, "
            "or look at fewer kinds, actors and pairs"
        )
    return min(_MOST, max(_LEAST, 2 * math.ceil(1 / level) - 1))


def latest(table: pl.DataFrame) -> date | None:
    """The last as_of of a table."""
    day = table["as_of"].max()
    return day if isinstance(day, date) else None


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def as_day(number: int) -> date:
    """The date of a day's number."""
    return _EPOCH + timedelta(days=int(number))
