"""People of agencies who sign in in the browser, for tests: what they do by hand, over HTTP."""

from __future__ import annotations

import re
import time
from typing import Any

import pyotp
from httpx import Response
from hubs import World
from litestar.testing import TestClient

PASSWORD = "four quiet words at dusk"


class Wall:
    """The machine's clock, which goes on by a code's half minute when told: a code is good once."""

    def __init__(self) -> None:
        self.at = time.time()

    def __call__(self) -> float:
        return self.at

    def next_code(self) -> None:
        self.at += 30


class Person:
    """A person with a browser and a phone."""

    def __init__(self, world: World, agency: str, name: str) -> None:
        self.world, self.agency, self.name, self.totp = world, agency, name, ""
        self.client = TestClient(world.client.app, raise_server_exceptions=False)

    def get(self, path: str) -> Response:
        """A page; nobody is led on."""
        return self.client.get(path, follow_redirects=False)

    def post(self, path: str, fields: dict[str, Any], at: str | None = None) -> Response:
        """Fills in the form of a page."""
        form = re.search(r'name="form" value="(\w+)"', self.get(at or path).text)
        assert form is not None, at or path
        return self.client.post(path, data={"form": form[1]} | fields, follow_redirects=False)

    def code(self) -> str:
        """What the phone shows."""
        return pyotp.TOTP(self.totp).at(int(self.world.hub.signing_in.wall()))

    def accept(self, path: str, password: str = PASSWORD, code: str | None = None) -> Response:
        """Opens the link of an invitation, and makes the account."""
        secret = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', self.get(path).text)
        assert secret is not None
        self.totp = secret[1].replace(" ", "")
        return self.post(path, {"password": password, "again": password, "code": code or self.code()})

    def sign_in(self, password: str = PASSWORD, code: str | None = None, name: str | None = None, agency: str | None = None) -> Response:
        """Signs in; without a code, with the next one."""
        if code is None:
            self.world.hub.signing_in.wall.next_code()  # type: ignore[attr-defined]
            code = self.code()
        said = {"agency": self.agency if agency is None else agency, "name": name or self.name, "password": password, "code": code}
        return self.post("/sign-in", said)


def person(world: World, agency: str, name: str, *roles: str) -> Person:
    """A person who was invited by the agency's administrator, has accepted, and is signed in. No agency: of the hub's own staff."""
    if not isinstance(world.hub.signing_in.wall, Wall):
        world.hub.signing_in.wall = Wall()
    made = world.ask(agency or "admin", "POST", "/api/invitations", {"name": name, "roles": list(roles)})
    assert made.status_code == 201, made.text
    one = Person(world, agency, name)
    assert one.accept(made.json()["path"]).status_code == 303
    return one
