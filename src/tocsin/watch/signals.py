"""Signals: what tells one from another, since when it has been raised, and which of an earlier look it continues."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from tocsin.errors import LookAheadError
from tocsin.terms.ids import NAMESPACE, SEPARATOR
from tocsin.terms.tables import SIGNALS, conform, empty
from tocsin.watch.plan import Plan, as_day, latest
from tocsin.watch.streams import Stream

Row = dict[str, Any]
_STREAM = ("kind", "measure", "violence", "dimension", "actor")


def same(earlier: Row, later: Row) -> bool:
    """One signal: at least half of the earlier's evidence is the later's too; the category where the earlier has none."""
    if not earlier["evidence"]:
        return bool(earlier["category"] == later["category"])
    return 2 * len(set(earlier["evidence"]) & set(later["evidence"])) >= len(earlier["evidence"])


def traced(row: Row, at: Callable[[int], Sequence[Row]], plan: Plan) -> tuple[int, Row]:
    """(the day after the first look, the signal as it was then): back look by look while the same is raised, at most the watched looks.

    One look at a time may fail to raise it.
    """
    first = plan.until
    for back in range(1, plan.looks + 1):
        until = plan.until - back * plan.every
        if until < first - 2 * plan.every:
            break
        earlier = next((r for r in at(until) if same(r, row)), None)
        if earlier is not None:
            first, row = until, earlier
    return first, row


def named(stream: Stream, first: Row) -> str:
    """The id of a signal, by its stream and the first evidence of when it was first raised."""
    begin = first["evidence"][0] if first["evidence"] else f"{first['category']} {first['start']}"
    return str(uuid.uuid5(NAMESPACE, SEPARATOR.join(["signal", *(str(stream.row()[c] or "") for c in _STREAM), begin])))


def table(rows: Sequence[Row], last: Any, plan: Plan) -> pl.DataFrame:
    """By SIGNALS, the rarest first; those that continue one of `last` keep its id and when it was first raised.

    Raises `LookAheadError` where `last` is of a later day, and `ContractError` where it is no table of signals.
    """
    made = [dict(r) for r in sorted(rows, key=_order)]
    if last is not None:
        before = conform(pl.DataFrame(last), SIGNALS, table="signals", extra=True)
        stamped = latest(before)
        if stamped is not None and stamped > plan.as_of:
            raise LookAheadError(f"the last signals are as of {stamped}, later than {plan.as_of}: give those of an earlier look")
        continued(made, before.sort("signal_id").to_dicts())
    return conform(pl.DataFrame(made, schema_overrides=_TYPES), SIGNALS, table="signals") if made else empty(SIGNALS)


_TYPES = {c.name: c.dtype for c in SIGNALS}


def continued(made: Sequence[Row], before: Sequence[Row]) -> None:
    """Gives each row that continues one of an earlier look that one's id and first_raised; of several the one that shares most evidence."""
    taken: set[str] = set()
    for row in made:
        mine = [
            old for old in before if old["signal_id"] not in taken and all(old[c] == row[c] for c in _STREAM) and same(old, row)
        ]  # fmt: skip
        if mine:
            old = max(mine, key=lambda o: (len(set(o["evidence"]) & set(row["evidence"])), o["signal_id"]))
            taken.add(old["signal_id"])
            row["signal_id"], row["first_raised"] = old["signal_id"], min(old["first_raised"], row["first_raised"])


def _order(row: Row) -> tuple[Any, ...]:
    return (row["false_alarms_per_year"], *(str(row[c] or "") for c in _STREAM), -row["statistic"], row["signal_id"])


def finished(
    row: Row, stream: Stream, plan: Plan, at: Callable[[int], Sequence[Row]], *, streams: int, doubts: Sequence[str], notes: Sequence[str]
) -> Row:
    """A signal with all its columns. doubts: why its rate of false alarms is not to be relied on."""
    until, first = traced(row, at, plan)
    return {
        **row,
        **stream.row(),
        "signal_id": named(stream, first),
        "as_of": plan.as_of,
        "false_alarms_per_year": plan.rate(stream.kind, streams, row["p_value"]),
        "first_raised": as_day(until - 1),
        "calibrated": not doubts,
        "note": "; ".join([*([row["note"]] if "note" in row else []), *(f"uncalibrated here: {d}" for d in doubts), *notes]) or None,
    }
