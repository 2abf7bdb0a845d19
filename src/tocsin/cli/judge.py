"""tocsin judge: a person's decisions about incidents, appended to a log; each can be undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import polars as pl
from rich.console import Console
from rich.table import Table

from tocsin.errors import InputError
from tocsin.fusion.judgements import check_value, load, standing
from tocsin.fusion.log import append

_LEAST = 8  # characters of an id


@click.group()
def judge() -> None:
    """Decide what the numbers cannot: incidents are a pure function of reports, model and judgements, and every judgement can be undone."""


LOG = click.option(
    "--log", type=click.Path(path_type=Path), default=Path("judgements.jsonl"), show_default=True, help="The log it is appended to."
)


def _signed(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every decision needs: who, why, and where it is kept."""
    for option in (
        LOG,
        click.option("--source", required=True, help="What the decision rests on, for the reader of the page."),
        click.option("--by", required=True, help="Who decides."),
    ):
        command = option(command)
    return command


IN = click.option(
    "--in",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("tocsin-out"),
    show_default=True,
    help="A folder with the incidents.parquet of `tocsin fuse` or `brief`.",
)


@judge.command()
@click.argument("incidents", nargs=-1, required=True)
@IN
@_signed
def merge(incidents: tuple[str, ...], folder: Path, by: str, source: str, log: Path) -> None:
    """INCIDENTS (two or more) are one."""
    rows = find_incidents(folder, incidents)
    if len({r["incident_id"] for r in rows}) < 2:
        raise click.UsageError("name at least two incidents; `tocsin judge confirm` says that the reports of one belong together")
    _append(log, by, source, decides="merge", reports=tuple(sorted({x for r in rows for x in r["report_ids"]})))


@judge.command()
@click.argument("incident")
@click.argument("reports", nargs=-1, required=True)
@IN
@_signed
def split(incident: str, reports: tuple[str, ...], folder: Path, by: str, source: str, log: Path) -> None:
    """REPORTS of INCIDENT are none with its other reports."""
    row = find_incidents(folder, (incident,))[0]
    out = tuple(_one(row["report_ids"], r, f"report of incident {row['incident_id']}") for r in reports)
    rest = tuple(r for r in row["report_ids"] if r not in out)
    if not rest:
        raise click.UsageError("these are all its reports: name those that do not belong to the others")
    _append(log, by, source, decides="split", reports=out, apart_from=rest)


@judge.command()
@click.argument("incident")
@IN
@_signed
def confirm(incident: str, folder: Path, by: str, source: str, log: Path) -> None:
    """The reports of INCIDENT are one incident, whatever comes later."""
    row = find_incidents(folder, (incident,))[0]
    _append(log, by, source, decides="confirm", reports=tuple(row["report_ids"]))


@judge.command("set")
@click.argument("incident")
@click.argument("values", nargs=-1, required=True, metavar="FIELD=VALUE...")
@IN
@_signed
def set_values(incident: str, values: tuple[str, ...], folder: Path, by: str, source: str, log: Path) -> None:
    """A value of INCIDENT that no source states, or that its sources dispute."""
    row = find_incidents(folder, (incident,))[0]
    pairs = []
    for text in values:
        field, equals, value = text.partition("=")
        if not equals or not value:
            raise click.UsageError(f"{text!r} is not of the form FIELD=VALUE, e.g. target_group=shia")
        check_value(field, value, text)
        pairs.append((field, value))
    for field, value in pairs:
        _append(log, by, source, decides="value", reports=tuple(row["report_ids"]), field=field, value=value)


@judge.command()
@click.argument("judgement")
@_signed
def undo(judgement: str, by: str, source: str, log: Path) -> None:
    """Take JUDGEMENT (its id) back; both stay in the log."""
    _append(log, by, source, decides="undo", judgement=judgement)


@judge.command("list")
@LOG
def show(log: Path) -> None:
    """The log, the earliest first, and whether it holds together."""
    every = load(log)
    stand = {j.id for j in standing(every)}
    table = Table(box=None, pad_edge=False)
    for column in ("judgement", "signed", "by", "decides", "about", "why"):
        table.add_column(column, overflow="fold")
    for j in every:
        about = j.judgement or (f"{j.field}={j.value}" if j.field else "")
        count = f"{len(j.reports)} report{'' if len(j.reports) == 1 else 's'}" if j.reports else ""
        decides = j.decides if j.id in stand or j.decides == "undo" else f"{j.decides} (undone)"
        table.add_row(j.id, str(j.signed), j.by, decides, ", ".join(x for x in (about, count) if x), j.why)
    Console().print(table)
    kept = f"{len(every)} entr{'y' if len(every) == 1 else 'ies'}, {len(stand)} judgement{' stands' if len(stand) == 1 else 's stand'}"
    click.echo(f"{kept}; no entry was changed after it was written.")


def _append(log: Path, by: str, source: str, **what: Any) -> None:
    made, mark = append(log, by=by, why=source, **what)
    click.echo(f"{log}: {made.id} ({made.decides}); hash {mark[:16]}. `tocsin fuse` and `brief` follow it with --judgements {log}.")


def find_incidents(folder: Path, wanted: tuple[str, ...]) -> list[dict[str, Any]]:
    """The incidents of these ids, or of these reports; the first characters of an id will do."""
    path = folder / "incidents.parquet"
    if not path.exists():
        raise click.UsageError(f"{path} is not there: name the folder that `tocsin fuse` or `brief` wrote with --in")
    try:
        table = pl.scan_parquet(path).select("incident_id", "report_ids").collect()
    except pl.exceptions.PolarsError as why:
        raise InputError(f"{path}: not incidents ({str(why).splitlines()[0]}); `tocsin fuse` makes them") from why
    of = pl.concat([table.explode("report_ids").select("incident_id", id="report_ids"), table.select("incident_id", id="incident_id")])
    out = []
    for one in wanted:
        if len(one) < _LEAST:
            raise click.UsageError(f"{one!r}: give at least {_LEAST} characters of an incident's id, or of a report's")
        found = of.filter(pl.col("id").str.starts_with(one))["incident_id"].unique().sort()
        if not len(found):
            raise click.UsageError(f"{one}: no incident and no report in {path} has that id")
        if len(found) > 1:
            raise click.UsageError(
                f"{one}: {len(found)} incidents have ids that begin so, among them {found[0]} and {found[1]}; give more of it"
            )
        out.append(table.filter(pl.col("incident_id") == found[0]).row(0, named=True))
    return out


def _one(ids: list[str], begin: str, what: str) -> str:
    found = [i for i in ids if i.startswith(begin)]
    if len(begin) < _LEAST or len(found) != 1:
        raise click.UsageError(
            f"{begin!r}: not the beginning (at least {_LEAST} characters) of the id of one {what}; it has {', '.join(ids)}"
        )
    return found[0]
