"""The page of an agency's picture as a hub serves it, in a real Chromium: under its policy, and asking nobody else for anything."""

from __future__ import annotations

import gzip
from base64 import b64decode
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from pages import press
from playwright.sync_api import expect
from running import Running, new_folder
from samples_hub import changed

pytestmark = pytest.mark.browser

RED = "a word that B may not see"
CODED = {
    "own_id": "coded",
    "violence": "one_sided",
    "marking": "GREEN",
    "text": "Suicide bombing at a Shia mosque in Quetta kills 12, wounds 30",
}


class Hub:
    """A hub that runs, with two agencies of which one hides something."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.tokens = {name: running.agency(name) for name in ("A", "B")}
        posts = changed(date.today(), "AMBER", ("B",))
        posts += [post | {"own_id": f"h{k}", "marking": "RED", "releasable_to": [], "text": RED} for k, post in enumerate(posts[:20])]
        self.ask("POST", "/api/reports", [*posts, CODED | {"event_start": date.today().isoformat()}])

    def ask(self, method: str, path: str, body: Any = None, who: str = "A") -> Any:
        return self.running.ask(self.tokens[who], method, path, body)


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with new_folder() as folder:
        running = Running(folder)
        yield Hub(running)
        running.close()


@pytest.fixture
def mine(chromium: Any, hub: Hub) -> Iterator[tuple[Any, list[str], list[str]]]:
    """The page as B's browser has it, when it has been made; what the browser asked for; and what it complained of."""
    context = chromium.new_context(
        viewport={"width": 1280, "height": 900}, extra_http_headers={"Authorization": f"Bearer {hub.tokens['B']}"}
    )
    page = context.new_page()
    asked, complaints = list[str](), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{hub.running.url}/picture/brief.html")  # waits by itself until it is made
    page.wait_for_selector("html[data-ready]", state="attached", timeout=90_000)
    yield page, asked, complaints
    context.close()


def test_the_page_works_under_its_policy_and_asks_no_other_host(mine: tuple[Any, list[str], list[str]], hub: Hub) -> None:
    page, asked, complaints = mine
    press(page.locator("#map .mark").last)
    press(page.locator("section.incidents summary").first)
    page.locator("blockquote, section.incidents details[open] td").first.wait_for()
    before = page.locator("section.incidents summary").count()
    page.get_by_role("searchbox").first.fill("Town 7")
    expect(page.locator("section.incidents summary")).not_to_have_count(before)
    assert complaints == []
    assert {url.partition("?")[0] for url in asked if not url.startswith(("data:", "blob:"))} == {f"{hub.running.url}/picture/brief.html"}


def test_the_page_marks_the_words_that_gave_a_value(mine: tuple[Any, list[str], list[str]]) -> None:
    page, _, _ = mine
    page.get_by_role("searchbox").first.fill("Quetta")
    expect(page.locator("section.incidents summary")).to_have_count(1)
    press(page.locator("section.incidents summary").first)
    expect(page.locator("blockquote mark", has_text="Shia mosque")).to_have_count(1)


def test_the_page_says_whose_picture_it_is_as_of_when_and_how_it_is_marked(mine: tuple[Any, list[str], list[str]]) -> None:
    page, _, _ = mine
    said = page.locator("body").inner_text()
    assert "B, made by the hub from what B may see, as of 20" in said
    assert "marked AMBER" in said


def test_a_script_that_is_put_into_the_page_does_not_run(mine: tuple[Any, list[str], list[str]]) -> None:
    page, _, complaints = mine
    page.evaluate("() => { const s = document.createElement('script'); s.textContent = 'window.pwned = 1'; document.body.append(s); }")
    page.evaluate("() => { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.pwned = 1\">'); }")
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None
    assert any("Content Security Policy" in one for one in complaints)


def test_the_page_is_served_so_that_nobody_frames_it_or_keeps_it_and_has_nothing_of_what_is_hidden(hub: Hub, mine: Any) -> None:
    page, _, _ = mine
    with urlopen(Request(page.url, headers={"Authorization": f"Bearer {hub.tokens['B']}"}), timeout=60) as answer:
        headers, text = answer.headers, answer.read().decode()
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    wanted = {"x-frame-options": "DENY", "referrer-policy": "no-referrer", "x-content-type-options": "nosniff", "cache-control": "no-store"}
    assert {k: headers[k] for k in wanted} == wanted
    body = text.partition('id="tocsin-body">')[2].partition("</script>")[0]
    assert RED not in text + gzip.decompress(b64decode(body)).decode()
    with pytest.raises(HTTPError, match="401"):
        urlopen(page.url, timeout=60)


def test_another_origin_cannot_frame_the_page(chromium: Any, hub: Hub, mine: Any) -> None:
    context = chromium.new_context(extra_http_headers={"Authorization": f"Bearer {hub.tokens['B']}"})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.set_content(f'<iframe src="{mine[0].url}"></iframe>')
    page.wait_for_timeout(1000)
    assert any("frame" in one.lower() for one in complaints)
    assert not [frame for frame in page.frames[1:] if frame.locator("html[data-ready]").count()]
    context.close()
