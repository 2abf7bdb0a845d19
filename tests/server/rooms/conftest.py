"""One hub a module, whose people sign in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from hubs import Ticking, World
from people import Wall

from tocsin.store.embedded import Embedded


@pytest.fixture(scope="module")
def clock() -> Ticking:
    return Ticking()


@pytest.fixture(scope="module")
def world(postgres: Embedded, clock: Ticking) -> Iterator[World]:
    made = World(postgres, clock)
    made.hub.signing_in.wall = Wall()
    made.hub.signing_in.hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    yield made
    made.close()
