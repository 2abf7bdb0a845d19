"""Reports of the store as a table by the contract, for fusion."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from tocsin.fusion.layers import Layer
from tocsin.fusion.views import Views
from tocsin.store import Transaction, array
from tocsin.terms.ids import NAMESPACE
from tocsin.terms.tables import REPORTS, conform

SPANS = "coded_spans"
ALL = "*"  # the audience whose incidents are every agency's
_LINES = {"audience": pl.String, "report_id": pl.String, "visible_at": pl.String}
_OF_THE_HUB = (
    "report_id", "agency", "received_at", "known_at", "hindsight", "marking", "releasable_to", "orcon", "supersedes", "derived_from", "part_of",
    SPANS, "file", "row", "source_hash",
)  # fmt: skip
_COLUMNS = {c.name: c.dtype for c in REPORTS}
_SAID = {
    name: pl.String if dtype.is_temporal() or isinstance(dtype, pl.Enum) else dtype
    for name, dtype in _COLUMNS.items()
    if name not in _OF_THE_HUB
}


#: Columns of `reports` as they are read from CSV.
_READ = {
    "report_id": pl.String, "agency": pl.String, "visible_at": pl.String, "body": pl.String, "supersedes": pl.String, "derived_from": pl.String,
    "part_of": pl.String,
}  # fmt: skip


def rows_of(csv: bytes, schema: Mapping[str, Any]) -> pl.DataFrame:
    """What `Transaction.copied` gives, as a table."""
    return pl.read_csv(csv, has_header=False, schema=dict(schema), raise_if_empty=False)


def frame_of(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows of `seen` or `reports` as a table of reports: one is known from when the audience sees it. It says too which words gave which value."""
    return _made(
        pl.Series("body", [row["body"] for row in rows], dtype=pl.String),
        pl.Series("received_at", [row["visible_at"] for row in rows], dtype=_COLUMNS["received_at"]),
        pl.DataFrame(
            {
                "report_id": [str(row["report_id"]) for row in rows],
                "agency": [row["agency"] for row in rows],
                "supersedes": [str(row["supersedes"]) if row["supersedes"] else None for row in rows],
                "derived_from": [[str(i) for i in row["derived_from"]] for row in rows],
                "part_of": [str(uuid.uuid5(NAMESPACE, row["part_of"])) if row["part_of"] else None for row in rows],
            },
            schema={name: _COLUMNS[name] for name in ("report_id", "agency", "supersedes", "derived_from", "part_of")},
        ),
        _SAID | {SPANS: _COLUMNS[SPANS]},
    )


def frame_read(csv: bytes) -> pl.DataFrame:
    """As `frame_of`, of the query `reports` as CSV."""
    rows = rows_of(csv, _READ)
    several = pl.col("derived_from").str.strip_chars("{}")
    return _made(
        rows["body"],
        read_times(rows["visible_at"]).alias("received_at"),
        rows.select(
            "report_id",
            "agency",
            "supersedes",
            derived_from=pl.when(several == "").then(pl.lit([], dtype=pl.List(pl.String))).otherwise(several.str.split(",")),
            part_of=pl.lit(None, dtype=pl.String),
        ),
        _SAID,
    )


def read_times(texts: pl.Series) -> pl.Series:
    """Times as PostgreSQL writes them, of a hub whose clock is UTC."""
    return texts.str.replace(r"\+00$", "").str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us").dt.replace_time_zone("UTC")


def _made(bodies: pl.Series, at: pl.Series, hubs: pl.DataFrame, fields: Mapping[str, Any]) -> pl.DataFrame:
    """fields: what is read of the bodies."""
    said = bodies.str.json_decode(pl.Struct(dict(fields)))
    frame = pl.concat([said.struct.unnest(), hubs], how="horizontal").with_columns(
        at, at.dt.date().alias("known_at"), hindsight=pl.lit(False), marking=pl.lit("CLEAR")
    )
    days = [pl.col(name).str.to_date("%Y-%m-%d") for name, dtype in _COLUMNS.items() if dtype == pl.Date and name in _SAID]
    frame = frame.with_columns(
        *days, pl.col("reported_at").str.to_datetime(time_unit="us", time_zone="UTC", format="%Y-%m-%dT%H:%M:%S%.f%:z")
    )
    return conform(frame.cast({n: d for n, d in _COLUMNS.items() if n in _SAID and isinstance(d, pl.Enum)}), REPORTS, table="reports")


class Sight:
    """Some reports, read once, as the audiences of some layers see them."""

    def __init__(self, tx: Transaction, views: Views, layers: Sequence[Layer]) -> None:
        self._views = views
        numbers = np.unique(np.concatenate([layer.seen for layer in layers]))
        self._frame = frame_read(tx.copied("reports", ids=array(views.ids_of(numbers))))
        self._numbers = views.numbers(self._frame["report_id"])
        self._order = np.argsort(self._numbers)
        self._numbers = self._numbers[self._order]
        self._agency = dict(self._frame.select("report_id", "agency").iter_rows()) if self._pointing(self._frame).any() else {}
        late = numbers[views.sees_late(numbers)]
        lines = rows_of(tx.copied("lines", ids=array(views.ids_of(late))), _LINES) if len(late) else pl.DataFrame(schema=_LINES)
        times = read_times(lines["visible_at"]) if lines.height else lines["visible_at"]
        self._times = dict(zip(zip(lines["audience"], lines["report_id"], strict=True), times, strict=True))

    @staticmethod
    def _pointing(frame: pl.DataFrame) -> pl.Series:
        return frame.select(pl.col("supersedes").is_not_null() | (pl.col("derived_from").list.len() > 0)).to_series()

    def reports(self, layer: Layer) -> pl.DataFrame:
        """The layer's, in its order, by the contract: known from when its audience sees it, and without references to what is not among these."""
        found = self._frame[self._order[np.searchsorted(self._numbers, layer.seen)]]
        if self._times:
            name = self._views.audiences[layer.audience]
            at = [
                self._times.get((name, i)) or self._times.get((ALL, i)) or received
                for i, received in found.select("report_id", "received_at").iter_rows()
            ]
            times = pl.Series("received_at", at, dtype=found.schema["received_at"])
            found = found.with_columns(times, times.dt.date().alias("known_at"))
        return self._without_hidden(found) if self._pointing(found).any() else found

    def _without_hidden(self, found: pl.DataFrame) -> pl.DataFrame:
        here = set(found["report_id"])
        corrects, sources = [], []
        for own, agency, target, several in found.select("report_id", "agency", "supersedes", "derived_from").iter_rows():
            corrects.append(target if target in here and target != own and self._agency[target] == agency else None)
            sources.append([i for i in several if i in here])
        return found.with_columns(
            pl.Series("supersedes", corrects, dtype=pl.String), pl.Series("derived_from", sources, dtype=pl.List(pl.String))
        )
