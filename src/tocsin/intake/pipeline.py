"""One batch of raw cells -> reports: the source's reader, then the words, the place, the id.

The order never changes: what a source states is set first, and what is read out of words or places fills only what it left empty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from tocsin.intake.coder import code
from tocsin.intake.files import Batch
from tocsin.intake.places import PileUps, gazetteer_names, locate
from tocsin.intake.reader import Reader, issue_frame
from tocsin.kernels.seen import Seen
from tocsin.kernels.uuid5 import uuid5_series
from tocsin.terms.actors import canonical_series
from tocsin.terms.ids import NAMESPACE, SEPARATOR
from tocsin.terms.tables import REPORTS, SPAN, conform

_TOLLS = ("killed_low", "killed", "killed_high")
_CODED = ("target_type", "target_group", "attack_type", "weapon_type", "wounded", "place")
_CONTENT = ("kind", "reported_at", "event_start", "event_end", "place", "lat", "lon", "side_a", "side_b", "killed", "text")


@dataclass
class Pipeline:
    """Turns batches of one reader into reports; remembers across batches only which ids it has seen and how rows pile up."""

    reader: Reader
    file: str
    source_hash: str
    rows_seen: Seen = field(default_factory=Seen)
    ids_seen: Seen = field(default_factory=Seen)
    piles: PileUps = field(default_factory=PileUps)
    unmapped: list[pl.DataFrame] = field(default_factory=list)
    coder: Callable[..., pl.DataFrame] = code
    strangers: set[str] = field(default_factory=set)
    actor_issues: list[pl.DataFrame] = field(default_factory=list)

    def reports(self, batch: Batch) -> tuple[pl.DataFrame, pl.DataFrame]:
        """(reports, issues) of one batch, both by their contracts."""
        batch, twice = self._unseen(batch)
        partial, issues = self.reader.read(batch, self.file)
        frame = _with_defaults(partial, self.reader)
        frame, strangers = self._actors(frame)
        frame = self._words(frame)
        frame, nowhere = locate(frame)
        self.unmapped.append(nowhere)
        frame, again = self._ids(frame, batch)
        self.piles.add(frame)
        keep = [c.name for c in REPORTS if c.name in frame.columns]
        return conform(frame.select(keep), REPORTS, table="reports"), pl.concat([twice, issues, strangers, again])

    def _actors(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Canonical names of actors; a name that is not known stays as written and is said once a file."""
        for column in ("actor", "initiator"):
            names, strange = canonical_series(frame[column])
            if strange.any():
                new = frame.filter(strange & ~frame[column].is_in(list(self.strangers))).unique(column, keep="first", maintain_order=True)
                self.strangers.update(new[column])
                reason = "an actor that terms/taxonomies/actor.yml does not have: kept as written"
                self.actor_issues.append(issue_frame(self.file, new["row"], column, new[column], reason))
            frame = frame.with_columns(names.alias(column))
        found, self.actor_issues = self.actor_issues, []
        return frame, pl.concat([issue_frame(self.file, [], "", [], ""), *found])

    def _words(self, frame: pl.DataFrame) -> pl.DataFrame:
        """What the text says, where the source itself says nothing."""
        if frame["text"].null_count() == frame.height:
            return frame.with_columns(coded_spans=pl.lit([], dtype=pl.List(SPAN)))
        coded = self.coder(frame["text"], places=gazetteer_names())
        frame = pl.concat([frame, coded.rename(lambda c: f"words:{c}")], how="horizontal")
        silent = pl.all_horizontal(pl.col(c).is_null() for c in _TOLLS)
        tolls = [pl.when(silent).then(f"words:{c}").otherwise(pl.col(c)).alias(c) for c in _TOLLS]
        fill = [pl.coalesce(c, f"words:{c}").alias(c) for c in _CODED]
        return frame.with_columns(*tolls, *fill, coded_spans=pl.col("words:coded_spans")).drop(pl.selectors.starts_with("words:"))

    def _unseen(self, batch: Batch) -> tuple[Batch, pl.DataFrame]:
        """The batch without rows that stood, cell for cell, earlier in the file; those are kept as issues."""
        again = pl.Series(self.rows_seen.add(batch.frame.hash_rows(seed=7).to_numpy()))
        if not again.any():
            return batch, issue_frame(self.file, [], "", [], "")
        first = pl.coalesce(pl.all()).alias("value")
        issues = issue_frame(
            self.file,
            batch.rows.filter(again),
            "",
            batch.frame.filter(again).select(first)["value"],
            "the same row again: counted once, kept here",
        )
        return Batch(batch.frame.filter(~again), batch.rows.filter(~again)), issues

    def _ids(self, frame: pl.DataFrame, batch: Batch) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Ids from (agency, own id or content, version); another row under an id met before gets its whole content as its id."""
        content = pl.concat_str([pl.col(c).cast(pl.String).fill_null("") for c in _CONTENT], separator=SEPARATOR)
        frame = frame.with_columns(_own=pl.coalesce("own_id", content))
        frame = frame.with_columns(_name=pl.concat_str("agency", "_own", pl.col("version").fill_null(""), separator=SEPARATOR))
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
        parent = pl.concat_str("parent_agency", "parent_id", pl.lit(""), separator=SEPARATOR)
        above = uuid5_series(NAMESPACE, frame.select(parent).to_series())
        frame = frame.with_columns(uuid5_series(NAMESPACE, frame["_name"]).alias("report_id"), above.alias("_above"))
        return frame.with_columns(
            derived_from=pl.when(pl.col("_above").is_not_null()).then(pl.concat_list("_above")),
            source_hash=pl.lit(self.source_hash),
            file=pl.lit(self.file),
            origin=pl.coalesce("origin", pl.concat_str(pl.col("agency"), pl.lit(" "), pl.coalesce("own_id", "report_id"))),
        ), issues


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
        known_at=pl.coalesce("known_at", pl.col("event_end") + pl.duration(days=1), pl.date(9999, 12, 31)),
    )
