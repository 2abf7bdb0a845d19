"""Hubs for tests: one embedded PostgreSQL a session, a database a hub."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from tocsin.gate import tlp2
from tocsin.store.embedded import Embedded
from tocsin.store.setup import install_scheme, prepare

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
    """A new database made a hub's: the connection of each role, and `owner`'s."""
    name = f"hub_{os.getpid()}_{next(_number)}"
    with psycopg.connect(running.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    roles = prepare(running.conninfo(name), running.secrets)
    install_scheme(roles["migrate"], [(m.name, m.rank, m.reach, m.onward) for m in tlp2().markings])
    return roles | {"owner": running.conninfo(name)}
