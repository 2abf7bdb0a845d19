"""On Spark: the session that is there, or a local one. Workers need tocsin installed; what is sent is pickled, slices and all."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from tocsin.errors import OptionError


def spark(function: Callable[[Any], Any], slices: Iterable[Any]) -> Iterator[Any]:
    """Waves of a few slices a core, each a task; the driver holds one wave."""
    context = _session().sparkContext
    if context.master.startswith("local"):
        context.pythonExec = sys.executable  # else whichever python3 is first on the path, which may have no tocsin
    rest = iter(slices)
    while wave := list(islice(rest, 2 * max(1, context.defaultParallelism))):
        yield from context.parallelize(wave, len(wave)).map(function).collect()


def _session() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError as why:
        raise OptionError("the engine `spark` needs pyspark: pip install 'tocsin[spark]'") from why
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    try:
        return SparkSession.builder.appName("tocsin").config("spark.ui.showConsoleProgress", "false").getOrCreate()
    except Exception as why:  # pyspark raises its own, and plain ones where Java is not there
        raise OptionError(
            f"Spark could not be started ({str(why).splitlines()[0]}): it needs a Java runtime, 17 or later, on this machine"
        ) from why
