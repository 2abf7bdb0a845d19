"""The command line: one file a verb, same names and options as the functions."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from tocsin.errors import TocsinError

#: In the order in which they are told of; each is a function of the file of its name, which is loaded when it is called.
VERBS = (
    "brief",
    "read",
    "fuse",
    "judge",
    "why",
    "train",
    "calibrate",
    "scan",
    "watch",
    "replay",
    "serve",
    "agency",
    "push",
    "backup",
    "restore",
    "who-can-see",
)


class Verbs(click.Group):
    """A group whose commands are loaded one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs' names."""
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of a name."""
        if cmd_name not in VERBS:
            return None
        name = cmd_name.replace("-", "_")
        found = getattr(import_module(f"{__name__}.{name}"), name)
        assert isinstance(found, click.Command)
        return found


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tocsin", prog_name="tocsin")
def app() -> None:
    """Fuse reports of violence into one honest record of incidents."""


def commands() -> dict[str, click.Command]:
    """Every command by the words that call it, those of a group too."""
    out: dict[str, click.Command] = {}
    for name in sorted(VERBS):
        verb = app.get_command(click.Context(app), name)
        assert verb is not None
        out[name] = verb
        if isinstance(verb, click.Group):
            out |= {f"{name} {below}": command for below, command in sorted(verb.commands.items())}
    return out


def main() -> None:
    """Run the command line; a TocsinError, or what the machine does not give, becomes its message and exit code 2, never a traceback."""
    try:
        if code := app(standalone_mode=False):  # what a verb exits with is given back
            sys.exit(code)
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
    except OSError as why:
        where = f"{why.filename}: " if why.filename else ""
        click.echo(f"tocsin: {where}{why.strerror or why}; see to the path, its rights and the disk's room, then try again", err=True)
        sys.exit(2)
