"""Pages on which an agency decides who sees a report: each act is a record that stays."""

from __future__ import annotations

from litestar import get, post
from litestar.params import FromPath

from tocsin.server.asked import AGENCY, AnyRequest, Cursor, Json, Limit, TheHub, Who, in_thread, object_of


@get("/api/reports/{report_id:str}/who", opt=AGENCY)
async def who_can_see(hub: TheHub, who: Who, report_id: FromPath[str]) -> Json:
    """Who may see a report of my agency, and why."""
    return await in_thread(hub.acts.who_can_see, who, report_id)


@post("/api/reports/{report_id:str}/release", opt=AGENCY, status_code=200)
async def release(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Json:
    """Open a report to one more agency: {"to": NAME, "why": TEXT}."""
    raw = await object_of(request, {"to": str, "why": str})
    await in_thread(hub.acts.release, who, report_id, raw["to"], raw["why"])
    return {"ok": True}


@post("/api/reports/{report_id:str}/requests", opt=AGENCY, status_code=201)
async def request_release(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Json:
    """Ask the originator of a report that I may not pass on to release it: {"to": NAME, "why": TEXT}."""
    raw = await object_of(request, {"to": str, "why": str})
    return {"request_id": await in_thread(hub.acts.request, who, report_id, raw["to"], raw["why"])}


@get("/api/requests", opt=AGENCY)
async def requests(hub: TheHub, who: Who, after: Cursor = "", limit: Limit = 100) -> Json:
    """Requests that my agency made, and those for its reports, with what was decided."""
    return await in_thread(lambda: hub.acts.requests(who, after=after, limit=limit))


@post("/api/requests/{request_id:str}/decision", opt=AGENCY, status_code=200)
async def decide(request: AnyRequest, hub: TheHub, who: Who, request_id: FromPath[str]) -> Json:
    """Grant or refuse a request for a report of my agency, once: {"grant": true or false, "why": TEXT}. A grant is a release."""
    raw = await object_of(request, {"grant": bool, "why": str})
    await in_thread(hub.acts.decide, who, request_id, raw["grant"], raw["why"])
    return {"ok": True}


@get("/api/releases", opt=AGENCY)
async def releases(hub: TheHub, who: Who, after: Cursor = "", limit: Limit = 100) -> Json:
    """Releases that my agency made, and those of its reports: who, why, when, to whom."""
    return await in_thread(lambda: hub.acts.releases(who, after=after, limit=limit))


@post("/api/incidents/{incident_id:str}/release", opt=AGENCY, status_code=200)
async def release_incident(request: AnyRequest, hub: TheHub, who: Who, incident_id: FromPath[str]) -> Json:
    """Open to one more agency each report that I see in an incident, or none where one may not be passed on: {"to": NAME, "why": TEXT}."""
    raw = await object_of(request, {"to": str, "why": str})
    return await in_thread(hub.acts.release_incident, who, incident_id, raw["to"], raw["why"])


@post("/api/reports/{report_id:str}/remark", opt=AGENCY, status_code=200)
async def remark(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Json:
    """Mark a report of my agency anew; that replaces its whole handling, releases included."""
    raw = await object_of(request, {"marking": str}, {"releasable_to": list, "orcon": bool})
    said = await in_thread(lambda: hub.acts.remark(who, report_id, raw["marking"], raw.get("releasable_to", []), raw.get("orcon", False)))
    return {"ok": True} | said


@post("/api/judgements", opt=AGENCY, status_code=201)
async def judge(request: AnyRequest, hub: TheHub, who: Who) -> Json:
    """Decide on reports that I see: {"decides", "reports", "why"}, and what its kind needs (apart_from; field, value; judgement); signed, if not now."""
    optional = {"reports": list, "apart_from": list, "field": str, "value": str, "judgement": str, "signed": str}
    raw = await object_of(request, {"decides": str, "why": str}, optional)
    return {"judgement_id": await in_thread(hub.judging.judge, who, raw)}


@get("/api/judgements", opt=AGENCY)
async def judgements(hub: TheHub, who: Who, after: Cursor = "", limit: Limit = 100) -> Json:
    """Judgements of which my agency sees every report, in the order in which it came to see them."""
    return await in_thread(lambda: hub.judging.judgements(who, after=after, limit=limit))


@post("/api/reports/{report_id:str}/purge", opt=AGENCY, status_code=200)
async def purge(request: AnyRequest, hub: TheHub, who: Who, report_id: FromPath[str]) -> Json:
    """Take a report of my agency away for good: {"why": TEXT}."""
    raw = await object_of(request, {"why": str})
    await in_thread(hub.acts.purge, who, report_id, raw["why"])
    return {"ok": True}


@get("/api/purged", opt=AGENCY)
async def purged(hub: TheHub, who: Who, after: Cursor = "", limit: Limit = 100) -> Json:
    """What stays of the purged reports of my agency: their ids, who, when and why."""
    return await in_thread(lambda: hub.acts.purged(who, after=after, limit=limit))


ACTS = [purge, purged, judge, judgements, who_can_see, release, request_release, requests, decide, releases, release_incident, remark]
