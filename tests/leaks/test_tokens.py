"""An agency's administrator sees to its own agency's tokens, and learns nothing of others'."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from hubs import World, database

from tocsin.server.serve import _first_token
from tocsin.store.embedded import Embedded


@pytest.fixture
def world(one: World) -> World:
    """As on the first day for each test."""
    one.forget_people()
    return one


def make(world: World, who: str, label: str, roles: list[str], **more: Any) -> Any:
    return world.ask(who, "POST", "/api/tokens", {"label": label, "roles": roles} | more)


def test_an_agencys_administrator_makes_lists_and_revokes_the_tokens_of_its_agency(world: World) -> None:
    made = make(world, "A", "night desk", ["submit"], days=30)
    assert made.status_code == 201
    world.tokens["night desk"] = made.json()["token"]
    assert world.ask("night desk", "GET", "/api/me").json()["agency"] == "A"
    listed = world.ask("A", "GET", "/api/tokens")
    assert [t["label"] for t in listed.json()["tokens"]] == ["A", "night desk"]
    assert {t["made_by"] for t in listed.json()["tokens"]} == {"the hub's staff", "A"}
    assert world.ask("A", "DELETE", "/api/tokens/night desk").status_code == 200
    assert world.ask("night desk", "GET", "/api/feed").status_code == 401
    assert "revoked_at" in world.ask("A", "GET", "/api/tokens").json()["tokens"][1]
    said = [line["what"] for line in world.ask("A", "GET", "/api/audit").json()["lines"]]
    assert said == ["token add night desk", "token revoke night desk"]


def test_no_list_of_tokens_has_a_secret_or_its_hash(world: World) -> None:
    from tocsin.hub import hashed

    for who in ("A", "admin"):
        text = world.ask(who, "GET", "/api/tokens").text
        for token in world.tokens.values():
            assert token not in text
            assert token.removeprefix("tocsin_")[:8] not in text
            assert hashed(token).hex() not in text


@pytest.mark.parametrize("role", ["administer_hub", "root", ""])
def test_nobody_gives_an_agencys_token_a_role_beyond_agencies(world: World, role: str) -> None:
    for who, more in (("A", {}), ("A", {"agency": "A"}), ("admin", {"agency": "A"})):
        assert make(world, who, "up", [role], **more).status_code == 400
        assert make(world, who, "up", ["submit", role], **more).status_code == 400
    for roles in (["administer_hub"], ["submit", "administer_hub"]):
        with (
            psycopg.connect(world.roles["web"], options="-c tocsin.audience=A") as connection,
            pytest.raises(psycopg.errors.CheckViolation),
        ):
            connection.execute("SELECT tocsin.add_token('A', now(), sha256('x'), 'up', 'A', %s, now())", (roles,))


def test_an_agencys_administrator_reaches_no_token_of_another_agency_or_of_the_staff(world: World) -> None:
    answers = [make(world, "A", "mine", ["submit"], agency=of) for of in ("B", "no such agency")]
    assert [a.status_code for a in answers] == [403, 403]
    assert answers[0].content == answers[1].content
    taken, free = (world.ask("A", "DELETE", f"/api/tokens/{label}?agency=B") for label in ("B", "nobody"))
    assert (taken.status_code, taken.content) == (free.status_code, free.content)
    assert world.ask("A", "DELETE", "/api/tokens/admin").status_code == 400
    assert world.ask("A", "DELETE", "/api/tokens/B").status_code == 400
    assert world.ask("B", "GET", "/api/feed").status_code == world.ask("admin", "GET", "/api/agencies").status_code == 200
    assert {t["agency"] for t in world.ask("A", "GET", "/api/tokens").json()["tokens"]} == {"A"}


def test_a_label_that_another_agency_has_is_free_and_tells_nothing(world: World) -> None:
    assert make(world, "B", "chief of station", ["submit"]).status_code == 201
    mine = make(world, "A", "chief of station", ["submit"])
    assert mine.status_code == 201
    assert make(world, "A", "chief of station", ["submit"]).status_code == 400
    assert make(world, "A", "admin", ["submit"]).status_code == 201  # the staff has one of that label
    assert world.ask("B", "DELETE", "/api/tokens/chief of station").status_code == 200
    world.tokens["mine"] = mine.json()["token"]
    assert world.ask("mine", "GET", "/api/me").status_code == 200


def test_the_staff_sees_all_tokens_and_revokes_any_by_its_agency_and_label(world: World) -> None:
    listed = world.ask("admin", "GET", "/api/tokens").json()["tokens"]
    assert [(t.get("agency"), t["label"]) for t in listed] == [(None, "admin"), ("A", "A"), ("B", "B"), ("C", "C")]
    assert world.ask("admin", "DELETE", "/api/tokens/A?agency=B").status_code == 400
    assert world.ask("admin", "DELETE", "/api/tokens/A?agency=A").status_code == 200
    assert world.ask("A", "GET", "/api/feed").status_code == 401


def test_what_the_staff_does_to_an_agencys_tokens_and_people_is_in_that_agencys_own_log(world: World) -> None:
    """Or the staff could make itself a token that reads in the agency's name, and no overseer of the agency would find since when."""
    assert make(world, "admin", "spare", ["analyse"], agency="A").status_code == 201
    assert make(world, "admin", "spare", ["analyse"], agency="A").status_code == 400
    assert world.ask("admin", "POST", "/api/invitations", {"name": "rana", "roles": ["analyse"], "agency": "A"}).status_code == 201
    assert world.ask("admin", "DELETE", "/api/accounts/rana?agency=A").status_code == 200
    assert world.ask("admin", "DELETE", "/api/tokens/spare?agency=A").status_code == 200
    said = [(line["who"], line["what"], line["reason"]) for line in world.ask("A", "GET", "/api/audit").json()["lines"]]
    whats = ["token add spare", "invite rana", "close account rana", "token revoke spare"]
    assert said == [("the hub's staff", what, "the hub's staff") for what in whats]
    assert world.ask("B", "GET", "/api/audit").json()["lines"] == []
    whole = [line["what"] for line in world.ask("admin", "GET", "/api/audit").json()["lines"]]
    assert [what for what in whole if what.endswith(" of A")][-4:] == [f"{what} of A" for what in whats]


def test_no_agency_writes_in_the_log_of_another(world: World) -> None:
    with (
        psycopg.connect(world.roles["web"], options="-c search_path=tocsin -c tocsin.audience=B") as connection,
        pytest.raises(psycopg.errors.RaiseException, match="own staff"),
    ):
        connection.execute("SELECT note_for('A', '[]')")


def test_the_database_too_holds_an_agency_to_its_own_tokens(world: World) -> None:
    with psycopg.connect(world.roles["web"], autocommit=True) as connection:
        connection.execute("SET search_path = tocsin")
        connection.execute("SET tocsin.audience = 'A'")
        for words in (
            "SELECT add_token('A', now(), sha256('x'), 'x', 'B', '{submit}', now())",
            "SELECT add_token('A', now(), sha256('x'), 'x', NULL, '{administer_hub}', now())",
            "SELECT revoke_token('A', now(), 'B', 'B')",
            "SELECT revoke_token('A', now(), NULL, 'admin')",
        ):
            with pytest.raises(psycopg.errors.RaiseException, match="in its own name only"):
                connection.execute(words)
        assert connection.execute("SELECT DISTINCT agency FROM tokens()").fetchall() == [("A",)]


def test_a_hub_whose_last_administrators_token_ended_gives_a_new_one_when_it_starts_and_only_then(world: World) -> None:
    assert world.hub.staff.first_token() is None
    assert world.ask("admin", "DELETE", "/api/tokens/admin").status_code == 200
    assert world.ask("admin", "GET", "/api/agencies").status_code == 401
    new = world.hub.staff.first_token()
    assert new is not None
    assert world.hub.staff.first_token() is None
    world.tokens["new"] = new
    assert {t["label"] for t in world.ask("new", "GET", "/api/tokens").json()["tokens"] if "agency" not in t} == {"admin", "admin 2"}
    assert world.ask("admin", "GET", "/api/agencies").status_code == 401


def test_a_hub_whose_administrators_token_has_ended_by_its_own_clock_gives_another(postgres: Embedded) -> None:
    """The hub's clock never goes back, though the machine's did."""
    roles = database(postgres)
    assert _first_token(roles["web"]) is not None
    assert _first_token(roles["web"]) is None
    with psycopg.connect(roles["owner"]) as owner:
        owner.execute("UPDATE tocsin.clock SET last = now() + interval '400 days'")
    assert _first_token(roles["web"]) is not None
