"""Armed actors: one canonical name for the many that sources write, and the umbrella above it. Never fuzzy: a name is known or it is not."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import polars as pl
import yaml

from tocsin.errors import TaxonomyError


@dataclass(frozen=True)
class Actors:
    """The known actors."""

    canonical: dict[str, str]  # folded name or alias -> canonical name
    umbrella: dict[str, str]  # canonical name -> the umbrella above it
    nobody: frozenset[str]  # folded words for an actor that is not named


def folded(name: str) -> str:
    """A name without case, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", " ", plain.lower()).strip()


@cache
def actors() -> Actors:
    """The bundled actors. Raises `TaxonomyError` where two actors share a name."""
    raw = yaml.safe_load(files("tocsin.terms.taxonomies").joinpath("actor.yml").read_text(encoding="utf-8"))
    canonical: dict[str, str] = {}
    umbrella: dict[str, str] = {}
    for entry in raw["actors"]:
        for name in (entry["name"], *entry["aliases"]):
            if canonical.setdefault(folded(name), entry["name"]) != entry["name"]:
                raise TaxonomyError(f"actor.yml: {name!r} names both {canonical[folded(name)]!r} and {entry['name']!r}")
        if "umbrella" in entry:
            umbrella[entry["name"]] = entry["umbrella"]
    return Actors(canonical, umbrella, frozenset(map(folded, raw["nobody"])))


def canonical(name: str) -> str | None:
    """The canonical name; null for a name that is not known or names nobody."""
    return actors().canonical.get(folded(name))


def above(name: str) -> tuple[str, ...]:
    """A canonical name and every umbrella over it, nearest first."""
    out = [name]
    while out[-1] in actors().umbrella and actors().umbrella[out[-1]] not in out:
        out.append(actors().umbrella[out[-1]])
    return tuple(out)


def agree(left: str, right: str) -> bool:
    """True where one of two canonical names is the other or an umbrella over it."""
    return left in above(right) or right in above(left)


def canonical_series(names: pl.Series) -> tuple[pl.Series, pl.Series]:
    """(canonical names, where a name is not known), both as long as `names`.

    A name that is not known is kept as written; one that names nobody becomes null; several joined by `; ` are taken one by one.
    """
    mapping: dict[str, str | None] = {}
    strange: set[str] = set()
    for name in names.drop_nulls().unique().to_list():
        parts = [p for p in name.split("; ") if folded(p) not in actors().nobody]
        known = [canonical(p) for p in parts]
        if any(k is None and not p.startswith("Government of ") for p, k in zip(parts, known, strict=True)):
            strange.add(name)
        mapping[name] = "; ".join(k or p for p, k in zip(parts, known, strict=True)) or None
    return names.replace_strict(mapping, return_dtype=pl.String, default=None), names.is_in(list(strange)).fill_null(False)
