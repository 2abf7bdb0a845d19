"""What incidents are whose clusters are known: for those who keep the clusters themselves (`views`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.fusion.judgements import Judgement
from tocsin.fusion.members import derived, labelled, ranks, roots, without_corrected
from tocsin.fusion.model import Model, default_model
from tocsin.fusion.resolve import resolve
from tocsin.terms.tables import INCIDENTS, PART

_MARK = 7  # characters before each id, that tell whose it is
_FAR = 1 << 40  # more than any label
_CLUSTER, _MARGIN = "_own_cluster", "_own_margin"


class Clusters(NamedTuple):
    """Some of what one audience sees: whole clusters, with what they correct and what was taken out of them."""

    reports: pl.DataFrame  # by the contract, as the audience sees them
    cluster: NDArray[np.int64]  # of each; what it is of one that is corrected, taken out of others or no event, does not matter
    margin: NDArray[np.int64]  # of each, in 1/1024
    decided: Sequence[Judgement] = ()  # the judgements that stand, and of which it sees all that they name


def valued(several: Sequence[Clusters], model: Model | None = None) -> list[pl.DataFrame]:
    """The incidents of each, as `fuse` gives them but for as_of and model; all are worked out in one go."""
    if not several:
        return []
    if len(several) == 1:
        return [_incidents(_labelled(several[0], 0), tuple(several[0].decided), model or default_model())]
    marks = [f"{k:06d}|" for k in range(len(several))]
    reports = pl.concat([_marked(_labelled(one, k), mark) for k, (one, mark) in enumerate(zip(several, marks, strict=True))])
    decided = tuple(_of(j, mark) for one, mark in zip(several, marks, strict=True) for j in one.decided)
    made = _incidents(reports, decided, model or default_model())
    whose = made["incident_id"].str.slice(0, _MARK)
    plain = made.with_columns(
        pl.col("incident_id").str.slice(_MARK),
        pl.col("report_ids").list.eval(pl.element().str.slice(_MARK)),
        pl.col("judged").list.eval(pl.element().str.slice(_MARK)),
        parts=pl.col("parts").list.eval(pl.element().struct.with_fields(pl.field("report_id").str.slice(_MARK))).cast(pl.List(PART)),
    )
    return [plain.filter(whose == mark) for mark in marks]


def _labelled(one: Clusters, k: int) -> pl.DataFrame:
    return one.reports.with_columns(pl.Series(_CLUSTER, one.cluster + k * _FAR), pl.Series(_MARGIN, one.margin))


def _incidents(reports: pl.DataFrame, decided: tuple[Judgement, ...], model: Model) -> pl.DataFrame:
    current = without_corrected(reports, reports["supersedes"].drop_nulls())
    if current.is_empty():
        return pl.DataFrame(schema={c.name: c.dtype for c in INCIDENTS}).drop("as_of", "model")
    own = current.filter(~derived(current))
    _, clusters = np.unique(own[_CLUSTER].to_numpy(), return_inverse=True)
    margin = own[_MARGIN].to_numpy()
    current, own = current.drop(_CLUSTER, _MARGIN), own.drop(_CLUSTER, _MARGIN)
    origins = roots(reports)
    made = labelled(current, own, clusters.astype(np.int64), decided, ranks(current["report_id"]), origins, margin)
    incidents = resolve(made, decided, model.incidents, origins)
    return incidents.select(c.name for c in INCIDENTS if c.name in incidents.columns)


def _marked(reports: pl.DataFrame, mark: str) -> pl.DataFrame:
    before = pl.lit(mark)
    return reports.with_columns(
        report_id=before + pl.col("report_id"),
        supersedes=before + pl.col("supersedes"),
        derived_from=pl.col("derived_from").list.eval(before + pl.element()),
    )


def _of(judgement: Judgement, mark: str) -> Judgement:
    reports, apart_from = (tuple(mark + i for i in side) for side in (judgement.reports, judgement.apart_from))
    return replace(judgement, id=mark + judgement.id, reports=reports, apart_from=apart_from)
