"""tocsin serve: a hub, with its database, on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from tocsin.errors import OptionError

DATA = click.option(
    "--data", type=click.Path(path_type=Path), help="Folder of the hub's data; /var/lib/tocsin for root, else ~/.local/share/tocsin."
)
DATABASE_URL = click.option(
    "--database-url",
    envvar="TOCSIN_DATABASE_URL",
    help="A PostgreSQL 18 of your own, with a role that may make roles, or TOCSIN_DATABASE_URL; by default one of the hub's own in --data.",
)


@contextmanager
def hub_parts() -> Iterator[None]:
    """Around imports of what the hub needs. Raises `OptionError` where that is not installed."""
    try:
        yield
    except ModuleNotFoundError as why:
        raise OptionError(f"the hub needs {why.name}, which is not installed: `pip install 'tocsin[hub]'`") from why


@click.command()
@DATA
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port on 127.0.0.1.")
@DATABASE_URL
@click.option("--demo", is_flag=True, help="Fill a new hub with 26 invented agencies that share the bundled data.")
@click.option(
    "--look-every",
    default="1d",
    show_default=True,
    help="Time between two looks for signals, such as 1d, 7d or 2w; they are at midnight UTC.",
)
@click.option(
    "--requests-per-second",
    "rate",
    type=click.IntRange(1, 1_000_000),
    default=100,
    show_default=True,
    help="Of one token, or person; more are answered 429.",
)
@click.option(
    "--scheme",
    type=click.Path(path_type=Path),
    help="YAML of a national scheme of markings, for a hub that has no report yet; by default TLP 2.0, or the scheme that the hub has.",
)
@click.option(
    "--answer-step",
    type=click.FloatRange(0, 1000),
    default=7.5,
    show_default=True,
    metavar="MS",
    help="Answers leave at multiples of so many milliseconds, so that their time tells little of what is hidden; 0: when they are ready.",
)
def serve(
    data: Path | None, port: int, database_url: str | None, demo: bool, look_every: str, rate: int, scheme: Path | None, answer_step: float
) -> None:
    """Run a hub: many agencies submit reports, each sees exactly what it may."""
    if demo and scheme:
        raise OptionError("--demo marks its reports by TLP 2.0: leave --scheme out")
    with hub_parts():
        from tocsin.gate import read_scheme
        from tocsin.hub.making.due import days_of
        from tocsin.server.serve import default_folder
        from tocsin.server.serve import serve as run
    run(
        data or default_folder(),
        port,
        database_url,
        click.echo,
        demo=demo,
        look_every=days_of(look_every),
        rate=rate,
        scheme=read_scheme(scheme) if scheme else None,
        step=answer_step / 1000,
    )
