"""How well fuse() finds which press articles tell of one event, by their headlines alone, on the articles that UCDP cites for each of its events.

usage: python bench/fusion_press.py [--train FILE]

The articles are those of the bundled UCDP GED file (office, day of publication, headline), read by the public reader of described tables; which
events each is cited for is the truth, and looked at afterwards only. Printed: pairwise figures on articles cited for one event, of tocsin with the
bundled model (trained on all these headlines, without the truth), of tocsin with a model trained on those until 2015 alone, on the articles since,
and of the overlap of headlines' words within 2 days at its best threshold; then, for articles that name a town and a toll, to which rows of GED each
belongs, what was stated and what was right, and how many were left out. --train writes the bundled model again.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import tempfile
from collections import Counter
from datetime import date
from importlib.resources import as_file, files
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
from fusion import score

import tocsin
from tocsin.fusion.press import train
from tocsin.intake.coder import code
from tocsin.intake.places import gazetteer, gazetteer_names

_SPEC = """
agency: {column: office}
values: {own_id: article, reported_at: day, country: {constant: PAK}, text: headline}
"""


def ged() -> pl.DataFrame:
    """All reports of the bundled file: its rows, and the articles taken out of them."""
    with as_file(files("tocsin.data").joinpath("ged221_pakistan.csv.gz")) as path:
        return tocsin.read(path).reports


def articles(every: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, set[str]]]:
    """(articles as reports that say what their headlines say, report_id -> the GED rows that cite it)."""
    cited = every.filter(pl.col("derived_from").list.len() > 0).select(
        office="agency", day=pl.col("reported_at").dt.date(), headline="text", event=pl.col("derived_from").list.first()
    )
    one = (
        cited.group_by("office", "day", "headline")
        .agg(pl.col("event").unique())
        .sort("day", "office", "headline")
        .with_row_index("article")
    )
    with tempfile.TemporaryDirectory() as folder:
        table, spec = Path(folder) / "press.csv", Path(folder) / "press.yml"
        one.drop("event").write_csv(table)
        spec.write_text(_SPEC)
        reports = tocsin.read(table, spec=spec).reports
    own = reports.select("report_id", article=pl.col("row").cast(pl.UInt32) - 2).join(one, on="article")
    return reports, {r: set(e) for r, e in own.select("report_id", "event").iter_rows()}


def by_words(reports: pl.DataFrame, truth: dict[str, set[str]]) -> dict[str, float]:
    """Pairs within 2 days whose headlines' words overlap by rarity (Jaccard), at the threshold that the truth shows to be best: no clusters."""
    rows = reports.select("report_id", "text", day=pl.col("reported_at").dt.date()).sort("day", "report_id").rows()
    words = [set(re.findall(r"[a-z]+|\d+", text.lower())) for _, text, _ in rows]
    met = Counter(w for ws in words for w in ws)
    rare = {w: math.log(len(rows) / n) for w, n in met.items()}
    scored = []
    for i, (left, _, day) in enumerate(rows):
        for j in range(i + 1, len(rows)):
            if (rows[j][2] - day).days > 2:
                break
            every = sum(rare[w] for w in words[i] | words[j])
            scored.append((sum(rare[w] for w in words[i] & words[j]) / every if every else 0.0, truth[left] == truth[rows[j][0]]))
    true = sum(n * (n - 1) // 2 for n in Counter(map(frozenset, truth.values())).values())
    best, right = {"f1": 0.0}, 0
    for k, (_, same) in enumerate(sorted(scored, reverse=True), 1):
        right += same
        f1 = 2 * right / (k + true)
        if f1 > best["f1"]:
            best = {"precision": right / k, "recall": right / true, "f1": f1}
    return best


def of_one(reports: pl.DataFrame, truth: dict[str, set[str]], **options: Any) -> dict[str, float]:
    """Pairwise figures of tocsin on articles of one event each."""
    found = tocsin.fuse(reports, method="press", judgements=(), **options).clusters
    true = pl.DataFrame([(r, min(truth[r])) for r in found["report_id"]], schema=["report_id", "true_incident"], orient="row")
    return score(found.join(true, on="report_id"))


def claims(reports: pl.DataFrame) -> pl.DataFrame:
    """One report for each part of a headline that names a town and a toll: it happened within 3 days before it was published, somewhere in that town."""
    part = (
        reports.with_columns(pl.col("text").str.split(";").alias("text"))
        .explode("text")
        .drop("killed_low", "killed", "killed_high", "wounded", "place")
    )
    said = code(part["text"].fill_null(""), places=gazetteer_names())
    towns = (
        gazetteer()
        .sort("population", descending=True, nulls_last=True)
        .unique("name", keep="first")
        .select("name", "lat", "lon", "builtup_km")
    )
    part = part.drop("attack_type", "target_type", "target_group", "weapon_type", "coded_spans", "lat", "lon", "radius_km").hstack(said)
    part = part.join(towns, left_on="place", right_on="name", how="inner").filter(pl.coalesce("killed", "killed_low").is_not_null())
    day = pl.col("reported_at").dt.date()
    number = pl.int_range(pl.len()).over("report_id")
    return part.with_columns(
        article="report_id",
        report_id=pl.when(number == 0).then("report_id").otherwise(pl.col("report_id") + "-" + number.cast(pl.String)),
        event_start=day - pl.duration(days=3),
        event_end=day,
        radius_km=pl.max_horizontal(pl.col("builtup_km").fill_null(5.0), 5.0),
    ).drop("builtup_km")


def reliability(links: pl.DataFrame, article: dict[str, str], truth: dict[str, set[str]]) -> None:
    """Of the links between an article and a row: what was stated and what was right, by class of probability."""
    cases = []
    for left, right, stated in links.select("left", "right", "probability").iter_rows():
        if (left in article) != (right in article):
            claim, row = (left, right) if left in article else (right, left)
            cases.append((stated, row in truth[article[claim]]))
    by_class("links, article to row", cases)


def by_class(what: str, cases: list[tuple[float, bool]]) -> None:
    """Prints what was stated and what was right, by class of probability."""
    for low, high in pairwise((0.0, 0.5, 0.7, 0.9, 1.01)):
        mine = [c for c in cases if low <= c[0] < high]
        if mine:
            stated, right = (sum(float(c[k]) for c in mine) / len(mine) for k in (0, 1))
            print(json.dumps({what: f"{low} to {min(high, 1.0)}", "n": len(mine), "stated": round(stated, 3), "right": round(right, 3)}))


def to_rows(every: pl.DataFrame, reports: pl.DataFrame, truth: dict[str, set[str]]) -> dict[str, float]:
    """Which rows of GED the articles that name a town and a toll belong to; the rest is left out."""
    rows = every.filter(pl.col("derived_from").list.len().fill_null(0) == 0)
    told = claims(reports)
    table = pl.concat([rows, told.drop("article")], how="diagonal_relaxed").select(rows.columns)
    fusion = tocsin.fuse(table, judgements=())
    found = fusion.clusters
    article = dict(told.select("report_id", "article").iter_rows())
    row = found.filter(~pl.col("report_id").is_in(list(article)))
    joined = found.filter(pl.col("report_id").is_in(list(article))).join(row, on="incident_id", suffix="_row")
    pairs = {(article[r], event) for r, event in joined.select("report_id", "report_id_row").iter_rows()}
    named = set(article.values())
    true = {(r, event) for r in named for event in truth[r]}
    right = len(pairs & true)
    reliability(fusion.links, article, truth)
    sure = dict(fusion.incidents.select("incident_id", "confidence").iter_rows())
    told_of = [
        (sure[i], event in truth[article[r]]) for r, i, event in joined.select("report_id", "incident_id", "report_id_row").iter_rows()
    ]
    by_class("incidents of an article and a row", [(c, right) for c, right in told_of if c is not None])
    return {
        "articles": len(truth),
        "left out": len(truth) - len(named),
        "claims": told.height,
        "precision": right / max(1, len(pairs)),
        "recall": right / max(1, len(true)),
        "f1": 2 * right / max(1, len(pairs) + len(true)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, metavar="FILE")
    options = parser.parse_args()
    every = ged()
    reports, truth = articles(every)
    if options.train:
        made = train([reports], name="headlines of the articles that UCDP GED 22.1 cites for Pakistan (CC BY 4.0)")
        options.train.write_text(made.to_json(), encoding="utf-8")
        return
    single = reports.filter(pl.col("report_id").is_in([r for r, events in truth.items() if len(events) == 1]))
    late = pl.col("reported_at").dt.date() > date(2015, 12, 31)
    early = train([reports.filter(~late)], name="until 2015")
    sets: list[tuple[str, pl.DataFrame, dict[str, Any]]] = [
        ("all", single, {}),
        ("since 2016", single.filter(late), {}),
        ("since 2016, trained until 2015", single.filter(late), {"press": early}),
    ]
    for name, table, more in sets:
        own = {r: truth[r] for r in table["report_id"]}
        ours, words = of_one(table, own, **more), by_words(table, own)
        for method, figures in (("tocsin press", ours), ("overlap of words, best threshold", words)):
            print(json.dumps({"articles": name, "n": table.height, "method": method, **{k: round(v, 3) for k, v in figures.items()}}))
    rows = to_rows(every, reports, truth)
    print(json.dumps({"method": "tocsin, articles to GED rows"} | {k: round(v, 3) for k, v in rows.items()}))


if __name__ == "__main__":
    main()
