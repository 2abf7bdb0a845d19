"""A look at one audience's own incidents as of a scheduled moment: signals, and what was tested. Never between two looks."""

from __future__ import annotations

import logging
import math
import uuid
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from msgspec import to_builtins

from tocsin.errors import OptionError, StoreError
from tocsin.hub.making.due import moment
from tocsin.hub.making.then import Then, then
from tocsin.store import Jsonb, Store
from tocsin.terms.tables import SIGNALS, schema
from tocsin.watch import Look, look
from tocsin.watch.shared import Shared

_TESTED = ("kind", "violence", "dimension", "actor", "measure", "before", "watched", "unknown", "verdict", "reason", "p_value", "level")
_INSTANT = timedelta(microseconds=1)  # a look at midnight is of the day that has ended
LITTLE = "too little: no stream of incidents holds enough to be tested"
#: Actors whose streams reach the limits of a daily look in as many simulations as are made.
ACTORS = 24
FEWER = (
    f"only the {ACTORS} actors with most incidents have streams of their own: the limits of more would take more simulations than are made"
)
FAILED = "the hub failed at this look; nothing is said of what it would have found"


def look_next(store: Store, every: int, now: datetime, shared: Shared | None = None) -> bool:
    """Looks at the incidents of the next audience whose look is due; false where none is. every: days between two looks. Raises `StoreError`.

    shared: with the looks before: what is the same to two audiences is tested once. That changes how long it takes, and nothing that is found.
    """
    at = moment(now, every)
    with store.transaction(None) as tx:
        due = tx.one("look_due", at=at)
    if due is None:
        return False
    with store.transaction(None) as tx:
        tx.do("still", at=at)  # before anything is read: what is written from now on was not seen then
    try:
        _look(store, due["name"], at, every, shared)
    except StoreError:
        raise
    except Exception as why:
        logging.getLogger("tocsin").error("a look failed: %s", type(why).__name__)
        _write(store, due["name"], at, every, {"reason": FAILED, "streams": 0, "tested": 0, "signals": 0, "of": [], "caveats": []}, [], {})
    return True


def _look(store: Store, audience: str, at: datetime, every: int, shared: Shared | None) -> None:
    known = then(store, audience, at - _INSTANT)
    incidents = known.fused().incidents
    with store.transaction(None) as tx:
        before = [row["body"] for row in tx.all("signals_before", audience=audience, at=at)]
    options: dict[str, Any] = {"as_of": known.day, "every": every, "last": _table(before) if before else None, "shared": shared}
    try:
        found = look(incidents, sensitivity=False, **options)
    except OptionError:  # so many actors that the limit of each takes more simulations than are made
        found = look(incidents, sensitivity=False, actors=commonest(incidents), **options)
        found = replace(found, caveats=(*found.caveats, FEWER))
    reports = dict(incidents.select("incident_id", "report_ids").iter_rows())
    _write(store, audience, at, every, said(found, known, incidents.height), found.signals.to_dicts(), reports)


def commonest(incidents: pl.DataFrame) -> list[str]:
    """The actors with most incidents of one-sided violence, which may have streams of their own at a daily look; among equals the first by name."""
    own = incidents.filter(pl.col("violence") == "one_sided")
    count = own["actor"].drop_nulls().str.split("; ").explode(empty_as_null=True, keep_nulls=True).value_counts(name="n")
    several = count.filter(pl.col("n") < own.height).sort("n", "actor", descending=[True, False])
    return several["actor"].head(ACTORS).to_list()


def said(found: Look, known: Then, incidents: int) -> dict[str, Any]:
    """What there is to say of a look, whatever it found."""
    tested = int(found.streams["p_value"].is_not_null().sum())
    return {
        "reports": known.reports.height,
        "incidents": incidents,
        "streams": found.streams.height,
        "tested": tested,
        "signals": found.signals.height,
        "reason": None if tested else LITTLE,
        "of": [_plain(row) for row in found.streams.select(_TESTED).to_dicts()],
        "caveats": list(found.caveats),
    }


def _write(
    store: Store,
    audience: str,
    at: datetime,
    every: int,
    words: dict[str, Any],
    signals: list[dict[str, Any]],
    reports: dict[str, list[str]],
) -> None:
    with store.transaction(None) as tx:
        tx.do("still", at=at)  # what closes meanwhile is waited for, and then seen to have closed
        if tx.one("look_made", audience=audience, at=at, every=every, said=Jsonb(words)) is None:
            return
        for row in signals:
            behind = sorted({uuid.UUID(r) for i in row["evidence"] for r in reports[i]})
            body = Jsonb(_plain(row))
            tx.do("signal_write", audience=audience, at=at, signal_id=uuid.UUID(row["signal_id"]), body=body, reports=behind)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """As JSON takes it, without what is not known."""
    known = {k: v for k, v in row.items() if v is not None and not (isinstance(v, float) and not math.isfinite(v))}
    return dict(to_builtins(known))


def _table(bodies: list[dict[str, Any]]) -> pl.DataFrame:
    """Signals as they were written, as a table again."""
    days = [c.name for c in SIGNALS if c.dtype == pl.Date]
    rows = [body | {d: date.fromisoformat(body[d]) for d in days} for body in bodies]
    return pl.DataFrame(rows, schema=schema(SIGNALS))
