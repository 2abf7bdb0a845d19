"""GED beside made-up rows in the formats of GTD and ACLED, as docs/how-to/compare-sources.md has it."""

from __future__ import annotations

from datetime import date
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.intake.test_acled import HEADER
from tests.intake.test_gtd import COLUMNS
from tocsin import explain, fuse, read

GTD = """
201501300001 2015 1 30 _ _ 153 Pakistan Sindh Shikarpur 27.957 68.638 1 _ 1 3 15 Religious 86 _ Mosque Jundallah 6 61 1 50 0 _
201503150001 2015 3 15 _ _ 153 Pakistan Punjab Lahore 31.40 74.36 1 _ 1 3 15 Religious 86 _ Church TTP 6 17 2 70 0 _
201504020001 2015 4 2 _ _ 153 Pakistan Punjab Multan 30.19 71.47 1 _ 0 2 14 Citizens 67 _ _ Unknown 5 1 0 0 0 _
201505130001 2015 5 13 _ _ 153 Pakistan Sindh Karachi 24.96 67.15 1 _ 0 2 19 Transportation 99 _ Bus Unknown 5 46 0 13 0 _
"""
ACLED = [
    "PAK11,2015-05-13,2015,1,x,Violence against civilians,Attack,Unidentified Armed Group (Pakistan),,Political militia,Civilians (Pakistan),"
    'Ismaili Group (Pakistan),Civilians,,Civilian targeting,586,South Asia,Pakistan,Sindh,Karachi East,,Karachi,24.92,67.13,1,Dawn,National,"A bus.",45,,1710000000',
    "PAK12,2015-01-30,2015,1,x,Explosions/Remote violence,Suicide bomb,Jundallah,,Rebel group,Civilians (Pakistan),Shia Muslim Group (Pakistan),Civilians,,"
    'Civilian targeting,586,South Asia,Pakistan,Sindh,Shikarpur,,Shikarpur,27.96,68.64,1,Dawn,National,"A mosque.",60,,1710000000',
]


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("sources")
    cells = [[None if c == "_" else c for c in line.split(" ")] for line in GTD.split("\n") if line]
    pl.DataFrame(cells, schema=COLUMNS, orient="row").write_csv(folder / "gtd.csv")
    (folder / "acled.csv").write_text("\n".join([HEADER, *ACLED]) + "\n")
    with as_file(files("tocsin.data").joinpath("ged221_pakistan.csv.gz")) as ged:
        table = read([Path(ged), folder / "gtd.csv", folder / "acled.csv"]).reports
    fusion = fuse(table)
    mine = pl.col("agencies").list.eval(pl.element().is_in(["GTD", "ACLED"])).list.any()
    rows = {row["event_start"]: row for row in fusion.incidents.filter(mine).iter_rows(named=True)}
    return {"rows": rows, "fusion": fusion, "reports": table}


def test_each_made_up_row_finds_geds_row_of_the_attack_and_one_that_ged_lacks_stands_alone(joined: dict[str, Any]) -> None:
    has = {day: [a in row["agencies"] for a in ("UCDP GED", "GTD", "ACLED")] for day, row in joined["rows"].items()}
    assert has == {
        date(2015, 1, 30): [True, True, True],
        date(2015, 3, 15): [True, True, False],
        date(2015, 4, 2): [False, True, False],
        date(2015, 5, 13): [True, True, True],
    }


def test_sources_corroborate_each_other_and_the_articles_that_ged_cites_add_nothing(joined: dict[str, Any]) -> None:
    assert [joined["rows"][d]["corroboration"] for d in sorted(joined["rows"])] == [3, 2, 1, 3]


def test_where_they_disagree_is_said_and_the_toll_is_a_range(joined: dict[str, Any]) -> None:
    bus = joined["rows"][date(2015, 5, 13)]
    assert [bus[k] for k in ("killed_low", "killed", "killed_high")] == [43, 45, 47]
    assert "killed" in bus["disputed"]
    assert "actor" in joined["rows"][date(2015, 1, 30)]["disputed"]


def test_the_join_is_explained(joined: dict[str, Any]) -> None:
    fusion = joined["fusion"]
    said = str(explain(fusion.incidents, fusion.links, joined["rows"][date(2015, 5, 13)]["incident_id"], joined["reports"]))
    assert "3 links between its reports" in said
    assert "killed +" in said
