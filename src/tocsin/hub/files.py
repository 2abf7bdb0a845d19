"""A file that an agency sends: what `intake` reads of it, as posts in that agency's own name."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tocsin.errors import Busy, Malformed
from tocsin.gate import Action
from tocsin.hub.caller import Caller
from tocsin.hub.compiling import compiled
from tocsin.hub.door import MOST, Submit
from tocsin.terms.posts import as_post

if TYPE_CHECKING:
    import polars as pl

_READERS = threading.BoundedSemaphore(2)
PATIENCE, READING = 5, 120  # seconds that a file waits for others, and that it is read for
COMPILING = 600  # seconds more where the reader is not compiled yet
SHOWN = 1_000  # issues and refusals that are given back one by one
MEMORY, DISK = (
    4 << 30,
    1 << 30,
)  # bytes that a reader may take, and that it may write into one file: what is packed may be a thousand times what was sent


def submit_file(submit: Submit, who: Caller, name: str, body: bytes, handling: dict[str, Any]) -> dict[str, Any]:
    """Reads a file and submits its reports under one handling, for a file says nothing of who may see it. The answer counts, and says what was not taken."""
    who.needs(Action.SUBMIT)
    reports, issues = read_file(name, body)
    answers = []
    posts = [as_post(who.agency, row, handling) for row in reports.iter_rows(named=True)]
    for at in range(0, len(posts), MOST):
        answers += submit(who, posts[at : at + MOST])
    refused = [{"row": row, "reasons": a["reasons"]} for row, a in zip(reports["row"], answers, strict=True) if a["status"] == "refused"]
    counts = {s: sum(a["status"] == s for a in answers) for s in ("stored", "known", "refused")}
    return (
        warned_of(answers) | counts | {"refusals": refused[:SHOWN], "issues": issues.head(SHOWN).to_dicts(), "issues_in_all": issues.height}
    )


def warned_of(answers: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """The `warnings` of reports that were sent under one handling: all are warned of alike."""
    return next(({"warnings": a["warnings"]} for a in answers if "warnings" in a), {})


def read_file(name: str, body: bytes, description: str = "", patience: float = PATIENCE) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Reports and issues (row, field, value, reason) of a file. description: YAML of a table of one's own.

    Raises `Malformed` where the file cannot be used, `Busy` where others are being read for longer than `patience` seconds."""
    import polars as pl

    with tempfile.TemporaryDirectory(prefix="tocsin-") as folder:
        path = _written(folder, name, body)
        words = [str(path), "--out", folder]
        if description:
            spec = Path(folder) / "description.yml"
            spec.write_text(description, encoding="utf-8")
            words += ["--spec", str(spec)]
        _tocsin_read(words, path, name, patience)
        kinds = {"row": pl.Int64, "field": pl.String, "value": pl.String, "reason": pl.String}
        issues = pl.read_csv(path.parent / "issues.csv", infer_schema=False).select(pl.col(c).cast(t) for c, t in kinds.items())
        return pl.read_parquet(path.parent / "reports.parquet"), issues


def sketch_file(name: str, body: bytes, patience: float = PATIENCE) -> str:
    """A draft of the description of a table of one's own. Raises as `read_file`."""
    with tempfile.TemporaryDirectory(prefix="tocsin-") as folder:
        path = _written(folder, name, body)
        return _tocsin_read(["--sketch", str(path)], path, name, patience)


def _written(folder: str, name: str, body: bytes) -> Path:
    """The file, under a name of the hub's own, of which only the endings are the sender's: they say what it is, and how it is packed."""
    endings = [s for s in Path(name).suffixes[-2:] if s[1:].isascii() and s[1:].isalnum() and len(s) <= 8]
    path = Path(folder) / f"sent{''.join(endings).lower()}"
    path.write_bytes(body)
    return path


def _tocsin_read(words: list[str], path: Path, name: str, patience: float) -> str:
    """A `tocsin read` of its own, and what it prints: it may take 200 MB and all of a core, and what it stumbles over costs nobody else."""
    if not _READERS.acquire(timeout=patience):
        raise Busy("other files are being read: send it again in a moment, or use `tocsin push`, which reads on your machine")
    limit = READING if compiled() else COMPILING + READING
    try:
        command = [sys.executable, "-m", "tocsin", "read", *words]
        started = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        _hold(started.pid)
        with started:
            try:
                said, wrong = started.communicate(timeout=limit)
            except subprocess.TimeoutExpired as why:
                started.kill()
                raise Malformed(f"{name}: not read within {limit} s; use `tocsin push`, which reads on your machine") from why
    finally:
        _READERS.release()
    if started.returncode:
        told = wrong.strip().removeprefix("tocsin: ") if started.returncode == 2 else "it could not be read; try `tocsin read` on it"
        raise Malformed(_of(told, path, name))
    return _of(said, path, name)


def _of(text: str, path: Path, name: str) -> str:
    """In the words of who sent it: its own name, and no path of the hub's machine."""
    return text.replace(f"{path.parent}/", "").replace(path.name, name)


def _hold(pid: int) -> None:
    """Bounds what a reader may take, where the system can."""
    try:
        from resource import RLIMIT_AS, RLIMIT_FSIZE, prlimit
    except ImportError:
        return
    with contextlib.suppress(OSError):  # it has ended already
        prlimit(pid, RLIMIT_AS, (MEMORY, MEMORY))
        prlimit(pid, RLIMIT_FSIZE, (DISK, DISK))
