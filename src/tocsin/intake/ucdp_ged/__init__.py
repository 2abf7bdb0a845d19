"""UCDP GED: one row is one event of one kind of violence, at one place and in one continuous time.

Each row gives one report of agency `UCDP GED`, and each dated press article that it cites gives one report of the office that
printed it, taken out of the row (`derived_from`), with the same origin: the two never corroborate each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from typing import Any

import polars as pl
import yaml

from tocsin.intake.files import Batch
from tocsin.intake.reader import Fields, issue_frame
from tocsin.intake.ucdp_ged.articles import articles

_INHERITED = ("event_start", "event_end", "country", "admin1", "admin2", "place", "lat", "lon", "radius_km", "violence", "origin", "row")


class UcdpGed:
    """Reader of UCDP GED files."""

    name = "UCDP GED"
    agency = "UCDP GED"
    one_report_per_incident = True

    @cached_property
    def spec(self) -> dict[str, Any]:
        """The source's description, from source.yml."""
        text = files(__package__).joinpath("source.yml").read_text(encoding="utf-8")
        return dict(yaml.safe_load(text))

    def recognises(self, header: Sequence[str]) -> bool:
        """True where the header has the columns that every GED release has."""
        return set(self.spec["recognised_by"]) <= {h.strip().lower() for h in header}

    def columns(self, header: Sequence[str]) -> list[str]:
        """The columns of this header that are read."""
        return [h for h in header if h.strip().lower() not in self.spec["ignored"]]

    def strangers(self, header: Sequence[str]) -> list[str]:
        """The columns that the codebook does not have."""
        known = set(self.spec["used"]) | set(self.spec["ignored"])
        return [h for h in header if h.strip().lower() not in known]

    def read(self, batch: Batch, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Reports and issues of one batch.

        Raises nothing: what a cell cannot give is null and an issue.
        """
        fields = Fields(Batch(batch.frame.rename(lambda c: c.strip().lower()), batch.rows), file)
        event = self._event(fields, batch)
        found, of_rows, odd = articles(fields.text("source_article"), batch.rows)
        event, early = _clocks(event.with_columns(of_rows))
        press = _press(event, found)
        notes = pl.concat([_as_issues(odd, file), _as_issues(early, file)])
        return pl.concat([event, press], how="diagonal"), pl.concat([fields.issues(), notes])

    def _event(self, fields: Fields, batch: Batch) -> pl.DataFrame:
        """The row itself: dates, place, sides and tolls as the codebook means them."""
        spec = self.spec
        lat, lon = fields.position("latitude", "longitude")
        low, best, high = fields.ordered("low", "best", "high")
        own_id = fields.text("id")
        frame = pl.DataFrame(
            {
                "row": batch.rows,
                "own_id": own_id,
                "start": fields.date("date_start"),
                "end": fields.date("date_end"),
                "days": fields.one_of("date_prec", spec["date_prec"], pl.Int32),
                "country": fields.text("iso3"),
                "admin1": fields.text("adm_1"),
                "admin2": fields.text("adm_2"),
                "place": fields.text("where_coordinates"),
                "lat": lat,
                "lon": lon,
                "radius_km": fields.one_of("where_prec", spec["where_prec"], pl.Float64),
                "violence": fields.one_of("type_of_violence", spec["violence"], pl.String),
                "side_a": fields.text("side_a"),
                "side_b": fields.text("side_b"),
                "gwnoa": fields.text("gwnoa"),
                "gwnob": fields.text("gwnob"),
                "killed_low": low,
                "killed": best,
                "killed_high": high,
                "killed_civilians": fields.count("deaths_civilians"),
                "killed_a": fields.count("deaths_a"),
                "killed_b": fields.count("deaths_b"),
            }
        )
        return _meanings(frame)


def _government(side: str) -> pl.Expr:
    return pl.col(side).str.starts_with("Government of ").fill_null(False)


def _meanings(frame: pl.DataFrame) -> pl.DataFrame:
    """Violence, actor and interval as the codebook means them (type 3: side_a kills; type 1: who began is not coded)."""
    state_a = _government("side_a") | pl.col("gwnoa").is_not_null()
    state_b = _government("side_b") | pl.col("gwnob").is_not_null()
    between_states = (pl.col("violence") == "state_based") & state_a & state_b
    slack = (pl.col("days") - 1 - (pl.col("end") - pl.col("start")).dt.total_days()).clip(0).fill_null(0)
    return (
        frame.with_columns(
            pl.when(between_states).then(pl.lit("interstate")).otherwise(pl.col("violence").fill_null("unknown")).alias("violence")
        )
        .with_columns(
            actor=pl.when(pl.col("violence") == "one_sided")
            .then("side_a")
            .when(pl.col("violence") == "state_based")
            .then(pl.when(state_a).then("side_b").otherwise("side_a"))
            .when(pl.col("violence") == "non_state")
            .then(pl.concat_str("side_a", "side_b", separator="; ")),
            initiator=pl.when(pl.col("violence") == "one_sided").then("side_a"),
            event_start=pl.coalesce("start", "end") - pl.duration(days=(slack + 1) // 2),
            event_end=pl.coalesce("end", "start") + pl.duration(days=slack // 2),
            origin=pl.lit("UCDP GED ") + pl.col("own_id").fill_null("?"),
            agency=pl.lit("UCDP GED"),
            kind=pl.lit("event"),
            hindsight=pl.lit(True),
        )
        .drop("start", "end", "days", "gwnoa", "gwnob")
    )


def _clocks(event: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`known_at` by the first source, and the rows whose clock is doubtful."""
    undated = pl.col("first_source").is_null()
    event = event.with_columns(
        known_at=pl.when(undated).then(pl.col("event_end") + pl.duration(days=1)).otherwise(pl.max_horizontal("first_source", "event_end")),
        lang=pl.when(pl.col("text").is_not_null()).then(pl.lit("en")),
    )
    reasons = (
        pl.when(undated)
        .then(pl.lit("no source of this row is dated: known_at is the day after the event"))
        .when(pl.col("first_source") < pl.col("event_start"))
        .then(pl.lit("a source is dated before the event: known_at is the last day of the event"))
    )
    doubtful = event.select(
        "row", field=pl.lit("source_article"), value=pl.col("first_source").dt.to_string("%Y-%m-%d"), reason=reasons
    ).filter(pl.col("reason").is_not_null())
    return event.drop("first_source"), doubtful


def _press(event: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """One report an article and event: the office's words, at the time and place that GED read out of them."""
    parent = event.select("own_id", "agency", *_INHERITED).rename({"own_id": "parent_id", "agency": "parent_agency"})
    return found.join(parent, on="row", how="left", maintain_order="left").select(
        *_INHERITED,
        "parent_id",
        "parent_agency",
        agency="office",
        own_id=pl.concat_str(
            pl.lit("in UCDP GED"),
            pl.col("parent_id").fill_null("?"),
            pl.col("date").dt.to_string("%Y-%m-%d"),
            pl.col("headline").fill_null(""),
            separator="|",
        ),
        kind=pl.lit("event"),
        reported_at=pl.col("date").cast(pl.Datetime("us", "UTC")),
        known_at=pl.max_horizontal("date", "event_end"),
        hindsight=pl.lit(True),
        text="headline",
        lang=pl.when(pl.col("headline").is_not_null()).then(pl.lit("en")),
    )


def _as_issues(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    return issue_frame(file, frame["row"], frame["field"], frame["value"], frame["reason"])
