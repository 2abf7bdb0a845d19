"""Components of an audience that are not for it what they are for all: found, told apart by what they are made of, clustered once for all who have them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.fusion.graph import ROOM, union
from tocsin.fusion.judgements import NONE, Decided, Judgement, constraints, named
from tocsin.fusion.layers import Layer, among
from tocsin.fusion.linkage import clustered
from tocsin.fusion.members import ranks
from tocsin.fusion.prepare import only
from tocsin.fusion.taking import EVERY, NO_LABEL, ONE, Numbers, Taking
from tocsin.kernels import audiences as bits
from tocsin.kernels import live as lists
from tocsin.kernels.correlate import NO_MARGIN

_SEED = np.uint64(secrets.randbits(64))  # so that nobody can make two components that are taken for one


class Own(NamedTuple):
    """Components of one audience."""

    audience: int
    seen: Numbers  # their reports
    component: NDArray[np.int64]  # of each, from 0 on
    keys: NDArray[np.uint64]  # (components, 2): equal where all that makes its clusters is


class Apart(Taking):
    """Finds what is an audience's own, and clusters it."""

    def numbers(self, ids: Iterable[str]) -> Numbers:
        """The numbers of reports that are here."""
        return np.fromiter(map(self._number.__getitem__, ids), np.int32)

    @property
    def many(self) -> int:
        """How many reports are here."""
        return self._n

    def ids_of(self, who: Numbers) -> Any:
        """The ids of reports by number, as a Series."""
        return self._ids.gather(who)

    def sees_late(self, who: Numbers) -> NDArray[np.bool_]:
        """Whether some audience sees a report since a time of its own."""
        found: NDArray[np.bool_] = self._own[who] != 0
        return found

    def seen_by_all(self, who: Numbers) -> NDArray[np.bool_]:
        """Whether EVERY sees a report."""
        found: NDArray[np.bool_] = (self._sees[who] & ONE) != 0
        return found

    def _seen(self, v: int, who: Numbers) -> Numbers:
        found: Numbers = who[(self._sees[who] & (ONE << np.uint64(v))) != 0]
        return found

    def _by(self, v: int) -> tuple[np.uint64, NDArray[np.int16]]:
        return ONE << np.uint64(v), self._shared[:, v]

    def _chains(self) -> Any:
        return self._head, self._following, self._other, self._weight

    def _around(self, v: int, begin: Numbers, other: int | None = None) -> Numbers:
        """All reports in components of an audience, or of two alike, that hold one of these, and those of one fate with them, sorted."""
        one, second = self._by(v), self._by(v if other is None else other)
        found, mark = begin, self._mark
        while len(begin):
            queue = np.empty(self._n, np.int32)
            queue[: len(found)] = found
            mark[found] = True
            n = bits.reach(self._chains(), self._half, np.int64(self.model.prior), self._active, one, second, queue, len(found), mark)
            found = queue[:n].copy()
            tied = found[self._tied[found]].tolist()
            more = {y for x in tied for y in self._tied_to(x, v) if not mark[y]}
            mark[found] = False
            if not more:
                break
            found = np.concatenate([found, np.array(sorted(more), np.int32)])
        return np.sort(found)

    def _apart(self, v: int, who: Numbers) -> Numbers:
        """What the audience sees of all components, its own and those of EVERY, that hold one of these that is not for it what it is for EVERY.

        These and all that EVERY has beside them: what is not for it as for EVERY may have left its own component, and stand in that of EVERY still.
        """
        beside = union(who, self._around(EVERY, who))
        return self._seen(v, self._around(v, self._otherwise(v, beside), EVERY))

    def _otherwise(self, v: int, who: Numbers) -> Numbers:
        """Those that are not for this audience what they are for EVERY."""
        shift, own = np.uint64(v), (self._own[who] >> np.uint64(v)) & ONE
        sees, active = ((x[who] ^ (x[who] >> shift)) & ONE for x in (self._sees, self._active))
        found: Numbers = who[(sees | active | own).astype(np.bool_) | (self._shared[who, v] != self._shared[who, EVERY])]
        return found

    def _components(self, v: int, mine: Numbers) -> tuple[int, NDArray[np.int64]]:
        """(how many, which each of these is in): by the links of this audience and of EVERY, and by fate."""
        place = self._place
        place[mine] = np.arange(len(mine), dtype=np.int32)
        ties = [(place[x], place[y]) for x in mine[self._tied[mine]].tolist() for y in self._tied_to(x, v) if place[y] >= 0]
        parent, edges = np.arange(len(mine), dtype=np.int32), np.array(ties, np.int32).reshape(-1, 2)
        prior = np.int64(self.model.prior)
        bits.unite(self._chains(), self._half, prior, self._active, self._by(v), self._by(EVERY), mine, place, edges, parent)
        place[mine] = -1
        first, component = np.unique(parent, return_inverse=True)
        return len(first), component.astype(np.int64)

    def _told_apart(self, v: int, mine: Numbers) -> Own:
        many, component = self._components(v, mine)
        keys = np.zeros((many, 2), np.uint64)
        bit, least = self._by(v)
        bits.digest(mine, component, self._active, bit, least, _SEED, keys)
        own = ((self._own[mine] >> np.uint64(v)) & ONE).astype(np.bool_)
        keys[component[own], 0] ^= np.uint64(v)  # it sees one of them since another time than others
        return Own(v, mine, component, keys)

    def _shared_out(self, theirs: list[Own], first: int) -> tuple[list[Layer], NDArray[np.int64]]:
        """(components clustered, each by the first audience that has it; who has which), numbered from `first` on."""
        keys = np.concatenate([np.zeros((0, 2), np.uint64), *(own.keys for own in theirs)])
        order = np.lexsort((np.arange(len(keys)), keys[:, 1], keys[:, 0]))
        new = np.ones(len(keys), np.bool_)
        new[1:] = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
        which = np.empty(len(keys), np.int64)
        which[order] = order[np.flatnonzero(new)][np.cumsum(new) - 1]  # the place of the first that is the same
        layers, holds, low = [], [np.zeros((0, 2), np.int64)], 0
        for own in theirs:
            place = low + np.arange(len(own.keys))
            mine = which[place]
            holds.append(np.stack([np.full(len(mine), own.audience), first + mine], axis=1))
            fresh = (mine == place)[own.component] if len(mine) else np.zeros(0, np.bool_)
            if fresh.any():
                seen = own.seen[fresh]
                cluster, margin = self._clustered(own.audience, seen)
                layers.append(Layer(own.audience, seen, first + low + own.component[fresh], cluster, margin, self._visible(seen)))
            low += len(own.keys)
        return layers, np.concatenate(holds)

    def _clustered(self, v: int, seen: Numbers) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The cluster and margin of each that stands for itself or has another stand for it; seen: whole components, sorted."""
        active = seen[(self._active[seen] & (ONE << np.uint64(v))) != 0]
        members = active[np.argsort(ranks(self._ids.gather(active)))] if len(active) else active
        pair, odds = self._among(v, members)
        decided = self._visible(seen)
        ruled = constraints(decided, self._ids.gather(members), self._roots(seen)) if decided else NONE
        alone = np.full(len(members), -1, np.int64)
        ruling = Decided(*(np.sort(p, axis=1) for p in ruled))
        labels, margins = clustered(len(members), pair, odds, alone, self.model.unseen, "here", ruling)
        cluster, margin = np.full(len(seen), NO_LABEL, np.int64), np.full(len(seen), NO_MARGIN, np.int64)
        at = np.searchsorted(seen, members)
        cluster[at], margin[at] = members[labels], margins
        self._fitted_in(seen, members, decided, cluster, margin)
        for x in seen[self._tied[seen]].tolist() if self._stacks else ():
            stack = self._stacks.get(int(self._same[x]), {}).get(v)
            if stack is not None and stack[0] == x:
                first, behind = np.searchsorted(seen, x), np.searchsorted(seen, stack[1:])
                cluster[behind], margin[behind] = cluster[first], margin[first]
        return cluster, margin

    def _fitted_in(
        self, seen: Numbers, members: Numbers, decided: tuple[Judgement, ...], cluster: NDArray[np.int64], margin: NDArray[np.int64]
    ) -> None:
        """Puts those that know no month where they fit; what a person decided of is left to that person."""
        there = set(members.tolist()) if not self._usable[members].all() else set[int]()
        bound = {(a, b) for a in there if not self._usable[a] for b in self._bonds.get(a, ()) if b in there and self._usable[b]}
        if not bound:
            return
        judged = {self._number[i] for i in named(decided)}
        fits = set(map(tuple, self._fits[np.isin(self._fits[:, 0], [a for a, _ in bound])].tolist()))
        held = np.array(sorted(p for p in bound if p in fits and p[0] not in judged), np.int64).reshape(-1, 2)
        at = np.full(self._n, NO_LABEL, np.int64)
        at[seen] = cluster
        for a, of in only(held, at).items():
            cluster[np.searchsorted(seen, a)], margin[np.searchsorted(seen, a)] = of, NO_MARGIN

    def _among(self, v: int, members: Numbers) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        self._place[members] = np.arange(len(members), dtype=np.int32)
        room, counts = max(ROOM, 4 * len(members)), self._shared[:, v]
        while True:
            pair, odds = np.empty((room, 2), np.int32), np.empty(room, np.int64)
            n = lists.among(*self._chains(), self._half, counts, np.int64(self.model.prior), members, self._place, pair, odds)
            if n <= room:
                break
            room = int(n)
        self._place[members] = -1
        return pair[:n], odds[:n]

    def _roots(self, seen: Numbers) -> dict[str, str]:
        """What each seen report that corrects a seen one goes back to."""
        there, out = set(seen[self._tied[seen]].tolist()), {}
        for x in there & self._corrects.keys():
            at, met = x, {x}
            while (b := self._corrects.get(at)) is not None and b in there and b not in met:
                at = b
                met.add(at)
            out[self._ids[x]] = self._ids[at]
        return out

    def _visible(self, seen: Numbers) -> tuple[Judgement, ...]:
        """The judgements that name none but reports of these."""
        return among(self._decided, set(self._ids.gather(seen[self._tied[seen]]))) if self._decided else ()
