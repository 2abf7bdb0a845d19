"""The endpoints of TAXII 2.1 (sections 4 and 5). What may be seen and done is the hub's to say."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, Router, delete, post, route
from litestar.enums import HttpMethod
from litestar.params import FromPath

from tocsin.errors import Malformed
from tocsin.hub import Caller, Hub, instant
from tocsin.hub.taxii import Collection, Page
from tocsin.hub.taxii.asked import EPOCH
from tocsin.server.asked import AGENCY, ANY, LARGEST, AnyRequest, Json, TheHub, Who, WrongMedia, in_thread, with_halves
from tocsin.server.taxii.answers import MEDIA, ROOT, STIX, Unprocessable, accepted, answer, sent_as
from tocsin.server.taxii.asked import Seal, filters_of

MANY = 100_000  # objects of one post
READS = [HttpMethod.GET, HttpMethod.HEAD]
_Found = Response[bytes]


@route("/", http_method=READS, opt=ANY, sync_to_thread=False)
def discovery(request: AnyRequest) -> _Found:
    """Section 4.1: where the API root is."""
    root = f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}{ROOT}hub/"
    return answer({"title": "tocsin hub", "default": root, "api_roots": [root]})


@route("/hub/", http_method=READS, opt=ANY, sync_to_thread=False)
def api_root() -> _Found:
    """Section 4.2: what the API root takes."""
    words = "Agencies' reports of violence: each agency sees exactly what it may."
    return answer({"title": "tocsin hub", "description": words, "versions": [MEDIA], "max_content_length": LARGEST})


@route("/hub/status/{status:str}/", http_method=READS, opt=AGENCY)
async def status_of(hub: TheHub, who: Who, status: FromPath[str]) -> _Found:
    """Section 4.3: what became of a post."""
    return answer(await in_thread(hub.taxii.status, who, status))


@route("/hub/collections/", http_method=READS, opt=AGENCY)
async def collections(hub: TheHub, who: Who) -> _Found:
    """Section 5.1: my collections."""
    return answer({"collections": [_collection(one) for one in await in_thread(hub.taxii.collections, who)]})


@route("/hub/collections/{collection:str}/", http_method=READS, opt=AGENCY)
async def collection_of(hub: TheHub, who: Who, collection: FromPath[str]) -> _Found:
    """Section 5.2: one collection."""
    return answer(_collection(await in_thread(hub.taxii.collection, who, collection)))


@route("/hub/collections/{collection:str}/manifest/", http_method=READS, opt=AGENCY)
async def manifest(request: AnyRequest, hub: TheHub, who: Who, collection: FromPath[str]) -> _Found:
    """Section 5.3: what is in a collection."""
    page, more, headers = await in_thread(_page, request, hub, who, collection, None)
    lines = [{"id": i.object["id"], "date_added": instant(i.added), "version": i.version, "media_type": STIX} for i in page.items]
    return answer(more | ({"objects": lines} if lines else {}), headers=headers)


@route("/hub/collections/{collection:str}/objects/", http_method=READS, opt=AGENCY)
async def objects(request: AnyRequest, hub: TheHub, who: Who, collection: FromPath[str]) -> _Found:
    """Section 5.4: the objects of a collection."""
    page, more, headers = await in_thread(_page, request, hub, who, collection, None)
    return _envelope(page, more, headers)


@post("/hub/collections/{collection:str}/objects/", opt=AGENCY, status_code=202)
async def add_objects(request: AnyRequest, hub: TheHub, who: Who, collection: FromPath[str]) -> _Found:
    """Section 5.5: sends objects; each is taken or refused by itself."""
    await in_thread(hub.taxii.writable, who, collection)
    sent = await _sent(request)
    return answer(await in_thread(hub.taxii.post, who, collection, sent), 202)


@route("/hub/collections/{collection:str}/objects/{object_id:str}/", http_method=READS, opt=AGENCY)
async def object_of(request: AnyRequest, hub: TheHub, who: Who, collection: FromPath[str], object_id: FromPath[str]) -> _Found:
    """Section 5.6: one object."""
    page, more, headers = await in_thread(_page, request, hub, who, collection, object_id)
    return _envelope(page, more, headers)


@delete("/hub/collections/{collection:str}/objects/{object_id:str}/", opt=AGENCY, status_code=200)
async def delete_object(request: AnyRequest, hub: TheHub, who: Who, collection: FromPath[str], object_id: FromPath[str]) -> _Found:
    """Section 5.7: takes an object of one's own away, and purges the report that was made of it."""
    asked, _ = filters_of(request, every=True)
    await in_thread(hub.taxii.delete, who, collection, object_id, asked)
    return Response(b"", status_code=200, media_type=MEDIA)


@route("/hub/collections/{collection:str}/objects/{object_id:str}/versions/", http_method=READS, opt=AGENCY)
async def versions(request: AnyRequest, hub: TheHub, who: Who, collection: FromPath[str], object_id: FromPath[str]) -> _Found:
    """Section 5.8: the versions of an object."""
    page, more, headers = await in_thread(_page, request, hub, who, collection, object_id, True)
    found = [item.version for item in page.items]
    return answer(more | ({"versions": found} if found else {}), headers=headers)


def _page(
    request: AnyRequest, hub: Hub, who: Caller, collection: str, ident: str | None, every: bool = False
) -> tuple[Page, Json, dict[str, str]]:
    """A page, what it says of more, and the headers that say when its first and last were added (section 3.2)."""
    hub.taxii.collection(who, collection)
    asked, limit = filters_of(request, every)
    seal = Seal(hub.taxii.seal(), who, request)
    onward = seal.onward(asked)
    taxii = hub.taxii
    page = taxii.page(who, collection, onward, limit) if ident is None else taxii.object(who, collection, ident, onward, limit)
    added = [item.added for item in page.items] or [max(onward.after, EPOCH)]
    headers = {"X-TAXII-Date-Added-First": instant(added[0]), "X-TAXII-Date-Added-Last": instant(added[-1])}
    return page, {"more": True, "next": seal.of(page.items[-1])} if page.more else {}, headers


def _envelope(page: Page, more: Json, headers: dict[str, str]) -> _Found:
    return answer(more | ({"objects": [item.object for item in page.items]} if page.items else {}), headers=headers)


def _collection(one: Collection) -> Json:
    said = {"id": one.id, "title": one.title, "description": one.description, "alias": one.alias}
    return said | {"can_read": one.can_read, "can_write": one.can_write, "media_types": [STIX]}


async def _sent(request: AnyRequest) -> list[Any]:
    """The objects of an envelope. Raises 415, `Malformed` for what is no JSON, 422 for JSON that is no envelope."""
    if not sent_as(request.headers.get("content-type", "")) or "content-encoding" in request.headers:
        raise WrongMedia
    try:
        said = with_halves(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as why:
        raise Malformed("not JSON, or nested too deep: nothing of it was stored") from why
    if not isinstance(said, dict) or not isinstance(said.get("objects"), list) or not said["objects"]:
        raise Unprocessable('an envelope is wanted, {"objects": [...]}, with at least one object: nothing of it was stored')
    if len(said["objects"]) > MANY:
        raise Unprocessable(f"{len(said['objects'])} objects: send at most {MANY} at once; nothing of it was stored")
    return list(said["objects"])


TAXII = Router(
    path=ROOT,
    route_handlers=[
        discovery,
        api_root,
        status_of,
        collections,
        collection_of,
        manifest,
        objects,
        add_objects,
        object_of,
        delete_object,
        versions,
    ],
    before_request=accepted,
    include_in_schema=False,
)
