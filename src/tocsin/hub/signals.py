"""Signals: those of the looks at an agency's own incidents, and those of other agencies.

A release opens every report that a signal rests on, and says of the signal what these say by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import asin, atan2, cos, degrees, hypot, radians, sin, sqrt
from statistics import fmean, mode
from typing import Any

from tocsin.errors import Busy, Denied, NotThere
from tocsin.gate import Action, Verdict, made_of, may
from tocsin.hub.acts import Acts, checked_why
from tocsin.hub.caller import Caller
from tocsin.hub.cursor import after_of, next_of
from tocsin.hub.door import MADE_OF, incident_rows, page_of, report_rows, uuid_of
from tocsin.hub.shown import incident_shown, instant, marked
from tocsin.store import Jsonb, Transaction

WITHDRAWN = "a report behind it is no longer yours to see"
NO_SIGNAL = "no such signal, or none that you may see"
#: Of a signal, what it is about and how many its releaser counts. Its odds were counted with all that its releaser sees, and stay there.
RELEASED = ("as_of", "kind", "measure", "violence", "dimension", "actor", "category", "area", "end", "observed")
ENDED = 20  # signals that are raised no more
LATEST = 50  # incidents in the evidence of a signal
EARTH = 6371.0088  # kilometres, mean radius


class Signals(Acts):
    """What looks raised, and what others released; release, request, and who has it."""

    def page(self, who: Caller, *, after: str = "", limit: int = 100) -> dict[str, Any]:
        """Signals of the looks at the incidents of the caller's agency, in their order, and what there is to say of the latest look."""
        agency = who.needs(Action.READ)
        at, ident = after_of(after)
        with self.store.transaction(agency) as tx:
            rows = tx.all("signals_page", audience=agency, after_at=at, after_id=ident, limit=page_of(limit))
            last = tx.one("last_look", audience=agency)
            out = [self._signal(tx, who, row) for row in rows]
            self.log(tx, who, "signals", [str(r["signal_id"]) for r in rows], True, MADE_OF)
        return {"signals": out, "next": next_of(rows, "at", "signal_id", after), "look": None if last is None else _look(last)}

    def standing(self, who: Caller) -> dict[str, Any]:
        """The signals of the latest look at the incidents of the caller's agency, the `ENDED` latest that it raised no more, and what there is to say of it."""
        agency = who.needs(Action.READ)
        with self.store.transaction(agency) as tx:
            last = tx.one("last_look", audience=agency)
            now, ended = tx.all("signals_now", audience=agency), tx.all("signals_ended", audience=agency, limit=ENDED)
            out = {"now": [self._signal(tx, who, row) for row in now], "ended": [self._signal(tx, who, row) for row in ended]}
            self.log(tx, who, "signals", [str(r["signal_id"]) for r in (*now, *ended)], True, MADE_OF)
        return out | {"look": None if last is None else _look(last)}

    def one(self, who: Caller, signal_id: str) -> dict[str, Any]:
        """One signal of the caller's agency as its latest look has it, and of its evidence the incidents that are incidents still. Raises `NotThere`."""
        agency = who.needs(Action.READ)
        with self.store.transaction(agency) as tx:
            row = tx.one("signal_one", audience=agency, signal_id=uuid_of(signal_id))
            self.log(tx, who, "signal", [signal_id], row is not None, MADE_OF if row else NO_SIGNAL)
            if row is None:
                raise NotThere(NO_SIGNAL)
            said = self._signal(tx, who, row)
            found = {row["incident_id"]: row for row in incident_rows(tx, agency, said.get("evidence", [])[-LATEST:])}
        return {"signal": said, "incidents": [incident_shown(row) for row in found.values()][::-1]}

    def release_signal(self, who: Caller, signal_id: str, to: str, why: str) -> dict[str, Any]:
        """Opens to one more agency each report that a signal rests on, and gives it the signal; or nothing, where one may not be passed on.

        The signal is the one of the latest look that raised it. Raises `NotThere`, `Malformed`, `Denied`, `Busy`.
        """
        agency = who.needs(Action.RELEASE)
        self.to(agency, to)
        said = {"to": to, "why": checked_why(why)}
        with self.store.transaction(agency) as tx:
            tx.do("hold")
            row, rows = self._evidence(tx, who, signal_id)
            free, verdict = self.to_release(tx, who, rows, to) if rows else ([], Verdict(False, WITHDRAWN if row else NO_SIGNAL))
            ids = [str(r["report_id"]) for r in rows]
            self.log(tx, who, f"release signal to {to}", [signal_id, *ids], bool(verdict), verdict.reason)
            if row and verdict:
                at = self.now()
                for one in free:
                    mine = Jsonb({"signal_id": str(row["signal_id"])})
                    tx.do("release", who=who.label, at=at, report_id=one["report_id"], released_with=mine, **said)
                body = Jsonb(released(row["body"], rows) | {"look": instant(row["at"]), "every_days": row["every"]})
                done = tx.one("give_signal", who=who.label, at=at, look=row["at"], signal_id=row["signal_id"], body=body, **said)
                if not (done and done["done"]):
                    raise Busy("a report behind it was marked anew meanwhile: try again")
        _check(row, verdict)
        return {"report_ids": ids}

    def request_signal(self, who: Caller, signal_id: str, to: str, why: str) -> dict[str, Any]:
        """Asks the originator of each report that a signal rests on, and that the caller may not pass on, to release it; gives the requests' ids.

        Those that were asked for and are not decided on are not asked for again. Raises `NotThere`, `Malformed`, `Denied`.
        """
        agency = who.needs(Action.REQUEST)
        there = self.to(agency, to)
        said = {"to": to, "why": checked_why(why)}
        made = []
        with self.store.transaction(agency) as tx:
            row, rows = self._evidence(tx, who, signal_id)
            held, verdict = self._to_ask(tx, who, rows, to, there) if rows else ([], Verdict(False, WITHDRAWN if row else NO_SIGNAL))
            self.log(tx, who, f"request release to {to}", [signal_id, *(str(r["report_id"]) for r in held)], bool(verdict), verdict.reason)
            for one in held if verdict else ():
                found = tx.one("request", who=who.label, at=self.now(), report_id=one["report_id"], **said)
                made += [str(found["request_id"])] if found else []
        _check(row, verdict)
        return {"request_ids": made}

    def foreseen(self, who: Caller, signal_id: str, to: str) -> dict[str, Any]:
        """How many reports a signal rests on, how many of them are `held`, and the verdicts on its release and on asking for it. Does nothing.

        Raises `NotThere`, `Denied` where a report behind it has closed, `Malformed`."""
        agency = who.needs(Action.RELEASE)
        there = self.to(agency, to)
        with self.store.transaction(agency) as tx:
            row, rows = self._evidence(tx, who, signal_id)
            _check(row, Verdict(bool(rows), WITHDRAWN))
            _, verdict = self.to_release(tx, who, rows, to)
            held, asked = self._to_ask(tx, who, rows, to, there)
        return {"reports": len(rows), "held": len(held), "release": verdict, "request": asked}

    def who_has(self, who: Caller, signal_id: str) -> dict[str, Any]:
        """Who was given a signal of one's own. What it says they see while they see every report that it rests on. Raises `NotThere`."""
        agency = who.needs(Action.READ)
        with self.store.transaction(agency) as tx:
            row, _ = self._evidence(tx, who, signal_id)
            self.log(tx, who, "who has", [signal_id], row is not None, "its own signal" if row else NO_SIGNAL)
            if row is None:
                raise NotThere(NO_SIGNAL)
            given = tx.all("signal_releases", audience=agency, signal_id=row["signal_id"])
        mine = {"agency": agency, "reason": MADE_OF}
        return {"agencies": [mine, *({"agency": r["agency"], "reason": f"released to {r['agency']}"} for r in given)]}

    def received(self, who: Caller, *, after: str = "", limit: int = 100) -> dict[str, Any]:
        """Signals that other agencies released to the caller's, in the order in which they came."""
        agency = who.needs(Action.READ)
        at, ident = after_of(after)
        with self.store.transaction(agency) as tx:
            rows = tx.all("signals_given", audience=agency, after_at=at, after_id=ident, limit=page_of(limit))
            out = [self._given(tx, who, row) for row in rows]
            self.log(tx, who, "signals received", [str(r["given_id"]) for r in rows], True, MADE_OF)
        return {"signals": out, "next": next_of(rows, "at", "given_id", after)}

    def _signal(self, tx: Transaction, who: Caller, row: dict[str, Any]) -> dict[str, Any]:
        """As it was issued; one whose evidence is not all seen any more says that, and nothing else."""
        when = {"look": instant(row["at"]), "every_days": row["every"]}
        marking = self.marking_of(tx, who, row)
        if marking is None:
            return {"signal_id": str(row["signal_id"])} | when | {"withdrawn": WITHDRAWN}
        said: dict[str, Any] = row["body"]
        return said | when | {"marking": marking}

    def _given(self, tx: Transaction, who: Caller, row: dict[str, Any]) -> dict[str, Any]:
        head = {"signal_id": str(row["given_id"]), "by": row["giver"], "received_at": instant(row["at"])}
        marking = self.marking_of(tx, who, row)
        return head | ({"withdrawn": WITHDRAWN} if marking is None else row["body"] | {"marking": marking})

    def marking_of(self, tx: Transaction, who: Caller, row: Mapping[str, Any]) -> str | None:
        """The strictest marking of the reports that a signal rests on; None where one of them is hidden."""
        found = tx.all("handlings", reports=row["reports"]) if row["body"] is not None else []
        if not found or len(found) != len(row["reports"]):
            return None
        thing = made_of([marked(r) for r in found], self.scheme)
        return thing.marking if may(who.clearance, Action.READ, thing, self.scheme) else None

    def _evidence(self, tx: Transaction, who: Caller, signal_id: str) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """A signal of the caller's agency, and the reports that it rests on; none where one of them has closed."""
        row = tx.one("signal_one", audience=who.agency, signal_id=uuid_of(signal_id))
        if row is None or self.marking_of(tx, who, row) is None:
            return row, []
        rows = report_rows(tx, who.agency, map(str, row["reports"]))
        return row, rows if len(rows) == len(row["reports"]) else []

    def _to_ask(
        self, tx: Transaction, who: Caller, rows: Sequence[dict[str, Any]], to: str, there: set[str]
    ) -> tuple[list[dict[str, Any]], Verdict]:
        """The reports whose originators are to be asked, and whether they can be."""
        free, _ = self.to_release(tx, who, rows, to)
        held = [r for r in free if may(who.clearance, Action.REQUEST, marked(r), self.scheme)]
        if not held:
            return [], Verdict(False, "it may be released without asking")
        if any(r["originator"] not in there for r in held):
            return [], Verdict(False, "an originator has left the hub: nobody is there to decide")
        asked = {r["report_id"] for r in tx.all("asked", audience=who.agency, reports=[r["report_id"] for r in held], to=to)}
        still = [r for r in held if r["report_id"] not in asked]
        return still, Verdict(
            bool(still), "its originators are asked" if still else "it is asked already: GET /api/requests says what was decided"
        )


def _look(row: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = row["said"]
    following = row["at"] + timedelta(days=row["every"])
    return {"at": instant(row["at"]), "every_days": row["every"], "next": instant(following)} | said


def released(body: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A signal as another agency is given it: a function of what it is about and of the reports that it rests on, and of nothing else."""
    said = {k: body[k] for k in RELEASED if k in body}
    days = [r["body"]["event_start"] for r in rows if "event_start" in r["body"]]
    if days:
        said["start"] = min(days)
    if body["kind"] == "cluster":
        said |= _middle(rows)
    return said | {"evidence": sorted(str(r["report_id"]) for r in rows)}


def _middle(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of a cluster, the mean of where its reports are, how far the farthest is from it, in kilometres, and the place that most of them name."""
    at = [(r["body"]["lat"], r["body"]["lon"]) for r in rows if "lat" in r["body"]]
    places = sorted(r["body"]["place"] for r in rows if "place" in r["body"])
    if not at:
        return {"category": mode(places) if places else "where its reports are"}
    lat, lon = _mean(at)
    name = mode(places) if places else f"{lat:.2f}, {lon:.2f}"
    return {"category": name, "lat": lat, "lon": lon, "radius_km": max(_km(lat, lon, *one) for one in at)}


def _mean(at: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The middle of points on a sphere, also of some on both sides of 180 degrees."""
    turned = [(radians(a), radians(o)) for a, o in at]
    x, y = (fmean(cos(a) * f(o) for a, o in turned) for f in (cos, sin))
    z = fmean(sin(a) for a, _ in turned)
    return degrees(atan2(z, hypot(x, y))), degrees(atan2(y, x))


def _km(lat: float, lon: float, lat2: float, lon2: float) -> float:
    """Great-circle distance of two points in degrees, kilometres."""
    a, b = radians(lat), radians(lat2)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(lon2 - lon) / 2) ** 2
    return 2 * EARTH * asin(min(1.0, sqrt(half)))


def _check(row: Mapping[str, Any] | None, verdict: Verdict) -> None:
    """Raises `NotThere` where there is no such signal, `Denied` where the verdict says no."""
    if row is None:
        raise NotThere(NO_SIGNAL)
    if not verdict:
        raise Denied(verdict.reason)
