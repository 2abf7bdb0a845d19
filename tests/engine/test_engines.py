"""The engines give the same results; Spark is a real one, on a local master."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from samples import invented
from samples_replay import END, history

from tocsin import fuse, replay
from tocsin.engine import mapped
from tocsin.errors import OptionError
from tocsin.fusion import linkage

#: A Java machine that lives for seconds: what it compiles thoroughly, and clears away beside the work, it never gets back.
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        reason = "no Java runtime found: install one of version 17 or later; the Spark tests were left out"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from pyspark.sql import SparkSession

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyspark leaves sockets to the garbage collector
        building = SparkSession.builder.master("local[2]").appName("tests").config("spark.ui.enabled", "false")
        made = building.config("spark.driver.extraJavaOptions", QUICK).getOrCreate()
        made.sparkContext.setLogLevel("ERROR")
        yield made
        made.stop()


def _power(x: int, by: int) -> int:
    return x**by


def test_threads_keep_the_order_of_the_slices() -> None:
    assert list(mapped(partial(_power, by=2), range(50))) == [x * x for x in range(50)]


def test_an_engine_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(OptionError, match="'ray' is none of here, spark"):
        list(mapped(abs, [1], "ray"))
    with pytest.raises(OptionError, match="'ray' is none of here, spark"):
        fuse(invented(1, 1), engine="ray")


@pytest.mark.filterwarnings("ignore")
def test_spark_keeps_the_order_of_the_slices(session: Any) -> None:
    assert list(mapped(abs, range(-7, 0), "spark")) == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.filterwarnings("ignore")
def test_fusing_on_spark_gives_the_same_incidents_and_links_to_the_bit(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linkage, "_SLICE", 300)
    monkeypatch.setattr(linkage, "_PAIRS", 500)
    reports = invented(7, 900)
    here, there = (fuse(reports, judgements=(), engine=engine) for engine in ("here", "spark"))
    assert here.clusters.equals(there.clusters)
    assert here.links.equals(there.links)
    assert here.incidents.equals(there.incidents)
    assert 0 < here.incidents.height < reports.height


def test_the_length_of_the_slices_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reports = invented(8, 700)
    whole = fuse(reports, judgements=())
    for size in (1, 7, 333):
        monkeypatch.setattr(linkage, "_SLICE", size)
        monkeypatch.setattr(linkage, "_PAIRS", 3 * size)
        sliced = fuse(reports, judgements=())
        assert whole.links.equals(sliced.links)
        assert whole.incidents.equals(sliced.incidents)


@pytest.mark.filterwarnings("ignore")
def test_a_replay_on_spark_is_the_one_made_here(session: Any) -> None:
    """A date a task: the ids are joined afterwards, in the driver."""
    here, there = (
        replay(history(), start=END - timedelta(days=28), end=END, kinds=("shift",), actors=(), pairs=(), engine=engine)
        for engine in ("here", "spark")
    )
    assert here.signals.height
    for name in ("signals", "looks", "attacks", "rivals"):
        assert getattr(here, name).equals(getattr(there, name)), name
