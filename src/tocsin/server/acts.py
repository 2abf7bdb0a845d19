"""Pages on which an agency does something to a report: each is an act that stays."""

from __future__ import annotations

from litestar import post
from litestar.params import FromPath

from tocsin.server.asked import AGENCY, AnyRequest, Json, TheHub, Who, in_thread, object_of


@post("/api/reports/{report_id:str}/release", opt=AGENCY, status_code=200)
async def release(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Json:
    """Open a report to one more agency: {"to": NAME}."""
    raw = await object_of(request, {"to": str})
    await in_thread(hub.release, who, report_id, raw["to"])
    return {"ok": True}


@post("/api/reports/{report_id:str}/remark", opt=AGENCY, status_code=200)
async def remark(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Json:
    """Mark a report of my agency anew; that replaces its whole handling, releases included."""
    raw = await object_of(request, {"marking": str}, {"releasable_to": list, "orcon": bool})
    await in_thread(lambda: hub.remark(who, report_id, raw["marking"], raw.get("releasable_to", []), raw.get("orcon", False)))
    return {"ok": True}


ACTS = [release, remark]
