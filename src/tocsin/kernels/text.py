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


#: Columns of an entry of the lexicon: its class; codes (-1 is none); how strong it is; how many persons it stands for; flags. MEANT and ORDER are
#: the attack it means and that attack's place in the order, the second of each (+ 2) where militants are the ones hit.
CLASS, TARGET, TARGET_ROOT, GROUP, ATTACK, WEAPON, RANK, STANDS_FOR, MANY, ETHNIC, FORCES, TAKES, MEANT, ORDER = range(14)
ENTRY_COLUMNS = 16
NO_ORDER = 99
#: Columns of a line: its tokens, then what was found in it (each list from row 0 on).
ENTRY, ROLE, GAP, FIRST, LAST, BEGIN, END, CAPITAL, ACTIVE, LIVE, VALUE, DIGITS, WORD, VICTIM = range(14)
HIT_TOKEN, HIT_STEP, HIT_RANK, GROUP_TOKEN, GROUP_STEP, ATTACKED = range(14, 20)
LINE_COLUMNS = 20
#: Columns of a raw word: its number, gap, code points, bytes, whether it begins with a capital, the value of its digits or -1.
_WORD, _GAP, _FIRST, _LAST, _BEGIN, _END, _CAPITAL, _VALUE = range(8)
RAW_COLUMNS = 8


class Tables(NamedTuple):
    """A lexicon and a gazetteer as arrays; ids of entries, words and nodes count from 0, -1 is none."""

    letters: NDArray[np.uint32]  # of each character of the first plane: kind << 16 | base letter
    keys: NDArray[np.uint64]  # of words and of the edges of the tries: open addressing
    ids: NDArray[np.int32]  # word or node
    roots: NDArray[np.int32]  # word -> node of a phrase, node of a place
    ends: NDArray[np.int32]  # node -> entry or place
    entries: NDArray[np.int32]
    merge: NDArray[np.int16]  # field, code, code -> code or -1


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
def slot_of(keys: Any, h: Any) -> Any:
    """Where a hash stands in an open table, or the free slot where it would."""
    mask = len(keys) - 1
    at = np.int64(h >> np.uint64(40)) & mask
    while keys[at] != 0 and keys[at] != h:
        at = (at + 1) & mask
    return at


@compiled
def _next(tables: Any, node: Any, word: Any) -> Any:
    """The node behind `node` along a word, or -1."""
    slot = slot_of(tables.keys, edge_key(node, word))
    return tables.ids[slot] if tables.keys[slot] != 0 else -1


@compiled
def edge_key(node: Any, word: Any) -> Any:
    """The key of an edge of a trie."""
    return (np.uint64(node + 1) << np.uint64(32) | np.uint64(word)) * np.uint64(0x9E3779B97F4A7C15)


@compiled
def _symbol(buf: Any, at: Any, end: Any, letters: Any) -> Any:
    """(kind, code point, bytes, base letter) of the character at `at`; kind OTHER at the end."""
    if at >= end:
        return OTHER, 0, 0, 0
    cp, size = np.int64(buf[at]), 1
    if cp >= 0xF0:
        return OTHER, 0, 4, 0
    if cp >= 0xE0:
        cp, size = (cp & 0x0F) << 12 | (np.int64(buf[at + 1]) & 0x3F) << 6 | (np.int64(buf[at + 2]) & 0x3F), 3
    elif cp >= 0x80:
        cp, size = (cp & 0x1F) << 6 | (np.int64(buf[at + 1]) & 0x3F), 2
    both = np.int64(letters[cp])
    return both >> 16, cp, size, both & 0xFFFF


@compiled
def _mixed(h: Any, buf: Any, at: Any, size: Any, base: Any) -> Any:
    if base < 0x80:
        return (h ^ np.uint64(base)) * _PRIME
    for k in range(size):
        h = (h ^ np.uint64(buf[at + k])) * _PRIME
    return h


@compiled
def _three_digits(buf: Any, at: Any, end: Any, letters: Any) -> Any:
    if at + 3 > end:
        return False
    for k in range(3):
        if buf[at + k] < 48 or buf[at + k] > 57:
            return False
    return _symbol(buf, at + 3, end, letters)[0] != LETTER


@compiled
def _possessive(buf: Any, at: Any, end: Any, letters: Any) -> Any:
    """An s ends the word at `at`."""
    if buf[at] != 115 and buf[at] != 83:
        return False
    then = _symbol(buf, at + 1, end, letters)[0]
    return then not in (LETTER, APOSTROPHE)


@compiled
def _read_word(buf: Any, at: Any, end: Any, tables: Any) -> Any:
    """One word from `at`: (hash, bytes to go on from, code points passed, bytes of the word, code points of it, its number or -1, all capitals)."""
    letters = tables.letters
    h, n, stop, points, value, caps, size_of = _OFFSET, 0, at, 0, 0, True, 0
    numeric, i, start = True, at, at
    lone_from = at
    while i < end:
        k, cp, size, base = _symbol(buf, i, end, letters)
        if k == LETTER:
            h = _mixed(h, buf, i, size, base)
            numeric &= 48 <= cp <= 57
            if numeric:
                value = min(value * 10 + cp - 48, 10_000_000)
            caps &= 65 <= cp <= 90
            size_of += 1
            i += size
            n += 1
            stop, points = i, n
        elif k == APOSTROPHE and _symbol(buf, i + size, end, letters)[0] == LETTER:
            if _possessive(buf, i + size, end, letters):
                i += size + 1
                n += 2
                break
            i += size
            n += 1
            lone_from = i
        elif (k == COMMA and numeric and _three_digits(buf, i + 1, end, letters)) or (k == DOT and _symbol(buf, i + 1, end, letters)[0] == LETTER and _lone(buf, lone_from, i, end, letters)):
            i += 1
            n += 1
            lone_from = i
        else:
            break
    if not numeric or size_of > 6 or start == stop:
        value = -1
    return h, i, n, stop, points, value, caps and size_of > 1


@compiled
def _lone(buf: Any, since: Any, dot: Any, end: Any, letters: Any) -> Any:
    """One letter stands on either side of the dot at `dot`."""
    size = _symbol(buf, since, end, letters)[2]
    after = _symbol(buf, dot + 1, end, letters)[2]
    return since + size == dot and _symbol(buf, dot + 1 + after, end, letters)[0] != LETTER


@compiled
def _keep(raw: Any, words: Any, word: Any, gap: Any, span: Any, capital: Any, value: Any) -> None:
    raw[words, _WORD], raw[words, _GAP] = word, gap
    raw[words, _FIRST], raw[words, _LAST], raw[words, _BEGIN], raw[words, _END] = span
    raw[words, _CAPITAL], raw[words, _VALUE] = capital, value


@compiled
def _word_id(h: Any, caps: Any, tables: Any) -> Any:
    if caps:
        slot = slot_of(tables.keys, h ^ _CAPITALS)
        if tables.keys[slot] != 0:
            return tables.ids[slot]
    return tables.ids[slot_of(tables.keys, h)]


@compiled
def raw_words(buf: Any, at: Any, end: Any, point: Any, tables: Any, raw: Any) -> Any:
    """The words of one line into `raw`: (how many, the byte behind the line, its code point)."""
    words, gap, letters, spaced = 0, 2, tables.letters, False
    while at < end:
        k, cp, size, _ = _symbol(buf, at, end, letters)
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
        elif k == STOP or ((k in (DOT, HYPHEN)) and (_symbol(buf, at + 1, end, letters)[0] != LETTER or (k == HYPHEN and spaced))):
            gap = 2
        spaced = cp == 32
        at += size
        point += 1
    return words, at, point


@compiled
def _phrase(tables: Any, raw: Any, i: Any, words: Any) -> Any:
    """(entry, number of words) of the longest phrase from word `i`; entry 0 where there is none."""
    entry, size = np.int32(0), 1
    node = tables.roots[raw[i, _WORD], 0]
    k = i
    while node >= 0:
        if tables.ends[node] >= 0:
            entry, size = tables.ends[node], k - i + 1
        k += 1
        if k >= words or raw[k, _GAP] > 0 or raw[k, _WORD] == 0:
            break
        node = _next(tables, node, raw[k, _WORD])
    return entry, size


@compiled
def tokens(tables: Any, raw: Any, words: Any, line: Any) -> Any:
    """The phrases of a line's raw words into `line`: how many."""
    n = i = 0
    while i < words:
        entry, size = _phrase(tables, raw, i, words)
        value, digits = tables.entries[entry, STANDS_FOR], 0
        if entry == 0 and raw[i, _VALUE] >= 0:
            entry, value, digits = np.int32(1), raw[i, _VALUE], 1
        last = i + size - 1
        line[n, ENTRY], line[n, ROLE], line[n, GAP] = entry, tables.entries[entry, CLASS], raw[i, _GAP]
        line[n, FIRST], line[n, LAST], line[n, BEGIN], line[n, END] = raw[i, _FIRST], raw[last, _LAST], raw[i, _BEGIN], raw[last, _END]
        line[n, CAPITAL], line[n, ACTIVE], line[n, LIVE] = raw[i, _CAPITAL], 0, 1
        line[n, VALUE], line[n, DIGITS], line[n, WORD] = value, digits, raw[i, _WORD]
        i += size
        n += 1
    return n


@compiled
def place_at(tables: Any, line: Any, i: Any, k: Any) -> Any:
    """(place, tokens) of the longest place name in tokens i..k-1 from `i`; place -1 where there is none."""
    best, size = np.int32(-1), 1
    node = tables.roots[line[i, WORD], 1]
    j = i
    while node >= 0:
        if tables.ends[node] >= 0:
            best, size = tables.ends[node], j - i + 1
        j += 1
        if j >= k or line[j, WORD] == 0:
            break
        node = _next(tables, node, line[j, WORD])
    return best, size
