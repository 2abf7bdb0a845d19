"""A real Chromium for the page's tests, and the sample views, each drawn once."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tocsin.brief.page import render
from tocsin.brief.pdf import find_browser

HERE = Path(__file__).parent
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    path = find_browser()
    if path is None:
        reason = "no Chromium or Chrome found: install one, or name it in TOCSIN_CHROMIUM; the browser tests were left out"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, headless=True, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def samples() -> Any:
    """The module of sample views; pytest's importlib mode keeps this folder off the path."""
    spec = importlib.util.spec_from_file_location("sample_view", HERE / "sample_view.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def written(samples: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("pages")

    def write(name: str) -> Path:
        path = folder / f"{name}.html"
        if not path.exists():
            path.write_text(render(samples.VIEWS[name]()), encoding="utf-8")
        return path

    return write


class Seen:
    """What a page did that it should not have done."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.errors: list[str] = []


@pytest.fixture(scope="session")
def opener(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An empty page that opens others: they are in its process, and to start one of their own takes Chromium longer than to draw them."""
    context = chromium.new_context()
    context.route(lambda address: not address.startswith(("file:", "data:")), lambda route: route.abort())
    path = tmp_path_factory.mktemp("opener") / "empty.html"
    path.write_text("<!doctype html><title>empty</title>", encoding="utf-8")
    page = context.new_page()
    page.goto(path.as_uri())
    return page


@pytest.fixture
def open_page(opener: Any, written: Callable[[str], Path]) -> Iterator[Callable[..., Any]]:
    """Opens a sample from file:// and gives the page; at the end no error and no request may have been seen. media: as of `emulate_media`."""
    seen = Seen()

    def open_one(name: str | Path = "realistic", width: int = 1280, height: int = 900, **media: Any) -> Any:
        path = written(name) if isinstance(name, str) else name
        with opener.expect_popup() as opened:
            opener.evaluate("() => void window.open('about:blank')")
        page = opened.value
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(**media)
        url = path.as_uri()
        page.route(lambda address: not address.startswith((url, "data:")), lambda route: route.abort())
        page.on("request", lambda request: seen.requests.append(request.url) if not request.url.startswith((url, "data:")) else None)
        page.on("console", lambda message: seen.errors.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.goto(url)
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_one
    for page in opener.context.pages:
        if page != opener:
            page.close()
    assert seen.errors == []
    assert seen.requests == []


@pytest.fixture
def open_view(open_page: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Opens a view of the test's own, as `open_page` does."""

    def open_one(view: dict[str, Any], **options: Any) -> Any:
        path = tmp_path / "view.html"
        path.write_text(render(view), encoding="utf-8")
        return open_page(path, **options)

    return open_one
