"""Human judgements: append-only, signed, reversible. Each says what was decided, by whom, when and why.

A file of them is YAML: a list of mappings with `id`, `by`, `signed`, `why`, `decides` and what that kind needs:

    - {id: j1, by: name, signed: 2026-01-31, why: reason, decides: part_of, reports: [{agency: A, own_id: "1"}, {agency: A, own_id: "2"}]}
    - {id: j2, by: name, signed: 2026-01-31, why: reason, decides: not_part_of, reports: [...]}
    - {id: j3, by: name, signed: 2026-01-31, why: reason, decides: value, reports: [...], field: target_group, value: shia}
    - {id: j4, by: name, signed: 2026-02-01, why: reason, decides: undo, judgement: j3}
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from tocsin.errors import InputError
from tocsin.terms.ids import report_id
from tocsin.terms.taxonomies import NAMES, taxonomy

KINDS = ("part_of", "not_part_of", "value", "undo")


@dataclass(frozen=True)
class Judgement:
    """One signed decision."""

    id: str
    by: str
    signed: date
    why: str
    decides: str  # one of KINDS
    reports: tuple[str, ...] = ()  # report ids
    field: str | None = None  # of a `value`: the column
    value: str | None = None  # of a `value`: what it is
    judgement: str | None = None  # of an `undo`: the id undone


def load(path: Path | None = None) -> tuple[Judgement, ...]:
    """The judgements of a file; the bundled ones where none is named. Raises `InputError` where one is not well formed."""
    if path is None:
        text, name = files("tocsin.data").joinpath("judgements.yml").read_text(encoding="utf-8"), "the bundled judgements"
    else:
        try:
            text, name = path.read_text(encoding="utf-8"), str(path)
        except (OSError, UnicodeDecodeError) as why:
            raise InputError(f"{path}: judgements cannot be read ({why}); give a YAML file as docs/reference/judgements.md shows") from why
    try:
        raw = yaml.safe_load(text) or []
    except yaml.YAMLError as why:
        raise InputError(f"{name}: not YAML ({why}); docs/reference/judgements.md shows the form") from why
    if not isinstance(raw, list):
        raise InputError(f"{name}: a list of judgements is expected; docs/reference/judgements.md shows the form")
    return tuple(_judgement(item, name) for item in raw)


def standing(judgements: Iterable[Judgement]) -> tuple[Judgement, ...]:
    """The judgements that no later one undid, sorted by id."""
    every = tuple(judgements)
    undone = {j.judgement for j in every if j.decides == "undo"}
    return tuple(sorted((j for j in every if j.decides != "undo" and j.id not in undone), key=lambda j: j.id))


def fingerprint(judgements: Iterable[Judgement]) -> str:
    """A hash of what was decided; equal for equal decisions in any order."""
    lines = sorted(repr(j) for j in judgements)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _judgement(item: Any, name: str) -> Judgement:
    where = f"{name}, judgement {item.get('id', '?')!r}" if isinstance(item, dict) else name
    if not isinstance(item, dict) or not {"id", "by", "signed", "why", "decides"} <= item.keys():
        raise InputError(f"{where}: each judgement needs id, by, signed, why and decides")
    if item["decides"] not in KINDS:
        raise InputError(f"{where}: decides {item['decides']!r}, which is none of {', '.join(KINDS)}")
    if not isinstance(item["signed"], date):
        raise InputError(f"{where}: `signed` is not a date of the form 2026-01-31")
    reports = tuple(
        sorted(r if isinstance(r, str) else report_id(r["agency"], str(r["own_id"]), r.get("version")) for r in item.get("reports", ()))
    )
    field, value = item.get("field"), item.get("value")
    if item["decides"] == "value" and field in NAMES and value not in taxonomy(field):
        raise InputError(f"{where}: {value!r} is no code of {field}")
    text = {k: str(item[k]) for k in ("id", "by", "why", "decides")}
    return Judgement(**text, signed=item["signed"], reports=reports, field=field, value=value, judgement=item.get("judgement"))
