"""Settings of all tests, and what many of them use and none changes."""

import signal
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from hubs import Ticking, World
    from running import Running

    from tocsin.brief import Brief
    from tocsin.store.embedded import Embedded

# Tests end processes as ctrl-C and a closed terminal do. Who runs them in the background of a shell, or by nohup, has those signals ignored in all that they start.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

# A kernel is compiled when it is first called: how long one example takes says nothing.
settings.register_profile("tocsin", deadline=None)
settings.load_profile("tocsin")

#: Files that take longest, the longest first: workers begin with them, so that none is left with one of them when the other is done.
LONGEST = (
    "tests/browser/test_rooms_in_chromium.py",
    "tests/properties/test_no_leak.py",
    "tests/server/test_compiling.py",
    "tests/browser/test_page_in_chromium.py",
    "tests/brief/test_replay.py",
    "tests/watch/test_look.py",
    "tests/leaks/test_planted.py",
    "tests/server/test_serve.py",
    "tests/server/test_faults.py",
    "tests/server/test_openapi.py",
    "tests/browser/test_signals_in_chromium.py",
    "tests/browser/test_explorer_in_chromium.py",
    "tests/browser/test_my_picture_in_chromium.py",
    "tests/brief/test_watching.py",
    "tests/cli/test_push.py",
    "tests/properties/test_no_look_ahead.py",
    "tests/browser/test_a_file_travels_in_chromium.py",
    "tests/server/test_errands.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the longest files first where workers share the tests out."""
    if hasattr(config, "workerinput"):
        place = {name: n for n, name in enumerate(LONGEST)}
        items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(LONGEST)))


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Embedded]":
    """One embedded PostgreSQL for all tests of a process; it starts where the first test asks for it."""
    from hubs import server

    with server() as running:
        yield running


@pytest.fixture(scope="module")
def clock() -> "Ticking":
    """The clock of the module's hub."""
    from hubs import Ticking

    return Ticking()


@pytest.fixture(scope="module")
def one(postgres: "Embedded", clock: "Ticking") -> "Iterator[World]":
    """A hub of the agencies A, B and C, one a module."""
    from hubs import World

    made = World(postgres, clock)
    yield made
    made.close()


@pytest.fixture
def world(one: "World", clock: "Ticking") -> "World":
    """The module's hub as on the first day, for each test; time has gone on."""
    one.forget()
    clock.tick()
    return one


@pytest.fixture(scope="module")
def hub() -> "Iterator[Running]":
    """A hub in processes of its own, as a user runs it, one a module."""
    from running import Running, new_folder

    with new_folder() as folder:
        yield Running(folder)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> "Brief":
    """The demo's brief, with its folder."""
    from tocsin import brief

    return brief(demo=True, out=tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def demo_a_week_later(tmp_path_factory: pytest.TempPathFactory) -> "Brief":
    """The demo's brief, with what changed since one of the week before; neither looks for signals, which takes longest."""
    from tocsin import brief

    folder = tmp_path_factory.mktemp("weeks")
    brief(demo=True, as_of=date(2015, 5, 7), out=folder / "last", watch=False)
    return brief(demo=True, since=folder / "last", out=folder / "now", watch=False)
