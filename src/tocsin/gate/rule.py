"""may(): whether somebody may do something to a marked thing, and why. The one rule of sharing; store/sql says the same, and a test compares them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from tocsin.gate.scheme import Scheme, tlp2

#: Of the names that a thing may go to, what those of groups begin with.
GROUP = "group:"


class Role(StrEnum):
    """What somebody may do; who has no role may do nothing."""

    SUBMIT = "submit"
    ANALYSE = "analyse"
    ADMINISTER_AGENCY = "administer_agency"
    ADMINISTER_HUB = "administer_hub"
    OVERSEE = "oversee"


class Action(StrEnum):
    """What can be done to a marked thing."""

    READ = "read"
    SUBMIT = "submit"
    JUDGE = "judge"
    RELEASE = "release"
    REQUEST = "request"
    REMARK = "remark"
    PURGE = "purge"


#: Roles that may do an action at all; what the marking says comes on top.
ROLES: dict[Action, frozenset[Role]] = {
    Action.READ: frozenset({Role.SUBMIT, Role.ANALYSE, Role.ADMINISTER_AGENCY}),
    Action.SUBMIT: frozenset({Role.SUBMIT}),
    Action.JUDGE: frozenset({Role.ANALYSE}),
    Action.RELEASE: frozenset({Role.ANALYSE, Role.ADMINISTER_AGENCY}),
    Action.REQUEST: frozenset({Role.ANALYSE, Role.ADMINISTER_AGENCY}),
    Action.REMARK: frozenset({Role.SUBMIT, Role.ADMINISTER_AGENCY}),
    Action.PURGE: frozenset({Role.ADMINISTER_AGENCY}),
}


@dataclass(frozen=True)
class Clearance:
    """Who asks. `agency` None is the public."""

    agency: str | None
    roles: frozenset[Role] = frozenset()
    groups: frozenset[str] = frozenset()  # that the agency is in, now


@dataclass(frozen=True)
class Marked:
    """What is asked for: the marking of one thing, or of one made of several (see `made_of`)."""

    marking: str
    originator: str
    releasable_to: frozenset[str] = frozenset()  # agencies, and groups as `group:NAME`
    orcon: bool = False  # onward release waits for the originator
    released_to: frozenset[str] = frozenset()  # agencies that the originator, or who may, released it to since
    parts: tuple[Marked, ...] = field(default=())  # what it is made of: all of them must be visible too


@dataclass(frozen=True)
class Verdict:
    """Whether, and why: words that an overseer can read."""

    allowed: bool
    reason: str

    def __bool__(self) -> bool:
        """Allowed."""
        return self.allowed


def may(clearance: Clearance, action: Action, thing: Marked, scheme: Scheme | None = None) -> Verdict:
    """Whether `clearance` may do `action` to `thing`. Default deny. Raises `MarkingError` for an unknown marking."""
    scheme = scheme or tlp2()
    scheme[thing.marking]
    if clearance.agency is None and action is not Action.READ:
        return Verdict(False, "the public reads, and does nothing else")
    if clearance.agency is not None and not clearance.roles & ROLES[action]:
        return Verdict(False, f"{action} takes the role {' or '.join(sorted(ROLES[action]))}")
    if action is Action.SUBMIT:
        mine = clearance.agency == thing.originator
        return Verdict(mine, "its own report" if mine else "an agency submits in its own name only")
    seen = _read(clearance, thing, scheme)
    if action in (Action.READ, Action.JUDGE) or not seen:
        return seen
    if action is Action.RELEASE:
        return _releases(clearance, thing, scheme)
    if action is Action.REQUEST:
        free = _releases(clearance, thing, scheme)
        return Verdict(not free, "it may be released without asking" if free else f"its originator is asked ({free.reason})")
    mine = all(p.originator == clearance.agency for p in (thing, *thing.parts))
    return Verdict(mine, "its originator" if mine else f"only its originator may {action} it")


def _releases(clearance: Clearance, thing: Marked, scheme: Scheme) -> Verdict:
    """Of what is made of several, each must be free to pass on."""
    if thing.parts:
        held = next((v for v in (_releases(clearance, p, scheme) for p in thing.parts) if not v), None)
        return held if held is not None else Verdict(True, "each that it is made of may be released")
    if clearance.agency == thing.originator:
        return Verdict(True, "its originator")
    if thing.orcon:
        return Verdict(False, "originator control: ask the originator")
    marking = scheme[thing.marking]
    return Verdict(
        marking.onward, f"{marking.name} may be passed on by who received it" if marking.onward else f"{marking.name}: no onward release"
    )


def _read(clearance: Clearance, thing: Marked, scheme: Scheme) -> Verdict:
    own = _reaches(clearance, thing, scheme)
    for part in thing.parts if own else ():
        inner = _read(clearance, part, scheme)
        if not inner:
            return Verdict(False, f"made of what it may not see ({inner.reason})")
    return own


def _reaches(clearance: Clearance, thing: Marked, scheme: Scheme) -> Verdict:
    marking, agency = scheme[thing.marking], clearance.agency
    if marking.reach == "public":
        return Verdict(True, f"{marking.name} reaches all")
    if agency is None:
        return Verdict(False, f"{marking.name} does not reach the public")
    if agency == thing.originator:
        return Verdict(True, "its originator")
    if marking.reach == "hub":
        return Verdict(True, f"{marking.name} reaches every agency of the hub")
    if agency in thing.releasable_to:
        return Verdict(True, f"{marking.name} names {agency}")
    if agency in thing.released_to:
        return Verdict(True, f"released to {agency}")
    through = sorted(g for g in clearance.groups if GROUP + g in thing.releasable_to) if marking.reach == "named" else []
    if through:
        return Verdict(True, f"{marking.name} names the group {through[0]}")
    return Verdict(False, f"{marking.name} does not name {agency}")


def made_of(things: Iterable[Marked], scheme: Scheme | None = None) -> Marked:
    """The marking of what is made of several things: the strictest of theirs; only who may see all of them sees it."""
    scheme, parts = scheme or tlp2(), tuple(things)
    strictest = scheme.strictest([p.marking for p in parts])
    first = next(p for p in parts if p.marking == strictest.name)
    return Marked(strictest.name, first.originator, first.releasable_to, any(p.orcon for p in parts), first.released_to, parts)
