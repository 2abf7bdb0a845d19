"""A study to scan, and SaTScan's files of one: .prm, .cas, .geo, .pop, .ctl.

An option of a .prm that changes the answer and is not supported stops the reader, by its name; those that only say what is printed are passed over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tocsin.errors import InputError
from tocsin.kernels.scan import BERNOULLI, PERMUTATION, POISSON, Data

MODELS = {"poisson": POISSON, "bernoulli": BERNOULLI, "permutation": PERMUTATION}


@dataclass(frozen=True)
class Study:
    """Counts of places and times, and how they are to be scanned."""

    places: tuple[str, ...]
    at: NDArray[np.float64]  # (places, 2): latitude and longitude in degrees, or x and y
    spherical: bool
    begins: tuple[date, ...]  # of each interval, and the day after the last
    data: Data
    prospective: bool = False
    share: float = 0.5  # of the population at risk (permutation: of the cases) that a circle may hold
    radius: float = math.inf  # kilometres, or the study's own units
    least: int = 1  # intervals
    most: int = 1
    fewest: int = 2  # cases
    interval_days: float = 1.0


# What changes the answer: option -> values that are supported, the usual one first.
_NO = ("n",)
_SUPPORTED: dict[str, tuple[str, ...]] = {
    "UseGridFile": _NO,
    "CoordinatesType": ("1", "0"),
    "PrecisionCaseTimes": ("3", "2", "1", "0"),
    "AnalysisType": ("3", "1", "4"),
    "ModelType": ("0", "1", "2"),
    "ScanAreas": ("1",),
    "TimeAggregationUnits": ("3", "2", "1", "0"),
    "MultipleDataSetsPurposeType": ("0",),
    "StudyPeriodCheckType": ("0",),
    "GeographicalCoordinatesCheckType": ("0",),
    "UseLocationsNetworkFile": _NO,
    "UseNeighborsFile": _NO,
    "UseMetaLocationsFile": _NO,
    "MultipleCoordinatesType": ("0",),
    "UseMaxCirclePopulationFileOption": _NO,
    "UseDistanceFromCenterOption": ("n", "y"),
    "IncludePurelyTemporal": _NO,
    "SpatialWindowShapeType": ("0",),
    "IsotonicScan": ("0",),
    "MaxTemporalSizeInterpretation": ("0", "1"),
    "IncludePurelySpatial": _NO,
    "IncludeClusters": ("0",),
    "RiskLimitHighClusters": _NO,
    "TimeTrendAdjustmentType": ("0",),
    "AdjustForWeeklyTrends": _NO,
    "SpatialAdjustmentType": ("0",),
    "UseAdjustmentsByRRFile": _NO,
    "PValueReportType": ("1", "0"),
    "ReportGumbel": _NO,
    "AdjustForEarlierAnalyses": _NO,
    "IterativeScan": _NO,
    "PerformStandardDrilldown": _NO,
    "PerformBernoulliDrilldown": _NO,
    "CalculateOliveira": _NO,
    "PerformPowerEvaluation": _NO,
    "CriteriaForReportingSecondaryClusters": ("0",),
    "ReportHierarchicalClusters": ("y",),
    "ReportGiniClusters": _NO,
    "UseReportOnlySmallerClusters": _NO,
    "UseMaxCirclePopulationFileOption_Reported": _NO,
    "UseDistanceFromCenterOption_Reported": _NO,
    "SimulatedDataMethodType": ("0",),
}
_MORE_DATA = ("CaseFile2", "ControlFile2", "PopulationFile2")


def read_study(path: Path) -> tuple[Study, int]:
    """A study from SaTScan's parameter file and the files that it names, beside it: (study, replications).

    Raises `InputError` that names the option or the line where something is wrong or not supported.
    """
    options = _options(path)
    model = int(options["ModelType"])
    timed = options["AnalysisType"] != "1"
    if timed and options["PrecisionCaseTimes"] == "0":
        raise InputError(f"{path}: PrecisionCaseTimes=0 gives cases no time, and AnalysisType={options['AnalysisType']} scans time")
    if model == BERNOULLI and timed:
        raise InputError(f"{path}: ModelType=1 (Bernoulli) is supported with AnalysisType=1 (purely spatial) alone")
    if model == PERMUTATION and not timed:
        raise InputError(f"{path}: ModelType=2 (space-time permutation) scans space and time, and AnalysisType=1 scans space alone")
    places, at = _places(path.parent / options["CoordinatesFile"])
    number = {p: k for k, p in enumerate(places)}
    begins = _intervals(options, path) if timed else (_day(options["StartDate"], path), _day(options["EndDate"], path) + timedelta(days=1))
    dated = options["PrecisionCaseTimes"] != "0"
    rows = list(_cases(path.parent / options["CaseFile"], number, begins, dated=dated))
    cases = np.zeros((len(places), len(begins) - 1), np.int64)
    for place, when, count, _ in rows:
        cases[place, when] += count
    data = _data(model, cases, rows, options, path, number, begins)
    if options["MaxTemporalSizeInterpretation"] == "1":
        most = int(float(options["MaxTemporalSize"]))
    else:
        most = int((len(begins) - 1) * float(options["MaxTemporalSize"]) / 100)
    days = {"1": 365.25, "2": 365.25 / 12, "3": 1.0}.get(options["TimeAggregationUnits"], 1.0) * int(options["TimeAggregationLength"])
    study = Study(
        places,
        at,
        options["CoordinatesType"] == "1",
        begins,
        data,
        options["AnalysisType"] == "4",
        float(options["MaxSpatialSizeInPopulationAtRisk"]) / 100,
        float(options["MaxSpatialSizeInDistanceFromCenter"]) if options["UseDistanceFromCenterOption"] == "y" else math.inf,
        int(options["MinimumTemporalClusterSize"]) if timed else 1,
        most if timed else 1,
        int(options["MinimumCasesInHighRateClusters"]),
        days,
    )
    return study, int(options["MonteCarloReps"])


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """(line number, fields) of a file whose fields stand apart by blanks or commas."""
    try:
        text = path.read_text(encoding="latin-1")
    except OSError as why:
        raise InputError(f"{path}: cannot be read ({why.strerror}); the .prm names it, and it is looked for beside the .prm") from why
    return [(n, line.replace(",", " ").split()) for n, line in enumerate(text.splitlines(), 1) if line.strip()]


def _options(path: Path) -> dict[str, str]:
    """The options of a parameter file, with SaTScan's usual ones where one is not given."""
    try:
        text = path.read_text(encoding="latin-1")
    except OSError as why:
        raise InputError(f"{path}: cannot be read ({why.strerror})") from why
    given = {}
    for line in text.splitlines():
        if "=" in line and not line.lstrip().startswith((";", "[")):
            key, _, value = line.partition("=")
            given[key.strip()] = value.strip()
    if "CaseFile" not in given:
        raise InputError(f"{path}: names no CaseFile: not a parameter file of SaTScan")
    for key in _MORE_DATA:
        if given.get(key):
            raise InputError(f"{path}: {key}={given[key]}: several data sets in one study are not supported")
    for key, allowed in _SUPPORTED.items():
        value = given.get(key, allowed[0]) or allowed[0]
        if value not in allowed:
            raise InputError(f"{path}: {key}={value} is not supported; supported: {', '.join(allowed)}")
        given[key] = value
    usual = {
        "MaxSpatialSizeInPopulationAtRisk": "50",
        "MaxTemporalSize": "50",
        "MinimumTemporalClusterSize": "1",
        "MinimumCasesInHighRateClusters": "2",
        "TimeAggregationLength": "1",
        "MonteCarloReps": "999",
    }
    out = usual | {k: v for k, v in given.items() if v or k not in usual}
    missing = [k for k in ("CoordinatesFile", "StartDate", "EndDate") if not out.get(k)]
    if missing:
        raise InputError(f"{path}: {missing[0]} is not given")
    return out


def _day(text: str, where: Path, *, end: bool = False) -> date:
    """A day of SaTScan's; a year or a month alone is its first day (end: its last)."""
    try:
        parts = [int(x) for x in text.replace("-", "/").split("/")]
        parts[0] += 1900 if parts[0] < 100 else 0
        if len(parts) == 3:
            return date(*parts)
        after = date(parts[0] + 1, 1, 1) if len(parts) == 1 else date(parts[0] + parts[1] // 12, parts[1] % 12 + 1, 1)
        return after - timedelta(days=1) if end else date(parts[0], parts[1] if len(parts) == 2 else 1, 1)
    except (ValueError, TypeError, IndexError) as why:
        raise InputError(f"{where}: {text!r} is no date of the form 2001/11/24") from why


def _intervals(options: dict[str, str], path: Path) -> tuple[date, ...]:
    """The first day of each interval, and the day after the last."""
    start, end = _day(options["StartDate"], path), _day(options["EndDate"], path, end=True)
    unit, length = options["TimeAggregationUnits"], int(options["TimeAggregationLength"])
    after = end + timedelta(days=1)
    out = [start]
    while out[-1] < after:
        x = out[-1]
        if unit == "3":
            out.append(x + timedelta(days=length))
        else:
            months = x.year * 12 + x.month - 1 + length * (12 if unit == "1" else 1)
            out.append(date(months // 12, months % 12 + 1, x.day))
    if out[-1] != after or (unit != "3" and start.day != 1):
        raise InputError(f"{path}: the study period {start} to {end} is no whole number of intervals; only such periods are supported")
    return tuple(out)


def _places(path: Path) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    names, at = [], []
    for n, fields in _lines(path):
        try:
            names.append(fields[0])
            at.append((float(fields[1]), float(fields[2])))
        except (IndexError, ValueError) as why:
            raise InputError(f"{path}, line {n}: a place and two coordinates are expected") from why
    if len(set(names)) < len(names):
        raise InputError(f"{path}: place {next(x for x in names if names.count(x) > 1)!r} stands there twice")
    return tuple(names), np.array(at, np.float64).reshape(-1, 2)


Row = tuple[int, int, int, tuple[str, ...]]  # place, interval, cases, covariates


def _cases(path: Path, number: dict[str, int], begins: tuple[date, ...], *, dated: bool) -> Iterable[Row]:
    edges = np.array(begins, "datetime64[D]")
    for n, fields in _lines(path):
        where = f"{path}, line {n}"
        if fields[0] not in number:
            raise InputError(f"{where}: place {fields[0]!r} is not in the coordinates file")
        try:
            count = int(fields[1])
            text = fields[2] if dated else ""
        except (IndexError, ValueError) as why:
            raise InputError(f"{where}: a place, a number of cases{' and a date' if dated else ''} are expected") from why
        when = int(np.searchsorted(edges, np.datetime64(_day(text, path)), side="right")) - 1 if dated else 0
        if not 0 <= when < len(begins) - 1:
            raise InputError(f"{where}: {text} lies outside the study period")
        yield number[fields[0]], when, count, tuple(fields[3 if dated else 2 :])


def _data(
    model: int,
    cases: NDArray[np.int64],
    rows: list[Row],
    options: dict[str, str],
    path: Path,
    number: dict[str, int],
    begins: tuple[date, ...],
) -> Data:
    none, no_strata = np.zeros(0, np.int32), np.zeros(1, np.int64)
    if model == BERNOULLI:
        people = cases.sum(axis=1)
        for place, _, count, _ in _cases(path.parent / options["ControlFile"], number, begins, dated=False):
            people[place] += count
        expected = people[:, None] * (cases.sum() / max(1, people.sum()))
        return Data(model, cases, expected.astype(np.float64), people, none, none, no_strata)
    strata: dict[tuple[str, ...], NDArray[np.int64]] = {}
    for place, when, count, stratum in rows:
        strata.setdefault(stratum, np.zeros_like(cases))[place, when] += count
    if model == POISSON:
        expected = _at_risk(path.parent / options["PopulationFile"], number, begins, strata, cases.shape)
        return Data(model, cases, expected, np.zeros(0, np.int64), none, none, no_strata)
    expected = np.zeros(cases.shape)
    for own in strata.values():
        expected += np.outer(own.sum(axis=1), own.sum(axis=0)) / own.sum()
    cells = [np.argwhere(own > 0).repeat(own[own > 0], axis=0) for _, own in sorted(strata.items())]
    events = np.concatenate(cells).astype(np.int32)
    edges = np.cumsum([0, *(len(c) for c in cells)]).astype(np.int64)
    return Data(model, cases, expected, np.zeros(0, np.int64), events[:, 0].copy(), events[:, 1].copy(), edges)


def _at_risk(
    path: Path,
    number: dict[str, int],
    begins: tuple[date, ...],
    strata: dict[tuple[str, ...], NDArray[np.int64]],
    shape: tuple[int, ...],
) -> NDArray[np.float64]:
    """Expected cases by indirect standardisation: each stratum's cases in proportion to its people and days.

    Between two counts the population changes linearly, before the first and after the last it stays; a count of a year is of its 1 July.
    """
    counts: dict[tuple[tuple[str, ...], int], dict[date, float]] = {}
    for n, fields in _lines(path):
        if fields[0] not in number:
            raise InputError(f"{path}, line {n}: place {fields[0]!r} is not in the coordinates file")
        try:
            people, text = float(fields[2]), fields[1]
        except (IndexError, ValueError) as why:
            raise InputError(f"{path}, line {n}: a place, a time and a population are expected") from why
        day = _day(text, path)
        day = {0: day.replace(month=7, day=1), 1: day.replace(day=15)}.get(text.replace("-", "/").count("/"), day)
        own = counts.setdefault((tuple(fields[3:]), number[fields[0]]), {})
        own[day] = own.get(day, 0.0) + people
    expected = np.zeros(shape)
    for stratum in sorted({s for s, _ in counts} | set(strata)):
        time = np.zeros(shape)  # people times days
        for (s, place), own in counts.items():
            if s == stratum:
                total = _integral(own)
                until = [total(b.toordinal()) for b in begins]
                time[place] = np.diff(until)
        cases = strata.get(stratum, np.zeros(shape, np.int64)).sum()
        if cases and not time.sum():
            raise InputError(f"{path}: {cases} cases with the covariates {' '.join(stratum) or '(none)'} have no population")
        if cases:
            expected += cases * time / time.sum()
    return expected


def _integral(counts: dict[date, float]) -> Callable[[int], float]:
    """People times days, from a fixed day to a given one."""
    days = sorted(counts)
    x, y = np.array([d.toordinal() for d in days], np.float64), np.array([counts[d] for d in days])
    whole = np.concatenate([[0.0], np.cumsum(np.diff(x) * (y[:-1] + y[1:]) / 2)])

    def until(day: int) -> float:
        if day <= x[0]:
            return float((day - x[0]) * y[0])
        if day >= x[-1]:
            return float(whole[-1] + (day - x[-1]) * y[-1])
        k = int(np.searchsorted(x, day, side="right")) - 1
        here = y[k] + (y[k + 1] - y[k]) * (day - x[k]) / (x[k + 1] - x[k])
        return float(whole[k] + (day - x[k]) * (y[k] + here) / 2)

    return until
