"""Row-level security alone: every named query, run as the web role in B's name and without the gate, gives nothing of A's and does nothing to it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from hubs import Ticking, World
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from pyotp import TOTP

from tocsin.hub import hashed
from tocsin.hub.making.pictures import make_next
from tocsin.hub.pictures import refresh
from tocsin.store import queries
from tocsin.store.embedded import Embedded

SECRET = "quince-7731"
LONG = "a long pass phrase"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)  # of lists that go from the latest back
AS_OF = datetime(2026, 1, 1, tzinfo=UTC)  # when the hub's clock stands
#: Queries that give what is nobody's secret: the agencies' names, the hub's last time, and whether something is still to be fused.
OPEN = {"agencies", "audiences", "joined", "last_tick", "look_due", "standing"}
#: Queries that go on after an id.
AFTER_ID = ("seen_then",)
AFTER_TIME = ("feed_from", "group_from", "inbox_page", "lately", "published_on", "published_since")


class Filled:
    """A hub in which A has hidden reports, an incident, a judgement, a request, a release, a purged report, a group, a token, a log, a picture
    and a signal."""

    line: psycopg.Connection[dict[str, Any]]  # of the web role

    def __init__(self, postgres: Embedded) -> None:
        self.world = world = World(postgres, Ticking())
        world.ask("admin", "PUT", f"/api/groups/{SECRET}/A")
        post = {
            "event_start": "2026-01-01",
            "country": "PAK",
            "killed": 3,
            "marking": "RED",
            "text": SECRET,
            "part_of": SECRET,
            "releasable_to": ["C"],
        }
        made = [world.submit("A", post | {"own_id": str(n), "orcon": True})[0]["report_id"] for n in range(3)]
        self.report, self.other, self.gone = made
        world.submit("A", {"own_id": SECRET, "marking": "AMBER", "releasable_to": [f"group:{SECRET}"], "text": SECRET})
        self.judgement = self._done("A", "/api/judgements", {"decides": "merge", "reports": made[:2], "why": SECRET})["judgement_id"]
        self.request = self._done("C", f"/api/reports/{self.report}/requests", {"to": "A", "why": SECRET})["request_id"]
        self._done("A", f"/api/reports/{self.report}/release", {"to": "C", "why": SECRET})
        self._done("A", f"/api/reports/{self.gone}/purge", {"why": SECRET})
        self._done("A", "/api/tokens", {"label": SECRET, "roles": ["submit"]})
        link = self._done("A", "/api/invitations", {"name": SECRET, "roles": ["submit"]})["path"].rpartition("/")[2]
        session = world.hub.signing_in.accept(link, LONG, LONG, TOTP(world.hub.signing_in.invited(link).totp).now(), "192.0.2.1")
        self.session = hashed(session)
        refresh(world.fuse)
        self.signal = uuid.uuid4()
        self._watched()
        head = {"spec_version": "2.1", "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z"}
        note = {"type": "note", "id": f"note--{self.report}", "content": SECRET, "object_refs": [f"report--{self.report}"]} | head
        sent = world.taxii("A", "collections/inbox/objects/", [note])
        assert sent.json()["success_count"] == 1, sent.text
        self.posting = sent.json()["id"]
        self.upload = uuid.uuid4()
        with world.store.transaction("A") as tx:
            tx.do("begin_upload", at=NOW, upload_id=self.upload, who="A", name=SECRET)
        self.names = {self.report, self.other, self.gone, self.judgement, self.request, self.posting, SECRET}

    def _done(self, who: str, path: str, body: dict[str, Any]) -> Any:
        answer = self.world.ask(who, "POST", path, body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def _watched(self) -> None:
        """A picture of A as of now, and a signal that rests on a report of its own."""
        assert self.world.ask("A", "GET", f"/api/picture?as_of={AS_OF.isoformat()[:19]}Z").status_code == 202
        assert make_next(self.world.fuse)
        with self.world.fuse.transaction(None) as tx:
            assert tx.one("look_made", audience="A", at=AS_OF, every=1, said=Jsonb({"reason": SECRET}))
            body = Jsonb({"category": SECRET, "kind": "shift"})
            tx.do("signal_write", audience="A", at=AS_OF, signal_id=self.signal, body=body, reports=[uuid.UUID(self.report)])
        released = self._done("A", f"/api/signals/{self.signal}/release", {"to": "C", "why": SECRET})
        assert released == {"report_ids": [self.report]}
        with psycopg.connect(self.world.roles["owner"]) as connection:
            row = connection.execute("SELECT number FROM tocsin.picture").fetchone()
        assert row is not None
        self.number: int = row[0]

    def values(self) -> dict[str, Any]:
        """What B would ask for, if it knew all ids and could name whom it liked."""
        report, other = uuid.UUID(self.report), uuid.UUID(self.other)
        row = {"report_id": self.report, "derived_from": [], "marking": "CLEAR", "releasable_to": [], "orcon": False, "body": {}}
        times = {
            "at": datetime(2000, 1, 1, tzinfo=UTC),
            "after_at": datetime(2000, 1, 1, tzinfo=UTC),
            "day": date.max,
            "expires": NOW,
            "signed": NOW,
        }
        ids = {"id": uuid.UUID(int=0), "after_id": uuid.UUID(int=0), "report_id": report, "incident_id": report, "released_with": Jsonb({})}
        times |= {"as_of": AS_OF}
        ids |= {"number": self.number, "most": 8, "every": 1, "page": None, "signal_id": self.signal, "look": AS_OF}
        times |= {"before": datetime(2100, 1, 1, tzinfo=UTC), "times": [NOW], "versions": [NOW]}
        ids |= {
            "posting_id": uuid.UUID(self.posting),
            "upload_id": self.upload,
            "object_id": "x",
            "skip": 0,
            "given_id": report,
            "kind": "incident",
            "many": 10,
            "first": 0,
            "last": 2**63 - 1,
        }
        ids |= {"judgement_id": uuid.UUID(self.judgement), "request_id": uuid.UUID(self.request)}
        several = {
            "ids": [report, other],
            "reports": [report, other],
            "names": [report],
            "incident_ids": [report],
            "audiences": ["A"],
            "places": ["*", "A"],
            "components": [1],
            "hashes": [report],
            "held": [1],
            "holders": ["B"],
            "incidents": [report],
        }
        texts = {
            "agency": "A",
            "audience": "A",
            "name": "A",
            "to": "B",
            "heir": "B",
            "label": "A",
            "group": SECRET,
            "who": "B",
            "why": "x",
            "what": "x",
        }
        rest = {
            "limit": 100,
            "roles": ["submit"],
            "rows": Jsonb([row]),
            "lines": Jsonb([]),
            "said": Jsonb({}),
            "things": ["x"],
            "reason": "x",
        }
        rest |= {"password": "x", "step": 2**40, "totp": "x", "keys": [b"x" * 32], "free": [5], "account": b"x" * 32, "address": b"x" * 32}
        rest |= {"begins": None, "others": False, "below": 2**62, "until": LATER, "outcome": None, "words": ""}
        rest |= {"seen_after": times["at"], "began_after": times["at"], "hash": self.session}
        more = {"marking": "CLEAR", "releasable_to": [], "orcon": False, "grant": True, "is_in": True, "fate": "hand-to", "allowed": True}
        more |= {"all_versions": True, "last_version": True, "first_version": True, "types": None}
        return times | ids | several | texts | rest | more | {"days": [date.max], "bodies": ["{}"], "body": "{}"}


@pytest.fixture(scope="module")
def filled(postgres: Embedded) -> Iterator[Filled]:
    made = Filled(postgres)
    with psycopg.connect(made.world.roles["web"], row_factory=dict_row, options="-c search_path=tocsin") as made.line:
        yield made
    made.world.close()


def asked(filled: Filled, name: str, audience: str, more: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows that the web role gets in an agency's name; nothing of it stays."""
    filled.line.execute("SELECT set_config('tocsin.audience', %s, true)", (audience,))
    try:
        cursor = filled.line.execute(queries()[name], filled.values() | more)
        return cursor.fetchall() if cursor.description else []
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.RaiseException, psycopg.errors.IntegrityError):
        return []
    finally:
        filled.line.rollback()


def after_of(name: str) -> Any:
    """Before all that there is, of the kind that a query goes by."""
    return uuid.UUID(int=0) if name in AFTER_ID else datetime(2000, 1, 1, tzinfo=UTC) if name in AFTER_TIME else 0


@pytest.mark.parametrize("name", sorted(queries()))
@pytest.mark.parametrize("audience", ["B", "public", "nobody at all"])
def test_no_query_gives_one_agency_what_is_anothers(filled: Filled, name: str, audience: str) -> None:
    for more in ({}, {"reports": None}, {"audience": audience}, {"agency": audience}, {"at": LATER}):
        rows = asked(filled, name, audience, {"after": after_of(name)} | more)
        text = repr(rows)
        if name not in ("request", "submit"):  # they give back the id that was sent
            assert not {n for n in filled.names if n in text}, (name, more)
        assert name in OPEN or not any(value == "A" for row in rows for value in row.values()), (name, more)


def test_the_same_queries_give_it_to_whose_it_is(filled: Filled) -> None:
    """What is looked for above is there to be found."""
    mine = (
        "feed_page",
        "feed_one",
        "feed_some",
        "incident_page",
        "incidents_with",
        "judgements_page",
        "judgement_one",
        "requests",
        "releases",
        "purged_page",
        "members",
        "tokens",
        "pictured_page",
        "signals_page",
        "signal_one",
        "last_look",
        "accounts",
        "own_page",
        "latest_page",
        "feed_on",
        "group_on",
        "posting",
        "audit_found",
        "uploads",
        "upload_one",
    )
    for name in mine:
        text = repr(asked(filled, name, "A", {"at": LATER} if name in ("own_page", "latest_page") else {}))
        assert {n for n in filled.names if n in text}, name
    for name in AFTER_TIME:
        assert asked(
            filled, name, "A", {"after": datetime(2100, 1, 1, tzinfo=UTC) if name.endswith("_from") else after_of(name), "ids": None}
        )
    assert {n for n in filled.names if n in repr(asked(filled, "signals_given", "C", {"audience": "C"}))}
    assert asked(filled, "signal_releases", "A", {}) == [{"agency": "C"}]
    assert asked(filled, "picture_one", "A", {"what": "picture"})
    assert not asked(filled, "picture_one", "B", {"what": "picture"})


@pytest.mark.parametrize(
    "name",
    [
        "remark",
        "release",
        "request",
        "decide",
        "judge",
        "purge",
        "leave",
        "set_member",
        "add_agency",
        "add_token",
        "revoke_token",
        "invite",
        "close_account",
        "accept",
        "try",
        "forgive",
        "begin_session",
        "submit",
    ],
)
def test_no_act_is_done_in_anothers_name_or_on_what_is_hidden(filled: Filled, name: str) -> None:
    with psycopg.connect(filled.world.roles["web"], options="-c search_path=tocsin -c tocsin.audience=B") as connection:
        with pytest.raises(psycopg.errors.RaiseException, match=r"own name only|own staff|does not see"):
            connection.execute(queries()[name], filled.values())
        connection.rollback()


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("feed_some", ["(report_id = n.id)"]),
        ("incidents_with", ["(report_id = n.id)", "(incident_id = (COALESCE("]),
    ],
)
def test_what_is_looked_up_by_several_ids_is_looked_up_by_key_for_each(filled: Filled, name: str, keys: list[str]) -> None:
    """Row-level security keeps the planner from a key that some function makes: then each would be sought in all that the audience sees."""
    with psycopg.connect(filled.world.roles["web"], options="-c search_path=tocsin -c tocsin.audience=A") as connection:
        connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        plan = [row[0] for row in connection.execute(f"EXPLAIN {queries()[name]}".encode(), filled.values() | {"audience": "A"})]
    for key in keys:
        assert any("Index Cond" in line and key in line for line in plan), (key, plan)


@pytest.mark.parametrize(
    "name", ["feed_from", "feed_on", "feed_place", "group_from", "group_on", "group_place", "published_on", "published_one"]
)
def test_a_page_by_taxii_is_read_by_key_alone_so_that_it_costs_what_it_has(filled: Filled, name: str) -> None:
    with psycopg.connect(filled.world.roles["web"], options="-c search_path=tocsin -c tocsin.audience=A") as connection:
        connection.execute(queries()["by_key"])
        values = filled.values() | {"after": LATER, "audience": "A"}
        plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN {queries()[name]}".encode(), values))
    assert "Index" in plan
    assert "Seq Scan" not in plan, plan
