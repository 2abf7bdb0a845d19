"""tocsin replay: history as if live."""

from __future__ import annotations

import textwrap
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import polars as pl
from rich.console import Console
from rich.table import Table

from tocsin.brief.replay import Replay
from tocsin.brief.replay import replay as replay_reports
from tocsin.brief.replay.kept import count_kept
from tocsin.brief.replay.tell import covering, headline, summary
from tocsin.cli.fuse import is_reports
from tocsin.cli.options import FILES, JUDGEMENTS, SPEC, out_option, reading, working
from tocsin.cli.watch import pair_of
from tocsin.engine import ENGINES
from tocsin.errors import UnreadableFile
from tocsin.fusion.judgements import with_bundled
from tocsin.intake import read
from tocsin.terms.tables import SIGNAL_KIND, VIOLENCE
from tocsin.watch.plan import PAIRS

_SHOWN = 10  # signals, attacks
_LEGEND = (
    "Promised: false alarms a year. At start: stood already at the first look. Raised: after it, true and false. Attacks, incidents: how many of the period's "
    "were covered. Lead: the median, in days."
)


@click.command()
@FILES
@SPEC
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The first look.")
@click.option("--to", "end", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The end of the period.")
@click.option("--every", default="7d", show_default=True, help="Time between two looks: 1d, 7d, 2w.")
@click.option("--mass", type=int, default=10, show_default=True, help="Dead from which on an attack counts as mass-casualty.")
@click.option("--kind", "kinds", type=click.Choice(SIGNAL_KIND), multiple=True, help="Clusters or shifts alone; by default both.")
@click.option("--false-alarms-per-year", type=float, default=1.0, show_default=True, help="Of each method, looking that often.")
@click.option(
    "--violence", type=click.Choice(VIOLENCE), multiple=True, help="May be given several times; each on its own.  [default: one_sided]"
)
@click.option("--watched", type=int, default=182, show_default=True, help="Days in which the mix may have shifted.")
@click.option(
    "--pair", "pairs", multiple=True, help="Two columns whose combinations are watched, joined by +.  [default: target_group+area_class]"
)
@click.option("--actor", "actors", multiple=True, help="With streams of its own, several times; by default all with 20 incidents.")
@JUDGEMENTS
@click.option("--seed", type=int, default=0, show_default=True, help="Of the simulations.")
@click.option(
    "--engine", type=click.Choice(tuple(ENGINES)), default="here", show_default=True, help="spark: a date a task; needs tocsin[spark]."
)
@out_option("tocsin-out")
def replay(
    files: tuple[Path, ...],
    spec: Path | None,
    start: datetime,
    end: datetime,
    kinds: tuple[str, ...],
    violence: tuple[str, ...],
    pairs: tuple[str, ...],
    actors: tuple[str, ...],
    judgement_files: tuple[Path, ...],
    out: Path,
    **more: Any,
) -> None:
    """History as if live, from FILES (event files, or a reports.parquet of `tocsin read`): which signals would have been raised when, before which
    mass-casualty attacks, and what simpler methods would have raised beside them.

    Writes signals.parquet (.csv), looks.csv, attacks.csv, rivals.csv, replay.html and run.json. A run that was stopped goes on where it was when the same
    command is given again.
    """
    if not files:
        raise click.UsageError("name at least one file")
    reports = _read(files, spec)
    try:
        with working("looking") as step:
            found = replay_reports(
                reports,
                start=start.date(),
                end=end.date(),
                kinds=kinds or SIGNAL_KIND,
                violence=violence or ("one_sided",),
                pairs=[pair_of(p) for p in pairs] or PAIRS,
                actors=actors or None,
                judgements=with_bundled(judgement_files),
                out=out,
                progress=step,
                **more,
            )
    except KeyboardInterrupt as why:
        click.echo(f"Stopped: {count_kept(out)} looks are done and kept in {out / 'looks'}; the same command goes on from there.", err=True)
        raise click.exceptions.Exit(130) from why
    _show(found, more["mass"])
    click.echo(f"Written: {out / 'replay.html'}, {out / 'signals.parquet'} (.csv), looks.csv, attacks.csv, rivals.csv, run.json")


def _read(files: tuple[Path, ...], spec: Path | None) -> pl.DataFrame:
    """The reports of all files."""
    ready, rest = [f for f in files if is_reports(f)], [f for f in files if not is_reports(f)]
    try:
        tables = [pl.read_parquet(f) for f in ready]
    except (OSError, pl.exceptions.PolarsError) as why:
        raise UnreadableFile(f"{ready[0]}: cannot be read ({str(why).splitlines()[0]}); `tocsin read` writes reports.parquet") from why
    if rest:
        with reading() as tell:
            tables.append(read(list(rest), spec=spec, progress=tell).reports)
    return pl.concat(tables)


def _show(found: Replay, mass: int) -> None:
    console = Console(highlight=False, markup=False)
    if found.hindsight:
        console.print(found.caveats[0])
        console.print()
    console.print(summary(found))
    console.print(covering(found, mass))
    console.print()
    console.print(_rivals(found))
    console.print(_LEGEND)
    for title, lines in (("Signals", _signals(found)), (f"Attacks that killed {mass} or more", _attacks(found))):
        console.print()
        console.print(f"{title}: {len(lines) or 'none'}")
        for line in lines[:_SHOWN]:
            console.print(textwrap.fill(line, console.width, initial_indent="  ", subsequent_indent="    "))
        if len(lines) > _SHOWN:
            console.print(f"  and {len(lines) - _SHOWN} more, in {title.split()[0].lower()}.csv")
    console.print()
    for line in found.caveats[found.hindsight :]:
        console.print(line)


def _rivals(found: Replay) -> Table:
    """All methods, a line each."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("", "promised", "at start", "raised", "a year", "attacks", "incidents", "lead"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for r in found.rivals.iter_rows(named=True):
        lead = "refused" if found.hindsight else "" if r["lead_days"] is None else f"{r['lead_days']:g}"
        shares = (f"{r[f'{k}_covered']}/{r[k]}" for k in ("attacks", "incidents"))
        counts = (f"{r['promised_per_year']:g}", f"{r['at_start']:,}", f"{r['raised']:,}", f"{r['raised_per_year']:.1f}")
        table.add_row(r["method"], *counts, *shares, lead)
    return table


def _signals(found: Replay) -> list[str]:
    return [
        f"{r['first_raised']}{' or before' if r['at_start'] else ''} to {r['last_raised']}, {r['looks']} look{'' if r['looks'] == 1 else 's'}: {headline(r)}"
        for r in found.signals.iter_rows(named=True)
    ]


def _attacks(found: Replay) -> list[str]:
    """Each, the deadliest first, with what stood before it."""
    out = []
    for r in found.attacks.sort("killed", "event_start", "incident_id", descending=[True, False, False]).iter_rows(named=True):
        lead = f", lead {r['lead_days']} days" if r["lead_days"] is not None else ""
        stood = f"{len(r['signals'])} signal{'' if len(r['signals']) == 1 else 's'} stood{lead}" if r["signals"] else "none stood"
        out.append(f"{r['event_start']} {r['place'] or r['area'] or 'place not stated'}, {r['killed']} dead: {stood}")
    return out
