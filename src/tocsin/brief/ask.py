"""A claim put to the record: attacks on a community, in some kinds of area, since a day: more often, or more deadly? And what cannot be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from scipy.special import betaincinv

from tocsin.brief.watching import PLAN, seen_text
from tocsin.brief.windows import BASELINES, Span, cells, spans, verdict, within
from tocsin.errors import OptionError
from tocsin.terms.say import NAME_OF, Message
from tocsin.terms.signals import short, stream_name
from tocsin.terms.tables import AREA_CLASS
from tocsin.terms.taxonomies import taxonomy
from tocsin.watch import shifts
from tocsin.watch.known import known
from tocsin.watch.plan import made
from tocsin.watch.shift import Shift
from tocsin.watch.streams import Stream

ASKED, OTHER = "asked", "other"
_EVERY = 7  # days of a look
_LEVEL, _REPLICATIONS = 0.05, 999
_MEASURES = ("incidents", "killed", "deaths_per_attack")
_WHERE = {"tribal": "where_tribal", "mainland": "where_mainland", "big_city": "where_big_city"}
_WHO = {"religious": "who_religious", "ethnic": "who_ethnic"}


@dataclass(frozen=True)
class Ask:
    """What is asked."""

    groups: tuple[str, ...]  # codes of target_group, narrower ones included
    areas: tuple[str, ...]  # kinds of area; none: all of them
    since: date

    @property
    def codes(self) -> list[str]:
        """The communities asked about, narrower ones included."""
        tree = taxonomy("target_group")
        return [c for c in tree if set(tree.ancestors(c)) & set(self.groups)]

    def category(self) -> pl.Expr:
        """`asked`, `other`, or null where the incident's community or kind of area is needed to tell and not known."""
        group = pl.col("target_group").is_in(self.codes)
        area = pl.col("area_class").cast(pl.String).is_in(self.areas) if self.areas else pl.lit(True)
        both = group & area  # of true, false and null: false where either is false
        return pl.when(both).then(pl.lit(ASKED)).when(~both).then(pl.lit(OTHER))


def asked(text: str, since: date | None, as_of: date) -> Ask:
    """`religious,mainland,big_city` as an Ask. Raises `OptionError` for a word that is neither a community nor a kind of area, or a day that makes no sense."""
    words = [w.strip() for w in text.split(",") if w.strip()]
    groups = tuple(dict.fromkeys(w for w in words if w in taxonomy("target_group")))
    areas = tuple(dict.fromkeys(w for w in words if w in AREA_CLASS))
    strange = [w for w in words if w not in groups and w not in areas]
    if strange:
        raise OptionError(
            f"--ask {text!r}: {strange[0]!r} is neither a community's code nor tribal, mainland or big_city; give such as religious,mainland,big_city"
        )
    if not groups:
        raise OptionError(f"--ask {text!r} names no community; the codes are {', '.join(taxonomy('target_group'))}")
    if since is None:
        raise OptionError(f"--ask {text!r}: since when? Give --ask-since YYYY-MM-DD")
    if not 7 <= (as_of - since).days + 1 <= 3650:
        raise OptionError(f"--ask-since {since}: give a day from 7 days to 10 years before {as_of}")
    return Ask(groups, areas, since)


def answer(ask: Ask, incidents: pl.DataFrame, as_of: date, *, streams: pl.DataFrame | None, violence: str = "one_sided") -> dict[str, Any]:
    """What the incidents say of a claim, as plain values: columns; rows (counts by column, verdicts); answer, lines, chance and
    watched (messages); tests.

    streams: what the watch tested; without, the claim is not tested either.
    """
    columns = spans(as_of, (as_of - ask.since).days + 1)
    own = incidents.filter(pl.col("violence") == violence).with_columns(_asked=ask.category())
    parts = [
        ("asked_asked", own.filter(pl.col("_asked") == ASKED)),
        ("asked_unknown", own.filter(pl.col("_asked").is_null())),
        ("asked_other", own.filter(pl.col("_asked") == OTHER)),
        ("asked_all", own),
    ]
    rows = [_row(label, cells(frame.drop("_asked"), violence, columns)) for label, frame in parts]
    tests = [] if streams is None else _tests(ask, incidents, as_of, violence)
    what: dict[str, Any] = {"who": _who(ask), "where": _where(ask), "date": ask.since.isoformat()}
    return {
        "groups": list(ask.groups),
        "areas": list(ask.areas),
        "since": ask.since.isoformat(),
        "title": ("asked_title", what),
        "columns": [{"key": s.key, "start": s.start.isoformat(), "end": s.end.isoformat(), "days": s.days} for s in columns],
        "rows": rows,
        "answer": _answer(rows, tests),
        "lines": [
            *_counted(rows, columns),
            *_worst(parts[0][1], rows[0], columns[0]),
            *_unknown(rows),
            _open(rows[0], columns),
        ],
        "chance": [t["told"] for t in tests],
        "watched": _watched(streams),
        "tests": tests,
    }


def _who(ask: Ask) -> Message:
    return _listed([(_WHO[g], {}) if g in _WHO else (NAME_OF, {"tree": "target_group", "code": g}) for g in ask.groups])


def _where(ask: Ask) -> Message:
    return _listed([(_WHERE[a], {}) for a in ask.areas]) if ask.areas else ("where_all", {})


def _listed(parts: list[Message]) -> Message:
    first, *rest = parts
    return ("and_two", {"a": first, "b": _listed(rest)}) if rest else first


def _row(label: str, found: dict[str, Any]) -> dict[str, Any]:
    signs = {m: {b: _sign(found["window"][m], found[b][m]) for b in BASELINES} for m in _MEASURES}
    return {
        "label": (label, {}),
        "cells": found,
        "signs": signs,
        "verdicts": {m: "cannot be told" if None in signs[m].values() else verdict(signs[m]) for m in _MEASURES},  # type: ignore[arg-type]
    }


def _sign(now: float | None, then: float | None) -> int | None:
    return None if now is None or then is None else (now > then) - (now < then)


def _counted(rows: list[dict[str, Any]], columns: tuple[Span, ...]) -> list[Message]:
    """The answer: attacks, deaths and deaths per attack, each beside its three baselines, with the verdict of their signs."""
    mine = rows[0]
    out: list[Message] = []
    for key, measure in (("asked_count", "incidents"), ("asked_dead", "killed"), ("asked_each", "deaths_per_attack")):
        values: dict[str, Any] = {k: mine["cells"][k][measure] for k in ("window", *BASELINES)}
        values = {k: ("asked_none", {}) if v is None else v for k, v in values.items()}
        out.append(
            (key, {**values, "n": values["window"], "days": columns[0].days, "saying": (f"verdict_{mine['verdicts'][measure]}", {})})
        )
    return out


def _worst(own: pl.DataFrame, row: dict[str, Any], window: Span) -> list[Message]:
    """What the deaths say without the window's deadliest attack."""
    one = max(within(own, window)["killed"].drop_nulls().to_list(), default=0)
    if not one:
        return []
    rest = max(0, row["cells"]["window"]["killed"] - one)
    told = verdict({b: _sign(rest, row["cells"][b]["killed"]) or 0 for b in BASELINES})
    return [("asked_worst", {"n": one, "rest": rest, "saying": (f"verdict_{told}", {})})]


def _watched(streams: pl.DataFrame | None) -> list[Message]:
    """What the watch says of communities, and of communities by kinds of area."""
    if streams is None:
        return []
    mine = streams.filter(pl.col("dimension").is_in(["target_group", "target_group+area_class"]) & pl.col("actor").is_null())
    out: list[Message] = []
    for row in mine.iter_rows(named=True):
        values: dict[str, Any] = {"stream": stream_name(row), "verdict": (f"verdict_{row['verdict']}", {})}
        if row["p_value"] is None:
            out.append(("asked_stream_little", values))
        elif (seen := seen_text(row)) is None:
            out.append(("asked_stream_changed", values | {"p": short(row["p_value"]), "level": short(row["level"])}))
        else:
            out.append(("asked_stream", values | {"p": short(row["p_value"]), "level": short(row["level"]), "seen": seen}))
    return out


def _turned(rows: list[dict[str, Any]], measure: str) -> tuple[str, str]:
    """The verdicts with all that is not known to be asked about in the baselines alone, and in the window alone."""
    mine, silent = (r["cells"] for r in rows[:2])
    least = {k: mine[k][measure] for k in mine}
    most = {k: round(mine[k][measure] + silent[k][measure], 1) for k in mine}
    return (
        verdict({b: _sign(least["window"], most[b]) or 0 for b in BASELINES}),
        verdict({b: _sign(most["window"], least[b]) or 0 for b in BASELINES}),
    )


def _unknown(rows: list[dict[str, Any]]) -> list[Message]:
    """How many could be of those asked about, and whether that could turn the verdicts."""
    mine, silent = (r["cells"] for r in rows[:2])
    if not any(silent[k]["incidents"] for k in ("window", *BASELINES)):
        return [("asked_all_known", {})]
    out: list[Message] = [
        ("asked_silent", {k: silent[k]["incidents"] for k in ("window", *BASELINES)} | {"dead": silent["window"]["killed"]})
    ]
    for key, holds, measure in (
        ("asked_turn_count", "asked_turn_count_holds", "incidents"),
        ("asked_turn_dead", "asked_turn_dead_holds", "killed"),
    ):
        down, up = _turned(rows, measure)
        if up == down == rows[0]["verdicts"][measure]:
            out.append((holds, {}))
            continue
        ends = {"least": mine["window"][measure], "most": mine["window"][measure] + silent["window"][measure]}
        out.append((key, {**ends, "up": (f"verdict_{up}", {}), "down": (f"verdict_{down}", {})}))
    return out


_CLEAR = {
    ("incidents", "more than all three"): "sum_more_attacks",
    ("incidents", "fewer than all three"): "sum_fewer_attacks",
    ("incidents", "no change"): "sum_same_attacks",
    ("killed", "more than all three"): "sum_more_deaths",
    ("killed", "fewer than all three"): "sum_fewer_deaths",
    ("killed", "no change"): "sum_same_deaths",
    ("deaths_per_attack", "more than all three"): "sum_deadlier",
    ("deaths_per_attack", "fewer than all three"): "sum_less_deadly",
    ("deaths_per_attack", "no change"): "sum_same_deadly",
}
_OPEN = {"incidents": "sum_whether_attacks", "killed": "sum_whether_deaths", "deaths_per_attack": "sum_whether_deadly"}


def _answer(rows: list[dict[str, Any]], tests: list[dict[str, Any]]) -> list[Message]:
    """What the record supports, and what it cannot tell: a verdict that those of unknown community could turn is none."""
    silent = rows[1]["cells"]
    unknown = any(silent[k]["incidents"] for k in ("window", *BASELINES))
    yes: list[Message] = []
    no: list[Message] = []
    for measure in _MEASURES:
        told = rows[0]["verdicts"][measure]
        firm = not unknown if measure == "deaths_per_attack" else set(_turned(rows, measure)) == {told}
        if told == "cannot be told" or not firm:
            no.append((_OPEN[measure], {}))
        else:
            yes.append((_CLEAR[measure, told], {}))
    changed = [t for t in tests if t["verdict"] == shifts.CHANGED]
    yes += [("sum_share_up" if t["told"][0] == "asked_changed_up" else "sum_share_down", {"what": t["told"][1]["what"]}) for t in changed]
    no += [
        ("sum_share", {"what": t["told"][1]["what"]})
        for t in tests
        if t not in changed and (t["seen"] is None or t["verdict"] != "no change")
    ]
    no.append(("sum_chance", {}))
    return [
        *([("asked_supports", {"what": _semi(yes)})] if yes else [("asked_supports_nothing", {})]),
        ("asked_cannot", {"what": _semi(no)}),
    ]


def _semi(parts: list[Message]) -> Message:
    first, *rest = parts
    return ("and_list", {"a": first, "b": _semi(rest)}) if rest else first


def _open(row: dict[str, Any], columns: tuple[Span, ...]) -> Message:
    """How many times the year's own rate fits the counts, were attacks independent: the exact interval of a ratio of two Poisson counts, given their sum."""
    window, rate = columns[0], columns[3]
    now = row["cells"]["window"]["incidents"]
    then = round(row["cells"]["year_rate"]["incidents"] / rate.scale)
    if not now and not then:
        return ("asked_nothing", {})
    scale = rate.days / window.days
    low = 0.0 if not now else float(betaincinv(now, then + 1, 0.025))
    high = 1.0 if not then else float(betaincinv(now + 1, then, 0.975))
    ends: list[Message] = [short(x / (1 - x) * scale) if x < 1 else ("asked_any", {}) for x in (low, high)]
    return ("asked_open", {"now": now, "then": then, "days": rate.days, "low": ends[0], "high": ends[1]})


@dataclass(frozen=True)
class _Split(Stream):
    """All attacks, in two: those asked about and the others."""

    ask: Ask | None = None

    def category(self) -> pl.Expr:
        assert self.ask is not None
        return self.ask.category()


def _tests(ask: Ask, incidents: pl.DataFrame, as_of: date, violence: str) -> list[dict[str, Any]]:
    """Whether the share of those asked about shifted, in attacks and in deaths: tested alone, at 5 %."""
    days = -(-((as_of - ask.since).days + 1) // _EVERY) * _EVERY
    plan = made(as_of, **(PLAN | {"watched": days, "violence": (violence,), "kinds": ("shift",), "every": _EVERY}))
    have = known(incidents, plan)
    out = []
    for measure in ("count", "deaths"):
        stream = _Split("shift", violence, "target_group", None, measure, ask)
        m = shifts.mix(have.incidents, stream, plan, plan.until)
        found = shifts.tested(m, stream, plan, plan.until, level=_LEVEL, replications=_REPLICATIONS)
        odds = None if isinstance(found, str) or found.verdict == shifts.CHANGED else shifts.seen(m, found, plan, plan.until, of=ASKED)[1]
        out.append(_test(m, found, measure, plan.until - days, odds))
    return out


def _test(m: shifts.Mix, found: Shift | str, measure: str, first: int, odds: float | None) -> dict[str, Any]:
    what: Message = ("what_attacks", {}) if measure == "count" else ("what_deaths", {})
    if isinstance(found, str):
        return {
            "measure": measure,
            "verdict": "too little",
            "p": None,
            "seen": None,
            "told": ("asked_little", {"what": what, "why": found}),
        }
    row = shifts.stream_row(found, _LEVEL)
    values: dict[str, Any] = {"what": what, "p": short(row["p_value"]), "verdict": (f"verdict_{found.verdict}", {})}
    if found.verdict == shifts.CHANGED:
        more = found.observed is not None and found.expected is not None and found.observed > found.expected
        rose = more == (found.moved == ASKED)
        told: Message = ("asked_changed_up" if rose else "asked_changed_down", values)
    else:
        values["seen"] = ("asked_blind", {}) if odds is None else ("asked_seen", {"odds": short(odds), "share": _share(m, odds, first)})
        if row.get("p_up") is not None:
            values["p_low"], values["p_high"] = (short(f(row[k] for k in ("p_spread", "p_up", "p_down"))) for f in (min, max))
        told = ("asked_tested_bounds" if "p_low" in values else "asked_tested", values)
    return {"measure": measure, "verdict": found.verdict, "p": row["p_value"], "seen": odds, "told": told}


def _share(m: shifts.Mix, odds: float, first: int) -> Message:
    """From what share of the earlier ones to what share the odds would lead, with the counts."""
    early = (m.code != (-1 if m.unknown is None else m.unknown)) & (m.day < first)
    mine = int(m.weight[early & (m.code == m.names.index(ASKED))].sum())
    total = int(m.weight[early].sum())
    before = (mine + 0.5) / (total + 1)
    after = before * odds / (1 - before + before * odds)
    return ("asked_share", {"mine": mine, "total": total, "before": round(100 * before), "after": round(100 * after)})


__all__ = ["Ask", "answer", "asked"]
