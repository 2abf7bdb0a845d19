"""Codes texts: each headline by itself, then the headlines of a text together.

`code` fills, for a block of texts, one value a field and the spans of the words that gave it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.kernels.text import (
    ACTIVE,
    ATTACK,
    ATTACKED,
    BEGIN,
    END,
    ENTRY,
    ETHNIC,
    FIRST,
    GAP,
    GROUP,
    GROUP_STEP,
    GROUP_TOKEN,
    HIT_RANK,
    HIT_STEP,
    HIT_TOKEN,
    LAST,
    LINE_COLUMNS,
    LIVE,
    MOST,
    RANK,
    RAW_COLUMNS,
    ROLE,
    TARGET,
    VICTIM,
    raw_words,
    tokens,
    unowned,
)
from tocsin.kernels.text_counts import count_tolls
from tocsin.kernels.text_picks import pick_attack, pick_group, pick_place, pick_target
from tocsin.kernels.text_rules import (
    ACTS,
    AFTER,
    ATTACKS,
    BEHIND,
    COUNTER,
    FORCE,
    GROUPS,
    HIT,
    HITS,
    KILLED_BEST,
    KILLED_HIGH,
    KILLED_LOW,
    MEANS,
    MILITANTS,
    NONE,
    PERPETRATOR,
    READ,
    STATE,
    TOLD,
    drop_reactions,
    has,
    is_counter,
    is_victim,
    mask,
    resolve,
    step_of,
    takes,
)
from tocsin.kernels.words import compiled

#: Fields in the order of their numbers; codes first, then tolls, then the place.
FIELDS = ("target_type", "target_group", "attack_type", "weapon_type", "killed_low", "killed", "killed_high", "wounded", "place")
CODES, TOLLS, PLACE = 4, 4, 8
#: Columns of a span: field, value, first and last code point, first and last byte.
SPAN_COLUMNS = 6

GENERIC = 3  # the rank of people without a role
_OPENING = mask("after", "as", "behind")
_RESUMING = mask("kill", "killing", "wound")
_COUNTER = mask("kill", "killing", "killed", "strike")


@compiled
def _read_segment(entries: Any, line: Any, state: Any, a: Any, b: Any) -> None:
    """The clauses of one stretch between full stops, in order."""
    seen = blocked = False
    opening, x, i = NONE, a, a
    while i <= b:
        ended = i == b or line[i, LIVE] == 0
        if not ended and not has(line[i, ROLE], _OPENING):
            i += 1
            continue
        start = _clause_start(line, opening, x, i, seen, blocked)
        if start < 0:
            return
        if _any_act(line, start, i):
            seen = True
            hits, groups = state[HITS], state[GROUPS]
            _read_chunk(entries, line, state, start, i)
            blocked |= state[COUNTER] != 0 or state[MILITANTS] != 0 or state[GROUPS] > groups or _known_from(line, hits, state[HITS])
        if ended:
            return
        opening, x = line[i, ROLE], i + 1
        i += 1


@compiled
def _known_from(line: Any, a: Any, b: Any) -> Any:
    """Among hits a..b-1 is one that says more than a woman, a child."""
    known = False
    for k in range(a, b):
        known |= line[k, HIT_RANK] < GENERIC
    return known


@compiled
def _any_act(line: Any, x: Any, y: Any) -> Any:
    found = False
    for i in range(x, y):
        found |= has(line[i, ROLE], ACTS)
    return found


@compiled
def _clause_start(line: Any, opening: Any, x: Any, y: Any, seen: Any, blocked: Any) -> Any:
    """Where a clause that `opening` begins is read from; its end to pass over it, -1 to read no further."""
    if opening == BEHIND:
        return -1
    if opening == AFTER and not seen:
        for i in range(x + 1, y):
            if line[i, GAP] == 1:
                return i
        return y
    if opening == AFTER and blocked:
        for i in range(x, y):
            if has(line[i, ROLE], ACTS):
                return i if i > x and line[i, GAP] == 1 and has(line[i, ROLE], _RESUMING) else -1
        return -1
    return x


@compiled
def _read_chunk(entries: Any, line: Any, state: Any, x: Any, y: Any) -> None:
    """Who was hit, how, how many, in one clause."""
    state[READ] = 1
    for i in range(x, y):
        line[i, VICTIM] = line[i, ROLE] == PERPETRATOR and is_victim(line, i, x, y)
        if line[i, VICTIM]:
            state[MILITANTS] = 1
            _hit(line, state, i, 1, 0)
    for v in range(x, y):
        if line[v, ACTIVE] and has(line[v, ROLE], _COUNTER) and is_counter(entries, line, state, v, x, y):
            state[COUNTER] = 1
            break
    for i in range(x, y):
        role, entry = line[i, ROLE], line[i, ENTRY]
        if role in (HIT, FORCE):
            if entries[entry, TARGET] >= 0 or entries[entry, GROUP] >= 0:
                _place_hit(entries, line, state, i, x, y)
        elif entries[entry, ATTACK] >= 0 and (
            has(role, MEANS) or (role == PERPETRATOR and not line[i, VICTIM] and not takes(entries, line, i, y))
        ):
            line[state[ATTACKS], ATTACKED] = i
            state[ATTACKS] += 1
    count_tolls(entries, line, state, x, y)


@compiled
def _hit(line: Any, state: Any, i: Any, step: Any, rank: Any) -> None:
    at = state[HITS]
    line[at, HIT_TOKEN], line[at, HIT_STEP], line[at, HIT_RANK] = i, step, rank
    state[HITS] += 1


@compiled
def _place_hit(entries: Any, line: Any, state: Any, i: Any, x: Any, y: Any) -> None:
    step = step_of(entries, line, i, x, y)
    if step < 0:
        return
    entry = line[i, ENTRY]
    if entries[entry, TARGET] >= 0:
        _hit(line, state, i, step, entries[entry, RANK])
    if entries[entry, GROUP] >= 0 and not (entries[entry, ETHNIC] and step != 1):
        at = state[GROUPS]
        line[at, GROUP_TOKEN], line[at, GROUP_STEP] = i, step
        state[GROUPS] += 1


@compiled
def _put(spans: Any, at: Any, line: Any, field: Any, value: Any, first: Any, last: Any) -> Any:
    if value < 0:
        return at
    spans[at, 0], spans[at, 1] = field, value
    spans[at, 2], spans[at, 3] = line[first, FIRST], line[last, LAST]
    spans[at, 4], spans[at, 5] = line[first, BEGIN], line[last, END]
    return at + 1


@compiled
def _code_line(entries: Any, merge: Any, line: Any, state: Any, n: Any, spans: Any, at: Any) -> Any:
    """Writes what one headline says behind `at`: where the next span goes."""
    for k in range(STATE):
        state[k] = 0
    resolve(entries, line, n)
    a = 0
    for i in range(1, n + 1):
        if i == n or line[i, GAP] == 2:
            drop_reactions(line, a, i)
            _read_segment(entries, line, state, a, i)
            a = i
    if not state[READ]:
        return at
    code, first, last = pick_target(entries, line, state, n)
    at = _put(spans, at, line, 0, code, first, last)
    code, first = pick_group(entries, merge, line, state)
    at = _put(spans, at, line, 1, code, first, first)
    code, weapon, first = pick_attack(entries, line, state)
    at = _put(spans, at, line, 2, code, first, first)
    at = _put(spans, at, line, 3, weapon, first, first)
    for k in range(TOLLS):
        told = TOLD + 3 * k
        if state[told] > 0:
            at = _put(spans, at, line, CODES + k, state[told], state[told + 1], state[told + 2])
    return at


@compiled
def _agreed(merge: Any, spans: Any, a: Any, b: Any, out: Any) -> None:
    """The values of a text from those of its headlines, spans a..b-1."""
    for f in range(len(out)):
        out[f] = -1
    void = 0
    for k in range(a, b):
        field, value = spans[k, 0], spans[k, 1]
        if CODES <= field < PLACE:
            out[field] = max(out[field], value)
        elif not (void >> field) & 1:
            if field == PLACE:
                both = value if out[field] < 0 or out[field] == value else -1
            else:
                both = value if out[field] < 0 else np.int64(merge[field, out[field], value])
            out[field] = both
            if both < 0:
                void |= 1 << field
    low, best, high = CODES + KILLED_LOW, CODES + KILLED_BEST, CODES + KILLED_HIGH
    if out[best] >= 0 and out[low] > out[best]:
        out[best] = -1
    if out[best] >= 0 and out[high] >= 0 and out[best] > out[high]:
        out[high] = -1


@compiled
def _address(array: Any) -> Any:
    return np.int64(array.ctypes.data)  # unsigned as it comes, and loops over unsigned numbers go wrong


@compiled
def code(buf: Any, stops: Any, tables: Any, room: Any, values: Any, spans: Any, counts: Any) -> Any:
    """Codes texts that stand one behind the other in `buf`, each up to `stops[r]`: how many spans were written.

    `values` (fields x rows, int32; -1 is silence), `counts` (spans of each row), `spans` (room for nine a line); `room` is new_room().
    """
    spans = unowned(spans)
    raw, line, state = unowned(room[0]), unowned(room[1]), unowned(room[2])
    letters, keys, ids, roots = unowned(tables.letters), unowned(tables.keys), unowned(tables.ids), unowned(tables.roots)
    ends, entries, merge = unowned(tables.ends), unowned(tables.entries), unowned(tables.merge)
    out = np.full(len(FIELDS), -1, np.int64)
    base, mask = _address(buf), len(keys) - 1
    spelling, words_at, numbers_at, raw_at = _address(letters), _address(keys), _address(ids), _address(raw)
    at, begin = 0, base
    for r in range(len(stops)):
        end, point, first = base + stops[r], 0, at
        while begin < end:
            words, begin, point = raw_words(base, begin, end, point, spelling, words_at, mask, numbers_at, raw_at)
            n = tokens(keys, ids, roots, ends, entries, raw, words, line)
            at = _code_line(entries, merge, line, state, n, spans, at)
            if state[READ]:
                place, a, b = pick_place(keys, ids, roots, ends, line, n)
                at = _put(spans, at, line, PLACE, place, a, b)
        _agreed(merge, spans, first, at, out)
        counts[r] = _kept(spans, first, at, out)
        at = first + counts[r]
        for f in range(len(out)):
            values[f, r] = out[f]
    return at


@compiled
def _kept(spans: Any, first: Any, at: Any, out: Any) -> Any:
    """Leaves the spans that gave the text's values: how many."""
    kept = first
    for k in range(first, at):
        field = spans[k, 0]
        if out[field] < 0 or (CODES <= field < PLACE and spans[k, 1] != out[field]):
            continue
        if kept < k:
            for c in range(SPAN_COLUMNS):
                spans[kept, c] = spans[k, c]
        kept += 1
    return kept - first


def new_room() -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Scratch room for one line, one for each thread."""
    return np.zeros((MOST + 1, RAW_COLUMNS), np.int32), np.zeros((MOST + 1, LINE_COLUMNS), np.int32), np.zeros(STATE, np.int32)


@compiled
def newlines(buf: Any) -> Any:
    """How many lines end in `buf`."""
    n = 0
    for b in buf:
        n += b == 10
    return n
