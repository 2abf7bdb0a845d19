"""The charts of tocsin.watch beside those of the R package surveillance, run live on the same series.

usage: python bench/surveillance.py

Needs Rscript and surveillance (Debian: apt-get update && apt-get install --no-install-recommends r-cran-surveillance). categoricalCUSUM runs on the counts
in tests/watch/r_reference, the others on surveillance's own data set salmNewport (Germany, weeks of 2004-2014), weeks 366 to 417. One line each: the greatest
difference of statistic or bound, the alarms of each and in common, seconds of each (R's by system.time, here the best of three; neither counts its start). The
bound of EARS C3 is compared twice: as R has it, and as it is defined.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.watch.ears import ears
from tocsin.watch.farrington import Rules, farrington
from tocsin.watch.shift import categorical_cusum

REFERENCE = Path(__file__).parent.parent / "tests" / "watch" / "r_reference" / "categoricalCUSUM_multinomial.csv"
INSTALL = "Rscript with surveillance is needed; on Debian: apt-get update && apt-get install --no-install-recommends r-cran-surveillance"
LOOKS = np.arange(365, 417)
Floats = NDArray[np.float64]

SCRIPT = """
suppressMessages(library(surveillance))
say <- function(what, seconds, upper, alarm) write.table(data.frame(what, seconds, format(upper, digits = 17), as.integer(alarm)), sep = ",",
  row.names = FALSE, col.names = FALSE, quote = FALSE)
say("version", 0, as.character(packageVersion("surveillance")), 0)
data(salmNewport)
y <- as.vector(rowSums(observed(salmNewport)))
say("series", 0, y, 0)
salm <- sts(observed = y, epoch = as.Date("2004-01-05") + 7 * (seq_along(y) - 1), epochAsDate = TRUE, frequency = 52)
for (chart in c("C1", "C2", "C3")) {
  s <- system.time(r <- earsC(salm, control = list(range = 366:417, method = chart, alpha = .05)))[["elapsed"]]
  say(chart, s, as.vector(upperbound(r)), as.vector(alarms(r)))
}
s <- system.time(r <- farringtonFlexible(salm, control = list(range = 366:417, noPeriods = 10, b = 4, w = 3, weightsThreshold = 2.58,
  pastWeeksNotIncluded = 26, pThresholdTrend = 1, alpha = .1, thresholdMethod = "nbPlugin")))[["elapsed"]]
say("farrington", s, as.vector(upperbound(r)), as.vector(alarms(r)))
counts <- as.matrix(read.csv(file("stdin"), header = FALSE))
mixed <- sts(observed = counts, population = matrix(rowSums(counts), nrow(counts), ncol(counts)), multinomialTS = TRUE, frequency = 52)
share <- function(p) matrix(p, length(p), nrow(counts))
s <- system.time(r <- categoricalCUSUM(mixed, control = list(range = 1:nrow(counts), h = 5, pi0 = share(c(.5, .3, .2)), pi1 = share(c(.3, .3, .4)),
  dfun = function(y, mu, size, log = FALSE) dmultinom(y, size = size[1], prob = mu, log = log), ret = "value")))[["elapsed"]]
say("cusum", s, as.vector(upperbound(r)[, 1]), as.vector(alarms(r)[, 1]))
"""


class Answer(NamedTuple):
    seconds: float
    values: list[str]
    alarm: list[bool]


def theirs(counts: NDArray[np.int64]) -> dict[str, Answer]:
    """What R answers."""
    if shutil.which("Rscript") is None:
        sys.exit(INSTALL)
    rows = "\n".join(",".join(map(str, row)) for row in counts.tolist())
    done = subprocess.run(["Rscript", "-e", SCRIPT], input=rows, capture_output=True, text=True)
    if done.returncode:
        sys.exit(INSTALL if "no package called" in done.stderr else f"R failed: {done.stderr.strip()}")
    found: dict[str, list[list[str]]] = {}
    for what, *row in csv.reader(io.StringIO(done.stdout)):
        found.setdefault(what, []).append(row)
    return {what: Answer(float(row[0][0]), [r[1].strip() for r in row], [r[2] == "1" for r in row]) for what, row in found.items()}


def timed(work: Callable[[], tuple[Floats, NDArray[np.bool_]]]) -> tuple[float, Floats, NDArray[np.bool_]]:
    took = []
    for _ in range(3):
        begun = time.perf_counter()
        values, alarm = work()
        took.append(time.perf_counter() - begun)
    return min(took), values, alarm


def line(name: str, r: Answer, work: Callable[[], tuple[Floats, NDArray[np.bool_]]]) -> None:
    seconds, values, alarm = timed(work)
    there = np.array([np.nan if v in ("NA", "NaN") else float(v) for v in r.values])
    both = np.isfinite(values) & np.isfinite(there)
    print(
        json.dumps(
            {
                "method": name,
                "looks": len(there),
                "greatest_difference": float(f"{np.abs(values - there)[both].max():.3g}"),
                "undefined_alike": bool((np.isfinite(values) == np.isfinite(there)).all()),
                "alarms": int(alarm.sum()),
                "alarms_r": sum(r.alarm),
                "in_common": int((alarm & np.array(r.alarm)).sum()),
                "seconds": round(seconds, 5),
                "seconds_r": round(r.seconds, 3),
            }
        )
    )


def main() -> None:
    counts = np.loadtxt(REFERENCE, delimiter=",", skiprows=1, usecols=(0, 1, 2)).astype(np.int64)
    r = theirs(counts)
    y = [int(float(v)) for v in r["series"].values]

    def cusum() -> tuple[Floats, NDArray[np.bool_]]:
        found = categorical_cusum(counts, [0.5, 0.3, 0.2], [0.3, 0.3, 0.4], limit=5)
        return found.statistic, np.isin(np.arange(len(counts)), found.alarms)

    def chart(method: str) -> Callable[[], tuple[Floats, NDArray[np.bool_]]]:
        def work() -> tuple[Floats, NDArray[np.bool_]]:
            found = ears(y[: LOOKS[-1] + 1], method=method, alpha=0.05)
            return found.upper[-len(LOOKS) :], found.alarm[-len(LOOKS) :]

        return work

    def flexible() -> tuple[Floats, NDArray[np.bool_]]:
        found = farrington(y, first_day=date(2004, 1, 5), looks=LOOKS, rules=Rules(years=4, alpha=0.1))
        return found.upper, found.alarm

    print(json.dumps({"surveillance": r["version"].values[0]}))
    line("categorical CUSUM", r["cusum"], cusum)
    for method in ("C1", "C2"):
        line(f"EARS {method}", r[method], chart(method))
    line("EARS C3 as R has it", r["C3"], chart("C3-surveillance"))
    line("EARS C3 as defined", r["C3"], chart("C3"))
    line("Farrington, improved", r["farrington"], flexible)


if __name__ == "__main__":
    main()
