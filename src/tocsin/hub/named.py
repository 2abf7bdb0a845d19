"""Names to whom a report may go: whom somebody may name, and what is said of a name that reaches nobody whom they know of.

A group that the agency is not in is to it as one that never was: the same is said of both.
"""

from __future__ import annotations

from collections.abc import Iterable

from tocsin.gate import GROUP, Scheme
from tocsin.hub.caller import Caller
from tocsin.store import Transaction

WHAT_NEXT = "; GET /api/agencies and the forms in the browser list whom you may name: where it is a slip, mark the report anew"


def known(tx: Transaction, who: Caller) -> frozenset[str]:
    """The agencies of the hub, and the groups that the caller's agency is in."""
    return frozenset({*(row["name"] for row in tx.all("agencies")), *(GROUP + group for group in who.clearance.groups)})


def warnings(marking: str, named: Iterable[str], known: frozenset[str], scheme: Scheme) -> list[str]:
    """What is to be said of the names under a marking, before or after: nothing of it keeps a report from being taken."""
    named = sorted(set(named))
    groups = [name for name in named if name.startswith(GROUP)] if scheme[marking].reach == "agencies" else []
    out = []
    if unknown := [name for name in named if name not in known]:
        out.append(
            f"no agency of this hub, and no group that yours is in, is called {' or '.join(unknown)}: so named, nobody whom you know of sees it"
        )
    if groups:
        out.append(f"{marking} reaches the agencies that it names, and no group: nobody sees it through {', '.join(groups)}")
    return out


def warned(lines: Iterable[str]) -> dict[str, list[str]]:
    """The `warnings` of an answer, with what to do next; nothing where there is nothing to be said."""
    said = [f"releasable_to: {line}{WHAT_NEXT}" for line in lines]
    return {"warnings": said} if said else {}
