"""Whoever names a group that it is not in, on any way in, is answered as by a hub that has none of that name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from httpx import Response
from hubs import Ticking, World

from tocsin.stix.fixed import EXTENSION, TLP

HIDDEN, NEVER = "group:quince", "group:quartz"  # A is in the first; of the second there is none
RANDOM = re.compile(
    rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|2026-01-01T00:00:[0-9.]{9}Z"
)  # ids, and when it was asked
ACLED = dict.fromkeys("assoc_actor_1 assoc_actor_2 civilian_targeting admin3 tags".split(), "") | {
    "event_date": "05 March 2024", "event_type": "Battles", "sub_event_type": "Armed clash", "actor1": "X", "inter1": "1", "actor2": "Y", "inter2": "2",
    "interaction": "12", "iso": "586", "country": "Pakistan", "admin1": "Balochistan", "admin2": "Zhob", "location": "Zhob", "latitude": "31.3",
    "longitude": "69.4", "geo_precision": "2", "year": "2024", "time_precision": "2", "disorder_type": "x", "source": "AFP", "notes": "A clash.",
    "fatalities": "1", "timestamp": "1710000000", "region": "South Asia", "source_scale": "International",
}  # fmt: skip
HEAD = {"spec_version": "2.1", "created": "2026-01-02T00:00:00.000Z", "modified": "2026-01-03T00:00:00.000Z"}


def posted(world: World, name: str) -> list[Response]:
    body = {"own_id": str(uuid4()), "event_start": "2026-01-01", "marking": "AMBER", "releasable_to": [name]}
    return [world.ask("B", "POST", "/api/reports", body) for _ in range(2)]  # stored, and known


def marked_anew(world: World, name: str) -> list[Response]:
    ident = world.submit("B", {"own_id": str(uuid4()), "marking": "RED"})[0]["report_id"]
    body = {"marking": "AMBER", "releasable_to": [name]}
    return [world.ask("B", "POST", f"/api/reports/{ident}/remark", body), world.ask("B", "GET", f"/api/reports/{ident}/who")]


def sent_as_a_file(world: World, name: str) -> list[Response]:
    headers = {"Authorization": f"Bearer {world.tokens['B']}", "Content-Type": "application/octet-stream"}
    row = ACLED | {"event_id_cnty": f"P{uuid4().hex}"}
    body = f"{','.join(row)}\n{','.join(row.values())}\n".encode()
    return [world.client.post(f"/api/files?name=x.csv&marking=AMBER&releasable_to={name}", content=body, headers=headers)]


def sent_by_taxii(world: World, name: str) -> list[Response]:
    said = {"extension_type": "property-extension", "event_start": "2026-01-05", "releasable_to": [name]}
    made: dict[str, Any] = {"type": "incident", "id": f"incident--{uuid4()}", "name": "Blast", "extensions": {EXTENSION: said}}
    return [world.taxii("B", "collections/inbox/objects/", [HEAD | made | {"object_marking_refs": [TLP["AMBER"]]}])]


@pytest.mark.parametrize("way", [posted, marked_anew, sent_as_a_file, sent_by_taxii])
def test_a_group_of_others_is_answered_like_one_that_never_was(
    world: World, clock: Ticking, way: Callable[[World, str], list[Response]]
) -> None:
    world.ask("admin", "PUT", "/api/groups/quince/A")
    hidden = way(world, HIDDEN)
    clock.tick()
    never = way(world, NEVER)
    for one, other in zip(hidden, never, strict=True):
        assert (one.status_code, one.headers) == (other.status_code, other.headers)
        masked = [RANDOM.sub(b"", answer.content).replace(b"quince", b"quartz") for answer in (one, other)]
        assert masked[0] == masked[1]
    assert b"is called group:quince" in hidden[-1].content
