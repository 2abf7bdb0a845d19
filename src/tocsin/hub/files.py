"""A file that an agency sends: what `intake` reads of it, as posts in that agency's own name."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tocsin.errors import Busy, Malformed
from tocsin.gate import Action
from tocsin.hub import MOST, Hub
from tocsin.hub.caller import Caller
from tocsin.terms.posts import as_post

if TYPE_CHECKING:
    import polars as pl

SUFFIXES = (".csv", ".tsv")
_PACKED = (b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"BZh")
_READERS = threading.BoundedSemaphore(2)
PATIENCE, READING = 5, 120  # seconds that a file waits for others, and that it is read for
SHOWN = 1_000  # issues and refusals that are given back one by one


def submit_file(hub: Hub, who: Caller, name: str, body: bytes, handling: dict[str, Any]) -> dict[str, Any]:
    """Reads a file and submits its reports under one handling, for a file says nothing of who may see it. The answer counts, and says what was not taken."""
    who.needs(Action.SUBMIT)
    if Path(name).suffix.lower() not in SUFFIXES or body[:6].startswith(_PACKED):
        raise Malformed(f"a file is sent as {' or '.join(SUFFIXES)}, and not packed: unpack it, and give its name")
    with tempfile.TemporaryDirectory(prefix="tocsin-") as folder:
        path = Path(folder) / f"sent{Path(name).suffix.lower()}"
        path.write_bytes(body)
        reports, issues = _read(path, name)
    answers = []
    posts = [as_post(who.agency, row, handling) for row in reports.iter_rows(named=True)]
    for at in range(0, len(posts), MOST):
        answers += hub.submit(who, posts[at : at + MOST])
    refused = [{"row": row, "reasons": a["reasons"]} for row, a in zip(reports["row"], answers, strict=True) if a["status"] == "refused"]
    counts = {s: sum(a["status"] == s for a in answers) for s in ("stored", "known", "refused")}
    return counts | {"refusals": refused[:SHOWN], "issues": issues.head(SHOWN).to_dicts(), "issues_in_all": issues.height}


def _read(path: Path, name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Reports and issues of a file, by a `tocsin read` of its own: it may take 200 MB and all of a core, and what it stumbles over costs nobody else.

    Raises `Malformed` where the file cannot be used, `Busy` where others are being read.
    """
    import polars as pl

    if not _READERS.acquire(timeout=PATIENCE):
        raise Busy("other files are being read: send it again in a moment, or use `tocsin push`, which reads on your machine")
    try:
        words = [sys.executable, "-m", "tocsin", "read", str(path), "--out", str(path.parent)]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=READING, check=False)
    except subprocess.TimeoutExpired as why:
        raise Malformed(f"{name}: not read within {READING} s; use `tocsin push`, which reads on your machine") from why
    finally:
        _READERS.release()
    if done.returncode:
        said = done.stderr.strip().removeprefix("tocsin: ") if done.returncode == 2 else "it could not be read; try `tocsin read` on it"
        raise Malformed(said.replace(f"{path.parent}/", "").replace(path.name, name))
    kinds = {"row": pl.Int64, "field": pl.String, "value": pl.String, "reason": pl.String}
    issues = pl.read_csv(path.parent / "issues.csv", infer_schema=False).select(pl.col(c).cast(t) for c, t in kinds.items())
    return pl.read_parquet(path.parent / "reports.parquet"), issues
