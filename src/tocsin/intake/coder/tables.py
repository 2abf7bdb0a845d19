"""A lexicon and a gazetteer as the arrays that the kernel reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.intake.coder.lexicon import RANKS, Entry, Lexicon
from tocsin.intake.coder.normal import APOSTROPHES, STOPS, folded, words_of
from tocsin.kernels import text
from tocsin.terms.taxonomies import taxonomy

#: The taxonomy of each coded field, in the order of kernels.text_code.FIELDS.
TREES = ("target_type", "target_group", "attack_type", "weapon_type")
#: Attack codes, the one that a headline with several is about first.
ATTACK_ORDER = (
    "explosion/suicide", "explosion/air_strike", "explosion/chemical", "explosion/ied", "explosion/grenade", "explosion/shelling", "explosion",
    "battle", "armed_assault/assassination", "armed_assault/melee", "armed_assault/shooting", "armed_assault",
    "abduction/hijacking", "abduction/barricade", "abduction/kidnapping", "unrest/mob_violence", "infrastructure/arson",
)  # fmt: skip


@dataclass(frozen=True)
class Compiled:
    """What the kernel needs, and what its numbers mean."""

    tables: text.Tables
    codes: tuple[tuple[str, ...], ...]  # per field of TREES
    places: tuple[str, ...]


@cache
def characters() -> NDArray[np.uint32]:
    """Kind and base letter of each character of Unicode's first plane."""
    out = np.zeros(65536, np.uint32)
    for point in range(65536):
        base = folded(chr(point))
        if base:
            out[point] = text.LETTER | ord(base)
    special = {
        APOSTROPHES: text.APOSTROPHE,
        ",": text.COMMA,
        STOPS: text.STOP,
        ".": text.DOT,
        "-": text.HYPHEN,
        "&": text.AMPERSAND,
        "\n": text.NEWLINE,
    }
    for letters, kind in special.items():
        for letter in letters:
            out[ord(letter)] = kind
    out[ord("0") : ord("9") + 1] |= text.DIGIT
    out[ord("A") : ord("Z") + 1] |= text.UPPER
    return out


class _Tries:
    """Words as numbers (0 is none), phrases and place names as paths of them."""

    def __init__(self) -> None:
        self.words: dict[str, int] = {}
        self.ends: list[int] = []
        self.edges: dict[tuple[int, int], int] = {}
        self.roots: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def add(self, phrase: tuple[str, ...], value: int, *, place: bool) -> None:
        """A phrase that ends in `value`; of two equal ones the later counts."""
        path = [self.words.setdefault(w, len(self.words) + 1) for w in phrase]
        node = self._step(self.roots[place], path[0])
        for word in path[1:]:
            node = self._step(self.edges, (node, word))
        self.ends[node] = value

    def _step(self, edges: dict[Any, int], key: Any) -> int:
        if key not in edges:
            edges[key] = len(self.ends)
            self.ends.append(-1)
        return edges[key]

    def arrays(self) -> tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """(keys, ids, roots, ends), as `Tables` has them."""
        wanted = {_word_key(word): number for word, number in self.words.items()}
        wanted |= {int(text.edge_key(node, word)): child for (node, word), child in self.edges.items()}
        keys = np.zeros(1 << (2 * len(wanted)).bit_length(), np.uint64)
        ids = np.zeros(len(keys), np.int32)
        for key, value in wanted.items():
            at = text.slot_of(keys, np.uint64(key))
            keys[at], ids[at] = key, value
        roots = np.full((len(self.words) + 1, 2), -1, np.int32)
        for kind, nodes in enumerate(self.roots):
            for word, node in nodes.items():
                roots[word, kind] = node
        return keys, ids, roots, np.array(self.ends, np.int32)


def _word_key(word: str) -> int:
    capitals = len(word) > 1 and word.isascii() and word.isalpha() and word.isupper()
    key = text.text_hash(np.frombuffer((word.lower() if capitals else word).encode(), np.uint8))
    return int(text.capital_key(np.uint64(key)) if capitals else key)


def compiled(lexicon: Lexicon, places: Mapping[str, str]) -> Compiled:
    """The arrays of a lexicon and of place names (written form -> name to give)."""
    tries = _Tries()
    entries = [Entry("none"), Entry("number")]
    for phrase, entry in lexicon.entries.items():
        tries.add(phrase, len(entries), place=False)
        entries.append(entry)
    names = tuple(dict.fromkeys(places.values()))
    number = {name: i for i, name in enumerate(names)}
    for written, name in places.items():
        phrase = words_of(written.lower())
        if phrase:
            tries.add(phrase, number[name], place=True)
    codes = tuple(tuple(taxonomy(t)) for t in TREES)
    return Compiled(text.Tables(characters(), *tries.arrays(), _meanings(entries, codes), _merges(codes)), codes, names)


def _meanings(entries: list[Entry], codes: tuple[tuple[str, ...], ...]) -> NDArray[np.int32]:
    """A row an entry, columns as kernels.text names them."""
    of = [{code: i for i, code in enumerate(tree)} | {None: -1} for tree in codes]
    out = np.zeros((len(entries), text.ENTRY_COLUMNS), np.int32)
    for row, e in zip(out, entries, strict=True):
        target = "armed_group" if e.role == "perpetrator" else e.target
        means = (None if e.raid_only else e.attack, "battle" if e.attack and (e.raid or e.raid_only) else e.attack)
        row[text.CLASS] = text.ROLES.index(e.role)
        row[text.TARGET], row[text.GROUP] = of[0][target], of[1][e.group]
        row[text.TARGET_ROOT] = of[0][target and target.split("/")[0]]
        row[text.ATTACK], row[text.WEAPON] = of[2][e.attack], of[3][e.weapon]
        row[text.RANK], row[text.STANDS_FOR] = RANKS.index(e.rank), e.number
        row[text.MANY], row[text.ETHNIC], row[text.FORCES] = e.many, e.ethnic, e.forces
        row[text.TAKES] = (e.attack or "").split("/")[0] in ("abduction", "infrastructure")
        for k, attack in enumerate(means):
            row[text.MEANT + 2 * k] = of[2][attack]
            row[text.ORDER + 2 * k] = ATTACK_ORDER.index(attack) if attack in ATTACK_ORDER else text.NO_ORDER
    return out


def _merges(codes: tuple[tuple[str, ...], ...]) -> NDArray[np.int16]:
    size = max(len(c) for c in codes)
    merge = np.full((len(codes), size, size), -1, np.int16)
    for field, (tree, all_of) in enumerate(zip(TREES, codes, strict=True)):
        for i, old in enumerate(all_of):
            for j, new in enumerate(all_of):
                both = merged(tree, old, new)
                merge[field, i, j] = -1 if both is None else all_of.index(both)
    return merge


def merged(tree: str, old: str, new: str) -> str | None:
    """What two values of one field say together; None where they disagree.

    The narrower of two where one lies within the other. Else, for kinds of target and attack, a root that they share; for communities, the
    religious one before the ethnic one.
    """
    if tree == "weapon_type":
        return old if old == new else None
    nodes = taxonomy(tree)
    above_old, above_new = nodes.ancestors(old), nodes.ancestors(new)
    if tree == "target_group" and ("ethnic" in above_old) != ("ethnic" in above_new):
        return new if "ethnic" in above_old else old
    if old in above_new:
        return new
    if new in above_old:
        return old
    root = old.split("/")[0]
    return root if tree != "target_group" and root == new.split("/")[0] else None
