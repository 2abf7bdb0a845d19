"""Alerts as CAP 1.2: the schema of OASIS takes what is written, what was written is read the same, and what the standard forbids is refused."""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from capvalidator import Validator

from tocsin.cap import Alert, Area, Circle, Info, Named, Reference, Resource, read_alert, written, wrong_with
from tocsin.cap import alert as words
from tocsin.errors import InputError

SENT = datetime(2026, 1, 5, 12, 0, tzinfo=timezone(timedelta(hours=5)))
ALERT = Alert("hub-17", "directorate@example.org", SENT, "Actual", "Alert", "Private", addresses=("police", "coast guard"))
INFO = Info(("Security",), "attack on a procession", "Expected", "Severe", "Likely")

texts = (
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters='"\ufffe\uffff'), min_size=1, max_size=20)
    .map(str.strip)
    .filter(bool)
)
names = st.from_regex(r"[A-Za-z0-9.@-]{1,20}", fullmatch=True)
times = st.datetimes(
    datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.integers(-12 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
).map(lambda at: at.replace(microsecond=0))
degrees = st.integers(-90 * 10**5, 90 * 10**5).map(lambda n: n / 10**5)
points = st.tuples(degrees, degrees)
numbers = st.integers(0, 10**7).map(lambda n: n / 100)
named = st.lists(st.builds(Named, texts, texts), max_size=2).map(tuple)
maybe = st.none() | texts


def several(choices: tuple[str, ...], least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(choices), min_size=least, max_size=3).map(tuple)


areas = st.builds(
    Area,
    texts,
    st.lists(st.lists(points, min_size=3, max_size=5).map(lambda p: (*p, p[0])), max_size=2).map(tuple),
    st.lists(st.builds(Circle, degrees, degrees, numbers), max_size=2).map(tuple),
    named,
    numbers,
    st.none() | numbers,
)
infos = st.builds(
    Info,
    several(words.CATEGORY, 1),
    texts,
    st.sampled_from(words.URGENCY),
    st.sampled_from(words.SEVERITY),
    st.sampled_from(words.CERTAINTY),
    st.sampled_from(["en-US", "ur", "ps-AF"]),
    several(words.RESPONSE_TYPE),
    maybe,
    named,
    st.none() | times,
    st.none() | times,
    st.none(),
    maybe,
    maybe,
    maybe,
    maybe,
    st.none() | st.just("https://example.org/a"),
    maybe,
    named,
    st.lists(
        st.builds(
            Resource,
            texts,
            st.just("image/png"),
            st.none() | st.integers(0, 10**9),
            st.none() | st.just("https://example.org/b"),
            maybe,
            maybe,
        ),
        max_size=2,
    ).map(tuple),
    st.lists(areas, max_size=2).map(tuple),
)
alerts = st.builds(
    Alert,
    names,
    names,
    times,
    st.sampled_from(words.STATUS),
    st.sampled_from(words.MSG_TYPE),
    st.just("Private"),
    maybe,
    st.none(),
    st.lists(texts, min_size=1, max_size=3).map(tuple),
    st.lists(texts, max_size=2).map(tuple),
    texts,
    st.lists(st.builds(Reference, names, names, times), min_size=1, max_size=2).map(tuple),
    st.lists(texts, max_size=2).map(tuple),
    st.lists(infos, max_size=2).map(tuple),
)


def schema_takes(text: bytes) -> bool:
    taken, _ = Validator(text).schema()
    return bool(taken)


@settings(max_examples=120, deadline=None)
@given(alerts)
def test_what_is_written_is_taken_by_the_schema_of_oasis_and_read_the_same(alert: Alert) -> None:
    text = written(alert)
    assert schema_takes(text)
    assert read_alert(text) == alert


def test_a_time_of_utc_is_written_with_its_zone_and_never_as_z() -> None:
    text = written(replace(ALERT, sent=datetime(2026, 1, 5, 7, 0, tzinfo=UTC)))
    assert b"<sent>2026-01-05T07:00:00-00:00</sent>" in text
    with pytest.raises(InputError, match="sent"):
        read_alert(text.replace(b"-00:00<", b"Z<"))


FORBIDDEN: list[tuple[dict[str, Any], str]] = [
    ({"addresses": ()}, "addresses"),
    ({"scope": "Restricted", "addresses": ()}, "restriction"),
    ({"restriction": "x"}, "restriction"),
    ({"msg_type": "Update"}, "references"),
    ({"msg_type": "Cancel"}, "references"),
    ({"msg_type": "Ack"}, "references"),
    ({"msg_type": "Error", "references": (Reference("a", "b", SENT),)}, "note"),
    ({"status": "Exercise"}, "note"),
    ({"status": "Real"}, "status"),
    ({"identifier": "a b"}, "identifier"),
    ({"sender": "a,b"}, "sender"),
    ({"sender": ""}, "sender"),
    ({"note": "a\0b"}, "note"),
    ({"sent": datetime(2026, 1, 5)}, "sent"),
    ({"sent": SENT.replace(microsecond=1)}, "sent"),
    ({"infos": (replace(INFO, category=()),)}, "category"),
    ({"infos": (replace(INFO, urgency="Soon"),)}, "urgency"),
    ({"infos": (replace(INFO, effective=SENT, expires=SENT - timedelta(hours=1)),)}, "expires"),
    ({"infos": (replace(INFO, areas=(Area("x", polygons=(((1.0, 1.0), (2.0, 2.0), (1.0, 1.0)),)),)),)}, "polygons"),
    ({"infos": (replace(INFO, areas=(Area("x", circles=(Circle(91.0, 0.0, 1.0),)),)),)}, "degrees"),
    ({"infos": (replace(INFO, areas=(Area("x", ceiling=3.0),)),)}, "ceiling"),
]


@pytest.mark.parametrize(("more", "named_in"), FORBIDDEN)
def test_what_the_standard_forbids_is_not_written(more: dict[str, Any], named_in: str) -> None:
    made = replace(ALERT, **more)
    assert named_in in " ".join(wrong_with(made))
    with pytest.raises(InputError, match=named_in):
        written(made)


TEXT = written(replace(ALERT, infos=(INFO,)))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "no XML"),
        (b"\xff\xfe", "no XML"),
        (b"<alert/>", "no alert"),
        (TEXT.replace(b"cap:1.2", b"cap:1.1"), "no alert"),
        (b'<?xml version="1.0"?><!DOCTYPE alert [<!ENTITY a "b">]>' + TEXT.partition(b"?>")[2], "no document type|declares"),
        (TEXT.replace(b"<status>Actual</status>", b""), "lacks"),
        (TEXT.replace(b"<status>", b"<own>1</own><status>"), "own"),
        (TEXT.replace(b"<status>Actual</status><msgType>Alert</msgType>", b"<msgType>Alert</msgType><status>Actual</status>"), "status"),
        (TEXT.replace(b"<status>Actual</status>", b"<status>Actual</status><status>Test</status>"), "status"),
        (TEXT.replace(b"<status>Actual", b"<status><b/>Actual"), "elements in it"),
        (TEXT.replace(b"2026-01-05T12:00:00", b"2026-13-05T12:00:00"), "sent"),
        (TEXT.replace(b"<scope>Private", b"<scope>Public-ish"), "scope"),
    ],
)
def test_what_is_no_alert_of_cap_is_refused_with_the_reason(text: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_alert(text)


def test_addresses_with_spaces_stand_in_quotes() -> None:
    assert b'<addresses>police "coast guard"</addresses>' in TEXT
    assert read_alert(TEXT).addresses == ("police", "coast guard")


def test_a_signature_is_passed_over() -> None:
    signed = TEXT.replace(b"</alert>", b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/></alert>')
    assert read_alert(signed) == read_alert(TEXT)
    assert schema_takes(signed)


def test_space_around_values_is_not_part_of_them() -> None:
    spaced = TEXT.replace(b"<event>", b"\n  <event>\n  ").replace(b"</event>", b" </event>\n")
    assert read_alert(spaced) == read_alert(TEXT)
