"""The rooms of two hubs, side by side: what B's session is shown in the first, where others have hidden reports, and in the second, where there are none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import psycopg
from httpx import Response
from hubs import World

from tocsin.hub import hashed
from tocsin.server.rooms.shown import _form_token

SESSION = "a session of B, the same in both hubs"
ROOMS = (
    "/",
    "/incidents",
    "/feed",
    "/signals",
    "/reports",
    "/report",
    "/upload",
    "/reporting",
    "/requests",
    "/judgements",
    "/judge",
    "/people",
    "/log",
    "/nowhere",
)
#: Pages of one report, or incident.
OF_ONE = (
    "/reports/{}", "/reports/{}/correct", "/reports/{}/remark", "/reports/{}/release", "/reports/{}/request", "/reports/{}/purge",
    "/incidents/{}", "/incidents/{}/release", "/judge?reports={}", "/judge?incident={}",
)  # fmt: skip
OF_A_SIGNAL = ("/signals/{}", "/signals/{}/release", "/signals/{}/request")
#: A form that names all whom there may be, and is asked once more: nothing is done by it.
NAMING = {
    "marking": "RED", "event_start": "2026-01-01", "violence": "unknown", "why": "asked", "form_id": "the same in both hubs",
    "releasable_to": ["A", "C", "group:north", "group:south", "group:nowhere", "polise"],
}  # fmt: skip
#: Of a form, what is random.
_NUMBER = re.compile(rb'name="form_id" value="[\w-]{43}"')


def compare_rooms(first: World, second: World, at: datetime, idents: Iterable[str]) -> None:
    """Every room, and the page of every report and incident, byte for byte. at: the time of both hubs' clock."""
    for world in (first, second):
        _sign_in(world, at)
    signals = {one["signal_id"] for one in first.ask("B", "GET", "/api/signals?limit=1000").json()["signals"]}
    assert second.ask("B", "GET", "/api/signals?limit=1000").status_code == 200
    pages = [
        *ROOMS,
        *(page.format(ident) for ident in [*sorted(signals)[:2], "nonsense"] for page in OF_A_SIGNAL),
        *(page.format(ident) for ident in idents for page in OF_ONE),
    ]
    asked = [(page, {}) for page in pages] + [(f"/reports/{ident}/{act}", NAMING) for ident in idents for act in ("remark", "correct")]
    for page, said in asked:
        one, two = (_asked(world, page, said) for world in (first, second))
        assert one.status_code in (200, 303, 400, 403, 404), (page, one.status_code)
        assert (one.status_code, one.headers, _NUMBER.sub(b"", one.content)) == (
            two.status_code,
            two.headers,
            _NUMBER.sub(b"", two.content),
        ), page


def _asked(world: World, page: str, said: dict[str, Any]) -> Response:
    """A page; said: a form that is sent to it."""
    secret = SESSION.replace(" ", "-")
    method, data = ("POST", {"form": _form_token(secret)} | said) if said else ("GET", None)
    return world.client.request(method, page, data=data, headers={"Cookie": f"tocsin={secret}"}, follow_redirects=False)


def _sign_in(world: World, at: datetime) -> None:
    """A session as it stands after B's person signed in just now."""
    with psycopg.connect(world.roles["owner"]) as connection:
        connection.execute("SET search_path = tocsin")
        connection.execute(
            "INSERT INTO account VALUES ('B', 'reader', 'no password', 'no secret', 0, '{submit,analyse,administer_agency}', %s, 'B') ON CONFLICT DO NOTHING",
            ("2026-01-01T00:00:00Z",),
        )
        connection.execute(
            "INSERT INTO session VALUES (%s, 'B', 'reader', %s, %s) ON CONFLICT (hash) DO UPDATE SET began = excluded.began, seen = excluded.seen",
            (hashed(SESSION.replace(" ", "-")), at, at),
        )
