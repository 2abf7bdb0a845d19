"""Names of agencies, groups and tokens: short, plain, and harmless wherever they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tocsin.errors import Malformed
from tocsin.store import Store

NAME = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]| (?=[A-Za-z0-9._-])){0,63}"
)  # two that look alike on a page are one: no space at the end, none doubled


def check_name(text: str, whose: str) -> None:
    """Raises `Malformed` for what is no name. whose: "an agency's"."""
    if not NAME.fullmatch(text):
        raise Malformed(
            f"{whose} name has 1 to 64 letters, digits, single spaces, dots, dashes or underscores, begins with a letter or digit, and ends with no space"
        )


def check_there(store: Store, name: str) -> None:
    """Raises `Malformed` where the hub has no agency of that name."""
    with store.transaction(None) as tx:
        if name not in {row["name"] for row in tx.all("agencies")}:
            raise Malformed(f"no agency {name} in this hub: add it first")


def check_new(text: str, those: Iterable[str], what: str) -> None:
    """Raises `Malformed` where one of those is called so in other letters: whoever names it in a marking would take one for the other."""
    for other in those:
        if other != text and other.lower() == text.lower():
            raise Malformed(f"there is {what} {other}, which differs in capital letters alone: give another name")
