"""Whatever is stored, marked anew, released and regrouped: each agency's incidents are those that fuse() makes of its feed, however often the process began anew."""

from __future__ import annotations

import random
import uuid
from typing import Any

import psycopg
import pytest
from hubs import World
from msgspec.json import decode, encode
from oracles import many_audiences
from psycopg.rows import dict_row

from tocsin.hub.clock import Clock
from tocsin.hub.pictures import Pictures
from tocsin.hub.pictures.frames import frame_of
from tocsin.hub.pictures.given import give
from tocsin.store import Store, queries
from tocsin.terms.ids import report_id

AGENCIES = ("A", "B", "C")
#: Some reports as an audience sees them.
SEEN = """
SELECT f.visible_at, r.report_id, r.agency, r.body::text AS body,
    (SELECT s.report_id FROM feed s JOIN report o USING (report_id)
     WHERE s.audience IN (%(audience)s, '*') AND s.report_id = r.supersedes AND o.agency = r.agency LIMIT 1) AS supersedes,
    ARRAY(SELECT DISTINCT d.report_id FROM feed d WHERE d.audience IN (%(audience)s, '*') AND d.report_id = ANY (r.derived_from) ORDER BY 1) AS derived_from,
    CASE WHEN EXISTS (SELECT FROM feed p WHERE p.audience IN (%(audience)s, '*') AND p.part_of = f.part_of AND p.report_id <> f.report_id)
        THEN f.part_of END AS part_of
FROM report r JOIN LATERAL (
    SELECT * FROM feed e WHERE e.audience IN (%(audience)s, '*') AND e.report_id = r.report_id ORDER BY e.audience = '*' LIMIT 1
) f USING (report_id)
WHERE r.report_id = ANY (%(ids)s::uuid[])
"""


def all_of(world: World, agency: str, limit: int) -> list[dict[str, Any]]:
    """Its incidents, page by page."""
    found: list[dict[str, Any]] = []
    after = ""
    while page := world.ask(agency, "GET", f"/api/incidents?limit={limit}&after={after}").json():
        assert page["current"] is True
        found += page["incidents"]
        if page["next"] == after:
            return found
        after = page["next"]
    return found


def seen(world: World, audience: str, ids: list[str]) -> list[dict[str, Any]]:
    with psycopg.connect(world.roles["owner"], row_factory=dict_row, options="-c search_path=tocsin") as connection:
        return connection.execute(SEEN, {"audience": audience, "ids": ids}).fetchall()


def wanted(world: World, agency: str) -> list[dict[str, Any]]:
    """The slow way: all that it sees, fused at once; crowds are counted among what every agency sees."""
    ids = [r["report_id"] for r in world.ask(agency, "GET", "/api/feed?limit=1000").json()["reports"]]
    with world.fuse.transaction(None) as tx:
        shared = [str(row["report_id"]) for row in tx.all("lines", ids=ids) if row["audience"] == "*"]
    judgements, theirs = world.judgements(ids), world.judgements(shared)
    rows, everybody = seen(world, agency, ids), frame_of(seen(world, "*", shared))
    assert len(rows) == len(ids)
    _, taking = many_audiences.every(everybody, theirs)
    incidents = many_audiences.own(frame_of(rows), judgements, taking).drop("as_of", "model")
    found: list[dict[str, Any]] = decode(
        encode([{k: v for k, v in row.items() if v is not None} for row in incidents.iter_rows(named=True)])
    )
    return found


def handling(chance: random.Random) -> dict[str, Any]:
    marking = chance.choice(["CLEAR", "GREEN", "GREEN", "AMBER", "AMBER", "RED", "AMBER+STRICT"])
    return {"marking": marking, "releasable_to": sorted(chance.sample([*AGENCIES, "group:north"], chance.randint(0, 2)))}


def post(chance: random.Random, ids: list[str], own: int) -> dict[str, Any]:
    facts = {
        "own_id": str(own), "event_start": f"2026-01-0{chance.randint(1, 3)}", "country": "PAK", "killed": chance.choice([1, 1, 2, 5]),
        "lat": chance.choice([24.9, 24.91, 28.0]), "lon": 67.0, "radius_km": 1.0, "attack_type": chance.choice(["explosion/suicide", "explosion"]),
    }  # fmt: skip
    if ids and chance.random() < 0.3:
        facts[chance.choice(["supersedes"])] = chance.choice(ids)
    if ids and chance.random() < 0.2:
        facts["derived_from"] = [chance.choice(ids)]
    return facts | handling(chance)


def step(world: World, chance: random.Random, ids: list[str], own: int) -> None:
    now: Any = world.hub.now
    now.tick()
    agency = chance.choice(AGENCIES)
    kind = chance.choice(["submit", "submit", "submit", "remark", "release", "member", "judge"])
    if kind == "submit" or not ids:
        many = [post(chance, ids, own + k) for k in range(chance.randint(1, 4))]
        for one, answer in zip(many, world.submit(agency, *many), strict=True):
            assert answer["status"] != "stored" or answer["report_id"] == report_id(agency, one["own_id"])
            ids += [answer["report_id"]] if answer["status"] == "stored" else []
    elif kind == "member":
        world.ask("admin", chance.choice(["PUT", "DELETE"]), f"/api/groups/north/{agency}")
    elif kind == "judge":
        few = chance.sample(ids, min(2, len(ids)))
        body = (
            {"decides": "merge", "reports": few}
            if chance.random() < 0.5
            else {"decides": "split", "reports": few[:1], "apart_from": few[1:]}
        )
        world.ask(agency, "POST", "/api/judgements", body | {"why": "looked at"})
    else:
        body = handling(chance) if kind == "remark" else {"to": chance.choice(AGENCIES), "why": "asked"}
        world.ask(agency, "POST", f"/api/reports/{chance.choice(ids)}/{kind}", body)


@pytest.mark.parametrize(("seed", "piece"), [(0, 1000), (1, 1000), (2, 2), (7, 1000), (8, 1), (9, 3)])
def test_each_agency_has_the_incidents_that_fuse_makes_of_its_feed(
    world: World, seed: int, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tocsin.hub.pictures.PIECE", piece)
    chance, ids = random.Random(seed), list[str]()
    pictures = Pictures(world.fuse)
    for n in range(8):
        for k in range(chance.randint(1, 3)):
            step(world, chance, ids, 100 * n + 10 * k)
        if chance.random() < 0.3:
            pictures = Pictures(world.fuse)  # the process was killed, and begins anew
        if chance.random() < 0.3:
            pictures.step()
            pictures = Pictures(world.fuse)  # killed between two pieces of a backlog
        pictures.refresh()
        for m, agency in enumerate(AGENCIES):
            many = chance.choice([1, 2, 1000])
            if n < 7 and (m + n) % 2:  # every second round, and in the end: to fuse anew what each sees takes longest
                continue
            mine = all_of(world, agency, many)
            assert sorted(mine, key=lambda i: i["incident_id"]) == sorted(wanted(world, agency), key=lambda i: i["incident_id"])
            for one in mine:
                for i in one["report_ids"]:
                    assert world.ask(agency, "GET", f"/api/incidents/{i}").json() == one


@pytest.mark.parametrize("size", [1, 1 << 27])
def test_a_process_that_begins_anew_knows_who_sees_what_since_when_as_one_that_lived_on(
    world: World, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a report that nobody sees any more, and that is still in incidents; however few are read at once."""
    monkeypatch.setattr("tocsin.hub.pictures.LOADED", size)
    monkeypatch.setattr("tocsin.hub.pictures.PIECE", 1)
    chance, ids = random.Random(3), list[str]()
    for n in range(12):
        step(world, chance, ids, 10 * n)
    lived = Pictures(world.fuse)
    lived.refresh()
    last, before = ids[0], sees(lived._views)
    with psycopg.connect(world.roles["owner"], options="-c search_path=tocsin") as connection:
        for (audience,) in connection.execute("DELETE FROM feed WHERE report_id = %s RETURNING audience", (last,)).fetchall():
            connection.execute("INSERT INTO stale (audience, report_id) VALUES (%s, %s)", (audience, last))
    assert loaded(world) == before
    for n in range(12, 18):
        step(world, chance, ids, 10 * n)
    while lived.step():
        pass
    assert loaded(world) == sees(lived._views)
    assert last in before.keys() - sees(lived._views).keys()


def loaded(world: World) -> dict[str, tuple[int, int]]:
    """`sees` of a process that begins now, as of before what is stale."""
    anew = Pictures(world.fuse)
    anew._anew = True
    with world.fuse.transaction(None, snapshot=True) as tx:
        return sees(anew._loaded(tx))


def sees(views: Any) -> dict[str, tuple[int, int]]:
    """Of each report that the process holds and somebody sees, the bits of who does, and of those that do since a time of their own."""
    several = zip(views._ids.to_list()[: views.many], views._sees.tolist(), views._own.tolist(), strict=False)
    return {ident: (seen, own) for ident, seen, own in several if seen}


def test_a_backlog_is_taken_in_by_the_days_of_its_events(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tocsin.hub.pictures.PIECE", 2)
    days = ["2026-01-03", "2026-01-01", "2026-01-02", "2026-01-01"]
    where = {"country": "PAK", "lat": 24.9, "lon": 67.0, "radius_km": 1.0, "killed": 1, "marking": "GREEN"}
    world.submit("A", *({"own_id": str(n), "event_start": day} | where for n, day in enumerate(days)))
    pictures = Pictures(world.fuse)
    assert (pictures.step(), pictures.waiting) == (2, 2)
    with psycopg.connect(world.roles["owner"]) as connection:
        found = connection.execute(
            "SELECT DISTINCT body ->> 'event_start' FROM tocsin.report JOIN tocsin.incident_of USING (report_id)"
        ).fetchall()
    assert found == [("2026-01-01",)]
    pictures.refresh()
    assert pictures.waiting == 0
    assert sum(len(one["report_ids"]) for one in all_of(world, "A", 1000)) == len(days)


def test_a_backlog_that_was_taken_in_does_not_slow_down_what_follows(world: World) -> None:
    """Tables keep the room that a backlog took, for a line stands at their end: nothing may read all of it each time."""
    with psycopg.connect(world.roles["owner"], options="-c search_path=tocsin", autocommit=True) as connection:
        ids = "SELECT audience, gen_random_uuid() FROM generate_series(1, 20000), (VALUES ('*'), ('A')) v (audience)"
        connection.execute(f"INSERT INTO stale (audience, report_id) {ids}")
        connection.execute("INSERT INTO touched (kind, thing) SELECT 'incident', gen_random_uuid() FROM generate_series(1, 40000)")
        for table in ("stale", "touched"):
            connection.execute(f"DELETE FROM {table} WHERE number < (SELECT max(number) FROM {table})")
            connection.execute(f"VACUUM ANALYZE {table}")
            size = connection.execute("SELECT pg_relation_size(%s::regclass) / 8192", (table,)).fetchone()
            assert size is not None
            assert size[0] > 200
        given: dict[str, dict[str, object]] = {
            "stale": {"many": 500_001},
            "no_longer_stale": {"ids": [str(uuid.uuid4())], "first": 10**9, "last": 10**9},
            "publish": {"at": "2026-01-01", "many": 2000},
        }
        for name, values in given.items():
            for _ in range(2):  # what the first reads of the catalogue, and gives, is no longer to be done by the second
                plan = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT json) {queries()[name]}", values).fetchone()
            assert plan is not None
            read = plan[0][0]["Plan"]
            assert read["Shared Hit Blocks"] + read["Shared Read Blocks"] < 150, name


def test_a_line_of_a_feed_says_of_a_report_what_its_tables_say_whatever_was_done_to_it(world: World) -> None:
    chance, ids = random.Random(3), list[str]()
    for n in range(40):
        step(world, chance, ids, 10 * n)
    columns = "agency, body, supersedes, derived_from, originator, marking, releasable_to, orcon, released_to"
    with psycopg.connect(world.roles["owner"]) as connection:
        connection.execute("SET search_path = tocsin")
        several = connection.execute(f"SELECT report_id, {columns} FROM feed").fetchall()
        wanted = connection.execute(f"SELECT report_id, {columns} FROM report JOIN handling USING (report_id)").fetchall()
    told = {row[0]: row for row in wanted}
    assert len(several) > len(ids)
    assert all(row == told[row[0]] for row in several)


def test_what_every_agency_sees_is_kept_once(world: World) -> None:
    chance = random.Random(1)
    world.submit("A", *(post(chance, [], n) | {"marking": "GREEN", "releasable_to": []} for n in range(30)))
    Pictures(world.fuse).refresh()
    with world.fuse.transaction(None) as tx:
        ids = [r["report_id"] for r in world.ask("B", "GET", "/api/feed?limit=1000").json()["reports"]]
        assert {row[0] for row in tx.rows("memberships", ids=ids)} == {"*"}
        assert {row["audience"] for row in tx.all("lines", ids=ids)} == {"*"}


def test_what_is_new_is_fused_before_all_that_changed_is_given(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tocsin.hub.pictures.given.AT_ONCE", 1)
    facts = {"country": "PAK", "marking": "GREEN"}
    world.submit("A", *({"own_id": str(n), "event_start": f"2026-0{n}-01"} | facts for n in range(1, 6)))
    new, told = list[str](), list[tuple[bool, bool]]()

    def giving(store: Store, now: Clock | None = None) -> bool:
        more = give(store, now)
        told.append((more, bool(new) and world.ask("A", "GET", f"/api/incidents/{new[0]}").status_code == 200))
        if not new:
            new.append(world.submit("A", {"own_id": "new", "event_start": "2026-07-01"} | facts)[0]["report_id"])
        return more

    monkeypatch.setattr("tocsin.hub.pictures.give", giving)
    Pictures(world.fuse).refresh()
    assert told[:2] == [(True, False), (True, True)]
    assert told[-1] == (False, True)
