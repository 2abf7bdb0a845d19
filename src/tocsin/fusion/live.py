"""Fusion that goes on: reports come and go, and only what they touch is clustered again. At any time it holds what `fuse` gives for the same reports."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.errors import ContractError
from tocsin.fusion.graph import ROOM, Graph
from tocsin.fusion.judgements import NONE, Decided, Judgement, constraints, named, places_named, standing
from tocsin.fusion.linkage import clustered
from tocsin.fusion.members import first_known, ranks, traced
from tocsin.fusion.model import Model, default_model
from tocsin.fusion.prepare import STACK, only, prepare
from tocsin.kernels import live as lists
from tocsin.terms.publishers import one_report_agencies
from tocsin.terms.tables import REPORTS, conform

_NONE_KEPT = np.iinfo(np.int32).max
_CHANGES = pl.Schema(
    [("incident_id", pl.String()), ("change", pl.String()), ("before", pl.List(pl.String)), ("reports", pl.List(pl.String))]
)

_NOBODY = np.zeros(0, np.int32)


class Changes(NamedTuple):
    """What came of one batch."""

    events: pl.DataFrame  # incident_id, change (new, grown, shrunk, merged, split, gone), before (ids that its reports were in), reports
    touched: int  # reports that were clustered again
    seconds: dict[str, float]  # what took how long: take_in, meet, cluster, tell


class Live(Graph):
    """Clusters of reports that change as reports come and go.

    reports: those to begin with, by the contract; others than events, and those taken out of other reports, are passed over. The clusters are at any time
    those of `fuse` for the same reports, model, declarations and judgements (none to begin with); an incident's id is that of its first report by
    (when it became known, report_id), or of what that one corrects.
    """

    _columns = ("_alive", "_active", "_known", "_counts", "_label")

    def __init__(
        self,
        reports: Any = None,
        *,
        judgements: Iterable[Judgement] = (),
        one_report_per_incident: Collection[str] | None = None,
        model: Model | None = None,
    ) -> None:
        declared = frozenset(one_report_agencies() if one_report_per_incident is None else one_report_per_incident)
        super().__init__(model or default_model(), declared)
        self._corrected: set[str] = set()
        self._alive = np.zeros(0, np.bool_)
        self._active = np.zeros(0, np.bool_)  # alive, and no other stands for it
        self._how_many: dict[int, int] = {}  # alive reports of each number in `_same`
        self._behind: dict[int, NDArray[np.int32]] = {}  # those that another stands for, by its number
        self._known, self._counts, self._label = np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64)
        self._loose: dict[int, int] = {}  # reports that know no month and fit one incident alone: its label
        self._ever = False  # whether a report ever stood for itself again: its links may be kept twice
        self._before: dict[str, str] = {}  # what each report corrects
        self._roots: dict[str, str] = {}
        self._decided = standing(judgements)
        self._ruled, self._bonds = NONE, dict[int, set[int]]()  # numbers put together or apart; those bound now or before this change
        if reports is not None:
            self._add(reports, tell=False)

    def __len__(self) -> int:
        return int(self._alive[: self._n].sum())

    @property
    def clusters(self) -> pl.DataFrame:
        """report_id, incident_id: a row a report, in the order in which they came."""
        here = np.flatnonzero(self._alive[: self._n])
        label = self._label.copy()
        label[list(self._loose)] = list(self._loose.values())
        return pl.DataFrame({"report_id": self._ids.gather(here), "incident_id": self._called(label[here])})

    def _attach(self) -> dict[int, int]:
        """Of the reports that know no month, those that fit one incident alone: its label."""
        if not len(self._fits):
            return {}
        held = self._alive[self._fits].all(axis=1) & ~np.isin(self._fits[:, 0], self._named())
        return only(self._fits[held], self._label)

    def _called(self, numbers: NDArray[np.int64] | pl.Series) -> pl.Series:
        """The incident's id, where these are the numbers of its first report."""
        ids = self._ids.gather(numbers)
        return ids.replace(self._roots) if self._roots else ids

    def add(self, reports: Any) -> Changes:
        """New reports, by the contract; one that corrects another takes its place. One that is there already changes nothing.

        Raises `ContractError` where an id that is there comes with another content of what is compared.
        """
        return self._add(reports, tell=True)

    def _add(self, reports: Any, *, tell: bool) -> Changes:
        frame = conform(pl.DataFrame(reports), REPORTS, table="reports").unique("report_id", keep="first", maintain_order=True)
        corrections = frame.filter(pl.col("supersedes").is_not_null())
        self._corrected.update(corrections["supersedes"])
        if corrections.height:
            self._before.update(corrections.select("report_id", "supersedes").iter_rows())
            self._roots = traced(self._before)
        gone = [n for i in frame["supersedes"].drop_nulls() if (n := self._number.get(i)) is not None and self._alive[n]]
        mine = (pl.col("kind") == "event") & (pl.col("derived_from").list.len().fill_null(0) == 0)
        frame = frame.filter(mine & ~pl.col("report_id").is_in(list(self._corrected)))
        there = pl.Series([i in self._number for i in frame["report_id"]], dtype=pl.Boolean)
        self._refuse_others(frame.filter(there))
        began = perf_counter()
        new = self._append(frame.filter(~there))
        return self._change(new, np.array(gone, np.int32), perf_counter() - began, tell=tell)

    def remove(self, report_ids: Iterable[str]) -> Changes:
        """Takes reports out (purged, or no longer to be seen). Raises `ContractError` for an id that is not there."""
        numbers = [self._number.get(i, -1) for i in report_ids]
        if any(n < 0 or not self._alive[n] for n in numbers):
            raise ContractError("a report to be removed is not there")
        return self._change(np.zeros(0, np.int32), np.unique(np.array(numbers, np.int32)))

    def judge(self, judgements: Iterable[Judgement]) -> Changes:
        """Takes these judgements in the place of the earlier ones: what they decide otherwise is clustered again."""
        before = self._named()
        self._decided = standing(judgements)
        return self._change(np.zeros(0, np.int32), np.zeros(0, np.int32), again=np.setxor1d(before, self._named()).astype(np.int32))

    def _named(self) -> NDArray[np.int64]:
        """The reports that are there and that judgements name."""
        if not self._decided:
            return np.zeros(0, np.int64)
        here = np.flatnonzero(self._alive[: self._n])
        return here[places_named(self._decided, self._ids.gather(here), self._roots)]

    def _rule(self) -> NDArray[np.int32]:
        """Works out what the judgements decide about the reports that are there: those for which it is not what it was."""
        before = self._ruled
        if self._decided:
            here = np.flatnonzero(self._alive[: self._n]).astype(np.int32)
            self._ruled = Decided(*(here[p] for p in constraints(self._decided, self._ids.gather(here), self._roots)))
        else:
            self._ruled = NONE
        self._bonds = {}
        for a, b in [*before.together.tolist(), *self._ruled.together.tolist()]:
            self._bonds.setdefault(a, set()).add(b)
            self._bonds.setdefault(b, set()).add(a)
        changed = {
            x
            for old, new in zip(before, self._ruled, strict=True)
            for pair in set(map(tuple, old.tolist())) ^ set(map(tuple, new.tolist()))
            for x in pair
        }
        return np.array(sorted(x for x in changed if self._alive[x]), np.int32)

    def _judged(self, numbers: NDArray[np.int32]) -> bool:
        """Whether the judgements name any of these reports, or what they correct."""
        if not self._decided:
            return False
        names = {self._roots.get(r, r) for r in named(self._decided)}
        return any(self._roots.get(i, i) in names for i in self._ids.gather(numbers))

    def _refuse_others(self, again: pl.DataFrame) -> None:
        if again.is_empty():
            return
        made, rows = prepare(again, ranks(again["report_id"]), self._numbers, self.declared)
        assert self._made is not None
        at = np.array([self._number[i] for i in again["report_id"].gather(rows)], np.int64)
        differs = np.zeros(len(rows), np.bool_)
        pairs: list[tuple[Any, Any]] = list(zip(self._made[:10], made[:10], strict=True))
        for old, new in pairs:
            same = (old[at] == new) | ((old[at] != old[at]) & (new != new))
            differs |= ~(same.all(axis=1) if same.ndim > 1 else same)
        if differs.any():
            first = again["report_id"][int(rows[np.flatnonzero(differs)[0]])]
            raise ContractError(f"report {first} is there with another content: a correction is a new report that supersedes it")

    def _append(self, frame: pl.DataFrame) -> NDArray[np.int32]:
        """Takes in reports: their numbers."""
        new = self._take(frame)
        self._alive[new] = self._active[new] = True
        self._label[new] = new
        self._known[new] = first_known(frame)
        return new

    def _change(
        self,
        new: NDArray[np.int32],
        gone: NDArray[np.int32],
        took: float = 0.0,
        *,
        tell: bool = True,
        again: NDArray[np.int32] = _NOBODY,
    ) -> Changes:
        """Meets the new, forgets the gone, clusters anew what they touch; again: others that may stand for themselves or not as before."""
        clock = [perf_counter()]
        met = np.zeros(len(self._alive), np.int32)
        left = np.zeros(len(self._alive), np.int32)
        hide, shown = self._stack(new, gone, again)
        departing = np.union1d(gone, hide)
        departing = departing[self._usable[departing] & self._active[departing] & ~np.isin(departing, new)].astype(np.int32)
        if len(departing):
            self._meet(departing, left, self._active, _NONE_KEPT)
        self._alive[gone] = False
        self._active[gone] = self._active[hide] = False
        self._active[shown] = True
        left[gone] = left[hide] = 0
        arrivals = np.union1d(new, shown).astype(np.int32)
        arrivals = arrivals[self._usable[arrivals] & self._active[arrivals]]
        if len(arrivals):
            self._counts[shown] = 0
            self._hang(*self._meet(arrivals, met, self._active, self.model.floor))
        clock.append(perf_counter())
        after = self._counts + met - left
        least = np.minimum(self._counts, after)
        self._counts = np.asarray(after)
        most = int(max(self._counts.max(initial=0), least.max(initial=0)))
        self._enough(most)
        touched = np.flatnonzero((met + left > 0) & self._active).astype(np.int32)
        touched = np.union1d(touched, np.union1d(new, shown)).astype(np.int32)
        if not (len(new) or len(gone)) or self._judged(np.concatenate([new, gone])):
            touched = np.union1d(touched, self._rule()).astype(np.int32)
        first = [r for r, who in self._behind.items() if np.isin(who, np.union1d(hide, new)).any()]
        touched = np.union1d(touched[self._active[touched]], [r for r in first if self._active[r]]).astype(np.int32)
        active = self._components(touched, np.union1d(gone, hide).astype(np.int32), least)
        near = np.concatenate([active, *(self._behind[r] for r in self._behind if r in set(active.tolist()))]).astype(np.int32)
        before = self._label.copy()
        self._cluster(active, near)
        now = self._label
        if len(self._fits) or self._loose:
            near, before, now = self._loosened(near, before, gone)
        clock.append(perf_counter())
        events = self._events(near, before, now, new, gone) if tell else pl.DataFrame(schema=_CHANGES)
        clock.append(perf_counter())
        self._index()
        return Changes(events, len(near), dict(zip(("take_in", "meet", "cluster", "tell"), [took, *np.diff(clock).tolist()], strict=True)))

    def _stack(
        self, new: NDArray[np.int32], gone: NDArray[np.int32], again: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """(those that another stands for from now on, those that stand for themselves again): see `STACK`."""
        if not len(self._how_many) and self._n == len(new):
            keys, counts = np.unique(self._same[new], return_counts=True)
            self._how_many = dict(zip(keys.tolist(), counts.tolist(), strict=True))
        else:
            for who, step in ((new, 1), (gone, -1)):
                for key in self._same[who].tolist():
                    self._how_many[key] = self._how_many.get(key, 0) + step
        several = {key for key in self._same[np.concatenate([new, gone, again])].tolist() if key and self._how_many[key] > STACK}
        several |= {int(self._same[r]) for r in self._behind if self._same[r] in self._same[np.concatenate([gone, again])]}
        hide, shown = [_NOBODY], [_NOBODY]
        for key in sorted(several):
            members = np.flatnonzero((self._same[: self._n] == np.uint64(key)) & self._alive[: self._n]).astype(np.int32)
            before = [r for r in self._behind if self._same[r] == key]
            hidden = np.concatenate([_NOBODY, *(self._behind.pop(r) for r in before)])
            members = members[~np.isin(members, np.concatenate([gone, self._named()]))]
            behind = _NOBODY
            if len(members) > STACK:
                members = members[np.argsort(ranks(self._ids.gather(members)))]
                self._behind[int(members[0])] = behind = np.sort(members[1:])
            hide.append(np.setdiff1d(behind, hidden))
            shown.append(np.setdiff1d(hidden, np.concatenate([behind, gone])))
        self._ever = self._ever or any(len(x) for x in shown)
        return np.concatenate(hide).astype(np.int32), np.concatenate(shown).astype(np.int32)

    def _components(self, touched: NDArray[np.int32], gone: NDArray[np.int32], least: NDArray[np.int32]) -> NDArray[np.int32]:
        """All reports in components, before or after, with a touched one or one that was linked to a gone one."""
        queue = np.empty(self._n, np.int32)
        begin = set(touched.tolist())
        for g in gone.tolist():
            e = int(self._head[g])
            while e >= 0:
                if self._active[self._other[e]]:
                    begin.add(int(self._other[e]))
                e = int(self._following[e])
        prior = np.int64(self.model.prior)
        while True:
            first = np.array(sorted(begin), np.int32)
            queue[: len(first)] = first
            self._mark[first] = True
            n = lists.dirty(
                self._head,
                self._following,
                self._other,
                self._weight,
                self._half,
                least,
                prior,
                self._active,
                queue,
                len(first),
                self._mark,
            )
            found = queue[:n].copy()
            self._mark[found] = False
            if not self._bonds:
                return found
            there = set(found.tolist())
            bound = {y for x in there | set(gone.tolist()) for y in self._bonds.get(x, ()) if self._active[y]}
            if bound <= there:
                return found
            begin = there | bound

    def _cluster(self, active: NDArray[np.int32], near: NDArray[np.int32]) -> None:
        """New labels for whole components; near: these and those that they stand for."""
        if not len(active):
            return
        members = active[np.argsort(ranks(self._ids.gather(active)))]  # by id: ties go to the lesser
        self._place[members] = np.arange(len(members), dtype=np.int32)
        room = ROOM
        while True:
            pair, odds = np.empty((room, 2), np.int32), np.empty(room, np.int64)
            n = lists.among(
                self._head, self._following, self._other, self._weight, self._half, self._counts, np.int64(self.model.prior),
                members, self._place, pair, odds,
            )  # fmt: skip
            if n <= room:
                break
            room = int(n)
        places = (self._place[p].reshape(-1, 2) for p in self._ruled)
        ruled = Decided(*(np.sort(p[(p >= 0).all(axis=1)], axis=1) for p in places))
        self._place[members] = -1
        pair, odds = pair[:n], odds[:n]
        if self._ever:
            _, once = np.unique(pair[:, 0].astype(np.int64) << 32 | pair[:, 1], return_index=True)
            pair, odds = pair[once], odds[once]
        labels = clustered(len(members), pair, odds, self._exclusive[members], self.model.unseen, "here", ruled)[0]
        if len(near) > len(active):
            at = dict(zip(members.tolist(), labels.tolist(), strict=True))
            behind = {int(x): at[r] for r, who in self._behind.items() if r in at for x in who}
            members = near[np.argsort(ranks(self._ids.gather(near)))]
            labels = np.array([at[x] if x in at else behind[x] for x in members.tolist()], np.int64)
        order = np.lexsort((np.arange(len(members)), self._known[members], ~self._usable[members]))
        first = np.zeros(len(members), np.int64)
        first[labels[order[::-1]]] = order[::-1]  # the last that is written stays
        self._label[members] = members[first[labels]]

    def _loosened(
        self, near: NDArray[np.int32], before: NDArray[np.int64], gone: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
        """(what may have changed, labels before, labels now), with the reports that know no month where they belong."""
        old, self._loose = self._loose, self._attach()
        now = self._label.copy()
        for labels, loose in ((before, old), (now, self._loose)):
            labels[list(loose)] = list(loose.values())
        moved = [v for v in {**old, **self._loose} if old.get(v) != self._loose.get(v)]
        touched = np.unique(np.concatenate([before[near], now[near], before[moved], now[moved], before[gone]]))
        here = np.flatnonzero(self._alive[: self._n])
        every = here[np.isin(before[here], touched) | np.isin(now[here], touched)].astype(np.int32)
        return every, before, now

    def _events(
        self, near: NDArray[np.int32], before: NDArray[np.int64], label: NDArray[np.int64], new: NDArray[np.int32], gone: NDArray[np.int32]
    ) -> pl.DataFrame:
        """Incidents that are not what they were: labels before and now."""
        fresh = np.isin(near, new)
        now = pl.DataFrame({"report": near, "now": label[near], "then": np.where(fresh, -1, before[near])})
        lost = pl.DataFrame({"report": gone, "now": np.full(len(gone), -1), "then": before[gone]}, schema=now.schema)
        every = pl.concat([now, lost])
        sizes = (
            every.filter(pl.col("then") >= 0).group_by("then").agg(was=pl.len(), into=pl.col("now").filter(pl.col("now") >= 0).n_unique())
        )
        met = every.filter(pl.col("now") >= 0).join(sizes, on="then", how="left")
        told = met.group_by("now").agg(
            pl.col("report"),
            before=pl.col("then").filter(pl.col("then") >= 0).unique().sort(),
            fresh=(pl.col("then") < 0).any(),
            split=(pl.col("into") > 1).any(),
            whole=(pl.len() == pl.col("was")).all(),
        )
        one = pl.col("before").list.len()
        change = (
            pl.when(one == 0).then(pl.lit("new"))
            .when(one > 1).then(pl.lit("merged"))
            .when("split").then(pl.lit("split"))
            .when("fresh").then(pl.lit("grown"))
            .when(~pl.col("whole")).then(pl.lit("shrunk"))
        )  # fmt: skip
        told = told.with_columns(change=change).filter(pl.col("change").is_not_null()).select("now", "change", "before", "report")
        over = every.group_by("then").agg(left=pl.col("now").max()).filter((pl.col("then") >= 0) & (pl.col("left") < 0))
        ended = over.select(now="then", change=pl.lit("gone"), before=pl.concat_list("then"), report=pl.lit([], dtype=pl.List(pl.Int32)))
        told = pl.concat([told, ended.select(told.columns).cast(told.schema)])

        def named(column: str) -> pl.DataFrame:
            """The ids behind a column of lists of numbers, sorted, by the place of its row."""
            flat = told.select(pl.int_range(pl.len()).alias("at"), column).explode(column, empty_as_null=False)
            texts = self._called(flat[column]) if column == "before" else self._ids.gather(flat[column])
            ids = flat.with_columns(texts.alias(column))
            return ids.sort("at", column).group_by("at", maintain_order=True).agg(column)

        out = told.select(pl.int_range(pl.len()).alias("at"), self._called(told["now"]).alias("incident_id"), "change")
        for column in ("before", "report"):
            out = out.join(named(column), on="at", how="left", maintain_order="left")
        empty_list = pl.lit([], dtype=pl.List(pl.String))
        named_out = out.select(
            "incident_id", "change", pl.col("before").fill_null(empty_list), reports=pl.col("report").fill_null(empty_list)
        )
        return named_out.cast(_CHANGES).sort("incident_id")
