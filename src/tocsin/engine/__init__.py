"""Maps one function over slices: here, in threads, or on Spark. The function is pure, and results come in the order of the slices.

The same call gives the same results on each engine: what travels are the slices and what is made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from tocsin.engine.here import here
from tocsin.engine.spark import spark
from tocsin.errors import OptionError

__all__ = ["ENGINES", "mapped"]

In = TypeVar("In")
Out = TypeVar("Out")

ENGINES: dict[str, Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]] = {"here": here, "spark": spark}


def mapped(function: Callable[[In], Out], slices: Iterable[In], engine: str = "here") -> Iterator[Out]:
    """`function` of each slice, in order; a few slices are held at a time. Raises `OptionError` for an unknown engine or one that cannot be started."""
    if engine not in ENGINES:
        raise OptionError(f"engine {engine!r} is none of {', '.join(ENGINES)}")
    return ENGINES[engine](function, slices)
