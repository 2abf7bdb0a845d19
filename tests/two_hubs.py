"""Two hubs, one clock: the first gets everything, the second only what audience B may see of it; and an oracle that knows by may() alone which that is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import psycopg
from hubs import Ticking, World
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from rooms_of_two import compare_rooms
from samples_hub import planted_signal

from tocsin.gate import Action, Clearance, Marked, Role, may
from tocsin.hub.making.looks import look_next
from tocsin.hub.making.pictures import make_next
from tocsin.hub.pictures import Pictures, refresh
from tocsin.terms.ids import report_id
from tocsin.watch.shared import Shared

AGENCIES, GROUPS = ("A", "B", "C"), ("north", "south")
NAMED = [*AGENCIES, *(f"group:{g}" for g in GROUPS), "group:nowhere", "polise"]  # of the last two none ever was
NEVER = report_id("A", "never")
WHY, OTHERWISE = "they were there", "said otherwise in the second hub, for B is not told"
ROLE = frozenset({Role.ANALYSE})
#: Pages of B that go on page by page, and the rest.
LISTS = [
    "/api/feed",
    "/api/public/feed",
    "/api/incidents",
    "/api/audit",
    "/api/requests",
    "/api/releases",
    "/api/judgements",
    "/api/purged",
    "/api/signals",
    "/api/signals/received",
]
OTHERS = [
    "/api/agencies",
    "/api/audit?limit=1000",
    "/health",
    "/metrics",
    "/ready",
    "/api/schema/openapi.json",
    "/api/feed?limit=0",
    "/api/tokens",
    "/api/accounts",
    "/nowhere",
]


@dataclass
class Said:
    """A report as the oracle knows it."""

    agency: str
    body: dict[str, Any]
    handling: dict[str, Any]
    released: list[tuple[str, str]] = field(default_factory=list)  # by whom, to whom
    heir: str | None = None  # whose it is since its agency left
    purged: bool = False

    @property
    def originator(self) -> str:
        return self.heir or self.agency

    def marked(self) -> Marked:
        h = self.handling
        return Marked(h["marking"], self.originator, frozenset(h["releasable_to"]), h["orcon"], frozenset(to for _, to in self.released))


@dataclass
class Asked:
    """A request as the oracle knows it."""

    request_id: str
    ident: str
    by: str
    of: str  # the originator who was asked
    to: str
    decided: bool = False


class Oracle:
    """Who sees what, by may() alone; and the two hubs."""

    def __init__(self, first: World, second: World, clock: Ticking) -> None:
        self.first, self.second, self.clock = first, second, clock
        self.reports: dict[str, Said] = {}
        self.groups: dict[str, set[str]] = {g: set() for g in GROUPS}
        self.there: dict[str, set[str]] = {g: set() for g in GROUPS}  # membership that the second hub knows
        self.sent: set[str] = set()  # reports that the second hub has
        self.live = Pictures(first.fuse, clock)  # goes on with what it has in memory, where the second hub's begins anew
        self.left: set[str] = set()
        self.requests: list[Asked] = []
        self.judgements: list[dict[str, Any]] = []
        self.moments: list[str] = []  # as of which B asked for its picture

    def sees(self, who: str, said: Said) -> bool:
        return self.may(who, Action.READ, said)

    def may(self, who: str, action: Action, said: Said) -> bool:
        if said.purged or who in self.left:
            return False
        groups = frozenset(g for g, inside in self.groups.items() if who in inside)
        return may(Clearance(who, ROLE, groups), action, said.marked()).allowed

    def submit(self, agency: str, own: str, facts: dict[str, Any], handling: dict[str, Any]) -> None:
        if agency in self.left:
            return
        body = {"own_id": own, **facts, **handling}
        ident = report_id(agency, own)
        said = self.first.submit(agency, body)
        if agency == "B":  # what B does reaches both
            assert self.second.submit("B", body) == said
        if said[0]["status"] == "refused":  # it names itself, or another stands under its id
            return
        new = ident not in self.reports
        self.reports.setdefault(ident, Said(agency, body, handling))
        if agency == "B":
            self.sent.add(ident)
        elif new:
            self.settle()

    def remark(self, ident: str, who: str, handling: dict[str, Any]) -> None:
        said = self.reports[ident]
        self.both(ident, who, "remark", handling)
        if who == said.originator and not said.purged and who not in self.left:
            said.handling, said.released = handling, []
        self.settle()

    def release(self, ident: str, who: str, to: str) -> None:
        allowed = self.may(who, Action.RELEASE, self.reports[ident]) and to not in self.left
        self.both(ident, who, "release", {"to": to, "why": WHY})
        if allowed:
            self.released(ident, who, to)
        self.settle()

    def released(self, ident: str, who: str, to: str) -> None:
        said = self.reports[ident]
        if to not in said.marked().released_to:
            said.released.append((who, to))

    def release_incident(self, ident: str, who: str, to: str) -> None:
        """An incident's reports one by one in the second hub, where it may be another one; none of it is told to others than who releases."""
        body, page = {"to": to, "why": WHY}, f"/api/incidents/{ident}/release"
        if {who, to} & self.left:
            return
        self.fuse()
        one = self.first.ask(who, "POST", page, body)
        if who == "B":
            two = self.second.ask(who, "POST", page, body)
            assert (one.status_code, one.content) == (two.status_code, two.content)
        for member in one.json().get("report_ids", ()):
            if who != "B" and member in self.sent:
                with self.lent(who):
                    self.second.ask(who, "POST", f"/api/reports/{member}/release", self._untold(member, who, body))
            self.released(member, who, to)
        self.settle()

    def release_signal(self, ident: str, who: str, to: str) -> None:
        """A signal that rests on the incident of a report. What is given to B of it stands in the second hub as in the first, for it is made of what B sees."""
        if {who, to} & self.left:
            return
        self.fuse()
        found = self.first.ask(who, "GET", f"/api/incidents/{ident}")
        if who == "B":  # it stands in B's log
            self.second.ask(who, "GET", f"/api/incidents/{ident}")
        if found.status_code != 200:
            return
        signal = planted_signal(self.first, who, self.clock(), [found.json()])
        body, page = {"to": to, "why": WHY}, f"/api/signals/{signal}/release"
        one = self.first.ask(who, "POST", page, body)
        if who == "B":
            planted_signal(self.second, who, self.clock(), [found.json()])
            two = self.second.ask(who, "POST", page, body)
            assert (one.status_code, one.content) == (two.status_code, two.content)
        for member in one.json().get("report_ids", ()):
            if who != "B" and member in self.sent:
                with self.lent(who):
                    self.second.ask(who, "POST", f"/api/reports/{member}/release", self._untold(member, who, body))
            self.released(member, who, to)
        self.settle()
        if one.status_code == 200 and who != "B" and to == "B":
            self._hand_over()

    def _hand_over(self) -> None:
        """The second hub has what was given to B in the first."""
        with psycopg.connect(self.first.roles["owner"]) as connection:
            rows = connection.execute("SELECT to_jsonb(g) FROM tocsin.signal_given g WHERE audience = 'B' AND body IS NOT NULL").fetchall()
        with psycopg.connect(self.second.roles["owner"]) as connection:
            connection.execute("SET search_path = tocsin")
            for (row,) in rows:
                connection.execute(
                    "INSERT INTO signal_given SELECT * FROM jsonb_populate_record(NULL::signal_given, %s) ON CONFLICT DO NOTHING",
                    (Jsonb(row),),
                )

    def request(self, ident: str, who: str, to: str) -> None:
        """Told to who asks and to the originator, and to nobody else."""
        said, body, page = self.reports[ident], {"to": to, "why": WHY}, f"/api/reports/{ident}/requests"
        allowed = self.may(who, Action.REQUEST, said) and said.originator not in self.left and to not in self.left
        one = self.first.ask(who, "POST", page, body)
        assert (one.status_code == 201) is allowed
        if "B" in (who, said.originator):
            with self.lent(who):
                two = self.second.ask(who, "POST", page, body)
            assert (one.status_code, one.content) == (two.status_code, two.content)
        if allowed:
            self.requests.append(Asked(one.json()["request_id"], ident, who, said.originator, to))

    def decide(self, number: int, who: str, grant: bool) -> None:
        if not self.requests:
            return
        asked = self.requests[number % len(self.requests)]
        said, body, page = self.reports[asked.ident], {"grant": grant, "why": WHY}, f"/api/requests/{asked.request_id}/decision"
        one = self.first.ask(who, "POST", page, body)
        done = one.status_code == 200
        assert done is (who == asked.of == said.originator and not asked.decided and not said.purged and who not in self.left)
        if "B" in (who, asked.by, asked.of):
            two = self.second.ask(who, "POST", page, body)
            assert who != "B" or (one.status_code, one.content) == (two.status_code, two.content)
        elif done and grant and asked.ident in self.sent:
            self.second.ask(who, "POST", f"/api/reports/{asked.ident}/release", {"to": asked.to, "why": OTHERWISE})
        asked.decided = asked.decided or done
        if done and grant:
            self.released(asked.ident, who, asked.to)
        self.settle()

    def judge(self, kind: str, idents: list[str], who: str) -> None:
        """On reports of any agency, there or not."""
        if len(idents) < 2:
            return
        body: dict[str, Any] = {"decides": kind, "reports": idents, "why": WHY}
        if kind == "split":
            body |= {"reports": idents[:1], "apart_from": idents[1:]}
        if kind == "value":
            body |= {"field": "killed", "value": "5"}
        self.judged(who, body, all(i in self.reports and self.sees(who, self.reports[i]) for i in idents))

    def undo(self, number: int, who: str) -> None:
        if self.judgements:
            one = self.judgements[number % len(self.judgements)]
            self.judged(
                who,
                {"decides": "undo", "judgement": str(one["judgement_id"]), "why": WHY},
                one["agency"] == who and self.sees_all(who, one["names"]),
            )

    def judged(self, who: str, body: dict[str, Any], allowed: bool) -> None:
        one = self.first.ask(who, "POST", "/api/judgements", body)
        assert (one.status_code == 201) is allowed, one.text
        if who == "B":
            two = self.second.ask(who, "POST", "/api/judgements", body)
            assert (one.status_code, one.content) == (two.status_code, two.content)
        if allowed:
            self.judgements.append(self._judgement(one.json()["judgement_id"]) | {"there": who == "B"})
        self.settle()

    def sees_all(self, who: str, idents: list[str]) -> bool:
        return all(self.sees(who, self.reports[i]) for i in idents)

    def _judgement(self, ident: str) -> dict[str, Any]:
        with psycopg.connect(self.first.roles["owner"], row_factory=dict_row) as connection:
            row = connection.execute("SELECT * FROM tocsin.judgement WHERE judgement_id = %s", (ident,)).fetchone()
        assert row is not None
        return row | {"names": [str(n) for n in row["names"]]}

    def _give(self, one: dict[str, Any]) -> None:
        """The second hub is given a judgement as it stands in the first, for who made it may no longer see its reports."""
        columns = ("judgement_id", "agency", "who", "signed", "received_at", "names", "said")
        values = [Jsonb(one[c]) if c == "said" else [UUID(n) for n in one[c]] if c == "names" else one[c] for c in columns]
        with psycopg.connect(self.second.roles["owner"]) as connection:
            connection.execute("SET search_path = tocsin")
            connection.execute("INSERT INTO judgement VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING", values)
            connection.execute("SELECT rejudge(%s, tick(%s))", (values[5], self.clock()))

    def purge(self, ident: str, who: str) -> None:
        said = self.reports[ident]
        self.both(ident, who, "purge", {"why": WHY})
        said.purged = said.purged or (who == said.originator and who not in self.left)
        self.settle()

    def leave(self, who: str, fate: str, heir: str) -> None:
        """B stays, for it is B that is asked."""
        if who in ("B", heir) or {who, heir} & self.left:
            return
        for world in (self.first, self.second):
            body = {"reports": fate} | ({"to": heir} if fate == "hand-to" else {})
            assert world.ask("admin", "POST", f"/api/agencies/{who}/leave", body).status_code == 200
        self.left.add(who)
        for inside in (*self.groups.values(), *self.there.values()):
            inside.discard(who)
        for said in self.reports.values():
            if said.originator == who:
                said.purged = said.purged or fate == "purge"
                said.heir = heir if fate == "hand-to" else said.heir
        for asked in self.requests:
            asked.decided = asked.decided or asked.of == who
        self.settle()

    def _given(self, ident: str) -> None:
        """The second hub is given a report as it stands in the first, for its agency has left and sends nothing any more."""
        with psycopg.connect(self.first.roles["owner"]) as connection:
            report = connection.execute(
                "SELECT to_jsonb(r), to_jsonb(h) FROM tocsin.report r JOIN tocsin.handling h USING (report_id) WHERE report_id = %s",
                (ident,),
            ).fetchone()
        assert report is not None
        with psycopg.connect(self.second.roles["owner"]) as connection:
            connection.execute("SET search_path = tocsin")
            for table, row in zip(("report", "handling"), report, strict=True):
                connection.execute(f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, %s)", (Jsonb(row),))
            connection.execute("SELECT settle(ARRAY[%s]::uuid[], tick(%s))", (ident, self.clock()))
            connection.execute("SELECT rejudge(ARRAY[%s]::uuid[], tick(%s))", (ident, self.clock()))

    def look(self) -> None:
        """The next midnight comes, and every agency's incidents are looked at."""
        self.clock.at = datetime.combine(self.clock().date(), time(0, 2), UTC) + timedelta(days=1)
        for world in (self.first, self.second):
            shared = Shared()  # as in a hub that runs
            while look_next(world.fuse, 1, self.clock(), shared):
                pass

    def picture(self) -> None:
        """B asks for its picture as of now, and others for theirs, which is nothing to B."""
        self.moments.append(self.clock().isoformat().replace("+00:00", "Z"))
        self.first.ask("A", "GET", "/api/picture")
        self._pictures()

    def _pictures(self) -> None:
        """Each is waited for, or there, alike; and the same when it is made."""
        for _ in range(2):
            self._same(f"/picture/brief.html?as_of={self.moments[-1]}")
            for moment in self.moments[-3:]:
                self._walk(f"/api/picture?as_of={moment}&limit=2")
            for world in (self.first, self.second):
                while make_next(world.fuse):
                    pass

    def both(self, ident: str, who: str, what: str, body: dict[str, Any]) -> None:
        """An act in the first hub, and in the second where B does it, or the report is there."""
        one = self.first.ask(who, "POST", f"/api/reports/{ident}/{what}", body)
        if who == "B" or ident in self.sent:
            with self.lent(who):
                two = self.second.ask(who, "POST", f"/api/reports/{ident}/{what}", self._untold(ident, who, body))
            assert who != "B" or (one.status_code, one.content) == (two.status_code, two.content)

    def _untold(self, ident: str, who: str, body: dict[str, Any]) -> dict[str, Any]:
        """An act as the second hub gets it: with another reason where B is neither who acts nor the originator, for then it is not B's to know."""
        return body if "B" in (who, self.reports[ident].originator) or "why" not in body else body | {"why": OTHERWISE}

    @contextmanager
    def lent(self, who: str) -> Iterator[None]:
        """For one act, another agency is in the groups of the second hub that it is in, though B is not and may not know."""
        lacking = [g for g, inside in self.groups.items() if who in inside and who not in self.there[g]]
        for group in lacking:
            self.second.ask("admin", "PUT", f"/api/groups/{group}/{who}")
        yield
        for group in lacking:
            self.second.ask("admin", "DELETE", f"/api/groups/{group}/{who}")

    def member(self, group: str, agency: str, is_in: bool) -> None:
        if agency in self.left:
            return
        self.first.ask("admin", "PUT" if is_in else "DELETE", f"/api/groups/{group}/{agency}")
        (self.groups[group].add if is_in else self.groups[group].discard)(agency)
        self.settle()

    def settle(self) -> None:
        """Brings the second hub to what B may see now: the groups that B is in, reports that it newly sees by their id, then their handling."""
        for group, inside in self.groups.items():
            wanted = inside if "B" in inside else set()
            for agency in sorted(wanted ^ self.there[group], key=lambda a: (a == "B", a)):
                self.second.ask("admin", "PUT" if agency in wanted else "DELETE", f"/api/groups/{group}/{agency}")
            self.there[group] = set(wanted)
        for ident in sorted(self.reports):
            said = self.reports[ident]
            if ident not in self.sent and self.sees("B", said):
                self.sent.add(ident)
                if said.agency in self.left or said.heir:
                    self._given(ident)
                    continue
                self.second.submit(said.agency, said.body | said.handling)
                for _, to in said.released:
                    self.second.ask(said.agency, "POST", f"/api/reports/{ident}/release", {"to": to, "why": OTHERWISE})
        for one in sorted(self.judgements, key=lambda j: str(j["judgement_id"])):
            if not one["there"] and self.sees_all("B", one["names"]):
                self._give(one)
                one["there"] = True

    def fuse(self) -> None:
        self._unfused()
        self.clock.tick()  # what is made is given at a time of its own
        self.live.refresh()
        refresh(self.second.fuse, self.clock)

    def _unfused(self) -> None:
        """Before it is fused, too, B is told the same in both, and of nothing that is hidden."""
        text = json.dumps(self._same("/api/incidents?limit=1000"))
        assert not {i for i in self.reports.keys() - self.seen() if i in text}

    def compare(self) -> None:
        """Every page that B can reach."""
        self.fuse()
        self.look()
        self.picture()
        self._live()
        self.pages()

    def pages(self) -> None:
        """Those that wait for no look and no picture."""
        for page in LISTS:
            self._same(page)
            self._walk(f"{page}{'&' if '?' in page else '?'}limit=2")
        self._taxii()
        for ident in (*sorted(self.reports), NEVER, "nonsense"):
            for page in ("/api/reports/{}", "/api/reports/{}/who", "/api/incidents/{}"):
                self._same(page.format(ident))
        for page in OTHERS:
            self._same(page)
        compare_rooms(self.first, self.second, self.clock(), (*sorted(self.reports), NEVER, "nonsense"))
        self._hides()

    def _live(self) -> None:
        """A picture of now has the incidents that are live."""
        live, then = (self._same(page) for page in ("/api/incidents?limit=1000", f"/api/picture?limit=1000&as_of={self.moments[-1]}"))
        assert live["current"]
        assert live["incidents"] == [{k: v for k, v in i.items() if k not in ("as_of", "model")} for i in then["incidents"]]

    def _hides(self) -> None:
        """What the second hub cannot tell, for what points at a hidden report was sent to it too."""
        feed = {r["report_id"]: r for r in self._same("/api/feed?limit=1000")["reports"]}
        assert feed.keys() == self.seen()
        wholes = Counter((r.agency, r.body.get("part_of")) for i, r in self.reports.items() if i in feed)
        for report in feed.values():
            assert {report.get("supersedes"), *report.get("derived_from", [])} <= {None, *feed}
            assert "part_of" not in report or wholes[report["agency"], report["part_of"]] > 1
        then = [f"/api/picture?limit=1000&as_of={moment}" for moment in self.moments[-3:]]
        for page in (
            "/api/feed?limit=1000",
            "/api/incidents?limit=1000",
            "/api/judgements?limit=1000",
            "/api/signals?limit=1000",
            "/api/signals/received",
            *then,
        ):
            text = json.dumps(self._same(page))
            assert not {i for i in self.reports.keys() - feed.keys() if i in text}, f"{page} names what is hidden"

    def seen(self) -> set[str]:
        """What B may see, by may() alone."""
        return {i for i, said in self.reports.items() if self.sees("B", said)}

    def _same(self, page: str) -> Any:
        one, two = (world.ask("B", "GET", page) for world in (self.first, self.second))
        assert (one.status_code, one.headers, one.content) == (two.status_code, two.headers, two.content), page
        return one.json() if one.headers["content-type"].startswith("application/json") else {}

    def _taxii(self) -> None:
        """Collections, object by object: by `next`, by the time of what was added last, and each by its id and its version."""
        for page in ("/taxii2/", "/taxii2/hub/", "/taxii2/hub/collections/", "/taxii2/hub/collections/inbox/objects/"):
            self._same(page)
        for group in GROUPS:
            for page in ("", "manifest/", "objects/", "objects/?limit=2"):
                self._same(f"/taxii2/hub/collections/group:{group}/{page}")
        root = "/taxii2/hub/collections/picture/"
        lines = self._same(f"{root}manifest/").get("objects", [])
        for kind in ("report", "location", "identity", "incident", "sighting", "note", "grouping"):
            self._same(f"{root}objects/?match[type]={kind}")
        for line in lines:
            self._same(f"{root}objects/{line['id']}/")
        for ident in (*sorted(self.reports), NEVER):
            for kind in ("report", "location"):
                self._same(f"{root}objects/{kind}--{ident}/")
                self._same(f"{root}objects/{kind}--{ident}/versions/")
        seen: list[Any] = []
        onward = ""
        for _ in range(100):
            found = self._same(f"{root}manifest/?limit=3{onward}")
            seen += found.get("objects", [])
            if "next" not in found:
                break
            onward = f"&next={quote(found['next'])}"
        assert seen == lines
        after = [line["date_added"] for line in lines]
        assert after == sorted(set(after))
        for at in after[-4:]:
            self._same(f"{root}objects/?added_after={at}")

    def _walk(self, page: str) -> None:
        """Page by page, as far as there are any."""
        after = None
        for _ in range(100):
            found = self._same(page if after is None else f"{page}&after={quote(str(after))}")
            if found.get("next") in (after, None):
                return
            after = found["next"]
