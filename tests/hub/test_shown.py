"""A page of reports, which is written without a dictionary for each, says what each would say by itself."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hubs import World
from msgspec.json import decode, encode

from tocsin.gate import Clearance
from tocsin.hub.pictures import Pictures
from tocsin.hub.shown import all_shown, shown

WHO = [Clearance("A"), Clearance("B", groups=frozenset({"g"})), Clearance("C"), Clearance(None)]
BODY = {
    "own_id": "a 1", "version": "2", "kind": "event", "violence": "unknown", "origin": "A 1", "event_start": "2026-01-01", "lat": 1.0, "lon": -1e-07,
    "killed": 0, "text": 'sécurité "x" \\ \n\t\u007f\u2028 😀', "coded_spans": [{"field": "killed", "start": 1, "end": 2}], "marking": "GREEN",
    "releasable_to": ["B"], "url": "http://192.0.2.1/?a=b&c=</script>",
}  # fmt: skip


def row(**more: Any) -> dict[str, Any]:
    return {
        "report_id": str(uuid.UUID(int=7)), "visible_at": datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC), "agency": "A", "originator": "A", "body": BODY,
        "marking": "AMBER", "releasable_to": ["group:g", "B", "C"], "orcon": False, "released_to": [], "supersedes": None, "derived_from": [], "part_of": None,
    } | more  # fmt: skip


@pytest.mark.parametrize("who", WHO)
def test_a_page_says_of_each_report_byte_for_byte_what_it_says_by_itself(who: Clearance) -> None:
    rows = [
        row(),
        row(originator="B", agency="A", orcon=True, releasable_to=[]),
        row(supersedes=str(uuid.UUID(int=1)), derived_from=[str(uuid.UUID(int=2))], part_of="x"),
        row(body={"kind": "event"}, marking="CLEAR"),
    ]
    several = all_shown([one | {"body": encode(one["body"]).decode()} for one in rows], who)
    assert encode(several) == encode([shown(one, who) for one in rows])


def test_pages_of_the_api_say_what_each_report_and_incident_says_at_its_own_address(world: World) -> None:
    for n in range(3):
        world.submit(
            "A",
            {
                "own_id": str(n),
                "event_start": "2026-01-01",
                "country": "PAK",
                "lat": 33.5,
                "lon": 70.25,
                "killed": n,
                "marking": "GREEN",
                "text": "«é» \\",
            },
        )
    world.submit("B", {"own_id": "b", "event_start": "2026-01-01", "marking": "RED", "releasable_to": ["A"], "orcon": True})
    Pictures(world.fuse).refresh()
    for who in ("A", "B", "C"):
        for page, many in (("feed", "reports"), ("incidents", "incidents")):
            found = decode(world.ask(who, "GET", f"/api/{page}").content)[many]
            assert len(found) > 2
            for one in found:
                ident = one["report_id" if many == "reports" else "incident_id"]
                assert world.ask(who, "GET", f"/api/{many}/{ident}").content == encode(one)
