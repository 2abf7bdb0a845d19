"""What incidents are whose clusters are known: for those who keep the clusters themselves (`views`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl

from tocsin.fusion.judgements import Judgement, standing
from tocsin.fusion.members import derived, labelled, ranks, roots, without_corrected
from tocsin.fusion.model import Model, default_model
from tocsin.fusion.resolve import resolve
from tocsin.terms.tables import INCIDENTS


def valued(
    reports: pl.DataFrame, label: Mapping[str, tuple[int, int]], judgements: Iterable[Judgement] = (), model: Model | None = None
) -> pl.DataFrame:
    """The incidents of reports as `fuse` gives them, but for as_of and model.

    reports: by the contract, as an audience sees them, whole clusters with what they correct and what was taken out of them. label: cluster and margin
    (in 1/1024) of each event that is not corrected and not taken out of others.
    """
    decided = standing(judgements)
    current = without_corrected(reports, reports["supersedes"].drop_nulls())
    own = current.filter(~derived(current))
    found = np.array([label[i] for i in own["report_id"]], np.int64).reshape(-1, 2)
    _, clusters = np.unique(found[:, 0], return_inverse=True)
    origins = roots(reports)
    if current.is_empty():
        return pl.DataFrame(schema={c.name: c.dtype for c in INCIDENTS}).drop("as_of", "model")
    made = labelled(current, own, clusters.astype(np.int64), decided, ranks(current["report_id"]), origins, found[:, 1])
    incidents = resolve(made, decided, (model or default_model()).incidents, origins)
    return incidents.select(c.name for c in INCIDENTS if c.name in incidents.columns)
