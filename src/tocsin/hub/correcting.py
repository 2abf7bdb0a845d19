"""A correction of one's own report: a new report that says all that the earlier one said, but for what was changed, and stands for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tocsin.errors import Denied, NotThere
from tocsin.gate import Action, Scheme
from tocsin.hub.acts import checked_why
from tocsin.hub.caller import Caller
from tocsin.hub.clock import Clock
from tocsin.hub.coding import SPANS
from tocsin.hub.door import NOT_THERE, Door, Submit
from tocsin.hub.shown import shown
from tocsin.store import Store
from tocsin.terms.posts import SET_BY_THE_HUB

#: What is not carried over: what the hub sets, the handling, which is said anew, and what names the earlier report.
_ANEW = SET_BY_THE_HUB | {"marking", "releasable_to", "orcon", "supersedes", "version"}


class Correcting(Door):
    """Corrects."""

    def __init__(self, store: Store, now: Clock, scheme: Scheme | None, submit: Submit) -> None:
        super().__init__(store, now, scheme)
        self._submit = submit

    def begun(self, who: Caller, report_id: str) -> dict[str, Any]:
        """A report that the caller may correct, as it stands. Raises `NotThere`; `Denied` where another agency sent it."""
        agency = who.needs(Action.SUBMIT)
        with self.store.transaction(agency) as tx:
            row = self.visible(tx, who, report_id)
        if row is None:
            raise NotThere(NOT_THERE)
        if row["agency"] != agency or row["originator"] != agency:
            raise Denied("only the agency that sent it corrects it")
        return shown(row, who.clearance)

    def correct(self, who: Caller, report_id: str, raw: Mapping[str, Any], why: str) -> dict[str, Any]:
        """Submits a correction; why: for the log of one's agency. Raises as `begun`, and `Malformed`."""
        reason = checked_why(why)
        self.begun(who, report_id)
        answer = self._submit(who, [raw])[0]
        if answer["status"] == "stored":
            with self.store.transaction(who.agency) as tx:
                self.log(tx, who, "correct", [report_id, answer["report_id"]], True, f"the agency that sent it; {reason}")
        return answer


def corrected(one: Mapping[str, Any], typed: Mapping[str, Any], of: Collection[str], version: str) -> dict[str, Any]:
    """The correction of a report as a post. typed: what was typed, of the fields `of`; one of these that was left empty is said no longer."""
    coded = {span["field"] for span in one.get(SPANS) or []}  # the words are read anew
    kept = {k: v for k, v in one.items() if k not in (*_ANEW, *of, *coded)}
    if typed.get("killed") != one.get("killed"):
        kept = {k: v for k, v in kept.items() if k not in ("killed_low", "killed_high")}
    typed = {k: v for k, v in typed.items() if k not in coded or v != one.get(k)}
    return {"own_id": version, **kept, **typed, "supersedes": one["report_id"], "version": version}
