"""The weekly report: the page printed by a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tocsin.brief.pdf import print_pdf
from tocsin.errors import OptionError

pytestmark = pytest.mark.browser


def pages(pdf: Path) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes()))


def test_the_pdf_waits_for_what_the_page_unpacks(chromium: Any, written: Callable[[str], Path], tmp_path: Path) -> None:
    print_pdf(written("single"), tmp_path / "one.pdf")
    print_pdf(written("realistic"), tmp_path / "many.pdf", address="#kind=all")
    assert (tmp_path / "one.pdf").read_bytes().startswith(b"%PDF")
    assert pages(tmp_path / "many.pdf") > pages(tmp_path / "one.pdf") >= 2, "its list is only there once the incidents are unpacked"


def test_without_a_browser_the_reader_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOCSIN_CHROMIUM", "no-such-browser")
    with pytest.raises(OptionError, match="install one"):
        print_pdf(tmp_path / "brief.html", tmp_path / "brief.pdf")


def test_a_browser_that_prints_nothing_leaves_no_half_of_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "browser"
    broken.write_text("#!/bin/sh\necho it broke >&2\n")
    broken.chmod(0o755)
    monkeypatch.setenv("TOCSIN_CHROMIUM", str(broken))
    with pytest.raises(OptionError, match="it broke"):
        print_pdf(tmp_path / "brief.html", tmp_path / "brief.pdf")
    assert not (tmp_path / "brief.pdf").exists()
