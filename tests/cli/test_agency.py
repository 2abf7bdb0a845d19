"""`tocsin agency` and `tocsin who-can-see` against a hub that runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import click
from commands import Done, tocsin
from running import Running

from tocsin.cli import commands


def run(hub: Running, token: str, *words: str) -> Done:
    return tocsin(*words, "--url", hub.url, env={"TOCSIN_TOKEN": token})


def test_the_staff_takes_agencies_in_gives_tokens_and_ends_them(hub: Running) -> None:
    for name in ("police", "rescue"):
        assert run(hub, hub.admin, "agency", "add", name).returncode == 0
    assert run(hub, hub.admin, "agency", "add", "coast guard").stdout.rstrip().endswith("tocsin agency token 'coast guard'")
    police, rescue = (run(hub, hub.admin, "agency", "token", name).stdout.strip() for name in ("police", "rescue"))
    assert run(hub, hub.admin, "agency", "group", "karachi", "rescue").returncode == 0
    handling = {"marking": "AMBER", "releasable_to": ["rescue", "group:karachi"]}
    made = hub.ask(police, "POST", "/api/reports", {"own_id": "1"} | handling)["results"][0]["report_id"]
    told = run(hub, police, "who-can-see", made)
    assert told.stdout.splitlines()[:3] == [
        "police  its originator",
        "rescue  AMBER names rescue",
        "        and who is in the group karachi, which your agency is not in",
    ]
    (warning,) = told.stdout.splitlines()[3:]
    assert warning.startswith("warning: releasable_to: no agency of this hub, and no group that yours is in, is called group:karachi")
    refused = run(hub, rescue, "who-can-see", made)
    assert (refused.returncode, "only its originator" in refused.stderr) == (2, True)
    listed = run(hub, hub.admin, "agency", "tokens").stdout
    assert "police  police  analyse,submit  until " in listed
    assert run(hub, hub.admin, "agency", "revoke", "police").returncode == 0
    assert "has expired or was revoked" in run(hub, police, "who-can-see", made).stderr


def test_a_person_is_invited_to_an_agency_or_to_the_staff_by_a_link_that_leads_to_the_hub(hub: Running) -> None:
    run(hub, hub.admin, "agency", "add", "navy")
    link = run(hub, hub.admin, "agency", "invite", "amina", "--agency", "navy", "--role", "administer_agency").stdout.strip()
    with urlopen(link, timeout=30) as page:
        assert 'value="navy"' in page.read().decode()
    chief = run(hub, hub.admin, "agency", "invite", "chief", "--role", "administer_hub").stdout.strip()
    with urlopen(chief, timeout=30) as page:
        assert "leave the agency empty" in page.read().decode()
    wrong = run(hub, hub.admin, "agency", "invite", "chief", "--role", "submit")
    assert (wrong.returncode, "administer_hub, oversee" in wrong.stderr) == (2, True)


def test_a_token_comes_from_the_environment_a_file_or_standard_input_and_never_stands_in_the_command(hub: Running, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{hub.admin}\n")
    words = [sys.executable, "-m", "tocsin", "agency", "tokens", "--url", hub.url]
    env = {k: v for k, v in os.environ.items() if k != "TOCSIN_TOKEN"}

    def ask(*more: str, said: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run([*words, *more], capture_output=True, text=True, env=env, input=said, check=False)

    by_file, by_line = ask("--token-file", str(file)), ask("--token-file", "-", said=f"{hub.admin}\n")
    assert by_file.returncode == by_line.returncode == 0
    assert by_file.stdout == by_line.stdout
    none = ask()
    assert (none.returncode, "TOCSIN_TOKEN" in none.stderr) == (2, True)
    assert ask("--token", hub.admin).returncode == 2  # there is no such option
    for command in commands().values():
        some = command.commands.values() if isinstance(command, click.Group) else [command]
        assert not any(option in ("--token", "--password") for one in some for p in one.params for option in p.opts)


def test_an_agency_leaves_when_asked_for_twice_and_its_heir_has_its_reports(hub: Running) -> None:
    for name in ("coast guard", "customs"):
        run(hub, hub.admin, "agency", "add", name)
    guard, customs = (run(hub, hub.admin, "agency", "token", name).stdout.strip() for name in ("coast guard", "customs"))
    red = hub.ask(guard, "POST", "/api/reports", {"own_id": "1", "marking": "RED"})["results"][0]["report_id"]
    words = ("agency", "leave", "coast guard", "--reports", "hand-to", "--to", "customs")
    assert run(hub, hub.admin, *words).returncode == 130  # nobody said yes
    assert hub.ask(guard, "GET", "/api/me")["agency"] == "coast guard"
    assert run(hub, hub.admin, *words, "--yes").stdout == "coast guard has left; its reports: hand-to customs.\n"
    assert run(hub, customs, "who-can-see", red).stdout == "customs  its originator\n"
    assert "no agency coast guard" in run(hub, hub.admin, *words, "--yes").stderr
