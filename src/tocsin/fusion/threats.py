"""Reported threats: attacks that an agency expects. They are fused among themselves; a later incident that fits one is named in it, and nothing else changes.

An incident fits where it came after the threat was first reported, its days lie within 3 of those expected, its place meets the place named, and no code
that both state contradicts. Where a threat names no more than a country, at least one code must agree.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from tocsin.fusion.members import roots, without_repeats
from tocsin.kernels.linkage import DAYS, NEAR_KM
from tocsin.terms.tables import INCIDENTS, THREATS, conform, empty

_CODES = ("attack_type", "target_type", "target_group", "actor")
_EARTH = 111.195  # km of a degree


def threats(known: pl.DataFrame, fuse: Callable[[pl.DataFrame, dict[str, str]], pl.DataFrame]) -> pl.DataFrame:
    """Expected attacks, by INCIDENTS: the reports of kind `threat` that no other corrects, fused among themselves.

    fuse: makes incidents of reports, and of what each that corrects another goes back to.
    """
    corrected = known["supersedes"].drop_nulls().implode()
    expected = known.filter((pl.col("kind") == "threat") & ~pl.col("report_id").is_in(corrected))
    if expected.is_empty():
        return empty(INCIDENTS)
    event = expected.with_columns(kind=pl.lit("event", dtype=expected.schema["kind"]), derived_from=pl.lit([], dtype=pl.List(pl.String)))
    return fuse(without_repeats(event), roots(known))


def fulfilled(threats: pl.DataFrame, incidents: pl.DataFrame) -> pl.DataFrame:
    """Threats, by THREATS: which incidents fit each, those first that agree in most codes, then the earlier."""
    if threats.is_empty():
        return conform(threats.with_columns(fulfilled_by=pl.lit([], dtype=pl.List(pl.String))), THREATS, table="threats")
    every = incidents.filter(pl.col("event_start").is_not_null()).sort("event_start", "incident_id")
    found = [_fitting(threat, every) for threat in threats.iter_rows(named=True)]
    return conform(threats.with_columns(pl.Series("fulfilled_by", found, dtype=pl.List(pl.String))), THREATS, table="threats")


def _fitting(threat: dict[str, object], incidents: pl.DataFrame) -> list[str]:
    start, end, known = threat["event_start"], threat["event_end"], threat["known_at"]
    if start is None or end is None:
        return []
    near = incidents.filter(
        (pl.col("event_end") >= pl.lit(known))
        & (pl.col("event_end") >= pl.lit(start) - pl.duration(days=DAYS))
        & (pl.col("event_start") <= pl.lit(end) + pl.duration(days=DAYS))
        & _where(threat)
    )
    if threat["violence"] != "unknown":
        near = near.filter(pl.col("violence").is_in([threat["violence"], "unknown"]))
    agree = []
    for name in _CODES:
        code = threat[name]
        if code is None:
            continue
        path = pl.col(name) + "/"
        same = (path.str.starts_with(f"{code}/") | pl.lit(f"{code}/").str.starts_with(path)).fill_null(False)
        near = near.filter(same | pl.col(name).is_null())
        agree.append(same.cast(pl.Int32))
    near = near.with_columns(_agree=pl.sum_horizontal(agree) if agree else pl.lit(0))
    if threat["lat"] is None and threat["admin1"] is None:
        near = near.filter(pl.col("_agree") > 0)
    return near.sort("_agree", "event_start", "incident_id", descending=[True, False, False])["incident_id"].to_list()


def _where(threat: dict[str, object]) -> pl.Expr:
    lat, lon, radius = threat["lat"], threat["lon"], threat["radius_km"]
    country = (pl.col("country") == pl.lit(threat["country"])).fill_null(True) if threat["country"] is not None else pl.lit(True)
    if isinstance(lat, float) and isinstance(lon, float):
        across = (pl.col("lon") - lon).abs()
        dx = pl.min_horizontal(across, 360.0 - across) * _EARTH * ((pl.col("lat") + lat) / 2 * (np.pi / 180)).cos()
        km = (dx**2 + ((pl.col("lat") - lat) * _EARTH) ** 2).sqrt()
        own = radius if isinstance(radius, float) else 0.0
        reach = pl.max_horizontal(pl.lit(NEAR_KM), 2 * (pl.col("radius_km").fill_null(0.0) ** 2 + own**2).sqrt())
        return (km <= reach).fill_null(False)
    if threat["admin1"] is not None:
        return country & (pl.col("admin1").str.to_lowercase() == str(threat["admin1"]).lower()).fill_null(False)
    return country
