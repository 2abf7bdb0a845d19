from __future__ import annotations

import csv
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.intake.coder import Coder
from tocsin.intake.coder.lexicon import lexicon
from tocsin.intake.coder.normal import words_of

_spec = spec_from_file_location("oracle_coder", Path(__file__).parents[1] / "oracles" / "coder.py")
assert _spec is not None
assert _spec.loader is not None
oracle = module_from_spec(_spec)
sys.modules["oracle_coder"] = oracle
_spec.loader.exec_module(oracle)

PLACES = {"Karachi": "Karachi", "Dera Ismail Khan": "Dera Ismail Khan", "D.I. Khan": "Dera Ismail Khan", "Lyari": "Lyari"}
WORDS = {words_of(k.lower()): v for k, v in PLACES.items()}
CODER = Coder(places=PLACES)
LABELS = list(
    csv.DictReader((Path(__file__).parent / "data" / "coder_dev_labels.csv").read_text(encoding="utf-8").splitlines(keepends=True))
)

_ODD = [
    *PLACES,
    "Pakistan",
    "the",
    "12",
    "5",
    "1,200",
    "2014",
    "3.5",
    ",",
    ";",
    ":",
    "- ",
    "—",
    ".",
    "&",
    "'s",
    "’s",
    "U.S.",
    "N.",
    "IS",
    "\n",
    "é",
    "Ünï",
    "و",
    "\U0001f54c",
]
_WORD = st.one_of(st.sampled_from(sorted(" ".join(p) for p in lexicon().entries)), st.sampled_from(_ODD))
SOUP = st.lists(
    st.builds(
        lambda w, up, tail: (w.title() if up else w) + tail, _WORD, st.booleans(), st.sampled_from([" ", " ", " ", ", ", "-", "", "'s "])
    ),
    max_size=24,
)


def both(texts: list[str]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(kernel, oracle) of each text."""
    out = []
    for text, row in zip(texts, CODER.code(pl.Series(texts, dtype=pl.String)).iter_rows(named=True), strict=True):
        slow = oracle.code_text(text, lexicon(), WORDS)
        slow["coded_spans"] = [{"field": f, "value": str(v), "words": text[a:b], "start": a, "end": b} for f, v, a, b in slow.pop("spans")]
        out.append((row, slow))
    return out


@settings(max_examples=300, deadline=None)
@given(SOUP)
def test_the_kernel_says_what_the_oracle_says_of_soups_of_words(words: list[str]) -> None:
    for fast, slow in both(["".join(words)]):
        assert fast == slow


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_the_kernel_says_what_the_oracle_says_of_any_text(text: str) -> None:
    for fast, slow in both([text]):
        assert fast == slow


def test_the_kernel_says_what_the_oracle_says_of_real_headlines() -> None:
    texts = [row["text"] for row in LABELS]
    for fast, slow in both(texts):
        assert fast == slow


def test_a_line_longer_than_is_read_gives_the_same() -> None:
    for fast, slow in both(["gunmen kill five Shias " + "word " * 250 + "bomb kills 7", "kill, " * 400]):
        assert fast == slow


def share(field: str) -> tuple[float, float]:
    """(precision, recall) on the development labels."""
    made = CODER.code(pl.Series([row["text"] for row in LABELS]))[field].to_list()
    wanted = [row[field] or None for row in LABELS]
    got = [None if m is None else str(m) for m in made]
    right = sum(g is not None and g == w for g, w in zip(got, wanted, strict=True))
    return right / sum(g is not None for g in got), right / sum(w is not None for w in wanted)


@pytest.mark.parametrize("field", ["target_group", "target_type", "attack_type", "killed_low", "killed"])
def test_the_development_labels_are_met(field: str) -> None:
    precision, recall = share(field)
    assert precision >= 0.95
    assert recall >= 0.85
