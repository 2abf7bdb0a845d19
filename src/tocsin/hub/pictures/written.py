"""Incidents written: what is no longer so goes, what is new comes; what an agency shares with all stands once, what several share is worked out once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl
from msgspec.json import encode
from numpy.typing import NDArray

from tocsin.fusion.layers import Change, Layer
from tocsin.fusion.views import EVERY, Views
from tocsin.hub.pictures.frames import rows_of
from tocsin.store import Transaction, array

_NO_DAY = date.min
_NONE = 1  # in `_of_all`: in no incident of every agency; 0: not known yet; an incident is its number and _FIRST
_FIRST = 2
_AT_ONCE = 50_000  # lines that are written in one go
_LINE = {"audience": pl.String, "id": pl.String}
_OF_ALL = {"report_id": pl.String, "incident_id": pl.String, "body": pl.String}
_INCIDENT = {"component": pl.Int64, "id": pl.String, "day": pl.Date, "says": pl.String, "body": pl.String}
_MEMBER = {"component": pl.Int64, "id": pl.String}


class _Found(NamedTuple):
    """Incidents of one layer, by number."""

    incident: NDArray[np.int64]
    day: list[date]
    body: list[bytes]
    digest: NDArray[np.uint64]  # (n, 2)
    at: NDArray[np.int64]  # of each report of the layer: the place of its incident, -1 for none
    component: NDArray[np.int64]


class Written:
    """What one transaction writes of incidents after a change. old: how many reports had come before it; only these can have lines yet."""

    def __init__(self, tx: Transaction, views: Views, change: Change, old: int) -> None:
        self._tx, self._views = tx, views
        n = views.many
        self._of_all = np.zeros(n, np.int32)  # what each report is in for every agency
        self._digest = np.zeros((n, 2), np.uint64)  # what an incident of every agency says
        self._of_all[change.around[EVERY]] = _NONE
        order = np.argsort(change.holds[:, 1], kind="stable")
        self._holder, self._held = change.holds[order].T
        self._incidents: list[pl.DataFrame] = []
        self._members: list[pl.DataFrame] = []
        self._holders: list[tuple[int, int]] = []  # where in `_held` the components of these stand
        self._many = 0  # how many lines wait, each for all that hold it
        self._forget(change.around, old)

    def _forget(self, around: Sequence[NDArray[np.int32]], old: int) -> None:
        """Takes away what stood for these reports before."""
        about = np.unique(np.concatenate([who[who < old] for who in around]))
        if not len(about):
            return
        ids, place = array(self._views.ids_of(about)), {name: v for v, name in enumerate(self._views.audiences)}
        for read, forget in (("memberships", "forget_members"), ("incidents_named", "forget_incidents")):
            lines = rows_of(self._tx.copied(read, ids=ids), _LINE)
            number, whose = self._views.numbers(lines["id"]), np.array([place[a] for a in lines["audience"]], np.int64)
            goes = np.zeros(len(number), np.bool_)
            for v in np.unique(whose).tolist():
                goes[whose == v] = np.isin(number[whose == v], around[v])
            gone = lines.filter(goes)
            if gone.height:
                self._tx.do(forget, audiences=_texts(gone["audience"]), ids=array(gone["id"]))

    def take(self, layer: Layer, incidents: pl.DataFrame) -> None:
        """What stands now of one layer; those of EVERY come first."""
        found = _found(self._views, layer, incidents)
        inside = found.at >= 0
        here = np.full(len(layer.seen), _NONE, np.int64)
        here[inside] = found.incident[found.at[inside]] + _FIRST
        if layer.audience == EVERY:
            self._of_all[layer.seen], self._digest[found.incident] = here, found.digest
            self._keep(layer, found, np.ones(len(found.incident), np.bool_), inside)
        else:
            self._know(layer.seen)
            mine = (self._digest[found.incident] != found.digest).any(axis=1)
            members = here != self._of_all[layer.seen]
            members[inside] |= mine[found.at[inside]]  # so that they are found when they are written anew
            self._keep(layer, found, mine, members)
            self._hide(layer, found)
        if self._many > _AT_ONCE:
            self._write()

    def done(self) -> None:
        """Writes what is not written yet."""
        if self._many:
            self._write()

    def _know(self, seen: NDArray[np.int32]) -> None:
        """Reads what every agency has of these, where this change did not make it."""
        unknown = seen[self._of_all[seen] == 0]
        self._of_all[unknown] = _NONE
        shared = unknown[self._views.seen_by_all(unknown)]
        if not len(shared):
            return
        lines = rows_of(self._tx.copied("of_all", ids=array(self._views.ids_of(shared))), _OF_ALL)
        incident = self._views.numbers(lines["incident_id"])
        self._of_all[self._views.numbers(lines["report_id"])] = incident + _FIRST
        self._digest[incident] = _digests([body.encode() for body in lines["body"]])

    def _keep(self, layer: Layer, found: _Found, incidents: NDArray[np.bool_], members: NDArray[np.bool_]) -> None:
        """For later: some of the incidents and of the reports."""
        which = np.flatnonzero(incidents).tolist()
        ids = self._views.ids_of(found.incident.astype(np.int32))
        self._incidents.append(
            pl.DataFrame(
                {
                    "component": found.component[incidents],
                    "id": ids.filter(pl.Series(incidents)),
                    "day": [found.day[k] for k in which],
                    "says": [found.digest[k].tobytes().hex() for k in which],
                    "body": [found.body[k].decode() for k in which],
                },
                schema=_INCIDENT,
            )
        )
        at = found.at[members]
        in_what = ids.gather(np.maximum(at, 0)) if len(ids) else pl.Series([None] * len(at), dtype=pl.String)
        rows = {"component": layer.component[members], "id": self._views.ids_of(layer.seen[members])}
        self._members.append(pl.DataFrame(rows, schema=_MEMBER).with_columns(incident=pl.when(pl.Series(at >= 0)).then(in_what)))
        low, high = np.searchsorted(self._held, [layer.component.min(), layer.component.max() + 1])
        self._holders.append((int(low), int(high)))
        self._many += len(which) + len(at)

    def _hide(self, layer: Layer, found: _Found) -> None:
        """Incidents of every agency that these audiences do not have, for they have others of the same reports."""
        shared = self._of_all[layer.seen].astype(np.int64)
        theirs = shared >= _FIRST
        wanted = np.unique(layer.component[theirs] << 32 | (shared[theirs] - _FIRST))
        without = np.setdiff1d(wanted, found.component << 32 | found.incident)
        if len(without):
            ids = self._views.ids_of((without & 0xFFFFFFFF).astype(np.int32))
            rows = {"component": without >> 32, "id": ids, "day": [_NO_DAY] * len(without)}
            self._incidents.append(pl.DataFrame(rows, schema={name: _INCIDENT[name] for name in rows}))
            self._many += len(without)

    def _write(self) -> None:
        incidents, members = pl.concat(self._incidents, how="diagonal"), pl.concat(self._members)
        which = np.concatenate([np.arange(low, high) for low, high in self._holders])
        names = pl.Series(self._views.audiences)
        whose = {"held": array(self._held[which]), "holders": _texts(names.gather(self._holder[which]))}
        if incidents.height:
            rows = {"components": array(incidents["component"]), "ids": array(incidents["id"]), "days": array(incidents["day"])}
            self._tx.do(
                "write_incidents", **rows, hashes=array(incidents["says"].fill_null("NULL")), bodies=_texts(incidents["body"]), **whose
            )
        if members.height:
            rows = {"components": array(members["component"]), "ids": array(members["id"])}
            self._tx.do("write_members", **rows, incidents=array(members["incident"].fill_null("NULL")), **whose)
        self._incidents, self._members, self._holders, self._many = [], [], [], 0


def _found(views: Views, layer: Layer, incidents: pl.DataFrame) -> _Found:
    names = [name for name in incidents.columns if name != "incident_id"]
    body = [encode({k: v for k, v in zip(names, row, strict=True) if v is not None}) for row in incidents.select(names).iter_rows()]
    several = incidents["report_ids"].list.len().to_numpy()
    place = np.searchsorted(layer.seen, views.numbers(incidents["report_ids"].explode()))
    at = np.full(len(layer.seen), -1, np.int64)
    at[place] = np.repeat(np.arange(len(several)), several)
    first = place[np.cumsum(several) - several] if len(several) else place
    days = [day or _NO_DAY for day in incidents["event_end"]]
    return _Found(views.numbers(incidents["incident_id"]).astype(np.int64), days, body, _digests(body), at, layer.component[first])


def _digests(bodies: Sequence[bytes]) -> NDArray[np.uint64]:
    several = b"".join(hashlib.blake2b(body, digest_size=16).digest() for body in bodies)
    return np.frombuffer(several, np.uint64).reshape(-1, 2)


def _texts(texts: pl.Series) -> str:
    """Texts as PostgreSQL writes an array of them."""
    safe = texts.str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    return array(('"' + safe + '"').fill_null("NULL"))
