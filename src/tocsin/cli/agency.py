"""tocsin agency: what the hub's own staff does, by its API."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from tocsin.cli.client import TOKEN_FILE, URL, client_of

ROLES = ("submit", "analyse", "administer_agency", "oversee")


@click.group()
def agency() -> None:
    """Agencies of a hub, their groups, people and tokens."""


@agency.command()
@click.argument("name")
@URL
@TOKEN_FILE
def add(name: str, url: str, token_file: Path | None) -> None:
    """Take the agency NAME into the hub."""
    _ask(url, token_file, "POST", "/api/agencies", {"name": name})
    click.echo(f"{name} is in the hub; give it a token with: tocsin agency token {shlex.quote(name)}")


@agency.command(name="token")
@click.argument("name")
@click.option("--label", help="What the token is called in logs; by default NAME.")
@click.option(
    "--role", "roles", type=click.Choice(ROLES), multiple=True, default=("submit", "analyse"), show_default=True, help="Several times."
)
@click.option("--days", type=int, default=365, show_default=True, help="How long it holds.")
@URL
@TOKEN_FILE
def make_token(name: str, label: str | None, roles: tuple[str, ...], days: int, url: str, token_file: Path | None) -> None:
    """Make a token for the agency NAME, and print it, this once."""
    made = _ask(url, token_file, "POST", "/api/tokens", {"label": label or name, "agency": name, "roles": list(roles), "days": days})
    click.echo(made["token"])


@agency.command()
@click.argument("person")
@click.option("--agency", "of", help="Whose they become; by default the token's own: an agency's, or the hub's staff's.")
@click.option("--role", "roles", type=click.Choice((*ROLES, "administer_hub")), multiple=True, required=True, help="Several times.")
@click.option("--hours", type=int, default=72, show_default=True, help="How long the link holds.")
@URL
@TOKEN_FILE
def invite(person: str, of: str | None, roles: tuple[str, ...], hours: int, url: str, token_file: Path | None) -> None:
    """Invite PERSON to sign in in the browser, and print the link, this once, by which they choose a password."""
    said = {"name": person, "roles": list(roles), "hours": hours} | ({"agency": of} if of else {})
    made = _ask(url, token_file, "POST", "/api/invitations", said)
    click.echo(f"{url.rstrip('/')}{made['path']}")


@agency.command()
@click.argument("name")
@click.option("--label", help="Which of its tokens; by default the one that is called NAME.")
@URL
@TOKEN_FILE
def revoke(name: str, label: str | None, url: str, token_file: Path | None) -> None:
    """A token of the agency NAME holds no longer."""
    _ask(url, token_file, "DELETE", f"/api/tokens/{quote(label or name, safe='')}?agency={quote(name, safe='')}")
    click.echo(f"{label or name} holds no longer.")


@agency.command()
@URL
@TOKEN_FILE
def tokens(url: str, token_file: Path | None) -> None:
    """List the tokens that the caller sees to: their agency, label, roles and end, no secrets."""
    for one in _ask(url, token_file, "GET", "/api/tokens")["tokens"]:
        end = f"revoked {one['revoked_at'][:10]}" if "revoked_at" in one else f"until {one['expires'][:10]}"
        click.echo(
            f"{one.get('agency', 'the hub')}  {one['label']}  {','.join(one['roles'])}  {end}  made {one['made_at'][:10]} by {one['made_by']}"
        )


@agency.command()
@click.argument("name")
@click.option("--reports", type=click.Choice(["keep", "purge", "hand-to"]), required=True, help="What becomes of its reports.")
@click.option("--to", help="The agency that they are handed to.")
@click.option("--yes", is_flag=True, help="Without asking once more.")
@URL
@TOKEN_FILE
def leave(name: str, reports: str, to: str | None, yes: bool, url: str, token_file: Path | None) -> None:
    """The agency NAME leaves the hub: its tokens end at once, and its name stays taken."""
    if not yes:
        click.confirm(f"{name} leaves, and its reports: {reports} {to or ''}. It cannot come back under this name. Go on?", abort=True)
    _ask(url, token_file, "POST", f"/api/agencies/{quote(name, safe='')}/leave", {"reports": reports} | ({"to": to} if to else {}))
    click.echo(f"{name} has left; its reports: {reports} {to or ''}".rstrip() + ".")


@agency.command()
@click.argument("group")
@click.argument("name")
@click.option("--leave", is_flag=True, help="Out of it.")
@URL
@TOKEN_FILE
def group(group: str, name: str, leave: bool, url: str, token_file: Path | None) -> None:
    """Take the agency NAME into GROUP."""
    _ask(url, token_file, "DELETE" if leave else "PUT", f"/api/groups/{quote(group, safe='')}/{quote(name, safe='')}")
    click.echo(f"{name} is {'no longer ' if leave else ''}in {group}.")


def _ask(url: str, token_file: Path | None, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    return client_of(url, token_file).ask(method, path, body)
