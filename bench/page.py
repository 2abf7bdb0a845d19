"""How heavy and how quick the page is: size, first paint, ready, and how long each choice takes to be drawn, in Chromium, beside the goals.

usage: python bench/page.py [--rows 100000] [--keep FOLDER]

The demo's page first; then the page of a GED-shaped file of `--rows` rows: the bundled rows of UCDP GED for Pakistan over and over, each with an id of its
own, its days moved by up to 180 and its place by up to .2 degrees (seed 1), so that nothing fuses and hardly two points are the same. First paint and
ready count from the start of navigation (performance.timing of the page itself); a choice counts from the change to the end of drawing
what is in sight, the browser's own layout and paint not included (data-took), and until the browser has painted it (frame;
a search waits .08 s for the next key).
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import gzip
import random
import tempfile
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

import tocsin
from tocsin.brief.pdf import find_browser

GED = Path(str(files("tocsin.data").joinpath("ged221_pakistan.csv.gz")))
GOALS = {"size MB": 25.0, "first paint s": 1.0, "choice ms": 100.0}
CHOICES = {
    "kind: all": "document.getElementById('list-all').click()",
    "kind: one-sided": "document.getElementById('list-one_sided').click()",
    "bands by actor": "document.getElementById('by-actor').click()",
    "a community": "document.querySelector('#bands button.label').click()",
    "that set free": "document.querySelector('.chip').click()",
    "the window's days": "[...document.querySelectorAll('.bar button')].find((b) => b.textContent === 'Window').click()",
    "all days": "[...document.querySelectorAll('.bar button')].find((b) => b.textContent === 'All').click()",
    "search": "(() => { const q = document.getElementById('q'); q.value = 'karachi bus'; q.dispatchEvent(new Event('input')); })()",
    "order: deadliest": "(() => { const s = document.getElementById('sort'); s.value = 'killed'; s.dispatchEvent(new Event('change')); })()",
}
MEASURE = """(act) => new Promise((done) => {
    delete document.documentElement.dataset.took;
    const begun = performance.now();
    act();
    const wait = () => document.documentElement.dataset.took === undefined ? requestAnimationFrame(wait)
        : painted(() => done([Number(document.documentElement.dataset.took), performance.now() - begun]));
    const painted = (then) => { const way = new MessageChannel(); way.port1.onmessage = then; way.port2.postMessage(0); };
    wait();
})"""


def make(path: Path, rows: int) -> None:
    """A GED-shaped CSV of `rows` records."""
    chance = random.Random(1)
    with gzip.open(GED, "rt", encoding="utf-8", newline="") as f:
        header, *body = list(csv.reader(f))
    at = {name: i for i, name in enumerate(header)}
    with path.open("w", encoding="utf-8", newline="") as f:
        out = csv.writer(f)
        out.writerow(header)
        for i in range(rows):
            row = list(body[i % len(body)])
            row[at["id"]] = str(i)
            move = dt.timedelta(days=chance.randint(-180, 180))
            for name in ("date_start", "date_end"):
                row[at[name]] = (dt.date.fromisoformat(row[at[name]][:10]) + move).isoformat()
            for name in ("latitude", "longitude"):
                row[at[name]] = f"{float(row[at[name]]) + chance.uniform(-0.2, 0.2):.5f}"
            out.writerow(row)


def measure(page_file: Path) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Seconds to first paint and ready; for each choice (drawing, with the next frame) in milliseconds."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=find_browser(), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        page.goto(page_file.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached", timeout=120_000)
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        ready = page.evaluate("Number(document.documentElement.dataset.ready)")
        page.wait_for_timeout(8000)  # as long as a reader reads before the first choice: the words to search in are gathered meanwhile
        page.evaluate("document.getElementById('explorer').scrollIntoView()")
        found = {}
        for name, act in CHOICES.items():
            found[name] = tuple(page.evaluate(f"({MEASURE})(() => {{ {act} }})"))
            page.wait_for_timeout(250)
        browser.close()
    return {"first paint s": paint / 1000, "ready s": ready / 1000}, found


def show(name: str, result: Any, made: float) -> None:
    times: dict[str, float]
    times, choices = result[1]
    print(f"\n{name}: {result[0]:.1f} MB (goal {GOALS['size MB']:g}), made in {made:.1f} s")
    print(f"  first paint {times['first paint s']:.2f} s (goal {GOALS['first paint s']:g}), ready {times['ready s']:.2f} s")
    print(f"  {'choice':24}{'drawing ms':>12}{'frame ms':>12}   (goal {GOALS['choice ms']:g})")
    for choice, (took, frame) in choices.items():
        print(f"  {choice:24}{took:12.0f}{frame:12.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="where to leave the page")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in ("demo", f"{options.rows:,} rows"):
            out = (options.keep or Path(folder)) / name.split()[0]
            begun = time.perf_counter()
            if name == "demo":
                made = tocsin.brief(demo=True, out=out)
            else:
                source = Path(folder) / "many.csv"
                make(source, options.rows)
                begun = time.perf_counter()
                made = tocsin.brief(source, out=out)
            took = time.perf_counter() - begun
            assert made.page is not None
            show(f"{name}, {made.incidents.height:,} incidents", (made.page.stat().st_size / 1e6, measure(made.page)), took)


if __name__ == "__main__":
    main()
