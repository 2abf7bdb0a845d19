"""The tables: schema.sql is the sum of the migrations, roles can do what they must and no more, SQL says what may() says."""

from __future__ import annotations

import subprocess
from importlib.resources import files

import psycopg
import pytest
from hubs import database
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.errors import StoreError
from tocsin.gate import Action, Clearance, Marked, Role, may, tlp2
from tocsin.store import queries
from tocsin.store.embedded import Embedded, programs
from tocsin.store.setup import hash_of, migrate, migrations

NAMES = ["A", "B", "C"]


@pytest.fixture(scope="module")
def hub(postgres: Embedded) -> dict[str, str]:
    return database(postgres)


def dump(conninfo: str) -> list[str]:
    words = [str(programs() / "pg_dump"), "--schema-only", "--restrict-key=x", conninfo]
    return sorted(subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines())


def test_schema_sql_is_the_sum_of_the_migrations(postgres: Embedded, hub: dict[str, str]) -> None:
    other = database(postgres)
    with psycopg.connect(other["migrate"]) as connection:
        connection.execute("DROP SCHEMA tocsin CASCADE")
    text = files("tocsin.store.sql").joinpath("schema.sql").read_text(encoding="utf-8")
    migrate(other["migrate"], [("schema.sql", text)])
    assert dump(other["owner"]) == dump(hub["owner"])


def test_migrations_are_applied_once(hub: dict[str, str]) -> None:
    assert migrate(hub["migrate"]) == []


def test_each_migration_is_kept_with_its_hash(hub: dict[str, str]) -> None:
    with psycopg.connect(hub["owner"]) as owner:
        kept = owner.execute("SELECT name, hash FROM tocsin.migration ORDER BY name").fetchall()
    assert kept == [(name, hash_of(text)) for name, text in migrations()]


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        ("UPDATE migration SET hash = 'another'", "0001_hub.sql, by which they were made, was another"),
        ("ALTER TABLE migration DROP COLUMN hash", "0001_hub.sql, by which they were made, was another"),
        ("INSERT INTO migration (name, hash) VALUES ('9999_later.sql', 'x')", "9999_later.sql, by which they were made, is of a later one"),
    ],
)
def test_a_database_that_other_migrations_made_is_refused_and_is_as_it_was(postgres: Embedded, listed: str, told: str) -> None:
    other = database(postgres)
    with psycopg.connect(other["migrate"]) as connection:
        connection.execute("SET search_path = tocsin")
        connection.execute(listed.encode())
    before = dump(other["owner"])
    with pytest.raises(StoreError) as why:
        migrate(other["migrate"], [*migrations(), ("0002_more.sql", "CREATE TABLE more (x int)")])
    assert told in str(why.value)
    assert "Start the hub with the tocsin that made it, or begin a new one" in str(why.value)
    assert dump(other["owner"]) == before


def test_every_query_is_described() -> None:
    text = files("tocsin.store.sql").joinpath("queries.sql").read_text(encoding="utf-8")
    assert len(queries()) == text.count("\n-- ")


@pytest.mark.parametrize("role", ["web", "fuse"])
@pytest.mark.parametrize("table", ["report", "act", "audit", "handling", "feed", "token", "member"])
@pytest.mark.parametrize("what", ["DELETE FROM {}", "UPDATE {} SET {}", "TRUNCATE {}"])
def test_what_only_grows_cannot_be_changed_or_taken_away(hub: dict[str, str], role: str, table: str, what: str) -> None:
    with psycopg.connect(hub["owner"]) as owner:
        column = owner.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'tocsin' AND table_name = %s", (table,)
        ).fetchall()[-1][0]
    with psycopg.connect(hub[role]) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(what.format(f"tocsin.{table}", f"{column} = NULL"))


def test_the_web_role_owns_nothing_and_no_table_is_open_to_it_without_row_level_security(hub: dict[str, str]) -> None:
    with psycopg.connect(hub["owner"]) as owner:
        owned = owner.execute("SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = 'tocsin_web'").fetchone()
        bare = owner.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'tocsin'::regnamespace AND relkind = 'r' AND NOT relrowsecurity "
            "AND has_table_privilege('tocsin_web', oid, 'SELECT') ORDER BY 1"
        ).fetchall()
    assert owned == (0,)
    assert bare == [("agency",), ("clock",)]  # names that all know, and the time


def test_the_web_role_cannot_read_tokens_or_acts_and_makes_no_table(hub: dict[str, str]) -> None:
    for words in ("SELECT * FROM tocsin.token", "SELECT * FROM tocsin.act", "CREATE TABLE tocsin.mine (x int)", "SET ROLE tocsin_migrate"):
        with psycopg.connect(hub["web"]) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(words)


named = st.frozensets(st.sampled_from([*NAMES, "group:north", "group:south", "north"]))


@settings(max_examples=200)
@given(
    st.sampled_from([m.name for m in tlp2().markings]),
    st.sampled_from(NAMES),
    named,
    st.frozensets(st.sampled_from(NAMES)),
    st.sampled_from(NAMES),
    st.frozensets(st.sampled_from(["north", "south"])),
)
def test_sql_says_what_may_says(
    hub: dict[str, str], marking: str, originator: str, named: frozenset[str], released: frozenset[str], who: str, groups: frozenset[str]
) -> None:
    if not hasattr(test_sql_says_what_may_says, "connection"):
        test_sql_says_what_may_says.connection = psycopg.connect(hub["owner"], autocommit=True)  # type: ignore[attr-defined]
    row = test_sql_says_what_may_says.connection.execute(  # type: ignore[attr-defined]
        "SELECT tocsin.sees(%s, %s, (SELECT reach FROM tocsin.marking WHERE name = %s), %s, %s, %s)",
        (who, list(groups), marking, originator, list(named), list(released)),
    ).fetchone()
    thing = Marked(marking, originator, named, False, released)
    assert row[0] is may(Clearance(who, frozenset({Role.ANALYSE}), groups), Action.READ, thing).allowed
