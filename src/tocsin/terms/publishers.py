"""Publishers of event files whose terms are known: citation, licence, and what they promise about their rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml


@dataclass(frozen=True)
class Publisher:
    """An agency that publishes files under known terms."""

    agency: str
    name: str
    one_report_per_incident: bool  # it promises never to report one incident twice
    licence: str
    text_may_circulate: bool  # false: its rows' words stay out of a page that is passed on
    url: str
    cite: str


@cache
def publishers() -> dict[str, Publisher]:
    """All known publishers, by agency."""
    raw = yaml.safe_load(files(__package__).joinpath("publishers.yml").read_text(encoding="utf-8"))
    return {agency: Publisher(agency=agency, **terms) for agency, terms in raw.items()}


def one_report_agencies() -> frozenset[str]:
    """Agencies that promise one report an incident."""
    return frozenset(p.agency for p in publishers().values() if p.one_report_per_incident)
