"""What an act would do, before it is done: whether it may be done, and who would see what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tocsin.errors import Denied, Malformed, NotThere
from tocsin.gate import GROUP, Action, Clearance, Marked, Role, Scheme, Verdict, may
from tocsin.hub.caller import Caller
from tocsin.hub.door import NOT_THERE, Door
from tocsin.hub.named import warnings
from tocsin.hub.shown import marked
from tocsin.store import Transaction

#: Acts on a report, each by the originator or who sees it.
OF_A_REPORT = (Action.RELEASE, Action.REQUEST, Action.REMARK, Action.PURGE)


class Reach(NamedTuple):
    """Who may see a thing, each with the reason; the groups that it names and who asks is not in, whose members are not theirs to know; and what is to be
    said of the names to whom it may go."""

    agencies: dict[str, str]
    groups: list[str]
    warnings: list[str]

    @property
    def names(self) -> list[str]:
        """All of them, in words."""
        return [*self.agencies, *(f"the group {group}" for group in self.groups)]


def reached(tx: Transaction, thing: Marked, scheme: Scheme) -> Reach:
    """Whom a thing reaches, as far as who asks may know."""
    members = {r["group_name"]: set(r["agencies"]) for r in tx.all("members")}
    names = [r["name"] for r in tx.all("agencies")]
    groups = {name: frozenset(g for g, inside in members.items() if name in inside) for name in names}
    verdicts = {n: may(Clearance(n, frozenset({Role.ANALYSE}), groups[n]), Action.READ, thing, scheme) for n in names}
    named = scheme[thing.marking].reach == "named"
    others = sorted(n.removeprefix(GROUP) for n in thing.releasable_to if n.startswith(GROUP)) if named else []
    lines = warnings(thing.marking, thing.releasable_to, frozenset({*names, *(GROUP + g for g in members)}), scheme)
    return Reach({n: v.reason for n, v in verdicts.items() if v}, [g for g in others if g not in members], lines)


def own(thing: Marked, agency: str) -> Verdict:
    """Whether an agency may ask who can see a thing."""
    mine = thing.originator == agency
    return Verdict(mine, "its originator" if mine else "only its originator may ask who can see it")


class Foreseen(Door):
    """Says what would be; does nothing."""

    def verdicts(self, who: Caller, report_id: str) -> dict[Action, Verdict]:
        """Of each act on a report that the caller sees, whether it may be done, and why. Raises `NotThere`."""
        thing = self._thing(who, report_id)
        return {action: may(who.clearance, action, thing, self.scheme) for action in OF_A_REPORT}

    def allowed(self, who: Caller, report_id: str, action: Action) -> None:
        """Raises `NotThere`, or `Denied` with the verdict's reason."""
        verdict = self.verdicts(who, report_id)[action]
        if not verdict:
            raise Denied(verdict.reason)

    def as_it_stands(self, who: Caller, report_id: str) -> list[str]:
        """Who sees a report of one's own. Raises `NotThere`, and `Denied` for another's."""
        thing = self._thing(who, report_id)
        if not (verdict := own(thing, who.agency)):
            raise Denied(verdict.reason)
        return self._reach(who, thing).names

    def marked_anew(self, who: Caller, marking: str, releasable_to: Iterable[str], orcon: bool) -> Reach:
        """Whom a report of one's own would reach under a marking. Raises `Malformed`."""
        said = {"marking": marking or None, "releasable_to": list(releasable_to), "orcon": orcon}
        fields, reasons = self.checked(said)
        if reasons:
            raise Malformed("; ".join(reasons))
        return self._reach(who, Marked(marking, who.agency, frozenset(fields.get("releasable_to", [])), orcon))

    def _reach(self, who: Caller, thing: Marked) -> Reach:
        with self.store.transaction(who.agency) as tx:
            return reached(tx, thing, self.scheme)

    def _thing(self, who: Caller, report_id: str) -> Marked:
        with self.store.transaction(who.agency) as tx:
            row = self.visible(tx, who, report_id)
        if row is None:
            raise NotThere(NOT_THERE)
        return marked(row)
