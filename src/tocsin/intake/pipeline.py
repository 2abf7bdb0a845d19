"""One batch of raw cells -> reports: the source's reader, then names, words, places; then ids.

The order never changes: what a source states is set first, and what is read out of words or places fills only what it left empty. `shape` needs nothing but
its batch, so batches are shaped side by side; `settle` takes them in the file's order, for it remembers which rows and ids it has met.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from os import cpu_count

import polars as pl

from tocsin.intake.coder import code
from tocsin.intake.files import Batch
from tocsin.intake.places import PileUps, gazetteer_names, locate
from tocsin.intake.reader import Reader, issue_frame
from tocsin.kernels.seen import Seen
from tocsin.kernels.uuid5 import uuid5_series
from tocsin.terms.actors import canonical_series
from tocsin.terms.ids import NAMESPACE, SEPARATOR
from tocsin.terms.tables import REPORTS, SPAN

_TOLLS = ("killed_low", "killed", "killed_high")
_CODED = ("target_type", "target_group", "attack_type", "weapon_type", "wounded", "place")
_CONTENT = ("kind", "reported_at", "event_start", "event_end", "place", "lat", "lon", "side_a", "side_b", "killed", "text")
_NEVER = pl.date(9999, 12, 31)

Read = tuple[Batch, pl.DataFrame]


@dataclass(frozen=True)
class Shaped:
    """A batch that needs only its ids."""

    batch: Batch
    frame: pl.DataFrame
    issues: list[pl.DataFrame]
    nowhere: pl.DataFrame  # places that map to nothing
    strangers: pl.DataFrame  # row, field, name of actors that are not known
    row_hash: pl.Series  # of each record's cells


@dataclass
class Pipeline:
    """Turns batches of one reader into reports; remembers across batches only which rows, ids and names it has met, and how rows pile up."""

    reader: Reader
    file: str
    rows_seen: Seen = field(default_factory=Seen)
    ids_seen: Seen = field(default_factory=Seen)
    names_seen: set[str] = field(default_factory=set)
    piles: PileUps = field(default_factory=PileUps)
    unmapped: list[pl.DataFrame] = field(default_factory=list)
    records: int = 0

    def run(self, batches: Iterable[Read]) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        """(reports, issues) of each batch, in order; columns in which a batch says nothing are left out, for an empty cell takes room too."""
        with ThreadPoolExecutor(max_workers=min(4, cpu_count() or 1)) as pool:
            waiting: deque[Future[Shaped]] = deque()
            for read in batches:
                waiting.append(pool.submit(self.shape, *read))
                if len(waiting) > 2:
                    yield self.settle(waiting.popleft().result())
            while waiting:
                yield self.settle(waiting.popleft().result())

    def shape(self, batch: Batch, found: pl.DataFrame) -> Shaped:
        """All that a batch alone decides."""
        row_hash = batch.frame.hash_rows(seed=7)
        partial, issues = self.reader.read(batch, self.file)
        frame = _with_defaults(partial, self.reader)
        frame, strangers = _actors(frame)
        frame = _words(frame)
        frame, nowhere = locate(frame)
        undated = frame.filter(pl.col("event_end").is_null())
        reason = "no day is known: the report is kept, and no as-of date shows it"
        return Shaped(
            batch,
            frame,
            [found, issues, issue_frame(self.file, undated["row"], "", undated["own_id"], reason)],
            nowhere,
            strangers,
            row_hash,
        )

    def settle(self, shaped: Shaped) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Ids, and what is the same as before."""
        batch, frame, issues = shaped.batch, shaped.frame, shaped.issues
        again = pl.Series(self.rows_seen.add(shaped.row_hash.to_numpy()))
        if again.any():
            twice = batch.rows.filter(again)
            first = batch.frame.filter(again).select(pl.coalesce(pl.all())).to_series()
            issues.append(issue_frame(self.file, twice, "", first, "the same row again, cell for cell: counted once, kept here"))
            frame = frame.filter(~pl.col("row").is_in(twice.implode()))
        self.records += batch.frame.height + issues[0].filter(pl.col("field").is_null() & (pl.col("row") > 0))["row"].n_unique()
        self.unmapped.append(shaped.nowhere)
        issues.append(self._strangers(shaped.strangers))
        frame, odd = self._ids(frame, batch)
        self.piles.add(frame)
        said = [c.name for c in REPORTS if c.name in frame.columns and frame[c.name].null_count() < frame.height]
        return frame.select(said).cast({c.name: c.dtype for c in REPORTS if c.name in said}), pl.concat([*issues, odd])

    def _strangers(self, found: pl.DataFrame) -> pl.DataFrame:
        """Names of actors met for the first time in this file."""
        new = found.filter(~pl.col("name").is_in(list(self.names_seen)))
        self.names_seen.update(new["name"])
        return issue_frame(
            self.file, new["row"], new["field"], new["name"], "an actor that terms/taxonomies/actor.yml does not have: kept as written"
        )

    def _ids(self, frame: pl.DataFrame, batch: Batch) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Ids from (agency, own id or content, version); another row under an id met before gets its whole content as its id."""
        own = pl.col("own_id")
        if frame["own_id"].null_count():
            own = pl.coalesce("own_id", pl.concat_str([pl.col(c).cast(pl.String).fill_null("") for c in _CONTENT], separator=SEPARATOR))
        frame = frame.with_columns(_name=pl.concat_str("agency", own, pl.col("version").fill_null(""), separator=SEPARATOR))
        again = pl.Series(self.ids_seen.add(frame["_name"].hash(seed=1).to_numpy()))
        other = frame.filter(again)
        issues = issue_frame(
            self.file, other["row"], "", other["own_id"], "another row under an id met before: kept as a report under an id of its own"
        )
        if other.height:
            cells = pl.concat_str([pl.all().fill_null("")], separator=SEPARATOR)
            raw = pl.DataFrame({"row": batch.rows, "_cells": batch.frame.select(cells).to_series()})
            frame = frame.join(raw, on="row", how="left", maintain_order="left").with_columns(
                _name=pl.when(again).then(pl.concat_str("_name", "_cells", separator=SEPARATOR)).otherwise("_name")
            )
        frame = frame.with_columns(uuid5_series(NAMESPACE, frame["_name"]).alias("report_id"), _parents(frame).alias("_above"))
        return frame.with_columns(
            derived_from=pl.when(pl.col("_above").is_not_null()).then(pl.concat_list("_above")),
            file=pl.lit(self.file),
            origin=pl.coalesce("origin", pl.concat_str(pl.col("agency"), pl.lit(" "), pl.coalesce("own_id", "report_id"))),
        ), issues


def _parents(frame: pl.DataFrame) -> pl.Series:
    """The id of the report that each row was taken out of; null for most."""
    names = frame.select(pl.concat_str("parent_agency", "parent_id", pl.lit(""), separator=SEPARATOR)).to_series()
    some = names.is_not_null()
    ids = uuid5_series(NAMESPACE, names.filter(some))
    return ids.gather(pl.select(pl.when(some).then(some.cast(pl.UInt32).cum_sum() - 1)).to_series())


def _actors(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Canonical names of actors, and those that are not known, each once."""
    found = [pl.DataFrame(schema={"row": pl.Int64, "field": pl.String, "name": pl.String})]
    for column in ("actor", "initiator"):
        names, strange = canonical_series(frame[column])
        if strange.any():
            new = frame.filter(strange).unique(column, keep="first", maintain_order=True)
            found.append(new.select("row", field=pl.lit(column), name=column))
        frame = frame.with_columns(names.alias(column))
    return frame, pl.concat(found).unique("name", keep="first", maintain_order=True)


def _words(frame: pl.DataFrame) -> pl.DataFrame:
    """What the text says, where the source itself says nothing."""
    if frame["text"].null_count() == frame.height:
        return frame.with_columns(coded_spans=pl.lit([], dtype=pl.List(SPAN)))
    coded = code(frame["text"], places=gazetteer_names())
    frame = pl.concat([frame, coded.rename(lambda c: f"words:{c}")], how="horizontal")
    silent = pl.all_horizontal(pl.col(c).is_null() for c in _TOLLS)
    tolls = [pl.when(silent).then(f"words:{c}").otherwise(pl.col(c)).alias(c) for c in _TOLLS]
    fill = [pl.coalesce(c, f"words:{c}").alias(c) for c in _CODED]
    return frame.with_columns(*tolls, *fill, coded_spans=pl.col("words:coded_spans")).drop(pl.selectors.starts_with("words:"))


def _with_defaults(partial: pl.DataFrame, reader: Reader) -> pl.DataFrame:
    """Every column of the contract, and the ones that ids are made of, with the defaults of a public file."""
    types: dict[str, pl.DataType] = {c.name: c.dtype for c in REPORTS}
    types |= {c: pl.String() for c in ("own_id", "version", "parent_id", "parent_agency")}
    frame = partial.with_columns(pl.lit(None, dtype=t).alias(c) for c, t in types.items() if c not in partial.columns)
    return frame.with_columns(
        pl.col("agency").fill_null(reader.agency),
        pl.col("kind").cast(pl.String).fill_null("event"),
        pl.col("violence").cast(pl.String).fill_null("unknown"),
        pl.col("marking").cast(pl.String).fill_null("CLEAR"),
        pl.col("hindsight").fill_null(True),
        known_at=pl.coalesce(
            pl.when(pl.col("kind").cast(pl.String) == "threat").then(pl.coalesce(pl.col("reported_at").dt.date(), "event_start")),
            "known_at",
            pl.col("event_end") + pl.duration(days=1),
            _NEVER,
        ),
    )
