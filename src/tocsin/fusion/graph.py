"""Reports as arrays that grow, and the links between them: each pair is met and scored once, whoever sees the two."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.fusion.linkage import halves
from tocsin.fusion.members import ranks
from tocsin.fusion.model import Model
from tocsin.fusion.prepare import Numbers, fitting, prepare, sameness
from tocsin.kernels import linkage as kernel
from tocsin.kernels import live as lists

ROOM = 1 << 12
CHUNKS = 30  # pieces that ids may lie in: to put them together costs as much as there are
RECENT = 50_000  # reports that wait in the short lists before the long ones are made anew


def union(*several: NDArray[Any]) -> NDArray[np.int32]:
    """Numbers that are in any of these, sorted. Several times as fast as `np.union1d` where each is sorted already."""
    out = np.concatenate(several).astype(np.int32)
    out.sort(kind="stable")
    found: NDArray[np.int32] = out[np.append(True, out[1:] != out[:-1])] if len(out) else out
    return found


class Graph:
    """Events by number, in the order in which they came; no link depends on who may see it."""

    #: Arrays with a place a report that a kind of graph has of its own.
    _columns: tuple[str, ...] = ()

    def __init__(self, model: Model, declared: frozenset[str]) -> None:
        self.model, self.declared = model, declared
        self._numbers = Numbers()
        self._ids = pl.Series("report_id", [], dtype=pl.String)
        self._number: dict[str, int] = {}
        self._made: kernel.Reports | None = None
        self._longest = 0
        self._alike: tuple[NDArray[np.int8], ...] = ()
        self._n = 0  # reports so far; arrays have room for more
        self._usable, self._fresh, self._mark = (np.zeros(0, np.bool_) for _ in range(3))
        self._same = np.zeros(0, np.uint64)  # equal where all that is compared is
        self._exclusive = np.zeros(0, np.int64)
        self._place = np.zeros(0, np.int32)
        self._head = np.zeros(0, np.int64)
        self._following, self._other, self._weight, self._used = np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32), 0
        self._rough: kernel.Reports = kernel.Reports._make([np.zeros(0)] * 13)  # reports that know no month, and their numbers
        self._rough_at = np.zeros(0, np.int64)
        self._fits = np.zeros((0, 2), np.int64)  # one of these, and a report that fits it
        self._long: lists.Lists | None = None
        self._in_long = 0
        self._half = np.zeros(0, np.int64)

    def _take(self, frame: pl.DataFrame) -> NDArray[np.int32]:
        """Takes in events by the contract, none of which is there: their numbers."""
        n, more = self._n, frame.height
        new = np.arange(n, n + more, dtype=np.int32)
        if not more:
            return new
        self._grow(n + more)
        self._ids = pl.concat([self._ids, frame["report_id"]], rechunk=self._ids.n_chunks() > CHUNKS)
        self._number.update(zip(frame["report_id"], new.tolist(), strict=True))
        made, rows = prepare(frame, ranks(frame["report_id"]), self._numbers, self.declared)
        if self._made is None:
            self._made = kernel.Reports._make((*(np.zeros((len(self._usable), *x.shape[1:]), x.dtype) for x in made[:10]), *made[10:]))
        columns: list[tuple[Any, Any]] = list(zip(self._made[:10], made[:10], strict=True))
        for old, column in columns:
            old[n + rows] = column
        if any(len(a) != len(b) for a, b in zip(self._made[10:], made[10:], strict=True)) or not self._alike:
            self._alike = kernel.alike(made)
        self._made = kernel.Reports._make((*self._made[:10], *made[10:]))
        self._fit(frame, made, rows, n)
        self._longest = max(self._longest, int((made.end - made.start).max(initial=0)))
        self._usable[n + rows] = True
        self._same[n + rows] = sameness(made)
        declared = frame["agency"].is_in(list(self.declared)).to_numpy()
        self._exclusive[new] = np.where(declared, self._numbers.of("agency", frame["agency"]), -1)
        self._n += more
        return new

    def _fit(self, frame: pl.DataFrame, made: kernel.Reports, rows: NDArray[np.int64], n: int) -> None:
        """Pairs of the new reports, numbered from n, and those there: one knows no month, and the other fits it."""
        assert self._made is not None
        rough, which = prepare(frame, ranks(frame["report_id"]), self._numbers, self.declared, vague=True)
        pairs = [self._fits]
        if len(self._rough_at):
            found = fitting(made, self._rough)
            pairs.append(np.stack([self._rough_at[found[:, 0]], n + rows[found[:, 1]]], axis=1))
        if len(which):
            whole = kernel.Reports._make((*(x[: self._n + frame.height] for x in self._made[:10]), *rough[10:]))
            found = fitting(whole, rough)
            pairs.append(np.stack([n + which[found[:, 0]], found[:, 1]], axis=1))
            before = self._rough[:10] if len(self._rough_at) else rough[:10]
            parts: list[tuple[Any, Any]] = list(zip(before, rough[:10], strict=True))
            joined = [np.concatenate([a, b]) if len(self._rough_at) else b for a, b in parts]
            self._rough = kernel.Reports._make((*joined, *rough[10:]))
            self._rough_at = np.concatenate([self._rough_at, n + which])
        self._fits = np.concatenate(pairs)

    def _grow(self, size: int) -> None:
        if size <= len(self._usable):
            return
        size = max(size, 3 * len(self._usable) // 2)

        def larger(old: NDArray[Any], fill: Any = 0) -> NDArray[Any]:
            out = np.full((size, *old.shape[1:]), fill, old.dtype)
            out[: len(old)] = old
            return out

        for name in ("_usable", "_same", "_fresh", "_mark", "_exclusive", *self._columns):
            setattr(self, name, larger(getattr(self, name)))
        self._place, self._head = larger(self._place, -1), larger(self._head, -1)
        if self._made is not None:
            self._made = kernel.Reports._make((*(larger(x) for x in self._made[:10]), *self._made[10:]))

    def _meet(self, who: NDArray[np.int32], met: NDArray[np.int32], active: NDArray[np.bool_], floor: int) -> tuple[Any, Any]:
        """The candidates of `who` among the active: pairs whose score is above `floor`, and the scores; all are counted in `met`."""
        self._fresh[who] = True
        found = self._meet_in(self._there(active), who, met, active, floor)
        self._fresh[who] = False
        return found

    def _there(self, active: NDArray[np.bool_]) -> list[lists.Lists]:
        """The lists in which those who are active are looked up: of all that came long ago, and of those that came since."""
        assert self._made is not None
        provinces = int(self._made.province[: self._n].max(initial=-1)) + 1
        recent = np.arange(self._in_long, self._n, dtype=np.int32)
        recent = recent[self._usable[recent] & active[recent]]
        both = (self._long, lists.lists(self._made, recent, provinces))
        return [self._provinces(there, provinces) for there in both if there is not None]

    def _meet_in(
        self, several: list[lists.Lists], who: NDArray[np.int32], met: NDArray[np.int32], active: NDArray[np.bool_], floor: int
    ) -> tuple[Any, Any]:
        """As `_meet`; two that are `_fresh` meet where the later one is looked up, once, in however many goes."""
        pairs, scores = [], []
        for there in several:
            room = ROOM + 16 * len(who)
            while True:
                mine = np.zeros_like(met)
                pair, score = np.empty((room, 2), np.int32), np.empty(room, np.int32)
                fixed = (self._made, self._alike, there, self._longest, self.model.table, np.int32(floor))
                _, kept = lists.meet(*fixed, who, self._fresh, active, (pair, score, mine))
                if kept <= room:
                    break
                room = int(kept)
            met += mine
            pairs.append(pair[:kept])
            scores.append(score[:kept])
        return np.concatenate(pairs), np.concatenate(scores)

    @staticmethod
    def _provinces(there: lists.Lists, provinces: int) -> lists.Lists:
        """Lists with a place, empty, for provinces that were met later."""

        def longer(starts: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.concatenate([starts, np.full(provinces + 1 - len(starts), starts[-1])]) if len(starts) < provinces + 1 else starts

        return there._replace(province_starts=longer(there.province_starts), coarse_starts=longer(there.coarse_starts))

    def _hang(self, pair: NDArray[np.int32], score: NDArray[np.int32]) -> None:
        """Keeps pairs as links of both their reports."""
        need = self._used + 2 * len(score)
        if need > len(self._other):
            size = max(need, 3 * len(self._other) // 2)
            for name in ("_following", "_other", "_weight"):
                old = getattr(self, name)
                new = np.zeros(size, old.dtype)
                new[: len(old)] = old
                setattr(self, name, new)
        self._used = int(lists.join(pair, score, len(score), self._head, self._following, self._other, self._weight, self._used))

    def _index(self) -> None:
        """The long lists anew, once so many came that the short ones are no longer short; of all, for who does not stand for itself now may later."""
        if self._made is None or self._n - self._in_long < RECENT:
            return
        which = np.flatnonzero(self._usable[: self._n]).astype(np.int32)
        self._long = lists.lists(self._made, which, int(self._made.province[: self._n].max(initial=-1)) + 1)
        self._in_long = self._n

    def _enough(self, most: int) -> None:
        """Room for what a report with `most` candidates takes off each pair."""
        if most >= len(self._half):
            self._half = halves(2 * most + 1)
