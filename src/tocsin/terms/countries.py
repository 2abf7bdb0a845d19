"""Countries: ISO 3166-1 alpha-3 codes, their numbers, and the names that event files use."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def countries() -> dict[str, dict[str, Any]]:
    """Alpha-3 code -> {number, names: the usual one first}."""
    return dict(yaml.load(files(__package__).joinpath("countries.yml").read_text(encoding="utf-8"), yaml.CSafeLoader))
