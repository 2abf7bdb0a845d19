"""One hub a database: a lock that is held as long as its connection stands."""

from __future__ import annotations

import contextlib
import time

import psycopg

from tocsin.errors import StoreError

LOCK = 7_460_002
WAIT = 3.0  # seconds in which the database learns that a hub that was killed has gone


class Alone:
    """Holds a database for one hub. Raises `StoreError` where another holds it, or the database does not answer."""

    def __init__(self, admin: str) -> None:
        self._admin = admin
        try:
            self._connection = self._take()
        except psycopg.OperationalError as why:
            raise StoreError(
                f"the database does not answer ({str(why).splitlines()[0]}): see that --database-url leads to a running PostgreSQL"
            ) from why

    def _take(self) -> psycopg.Connection[tuple[bool]]:
        connection = psycopg.connect(self._admin, autocommit=True, connect_timeout=10, application_name="tocsin")
        end = time.monotonic() + WAIT
        while connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone() != (True,):
            if time.monotonic() < end:
                time.sleep(0.05)
                continue
            connection.close()
            raise StoreError("the database is in use by another hub: stop that one first, or give this one a database of its own")
        return connection

    def keep(self) -> None:
        """Takes the lock again after the database went away and came back; nothing while it is away. Raises `StoreError` where another hub has it now."""
        with contextlib.suppress(psycopg.OperationalError):
            try:
                self._connection.execute("SELECT 1")
            except psycopg.OperationalError:
                self._connection.close()
                self._connection = self._take()

    def close(self) -> None:
        """Gives it up."""
        self._connection.close()
