"""Splits the bytes of a text into words and phrases of a lexicon.

Letters are compared by a table (lower case, accents folded), words by a 64-bit FNV-1a hash, phrases by a trie whose edges are hashed too: the
longest phrase wins and never runs over a comma. tests/oracles/coder.py says the same slowly.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import carray, types  # type: ignore[attr-defined]  # numba re-exports carray without saying so
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
_WORD, _GAP, _FIRST, _LAST, _BEGIN, _STOP, _CAPITAL, _VALUE = range(8)
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


def _reader(bits: int, kind: Any) -> Any:
    """A kernel part that reads an unsigned number at an address, as `kind`."""

    @intrinsic  # type: ignore[untyped-decorator]
    def read(typingctx: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            number = builder.load(builder.inttoptr(args[0], ir.IntType(bits).as_pointer()), align=1)
            return number if bits == 64 else builder.zext(number, ir.IntType(64))

        return kind(types.int64), codegen

    return read


_byte, _symbol_at, _key_at = _reader(8, types.int64), _reader(32, types.int64), _reader(64, types.uint64)


@intrinsic  # type: ignore[untyped-decorator]
def write(typingctx: Any, address: Any, number: Any) -> Any:
    """Writes a number as int32 at an address."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.store(builder.trunc(args[1], ir.IntType(32)), builder.inttoptr(args[0], ir.IntType(32).as_pointer()), align=1)

    return types.void(types.int64, types.int64), codegen


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
def _next(keys: Any, ids: Any, node: Any, word: Any) -> Any:
    """The node behind `node` along a word, or -1."""
    slot = slot_of(keys, edge_key(node, word))
    return ids[slot] if keys[slot] != 0 else -1


@compiled
def edge_key(node: Any, word: Any) -> Any:
    """The key of an edge of a trie."""
    return (np.uint64(node + 1) << np.uint64(32) | np.uint64(word)) * np.uint64(0x9E3779B97F4A7C15)


@inlined
def _symbol(at: Any, end: Any, letters: Any) -> Any:
    """(entry of `letters`, bytes) of the character at `at`; 0 at the end and beyond the first plane."""
    if at >= end:
        return 0, 0
    cp = _byte(at)
    if cp < 0x80:
        return _symbol_at(letters + 4 * cp), 1
    if cp < 0xE0:
        return _symbol_at(letters + 4 * ((cp & 0x1F) << 6 | (_byte(at + 1) & 0x3F))), 2
    if cp < 0xF0:
        return _symbol_at(letters + 4 * ((cp & 0x0F) << 12 | (_byte(at + 1) & 0x3F) << 6 | (_byte(at + 2) & 0x3F))), 3
    return 0, 4


@compiled
def _is_letter(at: Any, end: Any, letters: Any) -> Any:
    return (_symbol(at, end, letters)[0] & KIND) == LETTER


@compiled
def _three_digits(at: Any, end: Any, letters: Any) -> Any:
    if at + 3 > end:
        return False
    digits = True
    for k in range(3):
        digits &= 48 <= _byte(at + k) <= 57
    return digits and not _is_letter(at + 3, end, letters)


@compiled
def _possessive(at: Any, end: Any, letters: Any) -> Any:
    """An s ends the word at `at`."""
    if _byte(at) != 115 and _byte(at) != 83:
        return False
    then = _symbol(at + 1, end, letters)[0] & KIND
    return then not in (LETTER, APOSTROPHE)


@compiled
def _dot(since: Any, dot: Any, end: Any, letters: Any) -> Any:
    """What a full stop does: behind one letter it is passed over, and goes on where another one follows (U.S. = us, 3.5 and killed.Six are apart)."""
    symbol, size = _symbol(since, end, letters)
    if since + size != dot or symbol & DIGIT:
        return 0
    then, wide = _symbol(dot + 1, end, letters)
    return 1 if (then & KIND) == LETTER and not _is_letter(dot + 1 + wide, end, letters) else 3


@compiled
def _goes_on(i: Any, end: Any, letters: Any, kind: Any, since: Any, digits: Any) -> Any:
    """What a sign inside a word does: 0 ends the word, 1 is passed over, 2 is a possessive and 3 a stop, which end it too."""
    if kind == COMMA:
        return 1 if digits and _three_digits(i + 1, end, letters) else 0
    if kind == DOT:
        return _dot(since, i, end, letters)
    if kind != APOSTROPHE:
        return 0
    then = i + _symbol(i, end, letters)[1]
    if not _is_letter(then, end, letters):
        return 0
    return 2 if _possessive(then, end, letters) else 1


@compiled
def _value(at: Any, stop: Any) -> Any:
    """The number that digits (with commas) make, up to six of them; -1 for more."""
    value, size = 0, 0
    for k in range(at, stop):
        if 48 <= _byte(k) <= 57 and size < 7:
            value = value * 10 + _byte(k) - 48
            size += 1
    return value if size < 7 else -1


@inlined
def _word_id(h: Any, keys: Any, mask: Any, ids: Any) -> Any:
    """The number of the word with a hash; 0 for a word that is in no list."""
    at = np.int64(h >> np.uint64(40)) & mask
    key = _key_at(keys + 8 * at)
    while key != 0 and key != h:
        at = (at + 1) & mask
        key = _key_at(keys + 8 * at)
    return _symbol_at(ids + 4 * at)


@compiled
def _read_word(base: Any, at: Any, end: Any, point: Any, letters: Any, keys: Any, mask: Any, ids: Any, row: Any) -> Any:
    """Writes the word that begins at `at` into a row of `raw` (its gap apart): (byte, code point) to go on from."""
    h, flags, size = _OFFSET, -1, 0
    i, n, since, stop, points = at, point, at, at, point
    while i < end:
        symbol, wide = _symbol(i, end, letters)
        kind = symbol & KIND
        if kind == LETTER:
            flags &= symbol
            size += 1
            if symbol & 0xFFFF < 0x80:
                h = (h ^ np.uint64(symbol & 0xFFFF)) * _PRIME
            else:
                for b in range(wide):
                    h = (h ^ np.uint64(_byte(i + b))) * _PRIME
            i += wide
            n += 1
            stop, points = i, n
            continue
        what = 0 if kind == OTHER else _goes_on(i, end, letters, kind, since, flags & DIGIT)
        if what == 0:
            break
        i += wide
        n += 1
        if what == 2:
            i += 1
            n += 1
        if what >= 2:
            break
        since = i
    word = 0
    if flags & UPPER and size > 1:
        word = _word_id(h ^ _CAPITALS, keys, mask, ids)
    if word == 0:
        word = _word_id(h, keys, mask, ids)
    write(row + 4 * _WORD, word)
    write(row + 4 * _FIRST, point)
    write(row + 4 * _LAST, points)
    write(row + 4 * _STOP, stop - base)
    write(row + 4 * _VALUE, _value(at, stop) if flags & DIGIT else -1)
    return i, n


@compiled
def raw_words(base: Any, at: Any, end: Any, point: Any, letters: Any, keys: Any, mask: Any, ids: Any, raw: Any) -> Any:
    """The words of one line into `raw`: (how many, the byte behind the line, its code point). Arrays are given by their
    addresses; byte positions count from `base`."""
    words, gap, spaced = 0, 2, False
    while at < end:
        symbol, size = _symbol(at, end, letters)
        kind = symbol & KIND
        if kind in (LETTER, AMPERSAND):
            row = raw + 4 * RAW_COLUMNS * words  # what goes beyond MOST is written behind the last and not counted
            write(row + 4 * _BEGIN, at - base)
            write(row + 4 * _GAP, gap)
            first = _byte(at)
            write(row + 4 * _CAPITAL, np.int64(not (97 <= first <= 122 or 48 <= first <= 57)))
            if kind == LETTER:
                at, point = _read_word(base, at, end, point, letters, keys, mask, ids, row)
            else:
                at, point = _read_and(base, at, point, keys, mask, ids, row)
            words = min(words + 1, MOST)
            gap, spaced = 0, False
            continue
        if kind == NEWLINE:
            return words, at + 1, point + 1
        if kind == COMMA:
            gap = max(gap, 1)
        elif (
            kind == STOP
            or (kind == DOT and not _is_letter(at + 1, end, letters))
            or (kind == HYPHEN and (spaced or not _is_letter(at + 1, end, letters)))
        ):
            gap = 2
        spaced = _byte(at) == 32
        at += size
        point += 1
    return words, at, point


@compiled
def _read_and(base: Any, at: Any, point: Any, keys: Any, mask: Any, ids: Any, row: Any) -> Any:
    """The word & into a row of `raw`."""
    write(row + 4 * _WORD, _word_id((_OFFSET ^ np.uint64(38)) * _PRIME, keys, mask, ids))
    write(row + 4 * _FIRST, point)
    write(row + 4 * _LAST, point + 1)
    write(row + 4 * _STOP, at + 1 - base)
    write(row + 4 * _VALUE, -1)
    return at + 1, point + 1


@compiled
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
        line[n, FIRST], line[n, LAST], line[n, BEGIN], line[n, END] = raw[i, _FIRST], raw[last, _LAST], raw[i, _BEGIN], raw[last, _STOP]
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
