"""Headlines: reports that were published on a day and name none, nor mostly a place. Which of them tell of one event?

Candidates: published at most 4 days apart, of one country where both say theirs. Comparisons: days apart, numbers, codes, place, and the words, each weighed
by how rare it is. What one of two reports leaves out says nothing. Model: press.json (`train` makes one); clusters as for all reports (linkage.py).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tocsin.errors import OptionError
from tocsin.fusion.judgements import NONE, Decided
from tocsin.fusion.linkage import NOTHING, Linked, clustered
from tocsin.fusion.model import ONE
from tocsin.fusion.prepare import numbered
from tocsin.kernels.linkage import ordered
from tocsin.terms.tables import LINKS, conform

#: Days between two publications, at most; of controls, which are almost never of one event.
DAYS, CONTROLS = 4, (10, 20)
#: What two clustered headlines that are no link count against each other, in 1/1024.
UNSEEN = 3 * ONE
VERSION = 1
#: Comparisons in the order of a model's tables, with their levels. Level 0 of all but days and words: one of the two is silent.
COMPARISONS = {"day": 5, "killed": 8, "wounded": 8, "attack": 5, "target": 5, "place": 3, "words": 10}
_WORD = re.compile(r"[^\W\d_]+")
_EVERYWHERE = frozenset("in of the a an at by to for on and as from with pakistan pakistani pakistans pak".split())
_ADDED = 120  # cases of what comes by chance that are added to what EM counts
_SHARE = np.array([0.001, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.9])  # edges of the weighed share of words in common
_COLUMNS = {"killed": "killed", "wounded": "wounded", "attack": "attack_type", "target": "target_type"}


@dataclass(frozen=True)
class PressModel:
    """Weights in 1/1024 of a natural log-odds, and in how many of the headlines it was trained on each word stood."""

    trained_on: str
    prior: int
    headlines: int
    weights: dict[str, tuple[int, ...]]
    words: dict[str, int]

    @property
    def fingerprint(self) -> str:
        """A hash of all that decides."""
        text = json.dumps([VERSION, self.prior, self.headlines, self.weights, self.words], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def rarity(self, word: str) -> float:
        """The log of how few headlines have the word; one that was never met counts as met once."""
        return math.log(self.headlines / self.words.get(word, 1))

    def to_json(self) -> str:
        """The model as a file's text; words that were met once are left out."""
        head = {"version": VERSION, "trained_on": self.trained_on, "prior": self.prior, "headlines": self.headlines}
        tables = ",\n  ".join(f"{json.dumps(k)}: {json.dumps(list(v))}" for k, v in self.weights.items())
        words = json.dumps({w: n for w, n in sorted(self.words.items()) if n > 1}, ensure_ascii=False)
        return json.dumps(head, indent=1)[:-2] + f',\n "weights": {{\n  {tables}\n }},\n "words": {words}\n}}\n'


@cache
def press_model() -> PressModel:
    """The model that tocsin carries."""
    raw: dict[str, Any] = json.loads(files("tocsin.fusion").joinpath("press.json").read_text(encoding="utf-8"))
    return PressModel(raw["trained_on"], raw["prior"], raw["headlines"], {k: tuple(v) for k, v in raw["weights"].items()}, raw["words"])


class _Headlines(NamedTuple):
    """Reports in the order of publication, then id."""

    rows: NDArray[np.int64]
    day: NDArray[np.int64]
    country: NDArray[np.int32]
    said: dict[str, list[Any]]  # by comparison
    words: list[frozenset[str]]


def _prepared(reports: pl.DataFrame) -> _Headlines:
    day = pl.coalesce(pl.col("reported_at").dt.date(), "known_at")
    frame = reports.with_row_index("_row").select("_row", "report_id", "country", "text", "place", *_COLUMNS.values(), day=day)
    frame = frame.filter(pl.col("text").is_not_null()).sort("day", "report_id")
    words = [frozenset(w for w in _WORD.findall(t.casefold()) if len(w) > 1 and w not in _EVERYWHERE) for t in frame["text"]]
    said = {name: frame[column].to_list() for name, column in _COLUMNS.items()} | {"place": frame["place"].to_list()}
    return _Headlines(
        frame["_row"].to_numpy().astype(np.int64),
        frame["day"].to_physical().to_numpy().astype(np.int64),
        numbered(frame["country"]),
        said,
        words,
    )


def _pairs(made: _Headlines, least: int, most: int) -> NDArray[np.int32]:
    """Pairs published least to most days apart, the earlier first."""
    low, high = np.searchsorted(made.day, made.day + least), np.searchsorted(made.day, made.day + most, side="right")
    low = np.maximum(low, np.arange(len(low)) + 1)
    count = np.maximum(high - low, 0)
    left = np.repeat(np.arange(len(low)), count)
    right = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)
    a, b = made.country[left], made.country[right]
    return np.asarray(np.stack([left, right], axis=1)[(a == b) | (a < 0) | (b < 0)], np.int32)


def _number(a: int | None, b: int | None) -> int:
    if a is None or b is None:
        return 0
    if a == b:
        return 1 if a <= 1 else 2 if a <= 3 else 3 if a <= 7 else 4
    apart = abs(math.log((a + 0.5) / (b + 0.5)))
    return 5 if apart < 0.35 else 6 if apart < 0.8 else 7


def _code(a: str | None, b: str | None) -> int:
    if a is None or b is None:
        return 0
    if a == b:
        return 1
    if f"{a}/".startswith(f"{b}/") or f"{b}/".startswith(f"{a}/"):
        return 2
    return 3 if a.split("/")[0] == b.split("/")[0] else 4


def _levels(made: _Headlines, pairs: NDArray[np.int32], rarity: dict[str, float]) -> NDArray[np.int16]:
    """The level of each comparison, (m, 7)."""
    out = np.zeros((len(pairs), len(COMPARISONS)), np.int16)
    out[:, 0] = np.minimum(made.day[pairs[:, 1]] - made.day[pairs[:, 0]], DAYS)
    weight = [sum(rarity[w] for w in ws) for ws in made.words]
    killed, wounded, attack, target, place = (made.said[k] for k in ("killed", "wounded", "attack", "target", "place"))
    for p, (i, j) in enumerate(pairs.tolist()):
        out[p, 1], out[p, 2] = _number(killed[i], killed[j]), _number(wounded[i], wounded[j])
        out[p, 3], out[p, 4] = _code(attack[i], attack[j]), _code(target[i], target[j])
        out[p, 5] = 0 if place[i] is None or place[j] is None else 1 if place[i] == place[j] else 2
        both = sum(rarity[w] for w in made.words[i] & made.words[j])
        every = weight[i] + weight[j] - both
        out[p, 6] = np.searchsorted(_SHARE, both / every) if every > 0 else 0
    return out


def press_links(reports: pl.DataFrame, place: NDArray[np.int32], decided: Decided = NONE, model: PressModel | None = None) -> Linked:
    """Clusters of headlines, and their links with all reasons; arguments as for `linkage.link`. A report without words stands alone."""
    model = model or press_model()
    made = _prepared(reports)
    pairs = _pairs(made, 0, DAYS)
    level = _levels(made, pairs, {w: model.rarity(w) for ws in made.words for w in ws})
    tables = {name: np.array(model.weights[name], np.int64) for name in COMPARISONS}
    given = {name: tables[name][level[:, k]] for k, name in enumerate(COMPARISONS)}
    odds = np.asarray(sum(given.values()) + model.prior)
    own = made.rows[pairs].astype(np.int32).reshape(-1, 2)
    exclusive = np.full(reports.height, -1, np.int64)
    ruled = Decided(*(ordered(place, p) for p in decided))
    labels, margins = (x[place] for x in clustered(reports.height, ordered(place, own), odds, exclusive, UNSEEN, "here", ruled))

    def links() -> pl.DataFrame:
        keep = odds > 0
        ids = reports["report_id"]
        ends = pl.DataFrame({"a": ids.gather(own[keep, 0]), "b": ids.gather(own[keep, 1])})
        frame = ends.select(left=pl.min_horizontal("a", "b"), right=pl.max_horizontal("a", "b")).with_columns(
            log_odds=pl.Series(odds[keep].astype(np.int32)),
            days=pl.Series((made.day[pairs[:, 1]] - made.day[pairs[:, 0]])[keep].astype(np.int32)),
            **{f"by_{name}": pl.Series(by[keep].astype(np.int32)) for name, by in given.items()},
            by_share=pl.lit(model.prior, dtype=pl.Int32),
        )
        return conform(frame.sort("left", "right"), LINKS, table="links")

    return Linked(labels, margins, links, NOTHING)


def train(sets: Sequence[pl.DataFrame], *, name: str) -> PressModel:
    """A model from headlines alone: EM on candidates, with pairs of 10 to 20 days apart in the place of what does not match.

    sets: reports each, of which a headline that comes again counts once, for it is a digest's; name says what they are. Raises `OptionError` where
    there are fewer than 500 candidates.
    """
    made = [_prepared(pl.DataFrame(s).sort("known_at", "report_id").unique("text", keep="first", maintain_order=True)) for s in sets]
    words = Counter(w for one in made for ws in one.words for w in ws)
    count = sum(len(one.words) for one in made)
    rarity = {w: math.log(count / n) for w, n in words.items()}
    level = np.concatenate([_levels(one, _pairs(one, 0, DAYS), rarity) for one in made])
    control = np.concatenate([_levels(one, _pairs(one, *CONTROLS), rarity) for one in made])
    if len(level) < 500 or len(control) < 500:
        raise OptionError(f"{len(level)} pairs of headlines within {DAYS} days, {len(control)} controls: too few, 500 of each are needed")
    sizes = list(COMPARISONS.values())
    u = [(np.bincount(control[:, k], minlength=n) + 0.5) / (len(control) + 0.5 * n) for k, n in enumerate(sizes)]
    u[0] = np.array([1.0, 2, 2, 2, 2]) / 9  # of two days taken by chance
    q = np.where((level[:, 1] >= 2) & (level[:, 1] <= 4), 0.6, 0.06)
    for _ in range(100):
        share = float(q.mean())
        m = [_likely(level[:, k], q, u[k], silent=name not in ("day", "words")) for k, name in enumerate(COMPARISONS)]
        odds = math.log(share / (1 - share)) + sum(np.log(m[k] / u[k])[level[:, k]] for k in range(len(sizes)))
        q = np.asarray(1 / (1 + np.exp(-odds)))
    weights = {name: tuple(int(w) for w in np.round(np.log(m[k] / u[k]) * ONE)) for k, name in enumerate(COMPARISONS)}
    return PressModel(name, round(math.log(share / (1 - share)) * ONE), count, weights, dict(words))


def _likely(level: NDArray[np.int16], q: NDArray[np.float64], u: NDArray[Any], *, silent: bool) -> NDArray[np.float64]:
    """How often each level comes where two are one, cases of what comes by chance added; what is left out comes as often as by chance."""
    m = np.asarray((np.bincount(level, weights=q, minlength=len(u)) + _ADDED * u) / (q.sum() + _ADDED))
    if silent:
        m[1:] *= (1 - u[0]) / m[1:].sum()
        m[0] = u[0]
    return m
