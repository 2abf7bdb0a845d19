"""The page of what one agency may see of a hub, as of a moment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import polars as pl

from tocsin.brief import view_of
from tocsin.brief.page import render
from tocsin.brief.scope import Scope
from tocsin.fusion import Fusion, Judgement
from tocsin.intake import Intake
from tocsin.terms.tables import ISSUES, empty

#: Incidents of one page: a browser opens so many.
MOST = 100_000
_FILE = "the hub"


def page(
    reports: pl.DataFrame, fusion: Fusion, judgements: Iterable[Judgement], *, agency: str, as_of: datetime, marking: str | None
) -> str:
    """The brief of these reports as HTML, which says whose picture it is, as of when, and how it is marked.

    reports: all that the agency may see, by the contract; fusion: what they are fused into as of that day; marking: the strictest of theirs. It does not
    watch: a hub's signals come of scheduled looks alone. Of more than `MOST` incidents it shows the latest, and says how many it leaves out.
    """
    day, moment = as_of.astimezone(UTC).date(), as_of.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    reports = reports.with_columns(file=pl.lit(_FILE))
    scope = Scope(day)
    kept, older = _latest(fusion.incidents)
    view = view_of(_intake(reports), reports, fusion, kept, [], scope, tuple(judgements))
    view |= {
        "audience": ("audience_agency", {"agency": agency, "moment": moment, "marking": marking or "-"}),
        "watch": None,
        "claim": None,
        "seeds": [],
        "left_out": [[f"older than the latest {MOST:,} incidents, which this page holds", older]] if older else [],
        "run": view["run"] | {"inputs": []},
        "reproduce": f"GET /picture/brief.html?as_of={moment}",
    }
    return render(view)


def _latest(incidents: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """(the latest by their last day, how many are older); those without a day count as older."""
    older = max(0, incidents.height - MOST)
    return incidents.sort("event_end", "incident_id", nulls_last=False).tail(MOST).sort("incident_id") if older else incidents, older


def _intake(reports: pl.DataFrame) -> Intake:
    """As if each agency's reports were a file that was read without issue."""
    lines = reports.group_by("agency").len().sort("agency").rows()
    sources = pl.DataFrame(
        [(_FILE, None, agency, n, n) for agency, n in lines],
        schema={"file": pl.String, "source_hash": pl.String, "agency": pl.String, "records": pl.Int64, "reports": pl.Int64},
        orient="row",
    )
    unmapped = pl.DataFrame(schema={"country": pl.String})
    return Intake(reports, empty(ISSUES), sources, unmapped)
