"""How well and how fast fuse() finds the incidents of the benchmark, beside its rivals, in one run.

usage: python bench/fusion.py --reports FILE [--out clusters.parquet] [--declare] [--rivals] [--splink PYTHON] [--model FILE] [--reliability]

FILE is made by bench/make_reports.py. It is read by the public reader of described tables (bench/fusion.yml) and fused by the public fuse(); the
truth is looked at afterwards only. --declare says that an agency reports an incident once (`make_reports.py --no-duplicates`). The last line is JSON:
pairwise precision, recall and F1, B3 F1, wall and CPU seconds of reading and clustering, peak memory in MB; apart from these, what it takes to load
the compiled kernels (cold_s) and to resolve the incidents' values (values_*). Where reports know only the month or the year, vague_recall is the share
of their true pairs that are found. --rivals adds the naive window rule, all reports by themselves, and ours without local moves; --splink adds Splink
5 (bench/rival_splink.py), run by a Python that has `splink==5.0.0` and `duckdb<1.6`, at the threshold that the truth shows to be best, once with its
own training and once taught by the truth. With rivals, a table as in the README comes before the JSON lines. --reliability adds what was stated and
what was right, by class of stated probability.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest.mock import patch

import polars as pl

import tocsin
from tocsin.fusion import Fusion, linkage, load_model
from tocsin.kernels.correlate import solve

SPEC = Path(__file__).with_name("fusion.yml")


def pairs_in(frame: pl.DataFrame, *by: str) -> int:
    """Pairs of rows that agree in all of `by`."""
    return int(frame.group_by(*by).len().select((pl.col("len").cast(pl.Int64) * (pl.col("len") - 1) // 2).sum()).item())


def score(labels: pl.DataFrame) -> dict[str, float]:
    """Figures from (incident_id, true_incident), a row a report."""
    both, found, true = pairs_in(labels, "incident_id", "true_incident"), pairs_in(labels, "incident_id"), pairs_in(labels, "true_incident")
    precision, recall = both / max(found, 1), both / max(true, 1)
    cells = labels.group_by("incident_id", "true_incident").len("both")
    cells = cells.join(labels.group_by("incident_id").len("found"), on="incident_id").join(
        labels.group_by("true_incident").len("true"), on="true_incident"
    )
    b_precision = cells.select((pl.col("both") ** 2 / pl.col("found")).sum()).item() / labels.height
    b_recall = cells.select((pl.col("both") ** 2 / pl.col("true")).sum()).item() / labels.height
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / max(precision + recall, 1e-12),
        "b3_f1": 2 * b_precision * b_recall / (b_precision + b_recall),
    }


def fused(file: Path, method: str, declare: bool, model: Path | None) -> tuple[pl.DataFrame, Fusion]:
    """(unique_id and incident_id, what fuse() gave): the public reader, then the public fuse()."""
    reports = tocsin.read(file, spec=SPEC).reports
    agencies = reports["agency"].unique().to_list() if declare else ()
    chosen = load_model(model) if model else None
    found = tocsin.fuse(reports, method=method, one_report_per_incident=agencies, judgements=(), model=chosen)
    own = reports.select("report_id", unique_id=pl.col("origin").str.extract(r"(\d+)$").cast(pl.Int64))
    return own.join(found.clusters, on="report_id").select("unique_id", "incident_id", "report_id"), found


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(name: str, work: Callable[[], pl.DataFrame], truth: pl.DataFrame) -> tuple[dict[str, float | str], pl.DataFrame]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    took = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu, "peak_mb": peak()}
    figures = score(found.join(truth, on="unique_id"))
    assert found.height == truth.height, "every report is in one incident"
    return {"method": name, "reports": found.height, **figures, **took, **vague(found, truth)}, found


def vague(found: pl.DataFrame, truth: pl.DataFrame) -> dict[str, float]:
    """How many of the true pairs with a report that knows no day are found."""
    labels = found.join(truth, on="unique_id").with_columns(vague=pl.col("day_first") < pl.col("day_last"))
    if not labels["vague"].any():
        return {}

    def pairs(*by: str) -> int:
        return pairs_in(labels, *by) - pairs_in(labels.filter(~pl.col("vague")), *by)

    return {"vague_reports": labels["vague"].sum(), "vague_recall": pairs("incident_id", "true_incident") / max(1, pairs("true_incident"))}


def reliability(found: Fusion, labels: pl.DataFrame) -> dict[str, list[list[float]]]:
    """What is stated and what is right, on this file: a line a class of stated probability, (stated, right, how many), for links and for whole incidents."""
    truth = dict(labels.select("report_id", "true_incident").iter_rows())
    links = found.links.select("left", "right", stated="probability").with_columns(
        right=pl.col("left").replace_strict(truth, return_dtype=pl.Int64) == pl.col("right").replace_strict(truth, return_dtype=pl.Int64)
    )
    of = found.incidents.filter(pl.col("confidence").is_not_null()).select("report_ids", stated="confidence")
    true = pl.col("report_ids").list.eval(pl.element().replace_strict(truth, return_dtype=pl.Int64)).list.n_unique()
    out = {}
    for name, cases in (
        ("links_stated_right_n", links.select("stated", "right")),
        ("incidents_stated_right_n", of.select("stated", right=true == 1)),
    ):
        groups = cases.group_by(pl.sum_horizontal(pl.col("stated") > edge for edge in (0.5, 0.7, 0.8, 0.9, 0.95, 0.98)).alias("class")).agg(
            pl.col("stated").mean(), pl.col("right").mean(), n=pl.len()
        )
        out[name] = [[round(s, 3), round(r, 3), n] for _, s, r, n in groups.sort("stated").iter_rows()]
    return out


def cold_start(file: Path) -> float:
    """Seconds for the first 1,000 reports in a fresh process: loading compiled kernels, tables of places and the model."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        few = Path(folder) / "few.parquet"
        pl.scan_parquet(file).head(1000).sink_parquet(few)
        for method in ("linkage", "window"):
            fused(few, method, False, None)[1].incidents  # noqa: B018  made when asked for
    return time.perf_counter() - began


def values(found: Fusion) -> dict[str, float]:
    """What it takes to resolve the values of all incidents."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = found.incidents.height
    return {
        "incidents": made,
        "values_wall_s": time.perf_counter() - wall,
        "values_cpu_s": time.process_time() - cpu,
        "values_peak_mb": peak(),
    }


def splink(python: Path, file: Path, truth: pl.DataFrame) -> list[dict[str, float | str]]:
    """Splink's figures: by default, and at its best threshold."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "splink.parquet"
        here = Path(__file__).with_name("rival_splink.py")
        done = subprocess.run([python, here, file, out], capture_output=True, text=True, check=True)
        took = json.loads(done.stdout.splitlines()[-1])
        labels = pl.read_parquet(out).join(truth, on="unique_id")
    lines: list[dict[str, float | str]] = []
    for model, says in (("em", "Splink 5 by itself"), ("truth", "Splink 5 taught by the truth")):
        every = {t: score(labels.select("true_incident", incident_id=t)) for t in labels.columns if t.startswith(model)}
        best = max(every, key=lambda t: every[t]["f1"])
        lines.append({"method": f"{says}, best threshold ({best.split()[1]})", "reports": labels.height, **every[best], **took})
    return lines


def table(lines: list[dict[str, float | str]]) -> None:
    print("| method | precision | recall | pairwise F1 | B3 F1 | wall s | CPU s |\n|---|---|---|---|---|---|---|")
    for line in lines:
        shares = " | ".join(f"{line[k]:.3f}" for k in ("precision", "recall", "f1", "b3_f1"))
        print(f"| {line['method']} | {shares} | {line['wall_s']:.1f} | {line['cpu_s']:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--declare", action="store_true")
    parser.add_argument("--rivals", action="store_true")
    parser.add_argument("--splink", type=Path, metavar="PYTHON")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--reliability", action="store_true")
    options = parser.parse_args()
    truth = pl.read_parquet(options.reports, columns=["unique_id", "true_incident", "day_first", "day_last"])
    cold = cold_start(options.reports)
    made: list[Fusion] = []

    def work(method: str) -> Callable[[], pl.DataFrame]:
        def one() -> pl.DataFrame:
            labels, fusion = fused(options.reports, method, options.declare, options.model)
            made.append(fusion)
            return labels

        return one

    figures, found = run("tocsin linkage", work("linkage"), truth)
    figures |= {"cold_s": cold} | values(made[0])
    if options.reliability:
        figures |= reliability(made[0], found.join(truth, on="unique_id"))
    made.clear()
    lines = []
    if options.rivals:
        lines.append(
            run("every report by itself", lambda: truth.select("unique_id", incident_id=pl.col("unique_id").cast(pl.String)), truth)[0]
        )
        lines.append(run("naive window", work("window"), truth)[0])
        with patch.object(linkage, "solve", partial(solve, rounds=0)):
            lines.append(run("tocsin, greedy merges without local moves", work("linkage"), truth)[0])
    if options.splink:
        lines += splink(options.splink, options.reports, truth)
    if lines:
        table([*lines, figures])
    if options.out:
        found.select("unique_id", "incident_id").write_parquet(options.out)
    for line in [*lines, figures]:
        print(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in line.items()}))


if __name__ == "__main__":
    main()
