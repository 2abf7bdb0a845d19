"""Places: a source's names and points -> the dated crosswalk's names, the class of area, an honest radius; and the shapes of the page's map.

shapes.py (what the map draws) -> crosswalk.py (what it was called when) -> towns.py (how far towns reach) -> locate.py, piles.py
"""

from __future__ import annotations

from datetime import date

from tocsin.errors import TaxonomyError
from tocsin.intake.places.crosswalk import crosswalk
from tocsin.intake.places.locate import locate
from tocsin.intake.places.piles import PileUps
from tocsin.intake.places.shapes import districts, outline, provinces
from tocsin.intake.places.towns import gazetteer, gazetteer_names

__all__ = ["PileUps", "districts", "gazetteer", "gazetteer_names", "locate", "map_areas", "outline", "provinces"]


def map_areas(admin2: str, day: date) -> list[str]:
    """The districts of the 2023 map (names in `districts()`) that an area of Pakistan covers on a day, in the map's order.

    admin2: a name that `locate` gives, or one as a source writes it. Raises `TaxonomyError` for a name that the crosswalk does not know.
    """
    area = crosswalk().named(admin2, day)
    if area is None:
        raise TaxonomyError(f"no area of Pakistan is called {admin2!r}; the names are in intake/places/crosswalk_pak.yml")
    return list(crosswalk().map_areas(area.name, day))
