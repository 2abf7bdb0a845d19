"""The pages for a directorate and for an agency's desk, followed word by word against a hub that runs."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

from running import Running

PAGES = Path(__file__).parent.parent.parent / "docs" / "how-to"
EVENTS = "event_id_cnty,event_date,year,time_precision,disorder_type,event_type,sub_event_type,actor1,assoc_actor_1,inter1,actor2,assoc_actor_2,inter2,interaction,civilian_targeting,iso,region,country,admin1,admin2,admin3,location,latitude,longitude,geo_precision,source,source_scale,notes,fatalities,tags,timestamp\nPAK2,05 March 2024,2024,2,x,Battles,Armed clash,Military Forces of Pakistan (2022-2024),,1,TTP: Tehreek-e-Taliban Pakistan,,2,12,,586,South Asia,Pakistan,Balochistan,Zhob,,Zhob,31.3,69.4,2,AFP,International,A clash.,0,,1710000000\n"


def follow(hub: Running, folder: Path, token: str, text: str) -> str:
    """What the commands of a page print, one after another in one shell; the first that fails ends it."""
    shim = folder / "tocsin"
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m tocsin "$@"\n')
    shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    (folder / "events.csv").write_text(EVENTS)
    script = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL)).replace("http://127.0.0.1:8000", hub.url)
    script = re.sub(r"TOCSIN_TOKEN=\.\.\.", f"TOCSIN_TOKEN={token}", script)
    script = re.sub(r"^(tocsin agency .*?)( +#.*)?$", rf"\1 --url {hub.url}", script, flags=re.MULTILINE)
    env = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "XDG_STATE_HOME": str(folder / "state"), "no_proxy": "*"}
    done = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_a_directorate_and_a_desk_get_through_their_pages(hub: Running, tmp_path: Path) -> None:
    """The directorate's after what *Run a hub* says of agencies, so that the two do not collide."""
    serve = (PAGES / "serve.md").read_text(encoding="utf-8")
    first = serve[serve.index("## Agencies and tokens") : serve.index("## Markings of your own")]
    assert len(re.findall(r"^tocsin_\S+$", follow(hub, tmp_path, hub.admin, first), re.MULTILINE)) == 2
    directorate = (PAGES / "run-a-directorate.md").read_text(encoding="utf-8")
    before, leaving = directorate.split("## When an agency leaves")
    said = follow(hub, tmp_path, hub.admin, before)
    police, rescue = re.findall(r"^tocsin_\S+$", said, re.MULTILINE)
    assert "parliament" in said
    again = hub.ask(hub.admin, "POST", "/api/tokens", {"label": "rescue again", "agency": "rescue", "roles": ["submit", "analyse"]})
    rescue = again["token"]
    theirs = {
        "own_id": "1",
        "event_start": "2026-01-05",
        "country": "PAK",
        "marking": "AMBER",
        "releasable_to": ["police"],
        "orcon": True,
        "origin": "rescue 1",
    }
    hub.ask(rescue, "POST", "/api/reports", theirs)

    desk = (PAGES / "join-a-hub.md").read_text(encoding="utf-8")
    mine = {"own_id": "2", "marking": "AMBER", "releasable_to": ["rescue"], "orcon": True}
    report = hub.ask(police, "POST", "/api/reports", mine)["results"][0]["report_id"]
    request = hub.ask(rescue, "POST", f"/api/reports/{report}/requests", {"to": "coast guard", "why": "x"})["request_id"]
    said = follow(hub, tmp_path, police, desk.replace("$REQUEST", request))
    assert "police  its originator" in said
    assert "rescue  AMBER names rescue" in said
    assert '"decides":"merge"' in said
    assert '"why":"sent by mistake"' in said
    assert {r["to"] for r in hub.ask(police, "GET", "/api/releases")["releases"]} == {"coast guard"}
    assert "judge merge" in json.dumps(hub.ask(police, "GET", "/api/audit?limit=1000"))
    assert "coast guard has left" in follow(hub, tmp_path, hub.admin, f"```sh\nexport TOCSIN_TOKEN=...\n```\n{leaving}")
