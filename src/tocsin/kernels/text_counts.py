"""How many died: the numbers of a line, added where a list has several."""

from __future__ import annotations

from typing import Any

from tocsin.kernels.text import ACTIVE, DIGITS, ENTRY, GAP, MANY, ROLE, STANDS_FOR, VALUE
from tocsin.kernels.text_rules import (
    ABOUT,
    ACTS,
    AMONG,
    AND,
    COUNTED,
    DEAD,
    HURT,
    INCLUDING,
    KILLED,
    KILLED_BEST,
    KILLED_HIGH,
    KILLED_LOW,
    KILLINGS,
    LOW,
    MONTH,
    NUMBER,
    OF,
    PASSING,
    PEOPLE,
    PREP,
    TOLD,
    TOLL,
    UNCOUNTABLE,
    WOUND,
    WOUNDED,
    has,
    mask,
)
from tocsin.kernels.words import compiled

_BOUND = mask("low", "high")
_SOFT = mask("low", "high", "about")
_MEASURE = mask("unit", "month")
_HEADED = mask("of", "guard", "at", "that")
_KILLS = mask("kill", "killing", "killed", "wound", "wounded")
_CLEAN = mask("leave", "that")


@compiled
def _tens(line: Any, i: Any) -> Any:
    value = line[i, VALUE]
    return line[i, DIGITS] == 0 and 20 <= value <= 90 and value % 10 == 0


@compiled
def _number_at(line: Any, i: Any, x: Any, y: Any) -> Any:
    """(value, last token) of a count that begins at `i`; dates, ages and measures are none: (-1, i)."""
    if line[i, ROLE] != NUMBER:
        return -1, i
    if i > x and line[i, GAP] == 0 and (line[i - 1, ROLE] == MONTH or (line[i - 1, ROLE] == NUMBER and _tens(line, i - 1))):
        return -1, i
    value, last = line[i, VALUE], i
    if (
        _tens(line, i)
        and i + 1 < y
        and line[i + 1, GAP] == 0
        and line[i + 1, ROLE] == NUMBER
        and line[i + 1, DIGITS] == 0
        and 0 < line[i + 1, VALUE] < 10
    ):
        value, last = value + line[i + 1, VALUE], i + 1
    if last + 1 < y and line[last + 1, GAP] == 0 and has(line[last + 1, ROLE], _MEASURE):
        return -1, i
    if line[i, DIGITS] and 1990 <= value <= 2035:
        return -1, i
    return value, last


@compiled
def _item(entries: Any, line: Any, p: Any, q: Any, x: Any, y: Any) -> Any:
    """One item of a list, tokens p..q-1: (total, bound, unknown, first, last): its number, else one for a person in the singular."""
    start, head, headed, unknown = p, -1, False, False
    total, bound, first, last = 0, 0, -1, -1
    for j in range(p, q):
        if line[j, ROLE] == AMONG:
            start = j + 1
        elif line[j, ROLE] == INCLUDING:
            q = j
            break
    for j in range(start, q):
        role = line[j, ROLE]
        unknown |= role == UNCOUNTABLE
        if first < 0 and role == NUMBER:
            value, end = _number_at(line, j, x, y)
            if value >= 0:
                total, first, last = value, j, end
                if line[j, GAP] == 0 and j > x and has(line[j - 1, ROLE], _BOUND):
                    bound, first = line[j - 1, ROLE], j - 1
                elif line[j, GAP] == 0 and j > x + 1 and line[j - 1, ROLE] == ABOUT and has(line[j - 2, ROLE], _BOUND):
                    bound, first = line[j - 2, ROLE], j - 2
        headed |= has(role, _HEADED)
        if not headed and has(role, PEOPLE) and (entries[line[j, ENTRY], STANDS_FOR] > 0 or entries[line[j, ENTRY], MANY]):
            head = j
    if first >= 0:
        return total, bound, False, first, last
    if head < 0 or unknown:
        return 0, 0, unknown, -1, -1
    if entries[line[head, ENTRY], MANY]:
        return 0, 0, True, -1, -1
    return entries[line[head, ENTRY], STANDS_FOR], 0, False, head, head


@compiled
def _added(one: Any, other: Any) -> Any:
    first = other[3] if one[3] < 0 else (one[3] if other[3] < 0 else min(one[3], other[3]))
    return one[0] + other[0], one[1] if one[1] else other[1], one[2] or other[2], first, max(one[4], other[4])


@compiled
def _count_right(entries: Any, line: Any, v: Any, x: Any, y: Any) -> Any:
    """The objects of an active verb."""
    out = (0, 0, False, -1, -1)
    p = i = v + 1
    while i <= y:
        if i < y and not (line[i, GAP] > 0 and i > v + 1) and line[i, ROLE] != AND and has(line[i, ROLE], COUNTED):
            i += 1
            continue
        if p > v + 1 and i < y and has(line[i, ROLE], ACTS) and line[i, GAP] == 0:
            break  # the subject of another verb
        if i > p:
            out = _added(out, _item(entries, line, p, i, x, y))
        if i == y or line[i, GAP] == 2:
            break
        if line[i, ROLE] == AND:
            i += 1
            p = i
            if i < y and not has(line[i, ROLE], COUNTED):
                break
        elif line[i, GAP] == 1 and has(line[i, ROLE], COUNTED):
            p = i
            i += 1
        else:
            break
    return out


@compiled
def _count_left(entries: Any, line: Any, v: Any, x: Any, y: Any) -> Any:
    """The subjects of a passive verb."""
    p = v
    while p > x and (line[p, GAP] == 0 or p < v) and line[p, GAP] < 2 and has(line[p - 1, ROLE], PASSING):
        p -= 1
    clean = p == x or line[p, GAP] > 0 or has(line[p - 1, ROLE], _CLEAN)
    for j in range(p, v):
        if line[j, ROLE] == AMONG:
            p, clean = j, True  # the whole of which the others are a part
    out = (0, 0, False, -1, -1)
    items, a, b, q = 0, -1, -1, v
    for j in range(v - 1, p - 2, -1):
        cut = -1
        if j < p:
            cut = p if q > p else -1
        elif line[j, ROLE] == AND:
            cut = j + 1
        elif line[j, GAP] > 0:
            cut = j
        if cut < 0:
            continue
        if items:
            out = _added(out, _item(entries, line, a, b, x, y))
        items += 1
        a, b, q = cut, q, j
    if items == 1 or (items > 1 and clean):  # else the object of whatever stands before the list
        out = _added(out, _item(entries, line, a, b, x, y))
    return out


@compiled
def _toll(entries: Any, line: Any, v: Any, x: Any, y: Any) -> Any:
    """The number that a toll rises to: the one behind `to`, else the first."""
    best = (0, 0, False, -1, -1)
    for j in range(v + 1, y):
        value, last = _number_at(line, j, x, y)
        if value < 0:
            continue
        to = line[j - 1, ROLE] == PREP or (has(line[j - 1, ROLE], _SOFT) and j - 2 > v and line[j - 2, ROLE] == PREP)
        if best[3] < 0 or to:
            best = _item(entries, line, j, last + 1, x, y)
            if to:
                break
    return best


@compiled
def _tell(state: Any, hurt: Any, count: Any) -> None:
    total, bound, unknown, first, last = count
    if unknown or total <= 0 or first < 0:
        return
    if hurt and bound != 0 and bound != LOW:
        return
    kind = HURT if hurt else (KILLED_BEST if bound == 0 else (KILLED_LOW if bound == LOW else KILLED_HIGH))
    at = TOLD + 3 * kind
    if total > state[at]:
        state[at], state[at + 1], state[at + 2] = total, first, last


@compiled
def count_tolls(entries: Any, line: Any, state: Any, x: Any, y: Any) -> None:
    """The dead and wounded that one clause tells of, the largest number of each kind."""
    for v in range(x, y):
        role = line[v, ROLE]
        if not has(role, ACTS):
            continue
        hurt = role in (WOUND, WOUNDED)
        if has(role, _KILLS) and line[v, ACTIVE]:
            _tell(state, hurt, _count_right(entries, line, v, x, y))
        elif role in (KILLED, DEAD, WOUNDED):
            _tell(state, hurt, _count_left(entries, line, v, x, y))
        elif role == KILLINGS:
            if v + 1 < y and line[v + 1, ROLE] == OF and line[v + 1, GAP] == 0:
                _tell(state, False, _count_right(entries, line, v + 1, x, y))
            else:
                count = _count_left(entries, line, v, x, y)
                if count[3] >= 0 and (line[count[3], ROLE] == NUMBER or has(line[count[3], ROLE], _BOUND)):
                    _tell(state, False, count)
        elif role == TOLL:
            _tell(state, False, _toll(entries, line, v, x, y))
