"""One value a field out of all that a headline has told: the strongest target, the community, the means, the place."""

from __future__ import annotations

from typing import Any

import numpy as np

from tocsin.kernels.text import (
    ATTACKED,
    CAPITAL,
    ENTRY,
    GAP,
    GROUP,
    GROUP_STEP,
    GROUP_TOKEN,
    HIT_RANK,
    HIT_STEP,
    HIT_TOKEN,
    LIVE,
    MANY,
    MEANT,
    NO_ORDER,
    ORDER,
    ROLE,
    STANDS_FOR,
    TARGET,
    TARGET_ROOT,
    WEAPON,
    place_at,
)
from tocsin.kernels.text_rules import (
    ATTACKS,
    COUNTER,
    GROUPS,
    HITS,
    MILITANTS,
    NONE,
    has,
    mask,
)
from tocsin.kernels.words import compiled

_ARMED = mask("force", "perpetrator")
_BEHIND_PLACE = mask("at", "near")


@compiled
def pick_target(entries: Any, line: Any, state: Any, n: Any) -> Any:
    """(code, first, last token) of what the attack was aimed at; code -1 for none."""
    best = -1
    for k in range(state[HITS]):
        if best < 0 or _stronger(line, k, best):
            best = k
    if best < 0:
        return -1, 0, 0
    entry = line[line[best, HIT_TOKEN], ENTRY]
    root = entries[entry, TARGET]
    if root == entries[entry, TARGET_ROOT]:
        deeper = -1
        for k in range(state[HITS]):
            other = line[line[k, HIT_TOKEN], ENTRY]
            if entries[other, TARGET_ROOT] == root and entries[other, TARGET] != root and (deeper < 0 or _stronger(line, k, deeper)):
                deeper = k
        if deeper >= 0:
            best = deeper
    return _head(entries, line, state, line[best, HIT_TOKEN], line[best, HIT_RANK], n)


@compiled
def _stronger(line: Any, k: Any, than: Any) -> Any:
    if line[k, HIT_RANK] != line[than, HIT_RANK]:
        return line[k, HIT_RANK] < line[than, HIT_RANK]
    if line[k, HIT_STEP] != line[than, HIT_STEP]:
        return line[k, HIT_STEP] < line[than, HIT_STEP]
    return line[k, HIT_TOKEN] < line[than, HIT_TOKEN]


@compiled
def _head(entries: Any, line: Any, state: Any, first: Any, rank: Any, n: Any) -> Any:
    """The head of a compound: an ANP election *office*, a party *cleric*."""
    last, entry = first, line[first, ENTRY]
    while last + 1 < n and line[last + 1, GAP] == 0:
        found = False
        for k in range(state[HITS]):
            found |= line[k, HIT_TOKEN] == last + 1 and line[k, HIT_RANK] == rank
        if not found:
            break
        other = line[last + 1, ENTRY]
        same = entries[other, TARGET_ROOT] == entries[entry, TARGET_ROOT]
        deep = same and entries[entry, TARGET] != entries[entry, TARGET_ROOT] and entries[other, TARGET] != entries[other, TARGET_ROOT]
        if not deep and (same or not (entries[other, STANDS_FOR] > 0 or entries[other, MANY])):
            break
        last += 1
        entry = other
    return entries[entry, TARGET], first, last


@compiled
def pick_group(entries: Any, merge: Any, line: Any, state: Any) -> Any:
    """(code, token) of the community that was hit; code -1 for none or for several that disagree."""
    count = state[GROUPS]
    if state[COUNTER] or count == 0:
        return -1, 0
    sure = False
    for k in range(count):
        sure |= line[k, GROUP_STEP] < 2
    if not sure and _armed_were_hit(line, state):
        return -1, 0
    value, at = -1, 0
    for k in range(count):
        if sure and line[k, GROUP_STEP] == 2:
            continue
        i = line[k, GROUP_TOKEN]
        new = entries[line[i, ENTRY], GROUP]
        both = new if value < 0 else np.int32(merge[1, value, new])
        if both < 0:
            return -1, 0
        if both != value:
            value, at = both, i
    return value, at


@compiled
def _armed_were_hit(line: Any, state: Any) -> Any:
    for k in range(state[HITS]):
        if line[k, HIT_STEP] < 2 and line[k, HIT_RANK] == 0:
            return has(line[line[k, HIT_TOKEN], ROLE], _ARMED)
    return False


@compiled
def pick_attack(entries: Any, line: Any, state: Any) -> Any:
    """(code, weapon, token) of the means that stands first in the order; code -1 for none."""
    best, token, order = -1, 0, NO_ORDER
    of_militants = 2 if state[MILITANTS] else 0
    for k in range(state[ATTACKS]):
        i = line[k, ATTACKED]
        entry = line[i, ENTRY]
        if entries[entry, ORDER + of_militants] < order:
            best, token, order = entries[entry, MEANT + of_militants], i, entries[entry, ORDER + of_militants]
    return best, entries[line[token, ENTRY], WEAPON] if best >= 0 else -1, token


@compiled
def pick_place(keys: Any, ids: Any, roots: Any, ends: Any, line: Any, n: Any) -> Any:
    """(place, first, last token): the first behind at, in, near; else the first."""
    best, first, last, sure = -1, 0, 0, False
    i = 0
    while i < n and not sure:
        size = 1
        if line[i, LIVE] and line[i, ROLE] == NONE and line[i, CAPITAL]:
            k = i
            while k < n and line[k, ROLE] == NONE and (k == i or line[k, GAP] == 0):
                k += 1
            place, length = place_at(keys, ids, roots, ends, line, i, k)
            if place >= 0:
                size = length
                sure = i > 0 and line[i, GAP] == 0 and has(line[i - 1, ROLE], _BEHIND_PLACE)
                if sure or best < 0:
                    best, first, last = place, i, i + length - 1
        i += size
    return best, first, last
