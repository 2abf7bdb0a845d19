"""Clients that agencies use, unchanged, against a hub in processes of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
from running import Running

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what they import warns of itself
    from cytaxii2 import cytaxii2
    from taxii2client.v21 import ApiRoot, Collection, Server, as_pages

from tocsin.stix.fixed import EXTENSION, INCIDENT, JUDGEMENT, ORCON, SIGNAL, TLP

WHEN = "2026-01-02T00:00:00.000Z"


def incident() -> dict[str, Any]:
    head = {"type": "incident", "spec_version": "2.1", "id": f"incident--{uuid4()}", "created": WHEN, "modified": WHEN}
    return head | {"name": "Blast", "object_marking_refs": [TLP["GREEN"]]}


@pytest.fixture(scope="module")
def tokens(hub: Running) -> dict[str, str]:
    return {name: hub.agency(name, "submit", "analyse", "administer_agency") for name in ("Police", "Army")}


def collections_of(hub: Running, token: str) -> dict[str, Collection]:
    server = Server(f"{hub.url}/taxii2/", user="tocsin", password=token)
    return {one.custom_properties.get("alias", one.title): one for one in server.default.collections} | {
        one.title: one for one in server.default.collections
    }


def test_taxii2_client_sends_and_another_agencys_reads(hub: Running, tokens: dict[str, str]) -> None:
    sent = [incident() for _ in range(5)]
    inbox = collections_of(hub, tokens["Police"])["Inbox of Police"]
    status = inbox.add_objects({"objects": sent})
    assert (status.status, status.success_count, status.failure_count) == ("complete", 5, 0)
    status.refresh()
    assert status.success_count == 5
    picture = collections_of(hub, tokens["Army"])["Picture of Army"]
    pages = list(as_pages(picture.get_objects, per_request=3))
    objects = [o for page in pages for o in page.get("objects", [])]
    assert len(pages) > 3
    assert sum(o["type"] == "report" for o in objects) == 5
    listed = [line["id"] for line in picture.get_manifest()["objects"]]  # incidents are made of the reports meanwhile
    assert [o["id"] for o in objects if o["type"] == "report"] == [i for i in listed if i.startswith("report--")]
    assert len(picture.get_objects(type="report")["objects"]) == 5
    report = next(o for o in objects if o["type"] == "report")
    assert picture.get_object(report["id"])["objects"] == [report]
    assert picture.object_versions(report["id"])["versions"] == [report["modified"]]


def test_taxii2_client_deletes_what_is_its_own(hub: Running, tokens: dict[str, str]) -> None:
    made = incident()
    inbox = collections_of(hub, tokens["Police"])["Inbox of Police"]
    inbox.add_objects({"objects": [made]})
    assert inbox.get_object(made["id"])["objects"] == [made]
    inbox.delete_object(made["id"])
    assert "objects" not in inbox.get_objects(id=made["id"])


def test_taxii2_client_reads_the_api_root(hub: Running, tokens: dict[str, str]) -> None:
    root = ApiRoot(f"{hub.url}/taxii2/hub/", user="tocsin", password=tokens["Army"])
    assert root.versions == ["application/taxii+json;version=2.1"]
    assert root.max_content_length == 10_000_000


def test_cytaxii2_sends_and_polls(hub: Running, tokens: dict[str, str]) -> None:
    sender, reader = (
        cytaxii2.cytaxii2(discovery_url=f"{hub.url}/taxii2/", username="x", password=tokens[n], version=2.1) for n in ("Police", "Army")
    )
    made = incident()
    inbox = next(c for c in sender.collection_request()["response"]["collections"] if c["can_write"])
    answer = sender.inbox_request(collection_id=inbox["id"], stix_bundle=json.dumps({"objects": [made]}))
    assert answer["response"]["success_count"] == 1, answer
    picture = next(c for c in reader.collection_request()["response"]["collections"] if not c["can_write"])
    assert reader.collection_data_request(collection_id=picture["id"])["response"]["title"] == "Picture of Army"
    polled = reader.poll_request(collection_id=picture["id"], object_type="report", limit=1000)
    assert any(o["extensions"] and o["description"] == "Blast" for o in polled["response"]["objects"] if "description" in o), polled
    assert reader.root_discovery()["response"]["title"] == "tocsin hub"


def test_who_sends_too_much_reads_that_it_was_too_much(hub: Running, tokens: dict[str, str]) -> None:
    most = ApiRoot(f"{hub.url}/taxii2/hub/", user="tocsin", password=tokens["Police"]).max_content_length
    media = "application/taxii+json;version=2.1"
    headers = {"Authorization": f"Bearer {tokens['Police']}", "Accept": media, "Content-Type": media}
    connection = HTTPConnection("127.0.0.1", hub.port, timeout=60)
    connection.request("POST", "/taxii2/hub/collections/inbox/objects/", b" " * 3 * most, headers)
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["http_status"]) == (413, "413")
    connection.close()


def test_behind_a_proxy_with_tls_the_api_root_is_https(hub: Running, tokens: dict[str, str]) -> None:
    headers = {"Authorization": f"Bearer {tokens['Army']}", "X-Forwarded-Proto": "https", "Host": "hub.example.org"}
    with urlopen(Request(f"{hub.url}/taxii2/", headers=headers), timeout=60) as answer:
        assert b'"https://hub.example.org/taxii2/hub/"' in answer.read()


def test_the_how_to_is_followed_word_by_word(hub: Running, tokens: dict[str, str], tmp_path: Path) -> None:
    """On another machine: in a process that knows nothing of tocsin's source."""
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "taxii.md").read_text(encoding="utf-8")
    reading, sending, misp = (
        block.replace("http://127.0.0.1:8000", hub.url).replace('"TOKEN"', repr(tokens["Police"]))
        for block in re.findall(r"```py\n(.*?)```", page, re.DOTALL)
    )
    shutil.copy(Path(__file__).parent / "data" / "misp_event.json", tmp_path / "event.json")
    script = [reading, sending, misp, "print('again')", reading, 'print(picture.get_objects(type="report"))']
    command = [sys.executable, "-W", "ignore", "-c", "\n".join(script)]
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    before, after = done.stdout.split("again\n")
    assert before.endswith("1 taken []\n5 taken []\n")
    assert "report report--" in after
    assert "Three killed near the station" in after
    assert "Blast at a market" in after
    for ident in re.findall(r"[a-z-]+--[0-9a-f-]{36}", page):
        assert ident in (EXTENSION, INCIDENT, JUDGEMENT, SIGNAL, ORCON, TLP["GREEN"], "incident--0f1c2b9e-6a2d-4a5e-8c3b-1f2e3d4c5b6a")
