"""A copy of a hub in one file, and a hub made anew of it, by PostgreSQL's own pg_dump and pg_restore (custom format).

A copy has every report, act, log line and the hashes of tokens; it has no password: a restored hub's roles get new ones. Who has the file sees everything.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tocsin.errors import OptionError, StoreError
from tocsin.store import Store
from tocsin.store.alone import Alone
from tocsin.store.embedded import DATABASE, Embedded, programs
from tocsin.store.setup import checked_url, migrate, password, roles


def backup(folder: Path, file: Path, url: str | None = None) -> int:
    """Copies the hub of a folder, or of a database of one's own, into `file`, whether it runs or not; gives its bytes. The copy is of one moment.

    Raises `StoreError` where there is no hub, or PostgreSQL cannot copy it; `OptionError` where the file cannot be written.
    """
    if file.is_dir():
        raise OptionError(f"{file}: is a folder; name a file in it with --to")
    part = file.with_name(file.name + ".part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    except OSError as why:
        raise OptionError(f"{file}: cannot be written ({why.strerror}); give another file with --to") from why
    try:
        with _running(folder, url) as conninfo:
            _note(conninfo, "backup")
            _run("pg_dump", conninfo, ["--format=custom", "--schema=tocsin", f"--file={part}"])
        _run("pg_restore", None, ["--list", str(part)])  # it can be read
        with part.open("rb") as made:
            os.fsync(made.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return file.stat().st_size


def restore(file: Path, folder: Path, url: str | None = None) -> None:
    """Makes a hub of a copy, in an empty folder, or in a database of one's own that has none. All or nothing.

    Raises `StoreError` where there is a hub already, or the copy is no copy of one; `OptionError` where the file cannot be read.
    """
    try:
        file.open("rb").close()
    except OSError as why:
        raise OptionError(f"{file}: cannot be read ({why.strerror})") from why
    try:
        holds = _run("pg_restore", None, ["--list", str(file)])
    except StoreError as why:
        raise StoreError(f"{file} is no copy of a hub, or is damaged ({why}): give a file that `tocsin backup` wrote") from why
    if "TABLE tocsin report " not in holds:
        raise StoreError(f"{file} is no copy of a hub: give a file that `tocsin backup` wrote")
    if (folder / "pg").exists() or (folder / "secrets").exists():
        raise StoreError(f"{folder} has a hub already, or what is left of one: restore into a new folder")
    there = folder.exists()
    try:
        if url is not None:
            _fill(checked_url(url), folder / "secrets", file)
        else:
            with Embedded(folder) as server:
                _fill(server.conninfo(), server.secrets, file)
    except BaseException:
        for made in ("pg", "secrets", "run") if there else ("",):
            shutil.rmtree(folder / made, ignore_errors=True)
        raise


def _fill(admin: str, secrets: Path, file: Path) -> None:
    with contextlib.closing(Alone(admin)):
        with psycopg.connect(admin) as connection:
            if connection.execute("SELECT to_regnamespace('tocsin')").fetchone() != (None,):
                raise StoreError("the database has a hub already: restore into one of its own that is empty")
        owner = roles(admin, secrets)["migrate"]
        words = ["--single-transaction", "--exit-on-error", "--no-owner", f"--dbname={_without_password(owner)}", str(file)]
        try:
            _run("pg_restore", owner, words)
        except StoreError as why:
            raise StoreError(
                f"{file} could not be restored ({why}); nothing was made. Where it is damaged or cut off, give another copy"
            ) from why
        migrate(owner)
        _note(owner, "restore")


@contextlib.contextmanager
def _running(folder: Path, url: str | None) -> Iterator[str]:
    """The connection of the role that owns the tables; a hub that does not run has its database started for the while."""
    if not (folder / "secrets" / "migrate").exists() or (url is None and not (folder / "pg" / "PG_VERSION").exists()):
        raise StoreError(f"there is no hub in {folder}: give its folder with --data")
    word, _ = password(folder / "secrets", "migrate")
    if url is not None:
        yield make_conninfo(checked_url(url), user="tocsin_migrate", password=word)
        return
    server = Embedded(folder)
    with contextlib.nullcontext() if server.pid() is not None else server:
        yield make_conninfo(server.conninfo(DATABASE), user="tocsin_migrate", password=word)


def _without_password(conninfo: str) -> str:
    """For a command line, which others on the machine can read."""
    return make_conninfo("", **{k: str(v) for k, v in conninfo_to_dict(conninfo).items() if k != "password"})


def _note(conninfo: str, what: str) -> None:
    """A line in the log of the hub's staff: a copy was made of what no one of them sees."""
    store = Store(conninfo, size=1)
    try:
        with store.transaction(None) as tx:
            last = (tx.one("last_tick") or {}).get("last")
            now = datetime.now(UTC)
            tx.note(at=max(now, last or now), who="command line", what=what, things=[], allowed=True, reason="who runs the machine")
    finally:
        store.close()


def _run(program: str, conninfo: str | None, words: list[str]) -> str:
    """What one of PostgreSQL's programs says; the password goes by the environment. Raises `StoreError` with the last line of its complaint."""
    env = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
    command = [str(programs() / program), *words]
    if conninfo is not None:
        env["PGPASSWORD"] = str(conninfo_to_dict(conninfo).get("password") or "")
        if program == "pg_dump":
            command.append(f"--dbname={_without_password(conninfo)}")
    done = subprocess.run(command, env=env, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise StoreError(f"{program} failed: {said[-1]}")
    return done.stdout.decode(errors="replace")
