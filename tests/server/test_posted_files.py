"""A file that is posted is read whatever it is, as on the command line."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import zstandard
from hubs import World

TABLE = pl.DataFrame(
    {
        "event_id_cnty": ["PAK2", "PAK3"], "event_date": ["05 March 2024", "06 March 2024"], "year": [2024, 2024], "time_precision": [1, 1],
        "disorder_type": ["x", "x"], "event_type": ["Battles", "Battles"], "sub_event_type": ["Armed clash", "Armed clash"],
        "actor1": ["Military Forces of Pakistan (2022-2024)"] * 2, "assoc_actor_1": ["", ""], "inter1": [1, 1], "actor2": ["TTP: Tehreek-e-Taliban Pakistan"] * 2,
        "assoc_actor_2": ["", ""], "inter2": [2, 2], "interaction": [12, 12], "civilian_targeting": ["", ""], "iso": [586, 586],
        "region": ["South Asia"] * 2, "country": ["Pakistan"] * 2, "admin1": ["Balochistan"] * 2, "admin2": ["Zhob"] * 2, "admin3": ["", ""],
        "location": ["Zhob"] * 2, "latitude": [31.3, 31.4], "longitude": [69.4, 69.5], "geo_precision": [2, 2], "source": ["AFP"] * 2,
        "source_scale": ["International"] * 2, "notes": ["A clash."] * 2, "fatalities": [0, 2], "tags": ["", ""], "timestamp": [1710000000] * 2,
    }
)  # fmt: skip
KINDS: dict[str, Callable[[Path], object]] = {
    "csv": TABLE.write_csv,
    "tsv": lambda path: TABLE.write_csv(path, separator="\t"),
    "csv.gz": lambda path: path.write_bytes(gzip.compress(TABLE.write_csv().encode())),
    "csv.zst": lambda path: path.write_bytes(zstandard.compress(TABLE.write_csv().encode())),
    "xlsx": TABLE.write_excel,
    "parquet": TABLE.write_parquet,
    "jsonl": TABLE.write_ndjson,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_any_kind_that_the_command_line_reads_is_taken(world: World, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{kind}"
    KINDS[kind](path)
    bearer = {"Authorization": f"Bearer {world.tokens['A']}", "Content-Type": "application/octet-stream"}
    answer = world.client.post(f"/api/files?name=x.{kind}&marking=RED", content=path.read_bytes(), headers=bearer).json()
    assert answer["stored"] == TABLE.height, answer


def test_a_file_says_once_whom_its_reports_do_not_reach(world: World) -> None:
    bearer = {"Authorization": f"Bearer {world.tokens['A']}", "Content-Type": "application/octet-stream"}
    page = "/api/files?name=x.csv&marking=AMBER&releasable_to={}"
    said = [world.client.post(page.format(name), content=TABLE.write_csv().encode(), headers=bearer).json() for name in ("polise", "B")]
    assert [len(answer.get("warnings", [])) for answer in said] == [1, 0]
    assert (said[0]["stored"], "polise" in said[0]["warnings"][0]) == (TABLE.height, True)
