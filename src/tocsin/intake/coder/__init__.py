"""The text coder: headlines and notes -> what was hit, how, how many died, and the words that say so.

    words (lexicon.yml, places) -> tables.py -> kernels/text*.py -> columns

It codes who was hit, never who did it, and is silent where the words are. The rules are in docs/methods/text-coder.md.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.errors import ContractError
from tocsin.intake.coder.lexicon import lexicon
from tocsin.intake.coder.tables import Compiled, compiled
from tocsin.kernels import text_code
from tocsin.kernels.text_spans import SpanMemory, Values, values_of
from tocsin.terms.tables import SPAN

__all__ = ["Coder", "code"]

_ROWS = 16_384  # of a block: its words and spans stay in the cache
_thread = threading.local()
_SLACK = 32  # bytes that the kernels may read past the last text


def code(texts: pl.Series, *, places: Mapping[str, str] | None = None) -> pl.DataFrame:
    """What each text says of the attack that it reports.

    texts: String; several headlines stand on lines of their own. places: written form -> name to give, for the column `place`.

    Returns a row a text: target_type, target_group, attack_type, weapon_type (codes of terms/taxonomies), killed_low, killed, killed_high, wounded
    (persons, Int32), place, coded_spans (List of terms.tables.SPAN, offsets in code points; [] where nothing was coded). Null is silence.
    Raises `ContractError` where `texts` is no String series.
    """
    return _coder(frozenset((places or {}).items()), None).code(texts)


@cache
def _coder(places: frozenset[tuple[str, str]], path: str | None) -> Coder:
    return Coder(path, places=dict(sorted(places)))


def _scratch(spans: int) -> tuple[Any, NDArray[np.int32]]:
    """This thread's room for a line, and for so many spans; kept, for new pages cost more than what is written on them."""
    if not hasattr(_thread, "room"):
        _thread.room, _thread.found = text_code.new_room(), np.empty((0, text_code.SPAN_COLUMNS), np.int32)
    if len(_thread.found) < spans:
        _thread.found = np.empty((spans, text_code.SPAN_COLUMNS), np.int32)
    return _thread.room, _thread.found


class Coder:
    """A text coder with a lexicon of one's own: the path of a YAML file like the bundled lexicon.yml.

    Raises `SpecError` where the lexicon is wrong.
    """

    def __init__(self, lexicon_path: str | os.PathLike[str] | None = None, *, places: Mapping[str, str] | None = None) -> None:
        self._made: Compiled = compiled(lexicon(None if lexicon_path is None else os.fspath(lexicon_path)), places or {})
        self._values: Values = values_of(self._made.codes, self._made.places)

    def code(self, texts: pl.Series, *, threads: int | None = None) -> pl.DataFrame:
        """As `tocsin.intake.coder.code`; `threads` is the number of cores to use, all where it is not given."""
        if texts.dtype == pl.Null:
            texts = texts.cast(pl.String)
        if texts.dtype != pl.String:
            raise ContractError(f"the text coder reads a String column, not {texts.dtype}; cast it first")
        values = np.empty((len(text_code.FIELDS), len(texts)), np.int32)
        starts = range(0, len(texts), _ROWS)
        workers = min(threads or os.cpu_count() or 1, len(starts))
        if workers > 1:
            with ThreadPoolExecutor(workers) as pool:
                spans = list(pool.map(lambda at: self._block(texts, at, values), starts))
        else:
            spans = [self._block(texts, at, values) for at in starts]
        return self._frame(values, spans)

    def _block(self, texts: pl.Series, at: int, values: NDArray[np.int32]) -> pl.Series:
        """Codes the texts of one block into its columns of `values`: the spans."""
        block = texts.slice(at, _ROWS).fill_null("")
        stops = np.cumsum(block.str.len_bytes().to_numpy(), dtype=np.int64)
        whole = pl.concat([block, pl.Series(block.name, [" " * _SLACK])]).str.join("").cast(pl.Binary).item()
        buf = np.frombuffer(whole, np.uint8)
        counts = np.empty(len(block), np.int32)
        room, found = _scratch(len(text_code.FIELDS) * (len(block) + text_code.newlines(buf)))
        n = text_code.code(buf, stops, self._made.tables, room, values[:, at : at + len(block)], found, counts)
        return SpanMemory(buf, found[:n], counts, self._values).series("coded_spans")

    def _frame(self, values: NDArray[np.int32], spans: list[pl.Series]) -> pl.DataFrame:
        columns = []
        for field, name in enumerate(text_code.FIELDS):
            numbers = pl.Series(name, values[field])
            known = numbers.to_frame().select(pl.when(pl.col(name) >= 0).then(pl.col(name))).to_series()
            if field < text_code.CODES or field == text_code.PLACE:
                texts = self._made.codes[field] if field < text_code.CODES else self._made.places
                known = pl.Series(name, [*texts, ""], dtype=pl.String).gather(known.cast(pl.UInt32))
            columns.append(known.alias(name))
        every = pl.concat(spans) if spans else pl.Series("coded_spans", [], dtype=pl.List(SPAN))
        return pl.DataFrame([*columns, every.alias("coded_spans")])
