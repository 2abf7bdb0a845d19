"""The cutter of cited articles gives what regular expressions give."""

from __future__ import annotations

import datetime as dt

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.oracles import articles as oracle
from tocsin.intake.ucdp_ged.articles import articles

_PIECES = st.sampled_from(
    [
        '"',
        ";",
        ",",
        '";"',
        ",2015-05-13,",
        ",2015-02-30,",
        ",0999-01-01,",
        ",2016-02-29,",
        "AFP",
        "Dawn, Karachi",
        " ",
        "\n",
        "\u00a0",
        "é",
        "بم",
        "2015-05-13",
        "15 killed",
    ]
)
_CELLS = st.lists(st.one_of(st.none(), st.lists(_PIECES, max_size=12).map("".join)), max_size=6)


def _expected(
    cells: list[str | None],
) -> tuple[list[tuple[int, str, dt.date, str | None]], list[tuple[str | None, dt.date | None]], list[str]]:
    found: list[tuple[int, str, dt.date, str | None]] = []
    rows: list[tuple[str | None, dt.date | None]] = []
    odd: list[str] = []
    for row, cell in enumerate(cells):
        good, bad, twice = oracle.articles(cell or "")
        found += [(row, office, date, headline or None) for office, date, headline in good]
        rows.append(("\n".join(h for _, _, h in good if h) or None, min((d for _, d, _ in good), default=None)))
        odd += [*bad, *twice]
    return found, rows, odd


@settings(deadline=None)  # the first example compiles
@given(_CELLS)
@example(['"AFP,2015-05-13,a ""b"" c";"AFP,2015-05-13,d"', None, "R 7/2 1990", ",2015-05-13,x", '"AFP,2015-05-13,";"AFP,2015-05-13,"'])
@example([",2015-05-1", "a,2015-05-13,", "a,2015-05-13,b" * 3])
def test_articles_are_cut_as_the_regular_expressions_cut_them(cells: list[str | None]) -> None:
    found, rows, odd = articles(pl.Series("source_article", cells, dtype=pl.String), pl.int_range(len(cells), dtype=pl.Int64, eager=True))
    expected = _expected(cells)
    assert found.rows() == expected[0]
    assert rows.rows() == expected[1]
    assert sorted(v or "" for v in odd["value"]) == sorted(v[:200] for v in expected[2])


def test_cells_beyond_one_block_keep_their_rows() -> None:
    cells = pl.Series([None] * 65_535 + ['"AFP,2015-05-13,one"', '"AFP,2015-05-14,two"'], dtype=pl.String)
    found, rows, _ = articles(cells, pl.int_range(2, 65_539, dtype=pl.Int64, eager=True))
    assert found["row"].to_list() == [65_537, 65_538]
    assert rows.tail(2)["text"].to_list() == ["one", "two"]
