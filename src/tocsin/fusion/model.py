"""A fusion model: what each level of each comparison is worth, as a small readable JSON. `fuse` reads one and never makes one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.errors import SpecError
from tocsin.kernels.linkage import COMPARISONS, LEVELS

#: Changes where the levels mean something else: a model of another version is refused.
VERSION = 2
ONE = 1024  # a natural log-odds of 1
_KEYS = {"version", "trained_on", "calibrated_on", "prior", "unseen", "floor", "weights", "links", "incidents"}


@dataclass(frozen=True)
class Curve:
    """What log-odds turned out to be worth: a rising broken line through reviewed cases; empty where none were."""

    odds: tuple[int, ...] = ()  # in 1/1024, rising
    chance: tuple[float, ...] = ()  # probability there, never falling

    def of(self, odds: NDArray[Any]) -> NDArray[np.float64]:
        """The probability at each log-odds, NaN where the curve is empty; beyond its ends that of the end."""
        return np.interp(odds, self.odds, self.chance) if self.odds else np.full(len(odds), np.nan)


@dataclass(frozen=True)
class Model:
    """Weights in 1/1024 of a natural log-odds. Log-odds of a pair = prior + the weights of its levels - what its reports' candidates share out."""

    trained_on: str
    calibrated_on: str
    prior: int
    unseen: int  # what a pair that is no link counts against joining
    floor: int  # least sum of weights that makes a link
    weights: dict[str, tuple[int, ...]]
    links: Curve = Curve()
    incidents: Curve = Curve()

    def __post_init__(self) -> None:
        for name, size in zip(COMPARISONS, LEVELS, strict=True):
            if len(self.weights.get(name, ())) != size:
                raise SpecError(
                    f"the model's weights of {name!r} are {len(self.weights.get(name, ()))}, not {size}: it is of another version; train it anew"
                )

    @property
    def table(self) -> NDArray[np.int32]:
        """All weights, one comparison behind the other."""
        return np.concatenate([np.array(self.weights[name], np.int32) for name in COMPARISONS])

    @property
    def fingerprint(self) -> str:
        """A hash of all that decides, and of what its odds are said to be worth."""
        curves = [(c.odds, c.chance) for c in (self.links, self.incidents)]
        text = json.dumps([VERSION, self.prior, self.unseen, self.floor, self.weights, curves], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """The model as a file's text, a comparison a line."""
        head = {
            "version": VERSION,
            "trained_on": self.trained_on,
            "calibrated_on": self.calibrated_on,
            "prior": self.prior,
            "unseen": self.unseen,
            "floor": self.floor,
        }
        lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in head.items()]
        for name in ("links", "incidents"):
            curve = getattr(self, name)
            lines.append(f"{json.dumps(name)}: {json.dumps({'odds': list(curve.odds), 'chance': list(curve.chance)})}")
        tables = ",\n  ".join(f"{json.dumps(name)}: {json.dumps(list(self.weights[name]))}" for name in COMPARISONS)
        return "{\n " + ",\n ".join(lines) + ',\n "weights": {\n  ' + tables + "\n }\n}\n"


def parse_model(text: str, where: str) -> Model:
    """A model from a file's text. Raises `SpecError` that names what is wrong."""
    try:
        raw: dict[str, Any] = json.loads(text)
        missing = _KEYS - set(raw)
    except (ValueError, TypeError) as why:
        raise SpecError(f"{where}: not a fusion model ({why}); `tocsin train` makes one") from why
    if missing:
        raise SpecError(f"{where}: not a fusion model, for it lacks {', '.join(sorted(missing))}; `tocsin train` makes one")
    if raw["version"] != VERSION:
        raise SpecError(f"{where}: a model of version {raw['version']}, and this tocsin reads version {VERSION}; train it anew")
    weights = {str(k): tuple(int(x) for x in v) for k, v in raw["weights"].items()}
    curves = [Curve(tuple(map(int, raw[k]["odds"])), tuple(map(float, raw[k]["chance"]))) for k in ("links", "incidents")]
    return Model(
        str(raw["trained_on"]), str(raw["calibrated_on"]), int(raw["prior"]), int(raw["unseen"]), int(raw["floor"]), weights, *curves
    )


def load_model(path: Path) -> Model:
    """A model from a file. Raises `SpecError`."""
    try:
        return parse_model(path.read_text(encoding="utf-8"), str(path))
    except OSError as why:
        raise SpecError(f"{path}: cannot be read ({why.strerror})") from why


@cache
def default_model() -> Model:
    """The model that tocsin carries."""
    return parse_model(files("tocsin.fusion").joinpath("model.json").read_text(encoding="utf-8"), "the bundled model")
