"""The files of a brief: the page, the tables, and run.json, which is enough to make the same page again."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from tocsin.errors import UnreadableFile
from tocsin.terms.publishers import publishers


def write_outputs(out: Path, page: str, view: dict[str, Any], tables: dict[str, pl.DataFrame], options: dict[str, Any]) -> Path:
    """Write all files into `out`, made where missing; gives the path of the page. Raises `UnreadableFile` where the folder cannot be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        target = out / "brief.html"
        target.write_text(page, encoding="utf-8")
        (without_held_words(tables["reports"]) if options["public"] else tables["reports"]).write_parquet(out / "reports.parquet")
        write_incidents(out, tables["incidents"])
        tables["links"].write_parquet(out / "links.parquet")
        tables["issues"].write_csv(out / "issues.csv")
        write_signals(out, tables.get("signals"), tables.get("streams"))
        run = run_record(view, page, options)
        (out / "run.json").write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as why:
        raise UnreadableFile(f"{out}: cannot be written ({why.strerror}); give another folder with --out") from why
    return target


def write_signals(out: Path, signals: pl.DataFrame | None, streams: pl.DataFrame | None) -> None:
    """signals.parquet and .csv, streams.csv; where nothing was watched, those of an earlier brief in this folder go: they are not this one's."""
    if signals is None or streams is None:
        for name in ("signals.parquet", "signals.csv", "streams.csv"):
            (out / name).unlink(missing_ok=True)
        return
    signals.write_parquet(out / "signals.parquet")
    write_flat(out / "signals.csv", signals)
    write_flat(out / "streams.csv", streams)


def write_incidents(out: Path, incidents: pl.DataFrame) -> None:
    """Incidents as Parquet, CSV (lists joined by `;`) and GeoJSON."""
    incidents.write_parquet(out / "incidents.parquet")
    write_incidents_flat(out, [incidents])


def write_incidents_flat(out: Path, pieces: Iterable[pl.DataFrame]) -> None:
    """Incidents, piece by piece, as CSV (lists joined by `;`) and GeoJSON."""
    with (out / "incidents.csv").open("wb") as table, (out / "incidents.geojson").open("w", encoding="utf-8") as map_:
        map_.write('{"type": "FeatureCollection", "features": [')
        comma = ""
        for k, piece in enumerate(pieces):
            flat = piece.with_columns(pl.selectors.by_dtype(pl.List(pl.String)).list.join(";"), pl.col("parts").list.len().alias("parts"))
            flat.with_columns(_inert(c) for c, t in flat.schema.items() if t == pl.String).write_csv(table, include_header=k == 0)
            for row in flat.iter_rows(named=True):
                map_.write(comma + json.dumps(_feature(row), ensure_ascii=False, default=str))
                comma = ", "
        map_.write("]}")


def write_flat(path: Path, table: pl.DataFrame) -> None:
    """A table as CSV, lists joined by `;`."""
    flat = table.with_columns(pl.selectors.by_dtype(pl.List(pl.String)).list.join(";"))
    flat.with_columns(_inert(c) for c, t in flat.schema.items() if t == pl.String).write_csv(path)


def _feature(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": row["incident_id"],
        "geometry": {"type": "Point", "coordinates": [row["lon"], row["lat"]]} if row["lat"] is not None else None,
        "properties": {k: v for k, v in row.items() if k not in ("lat", "lon", "incident_id")},
    }


def _inert(column: str) -> pl.Expr:
    """A cell that a spreadsheet would take for a formula gets an apostrophe in front."""
    return pl.when(pl.col(column).str.contains(r"^[=+\-@\t\r]")).then(pl.lit("'") + pl.col(column)).otherwise(pl.col(column)).alias(column)


def without_held_words(reports: pl.DataFrame) -> pl.DataFrame:
    """Reports without the words that their publisher does not let circulate."""
    held = [agency for agency, p in publishers().items() if not p.text_may_circulate]
    keep = ~pl.col("agency").is_in(held)
    return reports.with_columns(pl.when(keep).then("text").alias("text"), pl.when(keep).then("coded_spans").alias("coded_spans"))


def run_record(view: dict[str, Any], page: str, options: dict[str, Any]) -> dict[str, Any]:
    """Hashes of inputs, versions, model and options, and the hash of the page that they make."""
    return {
        "command": view["reproduce"],
        "options": options,
        "inputs": [{"file": f, "sha256": h} for f, h in view["run"]["inputs"]],
        "model": view["run"]["model"],
        "seeds": view.get("seeds", []),
        "versions": {"tocsin": view["tocsin"], "polars": version("polars"), "python": platform.python_version()},
        "page_sha256": hashlib.sha256(page.encode()).hexdigest(),
    }


def read_run(path: Path) -> dict[str, Any]:
    """A run.json. Raises `UnreadableFile` where it is none."""
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        assert {"options", "inputs", "page_sha256"} <= set(run)
    except (OSError, ValueError, AssertionError, TypeError) as why:
        raise UnreadableFile(f"{path}: not the run.json of a brief; give the one that lies beside brief.html") from why
    return dict(run)


def check_run(run: dict[str, Any], made: Path) -> str:
    """Whether the page just made is the page of an earlier run, in words; names the input or version that differs."""
    now = read_run(made.parent / "run.json")
    if now["page_sha256"] == run["page_sha256"]:
        return "The same page, byte for byte."
    then = {i["file"]: i["sha256"] for i in run["inputs"]}
    changed = [i["file"] for i in now["inputs"] if then.get(i["file"]) != i["sha256"]]
    if changed:
        return f"Another page: {', '.join(changed)} is not the file that it was."
    versions = [f"{k} {run['versions'].get(k)} then, {v} now" for k, v in now["versions"].items() if run["versions"].get(k) != v]
    return f"Another page, from the same files: {'; '.join(versions) or 'the judgements or the code differ'}."
