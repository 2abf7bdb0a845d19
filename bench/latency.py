"""Whether the time of an answer tells what is hidden: AUC of latency, .50 where it tells nothing.

usage: python bench/latency.py [--hidden 1000000] [--requests 20000] [--starts 5] [--visible 2000] [--seed 1] [--folder FOLDER]
           [--steps 7.5 0] [--pages 4000] [--kinds KIND ...]

Two hubs on this machine, each with its own PostgreSQL and web processes, one for each of `--steps`: answers leave at multiples of so many milliseconds after
their request (0: when they are ready). Agency B sees the same `--visible` reports in both; the first hub holds besides as many
reports as `--hidden` that only agency A sees. B then asks, one request after another, in random order:

  report        GET of a report's id in the first hub: half of them hidden reports', half of them ids that never were
  incident      GET of an incident, the same
  poll          GET of its feed after all it has read, of the one hub and of the other
  page          a page of 100 of its feed, from a random place, the same
  incidents     a page of 100 of its incidents, the same
  post          POST of a report, the same
  taxii poll    GET by TAXII of what was added to its picture since all it has read, the same
  taxii page    a page of 100 of its picture by TAXII, reports and incidents, the same

AUC is the chance that an answer about the hidden (or from the hub that holds it) took longer than one about nothing (or from the other), ties counting
half. Two processes of one program differ by a few percent by themselves, so both hubs are started anew `--starts` times, in turn the one and the other first,
and each time asked a share of the requests: AUC is the mean over the starts, beside it a 95 % interval by how much they differ (Student's t), and the
least and most of them (of one start: by Hanley and McNeil 1982). Goal: .50 +- .02. Fusion does not run: how long it takes is not promised (docs/gate.md).

Last, what a request of each kind has the database do in the one hub and the other, which no noise touches: blocks that it finds in its memory, blocks that it
fetches, and whole pages that it writes into its log, the mean of the last start.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import math
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psycopg
from scipy.stats import t as student

from tocsin.gate import Clearance, Role, tlp2
from tocsin.hub import Caller, Hub, clock
from tocsin.server.steps import STEP
from tocsin.store import Store
from tocsin.store.embedded import Embedded
from tocsin.store.setup import prepare, settle_scheme
from tocsin.terms.ids import report_id

STAFF = Caller("bench", Clearance(None, frozenset({Role.ADMINISTER_HUB})))
GOAL = 0.02
KINDS = ("report", "incident", "poll", "taxii poll", "incidents", "page", "taxii page", "post")
PICTURE = "/taxii2/hub/collections/picture/objects/"


class Asked:
    """One hub, asked by B over a connection that stays open."""

    def __init__(self, port: int, token: str) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.last = ""
        self.owner = ""  # a connection of the hub's owner

    def work(self) -> np.ndarray:
        """What the web process had the database do until now: blocks found, blocks fetched, whole pages logged."""
        time.sleep(1.1)  # the database counts up once a second, at the end of a request
        self("GET", "/ready")
        with psycopg.connect(self.owner) as connection:
            row = connection.execute(
                "SELECT sum(i.hits), sum(i.reads), sum(w.wal_fpi) FROM pg_stat_activity a"
                " CROSS JOIN LATERAL (SELECT sum(hits) AS hits, sum(reads) AS reads FROM pg_stat_get_backend_io(a.pid) WHERE object = 'relation') i"
                " CROSS JOIN LATERAL pg_stat_get_backend_wal(a.pid) w WHERE a.usename = 'tocsin_web' AND a.datname = current_database()"
            ).fetchone()
        return np.array(row, float)

    def __call__(self, method: str, path: str, body: object = None) -> tuple[float, dict[str, object]]:
        """(seconds, the answer)."""
        data = None if body is None else json.dumps(body).encode()
        for last in (False, True):
            try:
                began = time.perf_counter()
                self.line.request(method, path, data, self.headers)
                answer = self.line.getresponse().read()
                return time.perf_counter() - began, json.loads(answer)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.line.close()  # it was silent too long; connecting does not count
                if last:
                    raise
                self.line.connect()
        raise AssertionError


@contextlib.contextmanager
def hub(folder: Path, port: int, hidden: int, visible: int, steps: list[float]) -> Iterator[list[Asked]]:
    """A hub with a web process for each of `steps`, and no fusion."""
    with Embedded(folder) as server:
        roles = prepare(server.conninfo(), server.secrets)
        settle_scheme(roles["migrate"], None, tlp2().markings)
        store = Store(roles["web"], size=1)
        made = Hub(store, clock())
        with contextlib.suppress(Exception):  # a folder that is used again has them
            for name in ("A", "B"):
                made.staff.add_agency(STAFF, name)
        token = made.tokens.add(STAFF, f"bench {time.time():.0f}", "B", ["submit", "analyse"], 30)["token"]
        store.close()
        fill(server.conninfo(), hidden, visible)
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(web(server.conninfo(), roles["web"], port + n, step, token)) for n, step in enumerate(steps)]


@contextlib.contextmanager
def web(owner: str, conninfo: str, port: int, step: float, token: str) -> Iterator[Asked]:
    """A web process whose answers leave at multiples of `step` milliseconds."""
    process = subprocess.Popen([sys.executable, "-m", "tocsin.server.child", "web"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None
    process.stdin.write(json.dumps({"conninfo": conninfo, "port": port, "rate": 1_000_000, "step": step / 1000}).encode() + b"\n")
    process.stdin.flush()
    ask = Asked(port, token)
    for _ in range(600):
        try:
            ask("GET", "/ready")
            break
        except OSError:
            ask.line.close()
            time.sleep(0.1)
    ask.owner = owner
    try:
        yield ask
    finally:
        process.stdin.close()
        process.wait()


def fill(owner: str, hidden: int, visible: int) -> None:
    """Reports that both see, one GREEN after another with an incident of its own, and those that only A sees."""
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("SET search_path = tocsin")
        if connection.execute("SELECT FROM report LIMIT 1").fetchone() is not None:
            return
        for prefix, many, marking in (("seen", visible, "GREEN"), ("hidden", hidden, "RED")):
            with connection.transaction(), connection.cursor() as cursor:
                ids = [report_id("A", f"{prefix} {n}") for n in range(many)]
                with cursor.copy("COPY report (report_id, agency, received_at, body) FROM STDIN") as copy:
                    for n, ident in enumerate(ids):
                        body = {
                            "own_id": f"{prefix} {n}",
                            "kind": "event",
                            "violence": "unknown",
                            "killed": n % 7,
                            "marking": marking,
                            "origin": ident,
                        }
                        body |= {"event_start": "2026-01-01", "event_end": "2026-01-01", "country": "PAK", "lat": 24.9, "lon": 67.0}
                        copy.write_row((ident, "A", f"2026-01-01 00:00:00.{n % 1_000_000:06d}+00", json.dumps(body)))
                with cursor.copy("COPY handling (report_id, originator, marking, releasable_to, orcon) FROM STDIN") as copy:
                    for ident in ids:
                        copy.write_row((ident, "A", marking, [], False))
                audience = "*" if marking == "GREEN" else "A"
                cursor.execute(
                    "INSERT INTO feed SELECT %s, r.report_id, r.received_at, NULL, r.agency, r.body, r.supersedes, r.derived_from,"
                    " h.originator, h.marking, h.releasable_to, h.orcon, h.released_to"
                    " FROM report r JOIN handling h USING (report_id) WHERE marking = %s",
                    (audience, marking),
                )
                cursor.execute(
                    "INSERT INTO incident SELECT %s, report_id, '2026-01-01', report_id,"
                    " (jsonb_build_object('report_ids', jsonb_build_array(report_id), 'agencies', jsonb_build_array(r.agency)) || body)::json"
                    " FROM report r JOIN handling USING (report_id) WHERE marking = %s",
                    (audience, marking),
                )
                cursor.execute(
                    "INSERT INTO incident_of SELECT %s, report_id, report_id FROM handling WHERE marking = %s", (audience, marking)
                )
        while (row := connection.execute("SELECT publish_some('-infinity', 2000)").fetchone()) and row[0]:  # gives them by TAXII
            pass
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")  # or what was loaded is still being written while the first hub answers


def auc(longer: list[float], shorter: list[float]) -> tuple[float, float]:
    """(the chance that one of the first is the longer, half its 95 % interval)."""
    both = np.concatenate([longer, shorter])
    order = both.argsort(kind="stable")
    ranks = np.empty(len(both))
    ranks[order] = np.arange(1, len(both) + 1)
    for value in np.unique(both[order][1:][np.diff(both[order]) == 0]):
        ranks[both == value] = ranks[both == value].mean()
    m, n = len(longer), len(shorter)
    found = float((ranks[:m].sum() - m * (m + 1) / 2) / (m * n))
    one, two = found / (2 - found), 2 * found**2 / (1 + found)
    variance = (found * (1 - found) + (m - 1) * (one - found**2) + (n - 1) * (two - found**2)) / (m * n)
    return found, 1.96 * math.sqrt(variance)


Took = tuple[list[float], list[float]]


def timed(first: Callable[[int], float], second: Callable[[int], float], many: int, chance: random.Random) -> Took:
    """Asks `many` times in random order, half of them each: how long each took."""
    turns = [k % 2 for k in range(many)]
    chance.shuffle(turns)
    took: Took = ([], [])
    for n, turn in enumerate(turns):
        took[turn].append((second if turn else first)(n))
    return took


def say(name: str, several: list[Took]) -> None:
    """A line of what was asked, over all starts: their mean AUC, and how far it may be off by how much they differ."""
    found = [auc(*took)[0] for took in several]
    half = (
        student.ppf(0.975, len(found) - 1) * float(np.std(found, ddof=1)) / math.sqrt(len(found)) if len(found) > 1 else auc(*several[0])[1]
    )
    mean, count = float(np.mean(found)), sum(len(one) for took in several for one in took)
    middle = [1000 * float(np.median(np.concatenate([took[k] for took in several]))) for k in (0, 1)]
    print(
        f"{name:<23}{count:>7}{mean:>8.3f} +- {half:.3f}{middle[0]:>10.2f} {middle[1]:>10.2f} ms   "
        f"{'within' if abs(mean - 0.5) <= GOAL else 'NOT within'} .50 +- {GOAL:.2f}   {min(found):.3f} to {max(found):.3f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--pages", type=int, help="of pages and posts, so many requests; a fifth of --requests")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--visible", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=8473)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--steps", type=float, nargs="+", default=[1000 * STEP, 0])
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="tocsin-latency-") as temporary:
        Path(temporary).chmod(0o755)
        folder = options.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        print(
            f"{options.hidden} reports hidden in the first hub, none in the second; {options.visible} seen in both; {options.starts} starts"
        )
        print(f"{'':<21}{'requests':>9}{'AUC':>8}{'':<9}{'medians':>10}{'':<42}of single starts")
        every: dict[str, list[Took]] = {}
        work: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for start in range(options.starts):
            with contextlib.ExitStack() as stack:
                hubs = {}
                for which in ("full", "bare") if start % 2 else ("bare", "full"):
                    many = options.hidden if which == "full" else 0
                    first = options.port + len(hubs) * len(options.steps)
                    hubs[which] = stack.enter_context(hub(folder / which, first, many, options.visible, options.steps))
                for step, full, bare in zip(options.steps, hubs["full"], hubs["bare"], strict=True):
                    for name, took in asked(full, bare, options, chance, work).items():
                        every.setdefault(f"{name}, {f'steps {step:g} ms' if step else 'at once'}", []).append(took)
        for name, several in sorted(every.items(), key=lambda line: KINDS.index(line[0].split(",")[0])):
            say(name, several)
        print(
            f"{'':<12}{'blocks found':>24}{'blocks fetched':>24}{'whole pages logged':>24}   each of a request of the first hub and of the second"
        )
        for name, (one, other) in work.items():
            print(f"{name:<12}" + "".join(f"{a:>14.2f}{b:>10.2f}" for a, b in zip(one, other, strict=True)))


Work = dict[str, tuple[np.ndarray, np.ndarray]]


def asked(full: Asked, bare: Asked, options: argparse.Namespace, chance: random.Random, work: Work) -> dict[str, Took]:
    """One start's share of the requests. work: what they had the database do is written into it."""
    many, few = options.requests // options.starts, max(200, options.pages or options.requests // 5) // options.starts
    hidden = [report_id("A", f"hidden {chance.randrange(max(1, options.hidden))}") for _ in range(many)]
    never = [report_id("A", f"never {n}") for n in range(many)]
    seen = [report_id("A", f"seen {n}") for n in range(options.visible)]
    for one in (full, bare):
        for n in range(300):  # both are warm
            one("GET", f"/api/reports/{seen[n % len(seen)]}")
        while (page := one("GET", f"/api/feed?limit=1000&after={one.last}")[1])["next"] != one.last:
            one.last = str(page["next"])
    places = {one: [""] for one in (full, bare)}
    for one in (full, bare):
        for _ in range(options.visible // 100 - 1):
            places[one].append(str(one("GET", f"/api/feed?limit=100&after={places[one][-1]}")[1]["next"]))
    out = {}
    for name, path in (("report", "reports"), ("incident", "incidents")):
        one, other = ([f"/api/{path}/{i}" for i in ids] for ids in (hidden, never))
        if name not in options.kinds:
            continue
        out[name] = timed(lambda n, one=one: full("GET", one[n])[0], lambda n, other=other: full("GET", other[n])[0], many, chance)

    def both(name: str, ask: Callable[[Asked, int], float], count: int) -> None:
        if name not in options.kinds:
            return
        before = full.work(), bare.work()
        took = out[name] = timed(lambda n: ask(full, n), lambda n: ask(bare, n), count, chance)
        one, other = ((hub.work() - was) / len(part) for hub, was, part in zip((full, bare), before, took, strict=True))
        work[name] = one, other

    both("poll", lambda one, n: one("GET", f"/api/feed?after={one.last}")[0], many)
    both("page", lambda one, n: one("GET", f"/api/feed?limit=100&after={places[one][n % len(places[one])]}")[0], few)
    both("incidents", lambda one, n: one("GET", "/api/incidents?limit=100")[0], few)
    ends = {one: added_last(one) for one in (full, bare)}
    both("taxii poll", lambda one, _: one("GET", f"{PICTURE}?added_after={ends[one]}")[0], many)
    both("taxii page", lambda one, n: one("GET", f"{PICTURE}?limit=100&match[type]={('report', 'incident')[n % 2]}")[0], few)
    both("post", lambda one, n: one("POST", "/api/reports", [posted(n)])[0], few)
    return out


def added_last(one: Asked) -> str:
    """When the last of B's picture was added."""
    after, found = "1970-01-01T00:00:00Z", True
    one("GET", "/ready")  # connects anew where it was silent too long
    while found:
        one.line.request("GET", f"{PICTURE.replace('objects', 'manifest')}?limit=1000&added_after={after}", headers=one.headers)
        answer = one.line.getresponse()
        found, after = "objects" in json.loads(answer.read()), answer.headers["X-TAXII-Date-Added-Last"]
    return after


def posted(n: int) -> dict[str, object]:
    return {"own_id": str(uuid.uuid4()), "event_start": "2026-01-01", "country": "PAK", "killed": n % 5, "marking": "AMBER"}


if __name__ == "__main__":
    main()
