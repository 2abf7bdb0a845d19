"""tocsin who-can-see: who may see a report of one's own agency, and why; or to whom a signal was released."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import click

from tocsin.cli.client import TOKEN_FILE, URL, client_of


@click.command(name="who-can-see")
@click.argument("report")
@URL
@TOKEN_FILE
@click.option("--signal", is_flag=True, help="REPORT is the id of a signal of your agency: say to whom it was released.")
def who_can_see(report: str, url: str, token_file: Path | None, signal: bool) -> None:
    """Say who may see REPORT (its id), a report of your own agency, and why."""
    told = client_of(url, token_file).ask("GET", f"/api/{'signals' if signal else 'reports'}/{quote(report, safe='')}/who")
    width = max((len(one["agency"]) for one in told["agencies"]), default=0)
    for one in told["agencies"]:
        click.echo(f"{one['agency']:{width}}  {one['reason']}")
    for group in told.get("groups", ()):
        click.echo(f"{'':{width}}  and who is in the group {group}, which your agency is not in")
    for warning in told.get("warnings", ()):
        click.echo(f"warning: {warning}")
