"""tocsin brief: event files in, one page out."""

from __future__ import annotations

import textwrap
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import polars as pl
from rich.console import Console
from rich.table import Table

from tocsin.brief import Brief, box
from tocsin.brief import brief as make_brief
from tocsin.brief.outputs import check_run, read_run
from tocsin.cli.options import AS_OF, FILES, JUDGEMENTS, SPEC, as_date, out_option, print_issues, reading
from tocsin.terms.say import say


@click.command()
@FILES
@click.option("--demo", is_flag=True, help="The bundled data (UCDP GED, Pakistan) as of 2015-05-14.")
@AS_OF
@click.option("--window", type=int, default=150, show_default=True, help="Days to look at, ending on --as-of.")
@click.option("--country", help="ISO 3166-1 alpha-3, e.g. PAK.")
@click.option("--area", help="A province, a district, or tribal, mainland, big_city.")
@click.option("--where", metavar="BOX", help="west,south,east,north in degrees.")
@click.option("--group", help="A community's code, narrower ones included, e.g. shia.")
@click.option("--public", is_flag=True, help="Only what may be passed on.")
@click.option(
    "--since",
    type=click.Path(path_type=Path),
    metavar="LAST",
    help="The folder or run.json of an earlier brief: what changed since, first.",
)
@click.option("--pdf", is_flag=True, help="brief.pdf too: the weekly report, printed by a Chromium or Chrome.")
@click.option("--watch/--no-watch", default=True, show_default=True, help="Look for changes that chance does not explain, or count alone.")
@click.option("--ask", metavar="GROUP[,AREA...]", help="A claim to put to the record: a community's code, then tribal, mainland, big_city.")
@click.option("--ask-since", type=click.DateTime(["%Y-%m-%d"]), help="The day since when it is claimed.")
@SPEC
@JUDGEMENTS
@out_option("tocsin-out")
@click.option("--again", type=click.Path(path_type=Path), help="A run.json: make the same page again, and say whether it is the same.")
def brief(
    files: tuple[Path, ...], as_of: datetime | None, where: str | None, ask_since: datetime | None, again: Path | None, **options: Any
) -> None:
    """Make one page, brief.html, from any mix of event FILES."""
    if again is not None:
        repeat(again, options["out"])
        return
    if not files and not options["demo"]:
        raise click.UsageError("name at least one file, or --demo for the bundled data")
    with reading() as tell:
        made = make_brief(
            list(files),
            as_of=as_date(as_of),
            where=box(where) if where else None,
            ask_since=as_date(ask_since),
            progress=tell,
            **options,
        )
    summary(made)


def repeat(path: Path, out: Path) -> None:
    """Make the page of a run.json once more."""
    run = read_run(path)
    options = dict(run["options"])
    files, where = options.pop("files"), options.pop("where")
    options["judgement_files"] = options.get("judgement_files") or ()
    as_of = date.fromisoformat(options.pop("as_of"))
    since = options.pop("ask_since", None)
    options["ask_since"] = date.fromisoformat(since) if since else None
    with reading() as tell:
        made = make_brief(files, as_of=as_of, where=tuple(where) if where else None, out=out, progress=tell, **options)
    assert made.page is not None
    click.echo(f"{made.page}: {check_run(run, made.page)}")


def summary(made: Brief) -> None:
    """The first screen in the terminal."""
    console, view = Console(), made.view
    sources = "; ".join(f"{s['agency']} {s['rows']:,} rows" for s in view["sources"])
    console.print(f"[bold]{view['title']}, as of {view['as_of_text']}[/bold]  ({view['clock']}; {sources})", highlight=False)
    console.print(" ".join(say(m) for m in (view["change"]["headline"], view["change"]["dead"]) if m), highlight=False)
    if "since" in view:
        console.print(_since(view["since"]), highlight=False)
    console.print(_kinds(view))
    if view["claim"]:
        _claim(console, view["claim"])
    _signals(console, view)
    worst = {i["id"]: i for i in view["incidents"]}
    if view["deadliest"]:
        console.print(_deadliest([worst[i] for i in view["deadliest"]]))
    print_issues(console, made.issues.group_by("reason").agg(len=pl.len()), limit=3)
    if made.page is not None:
        console.print(
            f"Open {made.page} in a browser. Beside it: reports, incidents, links, issues, {'signals, streams, ' if view['watch'] else ''}run.json.",
            highlight=False,
            soft_wrap=True,
        )


def _claim(console: Console, claim: dict[str, Any]) -> None:
    """What was asked of the record, the answer first."""
    console.print()
    console.print(f"[bold]{say(claim['title'])}[/bold]", highlight=False)
    for line in claim["answer"]:
        console.print(filled(say(line), console.width), highlight=False, markup=False)
    for line in (*claim["lines"], *(claim["chance"] or [("asked_untested", {})])):
        console.print(filled(f"- {say(line)}", console.width), highlight=False, markup=False)


def _signals(console: Console, view: dict[str, Any]) -> None:
    """What the watch found, what it could have seen, and, apart from it, whether an alert was issued."""
    found = view["watch"]
    console.print()
    console.print("[bold]Signals[/bold]", highlight=False)
    if found is None:
        console.print(say(("watch_off", {})), highlight=False)
    else:
        console.print(filled(" ".join(say(m) for m in found["summary"]), console.width), highlight=False)
        for k, one in enumerate(found["signals"], 1):
            doubt = "" if one["calibrated"] else f" ({say(('uncalibrated', {}))})"
            text = f"{k}. {say(one['name'])}{doubt}. {' '.join(say(line) for line in one['lines'])}"
            console.print(filled(text, console.width), highlight=False, markup=False)
        for one in found["concentrated"]:
            place = f"{one['place']} ({one['observed']} where {one['expected']} would be, p {one['p_value']:.3f} unadjusted)"
            console.print(filled(f"Concentrated now, which need be no change: {place}.", console.width), highlight=False, markup=False)
    console.print(say(view["alert_text"]), highlight=False)
    console.print()


def filled(text: str, width: int) -> str:
    """Lines no wider than the terminal, what follows the first set in."""
    return textwrap.fill(text, width, subsequent_indent="  ", break_on_hyphens=False)


def _since(since: dict[str, Any]) -> str:
    late = sum(one["late"] for one in since["new"])
    parts = [
        f"{len(since['new']) - late} new",
        f"{late} older ones that became known",
        f"{len(since['revised'])} told anew",
        f"{len(since['gone'])} gone",
    ]
    other = f"; made with other options then: {', '.join(since['differs'])}" if since["differs"] else ""
    told = (
        f"Since {since['then']['as_of']}: {', '.join(parts)}; {since['then']['incidents']:,} incidents then, {since['now']:,} now{other}."
    )
    return f"{told} {_since_signals(since['signals'])}"


def _since_signals(signals: dict[str, Any] | None) -> str:
    if signals is None:
        return say(("since_signals_unknown", {}))
    if not (signals["new"] or signals["on"] or signals["ended"]):
        return say(("since_signals_none", {}))
    ended = "".join(f" Ended: {say(one['name'])}." for one in signals["ended"])
    return f"Signals: {len(signals['new'])} new, {len(signals['on'])} going on, {len(signals['ended'])} ended.{ended}"


def _kinds(view: dict[str, Any]) -> Table:
    """Incidents and, after them, dead civilians; kinds never summed."""
    title = f"Incidents (dead civilians), window {view['window']['start']} to {view['window']['end']}"
    table = Table(box=None, pad_edge=False, title=title, title_justify="left", title_style="bold")
    table.add_column("kind of violence")
    for column in view["change"]["columns"]:
        table.add_column(column["label"], justify="right")
    table.add_column("verdict")
    for row in view["change"]["rows"]:
        cells = [row["cells"][c["key"]] for c in view["change"]["columns"]]
        counts = [f"{c['incidents']:g} ({c['killed_civilians']:g})" for c in cells]
        table.add_row(row["violence"].replace("_", "-"), *counts, row["verdict"])
    return table


def _deadliest(items: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, title="Deadliest one-sided attacks of the window", title_justify="left", title_style="bold")
    for name in ("date", "place", "community", "dead", "who says so"):
        table.add_column(name)
    for i in items:
        group = f"{i['group_name']} ({i['group_by']})" if i["group_name"] else "not said"
        table.add_row(i["date_text"], i["place"] or "?", group, i["killed_text"], i["said_by"])
    return table
