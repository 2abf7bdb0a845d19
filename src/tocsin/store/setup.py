"""Roles, passwords and migrations: what makes a PostgreSQL database a hub's."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tocsin.errors import StoreError

ROLES = ("web", "fuse", "purge", "migrate")
OLDEST = 18  # `RETURNING old` is used


def password(folder: Path, role: str) -> tuple[str, bool]:
    """The password of a role, kept in a 0600 file of a 0700 folder; whether it was made now."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / role
    if path.exists():
        return path.read_text(encoding="ascii").strip(), False
    word = secrets.token_urlsafe(32)
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as out:
        out.write(word)
        out.flush()
        os.fsync(out.fileno())
    part.rename(path)
    return word, True


def checked_url(url: str) -> str:
    """The address of a database of one's own. Raises `StoreError` where it cannot be read, without its words: a password may stand in them."""
    try:
        if conninfo_to_dict(url):
            return url
    except psycopg.Error:
        pass
    raise StoreError(
        "--database-url (or TOCSIN_DATABASE_URL) is no address of a PostgreSQL database: give postgresql://USER:PASSWORD@HOST/DATABASE, "
        "and write a % of the password as %25, an @ as %40, a / as %2F"
    )


def prepare(admin: str, secrets_folder: Path) -> dict[str, str]:
    """Makes the four roles and brings the tables up to date; gives each role's connection. Safe to repeat.

    admin: a connection whose role may create roles, to the database that is to be the hub's. Raises `StoreError` where it cannot be reached, is older than
    PostgreSQL 18, was made by other migrations, or its role may not do so.
    """
    out = roles(admin, secrets_folder)
    try:
        migrate(out["migrate"])
    except psycopg.Error as why:
        raise _cannot(why) from why
    return out


def roles(admin: str, secrets_folder: Path) -> dict[str, str]:
    """Makes the four roles and their rights on the database, and gives each one's connection. Raises as `prepare` does."""
    try:
        with psycopg.connect(admin, autocommit=True) as connection:
            if connection.info.server_version < OLDEST * 10_000:
                raise StoreError(f"the database is PostgreSQL {connection.info.server_version // 10_000}: the hub needs {OLDEST} or later")
            _not_anothers(connection, secrets_folder)
            out = {role: _role(connection, role, secrets_folder, admin) for role in ROLES}
            name = sql.Identifier(connection.info.dbname)
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
            connection.execute(
                sql.SQL("GRANT CONNECT ON DATABASE {} TO tocsin_web, tocsin_fuse, tocsin_purge, tocsin_migrate").format(name)
            )
            connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO tocsin_migrate").format(name))
            connection.execute("GRANT tocsin_purge TO tocsin_migrate WITH INHERIT TRUE, SET TRUE")
    except psycopg.Error as why:
        raise _cannot(why) from why
    return out


def _cannot(why: psycopg.Error) -> StoreError:
    return StoreError(
        f"the database cannot be made a hub's ({str(why).splitlines()[0]}): see that --database-url leads to a running PostgreSQL {OLDEST}, "
        "and that its role may create roles"
    )


def _not_anothers(connection: psycopg.Connection[tuple[object, ...]], folder: Path) -> None:
    """Roles are the whole server's: to give them new passwords would shut out the hub of another database. Raises `StoreError`."""
    if all((folder / role).exists() for role in ROLES):
        return
    others = connection.execute(
        "SELECT d.datname FROM pg_database d, aclexplode(d.datacl) a JOIN pg_roles r ON r.oid = a.grantee "
        "WHERE r.rolname = 'tocsin_web' AND d.datname <> current_database() ORDER BY 1"
    ).fetchall()
    if others:
        raise StoreError(
            f"the server has a hub already, in its database {others[0][0]!r}, and this one would take its roles' passwords from it: "
            "give a PostgreSQL server of its own, or leave --database-url out"
        )


def _role(connection: psycopg.Connection[tuple[object, ...]], role: str, folder: Path, admin: str) -> str:
    name, (word, new) = f"tocsin_{role}", password(folder, role)
    there = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
    if there is None:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(word)))
    elif new:
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), sql.Literal(word)))
    return make_conninfo(admin, user=name, password=word)


def migrations() -> list[tuple[str, str]]:
    """Name and text of each migration, in order."""
    found = [f for f in files("tocsin.store.migrations").iterdir() if f.name.endswith(".sql")]
    return [(f.name, f.read_text(encoding="utf-8")) for f in sorted(found, key=lambda f: f.name)]


def hash_of(text: str) -> str:
    """By which a migration is known."""
    return hashlib.sha256(text.encode()).hexdigest()


def migrate(conninfo: str, steps: list[tuple[str, str]] | None = None) -> list[str]:
    """Applies the migrations that a database lacks, all or none; gives their names. Raises `StoreError` where those that it has are others than these."""
    done = []
    with psycopg.connect(conninfo) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(7_460_001)")
        connection.execute("CREATE SCHEMA IF NOT EXISTS tocsin")
        connection.execute("SET search_path = tocsin")
        connection.execute("CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())")
        connection.execute("ALTER TABLE migration ADD COLUMN IF NOT EXISTS hash text")  # hubs of before have none
        had = {str(name): said for name, said in connection.execute("SELECT name, hash FROM migration ORDER BY name")}
        steps = migrations() if steps is None else steps
        known = {name: hash_of(text) for name, text in steps}
        for name, said in had.items():
            if said != known.get(name):
                raise _of_another(connection.info.dbname, name, "was another" if name in known else "is of a later one")
        for name, text in steps:
            if name not in had:
                connection.execute(text.encode())
                connection.execute("INSERT INTO migration (name, hash) VALUES (%s, %s)", (name, known[name]))
                done.append(name)
        _hand_over(connection)
    return done


def _of_another(database: str, migration: str, why: str) -> StoreError:
    return StoreError(
        f"the tables of the database {database!r} are not those of this tocsin: {migration}, by which they were made, {why}; nothing was changed. "
        "Start the hub with the tocsin that made it, "
        "or begin a new one in a new folder (--data) or an empty database, and send the reports again"
    )


def _hand_over(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """What takes reports away runs as the role that may, also in a hub that was made of a copy."""
    connection.execute("GRANT CREATE ON SCHEMA tocsin TO tocsin_purge")
    for name in ("unhandle", "erase"):
        connection.execute(sql.SQL("ALTER FUNCTION tocsin.{}(uuid[]) OWNER TO tocsin_purge").format(sql.Identifier(name)))
    connection.execute("REVOKE CREATE ON SCHEMA tocsin FROM tocsin_purge")


Markings = Sequence[tuple[str, int, str, bool]]  # name, rank, reach, onward; laxest first


def settle_scheme(conninfo: str, wanted: Markings | None, default: Markings) -> Markings:
    """The markings of a hub, from now on: those wanted, else those that it has, else the default.

    Raises `StoreError` where its reports are marked by others than those wanted: who sees them would change behind their originators' backs."""
    with psycopg.connect(conninfo) as connection:
        found = connection.execute("SELECT name, rank, reach, onward FROM tocsin.marking ORDER BY rank").fetchall()
        there = [(str(name), int(rank), str(reach), bool(onward)) for name, rank, reach, onward in found]
        chosen = [*(wanted or there or default)]
        if there != chosen:
            if connection.execute("SELECT FROM tocsin.handling LIMIT 1").fetchone() is not None:
                names = ", ".join(name for name, *_ in there)
                raise StoreError(
                    f"the hub's reports are marked by the scheme that it began with ({names}): give that one, or leave --scheme out"
                )
            connection.execute("DELETE FROM tocsin.marking")
            with connection.cursor() as cursor:
                cursor.executemany("INSERT INTO tocsin.marking VALUES (%s, %s, %s, %s)", chosen)
    return chosen
