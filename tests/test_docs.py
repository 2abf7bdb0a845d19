"""The documentation is true: its reference is the code's, its examples run, its links lead somewhere, its words are the glossary's."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tocsin.cli import commands

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_the_reference_pages_are_made_from_the_code_as_it_stands() -> None:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "tools" / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.stale() == [], "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} points at {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_pages_do_without_filler(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"\b(simply|powerful|seamless(?:ly)?|we|our)\b", text, re.IGNORECASE)


def test_the_tests_that_back_a_promise_are_there() -> None:
    text = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    there = {name for source in sources for name in re.findall(r"^def (test_\w+)", source, re.MULTILINE)}
    named = set(re.findall(r"`(test_\w+)`", text))
    assert len(named) > 10
    assert named <= there
    assert [path for path in re.findall(r"`(tests/[\w/.]+)`", text) if not (ROOT / path).exists()] == []


def test_every_option_of_every_command_is_documented() -> None:
    text = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    for name, command in commands().items():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.opts[0] in text, f"tocsin {name} {parameter.opts[0]}"


def test_the_readme_shows_what_the_demo_prints(tmp_path: Path) -> None:
    shown = re.search(r"```text\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    words = [sys.executable, "-m", "tocsin", "brief", "--demo", "--out", "tocsin-out"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"COLUMNS": "110"}, check=True)
    assert [line.rstrip() for line in done.stdout.splitlines()] == shown[1].splitlines()
