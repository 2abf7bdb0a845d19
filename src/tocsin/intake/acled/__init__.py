"""ACLED: one row is one event of one type, between two sides, at one place on one day.

What the two sides mean stands in sides.py: in a battle their order says nothing about who began.

ACLED has no receipt history: a download holds the rows as they stand on the day of the download, so every value is hindsight.
`timestamp` says when a row was last changed; it is kept as `reported_at` and `version`, and `known_at` stays the day after the event, flagged as hindsight.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from typing import Any

import polars as pl
import yaml

from tocsin.intake.acled.sides import aims, roles, sides
from tocsin.intake.countries import iso3
from tocsin.intake.files import Batch
from tocsin.intake.reader import Fields, issue_frame

_DATES = ("%Y-%m-%d", "%d %B %Y", "%d-%b-%Y", "%d %b %Y", "%d-%B-%Y", "%d/%m/%Y")


class Acled:
    """Reader of ACLED exports."""

    name = "ACLED"
    agency = "ACLED"
    one_report_per_incident = True

    @cached_property
    def spec(self) -> dict[str, Any]:
        """The source's description, from source.yml."""
        return dict(yaml.safe_load(files(__package__).joinpath("source.yml").read_text(encoding="utf-8")))

    @cached_property
    def crosswalk(self) -> dict[str, Any]:
        """The codes' counterparts, from crosswalk.yml."""
        return dict(yaml.safe_load(files(__package__).joinpath("crosswalk.yml").read_text(encoding="utf-8")))

    def recognises(self, header: Sequence[str]) -> bool:
        """True where the header has the columns that every export has."""
        return set(self.spec["recognised_by"]) <= {h.strip().lower() for h in header}

    def columns(self, header: Sequence[str]) -> list[str]:
        """The columns of this header that are read."""
        return [h for h in header if h.strip().lower() not in self.spec["ignored"]]

    def strangers(self, header: Sequence[str]) -> list[str]:
        """The columns that the codebook does not have."""
        known = set(KNOWN) | set(self.spec["ignored"]) | {o for others in self.spec["also_called"].values() for o in others}
        return [h for h in header if h.strip().lower() not in known]

    def read(self, batch: Batch, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Reports and issues of one batch."""
        names = {other: name for name, others in self.spec["also_called"].items() for other in others}
        fields = Fields(Batch(batch.frame.rename(lambda c: names.get(c.strip().lower(), c.strip().lower())), batch.rows), file)
        lat, lon = fields.position("latitude", "longitude")
        country, unknown = iso3(fields.text("iso"), fields.text("country"))
        frame = pl.DataFrame(
            {
                "row": batch.rows,
                "own_id": fields.text("event_id_cnty"),
                "version": fields.text("timestamp").str.strip_suffix(".0"),
                "day": fields.date("event_date", _DATES),
                "within": fields.one_of("time_precision", self.spec["time_precision"], pl.String),
                "country": country,
                "admin1": fields.text("admin1"),
                "admin2": fields.text("admin2"),
                "place": fields.text("location"),
                "lat": lat,
                "lon": lon,
                "radius_km": fields.one_of("geo_precision", self.spec["geo_precision"], pl.Float64),
                "attack_type": self._attack(fields),
                "weapon_type": fields.text("sub_event_type").replace_strict(
                    {k: v["weapon"] for k, v in self.crosswalk["sub_event_type"].items() if "weapon" in v},
                    default=None,
                    return_dtype=pl.String,
                ),
                "event_type": fields.text("event_type"),
                "dead": fields.count("fatalities"),
                "text": fields.text("notes"),
                "changed": fields.whole("timestamp"),
                "civilian_targeting": fields.text("civilian_targeting"),
            }
        )
        frame = pl.concat([frame, sides(fields, self.crosswalk)], how="horizontal")
        nowhere = issue_frame(
            file, batch.rows.filter(unknown), "country", fields.text("country").filter(unknown), "a country without a code: left empty"
        )
        return _meanings(frame, self.crosswalk), pl.concat([fields.issues(), nowhere])

    def _attack(self, fields: Fields) -> pl.Series:
        """The sub-event's code, or the event type's where the sub-event is silent."""
        fine = {k: v["attack"] for k, v in self.crosswalk["sub_event_type"].items()}
        narrow = fields.one_of("sub_event_type", fine, pl.String)
        return narrow.fill_null(fields.one_of("event_type", self.crosswalk["event_type"], pl.String))


KNOWN = (
    "event_id_cnty event_date time_precision event_type sub_event_type actor1 assoc_actor_1 inter1 actor2 assoc_actor_2 inter2 "
    "civilian_targeting iso country admin1 admin2 location latitude longitude geo_precision source notes fatalities timestamp"
).split()


def _meanings(frame: pl.DataFrame, crosswalk: dict[str, Any]) -> pl.DataFrame:
    """Interval, tolls, violence, sides and target as the codebook means them."""
    day, week, month = pl.col("day"), pl.col("within") == "week", pl.col("within") == "month"
    none_reported = pl.col("dead") == 0
    return frame.with_columns(
        *roles(),
        *aims(crosswalk),
        event_start=pl.when(week).then(day - pl.duration(days=3)).when(month).then(day.dt.month_start()).otherwise(day),
        event_end=pl.when(week).then(day + pl.duration(days=3)).when(month).then(day.dt.month_end()).otherwise(day),
        killed_low="dead",
        killed=pl.when(~none_reported).then("dead"),
        killed_high=pl.when(~none_reported).then("dead"),
        agency=pl.lit("ACLED"),
        kind=pl.lit("event"),
        hindsight=pl.lit(True),
        lang=pl.lit("en"),
        reported_at=pl.from_epoch("changed").dt.replace_time_zone("UTC").dt.cast_time_unit("us"),
        origin=pl.lit("ACLED ") + pl.col("own_id").fill_null("?"),
    ).drop("day", "within", "dead", pl.selectors.matches("^(kind|narrow|group)_[ab]$"), "event_type", "changed", "civilian_targeting")
