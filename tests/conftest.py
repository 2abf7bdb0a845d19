"""Settings of all tests, and what many of them use and none changes."""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tocsin.brief import Brief
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


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> "Brief":
    """The demo's brief, with its folder."""
    from tocsin import brief

    return brief(demo=True, out=tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def demo_a_week_later(tmp_path_factory: pytest.TempPathFactory) -> "Brief":
    """The demo's brief, with what changed since one of the week before."""
    from tocsin import brief

    folder = tmp_path_factory.mktemp("weeks")
    brief(demo=True, as_of=date(2015, 5, 7), out=folder / "last")
    return brief(demo=True, since=folder / "last", out=folder / "now")
