"""Accounts, invitations and sessions, over HTTP against a real database."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import psycopg
import pytest
from argon2 import PasswordHasher
from httpx import Response
from hubs import Ticking, World
from people import PASSWORD, Person, Wall, person

from tocsin.hub.signing_in import FREE_ACCOUNT, FREE_ADDRESS


class Counting(PasswordHasher):
    """The real one, which counts what it verifies."""

    verified = 0

    def verify(self, kept: str | bytes, password: str | bytes) -> bool:
        self.verified += 1
        return super().verify(kept, password)


@pytest.fixture
def world(one: World, clock: Ticking) -> World:
    """As on the first day for each test."""
    one.forget_people()
    clock.tick()
    one.hub.signing_in.wall = Wall()
    one.hub.signing_in.hasher = Counting(time_cost=1, memory_cost=1024, parallelism=1)  # as real, and quick
    return one


def invite(world: World, name: str = "amina", roles: tuple[str, ...] = ("submit",)) -> str:
    made = world.ask("A", "POST", "/api/invitations", {"name": name, "roles": list(roles)})
    assert made.status_code == 201, made.text
    path: str = made.json()["path"]
    return path


def log(world: World, who: str = "A") -> list[tuple[str, str, bool]]:
    return [(line["who"], line["what"], line["allowed"]) for line in world.ask(who, "GET", "/api/audit").json()["lines"]]


def test_who_is_invited_makes_an_account_signs_out_and_signs_in_and_it_is_all_in_the_log(world: World) -> None:
    amina = person(world, "A", "amina", "submit", "analyse")
    assert amina.get("/incidents").status_code == 200
    assert amina.post("/sign-out", {}, at="/incidents").headers["Location"] == "/sign-in"
    assert amina.get("/incidents").headers["Location"] == "/sign-in?back=%2Fincidents"
    assert amina.sign_in().headers["Location"] == "/"
    assert amina.get("/incidents").status_code == 200
    mine = [what for who, what, allowed in log(world) if who == "amina (person)" and allowed]
    assert [what for what in mine if what not in ("incidents",)] == ["accept invitation", "sign out", "sign in"]
    assert ("A", "invite amina", True) in log(world)
    listed = world.ask("A", "GET", "/api/accounts").json()["accounts"]
    assert [(a["agency"], a["name"], a["roles"]) for a in listed] == [("A", "amina", ["analyse", "submit"])]
    assert world.ask("B", "GET", "/api/accounts").json()["accounts"] == []


def test_an_invitation_is_good_once_looking_does_not_use_it_up_and_it_expires(world: World, clock: Ticking) -> None:
    path = invite(world)
    amina = Person(world, "A", "amina")
    assert amina.get(path).status_code == amina.get(path).status_code == 200
    assert amina.accept(path, "short").status_code == 400
    assert amina.accept(path, PASSWORD, "000000").status_code == 400
    assert amina.accept(path, "amina is my own name").status_code == 400
    assert amina.accept(path).status_code == 303
    assert amina.get(path).status_code == 404
    late = invite(world, "late")
    clock.at += timedelta(hours=73)
    assert amina.get(late).status_code == 404
    assert amina.get(late).text == amina.get("/invitation/never-was").text


def test_a_new_invitation_changes_the_password_and_ends_what_was_open(world: World) -> None:
    amina = person(world, "A", "amina", "submit")
    again = Person(world, "A", "amina")
    path = invite(world, "amina", ("oversee",))
    assert amina.get("/feed").status_code == 200  # until it is accepted
    assert again.accept(path, "other words by the sea").status_code == 303
    assert amina.get("/feed").headers["Location"] == "/sign-in?back=%2Ffeed"
    assert amina.sign_in().status_code == 403
    amina.totp = again.totp
    assert amina.sign_in("other words by the sea").status_code == 303
    assert amina.get("/feed").status_code == 403  # its roles are the new ones


def test_who_was_signed_out_meanwhile_comes_back_to_the_page_that_was_asked_for_and_to_no_other_site(world: World) -> None:
    amina = person(world, "A", "amina", "submit")
    amina.post("/sign-out", {}, at="/incidents")
    for page in ("/incidents?after=QUJD", "/reports/x"):
        asked = amina.get(page).headers["Location"]
        assert asked.startswith("/sign-in?back=")
        world.hub.signing_in.wall.next_code()  # type: ignore[attr-defined]
        said = {"agency": "A", "name": "amina", "password": PASSWORD, "code": amina.code(), "back": re.findall(r'name="back" value="([^"]*)"', amina.get(asked).text)[0]}  # fmt: skip
        assert amina.post("/sign-in", said).headers["Location"] == page
        amina.post("/sign-out", {}, at="/report")
    for wrong in ("//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "/sign-out", "", "x", "/é"):
        assert 'name="back" value="/"' in amina.client.get("/sign-in", params={"back": wrong}).text, wrong
        world.hub.signing_in.wall.next_code()  # type: ignore[attr-defined]
        said = {"agency": "A", "name": "amina", "password": PASSWORD, "code": amina.code(), "back": wrong}
        assert amina.post("/sign-in", said).headers["Location"] == "/", wrong
        amina.post("/sign-out", {}, at="/report")


def test_a_browser_that_asks_for_the_brief_without_a_session_comes_to_sign_in_and_a_program_is_told(world: World) -> None:
    amina = person(world, "A", "amina", "submit")
    amina.post("/sign-out", {}, at="/incidents")
    browser = amina.client.get("/picture/brief.html", headers={"Accept": "text/html,*/*"}, follow_redirects=False)
    assert (browser.status_code, browser.headers["Location"]) == (303, "/sign-in?back=%2Fpicture%2Fbrief.html")
    program = amina.client.get(
        "/picture/brief.html", headers={"Accept": "text/html", "Authorization": "Bearer wrong"}, follow_redirects=False
    )
    assert program.status_code == amina.get("/picture/brief.html").status_code == 401


def test_what_was_sent_without_a_session_is_not_taken_and_the_way_back_is_said(world: World) -> None:
    amina = person(world, "A", "amina", "submit")
    amina.post("/sign-out", {}, at="/incidents")
    lost = amina.client.post("/report", data={"form": "x", "marking": "RED"}, follow_redirects=False)
    assert lost.status_code == 401
    assert 'href="/sign-in?back=%2Freport"' in lost.text
    assert world.ask("A", "GET", "/api/feed").json()["reports"] == []


TYPED = {
    "text": 'کراچی "<b>" &',
    "marking": "AMBER",
    "releasable_to": ["B", "group:x"],
    "killed": "3",
    "form_id": "f" * 43,
    "orcon": "on",
    "why": "no field of it",
}
SAME = {"Sec-Fetch-Site": "same-origin"}


def test_a_report_that_was_being_typed_when_one_was_signed_out_is_before_one_again_and_was_not_sent(world: World, clock: Ticking) -> None:
    amina = person(world, "A", "amina", "submit")
    clock.at += timedelta(minutes=31)
    lost = amina.client.post("/report", data=TYPED, headers=SAME, follow_redirects=False)
    assert lost.status_code == 401
    assert "was not sent" in lost.text

    def sign_in(page: str, password: str) -> Response:
        world.hub.signing_in.wall.next_code()  # type: ignore[attr-defined]
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
        fields: dict[str, list[str]] = {}
        for name, value in hidden:
            fields.setdefault(name, []).append(unescape(value))
        said = {"agency": "A", "name": "amina", "password": password, "code": amina.code()}
        return amina.client.post("/sign-in", data=fields | said, follow_redirects=False)

    again = sign_in(sign_in(lost.text, "wrong").text, PASSWORD)  # it outlives a wrong password
    assert again.status_code == 200
    assert "کراچی &#34;&lt;b&gt;&#34; &amp;</textarea>" in again.text
    assert 'value="AMBER" required checked' in re.sub(r"\s+", " ", again.text)
    assert re.search(r'value="B" checked', again.text)
    assert "no field of it" not in again.text
    assert world.ask("A", "GET", "/api/feed").json()["reports"] == []
    form = re.search(r'name="form" value="(\w+)"', again.text)
    assert form is not None
    sent = amina.client.post("/report", data=TYPED | {"form": form[1]}, follow_redirects=False)
    assert sent.status_code == 303
    assert world.ask("A", "GET", "/api/feed").json()["reports"][0]["text"] == TYPED["text"]


def test_what_another_site_sends_is_kept_for_nobody(world: World) -> None:
    stranger = Person(world, "A", "nobody")
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}):
        answer = stranger.client.post("/report", data=TYPED, headers=headers, follow_redirects=False)
        assert answer.status_code == 401
        assert "kept-" not in answer.text


def test_a_code_is_good_once_and_so_long(world: World) -> None:
    amina = person(world, "A", "amina", "submit")
    wall = world.hub.signing_in.wall
    assert isinstance(wall, Wall)
    assert amina.sign_in(code=amina.code()).status_code == 403  # it confirmed the phone with it
    wall.next_code()
    code = amina.code()
    assert amina.sign_in(code=f" {code[:3]} {code[3:]} ".translate({ord("0") + d: chr(0x06F0 + d) for d in range(10)})).status_code == 303
    assert amina.sign_in(code=code).status_code == 403
    wall.next_code()
    old = amina.code()
    wall.next_code()
    wall.next_code()
    assert amina.sign_in(code=old).status_code == 403
    assert amina.sign_in().status_code == 303


def test_a_session_ends_when_it_is_idle_and_after_half_a_day_in_all(world: World, clock: Ticking) -> None:
    amina = person(world, "A", "amina", "submit")
    clock.at += timedelta(minutes=29)
    assert amina.get("/feed").status_code == 200
    clock.at += timedelta(minutes=31)
    assert amina.get("/feed").headers["Location"] == "/sign-in?back=%2Ffeed"
    amina.sign_in()
    for _ in range(24):
        assert amina.get("/feed").status_code == 200
        clock.at += timedelta(minutes=29, seconds=59)
    assert amina.get("/feed").status_code == 200
    clock.at += timedelta(minutes=1)
    assert amina.get("/feed").headers["Location"] == "/sign-in?back=%2Ffeed"


def test_who_fails_is_told_the_same_after_the_same_work_whether_the_account_exists_or_not(world: World) -> None:
    amina = person(world, "A", "amina", "submit")
    hasher = world.hub.signing_in.hasher
    assert isinstance(hasher, Counting)

    def told(**said: str) -> tuple[int, str, dict[str, str], int]:
        one, before = Person(world, "A", "amina"), hasher.verified
        one.totp = amina.totp
        answer = one.sign_in(**said)
        text = re.sub(r'(name="(form|agency|name)" value=")[^"]*', r"\1", answer.text)
        return answer.status_code, text, {k: v for k, v in answer.headers.items() if k != "content-length"}, hasher.verified - before

    first = told(password="a wrong one of some length")
    assert first[0] == 403
    assert first[3] == 1
    assert first == told(name="nobody") == told(agency="C") == told(name="x" * 64) == told(code="") == told(password="")
    world.ask("A", "DELETE", "/api/accounts/amina")
    assert first == told()


def test_failures_make_one_wait_longer_and_longer_by_account_whether_it_exists_or_not(world: World, clock: Ticking) -> None:
    amina = person(world, "A", "amina", "submit")
    expected = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    for name, times in (("amina", 12), ("nobody", 6)):  # their address has none of its own to wait for yet
        for _ in range(FREE_ACCOUNT):
            assert amina.sign_in("wrong", name=name).status_code == 403
        waits = []
        for _ in range(times):
            answer = amina.sign_in(name=name)  # the right one too
            assert answer.status_code == 429
            waits.append(int(answer.headers["Retry-After"]))
            assert f"wait {waits[-1]} seconds" in answer.text
            clock.at += timedelta(seconds=waits[-1])
            assert amina.sign_in("wrong", name=name).status_code == 403
        assert waits == expected[:times], name
    clock.at += timedelta(minutes=15)
    assert amina.sign_in().status_code == 303
    assert amina.sign_in("wrong").status_code == 403
    assert amina.sign_in().status_code == 303  # who came in is forgiven


def test_failures_make_an_address_wait_whatever_names_it_tries(world: World) -> None:
    amina = person(world, "A", "amina", "submit")
    for n in range(FREE_ADDRESS):
        assert amina.sign_in("wrong", name=f"guess {n}").status_code == 403
    assert amina.sign_in().status_code == 429


def test_a_failure_is_in_the_log_of_the_agency_and_of_nobody_known_in_the_staffs_without_what_was_typed(world: World) -> None:
    amina = person(world, "A", "amina", "submit")
    amina.sign_in("wrong")
    amina.sign_in(name="my-secret-password")
    amina.sign_in(agency="nowhere")
    assert log(world)[-1] == ("amina (person)", "sign in", False)
    staffs = world.ask("admin", "GET", "/api/audit")
    assert log(world, "admin")[-2:] == [("nobody known", "sign in", False)] * 2
    assert "my-secret-password" not in staffs.text + world.ask("A", "GET", "/api/audit").text


def test_a_form_that_is_not_of_the_session_does_nothing(world: World) -> None:
    amina, other = person(world, "A", "amina", "administer_agency"), person(world, "A", "omar", "administer_agency")
    form = re.search(r'name="form" value="(\w+)"', other.get("/people").text)
    assert form is not None
    for fields in ({}, {"form": ""}, {"form": form[1]}, {"form": "ü"}):
        answer = amina.client.post("/people", data={"does": "close", "name": "omar"} | fields)
        assert answer.status_code == 403
    assert amina.client.post("/sign-out", data={"x": ""}).status_code == 403
    assert amina.client.post("/sign-in", data={"agency": "A", "name": "amina", "password": PASSWORD, "code": "1"}).status_code == 403
    assert other.get("/people").status_code == amina.get("/people").status_code == 200


def test_a_session_is_kept_from_scripts_and_other_sites_and_only_its_hash_is_kept(world: World) -> None:
    path = invite(world)
    amina = Person(world, "A", "amina")
    cookies = amina.accept(path).headers.get_list("set-cookie")
    said = next(c for c in cookies if c.startswith("tocsin="))
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in said.split(";")}
    assert "secure" not in said.lower()
    secret = said.partition("=")[2].partition(";")[0]
    with psycopg.connect(world.roles["owner"]) as owner:
        kept = repr([owner.execute(f"SELECT * FROM tocsin.{t}").fetchall() for t in ("session", "account", "act", "audit", "invitation")])  # type: ignore[arg-type]
    assert secret not in kept
    assert PASSWORD not in kept
    assert path.rpartition("/")[2] not in kept
    assert "$argon2id$" in kept
    amina.client.base_url = "https://hub.example"
    wall = world.hub.signing_in.wall
    assert isinstance(wall, Wall)
    safe = next(c for c in amina.sign_in().headers.get_list("set-cookie") if "tocsin=" in c)
    assert safe.startswith("__Host-tocsin=")
    assert "secure" in safe.lower()


def test_every_page_of_the_rooms_forbids_scripts_frames_and_foreign_forms(world: World) -> None:
    amina = person(world, "A", "amina", "submit", "administer_agency")
    for path in ("/sign-in", "/incidents", "/feed", "/report", "/reports", "/people", "/log", "/reports/never", "/invitation/x"):
        answer = amina.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "script" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "<script" not in answer.text
        assert not re.search(r"\sstyle=|\son\w+=|<style", answer.text)


def test_a_session_reads_the_api_and_changes_nothing_by_it(world: World) -> None:
    amina = person(world, "A", "amina", "submit", "administer_agency")
    assert amina.get("/api/me").json()["label"] == "amina (person)"
    assert amina.get("/api/feed").status_code == 200
    assert amina.client.post("/api/reports", json={"marking": "RED"}).status_code == 401
    assert amina.client.post("/api/tokens", json={"label": "x", "roles": ["submit"]}).status_code == 401
    assert amina.client.delete("/api/tokens/A").status_code == 401
    assert amina.client.get("/api/feed", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert (
        world.client.get("/incidents", headers={"Authorization": f"Bearer {world.tokens['A']}"}, follow_redirects=False).status_code == 303
    )


def test_an_agencys_administrator_reaches_nobody_of_another_agency(world: World) -> None:
    person(world, "B", "bilal", "submit")
    answers = [world.ask("A", "POST", "/api/invitations", {"name": "x", "roles": ["submit"], "agency": of}) for of in ("B", "nowhere")]
    assert [a.status_code for a in answers] == [403, 403]
    assert answers[0].content == answers[1].content
    assert world.ask("A", "DELETE", "/api/accounts/bilal").status_code == 400
    assert world.ask("A", "DELETE", "/api/accounts/bilal?agency=B").status_code == 403
    assert person(world, "A", "bilal", "submit").get("/feed").status_code == 200  # the same name is free
    assert "bilal" not in world.ask("A", "GET", "/api/accounts").text.replace('"name":"bilal"', "", 1)


@pytest.mark.parametrize("role", ["administer_hub", "root", ""])
def test_nobody_is_invited_with_a_role_beyond_agencies(world: World, role: str) -> None:
    for who, more in (("A", {}), ("admin", {"agency": "A"})):
        assert world.ask(who, "POST", "/api/invitations", {"name": "up", "roles": ["submit", role], **more}).status_code == 400


def test_who_is_closed_or_whose_agency_leaves_is_out_at_once(world: World) -> None:
    amina, omar = person(world, "A", "amina", "submit"), person(world, "A", "omar", "submit")
    open_still = invite(world, "late")
    assert world.ask("A", "DELETE", "/api/accounts/amina").status_code == 200
    assert amina.get("/feed").headers["Location"] == "/sign-in?back=%2Ffeed"
    assert amina.sign_in().status_code == 403
    assert omar.get("/feed").status_code == 200
    assert world.ask("admin", "POST", "/api/agencies/A/leave", {"reports": "keep"}).status_code == 200
    assert omar.get("/feed").headers["Location"] == "/sign-in?back=%2Ffeed"
    assert omar.sign_in().status_code == 403
    assert omar.get(open_still).status_code == 404


def test_the_staff_invites_an_agencys_first_administrator(world: World) -> None:
    made = world.ask("admin", "POST", "/api/invitations", {"name": "chief", "roles": ["administer_agency"], "agency": "B"})
    chief = Person(world, "B", "chief")
    assert chief.accept(made.json()["path"]).status_code == 303
    answer = chief.post("/people", {"does": "invite", "name": "desk", "roles": ["submit"]})
    link = re.search(r"http://[^<]+(/invitation/[\w-]+)", answer.text)
    assert link is not None
    assert Person(world, "B", "desk").accept(link[1]).status_code == 303


def test_the_hubs_own_staff_signs_in_as_agencies_do_and_sees_no_report(world: World) -> None:
    chief = person(world, "", "chief", "administer_hub")
    assert chief.get("/").headers["Location"] == "/reporting"
    assert chief.post("/sign-out", {}, at="/agencies").headers["Location"] == "/sign-in"
    assert chief.get("/agencies").headers["Location"] == "/sign-in?back=%2Fagencies"
    assert chief.sign_in("wrong").status_code == 403
    assert chief.sign_in(agency="A").status_code == 403  # the name of the staff's is nobody's in an agency
    assert chief.sign_in().status_code == 303
    lines = [line for line in log(world, "admin") if line[0] == "chief (person)"]
    assert [what for _, what, allowed in lines if allowed] == ["accept invitation", "sign out", "sign in"]
    assert ("chief (person)", "sign in", False) in lines
    assert "chief" not in world.ask("A", "GET", "/api/accounts").text + world.ask("A", "GET", "/api/audit").text
    for page in ("/incidents", "/feed", "/reports", "/report", "/upload", f"/reports/{'0' * 32}"):
        assert chief.get(page).status_code == 403, page
    assert world.ask("admin", "DELETE", "/api/accounts/chief").status_code == 200
    assert chief.get("/agencies").headers["Location"] == "/sign-in?back=%2Fagencies"


def test_failures_lock_an_account_of_the_staff_too(world: World, clock: Ticking) -> None:
    chief = person(world, "", "chief", "oversee")
    for _ in range(FREE_ACCOUNT):
        assert chief.sign_in("wrong").status_code == 403
    assert chief.sign_in().status_code == 429
    clock.at += timedelta(minutes=15)
    assert chief.sign_in().status_code == 303


def test_only_the_staff_invites_to_the_staff_and_a_role_of_agencies_is_none_of_its(world: World) -> None:
    for roles in (["submit"], ["oversee", "analyse"], []):
        assert world.ask("admin", "POST", "/api/invitations", {"name": "x", "roles": roles}).status_code == 400
    assert world.ask("A", "POST", "/api/invitations", {"name": "x", "roles": ["administer_hub"]}).status_code == 400
    chief = person(world, "", "chief", "administer_hub")
    answer = chief.post("/people", {"does": "invite", "name": "first", "roles": ["administer_agency"], "agency": "B"})
    link = re.search(r"http://[^<]+(/invitation/[\w-]+)", answer.text)
    assert link is not None
    assert Person(world, "B", "first").accept(link[1]).status_code == 303
    overseer = person(world, "", "overseer", "oversee")
    assert overseer.get("/people").status_code == 200
    assert overseer.post("/people", {"does": "invite", "name": "x", "roles": ["oversee"]}).status_code == 403


@pytest.mark.parametrize("days", ["", "x", "0", "-1", "4000", "9" * 5_000])
def test_days_that_no_token_holds_are_said_to_be_wrong(world: World, days: str) -> None:
    admin = person(world, "A", "admin", "administer_agency")
    answer = admin.post("/people", {"does": "token", "name": "night desk", "roles": ["submit"], "days": days})
    assert (answer.status_code, "days from 1 to 3650" in answer.text) == (400, True)
    assert [one["label"] for one in world.ask("A", "GET", "/api/tokens").json()["tokens"]] == ["A"]
