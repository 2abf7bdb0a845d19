"""Splits the bytes of a text into words and phrases of a lexicon.

Letters are compared by a table (lower case, accents folded), words by a 64-bit FNV-1a hash, phrases by a trie whose edges are hashed too: the
longest phrase wins and never runs over a comma. tests/oracles/coder.py says the same slowly.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import carray, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from tocsin.kernels.words import compiled, inlined

#: Grammar classes of words, in the order of their numbers.
ROLES = (
    "none", "hit", "force", "perpetrator", "act", "nv", "strike", "struck", "kill", "killing", "killed", "killings", "dead", "wound", "wounded",
    "at", "onto", "near", "of", "by", "prep", "and", "leave", "that", "were", "det", "claim", "say", "after", "over", "as", "behind", "guard", "carry",
    "including", "among", "low", "high", "about", "anti", "more", "toll", "unit", "month", "reaction", "dual", "number", "uncountable", "blank",
)  # fmt: skip
#: Kinds of characters.
OTHER, LETTER, APOSTROPHE, COMMA, STOP, DOT, HYPHEN, AMPERSAND, NEWLINE = (k << 16 for k in range(9))
KIND, DIGIT, UPPER = 0xF << 16, 1 << 20, 1 << 21
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

    letters: NDArray[np.uint32]  # of each character of the first plane: kind, base letter, DIGIT, UPPER
    keys: NDArray[np.uint64]  # of words and of the edges of the tries: open addressing
    ids: NDArray[np.int32]  # word or node
    roots: NDArray[np.int32]  # word -> node of a phrase, node of a place
    ends: NDArray[np.int32]  # node -> entry or place
    entries: NDArray[np.int32]
    merge: NDArray[np.int16]  # field, code, code -> code or -1


@intrinsic  # type: ignore[untyped-decorator]
def _pointer(typingctx: Any, address: Any) -> Any:
    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), codegen


@compiled
def unowned(array: Any) -> Any:
    """The same memory as an array that nobody counts references to: counting costs more than the rules do. `array` must outlive it."""
    return carray(_pointer(array.ctypes.data), array.shape, array.dtype)


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


@inlined
def slot_of(keys: Any, h: Any) -> Any:
    """Where a hash stands in an open table, or the free slot where it would."""
    mask = len(keys) - 1
    at = np.int64(h >> np.uint64(40)) & mask
    while keys[at] != 0 and keys[at] != h:
        at = (at + 1) & mask
    return at


@inlined
def _next(keys: Any, ids: Any, node: Any, word: Any) -> Any:
    """The node behind `node` along a word, or -1."""
    slot = slot_of(keys, edge_key(node, word))
    return ids[slot] if keys[slot] != 0 else -1


@inlined
def edge_key(node: Any, word: Any) -> Any:
    """The key of an edge of a trie."""
    return (np.uint64(node + 1) << np.uint64(32) | np.uint64(word)) * np.uint64(0x9E3779B97F4A7C15)


@inlined
def _symbol(buf: Any, at: Any, end: Any, letters: Any) -> Any:
    """(entry of `letters`, code point, bytes) of the character at `at`; 0 at the end and beyond the first plane."""
    if at >= end:
        return np.int64(0), 0, 0
    cp, size = np.int64(buf[at]), 1
    if cp >= 0xF0:
        return np.int64(0), 0, 4
    if cp >= 0xE0:
        cp, size = (cp & 0x0F) << 12 | (np.int64(buf[at + 1]) & 0x3F) << 6 | (np.int64(buf[at + 2]) & 0x3F), 3
    elif cp >= 0x80:
        cp, size = (cp & 0x1F) << 6 | (np.int64(buf[at + 1]) & 0x3F), 2
    return np.int64(letters[cp]), cp, size


@compiled
def _is_letter(buf: Any, at: Any, end: Any, letters: Any) -> Any:
    return (_symbol(buf, at, end, letters)[0] & KIND) == LETTER


@compiled
def _three_digits(buf: Any, at: Any, end: Any, letters: Any) -> Any:
    if at + 3 > end:
        return False
    digits = True
    for k in range(3):
        digits &= 48 <= buf[at + k] <= 57
    return digits and not _is_letter(buf, at + 3, end, letters)


@compiled
def _possessive(buf: Any, at: Any, end: Any, letters: Any) -> Any:
    """An s ends the word at `at`."""
    if buf[at] != 115 and buf[at] != 83:
        return False
    then = _symbol(buf, at + 1, end, letters)[0] & KIND
    return then not in (LETTER, APOSTROPHE)


@compiled
def _lone(buf: Any, since: Any, dot: Any, end: Any, letters: Any) -> Any:
    """One letter stands on either side of the dot at `dot`."""
    size = _symbol(buf, since, end, letters)[2]
    if since + size != dot or not _is_letter(buf, dot + 1, end, letters):
        return False
    return not _is_letter(buf, dot + 1 + _symbol(buf, dot + 1, end, letters)[2], end, letters)


@compiled
def _goes_on(buf: Any, i: Any, end: Any, letters: Any, symbol: Any, since: Any, digits: Any) -> Any:
    """What a sign inside a word does: 0 ends the word, 1 is passed over, 2 is a possessive, which ends it too."""
    kind = symbol & KIND
    if kind == COMMA:
        return 1 if digits and _three_digits(buf, i + 1, end, letters) else 0
    if kind == DOT:
        return 1 if _lone(buf, since, i, end, letters) else 0
    if kind != APOSTROPHE:
        return 0
    then = i + _symbol(buf, i, end, letters)[2]
    if not _is_letter(buf, then, end, letters):
        return 0
    return 2 if _possessive(buf, then, end, letters) else 1


@compiled
def _value(buf: Any, at: Any, stop: Any) -> Any:
    """The number that digits (with commas) make, up to six of them; -1 for more."""
    value, size = 0, 0
    for k in range(at, stop):
        if buf[k] >= 48 and buf[k] <= 57 and size < 7:
            value = value * 10 + buf[k] - 48
            size += 1
    return value if size < 7 else -1


@inlined
def _read_word(buf: Any, at: Any, end: Any, point: Any, letters: Any, keys: Any, ids: Any, raw: Any, k: Any) -> Any:
    """Writes the word that begins at `at` into row k of `raw` (its gap apart): (byte, code point) to go on from."""
    h, flags, size = _OFFSET, np.int64(-1), 0
    i, n, since, stop, points = at, point, at, at, point
    while i < end:
        if buf[i] < 0x80:
            symbol, wide = np.int64(letters[buf[i]]), 1
        else:
            symbol, _, wide = _symbol(buf, i, end, letters)
        if (symbol & KIND) == LETTER:
            flags &= symbol
            size += 1
            if symbol & 0xFFFF < 0x80:
                h = (h ^ np.uint64(symbol & 0xFFFF)) * _PRIME
            else:
                for b in range(wide):
                    h = (h ^ np.uint64(buf[i + b])) * _PRIME
            i += wide
            n += 1
            stop, points = i, n
            continue
        what = _goes_on(buf, i, end, letters, symbol, since, flags & DIGIT)
        if what == 0:
            break
        i += wide
        n += 1
        if what == 2:
            i += 1
            n += 1
            break
        since = i
    word = 0
    if flags & UPPER and size > 1:
        slot = slot_of(keys, h ^ _CAPITALS)
        word = ids[slot] if keys[slot] != 0 else 0
    if word == 0:
        word = ids[slot_of(keys, h)]
    raw[k, _WORD], raw[k, _FIRST], raw[k, _LAST], raw[k, _BEGIN], raw[k, _END] = word, point, points, at, stop
    raw[k, _VALUE] = _value(buf, at, stop) if flags & DIGIT else -1
    return i, n


@compiled
def raw_words(buf: Any, at: Any, end: Any, point: Any, letters: Any, keys: Any, ids: Any, raw: Any) -> Any:
    """The words of one line into `raw`: (how many, the byte behind the line, its code point)."""
    words, gap, spaced = 0, 2, False
    while at < end:
        symbol, cp, size = _symbol(buf, at, end, letters)
        kind = symbol & KIND
        if kind in (LETTER, AMPERSAND):
            begin = min(words, MOST)  # what goes beyond is written behind the last and not counted
            if kind == AMPERSAND:
                raw[begin, _WORD], raw[begin, _FIRST], raw[begin, _LAST] = ids[slot_of(keys, (_OFFSET ^ np.uint64(38)) * _PRIME)], point, point + 1
                raw[begin, _BEGIN], raw[begin, _END], raw[begin, _VALUE] = at, at + 1, -1
                at, point = at + 1, point + 1
            else:
                at, point = _read_word(buf, at, end, point, letters, keys, ids, raw, begin)
            raw[begin, _GAP], raw[begin, _CAPITAL] = gap, not (97 <= cp <= 122 or 48 <= cp <= 57)
            words = min(words + 1, MOST)
            gap, spaced = 0, False
            continue
        if kind == NEWLINE:
            return words, at + 1, point + 1
        if kind == COMMA:
            gap = max(gap, 1)
        elif kind == STOP or (kind == DOT and not _is_letter(buf, at + 1, end, letters)):
            gap = 2
        elif kind == HYPHEN and (spaced or not _is_letter(buf, at + 1, end, letters)):
            gap = 2
        spaced = cp == 32
        at += size
        point += 1
    return words, at, point


@inlined
def _phrase(keys: Any, ids: Any, roots: Any, ends: Any, raw: Any, i: Any, words: Any) -> Any:
    """(entry, number of words) of the longest phrase from word `i`; entry 0 where there is none."""
    entry, size = np.int32(0), 1
    node = roots[raw[i, _WORD], 0]
    k = i
    while node >= 0:
        if ends[node] >= 0:
            entry, size = ends[node], k - i + 1
        k += 1
        if k >= words or raw[k, _GAP] > 0 or raw[k, _WORD] == 0:
            break
        node = _next(keys, ids, node, raw[k, _WORD])
    return entry, size


@compiled
def tokens(keys: Any, ids: Any, roots: Any, ends: Any, entries: Any, raw: Any, words: Any, line: Any) -> Any:
    """The phrases of a line's raw words into `line`: how many."""
    n = i = 0
    while i < words:
        entry, size = _phrase(keys, ids, roots, ends, raw, i, words)
        value, digits = entries[entry, STANDS_FOR], 0
        if entry == 0 and raw[i, _VALUE] >= 0:
            entry, value, digits = np.int32(1), raw[i, _VALUE], 1
        last = i + size - 1
        line[n, ENTRY], line[n, ROLE], line[n, GAP] = entry, entries[entry, CLASS], raw[i, _GAP]
        line[n, FIRST], line[n, LAST], line[n, BEGIN], line[n, END] = raw[i, _FIRST], raw[last, _LAST], raw[i, _BEGIN], raw[last, _END]
        line[n, CAPITAL], line[n, ACTIVE], line[n, LIVE] = raw[i, _CAPITAL], 0, 1
        line[n, VALUE], line[n, DIGITS], line[n, WORD] = value, digits, raw[i, _WORD]
        i += size
        n += 1
    return n


@compiled
def place_at(keys: Any, ids: Any, roots: Any, ends: Any, line: Any, i: Any, k: Any) -> Any:
    """(place, tokens) of the longest place name in tokens i..k-1 from `i`; place -1 where there is none."""
    best, size = np.int32(-1), 1
    node = roots[line[i, WORD], 1]
    j = i
    while node >= 0:
        if ends[node] >= 0:
            best, size = ends[node], j - i + 1
        j += 1
        if j >= k or line[j, WORD] == 0:
            break
        node = _next(keys, ids, node, line[j, WORD])
    return best, size
