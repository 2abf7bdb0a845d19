"""Transactions: what is sent together with their commit, what a broken connection costs, and how pages are planned."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hubs import database

from tocsin.errors import StoreError
from tocsin.store import Jsonb, Store, queries
from tocsin.store.embedded import Embedded

LINE = {
    "at": datetime(2026, 1, 1, tzinfo=UTC),
    "who": "x",
    "what": "feed",
    "things": ["it's", "b\\c", 'd"e', "%s"],
    "allowed": True,
    "reason": "because",
}
VALUES: dict[str, Any] = {"audience": "A", "limit": 100, "at": LINE["at"], "id": UUID(int=0), "day": date(2026, 1, 1)}


@pytest.fixture(scope="module")
def roles(postgres: Embedded) -> dict[str, str]:
    return database(postgres)


@pytest.fixture
def store(roles: dict[str, str]) -> Iterator[Store]:
    made = Store(roles["web"], size=1)
    yield made
    made.close()
    with psycopg.connect(roles["owner"]) as owner:
        owner.execute("TRUNCATE tocsin.audit, tocsin.audited")


def logged(store: Store, audience: str) -> list[dict[str, Any]]:
    with store.transaction(audience) as tx:
        return tx.all("audit_page", audience=audience, after=0, limit=100)


def test_what_comes_last_stands_as_it_was_said_when_the_transaction_has_ended(store: Store) -> None:
    with store.transaction("A") as tx:
        tx.last("note_all", lines=Jsonb([LINE, LINE | {"allowed": False, "things": []}]))
        tx.last("note_all", lines=Jsonb([LINE | {"reason": "last"}]))
        assert not tx.all("audit_page", audience="A", after=0, limit=100)
    one, other, last = logged(store, "A")
    assert one == LINE | {"position": 1}
    assert other == LINE | {"position": 2, "allowed": False, "things": []}
    assert (last["position"], last["reason"]) == (3, "last")
    assert not logged(store, "B")


def noted(store: Store, last: dict[str, Any], then: Callable[[], None] = lambda: None) -> None:
    """A transaction with one line of the log, something that happens, and another line at its end."""
    with store.transaction("A") as tx:
        tx.note(**LINE)
        tx.last("note_all", lines=Jsonb([LINE]))
        then()
        tx.last("note_all", lines=Jsonb([last]))


def fail() -> None:
    raise ZeroDivisionError


def test_a_transaction_whose_last_fails_leaves_nothing_and_the_next_is_well(store: Store) -> None:
    with pytest.raises(psycopg.DataError):
        noted(store, LINE | {"allowed": "perhaps"})
    assert logged(store, "A") == []


def test_what_fails_in_a_transaction_leaves_nothing_of_what_was_to_come_last(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        noted(store, LINE, fail)
    assert logged(store, "A") == []


def test_nobody_sees_in_anothers_name_what_a_transaction_before_saw_in_its_own(store: Store) -> None:
    with store.transaction("A") as tx:
        tx.last("note_all", lines=Jsonb([LINE]))
    with store.transaction(None) as tx:
        assert tx.all("audit_page", audience="A", after=0, limit=100) == []
    assert store.one("audit_page", audience="A", after=0, limit=100) is None  # in nobody's name
    assert logged(store, "A")


def end_all(roles: dict[str, str]) -> None:
    with psycopg.connect(roles["owner"], autocommit=True) as owner:
        found = owner.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'tocsin_web' AND datname = current_database()"
        )
        assert found.fetchall() == [(True,)]


def test_a_connection_that_broke_while_nobody_used_it_costs_no_request(store: Store, roles: dict[str, str]) -> None:
    assert store.one("last_tick") is None
    end_all(roles)
    with store.transaction("A") as tx:
        tx.last("note_all", lines=Jsonb([LINE]))
    end_all(roles)
    assert store.one("last_tick") is None
    assert len(logged(store, "A")) == 1


def test_a_connection_that_breaks_in_a_transaction_is_told_and_what_was_done_is_not_done_again(store: Store, roles: dict[str, str]) -> None:
    with pytest.raises(StoreError, match="the database does not answer"):
        noted(store, LINE, lambda: end_all(roles))
    assert logged(store, "A") == []


@pytest.mark.parametrize("name", ["feed_page", "incident_page"])
def test_a_page_is_read_by_key_and_planned_once_a_connection_whatever_its_values(roles: dict[str, str], name: str) -> None:
    with psycopg.connect(
        roles["web"], options="-c search_path=tocsin -c tocsin.audience=A -c plan_cache_mode=force_custom_plan"
    ) as connection:
        connection.execute(queries()["by_key"])
        for limit in range(8):
            connection.execute(queries()[name], VALUES | {"limit": limit})
        ident, often, anew = connection.execute(
            "SELECT name, generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%%page%%'"
        ).fetchone() or ("", 0, 0)
        assert often > 0
        assert anew == 0
        order = dict.fromkeys(re.findall(r"%\((\w+)\)s", queries()[name]))
        given = psycopg.sql.SQL(", ").join(psycopg.sql.Literal(VALUES[key]) for key in order)
        plan = connection.execute(psycopg.sql.SQL("EXPLAIN EXECUTE {} ({})").format(psycopg.sql.Identifier(ident), given)).fetchall()
    text = "\n".join(row[0] for row in plan)
    assert "$1" in text  # it does without the values
    assert "Index" in text
    assert "Seq Scan" not in text, text
    assert not re.search(r"Sort  \(.*\n\s+Disabled: true\n\s+Sort Key: .*visible_at", text), text
