"""tocsin watch: what changed, by what was known on a day."""

from __future__ import annotations

import json
import math
import textwrap
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import polars as pl
from rich.console import Console
from rich.table import Table

from tocsin.brief.outputs import write_flat
from tocsin.cli.options import as_date, out_option, working
from tocsin.engine import ENGINES
from tocsin.errors import OptionError, UnreadableFile
from tocsin.terms.tables import SIGNAL_KIND, VIOLENCE
from tocsin.watch import Look, look
from tocsin.watch.plan import PAIRS


@click.command()
@click.argument("incidents", type=click.Path(path_type=Path))
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day to look from; by default that of the incidents.")
@click.option("--every", default="7d", show_default=True, help="Time between two looks: 1d, 7d, 2w.")
@click.option("--kind", "kinds", type=click.Choice(SIGNAL_KIND), multiple=True, help="Clusters or shifts alone; by default both.")
@click.option("--false-alarms-per-year", type=float, default=1.0, show_default=True, help="Of the whole run, looking that often.")
@click.option(
    "--violence", type=click.Choice(VIOLENCE), multiple=True, help="May be given several times; each on its own.  [default: one_sided]"
)
@click.option("--watched", type=int, default=182, show_default=True, help="Days in which the mix may have shifted.")
@click.option(
    "--pair", "pairs", multiple=True, help="Two columns whose combinations are watched, joined by +.  [default: target_group+area_class]"
)
@click.option("--actor", "actors", multiple=True, help="With streams of its own, several times; by default all with 20 incidents.")
@click.option("--last", type=click.Path(path_type=Path), help="The signals.parquet of an earlier look: its signals keep their ids.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the simulations.")
@click.option(
    "--engine",
    type=click.Choice(tuple(ENGINES)),
    default="here",
    show_default=True,
    help="Where it is worked out; spark needs tocsin[spark].",
)
@out_option("tocsin-out")
@click.option("--json", "as_json", is_flag=True, help="What was found as one JSON document.")
def watch(
    incidents: Path,
    as_of: datetime | None,
    kinds: tuple[str, ...],
    violence: tuple[str, ...],
    pairs: tuple[str, ...],
    actors: tuple[str, ...],
    last: Path | None,
    out: Path,
    as_json: bool,
    **more: Any,
) -> None:
    """Watch INCIDENTS, the incidents.parquet of `tocsin fuse` or `brief`: what changed, and what could have been seen.

    Writes signals.parquet, signals.csv and streams.csv. ctrl-C writes what is done by then.
    """
    table = _read(incidents)
    day = as_date(as_of) or _stamp(table, incidents)
    with working("looking") as step:
        found = look(
            table,
            as_of=day,
            kinds=kinds or SIGNAL_KIND,
            violence=violence or ("one_sided",),
            pairs=[pair_of(p) for p in pairs] or PAIRS,
            actors=actors or None,
            last=None if last is None else _read(last),
            progress=step,
            **more,
        )
    _write(out, found)
    if as_json:
        click.echo(json.dumps(_plain(found), indent=1, ensure_ascii=False, default=str))
    else:
        _show(found, day, more)
        click.echo(f"Written: {out / 'signals.parquet'} (.csv), {out / 'streams.csv'}")
    if found.stopped:
        raise click.exceptions.Exit(130)


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as why:
        raise UnreadableFile(
            f"{path}: cannot be read as Parquet ({str(why).splitlines()[0]}); `tocsin fuse` writes incidents.parquet"
        ) from why


def _stamp(table: pl.DataFrame, path: Path) -> date:
    """The day whose knowledge the incidents are."""
    day = table["as_of"].max() if "as_of" in table.columns else None
    if not isinstance(day, date):
        raise OptionError(f"{path} holds no incident that says as of which day it is: give --as-of")
    return day


def pair_of(text: str) -> tuple[str, str]:
    """Two columns joined by +. Raises `OptionError` where there are not two."""
    a, plus, b = text.partition("+")
    if not plus:
        raise OptionError(f"--pair {text!r}: join two columns by +, such as target_group+area_class")
    return a, b


def _write(out: Path, found: Look) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        found.signals.write_parquet(out / "signals.parquet")
        write_flat(out / "signals.csv", found.signals)
        write_flat(out / "streams.csv", found.streams)
    except OSError as why:
        raise UnreadableFile(f"{out}: cannot be written ({why.strerror}); give another folder with --out") from why


def _plain(found: Look) -> dict[str, Any]:
    tables = ("signals", "streams", "concentrated", "completeness", "left_out")
    return {**{name: getattr(found, name).to_dicts() for name in tables}, "caveats": found.caveats, "stopped": found.stopped}


def _show(found: Look, day: date, options: dict[str, Any]) -> None:
    console = Console(highlight=False, markup=False)
    n, rate = found.signals.height, options["false_alarms_per_year"]
    title = f"{n or 'No'} signal{'' if n == 1 else 's'} as of {day}"
    console.print(f"{title}, looking every {options['every']}, {rate:g} false alarm{'' if rate == 1 else 's'} a year allowed.")
    for k, row in enumerate(found.signals.iter_rows(named=True), 1):
        console.print()
        console.print(_wrapped(f"{k}. {_headline(row)}", console.width, "").replace("\n  ", "\n   "))
        for line in _lines(row):
            console.print(_wrapped(line, console.width, "   "))
    console.print()
    for kind, own in found.streams.group_by("violence", maintain_order=True):
        console.print(_tested(own, str(kind[0])))
        console.print()
    for line in _remarks(found):
        console.print(_wrapped(line, console.width))


def _wrapped(text: str, width: int, indent: str = "") -> str:
    """Lines without blanks at their ends, broken between words alone."""
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent or "  ", break_on_hyphens=False)


def _headline(row: dict[str, Any]) -> str:
    whose = f", {row['actor']}" if row["actor"] else ""
    if row["kind"] == "cluster":
        return f"Cluster at {row['category']} ({row['violence']}{whose}), {row['start']} to {row['end']}"
    way = "more" if row["log_odds"] > 0 else "less"
    return f"{_dimension(row['dimension'])} shifted ({row['violence']}{whose}, by {row['measure']}): {way} {row['category']} since {row['start']}"


def _lines(row: dict[str, Any]) -> list[str]:
    """What stands under a signal's headline."""
    what = "dead" if row["measure"] == "deaths" else f"incident{'' if row['observed'] == 1 else 's'}"
    times = "times as many" if row["kind"] == "cluster" else "odds times"
    low, value, high = (_number(math.exp(min(row[c], 300.0))) for c in ("low", "log_odds", "high"))
    where = f" within {row['radius_km']:.0f} km" if row["radius_km"] else ""
    area = f" Most in {row['area']}." if row["area"] else ""
    out = [
        f"{row['observed']:,} {what}{where} where {_number(row['expected'])} would be usual; {times} {value} ({low} to {high}).{area}",
        f"Chance does as much {_number(row['false_alarms_per_year'])} times a year. First raised {row['first_raised']}; "
        f"evidence: {len(row['evidence'])} incident{'' if len(row['evidence']) == 1 else 's'}.",
    ]
    if row["falls_without"]:
        which = "deadliest" if row["measure"] == "deaths" else "latest"
        out.append(f"It would go away without the {row['falls_without']} {which} of its evidence, all else as it is.")
    return [*out, *([f"{row['note'][0].upper()}{row['note'][1:]}."] if row["note"] else [])]


def _tested(streams: pl.DataFrame, violence: str) -> Table:
    """All that was tested of one kind of violence, a line each."""
    table = Table(
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title=f"What was tested of {violence} violence",
        title_justify="left",
        title_style="bold",
    )
    for name, side in (
        ("stream", "left"),
        ("before", "right"),
        ("lately", "right"),
        ("p", "right"),
        ("verdict", "left"),
        ("would be seen", "left"),
    ):
        table.add_column(name, justify=side, overflow="fold", no_wrap=name in ("before", "lately", "p"))  # type: ignore[arg-type]
    for row in streams.iter_rows(named=True):
        name = "clusters" if row["kind"] == "cluster" else f"{_dimension(row['dimension'])}, {row['measure']}"
        name = ", ".join([name, *([row["actor"]] if row["actor"] else [])])
        p = "" if row["p_value"] is None else f"{row['p_value']:.3f}"
        table.add_row(name, f"{row['before']:,}", f"{row['watched']:,}", p, row["verdict"], _seen(row))
    return table


_QUIET = ("no change", "cannot be told")


def _seen(row: dict[str, Any]) -> str:
    if row["verdict"] not in _QUIET:
        return ""
    if row["kind"] == "cluster":
        return "none tried" if row["seen_extra"] is None else f"{row['seen_extra']} more at a place"
    return "none tried" if row["seen_odds"] is None else f"{row['seen_category']}: odds x {row['seen_odds']:g}"


def _remarks(found: Look) -> list[str]:
    """What the tests rest on."""
    out = []
    if found.stopped:
        out.append(f"Stopped: {(found.streams['verdict'] == 'not looked at').sum()} streams were not looked at; streams.csv names them.")
    quiet = found.streams.filter(pl.col("verdict").cast(pl.String).is_in(_QUIET))
    blind = quiet.filter(pl.all_horizontal(pl.col("seen_odds", "seen_extra").is_null())).height
    if blind:
        out.append(
            f"{blind} of {quiet.height} tests without a signal would have seen no change that was tried: for them there are too few incidents."
        )
    if quiet.height:
        out.append(
            "Would be seen: a change so large, since the middle of the watched days (14 days for clusters), is a signal 4 times of 5."
        )
    if found.concentrated.height:
        where = (
            f"{r['place']} ({r['observed']} where {_number(r['expected'])} would be, p {r['p_value']:.3f})"
            for r in found.concentrated.to_dicts()
        )
        out.append(f"Incidents concentrate, which need be no change: {'; '.join(where)}.")
    for violence, own in found.completeness.filter(~pl.col("complete")).group_by("violence", maintain_order=True):
        days = "day" if own.height == 1 else f"{own.height} days"
        out.append(f"Not complete: of the last {days} fewer than 9 in 10 incidents ({violence[0]}) are known yet.")
    out += [
        f"{n:,} incident{'' if n == 1 else 's'} ({v}) left out{' of clusters' if of == 'clusters' else ''}: {why}."
        for v, of, why, n in found.left_out.iter_rows()
    ]
    return [*out, *(f"{c[0].upper()}{c[1:]}." for c in found.caveats)]


def _dimension(name: str) -> str:
    words = {"target_type": "targets", "target_group": "communities", "attack_type": "tactics", "weapon_type": "weapons", "actor": "actors",
             "area": "areas", "area_class": "kinds of area"}  # fmt: skip
    return " by ".join(words[n] for n in name.split("+")).capitalize()


def _number(x: float) -> str:
    return f"{x:,.0f}" if x >= 100 else f"{x:.2g}"
