"""tocsin backup: a hub into one file."""

from __future__ import annotations

from pathlib import Path

import click

from tocsin.cli.serve import DATA, DATABASE_URL, hub_parts


@click.command()
@DATA
@click.option("--to", "file", type=click.Path(path_type=Path), required=True, help="The file to write; only its owner can read it.")
@DATABASE_URL
def backup(data: Path | None, file: Path, database_url: str | None) -> None:
    """Copy a hub as it stands at one moment, whether it runs or not, into one file. Who has the file sees everything."""
    with hub_parts():
        from tocsin.server.serve import default_folder
        from tocsin.store.copies import backup as copy
    size = copy(data or default_folder(), file, database_url)
    click.echo(f"Written: {file}, {size:,} bytes, for its owner's eyes alone. Restore it with: tocsin restore {file} --data NEWFOLDER")
