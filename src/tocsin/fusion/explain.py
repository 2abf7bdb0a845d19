"""Why reports are one incident, or are not: the arithmetic behind it, with names."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import polars as pl

from tocsin.errors import OptionError
from tocsin.fusion.members import ranks
from tocsin.fusion.model import ONE, Model, default_model
from tocsin.fusion.prepare import prepare
from tocsin.kernels import linkage as kernel
from tocsin.terms.tables import LINKS, REPORTS, conform

NAMED = tuple(c.name for c in LINKS if c.name.startswith("by_"))


class Explanation(NamedTuple):
    """Why the reports of an incident are one. Log-odds are natural, links alone are summed: a pair that is no link has no number here."""

    incident_id: str
    links: pl.DataFrame  # links between its reports: left, right, log_odds and the by_ columns
    weakest: str | None  # the member whose links to the others sum to least
    weakest_log_odds: float
    runner_up: str | None  # the incident outside it whose links to its reports sum to most
    runner_up_log_odds: float
    derived: tuple[str, ...] = ()  # members that were taken out of another one and follow it; only where the reports were given
    judged: tuple[str, ...] = ()  # ids of the human judgements that shaped it

    @property
    def margin(self) -> float:
        """How much more the weakest member has in this incident than the best other incident offers; infinite where nothing else is linked."""
        return self.weakest_log_odds - self.runner_up_log_odds if self.runner_up is not None else math.inf

    def __str__(self) -> str:
        count = self.links.height
        lines = [f"Incident {self.incident_id}."]
        if count:
            lines.append(
                f"{count} link{'' if count == 1 else 's'} between its reports; the weakest report, {self.weakest}, has {self.weakest_log_odds:+.2f} in them."
            )
            best = self.links.sort("log_odds", descending=True).row(0, named=True)
            named = sorted(((best[n], n.removeprefix("by_")) for n in NAMED if best[n]), key=lambda x: -abs(x[0]))
            lines.append(
                "The strongest: "
                + ", ".join(f"{name} {value / ONE:+.2f}" for value, name in named)
                + f"; sum {best['log_odds'] / ONE:+.2f}."
            )
            if self.runner_up is not None:
                lines.append(f"The best other incident is {self.runner_up} with {self.runner_up_log_odds:+.2f}: margin {self.margin:+.2f}.")
        else:
            lines.append("No odds join its reports.")
        if self.derived:
            lines.append(
                f"{len(self.derived)} of its reports were taken out of another of them, which cites them: they follow it, and corroborate nothing more."
            )
        if self.judged:
            lines.append(f"Shaped by the judgement{'' if len(self.judged) == 1 else 's'} {', '.join(self.judged)}.")
        return "\n".join(lines)


def explain(incidents: pl.DataFrame, links: pl.DataFrame, incident_id: str, reports: pl.DataFrame | None = None) -> Explanation:
    """Why the reports of one incident are one: `incidents` and `links` as `fuse` gave them; reports: where those that repeat others are to be named.

    Any report's id finds its incident; `print` of what comes back says it in words. Raises `OptionError` where no incident has
    that id, and `ContractError` for tables of another form.
    """
    links = conform(pl.DataFrame(links), LINKS, table="links")
    of = pl.DataFrame(incidents).select("incident_id", report="report_ids").explode("report", empty_as_null=False)
    found = of.filter((pl.col("incident_id") == incident_id) | (pl.col("report") == incident_id))
    if found.is_empty():
        raise OptionError(f"{incident_id}: no incident and no report of these has that id")
    own = found["incident_id"][0]
    members = of.filter(pl.col("incident_id") == own)["report"].implode()
    inside = links.filter(pl.col("left").is_in(members) & pl.col("right").is_in(members)).sort("log_odds", "left", "right")
    odds = _sums(pl.concat([inside.select(report="left", odds="log_odds"), inside.select(report="right", odds="log_odds")]), "report")
    cross = links.filter(pl.col("left").is_in(members) != pl.col("right").is_in(members))
    away = cross.select(report=pl.when(pl.col("left").is_in(members)).then("right").otherwise("left"), odds="log_odds")
    others = _sums(away.join(of, on="report").select("incident_id", "odds"), "incident_id")
    weakest, least = odds.row(0) if odds.height else (None, 0)
    other, most = others.row(-1) if others.height else (None, 0)
    derived: tuple[str, ...] = ()
    if reports is not None:
        taken = pl.DataFrame(reports).filter(pl.col("report_id").is_in(members) & (pl.col("derived_from").list.len() > 0))
        derived = tuple(taken["report_id"].sort())
    whole = pl.DataFrame(incidents)
    judged = whole.filter(pl.col("incident_id") == own)["judged"].to_list()[0] if "judged" in whole.columns else []
    return Explanation(own, inside, weakest, least / ONE, other, most / ONE, derived, tuple(judged or ()))


def _sums(odds: pl.DataFrame, key: str) -> pl.DataFrame:
    return odds.group_by(key).agg(pl.col("odds").sum()).sort("odds", key)


def why(reports: pl.DataFrame, left: str, right: str, *, model: Model | None = None) -> dict[str, float]:
    """What each comparison of two reports gives, as natural log-odds by name, and their `sum`; the share of other candidates apart.

    Raises `OptionError` where a report is not there, or one of the two knows its day no better than a month: such reports are not compared.
    """
    model = model or default_model()
    both = conform(pl.DataFrame(reports), REPORTS, table="reports").filter(pl.col("report_id").is_in([left, right])).sort("report_id")
    if both.height != 2:
        missing = [r for r in (left, right) if r not in both["report_id"]]
        raise OptionError(
            f"{' and '.join(missing) or left}: no such report in this table" if missing else "two reports are compared, and these are one"
        )
    made, _ = prepare(both, ranks(both["report_id"]))
    if len(made.start) != 2:
        raise OptionError("one of the two knows its day no better than a month: it joins nothing by its place and time")
    level = kernel.pair_levels(made, np.array([[0, 1]], np.int32))[0]
    given = {name: model.weights[name][int(level[k])] / ONE for k, name in enumerate(kernel.COMPARISONS)}
    return {**given, "sum": sum(given.values())}
