"""What odds are worth: the share of reviewed cases that were right at each log-odds, made never to fall (isotonic regression)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.errors import OptionError
from tocsin.fusion.model import ONE, Curve, Model

_FEW = 200  # reviewed links below which no probability is stated
_BINS = 60


def isotonic(values: NDArray[Any], weights: NDArray[Any]) -> NDArray[np.float64]:
    """The rising sequence nearest to `values` by weighted squares: pool adjacent violators (Ayer et al. 1955)."""
    level: list[list[float]] = []  # value, weight, how many
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        level.append([value, weight, 1])
        while len(level) > 1 and level[-2][0] >= level[-1][0]:
            b, a = level.pop(), level.pop()
            level.append([(a[0] * a[1] + b[0] * b[1]) / (a[1] + b[1]), a[1] + b[1], a[2] + b[2]])
    return np.repeat([x[0] for x in level], [int(x[2]) for x in level])


def curve(odds: NDArray[Any], right: NDArray[Any]) -> Curve:
    """A curve through cases: their log-odds in 1/1024, and whether they were right. Half a case is added to each side of a step: none is certain."""
    order = np.argsort(odds, kind="stable")
    edges = np.unique(np.linspace(0, len(odds), min(_BINS, max(1, len(odds) // 50)) + 1).astype(int))
    groups = [order[a:b] for a, b in pairwise(edges)]
    count = np.array([len(g) for g in groups], np.float64)
    share = isotonic(np.array([right[g].mean() for g in groups]), count)
    at = np.array([round(float(np.mean(odds[g]))) for g in groups])
    points: dict[float, list[int]] = {}
    for k, s in enumerate(share.tolist()):
        points.setdefault(s, []).append(k)
    xs: list[int] = []
    ys: list[float] = []
    for s, ks in points.items():
        n = count[ks].sum()
        for k in sorted({ks[0], ks[-1]}):
            if not xs or at[k] > xs[-1]:
                xs.append(int(at[k]))
                ys.append(round((s * n + 0.5) / (n + 1), 4))
    return Curve(tuple(xs), tuple(np.maximum.accumulate(ys).tolist()))


def calibrate(
    model: Model,
    sets: Iterable[tuple[pl.DataFrame, pl.DataFrame]],
    *,
    name: str,
    fuse: Callable[..., Any],
    one_report_per_incident: Any = (),
) -> Model:
    """The model with probabilities for its odds, from reviewed pairs.

    sets: (reports, reviewed) each; reviewed: left, right (report ids) and same (a reviewer, or the truth, says that they are one incident). name says what they
    are. fuse: tocsin's. Raises `OptionError` where fewer than 200 reviewed pairs are links.
    """
    links, incidents = [], []
    for reports, reviewed in sets:
        found = fuse(reports, model=model, judgements=(), one_report_per_incident=one_report_per_incident)
        both = reviewed.select(pl.min_horizontal("left", "right").alias("left"), pl.max_horizontal("left", "right").alias("right"), "same")
        links.append(found.links.select("left", "right", "log_odds").join(both, on=["left", "right"]).select("log_odds", "same"))
        of = found.clusters
        inside = both.join(of, left_on="left", right_on="report_id").join(of, left_on="right", right_on="report_id", suffix="_r")
        judged = inside.filter(pl.col("incident_id") == pl.col("incident_id_r")).group_by("incident_id").agg(pl.col("same").all())
        margin = found.incidents.filter(pl.col("margin").is_not_null()).select(
            "incident_id", odds=(pl.col("margin") * ONE).round().cast(pl.Int64)
        )
        incidents.append(judged.join(margin, on="incident_id").select("odds", "same"))
    pairs, whole = pl.concat(links), pl.concat(incidents)
    if pairs.height < _FEW or whole.height < _FEW:
        raise OptionError(
            f"{pairs.height} reviewed pairs are links, and {whole.height} reviewed incidents have several reports: too few, {_FEW} are needed"
        )
    return replace(
        model,
        calibrated_on=name,
        links=curve(pairs["log_odds"].to_numpy(), pairs["same"].to_numpy()),
        incidents=curve(whole["odds"].to_numpy(), whole["same"].to_numpy()),
    )
