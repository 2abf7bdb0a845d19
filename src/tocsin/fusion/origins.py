"""Who is independent of whom: many reports that repeat one account corroborate nothing (circular reporting).

One origin: reports that name the same origin, those taken out of one another, and those whose words are nearly the same.
"""

from __future__ import annotations

import re
from collections import Counter

import polars as pl

_RUN = 3  # words in a row that are compared
_FEWEST = 4  # runs that a text needs to be compared: six words
_SAME = 0.75  # share of the shorter text's runs that the other has too (containment, Broder 1997)
_WORD = re.compile(r"\w+")


def with_source(reports: pl.DataFrame) -> pl.DataFrame:
    """Reports of clusters with `_source`, equal for those of one cluster that are not independent. Columns needed: _cluster, _derived, origin, text."""
    if not reports["_derived"].any():
        out = reports.with_columns(_source="origin")
    else:
        above = reports.select(_above="report_id", _above_origin="origin")
        out = reports.with_columns(_above=pl.when("_derived").then(pl.col("derived_from").list.first()))
        out = out.join(above, on="_above", how="left", maintain_order="left").with_columns(_source=pl.coalesce("_above_origin", "origin"))
        out = out.drop("_above", "_above_origin")
    several = pl.col("_source").n_unique().over("_cluster") > 1
    worded = out.with_row_index("_at").filter(pl.col("text").is_not_null() & several).filter(pl.len().over("_cluster") > 1)
    if worded.is_empty():
        return out
    source = out["_source"].to_list()
    changed: dict[tuple[int, str], str] = {}
    for cluster, at, texts in worded.group_by("_cluster", maintain_order=True).agg("_at", "text").iter_rows():
        for a, b in repeats(texts):
            _join(changed, cluster, source[at[a]], source[at[b]])
    if not changed:
        return out
    new = pl.DataFrame(
        [(c, old, _root(changed, c, old)) for c, old in changed],
        schema={"_cluster": out.schema["_cluster"], "_source": pl.String, "_one": pl.String},
        orient="row",
    )
    joined = out.join(new, on=["_cluster", "_source"], how="left", maintain_order="left")
    return joined.with_columns(_source=pl.coalesce("_one", "_source")).drop("_one")


def repeats(texts: list[str]) -> list[tuple[int, int]]:
    """Pairs (earlier, later) of texts of which one repeats the other nearly word for word; each text is compared with the first of its kind."""
    found: list[tuple[int, int]] = []
    holders: dict[tuple[str, ...], list[int]] = {}
    sizes: dict[int, int] = {}
    for k, text in enumerate(texts):
        words = _WORD.findall(text.casefold())
        runs = {tuple(words[i : i + _RUN]) for i in range(len(words) - _RUN + 1)}
        if len(runs) < _FEWEST:
            continue
        shared = Counter(other for run in runs for other in holders.get(run, ()))
        same = [other for other, n in shared.items() if n >= _SAME * min(len(runs), sizes[other])]
        found += [(other, k) for other in sorted(same)]
        if not same:
            sizes[k] = len(runs)
            for run in runs:
                holders.setdefault(run, []).append(k)
    return found


def _root(joined: dict[tuple[int, str], str], cluster: int, origin: str) -> str:
    while joined.get((cluster, origin), origin) != origin:
        origin = joined[cluster, origin]
    return origin


def _join(joined: dict[tuple[int, str], str], cluster: int, one: str, other: str) -> None:
    a, b = sorted((_root(joined, cluster, one), _root(joined, cluster, other)))
    if a != b:
        joined[cluster, b] = a
