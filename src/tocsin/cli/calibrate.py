"""tocsin calibrate: what a model's odds are worth, from pairs of reports that people reviewed."""

from __future__ import annotations

from pathlib import Path

import click
import polars as pl

from tocsin.cli.fuse import is_reports
from tocsin.cli.options import FILES, SPEC, reading
from tocsin.errors import InputError, UnreadableFile
from tocsin.fusion import default_model, fuse, load_model
from tocsin.fusion.calibrate import calibrate as make_curves
from tocsin.intake import read as read_files


@click.command()
@FILES
@SPEC
@click.option(
    "--reviewed",
    type=click.Path(path_type=Path),
    required=True,
    help="CSV of pairs: left, right (report ids), same (1 where they are one incident, 0 where not).",
)
@click.option("--name", required=True, help="What the pairs are, for whoever reads the odds.")
@click.option("--model", type=click.Path(path_type=Path), help="A model of `tocsin train` in place of the bundled one.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("model.json"), show_default=True, help="The model, a readable JSON.")
def calibrate(files: tuple[Path, ...], spec: Path | None, reviewed: Path, name: str, model: Path | None, out: Path) -> None:
    """Make "90 %" right 9 times in 10 on FILES (event files, or a reports.parquet), by pairs of their reports that people reviewed.

    Review pairs as links.parquet has them, taken at random: pairs picked because they are doubtful make a curve for doubtful pairs.
    """
    if not files:
        raise click.UsageError("name at least one file")
    pairs = _pairs(reviewed)
    with reading() as tell:
        reports = pl.concat([pl.read_parquet(f) if is_reports(f) else read_files(f, spec=spec, progress=tell).reports for f in files])
    strange = [r for r in pl.concat([pairs["left"], pairs["right"]]).unique() if r not in set(reports["report_id"])]
    if strange:
        raise InputError(f"{reviewed}: {len(strange)} of its report ids are in none of the files, the first of them {strange[0]!r}")
    made = make_curves(load_model(model) if model else default_model(), [(reports, pairs)], name=name, fuse=fuse)
    try:
        out.write_text(made.to_json(), encoding="utf-8")
    except OSError as why:
        raise UnreadableFile(f"{out}: cannot be written ({why.strerror}); give another file with --out") from why
    click.echo(f"{out}: calibrated on {pairs.height:,} reviewed pairs ({name}). Fingerprint {made.fingerprint}.")


def _pairs(path: Path) -> pl.DataFrame:
    """left, right, same. Raises `InputError` that says which line is wrong."""
    try:
        table = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as why:
        raise InputError(f"{path}: cannot be read as CSV ({str(why).splitlines()[0]})") from why
    missing = [c for c in ("left", "right", "same") if c not in table.columns]
    if missing:
        raise InputError(f"{path}: has no column {missing[0]!r}; a review is a CSV with the columns left, right, same")
    said = {"1": True, "0": False, "true": True, "false": False, "yes": True, "no": False}
    same = table["same"].str.strip_chars().str.to_lowercase().replace_strict(said, default=None, return_dtype=pl.Boolean)
    if same.null_count():
        line = int(same.is_null().arg_max() or 0)
        raise InputError(f"{path}, line {line + 2}: `same` is {table['same'][line]!r}; write 1 where the two are one incident, 0 where not")
    return table.select("left", "right", same=same)
