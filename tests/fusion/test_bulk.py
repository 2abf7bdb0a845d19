"""Fusing from disk to disk: the same incidents as in memory, in stretches of any length, killed wherever it may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import invented, report, report_tables, reports

from tocsin import fuse
from tocsin.errors import ContractError
from tocsin.fusion import bulk, fuse_to
from tocsin.fusion.judgements import Judgement


def _same(out: Path, table: pl.DataFrame, **options: Any) -> None:
    whole = fuse(table, **options)
    incidents, links = (pl.read_parquet(out / f"{n}.parquet") for n in ("incidents", "links"))
    assert incidents.sort("incident_id").equals(whole.incidents.sort("incident_id"))
    assert links.sort("left", "right").equals(whole.links.sort("left", "right"))


@pytest.mark.parametrize("slab", [1, 40, 333, 10**6])
def test_stretches_of_any_length_give_the_incidents_of_fuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slab: int) -> None:
    table = invented(3, 400)
    monkeypatch.setattr(bulk, "_SLAB", slab)
    monkeypatch.setattr(bulk, "_BATCH", 250)
    table.write_parquet(tmp_path / "r.parquet")
    totals = fuse_to(tmp_path, [tmp_path / "r.parquet"], judgements=())
    assert totals.reports == table.height
    _same(tmp_path, table, judgements=())
    assert not (tmp_path / ".fusing").exists()


@settings(max_examples=20, deadline=None)
@given(table=report_tables(), slab=st.integers(1, 6))
def test_small_tables_too(tmp_path_factory: pytest.TempPathFactory, table: pl.DataFrame, slab: int) -> None:
    out = tmp_path_factory.mktemp("bulk")
    table.write_parquet(out / "r.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "_SLAB", slab)
        fuse_to(out, [out / "r.parquet"], judgements=())
    _same(out, table, judgements=())


def test_killed_after_any_stretch_it_goes_on_and_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = invented(4, 200)
    table.write_parquet(tmp_path / "r.parquet")
    monkeypatch.setattr(bulk, "_SLAB", 60)
    worked: list[int] = []
    stretch = bulk._Run._stretch

    def dies(self: Any, k: int, *rest: Any) -> Any:
        if len(worked) % 2:
            worked.append(-1)
            raise KeyboardInterrupt
        worked.append(k)
        return stretch(self, k, *rest)

    monkeypatch.setattr(bulk._Run, "_stretch", dies)
    for _ in range(100):
        try:
            fuse_to(tmp_path, [tmp_path / "r.parquet"], judgements=())
            break
        except KeyboardInterrupt:
            continue
    done = [k for k in worked if k >= 0]
    assert done == list(range(len(done))), "no stretch was done twice"
    assert len(done) > 4
    _same(tmp_path, table, judgements=())


def test_other_options_begin_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = invented(5, 100)
    table.write_parquet(tmp_path / "r.parquet")
    with monkeypatch.context() as patch:
        patch.setattr(bulk._Run, "_joined", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            fuse_to(tmp_path, [tmp_path / "r.parquet"], judgements=())
    fuse_to(tmp_path, [tmp_path / "r.parquet"], judgements=(), one_report_per_incident=["A", "B", "C"])
    _same(tmp_path, table, judgements=(), one_report_per_incident=["A", "B", "C"])


def test_corrections_press_articles_and_judgements_hold_across_stretches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = invented(6, 150)
    ids = table["report_id"]
    judged = Judgement(
        id="j", by="t", signed=table["known_at"][0], why="w", decides="part_of", reports=tuple(sorted([ids[0], ids[table.height - 1]]))
    )
    extra = reports(
        report("Dawn", "p", derived_from=[ids[10]], event_start=table["event_start"].max(), killed=3),
        report("Dawn", "q", derived_from=["0" * 36]),
        report("A", "again", supersedes=ids[5], event_start=table["event_start"][5]),
    )
    table = pl.concat([table, extra])
    table.write_parquet(tmp_path / "r.parquet")
    monkeypatch.setattr(bulk, "_SLAB", 50)
    for as_of in (None, table["known_at"].sort()[table.height // 2]):
        fuse_to(tmp_path, [tmp_path / "r.parquet"], judgements=[judged], as_of=as_of)
        _same(tmp_path, table, judgements=[judged], as_of=as_of)


def test_a_file_that_is_not_reports_is_refused_in_words(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(ContractError, match="reports"):
        fuse_to(tmp_path, [tmp_path / "x.parquet"])
