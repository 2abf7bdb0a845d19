"""Schemes of markings: each name's reach, and which of two is stricter. TLP 2.0 is bundled; a national scheme is a YAML of the same form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tocsin.errors import MarkingError

#: How far a marking reaches, the farthest first.
REACH = ("public", "hub", "named", "agencies")


class Marking(NamedTuple):
    """One name of a scheme: a line of the table in which the hub keeps it."""

    name: str
    rank: int  # from 0, laxest first
    reach: str
    onward: bool  # who received it may release it further


@dataclass(frozen=True)
class Scheme:
    """Markings, laxest first."""

    name: str
    markings: tuple[Marking, ...]

    def __getitem__(self, name: str) -> Marking:
        """The marking of a name. Raises `MarkingError` for one that the scheme does not know: it is never taken for a laxer one."""
        for marking in self.markings:
            if marking.name == name:
                return marking
        raise MarkingError(
            f"marking {name!r} is none of {', '.join(m.name for m in self.markings)} ({self.name}): mark it anew and send it again"
        )

    def strictest(self, names: list[str]) -> Marking:
        """The strictest of several; what is made of them carries it. Raises `MarkingError` where there is none, or one is unknown."""
        if not names:
            raise MarkingError("what is made of nothing has no marking: give the markings of what it is made of")
        return max((self[name] for name in names), key=lambda m: m.rank)


def read_scheme(path: str | Path) -> Scheme:
    """A scheme from its YAML. Raises `MarkingError` where it cannot be read, a reach is unknown, or a stricter marking reaches farther than a laxer one."""
    try:
        raw = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as why:
        raise MarkingError(f"{path}: no scheme can be read from it ({str(why).splitlines()[0]})") from why
    return _scheme(raw, str(path))


@cache
def tlp2() -> Scheme:
    """TLP 2.0."""
    return _scheme(yaml.safe_load(files("tocsin.gate.schemes").joinpath("tlp2.yml").read_text(encoding="utf-8")), "tlp2.yml")


def _scheme(raw: Any, where: str) -> Scheme:
    if not isinstance(raw, dict) or set(raw) != {"scheme", "markings"} or not isinstance(raw["markings"], dict) or not raw["markings"]:
        raise MarkingError(
            f"{where}: a scheme has `scheme` (its name) and `markings` (at least one, each `NAME: {{reach: ..., onward: ...}}`), and nothing else"
        )
    out: list[Marking] = []
    for rank, (name, rule) in enumerate(raw["markings"].items()):
        if (
            not isinstance(rule, dict)
            or set(rule) != {"reach", "onward"}
            or rule["reach"] not in REACH
            or not isinstance(rule["onward"], bool)
        ):
            raise MarkingError(f"{where}, {name}: give reach ({', '.join(REACH)}) and onward (true or false)")
        if out and REACH.index(rule["reach"]) < REACH.index(out[-1].reach):
            raise MarkingError(f"{where}, {name}: it stands after {out[-1].name}, so it must not reach farther; order the laxest first")
        out.append(Marking(str(name), rank, rule["reach"], rule["onward"]))
    return Scheme(str(raw["scheme"]), tuple(out))
