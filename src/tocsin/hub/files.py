"""A file that an agency sends: what `intake` reads of it, as posts in that agency's own name."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tocsin.errors import Malformed
from tocsin.gate import Action
from tocsin.hub import MOST, Hub
from tocsin.hub.caller import Caller
from tocsin.hub.posted import SET_BY_THE_HUB
from tocsin.terms.ids import report_id as id_of

if TYPE_CHECKING:
    from tocsin.intake import Intake

SUFFIXES = (".csv", ".tsv")
_PACKED = (b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"BZh")
SHOWN = 1_000  # issues and refusals that are given back one by one


def submit_file(hub: Hub, who: Caller, name: str, body: bytes, handling: dict[str, Any]) -> dict[str, Any]:
    """Reads a file and submits its reports under one handling, for a file says nothing of who may see it. The answer counts, and says what was not taken."""
    from tocsin.intake import read  # loaded with the first file: it takes a second

    who.needs(Action.SUBMIT)
    if Path(name).suffix.lower() not in SUFFIXES or body[:6].startswith(_PACKED):
        raise Malformed(f"a file is sent as {' or '.join(SUFFIXES)}, and not packed: unpack it, and give its name")
    with tempfile.TemporaryDirectory(prefix="tocsin-") as folder:
        path = Path(folder) / f"sent{Path(name).suffix.lower()}"
        path.write_bytes(body)
        made = read(path)
    answers = []
    posts = [as_post(who.agency, row, handling) for row in made.reports.iter_rows(named=True)]
    for at in range(0, len(posts), MOST):
        answers += hub.submit(who, posts[at : at + MOST])
    refused = [
        {"row": post, "reasons": a["reasons"]} for post, a in zip(made.reports["row"], answers, strict=True) if a["status"] == "refused"
    ]
    counts = {s: sum(a["status"] == s for a in answers) for s in ("stored", "known", "refused")}
    return counts | {"refusals": refused[:SHOWN], "issues": _issues(made), "issues_in_all": made.issues.height}


def _issues(made: Intake) -> Sequence[dict[str, Any]]:
    return made.issues.head(SHOWN).select("row", "field", "value", "reason").to_dicts()


def as_post(agency: str, row: dict[str, Any], handling: dict[str, Any]) -> dict[str, Any]:
    """A row of reports as a post: an id that the file gave is the agency's own id, and what pointed at such an id still does."""
    said = {
        k: _plain(v) for k, v in row.items() if v is not None and k not in SET_BY_THE_HUB and k not in ("marking", "releasable_to", "orcon")
    }
    said["own_id"] = row["report_id"]
    if "supersedes" in said:
        said["supersedes"] = id_of(agency, said["supersedes"])
    if "derived_from" in said:
        said["derived_from"] = [id_of(agency, i) for i in said["derived_from"]]
    return said | handling


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value
