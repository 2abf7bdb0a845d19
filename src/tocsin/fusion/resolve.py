"""What an incident is, from its reports: places from the most precise, tolls as ranges, categories where they agree.

Toll: the latest that each independent origin gives, then the median over origins; a bare lower bound ("at least 20") raises what lies below it.
Actor: whom most origins hold responsible, of equals whom the most reliable does. A report taken out of another (a press article inside a GED row)
speaks only where the one above it is silent.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from tocsin.fusion.judgements import Judgement, heirs, named
from tocsin.fusion.members import vague
from tocsin.fusion.model import ONE, Curve
from tocsin.fusion.origins import with_source
from tocsin.terms.judgements import as_value
from tocsin.terms.tables import PART
from tocsin.terms.taxonomies import NAMES, taxonomy

_PLACE = ("country", "admin1", "admin2", "area_class", "place", "lat", "lon", "radius_km")
_SIDES = ("side_a", "side_b", "initiator")
_TRUST = {"A": 0, "B": 1, "C": 2, "F": 3, "D": 4, "E": 5}  # the Admiralty code; F cannot be judged, as those that state none
_ADDED = ("killed_low", "killed", "killed_high", "killed_civilians", "killed_a", "killed_b")
_MOST = 2**31 - 1  # that a toll's column holds


def resolve(labelled: pl.DataFrame, decided: tuple[Judgement, ...], worth: Curve, roots: Mapping[str, str]) -> pl.DataFrame:
    """Incidents from reports as `labelled` gives them; every column of INCIDENTS but as_of and model.

    worth: what margins are worth; roots: what a report that corrects another goes back to.
    """
    ordered = with_source(labelled.sort("_cluster", "_derived", "radius_km", "known_at", "report_id", nulls_last=True))
    single = ordered.select((pl.len().over("_cluster") == 1) & ~pl.col("_derived")).to_series()
    frame = pl.concat([_of_one(ordered.filter(single)), _of_several(ordered.filter(~single))], how="diagonal")
    frame = frame.with_columns(
        parts=pl.col("parts").fill_null(pl.lit([], dtype=pl.List(PART))),
        disputed=pl.concat_list(*(pl.when(pl.col(c)).then(pl.lit(c.removeprefix("_odd_"))) for c in frame.columns if c.startswith("_odd_")))
        .list.drop_nulls()
        .list.sort(),
    )
    sure = pl.Series(worth.of(frame["margin"].fill_null(0.0).to_numpy() * ONE)).fill_nan(None)
    frame = frame.with_columns(confidence=pl.when(pl.col("_several") & pl.col("margin").is_not_null()).then(sure)).drop("_several")
    frame = _judge(frame, ordered, decided, roots)
    return frame.drop(pl.selectors.starts_with("_odd_"), "_cluster").sort("event_start", "incident_id", nulls_last=True)


def _of_several(ordered: pl.DataFrame) -> pl.DataFrame:
    """Incidents of several reports."""
    own = ordered.filter(~pl.col("_derived"))
    frame = _basics(ordered).join(_where(own), on="_cluster").join(_tolls(ordered, own), on="_cluster")
    frame = frame.join(_parts(own), on="_cluster", how="left").join(_kinds(own), on="_cluster")
    for name in NAMES:
        frame = frame.join(_category(ordered, name), on="_cluster", how="left")
    return frame


def _of_one(reports: pl.DataFrame) -> pl.DataFrame:
    """Incidents of one report: what it says."""
    return reports.select(
        "_cluster",
        "incident_id",
        pl.concat_list("report_id").alias("report_ids"),
        pl.concat_list("agency").alias("agencies"),
        "known_at",
        "hindsight",
        "event_start",
        "event_end",
        "wounded",
        *_PLACE,
        *_SIDES,
        "actor",
        "violence",
        *NAMES,
        pl.coalesce("killed_low", "killed").alias("killed_low"),
        "killed",
        pl.coalesce("killed_high", "killed").alias("killed_high"),
        "killed_civilians",
        "killed_a",
        "killed_b",
        corroboration=pl.lit(1, dtype=pl.Int32),
        margin="_margin",
        vague=vague(),
        _several=pl.lit(False),
    )


def _basics(ordered: pl.DataFrame) -> pl.DataFrame:
    """Ids, clocks, dates: overlapping intervals are intersected, others spanned and said to disagree."""
    mine = ~pl.col("_derived")
    latest, earliest = pl.col("event_start").filter(mine).max(), pl.col("event_end").filter(mine).min()
    frame = ordered.group_by("_cluster", maintain_order=True).agg(
        incident_id=pl.col("incident_id").first(),
        report_ids=pl.col("report_id").sort(),
        agencies=pl.col("agency").unique().sort(),
        known_at=pl.col("known_at").min(),
        hindsight=pl.col("hindsight").any(),
        corroboration=pl.col("_source").n_unique().cast(pl.Int32),
        wounded=_middle(pl.col("wounded")),
        margin=pl.col("_margin").min(),
        vague=vague().filter(mine).all(),
        _several=mine.sum() > 1,
        _from=latest,
        _to=earliest,
        _first=pl.col("event_start").filter(mine).min(),
        _last=pl.col("event_end").filter(mine).max(),
    )
    overlap = (pl.col("_from") <= pl.col("_to")).fill_null(True)
    return frame.with_columns(
        event_start=pl.when(overlap).then("_from").otherwise("_first"),
        event_end=pl.when(overlap).then("_to").otherwise("_last"),
        _odd_event_start=~overlap,
    ).drop("_from", "_to", "_first", "_last")


def _where(own: pl.DataFrame) -> pl.DataFrame:
    """Place and sides of the most precise report; the actor whom most independent origins name."""
    sides = [pl.col(c).drop_nulls().first() for c in _SIDES]
    frame = own.group_by("_cluster", maintain_order=True).agg(*(pl.col(c).first() for c in _PLACE), *sides)
    named = own.filter(pl.col("actor").is_not_null()).with_columns(
        _trust=pl.col("reliability").replace_strict(_TRUST, default=3), _at=pl.int_range(pl.len())
    )
    votes = named.group_by("_cluster", "actor").agg(n=pl.col("_source").n_unique(), trust=pl.col("_trust").min(), at=pl.col("_at").min())
    chosen = (
        votes.sort("_cluster", "n", "trust", "at", descending=[False, True, False, False])
        .group_by("_cluster", maintain_order=True)
        .agg(pl.col("actor").first(), _odd_actor=pl.len() > 1)
    )
    return frame.join(chosen, on="_cluster", how="left", maintain_order="left").with_columns(pl.col("_odd_actor").fill_null(False))


def _middle(column: pl.Expr) -> pl.Expr:
    """The lower median: a number that some report gives."""
    known = column.drop_nulls().sort()
    return known.get((known.len().cast(pl.Int64) - 1) // 2, null_on_oob=True)


def _tolls(ordered: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """Tolls: rows that a source split are added, then the lowest, the middle and the highest are taken; words speak where no source does."""
    stated = _spread(own)
    words = _spread(ordered.filter("_derived")).select(
        "_cluster", *(pl.col(c).alias(f"{c}_w") for c in ("killed_low", "killed", "killed_high"))
    )
    frame = stated.join(words, on="_cluster", how="left")
    silent = pl.all_horizontal(pl.col(c).is_null() for c in ("killed_low", "killed", "killed_high"))
    spread = [pl.when(silent).then(f"{c}_w").otherwise(pl.col(c)).alias(c) for c in ("killed_low", "killed", "killed_high")]
    return frame.with_columns(spread).drop(pl.selectors.ends_with("_w"))


def _spread(reports: pl.DataFrame) -> pl.DataFrame:
    unit = pl.coalesce(pl.col("_part"), -1 - pl.int_range(pl.len(), dtype=pl.Int64))
    whole = pl.col("_part").is_null() | (pl.len() == 1)

    def added(c: str) -> pl.Expr:
        total = pl.when(pl.col(c).null_count() == 0).then(pl.col(c).cast(pl.Int64).sum().clip(upper_bound=_MOST).cast(pl.Int32))
        mixed = pl.len() > 1 if c in ("killed_a", "killed_b") else pl.lit(False)
        return pl.when(mixed & (pl.col("side_a").n_unique() > 1)).then(None).otherwise(total).alias(c)

    units = (
        reports.with_columns(_unit=unit, _whole=whole)
        .group_by("_cluster", "_unit", maintain_order=True)
        .agg(*(added(c) for c in _ADDED), pl.col("_source").first(), _said=_clock().max(), _id=pl.col("report_id").max())
    )
    bare = pl.col("killed").is_null() & pl.col("killed_high").is_null() & pl.col("killed_low").is_not_null()  # "at least"
    units = units.with_columns(_bound=pl.when(bare).then("killed_low"), _low=pl.when(~bare).then(pl.coalesce("killed_low", "killed")))
    spread = units.group_by("_cluster", maintain_order=True).agg(
        _low=pl.col("_low").min(),
        _high=pl.coalesce("killed_high", "killed").max(),
        _bound=pl.col("_bound").max(),
        _odd_killed=pl.col("killed").drop_nulls().n_unique() > 1,
    )
    for name in ("killed", "killed_civilians", "killed_a", "killed_b"):
        spread = spread.join(_of_origins(units, name), on="_cluster", how="left", maintain_order="left")
    over = pl.col("_bound") > pl.coalesce("_high", "_bound")
    return spread.select(
        "_cluster",
        killed_low=pl.coalesce("_low", "_bound"),
        killed=pl.when(pl.col("killed") < pl.col("_bound")).then("_bound").otherwise("killed"),
        killed_high=pl.when(over).then("_bound").otherwise("_high"),
        killed_civilians="killed_civilians",
        killed_a="killed_a",
        killed_b="killed_b",
        _odd_killed=pl.col("_odd_killed") | over.fill_null(False),
    )


def _clock() -> pl.Expr:
    """When a report was made, as well as it is known."""
    return pl.coalesce("received_at", "reported_at", pl.col("known_at").cast(pl.Datetime("us", "UTC")))


def _of_origins(units: pl.DataFrame, name: str) -> pl.DataFrame:
    """The lower median over independent origins of what each said last."""
    said = units.filter(pl.col(name).is_not_null()).sort("_cluster", "_source", "_said", "_id")
    last = said.group_by("_cluster", "_source", maintain_order=True).agg(pl.col(name).last())
    return last.group_by("_cluster", maintain_order=True).agg(_middle(pl.col(name)).alias(name))


def _parts(own: pl.DataFrame) -> pl.DataFrame:
    split = own.filter(pl.col("_part").is_not_null())
    fields = [pl.col(f.name).cast(f.dtype) for f in PART.fields]
    return split.sort("report_id").group_by("_cluster", maintain_order=True).agg(parts=pl.struct(fields))


def _kinds(own: pl.DataFrame) -> pl.DataFrame:
    """The kind that killed most (of parts), or that most reports give; ties go by the order of the kinds."""
    counted = own.group_by("_cluster", "violence").agg(
        weight=pl.when(pl.col("_part").is_not_null().any()).then(pl.col("killed").cast(pl.Int64).sum()).otherwise(pl.len()).cast(pl.Int64),
        split=pl.col("_part").is_not_null().any(),
    )
    known = counted.with_columns(_unknown=pl.col("violence") == "unknown")
    ranked = known.sort("_cluster", "_unknown", pl.col("weight"), "violence", descending=[False, False, True, False])
    return ranked.group_by("_cluster", maintain_order=True).agg(
        pl.col("violence").first(),
        _odd_violence=(pl.col("violence").filter(~pl.col("_unknown")).n_unique() > 1) & ~pl.col("split").any(),
    )


def _category(ordered: pl.DataFrame, name: str) -> pl.DataFrame:
    """A code where all that speak agree (the most specific), else the one with most origins; a tie is null and disputed."""
    said = ordered.filter(pl.col(name).is_not_null())
    said = said.filter(~pl.col("_derived") | (~pl.col("_derived")).any().over("_cluster").not_())
    votes = said.group_by("_cluster", name).agg(n=pl.col("_source").n_unique()).sort("_cluster", name)
    groups = votes.group_by("_cluster", maintain_order=True).agg(said=pl.struct(name, "n"), kinds=pl.len())
    plain = groups.filter(pl.col("kinds") == 1).select(
        "_cluster", pl.col("said").list.first().struct.field(name).alias(name), pl.lit(False).alias(f"_odd_{name}")
    )
    mixed = groups.filter(pl.col("kinds") > 1).select("_cluster", "said")
    each = mixed.select("said").unique(maintain_order=True)  # the same mixtures come again and again
    settled = [settle(name, {one[name]: one["n"] for one in both}) for both in each["said"].to_list()]
    rest = each.with_columns(
        pl.Series(name, [s[0] for s in settled], dtype=pl.String), pl.Series(f"_odd_{name}", [s[1] for s in settled], dtype=pl.Boolean)
    )
    return pl.concat([plain, mixed.join(rest, on="said").drop("said")])


def settle(name: str, votes: dict[str, int]) -> tuple[str | None, bool]:
    """(code, disputed) from what several reports say: how many origins give each code.

    Codes outside the taxonomy (a table's own) agree only with themselves or a prefix of their path.
    """
    tree = taxonomy(name)

    def wider(code: str) -> set[str]:
        return set(tree.ancestors(code)) if code in tree else {"/".join(code.split("/")[: i + 1]) for i in range(code.count("/") + 1)}

    distinct = sorted(votes, key=lambda c: (-len(wider(c)), c))
    if all(c in wider(distinct[0]) for c in distinct):
        return distinct[0], False
    best = max(votes.values())
    winners = [c for c in distinct if votes[c] == best]
    return (winners[0], True) if len(winners) == 1 else (None, True)


def _judge(frame: pl.DataFrame, ordered: pl.DataFrame, decided: tuple[Judgement, ...], roots: Mapping[str, str]) -> pl.DataFrame:
    """Signed values replace resolved ones, the later the earlier; every judgement that touched an incident is named in it."""
    relevant = [j for j in decided if j.reports]
    at = heirs(ordered["report_id"], named(relevant), roots) if relevant else {}
    cluster = ordered["_cluster"].to_list() if at else []
    touched: dict[int, list[str]] = {}
    values: dict[str, dict[int, str | None]] = {}
    for j in relevant:
        clusters = [{cluster[p] for r in side for p in at.get(r, ())} for side in (j.reports, j.apart_from)]
        for c in sorted(clusters[0] | clusters[1]):
            if j.decides == "value" and j.field is not None:
                values.setdefault(j.field, {})[c] = j.value
            if j.decides not in ("part_of", "merge") or sum(r in at for r in j.reports) > 1:
                touched.setdefault(c, []).append(j.id)
    for field, by_cluster in values.items():
        new = pl.DataFrame(
            {"_cluster": list(by_cluster), "_judged": list(by_cluster.values())}, schema={"_cluster": pl.Int64, "_judged": pl.String}
        )
        frame = frame.join(new, on="_cluster", how="left", maintain_order="left")
        frame = frame.with_columns(pl.coalesce(as_value(pl.col("_judged"), frame.schema[field]), field).alias(field)).drop("_judged")
    ids = pl.DataFrame(
        {"_cluster": list(touched), "judged": [sorted(v) for v in touched.values()]},
        schema={"_cluster": pl.Int64, "judged": pl.List(pl.String)},
    )
    frame = frame.join(ids, on="_cluster", how="left", maintain_order="left")
    return frame.with_columns(pl.col("judged").fill_null(pl.lit([], dtype=pl.List(pl.String))))
