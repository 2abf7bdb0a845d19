"""Who may see a report, as forms offer it."""

from __future__ import annotations

from collections.abc import Iterable

from tocsin.gate import GROUP, Marking
from tocsin.hub import Caller, Hub
from tocsin.server.asked import Json

REACH = {
    "agencies": "only the agencies ticked below",
    "named": "the agencies and groups ticked below",
    "hub": "every agency of the hub",
    "public": "every agency; it may be published",
}


def _onward(marking: Marking) -> str:
    if not marking.onward:
        return "; nobody passes it on"
    return "; they may pass it on" if marking.reach in ("agencies", "named") else ""


def handling_of(hub: Hub, who: Caller, named: Iterable[str] = ()) -> Json:
    """What a form says of who may see a report: the markings, other agencies, and one's groups; what a report names as it stands; `strange`: nobody's."""
    known = hub.agencies(who)
    others: dict[str, list[str]] = {name.removeprefix(GROUP): [] for name in named if name.startswith(GROUP)}
    markings = {m.name: REACH[m.reach] + _onward(m) for m in reversed(hub.scheme.markings)}
    agencies = [a for a in known["agencies"] if a != who.agency]
    strange = sorted({name for name in named if not name.startswith(GROUP)} - set(known["agencies"]))
    return {"markings": markings, "agencies": agencies, "groups": others | known["groups"], "strange": strange}
