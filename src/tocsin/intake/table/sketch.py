"""Drafts the description of a table from its header and first rows."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import yaml

from tocsin.intake.files import open_table

#: What a column's name suggests; the first that fits wins. Only a draft: the user reads it.
_HINTS: tuple[tuple[str, str], ...] = (
    ("own_id", r"^(event_?)?id$|_id$|^unique_id$|^ref(erence)?$"),
    ("event_end", r"(date|day)_?(end|last|to)|end_?date|last_?day"),
    ("event_start", r"date|^day$|day_first|^when$"),
    ("lat", r"^lat(itude)?$|^y$"),
    ("lon", r"^lon(g|gitude)?$|^lng$|^x$"),
    ("radius_km", r"radius|precision_km|uncertainty"),
    ("country", r"^iso3?$|country"),
    ("admin1", r"adm(in)?_?1|province|state$|region"),
    ("admin2", r"adm(in)?_?2|district|county"),
    ("place", r"place|town|city|village|location|where"),
    ("killed_low", r"(killed|deaths|dead|fatal\w*)_?(low|min)"),
    ("killed_high", r"(killed|deaths|dead|fatal\w*)_?(high|max)"),
    ("killed_civilians", r"civilian"),
    ("killed", r"killed|deaths|dead|fatal"),
    ("wounded", r"wounded|injur"),
    ("actor", r"actor|perpetrator|^group$|side_a"),
    ("text", r"text|note|summary|headline|description|comment|remark"),
    ("url", r"url|link"),
    ("lang", r"^lang(uage)?$"),
)
_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d %B %Y", "%d %b %Y", "%Y/%m/%d", "%Y%m%d")


def sketch(path: Path) -> str:
    """A commented YAML for `--spec`. Raises what `open_table` raises."""
    table = open_table(Path(path))
    head = next((batch.frame.head(200) for batch, _ in table.batches()), pl.DataFrame({h: [] for h in table.header}))
    values: list[str] = []
    left: list[str] = []
    taken: set[str] = set()
    for column in table.header:
        target = _target(column, taken)
        sample = head[column].drop_nulls().cast(pl.String).head(3).to_list() if column in head.columns else []
        shown = f"  # e.g. {', '.join(s[:30] for s in sample)}".replace("\n", " ") if sample else "  # empty in the first rows"
        if target is None:
            left.append(f"  {_quoted(column)}: not read{shown}")
            continue
        taken.add(target)
        values.append(f"  {target}: {_draft(target, column, head)}{shown}")
    return "\n".join(
        [
            f"# Description of {table.file} for `tocsin read {table.file} --spec THIS`. A draft from names and first rows: check every line.",
            "# What may stand under values, and in which unit: docs/reference/tables.md. Lookups: {column: kind, lookup: {A: one_sided}}.",
            "agency: NAME OF WHO REPORTS       # or {column: name of a column}",
            "one_report_per_incident: false    # true only where the source promises it",
            "values:",
            *values,
            "  # violence: {constant: one_sided}   # one_sided, state_based, non_state, interstate, unknown",
            "ignored:                          # every other column, with the reason",
            *(left or ["  {}"]),
            "",
        ]
    )


def _target(column: str, taken: set[str]) -> str | None:
    name = re.sub(r"\W+", "_", column.strip().lower())
    return next((t for t, hint in _HINTS if t not in taken and re.search(hint, name)), None)


def _draft(target: str, column: str, head: pl.DataFrame) -> str:
    if target not in ("event_start", "event_end") or column not in head.columns:
        return _quoted(column)
    cells = head[column].drop_nulls()
    bad = {f: cells.str.to_date(f, strict=False).null_count() for f in _FORMATS}
    fits = sorted((f for f in _FORMATS if bad[f] * 2 <= len(cells)), key=lambda f: bad[f])
    if not fits or not len(cells):
        return f"{{column: {_quoted(column)}, formats: [GIVE THE FORM]}}"
    return _quoted(column) if fits[0] == "%Y-%m-%d" else f'{{column: {_quoted(column)}, formats: ["{fits[0]}"]}}'


def _quoted(text: str) -> str:
    """`text` as a YAML scalar."""
    return str(yaml.safe_dump(text, default_flow_style=True, width=10_000)).removesuffix("\n").removesuffix("...").strip()
