"""How long each room of the browser takes on a hub with N reports: for an agency's desk, the hub's staff and an agency's overseer.

usage: python bench/rooms.py [--reports 10000] [--times 50] [--port 8766]

A `tocsin serve` of its own, asked over HTTP, one request after another on a kept connection, as one person would who does not wait. Half of the reports are the
desk's own (GREEN), a quarter another agency's (GREEN), a quarter hidden from it (RED). Rooms are asked when all reports are in the incidents; pages of one
thing are of another one each time. Prints a line a figure: median and 95 %, milliseconds, and the bytes of the last answer.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyotp
from served import ask, begun, taken_in

PASSWORD = "four quiet words at dusk"
POST = 1000
KINDS = ("explosion/ied", "explosion/suicide")
DESK = (
    "/incidents", "/incidents/{}", "/feed", "/reports", "/reports/{}", "/reports/{}/release", "/judge?incident={}", "/signals", "/report", "/upload",
    "/requests", "/judgements", "/reporting", "/people", "/log",
)  # fmt: skip
ROOMS = {
    "agency": DESK,
    "staff": ("/reporting", "/agencies", "/agencies/police/leave", "/people", "/log"),
    "overseer": ("/requests", "/people", "/log"),
}


class Browser:
    """A person who accepts an invitation, and then asks for pages on one connection."""

    def __init__(self, port: int, path: str) -> None:
        self.connection, self.cookies = HTTPConnection("127.0.0.1", port, timeout=120), {}
        page = self.ask(path)[1].decode()
        secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
        form = re.search(r'name="form" value="(\w+)"', page)
        assert secret is not None
        assert form is not None
        code = pyotp.TOTP(secret[1].replace(" ", "")).now()
        self.ask(path, {"form": form[1], "password": PASSWORD, "again": PASSWORD, "code": code})

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()), "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("POST" if form else "GET", path, urlencode(form) if form else None, headers)
        answer = self.connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return answer.status, answer.read()


def reports(many: int, rng: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """Whose each is, and what it says."""
    for n in range(many):
        whose, marking = (("police", "GREEN"), ("police", "GREEN"), ("rescue", "GREEN"), ("rescue", "RED"))[n % 4]
        day = f"{2015 + rng.randrange(11)}-{1 + rng.randrange(12):02}-{1 + rng.randrange(28):02}"
        place = {"lat": 24 + 12 * rng.random(), "lon": 62 + 12 * rng.random(), "radius_km": 1.0, "place": f"Town {rng.randrange(300)}"}
        said = {"own_id": str(n), "event_start": day, "country": "PAK", "violence": "one_sided", "attack_type": rng.choice(KINDS)}
        yield whose, said | place | {"killed": rng.randrange(12), "marking": marking}


def load(port: int, tokens: dict[str, str], many: int) -> list[str]:
    """Sends all; gives ids of the desk's reports, when all are in the incidents."""
    held: dict[str, list[dict[str, Any]]] = {}
    for whose, said in reports(many, random.Random(1)):
        held.setdefault(whose, []).append(said)
    ids = []
    for whose, some in held.items():
        for at in range(0, len(some), POST):
            made = ask(port, tokens[whose], "POST", "/api/reports", some[at : at + POST])["results"]
            assert all(one["status"] == "stored" for one in made), made[0]
            ids += [one["report_id"] for one in made] if whose == "police" else []
    while not ask(port, tokens["police"], "GET", "/api/incidents?limit=1")["current"]:
        time.sleep(0.5)
    return ids


def measure(who: str, browser: Browser, idents: list[str], times: int) -> None:
    several = cycle(idents)
    for room in ROOMS[who]:
        took, size = [], 0
        for _ in range(times):
            path = room.format(next(several))
            began = time.perf_counter()
            status, body = browser.ask(path)
            took.append((time.perf_counter() - began) * 1000)
            size = len(body)
            assert status == 200, (path, status)
        took.sort()
        print(f"{who:10}{room:26}{statistics.median(took):8.1f}{took[int(len(took) * 0.95)]:8.1f}{size:10,}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--reports", 10_000), ("--times", 50), ("--port", 8766)):
        parser.add_argument(name, type=int, default=default)
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    folder.chmod(0o755)
    hub, said = begun(folder / "hub", args.port)
    try:
        tokens = taken_in(args.port, said, ("police", "rescue", "coast guard"), ("submit", "analyse", "administer_agency"))

        def invited(name: str, roles: list[str], agency: str | None) -> Browser:
            asked = {"name": name, "roles": roles} | ({"agency": agency} if agency else {})
            return Browser(args.port, ask(args.port, tokens["admin"], "POST", "/api/invitations", asked)["path"])

        idents = load(args.port, tokens, args.reports)
        people: dict[str, tuple[list[str], str | None]] = {
            "agency": (["submit", "analyse", "administer_agency"], "police"),
            "staff": (["administer_hub"], None),
            "overseer": (["oversee"], "police"),
        }
        print(f"{args.reports:,} reports, ms{'':14}{'':10}{'median':>8}{'95 %':>8}{'bytes':>10}")
        for who, (roles, agency) in people.items():
            measure(who, invited(who, roles, agency), idents, args.times)
    finally:
        hub.terminate()
        hub.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
