"""What changed in incidents and judgements, given to the readers by TAXII: in transactions of its own, each of which is short, for writes wait for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tocsin.hub.clock import Clock
from tocsin.store import Store

AT_ONCE = 2_000  # incidents and judgements that one transaction looks at
_TAKEN = timedelta(microseconds=8 * AT_ONCE)  # what it may need is taken of the past, so that no write that follows is put off by it
_NEVER = datetime.min.replace(tzinfo=UTC)


def give(store: Store, now: Clock | None = None) -> bool:
    """Gives some of what is to be given, in one transaction; whether there may be more.

    now: gives its time, where the hub has not given a later one; without it, it follows the last that the hub gave. Raises `StoreError`.
    """
    with store.transaction(None) as tx:
        done = tx.one("publish", at=now() - _TAKEN if now else _NEVER, many=AT_ONCE)
    return done is not None and bool(done["done"])
