"""OpenCTI and MISP, as far as their own sources show what they ask for: the same requests, in the same order, with the same client."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from requests.auth import HTTPBasicAuth
from running import Running

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what they import warns of itself
    from taxii2client.common import TokenAuth
    from taxii2client.v21 import ApiRoot, Collection, Server

from tocsin.stix.fixed import TLP

EVENT = Path(__file__).parent / "data" / "misp_event.json"
ACCEPT = "application/taxii+json;version=2.1"


@pytest.fixture(scope="module")
def tokens(hub: Running) -> dict[str, str]:
    return {name: hub.agency(name, "submit", "analyse") for name in ("Police", "Army", "Rescue")}


def put(hub: Running, token: str, *names: str) -> None:
    reports = [{"own_id": n, "marking": "GREEN", "country": "PAK", "lat": 24.9, "lon": 67.0, "text": n} for n in names]
    assert {r["status"] for r in hub.ask(token, "POST", "/api/reports", reports)["results"]} == {"stored"}


def collection(hub: Running, token: str, alias: str) -> str:
    listed = hub.ask(token, "GET", "/taxii2/hub/collections/")["collections"]
    return next(str(c["id"]) for c in listed if c["alias"] == alias)


def texts(objects: list[dict[str, Any]]) -> set[str]:
    return {o["description"] for o in objects if o["type"] == "report" and "description" in o}


class OpenCtiFeed:
    """OpenCTI's own TAXII feed: the URL of the API root, the id of a collection; it keeps `next`, and the last time to the millisecond."""

    def __init__(self, url: str, ident: str, authorization: str) -> None:
        self.url, self.authorization = f"{url.rstrip('/')}/collections/{ident}/objects/", authorization
        self.next: str | None = None
        self.added_after: str | None = None

    def run(self) -> list[dict[str, Any]]:
        """One turn of its timer."""
        query = {k: v for k, v in (("next", self.next), ("added_after", self.added_after)) if v}
        address = self.url + (f"?{urlencode(query)}" if query else "")
        with urlopen(Request(address, headers={"Accept": ACCEPT, "Authorization": self.authorization}), timeout=60) as answer:
            said, last = json.load(answer), answer.headers["X-TAXII-Date-Added-Last"]
        if not said.get("objects"):
            self.next = None
        elif said.get("more") and said.get("next"):
            self.next = said["next"]
        else:
            self.next, self.added_after = None, f"{last[:23]}Z"
        found: list[dict[str, Any]] = said.get("objects", [])
        return found


@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_opencti_reads_a_picture_by_its_own_feed_and_loses_nothing(hub: Running, tokens: dict[str, str], scheme: str) -> None:
    word = tokens["Army"] if scheme == "Bearer" else base64.b64encode(f"opencti:{tokens['Army']}".encode()).decode()
    feed = OpenCtiFeed(f"{hub.url}/taxii2/hub", collection(hub, tokens["Army"], "picture"), f"{scheme} {word}")
    seen: list[dict[str, Any]] = []
    for n in range(3):
        names = [f"{scheme} {n}.{m}" for m in range(450)]
        put(hub, tokens["Police"], *names)
        for _ in range(8):
            seen += feed.run()
        assert set(names) <= texts(seen)


class OpenCtiConnector:
    """Its connector external-import/taxii2: taxii2-client, a collection by its title; with `next` it leaves `added_after` out, and keeps `next` for the next run."""

    def __init__(self, url: str, path: str, auth: Any) -> None:
        self.server, self.path = Server(url, auth=auth), path
        self.filters: dict[str, Any] = {"limit": 100}

    def run(self, added_after: Any) -> list[dict[str, Any]]:
        self.filters["added_after"] = added_after
        root_path, title = self.path.split(".")
        root = next(r for r in self.server.api_roots if r.url.split("/")[-2] == root_path)
        found = next(c for c in root.collections if c.title == title)
        said = found.get_objects(**self.filters)
        objects = list(said.get("objects", []))
        while said.get("more"):
            self.filters.pop("added_after", None)
            self.filters["next"] = said["next"]
            said = found.get_objects(**self.filters)
            objects += said.get("objects", [])
        return objects


@pytest.mark.parametrize("auth", ["basic", "token"])
def test_opencti_reads_a_picture_by_its_connector_and_goes_on_an_hour_later(hub: Running, tokens: dict[str, str], auth: str) -> None:
    token = tokens["Rescue"]
    connector = OpenCtiConnector(
        f"{hub.url}/taxii2/", "hub.Picture of Rescue", HTTPBasicAuth("x", token) if auth == "basic" else TokenAuth(token)
    )
    first = [f"connector {auth} {n}" for n in range(250)]
    put(hub, tokens["Police"], *first)
    assert set(first) <= texts(connector.run(datetime.now(UTC) - timedelta(hours=24 * 365)))
    assert "next" in connector.filters
    last_run = datetime.now(UTC)
    later = [f"connector {auth} later {n}" for n in range(3)]
    put(hub, tokens["Police"], *later)
    found = texts(connector.run(last_run.strftime("%Y-%m-%dT%H:%M:%S.%fZ")))
    assert set(later) <= found
    assert not set(first) & found


CONVERT = """
import json
import sys
from misp_stix_converter import MISPtoSTIX21Parser
parser = MISPtoSTIX21Parser()
parser.parse_misp_event(json.load(open(sys.argv[1])))
for made in parser.stix_objects:
    print(" ".join(made.serialize().split()))
"""


def converted(path: Path) -> list[str]:
    """As MISP does it, in a process of its own: what it imports changes how all else is imported."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", CONVERT, str(path)], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_misp_pushes_an_event_and_another_agency_reads_it_with_its_place(hub: Running, tokens: dict[str, str]) -> None:
    """As its taxii_push.py: user and password as bytes, addresses without a slash at their end, objects put together by hand."""
    auth = HTTPBasicAuth(*base64.b64decode(base64.b64encode(f"misp:{tokens['Police']}".encode())).split(b":"))
    root = f"{hub.url}/taxii2/hub"
    with ApiRoot(root, auth=auth) as api_root:
        assert api_root.max_content_length == 10_000_000
    body = b'{"objects":[' + ",".join(converted(EVENT)).encode() + b"]}"
    with Collection(f"{root}/collections/{collection(hub, tokens['Police'], 'inbox')}", auth=auth) as inbox:
        status = inbox.add_objects(body, wait_for_completion=False)
    assert (status.failure_count, status.success_count) == (0, 5)
    (report,) = (r for r in hub.feed(tokens["Army"]) if r.get("text") == "Blast at a market")
    assert (report["agency"], report["marking"]) == ("Police", "GREEN")
    assert (report["place"], report["lat"], report["lon"]) == ("Karachi", 24.86, 67.01)
    picture = Collection(f"{root}/collections/{collection(hub, tokens['Army'], 'picture')}/", user="x", password=tokens["Army"])
    (made,) = picture.get_object(f"report--{report['report_id']}")["objects"]
    assert made["object_marking_refs"] == [TLP["GREEN"]]


def test_an_event_that_is_not_published_or_not_marked_reaches_nobody(hub: Running, tokens: dict[str, str], tmp_path: Path) -> None:
    inbox = Collection(
        f"{hub.url}/taxii2/hub/collections/{collection(hub, tokens['Police'], 'inbox')}/", user="x", password=tokens["Police"]
    )
    for number, (change, taken) in enumerate((({"published": False}, True), ({"Tag": []}, False))):
        event = json.loads(EVENT.read_text(encoding="utf-8"))
        event["Event"] |= {"uuid": f"5b1f2c3d-7a11-4c1e-9f60-2f6a7d3e9b0{number}", "info": "hidden-quince"} | change
        path = tmp_path / "event.json"
        path.write_text(json.dumps(event), encoding="utf-8")
        status = inbox.add_objects({"objects": [json.loads(one) for one in converted(path)]})
        assert (status.failure_count == 0) is taken
        assert taken or status.failures[0]["message"].startswith("marking: missing")
    for who in tokens.values():
        assert not [r for r in hub.feed(who) if "hidden-quince" in r.get("text", "")]


def test_misp_shows_what_a_collection_has(hub: Running, tokens: dict[str, str]) -> None:
    """As its TaxiiServer.php: `basic` in small letters, 50 objects a page, a content type although nothing is sent."""
    word = base64.b64encode(f"misp:{tokens['Rescue']}".encode()).decode()
    headers = {"Accept": ACCEPT, "Content-type": ACCEPT, "Authorization": f"basic {word}"}

    def get(path: str) -> Any:
        with urlopen(Request(f"{hub.url}/taxii2/hub/{path}", headers=headers), timeout=60) as answer:
            return json.load(answer)

    put(hub, tokens["Police"], *[f"shown {n}" for n in range(60)])
    ident = next(c["id"] for c in get("collections/")["collections"] if c["title"] == "Picture of Rescue")
    first = get(f"collections/{ident}/objects/?limit=50")
    assert len(first["objects"]) == 50
    assert len(get(f"collections/{ident}/objects/?limit=50&next={first['next']}")["objects"]) == 50
    assert get(f"collections/{ident}/objects/{first['objects'][-1]['id']}/")["objects"] == [first["objects"][-1]]
