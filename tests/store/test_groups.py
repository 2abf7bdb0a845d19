"""A group's members change: however many reports name it, and each time once."""

from __future__ import annotations

from typing import Any

import psycopg
from hubs import World

SETTLED = 20  # reports at once, as `settle` in schema.sql takes them


def put(world: World, many: int, first: int = 0) -> None:
    facts = {"event_start": "2026-01-01", "killed": 1, "marking": "AMBER", "releasable_to": ["group:north"]}
    world.submit("A", *({"own_id": str(n)} | facts for n in range(first, first + many)))


def lines(world: World, query: str) -> list[Any]:
    with psycopg.connect(world.roles["owner"], options="-c search_path=tocsin") as connection:
        return connection.execute(query).fetchall()


def seen(world: World, who: str) -> int:
    return len(world.ask(who, "GET", "/api/feed?limit=1000").json()["reports"])


def times(world: World, who: str) -> list[str]:
    """When each report was given by TAXII."""
    manifest = world.taxii(who, "collections/picture/manifest/?match[type]=report").json()
    return [one["date_added"] for one in manifest.get("objects", [])]


def test_who_comes_into_a_group_of_many_reports_sees_all_and_none_when_out_of_it(world: World) -> None:
    many = 2 * SETTLED + 3
    put(world, many)
    world.ask("admin", "PUT", "/api/groups/north/B")
    assert seen(world, "B") == many
    assert len(set(times(world, "B"))) == len(times(world, "B")) == many
    assert lines(world, "SELECT count(*) FROM grouped WHERE audience = 'B'") == [(many,)]
    world.ask("admin", "DELETE", "/api/groups/north/B")
    assert seen(world, "B") == 0
    assert lines(world, "SELECT count(*) FROM grouped") == [(0,)]


def test_who_is_in_a_group_already_or_not_in_it_changes_nothing_by_being_put_there_or_out_of_it_again(world: World) -> None:
    put(world, 3)
    world.ask("admin", "PUT", "/api/groups/north/B")
    with psycopg.connect(world.roles["owner"]) as connection:
        connection.execute("DELETE FROM tocsin.stale")
    before = world.ask("B", "GET", "/api/feed").content
    assert world.ask("admin", "PUT", "/api/groups/north/B").status_code == 200
    assert world.ask("admin", "DELETE", "/api/groups/north/C").status_code == 200
    assert world.ask("B", "GET", "/api/feed").content == before
    assert lines(world, "SELECT count(*) FROM stale") == [(0,)]
    assert lines(world, "SELECT count(*) FROM act WHERE kind = 'member'") == [(3,)]


def test_a_change_of_members_takes_few_reports_at_once_for_each_is_held_to_all_that_are_taken_with_it(world: World) -> None:
    many = 10 * SETTLED
    put(world, many)
    with psycopg.connect(world.roles["owner"], options="-c search_path=tocsin -c track_functions=all") as connection:
        connection.execute("SELECT set_config('tocsin.audience', '', false)")
        connection.execute("SELECT set_member('x', %s, 'north', 'B', true)", (world.hub.now(),))
        calls = dict(connection.execute("SELECT funcname, calls FROM pg_stat_xact_user_functions").fetchall())
    assert all(many / SETTLED <= calls[name] <= many / SETTLED + 1 for name in ("settle_some", "regroup_some"))
