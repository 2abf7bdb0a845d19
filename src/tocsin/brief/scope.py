"""What a brief looks at: its window and filters, and what each of them leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from tocsin.errors import OptionError
from tocsin.terms.tables import AREA_CLASS
from tocsin.terms.taxonomies import taxonomy


@dataclass(frozen=True)
class Scope:
    """The options of a brief that choose incidents."""

    as_of: date | None = None
    window: int = 150  # days
    country: str | None = None  # ISO 3166-1 alpha-3
    area: str | None = None  # a province, a district, or tribal | mainland | big_city
    where: tuple[float, float, float, float] | None = None  # west, south, east, north, degrees
    group: str | None = None  # code of target_group, narrower ones included
    public: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.window <= 3650:
            raise OptionError(f"--window {self.window}: give a number of days from 1 to 3650")
        if self.group is not None and self.group not in taxonomy("target_group"):
            raise OptionError(f"--group {self.group!r} is no community code; the codes are {', '.join(taxonomy('target_group'))}")
        if self.where is not None:
            west, south, east, north = self.where
            if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
                raise OptionError(f"--where {self.where}: give west,south,east,north in degrees, west < east and south < north")

    def filters(self) -> list[tuple[str, pl.Expr, str]]:
        """(option, which incidents it keeps, its value as given)."""
        out: list[tuple[str, pl.Expr, str]] = []
        if self.country:
            out.append(("--country", pl.col("country") == self.country.upper(), self.country.upper()))
        if self.area:
            out.append(("--area", _area(self.area), self.area))
        if self.where:
            west, south, east, north = self.where
            box = pl.col("lon").is_between(west, east) & pl.col("lat").is_between(south, north)
            out.append(("--where", box, ",".join(f"{x:g}" for x in self.where)))
        if self.group:
            tree = taxonomy("target_group")
            out.append(("--group", pl.col("target_group").is_in([c for c in tree if self.group in tree.ancestors(c)]), self.group))
        return out

    def apply(self, incidents: pl.DataFrame) -> tuple[pl.DataFrame, list[tuple[str, int]]]:
        """The incidents kept, and (option and value, how many it left out) for each filter in turn."""
        left_out = []
        for option, keep, value in self.filters():
            kept = incidents.filter(keep.fill_null(False))
            left_out.append((f"{option} {value}", incidents.height - kept.height))
            incidents = kept
        return incidents, left_out


def _area(name: str) -> pl.Expr:
    if name.lower().replace(" ", "_") in AREA_CLASS:
        return pl.col("area_class") == name.lower().replace(" ", "_")
    return (pl.col("admin1").str.to_lowercase() == name.lower()) | (pl.col("admin2").str.to_lowercase() == name.lower())


def box(text: str) -> tuple[float, float, float, float]:
    """`west,south,east,north` as numbers. Raises `OptionError` where it is not four numbers."""
    try:
        west, south, east, north = (float(x) for x in text.split(","))
    except ValueError:
        raise OptionError(
            f"--where {text!r}: give four numbers, west,south,east,north in degrees, e.g. 66.5,24.6,67.6,25.3 for Karachi"
        ) from None
    return west, south, east, north
