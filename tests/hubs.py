"""Hubs for tests: one embedded PostgreSQL a session, a database a hub."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from httpx import Response
from litestar.testing import TestClient
from psycopg import sql

from tocsin.gate import tlp2
from tocsin.hub import Hub, hashed
from tocsin.hub.judging import of_row
from tocsin.server.app import make_app
from tocsin.store import Store, array
from tocsin.store.embedded import Embedded
from tocsin.store.setup import prepare, roles, settle_scheme
from tocsin.terms.judgements import Judgement

TAXII = "application/taxii+json;version=2.1"
#: Tables of what a hub comes to know; the rest is of its agencies, people and tokens.
LEARNT = (
    "report act handling member feed stale incident incident_of told judgement judged purged audit audited inbox posting upload picture pictured look signal "
    "signal_given grouped published touched"
).split()
#: Tables of people who sign in.
PEOPLE = "session account invitation attempt".split()
_number = count()


@contextmanager
def server() -> Iterator[Embedded]:
    """A server in a folder that root's PostgreSQL may enter too."""
    folder = Path(tempfile.mkdtemp(prefix="tocsin-test-"))
    folder.chmod(0o755)
    try:
        with Embedded(folder, fast=True) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def database(running: Embedded) -> dict[str, str]:
    """A new database made a hub's: the connection of each role, and `owner`'s. The first of a server is made by the migrations, the others are copies of it."""
    name, pattern = f"hub_{os.getpid()}_{next(_number)}", f"pattern_{os.getpid()}"
    with psycopg.connect(running.conninfo("postgres"), autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", (pattern,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(pattern)))
            made = prepare(running.conninfo(pattern), running.secrets)
            settle_scheme(made["migrate"], None, tlp2().markings)
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(pattern)))
    return roles(running.conninfo(name), running.secrets) | {"owner": running.conninfo(name)}


class World:
    """A hub over a database of its own, its API, and a token for each who asks. now: the hub's clock."""

    def __init__(self, running: Embedded, now: Callable[[], datetime], agencies: Sequence[str] = ("A", "B", "C")) -> None:
        self.roles = database(running)
        with psycopg.connect(self.roles["owner"]) as connection:
            connection.execute("UPDATE tocsin.seal SET key = 'the same in every test'")
        self.store = Store(self.roles["web"], size=4)
        self.hub = Hub(self.store, now)
        self.client = TestClient(make_app(self.hub), raise_server_exceptions=False).__enter__()
        first = self.hub.staff.first_token()
        assert first is not None
        self.tokens = {"admin": first}
        self.fuse = Store(self.roles["fuse"], size=2)
        for name in agencies:
            assert self.ask("admin", "POST", "/api/agencies", {"name": name}).status_code == 201
            made = self.ask(
                "admin", "POST", "/api/tokens", {"label": name, "agency": name, "roles": ["submit", "analyse", "administer_agency"]}
            )
            self.tokens[name] = made.json()["token"]
        self.given = dict(self.tokens)

    def ask(self, who: str | None, method: str, path: str, body: Any = None) -> Response:
        """One request; who: a name in `tokens`, or None without a token."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        return (
            self.client.request(method, path, json=body, headers=headers)
            if body is not None
            else self.client.request(method, path, headers=headers)
        )

    def taxii(self, who: str, path: str, objects: list[Any] | None = None, method: str = "") -> Response:
        """One request to the agency's TAXII API root; objects: an envelope of them is posted."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}", "Accept": TAXII}
        address = f"/taxii2/hub/{path}"
        if objects is None:
            return self.client.request(method or "GET", address, headers=headers)
        return self.client.post(address, content=json.dumps({"objects": objects}), headers=headers | {"Content-Type": TAXII})

    def submit(self, who: str, *reports: dict[str, Any]) -> list[dict[str, Any]]:
        """The results of a post."""
        answer = self.ask(who, "POST", "/api/reports", list(reports))
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["results"]
        return found

    def judgements(self, reports: Sequence[str]) -> list[Judgement]:
        """What holds for who sees these reports and no others."""
        with self.fuse.transaction(None) as tx:
            rows = tx.all("judgements_named", reports=array(reports))
        return [of_row(row) for row in rows if {*map(str, row["names"])} <= {*reports}]

    def forget(self) -> None:
        """As on the first day, but for agencies and tokens."""
        with psycopg.connect(self.roles["owner"]) as connection:
            connection.execute("SET search_path = tocsin; SET session_replication_role = replica")  # what only grows is let go too
            connection.execute("; ".join(f"DELETE FROM {table}" for table in LEARNT))  # TRUNCATE makes every file of every table anew
            connection.execute("UPDATE agency SET left_at = NULL")
            connection.execute("UPDATE token SET revoked_at = NULL")

    def forget_people(self) -> None:
        """As on the first day, but for agencies: nobody has an account, and there are no tokens but the first."""
        self.forget()
        self.tokens = dict(self.given)
        with psycopg.connect(self.roles["owner"]) as connection:
            connection.execute("SET search_path = tocsin; SET session_replication_role = replica")
            connection.execute("; ".join(f"DELETE FROM {table}" for table in PEOPLE))
            connection.execute("DELETE FROM token WHERE hash <> ALL (%s)", ([hashed(token) for token in self.given.values()],))

    def close(self) -> None:
        """Gives its connections back."""
        self.client.__exit__(None, None, None)
        self.store.close()
        self.fuse.close()


class Ticking:
    """A clock that goes on by a second when told."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def tick(self) -> None:
        self.at += timedelta(seconds=1)
