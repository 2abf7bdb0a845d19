"""Every MUST of TAXII 2.1 (OASIS Standard, 10 June 2021) that a server can break; the number of its section stands before what it says."""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx import Response
from hubs import TAXII, World

from tocsin.server.taxii.routes import MANY
from tocsin.stix.fixed import EXTENSION, TLP

STIX = "application/stix+json;version=2.1"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
PICTURE, INBOX = "collections/picture/", "collections/inbox/"
#: Endpoints that give objects or what is said of them.
LISTS = ["manifest/", "objects/", "objects/{id}/", "objects/{id}/versions/"]
HEAD = {"spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z"}
TYPES_OF_STIX = (
    "attack-pattern campaign course-of-action grouping identity incident indicator infrastructure intrusion-set location malware malware-analysis note "
    "observed-data opinion report threat-actor tool vulnerability relationship sighting artifact autonomous-system directory domain-name email-addr "
    "email-message file ipv4-addr ipv6-addr mac-addr mutex network-traffic process software url user-account windows-registry-key x509-certificate "
    "marking-definition language-content extension-definition bundle"
).split()


def indicator(ident: str = "", day: int = 1, **more: Any) -> dict[str, Any]:
    when = f"2026-01-{day:02d}T00:00:00.000Z"
    made = {"type": "indicator", "id": ident or f"indicator--{uuid4()}", "modified": when, "valid_from": when, "pattern_type": "stix"}
    return HEAD | made | {"pattern": "[ipv4-addr:value = '203.0.113.7']"} | more


@pytest.fixture(scope="module")
def world(one: World) -> World:
    for role in ("submit", "analyse", "administer_agency", "oversee"):
        body = {"label": role, "agency": "B", "roles": [role]}
        one.tokens[role] = one.ask("admin", "POST", "/api/tokens", body).json()["token"]
    for n in range(4):
        one.submit("A", *[{"own_id": f"{n}.{m}", "marking": "GREEN", "country": "PAK", "lat": 24.9, "lon": 67.0} for m in range(3)])
    one.submit("A", {"own_id": "hidden", "marking": "RED", "killed": 45})
    same = f"indicator--{uuid4()}"
    assert one.taxii("B", f"{INBOX}objects/", [indicator(same, day) for day in (2, 1, 3)]).json()["success_count"] == 3
    assert one.taxii("B", f"{INBOX}objects/", [indicator() for _ in range(7)]).json()["success_count"] == 7
    one.same = same  # type: ignore[attr-defined]
    return one


def get(world: World, path: str, who: str | None = "B", accept: str | None = TAXII) -> Response:
    headers = {"Accept": accept} if accept is not None else {}
    headers |= {"Authorization": f"Bearer {world.tokens[who]}"} if who else {}
    return world.client.get(path if path.startswith("/") else f"/taxii2/hub/{path}", headers=headers)


def post(world: World, body: str | bytes, sent_as: str = TAXII, where: str = INBOX, who: str = "B") -> Response:
    headers = {"Accept": TAXII, "Content-Type": sent_as, "Authorization": f"Bearer {world.tokens[who]}"}
    return world.client.post(f"/taxii2/hub/{where}objects/", content=body, headers=headers)


def ids(answer: Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [o["id"] for o in answer.json().get("objects", [])]


def walked(world: World, path: str, by: str) -> list[str]:
    """All objects, page by page."""
    found: list[str] = []
    onward, glue = "", "&" if "?" in path else "?"
    for _ in range(200):
        answer = get(world, path + onward)
        found += ids(answer)
        if not answer.json().get("more"):
            return found
        said = answer.json()["next"] if by == "next" else answer.headers["X-TAXII-Date-Added-Last"]
        onward = f"{glue}{by}={said}"
    raise AssertionError("it goes on for ever")


def known(world: World, where: str) -> list[str]:
    return ids(get(world, f"{where}objects/"))


def test_2_identifiers_are_random_uuids_of_version_4(world: World) -> None:
    listed = [UUID(c["id"]) for c in get(world, "collections/").json()["collections"]]
    status = UUID(world.taxii("B", f"{INBOX}objects/", [indicator()]).json()["id"])
    assert [i.version for i in (*listed, status)] == [4, 4, 4]


@pytest.mark.parametrize("where", [PICTURE, INBOX])
def test_2_no_list_is_empty(world: World, where: str) -> None:
    for page in ("manifest/", "objects/"):
        assert get(world, f"{where}{page}?match[type]=malware").json() == {}
    assert "failures" not in world.taxii("B", f"{INBOX}objects/", [indicator()]).json()
    assert "successes" not in world.taxii("B", f"{INBOX}objects/", [{}]).json()


def test_2_times_are_of_microseconds_and_utc(world: World) -> None:
    for where in (PICTURE, INBOX):
        assert all(TIME.fullmatch(o["date_added"]) for o in get(world, f"{where}manifest/").json()["objects"])
    assert TIME.fullmatch(world.taxii("B", f"{INBOX}objects/", [indicator()]).json()["request_timestamp"])


def test_an_object_with_half_a_character_fails_alone(world: World) -> None:
    """RFC 8259 lets an escape stand for half of a character; no text is made of it."""
    good, other = indicator(), indicator()
    whole = json.dumps({"objects": [good, other | {"name": "HALF"}, other | {"id": "HALF"}, indicator(name="pair PAIR")]})
    sent = post(world, whole.replace("HALF", "\\ud800").replace("PAIR", "\\ud83d\\ude00"), TAXII)
    assert sent.status_code == 202
    said = sent.json()
    assert (said["success_count"], said["failure_count"], said["successes"][0]["id"]) == (2, 2, good["id"])
    assert [one["message"] for one in said["failures"]] == ["a text has zero characters or halves of characters"] * 2
    for broken in ('{"objects": ["\\ud800", NaN]}', '{"objects": ["\\ud800"', '{"objects": ["\\ud800\x01"]}'):
        assert post(world, broken, TAXII).status_code == 400


PAGES = ["/taxii2/", "", "collections/", PICTURE, f"{PICTURE}manifest/", f"{PICTURE}objects/", f"{INBOX}objects/", f"{INBOX}manifest/"]


@pytest.mark.parametrize("page", PAGES)
def test_3_1_every_answer_is_of_taxiis_media_type_and_version(world: World, page: str) -> None:
    for accept in (TAXII, "application/taxii+json", "application/taxii+json; version=2.1", f"{STIX},{TAXII}", "text/html, */*;q=0.1"):
        answer = get(world, page, accept=accept)
        assert (answer.status_code, answer.headers["content-type"]) == (200, TAXII), accept


@pytest.mark.parametrize("page", [*PAGES, "status/nonsense/", f"{PICTURE}objects/nonsense/", "/taxii2/nowhere/"])
def test_3_1_and_3_6_1_what_goes_wrong_is_answered_with_an_error_message(world: World, page: str) -> None:
    answers = [
        get(world, page, who=None),
        get(world, page, accept="application/vnd.oasis.taxii+json; version=2.0"),
        get(world, page, "admin"),
    ]
    for answer in [a for a in answers if a.status_code != 200]:
        said = answer.json()
        assert answer.headers["content-type"] == TAXII
        assert said["http_status"] == str(answer.status_code)
        assert said["title"]
        assert said["description"]


@pytest.mark.parametrize(
    "accept", ["application/json", "application/taxii+json;version=2.0", "text/html", "application/taxii+json;q=0", ";;,"]
)
def test_3_1_and_4_1_who_takes_no_taxii_is_answered_406(world: World, accept: str) -> None:
    assert get(world, "collections/", accept=accept).status_code == 406


@pytest.mark.parametrize(
    "sent_as", [TAXII, "application/taxii+json", 'application/taxii+json; version="2.1"', "Application/TAXII+JSON;version=2.1"]
)
def test_3_1_a_body_of_taxiis_media_type_is_never_answered_415(world: World, sent_as: str) -> None:
    assert post(world, json.dumps({"objects": [indicator()]}), sent_as).status_code == 202


@pytest.mark.parametrize("sent_as", ["application/json", STIX, "application/taxii+json;version=2.0", "", "text/plain"])
def test_5_5_another_media_type_is_answered_415(world: World, sent_as: str) -> None:
    assert post(world, json.dumps({"objects": [indicator()]}), sent_as).status_code == 415


@pytest.mark.parametrize("page", PAGES)
def test_3_1_head_is_answered_as_get_is_without_the_body(world: World, page: str) -> None:
    address = page if page.startswith("/") else f"/taxii2/hub/{page}"
    headers = {"Accept": TAXII, "Authorization": f"Bearer {world.tokens['B']}"}
    answers = [world.client.request(method, address, headers=headers) for method in ("GET", "HEAD")]
    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].headers == answers[1].headers
    assert answers[1].content == b""
    assert world.client.head(address).status_code == 401


@pytest.mark.parametrize("page", PAGES)
def test_3_1_and_3_6_what_a_page_takes_is_told(world: World, page: str) -> None:
    address = page if page.startswith("/") else f"/taxii2/hub/{page}"
    headers = {"Authorization": f"Bearer {world.tokens['B']}"}
    refused = world.client.put(address, headers=headers)
    assert (refused.status_code, refused.json()["http_status"], refused.headers["content-type"]) == (405, "405", TAXII)
    asked = world.client.options(address, headers=headers)
    assert asked.status_code == 204
    assert {"GET", "HEAD"} <= set(refused.headers["allow"].split(", "))
    assert set(asked.headers["allow"].split(", ")) == set(refused.headers["allow"].split(", "))
    assert world.client.options(address).status_code == 401


def test_5_3_a_manifest_is_given_to_who_takes_stix_alone(world: World) -> None:
    assert get(world, f"{PICTURE}manifest/", accept=STIX).status_code == 200
    assert get(world, f"{PICTURE}objects/", accept=STIX).status_code == 406


@pytest.mark.parametrize("page", LISTS)
@pytest.mark.parametrize("where", [PICTURE, INBOX])
def test_3_2_pages_say_when_their_first_and_last_were_added(world: World, where: str, page: str) -> None:
    ident = known(world, where)[-1]
    added = {o["id"]: o["date_added"] for o in get(world, f"{where}manifest/").json()["objects"]}
    for query in ("", "?limit=1", "?added_after=2100-01-01T00:00:00.000000Z", "?match[spec_version]=2.0"):
        answer = get(world, where + page.format(id=ident) + query)
        first, last = (answer.headers[f"X-TAXII-Date-Added-{w}"] for w in ("First", "Last"))
        assert TIME.fullmatch(first)
        assert TIME.fullmatch(last)
        found = ids(answer)
        if found:
            assert (first, last) == (added[found[0]], added[found[-1]])


@pytest.mark.parametrize("where", [PICTURE, INBOX])
def test_3_3_objects_come_in_the_order_in_which_they_were_added_each_at_a_time_of_its_own(world: World, where: str) -> None:
    lines = get(world, f"{where}manifest/?match[version]=all").json()["objects"]
    added = [line["date_added"] for line in lines]
    assert added == sorted(set(added))
    assert [line["id"] for line in lines] == ids(get(world, f"{where}objects/?match[version]=all"))


def test_3_3_collections_come_in_one_order(world: World) -> None:
    assert get(world, "collections/").content == get(world, "collections/").content


MALFORMED = [
    "added_after=yesterday",
    "added_after=",
    "added_after=2026-01-01",
    "added_after=2026-13-01T00:00:00Z",
    "added_after=2026-01-01T00:00:00%2B05:00",
    "added_after=2026-01-01T00:00:00Z&added_after=2026-01-01T00:00:00Z",
    "limit=0",
    "limit=-1",
    "limit=x",
    "limit=1.5",
    "limit=%D9%A3",
    "limit=",
    "limit=1&limit=2",
    "next=nonsense",
    "next=",
    "next=AAXp7cqmwAKCqRTEID5UUOGo2NeqJqtD",
    "match[type]=",
    "match[type]=a,,b",
    "match[type]=x'--",
    "match[type]=a&match[type]=b",
    "match[id]=nonsense",
    "match[id]=",
    "match[version]=",
    "match[version]=latest",
    "match[version]=all,first",
    "match[version]=last,last",
    "match[version]=9999-99-99T00:00:00Z",
    "match[spec_version]=two",
]


@pytest.mark.parametrize("query", MALFORMED)
@pytest.mark.parametrize("where", [PICTURE, INBOX])
def test_3_4_a_malformed_parameter_is_answered_400(world: World, where: str, query: str) -> None:
    for page in ("manifest/", "objects/"):
        assert get(world, f"{where}{page}?{query}").status_code == 400
    if not query.startswith(("match[id]", "match[type]")):
        assert get(world, f"{where}objects/{known(world, where)[-1]}/?{query}").status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "added_after=0001-01-01T00:00:00Z",
        "added_after=9999-12-31T23:59:59.999999Z",
        "limit=999999999999999999",
        "match[version]=9999-12-31T23:59:59.999999Z",
        "match[version]=0001-01-01T00:00:00Z",
        "match[other]=x",
        "other=x",
    ],
)
@pytest.mark.parametrize("where", [PICTURE, INBOX])
def test_3_4_what_is_far_off_or_unknown_is_no_error(world: World, where: str, query: str) -> None:
    assert get(world, f"{where}objects/?{query}").status_code == 200


@pytest.mark.parametrize("where", [PICTURE, INBOX])
def test_3_4_added_after_gives_what_was_added_later_and_nothing_else(world: World, where: str) -> None:
    lines = get(world, f"{where}manifest/").json()["objects"]
    for n, line in enumerate(lines):
        assert ids(get(world, f"{where}objects/?added_after={line['date_added']}")) == [other["id"] for other in lines[n + 1 :]]


@pytest.mark.parametrize("where", [PICTURE, INBOX])
@pytest.mark.parametrize("limit", [1, 2, 5, 1000])
def test_3_4_and_3_5_pages_are_no_longer_than_asked_and_lose_and_repeat_nothing(world: World, where: str, limit: int) -> None:
    whole = known(world, where)
    first = get(world, f"{where}objects/?limit={limit}")
    assert ids(first) == whole[:limit]
    assert first.json().get("more", False) is (limit < len(whole))
    assert ("next" in first.json()) is (limit < len(whole))
    for by in ("next", "added_after"):
        for page in ("objects/", "manifest/"):
            assert walked(world, f"{where}{page}?limit={limit}", by) == whole


@pytest.mark.parametrize("where", [PICTURE, INBOX])
def test_3_4_the_last_page_says_nothing_of_more(world: World, where: str) -> None:
    whole = known(world, where)
    assert get(world, f"{where}objects/?limit={len(whole)}").json().keys() == {"objects"}


def test_3_5_next_is_safe_to_repeat(world: World) -> None:
    onward = get(world, f"{PICTURE}objects/?limit=3").json()["next"]
    pages = [get(world, f"{PICTURE}objects/?limit=3&next={onward}").content for _ in range(3)]
    assert len(set(pages)) == 1


def test_3_5_next_goes_on_with_the_same_collection_page_filters_and_user_alone(world: World) -> None:
    onward = get(world, f"{PICTURE}objects/?limit=3").json()["next"]
    for page in (
        f"{INBOX}objects/?",
        f"{PICTURE}manifest/?",
        f"{PICTURE}objects/?match[type]=report&",
        f"{PICTURE}objects/?match[version]=all&",
        f"{PICTURE}objects/?match[spec_version]=2.1&",
    ):
        assert get(world, f"{page}limit=3&next={onward}").status_code == 400, page
    for who in ("A", "submit"):
        assert get(world, f"{PICTURE}objects/?limit=3&next={onward}", who).status_code == 400
    assert get(world, f"{PICTURE}objects/?limit=5&next={onward}").status_code == 200
    raw = bytearray(base64.urlsafe_b64decode(onward))
    raw[3] ^= 1
    assert get(world, f"{PICTURE}objects/?limit=3&next={base64.urlsafe_b64encode(raw).decode()}").status_code == 400


@pytest.mark.parametrize("where", [PICTURE, INBOX])
def test_3_5_added_after_may_be_left_out_with_next_or_be_another_and_both_hold(world: World, where: str) -> None:
    lines = get(world, f"{where}manifest/").json()["objects"]
    whole, added = ([line[k] for line in lines] for k in ("id", "date_added"))
    onward = get(world, f"{where}objects/?limit=2&added_after={added[1]}").json()["next"]
    assert ids(get(world, f"{where}objects/?limit=2&added_after={added[1]}&next={onward}")) == whole[4:6]
    assert ids(get(world, f"{where}objects/?limit=2&next={onward}")) == whole[4:6]
    assert ids(get(world, f"{where}objects/?limit=2&added_after={added[0]}&next={onward}")) == whole[4:6]
    assert ids(get(world, f"{where}objects/?limit=2&added_after={added[5]}&next={onward}")) == whole[6:8]
    assert get(world, f"{where}objects/?added_after={added[-1]}&next={onward}").json() == {}


@pytest.mark.parametrize("where", [PICTURE, INBOX])
def test_3_4_1_match_id_gives_the_objects_named(world: World, where: str) -> None:
    some = known(world, where)[-3:]
    assert ids(get(world, f"{where}objects/?match[id]={','.join(some)}")) == some
    assert ids(get(world, f"{where}manifest/?match[id]={some[0]},indicator--{uuid4()}")) == some[:1]


@pytest.mark.parametrize("where", [PICTURE, INBOX])
@pytest.mark.parametrize("kind", TYPES_OF_STIX)
def test_3_4_1_match_type_gives_that_type_alone_and_takes_every_type_of_stix(world: World, where: str, kind: str) -> None:
    assert ids(get(world, f"{where}objects/?match[type]={kind}")) == [i for i in known(world, where) if i.startswith(f"{kind}--")]


@pytest.mark.parametrize("where", [PICTURE, INBOX])
def test_3_4_filters_hold_together_and_page_by_page(world: World, where: str) -> None:
    kind = "report" if where == PICTURE else "indicator"
    whole = [i for i in known(world, where) if i.startswith(f"{kind}--")]
    for by in ("next", "added_after"):
        assert walked(world, f"{where}objects/?limit=2&match[type]={kind},malware", by) == whole
    assert ids(get(world, f"{where}objects/?match[type]=malware&match[id]={whole[0]}")) == []


@pytest.mark.parametrize("where", [PICTURE, INBOX])
def test_3_4_1_no_other_version_of_the_specification_is_given(world: World, where: str) -> None:
    assert ids(get(world, f"{where}objects/?match[spec_version]=2.0")) == []
    assert ids(get(world, f"{where}objects/?match[spec_version]=2.0,2.1")) == known(world, where)


def test_3_4_1_match_version_gives_the_versions_asked_for_and_the_last_by_default(world: World) -> None:
    day = "2026-01-{:02d}T00:00:00.000Z".format
    same: str = world.same  # type: ignore[attr-defined]

    def found(query: str) -> list[str]:
        return sorted(o["modified"] for o in get(world, f"{INBOX}objects/?match[id]={same}{query}").json().get("objects", []))

    assert found("") == found("&match[version]=last") == [day(3)]
    assert found("&match[version]=first") == [day(1)]
    assert found("&match[version]=all") == [day(1), day(2), day(3)]
    assert found("&match[version]=first,last") == [day(1), day(3)]
    assert found(f"&match[version]={day(2)}") == [day(2)]
    assert found(f"&match[version]={day(2)},last") == [day(2), day(3)]
    assert found(f"&match[version]={day(9)}") == []


def test_3_4_1_a_version_of_a_picture_is_found_by_its_time(world: World) -> None:
    line = get(world, f"{PICTURE}manifest/").json()["objects"][-1]
    assert line["id"] in ids(get(world, f"{PICTURE}objects/?match[version]={line['version']}"))
    assert ids(get(world, f"{PICTURE}objects/?match[version]=2001-01-01T00:00:00.000Z")) == []


def test_4_1_1_api_roots_are_absolute_and_the_default_is_one_of_them(world: World) -> None:
    said = get(world, "/taxii2/").json()
    assert said["title"]
    assert said["default"] in said["api_roots"]
    assert all(re.fullmatch(r"https?://[^?]+/taxii2/hub/", root) for root in said["api_roots"])


def test_4_2_1_the_api_root_says_what_it_takes(world: World) -> None:
    said = get(world, "").json()
    assert TAXII in said["versions"]
    assert said["title"]
    most = said["max_content_length"]
    large = json.dumps({"objects": [indicator(x_more="x" * 1000)]}).encode()
    assert post(world, large + b" " * (most - len(large))).status_code == 202
    assert post(world, large + b" " * (most + 1 - len(large))).status_code == 413


def test_4_3_a_status_stands_and_is_its_agencys_alone(world: World) -> None:
    said = world.taxii("B", f"{INBOX}objects/", [indicator(), {}]).json()
    assert get(world, f"status/{said['id']}/").json() == said
    for who, ident in (("A", said["id"]), ("B", str(uuid4())), ("B", "nonsense")):
        assert get(world, f"status/{ident}/", who).status_code == 404


def test_4_3_1_a_status_counts_and_names_what_was_taken_and_what_was_not(world: World) -> None:
    good, wrong = indicator(), indicator(spec_version="2.0")
    said = world.taxii("B", f"{INBOX}objects/", [good, wrong]).json()
    assert said["status"] == "complete"
    assert [said[f"{w}_count"] for w in ("total", "success", "failure", "pending")] == [2, 1, 1, 0]
    assert said["successes"] == [{"id": good["id"], "version": good["modified"]}]
    assert said["failures"][0].items() >= {"id": wrong["id"], "version": wrong["modified"]}.items()
    assert "spec_version" in said["failures"][0]["message"]


@pytest.mark.parametrize("page", ["collections/", PICTURE, *[PICTURE + p for p in LISTS], "status/x/"])
def test_5_who_is_not_signed_in_is_answered_401_and_told_how_to(world: World, page: str) -> None:
    for answer in (get(world, page.format(id="x"), who=None), world.client.get(f"/taxii2/hub/{page.format(id='x')}", auth=("B", "guess"))):
        assert answer.status_code == 401
        assert "Basic" in answer.headers["www-authenticate"]
        assert "Bearer" in answer.headers["www-authenticate"]


def test_8_2_2_the_token_is_the_password_of_http_basic_too(world: World) -> None:
    assert world.client.get("/taxii2/hub/collections/", auth=("whoever", world.tokens["B"])).status_code == 200
    assert world.client.get("/api/feed", auth=("whoever", world.tokens["B"])).status_code == 401


def test_5_2_1_collections_say_what_the_caller_may_do(world: World) -> None:
    may = {
        who: {c["alias"]: (c["can_read"], c["can_write"]) for c in get(world, "collections/", who).json()["collections"]}
        for who in ("submit", "analyse", "oversee")
    }
    assert may == {
        "submit": {"picture": (True, False), "inbox": (True, True)},
        "analyse": {"picture": (True, False), "inbox": (True, False)},
        "oversee": {"picture": (False, False), "inbox": (False, False)},
    }
    aliases = [c["alias"] for c in get(world, "collections/").json()["collections"]]
    assert len(set(aliases)) == len(aliases)
    for one in get(world, "collections/").json()["collections"]:
        assert get(world, f"collections/{one['id']}/").json() == get(world, f"collections/{one['alias']}/").json() == one


def test_5_2_a_collection_of_another_agency_is_not_there(world: World) -> None:
    for one in get(world, "collections/", "A").json()["collections"]:
        for page in ("", "manifest/", "objects/", f"objects/report--{uuid4()}/"):
            theirs, never = (get(world, f"collections/{ident}/{page}") for ident in (one["id"], uuid4()))
            assert (theirs.status_code, theirs.content) == (404, never.content)
        assert post(world, json.dumps({"objects": [indicator()]}), where=f"collections/{one['id']}/").status_code == 404


@pytest.mark.parametrize("page", LISTS)
def test_5_3_to_5_8_what_may_not_be_read_is_answered_403(world: World, page: str) -> None:
    assert get(world, PICTURE + page.format(id=f"report--{uuid4()}"), "oversee").status_code in (403, 404)


@pytest.mark.parametrize("where", [PICTURE, INBOX])
def test_5_3_1_a_manifest_says_of_each_object_its_version_and_media_type(world: World, where: str) -> None:
    made = get(world, f"{where}objects/").json()["objects"]
    lines = get(world, f"{where}manifest/").json()["objects"]
    assert [(n["id"], n["version"], n["media_type"]) for n in lines] == [(o["id"], o.get("modified", o["created"]), STIX) for o in made]


def test_5_5_what_may_not_be_written_is_answered_403_or_404(world: World) -> None:
    for who, where in (("B", PICTURE), ("analyse", INBOX), ("oversee", INBOX)):
        for body in (json.dumps({"objects": [indicator()]}), "{", ""):
            assert post(world, body, where=where, who=who).status_code in (403, 404)
            assert post(world, body, "text/plain", where=where, who=who).status_code in (403, 404)


def test_5_5_an_exact_duplicate_is_no_error_and_is_kept_once(world: World) -> None:
    made = indicator()
    for objects in ([made], [made], [made, made]):
        assert world.taxii("B", f"{INBOX}objects/", objects).json()["failure_count"] == 0
    assert ids(get(world, f"{INBOX}objects/?match[version]=all&match[id]={made['id']}")) == [made["id"]]


def test_5_5_another_object_under_the_same_version_is_refused(world: World) -> None:
    made = indicator()
    world.taxii("B", f"{INBOX}objects/", [made])
    said = world.taxii("B", f"{INBOX}objects/", [made | {"pattern": "[url:value = 'x']"}]).json()
    assert (said["success_count"], said["failure_count"]) == (0, 1)
    assert get(world, f"{INBOX}objects/{made['id']}/").json()["objects"] == [made]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("{", 400),
        (b"\xff", 400),
        ('{"objects": ' + "[" * 2000 + "]" * 2000 + "}", 400),
        ("[]", 422),
        ("{}", 422),
        ('{"objects": []}', 422),
        ('{"objects": 3}', 422),
        ("null", 422),
        ('{"objects": [' + ",".join(["0"] * (MANY + 1)) + "]}", 422),
        ('{"objects": [NaN]}', 400),
        ('{"objects": [1e999]}', 400),
        (b'{"objects": []}'.decode().encode("utf-16"), 400),
    ],
)
def test_5_5_what_is_no_envelope_is_answered_400_or_422_and_harms_no_later_read(world: World, body: str | bytes, status: int) -> None:
    assert post(world, body).status_code == status
    assert get(world, f"{INBOX}objects/").status_code == 200


HOSTILE: list[Any] = [
    None,
    3,
    "x",
    [],
    {},
    {"id": 3},
    {"type": "report"},
    {"id": "report--x", "type": "report"},
    {"id": "x" * 9000, "type": "y", "modified": "\n"},
]


def odd_sources() -> list[dict[str, Any]]:
    """Reports that others are said to have made, of sources that are none."""
    head = {"type": "incident", "name": "x", "object_marking_refs": [TLP["RED"]], "created_by_ref": f"identity--{uuid4()}"}
    said: dict[str, Any] = {"extension_type": "property-extension"}
    return [indicator(f"incident--{uuid4()}", **head, extensions={EXTENSION: said | {"derived_from": odd}}) for odd in (3, "x", {"a": 1})]


def test_5_5_objects_are_refused_one_by_one_and_harm_no_later_read(world: World) -> None:
    made = indicator()
    odd = [
        *HOSTILE,
        *odd_sources(),
        indicator(x_more="a\0b"),
        indicator(x_more=2**80),
        indicator(modified="2026-02-30T00:00:00Z"),
        indicator(x_more=[]),
    ]
    said = world.taxii("B", f"{INBOX}objects/", [*odd, made]).json()
    assert (said["success_count"], said["failure_count"]) == (1, len(odd))
    assert all(f["message"] and f["id"] and f["version"] for f in said["failures"])
    assert ids(get(world, f"{INBOX}objects/"))[-1] == made["id"]
    assert get(world, f"status/{said['id']}/").json() == said


def test_5_6_an_object_is_found_by_its_id_and_one_that_is_not_there_is_answered_404(world: World) -> None:
    for where in (PICTURE, INBOX):
        ident = known(world, where)[-1]
        assert ids(get(world, f"{where}objects/{ident}/")) == [ident]
        assert get(world, f"{where}objects/{ident}/?match[version]=2001-01-01T00:00:00Z").json() == {}
        for never in (f"report--{uuid4()}", f"indicator--{uuid4()}", "nonsense", f"report--{ident}", "%27"):
            for page in ("", "versions/"):
                assert get(world, f"{where}objects/{never}/{page}").status_code == 404


def test_5_7_who_may_delete_follows_from_what_one_may_read_and_write(world: World) -> None:
    made = indicator()
    world.taxii("B", f"{INBOX}objects/", [made])
    table = {
        ("oversee", INBOX): 404,
        ("analyse", INBOX): 403,
        ("B", PICTURE): 403,
        ("administer_agency", INBOX): 403,
    }
    for (who, where), status in table.items():
        assert world.taxii(who, f"{where}objects/{made['id']}/", method="DELETE").status_code == status, who
    assert get(world, f"{INBOX}objects/{made['id']}/").status_code == 200
    assert world.taxii("submit", f"{INBOX}objects/{made['id']}/", method="DELETE").status_code == 200


def test_5_7_who_may_not_purge_does_not_delete_what_became_a_report(world: World) -> None:
    made = indicator(type="incident", id=f"incident--{uuid4()}", name="x", object_marking_refs=[TLP["RED"]])
    world.taxii("B", f"{INBOX}objects/", [made])
    path = f"{INBOX}objects/{made['id']}/"
    assert world.taxii("submit", path, method="DELETE").status_code == 403
    assert get(world, path).status_code == 200
    assert world.taxii("B", path, method="DELETE").status_code == 200


def test_5_7_what_was_deleted_is_nowhere_any_more(world: World) -> None:
    made = [indicator(f"indicator--{uuid4()}", day) for day in (1, 2)]
    made[1]["id"] = made[0]["id"]
    world.taxii("B", f"{INBOX}objects/", made)
    path = f"{INBOX}objects/{made[0]['id']}/"
    assert world.taxii("B", f"{path}?match[version]={made[1]['modified']}", method="DELETE").status_code == 200
    assert get(world, path).json()["objects"] == made[:1]
    assert world.taxii("B", path, method="DELETE").status_code == 200
    assert get(world, path).status_code == 404
    assert made[0]["id"] not in ids(get(world, f"{INBOX}manifest/?match[version]=all"))
    assert world.taxii("B", path, method="DELETE").status_code == 404


def test_5_8_an_objects_versions_are_listed(world: World) -> None:
    same: str = world.same  # type: ignore[attr-defined]
    said = get(world, f"{INBOX}objects/{same}/versions/").json()
    assert sorted(said["versions"]) == [f"2026-01-0{day}T00:00:00.000Z" for day in (1, 2, 3)]
    first = get(world, f"{INBOX}objects/{same}/versions/?limit=2").json()
    rest = get(world, f"{INBOX}objects/{same}/versions/?limit=2&next={first['next']}").json()
    assert first["versions"] + rest["versions"] == said["versions"]
    assert "more" not in rest
    report = known(world, PICTURE)[-1]
    assert len(get(world, f"{PICTURE}objects/{report}/versions/").json()["versions"]) == 1


def test_an_object_without_a_time_has_the_time_at_which_it_was_added_for_its_version(world: World) -> None:
    made = {"type": "ipv4-addr", "id": "ipv4-addr--5a1b6bb0-8d1e-5c6a-9f8a-2a4b8d8f0001", "value": "203.0.113.7"}
    assert world.taxii("B", f"{INBOX}objects/", [made]).json()["success_count"] == 1
    (line,) = get(world, f"{INBOX}manifest/?match[id]={made['id']}").json()["objects"]
    assert line["version"] == line["date_added"]
    assert ids(get(world, f"{INBOX}objects/?match[version]={line['version']}")) == [made["id"]]
