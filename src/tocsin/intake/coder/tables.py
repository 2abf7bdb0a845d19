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
def characters() -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """(kind, base letter) of each character of Unicode's first plane."""
    kind, fold = np.zeros(65536, np.uint8), np.zeros(65536, np.uint16)
    for point in range(65536):
        base = folded(chr(point))
        if base:
            kind[point], fold[point] = text.LETTER, ord(base)
    special = {APOSTROPHES: text.APOSTROPHE, ",": text.COMMA, STOPS: text.STOP, ".": text.DOT, "-": text.HYPHEN, "&": text.AMPERSAND, "\n": text.NEWLINE}
    for letters, k in special.items():
        for letter in letters:
            kind[ord(letter)] = k
    return kind, fold


class _Words:
    """Numbers words, 0 being no word."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}

    def id(self, word: str) -> int:
        return self.ids.setdefault(word, len(self.ids) + 1)

    def table(self) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
        keys = np.zeros(_room(len(self.ids)), np.uint64)
        ids = np.zeros(len(keys), np.int32)
        for word, number in self.ids.items():
            capitals = word.isupper() and word.isascii() and len(word) > 1
            key = np.uint64(text.text_hash(np.frombuffer((word.lower() if capitals else word).encode(), np.uint8)))
            key = np.uint64(text.capital_key(key)) if capitals else key
            at = text.word_slot(keys, key)
            keys[at], ids[at] = key, number
        return keys, ids


def _room(n: int) -> int:
    return 1 << max(4, (4 * n).bit_length())


class _Trie:
    """Phrases as paths of word numbers."""

    def __init__(self) -> None:
        self.ends: list[int] = []
        self.edges: dict[tuple[int, int], int] = {}
        self.roots: dict[int, int] = {}

    def add(self, path: list[int], value: int) -> None:
        node = self._step(self.roots, path[0])
        for word in path[1:]:
            node = self._step(self.edges, (node, word))
        self.ends[node] = value

    def _step(self, edges: dict[Any, int], key: Any) -> int:
        if key not in edges:
            edges[key] = len(self.ends)
            self.ends.append(-1)
        return edges[key]

    def arrays(self, words: int) -> tuple[NDArray[np.int32], NDArray[np.uint64], NDArray[np.int32], NDArray[np.int32]]:
        """(word -> node, edge keys, edge nodes, node -> value)."""
        root = np.full(words + 1, -1, np.int32)
        for word, node in self.roots.items():
            root[word] = node
        keys = np.zeros(_room(len(self.edges)), np.uint64)
        nodes = np.full(len(keys), -1, np.int32)
        for (node, word), child in self.edges.items():
            key = np.uint64(text.edge_key(node, word))
            at = text.word_slot(keys, key)
            keys[at], nodes[at] = key, child
        return root, keys, nodes, np.array(self.ends or [-1], np.int32)


def compiled(lexicon: Lexicon, places: Mapping[str, str]) -> Compiled:
    """The arrays of a lexicon and of place names (written form -> name to give)."""
    words, phrases, gazetteer = _Words(), _Trie(), _Trie()
    entries = [Entry("none"), Entry("number")]
    for phrase, entry in lexicon.entries.items():
        phrases.add([words.id(w) for w in phrase], len(entries))
        entries.append(entry)
    names = tuple(dict.fromkeys(places.values()))
    number = {name: i for i, name in enumerate(names)}
    for written, name in places.items():
        path = [words.id(w) for w in words_of(written.lower())]
        if path:
            gazetteer.add(path, number[name])
    codes = tuple(tuple(taxonomy(t)) for t in TREES)
    tables = text.Tables(
        *characters(),
        *words.table(),
        *phrases.arrays(len(words.ids)),
        *gazetteer.arrays(len(words.ids)),
        *_meanings(entries, codes),
        *_trees(codes),
    )
    return Compiled(tables, codes, names)


def _meanings(entries: list[Entry], codes: tuple[tuple[str, ...], ...]) -> list[NDArray[Any]]:
    """The columns of the entries, in the order of `Tables`."""

    def ids(values: list[str | None], field: int) -> NDArray[np.int16]:
        of = {code: i for i, code in enumerate(codes[field])}
        return np.array([of[v] if v is not None else -1 for v in values], np.int16)

    armed = ["armed_group" if e.role == "perpetrator" else e.target for e in entries]
    flags = [np.array([getattr(e, name) for e in entries], np.bool_) for name in ("many", "ethnic", "forces", "raid", "raid_only")]
    return [
        np.array([text.ROLES.index(e.role) for e in entries], np.int8),
        ids(armed, 0),
        ids([e.group for e in entries], 1),
        ids([e.attack for e in entries], 2),
        ids([e.weapon for e in entries], 3),
        np.array([RANKS.index(e.rank) for e in entries], np.int8),
        np.array([e.number for e in entries], np.int32),
        *flags,
    ]


def _trees(codes: tuple[tuple[str, ...], ...]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], int]:
    target, attack = codes[0], codes[2]
    root = np.array([target.index(c.split("/")[0]) for c in target], np.int16)
    order = np.array([ATTACK_ORDER.index(c) if c in ATTACK_ORDER else 99 for c in attack], np.int16)
    takes = np.array([c.split("/")[0] in ("abduction", "infrastructure") for c in attack], np.bool_)
    size = max(len(c) for c in codes)
    merge = np.full((len(codes), size, size), -1, np.int16)
    for field, (tree, all_of) in enumerate(zip(TREES, codes, strict=True)):
        for i, old in enumerate(all_of):
            for j, new in enumerate(all_of):
                both = merged(tree, old, new)
                merge[field, i, j] = -1 if both is None else all_of.index(both)
    return root, order, takes, merge, attack.index("battle")


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
