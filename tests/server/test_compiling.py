"""A hub on a new machine compiles what reading needs by itself, beside all else, and only there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.resources import as_file, files
from pathlib import Path

import pytest
from running import Running, new_folder

from tocsin.hub import compiling

PATIENCE = 600.0  # seconds; it gives way to whatever else the machine does


@pytest.fixture
def folder() -> Iterator[Path]:
    with new_folder() as made:
        yield made


def compiler(hub: Running) -> list[int]:
    """The hub's processes that compile."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            words = status.with_name("cmdline").read_bytes().split(b"\0")
            if b"kernels" in words[-2:] and f"PPid:\t{hub.process.pid}\n" in status.read_text(encoding="utf-8"):
                found.append(int(status.parent.name))
        except OSError:  # it has ended
            continue
    return found


def ended(process: int) -> bool:
    """Whether it is gone, or is known to the machine alone until somebody asks how it ended."""
    try:
        return "State:\tZ" in Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except OSError:
        return True


def until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < end
        time.sleep(0.1)


def compiled(cache: Path) -> set[str]:
    return {path.name for path in cache.rglob("*.nb?")}


def test_a_hub_on_a_new_machine_compiles_what_reading_needs_without_being_asked_and_once(folder: Path) -> None:
    cache, env = folder / "cache", {"NUMBA_CACHE_DIR": str(folder / "cache")}
    hub = Running(folder / "hub", env=env)
    until(lambda: bool(compiler(hub)))
    (process,) = compiler(hub)
    until(lambda: os.getpriority(os.PRIO_PROCESS, process) == min(19, os.getpriority(os.PRIO_PROCESS, hub.process.pid) + 15))
    until(lambda: bool(compiled(cache)))
    assert hub.end() == 0
    until(lambda: ended(process))
    assert not list(cache.glob("*.compiled"))  # it was stopped in the midst of it, and goes on at the next start
    hub = Running(folder / "hub", env=env)
    until(lambda: bool(list(cache.glob("*.compiled"))))
    until(lambda: not compiler(hub))
    made = compiled(cache)
    assert hub.end() == 0
    hub = Running(folder / "hub", env=env)
    assert not compiler(hub)
    hub.close()
    with as_file(files("tocsin.data").joinpath("ged221_pakistan.csv.gz")) as path:
        read = [sys.executable, "-m", "tocsin", "read", str(path), "--out", str(folder / "out")]
        subprocess.run(read, env=os.environ | env, check=True, capture_output=True)
    coder = [sys.executable, "-m", "tocsin.intake.coder"]
    subprocess.run(coder, env=os.environ | env, check=True, capture_output=True, input=b'["A gunman kills two in Quetta"]\n')
    assert compiled(cache) == made


def test_other_kernels_or_another_numba_are_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    kernels = tmp_path / "kernels"
    kernels.mkdir()
    (kernels / "one.py").write_text("1", encoding="ascii")
    monkeypatch.setattr(compiling, "_KERNELS", kernels)
    assert not compiling.compiled()
    compiling.mark()
    assert compiling.compiled()
    (kernels / "one.py").write_text("22", encoding="ascii")
    assert not compiling.compiled()
