"""Countries as sources write them -> ISO 3166-1 alpha-3."""

from __future__ import annotations

from functools import cache

import polars as pl

from tocsin.terms.countries import countries


@cache
def _table() -> dict[str, dict[str, str]]:
    names: dict[str, str] = {}
    numbers: dict[str, str] = {}
    for code, entry in countries().items():
        numbers[str(int(entry["number"]))] = code
        for name in (code, *entry["names"]):
            names[name.lower()] = code
    return {"names": names, "numbers": numbers}


def iso3(numbers: pl.Series, names: pl.Series) -> tuple[pl.Series, pl.Series]:
    """(alpha-3 codes, where a country is stated but not known), from ISO numbers and, where those are silent, names."""
    table = _table()
    by_number = (
        numbers.str.replace(r"\.0+$", "").str.strip_chars_start("0").replace_strict(table["numbers"], default=None, return_dtype=pl.String)
    )
    by_name = names.str.to_lowercase().str.strip_chars().replace_strict(table["names"], default=None, return_dtype=pl.String)
    code = by_number.fill_null(by_name)
    return code, code.is_null() & (names.is_not_null() | numbers.is_not_null())
