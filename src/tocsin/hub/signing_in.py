"""Signing in in the browser: a password and a code of six digits (RFC 6238) open a session, which is a caller like a token's.

Who fails is told the same, after the same work, whether the account exists or not; and waits longer with every failure.
"""

from __future__ import annotations

import hashlib
import hmac
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from tocsin.errors import Denied, Malformed, NotKnown, NotThere, Wait
from tocsin.gate import Clearance, Role
from tocsin.hub.caller import Caller, hashed, new_secret
from tocsin.hub.clock import Clock
from tocsin.store import Store

IDLE, WHOLE = timedelta(minutes=30), timedelta(hours=12)  # that a session holds without being used, and in all
SHORTEST, LONGEST = 12, 200  # characters of a password
FREE_ACCOUNT, FREE_ADDRESS = 5, 30  # failures before there is a wait; behind one address there may be a whole agency
STEP = 30  # seconds of a code; that of the step before and after is taken too, for clocks differ
WRONG = "agency, name, password or code is wrong, or the code was used before: wait for the next one"
NO_LINK = "no such invitation, or it was used or has expired: ask your administrator for a new one"


@dataclass(frozen=True)
class Invited:
    """Whom a link invites (no agency: to the hub's own staff), and the address by which an authenticator app takes the secret."""

    agency: str
    name: str
    totp: str

    @property
    def uri(self) -> str:
        """What the picture for the app says."""
        return pyotp.TOTP(self.totp).provisioning_uri(name=f"{self.name} ({self.agency or 'the hub'})", issuer_name="tocsin")


class SigningIn:
    """Opens and ends sessions. now: the hub's clock; wall: the machine's, in seconds, for an authenticator app knows no other."""

    def __init__(self, store: Store, now: Clock, wall: Callable[[], float] = time.time, hasher: PasswordHasher | None = None) -> None:
        self.store, self.now, self.wall, self.hasher = store, now, wall, hasher or PasswordHasher()

    def invited(self, link: str) -> Invited:
        """Whom a link invites; looking does not use it up. Raises `NotThere`."""
        with self.store.transaction(None) as tx:
            row = tx.one("invited", hash=hashed(link), at=self.now())
        if row is None:
            raise NotThere(NO_LINK)
        return Invited(row["agency"], row["name"], row["totp"])

    def accept(self, link: str, password: str, again: str, code: str, address: str) -> str:
        """Makes the account, and opens its first session, whose secret it gives. Raises `NotThere`; `Malformed` where the password or the code does not do."""
        one = self.invited(link)
        if password != again:
            raise Malformed("the two passwords differ: type the same one twice")
        if not SHORTEST <= len(password) <= LONGEST:
            raise Malformed(f"a password has {SHORTEST} to {LONGEST} characters: four or five words that are yours alone do well")
        if (len(one.name) > 3 and one.name.lower() in password.lower()) or len(set(password)) < 5:
            raise Malformed("a password has at least five different characters, and not your name in it")
        step = self._step(one.totp, code)
        if step is None:
            raise Malformed("the code is not the one that the app shows now: see whether the phone's clock is right")
        kept = self.hasher.hash(_plain(password))
        with self.store.transaction(None) as tx:
            row = tx.one("accept", at=self.now(), hash=hashed(link), password=kept, step=step)
        if not (row and row["done"]):
            raise NotThere(NO_LINK)
        session = self._begin(one.agency, one.name, kept, step, address, "accept invitation")
        if session is None:
            raise Denied(WRONG)
        return session

    def sign_in(self, agency: str, name: str, password: str, code: str, address: str) -> str:
        """Opens a session and gives its secret; the hub's own staff has no agency. Raises `Denied` for whatever is wrong, or `Wait` after too many failures."""
        account, place = _key("account", agency, name), _key("address", address)
        with self.store.transaction(None) as tx:
            row = tx.one("try", at=self.now(), keys=[account, place], free=[FREE_ACCOUNT, FREE_ADDRESS])
            if row and row["wait"]:
                raise Wait(row["wait"])
            found = tx.one("secret_of", agency=agency, name=name)
        kept, totp = (found["password"], found["totp"]) if found else self._nobodys
        right = self._verified(kept, password)
        step = self._step(totp, code)
        session = self._begin(agency, name, kept, step, address, "sign in") if found and right and step is not None else None
        if session is None:
            self._refused(agency if found else None, label_of(name) if found else "nobody known", address)
            raise Denied(WRONG)
        with self.store.transaction(None) as tx:
            tx.do("forgive", account=account, address=place)
        return session

    def caller(self, session: str | None) -> Caller:
        """Whose session it is. Raises `NotKnown`."""
        at = self.now()
        with self.store.transaction(None) as tx:
            values = {"seen_after": at - IDLE, "began_after": at - WHOLE}
            row = tx.one("session_of", hash=hashed(session), at=at, **values) if session else None
        if row is None:
            raise NotKnown("you are not signed in, or were signed out after a while: sign in")
        return Caller(label_of(row["name"]), Clearance(row["agency"], frozenset(map(Role, row["roles"])), frozenset(row["groups"])))

    def sign_out(self, who: Caller, session: str) -> None:
        """Ends a session."""
        with self.store.transaction(who.clearance.agency) as tx:
            tx.do("end_session", hash=hashed(session))
            tx.note(at=self.now(), who=who.label, what="sign out", things=[], allowed=True, reason="it asked to")

    @cached_property
    def _nobodys(self) -> tuple[str, str]:
        """What is verified where there is no such account, so that it takes as long."""
        return self.hasher.hash(new_secret()), pyotp.random_base32()

    def _verified(self, kept: str, password: str) -> bool:
        _ = self._nobodys  # made with the first sign-in, whoever's it is
        try:
            return self.hasher.verify(kept, _plain(password[: LONGEST + 1]))
        except VerificationError:
            return False

    def _step(self, secret: str, code: str) -> int | None:
        """The half minute whose code it is, if it is one of now."""
        said = "".join(str(unicodedata.digit(c, "")) for c in code if not c.isspace())
        totp, now, found = pyotp.TOTP(secret), int(self.wall()) // STEP, None
        for step in (now - 1, now, now + 1):
            if hmac.compare_digest(totp.generate_otp(step), said):
                found = step
        return found

    def _begin(self, agency: str, name: str, kept: str, step: int, address: str, what: str) -> str | None:
        session, at = new_secret(), self.now()
        with self.store.transaction(agency) as tx:
            row = tx.one("begin_session", at=at, hash=hashed(session), agency=agency, name=name, password=kept, step=step)
            if not (row and row["done"]):
                return None
            tx.note(at=at, who=label_of(name), what=what, things=[address], allowed=True, reason="password and code")
        return session

    def _refused(self, agency: str | None, who: str, address: str) -> None:
        """In the log of the agency whose account it is; where there is none, in the staff's, without the name: it may be a password in the wrong field."""
        with self.store.transaction(agency) as tx:
            tx.note(at=self.now(), who=who, what="sign in", things=[address], allowed=False, reason="wrong password or code")


def label_of(name: str) -> str:
    """As a person stands in a log: no token's label has parentheses."""
    return f"{name} (person)"


def _plain(password: str) -> str:
    """The same characters, however a keyboard puts them together."""
    return unicodedata.normalize("NFKC", password)


def _key(*said: str) -> bytes:
    return hashlib.sha256("\0".join(said).encode("utf-8", "surrogateescape")).digest()
