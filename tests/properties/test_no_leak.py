"""Two hubs, one clock: the first gets everything, the second only what audience B may see of it. Every page that B can reach answers byte for byte the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hubs import Ticking, World
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tocsin.gate import Action, Clearance, Marked, Role, may, tlp2
from tocsin.hub.pictures import refresh
from tocsin.store.embedded import Embedded
from tocsin.terms.ids import report_id

AGENCIES, GROUPS = ("A", "B", "C"), ("north", "south")
NAMED = [*AGENCIES, *(f"group:{g}" for g in GROUPS)]
NEVER = report_id("A", "never")
ROLE = frozenset({Role.ANALYSE})


@dataclass
class Said:
    """A report as the oracle knows it."""

    agency: str
    body: dict[str, Any]
    handling: dict[str, Any]
    released: list[tuple[str, str]] = field(default_factory=list)  # by whom, to whom

    def marked(self) -> Marked:
        h = self.handling
        return Marked(h["marking"], self.agency, frozenset(h["releasable_to"]), h["orcon"], frozenset(to for _, to in self.released))


class Oracle:
    """Who sees what, by may() alone; and the two hubs."""

    def __init__(self, first: World, second: World, clock: Ticking) -> None:
        self.first, self.second, self.clock = first, second, clock
        self.reports: dict[str, Said] = {}
        self.groups: dict[str, set[str]] = {g: set() for g in GROUPS}
        self.there: dict[str, set[str]] = {g: set() for g in GROUPS}  # membership that the second hub knows
        self.sent: set[str] = set()  # reports that the second hub has

    def sees(self, who: str, said: Said) -> bool:
        groups = frozenset(g for g, inside in self.groups.items() if who in inside)
        return may(Clearance(who, ROLE, groups), Action.READ, said.marked()).allowed

    def submit(self, agency: str, own: str, facts: dict[str, Any], handling: dict[str, Any]) -> None:
        body = {"own_id": own, **facts, **handling}
        ident = report_id(agency, own)
        status = self.first.submit(agency, body)[0]["status"]
        if status == "refused":  # it names itself, or another stands under its id
            assert agency != "B" or self.second.submit("B", body)[0]["status"] == status
            return
        new = ident not in self.reports
        self.reports.setdefault(ident, Said(agency, body, handling))
        if agency == "B":  # what B does reaches both
            self.second.submit("B", body)
            self.sent.add(ident)
        elif new:
            self.settle()

    def remark(self, ident: str, who: str, handling: dict[str, Any]) -> None:
        said = self.reports[ident]
        self.both(ident, who, "remark", handling)
        if who == said.agency:
            said.handling, said.released = handling, []
        self.settle()

    def release(self, ident: str, who: str, to: str) -> None:
        said = self.reports[ident]
        groups = frozenset(g for g, inside in self.groups.items() if who in inside)
        allowed = may(Clearance(who, ROLE, groups), Action.RELEASE, said.marked())
        self.both(ident, who, "release", {"to": to})
        if allowed and to not in said.marked().released_to:
            said.released.append((who, to))
        self.settle()

    def both(self, ident: str, who: str, what: str, body: dict[str, Any]) -> None:
        """An act in the first hub, and in the second where B does it, or the report is there."""
        one = self.first.ask(who, "POST", f"/api/reports/{ident}/{what}", body)
        if who == "B" or ident in self.sent:
            two = self.second.ask(who, "POST", f"/api/reports/{ident}/{what}", body)
            assert who != "B" or (one.status_code, one.content) == (two.status_code, two.content)

    def member(self, group: str, agency: str, is_in: bool) -> None:
        self.first.ask("admin", "PUT" if is_in else "DELETE", f"/api/groups/{group}/{agency}")
        (self.groups[group].add if is_in else self.groups[group].discard)(agency)
        self.settle()

    def settle(self) -> None:
        """Brings the second hub to what B may see now: the groups that B is in, reports that it newly sees by their id, then their handling."""
        for group, inside in self.groups.items():
            wanted = inside if "B" in inside else set()
            for agency in sorted(wanted ^ self.there[group], key=lambda a: (a == "B", a)):
                self.second.ask("admin", "PUT" if agency in wanted else "DELETE", f"/api/groups/{group}/{agency}")
            self.there[group] = set(wanted)
        for ident in sorted(self.reports):
            said = self.reports[ident]
            if ident not in self.sent and self.sees("B", said):
                self.second.submit(said.agency, said.body | said.handling)
                self.sent.add(ident)
                for _, to in said.released:
                    self.second.ask(said.agency, "POST", f"/api/reports/{ident}/release", {"to": to})

    def compare(self) -> None:
        """Every page that B can reach."""
        for world in (self.first, self.second):
            refresh(world.fuse, only={"B"})
        pages = [
            "/api/me",
            "/api/agencies",
            "/api/feed",
            "/api/feed?limit=2",
            "/api/feed?after=2&limit=1",
            "/api/incidents",
            "/api/incidents?limit=1&after=1",
        ]
        for ident in (*sorted(self.reports), NEVER, "nonsense"):
            pages += [f"/api/reports/{ident}", f"/api/reports/{ident}/who", f"/api/incidents/{ident}"]
        pages += ["/api/audit?limit=1000", "/health", "/ready", "/api/schema/openapi.json", "/api/feed?limit=0", "/api/tokens", "/nowhere"]
        for page in pages:
            one, two = (world.ask("B", "GET", page) for world in (self.first, self.second))
            assert (one.status_code, one.headers, one.content) == (two.status_code, two.headers, two.content), page
        shown = {r["report_id"] for r in self.first.ask("B", "GET", "/api/feed?limit=1000").json()["reports"]}
        assert shown == {i for i, said in self.reports.items() if self.sees("B", said)}


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
steps = st.one_of(
    st.tuples(st.just("submit"), st.sampled_from(AGENCIES), owns, facts, handlings),
    st.tuples(st.just("remark"), ids, st.sampled_from(AGENCIES), handlings),
    st.tuples(st.just("release"), ids, st.sampled_from(AGENCIES), st.sampled_from(AGENCIES)),
    st.tuples(st.just("member"), st.sampled_from(GROUPS), st.sampled_from(AGENCIES), st.booleans()),
)


@pytest.fixture(scope="module")
def hubs(postgres: Embedded) -> Iterator[tuple[World, World, Ticking]]:
    clock = Ticking()
    worlds = [World(postgres, clock) for _ in range(2)]
    yield worlds[0], worlds[1], clock
    for world in worlds:
        world.close()


@settings(max_examples=25, phases=[Phase.explicit, Phase.reuse, Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, min_size=1, max_size=12))
def test_what_b_is_answered_tells_nothing_of_what_b_may_not_see(
    hubs: tuple[World, World, Ticking], sequence: list[tuple[Any, ...]]
) -> None:
    first, second, clock = hubs
    for world in (first, second):
        world.forget()
    oracle = Oracle(first, second, clock)
    for name, *values in sequence:
        clock.tick()
        if name in ("remark", "release") and values[0] not in oracle.reports:
            continue
        getattr(oracle, name)(*values)
    oracle.compare()
