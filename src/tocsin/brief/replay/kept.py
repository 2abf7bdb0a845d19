"""The dates that are done, kept in OUT/looks: a run that was killed goes on where it was, and a longer period needs only its new dates."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from tocsin.brief.replay.dates import Dated, Row, Rules
from tocsin.errors import UnreadableFile
from tocsin.fusion import default_model
from tocsin.terms.tables import SIGNALS

_DAYS = ("as_of", "start", "end", "first_raised")  # columns that hold a date
_KEY = "key.json"
_DATED = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].json"
_SIGNAL = {c.name for c in SIGNALS}


def fingerprint(reports: pl.DataFrame, rules: Rules) -> str:
    """Of all that a date's look depends on: what the reports hold in whatever order, the options, the model and the version."""
    held = io.BytesIO()
    reports.sort("report_id", "source_hash", "row").rechunk().write_ipc(held)
    said = json.dumps([asdict(rules), version("tocsin"), default_model().fingerprint], default=str, sort_keys=True)
    return hashlib.sha256(held.getbuffer()).hexdigest() + "-" + hashlib.sha256(said.encode()).hexdigest()


class Kept:
    """A folder of dates done; nothing is kept where there is none."""

    def __init__(self, out: Path | None, key: str) -> None:
        self.folder = None if out is None else out / "looks"
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            mark = self.folder / _KEY
            if not mark.exists() or mark.read_text(encoding="utf-8") != json.dumps(key):
                for old in self.folder.glob(_DATED):
                    old.unlink()  # of other reports or options
                _write(mark, key)
        except OSError as why:
            raise UnreadableFile(f"{self.folder}: cannot be written ({why.strerror}); give another folder with --out") from why

    def load(self, days: Iterable[date]) -> dict[date, Dated]:
        """Those of these dates that are done; one that cannot be read is done anew."""
        if self.folder is None:
            return {}
        done = {}
        for day in days:
            try:
                held = json.loads((self.folder / f"{day}.json").read_text(encoding="utf-8"))
                if any(set(r) != _SIGNAL for r in held["signals"]):
                    continue  # of an earlier version
                done[day] = Dated(day, _revived(held["counts"]), *([_revived(r) for r in held[k]] for k in ("signals", "alarms")))
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return done

    def add(self, made: Dated) -> None:
        """Written whole or not at all."""
        if self.folder is None:
            return
        try:
            _write(self.folder / f"{made.day}.json", {"counts": made.counts, "signals": made.signals, "alarms": made.alarms})
        except OSError as why:
            raise UnreadableFile(f"{self.folder}: cannot be written ({why.strerror}); make room, then the same run goes on") from why


def count_kept(out: Path) -> int:
    """How many dates are done in a folder."""
    return len(list((out / "looks").glob(_DATED)))


def _write(path: Path, what: Any) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(what, ensure_ascii=False, default=str), encoding="utf-8")
    os.replace(part, path)


def _revived(row: Row) -> Row:
    return {k: date.fromisoformat(v) if k in _DAYS and v is not None else v for k, v in row.items()}
