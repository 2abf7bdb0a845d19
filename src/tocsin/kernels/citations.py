"""Cuts `"office,YYYY-MM-DD,headline";"office,YYYY-MM-DD,headline"` into its parts.

The office may hold commas and the headline quotes and semicolons: the first date between two commas tells them apart. tests/oracles/articles.py says the
same with regular expressions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tocsin.kernels.words import compiled, get, put

#: Columns of a part: number of its cell; begin and length of the office, of the headline and of the whole part; day since 1970-01-01, NO_DAY for none.
CELL, OFFICE, OFFICE_SIZE, HEADLINE, HEADLINE_SIZE, BEGIN, SIZE, DAY = range(8)
PART_COLUMNS = 8
NO_DAY = np.iinfo(np.int32).min

_QUOTE, _SEMICOLON, _COMMA, _HYPHEN, _NEWLINE = 34, 59, 44, 45, 10
_DATE = 12  # bytes of ,YYYY-MM-DD,
_FEWEST = _DATE  # bytes of the shortest part there can be


@compiled
def _digit(byte: Any) -> Any:
    return 48 <= byte <= 57


@compiled
def _is_date(buf: Any, at: Any) -> Any:
    """The bytes from `at` are a comma, ten characters of the form of a date, and a comma."""
    if buf[at] != _COMMA or buf[at + 11] != _COMMA or buf[at + 5] != _HYPHEN or buf[at + 8] != _HYPHEN:
        return False
    digits = True
    for k in (1, 2, 3, 4, 6, 7, 9, 10):
        digits &= _digit(buf[at + k])
    return digits


@compiled
def _day(buf: Any, at: Any) -> Any:
    """Days since 1970-01-01 of the date that begins at `at` (Hinnant, days_from_civil), or NO_DAY for one that does not exist."""
    year = np.int64(buf[at] - 48) * 1000 + np.int64(buf[at + 1] - 48) * 100 + np.int64(buf[at + 2] - 48) * 10 + np.int64(buf[at + 3] - 48)
    month = np.int64(buf[at + 5] - 48) * 10 + np.int64(buf[at + 6] - 48)
    day = np.int64(buf[at + 8] - 48) * 10 + np.int64(buf[at + 9] - 48)
    if year < 1000 or not 1 <= month <= 12 or day < 1:
        return NO_DAY
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    longest = 28 + leap if month == 2 else (30 if month in (4, 6, 9, 11) else 31)
    if day > longest:
        return NO_DAY
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


@compiled
def _find_date(buf: Any, at: Any, stop: Any, through_quotes: Any) -> Any:
    """Where the first `,YYYY-MM-DD,` begins; -1 where there is none, or a quote comes before it and may not."""
    while at + _DATE <= stop:
        if buf[at] == _COMMA and _is_date(buf, at):
            return at
        if buf[at] == _QUOTE and not through_quotes:
            return -1
        at += 1
    return -1


@compiled
def _blank(buf: Any, at: Any) -> Any:
    return buf[at] == 32 or 9 <= buf[at] <= 13


@compiled
def _stripped(buf: Any, at: Any, stop: Any) -> Any:
    """(begin, length) without white space (ASCII's and no-break spaces) at the ends."""
    going = True
    while going and at < stop:
        going = False
        if _blank(buf, at):
            at, going = at + 1, True
        elif at + 1 < stop and buf[at] == 0xC2 and buf[at + 1] == 0xA0:
            at, going = at + 2, True
    going = True
    while going and at < stop:
        going = False
        if _blank(buf, stop - 1):
            stop, going = stop - 1, True
        elif at + 1 < stop and buf[stop - 2] == 0xC2 and buf[stop - 1] == 0xA0:
            stop, going = stop - 2, True
    return at, stop - at


@compiled
def _part(buf: Any, begin: Any, stop: Any, out: Any) -> None:
    """Writes one part; its day is NO_DAY where it is not of the form, names no office, or the date does not exist."""
    out[BEGIN], out[SIZE], out[DAY] = begin, stop - begin, NO_DAY
    first = begin + 1 if begin < stop and buf[begin] == _QUOTE else begin
    date = _find_date(buf, first, stop, False)
    if date < 0:
        return
    last = stop - 1 if stop > date + _DATE and buf[stop - 1] == _QUOTE else stop
    out[OFFICE], out[OFFICE_SIZE] = _stripped(buf, first, date)
    out[HEADLINE], out[HEADLINE_SIZE] = _stripped(buf, date + _DATE, last)
    if out[OFFICE_SIZE] > 0:
        out[DAY] = _day(buf, date + 1)


@compiled
def most_parts(buf: Any, stops: Any) -> Any:
    """How many parts there can be at most: one a cell, and one for each `";"`."""
    most = len(stops)
    for at in range(len(buf) - 2):
        most += buf[at] == _QUOTE and buf[at + 1] == _SEMICOLON and buf[at + 2] == _QUOTE
    return most


@compiled
def parts(buf: Any, stops: Any, out: Any) -> Any:
    """Writes the parts of every cell that has a date in it: how many.

    buf (bytes, uint8) holds the cells one behind the other, stops (n, int64) where each ends; out (most_parts x PART_COLUMNS, int32) takes the parts.
    """
    n = 0
    begin = 0
    for cell in range(len(stops)):
        stop = stops[cell]
        if stop - begin >= _FEWEST and _find_date(buf, begin, stop, True) >= 0:
            at = since = begin
            while at + 3 <= stop:
                if buf[at] == _QUOTE and buf[at + 1] == _SEMICOLON and buf[at + 2] == _QUOTE:
                    out[n, CELL] = cell
                    _part(buf, since, at, out[n])
                    n += 1
                    at += 3
                    since = at
                else:
                    at += 1
            out[n, CELL] = cell
            _part(buf, since, stop, out[n])
            n += 1
        begin = stop
    return n


@compiled
def joined(buf: Any, found: Any, keep: Any, texts: Any, headlines: Any, rows: Any, days: Any) -> Any:
    """Writes the headlines of the parts that `keep` marks, a line each, those of one cell one behind the other: bytes written.

    texts (bytes, uint8) takes them; headlines (parts x 2, int32) takes where each begins and its length; rows (cells x 2, int32, zeros) the same of a
    cell's lines together; days (cells, int32, NO_DAY) the first day of each. `buf` and `texts` go on for 8 bytes that may be read and written past the end.
    """
    source, target = buf.ctypes.data, texts.ctypes.data
    top = 0
    last = -1
    for p in range(len(found)):
        if not keep[p]:
            continue
        cell, size = found[p, CELL], found[p, HEADLINE_SIZE]
        if cell == last and size > 0 and rows[cell, 1] > 0:
            texts[top] = _NEWLINE
            top += 1
        if cell != last:
            rows[cell, 0] = top
        headlines[p, 0], headlines[p, 1] = top, size
        for at in range(0, size, 8):
            put(target + top + at, get(source + np.int64(found[p, HEADLINE]) + at))
        top += size
        rows[cell, 1] = top - rows[cell, 0]
        days[cell] = found[p, DAY] if days[cell] == NO_DAY else min(days[cell], found[p, DAY])
        last = cell
    return top
