"""By the how-to, in processes of its own: staff takes two agencies in, a desk sends a table on a phone, and another agency's browser has it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from pages import accept, follow
from running import Running, new_folder

pytestmark = pytest.mark.browser
ROWS = ["ref,day,town,dead", *(f"{n},{1 + n % 27:02}/03/2024,کراچی {n % 7},{n % 5}" for n in range(300))]


def tocsin(hub: Running, *words: str) -> str:
    command = [sys.executable, "-m", "tocsin", *words, "--url", hub.url]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"TOCSIN_TOKEN": hub.admin}, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def account(chromium: Any, link: str, width: int) -> Any:
    page = chromium.new_context(viewport={"width": width, "height": 800}).new_page()
    accept(page, link)
    return page


def test_a_table_travels_from_a_phone_of_one_agency_to_the_browser_of_another(chromium: Any) -> None:
    with new_folder() as folder:
        hub = Running(folder)
        for agency in ("police", "rescue"):
            tocsin(hub, "agency", "add", agency)
        phone = account(chromium, tocsin(hub, "agency", "invite", "amina", "--agency", "police", "--role", "submit"), 360)
        other = account(chromium, tocsin(hub, "agency", "invite", "omar", "--agency", "rescue", "--role", "analyse"), 1280)
        follow(phone.get_by_role("link", name="Send a file"))
        table = {"name": "march.csv", "mimeType": "text/csv", "buffer": "\n".join(ROWS).encode()}
        phone.get_by_label("File").set_input_files(table)
        phone.get_by_role("radio", name="AMBER the agencies").check()
        phone.get_by_role("checkbox", name="rescue").check()
        follow(phone.get_by_role("button", name="Send the file"))
        phone.wait_for_selector("#description")
        follow(phone.get_by_role("button", name="Read it so"))
        phone.wait_for_selector("p.made")
        assert "300 reports taken" in phone.locator("main").inner_text()
        follow(other.get_by_role("link", name="Reports", exact=True))
        other.wait_for_selector("main li")
        assert other.locator("main li").count() == 50
        assert "کراچی" in other.locator("main").inner_text()
        while "There is no incident yet" in other.goto(f"{hub.url}/incidents").text():
            other.wait_for_timeout(500)
        assert "report" in other.locator("main li").first.inner_text()
        follow(other.get_by_role("link", name="Who reports"))
        assert "300 reports on 1 day" in other.locator("main li", has_text="police").inner_text()
        for page in (phone, other):
            page.context.close()
        hub.close()
