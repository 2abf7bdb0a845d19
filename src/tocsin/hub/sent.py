"""Reports, the latest first: what an agency may see, and what became of its own."""

from __future__ import annotations

from typing import Any

from tocsin.gate import Action
from tocsin.hub.caller import Caller
from tocsin.hub.cursor import before_time_of, next_of
from tocsin.hub.door import Door, incident_rows, page_of
from tocsin.hub.shown import incident_shown, shown


class Sent(Door):
    """Reports, the latest first."""

    def page(self, who: Caller, *, after: str = "", limit: int = 50) -> dict[str, Any]:
        """Reports that the caller's agency sent, the latest first, each with `incident` (None: not fused yet) and `corrected_by`; `next` is where to go on."""
        agency = who.needs(Action.READ)
        at, ident = before_time_of(after)
        with self.store.transaction(agency) as tx:
            rows = tx.all("own_page", audience=agency, limit=page_of(limit), at=at, id=ident)
            out = self.read(tx, who, rows, "own reports")
            found = {row["asked"]: incident_shown(row) for row in incident_rows(tx, agency, [str(row["report_id"]) for row in out])}
        return {
            "reports": [_told(row, who, found.get(row["report_id"])) for row in out],
            "next": next_of(rows, "visible_at", "report_id", after),
        }

    def seen(self, who: Caller, *, after: str = "", limit: int = 50) -> dict[str, Any]:
        """Reports that the caller's agency may see, the one that opened to it last first; `next` is where to go on."""
        agency = who.needs(Action.READ)
        at, ident = before_time_of(after)
        with self.store.transaction(agency) as tx:
            rows = tx.all("latest_page", audience=agency, limit=page_of(limit), at=at, id=ident)
            out = self.read(tx, who, rows, "feed")
        return {"reports": [shown(row, who.clearance) for row in out], "next": next_of(rows, "visible_at", "report_id", after)}


def _told(row: dict[str, Any], who: Caller, incident: dict[str, Any] | None) -> dict[str, Any]:
    released = sorted(row["released_to"]) if row["originator"] == who.agency else []
    corrected = str(row["corrected_by"]) if row["corrected_by"] else None
    return shown(row, who.clearance) | {"incident": incident, "corrected_by": corrected, "released_to": released}
