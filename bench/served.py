"""A hub for a bench to ask: `tocsin serve` in a process of its own, with no limit on how often it is asked, and agencies with a token each."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any


def begun(folder: Path, port: int, log: Path | None = None) -> tuple[subprocess.Popen[str], str]:
    """The process when it is ready, and what it said until then; log: where what goes wrong in it is written on."""
    words = [sys.executable, "-m", "tocsin", "serve", "--data", str(folder), "--port", str(port), "--requests-per-second", "1000000"]
    with (log or Path("/dev/null")).open("ab") as errors:
        hub = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert hub.stdout is not None
    said = ""
    while "Ready" not in said:
        line = hub.stdout.readline()
        if not line:
            sys.exit(f"the hub did not start: {f'see {log}' if log else 'try `tocsin serve --data FOLDER`'}")
        said += line
    return hub, said


def ask(port: int, token: str, method: str, path: str, body: Any = None) -> Any:
    """The answer to one request."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    return json.loads(connection.getresponse().read())


def taken_in(port: int, said: str, names: Iterable[str], roles: Iterable[str]) -> dict[str, str]:
    """Takes agencies into a new hub; the token of each, and of the hub's first administrator as `admin`. said: what it said at its start."""
    found = re.search(r"tocsin_\S+", said)
    assert found is not None, "a new hub is wanted: give another folder"
    tokens = {"admin": found[0]}
    for name in names:
        ask(port, tokens["admin"], "POST", "/api/agencies", {"name": name})
        body = {"label": name, "agency": name, "roles": [*roles]}
        tokens[name] = ask(port, tokens["admin"], "POST", "/api/tokens", body)["token"]
    return tokens
