"""A report as one audience is shown it: its handling as it stands, and nothing that points at what the audience may not see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from tocsin.gate import Clearance, Marked

#: Of a post, what is its agency's alone.
_OWN = ("own_id", "version")
GROUP = "group:"


def marked(row: Mapping[str, Any]) -> Marked:
    """The handling of a row of a feed, as the gate takes it. Its originator is the agency that sent it, or its heir."""
    return Marked(row["marking"], row["originator"], frozenset(row["releasable_to"]), row["orcon"], frozenset(row["released_to"]))


def instant(at: datetime) -> str:
    """A time as the API writes it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def shown(row: Mapping[str, Any], who: Clearance) -> dict[str, Any]:
    """A row of a feed as `who` is shown it: received when it became visible to them; of the names it may go to, their own and their groups'."""
    mine = who.agency == row["originator"]
    names = {who.agency, *(GROUP + g for g in who.groups)}
    said = dict(row["body"]) | {
        "report_id": str(row["report_id"]),
        "agency": row["agency"],
        "received_at": instant(row["visible_at"]),
        "marking": row["marking"],
        "releasable_to": sorted(n for n in row["releasable_to"] if mine or n in names),
        "orcon": row["orcon"],
        "supersedes": str(row["supersedes"]) if row["supersedes"] else None,
        "derived_from": [str(i) for i in row["derived_from"]] or None,
        "part_of": row["part_of"],
    }
    rank = _rank()
    return {k: said[k] for k in sorted(said, key=rank.__getitem__) if said[k] is not None and (mine or k not in _OWN)}


@cache
def _rank() -> dict[str, int]:
    """As the contract orders a report's fields; loaded with the first report that is shown, for it takes polars."""
    from tocsin.terms.tables import REPORTS

    return {name: n for n, name in enumerate((*_OWN, *(c.name for c in REPORTS)))}
