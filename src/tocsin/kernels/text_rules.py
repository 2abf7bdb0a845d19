"""Who was hit, how, and how many died: the rules over a line's words, as docs/methods/text-coder.md sets them out.

tests/oracles/coder.py says the same slowly, function by function under the same names; a property test holds the two together.
"""

from __future__ import annotations

from typing import Any

from tocsin.kernels.text import ACTIVE, ATTACK, ENTRY, FORCES, GAP, LIVE, MANY, RANK, ROLE, ROLES, TAKES, TARGET, VICTIM
from tocsin.kernels.words import compiled


def mask(*names: str) -> int:
    """The set of some roles, a bit each."""
    return sum(1 << ROLES.index(n) for n in names)


_ = {n: ROLES.index(n) for n in ROLES}
NONE, HIT, FORCE, PERPETRATOR, ACT, NV = _["none"], _["hit"], _["force"], _["perpetrator"], _["act"], _["nv"]
STRIKE, STRUCK, KILL, KILLING, KILLED, KILLINGS = _["strike"], _["struck"], _["kill"], _["killing"], _["killed"], _["killings"]
DEAD, WOUND, WOUNDED, TOLL, AT, ONTO, NEAR = _["dead"], _["wound"], _["wounded"], _["toll"], _["at"], _["onto"], _["near"]
OF, BY, PREP, AND, WERE, CLAIM, SAY, AFTER = _["of"], _["by"], _["prep"], _["and"], _["were"], _["claim"], _["say"], _["after"]
OVER, AS, BEHIND, GUARD, CARRY, AMONG, INCLUDING = _["over"], _["as"], _["behind"], _["guard"], _["carry"], _["among"], _["including"]
LOW, ABOUT, ANTI, UNIT, MONTH, REACTION, DUAL = _["low"], _["about"], _["anti"], _["unit"], _["month"], _["reaction"], _["dual"]
NUMBER, UNCOUNTABLE = _["number"], _["uncountable"]

ACTS = mask("act", "nv", "strike", "struck", "kill", "killing", "killed", "killings", "dead", "wound", "wounded", "toll")
FINITE = mask("strike", "struck", "kill", "killing", "killed", "dead", "wound", "wounded", "toll", "leave", "claim")
OBJECT = mask("number", "low", "high", "about", "det", "hit", "force", "perpetrator", "none", "uncountable", "more", "anti")
PHRASE = mask("hit", "force", "none", "det", "number", "low", "high", "about", "of", "uncountable", "more", "blank")
PEOPLE = mask("hit", "force", "perpetrator")
MEANS = mask("act", "strike", "struck", "kill", "killing", "killed", "killings")
COUNTED = PHRASE | mask("perpetrator", "among", "and", "were", "month", "unit", "anti")
PASSING = COUNTED | mask("guard", "at", "that", "including")
_CERTAIN = mask("number", "low", "high", "about", "det")
_AGENT = mask("perpetrator", "that", "act")
_ACTING = mask("perpetrator", "that")
_DUAL_NEXT = mask("act", "nv", "struck")
_STRUCK_AT = mask("act", "strike", "struck")
_VERBS = mask("strike", "struck", "kill", "killing", "killed", "dead", "wound", "wounded", "after", "as")
_ACTIVE = mask("strike", "kill", "wound")
_PAST = mask("struck", "killed", "wounded")
_SEQUEL = mask("and", "as", "after")
_OPENING = mask("after", "as", "behind")
_RESUMING = mask("kill", "killing", "wound")
_LIST_LEFT = mask("perpetrator", "and", "including", "among")
_LIST_RIGHT = mask("perpetrator", "and", "among", "were", "including", "at")
_SUFFERED = mask("killed", "dead", "wounded", "struck")
_LISTED = mask("hit", "force", "perpetrator", "more")
_COUNTER = mask("kill", "killing", "killed", "strike")
_PLACING = mask("at", "onto", "near")
_OBJECT_END = mask("at", "onto", "near", "prep", "by")
_SPEAKING = mask("say", "claim")
_SPOKEN = mask("none", "hit", "force", "say", "claim")

#: Tolls in the order of their numbers.
KILLED_LOW, KILLED_BEST, KILLED_HIGH, HURT = range(4)
#: What a line has told so far: how many hits, groups and attacks stand in its columns; forces killed people of no kind; militants were killed; a
#: clause was read; from TOLD on, for each toll, value (0 is nothing told), first and last token.
HITS, GROUPS, ATTACKS, COUNTER, MILITANTS, READ, TOLD = range(7)
STATE = TOLD + 12


@compiled
def has(role: Any, roles: Any) -> Any:
    """A role is one of a set that `mask` made."""
    return (roles >> role) & 1 != 0


@compiled
def _object_follows(line: Any, i: Any, n: Any) -> Any:
    return i + 1 < n and line[i + 1, GAP] == 0 and has(line[i + 1, ROLE], OBJECT)


@compiled
def resolve(entries: Any, line: Any, n: Any) -> None:
    """Words of two natures become one: protest, attack, over, shot dead."""
    for i in range(n):
        role = line[i, ROLE]
        if role == DUAL:
            line[i, ROLE] = HIT if _dual_is_hit(line, i, n) else REACTION
        elif role == NV:
            strike = False
            if line[i, GAP] == 0 and i > 0:
                before = line[i - 1, ROLE]
                people = before in (HIT, FORCE)
                strike = has(before, _ACTING) or (people and entries[line[i - 1, ENTRY], MANY] != 0)
            strike = strike and _object_follows(line, i, n)
            line[i, ROLE] = STRIKE if strike else ACT
            line[i, ACTIVE] = strike
        elif role == OVER:
            line[i, ROLE] = LOW if i + 1 < n and line[i + 1, GAP] == 0 and line[i + 1, ROLE] == NUMBER else AFTER
        elif has(role, _ACTIVE):
            line[i, ACTIVE] = 1
        elif role == KILLING:
            if _object_follows(line, i, n):
                line[i, ACTIVE] = 1
            else:
                line[i, ROLE] = KILLINGS
        elif has(role, _PAST):
            line[i, ACTIVE] = _is_active(line, i, n)


@compiled
def _dual_is_hit(line: Any, i: Any, n: Any) -> Any:
    if i + 1 < n and line[i + 1, GAP] == 0 and has(line[i + 1, ROLE], _DUAL_NEXT):
        return True
    for j in range(i - 1, -1, -1):
        if line[j + 1, GAP] == 2:
            return False
        if has(line[j, ROLE], ACTS):
            return True
    return False


@compiled
def _is_active(line: Any, i: Any, n: Any) -> Any:
    """A past form with an agent before it and an object after it."""
    if not _object_follows(line, i, n) or (line[i, GAP] == 0 and i > 0 and line[i - 1, ROLE] == WERE):
        return False
    strong = weak = counted = False
    for j in range(i - 1, -1, -1):
        r = line[j, ROLE]
        if line[j + 1, GAP] > 0 or has(r, _VERBS):
            break
        strong |= has(r, _AGENT)
        weak |= r in (FORCE, HIT)
        counted |= r in (NUMBER, UNCOUNTABLE)
    if has(line[i + 1, ROLE], _CERTAIN):
        return strong or weak or not counted
    return not counted and (strong or (weak and has(line[i + 1, ROLE], PEOPLE)))


@compiled
def drop_reactions(line: Any, a: Any, b: Any) -> None:
    """What followed is no part of the attack: the whole stretch, or its end where an act came first."""
    act = react = -1
    for i in range(b - 1, a - 1, -1):
        if has(line[i, ROLE], FINITE):
            act = i
        if line[i, ROLE] == REACTION:
            react = i
    if react < 0:
        return
    cut = a
    if act >= 0 and react > act:
        cut = react
        for j in range(react, act, -1):
            if line[j, GAP] == 1 or has(line[j, ROLE], _SEQUEL):
                cut = j
                break
    line[cut:b, LIVE] = 0


@compiled
def takes(entries: Any, line: Any, i: Any, y: Any) -> Any:
    """Gunmen who abduct or burn: what they carry is not how they attack."""
    for k in range(i + 1, y):
        if has(line[k, ROLE], ACTS):
            attack = entries[line[k, ENTRY], ATTACK]
            return attack >= 0 and entries[line[k, ENTRY], TAKES] != 0
    return False


@compiled
def _noun_left(line: Any, i: Any, x: Any) -> Any:
    """The token before the noun phrase that holds `i`, or x - 1."""
    j = i
    while j > x and line[j, GAP] == 0 and has(line[j - 1, ROLE], PHRASE):
        j -= 1
    return j - 1 if j > x and line[j, GAP] == 0 else x - 1


@compiled
def is_victim(line: Any, i: Any, x: Any, y: Any) -> Any:
    """Militants that are killed: object of an active verb, or before a passive one."""
    left = i
    while left > x and line[left, GAP] < 2 and has(line[left - 1, ROLE], PHRASE | _LIST_LEFT):
        left -= 1
    if left > x:
        before = line[left - 1, ROLE]
        if before in (BY, ANTI):
            return False
        if line[left - 1, ACTIVE] or (before == KILLINGS and line[left, ROLE] == OF):
            return True
    j, comma = i + 1, -1
    while j < y and has(line[j, ROLE], PHRASE | _LIST_RIGHT):
        if line[j, GAP] > 0:
            comma = j
        j += 1
    if j >= y or line[j, ACTIVE] or not has(line[j, ROLE], _SUFFERED):
        return False
    if line[j, GAP] > 0:
        comma = j
    if comma < 0:
        return True
    listed = False
    for k in range(comma, j):
        listed |= has(line[k, ROLE], _LISTED)
    return listed


@compiled
def is_counter(entries: Any, line: Any, state: Any, v: Any, x: Any, y: Any) -> Any:
    """Forces kill militants, or people of no named kind."""
    forces, j = False, v
    while j > x and line[j, GAP] == 0:
        j -= 1
        if has(line[j, ROLE], ACTS):
            return False
        forces |= line[j, ROLE] == FORCE
    if not forces:
        return False
    typed = False
    for k in range(v + 1, y):
        if line[k, GAP] > 0 or has(line[k, ROLE], _OBJECT_END):
            break
        if line[k, VICTIM]:
            return True
        typed |= (line[k, ROLE] == HIT or line[k, ROLE] == FORCE) and entries[line[k, ENTRY], TARGET] >= 0
    return not typed


@compiled
def step_of(entries: Any, line: Any, i: Any, x: Any, y: Any) -> Any:
    """-1 not hit, 0 aimed at, 1 hit, 2 where it happened."""
    if _is_other(line, i, x, y):
        return -1
    compound = _compound_step(entries, line, i, y)
    if compound != 9:
        return compound
    left = _noun_left(line, i, x)
    if left >= x:
        role = line[left, ROLE]
        if role == CARRY or ((role in (STRIKE, STRUCK)) and line[left, ACTIVE]):
            return 0
        if role == ONTO:
            for k in range(x, left):
                if line[k, ROLE] == ACT or line[k, ROLE] == NV:
                    return 0
        if role == AT and left > x and line[left, GAP] == 0 and has(line[left - 1, ROLE], _STRUCK_AT):
            return 0
        if has(role, _PLACING):
            return 2
    return 0 if _struck_after(line, i, y) else 1


@compiled
def _struck_after(line: Any, i: Any, y: Any) -> Any:
    """Before a passive verb of attack, or a verb of attack whose object is a weapon."""
    j = i + 1
    while j < y and line[j, GAP] == 0 and (has(line[j, ROLE], PHRASE) or line[j, ROLE] == WERE):
        j += 1
    if j >= y or line[j, GAP] > 0 or not (line[j, ROLE] == STRUCK or line[j, ROLE] == STRIKE):
        return False
    return not line[j, ACTIVE] or _hits_weapon(line, j, y)


@compiled
def _hits_weapon(line: Any, v: Any, y: Any) -> Any:
    weapon = False
    for k in range(v + 1, min(v + 4, y)):
        weapon |= line[k, ROLE] == ACT and line[k, GAP] == 0
    return weapon


@compiled
def _compound_step(entries: Any, line: Any, i: Any, y: Any) -> Any:
    """`church blast`: 0; `Shia attack`: -1, for it may be either; 9 where no act follows."""
    j, site = i, False
    while j < y and (j == i or line[j, GAP] == 0) and (line[j, ROLE] == HIT or line[j, ROLE] == FORCE):
        site |= entries[line[j, ENTRY], TARGET] >= 0 and entries[line[j, ENTRY], RANK] != 1
        j += 1
    if j >= y or line[j, GAP] > 0:
        return 9
    if line[j, ROLE] == KILLINGS:
        return 1
    if line[j, ROLE] != ACT:
        return 9
    if entries[line[j, ENTRY], FORCES] and line[j - 1, ROLE] == FORCE:
        return -1
    return 0 if site else -1


@compiled
def _is_other(line: Any, i: Any, x: Any, y: Any) -> Any:
    """Not hit: part of the attackers' name, behind `by`, guarded, speaking, or the one who acts."""
    if i > x and line[i, GAP] == 0 and line[i - 1, ROLE] == ANTI:
        return True
    j = i + 1
    while j < y and line[j, GAP] == 0 and (line[j, ROLE] == HIT or line[j, ROLE] == FORCE or (j == i + 1 and line[j, ROLE] == NONE)):
        j += 1
    if j < y and line[j, GAP] == 0 and line[j, ROLE] == PERPETRATOR:
        return True
    left = _noun_left(line, i, x)
    if left >= x:
        role = line[left, ROLE]
        if role in (BY, GUARD) or (role == SAY and line[left, GAP] > 0):
            return True
    for k in range(i + 1, min(i + 4, y)):
        if line[k, GAP] > 0 or not has(line[k, ROLE], _SPOKEN):
            break
        if has(line[k, ROLE], _SPEAKING):
            return True
    return _is_agent(line, i, x, y)


@compiled
def _is_agent(line: Any, i: Any, x: Any, y: Any) -> Any:
    """Subject of an active verb that has no act in its subject."""
    v = i + 1
    while v < y and line[v, GAP] == 0 and not has(line[v, ROLE], ACTS):
        v += 1
    if v >= y or line[v, GAP] > 0 or not line[v, ACTIVE] or (line[v, ROLE] == STRIKE and _hits_weapon(line, v, y)):
        return False
    k = v
    while k > x and line[k, GAP] == 0:
        k -= 1
        if has(line[k, ROLE], ACTS) or line[k, ROLE] == CARRY or (k < i and has(line[k, ROLE], _PLACING)):
            return False
    return True
