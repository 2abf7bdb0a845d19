"""The tables that pass between the verbs: one line of meaning and unit a column.

A contract is an ordered tuple of `Column`; `empty(contract)` gives a frame of it and `conform(frame, contract)` checks and orders one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from tocsin.errors import ContractError

VIOLENCE = ("one_sided", "state_based", "non_state", "interstate", "unknown")
AREA_CLASS = ("tribal", "mainland", "big_city")
KIND = ("event", "threat")
MARKING = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")

#: One stretch of a report's words and the value it gave: `field`, `value` (as text), the words, and where they stand (code points).
SPAN = pl.Struct({"field": pl.String, "value": pl.String, "words": pl.String, "start": pl.Int32, "end": pl.Int32})


#: One row of an incident that a source split by kind of violence.
PART = pl.Struct(
    {
        "report_id": pl.String,
        "violence": pl.String,
        "side_a": pl.String,
        "side_b": pl.String,
        "killed_low": pl.Int32,
        "killed": pl.Int32,
        "killed_high": pl.Int32,
        "killed_civilians": pl.Int32,
        "killed_a": pl.Int32,
        "killed_b": pl.Int32,
    }
)


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    dtype: pl.DataType
    meaning: str
    required: bool = False


def _c(name: str, dtype: pl.DataType | type[pl.DataType], meaning: str, required: bool = False) -> Column:
    return Column(name, dtype() if isinstance(dtype, type) else dtype, meaning, required)


_S, _I, _F, _D, _B = pl.String, pl.Int32, pl.Float64, pl.Date, pl.Boolean
_T = pl.Datetime("us", "UTC")
_LS = pl.List(pl.String)

REPORTS: tuple[Column, ...] = (
    _c("report_id", _S, "UUIDv5 of (agency, the agency's own id or content, version)", True),
    _c("agency", _S, "the organisation whose account this is", True),
    _c("origin", _S, "the desk, article or source row that first said it; equal origins never corroborate each other", True),
    _c("kind", pl.Enum(KIND), "event, or expected threat", True),
    _c("reported_at", _T, "when the agency says it reported (its own clock)"),
    _c("received_at", _T, "when a hub received it (the hub's clock); null for a file"),
    _c("known_at", _D, "for a file: the day on which it could first be known", True),
    _c("hindsight", _B, "true where values are as a later release knows them", True),
    _c("event_start", _D, "first day on which it may have happened; null where not even a year is known"),
    _c("event_end", _D, "last day on which it may have happened; the interval is the imprecision"),
    _c("country", _S, "ISO 3166-1 alpha-3"),
    _c("admin1", _S, "province, as the dated crosswalk names it"),
    _c("admin2", _S, "district, as the dated crosswalk names it"),
    _c("area_class", pl.Enum(AREA_CLASS), "tribal, mainland or big city at the date of the event"),
    _c("place", _S, "the named place, as the source writes it"),
    _c("lat", _F, "degrees north, WGS 84"),
    _c("lon", _F, "degrees east, WGS 84"),
    _c("radius_km", _F, "1-sigma position uncertainty in kilometres"),
    _c("violence", pl.Enum(VIOLENCE), "UCDP's kinds; never summed together", True),
    _c("side_a", _S, "first side, as the source orders them"),
    _c("side_b", _S, "second side"),
    _c("actor", _S, "the armed side held responsible, canonical name; null where the source is silent"),
    _c("initiator", _S, "the side that began it; null where the source does not say"),
    _c("attack_type", _S, "code of terms/taxonomies/attack_type.yml"),
    _c("weapon_type", _S, "code of terms/taxonomies/weapon_type.yml"),
    _c("target_type", _S, "code of terms/taxonomies/target_type.yml"),
    _c("target_group", _S, "code of terms/taxonomies/target_group.yml; null is silence, `general` is stated to be no community"),
    _c("killed_low", _I, "lowest number of dead, persons; null is unknown, never 0"),
    _c("killed", _I, "best number of dead, persons"),
    _c("killed_high", _I, "highest number of dead, persons"),
    _c("killed_civilians", _I, "dead civilians, persons"),
    _c("killed_a", _I, "dead of side a, persons"),
    _c("killed_b", _I, "dead of side b, persons"),
    _c("wounded", _I, "wounded, persons"),
    _c("text", _S, "the source's words; several headlines stand on lines of their own"),
    _c("coded_spans", pl.List(SPAN), "which words gave which value; empty where no value came from words"),
    _c("lang", _S, "ISO 639-1 of the text"),
    _c("url", _S, "where the source can be read"),
    _c("part_of", _S, "shared by rows that a source split by kind of violence: their tolls add"),
    _c("derived_from", _LS, "report ids that this one repeats or was taken out of"),
    _c("reliability", _S, "A-F, the Admiralty code of the source"),
    _c("credibility", _I, "1-6, the Admiralty code of the information"),
    _c("marking", pl.Enum(MARKING), "TLP 2.0", True),
    _c("releasable_to", _LS, "agencies and groups it may go to"),
    _c("orcon", _B, "onward release waits for the originator"),
    _c("review_at", _D, "when the marking is to be looked at again"),
    _c("supersedes", _S, "report_id that this one corrects"),
    _c("file", _S, "name of the file it was read from"),
    _c("row", pl.Int64, "physical record in that file, the header being record 1"),
    _c("source_hash", _S, "SHA-256 of the file's bytes"),
)

INCIDENTS: tuple[Column, ...] = (
    _c("incident_id", _S, "supersession root of its first visible report", True),
    _c("series", _S, "shared by simultaneous incidents of one side"),
    _c("report_ids", _LS, "the reports judged to describe it, sorted", True),
    _c("agencies", _LS, "who reports it, sorted", True),
    _c("as_of", _D, "the day whose knowledge this is", True),
    _c("model", _S, "hash of the method and judgements that made it", True),
    _c("known_at", _D, "the day on which it could first be known", True),
    _c("hindsight", _B, "true where any value is hindsight", True),
    _c("event_start", _D, "first day on which it may have happened"),
    _c("event_end", _D, "last day on which it may have happened"),
    _c("country", _S, "ISO 3166-1 alpha-3"),
    _c("admin1", _S, "province"),
    _c("admin2", _S, "district"),
    _c("area_class", pl.Enum(AREA_CLASS), "tribal, mainland or big city"),
    _c("place", _S, "the named place of the most precise report"),
    _c("lat", _F, "degrees north"),
    _c("lon", _F, "degrees east"),
    _c("radius_km", _F, "1-sigma position uncertainty in kilometres"),
    _c("violence", pl.Enum(VIOLENCE), "the kind; of a split incident, the kind that killed most", True),
    _c("parts", pl.List(PART), "of an incident that a source split by kind of violence: its rows, as they are; else empty", True),
    _c("side_a", _S, "first side"),
    _c("side_b", _S, "second side"),
    _c("actor", _S, "the armed side held responsible"),
    _c("initiator", _S, "the side that began it"),
    _c("attack_type", _S, "how"),
    _c("weapon_type", _S, "with what"),
    _c("target_type", _S, "what was hit"),
    _c("target_group", _S, "the community aimed at"),
    _c("killed_low", _I, "lowest toll any current report gives, parts added"),
    _c("killed", _I, "best toll, parts added"),
    _c("killed_high", _I, "highest toll any current report gives, parts added"),
    _c("killed_civilians", _I, "dead civilians, parts added"),
    _c("killed_a", _I, "dead of side a; null where its parts have other sides"),
    _c("killed_b", _I, "dead of side b; null where its parts have other sides"),
    _c("wounded", _I, "wounded"),
    _c("disputed", _LS, "columns on which its reports disagree, sorted", True),
    _c("corroboration", _I, "number of independent origins", True),
    _c(
        "confidence",
        _F,
        "probability that all its reports are one incident, recalibrated on what the model names; null for one report, or without odds",
    ),
    _c(
        "margin",
        _F,
        "log-odds to the nearest other answer: its weakest report elsewhere or alone; null where nothing else is near, or the method gives none",
    ),
    _c(
        "vague", _B, "true where no report of it knows its day to a month (31 days): it may be an incident that is told elsewhere too", True
    ),
    _c("judged", _LS, "ids of the human judgements that shaped it", True),
)

THREATS: tuple[Column, ...] = (
    *INCIDENTS,
    _c("fulfilled_by", _LS, "incident ids of later incidents that fit it, those first that agree in most codes", True),
)

LINKS: tuple[Column, ...] = (
    _c("left", _S, "report_id, the lesser of the two", True),
    _c("right", _S, "report_id", True),
    _c("log_odds", _I, "log-odds that they describe one incident, in 1/1024; null where the method gives none"),
    _c(
        "probability",
        _F,
        "that they describe one incident, recalibrated on what the model names; null where the method gives none",
    ),
    _c("days", _I, "days between the two intervals, 0 where they overlap"),
    _c("km", _F, "kilometres between the two points"),
    _c("by_day", _I, "what the days give; log_odds is the sum of all by_ columns, in 1/1024, null where the method gives none"),
    _c("by_place", _I, "what the distance gives, by how well each point is known"),
    _c("by_attack", _I, "what attack_type gives"),
    _c("by_target", _I, "what target_type gives"),
    _c("by_actor", _I, "what the actor gives"),
    _c("by_killed", _I, "what the dead give, by the size of the toll"),
    _c("by_wounded", _I, "what the wounded give"),
    _c("by_agency", _I, "what it gives that one agency, or two, report"),
    _c("by_words", _I, "what the words in common give, by how rare each is; null but for headlines"),
    _c("by_share", _I, "the prior, less what is shared out among the other candidates of the two"),
)

ISSUES: tuple[Column, ...] = (
    _c("file", _S, "name of the file", True),
    _c("row", pl.Int64, "physical record, the header being record 1; 0 for the whole file", True),
    _c("field", _S, "column of the file; null for the whole record"),
    _c("value", _S, "the value as it stands there, at most 200 characters"),
    _c("reason", _S, "what is wrong and what was done", True),
)


SIGNAL_KIND = ("cluster", "shift")
MEASURE = ("count", "deaths")
#: What came of looking at a stream.
VERDICT = ("changed", "no change", "cannot be told", "too little", "not looked at")

SIGNALS: tuple[Column, ...] = (
    _c("signal_id", _S, "UUIDv5 of its stream and its first evidence; kept from look to look where half the evidence is the same", True),
    _c("as_of", _D, "the day whose knowledge this is", True),
    _c("kind", pl.Enum(SIGNAL_KIND), "cluster: more here of late than bursts bring; shift: another mix", True),
    _c("measure", pl.Enum(MEASURE), "what is counted: incidents, or deaths", True),
    _c("violence", pl.Enum(VIOLENCE), "the kind; never summed together", True),
    _c("dimension", _S, "whose mix shifted, two joined by +; place for a cluster", True),
    _c("actor", _S, "of one actor's stream: who; null for all"),
    _c("category", _S, "what moved most; of a cluster the place in its middle", True),
    _c("area", _S, "country/province where most of the evidence lies"),
    _c("lat", _F, "degrees north, the middle of a cluster"),
    _c("lon", _F, "degrees east, the middle of a cluster"),
    _c("radius_km", _F, "from the middle of a cluster to its farthest place, kilometres"),
    _c("start", _D, "first day of the change", True),
    _c("end", _D, "last day that was looked at", True),
    _c("observed", pl.Int64, "incidents or deaths from start to end", True),
    _c("expected", _F, "as many as there would be without the change", True),
    _c("log_odds", _F, "shift: of the category, after against before; cluster: log of observed / expected", True),
    _c("low", _F, "lower end of a 95 % interval of log_odds", True),
    _c("high", _F, "upper end of it", True),
    _c("statistic", _F, "log likelihood ratio", True),
    _c("p_value", _F, "how often chance alone does as much at one look (cluster) or in the watched days (shift)", True),
    _c(
        "false_alarms_per_year",
        _F,
        "false signals a year of the whole run, at its cadence, if all its limits stood where this one just passes",
        True,
    ),
    _c("first_raised", _D, "the first of the looks in a row that raise it, of which one at a time may fail to", True),
    _c("evidence", _LS, "incident ids, the earliest first", True),
    _c(
        "falls_without",
        pl.Int64,
        "without so many of its evidence, the latest first (of deaths the deadliest first), it would be no signal",
    ),
    _c("calibrated", _B, "false where the rate of false alarms is not to be relied on; note says why", True),
    _c("note", _S, "what to bear in mind"),
)

STREAMS: tuple[Column, ...] = (
    _c("as_of", _D, "the day whose knowledge this is", True),
    _c("kind", pl.Enum(SIGNAL_KIND), "what was looked for", True),
    _c("violence", pl.Enum(VIOLENCE), "the kind", True),
    _c("dimension", _S, "whose mix, two joined by +; place for clusters", True),
    _c("actor", _S, "of one actor's stream: who; null for all"),
    _c("measure", pl.Enum(MEASURE), "what is counted", True),
    _c("before", pl.Int64, "incidents or deaths before the watched days", True),
    _c("watched", pl.Int64, "incidents or deaths in the watched days", True),
    _c("unknown", pl.Int64, "of both, those whose category is not known; for clusters, incidents whose place is not known well enough", True),
    _c("verdict", pl.Enum(VERDICT), "what came of it", True),
    _c("reason", _S, "what the verdict rests on", True),
    _c("p_value", _F, "the least of the stream; where something is unknown, the greatest of the three ways to spread it"),
    _c("level", _F, "a p_value up to this is a signal"),
    _c("replications", pl.Int64, "simulations"),
    _c("p_unknown", _F, "that the share of the unknown did not change"),
    _c("p_spread", _F, "with the unknown as the earlier mix has them"),
    _c("p_up", _F, "with all unknown of the category that rose most"),
    _c("p_down", _F, "with all unknown of the category that fell most"),
    _c("up", _S, "the category that rose most"),
    _c("down", _S, "the category that fell most"),
    _c("seen_category", _S, "of the six commonest categories the one in which the least change would have been seen"),
    _c("seen_odds", _F, "its odds times this, since the middle of the watched days, would have been a signal 4 times of 5; null where no factor tried would"),
    _c("seen_extra", pl.Int64, "so many more incidents at one place within 14 days would have been a signal 4 times of 5; null where no number tried would"),
)  # fmt: skip


#: The signals of a replay: as each was when it was first raised, and how long it stood.
RAISED: tuple[Column, ...] = (
    *SIGNALS,
    _c("last_raised", _D, "the last look that raised it", True),
    _c("ended", _D, "the first look that no longer did; null where the last look still raises it"),
    _c("looks", pl.Int64, "looks that raised it; one at a time may have failed to in between", True),
    _c(
        "at_start",
        _B,
        "true where the first look raised it: it may have begun earlier, and is not counted among those raised in the period",
        True,
    ),
    _c("incidents", _LS, "incident ids that were its evidence at any look, sorted", True),
)

LOOKS: tuple[Column, ...] = (
    _c("as_of", _D, "the day that is looked from", True),
    _c("reports", pl.Int64, "known by then", True),
    _c("incidents", pl.Int64, "that they are fused into, all kinds of violence", True),
    _c("watched", pl.Int64, "incidents of the last 30 days, of the kinds of violence that are watched", True),
    _c("streams", pl.Int64, "that there were to test", True),
    _c("tested", pl.Int64, "of them, those that held enough", True),
    _c("signals", pl.Int64, "that this look raised", True),
    _c("new", pl.Int64, "of them, those that no look before raised", True),
    _c("scan", pl.Int64, "alarms of the permutation scan", True),
    _c("c1", pl.Int64, "alarms of EARS C1", True),
    _c("c2", pl.Int64, "alarms of EARS C2", True),
)

ATTACKS: tuple[Column, ...] = (
    _c("incident_id", _S, "its id, as of the end of the period", True),
    _c("event_start", _D, "first day on which it may have happened", True),
    _c("event_end", _D, "last day on which it may have happened", True),
    _c("area", _S, "country/province"),
    _c("place", _S, "the named place"),
    _c("lat", _F, "degrees north"),
    _c("lon", _F, "degrees east"),
    _c("violence", pl.Enum(VIOLENCE), "the kind", True),
    _c("actor", _S, "the armed side held responsible"),
    _c("target_type", _S, "what was hit"),
    _c("target_group", _S, "the community aimed at"),
    _c("killed", _I, "best number of dead of its kind of violence, persons", True),
    _c("signals", _LS, "ids of the signals that stood at the last look before it and name its category, area, actor or place", True),
    _c("first_raised", _D, "when the first of them was raised"),
    _c(
        "lead_days",
        _I,
        "days from first_raised to event_start; null where no signal stood, and for hindsight, from which no lead time is claimed",
    ),
    _c("lead_at_least", _B, "true where the first look raised that signal, which may have begun earlier; null where lead_days is"),
    _c("scan", _B, "an alarm of the permutation scan stood there", True),
    _c("scan_lead_days", _I, "as lead_days"),
    _c("c1", _B, "an alarm of EARS C1 stood in its area", True),
    _c("c1_lead_days", _I, "as lead_days"),
    _c("c2", _B, "an alarm of EARS C2 stood in its area", True),
    _c("c2_lead_days", _I, "as lead_days"),
)

RIVALS: tuple[Column, ...] = (
    _c("method", _S, "what looked", True),
    _c("promised_per_year", _F, "false alarms a year that its limit promises", True),
    _c("at_start", pl.Int64, "alarms that the first look raised: they may have begun earlier", True),
    _c("raised", pl.Int64, "alarms raised after the first look, true and false", True),
    _c("raised_per_year", _F, "raised, over the years from the first look to the last", True),
    _c("attacks", pl.Int64, "mass-casualty attacks in the period", True),
    _c("attacks_covered", pl.Int64, "of them, those before which an alarm stood that names their category, area, actor or place", True),
    _c("incidents", pl.Int64, "incidents in the period, of the kinds of violence that are watched", True),
    _c("incidents_covered", pl.Int64, "of them, those covered by the same rule: what covering is worth", True),
    _c("lead_days", _F, "median lead time over the covered attacks; null where none was covered, and for hindsight"),
)


def schema(contract: Iterable[Column]) -> pl.Schema:
    """The Polars schema of a contract."""
    return pl.Schema({c.name: c.dtype for c in contract})


def empty(contract: Iterable[Column]) -> pl.DataFrame:
    """A frame of a contract with no rows."""
    return pl.DataFrame(schema=schema(contract))


def conform(frame: pl.DataFrame, contract: tuple[Column, ...], *, table: str, extra: bool = False) -> pl.DataFrame:
    """`frame` with a contract's columns, in its order; absent ones are null.

    `extra` keeps further columns, last. Raises `ContractError` for an unknown column (unless `extra`), a type that cannot be cast, or a null where a
    value is required.
    """
    known = {c.name for c in contract}
    more = [c for c in frame.columns if c not in known]
    if more and not extra:
        raise ContractError(f"{table}: unknown column {more[0]!r}; the columns are listed in docs/reference/tables.md")
    have = frame.schema
    exprs = []
    for c in contract:
        if c.name not in have:
            if c.required:
                raise ContractError(f"{table}: column {c.name!r} ({c.meaning}) is missing; a table of {table} must have it")
            exprs.append(pl.lit(None, dtype=c.dtype).alias(c.name))
        elif have[c.name] == c.dtype:
            exprs.append(pl.col(c.name))
        else:
            exprs.append(pl.col(c.name).cast(c.dtype, strict=True))
    try:
        out = frame.select(*exprs, *more)
    except pl.exceptions.PolarsError as why:
        raise ContractError(f"{table}: a column has values of the wrong type ({str(why).splitlines()[0]})") from why
    for c in contract:
        if c.required and out.height and out[c.name].null_count():
            raise ContractError(f"{table}: column {c.name!r} ({c.meaning}) has empty cells; each row of {table} must have it")
    return out
