"""Whether what a hub acknowledged is ever lost: N times, at a random moment under load, `kill -9` of one of its processes; then each report is sought.

usage: python bench/loss.py [--kills 100] [--posters 4] [--seed 1]

Killed in turn: the parent (then the command is given again, as a service manager would), the web process, PostgreSQL's postmaster (the parent starts both
again), and parent and PostgreSQL at once, as by a power cut but for what the disk's own cache holds. Posters send reports all the while, 1 to 20 a post, and
send a post again until it is answered; what is answered `stored` or `known` counts as acknowledged. Exit code 1 where one is lost.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from serve import below, part
from served import begun, taken_in

TARGETS = ("parent", "web", "PostgreSQL", "parent and PostgreSQL")


class Hub:
    """A hub in a folder; `start` may be called again after its parent was killed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder, ""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def start(self) -> None:
        """Until it says that it is ready."""
        self.process, said = begun(self.folder, self.port, self.folder / "hub.log")
        self.said += said

    def ask(self, token: str, method: str, path: str, body: Any = None, *, timeout: float = 30) -> Any:
        """The answer, or None where there is none."""
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
            with contextlib.closing(connection):
                headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
                connection.request(method, path, None if body is None else json.dumps(body), headers)
                answer = connection.getresponse()
                said = answer.read()
                return json.loads(said) if answer.status < 300 else None
        return None

    def ready(self) -> None:
        """Until it answers again."""
        end = time.monotonic() + 60
        while self.ask("", "GET", "/ready", timeout=5) is None:
            if time.monotonic() > end:
                sys.exit("the hub did not come back within 60 s")
            time.sleep(0.02)

    def kill(self, target: str) -> None:
        """`kill -9` of what the target names; a killed parent's hub is started again."""
        doomed = [one for one in below(self.process.pid) if target == "web" and part(one) == "web"]
        if "PostgreSQL" in target:  # which is below its first parent only
            doomed.append(int((self.folder / "pg" / "postmaster.pid").read_text().split()[0]))
        for one in doomed:
            os.kill(one, signal.SIGKILL)
        if "parent" in target:
            self.process.kill()
            self.process.communicate()
            self.start()
        else:
            time.sleep(0.1)  # /ready may be answered by what is about to be gone


def post(hub: Hub, token: str, name: int, stop: threading.Event, kept: list[str]) -> None:
    """Posts until `stop`, each until it is acknowledged."""
    chance, n = random.Random(name), 0
    while not stop.is_set():
        batch = [{"own_id": f"{name}-{n + i}", "marking": "RED", "killed": i} for i in range(chance.randint(1, 20))]
        n += len(batch)
        while (answer := hub.ask(token, "POST", "/api/reports", batch)) is None and not stop.is_set():
            time.sleep(0.05)
        kept += [r["report_id"] for r in (answer or {"results": []})["results"] if r["status"] in ("stored", "known")]


def feed(hub: Hub, token: str) -> list[str]:
    """Ids of all reports there."""
    out: list[str] = []
    after = 0
    while True:
        page = hub.ask(token, "GET", f"/api/feed?limit=1000&after={after}")
        if page is None:
            sys.exit("the feed cannot be read")
        out += [r["report_id"] for r in page["reports"]]
        if page["next"] == after:
            return out
        after = page["next"]


def run(folder: Path, kills: int, posters: int, seed: int) -> bool:
    """Whether nothing was lost; prints the table."""
    hub, chance = Hub(folder), random.Random(seed)
    hub.start()
    token = taken_in(hub.port, hub.said, ["A"], ["submit", "analyse"])["A"]
    kept: list[list[str]] = [[] for _ in range(posters)]
    stop = threading.Event()
    threads = [threading.Thread(target=post, args=(hub, token, n, stop, kept[n])) for n in range(posters)]
    for thread in threads:
        thread.start()
    away: dict[str, list[float]] = {}
    for n in range(kills):
        time.sleep(chance.uniform(0.05, 0.8))
        target, begun = TARGETS[n % len(TARGETS)], time.monotonic()
        hub.kill(target)
        hub.ready()
        away.setdefault(target, []).append(time.monotonic() - begun)
    stop.set()
    for thread in threads:
        thread.join()
    there = feed(hub, token)
    acknowledged = [i for some in kept for i in some]
    lost, twice = len(set(acknowledged) - set(there)), len(there) - len(set(there))
    hub.process.send_signal(signal.SIGTERM)
    hub.process.communicate(timeout=60)
    print(f"{'killed':24}{'times':>6}{'back after s, median':>22}{'worst':>7}")
    for target, took in away.items():
        print(f"{target:24}{len(took):6}{statistics.median(took):22.1f}{max(took):7.1f}")
    print(f"acknowledged {len(acknowledged):,}, lost {lost}, twice {twice} (goal: 0, 0)")
    return not lost and not twice and bool(acknowledged)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--posters", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    folder.chmod(0o755)
    try:
        sys.exit(not run(folder, options.kills, options.posters, options.seed))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
