"""Hierarchies of codes: attack_type, weapon_type, target_type, target_group, actor.

A code is a path (`shia/ismaili`); `within` names a wider node that is not in the path. An unknown code is an error, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from tocsin.errors import TaxonomyError

NAMES = ("attack_type", "weapon_type", "target_type", "target_group")


@dataclass(frozen=True)
class Node:
    """One code of a taxonomy."""

    code: str
    name: str
    parent: str | None


@dataclass(frozen=True)
class Taxonomy:
    """A tree of codes."""

    name: str
    nodes: dict[str, Node]

    def __contains__(self, code: object) -> bool:
        return code in self.nodes

    def __iter__(self) -> Iterator[str]:
        return iter(self.nodes)

    def ancestors(self, code: str) -> tuple[str, ...]:
        """`code` and every wider node, nearest first. Raises `TaxonomyError` for an unknown code."""
        if code not in self.nodes:
            raise TaxonomyError(f"{self.name}: unknown code {code!r}; the codes are in terms/taxonomies/{self.name}.yml")
        out, at = [], self.nodes[code]
        while True:
            out.append(at.code)
            if at.parent is None:
                return tuple(out)
            at = self.nodes[at.parent]

    def agree(self, left: str, right: str) -> bool:
        """True where one of two codes is the other or wider than it: `shia` agrees with `shia/ismaili`."""
        return left in self.ancestors(right) or right in self.ancestors(left)

    def broad(self, code: str) -> str:
        """The first step of a code's path: `explosion/suicide` is broadly `explosion`."""
        self.ancestors(code)
        return code.split("/")[0]


@cache
def taxonomy(name: str) -> Taxonomy:
    """One of the bundled taxonomies. Raises `TaxonomyError` where the name or the file is wrong."""
    if name not in NAMES:
        raise TaxonomyError(f"no taxonomy is called {name!r}; there are {', '.join(NAMES)}")
    raw = yaml.safe_load(files(__package__).joinpath(f"{name}.yml").read_text(encoding="utf-8"))
    nodes: dict[str, Node] = {}
    for item in raw["nodes"]:
        code = item["code"]
        parent = item.get("within") or (code.rsplit("/", 1)[0] if "/" in code else None)
        if code in nodes:
            raise TaxonomyError(f"{name}: code {code!r} stands twice")
        nodes[code] = Node(code, item["name"], parent)
    for node in nodes.values():
        if node.parent is not None and node.parent not in nodes:
            raise TaxonomyError(f"{name}: {node.code!r} lies within {node.parent!r}, which is not a code")
    return Taxonomy(name, nodes)
