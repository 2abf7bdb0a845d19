"""Fusion for many audiences at once: each has the incidents that `fuse` makes of what it sees, and no more.

Pairs are met and scored once, whoever sees the two (`Graph`). One audience, EVERY, is what all agencies see; another one differs from it near reports that it
sees besides. So a change is clustered once for EVERY, and for each other audience only the components that differ there; a component that several audiences
see alike is clustered once for all of them (`apart`). How many candidates a report has weighs in a link (`linkage.halves`). For EVERY all are counted. For
another audience they are the candidates among what every agency sees, times the power of two that is nearest to what it sees besides: a link then mostly
weighs the same for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.fusion.apart import Apart
from tocsin.fusion.graph import union
from tocsin.fusion.judgements import Judgement, named, standing
from tocsin.fusion.layers import Change, Layer
from tocsin.fusion.linkage import CROWD
from tocsin.fusion.taking import EVERY, NO_LABEL, ONE, Numbers
from tocsin.kernels import audiences as bits

__all__ = ["EVERY", "Views"]

_ALL = np.iinfo(np.int32).min
_AT_ONCE = 1 << 17  # reports whose candidates are met in one go


class Views(Apart):
    """Clusters for each audience of what it sees. audiences: their names, the first that of EVERY, whose reports all of them see."""

    def change(self, new: pl.DataFrame, sees: Mapping[str, int], own: Mapping[str, int] | None = None) -> Change:
        """Takes in new reports, and who sees those in `sees` now (a bit an audience; 0: none any more): what that changes, for each audience.

        new: by the contract, with all references, whoever may see what they point at. own: audiences for which a report has a time of its own.
        """
        self.admit(new)
        ids = list(sees)
        of_own = [(own or {}).get(i, 0) for i in ids]
        return self.shift(self.numbers(ids), np.array(list(sees.values()), np.uint64), np.array(of_own, np.uint64))

    def admit(self, new: pl.DataFrame) -> None:
        """Takes in reports that are not here; nobody sees them until `shift` or `place` says who does."""
        self._admit(new)

    def shift(self, changed: Numbers, sees: NDArray[np.uint64], own: NDArray[np.uint64]) -> Change:
        """Who sees some reports from now on, as in `change`; each is named once."""
        order = np.argsort(changed)
        changed, before = changed[order], self._sees[changed[order]].copy()
        self._sees[changed], self._own[changed] = sees[order], own[order]
        return self._changed(changed, before)

    def place(self, changed: Numbers, sees: NDArray[np.uint64], own: NDArray[np.uint64]) -> None:
        """As `shift`, of reports whose incidents are known already: it clusters nothing."""
        self._sees[changed], self._own[changed] = sees, own
        touched = self._recounted(np.sort(changed))[2]
        self._touched[touched] = 0

    def judge(self, judgements: Iterable[Judgement]) -> Change:
        """Takes these judgements in the place of the earlier ones: what that changes, for each audience."""
        self.judgements = tuple(judgements)
        old, self._decided = self._decided, standing(self.judgements)
        differs = set(map(repr, old)) ^ set(map(repr, self._decided))
        names = {r for j in (*old, *self._decided) if repr(j) in differs for r in named([j])}
        for j in self._decided:
            self._bind(n for i in named([j]) if (n := self._number.get(i)) is not None)
        changed = np.array(sorted(n for i in names if (n := self._number.get(i)) is not None), np.int32)
        return self._changed(changed, self._sees[changed].copy())

    def _changed(self, changed: Numbers, before_sees: NDArray[np.uint64]) -> Change:
        none = [np.zeros(0, np.int32)] * len(self.audiences)
        if not len(changed):
            return Change(none, [], np.zeros((0, 2), np.int64))
        near, before, touched, saved = self._recounted(changed)
        seen_by = self._sees[near].copy()
        seen_by[np.searchsorted(near, changed)] |= before_sees
        after, low = self._active[near].copy(), self._shared[touched].copy()
        self._active[near] |= before
        np.minimum(saved, low, out=saved)
        self._shared[touched] = saved
        around = []
        for v in range(len(self.audiences)):
            bit = ONE << np.uint64(v)
            begin = union(touched[(self._touched[touched] & bit) != 0], near[(seen_by & bit) != 0])
            around.append(self._around(v, begin))
        self._active[near], self._shared[touched], self._touched[touched] = after, low, 0
        return self._anew(around, near)

    def _recounted(self, changed: Numbers) -> tuple[Numbers, NDArray[np.uint64], Numbers, NDArray[np.int16]]:
        """(reports that may stand for themselves or not as before, for whom they did; those whose candidates weigh otherwise, what they weighed before).

        For whom they weigh otherwise stands in `_touched`.
        """
        near = self._settled(changed)
        before = self._before[near].copy()
        meeting = union(near[self._active[near] != before], np.arange(self._met, self._n))
        meeting = meeting[self._usable[meeting]]
        touched, saved = np.zeros(0, np.int32), np.zeros((0, len(self.audiences)), np.int16)
        if len(meeting):
            self._index()
            touched, saved = self._reweighed(self._tallied(meeting))
        self._before[near], self._met = self._active[near], self._n
        return near, before, touched, saved

    def _tallied(self, meeting: Numbers) -> Numbers:
        """Counts candidates anew where some met, began or ceased to be such, and hangs the links of new ones: all that met."""
        self._fresh[meeting] = True
        there, whoever = self._there(self._usable), np.zeros(len(self._usable), np.int32)
        met = np.zeros(self._n, np.bool_)
        for low in range(0, len(meeting), _AT_ONCE):
            pairs, scores = self._meet_in(there, meeting[low : low + _AT_ONCE], whoever, self._usable, _ALL)
            fresh = (pairs.max(axis=1, initial=-1) >= self._met) & (scores > self.model.floor)
            self._hang(pairs[fresh], scores[fresh])
            bits.tally(pairs, self._before, self._active, self._met, self._counts, self._common)
            met[pairs] = True
        self._fresh[meeting] = False
        return np.flatnonzero(met).astype(np.int32)

    def _reweighed(self, met: Numbers) -> tuple[Numbers, NDArray[np.int16]]:
        """(those whose candidates weigh otherwise than before for who sees or saw them, what they weighed)."""
        touched, saved = [], []
        for low in range(0, len(met), _AT_ONCE):
            some = met[low : low + _AT_ONCE]
            now = self._weighing(some)
            differs = ((now != self._shared[some]) << np.arange(len(self.audiences), dtype=np.uint64)).sum(axis=1, dtype=np.uint64)
            differs &= self._before[some] | self._active[some]
            touched.append(some[differs != 0])
            saved.append(self._shared[touched[-1]])
            self._touched[touched[-1]], self._shared[some] = differs[differs != 0], now
        return np.concatenate([np.zeros(0, np.int32), *touched]), np.concatenate([np.zeros((0, len(self.audiences)), np.int16), *saved])

    def _weighing(self, who: Numbers) -> NDArray[np.int16]:
        """How many candidates weigh in the links of each, (n, audiences); as many as make a crowd stand for more."""
        base, own = self._common[who].astype(np.float64) + 2.0, self._counts[who].astype(np.float64) + 2.0
        factor = np.exp2(np.rint(np.log2(own / base[:, None])))
        found: NDArray[np.int16] = np.minimum(np.maximum(np.rint(base[:, None] * factor) - 2, 0), CROWD).astype(np.int16)
        return found

    def _anew(self, around: list[Numbers], near: Numbers) -> Change:
        """Clusters anew: for EVERY what is not as it was, for the others what is not as for EVERY."""
        every = around[EVERY]
        around, layers = list(around), []
        if len(every):
            seen = self._seen(EVERY, every)
            around[EVERY], mine = self._moved(seen, *self._clustered(EVERY, seen), every, near)
            if len(mine):
                layers.append(self._layer(EVERY, mine, self._label[mine], self._margin[mine], self._components(EVERY, mine)[1], 0))
        many = int(layers[0].component.max(initial=-1)) + 1 if layers else 0
        holds = [np.stack([np.zeros(many, np.int64), np.arange(many)], axis=1)]
        theirs = []
        for v in range(1, len(around)):
            both = union(around[v], every)
            mine = self._apart(v, both)
            around[v] = union(both, mine)
            theirs.append(self._told_apart(v, mine))
        more, held = self._shared_out(theirs, many)
        return Change(around, [*layers, *more], np.concatenate([*holds, held]))

    def _moved(
        self, seen: Numbers, cluster: NDArray[np.int64], margin: NDArray[np.int64], every: Numbers, near: Numbers
    ) -> tuple[Numbers, Numbers]:
        """(all whose incidents for EVERY are not as they were, or hold what changed, with those of one fate; of these, those that are seen)."""
        was, changed = self._label[seen], np.zeros(self._n, np.bool_)
        changed[near] = True
        here = cluster != NO_LABEL
        differs = here & ((was != cluster) | (self._margin[seen] != margin) | changed[seen])
        others = union(every, seen[~here])
        others = others[~np.isin(others, seen[here], assume_unique=True)]
        left = self._label[others[changed[others]]]
        groups = np.zeros(self._n + 1, np.bool_)  # the last place is that of NO_LABEL
        for several in (cluster[differs], was[differs], left):
            groups[np.where(several == NO_LABEL, self._n, several)] = True
        groups[self._n] = False
        moves = here & (groups[cluster] | groups[np.where(was == NO_LABEL, self._n, was)])
        keep = np.zeros(self._n, np.bool_)
        keep[seen[moves]] = keep[others[changed[others]]] = True
        self._label[seen], self._margin[seen] = cluster, margin
        self._label[others] = NO_LABEL
        self._with_fate(keep, seen[here], cluster[here], others)
        kept = np.flatnonzero(keep).astype(np.int32)
        return kept, self._seen(EVERY, kept)

    def _with_fate(self, keep: NDArray[np.bool_], labelled: Numbers, cluster: NDArray[np.int64], others: Numbers) -> None:
        """Marks in `keep` too what is of one fate with those marked, and what is in one cluster with that."""
        there = np.zeros(self._n, np.bool_)
        there[labelled] = there[others] = True
        order = np.argsort(cluster, kind="stable")
        more = np.flatnonzero(keep & self._tied[: self._n])
        while len(more):
            found = set()
            for y in {y for x in more.tolist() for y in self._bonds.get(x, ()) if there[y]}:
                label = self._label[y]
                low, high = np.searchsorted(cluster, [label, label + 1], sorter=order) if label != NO_LABEL else (0, 0)
                found.update([y, *labelled[order[low:high]].tolist()])
            new = np.array(sorted(found), np.int64)
            new = new[~keep[new]] if len(new) else new
            keep[new] = True
            more = new[self._tied[new]] if len(new) else new

    def _layer(
        self, v: int, seen: Numbers, cluster: NDArray[np.int64], margin: NDArray[np.int64], component: NDArray[np.int64], first: int
    ) -> Layer:
        return Layer(v, seen, component + first, cluster, margin, self._visible(seen))
