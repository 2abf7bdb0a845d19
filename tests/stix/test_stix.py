"""Reports as STIX and back: OASIS's own tools agree with what is written, and nothing is lost on the way."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
import stix2
from hypothesis import given, settings
from hypothesis import strategies as st
from stix2validator import ValidationOptions, validate_instance

from tocsin.gate import Clearance, tlp2
from tocsin.hub import instant
from tocsin.hub.posted import CODED, RANGES, posted
from tocsin.hub.shown import shown
from tocsin.stix import Sent, fixed_objects, identity_of, objects_of, post_of, wrong_with
from tocsin.stix.fixed import EXTENSION, ORCON, TLP, marking_id
from tocsin.terms.ids import report_id
from tocsin.terms.posts import SET_BY_THE_HUB
from tocsin.terms.tables import REPORTS
from tocsin.terms.taxonomies import taxonomy

MARKINGS = [m.name for m in tlp2().markings]
SEEN_AT = datetime(2026, 3, 4, 5, 6, 7, 123456, tzinfo=UTC)
#: Ids are UUIDv5, of which STIX says that they should be random: they follow from the report, so that nobody gets it twice. A page's hash is not known.
OPTIONS = ValidationOptions(strict=True, version="2.1", disabled=["uuid-check", "extref-hashes"])

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=30).filter(str.strip)
idents = st.uuids(version=4).map(str)


def _values(column: Any) -> st.SearchStrategy[Any]:
    name, kind = column.name, column.dtype
    low, high = RANGES.get(name, (0, 1000))
    plain: dict[Any, st.SearchStrategy[Any]] = {
        pl.Int32: st.integers(int(low), int(high)),
        pl.Float64: st.floats(low, high),
        pl.Boolean: st.booleans(),
        pl.Date: st.dates(date(1990, 1, 1)).map(date.isoformat),
        pl.Datetime: st.datetimes(datetime(1990, 1, 1), timezones=st.just(UTC)).map(datetime.isoformat),
        pl.String: texts,
    }
    if name in CODED:
        return st.sampled_from(list(taxonomy(name).nodes))
    if isinstance(kind, pl.Enum):
        return st.sampled_from(list(kind.categories))
    if isinstance(kind, pl.List):
        return st.lists(idents if name == "derived_from" else texts, max_size=3)
    special = {
        "supersedes": idents,
        "reliability": st.sampled_from("ABCDEF"),
        "country": st.sampled_from(["PAK", "IND", "XKX"]),
        "lang": st.sampled_from(["en", "ur"]),
    }
    return special.get(name, plain[kind.base_type()])


posts = (
    st.fixed_dictionaries(
        {"marking": st.sampled_from(MARKINGS)},
        optional={c.name: _values(c) for c in REPORTS if c.name not in SET_BY_THE_HUB and c.name != "marking"}
        | {"own_id": texts, "version": texts},
    )
    .map(lambda raw: posted(raw))
    .filter(lambda made: not made.reasons)
    .map(lambda made: made.fields)
)


def row_of(agency: str, fields: dict[str, Any]) -> dict[str, Any]:
    """A row of a feed, in which all that it points at is visible."""
    ident = report_id(agency, fields.get("own_id", "x"), fields.get("version"))
    body = {"kind": "event", "violence": "unknown", "origin": f"{agency} {ident}"} | fields
    more = {"agency": agency, "originator": agency, "visible_at": SEEN_AT, "body": body, "released_to": []}
    more |= {
        k: fields.get(k, d)
        for k, d in (
            ("marking", ""),
            ("releasable_to", []),
            ("orcon", False),
            ("supersedes", None),
            ("derived_from", []),
            ("part_of", None),
        )
    }
    return more | {"report_id": ident}


def stix_of(agency: str, fields: dict[str, Any], reader: str) -> list[dict[str, Any]]:
    return objects_of(shown(row_of(agency, fields), Clearance(reader)))


def back(objects: list[dict[str, Any]], agency: str) -> dict[str, Any]:
    return post_of(objects[-1], Sent(objects), agency, lambda names: tlp2().strictest(names).name, MARKINGS)


@settings(max_examples=150, deadline=None)
@given(posts)
def test_a_report_that_went_out_as_stix_and_comes_back_is_the_same(fields: dict[str, Any]) -> None:
    returned = posted(back(stix_of("A", fields, "A"), "A"))
    assert not returned.reasons
    defaults = {"kind": "event", "violence": "unknown"}
    unsaid = {k: v for k, v in fields.items() if v != [] and v is not False}  # what is empty, or does not hold, is not written
    assert {k: v for k, v in returned.fields.items() if v is not False} == defaults | unsaid


@settings(max_examples=60, deadline=None)
@given(posts, st.sampled_from(["A", "B"]))
def test_oasis_tools_agree_with_every_report_that_is_written(fields: dict[str, Any], reader: str) -> None:
    for made in stix_of("A", fields, reader):
        assert wrong_with(made) == []
        stix2.parse(made, allow_custom=False)
        result = validate_instance(made, OPTIONS)
        assert result.is_valid, [str(e) for e in result.errors]


def test_oasis_tools_agree_with_what_every_feed_begins_with() -> None:
    for made in [*fixed_objects([*MARKINGS, "SECRET"]), identity_of("A")]:
        assert wrong_with(made) == []
        stix2.parse(made, allow_custom=False)
        result = validate_instance(made, OPTIONS)
        assert result.is_valid, [str(e) for e in result.errors]


def test_markings_have_the_ids_that_oasis_gave_them() -> None:
    assert TLP["AMBER+STRICT"] == "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"
    assert {o["id"] for o in fixed_objects(MARKINGS) if o["type"] == "marking-definition"} == {*TLP.values(), ORCON}


def test_ids_never_change() -> None:
    assert EXTENSION == "extension-definition--1b476b1b-2075-5ff2-a3e5-c7ff635de2f2"
    assert ORCON == "marking-definition--9a0d249a-0640-5882-8303-e180dea5f20e"
    assert identity_of("A")["id"] == "identity--f3edb144-ad61-5aa6-a02d-0db513c74c95"


def test_a_place_has_its_precision_in_metres_and_its_country_in_two_letters() -> None:
    place, made = stix_of("A", {"marking": "GREEN", "lat": 24.9, "lon": 67.1, "radius_km": 1.5, "country": "PAK", "place": "Karachi"}, "B")
    assert (place["latitude"], place["longitude"], place["precision"], place["country"]) == (24.9, 67.1, 1500.0, "PK")
    assert made["object_refs"] == [place["id"]]


def test_a_report_of_another_agency_says_neither_its_own_id_nor_who_else_may_see_it() -> None:
    fields = posted({"own_id": "secret", "version": "2", "marking": "RED", "releasable_to": ["B", "C"], "killed": 3}).fields
    (made,) = stix_of("A", fields, "B")
    said = made["extensions"][EXTENSION]
    assert said["releasable_to"] == ["B"]
    assert not {"own_id", "version"} & said.keys()
    assert "secret" not in str(made)


def test_who_passes_on_anothers_report_repeats_it_in_its_own_name() -> None:
    fields = posted({"own_id": "1", "marking": "GREEN", "killed": 3, "text": "so"}).fields
    objects = stix_of("A", fields, "B")
    assert back(objects, "B") == {
        "own_id": objects[-1]["id"],
        "derived_from": [report_id("A", "1")],
        "kind": "event",
        "violence": "unknown",
        "origin": f"A {report_id('A', '1')}",
        "killed": 3,
        "text": "so",
        "marking": "GREEN",
    }


HEAD = {"spec_version": "2.1", "created": "2026-01-02T00:00:00.000Z", "modified": "2026-01-03T00:00:00.000Z"}
INCIDENT = {
    "type": "incident",
    "id": "incident--5a1b6bb0-8d1e-4c6a-9f8a-2a4b8d8f0001",
    "name": "Blast",
    "description": "At a market",
} | HEAD
PLACE = {
    "type": "location",
    "id": "location--5a1b6bb0-8d1e-4c6a-9f8a-2a4b8d8f0002",
    "latitude": 24.9,
    "longitude": 67.1,
    "precision": 500,
    "country": "PK",
} | HEAD
AT = {"type": "relationship", "id": "relationship--5a1b6bb0-8d1e-4c6a-9f8a-2a4b8d8f0003", "relationship_type": "located-at"} | HEAD
SIGHTED = {
    "type": "sighting",
    "id": "sighting--5a1b6bb0-8d1e-4c6a-9f8a-2a4b8d8f0004",
    "sighting_of_ref": INCIDENT["id"],
    "first_seen": "2026-01-01T09:00:00Z",
} | HEAD


def foreign(made: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
    assert [wrong_with(o) for o in (made, *others)] == [[]] * (1 + len(others))
    return post_of(made, Sent([made, *others]), "A", lambda names: tlp2().strictest(names).name, MARKINGS)


def test_an_incident_of_another_system_is_read_with_its_place_and_the_days_on_which_it_was_seen() -> None:
    made = INCIDENT | {"object_marking_refs": [TLP["AMBER"]]}
    at = AT | {"source_ref": made["id"], "target_ref": PLACE["id"]}
    said = foreign(made, PLACE, at, SIGHTED)
    assert said == {
        "own_id": made["id"],
        "version": made["modified"],
        "reported_at": made["modified"],
        "text": "Blast\nAt a market",
        "country": "PAK",
        "lat": 24.9,
        "lon": 67.1,
        "radius_km": 0.5,
        "event_start": "2026-01-01",
        "event_end": "2026-01-01",
        "marking": "AMBER",
    }
    assert posted(said).reasons == ()


def test_the_strictest_of_several_markings_counts_those_of_parts_included() -> None:
    part = [{"marking_ref": TLP["RED"], "selectors": ["description"]}]
    assert foreign(INCIDENT | {"object_marking_refs": [TLP["GREEN"]], "granular_markings": part})["marking"] == "RED"


def test_a_marking_that_nobody_knows_holds_a_report_to_its_originator() -> None:
    strange = marking_id("a national one")
    assert foreign(INCIDENT | {"object_marking_refs": [TLP["GREEN"], strange]})["orcon"] is True
    assert "marking" not in foreign(INCIDENT | {"object_marking_refs": [strange]})


def test_a_report_without_a_marking_is_refused_with_the_reason() -> None:
    assert posted(foreign(INCIDENT)).reasons[0].startswith("marking: missing")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (None, "an object"),
        ([], "an object"),
        ({}, '"type" is a required'),
        ({"type": 3, "id": "x"}, "type"),
        (INCIDENT | {"spec_version": "2.0"}, "spec_version"),
        (INCIDENT | {"type": "report"}, "published"),
        ({k: v for k, v in INCIDENT.items() if k != "modified"}, "modified"),
        (INCIDENT | {"id": "campaign--5a1b6bb0-8d1e-4c6a-9f8a-2a4b8d8f0001"}, "not its type"),
        (INCIDENT | {"id": "incident--nonsense"}, "id"),
        (INCIDENT | {"modified": "2026-02-30T00:00:00Z"}, "no such time"),
        (INCIDENT | {"modified": "2025-01-01T00:00:00Z"}, "before created"),
        (INCIDENT | {"labels": []}, "empty list"),
        (INCIDENT | {"x_more": None}, "null"),
        (INCIDENT | {"x_more": "a\0b"}, "zero characters"),
        (INCIDENT | {"x_more": "\ud800"}, "halves"),
        (INCIDENT | {"x_more": float("inf")}, "too large"),
        (INCIDENT | {"x_more": 2**70}, "too large"),
        (INCIDENT | {"X-More": "y"}, "names of properties"),
        (INCIDENT | {"x_ref": "nonsense"}, "x_ref"),
        (PLACE | {"latitude": 91}, "latitude"),
        ({k: v for k, v in PLACE.items() if k != "longitude"}, "longitude"),
    ],
)
def test_what_is_no_object_of_stix_is_refused_with_the_reason(wrong: Any, words: str) -> None:
    assert words in " ".join(wrong_with(wrong))


def test_what_is_nested_too_deep_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(40):
        deep = {"x": deep}
    assert "nested deeper" in wrong_with(INCIDENT | {"x_deep": deep})[0]


@pytest.mark.parametrize(
    "made",
    [
        {"type": "ipv4-addr", "id": "ipv4-addr--5a1b6bb0-8d1e-5c6a-9f8a-2a4b8d8f0001", "value": "203.0.113.7"},
        {"type": "x-own", "id": "x-own--5a1b6bb0-8d1e-4c6a-9f8a-2a4b8d8f0001", "anything": {"at": ["all"]}} | HEAD,
        {"type": "note", "id": "note--5a1b6bb0-8d1e-4c6a-9f8a-2a4b8d8f0001", "content": "so", "object_refs": [INCIDENT["id"]]} | HEAD,
    ],
)
def test_objects_that_are_no_reports_are_good_objects(made: dict[str, Any]) -> None:
    assert wrong_with(made) == []


def test_the_time_of_an_object_is_when_it_became_visible() -> None:
    (made,) = stix_of("A", {"marking": "GREEN"}, "B")
    assert made["created"] == made["modified"] == "2026-03-04T05:06:07.123Z"
    assert instant(SEEN_AT).startswith("2026-03-04T05:06:07.123")
