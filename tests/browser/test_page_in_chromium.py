"""The page in a real Chromium: every test also fails on a console error or a network request (see `open_page`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_core import violations
from pages import press
from playwright.sync_api import expect

from tocsin.brief import Brief

pytestmark = pytest.mark.browser

Open = Callable[..., Any]
VIEWS = ("realistic", "empty", "single", "all_unknown", "pile_up", "big_town", "one_day", "century", "long_headline", "scripted")


def width_needed(page: Any) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


@pytest.mark.parametrize("name", VIEWS)
def test_every_sample_opens_in_silence_and_fits_both_widths(open_page: Open, name: str) -> None:
    page = open_page(name, width=360, height=780)
    assert width_needed(page) == 360
    assert page.locator("main > section[data-first-screen] h1").count() == 1
    page.set_viewport_size({"width": 1920, "height": 1080})
    assert width_needed(page) == 1920


def test_no_width_needs_sideways_scrolling_with_incidents_opened(open_page: Open) -> None:
    page = open_page()
    for index in range(3):
        press(page.locator("section.incidents summary").nth(index))
    for width in (360, 480, 720, 1000, 1280, 1500, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert width_needed(page) == width


@pytest.mark.parametrize("name", ["realistic", "empty", "all_unknown", "century"])
def test_axe_finds_nothing_in_either_theme(open_page: Open, name: str) -> None:
    page = open_page(name, color_scheme="light")
    if name == "realistic":
        press(page.locator("#map .mark").last)
        press(page.locator("section.incidents summary").first)
    assert violations(page, 20) == []
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 360, "height": 780})
    assert violations(page, 20) == []


def test_the_first_screen_has_at_most_180_words_besides_its_tables_and_drawings(open_page: Open, open_view: Open, demo: Brief) -> None:
    count = """() => {
        const copy = document.querySelector("main > section[data-first-screen]").cloneNode(true);
        copy.querySelectorAll("td, th, svg, .unseen").forEach((node) => node.remove());
        const walk = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
        const texts = [];
        while (walk.nextNode()) texts.push(walk.currentNode.data);
        return texts.join(" ").split(/\\s+/).filter((word) => /[\\p{L}\\p{N}]/u.test(word)).length;
    }"""
    assert open_page().evaluate(count) <= 180
    assert open_view(demo.view).evaluate(count) <= 180


def test_markup_in_every_field_stays_words(open_page: Open) -> None:
    page = open_page("scripted")
    for index in range(3):
        press(page.locator("section.incidents summary").nth(index))
    press(page.locator("#map .mark").last)
    assert page.evaluate("window.pwned") is None
    assert page.locator("img, iframe, object, a[href^='javascript']").count() == 0
    assert page.evaluate("document.scripts.length") == 4
    assert "<script>window.pwned=1</script>" in page.locator("h1").inner_text()


def test_a_script_that_the_policy_does_not_name_does_not_run(chromium: Any, written: Callable[[str], Path], tmp_path: Path) -> None:
    altered = tmp_path / "altered.html"
    text = written("single").read_text(encoding="utf-8")
    altered.write_text(text.replace("</body>", "<script>window.pwned=1</script></body>"), encoding="utf-8")
    page = chromium.new_page()
    page.goto(altered.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.evaluate("window.pwned") is None
    page.close()


def test_an_incident_opens_to_its_reports_with_the_coders_words_marked(open_page: Open) -> None:
    page = open_page("single")
    press(page.locator("section.incidents summary").first)
    marks = page.locator("blockquote").first.locator("mark")
    marks.first.wait_for()  # the reports are drawn when their incident opens
    assert marks.all_inner_texts() == ["43", "Ismaili", "Shia", "Karachi", "toll rises to 47"]
    assert marks.nth(1).get_attribute("title") == "target_group = shia/ismaili"
    urdu = page.locator("blockquote[lang=ur]")
    assert urdu.evaluate("(node) => getComputedStyle(node).direction") == "rtl"
    assert urdu.locator("mark").inner_text() == "45 افراد"


def test_marks_count_code_points_and_may_overlap(open_page: Open, samples: Any, tmp_path: Path) -> None:
    from tocsin.brief.page import render

    view = samples.single()
    key = view["incidents"][0]["report_ids"][0]
    spans = [
        {"field": "a", "value": "1", "words": "two three", "start": 3, "end": 12},
        {"field": "b", "value": "2", "words": "three", "start": 7, "end": 12},
    ]
    view["reports"][key] = {**view["reports"][key], "text": "😀😀 two three four", "spans": spans}
    page = open_page("single")
    path = tmp_path / "overlap.html"
    path.write_text(render(view), encoding="utf-8")
    other = page.context.browser.new_page()
    other.goto(path.as_uri())
    other.wait_for_selector("html[data-ready]", state="attached")
    press(other.locator("section.incidents summary").first)
    marks = other.locator("blockquote").first.locator("mark")
    marks.first.wait_for()
    assert [(one.text_content(), one.get_attribute("title")) for one in marks.all()] == [("two ", "a = 1"), ("three", "a = 1; b = 2")]
    other.close()


def test_incidents_open_and_close_from_the_keyboard(open_page: Open) -> None:
    page = open_page()
    first = page.locator("section.incidents details").first
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    assert first.get_attribute("open") is not None
    expect(first.locator(".report").first).to_be_visible()
    page.keyboard.press("Enter")
    assert first.get_attribute("open") is None


def test_the_tab_key_reaches_the_map_in_one_stop_and_arrows_move_inside(open_page: Open) -> None:
    page = open_page()
    assert page.locator("#map .mark[tabindex='0']").count() == 1
    assert page.locator("#atlas .mark[tabindex='0']").count() == 1
    page.locator("table.change .sign-button").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.classList.contains('mark')")
    largest = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") != largest
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    assert page.locator("#map .panel li").count() > 0
    page.keyboard.press("Escape")
    assert page.locator(".panel").count() == 0
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "false"


def test_a_pile_is_one_mark_with_its_count_that_opens_on_a_click(open_page: Open) -> None:
    page = open_page("pile_up")
    for room in ("#map", "#atlas"):
        box = page.locator(room)
        assert box.locator(".mark").count() == 1
        assert box.locator(".mark text").inner_html() == "2,000"
        press(box.locator(".mark"))
        assert "2,000 incidents" in box.locator(".panel .title").inner_text()
    press(page.locator("#map .panel a").first)
    assert page.locator("section.incidents details[open]").count() == 1


def flat(nested: Any) -> list[Any]:
    return [nested] if isinstance(nested[0], int | float) else [point for inner in nested for point in flat(inner)]


def test_uncertainty_is_drawn_to_the_scale_of_the_ground(open_page: Open, samples: Any) -> None:
    """At Karachi's latitude a degree of longitude is 101.0 km: the circle's radius against the marks' own distance on the map."""
    page = open_page("single")
    circle = page.locator("#map circle.may")
    radius, west, east = circle.evaluate("""(node) => {
        const box = node.ownerSVGElement.querySelector("path.districts").getBBox();
        return [+node.getAttribute("r"), box.x, box.x + box.width];
    }""")
    lons = [point[0] for one in samples.outlines()["districts"]["features"] for point in flat(one["geometry"]["coordinates"])]
    per_degree = (east - west) / (max(lons) - min(lons))
    assert radius == pytest.approx(8.0 * per_degree / 101.0, rel=0.02)


def test_the_map_zooms_by_its_buttons_and_returns(open_page: Open) -> None:
    page = open_page("single", reduced_motion="reduce")
    ground = page.locator("#map g.ground")
    at_rest = ground.get_attribute("transform")
    press(page.locator("#map").get_by_label("Zoom in"))
    assert ground.get_attribute("transform") != at_rest
    press(page.locator("#map").get_by_label("Whole map"))
    assert "scale(1)" in (ground.get_attribute("transform") or "")


def test_zooming_moves_by_degrees_where_motion_is_welcome(open_page: Open) -> None:
    page = open_page("single")
    press(page.locator("#map").get_by_label("Zoom in"))
    expect(page.locator("#map g.ground")).to_have_attribute("transform", re.compile(r"scale\(1\.8"))


def test_the_choice_of_a_kind_narrows_all(open_page: Open) -> None:
    page = open_page()
    press(page.locator("label[for='kind-state_based']"))
    expect(page.locator("#timeline .title")).to_contain_text("State-based")
    assert "State-based" in (page.locator("#map svg").get_attribute("aria-label") or "")
    expect(page.locator("#list-state_based")).to_be_checked()
    expect(page.locator("section.incidents summary .kind").first).to_have_text("State-based")
    assert set(page.locator("section.incidents summary .kind").all_inner_texts()) == {"State-based"}
    assert page.url.endswith("#kind=state_based")


def test_the_list_stands_window_first_grows_by_steps_and_filters_by_kind(open_page: Open) -> None:
    page = open_page()
    assert page.locator("section.incidents h3").all_inner_texts()[0].lower().startswith("in the window")
    assert page.locator("section.incidents details").count() == 50
    press(page.locator("button.more"))
    assert page.locator("section.incidents details").count() > 50
    press(page.locator("label[for='list-non_state']"))
    expect(page.locator("section.incidents summary .kind").first).to_have_text("Non-state")
    assert set(page.locator("section.incidents summary .kind").all_inner_texts()) == {"Non-state"}


def test_a_deadliest_attack_leads_to_its_place_in_the_list(open_page: Open) -> None:
    page = open_page()
    press(page.locator("label[for='list-non_state']"))
    link = page.locator("table.deadliest a").nth(1)
    town = link.inner_text()
    press(link)
    opened = page.locator("section.incidents details[open]")
    assert town in opened.locator("summary").inner_text()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_how_a_community_is_known_is_drawn_three_ways(open_page: Open) -> None:
    page = open_page()
    for way in ("by-words", "by-judgement", "by-source"):
        assert page.locator(f"table.deadliest .{way}").count() >= 1
    borders = {
        way: page.locator(f".{way} .name").first.evaluate("(n) => getComputedStyle(n).borderBottomStyle")
        for way in ("by-words", "by-judgement")
    }
    assert borders == {"by-words": "dotted", "by-judgement": "dashed"}


def test_landmarks_and_one_heading_of_the_first_order(open_page: Open) -> None:
    page = open_page("single")
    for role in ("banner", "navigation", "main", "contentinfo"):
        assert page.get_by_role(role).count() == 1
    assert page.locator("h1").count() == 1


def test_print_hides_controls_and_keeps_a_light_page(open_page: Open) -> None:
    page = open_page("single", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator("nav").is_visible()
    assert not page.locator("#map .zoom").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("table.change").is_visible()
    assert len(page.pdf(format="A4")) > 10_000


def test_reduced_motion_stops_smooth_scrolling(open_page: Open) -> None:
    page = open_page("single", reduced_motion="reduce")
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_a_page_without_scripts_says_so(open_page: Open, chromium: Any, written: Callable[[str], Path]) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(written("single").as_uri())
    assert "JavaScript" in page.locator("noscript").inner_text()
    context.close()
