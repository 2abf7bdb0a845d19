"""The time that a write has says nothing of other writes."""

from __future__ import annotations

from datetime import datetime, timedelta

import psycopg
from hubs import World

SECOND, MANY = timedelta(seconds=1), 400


def ticked(world: World, *given: datetime) -> list[datetime]:
    """The times of writes that come one after another, of such as the hub's process gave."""
    with psycopg.connect(world.roles["owner"]) as connection:
        connection.execute("SET search_path = tocsin")
        rows = [connection.execute("SELECT tick(%s)", (at,)).fetchone() for at in given]
    return [row[0] for row in rows if row]


def odd(times: list[datetime]) -> float:
    return sum(at.microsecond % 2 for at in times) / len(times)


def test_a_writes_time_does_not_tell_whether_another_was_in_its_way(world: World) -> None:
    begin = world.hub.now() + SECOND
    alone = ticked(world, *(begin + n * SECOND for n in range(MANY)))
    begin = alone[-1].replace(microsecond=0) + 2 * SECOND
    pairs = [(begin + (2 * n + 1) * SECOND, begin + 2 * n * SECOND) for n in range(MANY)]
    met = ticked(world, *(at for pair in pairs for at in pair))[1::2]
    assert 0.4 < odd(alone) < 0.6
    assert 0.4 < odd(met) < 0.6


def test_no_two_writes_share_a_time_and_each_is_later_than_those_before(world: World) -> None:
    begin = world.hub.now() + SECOND
    given = [begin + (n - 7 * (n % 3)) * timedelta(microseconds=2) for n in range(MANY)]
    times = ticked(world, *dict.fromkeys(given))
    assert times == sorted(set(times))
    assert len(times) == len(set(given))


def test_what_is_written_in_one_go_has_one_time_and_none_is_dated_at_a_moment_that_was_asked_for(world: World) -> None:
    at = world.hub.now() + SECOND
    first, again = ticked(world, at, at)
    assert first == again
    with psycopg.connect(world.roles["owner"]) as connection:
        connection.execute("SELECT tocsin.still(%s)", (at + SECOND,))
    assert ticked(world, at + SECOND)[0] > at + SECOND
