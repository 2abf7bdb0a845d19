"""The picture as the page takes it: plain values, names instead of codes, nothing that is not drawn."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, NamedTuple

import polars as pl

from tocsin.brief.windows import Span, within
from tocsin.fusion.judgements import Judgement
from tocsin.intake import Intake
from tocsin.terms.publishers import publishers
from tocsin.terms.say import Message, day
from tocsin.terms.taxonomies import taxonomy

DEADLIEST = 5


def days(start: date | None, end: date | None) -> str:
    """An interval in words: `13 May 2015`, `13 to 15 May 2015`, `date unknown`."""
    if start is None or end is None:
        return "date unknown"
    if start == end:
        return day(start) or ""
    first, last = day(start) or "", day(end) or ""
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day} to {last}"
    return f"{first.rsplit(' ', 1)[0] if start.year == end.year else first} to {last}"


def toll(low: int | None, best: int | None, high: int | None) -> str:
    """A toll as a range: `45 (43 to 47)`, `at least 15`, `not known`."""
    if low is None and best is None and high is None:
        return "not known"
    if best is None:
        if high is None:
            return f"at least {low}" if low else "none reported"
        return f"{low or 0} to {high}"
    low, high = best if low is None else low, best if high is None else high
    return str(best) if low == high == best else f"{best} ({low} to {high})"


def incident_items(
    incidents: pl.DataFrame, reports: pl.DataFrame, links: pl.DataFrame, spans: tuple[Span, ...], judgements: tuple[Judgement, ...]
) -> list[dict[str, Any]]:
    """All incidents, newest first; links: those of the fusion that made them."""
    window = spans[0]
    chosen = incidents.sort("event_end", "incident_id", descending=[True, False], nulls_last=True)
    known = _known(reports, chosen)
    by_id = {j.id: j for j in judgements}
    inside = _links(chosen, links)
    return [_item(row, window, known, by_id) | {"links": inside.get(row["incident_id"], [])} for row in chosen.iter_rows(named=True)]


#: What a link's numbers are, after its two reports and its probability: natural log-odds, which add up to the last.
REASONS = ("day", "place", "attack", "target", "actor", "killed", "wounded", "agency", "share")


def _links(chosen: pl.DataFrame, links: pl.DataFrame) -> dict[str, list[list[Any]]]:
    """The links within each incident, the surest first: places of its two reports among the incident's, probability, the reasons, their sum."""
    of = (
        chosen.filter(pl.col("report_ids").list.len() > 1)
        .select("incident_id", report=pl.col("report_ids"))
        .explode("report", empty_as_null=False)
    )
    of = of.with_columns(at=pl.int_range(pl.len()).over("incident_id"))
    both = links.filter(pl.col("log_odds").is_not_null()).join(of, left_on="left", right_on="report")
    both = both.join(of, left_on=["right", "incident_id"], right_on=["report", "incident_id"], suffix="_r")
    out: dict[str, list[list[Any]]] = {}
    for row in both.sort("log_odds", "left", "right", descending=[True, False, False]).iter_rows(named=True):
        reasons = [round(row[f"by_{name}"] / 1024, 1) for name in REASONS]
        chance = None if row["probability"] is None else round(row["probability"], 3)
        out.setdefault(row["incident_id"], []).append([row["at"], row["at_r"], chance, *reasons, round(row["log_odds"] / 1024, 1)])
    return out


class _Known(NamedTuple):
    """What the page must know of reports to speak of an incident."""

    stated: set[str]  # reports whose community stands in a column of the source, not only in its words
    agency: dict[str, str]
    cited: set[str]  # reports taken out of another


def _known(reports: pl.DataFrame, chosen: pl.DataFrame) -> _Known:
    mine = reports.filter(pl.col("report_id").is_in(chosen["report_ids"].explode().implode()))
    coded = pl.col("coded_spans").list.eval(pl.element().struct.field("field") == "target_group").list.any().fill_null(False)
    stated = mine.filter(pl.col("target_group").is_not_null() & ~coded)["report_id"]
    cited = mine.filter(pl.col("derived_from").list.len() > 0)["report_id"]
    return _Known(set(stated), dict(mine.select("report_id", "agency").iter_rows()), set(cited))


def _said_by(row: dict[str, Any], known: _Known) -> str:
    """Who reports it, and whom they cite: `UCDP GED, citing Dawn and 2 more`."""
    own = sorted({known.agency[r] for r in row["report_ids"] if r not in known.cited})
    cited = sorted({known.agency[r] for r in row["report_ids"] if r in known.cited})
    if not cited:
        return ", ".join(own)
    more = f" and {len(cited) - 1} more" if len(cited) > 1 else ""
    return f"{', '.join(own)}, citing {cited[0]}{more}" if own else ", ".join(cited)


#: Columns of an incident that the page takes as they are.
_PLAIN = (
    "place",
    "admin1",
    "admin2",
    "area_class",
    "lat",
    "lon",
    "radius_km",
    "violence",
    "actor",
    "attack_type",
    "target_type",
    "target_group",
    "killed_low",
    "killed",
    "killed_high",
    "killed_civilians",
    "killed_a",
    "killed_b",
    "agencies",
    "corroboration",
    "confidence",
    "margin",
    "hindsight",
    "disputed",
    "report_ids",
    "parts",
)


def _item(row: dict[str, Any], window: Span, known: _Known, judgements: dict[str, Judgement]) -> dict[str, Any]:
    judged = [judgements[j] for j in row["judged"] if j in judgements]
    by = None
    if row["target_group"] is not None:
        if any(j.decides == "value" and j.field == "target_group" for j in judged):
            by = "judgement"
        else:
            by = "source" if any(r in known.stated for r in row["report_ids"]) else "words"
    return {
        "id": row["incident_id"],
        "date": _iso(row["event_end"]),
        "date_start": _iso(row["event_start"]),
        "date_text": days(row["event_start"], row["event_end"]),
        "known": _iso(row["known_at"]),
        **{c: round(row[c], 3) if c in ("confidence", "margin") and row[c] is not None else row[c] for c in _PLAIN},
        "said_by": _said_by(row, known),
        "killed_text": toll(row["killed_low"], row["killed"], row["killed_high"]),
        "attack_name": _name("attack_type", row["attack_type"]),
        "target_name": _name("target_type", row["target_type"]),
        "group_name": _name("target_group", row["target_group"]),
        "group_by": by,
        "judged": [
            {"id": j.id, "by": j.by, "on": day(j.signed), "decides": j.decides, "field": j.field, "value": j.value, "why": j.why}
            for j in judged
        ],
        "in_window": bool(row["event_end"] and row["event_end"] >= window.start),
    }


def _iso(value: date | None) -> str | None:
    return value.isoformat() if value else None


def _name(tree: str, code: str | None) -> str | None:
    nodes = taxonomy(tree).nodes
    return nodes[code].name if code in nodes else code


def report_items(reports: pl.DataFrame, items: list[dict[str, Any]], public: bool) -> dict[str, dict[str, Any]]:
    """The reports behind these incidents; `public` leaves out words that a publisher does not let circulate."""
    wanted = pl.DataFrame({"report_id": [r for i in items for r in i["report_ids"]]}, schema={"report_id": pl.String})
    held = {agency for agency, p in publishers().items() if not p.text_may_circulate}
    out = {}
    for row in reports.join(wanted.unique(), on="report_id").sort("report_id").iter_rows(named=True):
        silent = public and row["agency"] in held
        out[row["report_id"]] = {
            "agency": row["agency"],
            "origin": row["origin"],
            "reported": _iso(row["reported_at"].date()) if row["reported_at"] else None,
            "known": _iso(row["known_at"]),
            "date_start": _iso(row["event_start"]),
            "date": _iso(row["event_end"]),
            "date_text": days(row["event_start"], row["event_end"]),
            "place": row["place"],
            "killed_text": toll(row["killed_low"], row["killed"], row["killed_high"]),
            **{c: row[c] for c in ("killed_low", "killed", "killed_high")},
            **{c: row[c] for c in ("actor", "attack_type", "target_type", "target_group")},
            "attack_name": _name("attack_type", row["attack_type"]),
            "target_name": _name("target_type", row["target_type"]),
            "group_name": _name("target_group", row["target_group"]),
            "text": None if silent else row["text"],
            "lang": row["lang"],
            "spans": [] if silent else row["coded_spans"] or [],
            "file": row["file"],
            "row": row["row"],
            "derived": bool(row["derived_from"]),
            "url": row["url"],
        }
    return out


def source_items(intake: Intake, incidents: pl.DataFrame) -> list[dict[str, Any]]:
    """Each file: whose it is, how much of it was read, over which days, and how to cite it."""
    known = publishers()
    out = []
    for line in intake.sources.iter_rows(named=True):
        mine = intake.reports.filter((pl.col("file") == line["file"]) & (pl.col("agency") == line["agency"]))
        first, last = mine["event_start"].min(), mine["event_end"].max()
        terms = known.get(line["agency"])
        out.append(
            {
                "agency": line["agency"],
                "file": line["file"],
                "rows": line["records"],
                "reports": line["reports"],
                "incidents": incidents.filter(pl.col("agencies").list.contains(line["agency"])).height,
                "first": first.isoformat() if isinstance(first, date) else None,
                "last": last.isoformat() if isinstance(last, date) else None,
                "name": terms.name if terms else line["agency"],
                "licence": terms.licence if terms else "as its owner says",
                "cite": terms.cite if terms else "",
                "url": terms.url if terms else "",
            }
        )
    return out


def deadliest(incidents: pl.DataFrame, window: Span) -> list[str]:
    """Ids of the window's deadliest one-sided attacks, worst first."""
    mine = within(incidents, window).filter((pl.col("violence") == "one_sided") & pl.col("killed").is_not_null())
    return (
        mine.sort("killed", "killed_high", "event_end", "incident_id", descending=[True, True, True, False], nulls_last=True)["incident_id"]
        .head(DEADLIEST)
        .to_list()
    )


def would_change(incidents: pl.DataFrame, spans: tuple[Span, ...], intake: Intake) -> list[Message]:
    """What, if it were known, would change the answer: at most three short sentences with their counts."""
    window = spans[0]
    mine = within(incidents, window).filter(pl.col("violence") == "one_sided")
    out: list[Message] = []
    silent = mine["target_group"].null_count()
    if silent:
        out.append(("change_group", {"n": silent, "of": mine.height}))
    lately = window.end - timedelta(days=29)
    out.append(("change_late", {"n": mine.filter(pl.col("event_end") >= lately).height}))
    if "UCDP GED" in intake.sources["agency"]:
        out.append(("change_ged", {}))
    return out


def caveats(intake: Intake, incidents: pl.DataFrame) -> list[str]:
    """What a reader must know before quoting a number, from the data themselves."""
    out = []
    if bool(intake.reports["hindsight"].any()):
        out.append(
            "Hindsight: the files hold no receipt history. Values are as their release knows them, not as known on the day; no lead time follows."
        )
    reports = intake.reports.filter(pl.col("derived_from").list.len().fill_null(0) == 0)
    if "UCDP GED" in intake.sources["agency"]:
        out += [
            "GED: lethal events only. Who began a state-based event is not coded. A group enters with 25 deaths in a year.",
            "GED has no field for the target: communities here come from headlines, which are missing in nearly all rows of 2008 to 2012. "
            "A community that no headline names is silence, not absence.",
        ]
    vague = incidents.filter((pl.col("event_end") - pl.col("event_start")).dt.total_days() > 7).height
    if vague:
        out.append(f"{vague} incidents are dated no better than a week; each counts on its last possible day.")
    rough = reports.filter(pl.col("radius_km") > 20).height
    if rough:
        out.append(f"{rough} of {reports.height} reports are placed no better than 20 km (one standard deviation).")
    return out


def issue_items(issues: pl.DataFrame, *, public: bool) -> list[dict[str, Any]]:
    """Intake issues by reason, the most frequent first, each with an example; a public page tells where, not what stands there."""
    grouped = (
        issues.sort("row")
        .group_by("reason", maintain_order=True)
        .agg(pl.len().alias("count"), pl.col("file", "row", "field", "value").first())
    )
    out = []
    for g in grouped.sort("count", "reason", descending=[True, False]).iter_rows(named=True):
        value = "" if public or not g["field"] or not g["value"] else f" = {g['value']}"
        where = f"{g['file']}, row {g['row']}" + (f", {g['field']}{value}" if g["field"] else "")
        out.append({"reason": g["reason"], "count": g["count"], "example": where})
    return out
