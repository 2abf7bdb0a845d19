"""The rooms in a real Chromium, over a hub that listens: as each role, on a phone and a wide screen, axe-core clean."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pyotp
import pytest
import uvicorn
from argon2 import PasswordHasher
from axe_core import violations
from hubs import World
from pages import accept, follow
from people import PASSWORD
from playwright.sync_api import Error
from samples_hub import planted_signal

from tocsin.hub import clock
from tocsin.hub.making.pictures import make_next
from tocsin.hub.pictures import refresh
from tocsin.store.embedded import Embedded

pytestmark = pytest.mark.browser
URDU = "کراچی: صدر میں دھماکہ، چار افراد جاں بحق اور نو زخمی۔"
HOSTILE = "<script>document.title = 'taken'</script><img src=x onerror=alert(1)> & \"quoted\" {{ 7 * 7 }}"
ROLES = {
    "submit": {"/report", "/upload", "/incidents", "/signals", "/feed", "/reports", "/picture/brief.html", "/judgements", "/reporting"},
    "analyse": {"/requests", "/judgements", "/incidents", "/signals", "/feed", "/reports", "/picture/brief.html", "/reporting"},
    "administer_agency": {
        "/requests",
        "/judgements",
        "/incidents",
        "/signals",
        "/feed",
        "/reports",
        "/picture/brief.html",
        "/reporting",
        "/people",
        "/log",
    },
    "oversee": {"/requests", "/people", "/log"},
    "administer_hub": {"/reporting", "/agencies", "/people", "/log"},
    "hub's overseer": {"/reporting", "/agencies", "/people", "/log"},
}
WIDTHS = (360, 768, 1280, 1920)


class Site:
    """A hub that listens, with reports of two agencies in it."""

    def __init__(self, postgres: Embedded) -> None:
        self.world = world = World(postgres, clock(), agencies=("police", "rescue", "coast guard"))
        world.hub.signing_in.hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
        for agency in ("police", "rescue"):
            world.ask("admin", "PUT", f"/api/groups/karachi/{agency}")
        base = {"country": "PAK", "admin1": "Sindh", "place": "Karachi, Saddar", "lat": 24.86, "lon": 67.01, "attack_type": "explosion/ied"}
        base |= {"event_start": "2026-01-05", "violence": "one_sided"}
        world.submit(
            "police", base | {"own_id": "17", "killed": 3, "text": HOSTILE, "marking": "AMBER", "releasable_to": ["group:karachi"]}
        )
        world.submit("rescue", base | {"own_id": "R1", "killed": 4, "text": URDU, "marking": "GREEN"})
        world.submit("rescue", base | {"own_id": "R2", "text": "hidden-quince", "marking": "RED", "place": "Quince"})
        refresh(world.fuse)
        incidents = world.ask("police", "GET", "/api/incidents").json()["incidents"]
        tests = ({"kind": "shift", "dimension": "target_group", "measure": "count", "verdict": "changed", "before": 31, "watched": 9},)
        self.signal = planted_signal(world, "police", world.hub.now(), incidents, tests=tests)
        line = socket.socket()
        line.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{line.getsockname()[1]}"
        self.server = uvicorn.Server(uvicorn.Config(world.client.app, log_config=None, lifespan="off", ws="none"))
        self.thread = threading.Thread(target=lambda: self.server.run(sockets=[line]), daemon=True)
        self.thread.start()
        end = time.monotonic() + 30
        while not self.server.started and time.monotonic() < end:
            time.sleep(0.02)

    def invited(self, name: str, *roles: str, by: str = "police") -> str:
        made = self.world.ask(by, "POST", "/api/invitations", {"name": name, "roles": list(roles)})
        assert made.status_code == 201, made.text
        return self.url + str(made.json()["path"])

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join()
        self.world.close()


@pytest.fixture(scope="module")
def site(postgres: Embedded) -> Iterator[Site]:
    made = Site(postgres)
    yield made
    made.close()


@pytest.fixture
def browse(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Opens a browser of one's own. At the end no script's error, nothing that the policy forbade, and no request elsewhere may have been seen."""
    contexts, seen = [], []

    def open_one(width: int = 1280, **options: Any) -> Any:
        context = chromium.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.on("console", lambda message: seen.append(message.text) if "Content Security" in message.text else None)
        page.on("dialog", lambda dialog: seen.append(dialog.message))
        page.on("request", lambda request: None if request.url.startswith(("http://127.0.0.1", "data:")) else seen.append(request.url))
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert seen == []


def axe(page: Any) -> list[str]:
    return violations(page, 10)


def width_needed(page: Any) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def between_two_looks(look: Callable[[Any], Any], page: Any) -> Any:
    """What a look at a page that asks for itself again gives, tried anew where the page went from under it."""
    for _ in range(20):
        try:
            return look(page)
        except Error as why:
            if not re.search("context was destroyed|axe is not defined", str(why)):
                raise
    raise AssertionError("the page renews itself too fast to be looked at")


@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_role_finds_its_rooms_and_no_others_at_every_width_and_axe_finds_nothing(
    site: Site, browse: Callable[..., Any], role: str
) -> None:
    page = browse(color_scheme="dark" if role == "analyse" else "light")
    staff = "hub" in role
    accept(page, site.invited(re.sub(r"\W|_", "-", role), "oversee" if "overseer" in role else role, by="admin" if staff else "police"))
    shown = {link.get_attribute("href") for link in page.locator("nav a").all()}
    assert shown == ROLES[role]
    refusals = set[str]()
    for path in sorted(
        {
            "/report",
            "/upload",
            "/incidents",
            "/signals",
            "/feed",
            "/reports",
            "/requests",
            "/judgements",
            "/reporting",
            "/agencies",
            "/people",
            "/log",
        }
    ):
        answer = page.goto(site.url + path)
        assert answer.status == (200 if path in ROLES[role] else 403), path
        assert "hidden-quince" not in page.content()
        refusal = page.locator("main").inner_text() if answer.status == 403 else ""
        if refusal in refusals:  # the same page as before
            continue
        refusals |= {refusal} - {""}
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert width_needed(page) == width, (path, width)
        assert axe(page) == [], path
        assert page.title() != "taken"


def test_a_report_is_typed_on_a_phone_in_urdu_and_what_became_of_it_is_shown(site: Site, browse: Callable[..., Any]) -> None:
    page = browse(width=360)
    accept(page, site.invited("desk", "submit"))
    follow(page.get_by_role("link", name="Type a report"))
    page.get_by_label("In your words").fill(URDU)
    assert page.evaluate("getComputedStyle(document.querySelector('#text')).direction") == "rtl"
    page.get_by_label("Killed").fill("چار")
    page.get_by_label("Day", exact=True).fill("2026-01-05")
    page.get_by_label("Place").fill("صدر")
    page.get_by_role("radio", name="AMBER the agencies").check()
    page.get_by_role("checkbox", name="group karachi").check()
    follow(page.get_by_role("button", name="Send the report"))
    page.wait_for_selector("[role=alert]")
    assert "It was not sent" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("In your words").input_value() == URDU  # what was typed is kept
    assert page.get_by_role("radio", name="AMBER the agencies").is_checked()
    assert page.get_by_role("checkbox", name="group karachi").is_checked()
    assert axe(page) == []
    assert width_needed(page) == 360
    page.get_by_label("Killed").fill("۴")
    page.get_by_role("button", name="Send the report").dblclick()  # it is one report all the same
    page.wait_for_url(re.compile(r"/reports/[0-9a-f-]{36}$"))
    said = page.locator("main").inner_text()
    assert "4 killed" in said
    assert "rescue" in said
    assert "coast guard" not in said
    assert axe(page) == []
    refresh(site.world.fuse)
    follow(page.get_by_role("link", name="Sent by us"))
    mine = page.locator("main li", has_text="صدر")
    assert mine.count() == 1
    assert "incident" in mine.inner_text()
    follow(mine.get_by_role("link", name="incident"))
    assert URDU in page.locator("main").inner_text()
    assert axe(page) == []


def test_a_file_is_sent_on_a_phone_and_one_sees_how_far_it_is_and_what_was_not_taken(site: Site, browse: Callable[..., Any]) -> None:
    page = browse(width=360)
    accept(page, site.invited("filer", "submit"))
    follow(page.get_by_role("link", name="Send a file"))
    lines = ["ref,day,dead", *(f"{n},{1 + n % 27:02}/03/2024,{'x' if n % 9 == 0 else n % 5}" for n in range(2500))]
    table = {"name": "حملے.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
    page.get_by_label("File").set_input_files(table)
    page.get_by_role("radio", name="RED only").check()
    follow(page.get_by_role("button", name="Send the file"))
    page.wait_for_selector("progress")
    assert between_two_looks(axe, page) == []
    assert between_two_looks(width_needed, page) == 360
    page.wait_for_selector("#description")  # the page looks again by itself
    assert "own_id: ref" in page.get_by_label("Description").input_value()
    assert axe(page) == []
    assert width_needed(page) == 360
    follow(page.get_by_role("button", name="Read it so"))
    page.wait_for_selector("p.made")
    assert "2,500 reports taken" in page.locator("main").inner_text()
    assert "278 × dead: not a whole number" in page.locator("main").inner_text()
    page.locator("summary").click()
    assert "2459" in page.locator("details").inner_text()
    assert axe(page) == []
    assert width_needed(page) == 360
    follow(page.get_by_role("link", name="Send a file"))
    assert "2,500 reports taken" in page.locator("main li", has_text="حملے").inner_text()
    assert axe(page) == []


def test_an_administrator_invites_who_signs_in_and_out_and_closes_the_account(site: Site, browse: Callable[..., Any]) -> None:
    chief, new = browse(), browse(width=360)
    accept(chief, site.invited("chief", "administer_agency"))
    follow(chief.get_by_role("link", name="People and tokens"))
    invite = chief.locator("form", has_text="Invite a person")
    invite.get_by_label("Name").fill("nadia")
    invite.get_by_role("checkbox", name="submit").check()
    follow(invite.get_by_role("button"))
    assert axe(chief) == []
    link = chief.get_by_role("status").locator("code").inner_text()
    new.goto(link)
    assert axe(new) == []
    secret = accept(new, link)
    follow(new.get_by_role("button", name="Sign out"))
    new.wait_for_url("**/sign-in")
    assert axe(new) == []

    def sign_in(password: str) -> None:
        new.get_by_label("Agency").fill("police")
        new.get_by_label("Your name").fill("nadia")
        new.get_by_label("Password").fill(password)
        new.get_by_label("Code").fill(pyotp.TOTP(secret).at(int(time.time()) + 30))  # the one that confirmed the phone is used up
        follow(new.get_by_role("button", name="Sign in"))

    sign_in("not the right words")
    new.wait_for_selector("[role=alert]")
    assert "wrong" in new.get_by_role("alert").inner_text()
    assert new.get_by_label("Your name").input_value() == "nadia"
    assert new.get_by_label("Password").input_value() == ""
    assert axe(new) == []
    sign_in(PASSWORD)
    new.wait_for_url("**/incidents")
    follow(chief.get_by_role("button", name="Close the account of nadia"))
    chief.wait_for_selector("text=closed 20")
    follow(chief.get_by_role("link", name="Log"))
    chief.wait_for_url("**/log")
    assert "close account nadia" in chief.locator("main").inner_text()
    new.reload()
    assert "/sign-in?back=" in new.url


def test_the_hubs_staff_takes_an_agency_in_and_invites_its_administrator_who_signs_in(site: Site, browse: Callable[..., Any]) -> None:
    chief, new = browse(width=360), browse()
    secret = accept(chief, site.invited("director", "administer_hub", by="admin"))
    assert "what all the world may see" in chief.locator("main").inner_text()
    follow(chief.get_by_role("button", name="Sign out"))
    chief.get_by_label("Your name").fill("director")  # the agency stays empty
    chief.get_by_label("Password").fill(PASSWORD)
    chief.get_by_label("Code").fill(pyotp.TOTP(secret).at(int(time.time()) + 30))
    follow(chief.get_by_role("button", name="Sign in"))
    follow(chief.get_by_role("link", name="Agencies and groups"))
    chief.locator("#name").fill("customs")
    follow(chief.get_by_role("button", name="Take it in", exact=True))
    chief.wait_for_selector("text=Take customs into the hub?")
    assert axe(chief) == []
    assert width_needed(chief) == 360
    follow(chief.get_by_role("button", name="Yes, do it"))
    chief.wait_for_url("**/agencies")
    assert "customs" in chief.locator("main").inner_text()
    follow(chief.get_by_role("link", name="People and tokens").first)
    invite = chief.locator("form", has_text="Invite a person")
    invite.get_by_label("Agency", exact=True).select_option("customs")
    invite.get_by_label("Name").fill("first")
    invite.get_by_role("checkbox", name="administer agency").check()
    follow(invite.get_by_role("button"))
    accept(new, chief.get_by_role("status").locator("code").inner_text())
    new.wait_for_url("**/incidents")
    assert "customs" in new.locator("header").inner_text()
    follow(chief.get_by_role("link", name="Agencies and groups"))
    follow(chief.get_by_role("link", name="Let customs leave"))
    chief.get_by_role("radio", name="Hand them to another agency").check()
    chief.get_by_label("Handed to").select_option("police")
    chief.get_by_label("The agency's name, once more").fill("customs")
    assert axe(chief) == []
    assert width_needed(chief) == 360
    follow(chief.get_by_role("button", name="Go on"))
    chief.wait_for_selector("text=customs leaves the hub?")
    assert "People who sign in no longer\nfirst" in chief.locator("main").inner_text()
    assert axe(chief) == []
    assert width_needed(chief) == 360
    chief.get_by_role("button", name="customs leaves").dblclick()
    chief.wait_for_url("**/agencies")
    assert "customs" not in chief.locator("main").inner_text()
    new.reload()
    assert "/sign-in" in new.url


def test_a_report_is_corrected_opened_marked_anew_and_judged_on_a_phone_each_with_a_page_that_says_what_it_will_do(
    site: Site, browse: Callable[..., Any]
) -> None:
    page = browse(width=360)
    accept(page, site.invited("acting", "submit", "analyse", "administer_agency"))
    posted = {
        "own_id": "acted on",
        "event_start": "2026-01-07",
        "place": "حیدرآباد",
        "killed": 1,
        "marking": "AMBER",
        "releasable_to": ["rescue"],
    }
    ident = site.world.submit("police", posted)[0]["report_id"]

    def fits() -> None:
        assert axe(page) == []
        for width in (*WIDTHS[1:], 360):
            page.set_viewport_size({"width": width, "height": 800})
            assert width_needed(page) == width, width

    def go_on(button: str) -> str:
        page.get_by_label("Why").fill(URDU)
        fits()
        follow(page.get_by_role("button", name="Go on"))
        page.wait_for_selector(".asked")
        fits()
        said: str = page.locator("main").inner_text()
        assert URDU in said
        page.get_by_role("button", name=button).dblclick()  # it is done once all the same
        return said

    page.goto(f"{site.url}/reports/{ident}")
    follow(page.get_by_role("link", name="Open it to an agency"))
    page.get_by_label("To which agency").select_option("coast guard")
    assert "coast guard sees this report from then on" in go_on("Open it to coast guard")
    page.wait_for_url(f"**/reports/{ident}")
    assert "released to coast guard" in page.locator("main").inner_text()
    released = site.world.ask("police", "GET", "/api/releases").json()["releases"]
    assert [one["why"] for one in released if one["report_id"] == ident] == [URDU]
    follow(page.get_by_role("link", name="Correct it"))
    page.get_by_label("Killed").fill("۲")
    said = go_on("Send the correction")
    assert "Killed: ۲, was 1" in said.replace("\u2068", "").replace("\u2069", "")
    assert "See the earlier report alone\ncoast guard" in said
    page.wait_for_selector("text=2 killed")
    corrected = page.url.rpartition("/")[2]
    assert axe(page) == []
    follow(page.get_by_role("link", name="Mark it anew"))
    page.get_by_role("radio", name="RED only").check()
    page.get_by_role("checkbox", name="rescue", exact=True).uncheck()
    assert "See it no longer\nrescue" in go_on("Mark it RED")
    page.wait_for_url(f"{site.url}/reports/{corrected}")
    assert "RED" in page.locator("main").inner_text()
    refresh(site.world.fuse)
    follow(page.get_by_role("link", name="The incident that it is in"))
    follow(page.get_by_role("link", name="Judge it"))
    page.get_by_role("radio", name="Their incident is right as it stands").check()
    go_on("Sign it")
    page.wait_for_url("**/judgements")
    assert page.locator("main li", has_text="Their incident is right").count() == 1
    assert axe(page) == []
    assert width_needed(page) == 360


def test_a_signal_is_read_and_opened_on_a_phone_after_a_page_that_says_what_it_will_do(site: Site, browse: Callable[..., Any]) -> None:
    page = browse(width=360)
    accept(page, site.invited("watching", "analyse"))

    def fits() -> None:
        assert axe(page) == []
        for width in (*WIDTHS[1:], 360):
            page.set_viewport_size({"width": width, "height": 800})
            assert width_needed(page) == width, width

    follow(page.get_by_role("link", name="Signals"))
    page.locator("summary", has_text="What was tested").click()
    assert "Communities, attacks" in page.locator("table").inner_text()
    fits()
    follow(page.get_by_role("link", name="Communities: more attacks, Sufi"))
    assert "Chance alone raises one like it 0.5 times a year" in page.locator("main").inner_text()
    assert page.locator("h3", has_text="Karachi, Saddar").count() == 1
    fits()
    follow(page.get_by_role("link", name="Open it to an agency"))
    page.get_by_label("To which agency").select_option("coast guard")
    page.get_by_label("Why").fill(URDU)
    fits()
    follow(page.get_by_role("button", name="Go on"))
    page.wait_for_selector(".asked")
    assert URDU in page.locator("main").inner_text()
    fits()
    page.get_by_role("button", name="Open it to coast guard").dblclick()
    page.wait_for_url(f"**/signals/{site.signal}")
    assert "Opened by us to coast guard" in page.locator("main").inner_text()


def test_who_was_signed_out_comes_back_to_the_page_that_was_asked_for(site: Site, browse: Callable[..., Any]) -> None:
    page = browse(width=360)
    secret = accept(page, site.invited("returning", "analyse"))
    follow(page.get_by_role("button", name="Sign out"))
    page.wait_for_url("**/sign-in")
    page.goto(site.url + "/reporting")
    page.get_by_label("Agency").fill("police")
    page.get_by_label("Your name").fill("returning")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code").fill(pyotp.TOTP(secret).at(int(time.time()) + 30))
    follow(page.get_by_role("button", name="Sign in"))
    page.wait_for_url("**/reporting")
    page.context.clear_cookies()
    page.goto(site.url + "/picture/brief.html")
    assert "/sign-in?back=%2Fpicture%2Fbrief.html" in page.url


def test_a_session_opens_the_brief_of_ones_own_picture(site: Site, browse: Callable[..., Any]) -> None:
    page = browse()
    accept(page, site.invited("reader", "analyse"))
    follow(page.get_by_role("link", name="Brief"))
    page.wait_for_url("**/picture/brief.html*")
    assert "being made" in page.locator("body").inner_text()
    while make_next(site.world.fuse):
        pass
    page.wait_for_selector("html[data-ready]", state="attached")
    assert "hidden-quince" not in page.content()


def test_one_gets_by_with_the_keyboard_alone_and_sees_where_one_is(site: Site, browse: Callable[..., Any]) -> None:
    page = browse()
    page.goto(site.url + "/sign-in")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the page"
    for name in ("agency", "name", "password", "code"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == name
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Sign in"
