"""PostgreSQL, the hub's only store: named queries in sql/, migrations/, an embedded server (`embedded`), roles and migrations (`setup`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any, LiteralString, cast

import psycopg
from msgspec.json import decode, encode
from psycopg.rows import dict_row, tuple_row
from psycopg.sql import SQL
from psycopg.types.json import Jsonb, set_json_dumps, set_json_loads
from psycopg_pool import ConnectionPool, PoolTimeout

from tocsin.errors import StoreError

__all__ = ["Jsonb", "Store", "Transaction", "array", "queries"]

#: Seconds that a request waits for the database; also how long one attempt to reach it goes on, so that it is not left alone for long once it is back.
WAIT = 5.0

set_json_loads(decode)
set_json_dumps(encode)


@cache
def queries() -> dict[str, LiteralString]:
    """The named queries: each begins with a line `-- name: what it gives`."""
    text = files("tocsin.store.sql").joinpath("queries.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- (\w+): .*$", text, flags=re.MULTILINE)
    return {name: cast("LiteralString", body.strip()) for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def array(ids: Iterable[object]) -> str:
    """Ids as PostgreSQL writes an array of them: a list of thousands goes to it as one text, at a hundredth of the time."""
    return "{" + ",".join(map(str, ids)) + "}"


class Transaction:
    """One transaction in the name of one audience."""

    def __init__(self, connection: psycopg.Connection[dict[str, Any]]) -> None:
        self._connection = connection

    def all(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """The rows of a named query."""
        return self._connection.execute(queries()[query], values).fetchall()

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of a named query as tuples, where there are many."""
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(queries()[query], values).fetchall()

    def copied(self, query: str, **values: Any) -> bytes:
        """The rows of a named query as CSV, where there are so many that each is not to become an object of its own."""
        statement = SQL("COPY ({}) TO STDOUT WITH (FORMAT csv)").format(SQL(queries()[query]))
        with self._connection.cursor() as cursor, cursor.copy(statement, values) as out:
            return b"".join(out)

    def one(self, query: str, **values: Any) -> dict[str, Any] | None:
        """The first row of a named query."""
        return self._connection.execute(queries()[query], values).fetchone()

    def each(self, query: str, several: Iterable[Mapping[str, Any]]) -> None:
        """A named query once for each of several, sent without waiting for the answer to the one before."""
        with self._connection.cursor() as cursor:
            cursor.executemany(queries()[query], several)

    def do(self, query: str, **values: Any) -> None:
        """A named query that gives nothing back."""
        self._connection.execute(queries()[query], values)


class Store:
    """Connections of one role; every transaction says in whose name it is."""

    def __init__(self, conninfo: str, *, size: int = 8) -> None:
        # Planned for its values each time: whether a plan is kept would hang on how many lines others have, and show in how long an answer takes.
        options = {"row_factory": dict_row, "options": "-c search_path=tocsin -c plan_cache_mode=force_custom_plan"}
        self._pool: ConnectionPool[psycopg.Connection[dict[str, Any]]] = ConnectionPool(
            conninfo, min_size=1, max_size=size, kwargs=options, open=True, timeout=WAIT, reconnect_timeout=WAIT,
            check=ConnectionPool.check_connection,
        )  # fmt: skip

    @contextmanager
    def transaction(self, audience: str | None, *, snapshot: bool = False) -> Iterator[Transaction]:
        """A transaction that row-level security holds to `audience`; None sees no row of any.

        snapshot: all of it sees the database as of its begin, and nothing is purged meanwhile.

        Raises `StoreError` where the database does not answer.
        """
        try:
            with self._pool.connection() as connection:
                if snapshot:
                    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                    connection.execute("LOCK TABLE purged IN SHARE MODE")  # before its view of the database is taken
                connection.execute("SELECT set_config('tocsin.audience', %s, true)", (audience or "",))
                yield Transaction(connection)
        except (psycopg.OperationalError, PoolTimeout) as why:
            raise StoreError(
                f"the database does not answer ({str(why).splitlines()[0]}): see whether PostgreSQL runs, and try again"
            ) from why

    def gauges(self) -> dict[str, tuple[str, float]]:
        """The pool's connections, each number with what it says."""
        stats = self._pool.get_stats()
        return {
            "database_connections": ("Connections to the database.", stats.get("pool_size", 0)),
            "database_connections_free": ("Of these, free.", stats.get("pool_available", 0)),
            "database_requests_waiting": ("Requests that wait for one.", stats.get("requests_waiting", 0)),
        }

    def close(self) -> None:
        """Give all connections back."""
        self._pool.close()
