"""One hub a module and its clock, as on the first day for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hubs import Ticking, World

from tocsin.store.embedded import Embedded


@pytest.fixture(scope="module")
def hub(postgres: Embedded) -> Iterator[tuple[World, Ticking]]:
    clock = Ticking()
    made = World(postgres, clock)
    yield made, clock
    made.close()


@pytest.fixture
def world(hub: tuple[World, Ticking]) -> World:
    hub[0].forget()
    return hub[0]


@pytest.fixture
def clock(hub: tuple[World, Ticking]) -> Ticking:
    return hub[1]
