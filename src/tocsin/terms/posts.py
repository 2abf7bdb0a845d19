"""A report as an agency posts it to a hub: what it says in the contract's columns, less what the hub sets itself."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tocsin.terms.ids import report_id as id_of

#: What the hub sets itself: a post that has one is refused.
SET_BY_THE_HUB = frozenset(
    {"report_id", "agency", "received_at", "known_at", "hindsight", "coded_spans", "file", "row", "source_hash", "visible_at", "position"}
)
#: Of numbers, the least and the greatest; whole ones go from 0 to what 32 bits hold where they are not named.
RANGES = {"lat": (-90.0, 90.0), "lon": (-180.0, 180.0), "radius_km": (0.0, 20_100.0), "credibility": (1, 6)}
_HANDLING = ("marking", "releasable_to", "orcon")


def as_post(agency: str, row: dict[str, Any], handling: dict[str, Any]) -> dict[str, Any]:
    """A row of reports as a post: an id that the file gave is the agency's own id, and what pointed at such an id still does."""
    said = {k: _plain(v) for k, v in row.items() if v is not None and k not in SET_BY_THE_HUB and k not in _HANDLING}
    said["own_id"] = row["report_id"]
    if "supersedes" in said:
        said["supersedes"] = id_of(agency, said["supersedes"])
    if "derived_from" in said:
        said["derived_from"] = [id_of(agency, i) for i in said["derived_from"]]
    return said | handling


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value
