"""brief.html as a PDF, printed by a Chromium or Chrome that is on the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tocsin.errors import OptionError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
USUAL = (
    "/usr/bin/chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-pdf-header-footer",
)
_PATIENCE = 20_000  # milliseconds of the page's own time that its scripts may take to draw; time in which nothing happens is skipped


def find_browser() -> str | None:
    """The path of a Chromium or Chrome: what TOCSIN_CHROMIUM names, else one on the PATH or at its usual place."""
    asked = os.environ.get("TOCSIN_CHROMIUM")
    if asked:
        return asked if Path(asked).exists() else shutil.which(asked)
    return next((found for found in (*map(shutil.which, NAMES), *USUAL) if found and Path(found).exists()), None)


def print_pdf(page: Path, target: Path, *, address: str = "", timeout: float = 180) -> None:
    """Print a page made by `brief` into `target`, A4; `address` is what follows the page's name (`#kind=all`), the choices to print it with.

    Raises `OptionError` where no browser is found or it fails; `target` is whole or not there.
    """
    browser = find_browser()
    if browser is None:
        raise OptionError("--pdf needs Chromium or Chrome, and none was found: install one, or name it in the variable TOCSIN_CHROMIUM")
    root = sys.platform == "linux" and os.geteuid() == 0
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "brief.pdf"
        command = [
            browser,
            *_FLAGS,
            *(["--no-sandbox"] if root else []),
            f"--user-data-dir={folder}/profile",
            f"--virtual-time-budget={_PATIENCE}",
        ]
        try:
            done = subprocess.run(
                [*command, f"--print-to-pdf={made}", page.resolve().as_uri() + address],
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as why:
            raise OptionError(f"--pdf: {browser} did not print {page} ({why}); try another browser with TOCSIN_CHROMIUM") from why
        if not made.exists() or not made.read_bytes().startswith(b"%PDF"):
            said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            raise OptionError(f"--pdf: {browser} printed nothing ({said[0]}); try another browser with TOCSIN_CHROMIUM")
        shutil.copyfile(made, target)
