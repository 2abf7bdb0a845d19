"""Write docs/reference from the code: the tables' contracts, the codes, the public functions and the command line.

usage: python tools/make_reference.py [--check]    (--check writes nothing and fails where a page is stale)
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

import click
from click.testing import CliRunner

import tocsin
from tocsin import errors
from tocsin.cli import app, commands
from tocsin.terms import tables
from tocsin.terms.taxonomies import NAMES, taxonomy

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
MADE = "Made from the code by `make docs`; do not edit.\n"


def tables_page() -> str:
    """The contracts, a line a column."""
    out = ["# Tables", MADE]
    for name in ("REPORTS", "INCIDENTS", "THREATS", "LINKS", "SIGNALS", "STREAMS", "RAISED", "LOOKS", "ATTACKS", "RIVALS", "ISSUES"):
        out += [f"## {name.lower()}", "| column | type | meaning and unit |", "|---|---|---|"]
        for c in getattr(tables, name):
            kind = str(c.dtype).split("(")[0] if str(c.dtype).startswith(("Enum", "List(Struct")) else str(c.dtype)
            out.append(f"| {c.name}{' *' if c.required else ''} | {kind} | {c.meaning} |")
        out.append("")
    return "\n".join([*out, "Columns marked * are never empty.", ""])


def codes_page() -> str:
    """Every code of every taxonomy."""
    out = ["# Codes", MADE]
    for name in NAMES:
        tree = taxonomy(name)
        out += [f"## {name}", "| code | name | within |", "|---|---|---|"]
        out += [f"| {n.code} | {n.name} | {n.parent or ''} |" for n in tree.nodes.values()]
        out.append("")
    return "\n".join(out)


def python_page() -> str:
    """The public functions and the errors."""
    out = ["# Python", MADE]
    for name in tocsin.__all__:
        verb = getattr(tocsin, name)
        signature = str(inspect.signature(verb)).replace("'", "")
        out += [f"## tocsin.{name}", "```text", f"{name}{signature}", "```", inspect.getdoc(verb) or "", ""]
    return "\n".join([*out, "## Errors", "```text", inspect.getdoc(errors) or "", "```", ""])


def cli_page() -> str:
    """The help of every command."""
    out = ["# Command line", MADE]
    for name in ["", *commands()]:
        words = [*name.split(), "--help"]
        text = CliRunner().invoke(app, words, prog_name="tocsin", terminal_width=100).output
        out += [f"## tocsin {name}".rstrip(), "```text", text.rstrip(), "```", ""]
    return "\n".join(out)


PAGES = {"tables.md": tables_page, "codes.md": codes_page, "python.md": python_page, "cli.md": cli_page}


def stale() -> list[str]:
    """Pages that differ from what the code says."""
    return [n for n, make in PAGES.items() if not (REFERENCE / n).exists() or (REFERENCE / n).read_text(encoding="utf-8") != make()]


def main() -> None:
    """Write the pages, or say which are stale."""
    if "--check" in sys.argv[1:]:
        old = stale()
        click.echo("docs/reference is current" if not old else f"stale: {', '.join(old)}; run `make docs`")
        sys.exit(bool(old))
    for name, make in PAGES.items():
        (REFERENCE / name).write_text(make(), encoding="utf-8")
        click.echo(f"docs/reference/{name}")


if __name__ == "__main__":
    main()
