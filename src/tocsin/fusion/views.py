"""Fusion for many audiences at once: each has the incidents that `fuse` makes of what it sees, and no more.

Pairs are met and scored once, whoever sees the two (`Graph`). One audience, EVERY, is what all agencies see; another one differs from it near reports that it
sees besides. So a change is clustered once for EVERY, and for each other audience only the components that differ there; audiences that see the same
are clustered together. How many candidates a report has weighs in a link (`linkage.halves`). For EVERY all are counted. For another audience they are the
candidates among what every agency sees, times the power of two that is nearest to what it sees besides: a link then mostly weighs the same for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.fusion.graph import ROOM
from tocsin.fusion.judgements import NONE, Decided, Judgement, constraints, named, standing
from tocsin.fusion.linkage import CROWD, clustered
from tocsin.fusion.members import ranks
from tocsin.fusion.prepare import only
from tocsin.fusion.taking import NO_LABEL, ONE, Numbers, Taking
from tocsin.kernels import audiences as bits
from tocsin.kernels import live as lists
from tocsin.kernels.correlate import NO_MARGIN

EVERY = 0  # the audience that all agencies share
_ALL = np.iinfo(np.int32).min


class Part(NamedTuple):
    """What some audiences see of what changed."""

    audience: int
    around: list[str]  # all reports whose incidents may have changed for it: what stood for them before no longer does
    seen: list[str]  # of these, those that its incidents anew are made of; none where they are those of EVERY
    label: dict[str, tuple[int, int]]  # of those that were not taken out of others: (its cluster, its margin)
    decided: tuple[Judgement, ...]  # judgements about these, of which it sees all that they name


class Views(Taking):
    """Clusters for each audience of what it sees. audiences: their names, the first that of EVERY, whose reports all of them see."""

    def change(self, new: pl.DataFrame, sees: Mapping[str, int], own: Mapping[str, int] | None = None) -> list[Part]:
        """Takes in new reports, and who sees those in `sees` now (a bit an audience; 0: none any more): what that changes, for each audience.

        new: by the contract, with all references, whoever may see what they point at. own: audiences for which a report has a time of its own.
        """
        first_new = self._n
        changed, before_sees = self._opened(new, sees, own or {})
        return self._changed(changed, before_sees, first_new)

    def load(self, new: pl.DataFrame, sees: Mapping[str, int], own: Mapping[str, int]) -> None:
        """Takes in reports whose incidents are known already: as `change`, and clusters nothing."""
        first_new = self._n
        changed, _ = self._opened(new, sees, own)
        _, _, touched, _ = self._recounted(changed, first_new)
        self._touched[touched] = 0

    def _opened(self, new: pl.DataFrame, sees: Mapping[str, int], own: Mapping[str, int]) -> tuple[Numbers, NDArray[np.uint64]]:
        """(the reports in `sees`, who saw them before)."""
        self._admit(new)
        changed = np.array(sorted(self._number[i] for i in sees), np.int32)
        before_sees = self._sees[changed].copy()
        for i, who in sees.items():
            self._sees[self._number[i]] = who
        for i, who in own.items():
            self._own[self._number[i]] = who
        return changed, before_sees

    def judge(self, judgements: Iterable[Judgement]) -> list[Part]:
        """Takes these judgements in the place of the earlier ones: what that changes, for each audience."""
        self.judgements = tuple(judgements)
        old, self._decided = self._decided, standing(self.judgements)
        differs = set(map(repr, old)) ^ set(map(repr, self._decided))
        names = {r for j in (*old, *self._decided) if repr(j) in differs for r in named([j])}
        for j in self._decided:
            self._bind(n for i in named([j]) if (n := self._number.get(i)) is not None)
        changed = np.array(sorted(n for i in names if (n := self._number.get(i)) is not None), np.int32)
        return self._changed(changed, self._sees[changed].copy(), self._n)

    def _changed(self, changed: Numbers, before_sees: NDArray[np.uint64], first_new: int) -> list[Part]:
        if not len(changed):
            return []
        near, before, touched, saved = self._recounted(changed, first_new)
        seen_by = self._sees[near].copy()
        seen_by[np.searchsorted(near, changed)] |= before_sees
        after, low = self._active[near].copy(), self._shared[touched].copy()
        self._active[near] |= before
        self._shared[touched] = np.minimum(saved, low)
        around = []
        for v in range(len(self.audiences)):
            bit = ONE << np.uint64(v)
            begin = np.union1d(touched[(self._touched[touched] & bit) != 0], near[(seen_by & bit) != 0]).astype(np.int32)
            around.append(self._around(v, begin))
        self._active[near], self._shared[touched], self._touched[touched] = after, low, 0
        return self._parts(around, set(near.tolist()))

    def _recounted(self, changed: Numbers, first_new: int) -> tuple[Numbers, NDArray[np.uint64], Numbers, NDArray[np.int16]]:
        """(reports that may stand for themselves or not as before, for whom they did; those whose candidates weigh otherwise, what they weighed before).

        For whom they weigh otherwise stands in `_touched`.
        """
        near = self._settled(changed)
        before = self._before[near].copy()
        meeting = np.union1d(near[self._active[near] != before], np.arange(first_new, self._n)).astype(np.int32)
        meeting = meeting[self._usable[meeting]]
        touched, saved = np.zeros(0, np.int32), np.zeros((0, len(self.audiences)), np.int16)
        if len(meeting):
            pairs, scores = self._meet(meeting, np.zeros(len(self._usable), np.int32), self._usable, _ALL)
            fresh = (pairs.max(axis=1, initial=-1) >= first_new) & (scores > self.model.floor)
            self._hang(pairs[fresh], scores[fresh])
            bits.tally(pairs, self._before, self._active, first_new, self._counts, self._common)
            met = np.unique(pairs).astype(np.int32)
            now = self._weighing(met)
            differs = ((now != self._shared[met]) << np.arange(len(self.audiences), dtype=np.uint64)).sum(axis=1, dtype=np.uint64)
            differs &= self._before[met] | self._active[met]
            touched = met[differs != 0]
            saved = self._shared[touched].copy()
            self._touched[touched], self._shared[met] = differs[differs != 0], now
        self._before[near] = self._active[near]
        self._index()
        return near, before, touched, saved

    def _weighing(self, who: Numbers) -> NDArray[np.int16]:
        """How many candidates weigh in the links of each, (n, audiences); as many as make a crowd stand for more."""
        base, own = self._common[who].astype(np.float64) + 2.0, self._counts[who].astype(np.float64) + 2.0
        factor = np.exp2(np.rint(np.log2(own / base[:, None])))
        found: NDArray[np.int16] = np.minimum(np.maximum(np.rint(base[:, None] * factor) - 2, 0), CROWD).astype(np.int16)
        return found

    def _around(self, v: int, begin: Numbers) -> Numbers:
        """All reports in components of an audience that hold one of these, and those of one fate with them, sorted."""
        bit, prior, least = ONE << np.uint64(v), np.int64(self.model.prior), self._shared[:, v]
        found = begin
        while len(begin):
            queue = np.empty(self._n, np.int32)
            queue[: len(found)] = found
            self._mark[found] = True
            chains = (self._head, self._following, self._other, self._weight)
            n = bits.reach(*chains, self._half, least, prior, self._active, bit, queue, len(found), self._mark)
            found = queue[:n].copy()
            self._mark[found] = False
            there = set(found.tolist())
            more = {y for x in there & self._bonds.keys() for y in self._bonds[x] if self._sees[y] & bit} - there if self._bonds else set()
            if not more:
                break
            found = np.concatenate([found, np.array(sorted(more), np.int32)])
        return np.sort(found)

    def _parts(self, around: list[Numbers], near: set[int]) -> list[Part]:
        """Clusters anew: for EVERY what is not as it was, for the others what is not as for EVERY; equal ones once."""
        known: dict[bytes, tuple[Numbers, dict[str, tuple[int, int]]]] = {}
        out = []
        for v, every in enumerate(around):
            if not len(every):
                continue
            if v == EVERY:
                own, label = self._clustered(v, self._seen(v, every))
                own, label, every = self._moved(own, label, every, near)
            else:
                mine = self._apart(v, np.union1d(every, around[EVERY]).astype(np.int32))
                every = np.union1d(every, mine).astype(np.int32)
                bit = ONE << np.uint64(v)
                key = mine.tobytes() + self._shared[mine, v].tobytes() + ((self._active[mine] & bit) != 0).tobytes()
                if key not in known:
                    known[key] = self._clustered(v, mine)
                own, label = known[key]
            texts = self._named(own)
            out.append(Part(v, self._named(every), texts, label, self._visible(set(texts))))
        return out

    def _seen(self, v: int, who: Numbers) -> Numbers:
        found: Numbers = who[(self._sees[who] & (ONE << np.uint64(v))) != 0]
        return found

    def _named(self, who: Numbers) -> list[str]:
        found: list[str] = self._ids.gather(who).to_list()
        return found

    def _apart(self, v: int, who: Numbers) -> Numbers:
        """What the audience sees of all components, its own and those of EVERY, that hold one of these that is not for it what it is for EVERY."""
        found = self._otherwise(v, who)
        while True:
            more = np.union1d(self._around(v, found), self._around(EVERY, found)).astype(np.int32)
            if len(more) == len(found):
                return self._seen(v, found)
            found = more

    def _otherwise(self, v: int, who: Numbers) -> Numbers:
        """Those that are not for this audience what they are for EVERY."""
        shift, own = np.uint64(v), (self._own[who] >> np.uint64(v)) & ONE
        sees, active = ((x[who] ^ (x[who] >> shift)) & ONE for x in (self._sees, self._active))
        found: Numbers = who[(sees | active | own).astype(np.bool_) | (self._shared[who, v] != self._shared[who, EVERY])]
        return found

    def _clustered(self, v: int, seen: Numbers) -> tuple[Numbers, dict[str, tuple[int, int]]]:
        """(all that are seen, the cluster and margin of each that stands for itself or has another stand for it)."""
        bit = ONE << np.uint64(v)
        active = seen[(self._active[seen] & bit) != 0]
        members = active[np.argsort(ranks(self._ids.gather(active)))] if len(active) else active
        pair, odds = self._among(v, members)
        texts = self._ids.gather(members)
        roots = self._roots(seen)
        decided = self._visible(set(self._named(seen)))
        ruled = constraints(decided, texts, roots) if decided else NONE
        labels, margins = clustered(
            len(members),
            pair,
            odds,
            np.full(len(members), -1, np.int64),
            self.model.unseen,
            "here",
            Decided(*(np.sort(p, axis=1) for p in ruled)),
        )
        number = members[labels].astype(np.int64)
        label = {x: (int(a), int(b)) for x, a, b in zip(members.tolist(), number, margins, strict=True)}
        fits = [(a, b) for a in members.tolist() if not self._usable[a] for b in self._bonds.get(a, ()) if b in label and self._usable[b]]
        held = self._fitting(fits, {self._number[i] for i in named(decided)} if decided else set())
        at = np.zeros(int(max(label, default=0)) + 1, np.int64)
        at[members] = number
        for a, of in only(held, at).items():
            label[a] = (of, NO_MARGIN)
        for x in members.tolist() if self._stacks else ():
            stack = self._stacks.get(int(self._same[x]), {}).get(v)
            if stack is not None and stack[0] == x:
                label |= dict.fromkeys(stack[1:].tolist(), label[x])
        behind = np.array(sorted(set(label) - set(seen.tolist())), np.int32)
        texts = self._ids.gather(np.array(list(label), np.int32))
        return np.union1d(seen, behind).astype(np.int32), dict(zip(texts, label.values(), strict=True))

    def _fitting(self, bound: list[tuple[int, int]], judged: set[int]) -> NDArray[np.int64]:
        """Of pairs of one fate, those of a report that knows no month and one that fits it; what a person decided of is left to that person."""
        fits = set(map(tuple, self._fits[np.isin(self._fits[:, 0], [a for a, _ in bound])].tolist())) if bound else set()
        return np.array(sorted(p for p in bound if p in fits and p[0] not in judged), np.int64).reshape(-1, 2)

    def _among(self, v: int, members: Numbers) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        self._place[members] = np.arange(len(members), dtype=np.int32)
        room, counts = ROOM, self._shared[:, v]
        while True:
            pair, odds = np.empty((room, 2), np.int32), np.empty(room, np.int64)
            chains = (self._head, self._following, self._other, self._weight)
            n = lists.among(*chains, self._half, counts, np.int64(self.model.prior), members, self._place, pair, odds)
            if n <= room:
                break
            room = int(n)
        self._place[members] = -1
        return pair[:n], odds[:n]

    def _roots(self, seen: Numbers) -> dict[str, str]:
        """What each seen report that corrects a seen one goes back to."""
        there, out = set(seen.tolist()), {}
        for x in there & self._corrects.keys():
            at, met = x, {x}
            while (b := self._corrects.get(at)) is not None and b in there and b not in met:
                at = b
                met.add(at)
            out[self._ids[x]] = self._ids[at]
        return out

    def _visible(self, seen: set[str]) -> tuple[Judgement, ...]:
        """The judgements that name none but reports of these."""
        return tuple(j for j in self._decided if named([j]) <= seen)

    def _moved(
        self, own: Numbers, label: dict[str, tuple[int, int]], every: Numbers, near: set[int]
    ) -> tuple[Numbers, dict[str, tuple[int, int]], Numbers]:
        """Of what EVERY sees, the clusters that are not as they were, or hold what changed; with those of one fate."""
        number = {self._number[i]: was for i, was in label.items()}
        who = np.array(list(number), np.int64)
        now = np.array(list(number.values()), np.int64).reshape(-1, 2)
        differs = (self._label[who] != now[:, 0]) | (self._margin[who] != now[:, 1]) | np.isin(who, list(near))
        others = {int(x) for x in (*own.tolist(), *every.tolist())} - set(number)
        left = np.array(sorted(others & near), np.int64)
        groups = {*now[differs, 0].tolist(), *self._label[who[differs]].tolist(), *self._label[left].tolist()} - {NO_LABEL}
        members: dict[int, list[int]] = {}
        for x, *of in zip(who.tolist(), now[:, 0].tolist(), self._label[who].tolist(), strict=True):
            for group in of:
                members.setdefault(group, []).append(x)
        self._label[who], self._margin[who] = now[:, 0], now[:, 1]
        keep, more = set[int](), {x for g in groups for x in members.get(g, ())} | (others & near)
        while more:
            keep |= more
            fate = {y for x in more for y in self._bonds.get(x, ()) if y in others or y in number}
            more = (fate | {y for x in fate & number.keys() for y in members[number[x][0]]}) - keep
        self._label[np.array(sorted(others), np.int64)] = NO_LABEL
        kept = np.array(sorted(keep), np.int32)
        seen = kept[np.isin(kept, own)]
        return seen, {self._ids[x]: number[x] for x in seen.tolist() if x in number}, kept
