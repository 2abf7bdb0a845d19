"""Splits the bytes of a text into words and phrases of a lexicon.

Letters are compared by a table (lower case, accents folded), words by a 64-bit FNV-1a hash, phrases by a trie whose edges are hashed too: the
longest phrase wins and never runs over a comma. tests/oracles/coder.py says the same slowly.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.words import compiled

#: Grammar classes of words, in the order of their numbers.
ROLES = (
    "none", "hit", "force", "perpetrator", "act", "nv", "strike", "struck", "kill", "killing", "killed", "killings", "dead", "wound", "wounded",
    "at", "onto", "near", "of", "by", "prep", "and", "leave", "that", "were", "det", "claim", "say", "after", "over", "as", "behind", "guard", "carry",
    "including", "among", "low", "high", "about", "anti", "more", "toll", "unit", "month", "reaction", "dual", "number", "uncountable", "blank",
)  # fmt: skip
#: Kinds of characters.
OTHER, LETTER, APOSTROPHE, COMMA, STOP, DOT, HYPHEN, AMPERSAND, NEWLINE = range(9)
#: Words of a line that are read; what follows is not.
MOST = 256

_OFFSET, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_CAPITALS = np.uint64(0x9E3779B97F4A7C15)
_NUMBER = ROLES.index("number")


class Tables(NamedTuple):
    """A lexicon and a gazetteer as arrays; ids of entries, words and nodes count from 0, -1 is none."""

    kind: NDArray[Any]  # of each character of the first plane
    fold: NDArray[Any]  # its base letter
    word_keys: NDArray[Any]  # hash -> word, open addressing
    word_ids: NDArray[Any]
    root: NDArray[Any]  # word -> node
    edge_keys: NDArray[Any]  # node, word -> node
    edge_nodes: NDArray[Any]
    node_entry: NDArray[Any]
    place_root: NDArray[Any]
    place_keys: NDArray[Any]
    place_nodes: NDArray[Any]
    node_place: NDArray[Any]
    role: NDArray[Any]  # per entry
    target: NDArray[Any]
    group: NDArray[Any]
    attack: NDArray[Any]
    weapon: NDArray[Any]
    rank: NDArray[Any]
    number: NDArray[Any]
    many: NDArray[Any]
    ethnic: NDArray[Any]
    forces: NDArray[Any]
    raid: NDArray[Any]
    raid_only: NDArray[Any]
    target_root: NDArray[Any]  # code -> its root's code
    attack_order: NDArray[Any]  # code -> place in the order, 99 for none
    attack_takes: NDArray[Any]  # code -> abduction or damage to things
    merge: NDArray[Any]  # field, code, code -> code or -1
    battle: int  # its code


class Line(NamedTuple):
    """The tokens of one line, and room for its raw words."""

    entry: NDArray[Any]
    role: NDArray[Any]
    gap: NDArray[Any]
    first: NDArray[Any]  # code points
    last: NDArray[Any]
    begin: NDArray[Any]  # bytes
    stop: NDArray[Any]
    capital: NDArray[Any]
    active: NDArray[Any]
    live: NDArray[Any]
    number: NDArray[Any]
    digits: NDArray[Any]
    word: NDArray[Any]
    raw: NDArray[Any]  # word, gap, first, last, begin, stop, capital, value of its digits or -1


def new_line() -> Line:
    """Room for one line."""
    return Line(*(np.zeros(MOST + 1, np.int64) for _ in range(13)), np.zeros((MOST + 1, 8), np.int64))


@compiled
def text_hash(word: Any) -> Any:
    """FNV-1a of a word's bytes."""
    h = _OFFSET
    for b in word:
        h = (h ^ np.uint64(b)) * _PRIME
    return h


@compiled
def capital_key(h: Any) -> Any:
    """The key of a word that matches capitals only."""
    return h ^ _CAPITALS


@compiled
def word_slot(keys: Any, h: Any) -> Any:
    """Where a hash stands in an open table, or the free slot where it would."""
    mask = len(keys) - 1
    at = np.int64(h >> np.uint64(40)) & mask
    while keys[at] != 0 and keys[at] != h:
        at = (at + 1) & mask
    return at


@compiled
def edge_key(node: Any, word: Any) -> Any:
    """The key of an edge of a trie."""
    return (np.uint64(node + 1) << np.uint64(32) | np.uint64(word)) * np.uint64(0x9E3779B97F4A7C15)


@compiled
def _symbol(buf: Any, at: Any, end: Any, kind: Any) -> Any:
    """(kind, code point, bytes) of the character at `at`; kind OTHER at the end."""
    if at >= end:
        return OTHER, 0, 0
    b = np.int64(buf[at])
    if b < 0x80:
        return np.int64(kind[b]), b, 1
    if b < 0xE0:
        cp = (b & 0x1F) << 6 | (np.int64(buf[at + 1]) & 0x3F)
        return np.int64(kind[cp]), cp, 2
    if b < 0xF0:
        cp = (b & 0x0F) << 12 | (np.int64(buf[at + 1]) & 0x3F) << 6 | (np.int64(buf[at + 2]) & 0x3F)
        return np.int64(kind[cp]), cp, 3
    return OTHER, 0, 4


@compiled
def _mixed(h: Any, buf: Any, at: Any, size: Any, cp: Any, fold: Any) -> Any:
    base = fold[cp]
    if base < 0x80:
        return (h ^ np.uint64(base)) * _PRIME
    for k in range(size):
        h = (h ^ np.uint64(buf[at + k])) * _PRIME
    return h


@compiled
def _three_digits(buf: Any, at: Any, end: Any, kind: Any) -> Any:
    if at + 3 > end:
        return False
    for k in range(3):
        if buf[at + k] < 48 or buf[at + k] > 57:
            return False
    return _symbol(buf, at + 3, end, kind)[0] != LETTER


@compiled
def _possessive(buf: Any, at: Any, end: Any, kind: Any) -> Any:
    """An s ends the word at `at`."""
    if buf[at] != 115 and buf[at] != 83:
        return False
    then = _symbol(buf, at + 1, end, kind)[0]
    return then not in (LETTER, APOSTROPHE)


@compiled
def _read_word(buf: Any, at: Any, end: Any, tables: Any) -> Any:
    """One word from `at`: (hash, bytes to go on from, code points passed, bytes of the word, code points of it, its number or -1, all capitals)."""
    kind = tables.kind
    h, n, stop, points, value, caps, letters = _OFFSET, 0, at, 0, 0, True, 0
    numeric, i, start = True, at, at
    lone_from = at
    while i < end:
        k, cp, size = _symbol(buf, i, end, kind)
        if k == LETTER:
            h = _mixed(h, buf, i, size, cp, tables.fold)
            numeric &= 48 <= cp <= 57
            if numeric:
                value = min(value * 10 + cp - 48, 10_000_000)
            caps &= 65 <= cp <= 90
            letters += 1
            i += size
            n += 1
            stop, points = i, n
        elif k == APOSTROPHE and _symbol(buf, i + size, end, kind)[0] == LETTER:
            if _possessive(buf, i + size, end, kind):
                i += size + 1
                n += 2
                break
            i += size
            n += 1
            lone_from = i
        elif k == COMMA and numeric and _three_digits(buf, i + 1, end, kind):
            i += 1
            n += 1
            lone_from = i
        elif k == DOT and _symbol(buf, i + 1, end, kind)[0] == LETTER and _lone(buf, lone_from, i, end, kind):
            i += 1
            n += 1
            lone_from = i
        else:
            break
    if not numeric or letters > 6 or start == stop:
        value = -1
    return h, i, n, stop, points, value, caps and letters > 1


@compiled
def _lone(buf: Any, since: Any, dot: Any, end: Any, kind: Any) -> Any:
    """One letter stands on either side of the dot at `dot`."""
    size = _symbol(buf, since, end, kind)[2]
    after = _symbol(buf, dot + 1, end, kind)[2]
    return since + size == dot and _symbol(buf, dot + 1 + after, end, kind)[0] != LETTER


@compiled
def _keep(raw: Any, words: Any, word: Any, gap: Any, span: Any, capital: Any, value: Any) -> None:
    raw[words, 0] = word
    raw[words, 1] = gap
    raw[words, 2], raw[words, 3], raw[words, 4], raw[words, 5] = span
    raw[words, 6] = capital
    raw[words, 7] = value


@compiled
def _word_id(h: Any, caps: Any, tables: Any) -> Any:
    if caps:
        slot = word_slot(tables.word_keys, h ^ _CAPITALS)
        if tables.word_keys[slot] != 0:
            return tables.word_ids[slot]
    return tables.word_ids[word_slot(tables.word_keys, h)]


@compiled
def raw_words(buf: Any, at: Any, end: Any, point: Any, tables: Any, raw: Any) -> Any:
    """The words of one line into `raw`: (how many, the byte behind the line, its code point)."""
    words, gap, kind, spaced = 0, 2, tables.kind, False
    while at < end:
        k, cp, size = _symbol(buf, at, end, kind)
        if k in (LETTER, AMPERSAND):
            if k == AMPERSAND:
                h, i, n, stop, points, value, caps = (_OFFSET ^ np.uint64(38)) * _PRIME, at + 1, 1, at + 1, 1, -1, False
            else:
                h, i, n, stop, points, value, caps = _read_word(buf, at, end, tables)
            if words < MOST:
                capital = not (97 <= cp <= 122 or 48 <= cp <= 57)
                _keep(raw, words, _word_id(h, caps, tables), gap, (point, point + points, at, stop), capital, value)
                words += 1
            gap, at, point, spaced = 0, i, point + n, False
            continue
        if k == NEWLINE:
            return words, at + 1, point + 1
        if k == COMMA:
            gap = max(gap, 1)
        elif k == STOP:
            gap = 2
        elif (k == DOT or k == HYPHEN) and (_symbol(buf, at + 1, end, kind)[0] != LETTER or (k == HYPHEN and spaced)):
            gap = 2
        spaced = cp == 32
        at += size
        point += 1
    return words, at, point


@compiled
def _phrase(tables: Any, raw: Any, i: Any, words: Any) -> Any:
    """(entry, number of words) of the longest phrase from word `i`; entry 0 where there is none."""
    entry, size = 0, 1
    node = tables.root[raw[i, 0]]
    mask = len(tables.edge_keys) - 1
    k = i
    while node >= 0:
        if tables.node_entry[node] >= 0:
            entry, size = tables.node_entry[node], k - i + 1
        k += 1
        if k >= words or raw[k, 1] > 0 or raw[k, 0] == 0:
            break
        key = edge_key(node, raw[k, 0])
        slot = np.int64(key >> np.uint64(40)) & mask
        while tables.edge_keys[slot] != 0 and tables.edge_keys[slot] != key:
            slot = (slot + 1) & mask
        node = tables.edge_nodes[slot]
    return entry, size


@compiled
def tokens(tables: Any, words: Any, line: Any) -> Any:
    """The phrases of a line's raw words into `line`: how many."""
    raw, n, i = line.raw, 0, 0
    while i < words:
        entry, size = _phrase(tables, raw, i, words)
        value, digits = tables.number[entry], 0
        if entry == 0 and raw[i, 7] >= 0:
            entry, value, digits = 1, raw[i, 7], 1
        last = i + size - 1
        line.entry[n], line.role[n], line.gap[n] = entry, tables.role[entry], raw[i, 1]
        line.first[n], line.last[n], line.begin[n], line.stop[n] = raw[i, 2], raw[last, 3], raw[i, 4], raw[last, 5]
        line.capital[n], line.active[n], line.live[n] = raw[i, 6], 0, 1
        line.number[n], line.digits[n], line.word[n] = value, digits, raw[i, 0]
        i += size
        n += 1
    return n


@compiled
def place_at(tables: Any, line: Any, i: Any, k: Any) -> Any:
    """(place, tokens) of the longest place name in tokens i..k-1 from `i`; place -1 where there is none."""
    best, size = -1, 1
    node = tables.place_root[line.word[i]]
    mask = len(tables.place_keys) - 1
    j = i
    while node >= 0:
        if tables.node_place[node] >= 0:
            best, size = tables.node_place[node], j - i + 1
        j += 1
        if j >= k or line.word[j] == 0:
            break
        key = edge_key(node, line.word[j])
        slot = np.int64(key >> np.uint64(40)) & mask
        while tables.place_keys[slot] != 0 and tables.place_keys[slot] != key:
            slot = (slot + 1) & mask
        node = tables.place_nodes[slot]
    return best, size
