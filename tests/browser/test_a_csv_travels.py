"""A spreadsheet of one agency is in another agency's browser, by the words of the how-to, against a hub that runs."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pages import accept
from running import Running, new_folder

pytestmark = pytest.mark.browser
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "join-a-hub.md"
EVENTS = """event_id_cnty,event_date,year,time_precision,disorder_type,event_type,sub_event_type,actor1,assoc_actor_1,inter1,actor2,assoc_actor_2,inter2,interaction,civilian_targeting,iso,region,country,admin1,admin2,admin3,location,latitude,longitude,geo_precision,source,source_scale,notes,fatalities,tags,timestamp
PAK2,05 March 2024,2024,1,x,Battles,Armed clash,Military Forces of Pakistan (2022-2024),,1,TTP: Tehreek-e-Taliban Pakistan,,2,12,,586,South Asia,Pakistan,Balochistan,Zhob,,Zhob,31.3,69.4,1,AFP,International,A clash near the bridge.,2,,1710000000
"""


def shell(folder: Path, token: str, hub: Running, *words: str) -> str:
    """What the how-to's commands print, with its first lines before them."""
    shim = folder / "tocsin"
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m tocsin "$@"\n')
    shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    script = "\n".join((f"export TOCSIN_TOKEN={token}", f"export HUB={hub.url}", *words))
    env = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "XDG_STATE_HOME": str(folder / "state"), "no_proxy": "*"}
    done = subprocess.run(["bash", "-eu", "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def command(start: str) -> str:
    """A line of the page, as it stands there."""
    found = re.search(rf"^{re.escape(start)}.*?$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None, start
    return found[0].partition("   ")[0]


def test_a_csv_travels_from_one_agency_into_another_agencys_browser(chromium: Any, tmp_path: Path) -> None:
    with new_folder() as folder:
        hub = Running(folder)
        police, rescue = (hub.agency(name, "submit", "analyse", "administer_agency") for name in ("police", "rescue"))
        (tmp_path / "events.csv").write_text(EVENTS)
        shell(tmp_path, police, hub, command("tocsin push events.csv"))
        link = re.search(r"http\S+/invitation/\S+", shell(tmp_path, rescue, hub, command("tocsin agency invite amina")))
        assert link is not None
        context = chromium.new_context(viewport={"width": 360, "height": 800})
        page = context.new_page()
        accept(page, link[0])
        for _ in range(100):
            page.goto(f"{hub.url}/incidents")
            if "Zhob" in page.content():
                break
            page.wait_for_timeout(200)
        assert "Zhob" in page.inner_text("main")
        page.goto(f"{hub.url}/feed")
        assert "Zhob" in page.inner_text("main")
        assert "police" in page.inner_text("main")
        context.close()
