"""The articles of a cell by regular expressions: slow and plain."""

from __future__ import annotations

import datetime as dt
import re

_DATED = re.compile(r",[0-9]{4}-[0-9]{2}-[0-9]{2},")
_ARTICLE = re.compile(r'"?(?P<office>[^"]*?),(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}),(?P<headline>.*?)"?', re.DOTALL)
_SPACE = " \t\n\v\f\r\u00a0"

Article = tuple[str, dt.date, str]


def articles(cell: str) -> tuple[list[Article], list[str], list[str]]:
    """(articles, parts that are none, parts that repeat an article) of one cell."""
    if not _DATED.search(cell):
        return [], [], []
    good: list[Article] = []
    bad, twice = [], []
    for part in cell.split('";"'):
        match = _ARTICLE.fullmatch(part)
        try:
            date = dt.date.fromisoformat(match["date"]) if match else None
        except ValueError:
            date = None
        office = match["office"].strip(_SPACE) if match else ""
        if match is None or date is None or date.year < 1000 or not office:
            bad.append(part)
            continue
        article = (office, date, match["headline"].strip(_SPACE))
        (twice if article in good else good).append(article if article not in good else part)  # type: ignore[arg-type]
    return good, bad, twice
