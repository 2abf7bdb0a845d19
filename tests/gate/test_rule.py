"""The sharing rule as a truth table, the oracle of everything else that decides who sees what."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import MarkingError
from tocsin.gate import Action, Clearance, Marked, Role, made_of, may, read_scheme, tlp2

A, B, C = "A", "B", "C"
PUBLIC = Clearance(None)


def of(agency: str, *groups: str, role: Role = Role.ANALYSE) -> Clearance:
    return Clearance(agency, frozenset({role}), frozenset(groups))


def thing(marking: str, *named: str, orcon: bool = False, released: str = "") -> Marked:
    return Marked(marking, A, frozenset(named), orcon, frozenset(released.split()))


#: (marking, named, who asks, its groups): seen?
TABLE = [
    ("CLEAR", [], None, [], True),
    ("CLEAR", [], B, [], True),
    ("GREEN", [], None, [], False),
    ("GREEN", [], B, [], True),
    ("AMBER", [], A, [], True),
    ("AMBER", [], B, [], False),
    ("AMBER", ["B"], B, [], True),
    ("AMBER", ["B"], C, [], False),
    ("AMBER", ["group:north"], B, ["north"], True),
    ("AMBER", ["group:north"], B, ["south"], False),
    ("AMBER", ["group:north"], B, [], False),
    ("AMBER", ["north"], B, ["north"], False),  # an agency of that name is named, no group
    ("AMBER", ["B"], None, [], False),
    ("AMBER+STRICT", [], A, [], True),
    ("AMBER+STRICT", ["B"], B, [], True),
    ("AMBER+STRICT", ["group:north"], B, ["north"], False),
    ("AMBER+STRICT", ["B"], C, [], False),
    ("RED", [], A, [], True),
    ("RED", [], B, ["north"], False),
    ("RED", ["B"], B, [], True),
    ("RED", ["group:north"], B, ["north"], False),
    ("RED", ["B"], C, [], False),
    ("RED", ["B"], None, [], False),
]


@pytest.mark.parametrize(("marking", "named", "agency", "groups", "seen"), TABLE)
def test_who_reads_what_is_the_truth_table(marking: str, named: list[str], agency: str | None, groups: list[str], seen: bool) -> None:
    who = PUBLIC if agency is None else of(agency, *groups)
    verdict = may(who, Action.READ, thing(marking, *named))
    assert verdict.allowed is seen
    assert verdict.reason


@pytest.mark.parametrize(
    ("marking", "orcon", "who", "may_release"),
    [
        ("GREEN", False, B, True),
        ("GREEN", True, B, False),
        ("GREEN", True, A, True),
        ("AMBER", False, B, True),
        ("AMBER", True, B, False),
        ("AMBER+STRICT", False, B, False),
        ("RED", False, B, False),
        ("RED", False, A, True),
        ("RED", False, C, False),
    ],
)
def test_onward_release_is_the_truth_table(marking: str, orcon: bool, who: str, may_release: bool) -> None:
    what = thing(marking, "B", orcon=orcon)
    assert may(of(who), Action.RELEASE, what).allowed is may_release
    assert may(of(who), Action.REQUEST, what).allowed is (who == B and not may_release)  # who sees it and may not pass it on asks


@pytest.mark.parametrize(("action", "role"), list(product(Action, [*Role, None])))
def test_a_role_may_do_what_its_line_says_and_nothing_else(action: Action, role: Role | None) -> None:
    table = {
        Role.SUBMIT: {Action.READ, Action.SUBMIT, Action.REMARK},
        Role.ANALYSE: {Action.READ, Action.JUDGE, Action.RELEASE},
        Role.ADMINISTER_AGENCY: {Action.READ, Action.RELEASE, Action.REMARK, Action.PURGE},
        Role.ADMINISTER_HUB: set(),
        Role.OVERSEE: set(),
    }
    who = Clearance(A, frozenset({role} if role else set()))
    assert may(who, action, thing("CLEAR")).allowed is (role is not None and action in table[role])


def test_nobody_submits_remarks_or_purges_in_anothers_name() -> None:
    for action, role in ((Action.SUBMIT, Role.SUBMIT), (Action.REMARK, Role.SUBMIT), (Action.PURGE, Role.ADMINISTER_AGENCY)):
        assert not may(of(B, role=role), action, thing("CLEAR"))
        assert may(of(A, role=role), action, thing("RED"))


def test_the_public_reads_what_is_clear_and_does_nothing_else() -> None:
    assert [a for a in Action if may(PUBLIC, a, thing("CLEAR"))] == [Action.READ]


def test_a_release_opens_what_a_marking_does_not() -> None:
    assert may(of(C), Action.READ, thing("RED", released="C")).reason == "released to C"


def test_an_unknown_marking_is_refused_with_what_to_do() -> None:
    with pytest.raises(MarkingError, match="mark it anew"):
        may(of(A), Action.READ, thing("AMBRE"))


marked = st.builds(
    lambda m, o, named, orcon: Marked(m, o, frozenset(named), orcon),
    st.sampled_from([m.name for m in tlp2().markings]),
    st.sampled_from([A, B]),
    st.sets(st.sampled_from([A, B, C, "group:north"])),
    st.booleans(),
)
asking = st.one_of(st.just(PUBLIC), st.builds(of, st.sampled_from([A, B, C]), st.sampled_from(["north", "south"])))


@given(asking, st.lists(marked, min_size=1, max_size=4))
def test_what_is_made_of_several_is_seen_by_who_sees_each(who: Clearance, parts: list[Marked]) -> None:
    whole = made_of(parts)
    assert may(who, Action.READ, whole).allowed == all(may(who, Action.READ, p).allowed for p in parts)
    assert tlp2()[whole.marking].rank == max(tlp2()[p.marking].rank for p in parts)


@given(asking, st.lists(marked, min_size=1, max_size=4))
def test_what_is_made_of_several_is_released_by_who_may_release_each(who: Clearance, parts: list[Marked]) -> None:
    assert may(who, Action.RELEASE, made_of(parts)).allowed == all(may(who, Action.RELEASE, p).allowed for p in parts)


@given(asking, marked, st.sampled_from(list(Action)))
def test_nothing_is_done_to_what_is_not_seen(who: Clearance, what: Marked, action: Action) -> None:
    if action is not Action.SUBMIT and may(who, action, what):
        assert may(who, Action.READ, what) or Role.ADMINISTER_AGENCY in who.roles


def test_a_national_scheme_maps_onto_the_rule(tmp_path: Path) -> None:
    path = tmp_path / "national.yml"
    path.write_text(
        "scheme: national\nmarkings:\n  OPEN: {reach: public, onward: true}\n  RESTRICTED: {reach: hub, onward: true}\n"
        "  SECRET: {reach: agencies, onward: false}\n"
    )
    scheme = read_scheme(path)
    assert may(of(B), Action.READ, thing("RESTRICTED"), scheme)
    assert not may(of(C), Action.READ, thing("SECRET", "B"), scheme)
    with pytest.raises(MarkingError, match="none of OPEN, RESTRICTED, SECRET"):
        may(of(B), Action.READ, thing("AMBER"), scheme)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scheme: x\n", "has `scheme`"),
        ("scheme: x\nmarkings: [A, B]\n", "each `NAME"),
        ("scheme: x\nmarkings:\n  A: {reach: everybody, onward: true}\n", "give reach"),
        ("scheme: x\nmarkings:\n  A: {reach: agencies, onward: true}\n  B: {reach: public, onward: true}\n", "laxest first"),
    ],
)
def test_a_scheme_that_is_wrong_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "scheme.yml"
    path.write_text(text)
    with pytest.raises(MarkingError, match=said):
        read_scheme(path)
