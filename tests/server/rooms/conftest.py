"""One hub a module, whose people sign in."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from hubs import World
from people import Wall


@pytest.fixture(scope="module")
def world(one: World) -> World:
    one.hub.signing_in.wall = Wall()
    one.hub.signing_in.hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    return one
