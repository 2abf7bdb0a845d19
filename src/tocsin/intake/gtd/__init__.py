"""GTD: one row is one attack by a non-state actor, at one place, on one day or over an extended one.

GTD has no receipt history: every value is hindsight and `known_at` is the day after the event. Doubtful rows (`doubtterr`) are read like the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from typing import Any

import polars as pl
import yaml

from tocsin.intake.countries import iso3
from tocsin.intake.files import Batch
from tocsin.intake.reader import Fields, issue_frame


class Gtd:
    """Reader of the Global Terrorism Database."""

    name = "GTD"
    agency = "GTD"
    one_report_per_incident = True

    @cached_property
    def spec(self) -> dict[str, Any]:
        """The source's description, from source.yml."""
        return dict(yaml.safe_load(files(__package__).joinpath("source.yml").read_text(encoding="utf-8")))

    @cached_property
    def crosswalk(self) -> dict[str, Any]:
        """The codes' counterparts, from crosswalk.yml."""
        return dict(yaml.safe_load(files(__package__).joinpath("crosswalk.yml").read_text(encoding="utf-8")))

    @cached_property
    def ignored(self) -> frozenset[str]:
        """Columns that are passed over by name."""
        return frozenset(c for columns in self.spec["ignored"].values() for c in columns)

    def recognises(self, header: Sequence[str]) -> bool:
        """True where the header has the columns that every GTD file has."""
        return set(self.spec["recognised_by"]) <= {h.strip().lower() for h in header}

    def columns(self, header: Sequence[str]) -> list[str]:
        """The columns of this header that are read."""
        return [h for h in header if h.strip().lower() not in self.ignored]

    def strangers(self, header: Sequence[str]) -> list[str]:
        """The columns that the codebook does not have."""
        known = set(self.spec["used"]) | self.ignored
        return [h for h in header if h.strip().lower() not in known]

    def read(self, batch: Batch, file: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Reports and issues of one batch."""
        fields = Fields(self._plain(batch), file)
        lat, lon = fields.position("latitude", "longitude")
        country, unknown = iso3(pl.Series([None], dtype=pl.String).new_from_index(0, batch.frame.height), fields.text("country_txt"))
        frame = pl.DataFrame(
            {
                "row": batch.rows,
                "own_id": fields.text("eventid"),
                "year": fields.whole("iyear"),
                "month": fields.whole("imonth"),
                "of_month": fields.whole("iday"),
                "last": fields.date("resolution", ("%Y-%m-%d", "%m/%d/%Y", "%-m/%-d/%Y")),
                "country": country,
                "admin1": _known(fields.text("provstate")),
                "place": _known(fields.text("city")),
                "lat": lat,
                "lon": lon,
                "radius_km": fields.one_of("specificity", self.spec["specificity"], pl.Float64),
                "suicide": fields.text("suicide"),
                "attack_type": fields.one_of("attacktype1", self.crosswalk["attack_type"], pl.String),
                "weapon_type": fields.one_of("weaptype1", self.crosswalk["weapon_type"], pl.String),
                "target_type": self._target(fields),
                "targtype": fields.text("targtype1"),
                "hit": _known(fields.text("corp1")).fill_null(fields.text("targtype1_txt")),
                "actor": _known(fields.text("gname")),
                "killed": fields.count("nkill"),
                "killed_a": fields.count("nkillter"),
                "wounded": fields.count("nwound"),
                "summary": fields.text("summary"),
                "aim": pl.select(
                    pl.concat_str(fields.text("target1"), fields.text("corp1"), separator="; ", ignore_nulls=True)
                ).to_series(),
            }
        )
        frame, odd = _dates(frame)
        days = issue_frame(file, odd["row"], odd["field"], odd["value"], odd["reason"])
        nowhere = issue_frame(
            file,
            batch.rows.filter(unknown),
            "country_txt",
            fields.text("country_txt").filter(unknown),
            "a country without a code: left empty",
        )
        return self._meanings(frame), pl.concat([fields.issues(), days, nowhere])

    def _plain(self, batch: Batch) -> Batch:
        """Lower-case names; unknown numbers empty; codes that a spreadsheet wrote as 1.0 as 1."""
        frame = batch.frame.rename(lambda c: c.strip().lower())
        numbers = [c for c in ("nkill", "nkillter", "nwound") if c in frame.columns]
        codes = [
            c
            for c in (
                "attacktype1",
                "weaptype1",
                "targtype1",
                "targsubtype1",
                "specificity",
                "suicide",
                "iyear",
                "imonth",
                "iday",
                "eventid",
            )
            if c in frame.columns
        ]
        return Batch(
            frame.with_columns(pl.col(numbers).replace(dict.fromkeys(self.spec["unknown_numbers"])), pl.col(codes).str.strip_suffix(".0")),
            batch.rows,
        )

    def _target(self, fields: Fields) -> pl.Series:
        broad = fields.one_of("targtype1", self.crosswalk["target_type"], pl.String)
        fine = fields.text("targsubtype1").replace_strict(self.crosswalk["target_subtype"], default=None, return_dtype=pl.String)
        return fine.fill_null(broad)

    def _meanings(self, frame: pl.DataFrame) -> pl.DataFrame:
        kinds = {code: kind for kind, codes in self.crosswalk["violence"].items() for code in codes}
        bomb = (pl.col("attack_type") == "explosion") & (pl.col("suicide") == "1")
        placed = pl.col("lat").is_not_null()
        return frame.with_columns(
            attack_type=pl.when(bomb).then(pl.lit("explosion/suicide")).otherwise("attack_type"),
            violence=pl.when(~pl.col("targtype").is_in(list(self.crosswalk["target_type"])).fill_null(False))
            .then(pl.lit("unknown"))
            .otherwise(pl.col("targtype").replace_strict(kinds, default="one_sided", return_dtype=pl.String)),
            initiator="actor",
            side_a="actor",
            side_b="hit",
            killed_low="killed",
            killed_high="killed",
            radius_km=pl.when(placed).then(pl.col("radius_km").fill_null(100.0)),
            text=pl.coalesce("summary", pl.when(pl.col("aim") != "").then("aim")),
            agency=pl.lit("GTD"),
            kind=pl.lit("event"),
            hindsight=pl.lit(True),
            lang=pl.lit("en"),
            origin=pl.lit("GTD ") + pl.col("own_id").fill_null("?"),
            known_at=pl.col("event_end") + pl.duration(days=1),
        ).drop("year", "month", "of_month", "last", "suicide", "targtype", "hit", "summary", "aim")


def _known(names: pl.Series) -> pl.Series:
    return names.replace({"Unknown": None, "unknown": None, "-9": None, "Not Applicable": None, "Unnamed": None})


def _dates(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Day 0 is the whole month, month 0 the whole year; `resolution` ends an extended event. And (row, field, value, reason) of what cannot be."""
    year = pl.when(pl.col("year").is_between(1900, 2200)).then("year")
    month, day = pl.col("month"), pl.col("of_month")
    known_month, known_day = month.is_between(1, 12).fill_null(False), (day >= 1).fill_null(False)
    text = pl.concat_str(year.cast(pl.String), month.cast(pl.String).str.zfill(2), day.cast(pl.String).str.zfill(2), separator="-")
    exact = pl.when(known_month & known_day).then(text.str.to_date("%Y-%m-%d", strict=False))
    first = pl.coalesce(exact, pl.date(year, pl.when(known_month).then(month).otherwise(1), 1))
    last = pl.coalesce(
        exact, pl.when(known_month).then(pl.date(year, month.clip(1, 12), 1).dt.month_end()).otherwise(pl.date(year, 12, 31))
    )
    wrong = [
        ("iyear", "year", year.is_null() & pl.col("year").is_not_null(), "no such year: left without a date"),
        ("imonth", "month", ~month.is_between(0, 12), "no such month: the whole year was taken"),
        (
            "iday",
            "of_month",
            (day < 0) | (known_month & known_day & exact.is_null() & year.is_not_null()),
            "no such day in that month: the whole month was taken",
        ),
        ("resolution", "last", pl.col("last") < first, "ends before it begins: passed over"),
    ]
    odd = pl.concat(
        frame.filter(bad.fill_null(False)).select("row", field=pl.lit(field), value=pl.col(column).cast(pl.String), reason=pl.lit(reason))
        for field, column, bad, reason in wrong
    )
    extended = pl.col("last") >= first
    return frame.with_columns(event_start=first, event_end=pl.when(extended).then(pl.max_horizontal(last, "last")).otherwise(last)), odd
