"""Settings of all tests."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tocsin.store.embedded import Embedded

# A kernel is compiled when it is first called: how long one example takes says nothing.
settings.register_profile("tocsin", deadline=None)
settings.load_profile("tocsin")


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Embedded]":
    """One embedded PostgreSQL for all tests of a process; it starts where the first test asks for it."""
    from hubs import server

    with server() as running:
        yield running
