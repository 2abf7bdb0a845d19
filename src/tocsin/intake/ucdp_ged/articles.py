"""The press articles that a GED row cites: `"office,YYYY-MM-DD,headline";"office,YYYY-MM-DD,headline"`."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from tocsin.kernels import citations as cut
from tocsin.kernels.arrow import StringMemory, addresses, string_columns
from tocsin.kernels.views import SLACK, lay_out, long_bytes

_KEYS = ["row", "office", "date", "headline"]
_ODD = {"row": pl.Int64, "field": pl.String, "value": pl.String, "reason": pl.String}
_MALFORMED = "not of the form office,date,headline: no press report made of it"
_TWICE = "this article stands twice in the row: one press report made of the two"
_BLOCK = 65_536  # cells cut in one go: places in their text are 32-bit numbers


def articles(cells: pl.Series, rows: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The dated articles of each row, what they tell of it, and what about them is odd.

    Returns (row Int64, office, date Date, headline; in the order of the cell); a line a cell of (text: the headlines, a line each; first_source Date),
    null where it names no article; and (row, field, value, reason). A cell without a date, as all before 2013 are (`R 7/2 1990`), names no article.
    """
    blocks = [_block(cells.slice(at, _BLOCK), rows.slice(at, _BLOCK)) for at in range(0, max(len(cells), 1), _BLOCK)]
    found, of_rows, odd = zip(*blocks, strict=True)
    return pl.concat(found), pl.concat(of_rows), pl.concat(odd)


def _block(cells: pl.Series, rows: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    texts = cells.fill_null("")
    stops = np.cumsum(texts.str.len_bytes().to_numpy(), dtype=np.int64)
    whole = pl.concat([texts, pl.Series(texts.name, [" " * SLACK])]).str.join("").cast(pl.Binary).item()
    buf = np.frombuffer(whole, np.uint8)
    found = np.empty((cut.most_parts(buf, stops), cut.PART_COLUMNS), np.int32)
    found = found[: cut.parts(buf, stops, found)]
    good = found[:, cut.DAY] != cut.NO_DAY
    keep = good & ~_again(buf, found, good)
    lines, text, first = _headlines(buf, found, keep, len(cells))
    kept = found[keep]
    read = pl.DataFrame(
        {
            "row": rows.gather(kept[:, cut.CELL]),
            "office": _strings(buf, kept[:, [cut.OFFICE, cut.OFFICE_SIZE]]),
            "date": pl.Series(kept[:, cut.DAY]).cast(pl.Date),
            "headline": lines,
        }
    )
    of_rows = pl.DataFrame({"text": text, "first_source": first})
    return read, of_rows, pl.concat([_odd(buf, found[~good], rows, _MALFORMED), _odd(buf, found[good & ~keep], rows, _TWICE)])


def _again(buf: Any, found: Any, good: Any) -> Any:
    """Which parts repeat an earlier article of the same cell."""
    cell = found[:, cut.CELL]
    several = good & (np.bincount(cell[good], minlength=int(cell.max(initial=0)) + 1)[cell] > 1)
    again = np.zeros(len(found), bool)
    if several.any():
        some = found[several]
        keys = pl.DataFrame(
            {
                "cell": some[:, cut.CELL],
                "day": some[:, cut.DAY],
                "office": _strings(buf, some[:, [cut.OFFICE, cut.OFFICE_SIZE]]),
                "headline": _strings(buf, some[:, [cut.HEADLINE, cut.HEADLINE_SIZE]]),
            }
        )
        again[several] = ~keys.select(pl.struct(pl.all()).is_first_distinct()).to_series().to_numpy()
    return again


def _headlines(buf: Any, found: Any, keep: Any, cells: int) -> tuple[pl.Series, pl.Series, pl.Series]:
    """The headline of each part kept; and of each cell, its headlines together and its first day."""
    texts = np.empty(int(found[keep, cut.HEADLINE_SIZE].sum()) + len(found) + SLACK, np.uint8)
    lines = np.zeros((len(found), 2), np.int32)
    of_cells = np.zeros((cells, 2), np.int32)
    days = np.full(cells, cut.NO_DAY, np.int32)
    cut.joined(buf, found, keep, texts, lines, of_cells, days)
    first = pl.Series(days).to_frame("d").select(pl.when(pl.col("d") != cut.NO_DAY).then(pl.col("d")).cast(pl.Date)).to_series()
    return _strings(texts, lines[keep]), _strings(texts, of_cells), first


def _strings(buf: Any, spans: Any) -> pl.Series:
    """The texts at `spans` (n x 2: begin, length), null where one is empty."""
    starts, lens = np.ascontiguousarray(spans[:, :1]), np.ascontiguousarray(spans[:, 1:])
    only = np.zeros(1, np.int64)
    place = StringMemory(len(spans), int(long_bytes(lens, len(spans), only)[0]))
    nulls, used = lay_out(buf, starts, lens, len(spans), only, addresses([place]))
    return string_columns([""], [place], nulls, used)[0]


def _odd(buf: Any, parts: Any, rows: pl.Series, reason: str) -> pl.DataFrame:
    """Parts as issues."""
    if not len(parts):
        return pl.DataFrame(schema=_ODD)
    value = _strings(buf, parts[:, [cut.BEGIN, cut.SIZE]]).str.slice(0, 200)
    frame = pl.DataFrame({"row": rows.gather(parts[:, cut.CELL]), "value": value})
    return frame.select("row", field=pl.lit("source_article"), value="value", reason=pl.lit(reason))
