"""What makes a database a hub's, and keeps two hubs of one server apart."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from hubs import server

from tocsin.errors import StoreError
from tocsin.store.setup import prepare


def test_a_second_hub_of_a_server_is_refused_and_takes_no_password_from_the_first(tmp_path: Path) -> None:
    with server() as running:
        with psycopg.connect(running.conninfo("postgres"), autocommit=True) as connection:
            for name in ("first", "second"):
                connection.execute(f"CREATE DATABASE {name}".encode())
        first = prepare(running.conninfo("first"), tmp_path / "one")
        with pytest.raises(StoreError, match="has a hub already, in its database 'first'"):
            prepare(running.conninfo("second"), tmp_path / "two")
        psycopg.connect(first["web"]).close()
        again = prepare(running.conninfo("first"), tmp_path / "lost")  # whose passwords were lost
        psycopg.connect(again["web"]).close()
