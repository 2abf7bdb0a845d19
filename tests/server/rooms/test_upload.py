"""Files that are sent in the browser: nothing of one is lost, and what became of it is nobody else's."""

from __future__ import annotations

import csv
import io
import re
import time
import uuid
from typing import Any

import psycopg
import pytest
import xlsxwriter
from httpx import Response
from hubs import World
from people import Person, person

from tocsin.hub.summed import ranges, summed
from tocsin.hub.uploads import HELD, LARGEST

ACLED = "event_id_cnty,event_date,event_type,sub_event_type,actor1,inter1,actor2,inter2,interaction,iso,country,admin1,admin2,location,latitude,longitude,geo_precision,year,time_precision,disorder_type,civilian_targeting,source,notes,fatalities,timestamp,assoc_actor_1,assoc_actor_2,region,admin3,source_scale,tags"
LINE = "{},05 March 2024,Battles,Armed clash,Military Forces of Pakistan (2022-2024),1,TTP: Tehreek-e-Taliban Pakistan,2,12,586,Pakistan,Balochistan,Zhob,Zhob,{},69.4,2,2024,2,x,,AFP,A clash.,{},1710000000,,,South Asia,,International,"
OWN = "ref,day,dead\nکراچی-1,05/03/2024,3\nکراچی-2,06/03/2024,many\n"
SAID = 'agency: A\nvalues:\n  own_id: ref\n  event_start: {column: day, formats: ["%d/%m/%Y"]}\n  killed: dead\nignored: {}\n'


def acled(*lines: tuple[str, str, str]) -> str:
    return "\n".join([ACLED, *(LINE.format(*line) for line in lines)]) + "\n"


def send(one: Person, text: str | bytes, name: str = "x.csv", **fields: Any) -> Response:
    form = re.search(r'name="form" value="(\w+)"', one.get("/upload").text)
    assert form is not None
    said = {"form": form[1], "marking": "GREEN"} | fields
    body = text.encode() if isinstance(text, str) else text
    return one.client.post("/upload", data=said, files={"file": (name, body)}, follow_redirects=False)


def told(one: Person, sent: Response) -> str:
    """The page of a file, when nothing of it is under way any more."""
    assert sent.status_code == 303, sent.text
    while "Refresh" in (page := one.get(sent.headers["Location"])).headers:
        time.sleep(0.05)
    return page.text


def of(world: World, agency: str) -> list[dict[str, Any]]:
    page = world.ask(agency, "GET", "/api/feed?limit=1000").json()["reports"]
    return [r for r in page if r["agency"] == agency]


@pytest.fixture
def desk(world: World) -> Person:
    world.forget()
    return person(world, "A", f"desk-{uuid.uuid4().hex[:8]}", "submit", "administer_agency")


def test_every_row_is_a_report_or_is_told_with_its_row_and_reason_and_the_same_file_again_is_harmless(world: World, desk: Person) -> None:
    text = acled(("P1", "31.3", "0"), ("P2", "none", "2"), ("P3", "31.4", "x")) + "a line that is cut off\n"
    page = told(desk, send(desk, text))
    sent = of(world, "A")
    assert len(sent) == 3
    assert "3 reports taken" in page
    rows = {row for found in re.findall(r"rows? ([\d, -]+)</p>", page) for row in re.split(r"\D+", found)}
    assert {"3", "4", "5"} <= rows
    assert {r["marking"] for r in sent} == {"GREEN"}
    again = told(desk, send(desk, text))
    assert "0 reports taken, 3 known already" in again
    assert len(of(world, "A")) == 3


def test_a_row_that_says_something_else_now_is_refused_and_told(world: World, desk: Person) -> None:
    told(desk, send(desk, acled(("P1", "31.3", "0"))))
    page = told(desk, send(desk, acled(("P1", "31.3", "7"), ("P2", "31.3", "7"))))
    assert "1 report taken, 1 refused" in page
    assert "another report of yours stands under this own_id and version" in page
    assert "row 2<" in page


def test_a_table_of_ones_own_is_described_in_the_browser_and_the_file_need_not_be_sent_again(world: World, desk: Person) -> None:
    sent = send(desk, OWN, "حملے.csv")
    page = told(desk, sent)
    assert "own_id: ref" in page
    assert "agency: &#34;A&#34;" in page
    assert of(world, "A") == []
    where = sent.headers["Location"]
    wrong = told(desk, desk.post(where, {"description": SAID.replace("dead", "wounded_badly")}))
    assert "names columns that the file does not have" in wrong
    assert "wounded_badly" in wrong  # what was typed is kept
    assert "/tmp" not in wrong
    assert desk.post(where, {"description": " "}).status_code == 400
    done = told(desk, desk.post(where, {"description": SAID}))
    assert "2 reports taken" in done
    assert "not a whole number" in done
    assert [r.get("killed") for r in of(world, "A")] == [3, None]
    at_once = told(desk, send(desk, OWN, "حملے.csv", description=SAID))
    assert "0 reports taken, 2 known already" in at_once


def test_a_workbook_is_taken_too(world: World, desk: Person) -> None:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for n, row in enumerate(csv.reader(io.StringIO(OWN))):
            sheet.write_row(n, 0, row)
    assert "2 reports taken" in told(desk, send(desk, made.getvalue(), "x.xlsx", description=SAID))


@pytest.mark.parametrize(
    ("text", "reason"), [("<html></html>", "HTML or XML"), ("\n\n", "blank lines only"), (b"PK\x03\x04junk", "damaged")]
)
def test_what_is_no_table_is_said_to_be_none(desk: Person, text: str | bytes, reason: str) -> None:
    page = told(desk, send(desk, text, "x.csv"))
    assert reason in page
    assert "x.csv" in page
    assert "/tmp" not in page


def test_what_cannot_be_begun_with_is_said_on_the_form(desk: Person) -> None:
    for sent, status, reason in (
        (send(desk, ""), 400, "choose one that is not empty"),
        (send(desk, OWN, marking=""), 400, "arking: missing"),
        (send(desk, OWN, marking="AMBRE"), 400, "AMBRE"),
        (send(desk, b"x" * (LARGEST + 1)), 400, "larger than 10 MB"),
        (send(desk, b"x" * (5 * LARGEST)), 413, "Too large"),
    ):
        assert sent.status_code == status, sent.status_code
        assert reason in sent.text
    assert send(desk, OWN, form="0" * 64).status_code == 403
    assert desk.client.post("/upload", data={"form": "x"}).status_code == 415


def test_the_same_file_twice_at_once_is_one_and_no_agency_takes_all_the_room(world: World, desk: Person) -> None:
    first, again, other = send(desk, OWN), send(desk, OWN), send(desk, OWN, "y.csv")
    assert first.headers["Location"] == again.headers["Location"] != other.headers["Location"]
    full = send(desk, OWN, "z.csv")
    assert full.status_code == 429
    assert "2 files of your agency are under way" in full.text
    elsewhere = person(world, "B", "desk-b", "submit")
    assert "1 report taken" in told(elsewhere, send(elsewhere, acled(("P1", "31.3", "0"))))
    for sent in (first, other):
        told(desk, sent)
        told(desk, desk.post(sent.headers["Location"], {"description": SAID}))


def test_what_became_of_a_file_is_nothing_to_another_agency(world: World, desk: Person) -> None:
    where = send(desk, acled(("P1", "none", "0")), "quince.csv").headers["Location"]
    other = person(world, "C", "desk-c", "submit")
    never = f"/upload/{uuid.uuid4()}"
    for _ in range(2):
        hidden, nothing = other.get(where), other.get(never)
        assert hidden.status_code == nothing.status_code == 404
        assert hidden.text.replace(where, "") == nothing.text.replace(never, "")
        assert "quince" not in other.get("/upload").text
        assert other.post(where, {"description": SAID}, at="/upload").status_code == 404
        while "Refresh" in desk.get(where).headers:
            time.sleep(0.05)


def test_a_purge_takes_what_is_said_of_the_agencys_files_and_an_agency_that_leaves_leaves_none(world: World, desk: Person) -> None:
    where = send(desk, acled(("P1", "none", "0")))
    assert "none" in told(desk, where)
    ident = of(world, "A")[0]["report_id"]
    assert world.ask("A", "POST", f"/api/reports/{ident}/purge", {"why": "x"}).status_code == 200
    assert desk.get(where.headers["Location"]).status_code == 404
    told(desk, send(desk, acled(("P2", "none", "0"))))
    assert world.ask("admin", "POST", "/api/agencies/A/leave", {"reports": "keep"}).status_code == 200
    with psycopg.connect(world.roles["owner"]) as owner:
        assert owner.execute("SELECT count(*) FROM tocsin.upload").fetchone() == (0,)
    world.forget()


def test_who_is_closed_meanwhile_sends_nothing_more(world: World, desk: Person) -> None:
    where = send(desk, acled(("P1", "31.3", "0"))).headers["Location"]
    assert world.ask("A", "DELETE", f"/api/accounts/{desk.name}").status_code == 200
    other = person(world, "A", f"other-{desk.name}", "submit")
    while "Refresh" in (page := other.get(where)).headers:
        time.sleep(0.05)
    assert "may send no longer" in page.text
    assert of(world, "A") == []


def test_a_file_that_was_under_way_when_the_hub_stopped_is_said_to_have_stopped(world: World, desk: Person) -> None:
    ident = uuid.uuid4()
    with world.store.transaction("A") as tx:
        tx.do("begin_upload", at=world.hub.now(), upload_id=ident, who="desk (person)", name="x.csv")
    page = desk.get(f"/upload/{ident}")
    assert "was not finished: the hub stopped" in page.text
    assert "Refresh" not in page.headers
    assert "not finished" in desk.get("/upload").text


def test_a_file_that_nobody_describes_is_let_go(world: World, desk: Person) -> None:
    world.hub.uploads.held = 0.2
    where = send(desk, OWN, "forgotten.csv")
    try:
        told(desk, where)
        while "was not finished" not in (page := desk.get(where.headers["Location"]).text):
            time.sleep(0.05)
    finally:
        world.hub.uploads.held = HELD
    assert desk.post(where.headers["Location"], {"description": SAID}, at="/upload").status_code == 404
    assert "not finished" in page
    assert of(world, "A") == []


def test_row_numbers_and_reasons_are_summed_and_none_is_left_out() -> None:
    assert ranges([5, 3, 4, 9, 9]) == ["3-5", "9"]
    lines = [{"row": n, "field": "f", "value": str(n % 3), "reason": f"reason {n % 250}"} for n in range(1000)]
    groups = summed(lines)
    assert sum(one["many"] for one in groups) == 1000
    assert groups[-1]["reason"] == "other reasons"


def test_the_page_of_a_file_says_whom_its_reports_do_not_reach(desk: Person) -> None:
    page = told(desk, send(desk, acled(("P1", "31.3", "0")), releasable_to="polise"))
    assert page.count("is called polise") == 1
    assert "is called" not in told(desk, send(desk, acled(("P2", "31.3", "0"))))
