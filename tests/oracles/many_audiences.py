"""The slow way to what `fusion.views` gives: for each audience one whole fusion, with candidates counted as the hub counts them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl

from tocsin.fusion import Judgement, fuse, linkage
from tocsin.fusion.members import ranks


def every(seen: pl.DataFrame, judgements: Iterable[Judgement]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(the incidents of what every agency sees, those of its reports that take part in clusters)."""
    taking: list[pl.DataFrame] = [seen.clear()]
    real = linkage.prepare

    def noted(reports: pl.DataFrame, *values: Any, vague: bool = False, **more: Any) -> Any:
        if not vague:
            taking.append(reports)
        return real(reports, *values, vague=vague, **more)

    with patch.object(linkage, "prepare", noted):
        incidents = fuse(seen, judgements=tuple(judgements), one_report_per_incident=()).incidents
    return incidents, taking[-1]


def own(seen: pl.DataFrame, judgements: Iterable[Judgement], taking: pl.DataFrame) -> pl.DataFrame:
    """The incidents of what one agency sees; taking: of `every`."""
    last: list[pl.Series] = []
    prepare, walk = linkage.prepare, linkage.walk

    def noted(reports: pl.DataFrame, *values: Any, vague: bool = False, **more: Any) -> Any:
        made, rows = prepare(reports, *values, vague=vague, **more)
        if not vague:
            last[:] = [reports[rows.tolist()]]  # type: ignore[list-item]
        return made, rows

    def weighed(made: Any, *values: Any, **more: Any) -> linkage.Pairs:
        found = walk(made, *values, **more)
        counts = [_weight(_candidates(taking, row), int(n)) for row, n in zip(_rows(last[0]), found.counts, strict=True)]
        return found._replace(counts=np.array(counts, np.int32))

    def _candidates(among: pl.DataFrame, row: pl.DataFrame) -> int:
        both = pl.concat([among.filter(pl.col("report_id") != row["report_id"][0]), row])
        made, rows = prepare(both, ranks(both["report_id"]))
        at = int(np.flatnonzero(rows == both.height - 1)[0])
        return int(walk(made, np.array(_model().table), _model().floor).counts[at])

    with patch.object(linkage, "prepare", noted), patch.object(linkage, "walk", weighed):
        return fuse(seen, judgements=tuple(judgements), one_report_per_incident=()).incidents


def _weight(base: int, own_count: int) -> int:
    """`base`, times the power of two nearest to what there is besides; two are added to each, as in `linkage.halves`."""
    return max(0, int(np.rint((base + 2) * 2.0 ** round(math.log2((own_count + 2) / (base + 2))))) - 2)


def _rows(frame: Any) -> list[pl.DataFrame]:
    return [frame[k] for k in range(frame.height)]


def _model() -> Any:
    from tocsin.fusion import default_model

    return default_model()
