"""The embedded PostgreSQL: nobody else gets in, one hub a folder, what was committed outlives a kill."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest
from hubs import server
from psycopg.conninfo import make_conninfo
from running import new_folder

from tocsin.errors import StoreError
from tocsin.store.embedded import Embedded, _complaint, _reachable, buffers, programs


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


def test_programs_that_the_databases_user_cannot_reach_are_copied_with_the_libraries_that_they_look_for(tmp_path: Path) -> None:
    """As in an environment under /root; whoever runs a hub as another user than root reaches what is its own."""
    hidden, package = tmp_path / "hidden", programs().parents[1]
    for part in (f"{package.name}/{programs().parent.name}", f"{package.name}.libs"):
        shutil.copytree(package.parent / part, hidden / part, symlinks=True)
    hidden.chmod(0o700)
    with new_folder() as folder:
        own = Embedded(folder)
        found = _reachable(hidden / programs().relative_to(package.parent), folder, own.user)
        assert own.user is None or found.is_relative_to(folder)
        for name in ("initdb", "postgres"):
            tried = own._as_user([str(found / name), "--version"], subprocess.PIPE)
            assert "PostgreSQL" in tried.communicate()[0].decode()
            assert tried.returncode == 0


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


def processes(folder: Path, words: bytes = b"") -> list[int]:
    """Those that were started with this folder, and whose words hold these."""
    found = []
    for one in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            said = (one / "cmdline").read_bytes() if one.name.isdigit() else b""
            if words in said and (str(folder).encode() in said or folder in (one / "cwd").resolve().parents):
                found += [int(one.name)] if said else []
    return found


def test_a_first_start_that_a_power_cut_ends_is_begun_anew() -> None:
    with new_folder() as folder:
        program = "import sys, pathlib; from tocsin.store.embedded import Embedded; Embedded(pathlib.Path(sys.argv[1])).start()"
        first = subprocess.Popen([sys.executable, "-c", program, str(folder)])
        while not list(folder.glob("pg*/PG_VERSION")):
            time.sleep(0.005)
        for pid in (first.pid, *processes(folder)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        first.wait()
        with Embedded(folder, fast=True) as again:
            psycopg.connect(again.conninfo()).close()
        assert [path.name for path in folder.glob("pg*")] == ["pg"]


def test_a_database_that_has_much_to_do_again_after_a_kill_is_waited_for() -> None:
    with server() as running:
        with psycopg.connect(running.conninfo(), autocommit=True) as connection:
            connection.execute("SET synchronous_commit = on")
            connection.execute("CREATE TABLE much AS SELECT n, md5(n::text) AS word FROM generate_series(1, 800000) n")
        pid = running.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert running._process is not None
        running._process.wait()
        assert running._lock is not None
        running._lock.close()
        held: list[int] = []

        def hold() -> None:  # so that it takes longer than a start may
            while not held:
                held.extend(processes(running.folder, b"postgres: startup"))
            os.kill(held[0], signal.SIGSTOP)
            time.sleep(6)
            os.kill(held[0], signal.SIGCONT)

        holding = threading.Thread(target=hold, daemon=True)
        holding.start()
        with Embedded(running.folder, wait=3) as again, psycopg.connect(again.conninfo()) as connection:
            assert connection.execute("SELECT count(*) FROM much").fetchone() == (800_000,)
        assert held


def test_what_postgresql_complains_of_is_told_and_not_that_it_tidies_up() -> None:
    said = (
        'creating ... \ninitdb: error: could not write file "x": No space left on device\ninitdb: removing contents of data directory "y"\n'
    )
    assert _complaint(said) == 'initdb: error: could not write file "x": No space left on device'
    assert _complaint("") == "it said nothing"


def test_a_database_that_has_grown_gets_more_memory_to_a_sixth_of_the_machines(tmp_path: Path) -> None:
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    (tmp_path / "base" / "5").mkdir(parents=True)
    fresh = buffers(tmp_path)
    with (tmp_path / "base" / "5" / "16384").open("wb") as table:
        table.truncate(machine)  # sparse: it takes no disk
    assert fresh <= max(128, machine // 2**24)
    assert buffers(tmp_path) == max(fresh, machine // 2**20 // 6)
