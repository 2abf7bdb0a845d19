"""What R answered: the simulated series that is bundled, and the published one where it is at hand."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BUNDLED = HERE / "r_reference" / "surveillance_simulated.csv"
#: Where the published series lies, which is not bundled: its licence is not stated clearly enough for this project.
ELSEWHERE = Path(os.environ.get("TOCSIN_R_REFERENCE", HERE.parents[2] / "shared" / "data" / "r_reference"))


def columns(path: Path) -> dict[str, list[str]]:
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def number(text: str) -> float:
    return float("nan") if text in ("NA", "NaN") else float(text)


def published(name: str) -> tuple[list[int], list[int], list[float], list[bool]]:
    """The counts of salmNewport, and the looks, bounds and alarms that R answered."""
    if not (ELSEWHERE / "salmNewport_weekly.csv").exists():
        pytest.skip(
            "salmNewport and R's answers are not bundled (no clear licence): set TOCSIN_R_REFERENCE to their folder, or run bench/surveillance.py"
        )
    counts, answer = columns(ELSEWHERE / "salmNewport_weekly.csv")["y"], columns(ELSEWHERE / f"{name}.csv")
    looks = [int(i) - 1 for i in answer["i"]]
    return [int(y) for y in counts], looks, [number(u) for u in answer["ub"]], [a == "TRUE" for a in answer["alarm"]]
