"""Names of agencies, groups and tokens: short, plain, and harmless wherever they are written."""

from __future__ import annotations

import re

from tocsin.errors import Malformed

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")


def check_name(text: str, whose: str) -> None:
    """Raises `Malformed` for what is no name. whose: "an agency's"."""
    if not NAME.fullmatch(text):
        raise Malformed(f"{whose} name has 1 to 64 letters, digits, spaces, dots, dashes or underscores, and begins with a letter or digit")
