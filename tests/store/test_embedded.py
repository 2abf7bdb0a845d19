"""The embedded PostgreSQL: nobody else gets in, one hub a folder, what was committed outlives a kill."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import psycopg
import pytest
from hubs import server
from psycopg.conninfo import make_conninfo

from tocsin.errors import StoreError
from tocsin.store.embedded import Embedded, buffers


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_enters_the_folders_and_the_passwords_are_for_their_owner_alone(postgres: Embedded) -> None:
    assert (mode(postgres.data), mode(postgres.run), mode(postgres.secrets)) == (0o700, 0o700, 0o700)
    assert {mode(path) for path in postgres.secrets.iterdir()} == {0o600}


def test_a_wrong_password_is_refused_and_nothing_listens_on_a_port(postgres: Embedded) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(make_conninfo(postgres.conninfo(), password="guess"))
    with psycopg.connect(postgres.conninfo()) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'").fetchone() == (0,)


def test_a_second_hub_over_one_folder_is_told_so(postgres: Embedded) -> None:
    with pytest.raises(StoreError, match="in use by another hub"):
        Embedded(postgres.folder).start()


def test_a_server_whose_hub_was_killed_is_taken_over_and_one_that_was_killed_is_started_again() -> None:
    with server() as running:
        pid = running.pid()
        assert pid is not None
        assert running._lock is not None
        running._lock.close()  # as when its hub is killed
        heir = Embedded(running.folder, fast=True)
        heir.start()
        assert heir.pid() == pid
        os.kill(pid, signal.SIGKILL)
        assert running._process is not None
        running._process.wait()
        assert heir._lock is not None
        heir._lock.close()
        third = Embedded(running.folder, fast=True)
        third.start()
        assert third.pid() not in (None, pid)
        third.stop()
        assert third.pid() is None


def test_a_database_that_has_grown_gets_more_memory_to_a_sixth_of_the_machines(tmp_path: Path) -> None:
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    (tmp_path / "base" / "5").mkdir(parents=True)
    fresh = buffers(tmp_path)
    with (tmp_path / "base" / "5" / "16384").open("wb") as table:
        table.truncate(machine)  # sparse: it takes no disk
    assert fresh <= max(128, machine // 2**24)
    assert buffers(tmp_path) == max(fresh, machine // 2**20 // 6)
