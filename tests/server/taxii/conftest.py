"""One hub a module, as on the first day for each test; its clock is the machine's, for TAXII tells what came when by the microsecond."""

from __future__ import annotations

import pytest
from hubs import World

from tocsin.hub.clock import Clock
from tocsin.hub.clock import clock as hub_clock


@pytest.fixture(scope="module")
def clock() -> Clock:
    return hub_clock()


@pytest.fixture
def world(one: World) -> World:
    one.forget()
    return one
