"""One name for an actor, whatever a source calls it."""

import polars as pl
import pytest

from tocsin.terms.actors import above, agree, canonical, canonical_series, folded


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
