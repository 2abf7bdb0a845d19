"""The coder's words as tables: lexicon.yml -> entries, a trie of phrases, arrays for the kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from tocsin.errors import SpecError
from tocsin.intake.coder.normal import words_of
from tocsin.kernels.text import ROLES
from tocsin.terms.taxonomies import taxonomy

#: How much a noun says about what was hit, strongest first.
RANKS = ("strong", "community", "vehicle", "generic")
_CODES = {"target": "target_type", "group": "target_group", "attack": "attack_type", "weapon": "weapon_type"}


@dataclass(frozen=True)
class Entry:
    """What one word or phrase of the lexicon means."""

    role: str  # grammar class, one of kernels.text.ROLES
    target: str | None = None  # code of target_type
    group: str | None = None  # code of target_group
    attack: str | None = None  # code of attack_type
    weapon: str | None = None  # code of weapon_type
    rank: str = "strong"  # one of RANKS
    number: int = 0  # a numeral's value; for persons, how many the word alone stands for
    many: bool = False  # a plural that gives no number
    ethnic: bool = False  # counts only for people, not for a place
    forces: bool = False  # an act of the forces that stand before it
    raid: bool = False  # battle where militants are the ones hit
    raid_only: bool = False  # ... and nothing where they are not


@dataclass(frozen=True)
class Lexicon:
    """Phrases (tuples of normal words) and what each means."""

    entries: dict[tuple[str, ...], Entry]

    def __getitem__(self, phrase: str) -> Entry:
        return self.entries[words_of(phrase)]


@cache
def lexicon(path: str | None = None) -> Lexicon:
    """The bundled lexicon, or the one in a YAML file of the same form.

    Raises `SpecError` for a section or key it does not know, a code that is in no taxonomy, or a phrase that stands twice with two meanings.
    """
    name = path or "lexicon.yml"
    try:
        text = Path(path).read_text(encoding="utf-8") if path else files(__package__).joinpath(name).read_text(encoding="utf-8")
        raw = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as why:
        raise SpecError(
            f"{name}: cannot be read as a lexicon ({str(why).splitlines()[0]}); start from a copy of the bundled lexicon.yml"
        ) from why
    if not isinstance(raw, dict):
        raise SpecError(f"{name}: a lexicon is a mapping of sections; start from a copy of the bundled lexicon.yml")
    found: dict[tuple[str, ...], Entry] = {}
    for section, body in raw.items():
        if section not in _SECTIONS:
            raise SpecError(f"{name}: no section is called {section!r}; there are {', '.join(_SECTIONS)}")
        for phrase, entry in _read(section, body, name):
            _check(entry, phrase, name)
            key = words_of(str(phrase))
            if not key:
                raise SpecError(f"{name}: {section} has a phrase without a letter or digit, {phrase!r}")
            if found.setdefault(key, entry) != entry:
                raise SpecError(f"{name}: {phrase!r} has two meanings ({found[key].role} and {entry.role}); keep one")
    return Lexicon(found)


def _read(section: str, body: Any, name: str) -> list[tuple[str, Entry]]:
    try:
        return list(_SECTIONS[section](body))
    except (AttributeError, KeyError, TypeError, ValueError) as why:
        raise SpecError(f"{name}: section {section} is not of the form that the bundled lexicon.yml has ({why})") from why


def _check(entry: Entry, phrase: str, name: str) -> None:
    for attribute, tree in _CODES.items():
        code = getattr(entry, attribute)
        if code is not None and code not in taxonomy(tree):
            raise SpecError(f"{name}: {phrase!r} has {attribute} {code!r}, which is not in terms/taxonomies/{tree}.yml")
    if entry.rank not in RANKS:
        raise SpecError(f"{name}: {phrase!r} has rank {entry.rank!r}; ranks are {', '.join(RANKS)}")


def plural(phrase: str) -> str:
    """The regular plural of a phrase's last word."""
    if phrase.endswith("man"):
        return phrase[:-3] + "men"
    if phrase.endswith("woman"):
        return phrase[:-5] + "women"
    if phrase.endswith(("s", "x", "ch", "sh")):
        return phrase + "es"
    if phrase.endswith("y") and phrase[-2:-1] not in tuple("aeiou"):
        return phrase[:-1] + "ies"
    return phrase + "s"


_LISTS = ("one", "many", "two", "words", "noun", "nv", "verb", "past", "active", "gerund", "dead")


def _common(item: dict[str, Any], role: str) -> Entry:
    known = {k: v for k, v in item.items() if k not in _LISTS}
    try:
        return Entry(role, **known)
    except TypeError as why:
        raise SpecError(f"lexicon: {role} has a key that is not known ({why}); keys are {', '.join(Entry.__dataclass_fields__)}") from why


def _things(role: str, body: list[dict[str, Any]]) -> Iterator[tuple[str, Entry]]:
    """Persons and places."""
    for item in body:
        base = _common(item, role)
        singulars = item.get("one", ())
        given = set(item.get("many", ()))
        for phrase in singulars:
            yield phrase, replace(base, number=1)
            if plural(phrase) not in given:
                yield plural(phrase), replace(base, many=True)
        for phrase in item.get("many", ()):
            yield phrase, replace(base, many=True)
        for phrase in item.get("two", ()):
            yield phrase, replace(base, number=2)
        for phrase in item.get("words", ()):
            yield phrase, base


def _acts(roles: dict[str, str], body: list[dict[str, Any]]) -> Iterator[tuple[str, Entry]]:
    for item in body:
        for key, role in roles.items():
            for phrase in item.get(key, ()):
                yield phrase, _common(item, role)


def _numbers(body: dict[str, int]) -> Iterator[tuple[str, Entry]]:
    for phrase, value in body.items():
        yield phrase, Entry("number", number=value)


def _plain(role: str, body: Iterable[str]) -> Iterator[tuple[str, Entry]]:
    for phrase in body:
        yield phrase, Entry(role)


def _grammar(body: dict[str, list[str]]) -> Iterator[tuple[str, Entry]]:
    for role, phrases in body.items():
        if role not in ROLES:
            raise SpecError(f"lexicon: grammar has no class {role!r}; there are {', '.join(ROLES)}")
        yield from _plain(role, phrases)


def _reactions(body: dict[str, Any]) -> Iterator[tuple[str, Entry]]:
    yield from _plain("reaction", body["words"])
    yield from _things("dual", body["dual"])


_ATTACK = {"noun": "act", "nv": "nv", "verb": "strike", "past": "struck"}
_KILL = {"active": "kill", "gerund": "killing", "past": "killed", "noun": "killings", "dead": "dead"}
_WOUND = {"active": "wound", "gerund": "wound", "past": "wounded"}
_SECTIONS: dict[str, Callable[[Any], Iterator[tuple[str, Entry]]]] = {
    "hit": lambda body: _things("hit", body),
    "force": lambda body: _things("force", body),
    "perpetrator": lambda body: _things("perpetrator", body),
    "attack": lambda body: _acts(_ATTACK, body),
    "kill": lambda body: _acts(_KILL, body),
    "wound": lambda body: _acts(_WOUND, [body]),
    "grammar": _grammar,
    "reaction": _reactions,
    "numbers": _numbers,
    "uncountable": lambda body: _plain("uncountable", body),
    "blank": lambda body: _plain("blank", body),
}
