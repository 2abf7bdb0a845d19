"""tocsin restore: a hub from one file."""

from __future__ import annotations

from pathlib import Path

import click

from tocsin.cli.serve import DATABASE_URL, hub_parts


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="A new folder for the hub's data.")
@DATABASE_URL
def restore(file: Path, data: Path, database_url: str | None) -> None:
    """Make a hub of FILE, which `tocsin backup` wrote, in a new folder. Tokens hold as they did; passwords of the database are new."""
    with hub_parts():
        from tocsin.store.copies import restore as make
    make(file, data, database_url)
    click.echo(f"Restored into {data}; start it with: tocsin serve --data {data}")
