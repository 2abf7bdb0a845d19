"""Who takes part in clusters, for which audience: a bit an audience, in arrays by report.

A report stands for itself for those who see it, see no correction of it and nothing that it was taken out of; of more than `STACK` that are the same, the first
by id stands for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.errors import OptionError
from tocsin.fusion.graph import Graph, union
from tocsin.fusion.judgements import Judgement, named, standing
from tocsin.fusion.linkage import CROWD
from tocsin.fusion.members import ranks
from tocsin.fusion.model import Model, default_model
from tocsin.fusion.prepare import STACK
from tocsin.kernels.correlate import NO_MARGIN

EVERY = 0  # the audience that all agencies share
MOST = 63  # audiences
ONE = np.uint64(1)
NO_LABEL = -2

Numbers = NDArray[np.int32]


class Taking(Graph):
    """Reports, who sees them and for whom they take part. audiences: their names, the first that of all, whose reports all of them see."""

    _columns = (
        "_sees",
        "_own",
        "_event",
        "_active",
        "_before",
        "_counts",
        "_common",
        "_shared",
        "_touched",
        "_agency",
        "_label",
        "_margin",
        "_tied",
    )

    def __init__(self, audiences: Sequence[str], *, judgements: Iterable[Judgement] = (), model: Model | None = None) -> None:
        super().__init__(model or default_model(), frozenset())
        self._enough(CROWD)
        self.audiences: list[str] = []
        self._sees, self._own, self._active, self._before, self._touched = (np.zeros(0, np.uint64) for _ in range(5))
        self._event, self._agency = np.zeros(0, np.bool_), np.zeros(0, np.int32)
        self._counts = np.zeros((0, 0), np.int32)  # candidates that each audience sees
        self._common = np.zeros(0, np.int32)  # candidates that take part for EVERY
        self._shared = np.zeros((0, 0), np.int16)  # the number that weighs: see `_weighing`
        self._label, self._margin = np.zeros(0, np.int64), np.zeros(0, np.int64)  # for EVERY, as they were last
        self._corrects: dict[int, int] = {}
        self._corrected: dict[int, list[int]] = {}  # by whom
        self._from: dict[int, list[int]] = {}  # what a report was taken out of
        self._waiting: dict[str, list[tuple[int, bool]]] = {}  # reports that point at one that is not here; whether they correct it
        self._bonds: dict[int, set[int]] = {}  # those of one fate: corrected, taken out of, judged, or fitting one that knows no month
        self._tied = np.zeros(0, np.bool_)  # whether one has a bond, or is in a stack
        self._fitted = 0
        self._met = 0  # reports that have met all others
        self._how_many: dict[int, int] = {}  # by sameness
        self._crowded: set[int] = set()  # sameness of more than STACK
        self._stacks: dict[int, dict[int, Numbers]] = {}  # by sameness, by audience: the one that stands for the others, and these
        self.judgements = tuple(judgements)
        self._decided = standing(self.judgements)
        for name in audiences:
            self.widen(name)

    def widen(self, name: str) -> None:
        """One more audience, that sees what every one does. Raises `OptionError` beyond 63."""
        if len(self.audiences) >= MOST:
            raise OptionError(f"a hub fuses for at most {MOST - 1} agencies: {name} is one more")
        v = np.uint64(len(self.audiences))
        for x in (self._sees, self._active, self._before):
            x |= (x & ONE) << v
        for column in ("_counts", "_shared"):
            old = getattr(self, column)
            setattr(self, column, np.concatenate([old, old[:, :1] if v else np.zeros((len(old), 1), old.dtype)], axis=1))
        self.audiences.append(name)

    def number_of(self, report_id: str) -> int | None:
        """The number of a report that is here."""
        return self._number.get(report_id)

    def _admit(self, frame: pl.DataFrame) -> None:
        """Takes in reports that are not here, whoever sees them."""
        if frame.is_empty():
            return
        n = self._n
        new = self._take(frame)
        self._event[new] = (frame["kind"] == "event").to_numpy()
        self._usable[new] &= self._event[new]
        self._agency[new] = self._numbers.of("agency", frame["agency"])
        self._label[new], self._margin[new] = NO_LABEL, NO_MARGIN
        self._counted(new[self._usable[new]])
        pointing = frame.with_row_index("_at", offset=n).filter(
            pl.col("supersedes").is_not_null() | (pl.col("derived_from").list.len() > 0)
        )
        for at, corrects, sources in pointing.select("_at", "supersedes", "derived_from").iter_rows():
            for target, correcting in ([(corrects, True)] if corrects else []) + [(t, False) for t in sources or ()]:
                if target in self._number:
                    self._point(at, self._number[target], correcting)
                else:
                    self._waiting.setdefault(target, []).append((at, correcting))
        for ident, at in zip(frame["report_id"], new.tolist(), strict=True) if self._waiting else ():
            for who, correcting in self._waiting.pop(ident, ()):
                self._point(who, at, correcting)
        for j in self._decided:
            if any(self._number.get(i, -1) >= n for i in named([j])):  # it names one that is new
                self._bind(x for i in named([j]) if (x := self._number.get(i)) is not None)
        for a, b in self._fits[self._fitted :].tolist():
            self._bind((a, b))
        self._fitted = len(self._fits)

    def _counted(self, new: Numbers) -> None:
        """How many are the same."""
        keys, counts = np.unique(self._same[new], return_counts=True)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            many = self._how_many[key] = self._how_many.get(key, 0) + count
            if key and many > STACK:
                self._crowded.add(key)

    def _point(self, who: int, target: int, correcting: bool) -> None:
        if correcting:
            if self._agency[who] != self._agency[target] or who == target:
                return
            self._corrects[who] = target
            self._corrected.setdefault(target, []).append(who)
        else:
            self._from.setdefault(who, []).append(target)
        self._bind((who, target))

    def _bind(self, who: Iterable[int]) -> None:
        several = set(who)
        for x in several:
            self._bonds.setdefault(x, set()).update(several - {x})
            self._tied[x] = True

    def _tied_to(self, x: int, v: int) -> Iterable[int]:
        """Those of one fate with a report, for an audience that sees them."""
        bit = ONE << np.uint64(v)
        out = [y for y in self._bonds.get(x, ()) if self._sees[y] & bit]
        stack = self._stacks.get(int(self._same[x]), {}).get(v)
        if stack is not None:
            out += stack.tolist() if stack[0] == x else stack[:1].tolist()
        return out

    def _base(self, who: Numbers) -> NDArray[np.uint64]:
        """Bits of the audiences for which these events stand for themselves: they see it, no correction of it, and nothing that it was taken out of."""
        out = np.where(self._event[who], self._sees[who], np.uint64(0))
        for k in np.flatnonzero(self._tied[who]).tolist():
            x, hidden = int(who[k]), np.uint64(0)
            for y in (*self._corrected.get(x, ()), *self._from.get(x, ())):
                hidden |= self._sees[y]
            out[k] &= ~hidden
        return out

    def _settled(self, changed: Numbers) -> Numbers:
        """Works out who stands for themselves anew where that may have changed; gives these."""
        bound = {y for x in changed[self._tied[changed]].tolist() for y in self._bonds.get(x, ())}
        who = union(changed, np.array(sorted(bound), np.int32))
        crowded = sorted(self._crowded.intersection(np.unique(self._same[who]).tolist())) if self._crowded else []
        base = self._base(who)
        self._active[who] = base
        every = [who]
        for key in crowded:
            members = np.flatnonzero(self._same[: self._n] == np.uint64(key)).astype(np.int32)
            members = members[self._usable[members]]
            members = members[np.argsort(ranks(self._ids.gather(members)))]
            self._stack(key, members)
            self._tied[members] = True
            every.append(members)
        return np.unique(np.concatenate(every))

    def _stack(self, key: int, members: Numbers) -> None:
        """Of more than STACK that are the same for an audience, the first by id stands for all; members: by id."""
        base = self._base(members)
        self._active[members] = base
        stacks = {}
        for v in range(len(self.audiences)):
            mine = members[((base >> np.uint64(v)) & ONE).astype(np.bool_) & ~np.isin(members, self._judged(v))]
            if len(mine) > STACK:
                stacks[v] = mine
                self._active[mine[1:]] &= ~(ONE << np.uint64(v))
        self._stacks[key] = stacks

    def _judged(self, v: int) -> list[int]:
        """The reports that judgements name of which the audience sees all."""
        several = ([self._number.get(i) for i in named([j])] for j in self._decided)
        return [
            x for who in several if all(x is not None and self._sees[x] >> np.uint64(v) & ONE for x in who) for x in who if x is not None
        ]
