"""Human judgements: append-only, signed, reversible. Each says what was decided, by whom, when and why.

Kinds: `merge` and `confirm` (these reports are one incident), `split` (these are none with those `apart_from` them), `part_of` (rows that a
source split by kind of violence: one incident, and their tolls add), `not_part_of` (looked at, and two incidents), `value` (what a field of the
incident is), `undo` (of an earlier one). Where two contradict each other, the later one holds. log.py keeps the file they are appended to;
docs/reference/judgements.md shows both forms.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import yaml
from numpy.typing import NDArray

from tocsin.errors import InputError
from tocsin.terms.judgements import FIELDS, KINDS, Judgement, check_value, parse

#: Kinds whose reports are one incident.
ONE = ("merge", "confirm", "part_of")


def load(path: Path | None = None) -> tuple[Judgement, ...]:
    """The judgements of a file (YAML, or a log of `tocsin judge`); the bundled ones where none is named.

    Raises `InputError` where one is not well formed, or a log was changed after it was written.
    """
    if path is None:
        text, name = files("tocsin.data").joinpath("judgements.yml").read_text(encoding="utf-8"), "the bundled judgements"
    else:
        try:
            text, name = path.read_text(encoding="utf-8"), str(path)
        except (OSError, UnicodeDecodeError) as why:
            raise InputError(f"{path}: judgements cannot be read ({why}); give a file as docs/reference/judgements.md shows") from why
    if text.startswith("{"):
        return tuple(parse(item, name) for item in chained(text, name))
    try:
        raw = yaml.safe_load(text) or []
    except yaml.YAMLError as why:
        raise InputError(f"{name}: not YAML ({why}); docs/reference/judgements.md shows the form") from why
    if not isinstance(raw, list):
        raise InputError(f"{name}: a list of judgements is expected; docs/reference/judgements.md shows the form")
    return tuple(parse(item, name) for item in raw)


def with_bundled(paths: Iterable[Path]) -> tuple[Judgement, ...]:
    """The bundled judgements and those of these files. Raises `InputError`, also where two of one id differ."""
    every: dict[str, Judgement] = {}
    for path in (None, *paths):
        for j in load(path):
            if every.setdefault(j.id, j) != j:
                raise InputError(f"{path}: judgement {j.id!r} is another one than that of the same id in a file before it")
    return tuple(every.values())


def chained(text: str, name: str) -> list[dict[str, Any]]:
    """The entries of a log, each of which names the hash of the one before. Raises `InputError` where one does not."""
    out, before = [], ""
    for number, line in enumerate(text.splitlines(), 1):
        try:
            item = json.loads(line)
            whole = item["hash"] == linked(item, before)
        except (ValueError, TypeError, KeyError) as why:
            raise InputError(f"{name}, line {number}: not an entry of a log of judgements; a log is only ever appended to") from why
        if not whole:
            raise InputError(
                f"{name}, line {number}: this entry, or one before it, was changed, taken out or moved after it was written: its hash does not fit. "
                "Restore the log from a copy; a judgement is undone by `tocsin judge undo`, never by an edit"
            )
        before = item["hash"]
        out.append(item)
    return out


def linked(item: Mapping[str, Any], before: str) -> str:
    """The hash that chains an entry to the one before it."""
    text = json.dumps({k: v for k, v in item.items() if k != "hash"}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


def standing(judgements: Iterable[Judgement]) -> tuple[Judgement, ...]:
    """The judgements that no later one undid, the earliest first (by day, then id). An undone `undo` no longer counts."""
    every = {j.id: j for j in judgements}
    undo = sorted((j for j in every.values() if j.decides == "undo"), key=lambda j: (j.signed, j.id), reverse=True)
    gone: set[str | None] = set()
    for j in undo:
        if j.id not in gone:
            gone.add(j.judgement)
    return tuple(sorted((j for j in every.values() if j.decides != "undo" and j.id not in gone), key=lambda j: (j.signed, j.id)))


class Decided(NamedTuple):
    """Pairs of reports, by their places, that judgements put together or apart, without contradiction."""

    together: NDArray[np.int32]  # (m, 2): each with the first of its group
    apart: NDArray[np.int32]  # (k, 2)


NONE = Decided(np.empty((0, 2), np.int32), np.empty((0, 2), np.int32))


def named(decided: Iterable[Judgement]) -> set[str]:
    """All report ids that judgements name."""
    return {r for j in decided for r in (*j.reports, *j.apart_from)}


def heirs(ids: pl.Series, wanted: Collection[str], roots: Mapping[str, str]) -> dict[str, list[int]]:
    """Where each of the wanted reports, or what corrected it, stands in `ids`; roots: what a report that corrects another goes back to."""
    origin = {r: roots.get(r, r) for r in wanted}
    several = set(origin.values())
    family = {*several, *(new for new, old in roots.items() if old in several)}
    where: dict[str, list[int]] = {}
    found = ids.to_frame("id").with_row_index("at").filter(pl.col("id").is_in(list(family)))
    for at, one in found.sort("id").iter_rows():
        where.setdefault(roots.get(one, one), []).append(int(at))
    return {r: where[o] for r, o in origin.items() if o in where}


def places_named(decided: Iterable[Judgement], ids: pl.Series, roots: Mapping[str, str]) -> NDArray[np.int64]:
    """Where the reports stand that judgements name, or what corrected them."""
    names = named(decided)
    return np.array(sorted({p for places in heirs(ids, names, roots).values() for p in places}) if names else [], np.int64)


def constraints(decided: tuple[Judgement, ...], ids: pl.Series, roots: Mapping[str, str]) -> Decided:
    """What the judgements decide about these reports; where two contradict each other, the later one holds."""
    ruling = [j for j in decided if j.decides in (*ONE, "split")]
    if not ruling:
        return NONE
    at = heirs(ids, named(ruling), roots)
    head: dict[int, int] = {}
    barred: dict[int, set[int]] = {}  # of heads

    def top(x: int) -> int:
        while head.get(x, x) != x:
            x = head[x]
        return x

    apart: set[tuple[int, int]] = set()
    rank = {place: k for k, place in enumerate(p for r in sorted(at) for p in at[r])}
    for j in reversed(ruling):
        members = sorted({p for r in j.reports for p in at.get(r, ())}, key=rank.__getitem__)
        if j.decides == "split":
            for other in sorted({p for r in j.apart_from for p in at.get(r, ())}, key=rank.__getitem__):
                for x in members:
                    a, b = top(x), top(other)
                    if a != b:
                        barred.setdefault(a, set()).add(b)
                        barred.setdefault(b, set()).add(a)
                        apart.add((x, other))
            continue
        for x in members[1:]:
            a, b = top(members[0]), top(x)
            if a == b or b in barred.get(a, ()):
                continue
            head[b] = a
            for c in barred.pop(b, ()):
                barred[c].discard(b)
                barred[c].add(a)
                barred.setdefault(a, set()).add(c)
    together = [(top(x), x) for x in head if top(x) != x]
    return Decided(*(np.array(sorted(pairs), np.int32).reshape(-1, 2) for pairs in (together, apart)))


def fingerprint(judgements: Iterable[Judgement]) -> str:
    """A hash of what was decided; equal for equal decisions in any order."""
    lines = sorted(repr(j) for j in judgements)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


__all__ = [
    "FIELDS",
    "KINDS",
    "NONE",
    "ONE",
    "Decided",
    "Judgement",
    "chained",
    "check_value",
    "constraints",
    "fingerprint",
    "heirs",
    "linked",
    "load",
    "named",
    "parse",
    "places_named",
    "standing",
    "with_bundled",
]
