"""The page of what one agency may see of a hub."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from samples import DAY, report, reports

from tocsin import fuse
from tocsin.brief import held
from tocsin.terms.tables import REPORTS, empty

AS_OF = datetime(2026, 1, 31, 12, tzinfo=UTC)


def drawn(table: pl.DataFrame, **more: Any) -> tuple[dict[str, Any], dict[str, Any], str]:
    """(head, body, the text) of a page."""
    fusion = fuse(table, as_of=AS_OF.date(), judgements=())
    text = held.page(table, fusion, (), **({"agency": "police", "as_of": AS_OF, "marking": "AMBER"} | more))
    head, body = (re.search(rf'id="tocsin-{part}">(.*?)</script>', text, re.DOTALL) for part in ("head", "body"))
    assert head is not None
    assert body is not None
    return json.loads(head[1]), json.loads(gzip.decompress(b64decode(body[1]))), text


def some(n: int) -> pl.DataFrame:
    return reports(*(report(f"r{k}", event_start=DAY.replace(day=k + 1), event_end=DAY.replace(day=k + 1), lat=20.0 + k) for k in range(n)))


def test_it_says_whose_picture_it_is_as_of_when_how_it_is_marked_and_watches_nothing() -> None:
    head, body, _ = drawn(some(3))
    assert head["audience"] == ["audience_agency", {"agency": "police", "moment": "2026-01-31T12:00:00.000000Z", "marking": "AMBER"}]
    assert head["watch"] is None
    assert head["left_out"] == []
    assert body["incidents"]["n"] == 3


def test_of_more_incidents_than_a_browser_opens_it_holds_the_latest_and_says_how_many_are_older(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "MOST", 2)
    head, body, text = drawn(some(5))
    assert body["incidents"]["n"] == 2
    assert [n for _, n in head["left_out"]] == [3]
    assert "r0" not in str(body)
    assert "r4" in str(body)
    assert text


def test_an_agency_that_sees_nothing_has_an_empty_page() -> None:
    head, body, _ = drawn(empty(REPORTS), marking=None)
    assert body["incidents"]["n"] == 0
    assert head["audience"][1]["marking"] == "-"
