"""Whether a database is what these migrations make: by the hash of each, and, where that is missing or another, by what stands in the database."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import psycopg

from tocsin.errors import StoreError

Connection = psycopg.Connection[tuple[Any, ...]]
#: All that the schema has, but for the list of its migrations, what its tables hold, and rights.
_STANDS = """
SELECT 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid) FROM pg_proc p WHERE p.pronamespace = 'tocsin'::regnamespace AND p.prokind <> 'a'
UNION ALL SELECT 'column', c.relname || '.' || a.attname, concat_ws(' ', row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum),
    format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid))
    FROM c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE c.relkind IN ('r', 'v')
UNION ALL SELECT 'view', c.relname, pg_get_viewdef(c.oid) || coalesce(c.reloptions::text, '') FROM c WHERE c.relkind = 'v'
UNION ALL SELECT 'security', c.relname, concat(c.relrowsecurity, c.relforcerowsecurity) FROM c WHERE c.relkind = 'r'
UNION ALL SELECT 'index', c.relname, pg_get_indexdef(c.oid) FROM c WHERE c.relkind = 'i'
UNION ALL SELECT 'constraint', c.relname || '.' || o.conname, pg_get_constraintdef(o.oid) FROM c JOIN pg_constraint o ON o.conrelid = c.oid
UNION ALL SELECT 'trigger', c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid) FROM c JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal
UNION ALL SELECT 'policy', c.relname || '.' || p.polname, concat_ws(' ', p.polcmd, p.polpermissive, p.polroles::regrole[], pg_get_expr(p.polqual, c.oid),
    pg_get_expr(p.polwithcheck, c.oid)) FROM c JOIN pg_policy p ON p.polrelid = c.oid
"""
_CLASSES = (
    "WITH c AS (SELECT * FROM pg_class WHERE relnamespace = 'tocsin'::regnamespace AND relname NOT IN ('migration', 'migration_pkey'))"
)


def hash_of(text: str) -> str:
    """By which a migration is known."""
    return hashlib.sha256(text.encode()).hexdigest()


def check(connection: Connection, had: dict[str, str | None], steps: Sequence[tuple[str, str]]) -> None:
    """Raises `StoreError` where a database was made by other migrations than `steps`. had: names, each with its hash; none before these were kept.

    One whose text differs in words alone, or that has no hash yet, is known by what it made, and has its hash from then on."""
    if later := sorted(had.keys() - {name for name, _ in steps}):
        raise _other(connection, f"{later[0]}, which it has, is of a later tocsin")
    done = [(name, text) for name, text in steps if name in had]
    other = [(name, text) for name, text in done if had[name] != hash_of(text)]
    if not other:
        return
    stands, wanted = _standing(connection), _made_by(connection, done)
    if stands != wanted:
        kind, name = min(line[:2] for line in stands ^ wanted)
        raise _other(connection, f"{other[0][0]}, by which it was made, was another: the {kind} {name} differs")
    for name, text in other:
        connection.execute("UPDATE migration SET hash = %s WHERE name = %s", (hash_of(text), name))


def _other(connection: Connection, why: str) -> StoreError:
    return StoreError(
        f"the tables of the database {connection.info.dbname!r} are not those of this tocsin ({why}); nothing was changed. "
        "Start the hub with the tocsin that made it, "
        "or begin a new one in a new folder (--data) or an empty database, and send the reports again"
    )


def _made_by(connection: Connection, steps: Sequence[tuple[str, str]]) -> set[tuple[Any, ...]]:
    """What migrations make; the database is as it was afterwards."""
    with connection.transaction(force_rollback=True):
        connection.execute("ALTER SCHEMA tocsin RENAME TO tocsin_before")
        connection.execute("CREATE SCHEMA tocsin")
        for _, text in steps:
            connection.execute(text.encode())
        return _standing(connection)


def _standing(connection: Connection) -> set[tuple[Any, ...]]:
    return set(connection.execute(f"{_CLASSES}{_STANDS}".encode()).fetchall())
