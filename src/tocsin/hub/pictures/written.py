"""Incidents written: what is no longer so goes, what is new comes, and what an agency shares with all stands once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import polars as pl

from tocsin.store import Transaction

ALL = "*"
_NO_DAY = date.min


@dataclass(frozen=True)
class _Incident:
    incident_id: str
    day: date
    body_id: UUID
    members: tuple[str, ...]


class Written:
    """What one transaction writes of incidents; about: every report whose incident may change."""

    def __init__(self, tx: Transaction, about: Collection[str]) -> None:
        self._tx = tx
        self._before: dict[str, dict[str, str | None]] = {}  # by audience, by report: its incident
        for row in tx.all("memberships", ids=list(about)):
            self._before.setdefault(row["audience"], {})[str(row["report_id"])] = str(row["incident_id"]) if row["incident_id"] else None
        self._every = dict(self._before.get(ALL, {}))  # as it is now
        self._known: dict[str, _Incident] = {}  # incidents of every agency that were written here
        self._bodies: dict[UUID, str] = {}
        self._gone: set[UUID] = set()

    def every(self, around: list[str], incidents: pl.DataFrame) -> None:
        """What every agency has of these reports."""
        found = self._incidents(incidents)
        old = {b for i in around if (b := self._every.get(i))}
        self._forget(ALL, around, old)
        for i in around:
            self._every.pop(i, None)
        self._every |= {r: i.incident_id for i in found for r in i.members}
        self._known |= {i.incident_id: i for i in found}
        self._insert(ALL, found, [], {r: i.incident_id for i in found for r in i.members})

    def own(self, agency: str, around: list[str], seen: list[str], incidents: pl.DataFrame) -> None:
        """What one agency has of these reports: of those in `seen` its own, of the others what every agency has."""
        found = self._incidents(incidents)
        before, star = self._before.get(agency, {}), self._before.get(ALL, {})
        shared = {b for i in seen if (b := self._every.get(i))}
        old = {b for i in around for b in (before.get(i), star.get(i), self._every.get(i)) if b}
        self._forget(agency, [i for i in around if i in before], old)
        same = {i.incident_id for i in found if self._known.get(i.incident_id) == i}
        mine = [i for i in found if i.incident_id not in same]
        at = {r: i.incident_id for i in found for r in i.members}
        members = {r: at.get(r) for r in seen if at.get(r) != self._every.get(r)}
        self._insert(agency, mine, sorted(shared - {i.incident_id for i in found}), members)

    def done(self) -> None:
        """Takes away what no incident says any more."""
        if self._gone:
            self._tx.do("forget_bodies", body_ids=list(self._gone))

    def _forget(self, audience: str, reports: list[str], incidents: Iterable[str]) -> None:
        if reports:
            self._tx.do("forget_members", audience=audience, ids=reports)
        several = sorted(incidents)
        if several:
            self._gone |= {row["body_id"] for row in self._tx.all("forget_incidents", audience=audience, ids=several) if row["body_id"]}

    def _insert(self, audience: str, incidents: list[_Incident], without: list[str], members: dict[str, str | None]) -> None:
        bodies = {i.body_id: self._bodies[i.body_id] for i in incidents}
        if bodies:
            self._tx.do("write_bodies", body_ids=list(bodies), bodies=list(bodies.values()))
        lines: list[tuple[str, date, UUID | None]] = [(i.incident_id, i.day, i.body_id) for i in incidents] + [
            (x, _NO_DAY, None) for x in without
        ]
        if lines:
            ids, days, body_ids = (list(column) for column in zip(*lines, strict=True))
            self._tx.do("write_incidents", audience=audience, ids=ids, days=days, body_ids=body_ids)
        if members:
            self._tx.do("write_members", audience=audience, ids=list(members), incident_ids=list(members.values()))

    def _incidents(self, frame: pl.DataFrame) -> list[_Incident]:
        out = []
        for row in frame.iter_rows(named=True):
            said = {k: plain(v) for k, v in row.items() if v is not None and k != "incident_id"}
            text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
            body_id = UUID(bytes=hashlib.sha256(text.encode()).digest()[:16])
            self._bodies[body_id] = text
            out.append(_Incident(row["incident_id"], row["event_end"] or _NO_DAY, body_id, tuple(row["report_ids"])))
        return out


def plain(value: Any) -> Any:
    """As JSON takes it."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, list):
        return [plain(v) for v in value]
    return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value
