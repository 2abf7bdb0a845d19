"""Every page that there is, by every method that it takes: the id of whatever A hides is to B as one that never was, in the address and in the parameters."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from hubs import TAXII, Ticking, World
from samples_hub import planted_signal

from tocsin.hub import hashed
from tocsin.hub.pictures import refresh
from tocsin.server.rooms.shown import _form_token
from tocsin.store.embedded import Embedded

SESSION = "a-session-of-B"
AT = datetime(2026, 1, 1, tzinfo=UTC)
GO = {"to": "C", "why": "x"}
#: What is sent by programs, and by forms.
BODIES: list[dict[str, Any]] = [GO, {"why": "x"}, {"marking": "RED"}, {"grant": True, "why": "x"}]
FORMS = [GO | {"marking": "RED", "grant": "yes", "description": "x"}, GO | {"marking": "RED", "grant": "yes", "sure": "yes"}]
ASKED = ("/judge?reports={}", "/judge?incident={}", "/judge?undo={}", "/taxii2/hub/collections/picture/objects/?match[id]=report--{}")
#: How pages for people begin.
ROOMS = ("/reports/", "/incidents/", "/signals/", "/requests/", "/upload/", "/agencies/", "/judge")
_FORM_ID = re.compile(rb'name="form_id" value="[\w-]{43}"')


class Hiding:
    """A hub in which A has one of all that has an id, hidden from B."""

    def __init__(self, postgres: Embedded) -> None:
        self.world = world = World(postgres, Ticking())
        for agency in ("A", "C"):
            world.ask("admin", "PUT", f"/api/groups/quince/{agency}")
        facts = {"event_start": "2026-01-01", "country": "PAK", "killed": 3}
        self.red = world.submit("A", facts | {"own_id": "1", "marking": "RED"})[0]["report_id"]
        held = world.submit("A", facts | {"own_id": "2", "marking": "AMBER", "releasable_to": ["C"], "orcon": True})[0]["report_id"]
        refresh(world.fuse)
        judged = self.done("A", "/api/judgements", {"decides": "merge", "reports": [self.red, held], "why": "x"})["judgement_id"]
        asked = self.done("C", f"/api/reports/{held}/requests", {"to": "B", "why": "x"})["request_id"]
        signal = planted_signal(world, "A", AT, [world.ask("A", "GET", f"/api/incidents/{held}").json()])
        note = {
            "type": "note",
            "id": f"note--{uuid.uuid4()}",
            "content": "x",
            "object_refs": [f"report--{self.red}"],
            "spec_version": "2.1",
        }
        sent = world.taxii(
            "A", "collections/inbox/objects/", [note | {"created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z"}]
        )
        upload = uuid.uuid4()
        with world.store.transaction("A") as tx:
            tx.do("begin_upload", at=AT, upload_id=upload, who="A", name="x")
        self.ids = [self.red, held, judged, asked, signal, sent.json()["id"], str(upload), note["id"], f"report--{self.red}"]
        self.ids += [world.taxii("A", "collections/").json()["collections"][-1]["id"]]
        with psycopg.connect(world.roles["owner"], options="-c search_path=tocsin") as connection:
            every = "{submit,analyse,administer_agency,oversee}"
            connection.execute("INSERT INTO account VALUES ('B', 'reader', 'x', 'x', 0, %s, %s, 'B')", (every, AT))
            connection.execute("INSERT INTO session VALUES (%s, 'B', 'reader', %s, %s)", (hashed(SESSION), AT, AT))

    def done(self, who: str, page: str, body: dict[str, Any]) -> Any:
        answer = self.world.ask(who, "POST", page, body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def answer(self, method: str, page: str, ident: str, sent: dict[str, Any] | None, form: bool) -> tuple[Any, ...]:
        """What B is answered, with one word for the id."""
        headers = {"Cookie": f"tocsin={SESSION}"} if form else {"Authorization": f"Bearer {self.world.tokens['B']}"}
        headers["Cookie"] = f"{headers.get('Cookie', 'tocsin-form=x')}; tocsin-form=x"  # or each page would give another one
        headers |= {"Accept": TAXII} if page.startswith("/taxii2/") else {}
        body: dict[str, Any] = {} if sent is None else {"data": {"form": _form_token(SESSION)} | sent} if form else {"json": sent}
        found = self.world.client.request(method, page.format(ident), headers=headers, follow_redirects=False, **body)
        told = {k: v.replace(ident, "ID") for k, v in found.headers.items() if k != "content-length"}
        text = found.content.replace(ident.encode(), b"ID").replace(ident[:40].encode(), b"ID").replace(ident[:8].encode(), b"ID")
        return found.status_code, told, _FORM_ID.sub(b"", text)


@pytest.fixture(scope="module")
def hiding(postgres: Embedded) -> Iterator[Hiding]:
    made = Hiding(postgres)
    yield made
    made.world.close()


def never_of(ident: str) -> str:
    """An id of the same form that never was."""
    kind, dashes, last = ident.rpartition("--")
    return kind + dashes + str(uuid.uuid5(uuid.NAMESPACE_DNS, last))


def pages(world: World) -> list[tuple[str, str]]:
    """Pages that have an id in their address, with each method; invitations are for whom has the link, and have forms of their own."""
    out = []
    for route in world.client.app.routes:
        path = route.path.replace("{agency:str}", "A").replace("{group:str}", "quince")
        if path.count("{") == 2:
            path = path.replace("{collection:str}", "picture")
        path = re.sub(r"\{[^}]+\}", "{}", path)
        out += [(path, method) for method in getattr(route, "methods", ()) if "{}" in path and "invitation" not in path]
    return sorted(out)


def test_whatever_is_hidden_is_on_every_page_as_what_never_was(hiding: Hiding) -> None:
    several = pages(hiding.world)
    assert len(several) > 60
    for page, method in [*several, *((page, "GET") for page in ASKED)]:
        asked: list[tuple[dict[str, Any] | None, bool]] = [(None, page.startswith(ROOMS))]
        if method in ("POST", "PUT"):
            asked = [(form, True) for form in FORMS] if page.startswith(ROOMS) else [(body, False) for body in BODIES]
        for ident in hiding.ids:
            for sent, form in asked:
                one, never = (hiding.answer(method, page, i, sent, form) for i in (ident, never_of(ident)))
                assert one == never, (method, page, ident, sent, form)
                assert one[0] < 500
    assert hiding.world.ask("A", "GET", f"/api/reports/{hiding.red}").status_code == 200
