"""One name for an actor, whatever a source calls it."""

import polars as pl
import pytest

from tocsin.terms.actors import above, actors, agree, canonical, canonical_series, folded, nameless, umbrella


@pytest.mark.parametrize("name", ["TTP", "Tehrik-i-Taliban Pakistan (TTP)", "TTP: Tehreek-e-Taliban Pakistan", "pakistani taliban"])
def test_every_name_of_a_group_leads_to_one(name: str) -> None:
    assert canonical(name) == "TTP"


def test_a_name_that_is_not_known_is_kept_and_said_and_never_guessed() -> None:
    names, strange = canonical_series(pl.Series(["TPP", None, "Unknown", "Bangash; Turi"]))
    assert names.to_list() == ["TPP", None, None, "Bangesh; Turi"]
    assert strange.to_list() == [True, False, False, False]


def test_an_umbrella_agrees_with_those_under_it() -> None:
    assert above("Jamaat-ul-Ahrar") == ("Jamaat-ul-Ahrar", "TTP", "Taliban")
    assert agree("Taliban", "TTP")
    assert not agree("TTP", "BLA")


def test_case_accents_and_punctuation_do_not_matter() -> None:
    assert folded("Jamā‘at-ul-Ahrār") == folded("Jamaat ul Ahrar") or canonical("Jamaat ul Ahrar") == "Jamaat-ul-Ahrar"


def test_a_column_without_names_stays_so() -> None:
    names, strange = canonical_series(pl.Series([None, None], dtype=pl.String))
    assert names.to_list() == [None, None]
    assert not strange.any()


@pytest.mark.parametrize(
    "name", ["Unidentified Armed Group (India)", "Unidentified Communal Militia (Nigeria)", "unknown gunmen", "Gunmen"]
)
def test_attackers_that_nobody_identified_are_no_actor_whatever_their_country(name: str) -> None:
    assert nameless(name)
    assert canonical_series(pl.Series([name]))[0].to_list() == [None]


def test_the_forces_of_a_state_are_its_government_whoever_governs() -> None:
    names = [
        "Military Forces of Pakistan (2018-2022)",
        "Police Forces of Pakistan (2024-) Counter Terrorism Department",
        "Government of Pakistan",
    ]
    assert canonical_series(pl.Series(names))[0].unique().to_list() == ["Government of Pakistan"]
    assert canonical("Military Forces of the United States (2021-)") == "Government of United States of America"


def test_crowds_leave_their_country_aside() -> None:
    assert canonical("Rioters (Pakistan)") == canonical("Rioters (Nepal)") == "Rioters"
    assert canonical("TTP (Pakistan)") is None


def test_several_names_agree_where_one_pair_does() -> None:
    assert agree("TTP; BLA", "Baloch separatists")
    assert not agree("TTP; BLA", "JMB")


def test_an_umbrella_is_an_actor_or_a_bare_word_and_never_its_own() -> None:
    for name, over in actors().umbrella.items():
        assert name not in above(over)
    assert umbrella("BLA") == "Baloch separatists"
    assert umbrella("Taliban") is None
