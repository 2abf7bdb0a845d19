"""Draws the pictures in docs/images from the demo's own page: `python tools/make_screenshots.py` (what `make shots` runs).

Needs the Chromium that the browser tests need.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import tocsin
from tocsin.brief.pdf import find_browser

IMAGES = Path(__file__).resolve().parent.parent / "docs/images"
#: name -> (address, width, height, theme, what to bring to the top, what to click first)
SHOTS = {
    "first-screen": ("", 1440, 900, "light", None, None),
    "explorer": ("#by=actor&from=2013-01-01&to=2015-05-14", 1440, 900, "dark", "#explorer", None),
    "incident": ("#sort=killed&from=2015-05-01", 1280, 860, "light", "section.incidents .list", "section.incidents summary"),
    "claim": ("", 1280, 640, "light", ".claim", None),
    "phone": ("", 360, 780, "light", None, None),
    "urdu": ("#lang=ur", 1440, 900, "light", None, None),
}


def main() -> None:
    """Write every picture anew."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        made = tocsin.brief(demo=True, out=folder)
        assert made.page is not None
        browser = driver.chromium.launch(
            executable_path=find_browser(), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        for name, (address, width, height, theme, top, click) in SHOTS.items():
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce")
            page.goto(made.page.as_uri() + address)
            page.wait_for_selector("html[data-ready]", state="attached")
            if click:
                page.locator(click).first.click()
            if top:
                page.evaluate("(where) => document.querySelector(where).scrollIntoView({block: 'start'})", top)
            page.wait_for_timeout(300)
            page.screenshot(path=IMAGES / f"{name}.png")
            page.close()
            print(f"docs/images/{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
