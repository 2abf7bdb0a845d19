"""Draws a replay as one self-contained page: HTML, one style sheet, drawings in SVG (drawing.py); no script, no server, no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from html import escape
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from tocsin.brief.replay.drawing import MOST, Axis, timeline
from tocsin.brief.replay.tell import Told, covering, headline, summary
from tocsin.terms.publishers import publishers
from tocsin.terms.say import day

Row = Mapping[str, Any]


def render(told: Told, notes: tuple[str, ...], inputs: list[dict[str, Any]], options: dict[str, Any]) -> str:
    """The page as HTML text, to be written as UTF-8."""
    style = files("tocsin.brief.replay").joinpath("page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    axis = Axis(told.looks["as_of"][0], max(told.looks["as_of"][-1], options["end"]))
    title = f"Replay, {day(axis.first)} to {day(axis.last)}"
    first = f'<p class="first">{escape(notes[0])}</p>' if told.hindsight else ""
    body = [
        f'<section class="lede"><h1>{escape(title)}</h1>{first}<p class="headline">{escape(_dated(summary(told)))}</p>'
        f'<p>{escape(covering(told, options["mass"]))}</p><p class="quiet">{escape(_how(options))}</p></section>',
        timeline(told, axis, options),
        _rivals(told),
        _attacks(told, options),
        _signals(told),
        _foot(told, notes, inputs),
    ]
    return _HEAD.format(title=escape(title), digest=digest, style=style, version=escape(version("tocsin"))) + "\n".join(body) + _TAIL


_HEAD = """<!doctype html>
<html lang="en" data-ready>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="tocsin {version}">
<title>tocsin: {title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<a class="skip" href="#main">To the page</a>
<header><p><strong>tocsin</strong> history as if live</p></header>
<main id="main">
"""
_TAIL = "\n</main>\n</body>\n</html>\n"


def _how(options: Row) -> str:
    return (
        f"A look every {options['every']} days at {' and '.join(options['violence']).replace('_', '-')} violence. At each, the reports known by then "
        "were fused anew and watched; nothing known later was used. A signal counts before an attack if the last look before the attack's "
        "first possible day raised it."
    )


def _dated(text: str) -> str:
    """Days in a sentence as the page writes them."""
    return " ".join(_word(w) for w in text.split(" "))


def _word(word: str) -> str:
    try:
        return str(day(date.fromisoformat(word)))
    except ValueError:
        return word


_NUMBER = ("", ' class="number"')


def _table(name: str, caption: str, heads: list[tuple[str, bool]], rows: Iterable[tuple[str, list[str]]]) -> str:
    """A table whose rows stand as cards on a narrow screen. heads: (name, numbers?); rows: (attributes, cells as HTML), the first cell heading the row."""
    head = "".join(f'<th scope="col"{_NUMBER[number]}>{escape(h)}</th>' for h, number in heads)
    body = []
    for attributes, cells in rows:
        first, *rest = cells
        line = f'<th scope="row">{first}</th>' + "".join(
            f'<td data-head="{escape(h)}"{_NUMBER[number]}><div>{cell}</div></td>'
            for cell, (h, number) in zip(rest, heads[1:], strict=True)
        )
        body.append(f"<tr{attributes}>{line}</tr>")
    return f'<table class="{name}"><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def _rivals(told: Told) -> str:
    heads = [("method", False), ("false alarms a year promised", True), ("stood at the first look", True), ("raised after it", True), ("raised a year", True),
             ("attacks covered", True), ("all incidents covered", True), ("median lead, days", True)]  # fmt: skip
    rows = [
        (
            ' class="own"' if r["method"] == "tocsin" else "",
            [
                escape(r["method"]), f"{r['promised_per_year']:g}", f"{r['at_start']:,}", f"{r['raised']:,}",
                f"{r['raised_per_year']:.1f}", _of(r["attacks_covered"], r["attacks"]), _of(r["incidents_covered"], r["incidents"]),
                _lead(r["lead_days"], told.hindsight, r["attacks_covered"]),
            ],
        )
        for r in told.rivals.to_dicts()
    ]  # fmt: skip
    return (
        '<section><h2>Beside simpler methods</h2><p class="quiet">Each method looked on the same days, at a limit that promises as many false alarms '
        "a year. What is raised is true and false alarms together. An alarm covers an attack if it stood at the last look before and names its category, "
        "area, actor or place: a whole province is easier to name than a town, so the share of all incidents covered stands beside.</p>"
        + _table("rivals", "Alarms and what they covered, by method", heads, rows)
        + "</section>"
    )


def _of(n: int, total: int) -> str:
    return f"{n:,} of {total:,}" + (f" ({100 * n / total:.0f} %)" if total >= 20 else "")


def _lead(days: float | None, hindsight: bool, covered: int) -> str:
    if hindsight:
        return '<span class="quiet">not claimed: hindsight</span>'
    return "none covered" if days is None or not covered else f"{days:g}"


def _attacks(told: Told, options: Row) -> str:
    names = {r["signal_id"]: headline(r) for r in told.signals.to_dicts()}
    drawn = set(told.signals.sort("first_raised", "signal_id").head(MOST)["signal_id"])
    heads = [("when and where", False), ("dead", True), ("who was hit, by whom", False), ("signals that stood", False), ("lead, days", True),
             ("scan", False), ("C1", False), ("C2", False)]  # fmt: skip
    links = {s: f'<a href="#s-{escape(s)}">{escape(name)}</a>' if s in drawn else escape(name) for s, name in names.items()}
    rows = [("", _attack(a, links, told.hindsight)) for a in told.attacks.to_dicts()]
    title = f"<section><h2>Attacks that killed {options['mass']} or more</h2>"
    if not rows:
        return f"{title}<p>None in the period.</p></section>"
    caption = "Each attack, and what stood at the last look before it; scan, C1 and C2: whether that method's alarm covers it"
    return title + _table("attacks", caption, heads, rows) + "</section>"


def _attack(a: Row, links: Mapping[str, str], hindsight: bool) -> list[str]:
    """The cells of one attack."""
    when = str(day(a["event_start"])) + ("" if a["event_start"] == a["event_end"] else f" to {day(a['event_end'])}")
    where = ", ".join(str(x) for x in (a["place"], a["area"]) if x)
    hit = ", ".join(str(x) for x in (a["target_group"], a["target_type"]) if x) or "not stated"
    lead = f"{'at least ' if a['lead_at_least'] else ''}{a['lead_days']}" if a["lead_days"] is not None else ""
    return [
        f'{escape(when)} <span class="quiet">{escape(where)}</span>',
        f"{a['killed']:,}",
        f'{escape(hit)} <span class="quiet">{escape(a["actor"] or "not stated")}</span>',
        "; ".join(links[s] for s in a["signals"]) or '<span class="quiet">none</span>',
        lead or ("not claimed" if hindsight else '<span class="quiet">none stood</span>'),
        *("yes" if a[m] else '<span class="quiet">no</span>' for m in ("scan", "c1", "c2")),
    ]


def _signals(told: Told) -> str:
    heads = [("signal", False), ("first raised", False), ("last raised", False), ("looks", True), ("seen", True), ("usual", True), ("evidence", True),
             ("chance does as much, times a year", True), ("note", False)]  # fmt: skip
    rows = [
        (
            f' id="s-{escape(r["signal_id"])}"',
            [
                escape(headline(r)) + (f' <span class="quiet">most in {escape(r["area"])}</span>' if r["area"] else ""),
                f"{day(r['first_raised'])}{' or before' if r['at_start'] else ''}", str(day(r["last_raised"])) if r["ended"] else "stands at the end",
                f"{r['looks']:,}", f"{r['observed']:,}", f"{r['expected']:.1f}", f"{len(r['evidence']):,}",
                f"{r['false_alarms_per_year']:.2g}", escape(r["note"] or ""),
            ],
        )
        for r in told.signals.sort("first_raised", "signal_id").head(MOST).to_dicts()
    ]  # fmt: skip
    if not rows:
        return "<section><h2>The signals</h2><p>None was raised.</p></section>"
    return (
        '<section><h2>The signals</h2><p class="quiet">As each was at the look that raised it first; its incidents are named in signals.csv.</p>'
        + _table("signals", "What each signal held", heads, rows)
        + "</section>"
    )


def _foot(told: Told, notes: tuple[str, ...], inputs: list[dict[str, Any]]) -> str:
    known = publishers()
    told_notes = "".join(f"<li>{escape(n)}</li>" for n in notes)
    sources = []
    for agency in sorted({str(i["agency"]) for i in inputs}):
        terms = known.get(agency)
        own = sorted({str(i["file"]) for i in inputs if i["agency"] == agency and i["file"]})
        cite = f"{terms.cite}. Licence: {terms.licence}. {terms.url}" if terms else "Licence: as its owner says."
        sources.append(
            f"<li><strong>{escape(terms.name if terms else agency)}</strong> ({escape(', '.join(own) or 'a table')}). {escape(cite)}</li>"
        )
    looks = told.looks
    until = looks["as_of"][-1]
    held = f"{looks['incidents'][0]:,} incidents were known at the first look and {looks['incidents'][-1]:,} on {day(until)}; a row a look stands in looks.csv."
    return (
        f'<section class="foot"><h2>Before you quote a number</h2><ul>{told_notes}<li>{escape(held)}</li></ul>'
        f'<h2>Sources</h2><ul>{"".join(sources)}</ul><p class="quiet">Made by tocsin {escape(version("tocsin"))}; run.json beside this page holds the options, '
        "versions and hashes that make it again.</p></section>"
    )


__all__ = ["render"]
