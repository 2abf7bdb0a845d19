"""ACLED exports, on invented rows."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
import yaml

from tocsin import read
from tocsin.intake.acled import Acled
from tocsin.intake.files import Batch
from tocsin.terms.taxonomies import taxonomy

HEADER = (
    "event_id_cnty,event_date,year,time_precision,disorder_type,event_type,sub_event_type,actor1,assoc_actor_1,inter1,actor2,assoc_actor_2,inter2,"
    "interaction,civilian_targeting,iso,region,country,admin1,admin2,admin3,location,latitude,longitude,geo_precision,source,source_scale,notes,"
    "fatalities,tags,timestamp"
)
ROWS = [
    'PAK1,2024-03-05,2024,1,x,Violence against civilians,Attack,Unidentified Armed Group (Pakistan),,Political militia,Civilians (Pakistan),"Shia Muslim Group (Pakistan); Labor Group (Pakistan)",Civilians,,Civilian targeting,586,South Asia,Pakistan,Khyber Pakhtunkhwa,Kurram,,Parachinar,33.9,70.1,1,Dawn,National,"On 5 March, gunmen shot at a van.",4,,1710000000',
    "PAK2,05 March 2024,2024,2,x,Battles,Armed clash,Military Forces of Pakistan (2022-2024),,1,TTP: Tehreek-e-Taliban Pakistan,,2,12,,586,South Asia,Pakistan,Balochistan,Zhob,,Zhob,31.3,69.4,2,AFP,International,A clash.,0,,1710000000",
    "PAK3,2024-03-05,2024,3,x,Explosions/Remote violence,Suicide bomb,TTP: Tehreek-e-Taliban Pakistan,,Rebel group,Police Forces of Pakistan (2022-2024),,State forces,,,586,South Asia,Pakistan,Sindh,Karachi,,Karachi,24.86,67.01,3,Dawn,National,A bomber.,2,,1710000000",
    "PAK4,2024-03-06,2024,1,x,Protests,Peaceful protest,Protesters (Pakistan),,Protesters,,,,,,586,South Asia,Pakistan,Punjab,Lahore,,Lahore,31.55,74.34,1,Dawn,National,A march.,0,,1710000000",
    "IND1,2024-03-06,2024,1,x,Battles,Armed clash,Military Forces of India (2014-),,State forces,Military Forces of Pakistan (2022-2024),,State forces,,,356,South Asia,India,Jammu,Poonch,,Poonch,33.77,74.09,1,PTI,National,Fire.,1,,1710000000",
    "PAK5,2024-03-07,2024,9,x,Battles,Dance off,X,,Rebel group,Y,,Identity militia,,,586,South Asia,Pakistan,Punjab,Lahore,,Lahore,97,74.34,1,Dawn,National,Odd.,-3,,1710000000",
]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    path = tmp_path_factory.mktemp("acled") / "whatever.txt"
    path.write_text("\n".join([HEADER, *ROWS]) + "\n", encoding="utf-8")
    intake = read(path)
    assert intake.reports.height == len(ROWS)
    rows = {r["origin"].removeprefix("ACLED "): r for r in intake.reports.iter_rows(named=True)}
    return rows | {"issues": {"frame": intake.issues}}


def test_the_kind_of_violence_follows_the_event_and_its_sides(table: dict) -> None:
    assert {k: table[k]["violence"] for k in ("PAK1", "PAK2", "PAK3", "PAK4", "IND1")} == {
        "PAK1": "one_sided",
        "PAK2": "state_based",
        "PAK3": "state_based",
        "PAK4": "unknown",
        "IND1": "interstate",
    }


def test_no_fatalities_means_none_reported(table: dict) -> None:
    assert [table["PAK2"][c] for c in ("killed_low", "killed", "killed_high")] == [0, None, None]
    assert [table["PAK1"][c] for c in ("killed_low", "killed", "killed_high")] == [4, 4, 4]


def test_the_precision_of_time_becomes_an_interval(table: dict) -> None:
    assert (table["PAK1"]["event_start"], table["PAK1"]["event_end"]) == (date(2024, 3, 5), date(2024, 3, 5))
    assert (table["PAK2"]["event_start"], table["PAK2"]["event_end"]) == (date(2024, 3, 2), date(2024, 3, 8))
    assert (table["PAK3"]["event_start"], table["PAK3"]["event_end"]) == (date(2024, 3, 1), date(2024, 3, 31))


def test_the_precision_of_place_becomes_a_radius(table: dict) -> None:
    assert table["PAK1"]["radius_km"] < table["PAK2"]["radius_km"] < table["PAK3"]["radius_km"]


def test_the_attacker_is_the_initiator_and_the_group_is_the_actor(table: dict) -> None:
    assert table["PAK3"]["initiator"] == table["PAK3"]["actor"] == "TTP"
    assert table["PAK2"]["actor"] == "TTP"
    assert table["PAK4"]["initiator"] is None


def test_the_community_is_that_of_the_side_that_was_hit(table: dict) -> None:
    assert table["PAK1"]["target_group"] == "shia"
    assert table["PAK1"]["target_type"] == "civilians/labourers"
    assert table["PAK3"]["target_type"] == "security/police"


def test_codes_and_values_that_cannot_be_are_issues_and_the_row_stays(table: dict) -> None:
    reasons = {(i["field"], i["value"]) for i in table["issues"]["frame"].iter_rows(named=True)}
    assert {("sub_event_type", "Dance off"), ("time_precision", "9"), ("latitude", "97"), ("fatalities", "-3")} <= reasons
    assert table["PAK5"]["lat"] is None


def test_every_code_of_the_codebook_has_its_counterpart() -> None:
    raw = yaml.safe_load(Path(str(files("tocsin.intake.acled").joinpath("crosswalk.yml"))).read_text(encoding="utf-8"))
    assert len(raw["event_type"]) == 6
    assert len(raw["sub_event_type"]) == 25
    assert all(code in taxonomy("attack_type") for code in raw["event_type"].values())
    assert all(v["attack"] in taxonomy("attack_type") for v in raw["sub_event_type"].values())
    assert all(v["weapon"] in taxonomy("weapon_type") for v in raw["sub_event_type"].values() if "weapon" in v)
    assert all(code in taxonomy("target_type") for code in [*raw["target_type"].values(), *(c for _, c in raw["narrower_target"])])
    assert all(code in taxonomy("target_group") for _, code in raw["target_group"])


def test_the_header_decides_whatever_its_case_and_order() -> None:
    names = HEADER.upper().split(",")
    assert Acled().recognises(names[::-1])
    assert not Acled().recognises(["eventid", "iyear"])


def test_a_column_that_no_codebook_has_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join([f"{HEADER},mood", *(f"{r},grim" for r in ROWS[:2])]) + "\n", encoding="utf-8")
    issues = read(path).issues
    assert issues.filter(pl.col("field") == "mood").height == 1


def _one(**cells: str | None) -> dict:
    """One row of the reader alone, before names, words and places are read."""
    plain: dict[str, str | None] = {
        "event_id_cnty": "PAK9",
        "event_date": "2024-03-05",
        "event_type": "Battles",
        "sub_event_type": "Armed clash",
    }
    plain |= {"actor1": "TTP", "inter1": "2", "actor2": "Military Forces of Pakistan (2024-)", "inter2": "1", "iso": "586"}
    cells = plain | cells
    frame = pl.DataFrame({c: [v] for c, v in cells.items()}, schema=dict.fromkeys(cells, pl.String))
    return Acled().read(Batch(frame, pl.Series([2], dtype=pl.Int64)), "acled.csv")[0].row(0, named=True)


ARMY, GROUP = {"actor": "Military Forces of Pakistan (2024-)", "inter": "1"}, {"actor": "TTP", "inter": "2"}


def _sides(first: dict, second: dict) -> dict[str, str]:
    return {f"{k}{n}": v for n, side in ((1, first), (2, second)) for k, v in side.items()}


def test_the_order_of_sides_in_a_battle_says_nothing_about_who_began() -> None:
    for sides in (_sides(ARMY, GROUP), _sides(GROUP, ARMY)):
        row = _one(**sides)
        assert (row["initiator"], row["actor"], row["violence"], row["target_type"]) == (None, "TTP", "state_based", None)


def test_territory_regained_or_overtaken_says_who_began() -> None:
    for sides in (_sides(ARMY, GROUP), _sides(GROUP, ARMY)):
        regained = _one(sub_event_type="Government regains territory", **sides)
        overtaken = _one(sub_event_type="Non-state actor overtakes territory", **sides)
        assert (regained["initiator"], regained["target_type"]) == (ARMY["actor"], "armed_group")
        assert (overtaken["initiator"], overtaken["target_type"]) == ("TTP", "security/military")


def test_two_armed_groups_are_both_actors_of_their_battle() -> None:
    row = _one(actor2="BLA", inter2="3")
    assert (row["violence"], row["actor"], row["initiator"]) == ("non_state", "TTP; BLA", None)


def test_only_forces_of_two_countries_are_at_war() -> None:
    army = {"inter1": "1", "inter2": "1", "actor1": "Military Forces of Sudan (2019-)"}
    assert _one(**army, actor2="Police Forces of Sudan (2019-)")["violence"] == "unknown"
    assert _one(**army, actor2="Military Forces of Chad (2021-)")["violence"] == "interstate"


def test_hired_guards_are_no_state() -> None:
    assert _one(actor2="Private Security Forces (Pakistan)", inter2="8")["violence"] == "unknown"
    assert _one(actor2="NATO: North Atlantic Treaty Organization", inter2="8")["violence"] == "state_based"


def test_protesters_that_were_fired_on_are_the_side_that_was_hit() -> None:
    crowd = {"actor1": "Protesters (Pakistan)", "inter1": "6", "assoc_actor_1": "Shia Muslim Group (Pakistan)"}
    row = _one(event_type="Protests", sub_event_type="Excessive force against protesters", **crowd)
    assert (row["target_type"], row["target_group"], row["initiator"], row["actor"]) == ("protesters", "shia", None, None)
    assert _one(event_type="Protests", sub_event_type="Peaceful protest", **crowd)["target_type"] is None


@pytest.mark.parametrize(
    ("beside", "group"),
    [
        ("Ahmadi Muslim Group (Pakistan)", "ahmadi"),
        ("Labor Group (Pakistan); Hazara Ethnic Group (Pakistan); Shia Muslim Group (Pakistan)", "shia"),
        ("Muslim Group (India)", "muslim"),
        ("PML-N: Pakistan Muslim League (Nawaz)", None),
        ("ST: Sunni Tehreek; Labor Group (Pakistan)", None),
        (None, None),
    ],
)
def test_a_community_is_one_only_where_acled_calls_it_a_group(beside: str | None, group: str | None) -> None:
    civilians = {"actor2": "Civilians (Pakistan)", "inter2": "Civilians", "assoc_actor_2": beside}
    assert _one(event_type="Violence against civilians", sub_event_type="Attack", **civilians)["target_group"] == group


def test_an_explosion_that_hit_no_side_has_an_actor_and_no_kind() -> None:
    row = _one(event_type="Explosions/Remote violence", sub_event_type="Remote explosive/landmine/IED", actor2=None, inter2="0")
    assert (row["violence"], row["initiator"], row["target_type"]) == ("unknown", "TTP", None)


def test_a_spreadsheets_numbers_give_the_same_report() -> None:
    plain = _one(timestamp="1710000000", inter1="2", time_precision="1", fatalities="3")
    assert plain == _one(timestamp="1710000000.0", inter1="2.0", time_precision="1.0", fatalities="3.0", iso="586.0")
