"""The dated crosswalk: what an area was called on a day, which province it lay in, and which districts of the map it covers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from importlib.resources import files
from itertools import pairwise
from typing import Any

import yaml

from tocsin.errors import TaxonomyError
from tocsin.intake.places.shapes import district_names

FIRST, LAST = date(1, 1, 1), date(9999, 12, 31)

#: Words that say what kind of area it is, misspellings that UCDP GED has included.
_KIND = r"\b(the|district|distrcit|districts|dist|agency|province|division|city|town|area|tribal|merged)\b"


@cache
def key(name: str) -> str:
    """A name as it is compared: no case, accents, punctuation, nor words such as "district"; never empty where the name is not."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower().replace("&", " and ")
    plain = re.sub(r"[^a-z0-9]+", " ", re.sub(r"(?<=\b[a-z])\.\s*(?=[a-z]\b)", "", plain.replace("'", "")))
    short = re.sub(r"\s+", " ", re.sub(_KIND, " ", plain)).strip()
    return short or plain.strip()


@dataclass(frozen=True)
class Area:
    """A district, agency or region between two days."""

    name: str
    province: str  # as of 2023, or FATA
    start: date = FIRST
    end: date = LAST
    out_of: str | None = None  # the area that held its ground before
    inside: tuple[str, ...] = ()  # the map's districts that hold it, where the map does not draw it
    tribal: bool = False
    named_only: bool = False  # a point alone never chooses it

    def on(self, day: date) -> bool:
        """True where it existed on that day."""
        return self.start <= day <= self.end


@dataclass(frozen=True)
class Province:
    """A province, what it was called before, and what it became."""

    name: str
    end: date = LAST
    then: str | None = None
    old_end: date | None = None
    old_name: str | None = None
    tribal: bool = False


class Crosswalk:
    """The dated crosswalk of one country. Raises `TaxonomyError` where its file contradicts itself."""

    def __init__(self, raw: dict[str, Any], mapped: dict[str, str]) -> None:
        self.country: str = raw["country"]
        self.raw = raw
        self.mapped = mapped  # districts of the map -> province
        self.provinces: dict[str, Province] = {}
        self.areas: dict[str, Area] = {}
        self.by_key: dict[str, list[Area]] = {}
        self.province_by_key: dict[str, str] = {}
        self._kept: dict[date, dict[str, tuple[str, ...]]] = {}
        for item in raw["provinces"]:
            self._province(item)
        listed = {d: raw["districts"].get(d) or {} for d in mapped}
        for name in set(raw["districts"]) - set(mapped):
            raise TaxonomyError(f"crosswalk_pak.yml: {name!r} stands under districts and is not on the map; put it under areas")
        for name, item in listed.items():
            self._area(name, {"province": mapped[name], **item})
        for item in raw["areas"]:
            self._area(item["name"], item)
        self._check()

    def _province(self, item: dict[str, Any]) -> None:
        old = item.get("before") or {}
        end = _day(item.get("until"), last=True)
        province = Province(item["name"], end, item.get("then"), old.get("until"), old.get("name"), bool(item.get("tribal")))
        self.provinces[province.name] = province
        for alias in (province.name, province.old_name or province.name, *item["aliases"]):
            self.province_by_key[key(alias)] = province.name

    def _area(self, name: str, item: dict[str, Any]) -> None:
        area = Area(
            name,
            item["province"],
            _day(item.get("from")),
            _day(item.get("until"), last=True),
            item.get("out_of"),
            tuple(item.get("inside", ())),
            bool(item.get("tribal", item["province"] == "FATA" or str(item.get("out_of", "")).endswith(" Agency"))),
            bool(item.get("named_only", False)) or name.startswith("FR "),
        )
        if name in self.areas:
            raise TaxonomyError(f"crosswalk_pak.yml: area {name!r} stands twice")
        self.areas[name] = area
        for alias in dict.fromkeys(key(a) for a in (name, *item.get("aliases", ()))):
            self.by_key.setdefault(alias, []).append(area)

    def _check(self) -> None:
        for area in self.areas.values():
            for other in (*area.inside, *([area.out_of] if area.out_of else [])):
                if other not in self.areas:
                    raise TaxonomyError(f"crosswalk_pak.yml: {area.name!r} refers to {other!r}, which is no area")
            if area.province not in self.provinces:
                raise TaxonomyError(f"crosswalk_pak.yml: {area.name!r} lies in {area.province!r}, which is no province")
        for alias, areas in self.by_key.items():
            days = sorted((a.start, a.end) for a in areas)
            if any(later[0] <= earlier[1] for earlier, later in pairwise(days)):
                raise TaxonomyError(f"crosswalk_pak.yml: {alias!r} names {', '.join(a.name for a in areas)} on the same day")

    @cached_property
    def changes(self) -> list[date]:
        """Every day on which some name or border changed, in order, from the first day of all."""
        days = {FIRST}
        for area in self.areas.values():
            days |= {area.start, *([area.end + timedelta(days=1)] if area.end < LAST else [])}
        for province in self.provinces.values():
            days |= {end + timedelta(days=1) for end in (province.end, province.old_end) if end is not None and end < LAST}
        return sorted(days)

    def province_on(self, name: str, day: date) -> str:
        """What the province of that (2023) name was called, or had become, on a day."""
        province = self.provinces[name]
        if day > province.end and province.then:
            return self.province_on(province.then, day)
        return province.old_name if province.old_name and province.old_end and day <= province.old_end else province.name

    def at(self, district: str, day: date) -> Area:
        """The area that held the ground of a district of the map on a day."""
        for area in self.areas.values():
            if area.inside and not area.named_only and area.on(day) and district in area.inside:
                return area
        return self._under(district, day)

    def map_areas(self, name: str, day: date) -> tuple[str, ...]:
        """The districts of the map that an area covers on a day (or, where it did not exist then, on the nearest day that it did)."""
        area = self.areas[name]
        if area.inside:
            return area.inside
        return self._grounds(min(max(day, area.start), area.end)).get(name, ())

    def _grounds(self, day: date) -> dict[str, tuple[str, ...]]:
        """The districts of the map on the ground of each area that day; kept, for it is asked area by area."""
        if day not in self._kept:
            out: dict[str, tuple[str, ...]] = {}
            for district in self.mapped:
                area = self._under(district, day)
                out[area.name] = (*out.get(area.name, ()), district)
            self._kept[day] = out
        return self._kept[day]

    def _under(self, district: str, day: date) -> Area:
        area = self.areas[district]
        while day < area.start and area.out_of:
            area = self.areas[area.out_of]
        return area

    def named(self, name: str, day: date) -> Area | None:
        """The area that a source means by a name on a day: the one that bore it then, else the one that bore it nearest to then."""
        found = self.by_key.get(key(name), [])
        return min(found, key=lambda a: (max(a.start - day, day - a.end, timedelta(0)), a.name), default=None)

    def province_named(self, name: str) -> Province | None:
        """The province that a source means by a name."""
        known = self.province_by_key.get(key(name))
        return self.provinces[known] if known else None


def _day(value: object, *, last: bool = False) -> date:
    """A YAML date, month ("2013-05") or year as its first or last day; None as the ends of time."""
    if value is None:
        return LAST if last else FIRST
    if isinstance(value, date):
        return value
    parts = [int(p) for p in str(value).split("-")]
    year, month = parts[0], parts[1] if len(parts) > 1 else (12 if last else 1)
    if not last:
        return date(year, month, 1)
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


@cache
def crosswalk() -> Crosswalk:
    """The crosswalk of Pakistan, the one country that has one."""
    text = files("tocsin.intake.places").joinpath("crosswalk_pak.yml").read_text(encoding="utf-8")
    return Crosswalk(yaml.safe_load(text), district_names())
