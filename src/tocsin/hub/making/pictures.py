"""A picture as of a moment: how much the audience saw, what that makes in incidents, and the page of it."""

from __future__ import annotations

import logging
from datetime import date
from typing import Any

import polars as pl
from msgspec.json import encode

from tocsin.brief.held import page
from tocsin.brief.page import policy
from tocsin.brief.windows import Span, cells, spans, table
from tocsin.errors import StoreError
from tocsin.hub.making.due import TRIES
from tocsin.hub.making.then import Then, then
from tocsin.hub.shown import instant
from tocsin.store import Jsonb, Store, Transaction
from tocsin.terms.tables import VIOLENCE

WINDOW = 150  # days that are held against those before
WRITTEN = 5_000  # incidents that are written at once
_EVER = Span("ever", "ever", date(1, 1, 1), date(9999, 12, 31))
#: What a picture is held to have been that could not be made.
FAILED = {"failed": True}


class _Gone(Exception):
    """What the picture was made of has closed meanwhile."""


def make_next(store: Store) -> bool:
    """Makes the picture that was asked for first; false where none waits. One that fails is told of without what stands in it. Raises `StoreError`."""
    with store.transaction(None) as tx:
        job = tx.one("picture_next", most=TRIES)
    if job is None:
        return False
    try:
        _make(store, job)
    except _Gone:
        pass
    except StoreError:
        raise
    except Exception as why:
        logging.getLogger("tocsin").error("a picture could not be made: %s", type(why).__name__)
        with store.transaction(None) as tx:
            tx.do("picture_made", number=job["number"], said=Jsonb(FAILED), page=None)
    return True


def _make(store: Store, job: dict[str, Any]) -> None:
    known = then(store, job["audience"], job["as_of"])
    fusion = known.fused()
    text, said = None, counted(known, fusion.incidents)
    if job["what"] == "page":
        text = page(known.reports, fusion, known.judgements, agency=known.audience, as_of=known.as_of, marking=known.marking)
        said = {"policy": policy()}
    with store.transaction(None) as tx:
        if job["what"] == "picture":
            _write(tx, job, fusion.incidents)
        if tx.one("picture_made", number=job["number"], said=Jsonb(said), page=text) is None:
            raise _Gone


def _write(tx: Transaction, job: dict[str, Any], incidents: pl.DataFrame) -> None:
    for piece in incidents.iter_slices(WRITTEN):
        rows = piece.to_dicts()
        tx.do(
            "pictured_write",
            audience=job["audience"],
            number=job["number"],
            days=[row["event_end"] or date.min for row in rows],
            ids=[row.pop("incident_id") for row in rows],
            bodies=[encode({k: v for k, v in row.items() if v is not None}).decode() for row in rows],
        )


def counted(known: Then, incidents: pl.DataFrame) -> dict[str, Any]:
    """The numbers of a picture: reports by agency, incidents and dead by kind of violence, a window beside three baselines. Kinds are never added up."""
    columns = spans(known.day, WINDOW)
    kinds = [kind for kind in VIOLENCE if (incidents["violence"] == kind).any()]
    return {
        "agency": known.audience,
        "as_of": instant(known.as_of),
        "marking": known.marking,
        "reports": known.reports.height,
        "threats": known.reports.filter(pl.col("kind") == "threat").height,
        "judgements": len(known.judgements),
        "agencies": dict(known.reports.group_by("agency").len().sort("agency").iter_rows()),
        "in_all": incidents.height,
        "undated": incidents["event_end"].null_count(),
        "by_violence": {kind: cells(incidents, kind, (_EVER,))["ever"] for kind in kinds},
        "columns": {s.key: {"start": s.start.isoformat(), "end": s.end.isoformat(), "days": s.days} for s in columns},
        "change": [{k: row[k] for k in ("violence", "cells", "signs", "verdict")} for row in table(incidents, columns)],
    }
