"""tocsin read: event files -> reports.parquet and issues.csv."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from tocsin.cli.options import FILES, SPEC, out_option, print_issues, reading
from tocsin.intake import read_to
from tocsin.intake import sketch as sketch_file


@click.command()
@FILES
@SPEC
@out_option("tocsin-out")
@click.option("--sketch", type=click.Path(path_type=Path), help="Draft the YAML for a table of your own, and print it.")
def read(files: tuple[Path, ...], spec: Path | None, out: Path, sketch: Path | None) -> None:
    """Read event FILES (UCDP GED, ACLED, GTD, or any table with --spec) into reports.parquet and issues.csv."""
    if sketch is not None:
        click.echo(sketch_file(sketch))
        return
    if not files:
        raise click.UsageError("name at least one file, or --sketch FILE to draft a description of one")
    with reading() as tell:
        sources, reasons = read_to(out, list(files), spec=spec, progress=tell)
    console = Console()
    for line in sources.iter_rows(named=True):
        console.print(f"{line['file']}: {line['format']}, {line['records']:,} records, {line['reports']:,} reports", highlight=False)
    print_issues(console, reasons)
    console.print(f"Written: {out / 'reports.parquet'}, {out / 'issues.csv'}", highlight=False, soft_wrap=True)
