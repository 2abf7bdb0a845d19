"""A database that other migrations made is refused when the hub starts, and one that these made goes on, whatever is written of it in the list."""

from __future__ import annotations

import psycopg
import pytest
from hubs import database

from tocsin.errors import StoreError
from tocsin.store.embedded import Embedded
from tocsin.store.forms import hash_of
from tocsin.store.setup import migrate, migrations


@pytest.fixture
def hub(postgres: Embedded) -> dict[str, str]:
    return database(postgres)


def listed(hub: dict[str, str]) -> list[tuple[str, str | None]]:
    with psycopg.connect(hub["owner"]) as connection:
        return connection.execute("SELECT name, hash FROM tocsin.migration ORDER BY name").fetchall()


def done(hub: dict[str, str], *commands: str) -> None:
    with psycopg.connect(hub["migrate"]) as connection:
        connection.execute("SET search_path = tocsin")
        for command in commands:
            connection.execute(command.encode())


NOW = [(name, hash_of(text)) for name, text in migrations()]
ANOTHER = "UPDATE migration SET hash = 'another'"
FORGOTTEN = "ALTER TABLE migration DROP COLUMN hash"


def test_each_migration_is_kept_with_its_hash(hub: dict[str, str]) -> None:
    assert listed(hub) == NOW


@pytest.mark.parametrize("before", [ANOTHER, FORGOTTEN, "UPDATE migration SET hash = NULL"])
def test_a_database_that_these_migrations_made_goes_on_and_has_their_hash(hub: dict[str, str], before: str) -> None:
    done(hub, before)
    assert migrate(hub["migrate"]) == []
    assert listed(hub) == NOW


@pytest.mark.parametrize("before", [ANOTHER, FORGOTTEN])
@pytest.mark.parametrize(
    ("differing", "told"),
    [
        ("ALTER TABLE feed DROP COLUMN marked_at CASCADE", "feed"),
        ("CREATE OR REPLACE FUNCTION hold() RETURNS void LANGUAGE sql AS $$ SELECT $$", "function hold()"),
        ("DROP INDEX feed_order", "index feed_order"),
        ("ALTER TABLE feed DISABLE ROW LEVEL SECURITY", "security feed"),
        ("ALTER TABLE told ALTER COLUMN report_id SET NOT NULL", "told.report_id"),
        ("CREATE TABLE left_over (x int)", "left_over"),
    ],
)
def test_a_database_that_another_form_of_a_migration_made_is_refused_and_is_as_it_was(
    hub: dict[str, str], before: str, differing: str, told: str
) -> None:
    done(hub, differing, before)
    with pytest.raises(StoreError) as why:
        migrate(hub["migrate"])
    said = str(why.value)
    assert told in said
    assert NOW[0][0] in said
    assert "Start the hub with the tocsin that made it, or begin a new one" in said
    if before == ANOTHER:
        assert listed(hub) == [(name, "another") for name, _ in NOW]


def test_a_database_of_a_later_tocsin_is_refused(hub: dict[str, str]) -> None:
    done(hub, "INSERT INTO migration (name, hash) VALUES ('9999_later.sql', 'x')")
    with pytest.raises(StoreError, match=r"9999_later\.sql, which it has, is of a later tocsin"):
        migrate(hub["migrate"])
