"""Which streams there are: one mix, or one set of places, of one kind of violence, each tested on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from tocsin.terms.taxonomies import taxonomy
from tocsin.watch.plan import DIMENSIONS, HISTORY, RECENT, Plan

PLACE = "place"
UNKNOWN = "unknown"
#: An actor has streams of its own from so many incidents in the days looked at.
_ENOUGH = 20


@dataclass(frozen=True)
class Stream:
    """One thing that is tested."""

    kind: str
    violence: str
    dimension: str  # a column, two joined by +, or place
    actor: str | None = None
    measure: str = "count"

    def of(self, incidents: pl.DataFrame) -> pl.DataFrame:
        """Its incidents."""
        own = incidents.filter(pl.col("violence") == self.violence)
        return own if self.actor is None else own.filter(_named(self.actor))

    def category(self) -> pl.Expr:
        """The category of each incident; null where it is not known."""
        return pl.concat_str([_column(c) for c in self.dimension.split("+")], separator=", ")

    def row(self) -> dict[str, Any]:
        """What tells it from others."""
        return {
            "kind": self.kind, "violence": self.violence, "dimension": self.dimension, "actor": self.actor, "measure": self.measure
        }  # fmt: skip


def streams(incidents: pl.DataFrame, plan: Plan) -> list[Stream]:
    """All streams of a plan, those that take longest last."""
    out: list[Stream] = []
    for violence in plan.violence:
        own = incidents.filter(pl.col("violence") == violence)
        if "shift" in plan.kinds:
            first = plan.until - plan.looks * plan.every - HISTORY
            recent = own.filter(pl.col("day") >= first)
            telling = [
                "+".join(p) for p in plan.pairs if all(recent[c].drop_nulls().n_unique() > 1 for c in p)
            ]  # else it is one of the two again
            mixes: list[tuple[str, str | None]] = [(d, None) for d in (*DIMENSIONS, *telling)]
            mixes += [("area", actor) for actor in _actors(recent, plan)]
            out += [Stream("shift", violence, d, actor, measure) for d, actor in mixes for measure in ("count", "deaths")]
    for violence in plan.violence:
        own = incidents.filter(pl.col("violence") == violence)
        if "cluster" in plan.kinds:
            first = plan.until - HISTORY - RECENT
            out += [Stream("cluster", violence, PLACE, actor) for actor in (None, *_actors(own.filter(pl.col("day") >= first), plan))]
    return out


def _actors(own: pl.DataFrame, plan: Plan) -> tuple[str, ...]:
    """Those with streams of their own: named in enough incidents, and not in all."""
    if plan.actors is not None:
        return plan.actors
    count = own["actor"].drop_nulls().str.split("; ").explode(empty_as_null=True, keep_nulls=True).value_counts().sort("actor")
    return tuple(a for a, n in count.iter_rows() if _ENOUGH <= n < own.height)


def _named(actor: str) -> pl.Expr:
    return pl.col("actor").str.split("; ").list.contains(actor).fill_null(False)


def _column(name: str) -> pl.Expr:
    """A column as text; a community by the first level of its code."""
    column = pl.col(name).cast(pl.String)
    if name != "target_group":
        return column
    return column.replace({code: code.split("/")[0] for code in taxonomy("target_group")})
