"""Files that an agency sends in the browser: each is read and submitted beside the request, and what became of it stands for a week, for that agency alone.

What is under way is in memory: a hub that stops meanwhile keeps what it has taken, and says that it stopped. Sending the same file again is harmless.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from tocsin.errors import Busy, Denied, Malformed, NotThere, StoreError, TocsinError, TooMany
from tocsin.gate import Action, Scheme
from tocsin.hub.caller import Caller
from tocsin.hub.clock import Clock
from tocsin.hub.door import MOST, Door, Submit, uuid_of
from tocsin.hub.files import read_file, sketch_file, warned_of
from tocsin.hub.shown import instant
from tocsin.hub.signing_in import label_of
from tocsin.hub.summed import summed
from tocsin.store import Jsonb, Store
from tocsin.terms.posts import as_post

if TYPE_CHECKING:
    import polars as pl

T = TypeVar("T")
OF_AGENCY, OF_ALL = 2, 8  # files under way at once
LARGEST, MOST_REPORTS = 10_000_000, 200_000  # bytes of a file, and reports in it
HELD = 1_800.0  # seconds that a file waits for its description
PATIENCE = 600.0  # seconds that a file waits for others to be read
TRIES, PAUSE = 10, 2.0  # where the database does not answer, and the seconds between two
NO_UPLOAD = "no such file, or none that you may see: what became of a file stands for a week"
AGAIN = "what was taken before that stands; send the file again, which is harmless"


@dataclass(frozen=True)
class Sending:
    """A file that is under way. stage: waiting, reading, sending, or described: it waits for a description of its columns."""

    ident: str
    who: Caller
    name: str
    body: bytes
    handling: dict[str, Any]
    key: str
    description: str = ""
    stage: str = "waiting"
    done: int = 0
    total: int = 0
    draft: str = ""
    wrong: str = ""


class Uploads(Door):
    """Takes files, and says how far each is."""

    def __init__(self, store: Store, now: Clock, scheme: Scheme | None, submit: Submit) -> None:
        super().__init__(store, now, scheme)
        self._submit, self._lock, self.held = submit, threading.Lock(), HELD
        self._live: dict[str, Sending] = {}

    def begin(self, who: Caller, name: str, body: bytes, handling: dict[str, Any], description: str = "") -> str:
        """Begins with a file and gives the id under which it goes; the same file that is under way already goes on. Raises `Malformed`, `TooMany`, `Busy`."""
        agency = who.needs(Action.SUBMIT)
        name = "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable())[:120]
        if not name or not body:
            raise Malformed("file: choose one that is not empty")
        if len(body) > LARGEST:
            raise Malformed(f"file: larger than {LARGEST // 1_000_000} MB; `tocsin push` sends one of any size")
        _, reasons = self.checked(handling)
        if reasons:
            raise Malformed("; ".join(reasons))
        key = hashlib.sha256(repr((agency, name, sorted(handling.items()), description)).encode() + body).hexdigest()
        one = Sending(str(uuid.uuid4()), who, name, body, handling, key, description)
        there = self._take(agency, one)
        if there is not None:
            return there
        try:
            with self.store.transaction(agency) as tx:
                tx.do("begin_upload", at=self.now(), upload_id=uuid.UUID(one.ident), who=who.label, name=name)
                self.log(tx, who, "upload", [name], True, "its own file")
        except Exception:
            self._end(one.ident)
            raise
        self._start(one.ident)
        return one.ident

    def describe(self, who: Caller, ident: str, description: str) -> None:
        """Goes on with a file that waits for a description of its columns. Raises `NotThere`, `Malformed`."""
        agency = who.needs(Action.SUBMIT)
        if not description.strip() or len(description) > 50_000:
            raise Malformed("description: say which column is what, in at most 50,000 characters")
        with self._lock:
            one = self._live.get(ident)
            if one is None or one.who.agency != agency:
                raise NotThere(NO_UPLOAD)
            if one.stage != "described":
                return  # it was sent twice
            self._live[ident] = replace(one, description=description, stage="waiting")
        self._start(ident)

    def one(self, who: Caller, ident: str) -> dict[str, Any]:
        """How far a file is, or what became of it. Raises `NotThere`."""
        agency = who.needs(Action.SUBMIT)
        with self.store.transaction(agency) as tx:
            row = tx.one("upload_one", audience=agency, upload_id=uuid_of(ident))
        if row is None:
            raise NotThere(NO_UPLOAD)
        return self._told(row)

    def all(self, who: Caller) -> list[dict[str, Any]]:
        """The files that the caller's agency sent within a week, the latest first."""
        agency = who.needs(Action.SUBMIT)
        with self.store.transaction(agency) as tx:
            return [self._told(row) for row in tx.all("uploads", audience=agency)]

    def _told(self, row: dict[str, Any]) -> dict[str, Any]:
        said: dict[str, Any] = {"upload_id": str(row["upload_id"]), "at": instant(row["at"]), "who": row["who"], "name": row["name"]}
        if row["said"] is not None:
            return {**said, "stage": "done", **row["said"]}
        one = self._live.get(said["upload_id"])
        if one is None:
            return said | {"stage": "stopped"}
        return said | {k: getattr(one, k) for k in ("stage", "done", "total", "draft", "description", "wrong")}

    def _take(self, agency: str, one: Sending) -> str | None:
        """Room for one more; the id of the same file where that is under way."""
        with self._lock:
            mine = [o for o in self._live.values() if o.who.agency == agency]
            same = next((o.ident for o in mine if o.key == one.key), None)
            if same is None and len(mine) >= OF_AGENCY:
                raise TooMany(f"{OF_AGENCY} files of your agency are under way: wait until one of them is done")
            if same is None and len(self._live) >= OF_ALL:
                raise Busy("other files are being read: send it again in a moment, or use `tocsin push`, which reads on your machine")
            if same is None:
                self._live[one.ident] = one
            return same

    def _start(self, ident: str) -> None:
        threading.Thread(target=self._run, args=(ident,), daemon=True).start()

    def _now(self, ident: str, **changed: Any) -> Sending:
        with self._lock:
            self._live[ident] = one = replace(self._live[ident], **changed)
            return one

    def _end(self, ident: str) -> None:
        with self._lock:
            self._live.pop(ident, None)

    def _let_go(self, ident: str, draft: str) -> None:
        """What still waits for the description that was asked for then is kept no longer."""
        with self._lock:
            one = self._live.get(ident)
            if one is not None and one.stage == "described" and one.draft == draft:
                del self._live[ident]

    def _run(self, ident: str) -> None:
        try:
            said = self._work(ident)
        except TocsinError as why:
            said = {"failed": f"{why}; {AGAIN}" if isinstance(why, StoreError) else str(why)}
        except Exception:
            said = {"failed": f"the hub failed at this file; {AGAIN}, or tell who runs the hub"}
        if said is None:  # it waits for its description
            return
        one = self._live[ident]

        def file() -> None:
            with self.store.transaction(one.who.agency) as tx:
                tx.do("end_upload", upload_id=uuid.UUID(ident), said=Jsonb(said))

        try:
            _patiently(file)
        except StoreError:
            pass  # its page says that it stopped
        finally:
            self._end(ident)

    def _work(self, ident: str) -> dict[str, Any] | None:
        one = self._now(ident, stage="reading")
        try:
            reports, issues = read_file(one.name, one.body, one.description, PATIENCE)
        except Malformed as why:
            draft = one.description or _draft(one)
            if not draft:
                raise
            self._now(ident, stage="described", draft=draft, wrong=str(why) if one.description else "")
            letting_go = threading.Timer(self.held, self._let_go, (ident, draft))
            letting_go.daemon = True
            letting_go.start()
            return None
        if reports.height > MOST_REPORTS:
            raise Malformed(f"{reports.height:,} reports in one file: `tocsin push` sends so many; of these none was taken")
        return self._sent(one, reports, issues)

    def _holds(self, who: Caller) -> None:
        """Raises `Denied` where who sent the file may send no more: its account was closed meanwhile, or its agency has left."""
        with self.store.transaction(who.agency) as tx:
            if not any(label_of(row["name"]) == who.label and row["closed_at"] is None for row in tx.all("accounts")):
                raise Denied("who sent it may send no longer: the rest was not taken")

    def _sent(self, one: Sending, reports: pl.DataFrame, issues: pl.DataFrame) -> dict[str, Any]:
        warned: dict[str, list[str]] = {}
        refused, counts = [], dict.fromkeys(("stored", "known", "refused"), 0)
        self._now(one.ident, stage="sending", total=reports.height)
        for at in range(0, reports.height, MOST):
            _patiently(lambda: self._holds(one.who))
            rows = list(reports.slice(at, MOST).iter_rows(named=True))
            posts = [as_post(one.who.agency, row, one.handling) for row in rows]
            answers = _patiently(lambda posts=posts: self._submit(one.who, posts))  # type: ignore[misc]
            warned |= warned_of(answers)
            for row, answer in zip(rows, answers, strict=True):
                counts[answer["status"]] += 1
                if answer["status"] == "refused":
                    refused.append({"row": row["row"], "field": None, "value": None, "reason": "; ".join(answer["reasons"])})
            self._now(one.ident, done=at + len(rows))
        told = {"refusals": summed(refused), "issues": summed(issues.iter_rows(named=True)), "issues_in_all": issues.height}
        return {"counts": counts, "reports": reports.height} | told | warned


def _draft(one: Sending) -> str:
    """A description of its columns to begin with; none where it is no table."""
    try:
        return sketch_file(one.name, one.body, PATIENCE).replace("NAME OF WHO REPORTS", json.dumps(one.who.agency))
    except Malformed:
        return ""


def _patiently(ask: Callable[[], T]) -> T:
    """The answer, tried again while the database is away: what is sent twice is taken once."""
    for _ in range(TRIES):
        try:
            return ask()
        except StoreError:
            time.sleep(PAUSE)
    return ask()
