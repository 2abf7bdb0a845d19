"""A client of the hub's API, for the command line."""

from __future__ import annotations

import json
import os
import sys
from http.client import BadStatusLine, HTTPException
from ipaddress import ip_address
from pathlib import Path
from ssl import SSLCertVerificationError
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

import click

from tocsin.errors import HubError, OptionError

#: Statuses after which the same request may do: too many at once, or what stands behind the server is away.
PASSING = frozenset({429, 500, 502, 503, 504})


class Passing(HubError):
    """The hub did not do it now; the same request may do later. after: seconds that the hub asked to be left alone."""

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


class TooLarge(HubError):
    """The hub does not take so much at once."""


class Missing(HubError):
    """The hub has no such thing, or none that the token may see."""


class Client:
    """Asks one hub with one token. A token goes over TLS, or stays on this machine: another address is refused (`OptionError`)."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self._token = url.rstrip("/"), token
        try:
            at = urlsplit(self.url)
            fits = (
                at.scheme in ("http", "https")
                and at.hostname
                and at.port != 0
                and self.url.isascii()
                and not set(self.url) & {" ", "?", "#"}
            )
        except ValueError:  # of the port
            fits = False
        if not fits or at.hostname is None:
            raise OptionError(f"{url}: an address of the form https://hub.example, or http://127.0.0.1:8000, is wanted")
        if not (token.isascii() and token.isprintable()):
            raise OptionError(
                "the token has letters that no token has (a quotation mark, a line's end): copy it anew, without what stands around it"
            )
        here = at.hostname == "localhost" or _loopback(at.hostname)
        if at.scheme == "http" and not here:
            raise OptionError(f"{url}: the token and the reports would go over the network for all to read; give an https:// address")
        self._opener = build_opener(_NoRedirect, *([ProxyHandler({})] if here else []))

    def ask(self, method: str, path: str, body: Any = None, *, timeout: float = 60.0) -> dict[str, Any]:
        """The answer to one request. body: bytes are sent as they are, other things as JSON. Raises `Passing`, `TooLarge`, `HubError`."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            with self._opener.open(Request(self.url + path, sent, headers, method=method), timeout=timeout) as answer:
                out: dict[str, Any] = json.load(answer)
                return out
        except HTTPError as why:
            raise self._refused(why) from why
        except (BadStatusLine, ValueError) as why:
            if isinstance(why, OSError):  # it ended before it answered
                raise self._away(why) from why
            raise HubError(f"{self.url}: what answers there is no hub: see to the address and its port") from why
        except (HTTPException, OSError) as why:
            reason = why.reason if isinstance(why, URLError) else why
            if isinstance(reason, SSLCertVerificationError) or "WRONG_VERSION_NUMBER" in str(reason):
                raise HubError(f"{self.url}: no https can be had there ({reason}): see to the address, and to its certificate") from why
            raise self._away(reason) from why

    def _away(self, reason: object) -> Passing:
        return Passing(f"{self.url} does not answer ({reason}): is the hub running there? Start it with `tocsin serve`")

    def _refused(self, why: HTTPError) -> HubError:
        try:
            reason = f"{self.url}: {json.load(why)['error']['reason']}"
        except (ValueError, KeyError, TypeError, OSError):
            to = f", {moved}: give that address" if 300 <= why.code < 400 and (moved := why.headers.get("Location")) else ""
            reason = (
                f"{self.url}: status {why.code}{to}"
                if why.code >= 500 or to
                else f"{self.url}: status {why.code}, and not of a hub: see to the address"
            )
        if why.code == 401:
            reason = (
                f"{self.url}: the token is none of this hub's, has expired or was revoked: see to TOCSIN_TOKEN or --token-file, "
                "or ask your agency's administrator, or the hub's staff, for another"
            )
        if why.code in PASSING:
            after = why.headers.get("Retry-After", "")
            return Passing(reason, float(after) if after.isdigit() else 0.0)
        return {404: Missing, 413: TooLarge}.get(why.code, HubError)(reason)


class _NoRedirect(HTTPRedirectHandler):
    """A token goes where it was told to and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


#: How every command is told its token: never as a word of the command, which all the machine's users can read while it runs.
TOKEN_FILE = click.option(
    "--token-file",
    type=click.Path(path_type=Path, allow_dash=True),
    help="File with the token, or - for standard input; by default the environment's TOCSIN_TOKEN.",
)


URL = click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="Where the hub is.")


def client_of(url: str, token_file: Path | None) -> Client:
    """Asks the hub at an address with the token of a file or of standard input, or else TOCSIN_TOKEN's. Raises `OptionError`."""
    return Client(url, _token_of(token_file))


def _token_of(file: Path | None) -> str:
    given = os.environ.get("TOCSIN_TOKEN")
    if file is not None:
        try:
            given = sys.stdin.readline() if str(file) == "-" else file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as why:
            raise OptionError(f"{file}: the token cannot be read from it ({why})") from why
    if not given or not given.strip():
        raise OptionError(
            "no token: put it into the environment as TOCSIN_TOKEN, or into a file and name that with --token-file (- is standard input)"
        )
    return given.strip()
