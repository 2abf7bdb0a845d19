"""How letters are compared: lower case, common Latin accents folded, apostrophes dropped."""

from __future__ import annotations

import unicodedata
from functools import cache

APOSTROPHES = "'`´‘’ʼʻ"
#: Ends a clause. Hyphens do so only with spaces around them, full stops only before a space or the end.
STOPS = ";:()[]!?–—…|"


@cache
def folded(letter: str) -> str:
    """The base letter of an accented Latin letter (U+00C0 to U+024F), else the letter in lower case, else "" for what is no letter or digit
    of Unicode's first plane."""
    if not letter.isalnum() or letter in APOSTROPHES or letter > "\uffff":
        return ""
    if "\u00c0" <= letter <= "\u024f":
        base = unicodedata.normalize("NFD", letter)[0].lower()
        return base if base.isascii() and base.isalpha() else letter
    return letter.lower() if letter.isascii() else letter


def words_of(phrase: str) -> tuple[str, ...]:
    """A lexicon phrase as normal words; a word in CAPITALS keeps them, for it matches capitals only."""
    out = []
    for raw in phrase.replace("-", " ").split():
        word = "".join(c if c == "&" else folded(c) for c in raw if c not in APOSTROPHES)
        if word:
            out.append(word.upper() if len(raw) > 1 and raw.isupper() and raw.isalpha() else word)
    return tuple(out)
