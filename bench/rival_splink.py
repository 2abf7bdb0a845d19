"""Splink 5 on the fusion benchmark, for `bench/fusion.py --splink PYTHON`.

usage: PYTHON bench/rival_splink.py REPORTS OUT

PYTHON has `splink==5.0.0` and `duckdb<1.6` (with duckdb 2.0 some of its clustering does not end). Fellegi-Sunter on the columns that tocsin reads, in
Splink's own way: blocked by province and by half-degree cell within 3 days, levels of distance, days, type, target, actor and tolls, u by random sampling, m by
EM from two blockings, and once more from the truth itself, then connected components. OUT gets unique_id and a cluster for each model and threshold; the
last line is JSON: seconds of wall and CPU of the first, without reading. The caller takes the best threshold by the truth: no help that tocsin gets.
"""

import json
import sys
import time

import duckdb
import polars as pl
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator

THRESHOLDS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 0.999)


def steps(name: str, columns: list[str]) -> cl.CustomComparison:
    """A code by how deep it agrees, the narrowest column first."""
    levels = [cll.CustomLevel(f"{c}_l is null or {c}_r is null", f"{c} silent").configure(is_null_level=True) for c in columns[-1:]]
    levels += [cll.CustomLevel(f"{c}_l = {c}_r", f"{c} agrees") for c in columns]
    return cl.CustomComparison(output_column_name=name, comparison_levels=[*levels, cll.ElseLevel()])


def place() -> cl.CustomComparison:
    """Distance by how well both points are known, in standard deviations."""
    km = "111.2 * sqrt(power(lat_l - lat_r, 2) + power((lon_l - lon_r) * cos(radians(lat_l)), 2))"
    apart = f"{km} / sqrt(power(radius_l, 2) + power(radius_r, 2))"
    fine = "radius_l < 5 and radius_r < 5"
    levels = [cll.CustomLevel(f"{fine} and {apart} <= {x}", f"fine {x}") for x in (0.1, 0.5, 1, 2, 4)]
    levels += [cll.CustomLevel(f"not ({fine}) and {apart} <= {x}", f"rough {x}") for x in (0.1, 0.5, 1, 2, 4)]
    return cl.CustomComparison(output_column_name="place", comparison_levels=[*levels, cll.ElseLevel()])


def toll(name: str) -> cl.CustomComparison:
    near = f"abs(ln(({name}_l + .5) / ({name}_r + .5)))"
    return cl.CustomComparison(
        output_column_name=name,
        comparison_levels=[
            cll.NullLevel(name),
            *(cll.CustomLevel(f"{near} <= {x}", f"ratio {x}") for x in (0.01, 0.3, 0.7, 1.2)),
            cll.ElseLevel(),
        ],
    )


def linked(frame: pl.DataFrame, *, by_truth: bool) -> pl.DataFrame:
    """unique_id and a cluster for each threshold."""
    connection = duckdb.connect()
    connection.execute("set threads to 2")
    close = "abs(l.day_first - r.day_first) <= 3"
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="unique_id",
        blocking_rules_to_generate_predictions=[f"l.adm1 = r.adm1 and {close}", f"l.cell = r.cell and {close}"],
        comparisons=[
            place(),
            cl.CustomComparison(
                output_column_name="day",
                comparison_levels=[
                    *(cll.CustomLevel(f"abs(day_first_l - day_first_r) <= {d}", f"{d} days") for d in (0, 1, 2)),
                    cll.ElseLevel(),
                ],
            ),
            steps("type", ["type1", "type2", "type3"]),
            steps("target", ["tgt1", "tgt2", "tgt3"]),
            steps("actor", ["actor", "actor_family", "actor_class"]),
            toll("killed"),
            toll("wounded"),
        ],
        probability_two_random_records_match=2e-5 * 1e5 / max(frame.height, 1),
    )
    linker = Linker(DuckDBAPI(connection).register(frame.to_arrow()), settings)
    linker.training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
    if by_truth:
        linker.training.estimate_m_from_label_column("true_incident")
    else:
        for block in (  # each trains what it does not block on
            "l.cell = r.cell and l.actor = r.actor and l.killed = r.killed and l.wounded = r.wounded and l.killed > 1",
            "l.cell = r.cell and l.day_first = r.day_first and l.type3 = r.type3 and l.tgt3 = r.tgt3",
        ):
            linker.training.estimate_parameters_using_expectation_maximisation(block)
    pairs = linker.inference.predict(threshold_match_probability=THRESHOLDS[0])
    labels = frame.select("unique_id")
    for threshold in THRESHOLDS:
        found = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=threshold)
        table = found.as_duckdbpyrelation().pl()
        name = f"{'truth' if by_truth else 'em'} {threshold}"
        labels = labels.join(table.select("unique_id", pl.col("cluster_id").alias(name)), on="unique_id")
    return labels


def main(source: str, out: str) -> None:
    frame = pl.read_parquet(source).drop("seq", "date", "day")
    frame = frame.with_columns(
        radius=pl.col("geo_prec").replace_strict({1: 0.6, 2: 2.5, 3: 12.0, 4: 60.0}, return_dtype=pl.Float64),
        cell=(pl.col("lat") * 2).round().cast(pl.String) + "/" + (pl.col("lon") * 2).round().cast(pl.String),
    )
    began, cpu = time.perf_counter(), time.process_time()
    labels = linked(frame.drop("true_incident"), by_truth=False)
    took = {"wall_s": time.perf_counter() - began, "cpu_s": time.process_time() - cpu}
    labels.join(linked(frame, by_truth=True), on="unique_id").write_parquet(out)
    print(json.dumps(took))


if __name__ == "__main__":
    main(*sys.argv[1:3])
