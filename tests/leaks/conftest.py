"""One hub a module, as on the first day for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hubs import Ticking, World

from tocsin.store.embedded import Embedded


@pytest.fixture(scope="module")
def clock() -> Ticking:
    return Ticking()


@pytest.fixture(scope="module")
def one(postgres: Embedded, clock: Ticking) -> Iterator[World]:
    made = World(postgres, clock)
    yield made
    made.close()


@pytest.fixture
def world(one: World, clock: Ticking) -> World:
    one.forget()
    clock.tick()
    return one
