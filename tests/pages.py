"""What a person does to the pages of a hub in a real browser, for tests."""

from __future__ import annotations

from typing import Any

import pyotp
from people import PASSWORD


def follow(press: Any) -> None:
    """Presses a link or a button and waits until the page that it leads to is there: who looks at once may still see the page before."""
    with press.page.expect_navigation():
        press.click()


def accept(page: Any, link: str) -> str:
    """Makes an account by an invitation, and gives the phone's secret."""
    page.goto(link)
    secret = str(page.locator("code.secret").inner_text().replace(" ", ""))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_label("The code that the app shows now").fill(pyotp.TOTP(secret).now())
    follow(page.get_by_role("button", name="Make the account"))
    page.wait_for_selector("nav")
    return secret
