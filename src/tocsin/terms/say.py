"""Messages as text: the page says them in the reader's language, the command line and the hub's rooms in English.

A message is a text as it is, or [key, values] of the catalogues brief/page/words.json and words.<language>.json beside it; a value may be a message, a
number or a day. Where its `n` is one, and the catalogue has words of their own for that (key_1), it says these.
"""

from __future__ import annotations

import json
import re
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from tocsin.terms.taxonomies import taxonomy

#: Catalogues of the page's words, English first; what another lacks is taken from English.
LANGUAGES = ("en", "ur")

#: A message that is the name of a code: {tree, code} of a taxonomy; each language may have its own name for it.
NAME_OF = "name_of"

Message = str | tuple[str, dict[str, Any]]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_SLOT = re.compile(r"\{(\w+)\}")


def day(value: date | None) -> str | None:
    """`14 May 2015`, the same in every locale."""
    return None if value is None else f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


@cache
def catalogue(lang: str = "en") -> dict[str, Any]:
    """The page's words in one language: key -> text with {slots}; `months` is a list of twelve."""
    name = "words.json" if lang == "en" else f"words.{lang}.json"
    return dict(json.loads(files("tocsin").joinpath("brief/page", name).read_text(encoding="utf-8")))


def counted(n: int, noun: str) -> str:
    """`1 report`, `2 reports`."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def say(message: Any) -> str:
    """A message in English."""
    if isinstance(message, str):
        return message
    key, values = message
    if key == NAME_OF:
        return taxonomy(values["tree"]).nodes[values["code"]].name
    told = {name: _told(value) for name, value in values.items()}
    one = f"{key}_1" if told.get("n") == "1" else key
    return _SLOT.sub(lambda slot: told.get(slot[1], ""), str(catalogue().get(one) or catalogue()[key]))


def _told(value: Any) -> str:
    if isinstance(value, list | tuple):
        return say(value)
    if isinstance(value, int | float):
        return f"{round(value, 1):,}".removesuffix(".0")
    text = str(value)
    return (day(date.fromisoformat(text)) or text) if _DAY.fullmatch(text) else text
