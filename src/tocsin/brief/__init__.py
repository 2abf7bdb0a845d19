"""brief(): event files in, one honest page out. Joins the verbs; the only place that knows them all.

read -> fuse -> scope.py (filters) -> windows.py (counts) -> watching.py (signals) -> ask.py (a claim) -> view.py (plain values) -> page/ (HTML)
-> outputs.py (files)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from importlib.resources import as_file, files
from os import PathLike
from pathlib import Path
from typing import Any

import polars as pl

from tocsin.brief.ask import Ask, answer, asked
from tocsin.brief.outputs import write_outputs
from tocsin.brief.page import render
from tocsin.brief.pdf import print_pdf
from tocsin.brief.scope import Scope, box
from tocsin.brief.sensitivity import sensitivity
from tocsin.brief.since import Last, changes, last_brief, signal_changes
from tocsin.brief.view import caveats, deadliest, incident_items, issue_items, report_items, source_items, would_change
from tocsin.brief.watching import PLAN, watch_view, watched
from tocsin.brief.windows import BASELINES, spans, table, verdict
from tocsin.errors import OptionError
from tocsin.fusion import Fusion, Judgement, default_model, fuse
from tocsin.fusion.judgements import standing, with_bundled
from tocsin.intake import Intake, Progress, read
from tocsin.intake.places import districts, outline
from tocsin.terms.publishers import publishers
from tocsin.terms.say import Message, day
from tocsin.terms.tables import SIGNALS, empty
from tocsin.watch import Look

__all__ = ["Brief", "Scope", "box", "brief"]

DEMO_AS_OF = date(2015, 5, 14)
#: What the demo asks of the record: did attackers turn to religious communities in the mainland after the school in Peshawar?
DEMO_ASK = ("religious,mainland,big_city", date(2014, 12, 16))
#: The name under which `progress` is told of the watch.
WATCHING = "watch"
NEVER = date(9999, 12, 31)


@dataclass(frozen=True)
class Brief:
    """What brief() gives back."""

    view: dict[str, Any]  # what the page shows, as plain values
    reports: pl.DataFrame
    incidents: pl.DataFrame
    issues: pl.DataFrame
    signals: pl.DataFrame  # empty where nothing was watched
    page: Path | None  # brief.html, where `out` was given


def brief(
    sources: str | PathLike[str] | Sequence[Any] | Any = (),
    *,
    as_of: date | None = None,
    window: int = 150,
    country: str | None = None,
    area: str | None = None,
    where: tuple[float, float, float, float] | None = None,
    group: str | None = None,
    public: bool = False,
    out: str | PathLike[str] | None = None,
    demo: bool = False,
    spec: str | PathLike[str] | None = None,
    judgements: Iterable[Judgement] | None = None,
    judgement_files: Iterable[str | PathLike[str]] = (),
    since: str | PathLike[str] | None = None,
    pdf: bool = False,
    watch: bool = True,
    ask: str | None = None,
    ask_since: date | None = None,
    progress: Progress | None = None,
) -> Brief:
    """One page on what changed, from any mix of event files.

    sources: as in `read`. as_of: the day whose knowledge the page shows; by default the last day that the files know of. window: days, ending on as_of.
    country: ISO 3166-1 alpha-3. area: a province, a district, or tribal, mainland, big_city. where: (west, south, east, north) in degrees. group: a
    community's code, narrower ones included. public: only what is marked CLEAR, without words that a publisher does not let circulate. out: a folder
    for brief.html, reports.parquet, incidents.parquet, .csv and .geojson, links.parquet, issues.csv and run.json; nothing is written where it is
    None. demo: the bundled data as of 2015-05-14. judgements: signed decisions in place of the bundled ones; judgement_files: logs of `tocsin
    judge` besides them. since: the folder or run.json of an earlier brief; what changed stands first. pdf: brief.pdf too, printed by a Chromium or Chrome.
    watch: look for changes that chance does not explain; without, counts alone. ask, ask_since: a claim to put to the record, a community's code and kinds of
    area, and the day since when: `religious,mainland,big_city`; the demo asks that since 2014-12-16 unless told otherwise (`""` asks nothing).

    Raises `OptionError` for options that make no sense, and what `read` and `fuse` raise.
    """
    if demo:
        as_of = as_of or DEMO_AS_OF
        with as_file(files("tocsin.data").joinpath("ged221_pakistan.csv.gz")) as path:
            intake = read(path, progress=progress)
    else:
        intake = read(sources, spec=spec, progress=progress)
    if pdf and out is None:
        raise OptionError("a PDF needs a folder to be written to: give out")
    last = last_brief(since) if since is not None else None
    judged = [Path(p) for p in judgement_files]
    decided = with_bundled(judged) if judgements is None else tuple(judgements)
    as_of = as_of or _last_known(intake.reports)
    scope = Scope(as_of, window, country, area, where, group, public)
    claim = _claim(ask, ask_since, as_of, demo)
    reports = intake.reports.filter(pl.col("marking") == "CLEAR") if public else intake.reports
    fusion = fuse(reports, as_of=as_of, judgements=decided)
    kept, left_out = scope.apply(fusion.incidents)
    found = _found(kept, as_of, last, progress) if watch else None
    options = _options(scope, sources, demo, spec) | {
        "since": str(since) if since is not None else None,
        "judgement_files": [str(p) for p in judged],
        "watch": watch,
        "ask": ask,
        "ask_since": ask_since.isoformat() if ask_since else None,
    }
    view = view_of(intake, reports, fusion, kept, left_out, scope, decided)
    view |= _tested(found, kept, scope, claim) | {"reproduce": _command(intake, scope, judged, options)}
    if last is not None:
        view["since"] = changes(last, kept, options) | {"signals": signal_changes(last, None if found is None else found.signals)}
    page = None
    if out is not None:
        text = render(view)
        inside = kept.select(pl.col("report_ids").explode()).to_series().implode()
        links = fusion.links.filter(pl.col("left").is_in(inside) & pl.col("right").is_in(inside))
        tables = {"reports": reports, "incidents": kept, "links": links, "issues": intake.issues}
        if found is not None:
            tables |= {"signals": found.signals, "streams": found.streams}
        page = write_outputs(Path(out), text, view, tables, options)
        if pdf:
            print_pdf(
                page, page.with_suffix(".pdf"), address=f"#kind=all&by=kind&from={view['window']['start']}&to={view['window']['end']}"
            )
    return Brief(view, reports, kept, intake.issues, empty(SIGNALS) if found is None else found.signals, page)


def _claim(ask: str | None, since: date | None, as_of: date, demo: bool) -> Ask | None:
    """What is put to the record. The demo's own is left out where it would be of the future."""
    if ask is None and since is not None:
        raise OptionError(f"--ask-since {since}: of what? Give --ask too, such as --ask religious,mainland,big_city")
    if ask is None and demo and (as_of - DEMO_ASK[1]).days > 30:
        return asked(*DEMO_ASK, as_of)
    return asked(ask, since, as_of) if ask else None


def _found(kept: pl.DataFrame, as_of: date, last: Last | None, progress: Progress | None) -> Look:
    """The signals of the incidents that the brief keeps. ctrl-C stops the brief, as it does while files are read."""
    step = None if progress is None else lambda done, total: progress(WATCHING, done, total)
    found = watched(kept, as_of, last=None if last is None else last.signals_by(as_of), progress=step)
    if found.stopped:
        raise KeyboardInterrupt
    return found


def _tested(found: Look | None, kept: pl.DataFrame, scope: Scope, claim: Ask | None) -> dict[str, Any]:
    """What was tested against chance: the watch, and the claim that was asked about."""
    assert scope.as_of is not None
    return {
        "watch": None if found is None else watch_view(found, kept, scope.as_of),
        "claim": None if claim is None else answer(claim, kept, scope.as_of, streams=None if found is None else found.streams),
        "seeds": [] if found is None else [PLAN["seed"]],
    }


def _options(scope: Scope, sources: Any, demo: bool, spec: Any) -> dict[str, Any]:
    """The options of this run, as run.json keeps them."""
    many = sources if isinstance(sources, (list, tuple)) else [sources]
    return {
        "files": [] if demo else [str(s) if isinstance(s, (str, PathLike)) else "<table>" for s in many],
        "demo": demo,
        "as_of": scope.as_of.isoformat() if scope.as_of else None,
        "window": scope.window,
        "country": scope.country,
        "area": scope.area,
        "where": list(scope.where) if scope.where else None,
        "group": scope.group,
        "public": scope.public,
        "spec": str(spec) if spec is not None else None,
    }


def _last_known(reports: pl.DataFrame) -> date:
    last = reports.filter(pl.col("known_at") < NEVER)["known_at"].max()
    if not isinstance(last, date):
        raise OptionError(
            "no report is dated, so there is no day to show: give --as-of YYYY-MM-DD, or see issues.csv of `tocsin read` for what went wrong"
        )
    return last


def view_of(
    intake: Intake,
    reports: pl.DataFrame,
    fusion: Fusion,
    kept: pl.DataFrame,
    left_out: list[tuple[str, int]],
    scope: Scope,
    decided: tuple[Judgement, ...],
) -> dict[str, Any]:
    """What the page of a fusion shows, but for what was tested against chance and how to make it again; kept: its incidents within the scope."""
    assert scope.as_of is not None
    columns = spans(scope.as_of, scope.window)
    rows = table(kept, columns)
    items = incident_items(kept, reports, fusion.links, columns, standing(decided))
    late = reports.filter((pl.col("known_at") > scope.as_of) & (pl.col("derived_from").list.len().fill_null(0) == 0)).height
    hidden = intake.reports.height - reports.height
    bad = intake.issues.filter(pl.col("field").is_null() & (pl.col("row") > 0)).height
    return {
        "tocsin": version("tocsin"),
        "title": _title(kept, scope),
        "as_of": scope.as_of.isoformat(),
        "as_of_text": day(scope.as_of),
        "window": {"start": columns[0].start.isoformat(), "end": columns[0].end.isoformat(), "days": scope.window},
        "audience": ("audience_public" if scope.public else "audience_holder", {}),
        "clock": "hindsight" if bool(reports["hindsight"].any()) else "as known",
        "filters": [[option, value] for option, _, value in scope.filters()],
        "sources": source_items(intake, fusion.incidents),
        "left_out": [
            [("left_late", {"date": scope.as_of.isoformat()}), late],
            [("left_unread", {}), bad],
            *([[("left_held", {}), hidden]] if scope.public else []),
            *[[("left_outside", {"filter": name}), n] for name, n in left_out],
        ],
        "change": {
            "headline": _headline(rows, scope),
            "dead": _dead(rows),
            "columns": [
                {"key": s.key, "label": s.label, "start": s.start.isoformat(), "end": s.end.isoformat(), "days": s.days} for s in columns
            ],
            "rows": rows,
        },
        "sensitivity": sensitivity(reports, kept, scope, columns, decided),
        "deadliest": deadliest(kept, columns[0]),
        "alert": None,
        "alert_text": ("alert_none", {}),
        "would_change": would_change(kept, columns, intake),
        "incidents": items,
        "reports": report_items(reports, items, scope.public),
        "map": _map(items),
        "issues": issue_items(intake.issues, public=scope.public),
        "unmapped": intake.unmapped.head(50).to_dicts(),
        "licences": _licences(intake),
        "caveats": caveats(intake, kept),
        "run": {"inputs": intake.sources.select("file", "source_hash").rows(), "model": _model(fusion.incidents)},
        "calibrated_on": default_model().calibrated_on,
    }


def _model(incidents: pl.DataFrame) -> str | None:
    return incidents["model"][0] if incidents.height else None


def _title(kept: pl.DataFrame, scope: Scope) -> str:
    names = sorted(c for c in kept["country"].unique().to_list() if c)
    where = names[0] if len(names) == 1 else f"{len(names)} countries"
    return {"PAK": "Pakistan", "BGD": "Bangladesh", "AFG": "Afghanistan", "IND": "India"}.get(where, where) if names else "No incidents"


def _headline(rows: list[dict[str, Any]], scope: Scope) -> Message:
    mine = next((r for r in rows if r["default"]), None)
    if mine is None:
        return ("headline_none", {"days": scope.window})
    count = {k: mine["cells"][k]["incidents"] for k in ("window", *BASELINES)}
    return ("headline", {**count, "n": count["window"], "days": scope.window, "saying": (f"headline_{mine['verdict']}", {})})


def _dead(rows: list[dict[str, Any]]) -> Message | None:
    """The dead of one-sided attacks in the window and its baselines."""
    mine = next((r for r in rows if r["default"]), None)
    if mine is None:
        return None
    dead = {k: mine["cells"][k]["killed"] for k in ("window", *BASELINES)}
    signs = {k: (dead["window"] > dead[k]) - (dead["window"] < dead[k]) for k in BASELINES}
    return ("headline_dead", {**dead, "saying": (f"verdict_{verdict(signs)}", {})})


def _map(items: list[dict[str, Any]]) -> dict[str, Any]:
    points = [(i["lon"], i["lat"]) for i in items if i["lat"] is not None and i["lon"] is not None]
    west, east = (min(p[0] for p in points), max(p[0] for p in points)) if points else (-180.0, 180.0)
    south, north = (min(p[1] for p in points), max(p[1] for p in points)) if points else (-60.0, 80.0)
    return {
        "land": outline(),
        "districts": districts(),
        "bbox": [west - 1, south - 1, east + 1, north + 1],
        "credits": "Districts © OpenStreetMap contributors (ODbL 1.0). Land: Natural Earth (public domain). Places: GeoNames (CC BY 4.0).",
    }


def _licences(intake: Intake) -> list[dict[str, str]]:
    known = publishers()
    out = [
        {"name": known[a].name, "licence": known[a].licence, "cite": known[a].cite, "url": known[a].url}
        for a in sorted(set(intake.sources["agency"]))
        if a in known
    ]
    return [
        *out,
        {
            "name": "District boundaries",
            "licence": "ODbL 1.0",
            "cite": "© OpenStreetMap contributors",
            "url": "https://www.openstreetmap.org/copyright",
        },
        {"name": "Place names and populations", "licence": "CC BY 4.0", "cite": "GeoNames", "url": "https://www.geonames.org"},
        {"name": "World outline", "licence": "public domain", "cite": "Natural Earth", "url": "https://www.naturalearthdata.com"},
    ]


def _command(intake: Intake, scope: Scope, judged: list[Path], options: dict[str, Any]) -> str:
    words = [
        "tocsin brief",
        *(["--demo"] if options["demo"] else intake.sources["file"].to_list()),
        f"--as-of {scope.as_of}",
        f"--window {scope.window}",
    ]
    words += [f"{option} {value}" for option, _, value in scope.filters()]
    words += [f"--judgements {path.name}" for path in judged]
    if options["ask"] is not None:
        words += [f"--ask {options['ask'] or repr('')}", *([f"--ask-since {options['ask_since']}"] if options["ask_since"] else [])]
    words += [] if options["watch"] else ["--no-watch"]
    return " ".join([*words, *(["--public"] if scope.public else [])])
