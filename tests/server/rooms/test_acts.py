"""What is decided on reports in the browser: nothing before it was asked twice, and then what was said."""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from hubs import Ticking, World
from people import Person, person

from tocsin.hub.pictures import refresh

BASE = {"event_start": "2026-01-05", "country": "PAK", "place": "Karachi", "killed": 3}


class Desks:
    """A desk of each of three agencies, and what they do by hand."""

    def __init__(self, world: World) -> None:
        self.world = world
        roles = ("submit", "analyse", "administer_agency")
        self.people = {agency: person(world, agency, f"desk {uuid.uuid4().hex[:6]}", *roles) for agency in "ABC"}
        world.forget()

    def sends(self, agency: str, marking: str = "RED", **more: Any) -> str:
        body = BASE | {"own_id": uuid.uuid4().hex, "marking": marking} | more
        ident: str = self.world.submit(agency, body)[0]["report_id"]
        return ident

    def sees(self, agency: str, ident: str) -> bool:
        return self.world.ask(agency, "GET", f"/api/reports/{ident}").status_code == 200

    def asks(self, agency: str, path: str, **fields: Any) -> str:
        """Fills in a form, and gives what the page that asks once more says."""
        answer = self.people[agency].post(path, fields, at=path.partition("?")[0] if "judge" not in path else path)
        assert answer.status_code == 200, answer.text
        assert 'name="sure"' in answer.text
        return words(answer.text)

    def does(self, agency: str, path: str, **fields: Any) -> str:
        """Fills in a form, and says yes."""
        self.asks(agency, path, **fields)
        answer = self.people[agency].post(path, fields | {"sure": "yes"})
        assert answer.status_code == 303, words(answer.text)
        return str(answer.headers["Location"])

    def log(self, agency: str, what: str) -> list[tuple[bool, str]]:
        lines = self.world.ask(agency, "GET", "/api/audit?limit=1000").json()["lines"]
        return [(line["allowed"], line["reason"]) for line in lines if line["what"] == what]


def words(page: str) -> str:
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.partition("<main")[2]))
    return unescape(shown).replace("\u2068", "").replace("\u2069", "")  # which keep words of either direction apart


@pytest.fixture
def desks(world: World) -> Desks:
    return Desks(world)


def test_a_report_is_opened_to_an_agency_when_asked_twice_and_the_page_said_what_it_would_do(desks: Desks) -> None:
    ident = desks.sends("A", "AMBER")
    said = desks.asks("A", f"/reports/{ident}/release", to="C", why="a boat was seen")
    assert "Open it to C?" in said
    assert "C sees this report from then on" in said
    assert "C may pass it on" in said
    assert "a boat was seen" in said
    assert not desks.sees("C", ident)
    assert desks.does("A", f"/reports/{ident}/release", to="C", why="a boat was seen") == f"/reports/{ident}"
    assert desks.sees("C", ident)
    assert not desks.sees("B", ident)
    assert "We opened the report to C : a boat was seen" in words(desks.people["A"].get("/requests").text)
    assert "a boat was seen" not in desks.people["C"].get("/requests").text


def test_a_form_that_lacks_its_reason_or_names_no_agency_is_shown_again_and_does_nothing(desks: Desks) -> None:
    ident = desks.sends("A", "AMBER")
    for fields, reason in (
        ({"to": "C", "why": " "}, "why: a text of 1 to 1000 characters"),
        ({"to": "Z", "why": "x"}, "no agency of this hub"),
        ({"why": "x"}, "no agency of this hub"),
    ):
        answer = desks.people["A"].post(f"/reports/{ident}/release", fields | {"sure": "yes"})
        assert answer.status_code == 400
        assert reason in answer.text.replace("Why:", "why:")
        assert f">\n{fields['why']}</textarea>" in answer.text
    assert not desks.sees("C", ident)
    assert desks.people["A"].post(f"/reports/{ident}/remark", {"marking": "AMBRE", "why": "x"}).status_code == 400
    assert desks.people["A"].post(f"/reports/{ident}/remark", {"marking": "CLEAR", "why": ""}).status_code == 400


def test_a_new_marking_says_who_comes_to_see_it_and_who_no_longer_and_why_is_in_the_log(desks: Desks) -> None:
    ident = desks.sends("A", "AMBER", releasable_to=["B"])
    path = f"/reports/{ident}/remark"
    said = desks.asks("A", path, marking="RED", releasable_to=["C"], why="sources at risk")
    assert "See it from then on A C Come to see it C See it no longer B" in said
    assert desks.sees("B", ident)
    desks.does("A", path, marking="RED", releasable_to=["C"], why="sources at risk")
    assert [desks.sees(agency, ident) for agency in "ABC"] == [True, False, True]
    assert desks.log("A", "remark RED") == [(True, "its originator; sources at risk")]
    assert desks.people["C"].get(path).status_code == 403
    assert desks.people["B"].get(path).status_code == desks.people["B"].get(f"/reports/{uuid.uuid4()}/remark").status_code == 404


def test_a_group_that_ones_agency_is_not_in_stays_named_when_a_report_is_marked_anew(desks: Desks) -> None:
    desks.world.ask("admin", "PUT", "/api/groups/north/B")
    ident = desks.sends("A", "AMBER", releasable_to=["group:north"])
    form = desks.people["A"].get(f"/reports/{ident}/remark").text
    assert re.search(r'value="group:north" checked', form)
    said = desks.asks("A", f"/reports/{ident}/remark", marking="AMBER", releasable_to=["group:north", "C"], why="x")
    assert "Come to see it C" in said
    assert "the group north" in said


def test_a_correction_carries_over_what_the_form_has_no_field_for_and_is_one_report_however_often_it_is_sent(desks: Desks) -> None:
    ident = desks.sends("A", "AMBER", releasable_to=["B"], side_a="X", radius_km=2.0, lat=24.0, lon=67.0, killed_low=2, killed_high=4)
    desks.does("A", f"/reports/{ident}/release", to="C", why="x")
    path = f"/reports/{ident}/correct"
    page = desks.people["A"].get(path).text
    form_id = re.search(r'name="form_id" value="([\w-]+)"', page)
    assert form_id is not None
    fields = {"form_id": form_id[1], "event_start": "2026-01-05", "country": "PAK", "place": "کراچی", "killed": "۵", "lat": "24.0", "lon": "67.0",
              "violence": "unknown", "marking": "AMBER", "releasable_to": ["B"], "why": "two died in hospital"}  # fmt: skip
    said = desks.asks("A", path, **fields)
    assert "Place: کراچی, was Karachi" in said
    assert "See the correction A B See the earlier report alone C" in said
    first = desks.does("A", path, **fields)
    again = desks.people["A"].post(path, fields | {"sure": "yes"}).headers["Location"]
    assert first == again != f"/reports/{ident}"
    made = desks.world.ask("A", "GET", f"/api{first}").json()
    old = desks.world.ask("A", "GET", f"/api/reports/{ident}").json()
    assert (made["supersedes"], made["own_id"], made["killed"], made["place"]) == (ident, old["own_id"], 5, "کراچی")
    assert (made["side_a"], made["radius_km"], made["origin"]) == ("X", 2.0, old["origin"])
    assert "killed_low" not in made
    assert [desks.sees(agency, made["report_id"]) for agency in "ABC"] == [True, True, False]
    assert "event_end" in made
    assert desks.log("A", "correct") == [(True, "the agency that sent it; two died in hospital")]
    wrong = desks.people["A"].post(path, fields | {"killed": "viele", "sure": "yes"})
    assert wrong.status_code == 400
    assert "a number is wanted" in wrong.text
    assert desks.people["B"].get(path).status_code == 403


def test_an_originator_is_asked_and_decides_in_the_browser_and_each_is_told_what_is_theirs(desks: Desks) -> None:
    ident = desks.sends("A", "AMBER", releasable_to=["B"], orcon=True)
    assert "may not be passed on by you: originator control" in words(desks.people["B"].get(f"/reports/{ident}").text)
    assert desks.people["B"].get(f"/reports/{ident}/release").status_code == 403
    said = desks.asks("B", f"/reports/{ident}/request", to="C", why="their patrol was near")
    assert "C is told nothing" in said
    assert "Decide" not in words(desks.people["A"].get("/requests").text)
    assert desks.does("B", f"/reports/{ident}/request", to="C", why="their patrol was near") == "/requests"
    assert "Not decided yet" in words(desks.people["B"].get("/requests").text)
    link = re.search(r'href="(/requests/[0-9a-f-]{36})"', desks.people["A"].get("/requests").text)
    assert link is not None
    assert "their patrol was near" in words(desks.people["A"].get(link[1]).text)
    for other in "BC":  # who asked decides nothing, and to others it is not there
        assert desks.people[other].get(link[1]).status_code == 404
    assert desks.people["A"].post(link[1], {"why": "x", "sure": "yes"}).status_code == 400
    assert "Open it to C?" in desks.asks("A", link[1], grant="yes", why="agreed")
    assert "Refuse it?" in desks.asks("A", link[1], grant="no", why="agreed")
    assert not desks.sees("C", ident)
    desks.does("A", link[1], grant="yes", why="agreed")
    assert desks.sees("C", ident)
    assert "granted" in words(desks.people["B"].get("/requests").text)
    assert desks.people["A"].get(link[1]).status_code == 400  # once
    assert "their patrol" not in desks.people["C"].get("/requests").text


def test_a_purge_is_asked_twice_and_then_done(desks: Desks) -> None:
    ident = desks.sends("A", "GREEN")
    assert desks.people["B"].get(f"/reports/{ident}/purge").status_code == 403
    assert "gone for good" in desks.asks("A", f"/reports/{ident}/purge", why="sent by mistake")
    assert desks.sees("A", ident)
    assert desks.does("A", f"/reports/{ident}/purge", why="sent by mistake") == "/reports"
    assert not desks.sees("A", ident)


def test_an_incident_is_opened_with_all_its_reports_or_not_at_all(desks: Desks) -> None:
    mine, theirs = desks.sends("A", "AMBER", releasable_to=["B"]), desks.sends("B", "RED", releasable_to=["A"])
    desks.does("A", "/judge", decides="merge", listed=[mine, theirs], reports=[mine, theirs], why="one blast")
    refresh(desks.world.fuse)
    path = f"/incidents/{mine}/release"
    assert "each of the 2 reports in it" in desks.asks("A", path, to="C", why="x")
    assert desks.people["A"].post(path, {"to": "C", "why": "x", "sure": "yes"}).status_code == 403
    assert not desks.sees("C", mine)
    desks.does("B", f"/reports/{theirs}/remark", marking="AMBER", releasable_to=["A"], why="x")
    for _ in range(2):  # a double click
        desks.does("A", path, to="C", why="x")
    assert desks.sees("C", mine)
    assert desks.sees("C", theirs)
    assert sorted(r["report_id"] for r in desks.world.ask("A", "GET", "/api/releases").json()["releases"]) == sorted([mine, theirs])


def test_the_page_of_an_incident_shows_its_reports_and_each_that_is_shown_is_in_the_log(desks: Desks) -> None:
    seen, theirs = desks.sends("A", "AMBER", releasable_to=["B"]), desks.sends("A", "GREEN", place="Malir")
    desks.does("A", "/judge", decides="merge", listed=[seen, theirs], reports=[seen, theirs], why="one blast")
    refresh(desks.world.fuse)
    for agency, shown in (("B", {seen, theirs}), ("C", {theirs})):
        page = desks.people[agency].get(f"/incidents/{theirs}").text
        assert set(re.findall(r'href="/reports/([\w-]+)"', page)) == shown
        lines = [line for line in desks.world.ask(agency, "GET", "/api/audit?limit=1000").json()["lines"] if line["what"] == "report"]
        assert {ident for line in lines for ident in line["things"]} == shown


def test_reports_are_judged_from_an_incident_and_by_pasted_addresses_and_a_judgement_of_ones_own_is_undone(desks: Desks) -> None:
    one, far = desks.sends("A", "GREEN"), desks.sends("B", "GREEN", place="Quetta", event_start="2026-02-05")
    refresh(desks.world.fuse)
    page = desks.people["A"].get(f"/judge?incident={one}").text
    assert {one} <= set(re.findall(r'name="listed" value="([\w-]+)"', page))
    further = f"see http://hub.example/reports/{far} please"
    said = desks.asks("A", "/judge", decides="merge", listed=[one], reports=[one], further=further, why="the same case")
    assert "They are one incident?" in said
    assert "Quetta" in said
    assert desks.does("A", "/judge", decides="merge", listed=[one], reports=[one], further=further, why="the same case") == "/judgements"
    refresh(desks.world.fuse)
    assert far in desks.world.ask("C", "GET", f"/api/incidents/{one}").json()["report_ids"]
    desks.does("A", "/judge", decides="split", listed=[one, far], reports=[far], why="a month later")
    desks.does("A", "/judge", decides="value", listed=[one], reports=[one], field="killed", value="7", why="hospital list")
    listed = words(desks.people["B"].get("/judgements").text)
    assert "They are one incident the same case A , 20" in listed
    assert "desk" not in listed  # of another agency's person nothing is told
    undo = re.findall(r'href="/judge\?undo=([\w-]+)"', desks.people["A"].get("/judgements").text)
    assert len(undo) == 3
    assert "undo=" not in desks.people["B"].get("/judgements").text
    for ident in undo:
        desks.does("A", "/judge", decides="undo", judgement=ident, why="mistaken")
    refresh(desks.world.fuse)
    assert far not in desks.world.ask("C", "GET", f"/api/incidents/{one}").json()["report_ids"]
    assert "undone" in desks.people["B"].get("/judgements").text


def test_what_is_no_judgement_is_said_and_a_hidden_report_is_named_like_one_that_never_was(desks: Desks) -> None:
    mine, hidden, never = desks.sends("A"), desks.sends("B"), str(uuid.uuid4())
    for fields, reason in (
        ({"reports": [mine]}, "say what you judge"),
        ({"decides": "merge", "reports": [mine]}, "from 2 to 100 ids"),
        ({"decides": "split", "listed": [mine], "reports": [mine]}, "leave those unticked"),
        ({"decides": "value", "reports": [mine], "field": "killed", "value": "many"}, "is no value of killed"),
        ({"decides": "confirm", "reports": [mine], "why": ""}, "a text of 1 to 1000"),
    ):
        answer = desks.people["A"].post("/judge", {"why": "x", "sure": "yes"} | fields)
        assert answer.status_code == 400, fields
        assert reason in unescape(answer.text).replace("Say", "say").replace("Leave", "leave"), fields
    pages = [desks.people["A"].post("/judge", {"decides": "merge", "reports": [mine, i], "why": "x"}) for i in (hidden, never)]
    assert {page.status_code for page in pages} == {400}
    assert pages[0].text.replace(hidden, never) == pages[1].text
    done = [
        desks.people["A"].post("/judge", {"decides": "merge", "reports": [mine, i], "why": "x", "sure": "yes"}) for i in (hidden, never)
    ]
    assert {page.status_code for page in done} == {404}
    assert desks.world.ask("A", "GET", "/api/judgements").json()["judgements"] == []


def test_a_release_or_a_request_sent_twice_at_once_is_one_and_later_it_is_another(desks: Desks, clock: Ticking) -> None:
    ident, held = desks.sends("A", "AMBER"), desks.sends("A", "AMBER", releasable_to=["B"], orcon=True)
    for agency, path, name in (("A", f"/reports/{ident}/release", "releases"), ("B", f"/reports/{held}/request", "requests")):
        fields = {"to": "C", "why": "x", "sure": "yes"}
        form = re.search(r'name="form" value="(\w+)"', desks.people[agency].get("/requests").text)
        assert form is not None
        with ThreadPoolExecutor(4) as pool:
            sent = [
                pool.submit(desks.people[agency].client.post, path, data=fields | {"form": form[1]}, follow_redirects=False)
                for _ in range(4)
            ]
            assert {one.result().status_code for one in sent} == {303}
        assert len(desks.world.ask(agency, "GET", f"/api/{name}").json()[name]) == 1
        clock.at += timedelta(minutes=1)
        desks.does(agency, path, to="C", why="x")
        assert len(desks.world.ask(agency, "GET", f"/api/{name}").json()[name]) == 2


def test_an_act_sent_twice_by_a_double_click_is_one_judgement(desks: Desks) -> None:
    mine, other = desks.sends("A", "GREEN"), desks.sends("B", "GREEN")
    fields = {"decides": "merge", "listed": [mine, other], "reports": [mine, other], "why": "x"}
    page = desks.people["A"].post("/judge", fields).text
    signed = re.search(r'name="signed" value="([^"]+)"', page)
    assert signed is not None
    for _ in range(2):
        assert desks.people["A"].post("/judge", fields | {"signed": signed[1], "sure": "yes"}).status_code == 303
    assert len(desks.world.ask("A", "GET", "/api/judgements").json()["judgements"]) == 1


def test_who_may_only_read_the_log_is_shown_requests_without_a_way_to_decide(desks: Desks, world: World) -> None:
    ident = desks.sends("A", "AMBER", releasable_to=["B"], orcon=True)
    desks.does("B", f"/reports/{ident}/request", to="C", why="x")
    overseer: Person = person(world, "A", f"overseer {uuid.uuid4().hex[:6]}", "oversee")
    shown = overseer.get("/requests")
    assert shown.status_code == 200
    assert "To be decided" in shown.text
    assert 'href="/requests/' not in shown.text


def test_an_incident_of_one_report_is_said_to_have_one(desks: Desks) -> None:
    ident = desks.sends("A", "AMBER")
    refresh(desks.world.fuse, desks.world.hub.now)
    said = desks.asks("A", f"/incidents/{ident}/release", to="C", why="x")
    assert "C sees from then on the one report in it" in said


def test_a_name_that_is_nobodys_is_shown_before_a_report_is_marked_anew_and_stands_on_its_page(desks: Desks) -> None:
    ident = desks.sends("A")
    said = desks.asks("A", f"/reports/{ident}/remark", marking="AMBER", releasable_to=["B", "polise"], why="they were there")
    assert "is called polise: so named, nobody whom you know of sees it" in said
    assert not desks.sees("B", ident)
    desks.does("A", f"/reports/{ident}/remark", marking="AMBER", releasable_to=["B", "polise"], why="they were there")
    assert "is called polise" in words(desks.people["A"].get(f"/reports/{ident}").text)
    assert "polise" not in words(desks.people["B"].get(f"/reports/{ident}").text)
    form = desks.people["A"].get(f"/reports/{ident}/remark").text
    assert "polise no agency of this hub" in words(form)
    assert re.search(r'value="polise" checked', form)
    said = desks.asks("A", f"/reports/{ident}/remark", marking="AMBER", releasable_to=["B"], why="a slip")
    assert "is called" not in said


def test_a_correction_and_a_typed_report_say_whom_they_do_not_reach(desks: Desks) -> None:
    ident = desks.sends("A")
    fields = {
        "event_start": "2026-01-05",
        "violence": "unknown",
        "marking": "RED",
        "releasable_to": ["group:x"],
        "why": "a slip",
        "form_id": "f" * 43,
    }
    assert "RED reaches the agencies that it names, and no group" in desks.asks("A", f"/reports/{ident}/correct", **fields)
    typed = desks.people["A"].post("/report", {**fields, "form_id": "g" * 43})
    assert typed.status_code == 303
    assert "is called group:x" in words(desks.people["A"].get(typed.headers["Location"]).text)
