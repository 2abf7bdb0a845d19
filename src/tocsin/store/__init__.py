"""PostgreSQL, the hub's only store: named queries in sql/, migrations/, an embedded server (`embedded`), roles and migrations (`setup`)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any, LiteralString, TypeVar, cast

import psycopg
from msgspec.json import decode, encode
from psycopg.rows import dict_row, tuple_row
from psycopg.sql import SQL, quote
from psycopg.types.json import Jsonb, set_json_dumps, set_json_loads
from psycopg_pool import ConnectionPool, PoolTimeout

from tocsin.errors import StoreError

__all__ = ["Jsonb", "Store", "Transaction", "array", "queries"]

#: Seconds that a request waits for the database; also how long one attempt to reach it goes on, so that it is not left alone for long once it is back.
WAIT = 5.0
T = TypeVar("T")
Connection = psycopg.Connection[dict[str, Any]]

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

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._last: list[tuple[str, Mapping[str, Any]]] = []

    def all(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """The rows of a named query."""
        return self._connection.execute(queries()[query], values).fetchall()

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of a named query as tuples, where there are many."""
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(queries()[query], values).fetchall()

    def copied(self, query: str, **values: Any) -> bytes:
        """The rows of a named query as CSV, where there are so many that each is not to become an object of its own."""
        return next(self.copied_in_parts(query, None, **values), b"")

    def copied_in_parts(self, query: str, size: int | None, **values: Any) -> Iterator[bytes]:
        """As `copied`, in parts of whole rows that have about so many bytes; nothing else is asked before the last was taken."""
        statement = SQL("COPY ({}) TO STDOUT WITH (FORMAT csv)").format(SQL(queries()[query]))
        with self._connection.cursor() as cursor, cursor.copy(statement, values) as out:
            csv = BytesIO()
            for line in out:  # not joined at the end: millions of lines would all be objects at once
                csv.write(line)
                if size is not None and csv.tell() >= size:
                    yield csv.getvalue()
                    csv = BytesIO()
            if csv.tell():
                yield csv.getvalue()

    def one(self, query: str, **values: Any) -> dict[str, Any] | None:
        """The first row of a named query."""
        return self._connection.execute(queries()[query], values).fetchone()

    def do(self, query: str, **values: Any) -> None:
        """A named query that gives nothing back."""
        self._connection.execute(queries()[query], values)

    def last(self, query: str, **values: Any) -> None:
        """A named query that gives nothing back, when all else is done: it is sent together with the commit."""
        self._last.append((query, values))

    def note(self, **line: Any) -> None:
        """A line in the audit log of who asks: at, who, what, things, allowed, reason."""
        self.do("note_all", lines=Jsonb([line]))

    def end(self) -> None:
        """Commits."""
        mogrify = psycopg.ClientCursor(self._connection).mogrify
        steps = [mogrify(queries()[query], values) for query, values in self._last]
        self._connection.execute("; ".join([*steps, "COMMIT"]).encode(), prepare=False)


class Store:
    """Connections of one role; every transaction says in whose name it is.

    Each answer of the database that is waited for costs as much as reading a few reports, so what can go together does; and a connection is not tried before it
    is used: where one has broken since, what it was to begin with is done on another.
    """

    def __init__(self, conninfo: str, *, size: int = 8) -> None:
        # Planned for its values each time: whether a plan is kept would hang on how many lines others have, and show in how long an answer takes.
        options = {"row_factory": dict_row, "autocommit": True, "options": "-c search_path=tocsin -c plan_cache_mode=force_custom_plan"}
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            conninfo, min_size=1, max_size=size, kwargs=options, open=True, timeout=WAIT, reconnect_timeout=WAIT
        )

    @contextmanager
    def transaction(self, audience: str | None, *, snapshot: bool = False, by_key: bool = False) -> Iterator[Transaction]:
        """A transaction that row-level security holds to `audience`; None sees no row of any.

        snapshot: all of it sees the database as of its begin, and nothing is purged meanwhile. by_key: see the query of that name.

        Raises `StoreError` where the database does not answer.
        """
        steps = ["BEGIN"]
        if snapshot:
            steps = ["BEGIN ISOLATION LEVEL REPEATABLE READ", "LOCK TABLE purged IN SHARE MODE"]  # before its view of the database is taken
        steps.append(f"SET LOCAL tocsin.audience = {quote(audience or '')}")
        steps += [queries()["by_key"]] if by_key else []
        begin = "; ".join(steps).encode()
        with self._begun(lambda connection: connection.execute(begin, prepare=False)) as (connection, _):
            tx = Transaction(connection)
            yield tx
            tx.end()

    def one(self, query: str, **values: Any) -> dict[str, Any] | None:
        """The first row of a named query that only reads, in nobody's name. Raises `StoreError` where the database does not answer."""
        with self._begun(lambda connection: connection.execute(queries()[query], values).fetchone()) as (_, row):
            return row

    @contextmanager
    def _begun(self, first: Callable[[Connection], T]) -> Iterator[tuple[Connection, T]]:
        """A connection with what was done on it first: nothing that may not be done twice."""
        try:
            connection, done = self._taken(first)
            try:
                with connection:
                    yield connection, done
            finally:
                self._pool.putconn(connection)
        except (psycopg.OperationalError, PoolTimeout) as why:
            raise StoreError(
                f"the database does not answer ({str(why).splitlines()[0]}): see whether PostgreSQL runs, and try again"
            ) from why

    def _taken(self, first: Callable[[Connection], T]) -> tuple[Connection, T]:
        end = time.monotonic() + WAIT
        while True:
            connection = self._pool.getconn(end - time.monotonic())
            try:
                return connection, first(connection)
            except BaseException as why:
                broken = connection.closed
                self._pool.putconn(connection)
                if not (broken and isinstance(why, psycopg.Error)):
                    raise

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
