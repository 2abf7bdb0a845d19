"""How long a fresh hub takes to be ready, and what memory it takes: `tocsin serve` in an empty folder, N times, beside the goals.

usage: python bench/serve.py [--times 5] [--rest 5]

Seconds count from the start of the command until GET /ready answers 200: initdb, PostgreSQL, roles, tables, the first token and the web server. Memory is
read `--rest` seconds later, when the fusion process has loaded too, of every process below the command, PostgreSQL's included. RSS counts a page that several
processes share once for each; PSS (of /proc/PID/smaps_rollup, Linux) shares it out, so that the sum is what the machine has less.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

GOALS = {"ready s": 5.0, "PSS MB": 400.0}


def below(pid: int) -> list[int]:
    """A process and all that it started."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def part(pid: int) -> str:
    """Which part of the hub a process is."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    if b"tocsin.server.child" in words:
        return words[words.index(b"tocsin.server.child") + 1].decode()
    return "parent" if b"serve" in words else "PostgreSQL"


def memory(pid: int) -> dict[str, tuple[float, float, int]]:
    """RSS and PSS in MB, and the number of processes, of each part."""
    out: dict[str, tuple[float, float, int]] = {}
    for one in below(pid):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
            rss, pss = (int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) / 1000 for name in ("Rss", "Pss"))
            name = part(one)
            before = out.get(name, (0.0, 0.0, 0))
            out[name] = (before[0] + rss, before[1] + pss, before[2] + 1)
    return out


def once(rest: float) -> tuple[float, dict[str, tuple[float, float, int]]]:
    """Seconds until ready, and memory of each part."""
    folder = Path(tempfile.mkdtemp(prefix="tocsin-bench-"))
    folder.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.perf_counter()
    hub = subprocess.Popen(
        [sys.executable, "-m", "tocsin", "serve", "--data", str(folder), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            with contextlib.suppress(URLError, OSError), urlopen(f"http://127.0.0.1:{port}/ready", timeout=5):
                break
            if hub.poll() is not None:
                sys.exit("the hub did not start: try `tocsin serve --data FOLDER`")
            time.sleep(0.01)
        took = time.perf_counter() - begun
        time.sleep(rest)
        return took, memory(hub.pid)
    finally:
        hub.send_signal(signal.SIGTERM)
        hub.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--rest", type=float, default=5.0, help="seconds before memory is read")
    options = parser.parse_args()
    made = [once(options.rest) for _ in range(options.times)]
    seconds = [took for took, _ in made]
    print(f"{'':26}{'median':>8}{'worst':>8}{'goal':>8}")
    print(f"{'seconds until ready':26}{statistics.median(seconds):8.2f}{max(seconds):8.2f}{'< ' + format(GOALS['ready s'], 'g'):>8}")
    for n, kind in enumerate(("RSS", "PSS")):
        for name in ("parent", "web", "fuse", "PostgreSQL"):
            found = [parts[name] for _, parts in made]
            label = f"{kind} MB, {name}" + (f" ({found[-1][2]})" if found[-1][2] > 1 else "")
            print(f"{label:26}{statistics.median(f[n] for f in found):8.0f}{max(f[n] for f in found):8.0f}")
        sums = [sum(p[n] for p in parts.values()) for _, parts in made]
        goal = f"< {GOALS['PSS MB']:g}" if kind == "PSS" else ""
        print(f"{kind + ' MB, in all':26}{statistics.median(sums):8.0f}{max(sums):8.0f}{goal:>8}")


if __name__ == "__main__":
    main()
