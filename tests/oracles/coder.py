"""The text coder, slow and plain: one headline at a time, lists of tokens, the rules in the order of docs/methods/text-coder.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tocsin.intake.coder.lexicon import RANKS, Entry, Lexicon
from tocsin.intake.coder.normal import APOSTROPHES, STOPS, folded
from tocsin.terms.taxonomies import taxonomy

CODES = ("target_type", "target_group", "attack_type", "weapon_type")
TOLLS = ("killed_low", "killed", "killed_high", "wounded")
FIELDS = (*CODES, *TOLLS, "place")
MOST_TOKENS = 256  # of a line; what follows is not read
NOTHING = Entry("none")

ACTS = {"act", "nv", "strike", "struck", "kill", "killing", "killed", "killings", "dead", "wound", "wounded", "toll"}
FINITE = {"strike", "struck", "kill", "killing", "killed", "dead", "wound", "wounded", "toll", "leave", "claim"}
OBJECT = {"number", "low", "high", "about", "det", "hit", "force", "perpetrator", "none", "uncountable", "more", "anti"}
PHRASE = {"hit", "force", "none", "det", "number", "low", "high", "about", "of", "uncountable", "more", "blank"}
PEOPLE = {"hit", "force", "perpetrator"}
MEANS = {"act", "strike", "struck", "kill", "killing", "killed", "killings"}
#: Attack codes, the one that a headline with several is about first.
ORDER = (
    "explosion/suicide", "explosion/air_strike", "explosion/chemical", "explosion/ied", "explosion/grenade", "explosion/shelling", "explosion",
    "battle", "armed_assault/assassination", "armed_assault/melee", "armed_assault/shooting", "armed_assault",
    "abduction/hijacking", "abduction/barricade", "abduction/kidnapping", "unrest/mob_violence", "infrastructure/arson",
)  # fmt: skip


@dataclass
class Token:
    """One word or phrase of a line."""

    entry: Entry
    start: int
    end: int
    gap: int  # before it: 0 nothing, 1 comma, 2 end of a clause
    capital: bool
    words: tuple[str, ...]
    role: str = ""
    active: bool = False
    live: bool = True


@dataclass
class Line:
    """What one headline says: for each field (value, first and last token)."""

    values: dict[str, tuple[Any, int, int]] = field(default_factory=dict)


# --- letters to words ---------------------------------------------------------------------------------------------------------------------
def raw_words(text: str) -> list[tuple[str, int, int, int, bool, bool]]:
    """(normal word, start, end, gap before, begins with a capital, all capitals) of one line."""
    out: list[tuple[str, int, int, int, bool, bool]] = []
    i, gap, n = 0, 2, len(text)
    while i < n:
        c = text[i]
        if folded(c) or c == "&":
            start, word = i, ""
            if c == "&":
                word, i = "&", i + 1
                end = i
            else:
                end = i
                while i < n:
                    if folded(text[i]):
                        word += folded(text[i])
                        i += 1
                        end = i
                    elif text[i] in APOSTROPHES and i + 1 < n and folded(text[i + 1]):
                        if text[i + 1] in "sS" and not (i + 2 < n and (folded(text[i + 2]) or text[i + 2] in APOSTROPHES)):
                            i += 2  # a possessive: the word ends before it
                            break
                        i += 1
                    elif (
                        text[i] == ","
                        and word.isascii()
                        and word.isdigit()
                        and text[i + 1 : i + 4].isascii()
                        and text[i + 1 : i + 4].isdigit()
                        and len(text[i + 1 : i + 4]) == 3
                        and not (i + 4 < n and folded(text[i + 4]))
                    ):
                        i += 1
                    elif text[i] == "." and _lone(text, i):
                        i += 1
                        if not (i < n and folded(text[i])) or (i + 1 < n and folded(text[i + 1])):
                            break
                    else:
                        break
            letters = [x for x in text[start:end] if folded(x)]
            caps = len(letters) > 1 and all(x.isascii() and x.isupper() for x in letters)
            out.append((word, start, end, gap, not (text[start].isascii() and (text[start].islower() or text[start].isdigit())), caps))
            gap = 0
        elif c == "\n":
            break
        else:
            if c == ",":
                gap = max(gap, 1)
            elif (
                c in STOPS
                or (c == "." and (i + 1 >= n or not folded(text[i + 1])))
                or (c == "-" and (i + 1 >= n or not folded(text[i + 1]) or (i > 0 and text[i - 1] == " ")))
            ):
                gap = 2
            i += 1
    return out[:MOST_TOKENS]


def _lone(text: str, dot: int) -> bool:
    """One letter stands before the dot: U.S., not killed.Six nor 3.5."""
    before = text[dot - 1]
    return bool(folded(before)) and not (before.isascii() and before.isdigit()) and (dot < 2 or not folded(text[dot - 2]))


def tokens_of(text: str, lexicon: Lexicon) -> list[Token]:
    """Longest phrases first; a phrase never runs over a comma."""
    raw = raw_words(text)
    vocabulary = {w for phrase in lexicon.entries for w in phrase}
    words = [w.upper() if caps and w.upper() in vocabulary else w for w, _, _, _, _, caps in raw]
    longest = max(len(p) for p in lexicon.entries)
    out, i = [], 0
    while i < len(raw):
        size, entry = 1, NOTHING
        if words[i].isascii() and words[i].isdigit():
            entry = Entry("number", number=int(words[i])) if len(words[i]) <= 6 else NOTHING
        for k in range(longest, 0, -1):
            if i + k <= len(raw) and all(raw[j][3] == 0 for j in range(i + 1, i + k)) and tuple(words[i : i + k]) in lexicon.entries:
                size, entry = k, lexicon.entries[tuple(words[i : i + k])]
                break
        out.append(Token(entry, raw[i][1], raw[i + size - 1][2], raw[i][3], raw[i][4], tuple(words[i : i + size]), entry.role))
        i += size
    return out


# --- what each word does ------------------------------------------------------------------------------------------------------------------
def role(tokens: list[Token], i: int) -> str:
    return tokens[i].role if 0 <= i < len(tokens) else "end"


def gap(tokens: list[Token], i: int) -> int:
    return tokens[i].gap if i < len(tokens) else 2


def object_follows(tokens: list[Token], i: int) -> bool:
    return gap(tokens, i + 1) == 0 and role(tokens, i + 1) in OBJECT


def resolve(tokens: list[Token]) -> None:
    """Words of two natures become one: protest, attack, over, shot dead."""
    for i, t in enumerate(tokens):
        if t.role == "dual":
            acted = False
            for j in range(i - 1, -1, -1):
                if gap(tokens, j + 1) == 2:
                    break
                acted |= tokens[j].role in ACTS
            t.role = "hit" if acted or (gap(tokens, i + 1) == 0 and role(tokens, i + 1) in ("act", "nv", "struck")) else "reaction"
        elif t.role == "nv":
            before = (
                t.gap == 0
                and i > 0
                and (tokens[i - 1].role in ("perpetrator", "that") or (tokens[i - 1].role in ("hit", "force") and tokens[i - 1].entry.many))
            )
            t.role = "strike" if before and object_follows(tokens, i) else "act"
            t.active = t.role == "strike"
        elif t.role == "over":
            t.role = "low" if gap(tokens, i + 1) == 0 and role(tokens, i + 1) == "number" else "after"
        elif t.role in ("strike", "kill", "wound"):
            t.active = True
        elif t.role == "killing":
            if object_follows(tokens, i):
                t.active = True
            else:
                t.role = "killings"
        elif t.role in ("struck", "killed", "wounded"):
            t.active = is_active(tokens, i)


def is_active(tokens: list[Token], i: int) -> bool:
    """A past form with an agent before it and an object after it."""
    if not object_follows(tokens, i) or (tokens[i].gap == 0 and role(tokens, i - 1) == "were"):
        return False
    certain = role(tokens, i + 1) in ("number", "low", "high", "about", "det")
    strong = weak = counted = False
    for j in range(i - 1, -1, -1):
        if gap(tokens, j + 1) > 0:
            break
        r = tokens[j].role
        if r in ("strike", "struck", "kill", "killing", "killed", "dead", "wound", "wounded", "after", "as"):
            break
        strong |= r in ("perpetrator", "that", "act")
        weak |= r in ("force", "hit")
        counted |= r in ("number", "uncountable")
    if certain:
        return strong or weak or not counted
    return not counted and (strong or (weak and role(tokens, i + 1) in PEOPLE))


# --- which part tells of the attack -------------------------------------------------------------------------------------------------------
def segments(tokens: list[Token]) -> list[tuple[int, int]]:
    """Stretches between full stops."""
    starts = [i for i, t in enumerate(tokens) if t.gap == 2 or i == 0]
    return list(zip(starts, [*starts[1:], len(tokens)], strict=True)) if tokens else []


def drop_reactions(tokens: list[Token], a: int, b: int) -> None:
    """What followed is no part of the attack: the whole stretch, or its end where an act came first."""
    acts = [i for i in range(a, b) if tokens[i].role in FINITE]
    reacts = [i for i in range(a, b) if tokens[i].role == "reaction"]
    if not reacts:
        return
    if not acts or reacts[0] < acts[0]:
        cut = a
    else:
        cut = reacts[0]
        for j in range(reacts[0], acts[0], -1):
            if tokens[j].gap == 1 or tokens[j].role in ("and", "as", "after"):
                cut = j
                break
    for j in range(cut, b):
        tokens[j].live = False


@dataclass
class Facts:
    """What a line has told so far."""

    hits: list[tuple[int, int, int]] = field(default_factory=list)  # token, step (0 aimed at, 1 hit, 2 where), rank
    groups: list[tuple[int, int]] = field(default_factory=list)  # token, step
    attacks: list[int] = field(default_factory=list)
    told: list[tuple[str, int, int, int]] = field(default_factory=list)  # toll field, value, first and last token
    counter: bool = False
    militants: bool = False
    live: list[int] = field(default_factory=list)


def chunks(tokens: list[Token], a: int, b: int) -> list[tuple[str, int, int]]:
    """The clauses of a stretch, each with the word that opens it."""
    out, kind, start = [], "", a
    for i in range(a, b):
        if not tokens[i].live:
            out.append((kind, start, i))
            return out
        if tokens[i].role in ("after", "as", "behind"):
            out.append((kind, start, i))
            kind, start = tokens[i].role, i + 1
    out.append((kind, start, b))
    return out


def resumed(tokens: list[Token], x: int, y: int) -> int:
    """Where the main clause goes on behind an aside without an act of its own: `after Eid prayers, kill nine`; y where it does not."""
    for i in range(x, y):
        if tokens[i].role in ACTS:
            return i if i > x and tokens[i].gap == 1 and tokens[i].role in ("kill", "killing", "wound") else y
    return y


def read_segment(tokens: list[Token], a: int, b: int, facts: Facts) -> None:
    seen = blocked = False
    for kind, x, y in chunks(tokens, a, b):
        if kind == "behind":
            return
        if kind == "after" and not seen:
            commas = [i for i in range(x + 1, y) if tokens[i].gap == 1]
            if not commas:
                continue
            x = commas[0]
        elif kind == "after" and blocked:
            x = resumed(tokens, x, y)
            if x == y:
                return
        if not any(tokens[i].role in ACTS for i in range(x, y)):
            continue
        seen = True
        hits, groups = len(facts.hits), len(facts.groups)
        read_chunk(tokens, x, y, facts)
        known = any(h[2] < RANKS.index("generic") for h in facts.hits[hits:]) or len(facts.groups) > groups
        blocked |= facts.counter or facts.militants or known


# --- who was hit --------------------------------------------------------------------------------------------------------------------------
def read_chunk(tokens: list[Token], x: int, y: int, facts: Facts) -> None:
    facts.live += range(x, y)
    victims = {i for i in range(x, y) if tokens[i].role == "perpetrator" and is_victim(tokens, i, x, y)}
    for i in sorted(victims):
        facts.militants = True
        facts.hits.append((i, 1, 0))
    counter = any(is_counter(tokens, v, x, y, victims) for v in range(x, y))
    facts.counter |= counter
    for i in range(x, y):
        t = tokens[i]
        if t.role in ("hit", "force") and (t.entry.target or t.entry.group):
            step = step_of(tokens, i, x, y)
            if step < 0:
                continue
            if t.entry.target:
                facts.hits.append((i, step, RANKS.index(t.entry.rank)))
            if t.entry.group and not (t.entry.ethnic and step != 1):
                facts.groups.append((i, step))
        if t.entry.attack and (t.role in MEANS or (t.role == "perpetrator" and i not in victims and not takes(tokens, i, y))):
            facts.attacks.append(i)
    count_tolls(tokens, x, y, facts)


def takes(tokens: list[Token], i: int, y: int) -> bool:
    """Gunmen who abduct or burn: what they carry is not how they attack."""
    for k in range(i + 1, y):
        if tokens[k].role in ACTS:
            return str(tokens[k].entry.attack).split("/")[0] in ("abduction", "infrastructure")
    return False


def noun_left(tokens: list[Token], i: int, x: int) -> int:
    """The token before the noun phrase that holds `i`, or x - 1."""
    j = i
    while j > x and tokens[j].gap == 0 and tokens[j - 1].role in PHRASE:
        j -= 1
    return j - 1 if j > x and tokens[j].gap == 0 else x - 1


def is_victim(tokens: list[Token], i: int, x: int, y: int) -> bool:
    """Militants that are killed: object of an active verb, or before a passive one."""
    left = i
    while (
        left > x
        and tokens[left].gap < 2
        and (tokens[left - 1].role in PHRASE or tokens[left - 1].role in ("perpetrator", "and", "including", "among"))
    ):
        left -= 1
    if left > x and tokens[left - 1].role in ("by", "anti"):
        return False
    if left > x and tokens[left - 1].active:
        return True
    if left > x and tokens[left - 1].role == "killings" and tokens[left].role == "of":
        return True
    j = i + 1
    while j < y and (tokens[j].role in PHRASE or tokens[j].role in ("perpetrator", "and", "among", "were", "including", "at")):
        j += 1
    if j >= y or tokens[j].active:
        return False
    if tokens[j].role not in ("killed", "dead", "wounded", "struck"):
        return False
    commas = [k for k in range(i + 1, j + 1) if tokens[k].gap > 0]
    return not commas or any(tokens[k].role in ("hit", "force", "perpetrator", "more") for k in range(commas[-1], j))


def is_counter(tokens: list[Token], v: int, x: int, y: int, victims: set[int]) -> bool:
    """Forces kill militants, or people of no named kind."""
    if tokens[v].role not in ("kill", "killing", "killed", "strike") or not tokens[v].active:
        return False
    forces = False
    j = v
    while j > x and tokens[j].gap == 0:
        j -= 1
        if tokens[j].role in ACTS:
            return False
        forces |= tokens[j].role == "force"
    if not forces:
        return False
    typed = False
    for k in range(v + 1, y):
        if tokens[k].gap > 0 or tokens[k].role in ("at", "onto", "near", "prep", "by"):
            break
        if k in victims:
            return True
        typed |= tokens[k].role in ("hit", "force") and bool(tokens[k].entry.target)
    return not typed


def step_of(tokens: list[Token], i: int, x: int, y: int) -> int:
    """-1 not hit, 0 aimed at, 1 hit, 2 where it happened."""
    if is_other(tokens, i, x, y):
        return -1
    compound = compound_step(tokens, i, y)
    if compound != 9:
        return compound
    left = noun_left(tokens, i, x)
    if left >= x:
        t = tokens[left]
        if t.role in ("strike", "struck") and t.active:
            return 0
        if t.role == "carry":
            return 0
        if t.role == "onto" and any(tokens[k].role in ("act", "nv") for k in range(x, left)):
            return 0
        if t.role == "at" and left > x and tokens[left - 1].role in ("act", "strike", "struck") and tokens[left].gap == 0:
            return 0
        if t.role in ("at", "onto", "near"):
            return 2
    return 0 if struck_after(tokens, i, y) else 1


def struck_after(tokens: list[Token], i: int, y: int) -> bool:
    """Before a passive verb of attack, or a verb of attack whose object is a weapon."""
    j = i + 1
    while j < y and tokens[j].gap == 0 and (tokens[j].role in PHRASE or tokens[j].role == "were"):
        j += 1
    return j < y and tokens[j].gap == 0 and tokens[j].role in ("struck", "strike") and (not tokens[j].active or hits_weapon(tokens, j, y))


def hits_weapon(tokens: list[Token], v: int, y: int) -> bool:
    return any(tokens[k].role == "act" and tokens[k].gap == 0 for k in range(v + 1, min(v + 4, y)))


def compound_step(tokens: list[Token], i: int, y: int) -> int:
    """`church blast`: 0; `Shia attack`: -1, for it may be either; 9 where no act follows."""
    j, site = i, False
    while j < y and (j == i or tokens[j].gap == 0) and tokens[j].role in ("hit", "force"):
        site |= bool(tokens[j].entry.target) and tokens[j].entry.rank != "community"
        j += 1
    if j >= y or tokens[j].gap > 0 or tokens[j].role not in ("act", "killings"):
        return 9
    if tokens[j].role == "killings":
        return 1
    if tokens[j].entry.forces and tokens[j - 1].role == "force":
        return -1
    return 0 if site else -1


def is_other(tokens: list[Token], i: int, x: int, y: int) -> bool:
    """Not hit: part of the attackers' name, behind `by`, guarded, speaking, or the one who acts."""
    if i > x and tokens[i].gap == 0 and tokens[i - 1].role == "anti":
        return True
    j = i + 1
    while j < y and tokens[j].gap == 0 and (tokens[j].role in ("hit", "force") or (j == i + 1 and tokens[j].role == "none")):
        j += 1
    if j < y and tokens[j].gap == 0 and tokens[j].role == "perpetrator":
        return True
    left = noun_left(tokens, i, x)
    if left >= x and tokens[left].role in ("by", "guard", "including_by"):
        return True
    if left >= x and tokens[left].role == "say" and tokens[left].gap > 0:
        return True
    for k in range(i + 1, min(i + 4, y)):
        if tokens[k].gap > 0 or tokens[k].role not in ("none", "hit", "force", "say", "claim"):
            break
        if tokens[k].role in ("say", "claim"):
            return True
    return is_agent(tokens, i, x, y)


def is_agent(tokens: list[Token], i: int, x: int, y: int) -> bool:
    """Subject of an active verb that has no act in its subject."""
    v = i + 1
    while v < y and tokens[v].gap == 0 and tokens[v].role not in ACTS:
        v += 1
    if v >= y or tokens[v].gap > 0 or not tokens[v].active:
        return False
    if tokens[v].role == "strike" and hits_weapon(tokens, v, y):
        return False
    k = v
    while k > x and tokens[k].gap == 0:
        k -= 1
        if tokens[k].role in ACTS or tokens[k].role == "carry":
            return False
        if k < i and tokens[k].role in ("at", "onto", "near"):
            return False
    return True


# --- how many -----------------------------------------------------------------------------------------------------------------------------
def number_at(tokens: list[Token], i: int, x: int, y: int) -> tuple[int, int] | None:
    """(value, last token) of a count that begins at `i`; dates, ages and measures are none."""
    t = tokens[i]
    if t.role != "number":
        return None
    if i > x and t.gap == 0 and (tokens[i - 1].role == "month" or (tokens[i - 1].role == "number" and tens(tokens[i - 1]))):
        return None
    value, last = t.entry.number, i
    if (
        tens(t)
        and i + 1 < y
        and tokens[i + 1].gap == 0
        and tokens[i + 1].role == "number"
        and 0 < tokens[i + 1].entry.number < 10
        and wordy(tokens[i + 1])
    ):
        value, last = value + tokens[i + 1].entry.number, i + 1
    if last + 1 < y and tokens[last + 1].gap == 0 and tokens[last + 1].role in ("unit", "month"):
        return None
    if not wordy(t) and 1990 <= value <= 2035:
        return None
    return value, last


def wordy(t: Token) -> bool:
    return not t.words[0][0].isdigit()


def tens(t: Token) -> bool:
    return wordy(t) and t.entry.number in (20, 30, 40, 50, 60, 70, 80, 90)


@dataclass
class Count:
    """A list of people being added up."""

    total: int = 0
    bound: str = ""  # low or high
    unknown: bool = False
    first: int = -1
    last: int = -1

    def add(self, item: Count) -> None:
        self.total += item.total
        self.bound = self.bound or item.bound
        self.unknown |= item.unknown
        if item.first >= 0:
            self.first = item.first if self.first < 0 else min(self.first, item.first)
            self.last = max(self.last, item.last)


def item_count(tokens: list[Token], p: int, q: int, x: int, y: int) -> Count:
    """One item of a list, tokens p..q-1: its number, else one for a person in the singular."""
    c = Count()
    start = p
    for j in range(p, q):
        if tokens[j].role == "among":
            start = j + 1
        elif tokens[j].role == "including":
            q = j
            break
    head, after_of = -1, False
    for j in range(start, q):
        t = tokens[j]
        if t.role == "uncountable":
            c.unknown = True
        number = number_at(tokens, j, x, y)
        if number and c.first < 0:
            c.total, c.first, c.last = number[0], j, number[1]
            if j > x and t.gap == 0 and tokens[j - 1].role in ("low", "high"):
                c.bound, c.first = tokens[j - 1].role, j - 1
            if j > x + 1 and t.gap == 0 and tokens[j - 1].role == "about" and tokens[j - 2].role in ("low", "high"):
                c.bound, c.first = tokens[j - 2].role, j - 2
        after_of |= t.role in ("of", "guard", "at", "that")
        if not after_of and t.role in PEOPLE and (t.entry.number or t.entry.many):
            head = j
    if c.first >= 0:
        c.unknown = False
    elif head >= 0 and not c.unknown:
        if tokens[head].entry.many:
            c.unknown = True
        else:
            c.total, c.first, c.last = tokens[head].entry.number, head, head
    return c


COUNTED = PHRASE | {"perpetrator", "among", "and", "were", "month", "unit", "anti"}


def count_right(tokens: list[Token], v: int, x: int, y: int) -> Count:
    """The objects of an active verb."""
    out, p, i = Count(), v + 1, v + 1
    while i <= y:
        ends = i == y or (tokens[i].gap > 0 and i > v + 1) or tokens[i].role == "and" or tokens[i].role not in COUNTED
        if not ends:
            i += 1
            continue
        if p > v + 1 and i < y and tokens[i].role in ACTS and tokens[i].gap == 0:
            break  # the subject of another verb
        if i > p:
            out.add(item_count(tokens, p, i, x, y))
        if i == y or tokens[i].gap == 2:
            break
        if tokens[i].role == "and":
            p = i = i + 1
        elif tokens[i].gap == 1 and tokens[i].role in COUNTED:
            p = i
            i += 1
            continue
        else:
            break
        if i < y and tokens[i].role not in COUNTED:
            break
    return out


PASSING = COUNTED | {"guard", "at", "that", "including"}


def count_left(tokens: list[Token], v: int, x: int, y: int) -> Count:
    """The subjects of a passive verb."""
    p = v
    while p > x and (tokens[p].gap == 0 or p < v) and tokens[p].gap < 2 and tokens[p - 1].role in PASSING:
        p -= 1
    clean = p == x or tokens[p].gap > 0 or tokens[p - 1].role in ("leave", "that")
    for j in range(p, v):
        if tokens[j].role == "among":
            p, clean = j, True  # the whole of which the others are a part
    items: list[tuple[int, int]] = []
    q = v
    for j in range(v - 1, p - 1, -1):
        if tokens[j].role == "and":
            items.append((j + 1, q))
            q = j
        elif tokens[j].gap > 0:
            items.append((j, q))
            q = j
    if q > p:
        items.append((p, q))
    if not clean and len(items) > 1:
        items.pop()  # the object of whatever stands before the list
    out = Count()
    for a, b in items:
        out.add(item_count(tokens, a, b, x, y))
    return out


def tell(facts: Facts, kind: str, c: Count) -> None:
    if c.unknown or c.total <= 0 or c.first < 0:
        return
    if kind == "wounded":
        if c.bound != "high":
            facts.told.append(("wounded", c.total, c.first, c.last))
    else:
        facts.told.append(({"low": "killed_low", "high": "killed_high", "": "killed"}[c.bound], c.total, c.first, c.last))


def count_tolls(tokens: list[Token], x: int, y: int, facts: Facts) -> None:
    for v in range(x, y):
        t = tokens[v]
        if t.role in ("kill", "killing", "killed", "wound", "wounded") and t.active:
            tell(facts, "wounded" if t.role in ("wound", "wounded") else "killed", count_right(tokens, v, x, y))
        elif t.role in ("killed", "dead", "wounded"):
            tell(facts, "wounded" if t.role == "wounded" else "killed", count_left(tokens, v, x, y))
        elif t.role == "killings":
            if v + 1 < y and tokens[v + 1].role == "of" and tokens[v + 1].gap == 0:
                tell(facts, "killed", count_right(tokens, v + 1, x, y))
            else:
                c = count_left(tokens, v, x, y)
                if c.first >= 0 and tokens[c.first].role in ("number", "low", "high"):
                    tell(facts, "killed", c)
        elif t.role == "toll":
            tell(facts, "killed", toll(tokens, v, x, y))


def toll(tokens: list[Token], v: int, x: int, y: int) -> Count:
    """The number that a toll rises to: the one behind `to`, else the first."""
    best = Count()
    for j in range(v + 1, y):
        number = number_at(tokens, j, x, y)
        if tokens[j].role in ("kill", "killed", "wound", "wounded", "dead") or not number:
            continue
        to = tokens[j - 1].role == "prep" or (tokens[j - 1].role in ("low", "high", "about") and j - 2 > v and tokens[j - 2].role == "prep")
        if best.first < 0 or to:
            best = item_count(tokens, j, number[1] + 1, x, y)
            if to:
                break
    return best


# --- one headline, several headlines ------------------------------------------------------------------------------------------------------
def pick_place(tokens: list[Token], places: dict[tuple[str, ...], str], line: Line) -> None:
    """The first place behind at, in, near; else the first. Words of the lexicon name no place."""
    best: tuple[int, int, int, str] | None = None
    i = 0
    while i < len(tokens):
        size = 1
        if tokens[i].live and tokens[i].role == "none" and tokens[i].capital:
            k = i
            while k < len(tokens) and tokens[k].role == "none" and (k == i or tokens[k].gap == 0):
                k += 1
            for stop in range(k, i, -1):
                name = tuple(t.words[0] for t in tokens[i:stop])
                if name in places:
                    behind = i > 0 and tokens[i].gap == 0 and tokens[i - 1].role in ("at", "near")
                    new = (0 if behind else 1, i, stop - 1, places[name])
                    best = new if best is None or new[:2] < best[:2] else best
                    size = stop - i
                    break
        i += size
    if best:
        line.values["place"] = (best[3], best[1], best[2])


def read_line(text: str, lexicon: Lexicon, places: dict[tuple[str, ...], str]) -> Line:
    tokens = tokens_of(text, lexicon)
    resolve(tokens)
    facts = Facts()
    for a, b in segments(tokens):
        drop_reactions(tokens, a, b)
        read_segment(tokens, a, b, facts)
    line = Line()
    pick_target(tokens, facts, line)
    pick_group(tokens, facts, line)
    pick_attack(tokens, facts, line)
    pick_tolls(facts, line)
    if facts.live:
        pick_place(tokens, places, line)
    line.values = {k: (v, tokens[a].start, tokens[b].end) for k, (v, a, b) in line.values.items()}
    return line


def pick_target(tokens: list[Token], facts: Facts, line: Line) -> None:
    def code(i: int) -> str:
        return "armed_group" if tokens[i].role == "perpetrator" else str(tokens[i].entry.target)

    if not facts.hits:
        return
    best = min(facts.hits, key=lambda h: (h[2], h[1], h[0]))
    root = code(best[0]).split("/")[0]
    if "/" not in code(best[0]):
        deeper = [h for h in facts.hits if code(h[0]).startswith(root + "/")]
        if deeper:
            best = min(deeper, key=lambda h: (h[2], h[1], h[0]))
    at, last = best[0], best[0]
    strong = {h[0] for h in facts.hits if h[2] == best[2]}
    while last + 1 in strong and tokens[last + 1].gap == 0:  # the head of a compound: an ANP election office, a party cleric
        person = tokens[last + 1].entry.number or tokens[last + 1].entry.many
        same = code(last + 1).split("/")[0] == root
        deeper = same and "/" in code(last) and "/" in code(last + 1)
        if not deeper and (same or not person):
            break
        last += 1
        root = code(last).split("/")[0]
    line.values["target_type"] = (code(last), at, last)


def pick_group(tokens: list[Token], facts: Facts, line: Line) -> None:
    if facts.counter or not facts.groups:
        return
    sure = [g for g in facts.groups if g[1] < 2]
    roles = [h for h in facts.hits if h[1] < 2 and h[2] == 0]
    found = sure or ([] if roles and tokens[roles[0][0]].role in ("force", "perpetrator") else facts.groups)
    if not found:
        return
    value, at = None, -1
    for i, _ in sorted(found):
        new = str(tokens[i].entry.group)
        merged = merge_groups(value, new)
        if merged is None:
            return
        if merged != value:
            value, at = merged, i
    line.values["target_group"] = (value, at, at)


def is_ethnic(code: str) -> bool:
    return "ethnic" in taxonomy("target_group").ancestors(code)


def merge_groups(old: str | None, new: str) -> str | None:
    """The narrower of two that agree, the religious one before the ethnic one; None where they disagree."""
    if old is None or old == new:
        return new
    tree = taxonomy("target_group")
    if is_ethnic(old) != is_ethnic(new):
        return new if is_ethnic(old) else old
    if old in tree.ancestors(new):
        return new
    return old if new in tree.ancestors(old) else None


def pick_attack(tokens: list[Token], facts: Facts, line: Line) -> None:
    best: tuple[int, int, str] | None = None
    for i in facts.attacks:
        e = tokens[i].entry
        code = str(e.attack)
        if e.raid_only and not facts.militants:
            continue
        if e.raid and facts.militants:
            code = "battle"
        if code in ORDER and (best is None or (ORDER.index(code), i) < (best[0], best[1])):
            best = (ORDER.index(code), i, code)
    if best:
        line.values["attack_type"] = (best[2], best[1], best[1])
        weapon = tokens[best[1]].entry.weapon
        if weapon:
            line.values["weapon_type"] = (weapon, best[1], best[1])


def pick_tolls(facts: Facts, line: Line) -> None:
    for name, value, a, b in facts.told:
        if name not in line.values or value > line.values[name][0]:
            line.values[name] = (value, a, b)


def merge_paths(old: str, new: str) -> str | None:
    """The narrower of two that agree, else their common root, else None."""
    if new == old or new.startswith(old + "/"):
        return new
    if old.startswith(new + "/"):
        return old
    root = old.split("/")[0]
    return root if root == new.split("/")[0] else None


def same(old: str, new: str) -> str | None:
    return old if old == new else None


MERGE = {"target_type": merge_paths, "target_group": merge_groups, "attack_type": merge_paths, "weapon_type": same, "place": same}


def code_text(text: str | None, lexicon: Lexicon, places: dict[tuple[str, ...], str] | None = None) -> dict[str, Any]:
    """All fields of one text, and `spans`: (field, value, start, end)."""
    out: dict[str, Any] = dict.fromkeys(FIELDS)
    out["spans"] = []
    if text is None:
        return out
    lines, at = [], 0
    for one in text.split("\n"):
        got = read_line(one, lexicon, places or {})
        lines.append({k: (v, a + at, b + at) for k, (v, a, b) in got.values.items()})
        at += len(one) + 1
    for name in (*CODES, "place"):
        value = None
        for one in lines:
            if name in one:
                new = one[name][0]
                merged = new if value is None else MERGE[name](value, new)
                if merged is None:
                    value = None
                    break
                value = merged
        out[name] = value
    for name in TOLLS:
        out[name] = max((one[name][0] for one in lines if name in one), default=None)
    if out["killed"] is not None and out["killed_low"] is not None and out["killed_low"] > out["killed"]:
        out["killed"] = None
    if out["killed"] is not None and out["killed_high"] is not None and out["killed"] > out["killed_high"]:
        out["killed_high"] = None
    for one in lines:
        for name in FIELDS:
            if out[name] is not None and name in one and (name not in TOLLS or one[name][0] == out[name]):
                out["spans"].append((name, one[name][0], one[name][1], one[name][2]))
    return out
