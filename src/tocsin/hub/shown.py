"""A report as one audience is shown it: its handling as it stands, and nothing that points at what the audience may not see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec

from tocsin.gate import GROUP, Clearance, Marked

#: Of a post, what is its agency's alone.
_OWN = ("own_id", "version")


def marked(row: Mapping[str, Any]) -> Marked:
    """The handling of a row of a feed, as the gate takes it. Its originator is the agency that sent it, or its heir."""
    return Marked(row["marking"], row["originator"], frozenset(row["releasable_to"]), row["orcon"], frozenset(row["released_to"]))


def instant(at: datetime) -> str:
    """A time as the API writes it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def known_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a row, its times as the API writes them."""
    return {k: instant(v) if isinstance(v, datetime) else v for k, v in row.items() if v is not None}


def shown(row: Mapping[str, Any], who: Clearance) -> dict[str, Any]:
    """A row of a feed as `who` is shown it: received when it became visible to them; of the names it may go to, their own and their groups'."""
    mine, names = who.agency == row["originator"], _names(who)
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


def incident_shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of an audience's incidents as it is shown."""
    body: dict[str, Any] = row["body"]
    return {"incident_id": str(row["incident_id"])} | body


def all_shown(rows: Iterable[Mapping[str, Any]], who: Clearance) -> list[Any]:
    """Rows of `feed_page` as `shown` shows each, ready to be written as JSON: a body that became a dictionary on its way would cost twice as much."""
    read, names, out = _form(), _names(who), []
    for row in rows:
        said = read(row["body"])
        if who.agency != row["originator"]:
            for name in _OWN:
                setattr(said, name, None)
            said.releasable_to = sorted(n for n in row["releasable_to"] if n in names)
        else:
            said.releasable_to = sorted(row["releasable_to"])
        said.report_id, said.agency, said.received_at = row["report_id"], row["agency"], instant(row["visible_at"])
        said.marking, said.orcon, said.supersedes = row["marking"], row["orcon"], row["supersedes"]
        said.derived_from, said.part_of = row["derived_from"] or None, row["part_of"]
        out.append(said)
    return out


def _names(who: Clearance) -> frozenset[str | None]:
    """Of the names that a report may go to, those that `who` is told."""
    return frozenset({who.agency, *(GROUP + g for g in who.groups)})


@cache
def _form() -> Callable[[str], Any]:
    """Reads a body into an object that has the contract's fields in their order, and is written without those that are null."""
    form = msgspec.defstruct("Report", [(name, Any, None) for name in _rank()], omit_defaults=True, gc=False)
    return msgspec.json.Decoder(form).decode


@cache
def _rank() -> dict[str, int]:
    """As the contract orders a report's fields; loaded with the first report that is shown, for it takes polars."""
    from tocsin.terms.tables import REPORTS

    return {name: n for n, name in enumerate((*_OWN, *(c.name for c in REPORTS)))}
