"""From looks to spells: which signal of a look continues one of the looks before, when it was first raised and when it ended.

The dates are looked at one by one, each on its own; here their signals are joined in order, so the answer is the same wherever the looks were made.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tocsin.terms.ids import NAMESPACE, SEPARATOR
from tocsin.watch.signals import continued

Row = dict[str, Any]
_MISSED = 1  # looks in a row that may fail to raise a signal that goes on, as in watch


@dataclass
class Spell:
    """A signal from its first look to its last."""

    rows: dict[int, Row] = field(default_factory=dict)  # by the number of the look that raised it

    @property
    def first(self) -> int:
        """The number of the first look that raised it."""
        return min(self.rows)

    @property
    def last(self) -> int:
        """The number of the last look that raised it."""
        return max(self.rows)

    @property
    def incidents(self) -> list[str]:
        """All that was its evidence."""
        return sorted({i for row in self.rows.values() for i in row["evidence"]})


def spells(looks: Iterable[tuple[date, Sequence[Row]]]) -> list[Spell]:
    """The signals of all looks, the earliest first. looks: (day, its signals), each with first_raised = day.

    A signal continues one of the last look, or of the one before, whose evidence it has by half. One that comes back later is a new one, with a new id.
    """
    made: dict[str, Spell] = {}
    for n, (day, rows) in enumerate(looks):
        standing = {k: s.rows[s.last] for k, s in made.items() if s.last >= n - 1 - _MISSED}
        now = [dict(r) for r in rows]
        continued(now, [standing[k] for k in sorted(standing)])
        for row in now:
            if row["first_raised"] == day:
                row["signal_id"] = _fresh(row["signal_id"], day, made)
                made[row["signal_id"]] = Spell()
            made[row["signal_id"]].rows[n] = row
    return sorted(made.values(), key=lambda s: (s.first, *(str(s.rows[s.first][c]) for c in ("kind", "signal_id"))))


def _fresh(name: str, day: date, made: dict[str, Spell]) -> str:
    return name if name not in made else str(uuid.uuid5(NAMESPACE, SEPARATOR.join(["signal", name, str(day)])))
