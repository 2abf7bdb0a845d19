"""The Global Terrorism Database, on invented rows."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
import yaml

from tocsin import read
from tocsin.intake.files import Batch
from tocsin.intake.gtd import Gtd
from tocsin.terms.countries import countries
from tocsin.terms.taxonomies import taxonomy

COLUMNS = (
    "eventid iyear imonth iday approxdate resolution country country_txt provstate city latitude longitude specificity summary suicide attacktype1 targtype1 "
    "targtype1_txt targsubtype1 corp1 target1 gname weaptype1 nkill nkillter nwound INT_LOG related"
).split()
ROWS = [
    "201501300001 2015 1 30 _ _ 153 Pakistan Sindh Shikarpur 27.957 68.638 1 _ 1 3 15 Religious 86 _ Mosque Jundallah 6 61 1 50 0 _".split(
        " "
    ),
    "201502000001 2015 2 0 _ _ 153 Pakistan Punjab Lahore 31.55 74.34 2 _ 0 2 3 Police 25 Police Patrol Unknown 5 _ _ -99 0 _".split(" "),
    "201500000001 2015 0 0 _ _ 153 Pakistan Unknown Unknown _ _ 5 _ 0 9 20 Unknown _ _ _ Unknown 13 0 0 0 0 _".split(" "),
    "201502310001 2015 2 31 _ _ 999 Atlantis Nowhere Deep 97 10 4 _ 0 99 17 Militia _ _ _ TTP 6 -3 _ 2.0 0 _".split(" "),
    "201503010001 2015 3 1 _ 2015-03-04 153 Pakistan Sindh Karachi 24.86 67.01 1 _ 0 6 14 Citizens 67 _ _ BLA 5 2 0 0 0 _".split(" "),
]
CELLS = [[None if c == "_" else c for c in row] for row in ROWS]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gtd") / "globalterrorism.csv"
    pl.DataFrame(CELLS, schema=COLUMNS, orient="row").write_csv(path)
    return path


@pytest.fixture(scope="module")
def rows(path: Path) -> list[dict]:
    return list(read(path).reports.sort("row").iter_rows(named=True))


def test_day_nought_is_the_month_and_month_nought_the_year(rows: list[dict]) -> None:
    assert [(r["event_start"], r["event_end"]) for r in rows] == [
        (date(2015, 1, 30), date(2015, 1, 30)),
        (date(2015, 2, 1), date(2015, 2, 28)),
        (date(2015, 1, 1), date(2015, 12, 31)),
        (date(2015, 2, 1), date(2015, 2, 28)),
        (date(2015, 3, 1), date(2015, 3, 4)),
    ]


def test_a_suicide_bombing_is_one(rows: list[dict]) -> None:
    assert (rows[0]["attack_type"], rows[0]["weapon_type"], rows[0]["target_type"]) == (
        "explosion/suicide",
        "explosives",
        "civilians/religious",
    )


def test_an_unknown_toll_is_empty_and_a_known_nought_is_nought(rows: list[dict]) -> None:
    assert (rows[1]["killed"], rows[1]["wounded"], rows[2]["killed"], rows[3]["killed"], rows[3]["wounded"]) == (None, None, 0, None, 2)


def test_the_attacker_is_initiator_and_actor_and_nobody_is_null(rows: list[dict]) -> None:
    assert (rows[3]["actor"], rows[3]["initiator"], rows[1]["actor"]) == ("TTP", "TTP", None)


def test_the_kind_of_violence_follows_from_whom_they_hit(rows: list[dict]) -> None:
    assert [r["violence"] for r in rows] == ["one_sided", "state_based", "unknown", "non_state", "one_sided"]


def test_what_cannot_be_is_an_issue_and_the_row_stays(path: Path) -> None:
    intake = read(path)
    said = {(i["field"], i["value"]) for i in intake.issues.filter(pl.col("row") == 5).iter_rows(named=True)}
    assert {("iday", "31"), ("latitude", "97"), ("nkill", "-3"), ("attacktype1", "99"), ("country_txt", "Atlantis")} <= said
    assert intake.reports.height == 5


def test_a_spreadsheet_gives_the_same_reports(path: Path, tmp_path: Path) -> None:
    book = tmp_path / "gtd.xlsx"
    with xlsxwriter.Workbook(str(book)) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, COLUMNS)
        for i, row in enumerate(CELLS, 1):
            for j, cell in enumerate(row):
                if cell is not None:
                    number = COLUMNS[j] in (
                        "iyear",
                        "imonth",
                        "iday",
                        "nkill",
                        "nkillter",
                        "nwound",
                        "attacktype1",
                        "targtype1",
                        "weaptype1",
                        "suicide",
                        "eventid",
                    )
                    sheet.write(i, j, float(cell) if number else cell)
    from_csv, from_book = read(path).reports, read(book).reports
    assert from_csv.drop("file", "source_hash", "lat", "lon").equals(from_book.drop("file", "source_hash", "lat", "lon"))


def test_every_code_of_the_codebook_has_its_counterpart() -> None:
    raw = yaml.safe_load(Path(str(files("tocsin.intake.gtd").joinpath("crosswalk.yml"))).read_text(encoding="utf-8"))
    for name, n in (("attack_type", 9), ("target_type", 22), ("weapon_type", 13)):
        assert sorted(map(int, raw[name])) == list(range(1, n + 1))
        assert all(code in taxonomy(name) for code in raw[name].values())
    assert all(code in taxonomy("target_type") for code in raw["target_subtype"].values())


def test_all_135_columns_are_read_or_passed_over_by_name() -> None:
    reader = Gtd()
    used, ignored = set(reader.spec["used"]), reader.ignored
    assert not used & ignored
    assert len(used | ignored) == 135


def _one(**cells: str | None) -> tuple[dict, pl.DataFrame]:
    """One row of the reader alone, before words and places are read."""
    plain: dict[str, str | None] = {"eventid": "201503010001", "iyear": "2015", "imonth": "3", "iday": "1", "country_txt": "Pakistan"}
    plain |= {"latitude": "24.86", "longitude": "67.01", "specificity": "1", "attacktype1": "2", "targtype1": "14", "gname": "X"}
    cells = plain | cells
    frame = pl.DataFrame({c: [v] for c, v in cells.items()}, schema=dict.fromkeys(cells, pl.String))
    reports, issues = Gtd().read(Batch(frame, pl.Series([2], dtype=pl.Int64)), "gtd.csv")
    return reports.row(0, named=True), issues


@pytest.mark.parametrize(("code", "km"), [("1", 2.0), ("2", 12.0), ("3", 30.0), ("4", 100.0), ("5", 300.0), (None, 100.0)])
def test_the_precision_of_place_becomes_a_radius(code: str | None, km: float) -> None:
    assert _one(specificity=code)[0]["radius_km"] == km


def test_without_a_point_there_is_no_radius() -> None:
    assert _one(latitude=None, longitude=None, specificity="5")[0]["radius_km"] is None


def test_an_extended_incident_may_end_on_an_american_date() -> None:
    row, issues = _one(resolution="3/9/2015")
    assert (row["event_end"], row["known_at"], issues.height) == (date(2015, 3, 9), date(2015, 3, 10), 0)


def test_a_subtype_narrows_the_target_where_it_says_more() -> None:
    assert _one(targsubtype1="74")[0]["target_type"] == "civilians/market"
    assert _one(targsubtype1="67")[0]["target_type"] == "civilians"


def test_only_a_bombing_becomes_a_suicide_bombing() -> None:
    assert _one(suicide="1")[0]["attack_type"] == "armed_assault"
    assert _one(suicide="1", attacktype1="3.0")[0]["attack_type"] == "explosion/suicide"


def test_officials_and_diplomats_are_one_sided_violence() -> None:
    assert [_one(targtype1=code)[0]["violence"] for code in ("2", "7")] == ["one_sided", "one_sided"]


def test_without_a_summary_the_text_is_the_target() -> None:
    assert _one(target1="A bus", corp1="Metro")[0]["text"] == "A bus; Metro"


def test_a_column_that_no_codebook_has_is_one_issue_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "gtd.csv"
    pl.DataFrame([[*row, "grim"] for row in CELLS], schema=[*COLUMNS, "mood"], orient="row").write_csv(path)
    assert read(path).issues.filter(pl.col("field") == "mood").select("row").rows() == [(0,)]


def test_months_and_years_that_cannot_be_are_said() -> None:
    row, issues = _one(imonth="13")
    assert (row["event_start"], row["event_end"]) == (date(2015, 1, 1), date(2015, 12, 31))
    assert issues["field"].to_list() == ["imonth"]
    row, issues = _one(iyear="99999")
    assert (row["event_start"], issues["field"].to_list()) == (None, ["iyear"])
    assert _one(resolution="2014-01-01")[1]["field"].to_list() == ["resolution"]


def test_a_target_that_no_codebook_has_leaves_the_kind_of_violence_unknown() -> None:
    assert _one(targtype1="99")[0]["violence"] == "unknown"


def test_the_header_decides_whatever_its_case_and_order() -> None:
    assert Gtd().recognises([c.upper() for c in COLUMNS[::-1]])
    assert not Gtd().recognises(["event_id_cnty", "event_date"])


def test_an_assassination_by_bomb_is_a_bombing() -> None:
    assert _one(attacktype1="1")[0]["attack_type"] == "armed_assault/assassination"
    assert _one(attacktype1="1", attacktype2="3")[0]["attack_type"] == "explosion"
    assert _one(attacktype1="1", weaptype1="6", suicide="1")[0]["attack_type"] == "explosion/suicide"


@pytest.mark.parametrize(("code", "attack"), [("7", "grenade"), ("8", "ied"), ("11", "shelling"), ("13", "suicide"), ("15", "ied")])
def test_the_bomb_says_what_bombing_it_was(code: str, attack: str) -> None:
    assert _one(attacktype1="3", weapsubtype1=code)[0]["attack_type"] == f"explosion/{attack}"
    assert _one(attacktype1="2", weapsubtype1=code)[0]["attack_type"] == "armed_assault"


def test_every_group_that_gtd_names_is_an_actor() -> None:
    assert _one(gname="BLA", gname2="BLF", gname3="Unknown")[0]["actor"] == "BLA; BLF"


def test_a_toll_shared_out_among_related_attacks_may_be_a_fraction() -> None:
    row, issues = _one(nkill="2.5", nwound="0.5")
    assert ([row[c] for c in ("killed_low", "killed", "killed_high", "wounded")], issues.height) == ([2, 3, 3, 1], 0)


def test_more_attackers_dead_than_dead_in_all_is_said() -> None:
    row, issues = _one(nkill="1", nkillter="2")
    assert (row["killed"], row["killed_a"], issues["field"].to_list()) == (1, 2, ["nkillter"])


def test_all_112_target_subtypes_lead_to_their_types_code_or_a_narrower_one() -> None:
    raw = Gtd().crosswalk
    assert sorted(map(int, raw["target_subtype"])) == [n for n in range(1, 114) if n != 38]
    assert _one(targsubtype1="38")[1]["field"].to_list() == ["targsubtype1"]
    assert all(code in taxonomy("attack_type") for code in raw["weapon_subtype"].values())


def test_a_country_whose_name_is_not_known_is_asked_by_its_number() -> None:
    assert _one(country="47", country_txt="Congo (Brazzaville)")[0]["country"] == "COG"
    assert _one(country="362.0", country_txt="West Germany (FRG)")[0]["country"] == "DEU"
    row, issues = _one(country="359", country_txt="Soviet Union")
    assert (row["country"], issues["field"].to_list()) == (None, ["country_txt"])


def test_every_country_of_gtd_is_a_country_of_today_or_said_to_be_none() -> None:
    raw = Gtd().countries
    assert set(raw["country"].values()) <= set(countries())
    assert not set(raw["country"]) & set(raw["nowhere"])
