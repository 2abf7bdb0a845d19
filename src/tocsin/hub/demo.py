"""26 invented agencies that share the bundled data: which of them reports what, and who may see it, is drawn from each report's id, alike every time."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

from tocsin.errors import Malformed
from tocsin.gate import Clearance, Role
from tocsin.hub import MOST, Hub
from tocsin.hub.caller import Caller
from tocsin.terms.ids import report_id as id_of
from tocsin.terms.posts import as_post

if TYPE_CHECKING:
    import polars as pl

AGENCIES = tuple(f"invented-{n:02}" for n in range(1, 27))
#: Each of the groups is every third agency or so; an agency may be in none, or in two.
GROUPS = {f"invented-group-{g}": tuple(a for n, a in enumerate(AGENCIES) if n % step == 0) for g, step in ((1, 3), (2, 4), (3, 5))}
#: How often each marking is drawn, of 100.
MARKINGS = {"CLEAR": 10, "GREEN": 40, "AMBER": 20, "AMBER+STRICT": 15, "RED": 15}
ORCON = 10  # of 100
#: Agencies whose tokens are printed.
SHOWN = ("invented-07", "invented-13", "invented-25")
STAFF = Caller("demo", Clearance(None, frozenset({Role.ADMINISTER_HUB})))
Say = Callable[[str], None]


def fill(hub: Hub, say: Say, stop: threading.Event, *, last: int | None = None) -> dict[str, str]:
    """Takes the agencies into a hub and has them report; gives tokens by agency, none where they were given before. Goes on where it was stopped.

    last: so many of the bundled reports, those at the end of the file; by default all.

    Raises `Malformed` for a hub that has other agencies.
    """
    said = hub.agencies(STAFF)
    there, groups = said["agencies"], said["groups"]
    if others := [name for name in there if name not in AGENCIES]:
        raise Malformed(f"--demo fills a hub of its own, and this one has the agency {others[0]}: give a new folder with --data")
    for name in AGENCIES:
        if name not in there:
            hub.staff.add_agency(STAFF, name)
    for group, members in GROUPS.items():
        for name in members:
            if name not in groups.get(group, ()):  # whoever is taken in again has all that names the group looked at again
                hub.staff.set_member(STAFF, group, name, True)
    posts = _posts(last)
    total, sent = sum(map(len, posts.values())), 0
    for name, mine in posts.items():
        for at in range(0, len(mine), MOST):
            if stop.is_set():
                return {}
            hub.submit(_caller(name, Role.SUBMIT), mine[at : at + MOST])
        sent += len(mine)
        say(f"{name} has reported: {sent:,} of {total:,} reports")
    return _tokens(hub)


def pictures(hub: Hub, say: Say, stop: threading.Event) -> None:
    """Waits until each agency has the incidents of what it sees, and says so of each."""
    waiting = list(AGENCIES)
    while waiting and not stop.wait(0.2):
        for name in tuple(waiting):
            if hub.incidents(_caller(name, Role.ANALYSE), limit=1)["current"]:
                waiting.remove(name)
                say(f"{name} has its picture: {len(AGENCIES) - len(waiting)} of {len(AGENCIES)}")


def _caller(name: str, role: Role) -> Caller:
    return Caller("demo", Clearance(name, frozenset({role})))


def _tokens(hub: Hub) -> dict[str, str]:
    out = {}
    for name in SHOWN:
        try:
            out[name] = hub.tokens.add(STAFF, name, name, ["submit", "analyse", "administer_agency"], 365)["token"]
        except Malformed:  # given before
            return {}
    return out


def _posts(last: int | None) -> dict[str, list[dict[str, Any]]]:
    """What each agency posts."""
    reports = _reports().sort("row", maintain_order=True).tail(last) if last is not None else _reports()
    owner = {i: AGENCIES[_chance(i).randrange(len(AGENCIES))] for i in reports["report_id"]}
    out: dict[str, list[dict[str, Any]]] = {name: [] for name in AGENCIES}
    for row in reports.iter_rows(named=True):
        name = owner[row["report_id"]]
        post = as_post(name, row, _handling(row["report_id"], name))
        if row["derived_from"]:
            post["derived_from"] = [id_of(owner[i], i) for i in row["derived_from"] if i in owner]
        out[name].append(post)
    return out


def _reports() -> pl.DataFrame:
    from tocsin.intake import read  # loaded here: only a demo does without a file of its own

    with as_file(files("tocsin.data").joinpath("ged221_pakistan.csv.gz")) as path:
        return read(path).reports


def _chance(report_id: str) -> random.Random:
    return random.Random(report_id)


def _handling(report_id: str, name: str) -> dict[str, Any]:
    chance = _chance(report_id)
    chance.random()  # the first was spent on who reports it
    marking = chance.choices(list(MARKINGS), list(MARKINGS.values()))[0]
    others = [a for a in AGENCIES if a != name]
    to = {
        "AMBER": lambda: sorted([*chance.sample(others, 2), f"group:{chance.choice(sorted(GROUPS))}"]),
        "AMBER+STRICT": lambda: sorted(chance.sample(others, 3)),
        "RED": lambda: sorted(chance.sample(others, chance.randrange(3))),
    }.get(marking, list)()
    return {"marking": marking, "releasable_to": to, "orcon": chance.randrange(100) < ORCON}
