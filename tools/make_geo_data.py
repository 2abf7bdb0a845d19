"""Makes src/tocsin/data/geo/ out of the geography it is taken from: python tools/make_geo_data.py FOLDER.

FOLDER holds geonames_cities500_pk_af.csv, ged_pakistan_places.csv, pakistan_districts_2023_osm.geojson, pakistan_provinces_2023_osm.geojson and
Natural Earth's world-atlas-countries-50m.json and -110m.json (TopoJSON). The same inputs give the same bytes.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import sys
import unicodedata
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import yaml

TARGET = Path(__file__).parents[1] / "src" / "tocsin" / "data" / "geo"
YAML = Path(__file__).parents[1] / "src" / "tocsin" / "intake" / "places" / "crosswalk_pak.yml"
REGION = (56.0, 19.0, 84.0, 41.0)  # west, south, east, north: Pakistan and its neighbours
PAGE_TOLERANCE = 0.02  # degrees, about 2 km
ISO3 = {"PK": "PAK", "AF": "AFG"}

Point = tuple[float, float]
Ring = list[Point]


def write(name: str, content: str) -> None:
    """One gzip file without a time stamp, so that the same content gives the same bytes."""
    TARGET.mkdir(parents=True, exist_ok=True)
    packed = gzip.compress(content.encode(), 9, mtime=0)
    (TARGET / name).write_bytes(packed)
    print(f"{name}: {len(packed):,} bytes")


def compact(data: Any) -> str:
    """JSON without spaces."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def polygons(geometry: dict[str, Any]) -> list[list[Ring]]:
    """The polygons of a GeoJSON geometry, each a list of rings."""
    parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return [[[(p[0], p[1]) for p in ring] for ring in part] for part in parts]


def geometry(parts: list[list[Ring]], digits: int) -> dict[str, Any]:
    """A GeoJSON geometry of polygons, rounded; rings that fall together vanish."""
    kept = []
    for part in parts:
        rings = [r for r in (rounded(ring, digits) for ring in part) if len(r) >= 4]
        if rings:
            kept.append(rings)
    return {"type": "Polygon", "coordinates": kept[0]} if len(kept) == 1 else {"type": "MultiPolygon", "coordinates": kept}


def rounded(ring: Ring, digits: int) -> list[list[float]]:
    """A ring on a grid of 10^-digits degrees, equal neighbours once."""
    out: list[list[float]] = []
    for x, y in ring:
        point = [round(x, digits), round(y, digits)]
        if not out or out[-1] != point:
            out.append(point)
    return out


def thinned(line: Ring, tolerance: float) -> Ring:
    """Douglas & Peucker, Cartographica 10:2 (1973) 112: no dropped point lies farther than `tolerance` from the line that is left."""
    if len(line) < 3:
        return line
    (x1, y1), (x2, y2) = line[0], line[-1]
    length = math.hypot(x2 - x1, y2 - y1)

    def off(p: Point) -> float:
        if length == 0:
            return math.hypot(p[0] - x1, p[1] - y1)
        return abs((x2 - x1) * (y1 - p[1]) - (x1 - p[0]) * (y2 - y1)) / length

    far = max(range(1, len(line) - 1), key=lambda i: off(line[i]))
    if off(line[far]) <= tolerance:
        return [line[0], line[-1]]
    return thinned(line[: far + 1], tolerance)[:-1] + thinned(line[far:], tolerance)


def simplified(features: list[list[list[Ring]]], tolerance: float) -> list[list[list[Ring]]]:
    """Polygons thinned arc by arc, so that neighbours still touch: a shared border is cut at junctions and thinned once for both."""
    near: dict[Point, set[Point]] = defaultdict(set)
    for parts in features:
        for ring in (r for part in parts for r in part):
            for a, b in pairwise(ring):
                near[a].add(b)
                near[b].add(a)
    return [[[_thin_ring(ring, near, tolerance) for ring in part] for part in parts] for parts in features]


def _thin_ring(ring: Ring, near: dict[Point, set[Point]], tolerance: float) -> Ring:
    body = ring[:-1]
    cuts = [i for i, p in enumerate(body) if len(near[p]) != 2]
    if len(cuts) < 2:
        cuts = sorted({body.index(min(body)), body.index(max(body))})
    body = body[cuts[0] :] + body[: cuts[0]]
    cuts = [c - cuts[0] for c in cuts] + [len(body)]
    body.append(body[0])
    out: Ring = []
    for a, b in pairwise(cuts):
        arc = body[a : b + 1]
        same_way = (arc[0], arc[1]) <= (arc[-1], arc[-2])
        thin = thinned(arc if same_way else arc[::-1], tolerance)
        out += (thin if same_way else thin[::-1])[:-1]
    return [*out, out[0]] if len(out) >= 3 else ring


def make_districts(folder: Path) -> list[dict[str, Any]]:
    """Districts in full (for points) and simplified (for the page), and provinces for the page."""
    raw = json.loads((folder / "pakistan_districts_2023_osm.geojson").read_text())
    credit = {"attribution": raw["attribution"], "license": "ODbL 1.0, https://opendatacommons.org/licenses/odbl/1-0/"}
    full, shapes = [], []
    for f in raw["features"]:
        shape = geometry(polygons(f["geometry"]), 3)
        full.append({"type": "Feature", "properties": f["properties"], "geometry": shape})
        shapes.append(polygons(shape))
    write("districts.geojson.gz", compact({"type": "FeatureCollection", **credit, "features": full}))
    page = [{**f, "geometry": geometry(s, 3)} for f, s in zip(full, simplified(shapes, PAGE_TOLERANCE), strict=True)]
    write("districts_page.geojson.gz", compact({"type": "FeatureCollection", **credit, "features": page}))
    raw = json.loads((folder / "pakistan_provinces_2023_osm.geojson").read_text())
    shapes = simplified([polygons(f["geometry"]) for f in raw["features"]], PAGE_TOLERANCE)
    lands = [
        {"type": "Feature", "properties": f["properties"], "geometry": geometry(s, 3)} for f, s in zip(raw["features"], shapes, strict=True)
    ]
    write("provinces_page.geojson.gz", compact({"type": "FeatureCollection", **credit, "features": lands}))
    return full


def countries(path: Path) -> list[tuple[str, list[list[Ring]]]]:
    """Names and polygons of a TopoJSON file's countries."""
    topo = json.loads(path.read_text())
    (sx, sy), (tx, ty) = topo["transform"]["scale"], topo["transform"]["translate"]
    arcs: list[Ring] = []
    for arc in topo["arcs"]:
        x = y = 0
        line = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            line.append((x * sx + tx, y * sy + ty))
        arcs.append(line)

    def ring(indexes: list[int]) -> Ring:
        out: Ring = []
        for i in indexes:
            arc = arcs[i] if i >= 0 else arcs[~i][::-1]
            out += arc if not out else arc[1:]
        return out

    def shape(g: dict[str, Any]) -> list[list[Ring]]:
        parts = [g["arcs"]] if g["type"] == "Polygon" else g.get("arcs", [])
        return [[ring(r) for r in part] for part in parts]

    return [(g["properties"]["name"], shape(g)) for g in topo["objects"]["countries"]["geometries"]]


def clipped(ring: Ring, box: tuple[float, float, float, float]) -> Ring:
    """Sutherland & Hodgman, CACM 17:1 (1974) 32, against a box."""
    west, south, east, north = box
    for axis, bound, keep_above in ((0, west, True), (0, east, False), (1, south, True), (1, north, False)):
        out: Ring = []
        for a, b in zip(ring, [*ring[1:], ring[0]] if ring else [], strict=False):
            inside_a, inside_b = ((p[axis] >= bound) == keep_above or p[axis] == bound for p in (a, b))
            if inside_a:
                out.append(a)
            if inside_a != inside_b:
                t = (bound - a[axis]) / (b[axis] - a[axis])
                out.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
        ring = out
    return [*ring, ring[0]] if len(ring) >= 3 and ring[0] != ring[-1] else ring


def make_outlines(folder: Path) -> None:
    """The neighbours at 1:50m, clipped; the world at 1:110m."""
    region = []
    for name, parts in countries(folder / "world-atlas-countries-50m.json"):
        cut = [[r for r in (clipped(ring, REGION) for ring in part) if len(r) >= 4] for part in parts]
        shape = geometry([part for part in cut if part], 2)
        if shape["coordinates"]:
            region.append({"type": "Feature", "properties": {"name": name}, "geometry": shape})
    credit = "Made with Natural Earth (public domain), by way of world-atlas (ISC)"
    write("outline_region.geojson.gz", compact({"type": "FeatureCollection", "attribution": credit, "features": region}))
    world = []
    for name, parts in countries(folder / "world-atlas-countries-110m.json"):
        shape = geometry(parts, 1)
        flat = [p for part in polygons(shape) for ring in part for p in ring]
        box = [min(p[0] for p in flat), min(p[1] for p in flat), max(p[0] for p in flat), max(p[1] for p in flat)]
        world.append({"type": "Feature", "properties": {"name": name}, "bbox": box, "geometry": shape})
    write("outline_world.geojson.gz", compact({"type": "FeatureCollection", "attribution": credit, "features": world}))


def plain(name: str) -> str:
    """A name without accents, in ASCII."""
    swapped = name.replace("’", "'").replace("‘", "'").replace("ʿ", "").replace("ʾ", "").replace("`", "'")
    return unicodedata.normalize("NFKD", swapped).encode("ascii", "ignore").decode().strip()


def spellings(name: str, alternates: str | None) -> list[str]:
    """Latin spellings: ASCII, capitalised, no codes; the name itself not among them."""
    out: dict[str, None] = {}
    for other in (alternates or "").split("|"):
        text = plain(other)
        whole = len(text) >= len(other.strip()) - 2  # a name in another script loses nearly all its letters
        if whole and re.fullmatch(r"[A-Z][A-Za-z' .-]{3,}", text) and not text.isupper() and text.lower() != name.lower():
            out.setdefault(text)
    return sorted(out)


_GED_KIND = r"\s+(town|village|city|area|tehsil|locality|valley|village area)$"
_GED_SKIP = r"(?i)border|road|highway|near|between|province|district|agency|,|\(|/|-|region|hills|mountain|\bpost\b|checkpoint|tunnel|river|loc\b|^IB\b"


def towns(folder: Path, not_their_own: set[str]) -> list[dict[str, Any]]:
    """GeoNames' towns, the largest first; a population that is the district's is left out."""
    rows = []
    frame = pl.read_csv(folder / "geonames_cities500_pk_af.csv").sort("population", "geonameid", descending=[True, False])
    for g in frame.iter_rows(named=True):
        name = plain(g["name"])
        population = None if g["population"] == 0 or name in not_their_own else g["population"]
        where = {"lat": g["latitude"], "lon": g["longitude"], "country": ISO3[g["countrycode"]]}
        rows.append(
            {"name": name, "alternates": spellings(name, g["alternatenames"]), "population": population, "source": "GeoNames", **where}
        )
    return rows


def add_ged_places(rows: list[dict[str, Any]], folder: Path) -> None:
    """GED's places that no row within 0.2 degrees has by name; roads, borders, whole areas and notes are none."""
    frame = pl.read_csv(folder / "ged_pakistan_places.csv").sort("n_events", "where_coordinates", descending=[True, False])
    for p in frame.iter_rows(named=True):
        name = re.sub(_GED_KIND, "", plain(p["where_coordinates"]), flags=re.I)
        if re.search(_GED_SKIP, name) or len(name) < 3:
            continue
        near = [r for r in rows if abs(r["lat"] - p["latitude"]) < 0.2 and abs(r["lon"] - p["longitude"]) < 0.2]
        if not any(name.lower() in {s.lower() for s in (r["name"], *r["alternates"])} for r in near):
            where = {"lat": p["latitude"], "lon": p["longitude"], "country": "PAK"}
            rows.append({"name": name, "alternates": [], "population": None, "source": "GED", **where})


def make_places(folder: Path) -> None:
    """The gazetteer: GeoNames' towns, and GED's places that GeoNames lacks, each with province and district of the map's names."""
    # imported late: the districts are made before they can be read
    from tocsin.intake.places.shapes import district_names, district_rings
    from tocsin.kernels.geo import area_of, nearest_area

    rules = yaml.safe_load(YAML.read_text())
    rows = towns(folder, {plain(n) for n in rules["not_the_towns_population"]})
    add_ged_places(rows, folder)
    frame = pl.DataFrame(rows, schema_overrides={"population": pl.Int64})
    census = pl.col("name").replace_strict(
        {n: c["population"] for n, c in rules["big_cities"].items()}, default=None, return_dtype=pl.Int64
    )
    is_city = (pl.col("source") == "GeoNames") & (pl.col("country") == "PAK") & (pl.col("population") > 500_000)
    frame = frame.with_columns(population=pl.when(is_city & census.is_not_null()).then(census).otherwise("population"))
    lat, lon = frame["lat"].to_numpy(), frame["lon"].to_numpy()
    inside, close = area_of(lat, lon, district_rings()), nearest_area(lat, lon, district_rings(), reach=5.0)
    names = list(district_names())
    at = [a if a >= 0 else c for a, c in zip(inside.tolist(), close.tolist(), strict=True)]
    admin2 = [names[a] if a >= 0 and home == "PAK" else None for a, home in zip(at, frame["country"], strict=True)]
    frame = frame.with_columns(
        admin2=pl.Series(admin2, dtype=pl.String), admin1=pl.Series([district_names()[a] if a else None for a in admin2], dtype=pl.String)
    )
    out = frame.with_columns(pl.col("alternates").list.join("|"), pl.col("lat", "lon").round(4)).sort("country", "name", "lat", "lon")
    columns = ["name", "alternates", "lat", "lon", "population", "country", "admin1", "admin2", "source"]
    write("places.csv.gz", out.select(columns).write_csv())


def main() -> None:
    """Makes every file."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    folder = Path(sys.argv[1])
    make_districts(folder)
    make_outlines(folder)
    make_places(folder)


if __name__ == "__main__":
    main()
