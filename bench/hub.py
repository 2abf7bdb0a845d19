"""A hub with many reports and 26 agencies: how long a page takes, how soon a report is in the incidents of all that it touches, and what it takes to hold.

usage: python bench/hub.py --reports FILE [--agencies 26] [--folder FOLDER] [--live 40] [--pages 200] [--seed 1]

FILE is made by bench/make_reports.py (`--reports 1000000`). Its reports are given to the agencies, with random handling: 55 % GREEN, 5 % CLEAR,
20 % AMBER for one of six groups, 15 % AMBER for one to three agencies, 5 % RED for the originator alone. They are copied into the tables of a new hub
(its own PostgreSQL, with fsync) by the owner, as one post of a thousand after another would leave them; what follows is the hub's own: fusion of the
lot, then `tocsin serve` on that folder, asked over HTTP.
Prints one line a figure with the goal beside it. FOLDER is kept where it is given, and used again as it stands.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import re
import resource
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psycopg
import taxii
from fusion import SPEC
from psycopg.sql import SQL, Identifier
from serve import memory
from served import begun

import tocsin
from tocsin.gate import Clearance, Role, tlp2
from tocsin.hub import Caller, Hub, clock
from tocsin.hub.clock import clock_of
from tocsin.hub.making.then import then
from tocsin.hub.pictures import Pictures
from tocsin.hub.pictures.given import give
from tocsin.store import Store, array
from tocsin.store.embedded import Embedded
from tocsin.store.setup import prepare, settle_scheme
from tocsin.watch import look

GROUPS = 6
KEEP = (
    "event_start", "event_end", "country", "admin1", "admin2", "place", "lat", "lon", "radius_km", "actor", "attack_type", "target_type", "killed", "wounded",
)  # fmt: skip
PIECE = 250_000
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
OPENED = """
    WITH v AS (SELECT * FROM visibility(%(ids)s::uuid[])),
    f AS (
        INSERT INTO feed SELECT v.audience, v.report_id, r.received_at, NULL, r.agency, r.body, r.supersedes, r.derived_from,
            h.originator, h.marking, h.releasable_to, h.orcon, h.released_to
        FROM v JOIN report r USING (report_id) JOIN handling h USING (report_id)
    )
    INSERT INTO stale (audience, report_id) SELECT v.audience, v.report_id FROM v JOIN report r USING (report_id) WHERE v.audience <> 'public'
    ORDER BY r.received_at, v.report_id
"""
ROOT = Caller("bench", Clearance(None, frozenset({Role.ADMINISTER_HUB})))


def say(what: str, value: object, goal: str = "") -> None:
    print(f"{what:<78}{value!s:>16}   {goal}", flush=True)


def tables(frame: pl.DataFrame, first: int, names: list[str], chance: np.random.Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines of the tables `report` and `handling`; first: how many reports were before."""
    n, many = frame.height, len(names)
    at = chance.random(n)
    agency = pl.Series("agency", names)[chance.integers(many, size=n)]
    group = pl.Series([f"group:g{g}" for g in range(GROUPS)])[chance.integers(GROUPS, size=n)]
    three = chance.random((n, many)).argpartition(2, axis=1)[:, :3]
    three[np.arange(3) > chance.integers(3, size=(n, 1))] = -1
    several = pl.DataFrame([pl.Series(str(c), [*names, None])[three[:, c]] for c in range(3)])
    given = pl.lit(pl.Series(at))
    handling = pl.DataFrame({"report_id": frame["report_id"], "originator": agency}).with_columns(
        marking=pl.when(given < 0.55).then(pl.lit("GREEN")).when(given < 0.6).then(pl.lit("CLEAR")).when(given < 0.95).then(pl.lit("AMBER"))
        .otherwise(pl.lit("RED")),
        releasable_to=pl.when(given < 0.6).then(pl.lit(""))
        .when(given < 0.8).then(pl.lit(group))
        .when(given < 0.95).then(several.select(pl.concat_str(pl.all(), separator=",", ignore_nulls=True)).to_series())
        .otherwise(pl.lit("")),
    )  # fmt: skip
    said = frame.select(
        "report_id", *(pl.col(c).cast(pl.String) if frame.schema[c] in (pl.Date, pl.Categorical) else pl.col(c) for c in KEEP)
    )
    body = said.select(
        pl.struct(
            own_id="report_id", kind=pl.lit("event"), violence=pl.lit("unknown"), origin=pl.lit(agency) + " " + pl.col("report_id"),
            marking=pl.lit(handling["marking"]), releasable_to=pl.lit(handling["releasable_to"]).str.split(",").list.filter(pl.element() != ""),
            **{c: pl.col(c) for c in KEEP},
        ).struct.json_encode().str.replace_all(r',"[a-z0-9_]+":null', "").alias("body")
    )  # fmt: skip
    second = pl.Series("received_at", (first + np.arange(n)) // 1000, dtype=pl.Int64)
    times = (
        pl.select(pl.lit(BEGIN) + pl.duration(seconds=pl.lit(second))).to_series().dt.strftime("%Y-%m-%dT%H:%M:%S+00").alias("received_at")
    )
    report = pl.DataFrame([frame["report_id"], agency.alias("agency"), times, body.to_series()])
    return report, handling.with_columns(pl.concat_str(pl.lit("{"), "releasable_to", pl.lit("}")).alias("releasable_to"), orcon=pl.lit("f"))


def copied(connection: psycopg.Connection[Any], table: str, frame: pl.DataFrame) -> None:
    columns = SQL(", ").join(map(Identifier, frame.columns))
    with connection.cursor() as cursor, cursor.copy(SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(Identifier(table), columns)) as copy:
        copy.write(frame.write_csv(include_header=False).encode())


def fill(owner: str, path: Path, names: list[str], seed: int) -> int:
    """Copies reports and their handling, and opens them to whom they may reach, piece by piece."""
    chance, n = np.random.default_rng(seed), 0
    with psycopg.connect(owner) as connection:
        connection.execute("SET search_path = tocsin")
        row = connection.execute("SELECT count(*) FROM report").fetchone()
        for frame in pieces(path):
            report, handling = tables(frame, n, names, chance)
            if row and n < row[0]:  # this piece is there already
                n += frame.height
                continue
            copied(connection, "report", report)
            copied(connection, "handling", handling)
            connection.execute("ANALYZE report, handling, agency, member")
            connection.execute(OPENED, {"ids": array(frame["report_id"])})
            connection.commit()
            n += frame.height
        connection.execute("UPDATE clock SET last = (SELECT max(received_at) FROM report)")
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return n


def pieces(path: Path) -> Iterator[pl.DataFrame]:
    """The reports of FILE, as `tocsin.read` knows them, as many at once as memory holds with ease."""
    every = pl.scan_parquet(path)
    with tempfile.TemporaryDirectory() as folder:
        some = Path(folder) / path.name
        for first in range(0, every.select(pl.len()).collect().item(), PIECE):
            every.slice(first, PIECE).collect().write_parquet(some)
            yield tocsin.read(some, spec=SPEC).reports


class Asking:
    """The API, by one agency's token."""

    def __init__(self, port: int, token: str) -> None:
        self.url, self.token = f"http://127.0.0.1:{port}", token

    def __call__(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as why:
            return {"status": why.code}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=Path, required=True)
    parser.add_argument("--agencies", type=int, default=26)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--live", type=int, default=40)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--port", type=int, default=8471)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    names = [f"agency-{n:02d}" for n in range(options.agencies)]
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as temporary:
        Path(temporary).chmod(0o755)
        folder = options.folder or Path(temporary) / "hub"
        if not (folder / "filled").exists():
            filled(folder, names, options)
        measured(folder, names, options)


def filled(folder: Path, names: list[str], options: argparse.Namespace) -> None:
    """A new hub, with all its reports fused; goes on where it was cut short."""
    with Embedded(folder) as server:
        roles = prepare(server.conninfo(), server.secrets)
        if not (folder / "copied").exists():
            if not (folder / "begun").exists():
                settle_scheme(roles["migrate"], None, tlp2().markings)
                agencies(roles["web"], names)
                (folder / "begun").touch()
            began = time.perf_counter()
            many = fill(server.conninfo(), options.reports, names, options.seed)
            say("reports copied into the tables", many)
            say("  seconds", round(time.perf_counter() - began, 1))
            (folder / "copied").touch()
        fused(roles["fuse"])
        with psycopg.connect(server.conninfo(), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
    (folder / "filled").touch()


def agencies(conninfo: str, names: list[str]) -> None:
    store = Store(conninfo, size=1)
    hub = Hub(store, clock())
    for n, name in enumerate(names):
        hub.staff.add_agency(ROOT, name)
        hub.staff.set_member(ROOT, f"g{n % GROUPS}", name, True)
    store.close()


def fused(conninfo: str) -> None:
    """Takes in the backlog as the fusion process does, piece by piece, with what goes to TAXII."""
    store, began, done = Store(conninfo, size=1), time.perf_counter(), 0
    pictures = Pictures(store)
    while step := pictures.step():
        done += step
        while give(store):
            pass
        if pictures.waiting:
            say("  fused so far", done, f"{time.perf_counter() - began:.0f} s")
    say("all fused, for every agency: seconds", round(time.perf_counter() - began, 1))
    say("  most memory that took, MB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000)
    store.close()


def measured(folder: Path, names: list[str], options: argparse.Namespace) -> None:
    began = time.perf_counter()
    with Embedded(folder) as server:
        sizes(server)
        roles = prepare(server.conninfo(), server.secrets)
        store = Store(roles["web"], size=1)
        hub = Hub(store, clock())
        label = f"bench {time.time():.0f}"
        tokens = {n: hub.tokens.add(ROOT, label, n, ["submit", "analyse"], 30)["token"] for n in names}
        store.close()
        alone = multiprocessing.get_context("spawn").Process(target=looked, args=(roles["fuse"], names[0]))  # its memory is told by itself
        alone.start()
        alone.join()
    process, _ = begun(folder, options.port, folder.parent / f"{folder.name}.log")
    try:
        ask = {name: Asking(options.port, token) for name, token in tokens.items()}
        began = time.perf_counter()
        current(ask[names[0]], names, options)
        say("  seconds from ready until the first new report was in the incidents", round(time.perf_counter() - began, 1))
        pages(ask, options)
        live(ask, names, options)
        written(ask[names[0]], options)
        by_taxii(tokens[names[0]], tokens[names[1]], options)
        for part, (rss, pss, processes) in memory(process.pid).items():
            say(f"memory of {part}: PSS MB ({processes} processes, RSS {rss:.0f})", round(pss))
    finally:
        process.terminate()
        process.wait()
    members(folder, names[0])


def members(folder: Path, name: str) -> None:
    """An agency goes out of its group, and comes into it again: other writes wait meanwhile."""
    with Embedded(folder) as server:
        store = Store(prepare(server.conninfo(), server.secrets)["web"], size=1)
        hub, took = Hub(store, clock_of(store)), []
        for inside in (False, True):
            began = time.perf_counter()
            hub.staff.set_member(ROOT, "g0", name, inside)
            took.append(round(time.perf_counter() - began, 1))
        store.close()
        with psycopg.connect(server.conninfo()) as connection:
            row = connection.execute("SELECT count(*) FROM tocsin.handling WHERE releasable_to @> ARRAY['group:g0']").fetchone()
    say("an agency goes out of a group, and into it: reports that name the group", row[0] if row else 0)
    say("  seconds", "; ".join(map(str, took)))


def looked(conninfo: str, name: str) -> None:
    """A look for signals, as the hub takes it of one agency after another; where all reports are old there is nothing to test."""
    store, began, cpu = Store(conninfo, size=1), time.perf_counter(), time.process_time()
    known = then(store, name, clock()())
    look(known.fused().incidents, as_of=known.day, every=1, sensitivity=False)
    store.close()
    say("a look of one agency: reports that it sees", known.reports.height)
    say("  seconds; CPU seconds of the process that looks", f"{time.perf_counter() - began:.0f}; {time.process_time() - cpu:.0f}")
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())  # that of getrusage begins with the parent's
    say("  most memory that took, MB", int(peak[1]) // 1000 if peak else "not told")


def sizes(server: Embedded) -> None:
    with psycopg.connect(server.conninfo()) as connection:
        for name in ("report", "handling", "feed", "incident", "incident_of", "published"):
            row = connection.execute(f"SELECT count(*), pg_total_relation_size('tocsin.{name}') FROM tocsin.{name}").fetchone()
            assert row is not None
            say(f"{name}: lines", row[0])
            say("  GB on disk with its indexes", round(row[1] / 1e9, 2))
        row = connection.execute("""
            SELECT count(*) FILTER (WHERE audience = '*') * (SELECT count(*) FROM tocsin.agency) + count(*) FILTER (WHERE audience NOT IN ('*', 'public'))
            FROM tocsin.feed
        """).fetchone()
        say("  lines that a feed keyed by each agency would have", row[0] if row else 0)
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        say("GB on disk of the whole database", round(row[0] / 1e9, 2) if row else 0)


def post(chance: random.Random, named: list[str], n: int) -> dict[str, Any]:
    """One report, near many others."""
    day = (datetime(2016, 1, 1, tzinfo=UTC) + timedelta(days=chance.randrange(300))).date().isoformat()
    where = {"lat": 33.3 + chance.random(), "lon": 44.4 + chance.random(), "radius_km": 2.5, "country": "IRQ", "event_start": day}
    marking = {"marking": "AMBER", "releasable_to": named} if named else {"marking": "GREEN"}
    return {"own_id": f"bench {time.time()} {n}", "killed": chance.randrange(9), "attack_type": "explosion/suicide"} | where | marking


def current(ask: Asking, names: list[str], options: argparse.Namespace) -> None:
    """Waits until the fusion process has read what there is."""
    ident = ask("POST", "/api/reports", post(random.Random(time.time()), [], -1))["results"][0]["report_id"]
    while "incident_id" not in ask("GET", f"/api/incidents/{ident}"):
        time.sleep(0.2)


def spread(seconds: list[float]) -> str:
    several = sorted(1000 * s for s in seconds)
    return f"{statistics.median(several):.1f} / {several[int(0.95 * len(several))]:.1f} / {several[-1]:.1f}"


def pages(ask: dict[str, Asking], options: argparse.Namespace) -> None:
    """Pages of 100 from any place of any agency's feed and incidents."""
    chance = random.Random(options.seed)
    for path in ("/api/feed", "/api/incidents"):
        took, places = [], dict.fromkeys(ask, "")
        for _ in range(options.pages):
            name = chance.choice(list(ask))
            began = time.perf_counter()
            page = ask[name]("GET", f"{path}?limit=100&after={places[name]}")
            took.append(time.perf_counter() - began)
            places[name] = page["next"]
        say(f"{path}, a page of 100, ms: median / 95 % / worst", spread(took), "goal: < 10")


def live(ask: dict[str, Asking], names: list[str], options: argparse.Namespace) -> None:
    """One report after another, each named for some agencies or for all: until it is in the incidents of each."""
    chance, took = random.Random(options.seed), []
    for n in range(options.live):
        reached = chance.sample(names[1:], 2) if n % 2 else names[1:]
        ident = ask[names[0]]("POST", "/api/reports", post(chance, reached if n % 2 else [], n))["results"][0]["report_id"]
        began = time.perf_counter()
        for name in (names[0], *reached):
            while "incident_id" not in ask[name]("GET", f"/api/incidents/{ident}"):
                time.sleep(0.01)
        took.append(time.perf_counter() - began)
    say("a report in the incidents of all that it touches, ms after the answer", spread(took), "goal: <= 1000")


def written(ask: Asking, options: argparse.Namespace) -> None:
    chance, took = random.Random(options.seed), []
    for n in range(5):
        many = [post(chance, [], 1000 * n + k) for k in range(600)]
        began = time.perf_counter()
        ask("POST", "/api/reports", many)
        took.append(time.perf_counter() - began)
    say("600 reports written and committed, ms", spread(took), "goal: <= 1000")


def by_taxii(sender: str, reader: str, options: argparse.Namespace) -> None:
    """What bench/taxii.py asks of a small hub; pages are from the begin of the picture on."""
    client, onward = taxii.Client(options.port, reader), ""

    def page() -> None:
        nonlocal onward
        _, said, _ = client.ask(f"picture/objects/?limit=100{onward}")
        onward = f"&next={said['next']}" if "next" in said else ""

    taxii.times("TAXII: a page of 100 of the picture", "< 50", options.pages, page)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    taxii.times(
        "TAXII: a poll with nothing new", "< 10", options.pages, lambda: client.ask(f"picture/objects/?limit=100&added_after={now}")
    )
    taxii.load(taxii.Client(options.port, sender), argparse.Namespace(objects=20_000, post=1000))
    taxii.crowd(options.port, reader, argparse.Namespace(readers=200))


if __name__ == "__main__":
    main()
