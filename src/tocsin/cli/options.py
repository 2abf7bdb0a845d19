"""Options that several verbs share, and what they print alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import polars as pl
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tocsin.brief import WATCHING

FILES = click.argument("files", nargs=-1, type=click.Path(path_type=Path))
SPEC = click.option("--spec", type=click.Path(path_type=Path), help="YAML that describes a table of your own.")
AS_OF = click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Only what was known by this day.")

JUDGEMENTS = click.option(
    "--judgements",
    "judgement_files",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Signed decisions besides the bundled ones: a log of `tocsin judge`, or YAML; may be given several times.",
)


def out_option(default: str) -> Callable[[Any], Any]:
    """The folder that a verb writes into."""
    return click.option("--out", type=click.Path(path_type=Path), default=default, show_default=True, help="Folder for the files written.")


def as_date(value: datetime | None) -> date | None:
    """click gives datetimes; the verbs take dates."""
    return value.date() if value else None


@contextmanager
def reading() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on the terminal, nothing where the output goes elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def tell(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = bar.add_task("looking for changes" if file == WATCHING else f"reading {file}", total=total)
            bar.update(tasks[file], completed=done)

        yield tell


@contextmanager
def working(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar of steps done, on a terminal."""
    console = Console(stderr=True)
    with Progress(
        TextColumn(what), BarColumn(), TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, every: bar.update(task, completed=done, total=every)


def print_issues(console: Console, reasons: pl.DataFrame, limit: int = 5) -> None:
    """Intake issues by reason (reason, len), the most frequent first."""
    if not reasons["len"].sum():
        console.print("No intake issues.")
        return
    total = reasons["len"].sum()
    title = f"{total:,} intake issue{'' if total == 1 else 's'}"
    table = Table(box=None, pad_edge=False, title=title, title_justify="left", title_style="bold")
    table.add_column("count", justify="right")
    table.add_column("reason", overflow="fold")
    for reason, n in reasons.sort("len", "reason", descending=[True, False]).head(limit).iter_rows():
        table.add_row(f"{n:,}", reason)
    if reasons.height > limit:
        table.add_row("", f"and {reasons.height - limit} more reasons, in issues.csv")
    console.print(table)
