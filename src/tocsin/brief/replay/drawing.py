"""The drawings of a replay's page: attacks, looks and signals on one axis of time, in SVG.

They are in per cent of the width, so that words keep their size from a telephone to a wide screen; what a drawing shows stands in a table too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date
from html import escape
from typing import Any

import polars as pl

from tocsin.brief.replay.tell import Told, headline
from tocsin.terms.say import day

MOST = 60  # signals drawn; the rest stand in signals.csv

Row = Mapping[str, Any]


class Axis:
    """Days as per cent of the width."""

    def __init__(self, first: date, last: date) -> None:
        self.first, self.days = first, max(1, (last - first).days)
        self.last = last

    def at(self, when: date) -> float:
        """Where a day lies, held within the drawing."""
        return round(min(max((when - self.first).days / self.days, 0.0), 1.0) * 100, 2)

    def months(self) -> list[date]:
        """First days of months, at most about eight."""
        year, month = self.first.year, self.first.month
        step = next(s for s in (1, 2, 3, 6, 12, 24, 60, 120, 1200) if self.days / 30.4 / s <= 8 or s == 1200)
        out = []
        while (when := date(year, month, 1)) <= self.last:
            if when >= self.first and (year * 12 + month - 1) % step == 0:
                out.append(when)
            year, month = year + month // 12, month % 12 + 1
        return out


def timeline(told: Told, axis: Axis, options: Row) -> str:
    """Looks, attacks and signals on one axis of time."""
    rows = told.signals.sort("first_raised", "signal_id").head(MOST).to_dicts()
    attacks = told.attacks.to_dicts()
    covered = sum(bool(a["signals"]) for a in attacks)
    said = f"{len(attacks)} attacks that killed {options['mass']} or more; before {covered} of them a signal stood. The table below names each."
    marks = "".join(
        f'<circle cx="{axis.at(a["event_start"])}%" cy="{_height(a, attacks)}" r="4" class="{"covered" if a["signals"] else "missed"}">{_name(a)}</circle>'
        for a in attacks
    )
    out = [
        '<section class="time"><h2>What stood when</h2>',
        '<p class="key"><span class="dot covered"></span>attack before which a signal stood <span class="dot missed"></span>attack before which none stood '
        '<span class="bar"></span>signal, from the look that raised it first to the last that did</p>',
        _drawing(
            said,
            52,
            _grid(axis, 52) + marks,
            f"Attacks that killed {options['mass']} or more: {len(attacks)}; the higher the mark, the more dead.",
        ),
        _drawing("", 18, _names(axis), ""),
        _looks_drawing(told, axis),
        *(_bar(row, axis, attacks) for row in rows),
    ]
    if not rows:
        out.append('<p class="none">No signal was raised at any look.</p>')
    if told.signals.height > MOST:
        out.append(f'<p class="quiet">{told.signals.height - MOST} more signals, raised later, stand in signals.csv.</p>')
    return "\n".join([*out, _drawing("", 18, _names(axis), ""), "</section>"])


def _name(attack: Row) -> str:
    """What stands beside the pointer."""
    where = attack["place"] or attack["area"] or "place not stated"
    text = f"{day(attack['event_start'])}, {where}, {attack['killed']} dead"
    return f"<title>{escape(text)}</title>"


def _height(attack: Row, attacks: list[dict[str, Any]]) -> float:
    """Higher for more dead, by the square root."""
    most = max(a["killed"] for a in attacks)
    return round(46 - 40 * math.sqrt(attack["killed"] / most), 1)


def _looks_drawing(told: Told, axis: Axis) -> str:
    """Signals standing at each look, as columns."""
    most = max(1, int(told.looks["signals"].max()))  # type: ignore[arg-type]
    wide = min(1.2, 60 / told.looks.height)
    bars = ""
    for when, n in told.looks.select("as_of", "signals").iter_rows():
        left, high = min(max(0.0, axis.at(when) - wide / 2), 100 - wide), 30 * n / most
        if n:
            bars += f'<rect x="{left:.2f}%" width="{wide:.2f}%" y="{34 - high:.1f}" height="{high:.1f}" class="standing"/>'
    quiet = told.looks.filter(pl.col("signals") == 0).height
    said = f"Signals raised at each of {told.looks.height} looks: at most {int(told.looks['signals'].max())}; none at {quiet} looks."  # type: ignore[arg-type]
    return _drawing(said, 36, _grid(axis, 36) + bars, said)


def _bar(row: Row, axis: Axis, attacks: Iterable[Row]) -> str:
    """One signal: its words, and its bar with the attacks that it stood before."""
    left, right = axis.at(row["first_raised"]), axis.at(row["last_raised"])
    hits = [a for a in attacks if row["signal_id"] in (a["signals"] or [])]
    marks = "".join(f'<circle cx="{axis.at(a["event_start"])}%" cy="8" r="4" class="covered"/>' for a in hits)
    start = "stood at the first look" if row["at_start"] else f"raised {day(row['first_raised'])}"
    until = "standing at the end" if row["ended"] is None else f"last {day(row['last_raised'])}"
    stood = f"{start}, {until}, in {_looks(row['looks'])}"
    hit = f"; before {len(hits)} attack{'' if len(hits) == 1 else 's'}" if hits else ""
    said = f"{headline(row)}: {stood}{hit}."
    shape = f'<rect x="{left}%" y="4" width="{max(right - left, 0.6):.2f}%" height="8" class="span"/>'
    words = f'<a href="#s-{escape(row["signal_id"])}">{escape(headline(row))}</a> <span class="quiet">{escape(stood + hit)}</span>'
    return f'<div class="signal"><p>{words}</p>{_svg(said, 16, _grid(axis, 16) + shape + marks)}</div>'


def _looks(n: int) -> str:
    return f"{n} look{'' if n == 1 else 's'}"


def _svg(said: str, height: int, inside: str) -> str:
    label = f'role="img" aria-label="{escape(said)}"' if said else 'aria-hidden="true"'
    return f'<svg {label} width="100%" height="{height}" focusable="false">{inside}</svg>'


def _drawing(said: str, height: int, inside: str, caption: str) -> str:
    return f"<figure>{f'<figcaption>{escape(caption)}</figcaption>' if caption else ''}{_svg(said, height, inside)}</figure>"


def _grid(axis: Axis, height: int) -> str:
    return "".join(f'<line x1="{axis.at(m)}%" x2="{axis.at(m)}%" y1="0" y2="{height}" class="tick"/>' for m in axis.months())


def _names(axis: Axis) -> str:
    out, years = [], set()
    for m in axis.months():
        text = str(day(m)).split(" ", 1)[1]
        text = text if m.year not in years else text.split(" ")[0]
        years.add(m.year)
        x = axis.at(m)
        out.append(f'<text x="{x}%" y="13" text-anchor="{"end" if x > 93 else "start"}">{text}</text>')
    return "".join(out)


__all__ = ["MOST", "Axis", "timeline"]
