"""Splits a block of delimited UTF-8 text into records and cells.

Grammar: RFC 4180, read leniently where real files differ from it. A record ends at LF, CR LF or CR outside quotes. A cell that begins with
a quote runs to the quote that a delimiter, a line end or the end of the text follows; inside it two quotes stand for one. A quote
elsewhere is data.

A record whose quoting is damaged ends at its first line end, and reading resumes at the next line, so that one bad record costs itself
only. It is damaged where its quote is never closed, where something other than a delimiter follows the closing quote, or where it runs
over several lines, has the wrong number of cells or a quote astray in a cell that does not begin with one, and the line after its first
is a better record by itself: with the right number of cells and, if the long one has that too, no quote astray.

What a record is found to be depends on the text alone, never on where a block was cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tocsin.kernels.utf8 import first_bad_byte, has_nul
from tocsin.kernels.words import HIGH, LOW, compiled, get, inlined, trailing_zeros, zero_bytes

# What a record turned out to be.
GOOD, UNCLOSED, STRAY, SHORT, LONG, BLANK, NUL, BAD_BYTE, REPEATED, TOO_LONG = range(10)
LIMIT = 16 << 20
"""A record of more bytes than this is cut here: it bounds what one missing quote can cost."""

_MORE = -1  # the block ends before the record is known to
_QUOTE, _LF, _CR = 34, 10, 13
_QUOTES, _LFS, _CRS = np.uint64(34) * LOW, np.uint64(10) * LOW, np.uint64(13) * LOW


@inlined
def _plain_end(buf: Any, at: Any, stop: Any, delim: Any) -> Any:
    """Where the cell without quotes that goes on at `at` ends."""
    text = buf.ctypes.data
    delims = np.uint64(delim) * LOW
    while at + 8 <= stop:
        word = get(text + at)
        mask = zero_bytes(word ^ delims) | zero_bytes(word ^ _LFS) | zero_bytes(word ^ _CRS)
        if mask != 0:
            return at + (trailing_zeros(mask) >> 3)
        at += 8
    while at < stop and buf[at] != delim and buf[at] != _LF and buf[at] != _CR:
        at += 1
    return at


@inlined
def _closing_quote(buf: Any, at: Any, stop: Any) -> Any:
    """(where the quote stands that closes the cell going on at `at`, or `stop`; doubled quotes were seen; line ends perhaps)."""
    text = buf.ctypes.data
    doubled = False
    lines = np.uint64(0)
    while at < stop:
        if at + 8 <= stop:
            word = get(text + at)
            lines |= zero_bytes(word ^ _LFS) | zero_bytes(word ^ _CRS)
            mask = zero_bytes(word ^ _QUOTES)
            if mask == 0:
                at += 8
                continue
            at += trailing_zeros(mask) >> 3
        elif buf[at] != _QUOTE:
            lines = HIGH
            at += 1
            continue
        if at + 1 >= stop or buf[at + 1] != _QUOTE:
            return at, doubled, lines != 0
        doubled = True
        at += 2
    return stop, doubled, lines != 0


@inlined
def _line_end(buf: Any, at: Any, stop: Any, final: Any) -> Any:
    """Where the line begins that follows the CR or LF at `at`; -1 where only the next byte could tell."""
    if buf[at] == _LF:
        return at + 1
    if at + 1 >= stop:
        return at + 1 if final else _MORE
    return at + 2 if buf[at + 1] == _LF else at + 1


@compiled
def record(buf: Any, begin: Any, stop: Any, final: Any, delim: Any, starts: Any, lens: Any) -> Any:
    """The record at `begin`, taken at its word: (GOOD, UNCLOSED, STRAY, or -1 where more bytes are needed; cells; end of its bytes; begin
    of the next; whether it may run over several lines).

    `starts` and `lens` get the cells, as many as they have room for; a length below 0 is ~length of a cell with doubled quotes in it.
    `final` says that nothing follows `stop`.
    """
    at = begin
    cells = 0
    lines = False
    while True:
        start = at
        if at < stop and buf[at] == _QUOTE:
            start += 1
            at, doubled, more = _closing_quote(buf, start, stop)
            lines = lines or more
            if at >= stop or (at + 1 >= stop and not final):
                return (UNCLOSED if final else _MORE), cells, stop, stop, lines
            size = at - start
            if doubled:
                size = ~size
            at += 1
            if at < stop and buf[at] != delim and buf[at] != _LF and buf[at] != _CR:
                return STRAY, cells, at, at, lines
        else:
            at = _plain_end(buf, at, stop, delim)
            size = at - start
        if cells < len(starts):
            starts[cells] = start
            lens[cells] = size
        cells += 1
        if at >= stop:
            return (GOOD if final else _MORE), cells, stop, stop, lines
        if buf[at] != delim:
            follows = _line_end(buf, at, stop, final)
            return (GOOD if follows != _MORE else _MORE), cells, at, follows, lines
        at += 1


@compiled
def _first_line(buf: Any, begin: Any, stop: Any, final: Any) -> Any:
    """(end, begin of the next) of the line at `begin`; the next is -1 where more bytes are needed."""
    at = begin
    while at < stop and buf[at] != _LF and buf[at] != _CR:
        at += 1
    if at >= stop:
        return at, (at if final else _MORE)
    return at, _line_end(buf, at, stop, final)


@compiled
def _swallowed(buf: Any, begin: Any, end: Any, stop: Any, final: Any, limit: Any, delim: Any, spare: Any, fits: Any) -> Any:
    """GOOD where `begin:end` is one record for all that is known, UNCLOSED where it swallowed a line that is a whole record, or -1.

    `fits`: it has the right number of cells; then the second line must have no quotes astray either.
    """
    _, second = _first_line(buf, begin, end, True)
    if second >= end:
        return GOOD
    edge = min(stop, second + limit)
    kind, again, _, _, _ = record(buf, second, edge, final or edge < stop, delim, spare[0], spare[1])
    if kind == _MORE:
        return _MORE
    if kind != GOOD or again != spare.shape[1] or (fits and _quotes_astray(buf, second, spare[0], spare[1])):
        return GOOD
    return UNCLOSED


@compiled
def _quotes_astray(buf: Any, begin: Any, starts: Any, lens: Any) -> Any:
    """True where a cell that does not begin with a quote has one."""
    for k in range(len(starts)):
        if starts[k] == begin or buf[starts[k] - 1] != _QUOTE:
            for at in range(starts[k], starts[k] + lens[k]):
                if buf[at] == _QUOTE:
                    return True
    return False


@compiled
def _judged(buf: Any, begin: Any, stop: Any, final: Any, limit: Any, delim: Any, starts: Any, lens: Any, spare: Any) -> Any:
    """`record`, with the rule for damaged quotes and the limit applied."""
    edge = min(stop, begin + limit)
    cut = edge < stop
    kind, cells, end, follows, lines = record(buf, begin, edge, final or cut, delim, starts, lens)
    fits = cells == len(starts)
    if kind == GOOD and lines and not (fits and not _quotes_astray(buf, begin, starts, lens)):
        kind = _swallowed(buf, begin, end, stop, final, limit, delim, spare, fits)
    if kind in (UNCLOSED, STRAY):
        damage = end
        end, follows = _first_line(buf, begin, edge, final or cut)
        if damage > end:
            kind = UNCLOSED  # the quote that seems to close it belongs to a later line
        if follows == _MORE:
            kind = _MORE
    if kind != _MORE and cut and end >= edge:
        return TOO_LONG, cells, edge, edge
    return kind, cells, end, follows


@compiled
def _repeats_header(buf: Any, starts: Any, lens: Any, header: Any, ends: Any) -> Any:
    begin = 0
    for k in range(len(ends)):
        start, size = starts[k], lens[k]
        if size < 0:
            size = ~size
        if k == 0 and size == ends[0] + 3 and buf[start] == 0xEF and buf[start + 1] == 0xBB and buf[start + 2] == 0xBF:
            start, size = start + 3, size - 3  # files joined end to end keep each one's byte order mark
        if size != ends[k] - begin:
            return False
        for i in range(size):
            if buf[start + i] != header[begin + i]:
                return False
        begin = ends[k]
    return len(ends) > 0


@compiled
def _verdict(buf: Any, begin: Any, end: Any, cells: Any, dirty: Any, starts: Any, lens: Any, header: Any, ends: Any) -> Any:
    """What a record with sound quotes is."""
    if dirty and has_nul(buf, begin, end):
        return NUL
    if dirty and first_bad_byte(buf, begin, end) < end:
        return BAD_BYTE
    if cells != len(starts):
        return SHORT if cells < len(starts) else LONG
    return REPEATED if _repeats_header(buf, starts, lens, header, ends) else GOOD


@compiled
def scan(buf: Any, stop: Any, text: Any, header: Any, starts: Any, lens: Any, spans: Any, kinds: Any) -> Any:
    """Records of `buf[:stop]`: (records, good ones, bytes used).

    `text` is (final, delimiter, limit, dirty): whether nothing follows `stop`; the delimiter's byte; the most bytes a record may have;
    whether a NUL or a bad byte stands somewhere in the block, so that each record has to be looked at for them. `header` is (its cells
    joined, where each ends), both empty where records that repeat it are not to be told. `starts` and `lens` (rows x cells, int32) get the
    cells of good records, one after another, as in `record`; `spans` (records x 3, int32) begin, end and cells of every record, `kinds`
    its verdict. Stops where any of them is full or, unless `final`, where a record may go on past `stop`.
    """
    final, delim, limit, dirty = text
    spare = np.empty((2, starts.shape[1]), np.int32)
    records = 0
    good = 0
    at = 0
    while at < stop and records < len(kinds) and good < len(starts):
        if buf[at] == _LF or buf[at] == _CR:
            kind, cells, end, follows = BLANK, 1, at, _line_end(buf, at, stop, final)
            if follows == _MORE:
                break
        else:
            kind, cells, end, follows = _judged(buf, at, stop, final, limit, delim, starts[good], lens[good], spare)
            if kind == _MORE:
                break
            if kind == GOOD:
                kind = _verdict(buf, at, end, cells, dirty, starts[good], lens[good], header[0], header[1])
        spans[records, 0], spans[records, 1], spans[records, 2] = at, end, cells
        kinds[records] = kind
        records += 1
        good += kind == GOOD
        at = follows
    return records, good, at
