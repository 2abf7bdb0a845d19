"""Brings in the npm packages that the page carries: `python tools/vendor.py` (what `make vendor` runs).

Every tarball is pinned in vendor.json by version and sha512, fetched with `npm pack` from the registry npm is set up for, and
refused when its bytes differ. The d3 modules are bundled into one script by esbuild's WebAssembly build, which gives the same bytes
on every platform; their licence texts stand at the top of the bundle, so the page carries them wherever it goes.
Needs node and npm; nobody who only installs or runs tocsin needs either.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "src/tocsin/brief/page/vendor"
TESTS = ROOT / "tests/browser/vendor"


def main() -> None:
    """Fetch, check, bundle and copy."""
    pins = json.loads((ROOT / "tools/vendor.json").read_text(encoding="utf-8"))
    PAGE.mkdir(parents=True, exist_ok=True)
    TESTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for group in ("bundle", "tools", "tests"):
            for name, (version, integrity) in pins[group].items():
                unpack(fetch(name, version, integrity, work), work / "node_modules" / name)
        write_bundle(pins, work)
        copy_axe(pins["tests"]["axe-core"][0], work)


def fetch(name: str, version: str, integrity: str, work: Path) -> Path:
    """The tarball of one package, its bytes checked against the pin."""
    command = ["npm", "pack", f"{name}@{version}", "--silent", "--ignore-scripts", "--pack-destination", str(work)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=work, check=False)
    if done.returncode != 0:
        sys.exit(f"npm could not fetch {name} {version}: {done.stderr.strip()}\nIs npm installed, and does it reach a registry?")
    tarball = work / done.stdout.strip().splitlines()[-1]
    digest = "sha512-" + base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if digest != integrity:
        sys.exit(f"{name} {version} is not what tools/vendor.json pins:\n  pinned {integrity}\n  got    {digest}\nNothing was written.")
    return tarball


def unpack(tarball: Path, target: Path) -> None:
    """npm keeps every file of a package under one folder, nearly always named `package`."""
    with tempfile.TemporaryDirectory() as folder, tarfile.open(tarball) as archive:
        archive.extractall(folder, filter="data")
        top = next(Path(folder).iterdir())
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(str(top), target)


def write_bundle(pins: dict[str, Any], work: Path) -> None:
    """The d3 modules as one script, their licences at its top and in a file beside it."""
    (work / "entry.js").write_text("\n".join(pins["entry"]) + "\n", encoding="utf-8")
    esbuild = work / "node_modules/esbuild-wasm/bin/esbuild"
    options = ["--bundle", "--minify", "--format=iife", "--global-name=d3", "--target=es2020", "--charset=utf8", "--legal-comments=none"]
    done = subprocess.run(["node", str(esbuild), "entry.js", *options], capture_output=True, text=True, cwd=work, check=False)
    if done.returncode != 0:
        sys.exit(f"esbuild could not bundle the d3 modules: {done.stderr.strip()}")
    licences = licence_texts(pins["bundle"], work)
    text = f"/*!\n{licences}*/\n{done.stdout.strip()}\n"
    (PAGE / "d3.min.js").write_text(text, encoding="utf-8", newline="\n")
    (PAGE / "LICENSES.txt").write_text(licences, encoding="utf-8", newline="\n")
    print(f"d3.min.js: {len(text.encode()):,} bytes from {len(pins['bundle'])} packages")


def licence_texts(packages: dict[str, list[str]], work: Path) -> str:
    """Each distinct licence text once, below the packages that carry it."""
    holders: dict[str, list[str]] = {}
    for name, (version, _) in packages.items():
        text = (work / "node_modules" / name / "LICENSE").read_text(encoding="utf-8").strip()
        holders.setdefault(text, []).append(f"{name} {version}")
    return "\n".join(f"{', '.join(names)}\n\n{text}\n" for text, names in holders.items())


def copy_axe(version: str, work: Path) -> None:
    """axe-core is used by the tests alone; MPL 2.0 wants its licence beside it."""
    package = work / "node_modules/axe-core"
    for name in ("axe.min.js", "LICENSE", "LICENSE-3RD-PARTY.txt"):
        shutil.copyfile(package / name, TESTS / name)
    print(f"axe-core {version}: {(TESTS / 'axe.min.js').stat().st_size:,} bytes, for the tests")


if __name__ == "__main__":
    main()
