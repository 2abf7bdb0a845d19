"""Incidents written: what is no longer so goes, what is new comes, and what an agency shares with all stands once."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import polars as pl
from msgspec.json import encode

from tocsin.store import Transaction, array

ALL = "*"  # the audience whose incidents are every agency's
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
        for audience, report_id, incident_id in tx.rows("memberships", ids=array(about)):
            self._before.setdefault(audience, {})[report_id] = incident_id
        self._every = dict(self._before.get(ALL, {}))  # as it is now
        self._known: dict[str, _Incident] = {}  # incidents of every agency that were written here
        self._bodies: dict[UUID, bytes] = {}
        self._stored: set[UUID] = set()
        self._gone: set[UUID] = set()
        self._made: dict[int, list[_Incident]] = {}

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
        mine_before = [i for i in around if i in before]
        old = {b for i in mine_before for b in (before[i], star.get(i), self._every.get(i)) if b}
        self._forget(agency, mine_before, old)
        same = {i.incident_id for i in found if self._known.get(i.incident_id) == i}
        mine = [i for i in found if i.incident_id not in same]
        at = {r: i.incident_id for i in found for r in i.members}
        own = {i.incident_id for i in mine}  # whose members have a line of this agency, so that they are found when they are written anew
        members = {r: at.get(r) for r in seen if at.get(r) != self._every.get(r) or at.get(r) in own}
        self._insert(agency, mine, sorted(shared - {i.incident_id for i in found}), members)

    def done(self) -> None:
        """Takes away what no incident says any more."""
        if self._gone:
            self._tx.do("forget_bodies", body_ids=array(self._gone))

    def _forget(self, audience: str, reports: list[str], incidents: Iterable[str]) -> None:
        if reports:
            self._tx.do("forget_members", audience=audience, ids=array(reports))
        several = sorted(incidents)
        if several:
            self._gone |= {row[0] for row in self._tx.rows("forget_incidents", audience=audience, ids=array(several)) if row[0]}

    def _insert(self, audience: str, incidents: list[_Incident], without: list[str], members: dict[str, str | None]) -> None:
        bodies = {i.body_id for i in incidents} - self._stored
        if bodies:
            rows = ",".join(f'{{"body_id":"{b}","body":{self._bodies[b].decode()}}}' for b in sorted(bodies))
            self._tx.do("write_bodies", rows=f"[{rows}]")
            self._stored |= bodies
        lines: list[dict[str, str | None]] = [
            {"incident_id": i.incident_id, "day": i.day.isoformat(), "body_id": str(i.body_id)} for i in incidents
        ]
        lines += [{"incident_id": i, "day": _NO_DAY.isoformat(), "body_id": None} for i in without]
        if lines:
            self._tx.do("write_incidents", audience=audience, rows=encode(lines).decode())
        if members:
            rows = encode([{"report_id": r, "incident_id": i} for r, i in members.items()]).decode()
            self._tx.do("write_members", audience=audience, rows=rows)

    def _incidents(self, frame: pl.DataFrame) -> list[_Incident]:
        """As they are written; a table that several audiences share is gone through once."""
        if id(frame) in self._made:
            return self._made[id(frame)]
        out = self._made[id(frame)] = []
        for row in frame.iter_rows(named=True):
            text = encode({k: v for k, v in row.items() if v is not None and k != "incident_id"})
            body_id = UUID(bytes=hashlib.sha256(text).digest()[:16])
            self._bodies[body_id] = text
            out.append(_Incident(row["incident_id"], row["event_end"] or _NO_DAY, body_id, tuple(row["report_ids"])))
        return out
