"""What was not taken of a file, by reason: a desk reads ten reasons with their rows, and not ten thousand lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

REASONS, VALUES, RANGES = 200, 5, 400  # that are told: reasons, values of each that differ, and stretches of rows of each


def summed(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By (reason, field), the most frequent first: how many lines, in which rows, with some of their values."""
    groups: dict[tuple[str, str], tuple[list[int], list[str]]] = {}
    for line in lines:
        rows, values = groups.setdefault((line["reason"], line["field"] or ""), ([], []))
        rows.append(line["row"])
        if line["value"] is not None and len(values) < VALUES and (value := str(line["value"])[:200]) not in values:
            values.append(value)
    out: list[dict[str, Any]] = []
    for (reason, field), (rows, values) in groups.items():
        stretches = ranges(rows)
        told = {"rows": stretches[:RANGES], "more": len(stretches) > RANGES}
        out.append({"reason": reason, "field": field, "many": len(rows), "values": values, **told})
    out.sort(key=lambda one: (-one["many"], one["reason"], one["field"]))
    if len(out) > REASONS:
        rest = sum(one["many"] for one in out[REASONS:])
        out[REASONS:] = [{"reason": "other reasons", "field": "", "many": rest, "values": [], "rows": [], "more": True}]
    return out


def ranges(rows: Iterable[int]) -> list[str]:
    """Row numbers as a person writes them: 3, 5-9."""
    out: list[list[int]] = []
    for row in sorted(set(rows)):
        if out and row == out[-1][1] + 1:
            out[-1][1] = row
        else:
            out.append([row, row])
    return [str(a) if a == b else f"{a}-{b}" for a, b in out]
