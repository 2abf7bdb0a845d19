"""Two hubs, one clock: the first gets everything, the second only what audience B may see of it. Every page that B can reach answers byte for byte the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hubs import Ticking, World
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from two_hubs import AGENCIES, GROUPS, NAMED, NEVER, Oracle

from tocsin.gate import tlp2
from tocsin.store.embedded import Embedded
from tocsin.terms.ids import report_id

handlings = st.fixed_dictionaries(
    {
        "marking": st.sampled_from([m.name for m in tlp2().markings]),
        "releasable_to": st.lists(st.sampled_from(NAMED), max_size=3, unique=True).map(sorted),
        "orcon": st.booleans(),
    }
)
owns = st.sampled_from(["1", "2", "3", "4"])
ids = st.builds(report_id, st.sampled_from(AGENCIES), owns)
facts = st.fixed_dictionaries(
    {"event_start": st.sampled_from(["2026-01-01", "2026-01-02"]), "country": st.just("PAK"), "killed": st.integers(1, 3)},
    optional={
        "supersedes": ids,
        "derived_from": st.lists(ids, min_size=1, max_size=2, unique=True),
        "part_of": st.sampled_from(["p", "q"]),
        "attack_type": st.just("explosion/suicide"),
        "lat": st.just(24.9),
    },
).map(lambda f: f | {"lon": 67.0} if "lat" in f else f)
which = st.integers(0, 11)  # of the reports that there are by then
agencies = st.sampled_from(AGENCIES)
submitted = st.tuples(st.just("submit"), agencies, owns, facts, handlings)
steps = st.one_of(
    submitted,
    st.tuples(st.just("remark"), which, agencies, handlings),
    st.tuples(st.just("release"), which, agencies, agencies),
    st.tuples(st.just("release_incident"), which, agencies, agencies),
    st.tuples(st.just("release_signal"), which, agencies, agencies),
    st.tuples(st.just("request"), which, agencies, agencies),
    st.tuples(st.just("decide"), which, agencies, st.booleans()),
    st.tuples(
        st.just("judge"),
        st.sampled_from(["merge", "split", "value", "part_of", "not_part_of"]),
        st.lists(which, min_size=2, max_size=3, unique=True),
        agencies,
    ),
    st.tuples(st.just("undo"), which, agencies),
    st.tuples(st.just("purge"), which, agencies),
    st.tuples(st.just("leave"), st.sampled_from(["A", "C"]), st.sampled_from(["keep", "purge", "hand-to"]), agencies),
    st.tuples(st.just("look")),
    st.tuples(st.just("picture")),
    st.tuples(st.just("member"), st.sampled_from(GROUPS), agencies, st.booleans()),
)
sequences = st.builds(
    lambda first, then: [*first, *then], st.lists(submitted, min_size=2, max_size=6), st.lists(steps, min_size=1, max_size=10)
)
#: Steps whose first value is which report.
ON_REPORTS = ("remark", "release", "release_incident", "release_signal", "request", "purge")


@pytest.fixture(scope="module")
def hubs(postgres: Embedded) -> Iterator[tuple[World, World, Ticking]]:
    clock = Ticking()
    worlds = [World(postgres, clock) for _ in range(2)]
    yield worlds[0], worlds[1], clock
    for world in worlds:
        world.close()


@settings(max_examples=15, phases=[Phase.explicit, Phase.reuse, Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(sequences, st.sampled_from([False, False, True]))
def test_what_b_is_answered_tells_nothing_of_what_b_may_not_see(
    hubs: tuple[World, World, Ticking], sequence: list[tuple[Any, ...]], whole: bool
) -> None:
    """whole: a look and a picture are made in the end too, which take longer than all pages together; they are among the steps as well."""
    first, second, clock = hubs
    for world in (first, second):
        world.forget()
    oracle = Oracle(first, second, clock)
    for name, *values in sequence:
        clock.tick()
        there = [*oracle.reports, NEVER]
        if name == "judge":
            values[1] = sorted({there[i % len(there)] for i in values[1]})
        elif name in ON_REPORTS:
            values[0] = [*oracle.reports][values[0] % len(oracle.reports)] if oracle.reports else None
            if values[0] is None:
                continue
        getattr(oracle, name)(*values)
        oracle.fuse()
    if whole:
        oracle.compare()
    else:
        oracle.pages()
