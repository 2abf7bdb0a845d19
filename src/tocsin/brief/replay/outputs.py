"""The files of a replay: the tables, the page, and run.json, which is enough to make the same page again."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from tocsin.brief.outputs import write_flat
from tocsin.brief.replay.page import render
from tocsin.brief.replay.tell import Told
from tocsin.errors import UnreadableFile
from tocsin.fusion import default_model


def write_outputs(out: Path, told: Told, notes: tuple[str, ...], reports: pl.DataFrame, options: dict[str, Any]) -> Path:
    """Write all files into `out`, made where missing; gives the path of the page. Raises `UnreadableFile` where the folder cannot be written."""
    told_first = reports.filter(
        pl.col("derived_from").list.len().fill_null(0) == 0
    )  # what was taken out of another report is its publisher's file
    inputs = told_first.select("agency", "file", "source_hash").unique().sort("agency", "file", "source_hash", nulls_last=True)
    page = render(told, notes, inputs.to_dicts(), options)
    run = {
        "options": options,
        "inputs": [{"file": r["file"], "sha256": r["source_hash"]} for r in inputs.unique(["file", "source_hash"]).sort("file").to_dicts()],
        "model": default_model().fingerprint,
        "seeds": [options["seed"]],
        "versions": {"tocsin": version("tocsin"), "polars": version("polars"), "python": platform.python_version()},
        "page_sha256": hashlib.sha256(page.encode()).hexdigest(),
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        told.signals.write_parquet(out / "signals.parquet")
        for name in ("signals", "looks", "attacks", "rivals"):
            write_flat(out / f"{name}.csv", getattr(told, name))
        (out / "replay.html").write_text(page, encoding="utf-8")
        (out / "run.json").write_text(json.dumps(run, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    except OSError as why:
        raise UnreadableFile(f"{out}: cannot be written ({why.strerror}); give another folder with --out") from why
    return out / "replay.html"
