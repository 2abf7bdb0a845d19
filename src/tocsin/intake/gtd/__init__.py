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
from tocsin.intake.gtd.dates import intervals
from tocsin.intake.reader import Fields, issue_frame

#: Codes, which a spreadsheet writes as 1.0.
_CODES = (
    "eventid iyear imonth iday country specificity suicide attacktype1 attacktype2 targtype1 targsubtype1 weaptype1 weapsubtype1".split()
)


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
    def countries(self) -> dict[str, Any]:
        """GTD's own numbers of countries, from country.yml."""
        return dict(yaml.safe_load(files(__package__).joinpath("country.yml").read_text(encoding="utf-8")))

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
        country, unknown = self._country(fields)
        frame, odd = intervals(self._cells(fields, batch).with_columns(country))
        days = issue_frame(file, odd["row"], odd["field"], odd["value"], odd["reason"])
        names = fields.text("country_txt").filter(unknown)
        nowhere = issue_frame(file, batch.rows.filter(unknown), "country_txt", names, "a country without a code: left empty")
        more = frame.filter(pl.col("killed_a") > pl.col("dead"))
        said = issue_frame(
            file, more["row"], "nkillter", more["killed_a"].cast(pl.String), "more attackers dead than dead in all: both kept"
        )
        return self._meanings(frame), pl.concat([fields.issues(), days, nowhere, said])

    def _cells(self, fields: Fields, batch: Batch) -> pl.DataFrame:
        """What is read, each column by itself."""
        lat, lon = fields.position("latitude", "longitude")
        codes = self.crosswalk
        return pl.DataFrame(
            {
                "row": batch.rows,
                "own_id": fields.text("eventid"),
                "year": fields.whole("iyear"),
                "month": fields.whole("imonth"),
                "of_month": fields.whole("iday"),
                "last": fields.date("resolution", ("%Y-%m-%d", "%m/%d/%Y", "%-m/%-d/%Y")),
                "admin1": _known(fields.text("provstate")),
                "place": _known(fields.text("city")),
                "lat": lat,
                "lon": lon,
                "radius_km": fields.one_of("specificity", self.spec["specificity"], pl.Float64),
                "attack_type": fields.one_of("attacktype1", codes["attack_type"], pl.String),
                "means": fields.text("attacktype2"),
                "suicide": fields.text("suicide"),
                "weapon_type": fields.one_of("weaptype1", codes["weapon_type"], pl.String),
                "bomb": fields.text("weapsubtype1").replace_strict(codes["weapon_subtype"], default=None, return_dtype=pl.String),
                "target_type": self._target(fields),
                "targtype": fields.text("targtype1"),
                "hit": _known(fields.text("corp1")).fill_null(fields.text("targtype1_txt")),
                "dead": fields.amount("nkill"),
                "killed_a": fields.amount("nkillter"),
                "hurt": fields.amount("nwound"),
                "summary": fields.text("summary"),
                "actor": _joined(*(_known(fields.text(c)) for c in ("gname", "gname2", "gname3"))),
                "aim": _joined(fields.text("target1"), _known(fields.text("corp1"))),
            }
        )

    def _country(self, fields: Fields) -> tuple[pl.Series, pl.Series]:
        """(alpha-3 codes, where a country is stated but has none), by name and, where the name is not known, by GTD's own number."""
        names, numbers = fields.text("country_txt"), fields.text("country")
        nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(names))
        code = iso3(nothing, names)[0].fill_null(numbers.replace_strict(self.countries["country"], default=None, return_dtype=pl.String))
        return code.alias("country"), code.is_null() & (names.is_not_null() | numbers.is_not_null())

    def _plain(self, batch: Batch) -> Batch:
        """Lower-case names; unknown numbers empty; codes that a spreadsheet wrote as 1.0 as 1."""
        frame = batch.frame.rename(lambda c: c.strip().lower())
        frame = frame.with_columns(
            pl.col(c).replace(dict.fromkeys(self.spec["unknown_numbers"])) for c in ("nkill", "nkillter", "nwound") if c in frame.columns
        )
        return Batch(frame.with_columns(pl.col(c).str.strip_suffix(".0") for c in _CODES if c in frame.columns), batch.rows)

    def _target(self, fields: Fields) -> pl.Series:
        broad = fields.one_of("targtype1", self.crosswalk["target_type"], pl.String)
        return fields.one_of("targsubtype1", self.crosswalk["target_subtype"], pl.String).fill_null(broad)

    def _meanings(self, frame: pl.DataFrame) -> pl.DataFrame:
        kinds = {code: kind for kind, codes in self.crosswalk["violence"].items() for code in codes}
        # GTD ranks assassination above bombing: a bomb that was to kill one person has it first and the bomb second.
        by_bomb = (pl.col("attack_type") == "explosion") | (
            (pl.col("attack_type") == "armed_assault/assassination") & ((pl.col("means") == "3") | (pl.col("weapon_type") == "explosives"))
        ).fill_null(False)
        bombing = pl.when(pl.col("suicide") == "1").then(pl.lit("explosion/suicide")).otherwise(pl.col("bomb").fill_null("explosion"))
        placed = pl.col("lat").is_not_null()
        return frame.with_columns(
            attack_type=pl.when(by_bomb).then(bombing).otherwise("attack_type"),
            violence=pl.when(~pl.col("targtype").is_in(list(self.crosswalk["target_type"])).fill_null(False))
            .then(pl.lit("unknown"))
            .otherwise(pl.col("targtype").replace_strict(kinds, default="one_sided", return_dtype=pl.String)),
            initiator="actor",
            side_a="actor",
            side_b="hit",
            killed_low=pl.col("dead").floor().cast(pl.Int32),
            killed=pl.col("dead").round(mode="half_away_from_zero").cast(pl.Int32),
            killed_high=pl.col("dead").ceil().cast(pl.Int32),
            killed_a=pl.col("killed_a").round(mode="half_away_from_zero").cast(pl.Int32),
            wounded=pl.col("hurt").round(mode="half_away_from_zero").cast(pl.Int32),
            radius_km=pl.when(placed).then(pl.col("radius_km").fill_null(100.0)),
            text=pl.coalesce("summary", "aim"),
            agency=pl.lit("GTD"),
            kind=pl.lit("event"),
            hindsight=pl.lit(True),
            lang=pl.lit("en"),
            origin=pl.lit("GTD ") + pl.col("own_id").fill_null("?"),
            known_at=pl.col("event_end") + pl.duration(days=1),
        ).drop("year", "month", "of_month", "last", "means", "suicide", "bomb", "targtype", "hit", "dead", "hurt", "summary", "aim")


def _joined(*texts: pl.Series) -> pl.Series:
    """Several texts as one; null where all are."""
    whole = pl.DataFrame([t.alias(str(i)) for i, t in enumerate(texts)]).select(pl.concat_str(pl.all(), separator="; ", ignore_nulls=True))
    return whole.to_series().replace("", None)


def _known(names: pl.Series) -> pl.Series:
    return names.replace({"Unknown": None, "unknown": None, "-9": None, "Not Applicable": None, "Unnamed": None})
