"""What a change makes of clusters, for many audiences: components, of which several audiences may have one alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.fusion.judgements import Judgement, named

Numbers = NDArray[np.int32]


class Layer(NamedTuple):
    """Components of what one audience sees, in clusters; a report is in at most one of them."""

    audience: int
    seen: Numbers  # reports by number, sorted
    component: NDArray[np.int64]  # of each; no two layers have one
    cluster: NDArray[np.int64]  # of each, negative where it was corrected or taken out of others
    margin: NDArray[np.int64]
    decided: tuple[Judgement, ...]  # judgements about these, of which the audience sees all that they name

    def cut(self, size: int) -> Iterator[Layer]:
        """In pieces of at most `size` reports, or of one component."""
        order = np.lexsort((self.seen, self.component))
        begins = np.flatnonzero(np.diff(self.component[order], prepend=-1))
        ends = np.append(begins[1:], len(order))
        low = 0
        while low < len(order):
            high = int(ends[max(np.searchsorted(ends, low + size, side="right") - 1, np.searchsorted(ends, low + 1))])
            yield self.of(np.sort(order[low:high]))
            low = high

    def of(self, which: NDArray[np.int64]) -> Layer:
        """Of whole components, by the places of their reports."""
        return Layer(self.audience, self.seen[which], self.component[which], self.cluster[which], self.margin[which], self.decided)


class Change(NamedTuple):
    """What changed for each audience."""

    around: list[Numbers]  # for each audience the reports whose incidents may have changed: what stood for them before no longer does
    layers: list[Layer]  # what stands now, of those that it sees; those of EVERY first
    holds: NDArray[np.int64]  # (n, 2): an audience, and a component that is among its own

    def of(self, audience: int) -> list[Layer]:
        """The components that one audience has of its own."""
        mine = np.sort(self.holds[self.holds[:, 0] == audience, 1])
        found = (layer.of(np.flatnonzero(np.isin(layer.component, mine))) for layer in self.layers)
        return [one for one in found if len(one.seen)]


def batches(layers: Iterable[Layer], size: int) -> Iterator[list[Layer]]:
    """Pieces of layers, in order, that together have about `size` reports."""
    several: list[Layer] = []
    for piece in (piece for layer in layers for piece in layer.cut(size)):
        if several and sum(len(one.seen) for one in [*several, piece]) > size:
            yield several
            several = []
        several.append(piece)
    if several:
        yield several


def among(decided: tuple[Judgement, ...], ids: set[str]) -> tuple[Judgement, ...]:
    """The judgements that name none but these reports."""
    return tuple(j for j in decided if named([j]) <= ids)
