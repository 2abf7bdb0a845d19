"""What is purged is gone, for all and for good; and an agency leaves without its reports falling to whoever is next."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hubs import World
from psycopg import sql
from samples_hub import planted_signal

from tocsin.hub.pictures import Pictures, refresh

SECRET = "quince-7731"


def post(marking: str = "GREEN", **more: Any) -> dict[str, Any]:
    facts = {"event_start": "2026-01-01", "country": "PAK", "killed": 3, "lat": 24.86, "lon": 67.0, "radius_km": 1.0}
    return {"own_id": str(uuid4()), "marking": marking, "text": SECRET} | facts | more


def put(world: World, marking: str = "GREEN", who: str = "A", **more: Any) -> str:
    found: str = world.submit(who, post(marking, **more))[0]["report_id"]
    return found


def purge(world: World, who: str, report_id: str) -> Any:
    return world.ask(who, "POST", f"/api/reports/{report_id}/purge", {"why": "a court ordered it"})


def sees(world: World, who: str, report_id: str) -> bool:
    return world.ask(who, "GET", f"/api/reports/{report_id}").status_code == 200


def everywhere(world: World, word: str) -> list[str]:
    """The tables in which a word stands."""
    found = []
    with psycopg.connect(world.roles["owner"]) as connection:
        for (table,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'tocsin'").fetchall():
            query = sql.SQL("SELECT count(*) FROM tocsin.{} AS t WHERE t::text LIKE %s").format(sql.Identifier(table))
            row = connection.execute(query, (f"%{word}%",)).fetchone()
            found += [table] if row and row[0] else []
    return sorted(found)


def test_a_purged_report_is_gone_from_every_table_and_from_all_that_was_made_of_it(world: World) -> None:
    mine = post("GREEN")
    gone = world.submit("A", mine)[0]["report_id"]
    other = put(world, "GREEN", "B", text="another account")
    child = put(world, "GREEN", text="a child", derived_from=[gone], supersedes=gone)
    world.ask(
        "B", "POST", "/api/judgements", {"decides": "value", "reports": [gone, other], "field": "killed", "value": "77", "why": SECRET}
    )
    refresh(world.fuse)
    assert {"report", "judgement"} <= set(everywhere(world, SECRET))
    assert {"feed", "handling", "incident", "incident_of", "judgement"} <= set(everywhere(world, gone))
    assert purge(world, "A", gone).status_code == 200
    assert everywhere(world, SECRET) == []  # at once, before anything is made anew
    refresh(world.fuse)
    assert everywhere(world, SECRET) == []
    assert everywhere(world, gone) == [
        "act",
        "audit",
        "feed",
        "purged",
        "report",
    ]  # who did what to an id, and the child's own words, which nobody is shown
    for who in ("A", "B", "C"):
        assert not sees(world, who, gone)
        for page in ("/api/feed", "/api/incidents", "/api/judgements", f"/api/reports/{child}", f"/api/incidents/{other}"):
            answer = world.ask(who, "GET", page)
            assert answer.status_code == 200
            assert gone not in answer.text


def test_what_was_judged_with_a_purged_report_is_gone_from_the_incidents_of_others(world: World) -> None:
    gone, other = put(world), put(world, "GREEN", "B", text="another account", event_start="2026-01-09", lat=30.0)
    value = {"decides": "value", "reports": [gone, other], "field": "actor", "value": SECRET, "why": "x"}
    judged = world.ask("B", "POST", "/api/judgements", value).json()["judgement_id"]
    refresh(world.fuse)
    assert SECRET in world.ask("C", "GET", f"/api/incidents/{other}").text
    purge(world, "A", gone)
    assert (everywhere(world, SECRET), everywhere(world, judged)) == ([], ["act"])
    refresh(world.fuse)
    assert world.ask("C", "GET", f"/api/incidents/{other}").json()["report_ids"] == [other]
    assert everywhere(world, SECRET) == []


def test_what_stood_in_an_incident_with_a_purged_report_is_fused_anew_also_by_a_process_that_begins(world: World) -> None:
    """refresh() begins from the database alone; Pictures goes on with what it has in memory."""
    for live in (False, True):
        pictures = Pictures(world.fuse)
        pictures.refresh()
        gone, other = put(world, "GREEN"), put(world, "AMBER", "B", releasable_to=["A"], text="another account")
        pictures.refresh()
        assert gone in world.ask("A", "GET", f"/api/incidents/{other}").text
        purge(world, "A", gone)
        (pictures if live else Pictures(world.fuse)).refresh()
        for who in ("A", "B"):
            incident = world.ask(who, "GET", f"/api/incidents/{other}").json()
            assert (incident["incident_id"], incident["report_ids"]) == (other, [other])
        assert everywhere(world, gone) == ["act", "audit", "purged"]
        world.forget()


@pytest.mark.parametrize("points", ["corrects", "is a source of", "is a corrected source of"])
def test_what_a_purged_report_stood_for_stands_for_itself_again_also_for_a_process_that_begins(world: World, points: str) -> None:
    """Also where nothing else is in any incident."""
    for live in (False, True):
        pictures = Pictures(world.fuse)
        if points == "corrects":
            other = put(world)
            gone = [put(world, supersedes=other, text="corrected")]
        else:
            gone = [put(world, "AMBER", releasable_to=["B"])]
            other = put(world, text="taken out", derived_from=gone)
            gone += [put(world, supersedes=gone[0], country="IRQ")] if "corrected" in points else []
        pictures.refresh()
        for one in gone:
            purge(world, "A", one)
            (pictures if live else Pictures(world.fuse)).refresh()
        assert [i["report_ids"] for i in world.ask("B", "GET", "/api/incidents").json()["incidents"]] == [[other]]
        world.forget()


def test_what_a_look_says_of_an_actor_goes_with_a_purged_report_that_names_it(world: World) -> None:
    gone = put(world, actor="others")
    value = {"decides": "value", "reports": [gone], "field": "actor", "value": SECRET, "why": "x"}
    assert world.ask("A", "POST", "/api/judgements", value).status_code == 201
    refresh(world.fuse)
    incident = world.ask("B", "GET", f"/api/incidents/{gone}").json()
    stream = {"kind": "shift", "violence": "one_sided", "dimension": "area", "measure": "count", "verdict": "no change", "before": 20}
    tests = [stream, stream | {"actor": SECRET}, stream | {"actor": "nobody else"}, stream | {"actor": "others"}]
    planted_signal(world, "B", datetime(2026, 1, 1, tzinfo=UTC), [incident], tuple(tests))
    assert purge(world, "A", gone).status_code == 200
    assert everywhere(world, SECRET) == []
    assert world.ask("B", "GET", "/api/signals").json()["look"]["of"] == [tests[0], tests[2]]


@pytest.mark.parametrize("points", ["supersedes", "derived_from"])
def test_nobody_learns_by_what_is_still_to_be_fused_that_a_hidden_report_is_purged(world: World, points: str) -> None:
    """It pointed at one that others see, or one that they see points at it: for them nothing changes."""
    shared = put(world)
    hidden = [put(world, "RED", **{points: [shared] if points == "derived_from" else shared}), put(world, "AMBER", releasable_to=["C"])]
    put(world, derived_from=hidden)
    refresh(world.fuse)
    for one in hidden:
        purge(world, "A", one)
        assert world.ask("B", "GET", "/api/incidents").json()["current"] is True
        assert world.ask("A", "GET", "/api/incidents").json()["current"] is False
        refresh(world.fuse)


def test_a_purged_report_answers_like_one_that_never_was_also_to_its_originator(world: World) -> None:
    gone, never = put(world), str(uuid.uuid4())
    purge(world, "A", gone)
    for who in ("A", "B"):
        for method, path, body in (
            ("GET", "/api/reports/{}", None),
            ("GET", "/api/incidents/{}", None),
            ("POST", "/api/reports/{}/purge", {"why": "x"}),
        ):
            one, other = (world.ask(who, method, path.format(i), body) for i in (gone, never))
            assert (one.status_code, one.content, one.headers) == (other.status_code, other.content, other.headers)
            assert one.status_code == 404


def test_what_stays_is_for_the_originators_log_alone(world: World) -> None:
    gone = put(world)
    purge(world, "A", gone)
    (line,) = world.ask("A", "GET", "/api/purged").json()["purged"]
    assert (line["report_id"], line["who"], line["why"]) == (gone, "A", "a court ordered it")
    assert world.ask("B", "GET", "/api/purged").json()["purged"] == []
    with psycopg.connect(world.roles["web"]) as connection:
        connection.execute("SELECT set_config('tocsin.audience', 'B', true)")
        assert connection.execute("SELECT count(*) FROM tocsin.purged").fetchone() == (0,)


def test_resending_what_was_purged_is_refused_and_tells_nobody_else(world: World) -> None:
    mine = post()
    gone = world.submit("A", mine)[0]["report_id"]
    purge(world, "A", gone)
    again = world.submit("A", mine, post())
    assert [r["status"] for r in again] == ["refused", "stored"]
    assert again[0]["reasons"][0].startswith("purged")
    assert world.submit("B", mine)[0]["status"] == "stored"  # B's own, under another id
    assert not sees(world, "A", gone)


def test_only_the_originators_administrator_purges(world: World) -> None:
    shared, hidden, never = put(world), put(world, "RED"), str(uuid.uuid4())
    assert purge(world, "B", shared).status_code == 403
    found, ghost = purge(world, "B", hidden), purge(world, "B", never)
    assert (found.status_code, found.content, found.headers) == (ghost.status_code, ghost.content, ghost.headers)
    made = world.ask("A", "POST", "/api/tokens", {"label": str(uuid4()), "roles": ["submit", "analyse", "oversee"]})
    world.tokens["desk"] = made.json()["token"]
    assert purge(world, "desk", shared).status_code == 403
    assert sees(world, "B", shared)
    with psycopg.connect(world.roles["web"], options="-c tocsin.audience=B", autocommit=True) as connection:
        with pytest.raises(psycopg.errors.RaiseException, match="own name only"):
            connection.execute("SELECT tocsin.purge('B', now(), %s, 'x')", (shared,))
        for name in ("erase", "unhandle"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(sql.SQL("SELECT tocsin.{}(ARRAY[%s]::uuid[])").format(sql.Identifier(name)), (shared,))


def test_what_takes_reports_away_runs_as_the_one_role_that_may(world: World) -> None:
    with psycopg.connect(world.roles["owner"]) as connection:
        owners = connection.execute(
            "SELECT proname, pg_get_userbyid(proowner) FROM pg_proc WHERE proname IN ('erase', 'unhandle')"
        ).fetchall()
        may = connection.execute(
            "SELECT has_table_privilege('tocsin_purge', 'tocsin.act', 'DELETE'), has_table_privilege('tocsin_purge', 'tocsin.audit', 'DELETE')"
        )
        assert may.fetchone() == (False, False)
        assert connection.execute("SELECT has_schema_privilege('tocsin_purge', 'tocsin', 'CREATE')").fetchone() == (False,)
    assert sorted(owners) == [("erase", "tocsin_purge"), ("unhandle", "tocsin_purge")]


def leave(world: World, name: str, **fate: str) -> Any:
    return world.ask("admin", "POST", f"/api/agencies/{name}/leave", fate)


def test_who_has_left_is_out_at_once_and_its_name_stays_taken(world: World) -> None:
    world.ask("admin", "PUT", "/api/groups/north/A")
    world.ask("admin", "PUT", "/api/groups/north/B")
    shared = put(world)
    assert leave(world, "A", reports="keep").status_code == 200
    assert world.ask("A", "GET", "/api/feed").status_code == 401
    assert world.ask("B", "GET", "/api/agencies").json() == {"agencies": ["B", "C"], "groups": {"north": ["B"]}}
    assert sees(world, "B", shared)
    assert world.ask("admin", "POST", "/api/agencies", {"name": "A"}).status_code == 400
    assert world.ask("admin", "PUT", "/api/groups/north/A").status_code == 400
    assert world.ask("admin", "POST", "/api/tokens", {"label": "new", "agency": "A", "roles": ["submit"]}).status_code == 400
    assert leave(world, "A", reports="keep").status_code == 400
    assert world.ask("B", "POST", f"/api/reports/{shared}/release", {"to": "A", "why": "x"}).status_code == 400
    said = world.ask("admin", "GET", "/api/audit?limit=1000").json()["lines"]
    assert "agency leave A, reports keep" in {line["what"] for line in said}


def test_kept_reports_stay_as_they_were_marked_and_nobody_decides_on_them(world: World) -> None:
    controlled = put(world, "AMBER", releasable_to=["B"], orcon=True)
    asked = world.ask("B", "POST", f"/api/reports/{controlled}/requests", {"to": "C", "why": "x"})
    assert asked.status_code == 201
    leave(world, "A", reports="keep")
    assert sees(world, "B", controlled)
    assert not sees(world, "C", controlled)
    decision = world.ask("B", "GET", "/api/requests").json()["requests"][0]["decision"]
    assert (decision["grant"], decision["why"]) == (False, "its originator has left the hub")
    again = world.ask("B", "POST", f"/api/reports/{controlled}/requests", {"to": "C", "why": "y"})
    assert (again.status_code, "has left" in again.text) == (403, True)


def test_the_reports_of_who_left_can_be_purged(world: World) -> None:
    reports = [put(world), put(world, "RED")]
    refresh(world.fuse)
    assert leave(world, "A", reports="purge").status_code == 200
    assert everywhere(world, SECRET) == []
    assert not any(sees(world, who, i) for who in ("B", "C") for i in reports)


def test_the_heir_of_reports_is_their_originator_and_learns_nothing_of_what_was_asked_before(world: World) -> None:
    red, controlled = put(world, "RED"), put(world, "AMBER", releasable_to=["C"], orcon=True)
    world.ask("C", "POST", f"/api/reports/{controlled}/requests", {"to": "B", "why": "the old request"})
    assert leave(world, "A", reports="hand-to", to="B").status_code == 200
    assert sees(world, "B", red)
    assert not sees(world, "C", red)
    for page in ("/api/requests", "/api/releases", "/api/audit"):
        assert "the old request" not in world.ask("B", "GET", page).text
    shown = world.ask("B", "GET", f"/api/reports/{red}").json()
    assert (shown["agency"], "own_id" in shown) == ("A", True)  # who said it does not change
    assert world.ask("B", "POST", f"/api/reports/{red}/release", {"to": "C", "why": "x"}).status_code == 200
    assert world.ask("C", "POST", f"/api/reports/{controlled}/requests", {"to": "B", "why": "y"}).status_code == 201
    (line,) = [r for r in world.ask("B", "GET", "/api/requests").json()["requests"] if r["why"] == "y"]
    assert world.ask("B", "POST", f"/api/requests/{line['request_id']}/decision", {"grant": True, "why": "x"}).status_code == 200
    assert world.ask("B", "POST", f"/api/reports/{red}/remark", {"marking": "RED"}).status_code == 200
    assert not sees(world, "C", red)
    assert purge(world, "B", red).status_code == 200


@pytest.mark.parametrize(
    "fate",
    [
        {"reports": "burn"},
        {"reports": "hand-to"},
        {"reports": "hand-to", "to": "A"},
        {"reports": "hand-to", "to": "Z"},
        {"reports": "keep", "to": "B"},
        {},
    ],
)
def test_an_agency_leaves_with_a_fate_for_its_reports_that_makes_sense(world: World, fate: dict[str, str]) -> None:
    shared = put(world)
    assert leave(world, "A", **fate).status_code == 400
    assert sees(world, "A", shared)


def test_only_the_staff_has_an_agency_leave(world: World) -> None:
    for who in ("A", "B"):
        assert world.ask(who, "POST", "/api/agencies/A/leave", {"reports": "keep"}).status_code == 403
    with (
        psycopg.connect(world.roles["web"], options="-c tocsin.audience=B") as connection,
        pytest.raises(psycopg.errors.RaiseException, match="own staff"),
    ):
        connection.execute("SELECT tocsin.leave('B', now(), 'A', 'keep', NULL)")
