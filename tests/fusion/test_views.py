"""Many audiences, whatever comes, goes, opens and closes in whatever order: each has at any time the incidents that fuse() makes of what it sees."""

from __future__ import annotations

import random
from datetime import date

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from oracles import many_audiences
from polars.testing import assert_frame_equal
from samples import alike, invented, report_tables

from tocsin.errors import OptionError
from tocsin.fusion import Judgement, graph, linkage, taking
from tocsin.fusion.layers import Change, among
from tocsin.fusion.valued import Clusters, valued
from tocsin.fusion.views import EVERY, Views

NAMES = ("every", "A", "B", "C")


class Kept:
    """What a hub keeps: for every audience its own incidents, before those of EVERY."""

    def __init__(self, table: pl.DataFrame, names: tuple[str, ...] = NAMES) -> None:
        self.table, self.views = table, Views(names)
        self.sees: dict[str, int] = {}
        self.incidents: list[dict[str, dict[str, object]]] = [{} for _ in names]  # by audience, by report: the incident that it is in
        self.judgements: tuple[Judgement, ...] = ()

    def visible(self, v: int) -> pl.DataFrame:
        seen = [i for i, who in self.sees.items() if who >> v & 1]
        return _dropped(self.table.filter(pl.col("report_id").is_in(seen)))

    def change(self, sees: dict[str, int]) -> None:
        new = self.table.filter(pl.col("report_id").is_in([i for i in sees if self.views.number_of(i) is None]))
        self.sees |= sees
        self._take(self.views.change(new, sees))

    def judge(self, judgements: tuple[Judgement, ...]) -> None:
        self.judgements = judgements
        self._take(self.views.judge(judgements))

    def _take(self, change: Change) -> None:
        for v, kept in enumerate(self.incidents):
            for i in self.views.ids_of(change.around[v]):
                kept.pop(i, None)
            for layer in change.of(v):
                ids = self.views.ids_of(layer.seen).to_list()
                assert set(ids) <= set(self.views.ids_of(change.around[v]))
                for piece in layer.cut(5):
                    ids = self.views.ids_of(piece.seen).to_list()
                    mine = self.visible(v)
                    place = dict(zip(mine["report_id"], range(mine.height), strict=True))
                    of = among(piece.decided, set(ids))
                    (found,) = valued([Clusters(mine[[place[i] for i in ids]], piece.cluster, piece.margin, of)])
                    for row in found.iter_rows(named=True):
                        kept |= dict.fromkeys(row["report_ids"], row)
                    for i in ids if v else ():
                        kept.setdefault(i, {})  # in no incident of this audience, whatever it is in for EVERY

    def _decided(self, v: int) -> list[Judgement]:
        return [j for j in self.judgements if all(self.sees.get(i, 0) >> v & 1 for i in (*j.reports, *j.apart_from))]

    def check(self) -> None:
        wanted_by_all, taking = many_audiences.every(self.visible(EVERY), self._decided(EVERY))
        for v in range(len(self.incidents)):
            mine = self.visible(v)
            wanted = (wanted_by_all if v == EVERY else many_audiences.own(mine, self._decided(v), taking)).drop("as_of", "model")
            here = [self.incidents[v].get(i, self.incidents[EVERY].get(i)) for i in mine["report_id"]]
            rows = {str(r["incident_id"]): r for r in here if r}
            found = pl.DataFrame(list(rows.values()), schema=wanted.schema)
            assert_frame_equal(found.sort("incident_id"), wanted.sort("incident_id"), check_row_order=True)


def _dropped(seen: pl.DataFrame) -> pl.DataFrame:
    """Without references to what is not seen, or to corrections of other agencies' reports."""
    agency = dict(seen.select("report_id", "agency").iter_rows())
    rows = [
        (
            i if i in agency and agency[i] == who and i != own else None,
            [s for s in sources or () if s in agency],
        )
        for own, who, i, sources in seen.select("report_id", "agency", "supersedes", "derived_from").iter_rows()
    ]
    columns = {"supersedes": [a for a, _ in rows], "derived_from": [b for _, b in rows]}
    return seen.with_columns(pl.Series(k, v, dtype=seen.schema[k]) for k, v in columns.items())


def _scattered(chance: random.Random) -> int:
    """Who sees a report: every agency, some, or none."""
    return chance.choice([0b1111, 0b1111, 0b0010, 0b0110, 0b1000, 0b1100, 0])


def _referring(table: pl.DataFrame, chance: random.Random) -> pl.DataFrame:
    ids = table["report_id"].to_list()
    supersedes = [chance.choice(ids) if chance.random() < 0.2 else None for _ in ids]
    sources = [sorted({chance.choice(ids)} - {i}) if chance.random() < 0.15 else [] for i in ids]
    return table.with_columns(
        pl.Series("supersedes", supersedes, dtype=pl.String), pl.Series("derived_from", sources, dtype=pl.List(pl.String))
    )


def _walk(kept: Kept, chance: random.Random, steps: int) -> None:
    ids = kept.table["report_id"].to_list()
    chance.shuffle(ids)
    while ids or steps:
        some = [ids.pop() for _ in range(min(len(ids), chance.randint(0, 5)))] if ids else []
        again = [i for i in kept.sees if chance.random() < 0.2]
        kept.change({i: _scattered(chance) for i in (*some, *again)})
        if kept.sees and chance.random() < 0.3:
            kept.judge(_judged(sorted(kept.sees), chance))
        kept.check()
        steps = max(0, steps - 1)


def _judged(ids: list[str], chance: random.Random) -> tuple[Judgement, ...]:
    out = []
    for n in range(chance.randint(0, 3)):
        several = chance.sample(ids, min(len(ids), 2))
        if len(several) == 2:
            kind = chance.choice(["merge", "split", "part_of"])
            one, other = ((several[0],), (several[1],)) if kind == "split" else (tuple(several), ())
            out.append(Judgement(f"j{n}", "x", date(2026, 1, 1 + n), "why", kind, one, other))
    return tuple(out)


@settings(max_examples=10, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(table=report_tables(), seed=st.integers(0, 2**16))
def test_each_audience_has_at_any_time_what_fuse_makes_of_what_it_sees(table: pl.DataFrame, seed: int) -> None:
    chance = random.Random(seed)
    _walk(Kept(_referring(table, chance)), chance, 4)


@pytest.mark.parametrize(("recent", "step"), [(1, 58), (10**6, 29)])
def test_in_a_crowd_too(monkeypatch: pytest.MonkeyPatch, recent: int, step: int) -> None:
    """With steps of 58 a report's neighbour is out of its component for one audience alone, where what changed is a third."""
    monkeypatch.setattr(graph, "RECENT", recent)
    chance = random.Random(5)
    table = _referring(invented(9, 120).sample(fraction=1, shuffle=True, seed=1), random.Random(2))
    kept = Kept(table)
    ids = table["report_id"].to_list()
    kept.change({i: _scattered(chance) for i in ids[:200]})
    kept.check()
    for low in range(200, len(ids), step):
        kept.change({i: _scattered(chance) for i in (*ids[low : low + 17], *chance.sample(ids[:low], 3))})
    kept.judge(_judged(ids, chance))
    kept.check()
    kept.change(dict.fromkeys(chance.sample(ids, 40), 0))
    kept.check()


@pytest.mark.parametrize("seed", range(2))
def test_many_that_are_the_same_count_as_one_for_each_audience_alone(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    for where in (taking, linkage):
        monkeypatch.setattr(where, "STACK", 3)
    chance = random.Random(seed)
    _walk(Kept(alike(chance)), chance, 6)


def test_an_audience_that_comes_later_sees_what_every_one_sees() -> None:
    table = invented(3, 30)
    kept = Kept(table, ("every", "A"))
    chance = random.Random(1)
    kept.change({i: chance.choice([0b11, 0b10, 0]) for i in table["report_id"]})
    kept.views.widen("B")
    kept.incidents.append({})
    kept.sees = {i: who | (who & 1) << 2 for i, who in kept.sees.items()}
    kept.check()
    kept.change(dict.fromkeys(table["report_id"].head(9), 7))
    kept.check()


def test_the_sixty_fourth_audience_is_refused_with_a_reason() -> None:
    full = Views([f"a{n}" for n in range(63)])
    with pytest.raises(OptionError, match="at most 62 agencies"):
        full.widen("one more")
