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


#: ACLED's names of a state's forces under one government, `Military Forces of Pakistan (2022-2024) Frontier Corps`: one actor whoever governs.
_FORCES = re.compile(r"^(?:Military|Police) Forces of (?:the )?(?P<country>[^(]+?)(?: \(\d{4}-(?:\d{4})?\).*)?$")
#: ACLED's crowds carry their country, `Rioters (Pakistan)`.
_CROWD = re.compile(r"(?<=^Rioters) \([^)]*\)$")
#: ACLED's and the press's names for attackers that nobody has identified, whatever the country: `Unidentified Armed Group (India)`.
_UNKNOWN = re.compile(r"^(?:unidentified|unknown|unnamed)\b|^suspected (?:militants|gunmen|terrorists|insurgents)$", re.IGNORECASE)


def nameless(name: str) -> bool:
    """True for words that stand for an actor without naming one."""
    return _UNKNOWN.match(name.strip()) is not None or folded(name) in actors().nobody


def canonical(name: str) -> str | None:
    """The canonical name; null for a name that is not known or names nobody.

    A state's military and police, under whatever government, are `Government of` their country, as UCDP writes it.
    """
    known = actors().canonical.get(folded(name)) or actors().canonical.get(folded(_CROWD.sub("", name)))
    if known is None and (forces := _FORCES.match(name.strip())):
        return f"Government of {_UCDP_COUNTRY.get(forces['country'], forces['country'])}"
    return known


#: Countries whose government UCDP writes otherwise.
_UCDP_COUNTRY = {"United States": "United States of America", "Myanmar": "Myanmar (Burma)", "Russia": "Russia (Soviet Union)"}


def above(name: str) -> tuple[str, ...]:
    """A canonical name and every umbrella over it, nearest first."""
    out = [name]
    while out[-1] in actors().umbrella and actors().umbrella[out[-1]] not in out:
        out.append(actors().umbrella[out[-1]])
    return tuple(out)


def umbrella(name: str) -> str | None:
    """The umbrella right above a canonical name; null where there is none."""
    return actors().umbrella.get(name)


def agree(left: str, right: str) -> bool:
    """True where one of two canonical names is the other or an umbrella over it; of several joined by `; ` any pair will do."""
    return any(a in above(b) or b in above(a) for a in left.split("; ") for b in right.split("; "))


def canonical_series(names: pl.Series) -> tuple[pl.Series, pl.Series]:
    """(canonical names, where a name is not known), both as long as `names`.

    A name that is not known is kept as written; one that names nobody becomes null; several joined by `; ` are taken one by one.
    """
    mapping: dict[str, str | None] = {}
    strange: set[str] = set()
    for name in names.drop_nulls().unique().to_list():
        parts = [p for p in name.split("; ") if not nameless(p)]
        known = [canonical(p) for p in parts]
        if any(k is None and not p.startswith("Government of ") for p, k in zip(parts, known, strict=True)):
            strange.add(name)
        mapping[name] = "; ".join(k or p for p, k in zip(parts, known, strict=True)) or None
    return names.replace_strict(mapping, return_dtype=pl.String, default=None), names.is_in(list(strange)).fill_null(False)
