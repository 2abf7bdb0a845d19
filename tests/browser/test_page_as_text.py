"""What can be said of the page without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.brief.page import SCRIPTS, pack, render, to_json
from tocsin.errors import ContractError
from tocsin.terms.say import LANGUAGES, catalogue, say

PAGE = files("tocsin.brief.page")
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=4), max_leaves=8)


def unpack(packed: dict[str, Any]) -> list[dict[str, Any]]:
    """What js/table.js does."""

    def value(column: dict[str, Any], i: int) -> Any:
        if "values" in column:
            return column["values"][i]
        return column["levels"][column["codes"][i]] if "codes" in column else column["same"]

    return [{name: value(column, i) for name, column in packed["columns"].items()} for i in range(packed["n"])]


@given(JSON)
def test_json_in_the_page_has_nothing_that_could_end_its_element(value: Any) -> None:
    text = to_json(value)
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == value


def test_a_lone_surrogate_does_not_stop_the_page() -> None:
    assert to_json("a\ud800b") == '"a\\ud800b"'


@given(st.lists(st.fixed_dictionaries({"a": JSON, "b": st.sampled_from(["x", "y"]), "c": st.just(1)}), max_size=20))
def test_packed_columns_give_the_same_rows_back(rows: list[dict[str, Any]]) -> None:
    assert unpack(pack(rows)) == rows


def test_numbers_and_truth_values_are_not_taken_for_one_another() -> None:
    assert [repr(row["a"]) for row in unpack(pack([{"a": 1}, {"a": True}, {"a": 1.0}]))] == ["1", "True", "1.0"]


def test_the_policy_names_exactly_the_scripts_and_style_that_are_there(samples: Any) -> None:
    page = render(samples.single())
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    inline = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", page, re.DOTALL)
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in inline}
    assert set(re.findall(r"'sha256-[^']+'", policy[1])) == hashes
    assert "unsafe" not in policy[1]
    assert policy[1].startswith("default-src 'none'")


def test_a_slot_named_in_the_data_stays_data(samples: Any) -> None:
    page = render({**samples.single(), "title": "{{body}} {{csp}}"})
    assert "<title>{{body}} {{csp}}, as of" in page


def test_a_view_that_lacks_a_part_is_refused_by_name() -> None:
    with pytest.raises(ContractError, match="no title, as_of, window"):
        render({"change": {}, "incidents": [], "reports": {}})


def test_a_value_without_a_json_form_is_refused(samples: Any) -> None:
    with pytest.raises(ContractError, match="None"):
        render({**samples.empty(), "as_of": float("nan")})


def test_the_pages_own_scripts_never_parse_markup_nor_code() -> None:
    own = "\n".join(PAGE.joinpath(f"js/{name}").read_text(encoding="utf-8") for name in SCRIPTS)
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|DOMParser|fetch\(|XMLHttp|WebSocket", own
    )
    library = PAGE.joinpath("vendor/d3.min.js").read_text(encoding="utf-8")
    assert not re.search(r"\beval\(|new Function|fetch\(|XMLHttpRequest|</script", library)


def test_every_word_that_the_scripts_ask_for_is_in_the_catalogue_and_none_is_idle() -> None:
    own = "\n".join(PAGE.joinpath(f"js/{name}").read_text(encoding="utf-8") for name in SCRIPTS)
    words = json.loads(PAGE.joinpath("words.json").read_text(encoding="utf-8"))
    asked = set(re.findall(r'\b(?:t|counted)\("(\w+)"', own))
    assert asked <= set(words)
    stems = (*re.findall(r"`(\w+_)\$\{", own), "headline_")
    composed = "\n".join(path.read_text(encoding="utf-8") for path in (*PAGE.parent.glob("*.py"), PAGE.parent.parent / "terms/signals.py"))
    idle = {key for key in words if f'"{key}"' not in own + composed and not key.endswith("_1") and not key.startswith(stems)}
    assert idle <= {"own_name"}


def test_other_languages_keep_every_slot_and_add_no_word_of_their_own() -> None:
    english = catalogue()
    for lang in LANGUAGES[1:]:
        other = catalogue(lang)
        named = {key for key in other if key.startswith(("group_", "months"))}
        assert set(other) - named <= set(english)
        for key in set(other) & set(english):
            assert set(re.findall(r"\{\w+\}", other[key])) <= set(re.findall(r"\{\w+\}", english[key])), key


def test_what_the_brief_composes_reads_the_same_in_the_terminal() -> None:
    message = (
        "headline",
        {"window": 11, "days": 150, "before": 5, "year_before": 1800, "year_rate": 11.5, "saying": ("headline_no change", {})},
    )
    assert say(message).startswith("11 one-sided attacks in 150 days; 5 in the 150 before, 1,800 on the same dates a year before, 11.5 at")
    assert say(("left_late", {"date": "2015-05-14"})) == "rows known only after 14 May 2015"


def test_one_of_something_is_said_in_words_of_its_own() -> None:
    assert say(("signal_first", {"date": "2015-05-14", "n": 1})) == "First raised 14 May 2015. Evidence: 1 incident."
    assert say(("signal_first", {"date": "2015-05-14", "n": 2})) == "First raised 14 May 2015. Evidence: 2 incidents."
    assert say(("signal_chance", {"n": "1"})).startswith("Chance alone raises one like it once a year")
    assert say(("watch_one", {"n": 1, "tests": ("tests_n", {"n": 1}), "rate": "1"})).startswith("1 signal in 1 test;")
    english = catalogue()
    for one in [key for key in english if key.endswith("_1")]:  # they have no slot that the other has not
        assert set(re.findall(r"\{\w+\}", english[one])) <= set(re.findall(r"\{\w+\}", english[one.removesuffix("_1")]))


def test_the_licences_of_the_library_travel_with_the_page(samples: Any) -> None:
    page = render(samples.single())
    assert "Permission to use, copy, modify, and/or distribute" in page
    assert PAGE.joinpath("vendor/LICENSES.txt").read_text(encoding="utf-8") in page


def test_a_page_of_a_thousand_incidents_stays_under_a_megabyte(samples: Any) -> None:
    assert len(render(samples.realistic()).encode()) < 1_000_000
