"""What waits to be made. Looks have the same moments for every audience, whatever it or any other does."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from tocsin.errors import OptionError
from tocsin.store import Store

#: How often the making of a picture is tried.
TRIES = 3
#: A look waits so long, so that a clock that is a little behind has passed its moment too.
LATE = timedelta(minutes=1)
LONGEST = 182  # days between two looks: a look watches so many
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def days_of(text: str) -> int:
    """Days between two looks, of `1d`, `7d` or `2w`. Raises `OptionError`."""
    found = re.fullmatch(r"(\d{1,3})([dw])", text.strip())
    days = int(found[1]) * (7 if found[2] == "w" else 1) if found else 0
    if not 1 <= days <= LONGEST:
        raise OptionError(f"--look-every {text!r} is no time between two looks: give 1d to {LONGEST}d, or weeks, such as 2w")
    return days


def moment(now: datetime, every: int) -> datetime:
    """The latest moment of a look: midnight UTC of every so many days since 1970-01-01. every: days."""
    days = (now - LATE - _EPOCH).days
    return _EPOCH + timedelta(days=days - days % every)


def waits(store: Store, what: str, every: int, now: datetime) -> bool:
    """Whether any of `pictures`, or of `looks`, is to be made; a picture that is gone is taken away here. Raises `StoreError`."""
    with store.transaction(None) as tx:
        if what == "looks":
            return tx.one("look_due", at=moment(now, every)) is not None
        wanted = tx.one("picture_wanted", most=TRIES)
        if wanted is not None and wanted["gone"]:
            tx.do("sweep")
        return wanted is not None and not wanted["gone"]
