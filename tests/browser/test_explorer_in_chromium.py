"""The explorer in a real Chromium: a choice in one narrows all, stands in the address, and every chart gives its numbers and its picture."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from pages import press, settled
from playwright.sync_api import expect

from tocsin import brief
from tocsin.brief import Brief

pytestmark = pytest.mark.browser

Open = Callable[..., Any]


def total(page: Any) -> int:
    settled(page)
    text = page.locator(".bar .total").inner_text()
    return 0 if text.startswith("None") else int(re.match(r"[\d,]+", text)[0].replace(",", ""))  # type: ignore[index]


def listed(page: Any) -> int:
    text = page.locator("section.incidents [role=status]").inner_text()
    found = re.search(r"of ([\d,]+)", text)
    return int(found[1].replace(",", "")) if found else 0


def drawn(page: Any) -> int:
    label = page.locator("#atlas svg.over").get_attribute("aria-label") or ""
    return int(re.search(r"[\d,]+", label)[0].replace(",", ""))  # type: ignore[index]


def saved(page: Any, box: str, name: str) -> str:
    with page.expect_download() as waiting:
        page.locator(box).get_by_role("button", name=name, exact=True).click()
    return str(waiting.value.path().read_text(encoding="utf-8"))


def test_a_community_chosen_in_the_bands_narrows_list_and_map_and_stands_in_the_address(open_page: Open) -> None:
    page = open_page()
    before = total(page)
    press(page.locator("#bands button.label", has_text="Shia"))
    shia = total(page)
    assert 0 < shia < before
    assert listed(page) == shia
    assert drawn(page) == shia
    assert "group=shia" in page.url
    assert {t.split()[0] for t in page.locator("section.incidents summary .whom .name").all_inner_texts()} <= {"Shia", "Ismaili", "Bohra"}
    expect(page.locator("#bands button.label", has_text="Shia")).to_be_focused()
    press(page.locator(".chip"))
    assert total(page) == before
    assert "group" not in page.url


def test_a_link_shows_the_same_view(open_page: Open) -> None:
    page = open_page()
    press(page.locator("#bands button.label", has_text="Shia"))
    press(page.locator("label[for='by-attack']"))
    page.locator("#q").fill("karachi")
    page.locator("#sort").select_option("killed")
    expect(page).to_have_url(re.compile("q=karachi"))
    expect(page).to_have_url(re.compile("sort=killed"))
    address, seen = page.url, (total(page), page.locator("section.incidents .list summary").first.inner_text())
    other = page.context.new_page()
    other.goto(address)
    other.wait_for_selector("html[data-ready]", state="attached")
    assert (total(other), other.locator("section.incidents .list summary").first.inner_text()) == seen
    expect(other.locator("#by-attack")).to_be_checked()
    assert other.locator("#q").input_value() == "karachi"


def test_an_address_made_by_hand_that_makes_no_sense_shows_the_plain_view(open_page: Open) -> None:
    page = open_page()
    plain = total(page)
    for wild in ("#kind=nonsense&from=yesterday&box=1,2&sort=;&by=x", "#%E0%A4%A", "#incident=nobody&lang=xx"):
        page.goto(page.url.split("#")[0] + wild)
        settled(page)
        assert total(page) == plain


def test_what_is_not_stated_is_a_band_of_its_own_and_can_be_chosen(open_page: Open) -> None:
    page = open_page()
    silent = page.locator("#bands button.label").last
    assert silent.inner_text().startswith("not stated")
    n = int(re.search(r"([\d,]+) incidents", silent.inner_text())[1].replace(",", ""))  # type: ignore[index]
    press(silent)
    assert total(page) == n
    assert set(page.locator("section.incidents summary .whom").all_inner_texts()) == {"not stated"}


@pytest.mark.parametrize("dimension", ["group", "actor", "area", "attack", "kind"])
def test_the_bands_of_every_dimension_add_up_to_what_is_chosen(open_page: Open, dimension: str) -> None:
    page = open_page()
    press(page.locator(f"label[for='by-{dimension}']"))
    rows = list(csv.DictReader(io.StringIO(saved(page, "#bands", "Numbers (CSV)"))))
    if dimension == "kind":
        press(page.locator("label[for='list-all']"))
    assert sum(int(row["incidents"]) for row in rows) == total(page)
    assert all(int(row["killed_low"]) <= int(row["killed"]) <= int(row["killed_high"]) for row in rows)
    assert all("tocsin" in row["citation"] for row in rows)


def test_every_chart_gives_a_picture_with_its_title_and_citation(open_page: Open) -> None:
    page = open_page()
    for box in ("#bands", "#atlas"):
        root = ElementTree.fromstring(saved(page, box, "Picture (SVG)"))
        names = [node.tag.split("}")[1] for node in root.iter()]
        assert {"title", "desc", "path", "text"} <= set(names)
        texts = "".join(root.itertext())
        assert "tocsin" in texts
        assert "incidents" in texts
        assert not any("class" in node.attrib for node in root.iter()), "the file stands alone: no style sheet comes with it"


def test_the_list_gives_its_numbers_and_no_cell_is_a_formula(open_page: Open) -> None:
    page = open_page("scripted")
    rows = list(csv.DictReader(io.StringIO(saved(page, "section.incidents", "Numbers (CSV)"))))
    assert rows
    assert not any((value or "").startswith(("=", "+", "@")) for row in rows for value in row.values())


def test_time_is_chosen_by_dragging_by_the_fields_and_by_presets(open_page: Open) -> None:
    page = open_page()
    every = total(page)
    strip = page.locator("#overview svg")
    strip.scroll_into_view_if_needed()
    box = strip.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 20, steps=4)
    page.mouse.up()
    dragged = total(page)
    assert 0 < dragged < every
    assert "from=" in page.url
    press(page.get_by_role("button", name="Window", exact=True))
    assert total(page) == int(page.locator("table.change .default td.now").first.inner_text().split()[0])
    page.locator("#from").fill("2015-05-01")
    page.locator("#from").dispatch_event("change")
    settled(page)
    assert page.locator(".chip").first.inner_text().startswith("1 May 2015 to 14 May 2015")
    press(page.get_by_role("button", name="All", exact=True))
    assert total(page) == every


def test_play_moves_the_days_and_stops(open_page: Open) -> None:
    page = open_page()
    press(page.get_by_role("button", name="A step on in time"))
    first = page.locator("#from").input_value()
    press(page.get_by_role("button", name="A step on in time"))
    assert page.locator("#from").input_value() > first
    press(page.get_by_role("button", name="A step back in time"))
    assert page.locator("#from").input_value() == first
    play = page.locator("button.play")
    press(play)
    expect(play).to_have_text("Pause")
    expect(page.locator("#from")).not_to_have_value(first, timeout=10_000)
    press(play)
    expect(play).to_have_text("Play")


def test_only_what_the_map_shows_is_kept(open_page: Open) -> None:
    page = open_page(reduced_motion="reduce")
    every = total(page)
    press(page.locator("#atlas").get_by_label("Zoom in"))
    press(page.locator("#atlas").get_by_label("Zoom in"))
    press(page.get_by_role("button", name="Only what the map shows"))
    assert 0 < total(page) < every
    assert "box=" in page.url


def test_marks_near_each_other_part_when_the_reader_zooms_in(open_page: Open) -> None:
    page = open_page(reduced_motion="reduce")
    before = page.locator("#atlas .mark").count()
    for _ in range(3):
        press(page.locator("#atlas").get_by_label("Zoom in"))
    assert page.locator("#atlas .mark").count() > before


def test_search_finds_words_of_the_reports_without_their_accents(open_page: Open) -> None:
    page = open_page("single")
    for words in ("ismaili bus", "KARÁCHI", "ہلاک"):
        page.locator("#q").fill(words)
        settled(page, 200)  # what is typed is looked for when no more comes
        assert total(page) == 1, words
    page.locator("#q").fill("nowhere")
    settled(page, 200)
    assert total(page) == 0


def test_the_list_is_put_in_order(open_page: Open) -> None:
    page = open_page()
    page.locator("#sort").select_option("killed")
    settled(page)
    tolls = [
        int(text.replace(",", "")) for text in page.locator("section.incidents summary .toll b").all_inner_texts() if text[0].isdigit()
    ]
    assert tolls == sorted(tolls, reverse=True)
    page.locator("#sort").select_option("place")
    settled(page)
    places = page.locator("section.incidents summary .place").all_inner_texts()
    assert places == sorted(places)


def test_an_opened_incident_stands_in_the_address(open_page: Open) -> None:
    page = open_page("single")
    press(page.locator("section.incidents summary").first)
    expect(page).to_have_url(re.compile("incident=[0-9a-f-]{36}"))
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector("section.incidents details[open] .opened")
    assert other.locator(".place-map circle.may").count() == 1


def test_where_its_reports_differ_is_marked_and_a_narrower_code_is_no_difference(
    open_page: Open, open_view: Callable[..., Any], samples: Any
) -> None:
    view = samples.single()
    said = [
        {"killed_low": 43, "killed": 43, "killed_high": 43, "killed_text": "43", "target_group": "shia", "group_name": "Shia"},
        {"killed_low": 47, "killed": 47, "killed_high": 47, "killed_text": "47", "target_group": "shia/ismaili", "group_name": "Ismaili"},
    ]
    for key, more in zip(view["incidents"][0]["report_ids"], said, strict=False):
        view["reports"][key] = {**view["reports"][key], "place": "Karachi", **more}
    page = open_view(view)
    press(page.locator("section.incidents summary").first)
    expect(page.locator(".differ-note")).to_have_text("The reports differ on: Killed.")
    assert page.locator(".said .differs dt").all_inner_texts() == ["Killed", "Killed"]
    assert page.locator(".tolls svg .toll-row").count() == 3


def test_why_its_reports_are_one_stands_in_the_incident_and_adds_up(open_view: Callable[..., Any], tmp_path: Path) -> None:
    rows = [
        {"who": "Police", "id": 1, "day": "2015-05-13", "lat": 24.9, "lon": 67.1, "dead": 45, "how": "armed_assault/shooting"},
        {"who": "Rescue", "id": 2, "day": "2015-05-13", "lat": 24.91, "lon": 67.1, "dead": 43, "how": "armed_assault"},
        {"who": "Dawn", "id": 3, "day": "2015-05-14", "lat": 24.9, "lon": 67.12, "dead": 45, "how": "armed_assault/shooting"},
    ]
    pl.DataFrame(rows).write_csv(tmp_path / "desk.csv")
    (tmp_path / "desk.yml").write_text(
        "agency: {column: who}\nvalues: {own_id: id, event_start: day, lat: lat, lon: lon, killed: dead, attack_type: how, country: {constant: PAK}, violence: {constant: one_sided}}\n"
    )
    view = brief(tmp_path / "desk.csv", spec=tmp_path / "desk.yml", as_of=dt.date(2015, 6, 1), judgements=()).view
    assert len(view["incidents"]) == 1
    page = open_view(view)
    press(page.locator("section.incidents summary").first)
    why = page.locator(".why-one")
    assert re.search(r"\d+ % probable that all of them are one, by odds calibrated on synthetic reports", why.inner_text())
    lines = why.locator("tbody tr")
    assert lines.count() == 3
    for k in range(3):
        cells = [c.replace("−", "-") for c in lines.nth(k).locator("td").all_inner_texts()]
        assert sum(map(float, cells[1:-1])) == pytest.approx(float(cells[-1]), abs=0.5)
    assert {"1", "2", "3"} == {c.split()[0] for k in range(3) for c in lines.nth(k).locator("th").inner_text().split(" – ")}


def test_the_same_count_under_other_choices_is_one_click_away(open_view: Callable[..., Any], demo: Brief) -> None:
    page = open_view(demo.view)
    box = page.locator("details.sensitivity")
    press(box.locator("summary"))
    assert box.locator("tbody tr").count() == 9
    assert box.locator("tbody tr.own td").first.inner_text() == page.locator("table.change .default td.now").first.inner_text()
    rows = list(csv.DictReader(io.StringIO(saved(page, "details.sensitivity", "Numbers (CSV)"))))
    assert [row["choice"] for row in rows][:2] == [
        "As on this page: fused by weighed likeness, with judgements",
        "The source's rows as they are, nothing fused",
    ]


def test_the_page_speaks_urdu_from_right_to_left_and_keeps_the_choices(open_view: Callable[..., Any], demo: Brief) -> None:
    page = open_view(demo.view)
    press(page.locator("#bands button.label", has_text="Shia"))
    shia = total(page)
    press(page.get_by_role("button", name="اردو"))
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["ur", "rtl"]
    assert page.evaluate("document.documentElement.scrollWidth") == 1280
    assert "group=shia" in page.url
    assert "lang=ur" in page.url
    assert "یک طرفہ" in page.locator("h2.headline").inner_text()
    assert "شیعہ" in page.locator("#bands button.label").first.inner_text()
    assert f"{shia} " in page.locator(".bar .total").inner_text()
    for text in page.locator("[data-first-screen] h2, [data-first-screen] caption, .explorer h2, .explorer h3").all_inner_texts():
        assert re.search(r"[؀-ۿ]", text), f"left in English: {text}"
    assert page.locator("#overview svg").evaluate("(node) => getComputedStyle(node).direction") == "ltr", "time runs from left to right"
    page.set_viewport_size({"width": 360, "height": 780})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    press(page.get_by_role("button", name="English"))
    assert page.evaluate("document.documentElement.dir") == "ltr"


def test_what_changed_since_the_last_brief_stands_first(open_view: Callable[..., Any], demo_a_week_later: Brief) -> None:
    page = open_view(demo_a_week_later.view)
    since = page.locator("main > section").first
    assert since.locator("h2").inner_text().startswith("Since 7 May 2015")
    assert "4 new incidents".upper() in since.inner_text().upper()
    press(since.get_by_role("link", name="13 May 2015, Karachi town, Sindh"))
    assert "Karachi" in page.locator("section.incidents details[open] summary").inner_text()


@pytest.mark.parametrize(("box", "picture"), [("#timeline", True), ("#map", True), ("#overview", True), ("table.change", False)])
def test_the_first_screens_charts_give_theirs_too(open_page: Open, box: str, picture: bool) -> None:
    page = open_page()
    with page.expect_download() as waiting:
        page.locator(f"{box} .sign-button").first.click()
    rows = list(csv.DictReader(io.StringIO(waiting.value.path().read_text(encoding="utf-8"))))
    assert len(rows) > 1
    assert all("tocsin" in row["citation"] for row in rows)
    assert page.locator(f"{box} .sign-button").count() == (2 if picture else 1)
    if picture:
        with page.expect_download() as waiting:
            page.locator(f"{box} .sign-button").last.click()
        assert "<svg" in waiting.value.path().read_text(encoding="utf-8")
