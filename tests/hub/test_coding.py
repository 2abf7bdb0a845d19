"""A report's words say what its agency left out, and which words say so; what the agency says stands."""

from __future__ import annotations

import gzip
import json
import os
import signal
import time
from base64 import b64decode
from typing import Any

import psycopg
import pytest
from hubs import World

from tocsin.hub import coding
from tocsin.hub.coding import CODED, Coding
from tocsin.hub.making.pictures import make_next
from tocsin.hub.pictures import refresh

TEXT = "Suicide bombing at a Shia mosque in Quetta kills 12, wounds 30"
POST = {"marking": "GREEN", "text": TEXT, "event_start": "2026-01-01", "country": "PAK"}


def shown(world: World, post: dict[str, Any], who: str = "B") -> dict[str, Any]:
    ident = world.submit("A", post)[0]["report_id"]
    found: dict[str, Any] = world.ask(who, "GET", f"/api/reports/{ident}").json()
    return found


def test_a_report_of_words_alone_is_coded_and_says_which_words_gave_what(world: World) -> None:
    found = shown(world, POST)
    said = {k: found[k] for k in CODED if k in found}
    assert said == {
        "killed": 12, "target_type": "civilians/religious", "target_group": "shia", "attack_type": "explosion/suicide", "weapon_type": "explosives",
        "wounded": 30, "place": "Quetta",
    }  # fmt: skip
    spans = {s["field"]: s for s in found["coded_spans"]}
    assert spans.keys() == said.keys()
    assert all(TEXT[s["start"] : s["end"]] == s["words"] for s in spans.values())
    assert spans["target_group"]["words"] == "Shia mosque"


def test_what_the_agency_says_stands_and_its_toll_is_all_its_own(world: World) -> None:
    found = shown(world, POST | {"target_group": "sunni", "killed_low": 10, "place": "Hazara Town"})
    assert (found["target_group"], found["killed_low"], found["place"]) == ("sunni", 10, "Hazara Town")
    assert "killed" not in found
    assert {s["field"] for s in found["coded_spans"]} == {"target_type", "attack_type", "weapon_type", "wounded"}


def test_words_that_say_nothing_leave_the_report_as_it_was_sent(world: World) -> None:
    assert not {*CODED, "coded_spans"} & shown(world, POST | {"text": "Nothing is known yet."}).keys()
    assert not {*CODED, "coded_spans"} & shown(world, {k: v for k, v in POST.items() if k != "text"}).keys()


def test_a_report_keeps_its_id_and_is_known_again_whatever_the_coder_makes_of_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later lexicon codes otherwise: resending is harmless still, and the report stays as it is."""
    post = POST | {"own_id": "7"}
    first = world.submit("A", post, POST)
    monkeypatch.setattr(
        coding, "coding", lambda texts: [{"killed": 99, "coded_spans": [{"field": "killed", "value": "99"}]} for _ in texts]
    )
    again = world.submit("A", post, POST)
    assert [r["status"] for r in again] == ["known", "known"]
    assert [r["report_id"] for r in again] == [r["report_id"] for r in first]
    assert world.ask("B", "GET", f"/api/reports/{first[0]['report_id']}").json()["killed"] == 12
    assert world.submit("A", post | {"text": "otherwise"})[0]["status"] == "refused"
    assert world.submit("A", post | {"killed": 12})[0]["status"] == "refused"  # now the agency says so itself


def test_incidents_are_made_of_what_the_words_say_too(world: World) -> None:
    ident = world.submit("A", POST)[0]["report_id"]
    refresh(world.fuse)
    found = world.ask("B", "GET", f"/api/incidents/{ident}").json()
    assert (found["target_group"], found["killed"], found["attack_type"]) == ("shia", 12, "explosion/suicide")


def test_the_page_of_a_picture_says_which_words_gave_what(world: World) -> None:
    ident = world.submit("A", POST, POST | {"own_id": "plain", "text": "Nothing is known yet."})[0]["report_id"]
    see = world.ask("B", "GET", "/picture/brief.html").headers["Location"]
    while make_next(world.fuse):
        pass
    page = world.ask("B", "GET", see).text
    body = json.loads(gzip.decompress(b64decode(page.partition('id="tocsin-body">')[2].partition("</script>")[0])))
    columns = body["reports"]["columns"]
    spans = dict(zip(columns["id"]["values"], columns["spans"]["values"], strict=True))
    found = world.ask("B", "GET", f"/api/reports/{ident}").json()
    assert spans.pop(ident) == found["coded_spans"]
    assert list(spans.values()) == [[]]


def test_a_purge_takes_what_the_words_said(world: World) -> None:
    ident = world.submit("A", POST)[0]["report_id"]
    assert world.ask("A", "POST", f"/api/reports/{ident}/purge", {"why": "x"}).status_code == 200
    with psycopg.connect(world.roles["owner"]) as connection:
        assert connection.execute("SELECT count(*) FROM tocsin.report WHERE body::text LIKE '%Shia mosque%'").fetchone() == (0,)


def test_a_coder_that_ended_is_started_again() -> None:
    own = Coding()
    try:
        assert own([TEXT])[0]["killed"] == 12
        first = own._process
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        while first.poll() is None:
            time.sleep(0.01)
        assert own([TEXT, "", "x"])[0]["killed"] == 12
    finally:
        own.close()


def test_a_coder_that_cannot_run_costs_no_report(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding.sys, "executable", "/bin/false")
    own = Coding()
    monkeypatch.setattr(coding, "coding", own)
    found = shown(world, POST)
    assert found["text"] == TEXT
    assert "killed" not in found
    own.close()
