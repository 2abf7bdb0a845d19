"""The trees of codes."""

import pytest

from tocsin.errors import TaxonomyError
from tocsin.terms.taxonomies import NAMES, taxonomy


@pytest.mark.parametrize("name", NAMES)
def test_every_path_has_its_steps(name: str) -> None:
    tree = taxonomy(name)
    for code in tree:
        assert all(a in tree for a in tree.ancestors(code))
        assert tree.broad(code) in tree


def test_a_community_lies_within_wider_ones() -> None:
    assert taxonomy("target_group").ancestors("shia/ismaili") == ("shia/ismaili", "shia", "muslim", "religious")


def test_a_wide_code_agrees_with_a_narrow_one_and_two_narrow_ones_do_not() -> None:
    tree = taxonomy("target_group")
    assert tree.agree("shia", "shia/ismaili")
    assert tree.agree("muslim", "shia/bohra")
    assert not tree.agree("shia/ismaili", "shia/bohra")
    assert not tree.agree("general", "shia")


def test_an_unknown_code_or_tree_is_an_error_that_says_where_to_look() -> None:
    with pytest.raises(TaxonomyError, match=r"target_group\.yml"):
        taxonomy("target_group").ancestors("martian")
    with pytest.raises(TaxonomyError, match="attack_type"):
        taxonomy("colour")
