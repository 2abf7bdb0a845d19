"""Signals, pictures and pages of one agency beside much that another hides: two hubs answer the same bytes, and a planted leak is found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hubs import Ticking, World
from samples_hub import changed

from tocsin.hub.making.looks import look_next
from tocsin.hub.making.pictures import make_next
from tocsin.store import queries
from tocsin.store.embedded import Embedded
from tocsin.watch.shared import Shared

MIDNIGHT = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def hubs(postgres: Embedded) -> Iterator[tuple[World, World, Ticking]]:
    """Both have what B may see, of a mix of attacks that changed; the first has as much again that A hides, in the same towns."""
    clock = Ticking()
    worlds = [World(postgres, clock) for _ in range(2)]
    posts = changed(date(2026, 1, 1))
    for n, some in enumerate((posts[:200], posts[200:])):
        clock.tick()
        hidden = [p | {"own_id": f"hidden-{p['own_id']}", "marking": "RED", "releasable_to": [], "target_group": "shia"} for p in some[::2]]
        worlds[0].submit("A", *hidden)
        clock.tick()
        for world in worlds:
            world.submit("A", *some)
        ours = [r["report_id"] for r in worlds[1].ask("B", "GET", f"/api/feed?limit={200 * n + 5}").json()["reports"]][-3:]
        for world in worlds:
            assert world.ask("B", "POST", "/api/judgements", {"decides": "merge", "reports": ours, "why": "one"}).status_code == 201
    clock.at = MIDNIGHT + timedelta(hours=1)
    yield worlds[0], worlds[1], clock
    for world in worlds:
        world.close()


def same(hubs: tuple[World, World, Ticking]) -> dict[str, Any]:
    """What both answer B, after all was made that was asked for."""
    worlds, clock = hubs[:2], hubs[2]
    at = clock().isoformat().replace("+00:00", "Z")
    pages = [
        "/api/signals?limit=1000",
        f"/api/picture?limit=1000&as_of={at}",
        f"/picture/brief.html?as_of={at}",
        "/api/picture?as_of=2026-01-01T00:00:02Z",
    ]
    for world in worlds:
        shared = Shared()
        while look_next(world.fuse, 1, MIDNIGHT + timedelta(minutes=2), shared):
            pass
        for page in pages:
            world.ask("B", "GET", page)
        while make_next(world.fuse):
            pass
    found = {}
    for page in pages:
        one, two = (world.ask("B", "GET", page) for world in worlds)
        assert one.status_code == 200, one.text
        assert (one.headers, one.content) == (two.headers, two.content), page
        found[page.partition("?")[0]] = one
    return found


def test_signals_pictures_and_pages_are_the_same_whatever_is_hidden(hubs: tuple[World, World, Ticking]) -> None:
    found = same(hubs)
    assert found["/api/signals"].json()["signals"]
    assert found["/picture/brief.html"].headers["content-security-policy"]
    theirs = hubs[0].ask("A", "GET", "/api/signals?limit=1000").json()
    assert theirs["look"]["reports"] > 600  # and A sees more


@pytest.mark.parametrize("query", ["seen_then", "judged_then", "strictest"])
def test_a_leak_that_is_planted_into_what_was_seen_then_is_found(
    hubs: tuple[World, World, Ticking], monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    worlds, clock = hubs[:2], hubs[2]
    clock.at += timedelta(hours=1)
    hidden = [r for r in worlds[0].ask("A", "GET", "/api/feed?limit=1000").json()["reports"] if r["marking"] == "RED"]
    body = {"decides": "merge", "reports": [r["report_id"] for r in hidden[:2]], "why": "x"}
    assert worlds[0].ask("A", "POST", "/api/judgements", body).status_code == 201
    clock.at += timedelta(hours=1)
    text = queries()[query]
    planted = text.replace("audience = %(audience)s", "audience IN (%(audience)s, 'A')").replace(
        "audience IN (%(audience)s, '*')", "audience <> 'public'"
    )
    assert planted != text
    monkeypatch.setitem(queries(), query, planted)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="/api/picture"):
        same(hubs)
