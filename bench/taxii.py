"""TAXII 2.1 of a hub that runs: how fast objects are taken, how long a page takes and a poll with nothing new, and what many readers at once do.

usage: python bench/taxii.py [--objects 100000] [--post 1000] [--pages 50] [--readers 200] [--folder FOLDER]

A `tocsin serve` of its own, asked over HTTP. Half of the objects are `incident`s under TLP:GREEN, which become reports that every agency sees; the other half
are indicators, which are kept for their sender. Both are validated before they are stored. One agency sends, another reads its picture.
Prints one line a figure with the goal beside it. FOLDER is kept where it is given.
"""

from __future__ import annotations

import argparse
import base64
import json
import shutil
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from served import ask, begun, taken_in

TAXII = "application/taxii+json;version=2.1"
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
WHEN = "2026-01-02T00:00:00.000Z"


def say(what: str, value: object, goal: str = "") -> None:
    print(f"{what:<78}{value!s:>16}   {goal}", flush=True)


def objects(kind: str, many: int) -> list[dict[str, Any]]:
    head = {"type": kind, "spec_version": "2.1", "created": WHEN, "modified": WHEN}
    more: dict[str, Any] = {"name": "Blast", "description": "Three killed near the station.", "object_marking_refs": [GREEN]}
    if kind == "indicator":
        more = {"pattern": "[ipv4-addr:value = '203.0.113.7']", "pattern_type": "stix", "valid_from": WHEN}
    return [head | more | {"id": f"{kind}--{uuid.uuid4()}"} for _ in range(many)]


class Client:
    """One kept connection."""

    def __init__(self, port: int, token: str) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=120)
        word = base64.b64encode(f"bench:{token}".encode()).decode()
        self.headers = {"Authorization": f"Basic {word}", "Accept": TAXII, "Content-Type": TAXII}

    def ask(self, path: str, body: Any = None) -> tuple[int, Any, Any]:
        sent = None if body is None else json.dumps(body)
        self.connection.request("POST" if sent else "GET", f"/taxii2/hub/collections/{path}", sent, self.headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers


def times(what: str, goal: str, many: int, ask: Callable[[], Any]) -> None:
    took = []
    for _ in range(many):
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    say(f"{what}, ms: median, 95 %", f"{statistics.median(took):.1f}, {took[int(len(took) * 0.95)]:.1f}", goal)


def load(client: Client, args: argparse.Namespace) -> None:
    for kind in ("incident", "indicator"):
        envelopes = [{"objects": objects(kind, args.post)} for _ in range(args.objects // 2 // args.post)]
        began = time.perf_counter()
        for envelope in envelopes:
            status, said, _ = client.ask("inbox/objects/", envelope)
            assert (status, said["success_count"]) == (202, args.post), said
        took = time.perf_counter() - began
        say(f"{len(envelopes) * args.post} objects of type {kind}, taken a second", f"{len(envelopes) * args.post / took:.0f}", "> 3000")


def read(client: Client, args: argparse.Namespace) -> str:
    began, found, pages, onward = time.perf_counter(), 0, 0, ""
    while True:
        _, said, headers = client.ask(f"picture/objects/?limit=1000{onward}")
        found, pages = found + len(said.get("objects", [])), pages + 1
        if "next" not in said:
            break
        onward = f"&next={said['next']}"
    say(f"all {found} objects of the picture, {pages} pages, objects a second", f"{found / (time.perf_counter() - began):.0f}")
    last: str = headers["X-TAXII-Date-Added-Last"]
    _, said, headers = client.ask("picture/manifest/?limit=1000")
    middle = headers["X-TAXII-Date-Added-Last"]
    times(
        "a page of 100 of the picture, from its begin",
        "< 50",
        args.pages,
        lambda: client.ask("picture/objects/?match[type]=report&limit=100"),
    )
    times(
        "a page of 100 of the picture, from within a post of many",
        "< 50",
        args.pages,
        lambda: client.ask(f"picture/objects/?limit=100&added_after={middle}"),
    )
    times("a poll with nothing new", "< 10", args.pages, lambda: client.ask(f"picture/objects/?limit=100&added_after={last}"))
    return last


def crowd(port: int, token: str, args: argparse.Namespace) -> None:
    wrong: list[object] = []
    took: list[float] = []

    def one() -> None:
        client = Client(port, token)
        for _ in range(3):
            began = time.perf_counter()
            try:
                status, said, _ = client.ask("picture/objects/?limit=100")
                if status != 200 or len(said["objects"]) != 100:
                    wrong.append(status)
            except (OSError, ValueError) as why:
                wrong.append(why)
            took.append(time.perf_counter() - began)

    threads = [threading.Thread(target=one) for _ in range(args.readers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    say(f"{args.readers} readers at once, three pages of 100 each: errors", len(wrong), "0")
    say("pages a second; slowest, s", f"{len(took) / (time.perf_counter() - began):.0f}; {max(took):.1f}")
    for why in wrong[:3]:
        print("   ", repr(why))


def live(port: int, tokens: dict[str, str], after: str) -> None:
    """From the answer to a report until its incident is in another agency's picture."""
    reader, took = Client(port, tokens["reader"]), []
    for n in range(20):
        body = {"own_id": f"live {n}", "marking": "GREEN", "country": "PAK", "event_start": "2026-01-05", "lat": 24 + n / 2, "lon": 67.0}
        ident = ask(port, tokens["sender"], "POST", "/api/reports", body)["results"][0]["report_id"]
        began = time.perf_counter()
        while ident not in json.dumps((said := reader.ask(f"picture/objects/?match[type]=incident&added_after={after}"))[1]):
            time.sleep(0.01)
        took.append((time.perf_counter() - began) * 1000)
        after = said[2]["X-TAXII-Date-Added-Last"]
    say(
        "a report's incident in a picture, after the answer, ms: median, worst", f"{statistics.median(took):.0f}, {max(took):.0f}", "< 1000"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--objects", 100_000), ("--post", 1000), ("--pages", 50), ("--readers", 200), ("--port", 8765)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--folder")
    args = parser.parse_args()
    folder = Path(args.folder or tempfile.mkdtemp(prefix="tocsin-bench-"))
    folder.chmod(0o755)
    hub, said = begun(folder / "hub", args.port)
    try:
        tokens = taken_in(args.port, said, ("sender", "reader"), ("submit", "analyse"))
        load(Client(args.port, tokens["sender"]), args)
        last = read(Client(args.port, tokens["reader"]), args)
        live(args.port, tokens, last)
        crowd(args.port, tokens["reader"], args)
    finally:
        hub.terminate()
        hub.wait(60)
        if not args.folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
