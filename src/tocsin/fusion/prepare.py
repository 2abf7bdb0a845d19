"""Reports as arrays for the kernels: days, places, and texts as numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.kernels import linkage as kernel
from tocsin.terms.actors import above
from tocsin.terms.tables import VIOLENCE

#: Days that an interval may have: what is known less well joins nothing by its place and time.
LONGEST = 31
#: Stands for a day that is not known.
NEVER = np.iinfo(np.int32).min
_KINDS = {k: -1 if k == "unknown" else n for n, k in enumerate(VIOLENCE)}
_CODES = ("attack_type", "target_type", "actor")

#: Reports of one agency, equal in all that is compared, beyond which the first stands for all.
STACK = 50

Ints = NDArray[np.int32]


class Numbers:
    """Texts as numbers from 0, only good to tell equal from unequal; kept from call to call."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, int]] = defaultdict(dict)
        self._steps: dict[str, list[list[int]]] = {name: [[-1] * kernel.DEPTH] for name in _CODES}

    def of(self, column: str, texts: pl.Series) -> Ints:
        """The number of each text of a column; null is -1."""
        which, distinct = _kinds(texts)
        known = self._known[column]
        return np.append([known.setdefault(t, len(known)) for t in distinct], -1).astype(np.int32)[which]

    def codes(self, column: str, texts: pl.Series) -> Ints:
        """The row of each code in `steps(column)`; 0 for null."""
        which, distinct = _kinds(texts)
        known, table = self._known[column], self._steps[column]
        parts = self._known[f"{column}, steps"]
        for code in distinct:
            if code not in known:
                path = (code if "/" in code or column != "actor" else "/".join(reversed(above(code)))).split("/")[: kernel.DEPTH]
                steps = ["/".join(path[: k + 1]) for k in range(len(path))]
                table.append([parts.setdefault(s, len(parts)) for s in steps] + [-1] * (kernel.DEPTH - len(steps)))
                known[code] = len(table) - 1
        return np.append([known[t] for t in distinct], 0).astype(np.int32)[which]

    def steps(self, column: str) -> Ints:
        """The steps of each code so far, (distinct + 1, DEPTH), broad to narrow; -1 beyond its end."""
        return np.array(self._steps[column], np.int32)

    def provinces(self, reports: pl.DataFrame) -> Ints:
        """The number of each report's province, whatever its letters' case; -1 where none is named."""
        (country, names), (admin1, areas) = _kinds(reports["country"]), _kinds(reports["admin1"])
        both = np.where((country < 0) | (admin1 < 0), -1, country * (len(areas) + 1) + admin1)
        met = np.zeros(int(both.max(initial=-1)) + 2, np.bool_)  # the last place is for what has none
        met[both] = True
        met[-1] = False
        known, pairs = self._known["province"], np.flatnonzero(met)
        numbers = np.full(len(met), -1, np.int32)
        texts = [f"{names[int(k) // (len(areas) + 1)]}|{areas[int(k) % (len(areas) + 1)].lower()}" for k in pairs]
        numbers[pairs] = [known.setdefault(t, len(known)) for t in texts]
        return numbers[both]


def _kinds(texts: pl.Series) -> tuple[Ints, pl.Series]:
    """(the number of each text among the distinct ones, -1 for null; the distinct ones)."""
    number = texts.cast(pl.Categorical(pl.Categories.random())).to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
    first = np.zeros(int(number.max(initial=-1)) + 2, np.int64)  # the last place is for null
    first[number[::-1]] = np.arange(len(number))[::-1]
    return number, texts.gather(first[:-1])


def numbered(texts: pl.Series) -> Ints:
    """Texts as numbers; null is -1."""
    return _kinds(texts)[0]


def prepare(
    reports: pl.DataFrame, place: Ints, numbers: Numbers | None = None, declared: Collection[str] = (), *, vague: bool = False
) -> tuple[kernel.Reports, NDArray[np.int64]]:
    """(arrays in the order of first day and id, the row of `reports` that each came from); reports too vague in time are left out.

    `reports` has the columns of the contract; place: the rank of each one's id; numbers: of texts met before; declared: agencies that
    report an incident once; vague: those that are
    left out otherwise, of which a day is known at all.
    """
    numbers = numbers or Numbers()
    start, end = (reports[c].cast(pl.Int32).fill_null(NEVER).to_numpy() for c in ("event_start", "event_end"))
    rows = np.flatnonzero((start != NEVER) & (end != NEVER) & ((end - start > LONGEST) == vague))
    rows = rows[np.argsort(start[rows].astype(np.int64) << 32 | place[rows], kind="stable")]

    def column(values: pl.Series, missing: Any = None) -> NDArray[Any]:
        return np.ascontiguousarray((values if missing is None else values.fill_null(missing)).to_numpy()[rows])

    lat = column(reports["lat"], np.nan)
    radius = np.searchsorted(kernel.RADII, column(reports["radius_km"], kernel.RADII[-1] + 1)).astype(np.int8)
    radius[np.isnan(lat)] = len(kernel.RADII)
    agency = numbers.of("agency", reports["agency"])
    if declared:
        agency = np.where(reports["agency"].is_in(list(declared)).fill_null(False).to_numpy(), -2 - agency, agency).astype(np.int32)
    tolls = (pl.coalesce("killed", "killed_low"), pl.col("wounded"))
    made = kernel.Reports(
        start[rows],
        end[rows],
        lat,
        column(reports["lon"], np.nan),
        radius,
        numbers.provinces(reports)[rows],
        column(reports["violence"].replace_strict(_KINDS, return_dtype=pl.Int8)),
        agency[rows],
        np.stack([numbers.codes(name, reports[name])[rows] for name in _CODES], axis=1),
        np.stack([column(reports.select(t).to_series().cast(pl.Int32), -1) for t in tolls], axis=1),
        *(numbers.steps(name) for name in _CODES),
    )
    return made, rows


def sameness(made: kernel.Reports) -> NDArray[np.uint64]:
    """A number for each report, equal where all that is compared is; 0 where the agency is declared to report an incident once."""
    key = np.zeros(len(made.start), np.uint64)
    columns = [made.start, made.end, made.lat, made.lon, made.radius, made.province, made.kind, made.agency, *made.codes.T, *made.tolls.T]
    for column in columns:
        bits = (column + 0.0).view(np.uint64) if column.dtype == np.float64 else column.astype(np.int64).view(np.uint64)
        key = (key ^ bits) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return np.asarray(np.where(made.agency < -1, np.uint64(0), key))


def fitting(made: kernel.Reports, vague: kernel.Reports) -> NDArray[np.int64]:
    """Pairs (a vague one, one of the others) of one actor, one toll and one place, (m, 2): all that joins a report that knows no month.

    Both name the actor and at least one dead, and know their point better than the district; the days of the one lie within those of the other.
    """
    told = [(r.codes[:, 2] > 0) & (r.tolls[:, 0] > 0) & (r.radius < kernel.DISTRICT) for r in (made, vague)]
    wanted = np.unique(vague.codes[told[1], 2].astype(np.int64) << 32 | vague.tolls[told[1], 0])
    known = np.flatnonzero(told[0])
    key = made.codes[known, 2].astype(np.int64) << 32 | made.tolls[known, 0]
    some = np.flatnonzero(np.isin(key, wanted))
    order = some[np.argsort(key[some], kind="stable")]
    key, known = key[order], known[order]
    out = [np.empty((0, 2), np.int64)]
    for v in np.flatnonzero(told[1]):
        mine = np.int64(vague.codes[v, 2]) << 32 | vague.tolls[v, 0]
        who = known[np.searchsorted(key, mine) : np.searchsorted(key, mine, side="right")]
        who = who[(made.start[who] <= vague.end[v]) & (made.end[who] >= vague.start[v])]
        who = who[(made.kind[who] == vague.kind[v]) | (made.kind[who] < 0) | (vague.kind[v] < 0)]
        who = who[(made.agency[who] != vague.agency[v]) | (vague.agency[v] >= -1)]
        who = who[kernel.apart(made.lat[who], made.lon[who], vague.lat[v], vague.lon[v]) <= kernel.NEAR_KM]
        out.append(np.stack([np.full(len(who), v), who], axis=1))
    return np.concatenate(out)


def only(pairs: NDArray[np.int64], labels: NDArray[np.int64]) -> dict[int, int]:
    """For each first of the pairs whose seconds all have one label: that label."""
    found: dict[int, set[int]] = {}
    for v, who in pairs.tolist():
        found.setdefault(v, set()).add(int(labels[who]))
    return {v: next(iter(which)) for v, which in found.items() if len(which) == 1}
