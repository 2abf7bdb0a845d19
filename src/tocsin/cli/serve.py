"""tocsin serve: a hub, with its database, on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from tocsin.errors import OptionError


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), help="Folder of the hub's data; /var/lib/tocsin for root, else ~/.local/share/tocsin."
)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port on 127.0.0.1.")
@click.option(
    "--database-url", help="A PostgreSQL 18 of your own, with a role that may make roles; by default one of the hub's own in --data."
)
def serve(data: Path | None, port: int, database_url: str | None) -> None:
    """Run a hub: many agencies submit reports, each sees exactly what it may."""
    try:
        from tocsin.server.serve import default_folder
        from tocsin.server.serve import serve as run
    except ModuleNotFoundError as why:
        raise OptionError(f"the hub needs {why.name}, which is not installed: `pip install 'tocsin[hub]'`") from why
    run(data or default_folder(), port, database_url, click.echo)
