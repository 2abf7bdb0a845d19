from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tocsin.errors import ContractError, SpecError
from tocsin.intake.coder import Coder, code
from tocsin.terms.tables import SPAN
from tocsin.terms.taxonomies import taxonomy

PLACES = {"Karachi": "Karachi", "Dera Ismail Khan": "Dera Ismail Khan", "D.I. Khan": "Dera Ismail Khan", "Hub": "Hub", "Punjab": "Punjab"}


def coded(text: str | None) -> dict[str, Any]:
    return code(pl.Series([text]), places=PLACES).row(0, named=True)


def said(text: str) -> dict[str, Any]:
    """What was coded, silence, weapon and spans left out."""
    return {k: v for k, v in coded(text).items() if v is not None and k not in ("coded_spans", "weapon_type")}


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("Sunni extremists claim attack on Shiites", "shia"),
        ("Muslim youth kills Ahmadi physician in Pakistan", "ahmadi"),
        ("Attack on Shia funeral kills 12", "shia"),
        ("Sufi shrine bombed, 12 dead", "sufi"),
        ("Gunmen kill four at Shi’ite Muslim gathering", "shia"),
        ("Blast near imam bargah kills 3", "shia"),
        ("Explosion at Muharram procession kills 5", "shia"),
        ("Suicide bombers kill 14 at church", "christian"),
        ("Gunmen kill 43 on bus carrying Ismailis", "shia/ismaili"),
        ("Blast outside Bohra mosque kills two", "shia/bohra"),
        ("11 Hazara coal miners killed", "hazara"),
        ("Market blast kills 16, half of them ethnic Hazaras", "hazara"),
        ("Militants kill 2 Hazara Shia Muslims", "shia"),
        ("ASWJ leader among three shot dead", "sunni"),
        ("Qadiani doctor shot dead", "ahmadi"),
    ],
)
def test_the_community_that_was_hit_is_coded(text: str, group: str) -> None:
    assert coded(text)["target_group"] == group


@pytest.mark.parametrize(
    "text",
    [
        "police kill 3 responsible for attacking Shias",
        "Pak police kill 3 Lashkar-e-Jhangvi terrorists responsible for attacking Shias",
        "Pak kills 24 militants after shrine blast",
        "Pakistan 'kills 100 militants' after blast in Sufi shrine",
        "Christian protests over church attacks turn violent",
        "bomb at Pakistani mosque",
        "Shia cleric condemns attack",
        "Sunni militants kill five policemen",
        "Gunmen kill police officer guarding Shiites",
        "Christian Science Monitor reporter shot dead",
        "Sufi Mohammad's aide killed",
        "Bomb kills three in Hazara division",
        "Avalanche in Hindu Kush; blast kills two",
        "Court sentences man to death for killing Shia doctor",
        "Pakistan marks anniversary of church bombing",
        "Hundreds attend funeral of slain Shia leader",
        "Shiites mourn miners killed in attack",
        "Gunmen kill three at shrine",
        "Militant behind Shia killings shot dead",
    ],
)
def test_no_community_is_coded_where_none_was_hit(text: str) -> None:
    assert coded(text)["target_group"] is None


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("police kill 3 responsible for attacking Shias", None),
        ("Pak kills 24 militants after shrine blast", "armed_group"),
        ("bomb at Pakistani mosque", "civilians/religious"),
        ("Four Christians shot dead", "civilians"),
        ("Policeman killed in attack on polio team", "civilians/health"),
        ("Gunmen kill policeman escorting polio team", "security/police"),
        ("Bus blast kills 16", "transport"),
        ("Bus carrying Shia pilgrims hits roadside bomb", "civilians/religious"),
        ("Blast near MQM election office", "government/election"),
        ("IS claims killing Islamist party cleric", "civilians/religious"),
        ("Blast at religious seminary kills seven", "civilians/education"),
        ("Bomb kills three in north-west", None),
    ],
)
def test_what_was_aimed_at_comes_before_who_died(text: str, target: str | None) -> None:
    assert coded(text)["target_type"] == target


@pytest.mark.parametrize(
    ("text", "attack"),
    [
        ("Suicide bomber kills 8", "explosion/suicide"),
        ("Roadside bomb kills three", "explosion/ied"),
        ("Air strikes kill nine militants", "explosion/air_strike"),
        ("U.S. drone kills two", "explosion/air_strike"),
        ("Gunmen kill lawyer", "armed_assault/shooting"),
        ("Gunmen abduct 3 engineers", "abduction/kidnapping"),
        ("Militants behead two tribesmen", "armed_assault/melee"),
        ("Shi'ite doctor assassinated", "armed_assault/assassination"),
        ("Seven extremists killed in police shootout", "battle"),
        ("Militants storm university", "armed_assault"),
        ("Security forces kill 8 militants in raid", "battle"),
        ("Mob torches Christian homes", "infrastructure/arson"),
        ("Five dead in attack on Shiites", None),
    ],
)
def test_the_means_are_coded_where_the_words_name_them(text: str, attack: str | None) -> None:
    assert coded(text)["attack_type"] == attack


@pytest.mark.parametrize(
    ("text", "tolls"),
    [
        ("Bomb kills at least 15 in market", {"killed_low": 15}),
        ("Death toll in blast rises to 130", {"killed": 130}),
        ("Toll rises from 120 to 130", {"killed": 130}),
        ("Twenty-one killed in blast", {"killed": 21}),
        ("A dozen killed, scores wounded in blast", {"killed": 12}),
        ("At least two dozen people killed in blasts", {"killed_low": 24}),
        ("Scores killed in blast", {}),
        ("Up to 20 killed in blast", {"killed_high": 20}),
        ("Polio worker shot dead", {"killed": 1}),
        ("Bomb kills politician, his brother", {"killed": 2}),
        ("3 soldiers, 10 militants killed in clash", {"killed": 13}),
        ("Four policemen among 10 killed in blast", {"killed": 10}),
        ("Candidate, son among three killed", {"killed": 3}),
        ("13 killed, including 9 Chinese nationals, in bus blast", {"killed": 13}),
        ("21 killed, 1,204 injured in attack", {"killed": 21, "wounded": 1204}),
        ("Bomb kills 4 troops, gunmen kill 2 guards", {"killed": 4}),
        ("UPDATE 3-Bomber kills 5-year-old girl", {"killed": 1}),
        ("Gunmen kill judge and family", {}),
        ("Over 50 killed in 2014 blast", {"killed_low": 50}),
    ],
)
def test_tolls_are_what_is_stated(text: str, tolls: dict[str, int]) -> None:
    row = coded(text)
    assert {k: row[k] for k in ("killed_low", "killed", "killed_high", "wounded") if row[k] is not None} == tolls


def test_the_narrower_of_agreeing_headlines_wins() -> None:
    assert coded("Gunmen kill Shiites on bus\n45 Ismailis shot dead")["target_group"] == "shia/ismaili"


def test_headlines_that_disagree_leave_silence() -> None:
    row = coded("Gunmen kill two Shias\nGunmen kill two Christians")
    assert row["target_group"] is None
    assert row["target_type"] == "civilians"


def test_a_later_larger_toll_wins_and_a_bound_above_it_makes_it_void() -> None:
    assert said("Blast kills 5\nBlast toll rises to 9")["killed"] == 9
    assert said("Blast kills 5\nBlast kills at least 9") == {"attack_type": "explosion", "killed_low": 9}


def test_a_place_is_read_behind_its_preposition_first() -> None:
    assert coded("Punjab minister shot dead in D.I. Khan")["place"] == "Dera Ismail Khan"
    assert coded("Blast in hub of trade kills 3")["place"] is None


def test_spans_count_code_points_and_quote_the_words() -> None:
    text = "Über Größe – Shi’ite mosque attacked in Karachi;\n\U0001f54c 12 Shias dead"
    for span in coded(text)["coded_spans"]:
        assert text[span["start"] : span["end"]] == span["words"]
    assert {s["field"]: s["value"] for s in coded(text)["coded_spans"]}["killed"] == "12"


def test_silent_and_missing_texts_have_no_spans() -> None:
    out = code(pl.Series(["", None, "Weather fine", "\n\n"]))
    assert out["coded_spans"].to_list() == [[], [], [], []]
    assert out.drop("coded_spans").null_count().row(0) == (4,) * 9


def test_the_columns_are_typed_even_without_texts() -> None:
    schema = code(pl.Series([], dtype=pl.String)).schema
    assert schema["coded_spans"] == pl.List(SPAN)
    assert schema["killed"] == pl.Int32
    assert schema["place"] == pl.String


def test_many_blocks_give_what_one_gives() -> None:
    texts = pl.Series(["Gunmen kill 2 Shias in Karachi", None, "Roadside bomb kills 3\nToll now 4", "x" * 50] * 12_000)
    many = Coder(places=PLACES).code(texts, threads=2)
    one = code(texts[:4], places=PLACES)
    assert many[-4:].equals(one)
    assert many[20_000:20_004].equals(one)


def test_every_code_of_the_lexicon_is_in_a_taxonomy() -> None:
    out = code(pl.Series(["Suicide bomber attacks Sufi shrine"])).row(0, named=True)
    for name in ("target_type", "target_group", "attack_type", "weapon_type"):
        assert out[name] in taxonomy(name)


def test_a_lexicon_of_ones_own_is_used(tmp_path: Path) -> None:
    path = tmp_path / "words.yml"
    path.write_text("hit:\n  - {target: civilians/market, words: [souk]}\nattack:\n  - {attack: explosion, noun: [boom]}\n")
    row = Coder(path).code(pl.Series(["boom at souk"])).row(0, named=True)
    assert (row["target_type"], row["attack_type"]) == ("civilians/market", "explosion")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hits: []", "no section is called 'hits'"),
        ("hit:\n  - {target: civilians/souk, words: [souk]}", "not in terms/taxonomies/target_type.yml"),
        ("hit:\n  - {colour: red, words: [souk]}", "key that is not known"),
        ("hit:\n  - {words: [souk]}\nblank: [souk]", "two meanings"),
        ("hit: [", "cannot be read as a lexicon"),
        ("- a", "mapping of sections"),
        ("blank: ['...']", "without a letter"),
        ("grammar: {verbs: [go]}", "no class 'verbs'"),
        ("hit:\n  - {rank: weak, words: [souk]}", "ranks are"),
        ("hit: souk", "not of the form"),
    ],
)
def test_a_wrong_lexicon_is_said_clearly(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "words.yml"
    path.write_text(text)
    with pytest.raises(SpecError, match=why):
        Coder(path)


def test_a_missing_lexicon_is_said_clearly(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read as a lexicon"):
        Coder(tmp_path / "none.yml")


def test_only_text_is_read() -> None:
    with pytest.raises(ContractError, match="reads a String column, not Int64"):
        code(pl.Series([1, 2]))
