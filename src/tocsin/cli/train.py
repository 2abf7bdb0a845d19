"""tocsin train: a fusion model from reports, without the truth."""

from __future__ import annotations

from pathlib import Path

import click

from tocsin.cli.options import FILES, SPEC, reading
from tocsin.errors import UnreadableFile
from tocsin.fusion.train import train as make_model
from tocsin.intake import read as read_files


@click.command()
@FILES
@SPEC
@click.option("--name", required=True, help="What the reports are, for whoever reads the model.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("model.json"), show_default=True, help="The model, a readable JSON.")
def train(files: tuple[Path, ...], spec: Path | None, name: str, out: Path) -> None:
    """Make a model for `tocsin fuse --method linkage --model` from FILES, each a set of reports of several agencies."""
    if not files:
        raise click.UsageError("name at least one file")
    with reading() as tell:
        sets = [read_files(file, spec=spec, progress=tell).reports for file in files]
        made = make_model(sets, name=name)
    try:
        out.write_text(made.to_json(), encoding="utf-8")
    except OSError as why:
        raise UnreadableFile(f"{out}: cannot be written ({why.strerror}); give another file with --out") from why
    click.echo(f"{out}: trained on {sum(s.height for s in sets):,} reports; its odds are not calibrated. Fingerprint {made.fingerprint}.")
