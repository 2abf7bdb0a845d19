"""Who asks: a token or a session, and the clearance behind it."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from tocsin.errors import Denied
from tocsin.gate import Action, Clearance, Role
from tocsin.gate.rule import ROLES

PREFIX = "tocsin_"


@dataclass(frozen=True)
class Caller:
    """The label of a token or a person, and what it may."""

    label: str
    clearance: Clearance

    @property
    def is_staff(self) -> bool:
        """Whether it is of the hub's own staff, which has no agency."""
        return self.clearance.agency is None

    @property
    def agency(self) -> str:
        """The agency in whose name it asks. Raises `Denied` for the hub's own staff, which sees no report."""
        if self.clearance.agency is None:
            raise Denied("this is for agencies: a token of the hub's own staff sees no report")
        return self.clearance.agency

    def needs(self, action: Action) -> str:
        """The agency, where its roles may do this to anything at all; says nothing of any one thing. Raises `Denied`."""
        agency = self.agency
        self.has(ROLES[action], str(action))
        return agency

    def has(self, roles: frozenset[Role], what: str) -> None:
        """Raises `Denied` where it has none of the roles."""
        if not self.clearance.roles & roles:
            raise Denied(f"{what} takes the role {' or '.join(sorted(roles))}")


def new_token() -> str:
    """256 random bits, with a prefix by which a leaked one is recognised."""
    return PREFIX + new_secret()


def new_secret() -> str:
    """256 random bits, of an invitation or a session."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
