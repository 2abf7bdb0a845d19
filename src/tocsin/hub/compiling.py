"""Compiles what reading a file needs, and the coder with it, so that the first file and the first text need not wait for it.

numba keeps what was compiled beside the kernels (or in NUMBA_CACHE_DIR). A mark there says that this was done, of these kernels and on this machine, so that a
hub needs to load nothing to know it.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

_KERNELS = Path(__file__).parent.parent / "kernels"
_TABLE = "day,place,lat,lon,dead,words\n2024-03-05,Karachi,24.9,67.1,5,A bomb kills five in Karachi\n"
_SPEC = """agency: nobody
one_report_per_incident: false
values: {event_start: day, place: place, lat: lat, lon: lon, killed: dead, text: words}
"""


def compiled() -> bool:
    """Whether it was done."""
    name = _name()
    return any((place / name).exists() for place in _places())


def compile_kernels(folder: Path) -> None:
    """Reads a small table, in a folder of its own, and the file that comes with tocsin, which lead through all kernels of reading; marks that it was done.

    It takes about a minute where nothing is compiled yet."""
    from tocsin.intake import read_to

    table, spec = folder / "table.csv", folder / "spec.yml"
    table.write_text(_TABLE, encoding="utf-8")
    spec.write_text(_SPEC, encoding="utf-8")
    with as_file(files("tocsin.data").joinpath("ged221_pakistan.csv.gz")) as path:
        read_to(folder / "out", [table, path], spec=spec)
    mark()


def mark() -> None:
    """Marks that it was done, where that can be written."""
    for place in _places():
        with suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
            (place / _name()).touch()
            return


def _places() -> Iterator[Path]:
    """Where numba keeps what it compiled: the first that can be written to."""
    if own := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(own)
        return
    yield _KERNELS / "__pycache__"
    with suppress(RuntimeError):  # a user without a home
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "numba"


def _name() -> str:
    """The name of the mark: another for other kernels, another numba or Python, and another processor, for all of them have what is compiled made anew."""
    said = [version("numba"), sys.implementation.cache_tag or "", _processor()]
    for source in sorted(_KERNELS.glob("*.py")):
        stat = source.stat()
        said.append(f"{source} {stat.st_size} {stat.st_mtime_ns}")
    digest = hashlib.sha256("\0".join(said).encode()).hexdigest()
    return f"tocsin-{digest[:16]}.compiled"


def _processor() -> str:
    """What the machine says of its first processor; nothing where it does not."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as told:
            first = told.read(8_192).partition("\n\n")[0]
    except OSError:
        return ""
    return "".join(line for line in first.splitlines() if line.startswith(("model name", "flags", "Features")))
