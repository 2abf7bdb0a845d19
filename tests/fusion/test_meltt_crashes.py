"""The crashes that the R package meltt documents: three sources, 195 reports, 140 unique by its answer (no truth is known)."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tocsin import fuse, read

CRASHES = Path(__file__).parents[3] / "shared" / "data" / "meltt_crash"
pytestmark = pytest.mark.skipif(
    not CRASHES.exists(), reason="meltt's data are under LGPL-3 and are not copied into tocsin; read where they lie beside it"
)

_SPEC = """
agency: {column: dataset}
one_report_per_incident: true
values:
  own_id: event
  event_start: date
  event_end: enddate
  lat: latitude
  lon: longitude
  radius_km: {constant: 1.0}
  attack_type: {path: [make_level3, make_level2, make_level1], taxonomy: own}
  target_type: {path: [damage_level1], taxonomy: own}
  actor: {path: [col_level1, col_level2]}
"""


def crashes() -> pl.DataFrame:
    """The three tables with their taxonomies' levels."""
    out = []
    for name in ("crash_data1", "crash_data2", "crash_data3"):
        table = pl.read_csv(CRASHES / f"{name}.csv", infer_schema=False)
        for column in ("model_tax", "color_tax", "damage_tax"):
            levels = pl.read_csv(CRASHES / f"taxonomy_{column}.csv", infer_schema=False).filter(pl.col("data.source") == name)
            table = table.join(levels.drop("data.source"), left_on=column, right_on="base.categories", how="left")
        out.append(table)
    return pl.concat(out)


def test_the_crashes_that_meltt_matches_are_found_without_its_settings(tmp_path: Path) -> None:
    crashes().write_csv(tmp_path / "crashes.csv")
    (tmp_path / "crashes.yml").write_text(_SPEC)
    reports = read(tmp_path / "crashes.csv", spec=tmp_path / "crashes.yml").reports
    assert reports.height == 195
    found = fuse(reports, judgements=(), one_report_per_incident=reports["agency"].unique().to_list())
    print(found.incidents.height)
    assert 130 <= found.incidents.height <= 150
    assert found.incidents["agencies"].list.len().max() == 3
    assert (found.incidents["report_ids"].list.len() == found.incidents["agencies"].list.len()).all(), "no source twice"
