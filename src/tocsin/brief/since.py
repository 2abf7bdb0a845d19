"""What changed since the last brief: incidents that are new, told anew, or no longer there."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import polars as pl

from tocsin.brief.outputs import read_run
from tocsin.errors import ContractError, UnreadableFile
from tocsin.terms.signals import signal_name
from tocsin.terms.tables import SIGNALS, conform

#: What is compared, in the order in which a change is told.
FIELDS = (
    "event_start", "event_end", "place", "admin1", "violence", "actor", "attack_type", "target_type", "target_group", "killed_low", "killed", "killed_high",
)  # fmt: skip
_KEYS = ("incident_id", "report_ids")
#: Options whose change is not a change of scope.
_FREE = {"as_of", "files", "demo", "spec", "since", "judgement_files", "watch", "ask", "ask_since"}


@dataclass(frozen=True)
class Last:
    """An earlier brief: its options, its incidents and its signals."""

    options: dict[str, Any]
    incidents: pl.DataFrame
    signals: pl.DataFrame | None = None  # None: it did not watch

    def signals_by(self, as_of: dt.date) -> pl.DataFrame | None:
        """Its signals, where it is no later than a day."""
        return self.signals if self.signals is not None and dt.date.fromisoformat(self.options["as_of"]) <= as_of else None


def last_brief(path: str | PathLike[str]) -> Last:
    """An earlier brief from its folder or its run.json, with the incidents.parquet beside it.

    Raises `UnreadableFile` where either is missing, damaged or of another kind.
    """
    place = Path(path)
    folder = place if place.is_dir() else place.parent
    run = read_run(place / "run.json" if place.is_dir() else place)
    file = folder / "incidents.parquet"
    try:
        incidents = pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as why:
        raise UnreadableFile(
            f"{file}: the incidents of the last brief cannot be read; give --since the folder that an earlier brief wrote"
        ) from why
    missing = [c for c in (*_KEYS, *FIELDS) if c not in incidents.columns]
    if missing:
        raise UnreadableFile(
            f"{file}: not the incidents of a brief, for it lacks {', '.join(missing)}; make that brief again with this version"
        )
    signals = folder / "signals.parquet"
    return Last(run["options"], incidents, _signals(signals) if signals.exists() else None)


def _signals(file: Path) -> pl.DataFrame:
    try:
        return conform(pl.read_parquet(file), SIGNALS, table="signals", extra=True)
    except (OSError, pl.exceptions.PolarsError, ContractError) as why:
        raise UnreadableFile(
            f"{file}: the signals of the last brief cannot be read ({str(why).splitlines()[0]}); make that brief again with this version"
        ) from why


def signal_changes(last: Last, now: pl.DataFrame | None) -> dict[str, Any] | None:
    """Ids of the signals that are new and that go on, and what the ended ones were; None where either brief did not watch."""
    if last.signals is None or now is None:
        return None
    before, here = set(last.signals["signal_id"]), now["signal_id"].to_list()
    ended = last.signals.filter(~pl.col("signal_id").is_in(here))
    return {
        "new": [i for i in here if i not in before],
        "on": [i for i in here if i in before],
        "ended": [
            {"name": signal_name(r), "first_raised": _json(r["first_raised"]), "observed": r["observed"]}
            for r in ended.iter_rows(named=True)
        ],
    }


def changes(last: Last, incidents: pl.DataFrame, options: dict[str, Any]) -> dict[str, Any]:
    """What is new, told anew and gone, as plain values.

    Incidents are the same where they share a report, whatever their ids: a merge or a split is an incident told anew. Returns then (as_of, incidents), now,
    new [{id, late}] (late: it happened by the last as_of and became known since), revised [{id, was, changes [{field, then, now}]}], gone, and differs: options
    of scope that are not the same.
    """
    as_of = dt.date.fromisoformat(last.options["as_of"])
    pairs = _shared(last.incidents, incidents)
    new = incidents.join(pairs, left_on="incident_id", right_on="now", how="anti")
    gone = last.incidents.join(pairs, left_on="incident_id", right_on="then", how="anti")
    return {
        "then": {"as_of": last.options["as_of"], "incidents": last.incidents.height},
        "now": incidents.height,
        "new": [{"id": i, "late": bool(end and end <= as_of)} for i, end in _newest(new).select("incident_id", "event_end").iter_rows()],
        "revised": _revised(last.incidents, incidents, pairs),
        "gone": [_plain(row) for row in _newest(gone).select("incident_id", *FIELDS).rename({"incident_id": "id"}).iter_rows(named=True)],
        "differs": sorted(k for k, v in last.options.items() if k not in _FREE and k in options and options[k] != v),
    }


def _newest(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort("event_end", "incident_id", descending=[True, False], nulls_last=True)


def _shared(then: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """(then, now): ids of incidents that share a report, each pair once."""
    old = then.select(then="incident_id", report="report_ids").explode("report", empty_as_null=False)
    new = now.select(now="incident_id", report="report_ids").explode("report", empty_as_null=False)
    return old.join(new, on="report").select("then", "now").unique().sort("now", "then")


def _revised(then: pl.DataFrame, now: pl.DataFrame, pairs: pl.DataFrame) -> list[dict[str, Any]]:
    """Incidents whose values or reports are others than before, the newest first."""

    def sided(frame: pl.DataFrame, side: str) -> pl.DataFrame:
        values = [pl.col(c).alias(f"{side}:{c}") for c in FIELDS]
        return frame.select(pl.col("incident_id").alias(side), *values, pl.col("report_ids").list.sort().alias(f"{side}:reports"))

    old, new = sided(then, "then"), sided(now, "now")
    both = pairs.with_columns(_n=pl.len().over("now"), _m=pl.len().over("then")).join(old, on="then").join(new, on="now")
    differ = [pl.col(f"then:{c}").cast(pl.String).ne_missing(pl.col(f"now:{c}").cast(pl.String)).alias(f"differ:{c}") for c in FIELDS]
    both = both.with_columns(*differ, (pl.col("then:reports") != pl.col("now:reports")).alias("differ:reports"))
    touched = both.filter(pl.any_horizontal(pl.selectors.starts_with("differ:")) | (pl.col("_n") > 1) | (pl.col("_m") > 1))
    out = []
    ordered = touched.sort("now:event_end", "now", "then", descending=[True, False, False], nulls_last=True)
    for key, group in ordered.group_by("now", maintain_order=True):
        row = group.row(0, named=True)
        told = [{"field": c, "then": _json(row[f"then:{c}"]), "now": _json(row[f"now:{c}"])} for c in FIELDS if row[f"differ:{c}"]]
        if row["differ:reports"] or group.height > 1:
            told.append({"field": "reports", "then": sum(len(r) for r in group["then:reports"]), "now": len(row["now:reports"])})
        out.append({"id": key[0], "was": group["then"].to_list(), "changes": told})
    return out


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: _json(v) for k, v in row.items()}
