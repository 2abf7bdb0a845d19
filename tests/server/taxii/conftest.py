"""One hub a module, as on the first day for each test; its clock is the machine's, for TAXII tells what came when by the microsecond."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hubs import World

from tocsin.hub import clock
from tocsin.store.embedded import Embedded


@pytest.fixture(scope="module")
def one(postgres: Embedded) -> Iterator[World]:
    made = World(postgres, clock())
    yield made
    made.close()


@pytest.fixture
def world(one: World) -> World:
    one.forget()
    return one
