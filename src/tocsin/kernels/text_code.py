"""Codes texts: each headline by itself, then the headlines of a text together.

`code` fills, for a block of texts, one value a field and the spans of the words that gave it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tocsin.kernels.text import place_at, raw_words, tokens
from tocsin.kernels.text_counts import count_tolls
from tocsin.kernels.text_rules import (
    ACTS,
    AFTER,
    BEHIND,
    FORCE,
    HIT,
    KILLED_BEST,
    KILLED_HIGH,
    KILLED_LOW,
    MEANS,
    NONE,
    PERPETRATOR,
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

_OPENING = mask("after", "as", "behind")
_RESUMING = mask("kill", "killing", "wound")
_COUNTER = mask("kill", "killing", "killed", "strike")
_BEHIND_PLACE = mask("at", "near")
_ARMED = mask("force", "perpetrator")

@compiled
def _read_segment(tables: Any, line: Any, facts: Any, a: Any, b: Any) -> None:
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
            before = facts.state[0] + facts.state[1]
            _read_chunk(tables, line, facts, start, i)
            blocked |= facts.state[3] != 0 or facts.state[4] != 0 or facts.state[0] + facts.state[1] > before
        if ended:
            return
        opening, x = line[i, ROLE], i + 1
        i += 1


@compiled
def _any_act(line: Any, x: Any, y: Any) -> Any:
    for i in range(x, y):
        if has(line[i, ROLE], ACTS):
            return True
    return False


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
def _read_chunk(tables: Any, line: Any, facts: Any, x: Any, y: Any) -> None:
    """Who was hit, how, how many, in one clause."""
    facts.state[5] = 1
    for i in range(x, y):
        line[i, VICTIM] = line[i, ROLE] == PERPETRATOR and is_victim(line, i, x, y)
        if line[i, VICTIM]:
            facts.state[4] = 1
            _hit(facts, i, 1, 0)
    for v in range(x, y):
        if line[v, ACTIVE] and has(line[v, ROLE], _COUNTER) and is_counter(tables, line, facts, v, x, y):
            facts.state[3] = 1
            break
    for i in range(x, y):
        role, entry = line[i, ROLE], line[i, ENTRY]
        if role == HIT or role == FORCE:
            if entries[entry, TARGET] >= 0 or entries[entry, GROUP] >= 0:
                _place_hit(tables, line, facts, i, x, y)
        elif entries[entry, ATTACK] >= 0 and (
            has(role, MEANS) or (role == PERPETRATOR and not line[i, VICTIM] and not takes(tables, line, i, y))
        ):
            line[facts.state[2], ATTACKED] = i
            facts.state[2] += 1
    count_tolls(tables, line, facts, x, y)


@compiled
def _hit(facts: Any, i: Any, step: Any, rank: Any) -> None:
    at = facts.state[0]
    line[at, 0], line[at, 1], line[at, 2] = i, step, rank
    facts.state[0] += 1


@compiled
def _place_hit(tables: Any, line: Any, facts: Any, i: Any, x: Any, y: Any) -> None:
    step = step_of(tables, line, i, x, y)
    if step < 0:
        return
    entry = line[i, ENTRY]
    if entries[entry, TARGET] >= 0:
        _hit(facts, i, step, entries[entry, RANK])
    if entries[entry, GROUP] >= 0 and not (entries[entry, ETHNIC] and step != 1):
        at = facts.state[1]
        line[at, 0], line[at, 1] = i, step
        facts.state[1] += 1


@compiled
def _pick_target(tables: Any, line: Any, facts: Any, n: Any) -> Any:
    """(code, first, last token) of what the attack was aimed at; code -1 for none."""
    hits = line[: facts.state[0]]
    best = -1
    for k in range(len(hits)):
        if best < 0 or _stronger(hits, k, best):
            best = k
    if best < 0:
        return -1, 0, 0
    code = entries[line[hits[best, 0], ENTRY], TARGET]
    root = tables.target_root[code]
    if root == code:
        deeper = -1
        for k in range(len(hits)):
            other = entries[line[hits[k, 0], ENTRY], TARGET]
            if tables.target_root[other] == root and other != root and (deeper < 0 or _stronger(hits, k, deeper)):
                deeper = k
        if deeper >= 0:
            best = deeper
    return _head(tables, line, hits, hits[best, 0], hits[best, 2], n)


@compiled
def _stronger(hits: Any, k: Any, than: Any) -> Any:
    for c in (2, 1, 0):
        if hits[k, c] != hits[than, c]:
            return hits[k, c] < hits[than, c]
    return False


@compiled
def _head(tables: Any, line: Any, hits: Any, first: Any, rank: Any, n: Any) -> Any:
    """The head of a compound: an ANP election *office*, a party *cleric*."""
    last = first
    code = entries[line[first, ENTRY], TARGET]
    while last + 1 < n and line[last + 1, GAP] == 0:
        found = False
        for k in range(len(hits)):
            found |= hits[k, 0] == last + 1 and hits[k, 2] == rank
        if not found:
            break
        entry = line[last + 1, ENTRY]
        other = entries[entry, TARGET]
        same = tables.target_root[other] == tables.target_root[code]
        deep = same and code != tables.target_root[code] and other != tables.target_root[other]
        if not deep and (same or not (entries[entry, STANDS_FOR] > 0 or entries[entry, MANY])):
            break
        last += 1
        code = other
    return code, first, last


@compiled
def _pick_group(tables: Any, line: Any, facts: Any) -> Any:
    """(code, token) of the community that was hit; code -1 for none or for several that disagree."""
    count = facts.state[1]
    if facts.state[3] or count == 0:
        return -1, 0
    sure = False
    for k in range(count):
        sure |= line[k, 1] < 2
    if not sure:
        for k in range(facts.state[0]):
            if line[k, 1] < 2 and line[k, 2] == 0:
                if has(line[line[k, 0], ROLE], _ARMED):
                    return -1, 0
                break
    value, at = -1, 0
    for k in range(count):
        if sure and line[k, 1] == 2:
            continue
        i = line[k, 0]
        new = entries[line[i, ENTRY], GROUP]
        both = new if value < 0 else tables.merge[1, value, new]
        if both < 0:
            return -1, 0
        if both != value:
            value, at = both, i
    return value, at


@compiled
def _pick_attack(tables: Any, line: Any, facts: Any) -> Any:
    """(code, weapon, token) of the means that stands first in the order; code -1 for none."""
    best, token, order = -1, 0, 99
    for k in range(facts.state[2]):
        i = line[k, ATTACKED]
        entry = line[i, ENTRY]
        code = entries[entry, ATTACK]
        if entries[entry, RAID_ONLY] and not facts.state[4]:
            continue
        if entries[entry, RAID] and facts.state[4]:
            code = tables.battle
        if tables.attack_order[code] < order:
            best, token, order = code, i, tables.attack_order[code]
    return best, entries[line[token, ENTRY], WEAPON] if best >= 0 else -1, token


@compiled
def _pick_place(tables: Any, line: Any, n: Any) -> Any:
    """(place, first, last token): the first behind at, in, near; else the first."""
    best, first, last, sure = -1, 0, 0, False
    i = 0
    while i < n and not sure:
        size = 1
        if line[i, LIVE] and line[i, ROLE] == NONE and line[i, CAPITAL]:
            k = i
            while k < n and line[k, ROLE] == NONE and (k == i or line[k, GAP] == 0):
                k += 1
            place, length = place_at(tables, line, i, k)
            if place >= 0:
                size = length
                sure = i > 0 and line[i, GAP] == 0 and has(line[i - 1, ROLE], _BEHIND_PLACE)
                if sure or best < 0:
                    best, first, last = place, i, i + length - 1
        i += size
    return best, first, last


@compiled
def _put(spans: Any, at: Any, line: Any, field: Any, value: Any, first: Any, last: Any) -> Any:
    if value < 0:
        return at
    spans[at, 0], spans[at, 1] = field, value
    spans[at, 2], spans[at, 3] = line[first, FIRST], line[last, LAST]
    spans[at, 4], spans[at, 5] = line[first, BEGIN], line[last, END]
    return at + 1


@compiled
def _code_line(tables: Any, line: Any, facts: Any, n: Any, spans: Any, at: Any) -> Any:
    """Writes what one headline says behind `at`: where the next span goes."""
    facts.state[:] = 0
    facts.told[:] = 0
    resolve(tables, line, n)
    a = 0
    for i in range(1, n + 1):
        if i == n or line[i, GAP] == 2:
            drop_reactions(line, a, i)
            _read_segment(tables, line, facts, a, i)
            a = i
    if not facts.state[5]:
        return at
    code, first, last = _pick_target(tables, line, facts, n)
    at = _put(spans, at, line, 0, code, first, last)
    code, first = _pick_group(tables, line, facts)
    at = _put(spans, at, line, 1, code, first, first)
    code, weapon, first = _pick_attack(tables, line, facts)
    at = _put(spans, at, line, 2, code, first, first)
    at = _put(spans, at, line, 3, weapon, first, first)
    for k in range(TOLLS):
        if facts.told[k, 0] > 0:
            at = _put(spans, at, line, CODES + k, facts.told[k, 0], facts.told[k, 1], facts.told[k, 2])
    code, first, last = _pick_place(tables, line, n)
    return _put(spans, at, line, PLACE, code, first, last)


@compiled
def _agreed(tables: Any, spans: Any, a: Any, b: Any, out: Any) -> None:
    """The values of a text from those of its headlines, spans a..b-1."""
    out[:] = -1
    void = 0
    for k in range(a, b):
        field, value = spans[k, 0], spans[k, 1]
        if CODES <= field < PLACE:
            out[field] = max(out[field], value)
        elif not (void >> field) & 1:
            if field == PLACE:
                both = value if out[field] < 0 or out[field] == value else -1
            else:
                both = value if out[field] < 0 else np.int64(tables.merge[field, out[field], value])
            out[field] = both
            if both < 0:
                void |= 1 << field
    low, best, high = CODES + KILLED_LOW, CODES + KILLED_BEST, CODES + KILLED_HIGH
    if out[best] >= 0 and out[low] > out[best]:
        out[best] = -1
    if out[best] >= 0 and out[high] >= 0 and out[best] > out[high]:
        out[high] = -1


@compiled
def code(buf: Any, ends: Any, tables: Any, room: Any, values: Any, spans: Any, counts: Any) -> Any:
    """Codes texts that stand one behind the other in `buf`, each up to `ends[r]`: how many spans were written.

    `values` (rows x fields, int32; -1 is silence), `counts` (spans of each row), `spans` (room for nine a line); `room` is (new_line(), new_facts()).
    """
    line, facts = room
    out = np.full(len(FIELDS), -1, np.int64)
    at, begin = 0, 0
    for r in range(len(ends)):
        end, point, first = ends[r], 0, at
        while begin < end:
            words, begin, point = raw_words(buf, begin, end, point, tables, line.raw)
            if words:
                at = _code_line(tables, line, facts, tokens(tables, words, line), spans, at)
        _agreed(tables, spans, first, at, out)
        kept = first
        for k in range(first, at):
            field = spans[k, 0]
            if out[field] < 0 or (CODES <= field < PLACE and spans[k, 1] != out[field]):
                continue
            if kept < k:
                spans[kept] = spans[k]
            kept += 1
        at = kept
        counts[r] = at - first
        values[r] = out
    return at


@compiled
def newlines(buf: Any) -> Any:
    """How many lines end in `buf`."""
    n = 0
    for b in buf:
        n += b == 10
    return n
