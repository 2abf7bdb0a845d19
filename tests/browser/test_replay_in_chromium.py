"""The page of a replay in a real Chromium: in silence, at every width, for everybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_core import violations
from samples_replay import END, START, history

from tocsin import replay

pytestmark = pytest.mark.browser

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    usual: dict[str, Any] = {"kinds": ("shift",), "actors": (), "pairs": (), "end": END}
    out = {name: tmp_path_factory.mktemp(name) for name in ("live", "hindsight", "quiet")}
    replay(history(), start=START, out=out["live"], **usual)
    replay(history(hindsight=True), start=END - timedelta(days=21), out=out["hindsight"], **usual)
    replay(history(), start=END - timedelta(days=14), mass=99, violence=("state_based",), out=out["quiet"], **usual)
    return {name: folder / "replay.html" for name, folder in out.items()}


@pytest.mark.parametrize("name", ["live", "hindsight", "quiet"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_in_silence_fits_every_width_and_axe_finds_nothing(
    open_page: Open, pages: dict[str, Path], name: str, scheme: str
) -> None:
    page = open_page(pages[name], color_scheme=scheme)
    for width in (360, 480, 720, 899, 901, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") == width
        if width in (360, 1280):
            assert violations(page, 10) == []


def test_bars_and_marks_lie_on_one_axis_within_the_drawing(open_page: Open, pages: dict[str, Path]) -> None:
    page = open_page(pages["live"], width=360)
    boxes = page.evaluate("""() => {
        const of = (s) => [...document.querySelectorAll(s)].map((n) => { const b = n.getBoundingClientRect(); return [b.left, b.right]; });
        return {svg: of(".time svg"), bars: of("rect.span"), marks: of("circle")};
    }""")
    assert len({tuple(b) for b in boxes["svg"]}) == 1
    left, right = boxes["svg"][0]
    assert boxes["bars"]
    assert boxes["marks"]
    assert all(left - 1 <= a < b <= right + 3 for a, b in boxes["bars"])
    assert all(left - 6 <= a < b <= right + 6 for a, b in boxes["marks"])


def test_hindsight_stands_first_and_every_drawing_has_its_words(open_page: Open, pages: dict[str, Path]) -> None:
    page = open_page(pages["hindsight"])
    assert page.locator("main p").first.inner_text().startswith("Hindsight")
    for drawing in page.locator("svg[role=img]").all():
        assert drawing.get_attribute("aria-label")
    page = open_page(pages["live"])
    for link in page.locator("a[href^='#s-']").all():
        assert page.locator(f"[id='{(link.get_attribute('href') or '')[1:]}']").count() == 1
