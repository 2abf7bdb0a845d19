"""Signals and the claim on the page, from made-up attacks in which a change is planted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_core import violations
from pages import press
from playwright.sync_api import expect
from samples_planted import AS_OF, CHANGED, planted

from tocsin import brief

pytestmark = pytest.mark.browser

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("planted")
    table, spec = planted(folder)
    brief([table], spec=spec, as_of=CHANGED, out=folder / "before")
    return brief([table], spec=spec, as_of=AS_OF, out=folder / "out", ask="sufi,mainland", ask_since=CHANGED, since=folder / "before")


def test_each_signal_stands_with_its_chart_odds_evidence_and_what_would_end_it(open_page: Open, made: Any) -> None:
    page = open_page(made.page)
    signals = made.view["watch"]["signals"]
    cards = page.locator("article.signal")
    assert cards.count() == len(signals) > 0
    for card, one in zip(cards.all(), signals, strict=True):
        assert card.locator("svg.weeks-chart").count() == 1
        label = card.locator("svg.weeks-chart").get_attribute("aria-label")
        assert "since" in card.locator("svg .since-name").inner_html()
        assert f"{sum(one['weeks']['unknown'])} not known" in label.replace(",", "")
        text = card.inner_text()
        assert "95 % interval" in text
        assert "Chance alone raises one like it" in text
        assert "It would go away without" in text
        assert card.locator(".evidence li").count() == len(one["evidence"])


def test_evidence_opens_as_other_incidents_do(open_page: Open, made: Any) -> None:
    page = open_page(made.page)
    press(page.locator("article.signal .evidence a").first)
    expect(page.locator("section.incidents details[open]")).to_have_count(1)


def test_the_first_screen_tells_signals_from_alerts_and_leads_to_what_was_tested(open_page: Open, made: Any) -> None:
    page = open_page(made.page)
    box = page.locator(".alert")
    assert "signals in" in box.inner_text()
    assert box.locator("li").count() == len(made.view["watch"]["signals"])
    expect(box.locator(".issued")).to_have_text("No alert was issued.")
    press(box.locator("a"))
    assert page.evaluate("document.activeElement.id") == "watch"
    press(page.locator("details.tested summary"))
    assert page.locator("details.tested tbody tr").count() == len(made.view["watch"]["streams"])


def test_concentrated_now_stands_beside_and_says_unadjusted(open_page: Open, made: Any) -> None:
    room = open_page(made.page).locator("section.concentrated")
    assert room.locator("tbody tr").count() == len(made.view["watch"]["concentrated"]) > 0
    assert "unadjusted" in room.inner_text()


def test_the_claim_shows_its_answer_beside_four_columns(open_page: Open, made: Any) -> None:
    room = open_page(made.page).locator("section.claim")
    assert room.locator(".answer").count() == len(made.view["claim"]["answer"])
    assert room.locator("thead th").count() == 4
    assert room.locator("tbody").count() == 4


def test_new_signals_since_the_last_brief_are_named(open_page: Open, made: Any) -> None:
    assert f"{len(made.view['since']['signals']['new'])} new signal" in open_page(made.page).locator("section.since").inner_text()


def test_a_signals_numbers_and_picture_are_saved_with_their_source(open_page: Open, made: Any, tmp_path: Path) -> None:
    page = open_page(made.page)
    for button, name in ((0, "signal.csv"), (1, "signal.svg")):
        with page.expect_download() as got:
            page.locator("article.signal").first.locator(".sign-button").nth(button).click()
        got.value.save_as(tmp_path / name)
    rows = (tmp_path / "signal.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("from,to,measure,category,mine,others,unknown,expected,citation")
    first = made.view["watch"]["signals"][0]["weeks"]
    assert sum(int(row.split(",")[4]) for row in rows[1:]) == sum(first["mine"])
    assert "<svg" in (tmp_path / "signal.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", ["en", "ur"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_no_width_needs_sideways_scrolling(open_page: Open, made: Any, lang: str, scheme: str) -> None:
    page = open_page(made.page, color_scheme=scheme)
    if lang == "ur":
        press(page.locator("button.language"))
    page.evaluate("document.querySelectorAll('.watch details, .claim details').forEach((one) => { one.open = true; })")
    assert violations(page, 20) == []
    for width in (360, 720, 1000, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_in_urdu_no_english_is_left_in_a_signals_sentences_but_names(open_page: Open, made: Any) -> None:
    page = open_page(made.page)
    press(page.locator("button.language"))
    first = page.locator("article.signal").first
    assert "صوفی" in first.locator("h3").inner_text()
    assert "Chance" not in first.inner_text()
    assert "attacks" not in page.locator("section.claim").inner_text().lower().replace("one-sided attacks", "")


def test_a_brief_that_does_not_watch_says_so_and_shows_no_signals(open_view: Open) -> None:
    page = open_view(brief(demo=True, watch=False).view)
    assert "Not watched" in page.locator(".alert").inner_text()
    assert page.locator("#watch, article.signal").count() == 0
    assert "Not tested against chance" in page.locator("section.claim").inner_text()
