"""What a person does to pages in a real browser, for tests: none of it looks before the page has done what it was asked."""

from __future__ import annotations

from typing import Any

import pyotp
from people import PASSWORD


def follow(press: Any) -> None:
    """Presses a link or a button and waits until the page that it leads to is there: who looks at once may still see the page before."""
    with press.page.expect_navigation():
        press.click()


def settled(page: Any, wait: int = 30) -> None:
    """Waits until all is drawn: a brief's page draws what is in sight in one frame, the rest in the next. wait: ms after which it begins to draw at the latest."""
    page.evaluate(
        """(wait) => new Promise((done) => setTimeout(
            () => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))), wait))""",
        wait,
    )


def press(target: Any) -> None:
    """Presses something that leads to no other page, and waits until what it changes is drawn."""
    target.click()
    settled(target.page)


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
