"""A test that cannot fail is no test: leaks are planted, and the comparison of two hubs finds each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from hubs import Ticking, World
from two_hubs import Oracle

from tocsin.errors import Denied, NotThere
from tocsin.gate import Verdict
from tocsin.hub import Caller, signals
from tocsin.hub.judging import Judging
from tocsin.store import queries
from tocsin.store.embedded import Embedded
from tocsin.terms.ids import report_id

DUG_OUT = "DROP FUNCTION planted CASCADE"
Plant = Callable[["Pair", pytest.MonkeyPatch], None]


class Pair:
    """Two hubs, and what happens in them; a plant is dug out again."""

    def __init__(self, postgres: Embedded) -> None:
        self.clock = Ticking()
        self.worlds = [World(postgres, self.clock) for _ in range(2)]
        self.begin()

    def begin(self) -> None:
        """As on the first day."""
        for world in self.worlds:
            world.forget()
        self.oracle = Oracle(*self.worlds, self.clock)
        self.then: list[Callable[[Oracle], None]] = []
        self.undo: list[str] = []

    def plant(self, words: str, undo: str) -> None:
        """Done by the owner of both databases; undo: what takes it back."""
        self.undo.append(undo)
        self.sql(words)

    def sql(self, words: str) -> None:
        """Done by the owner of both databases."""
        for world in self.worlds:
            with psycopg.connect(world.roles["owner"]) as connection:
                connection.execute("SET search_path = tocsin")
                connection.execute(words.encode())

    def replace(self, function: str, old: str, new: str) -> None:
        """Other words in a function of both databases."""
        was = self.definition(function)
        assert old in was, f"{function} has no {old!r}: plant it anew"
        self.plant(was.replace(old, new), was)

    def made_of(self) -> list[Any]:
        """Functions, triggers and policies of both databases."""
        found = []
        for world in self.worlds:
            with psycopg.connect(world.roles["owner"]) as connection:
                found += connection.execute(
                    "SELECT proname::text, md5(prosrc || coalesce(pg_get_function_sqlbody(oid), '')) FROM pg_proc WHERE pronamespace = 'tocsin'::regnamespace "
                    "UNION ALL SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal "
                    "UNION ALL SELECT tablename || policyname, qual FROM pg_policies ORDER BY 1, 2"
                ).fetchall()
        return found

    def definition(self, function: str) -> str:
        """What a function is made by."""
        with psycopg.connect(self.worlds[0].roles["owner"]) as connection:
            row = connection.execute("SELECT pg_get_functiondef(%s::regproc)", (f"tocsin.{function}",)).fetchone()
        assert row is not None
        found: str = row[0]
        return found

    def play(self) -> None:
        """A hidden report, a child of it that B sees, and one that B comes to see later than it was sent."""
        facts = {
            "event_start": "2026-01-01",
            "country": "PAK",
            "killed": 3,
            "attack_type": "explosion/suicide",
            "lat": 24.9,
            "lon": 67.0,
            "radius_km": 1.0,
        }
        red, green = ({"marking": m, "releasable_to": [], "orcon": False} for m in ("RED", "GREEN"))
        hidden = report_id("A", "hidden")
        steps = [
            lambda o: o.submit("A", "hidden", facts | {"part_of": "p", "killed": 9}, red),
            lambda o: o.submit("B", "mine", facts, red),
            lambda o: o.submit("A", "late", facts, red),
            lambda o: o.submit("A", "child", facts | {"supersedes": hidden, "derived_from": [hidden], "part_of": "p"}, green),
            lambda o: o.release(report_id("A", "late"), "A", "B"),
            lambda o: o.member("north", "C", True),
            lambda o: o.submit("B", "named", facts | {"killed": 4}, {"marking": "AMBER", "releasable_to": ["A"], "orcon": False}),
            lambda o: o.release_incident(report_id("A", "late"), "A", "C"),
            lambda o: o.submit(
                "A",
                "controlled",
                {"event_start": "2026-03-01", "country": "IND"},
                {"marking": "AMBER", "releasable_to": ["C"], "orcon": True},
            ),
            lambda o: o.request(report_id("A", "controlled"), "C", "B"),
            lambda o: o.judge("merge", [hidden, report_id("A", "child")], "A"),
        ]
        for step in (*steps, *self.then):
            self.clock.tick()
            step(self.oracle)

    def close(self) -> None:
        for world in self.worlds:
            world.close()


@pytest.fixture(scope="module")
def both(postgres: Embedded) -> Iterator[Pair]:
    made = Pair(postgres)
    yield made
    made.close()


@pytest.fixture
def pair(both: Pair) -> Iterator[Pair]:
    before = both.made_of()
    both.begin()
    yield both
    for words in reversed(both.undo):
        both.sql(words)
    assert both.made_of() == before, "a plant was not dug out: what it leaves is found in the next test"


def altered(monkeypatch: pytest.MonkeyPatch, old: str, new: str, *names: str) -> None:
    """The named queries with other words in them."""
    changed = [n for n in names if old in queries()[n]]
    assert changed, f"no query of {names} has {old!r}: plant it anew"
    for name in changed:
        monkeypatch.setitem(queries(), name, queries()[name].replace(old, new))  # type: ignore[arg-type]


def lines_with(monkeypatch: pytest.MonkeyPatch, column: str, planted: str, *names: str) -> None:
    """Queries that read lines of the feed in which a column is another one."""
    columns = [
        "audience",
        "visible_at",
        "report_id",
        "agency",
        "originator",
        "body",
        "marking",
        "releasable_to",
        "orcon",
        "released_to",
        "supersedes",
    ]
    columns += ["derived_from", "part_of"]
    several = ", ".join(f"{planted} AS {c}" if c == column else f"w.{c}" for c in columns)
    altered(
        monkeypatch,
        "FROM shown",
        f"FROM (SELECT {several} FROM shown w JOIN feed f USING (audience, report_id) JOIN report r USING (report_id))",
        *names,
    )


def shows_what_it_supersedes(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    lines_with(monkeypatch, "supersedes", "f.supersedes", "feed_page", "feed_one")


def shows_whole_of_what_it_is_a_part(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    lines_with(monkeypatch, "part_of", "r.part_of", "feed_page", "feed_one")


def tells_when_the_hub_received_it(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    lines_with(monkeypatch, "visible_at", "r.received_at", "feed_page", "feed_one")


def counts_all_reports_in_a_room(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    _counted(pair)
    lines_with(monkeypatch, "agency", "w.agency || ' of ' || counted()", "latest_page")


def shows_all_feeds(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.plant("CREATE OR REPLACE FUNCTION sees(p_agency text, p_groups text[], p_reach text, p_originator text, p_named text[], p_released text[])"
               " RETURNS boolean IMMUTABLE LANGUAGE sql RETURN true", pair.definition("sees"))  # fmt: skip


def logs_in_every_log(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.plant(
        """CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin AS $$ BEGIN
        INSERT INTO audited SELECT name, 1 FROM agency ON CONFLICT (agency) DO UPDATE SET positions = audited.positions + 1;
        INSERT INTO audit SELECT agency, positions, NEW.received_at, 'hub', 'submit', '{}', true, 'planted' FROM audited WHERE agency <> '';
        RETURN NEW; END $$;
        CREATE TRIGGER planted AFTER INSERT ON report FOR EACH ROW EXECUTE FUNCTION planted()""",
        DUG_OUT,
    )


def numbers_its_log_across_agencies(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.plant(
        """CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin AS $$ BEGIN
        NEW.position := NEW.position + (SELECT count(*) FROM report); RETURN NEW; END $$;
        CREATE TRIGGER planted BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION planted()""",
        DUG_OUT,
    )


def _there(pair: Pair, ident: str) -> bool:
    """Whether any agency's report has this id, in the first hub: what no answer may hang on."""
    with psycopg.connect(pair.worlds[0].roles["owner"]) as connection:
        return connection.execute("SELECT FROM tocsin.report WHERE report_id::text = %s", (ident,)).fetchone() is not None


def says_that_it_is_there_but_hidden(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pair.worlds[0].hub
    was = hub.report

    def report(who: Caller, ident: str) -> Any:
        try:
            return was(who, ident)
        except NotThere as why:
            if _there(pair, ident):
                raise Denied("you may not see it") from why
            raise

    monkeypatch.setattr(hub, "report", report)


def words_an_error_otherwise(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pair.worlds[0].hub
    was = hub.incident

    def incident(who: Caller, ident: str) -> Any:
        try:
            return was(who, ident)
        except NotThere as why:
            raise NotThere("no such incident for you" if _there(pair, ident) else str(why)) from why

    monkeypatch.setattr(hub, "incident", incident)


def shows_groups_that_it_is_not_in(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = "DROP POLICY own ON member; CREATE POLICY own ON member FOR SELECT TO tocsin_web USING ({})"
    pair.plant(policy.format("true"), policy.format("group_name = ANY (groups_of(asking()))"))


def _counted(pair: Pair) -> None:
    pair.plant("CREATE FUNCTION counted() RETURNS text STABLE LANGUAGE sql SECURITY DEFINER SET search_path = tocsin"
               " RETURN (SELECT count(*)::text FROM report); GRANT EXECUTE ON FUNCTION counted TO tocsin_web", "DROP FUNCTION counted")  # fmt: skip


def counts_all_reports(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    _counted(pair)
    altered(monkeypatch, "SELECT name FROM agency", "SELECT name || ' of ' || counted() AS name FROM agency", "agencies")


def shows_judgements_of_which_it_sees_one_report(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.replace("rejudge", "= cardinality(t.names)", "> 0")
    monkeypatch.setattr(Judging, "_sees_all", lambda *_: Verdict(True, "planted"))


def tells_the_originator_in_which_incident_it_was_released(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.replace(
        "tell", "FROM handling WHERE report_id = p_report), p_said)", "FROM handling WHERE report_id = p_report), p_said || p_own)"
    )


def tells_the_heir_what_was_asked_before(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.replace(
        "leave",
        "UPDATE handling SET originator",
        "INSERT INTO told SELECT p_heir, kind, at, told_id, report_id, said FROM told WHERE audience = p_name; UPDATE handling SET originator",
    )
    pair.then.append(lambda o: o.leave("A", "hand-to", "B"))


def keeps_what_was_made_of_a_purged_report(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.replace("purge_all", "PERFORM settle(p_reports, p_at);", "")
    pair.replace("erase", "DELETE FROM report WHERE", "DELETE FROM report WHERE false AND")
    pair.replace("erase", "WHERE uuid_hash(f.report_id)", "WHERE false AND uuid_hash(f.report_id)")
    pair.replace("unhandle", "WHERE", "WHERE false AND")
    pair.then.append(lambda o: o.purge(report_id("A", "child"), "A"))


def gives_a_signal_as_its_releaser_has_it(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its evidence is incidents of the releaser, one of which bears the id of a hidden report."""
    monkeypatch.setattr(signals, "released", lambda body, _: dict(body))
    facts, red = {"event_start": "2026-02-01", "country": "AFG"}, {"marking": "RED", "releasable_to": [], "orcon": False}
    root = report_id("A", "root")
    pair.then += [
        lambda o: o.submit("A", "root", facts, red),
        lambda o: o.submit("A", "corrected", facts | {"supersedes": root}, red),
        lambda o: o.release_signal(root, "A", "B"),
    ]


def tells_who_it_is_released_to_of_the_release(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.plant(
        """CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin AS $$ BEGIN
        INSERT INTO told VALUES (NEW.said ->> 'to', 'release', NEW.at, NEW.told_id, NEW.report_id, NEW.said) ON CONFLICT DO NOTHING; RETURN NEW; END $$;
        CREATE TRIGGER planted AFTER INSERT ON told FOR EACH ROW WHEN (NEW.kind = 'release' AND pg_trigger_depth() = 0) EXECUTE FUNCTION planted()""",
        DUG_OUT,
    )


def tells_who_is_silent_by_reports_that_are_hidden(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.plant(
        """CREATE FUNCTION planted() RETURNS TABLE (agency text, originator text, marking text, releasable_to text[], orcon boolean, released_to text[],
        many bigint, first timestamptz, days text, after_event text, after_report text) STABLE LANGUAGE sql SECURITY DEFINER SET search_path = tocsin AS
        $$ SELECT agency, agency, 'GREEN', '{}'::text[], false, '{}'::text[], count(*), min(received_at),
            string_agg(((received_at AT TIME ZONE 'UTC')::date - DATE 'epoch')::text, ','), NULL, NULL FROM report GROUP BY agency $$;
        GRANT EXECUTE ON FUNCTION planted TO tocsin_web""",
        DUG_OUT,
    )
    monkeypatch.setitem(queries(), "lately", "SELECT * FROM planted()")  # type: ignore[arg-type]


def gives_again_what_was_fused_anew(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.replace("publish", "says IS DISTINCT FROM said AS changed", "says IS NOT NULL AS changed")
    facts = {"event_start": "2026-05-05", "country": "PAK", "lat": 30.0, "lon": 70.0, "radius_km": 1.0, "killed": 5}
    red, green = ({"marking": m, "releasable_to": [], "orcon": False} for m in ("RED", "GREEN"))
    first, later = sorted(("one", "two"), key=lambda own: report_id("A", own))  # the incident of both has the id of the first
    pair.then += [lambda o: o.submit("A", first, facts, green), lambda o: o.fuse(), lambda o: o.submit("A", later, facts, red)]


def numbers_what_is_given_across_agencies(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.replace("publish", "PARTITION BY audience, changed", "PARTITION BY changed")


def gives_to_all_that_a_signal_of_another_ceased(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a signal says is held back by row-level security; that there was one would show when it is revoked."""
    pair.replace("publish", "SELECT DISTINCT ON (s.audience) s.audience, CASE", "SELECT DISTINCT ON (s.audience) 'B' AS audience, CASE")
    root, red = report_id("A", "root"), {"marking": "RED", "releasable_to": [], "orcon": False}
    pair.then += [
        lambda o: o.submit("A", "root", {"event_start": "2026-02-01", "country": "AFG"}, red),
        lambda o: o.release_signal(root, "A", "C"),
        lambda o: o.fuse(),
        lambda o: o.purge(root, "A"),
    ]


def tells_when_a_report_was_marked_for_a_group(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.replace("regroup_some", "c.last", "(SELECT received_at FROM report r WHERE r.report_id = w.report_id)")
    amber = {"marking": "AMBER", "releasable_to": ["group:south"], "orcon": False}
    pair.then += [lambda o: o.submit("A", "marked", {"country": "IND"}, amber), lambda o: o.member("south", "B", True)]


PLANTS = [
    tells_who_is_silent_by_reports_that_are_hidden,
    gives_again_what_was_fused_anew, numbers_what_is_given_across_agencies, gives_to_all_that_a_signal_of_another_ceased, tells_when_a_report_was_marked_for_a_group,
    tells_the_originator_in_which_incident_it_was_released,
    tells_the_heir_what_was_asked_before,
    gives_a_signal_as_its_releaser_has_it,
    keeps_what_was_made_of_a_purged_report,
    shows_judgements_of_which_it_sees_one_report, tells_who_it_is_released_to_of_the_release,
    shows_what_it_supersedes, shows_whole_of_what_it_is_a_part, tells_when_the_hub_received_it, counts_all_reports_in_a_room, shows_all_feeds, logs_in_every_log,
    numbers_its_log_across_agencies, says_that_it_is_there_but_hidden, words_an_error_otherwise, shows_groups_that_it_is_not_in, counts_all_reports,
]  # fmt: skip


def test_two_hubs_without_a_planted_leak_answer_the_same(pair: Pair) -> None:
    pair.then += [
        lambda o: o.release_signal(report_id("A", "late"), "A", "B"),
        lambda o: o.release_signal(report_id("B", "mine"), "B", "C"),
        lambda o: o.purge(report_id("A", "child"), "A"),
        lambda o: o.leave("A", "hand-to", "B"),
    ]
    played(pair)


def played(pair: Pair) -> None:
    """Most leaks show before the looks and the pictures, which take longest, are made."""
    pair.play()
    pair.oracle.fuse()
    pair.oracle.pages()
    pair.oracle.compare()


@pytest.mark.parametrize("plant", PLANTS, ids=lambda p: p.__name__)
def test_a_planted_leak_is_found(pair: Pair, monkeypatch: pytest.MonkeyPatch, plant: Plant) -> None:
    plant(pair, monkeypatch)
    with pytest.raises(AssertionError):
        played(pair)
