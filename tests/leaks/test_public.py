"""All the world sees what is marked CLEAR, and nothing that points beyond it."""

from __future__ import annotations

from typing import Any

from hubs import World


def post(own: str, marking: str, **more: Any) -> dict[str, Any]:
    return {"own_id": own, "event_start": "2026-01-01", "country": "PAK", "killed": 3, "marking": marking} | more


def test_the_public_feed_has_what_is_clear_and_no_trace_of_the_rest(world: World) -> None:
    clock: Any = world.hub.now
    ids = {}
    for marking in ("GREEN", "CLEAR", "AMBER", "RED", "AMBER+STRICT"):
        clock.tick()
        ids[marking] = world.submit("A", post(marking, marking, releasable_to=["B"] if marking != "CLEAR" else ["B", "group:north"]))[0][
            "report_id"
        ]
    clock.tick()
    points = {"supersedes": ids["GREEN"], "derived_from": [ids["GREEN"], ids["CLEAR"]], "part_of": "x"}
    late = world.submit("A", post("late", "CLEAR", **points))[0]["report_id"]
    page = world.ask(None, "GET", "/api/public/feed").json()
    assert [r["report_id"] for r in page["reports"]] == [ids["CLEAR"], late]
    assert all(r["releasable_to"] == [] and "own_id" not in r for r in page["reports"])
    assert page["reports"][1]["derived_from"] == [ids["CLEAR"]]
    assert not {"supersedes", "part_of"} & page["reports"][1].keys()
    assert world.ask(None, "GET", f"/api/public/feed?after={page['next']}").json() == {"reports": [], "next": page["next"]}
    world.ask("A", "POST", f"/api/reports/{ids['CLEAR']}/remark", {"marking": "GREEN"})
    assert [r["report_id"] for r in world.ask(None, "GET", "/api/public/feed").json()["reports"]] == [late]


def test_a_token_that_does_not_hold_sees_no_more_of_the_public_feed(world: World) -> None:
    one = world.ask(None, "GET", "/api/public/feed")
    assert world.ask("B", "GET", "/api/public/feed").content == one.content
