"""What every kind of file is read as."""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tocsin.errors import UnreadableFile
from tocsin.terms.tables import ISSUES, empty, schema

SHOWN = 200
"""Characters of a damaged value that an issue shows."""

Issue = dict[str, str | int | None]
Piece = tuple["Batch", pl.DataFrame, int]


@dataclass(frozen=True)
class Batch:
    """Some records of a file, in its order."""

    #: String columns under the header's names; a cell as it stands in the file, without its quotes; an empty cell is null
    frame: pl.DataFrame
    #: Int64, one a row: number of the physical record in the file, the header being record 1
    rows: pl.Series


@dataclass
class IssueList:
    """Gathers the issues of one file."""

    file: str
    rows: list[int] = field(default_factory=list)
    fields: list[str | None] = field(default_factory=list)
    values: list[str | None] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def add(self, row: int, reason: str, *, field: str | None = None, value: str | None = None) -> None:
        """One more; row 0 is the whole file. `value` is cut at `SHOWN` characters."""
        self.rows.append(row)
        self.fields.append(field)
        self.values.append(None if value is None else value[:SHOWN].replace("\0", "\N{SYMBOL FOR NULL}"))
        self.reasons.append(reason)

    def frame(self) -> pl.DataFrame:
        """All of them as a table of issues, by row."""
        if not self.rows:
            return empty(ISSUES)
        columns = {"row": self.rows, "field": self.fields, "value": self.values, "reason": self.reasons}
        frame = pl.DataFrame(columns, schema_overrides=schema(ISSUES[1:])).select(pl.lit(self.file).alias("file"), pl.all())
        return frame.sort("row", maintain_order=True)

    def notes(self) -> list[Issue]:
        """All of them as dicts."""
        return self.frame().to_dicts()


class Table:
    """A file of rows under one header; `tocsin.intake.files.open_table` makes it."""

    #: name of the file
    file: str
    #: the columns' names, each once
    header: tuple[str, ...]
    #: bytes of the file, for a progress bar
    size_hint: int
    #: issues about the whole file, row 0
    notes: list[Issue]

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.name
        self.size_hint = path.stat().st_size
        self.header = ()
        self.notes = []
        self._hash = _in_background(lambda: _sha256(path))

    @property
    def source_hash(self) -> str:
        """SHA-256 of the file's bytes, in hex; waits for it where it is not known yet. Raises `UnreadableFile`."""
        try:
            return self._hash.result()
        except OSError as why:
            raise UnreadableFile(f"{self.path}: cannot be read ({why.strerror}); check the disk or the drive, then try again") from why

    def batches(
        self, *, columns: Collection[str] | None = None, progress: Callable[[int], None] | None = None
    ) -> Iterator[tuple[Batch, pl.DataFrame]]:
        """The file's records in order, each in a batch or in the issues that come with it (a table of issues).

        There is at least one batch; it may have no rows. `columns` limits the frames to those names, in the file's order; `progress` is
        told, as each batch is handed out, how many of the file's `size_hint` bytes have been read so far. One batch is read ahead in a
        thread of its own. Raises `UnreadableFile` where the disk fails.
        """
        wanted = [name for name in self.header if columns is None or name in columns]
        none = True
        for batch, issues, position in _ahead(self._pieces(wanted)):
            none = False
            if progress:
                progress(position)
            yield batch, issues
        if none:
            frame = pl.DataFrame(schema=dict.fromkeys(wanted, pl.String))
            yield Batch(frame, pl.Series("row", [], pl.Int64)), IssueList(self.file).frame()
            if progress:
                progress(self.size_hint)

    def _pieces(self, wanted: list[str]) -> Iterator[Piece]:
        raise NotImplementedError


def unique_names(cells: list[str | None], notes: IssueList) -> tuple[str, ...]:
    """Header cells as column names: spaces around them cut, an empty one called after its place, a repeated one numbered; both are
    noted.
    """
    names: list[str] = []
    taken = {(cell or "").strip() for cell in cells}
    seen: set[str] = set()
    for place, cell in enumerate(cells, 1):
        name = plain = (cell or "").strip() or f"column_{place}"
        number = 1
        while name in seen or (number > 1 and name in taken):
            number += 1
            name = f"{plain}_{number}"
        if not (cell or "").strip():
            notes.add(0, f"column {place} has no name in the header; it is called {name}", field=name)
        elif name != plain:
            notes.add(0, f"the header has {plain!r} more than once; column {place} is called {name}", field=name, value=plain)
        seen.add(name)
        names.append(name)
    return tuple(names)


def _sha256(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _in_background(work: Callable[[], str]) -> Future[str]:
    future: Future[str] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as why:
            future.set_exception(why)

    threading.Thread(target=run, daemon=True).start()
    return future


def _ahead(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same pieces, the next one being made while the last is used."""
    ready: queue.Queue[Piece | BaseException | None] = queue.Queue(maxsize=1)
    stop = threading.Event()

    def run() -> None:
        last: BaseException | None = None
        try:
            for piece in pieces:
                ready.put(piece)
                if stop.is_set():
                    break
        except BaseException as why:
            last = why
        if not stop.is_set():
            ready.put(last)

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    try:
        while (piece := ready.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece
    finally:
        stop.set()
        while worker.is_alive():  # it may wait to hand over one more
            if not ready.empty():
                ready.get()
            worker.join(0.01)
