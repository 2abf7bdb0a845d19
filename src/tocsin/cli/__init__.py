"""The command line: one file a verb, same names and options as the functions."""

from __future__ import annotations

import sys

import click

from tocsin.cli.agency import agency
from tocsin.cli.brief import brief
from tocsin.cli.calibrate import calibrate
from tocsin.cli.fuse import fuse
from tocsin.cli.judge import judge
from tocsin.cli.read import read
from tocsin.cli.replay import replay
from tocsin.cli.scan import scan
from tocsin.cli.serve import serve
from tocsin.cli.train import train
from tocsin.cli.watch import watch
from tocsin.cli.why import why
from tocsin.errors import TocsinError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tocsin", prog_name="tocsin")
def app() -> None:
    """Fuse reports of violence into one honest record of incidents."""


for command in (brief, read, fuse, judge, why, train, calibrate, scan, watch, replay, serve, agency):
    app.add_command(command)


def main() -> None:
    """Run the command line; a TocsinError becomes its message and exit code 2, never a traceback."""
    try:
        app(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as why:
        why.show()
        sys.exit(why.exit_code)
    except click.Abort:
        click.echo("Stopped; nothing was changed since the last file written.", err=True)
        sys.exit(130)
    except TocsinError as why:
        click.echo(f"tocsin: {why}", err=True)
        sys.exit(2)
    except MemoryError:
        click.echo("tocsin: not enough memory for these files at once; give fewer files, or run `tocsin read` on each", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
