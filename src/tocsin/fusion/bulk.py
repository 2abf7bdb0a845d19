"""fuse_to(): reports on disk -> incidents and links on disk, in memory that does not grow with them; killed, it goes on from the last stretch of time.

    reports.parquet -> stretches of days (parts on disk) -> one after another: what is still open of the earlier ones, and its own -> incidents, links

A component is written when no later report can join it. The incidents are those of `fuse`, in another order.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from tocsin.errors import ContractError, UnreadableFile
from tocsin.fusion.judgements import Judgement, constraints, load, places_named, standing
from tocsin.fusion.linkage import NOTHING, Kept, link
from tocsin.fusion.members import CONTENT, derived, known_by, labelled, last_known, ranks, roots, stamp, without_corrected
from tocsin.fusion.model import Model, default_model
from tocsin.fusion.resolve import resolve
from tocsin.fusion.threats import fulfilled, threats
from tocsin.kernels.seen import Seen
from tocsin.terms.publishers import one_report_agencies
from tocsin.terms.tables import INCIDENTS, LINKS, REPORTS, conform, empty

Progress = Callable[[int, int], None]  # stretches done, in all

_SLAB = 250_000  # reports of a stretch
_BATCH = 131_072  # rows sorted into stretches at a time


class Totals(NamedTuple):
    """How much was read and written."""

    reports: int
    incidents: int
    links: int


def fuse_to(
    out: Path,
    sources: Sequence[Path],
    *,
    as_of: date | None = None,
    judgements: Iterable[Judgement] | None = None,
    one_report_per_incident: Collection[str] | None = None,
    model: Model | None = None,
    engine: str = "here",
    progress: Progress | None = None,
) -> Totals:
    """Like `fuse(method="linkage")`, from Parquet files of reports straight into out/incidents.parquet and out/links.parquet, and
    out/threats.parquet where threats are reported.

    Killed half-way, the same call with the same files and options goes on where it was (out/.fusing). Incidents stand by stretches of time. Raises
    `ContractError` for files that are not reports, `UnreadableFile` where `out` cannot be written.
    """
    decided = standing(load() if judgements is None else judgements)
    declared = frozenset(one_report_agencies() if one_report_per_incident is None else one_report_per_incident)
    trained = model or default_model()
    run = _Run(out, sources, as_of, decided, declared, trained, engine)
    try:
        return run.finish(progress or (lambda _done, _all: None))
    except OSError as why:
        raise UnreadableFile(
            f"{why.filename or out}: cannot be written or read ({why.strerror}); give another folder, or make room"
        ) from why


@dataclass
class _Open:
    """What is carried from stretch to stretch: reports that later ones may join, those taken out of them, and what is known of their pairs."""

    own: pl.DataFrame = field(default_factory=lambda: empty(REPORTS))
    followers: pl.DataFrame = field(default_factory=lambda: empty(REPORTS))
    kept: Kept = NOTHING

    def save(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.own.write_parquet(folder / "own.parquet")
        self.followers.write_parquet(folder / "followers.parquet")
        np.savez(folder / "kept.npz", **self.kept._asdict())

    @classmethod
    def load(cls, folder: Path) -> _Open:
        own, followers = (pl.read_parquet(folder / f"{name}.parquet") for name in ("own", "followers"))
        with np.load(folder / "kept.npz") as kept:
            return cls(own, followers, Kept(*(kept[k] for k in Kept._fields)))


@dataclass
class _Run:
    out: Path
    sources: Sequence[Path]
    as_of: date | None
    decided: tuple[Judgement, ...]
    declared: frozenset[str]
    model: Model
    engine: str

    def finish(self, progress: Progress) -> Totals:
        self.folder = self.out / ".fusing"
        self._begin()
        plan = json.loads((self.folder / "plan.json").read_text())
        bounds = [date.fromisoformat(b) for b in plan["bounds"]]
        stamps = stamp("linkage", self.model.fingerprint, self.declared, self.decided, self.as_of or date.fromisoformat(plan["last_known"]))
        every = len(bounds) + 1
        done = next((k for k in range(every, 0, -1) if (self.folder / f"done-{k - 1}").exists()), 0)
        carried = _Open.load(self.folder / f"open-{done - 1}") if done else _Open()
        progress(done, every)
        for k in range(done, every):
            horizon = (bounds[k] - date(1970, 1, 1)).days if k < len(bounds) else None
            carried = self._stretch(k, carried, horizon, stamps, plan["roots"])
            progress(k + 1, every)
        totals = Totals(plan["reports"], *(self._joined(name, every) for name in ("incidents", "links")))
        self._threats()
        shutil.rmtree(self.folder)
        return totals

    def _threats(self) -> None:
        """Expected attacks, which are few, fused as one stretch, and the incidents that fit them."""
        goal = self.out / "threats.parquet"
        goal.unlink(missing_ok=True)
        lazy = pl.scan_parquet(list(self.sources), glob=False)
        known = known_by(lazy.filter((pl.col("kind") == "threat") | pl.col("supersedes").is_not_null()).collect(), self.as_of)
        found = threats(conform(known, REPORTS, table="reports"), self._whole)
        if found.height:
            fulfilled(found, pl.read_parquet(self.out / "incidents.parquet")).write_parquet(goal)

    def _whole(self, reports: pl.DataFrame, origins: dict[str, str]) -> pl.DataFrame:
        """Incidents of reports that are few."""
        rank = ranks(reports["report_id"])
        found = link(
            reports, rank, self.model, self.declared, self.engine, decided=constraints(self.decided, reports["report_id"], origins)
        )
        made = labelled(reports, reports, found.labels, self.decided, rank, origins, found.margins)
        stamps = stamp("linkage", self.model.fingerprint, self.declared, self.decided, self.as_of or last_known(reports["known_at"]))
        return conform(resolve(made, self.decided, self.model.incidents, origins).with_columns(**stamps), INCIDENTS, table="incidents")

    def _begin(self) -> None:
        """Reports sorted into stretches, unless an earlier call with the same files and options did it."""
        files = [(str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns) for p in self.sources]
        hashed = stamp("linkage", self.model.fingerprint, self.declared, self.decided, date(1970, 1, 1))["model"]
        key = hashlib.sha256(repr((files, self.as_of, str(hashed), _SLAB)).encode()).hexdigest()
        mark = self.folder / "plan.json"
        if mark.exists() and json.loads(mark.read_text())["key"] == key:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        try:
            plan = {"key": key, **self._sort()}
        except pl.exceptions.PolarsError as why:
            raise ContractError(
                f"{', '.join(map(str, self.sources))}: not reports ({str(why).splitlines()[0]}); `tocsin read` makes them"
            ) from why
        (self.folder / "plan.tmp").write_text(json.dumps(plan))
        (self.folder / "plan.tmp").replace(mark)

    def _sort(self) -> dict[str, Any]:
        lazy = pl.scan_parquet(list(self.sources), glob=False)
        conform(lazy.head(1).collect(), REPORTS, table="reports")
        whole = lazy if self.as_of is None else lazy.filter(pl.coalesce(pl.col("received_at").dt.date(), "known_at") <= self.as_of)
        before = whole.filter(pl.col("supersedes").is_not_null()).select("report_id", "supersedes").collect()
        days = whole.select("event_start").group_by("event_start").len().collect().drop_nulls("event_start").sort("event_start")
        bounds = days.filter((pl.col("len").cum_sum() // _SLAB).diff() > 0)["event_start"].to_list()
        above = pl.col("derived_from").list.first()
        parents = whole.filter(above.is_not_null()).select(above.alias("above")).unique().collect()
        parents = (
            whole.select(above="report_id", parent_day="event_start").join(parents.lazy(), on="above", how="semi").collect().unique("above")
        )
        seen, said, count, last = Seen(), Seen(), 0, date(1, 1, 1)
        height = int(lazy.select(pl.len()).collect().item())
        for k, low in enumerate(range(0, height, _BATCH)):
            frame = conform(lazy.slice(low, _BATCH).collect(), REPORTS, table="reports")
            current = without_corrected(known_by(frame, self.as_of), before["supersedes"])
            repeat = pl.Series(seen.add(current["report_id"].hash(seed=3).to_numpy()), dtype=pl.Boolean)
            same = pl.Series(
                said.add(current.select(pl.struct("report_id", *CONTENT).hash(seed=3)).to_series().to_numpy()), dtype=pl.Boolean
            )
            if (repeat & ~same).any():
                raise ContractError(
                    f"report {current.filter(repeat & ~same)['report_id'].sort()[0]} stands there with several contents: a correction is a new report, "
                    "with an id of its own, that supersedes it"
                )
            current = current.filter(~repeat)
            count += current.height
            last = max([last, *current["known_at"].filter(current["known_at"] < date(9999, 12, 31)).unique()])
            day = current.select(above=above, own="event_start").join(parents, on="above", how="left", maintain_order="left")
            at = np.searchsorted(
                np.array(bounds, "datetime64[D]"),
                day.select(pl.coalesce("parent_day", "own").fill_null(date(9999, 1, 1))).to_series().to_numpy(),
                "right",
            )
            for slab, part in current.with_columns(_slab=pl.Series(at)).partition_by("_slab", as_dict=True, include_key=False).items():
                part.write_parquet(self.folder / f"slab-{slab[0]}-{k:06}.parquet", compression="lz4")
        known = last if last > date(1, 1, 1) else date(9999, 12, 31)
        return {"reports": count, "bounds": [str(b) for b in bounds], "last_known": str(known), "roots": roots(before)}

    def _stretch(self, k: int, carried: _Open, horizon: int | None, stamps: dict[str, pl.Expr], origins: dict[str, str]) -> _Open:
        """One stretch: what can be told is written, what later reports may still join is given back."""
        parts = sorted(self.folder.glob(f"slab-{k}-*.parquet"))
        new = pl.concat([pl.read_parquet(p) for p in parts]) if parts else empty(REPORTS)
        taken = derived(new)
        own = pl.concat([carried.own, new.filter(~taken)])
        followers = pl.concat([carried.followers, new.filter(taken)])
        names = places_named(self.decided, own["report_id"], origins)
        ruled = constraints(self.decided, own["report_id"], origins)
        found = link(own, ranks(own["report_id"]), self.model, self.declared, self.engine, carried.kept, horizon, ruled, names)
        closed = found.labels >= 0
        left = _Open(own.filter(~closed), followers, found.kept)
        waits = followers["derived_from"].list.first().is_in(left.own["report_id"].implode()).fill_null(False)
        left.followers = followers.filter(waits)
        told = own.filter(closed)
        current = pl.concat([told, followers.filter(~waits)])
        if current.height:
            made = labelled(current, told, found.labels[closed], self.decided, ranks(current["report_id"]), origins, found.margins[closed])
            incidents = conform(
                resolve(made, self.decided, self.model.incidents, origins).with_columns(**stamps), INCIDENTS, table="incidents"
            )
        else:
            incidents = empty(INCIDENTS)
        incidents.write_parquet(self.folder / f"incidents-{k}.parquet")
        conform(found.links(), LINKS, table="links").write_parquet(self.folder / f"links-{k}.parquet")
        left.save(self.folder / f"open-{k}")
        (self.folder / f"done-{k}").touch()
        shutil.rmtree(self.folder / f"open-{k - 1}", ignore_errors=True)
        for part in parts:
            part.unlink()
        return left

    def _joined(self, name: str, every: int) -> int:
        """All parts of a table as one file: how many rows it has."""
        parts = [self.folder / f"{name}-{k}.parquet" for k in range(every)]
        pl.scan_parquet(parts, glob=False).sink_parquet(self.folder / f"{name}.parquet", maintain_order=True)
        (self.folder / f"{name}.parquet").replace(self.out / f"{name}.parquet")
        return int(pl.scan_parquet(self.out / f"{name}.parquet").select(pl.len()).collect().item())
