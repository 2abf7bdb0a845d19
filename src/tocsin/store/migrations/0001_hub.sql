-- The hub's tables. Reports, acts and the audit log only grow; handling, member, feed and incident are what follows from them, and are made by functions alone.
-- What an audience reads comes from tables whose key begins with the audience.

CREATE TABLE marking (name text PRIMARY KEY, rank int NOT NULL, reach text NOT NULL, onward boolean NOT NULL);

-- The hub's clock: it never goes back. given: the time at which the last write came, as the hub's process gave it; taken: until when the microseconds after `last`
-- belong to what was written then.
CREATE TABLE clock (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), last timestamptz NOT NULL, given timestamptz NOT NULL, taken timestamptz NOT NULL
);
INSERT INTO clock (last, given, taken) VALUES ('-infinity', '-infinity', '-infinity');
-- The key that seals where a reader by TAXII goes on, and picks among microseconds.
CREATE TABLE seal (one boolean PRIMARY KEY DEFAULT true CHECK (one), key text NOT NULL DEFAULT gen_random_uuid()::text || gen_random_uuid()::text);
INSERT INTO seal DEFAULT VALUES;

CREATE TABLE agency (name text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$' AND lower(name) <> 'public'), added_at timestamptz NOT NULL, left_at timestamptz);

-- A token is kept as its SHA-256 alone; agency null: the hub's own staff. A label is its agency's own: another's may be the same.
CREATE TABLE token (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32), label text NOT NULL, agency text REFERENCES agency, roles text[] NOT NULL,
    made_at timestamptz NOT NULL, made_by text NOT NULL, expires timestamptz NOT NULL, revoked_at timestamptz, UNIQUE NULLS NOT DISTINCT (agency, label),
    CHECK (roles <@ CASE WHEN agency IS NULL THEN ARRAY['administer_hub', 'oversee'] ELSE ARRAY['submit', 'analyse', 'administer_agency', 'oversee'] END)
);

-- People who sign in in the browser; agency '': the hub's own staff. Of a password its argon2id is kept; step: the last half minute whose code was used, for a code is good once.
CREATE TABLE account (
    agency text NOT NULL, name text NOT NULL, password text NOT NULL, totp text NOT NULL, step bigint NOT NULL, roles text[] NOT NULL,
    made_at timestamptz NOT NULL, made_by text NOT NULL, closed_at timestamptz, PRIMARY KEY (agency, name),
    CHECK (roles <@ CASE WHEN agency = '' THEN ARRAY['administer_hub', 'oversee'] ELSE ARRAY['submit', 'analyse', 'administer_agency', 'oversee'] END)
);

-- Who is to become one, or is to choose a password anew: one a person, whose link is kept as its SHA-256 alone.
CREATE TABLE invitation (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32), agency text NOT NULL, name text NOT NULL, totp text NOT NULL, roles text[] NOT NULL,
    made_at timestamptz NOT NULL, made_by text NOT NULL, expires timestamptz NOT NULL, UNIQUE (agency, name),
    CHECK (roles <@ CASE WHEN agency = '' THEN ARRAY['administer_hub', 'oversee'] ELSE ARRAY['submit', 'analyse', 'administer_agency', 'oversee'] END)
);

CREATE TABLE session (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32), agency text NOT NULL, name text NOT NULL, began timestamptz NOT NULL, seen timestamptz NOT NULL,
    FOREIGN KEY (agency, name) REFERENCES account
);
CREATE INDEX session_whose ON session (agency, name);

-- Failed sign-ins of the last day: key is the SHA-256 of who was to be signed in, there or not, or of an address.
CREATE TABLE attempt (key bytea PRIMARY KEY CHECK (length(key) = 32), times int NOT NULL, last timestamptz NOT NULL);
CREATE INDEX attempt_last ON attempt (last);

CREATE TABLE report (
    report_id uuid PRIMARY KEY, agency text NOT NULL REFERENCES agency, received_at timestamptz NOT NULL,
    supersedes uuid, derived_from uuid[] NOT NULL DEFAULT '{}', part_of text, body jsonb NOT NULL
);
CREATE INDEX report_own ON report (agency, received_at, report_id);
CREATE INDEX report_corrects ON report (supersedes) WHERE supersedes IS NOT NULL;
CREATE INDEX report_sources ON report USING gin (derived_from) WITH (fastupdate = off) WHERE derived_from <> '{}';

-- What was done: release, request, decision, judgement, remark, purge, member, agency, leave, token, account. actor null: the hub's own staff.
CREATE TABLE act (
    act_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, kind text NOT NULL, actor text, who text NOT NULL,
    report_id uuid, said jsonb NOT NULL
);
CREATE INDEX act_remark ON act (report_id, at) WHERE kind = 'remark';

-- Each report's handling as it stands: its own, or what the last remark says, and the releases since.
CREATE TABLE handling (
    report_id uuid PRIMARY KEY REFERENCES report, originator text NOT NULL, marking text NOT NULL REFERENCES marking,
    releasable_to text[] NOT NULL, orcon boolean NOT NULL, released_to text[] NOT NULL DEFAULT '{}'
);
-- Of what names nobody it has nothing, and it puts off no work: or a post would now and then do that of all posts before it, hidden ones too.
CREATE INDEX handling_named ON handling USING gin (releasable_to) WITH (fastupdate = off) WHERE releasable_to <> '{}';

CREATE TABLE member (group_name text NOT NULL, agency text NOT NULL REFERENCES agency, PRIMARY KEY (group_name, agency));

-- Who sees what since when. audience: an agency; '*', what every agency sees, which is kept once; or 'public'. An agency's own line stands before that of '*': it saw
-- the report earlier than the others. Read in the order (visible_at, report_id), which tells nothing of what is hidden.
-- marked_at: when its marking changed last after it had opened: a new version by TAXII.
-- A line holds all that is shown of a report, its handling too: a page is read from lines of who asks alone, and how much others have does not show in how long it takes.
CREATE TABLE feed (
    audience text NOT NULL, report_id uuid NOT NULL, visible_at timestamptz NOT NULL, part_of text,
    agency text NOT NULL, body jsonb NOT NULL, supersedes uuid, derived_from uuid[] NOT NULL,
    originator text NOT NULL, marking text NOT NULL, releasable_to text[] NOT NULL, orcon boolean NOT NULL, released_to text[] NOT NULL,
    marked_at timestamptz, PRIMARY KEY (audience, report_id)
);
CREATE INDEX feed_order ON feed (audience, visible_at, report_id);
CREATE INDEX feed_marked ON feed (audience, marked_at) WHERE marked_at IS NOT NULL;
-- Of a hash, so that no query of one audience is ever answered by it: it would pass over the lines of others.
CREATE INDEX feed_report ON feed (uuid_hash(report_id));
CREATE INDEX feed_part ON feed (audience, part_of) WHERE part_of IS NOT NULL;

-- What opened or closed, and is not yet in the incidents.
CREATE TABLE stale (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, audience text NOT NULL, report_id uuid NOT NULL, closed boolean NOT NULL DEFAULT false
);
CREATE INDEX stale_audience ON stale (audience);
CREATE INDEX stale_closed ON stale (audience) WHERE closed;

-- Incidents: those of '*' are every agency's, but where its own line stands before; an own line without a body says that it has no such incident.
-- What an incident says stands in the line itself, so that a page is read from lines of who asks alone: how much others have does not show in how long it takes.
-- says: a hash of the body.
CREATE TABLE incident (audience text NOT NULL, incident_id uuid NOT NULL, day date NOT NULL, says uuid, body json, PRIMARY KEY (audience, incident_id));
CREATE INDEX incident_order ON incident (audience, day, incident_id) WHERE body IS NOT NULL;
CREATE INDEX incident_any ON incident (uuid_hash(incident_id));
CREATE TABLE incident_of (audience text NOT NULL, report_id uuid NOT NULL, incident_id uuid, PRIMARY KEY (audience, report_id));
CREATE INDEX incident_of_report ON incident_of (uuid_hash(report_id));

-- What an agency is told of acts on reports: of its own acts, and of others' on its reports. It says of others no more than which agency acted.
-- report_id null: its own act on a signal.
CREATE TABLE told (
    audience text NOT NULL REFERENCES agency, kind text NOT NULL, at timestamptz NOT NULL, told_id uuid NOT NULL, report_id uuid, said jsonb NOT NULL,
    PRIMARY KEY (audience, kind, at, told_id)
);
CREATE INDEX told_by_id ON told (audience, told_id);
CREATE INDEX told_requests ON told (audience, report_id) WHERE kind = 'request';

-- A person's decision on reports (fusion/judgements.py); names: all that it names, or that what it undoes names. Who sees every one of them sees it.
CREATE TABLE judgement (
    judgement_id uuid PRIMARY KEY, agency text NOT NULL REFERENCES agency, who text NOT NULL, signed timestamptz NOT NULL, received_at timestamptz NOT NULL,
    names uuid[] NOT NULL CHECK (names <> '{}'), said jsonb NOT NULL
);
CREATE INDEX judgement_names ON judgement USING gin (names);
CREATE TABLE judged (
    audience text NOT NULL REFERENCES agency, judgement_id uuid NOT NULL REFERENCES judgement, visible_at timestamptz NOT NULL, PRIMARY KEY (audience, judgement_id)
);
CREATE INDEX judged_of ON judged (judgement_id);
CREATE INDEX judged_since ON judged (audience, visible_at, judgement_id);

-- What stays of a purged report, for its originator alone. Fusion locks it: what it makes incidents of is not purged beside it.
CREATE TABLE purged (
    agency text NOT NULL REFERENCES agency, at timestamptz NOT NULL, report_id uuid NOT NULL UNIQUE, who text NOT NULL, why text NOT NULL,
    PRIMARY KEY (agency, at, report_id)
);

-- agency '': what the hub's own staff did.
CREATE TABLE audit (
    agency text NOT NULL, position bigint NOT NULL, at timestamptz NOT NULL, who text NOT NULL, what text NOT NULL, things text[] NOT NULL,
    allowed boolean NOT NULL, reason text NOT NULL, PRIMARY KEY (agency, position)
);
CREATE TABLE audited (agency text PRIMARY KEY, positions bigint NOT NULL);

-- Who asks, in this transaction.
CREATE FUNCTION asking() RETURNS text STABLE LANGUAGE sql RETURN current_setting('tocsin.audience', true);

-- gate.may(READ) in SQL; a test compares the two.
CREATE FUNCTION sees(p_agency text, p_groups text[], p_reach text, p_originator text, p_named text[], p_released text[]) RETURNS boolean
IMMUTABLE LANGUAGE sql RETURN
    p_reach IN ('public', 'hub') OR p_agency = p_originator OR p_agency = ANY (p_named) OR p_agency = ANY (p_released)
    OR (p_reach = 'named' AND EXISTS (SELECT FROM unnest(p_groups) g WHERE 'group:' || g = ANY (p_named)));

CREATE FUNCTION groups_of(p_agency text) RETURNS text[] STABLE LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp
AS $$ SELECT coalesce(array_agg(group_name ORDER BY group_name), '{}') FROM member WHERE agency = p_agency $$;

-- In whose feed each of some reports belongs: see the table.
CREATE FUNCTION visibility(p_reports uuid[]) RETURNS TABLE (audience text, report_id uuid) STABLE ROWS 10 LANGUAGE sql SET search_path = tocsin, pg_temp
AS $$
    WITH who AS MATERIALIZED (SELECT name, groups_of(name) AS groups FROM agency WHERE left_at IS NULL),
    thing AS MATERIALIZED (SELECT h.*, m.reach FROM handling h JOIN marking m ON m.name = h.marking WHERE h.report_id = ANY (p_reports))
    SELECT '*', t.report_id FROM thing t WHERE t.reach IN ('public', 'hub')
    UNION ALL SELECT 'public', t.report_id FROM thing t WHERE t.reach = 'public'
    UNION ALL SELECT w.name, t.report_id FROM thing t CROSS JOIN who w
        WHERE t.reach NOT IN ('public', 'hub') AND sees(w.name, w.groups, t.reach, t.originator, t.releasable_to, t.released_to)
$$;

-- Every agency that sees each of some reports.
CREATE FUNCTION seen_by(p_reports uuid[]) RETURNS TABLE (audience text, report_id uuid) STABLE ROWS 10 LANGUAGE sql SET search_path = tocsin, pg_temp
AS $$
    WITH who AS MATERIALIZED (SELECT name, groups_of(name) AS groups FROM agency WHERE left_at IS NULL)
    SELECT w.name, h.report_id FROM handling h JOIN marking m ON m.name = h.marking CROSS JOIN who w
    WHERE h.report_id = ANY (p_reports) AND sees(w.name, w.groups, m.reach, h.originator, h.releasable_to, h.released_to)
$$;

-- One microsecond or none, as the seal's key has it for a time: nobody else can tell which.
CREATE FUNCTION blurred(p_at timestamptz) RETURNS interval LANGUAGE sql SET search_path = tocsin, pg_temp
AS $$ SELECT get_byte(sha256(convert_to(key || extract(epoch FROM p_at), 'UTF8')), 0) % 2 * interval '1 microsecond' FROM seal $$;

-- The hub's time of a write, after that of every earlier one. The hub's process gives even microseconds, each once, and a write takes its own or the one before; one
-- that comes later than its time takes one of the next two that are free. So no two are the same, and none tells whether another write was in its way.
-- The row stays locked until the transaction ends: writes go one after another.
CREATE FUNCTION tick(p_at timestamptz) RETURNS timestamptz LANGUAGE sql SET search_path = tocsin, pg_temp
AS $$
    UPDATE clock SET given = p_at, last = CASE
        WHEN p_at = given THEN last
        WHEN p_at - blurred(p_at) > greatest(last, taken) THEN p_at - blurred(p_at)
        ELSE greatest(last, taken) + interval '1 microsecond' + blurred(p_at) END
    RETURNING last
$$;

-- Two microseconds for each of some reports that open at one time: a feed can give each of them, and its place, a time of its own (hub/taxii/picture.py).
CREATE FUNCTION take(p_at timestamptz, p_many int) RETURNS void LANGUAGE sql SET search_path = tocsin, pg_temp
AS $$ UPDATE clock SET taken = greatest(taken, p_at + (2 * p_many - 1) * interval '1 microsecond') WHERE p_many > 0 $$;

-- Brings the feeds in line with the handling of some reports. An agency that saw one before every agency did, or after, keeps its time.
-- By key alone: the planner, which does not know how few reports are given, would read the whole feed.
CREATE FUNCTION settle_some(p_reports uuid[], p_at timestamptz) RETURNS void LANGUAGE sql SET search_path = tocsin, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
    WITH wanted AS MATERIALIZED (SELECT v.audience, v.report_id FROM visibility(p_reports) v),
    was AS MATERIALIZED (
        SELECT f.audience, f.report_id, f.visible_at FROM unnest(p_reports) i (report_id)
        JOIN feed f ON uuid_hash(f.report_id) = uuid_hash(i.report_id) AND f.report_id = i.report_id
    ),
    gone AS (
        DELETE FROM feed f USING was b WHERE f.audience = b.audience AND f.report_id = b.report_id
            AND NOT EXISTS (SELECT FROM wanted w WHERE w.report_id = b.report_id AND w.audience IN (b.audience, CASE WHEN b.audience <> 'public' THEN '*' END))
        RETURNING f.audience, f.report_id
    ),
    fresh AS MATERIALIZED (
        SELECT w.audience, w.report_id,
            coalesce((SELECT b.visible_at FROM was b WHERE b.report_id = w.report_id AND b.audience = '*' AND w.audience <> 'public'), p_at) AS visible_at
        FROM wanted w WHERE NOT EXISTS (SELECT FROM was b WHERE b.audience = w.audience AND b.report_id = w.report_id)
    ),
    told AS (
        INSERT INTO stale (audience, report_id, closed)
        SELECT audience, report_id, true FROM gone WHERE audience <> 'public' UNION ALL SELECT audience, report_id, false FROM fresh WHERE audience <> 'public'
    )
    INSERT INTO feed
    SELECT f.audience, f.report_id, f.visible_at, r.agency || ' ' || r.part_of, r.agency, r.body, r.supersedes, r.derived_from,
        h.originator, h.marking, h.releasable_to, h.orcon, h.released_to
    FROM fresh f JOIN report r USING (report_id) JOIN handling h USING (report_id)
$$;

-- Of any number: by key alone, what some reports were is held to what they are to be one by one, so few are taken at once.
CREATE FUNCTION settle(p_reports uuid[], p_at timestamptz) RETURNS void LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
BEGIN
    PERFORM take(p_at, cardinality(p_reports));
    FOR n IN 0 .. cardinality(p_reports) / 20 LOOP PERFORM settle_some(p_reports[20 * n + 1 : 20 * n + 20], p_at); END LOOP;
END $$;

-- A report whose handling changes is shown with it as it stands.
CREATE FUNCTION handled() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    UPDATE feed SET originator = NEW.originator, marking = NEW.marking, releasable_to = NEW.releasable_to, orcon = NEW.orcon, released_to = NEW.released_to
    WHERE uuid_hash(report_id) = uuid_hash(NEW.report_id) AND report_id = NEW.report_id;
    RETURN NULL;
END $$;
CREATE TRIGGER handled AFTER UPDATE ON handling FOR EACH ROW EXECUTE FUNCTION handled();

-- Lines of the feed as who asks is shown them: what it does not see is not pointed at.
CREATE VIEW shown WITH (security_invoker) AS
SELECT f.audience, f.visible_at, f.report_id, f.agency, f.originator, f.body, f.marking, f.releasable_to, f.orcon, f.released_to, f.marked_at,
    (SELECT s.report_id FROM feed s WHERE s.audience IN (asking(), '*') AND s.report_id = f.supersedes AND s.agency = f.agency LIMIT 1) AS supersedes,
    CASE WHEN f.derived_from = '{}' THEN f.derived_from
        ELSE ARRAY(SELECT DISTINCT d.report_id FROM feed d WHERE d.audience IN (asking(), '*') AND d.report_id = ANY (f.derived_from) ORDER BY 1) END AS derived_from,
    CASE WHEN EXISTS (SELECT FROM feed p WHERE p.audience IN (asking(), '*') AND p.part_of = f.part_of AND p.report_id <> f.report_id)
        THEN substr(f.part_of, length(f.agency) + 2) END AS part_of
FROM feed f;

-- Incidents as who asks is shown them: none of which a report, or a judgement that it heeds, has closed to it since, or that bears the id of such a report. They are made anew a while later; until then
-- a line in `stale` says that something closed, and where there is none, nothing is looked up.
CREATE VIEW incident_shown WITH (security_invoker) AS
SELECT * FROM incident i WHERE body IS NULL OR (SELECT true FROM stale s WHERE s.audience IN (asking(), '*') AND s.closed LIMIT 1) IS NULL OR (
    SELECT true FROM (SELECT i.incident_id AS id UNION ALL SELECT r::uuid FROM json_array_elements_text(i.body -> 'report_ids') r) of
    WHERE (SELECT true FROM feed f WHERE f.audience IN (asking(), '*') AND f.report_id = of.id LIMIT 1) IS NULL LIMIT 1
) IS NULL AND (
    SELECT true FROM json_array_elements_text(i.body -> 'judged') j
    WHERE (SELECT true FROM judged d WHERE d.audience = asking() AND d.judgement_id = right(j, 36)::uuid LIMIT 1) IS NULL LIMIT 1
) IS NULL;

-- Brings what each audience sees of judgements in line with what it sees of the reports that they name.
CREATE FUNCTION rejudge(p_reports uuid[], p_at timestamptz) RETURNS void LANGUAGE sql SET search_path = tocsin, pg_temp AS $$
    WITH touched AS MATERIALIZED (SELECT judgement_id, names FROM judgement WHERE names && p_reports),
    wanted AS MATERIALIZED (
        SELECT v.audience, t.judgement_id FROM touched t CROSS JOIN LATERAL seen_by(t.names) v
        GROUP BY v.audience, t.judgement_id, t.names HAVING count(*) = cardinality(t.names)
    ),
    gone AS (
        DELETE FROM judged j USING touched t WHERE j.judgement_id = t.judgement_id
            AND NOT EXISTS (SELECT FROM wanted w WHERE w.audience = j.audience AND w.judgement_id = j.judgement_id)
        RETURNING j.audience, j.judgement_id
    ),
    fresh AS (INSERT INTO judged SELECT w.audience, w.judgement_id, p_at FROM wanted w ON CONFLICT DO NOTHING RETURNING audience, judgement_id)
    INSERT INTO stale (audience, report_id, closed)
    SELECT c.audience, unnest(t.names), c.closed FROM (SELECT *, true AS closed FROM gone UNION SELECT *, false FROM fresh) c JOIN touched t USING (judgement_id)
$$;

CREATE FUNCTION only_own(p_agency text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_agency IS DISTINCT FROM tocsin.asking() THEN RAISE EXCEPTION 'an agency acts in its own name only'; END IF;
END $$;

-- A body as it was posted, without what the text coder made of its words (hub/coding.py).
CREATE FUNCTION posted(p_body jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql SET search_path = tocsin, pg_temp AS $$
    SELECT p_body - 'coded_spans' - ARRAY(SELECT s ->> 'field' FROM jsonb_array_elements(p_body -> 'coded_spans') s)
$$;

-- Appends reports; resending is harmless. stored: it is new; same: what stands there says the same. One that was purged is not taken again, and not given back.
CREATE FUNCTION submit(p_agency text, p_at timestamptz, p_rows jsonb) RETURNS TABLE (report_id uuid, stored boolean, same boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
#variable_conflict use_column
DECLARE v_at timestamptz; v_new uuid[];
BEGIN
    PERFORM only_own(p_agency);
    v_at := tick(p_at);
    WITH rows AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(p_rows)
            AS x (report_id uuid, supersedes uuid, derived_from uuid[], part_of text, marking text, releasable_to text[], orcon boolean, body jsonb)
    ),
    made AS (
        INSERT INTO report (report_id, agency, received_at, supersedes, derived_from, part_of, body)
        SELECT x.report_id, p_agency, v_at, x.supersedes, x.derived_from, x.part_of, x.body FROM rows x
        WHERE NOT EXISTS (SELECT FROM purged p WHERE p.report_id = x.report_id)
        ON CONFLICT DO NOTHING RETURNING report_id
    ),
    handled AS (
        INSERT INTO handling (report_id, originator, marking, releasable_to, orcon)
        SELECT x.report_id, p_agency, x.marking, x.releasable_to, x.orcon FROM rows x JOIN made USING (report_id)
        RETURNING report_id
    )
    SELECT coalesce(array_agg(report_id), '{}') INTO v_new FROM handled;
    PERFORM take(v_at, cardinality(v_new)), settle_some(v_new, v_at);
    RETURN QUERY SELECT n, true, true FROM unnest(v_new) n;
    IF cardinality(v_new) < jsonb_array_length(p_rows) THEN
        RETURN QUERY
            SELECT r.report_id, false, r.agency = p_agency AND posted(r.body) = posted(x.body)
            FROM jsonb_to_recordset(p_rows) AS x (report_id uuid, body jsonb) JOIN report r ON r.report_id = x.report_id WHERE r.report_id <> ALL (v_new);
    END IF;
END $$;

-- A new marking replaces the whole handling, earlier releases included.
CREATE FUNCTION remark(p_who text, p_at timestamptz, p_report uuid, p_marking text, p_named text[], p_orcon boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_at timestamptz := tick(p_at); v_was handling;
BEGIN
    SELECT * INTO v_was FROM handling WHERE report_id = p_report;
    PERFORM only_own(v_was.originator);
    INSERT INTO act (at, kind, actor, who, report_id, said) VALUES
        (v_at, 'remark', asking(), p_who, p_report, jsonb_build_object('marking', p_marking, 'releasable_to', p_named, 'orcon', p_orcon));
    UPDATE handling SET marking = p_marking, releasable_to = p_named, orcon = p_orcon, released_to = '{}' WHERE report_id = p_report;
    PERFORM settle(ARRAY[p_report], v_at);
    UPDATE feed SET marked_at = v_at WHERE uuid_hash(report_id) = uuid_hash(p_report) AND report_id = p_report AND visible_at < v_at
        AND (v_was.marking, v_was.orcon) IS DISTINCT FROM (p_marking, p_orcon);
    PERFORM rejudge(ARRAY[p_report], v_at);
END $$;

-- An act by who asks, told to itself with the label of who did it, and to the report's originator without.
CREATE FUNCTION tell(p_kind text, p_who text, p_at timestamptz, p_id uuid, p_report uuid, p_said jsonb, p_own jsonb) RETURNS void
LANGUAGE sql SET search_path = tocsin, pg_temp AS $$
    INSERT INTO act (at, kind, actor, who, report_id, said) VALUES (p_at, p_kind, asking(), p_who, p_report, p_said || p_own);
    INSERT INTO told SELECT DISTINCT ON (audience) audience, p_kind, p_at, p_id, p_report, said
    FROM (VALUES (asking(), p_said || p_own || jsonb_build_object('who', p_who)), ((SELECT originator FROM handling WHERE report_id = p_report), p_said))
        AS t (audience, said)
    ORDER BY audience, said ? 'who' DESC
    ON CONFLICT DO NOTHING
$$;

-- An id that follows from what is said, and tells nothing of how much was said before.
CREATE FUNCTION id_of(VARIADIC p_said text[]) RETURNS uuid IMMUTABLE LANGUAGE sql RETURN md5(to_jsonb(p_said)::text)::uuid;

-- Writes wait from now on until this transaction ends: what is decided from here on holds when it is done.
CREATE FUNCTION hold() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$ SELECT FROM clock FOR UPDATE $$;

-- p_with: what it is released with, an incident or a signal as who releases it has it; nobody else is told of that.
CREATE FUNCTION release(p_who text, p_at timestamptz, p_report uuid, p_to text, p_why text, p_with jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_at timestamptz := tick(p_at);
BEGIN
    IF NOT EXISTS (SELECT FROM feed WHERE audience IN (asking(), '*') AND report_id = p_report) THEN
        RAISE EXCEPTION 'who does not see a report releases it to nobody';
    END IF;
    PERFORM tell('release', p_who, v_at, id_of('release', asking(), p_report::text, p_to, p_why, v_at::text), p_report,
        jsonb_build_object('by', asking(), 'to', p_to, 'why', p_why), p_with);
    UPDATE handling SET released_to = released_to || p_to WHERE report_id = p_report AND p_to <> ALL (released_to);
    PERFORM settle(ARRAY[p_report], v_at);
    PERFORM rejudge(ARRAY[p_report], v_at);
END $$;

CREATE FUNCTION request(p_who text, p_at timestamptz, p_report uuid, p_to text, p_why text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_at timestamptz := tick(p_at); v_id uuid := id_of('request', asking(), p_report::text, p_to, p_why, v_at::text);
BEGIN
    IF NOT EXISTS (SELECT FROM feed WHERE audience IN (asking(), '*') AND report_id = p_report) THEN
        RAISE EXCEPTION 'who does not see a report asks nobody to release it';
    END IF;
    PERFORM tell('request', p_who, v_at, v_id, p_report, jsonb_build_object('by', asking(), 'to', p_to, 'why', p_why), '{}');
    RETURN v_id;
END $$;

-- Once, by the originator; false where it is decided. Who asked is told the decision; the release is its originator's own.
CREATE FUNCTION decide(p_who text, p_at timestamptz, p_request uuid, p_grant boolean, p_why text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_at timestamptz := tick(p_at); v_asked told; v_said jsonb := jsonb_build_object('grant', p_grant, 'why', p_why);
BEGIN
    SELECT * INTO v_asked FROM told WHERE audience = asking() AND kind = 'request' AND told_id = p_request;
    PERFORM only_own((SELECT originator FROM handling WHERE report_id = v_asked.report_id));
    IF EXISTS (SELECT FROM told WHERE audience = asking() AND kind = 'decision' AND told_id = p_request) THEN
        RETURN false;
    END IF;
    PERFORM tell('decision', p_who, v_at, p_request, v_asked.report_id, v_said, '{}');
    INSERT INTO told VALUES (v_asked.said ->> 'by', 'decision', v_at, p_request, v_asked.report_id, v_said) ON CONFLICT DO NOTHING;
    IF p_grant THEN PERFORM release(p_who, v_at, v_asked.report_id, v_asked.said ->> 'to', p_why, '{}'); END IF;
    RETURN true;
END $$;

-- Of some reports, those whose release to p_to its originator granted to who asks, and has not marked anew since.
CREATE FUNCTION granted(p_reports uuid[], p_to text) RETURNS SETOF uuid STABLE LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
    SELECT DISTINCT r.report_id FROM told r JOIN told d ON d.audience = r.audience AND d.told_id = r.told_id AND d.kind = 'decision'
    WHERE r.audience = asking() AND r.kind = 'request' AND r.report_id = ANY (p_reports)
        AND r.said ->> 'by' = asking() AND r.said ->> 'to' = p_to AND (d.said ->> 'grant')::boolean
        AND NOT EXISTS (SELECT FROM act a WHERE a.kind = 'remark' AND a.report_id = r.report_id AND a.at >= d.at)
$$;

-- Appends a judgement; resending is harmless. Who judges sees all that it names.
CREATE FUNCTION judge(p_who text, p_at timestamptz, p_id uuid, p_signed timestamptz, p_names uuid[], p_said jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_at timestamptz := tick(p_at);
BEGIN
    IF (SELECT count(*) FROM seen_by(p_names) WHERE audience = asking()) <> cardinality(p_names) THEN
        RAISE EXCEPTION 'who does not see all of these reports does not judge them';
    END IF;
    INSERT INTO judgement VALUES (p_id, asking(), p_who, p_signed, v_at, p_names, p_said) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN RETURN; END IF;
    INSERT INTO act (at, kind, actor, who, said) VALUES (v_at, 'judgement', asking(), p_who, jsonb_build_object('judgement_id', p_id, 'names', p_names));
    PERFORM rejudge(p_names, v_at);
END $$;

-- Takes the handling of reports away, so that nobody is to see them; then, when the feeds and judgements are settled, all that is kept of them but the acts.
-- The two run as tocsin_purge, the only role that may take a report away; no other may call them than purge_all.
CREATE FUNCTION unhandle(p_reports uuid[]) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
    DELETE FROM handling WHERE report_id = ANY (p_reports)
$$;

-- Incidents that had one of them, or heeded a judgement that names one, go too, and those that stood with it in one are told to be fused anew.
CREATE FUNCTION erase(p_reports uuid[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    WITH judged_of AS MATERIALIZED (SELECT judgement_id::text AS id, names FROM judgement WHERE names && p_reports),
    of_them AS MATERIALIZED (
        SELECT DISTINCT o.incident_id FROM (SELECT unnest(p_reports) UNION SELECT unnest(names) FROM judged_of) g (report_id)
        JOIN incident_of o ON uuid_hash(o.report_id) = uuid_hash(g.report_id) AND o.report_id = g.report_id
        UNION SELECT unnest(p_reports)
    ),
    gone AS (
        DELETE FROM incident i USING of_them t WHERE uuid_hash(i.incident_id) = uuid_hash(t.incident_id) AND i.incident_id = t.incident_id
            AND (i.incident_id = ANY (p_reports) OR (i.body -> 'report_ids')::jsonb ?| p_reports::text[]
                OR EXISTS (SELECT FROM json_array_elements_text(i.body -> 'judged') j JOIN judged_of d ON d.id = right(j, 36)))
        RETURNING i.audience, i.body
    )
    INSERT INTO stale (audience, report_id)
    SELECT DISTINCT g.audience, r::uuid FROM gone g CROSS JOIN json_array_elements_text(g.body -> 'report_ids') r WHERE r::uuid <> ALL (p_reports);
    DELETE FROM incident_of o USING unnest(p_reports) g (report_id) WHERE uuid_hash(o.report_id) = uuid_hash(g.report_id) AND o.report_id = g.report_id;
    DELETE FROM judged WHERE judgement_id IN (SELECT judgement_id FROM judgement WHERE names && p_reports);
    DELETE FROM judgement WHERE names && p_reports;
    DELETE FROM feed f USING unnest(p_reports) i (report_id) WHERE uuid_hash(f.report_id) = uuid_hash(i.report_id) AND f.report_id = i.report_id;
    DELETE FROM report WHERE report_id = ANY (p_reports);
END $$;

-- What some reports corrected, and what was taken out of them, is to be fused anew, for it stands for itself again when they are gone: for who sees both, for to others nothing changes.
CREATE FUNCTION free(p_reports uuid[]) RETURNS void LANGUAGE sql SET search_path = tocsin, pg_temp AS $$
    INSERT INTO stale (audience, report_id)
    SELECT DISTINCT CASE f.audience WHEN '*' THEN g.audience ELSE f.audience END, f.report_id FROM (
        SELECT report_id AS gone, unnest(array_append(derived_from, supersedes)) AS other FROM report WHERE report_id = ANY (p_reports)
        UNION SELECT unnest(derived_from), report_id FROM report WHERE derived_from && p_reports AND derived_from <> '{}'
    ) t JOIN feed g ON uuid_hash(g.report_id) = uuid_hash(t.gone) AND g.report_id = t.gone
    JOIN feed f ON uuid_hash(f.report_id) = uuid_hash(t.other) AND f.report_id = t.other AND (f.audience = g.audience OR '*' IN (f.audience, g.audience))
    WHERE 'public' NOT IN (f.audience, g.audience) AND g.report_id = ANY (p_reports) AND f.report_id <> ALL (p_reports)
$$;

CREATE FUNCTION purge_all(p_who text, p_at timestamptz, p_agency text, p_reports uuid[], p_why text) RETURNS void
LANGUAGE plpgsql SET search_path = tocsin, pg_temp AS $$
BEGIN
    INSERT INTO purged SELECT p_agency, p_at, r, p_who, p_why FROM unnest(p_reports) r;
    INSERT INTO act (at, kind, actor, who, report_id, said)
    SELECT p_at, 'purge', nullif(asking(), ''), p_who, r, jsonb_build_object('why', p_why) FROM unnest(p_reports) r;
    PERFORM free(p_reports);
    PERFORM unlook(p_reports);
    PERFORM unhandle(p_reports);
    PERFORM settle(p_reports, p_at);
    PERFORM rejudge(p_reports, p_at);
    PERFORM erase(p_reports);
    PERFORM sweep();
END $$;

-- The lock waits for the step that the fusion process is at, and is taken before the clock's row, so that nobody else waits.
CREATE FUNCTION purge(p_who text, p_at timestamptz, p_report uuid, p_why text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    LOCK TABLE purged IN ROW EXCLUSIVE MODE;
    PERFORM only_own((SELECT originator FROM handling WHERE report_id = p_report));
    PERFORM purge_all(p_who, tick(p_at), asking(), ARRAY[p_report], p_why);
END $$;

-- The functions of the hub's own staff.
CREATE FUNCTION only_staff() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF tocsin.asking() <> '' THEN RAISE EXCEPTION 'this is for the hub''s own staff'; END IF;
END $$;

CREATE FUNCTION set_member(p_who text, p_at timestamptz, p_group text, p_agency text, p_in boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_at timestamptz := tick(p_at); v_touched uuid[];
BEGIN
    PERFORM only_staff();
    INSERT INTO act (at, kind, who, said) VALUES (v_at, 'member', p_who, jsonb_build_object('group', p_group, 'agency', p_agency, 'in', p_in));
    IF p_in THEN INSERT INTO member VALUES (p_group, p_agency) ON CONFLICT DO NOTHING;
    ELSE DELETE FROM member WHERE group_name = p_group AND agency = p_agency; END IF;
    IF NOT FOUND THEN RETURN; END IF;
    v_touched := (SELECT coalesce(array_agg(report_id), '{}') FROM handling WHERE releasable_to <> '{}' AND releasable_to @> ARRAY['group:' || p_group]);
    PERFORM settle(v_touched, v_at);
    PERFORM rejudge(v_touched, v_at);
END $$;

-- An agency leaves: its tokens and accounts die, it is out of its groups, and its reports are kept, purged or handed to another, who is their originator from now on.
-- Its name stays taken. Who asked it for a release is told that nobody is there to decide.
CREATE FUNCTION leave(p_who text, p_at timestamptz, p_name text, p_fate text, p_heir text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_at timestamptz; v_touched uuid[]; v_own uuid[];
BEGIN
    PERFORM only_staff();
    LOCK TABLE purged IN ROW EXCLUSIVE MODE;
    v_at := tick(p_at);
    UPDATE agency SET left_at = v_at WHERE name = p_name AND left_at IS NULL;
    IF NOT FOUND THEN RETURN false; END IF;
    INSERT INTO act (at, kind, who, said) VALUES (v_at, 'leave', p_who, jsonb_build_object('name', p_name, 'reports', p_fate, 'to', p_heir));
    UPDATE token SET revoked_at = v_at WHERE agency = p_name AND revoked_at IS NULL;
    UPDATE account SET closed_at = v_at WHERE agency = p_name AND closed_at IS NULL;
    DELETE FROM session WHERE agency = p_name;
    DELETE FROM invitation WHERE agency = p_name;
    DELETE FROM member WHERE agency = p_name;
    INSERT INTO told SELECT t.said ->> 'by', 'decision', v_at, t.told_id, t.report_id, jsonb_build_object('grant', false, 'why', 'its originator has left the hub')
    FROM told t WHERE t.audience = p_name AND t.kind = 'request' AND t.said ->> 'by' <> p_name
        AND NOT EXISTS (SELECT FROM told d WHERE d.audience = p_name AND d.told_id = t.told_id AND d.kind = 'decision');
    v_own := (SELECT coalesce(array_agg(report_id), '{}') FROM handling WHERE originator = p_name);
    IF p_fate = 'purge' THEN PERFORM purge_all(p_who, v_at, p_name, v_own, 'its originator has left the hub');
    ELSIF p_fate = 'hand-to' THEN UPDATE handling SET originator = p_heir WHERE report_id = ANY (v_own);
    ELSIF p_fate <> 'keep' THEN RAISE EXCEPTION 'reports are kept, purged or handed over';
    END IF;
    v_touched := v_own || (SELECT coalesce(array_agg(report_id), '{}') FROM feed WHERE audience = p_name AND report_id <> ALL (v_own));
    PERFORM settle(v_touched, v_at);
    PERFORM rejudge(v_touched, v_at);
    RETURN true;
END $$;

-- Every group with its members, for the hub's own staff.
CREATE FUNCTION groups_there() RETURNS TABLE (group_name text, agencies text[]) STABLE LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
    SELECT group_name, array_agg(agency ORDER BY agency) FROM member WHERE asking() = '' GROUP BY group_name ORDER BY group_name
$$;

CREATE FUNCTION add_agency(p_who text, p_at timestamptz, p_name text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_at timestamptz := tick(p_at);
BEGIN
    PERFORM only_staff();
    INSERT INTO agency (name, added_at) VALUES (p_name, v_at) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN RETURN false; END IF;
    INSERT INTO act (at, kind, who, said) VALUES (v_at, 'agency', p_who, jsonb_build_object('name', p_name));
    PERFORM settle((SELECT coalesce(array_agg(report_id), '{}') FROM handling WHERE releasable_to <> '{}' AND releasable_to @> ARRAY[p_name]), v_at);
    PERFORM rejudge((SELECT coalesce(array_agg(DISTINCT n), '{}') FROM judgement CROSS JOIN unnest(names) n), v_at);
    RETURN true;
END $$;

-- Tokens: the hub's own staff sees to all, an agency to its own.
CREATE FUNCTION only_own_or_staff(p_agency text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF tocsin.asking() <> '' THEN PERFORM tocsin.only_own(p_agency); END IF;
END $$;

CREATE FUNCTION add_token(p_who text, p_at timestamptz, p_hash bytea, p_label text, p_agency text, p_roles text[], p_expires timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_at timestamptz := tick(p_at);
BEGIN
    PERFORM only_own_or_staff(p_agency);
    INSERT INTO token (hash, label, agency, roles, made_at, made_by, expires)
    VALUES (p_hash, p_label, p_agency, p_roles, v_at, CASE asking() WHEN '' THEN 'the hub''s staff' ELSE p_who END, p_expires) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN RETURN false; END IF;
    INSERT INTO act (at, kind, actor, who, said)
    VALUES (v_at, 'token', nullif(asking(), ''), p_who, jsonb_build_object('label', p_label, 'agency', p_agency, 'roles', p_roles));
    RETURN true;
END $$;

CREATE FUNCTION revoke_token(p_who text, p_at timestamptz, p_agency text, p_label text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_at timestamptz := tick(p_at);
BEGIN
    PERFORM only_own_or_staff(p_agency);
    UPDATE token SET revoked_at = v_at WHERE label = p_label AND agency IS NOT DISTINCT FROM p_agency AND revoked_at IS NULL;
    IF NOT FOUND THEN RETURN false; END IF;
    INSERT INTO act (at, kind, actor, who, said)
    VALUES (v_at, 'token', nullif(asking(), ''), p_who, jsonb_build_object('label', p_label, 'agency', p_agency, 'revoked', true));
    RETURN true;
END $$;

CREATE FUNCTION tokens() RETURNS TABLE (agency text, label text, roles text[], made_at timestamptz, made_by text, expires timestamptz, revoked_at timestamptz)
STABLE LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
    SELECT agency, label, roles, made_at, made_by, expires, revoked_at FROM token WHERE asking() IN ('', agency) ORDER BY agency NULLS FIRST, label
$$;

CREATE FUNCTION whoami(p_hash bytea, p_at timestamptz) RETURNS TABLE (label text, agency text, roles text[], groups text[])
STABLE LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp
AS $$ SELECT label, agency, roles, groups_of(agency) FROM token WHERE hash = p_hash AND revoked_at IS NULL AND expires > p_at $$;

-- Accounts: seen to as tokens are. An invitation replaces the person's earlier one; a person who is there keeps the old password until it is accepted.
CREATE FUNCTION invite(p_who text, p_at timestamptz, p_hash bytea, p_agency text, p_name text, p_totp text, p_roles text[], p_expires timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_at timestamptz := tick(p_at);
BEGIN
    PERFORM only_own_or_staff(p_agency);
    IF p_agency <> '' AND NOT EXISTS (SELECT FROM agency WHERE name = p_agency AND left_at IS NULL) THEN RAISE EXCEPTION 'there is no such agency'; END IF;
    DELETE FROM invitation WHERE agency = p_agency AND name = p_name;
    INSERT INTO invitation VALUES (p_hash, p_agency, p_name, p_totp, p_roles, v_at, CASE asking() WHEN '' THEN 'the hub''s staff' ELSE p_who END, p_expires);
    INSERT INTO act (at, kind, actor, who, said)
    VALUES (v_at, 'account', nullif(asking(), ''), p_who, jsonb_build_object('name', p_name, 'agency', p_agency, 'roles', p_roles, 'invited', true));
END $$;

CREATE FUNCTION close_account(p_who text, p_at timestamptz, p_agency text, p_name text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_at timestamptz := tick(p_at); v_done boolean;
BEGIN
    PERFORM only_own_or_staff(p_agency);
    DELETE FROM invitation WHERE agency = p_agency AND name = p_name;
    v_done := FOUND;
    DELETE FROM session WHERE agency = p_agency AND name = p_name;
    UPDATE account SET closed_at = v_at WHERE agency = p_agency AND name = p_name AND closed_at IS NULL;
    IF NOT FOUND AND NOT v_done THEN RETURN false; END IF;
    INSERT INTO act (at, kind, actor, who, said)
    VALUES (v_at, 'account', nullif(asking(), ''), p_who, jsonb_build_object('name', p_name, 'agency', p_agency, 'closed', true));
    RETURN true;
END $$;

CREATE FUNCTION accounts() RETURNS TABLE (agency text, name text, roles text[], made_at timestamptz, made_by text, closed_at timestamptz, invited_until timestamptz)
STABLE LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
    SELECT nullif(agency, ''), name, coalesce(i.roles, a.roles), coalesce(a.made_at, i.made_at), coalesce(a.made_by, i.made_by), a.closed_at, i.expires
    FROM account a FULL JOIN invitation i USING (agency, name) WHERE asking() IN ('', agency) ORDER BY agency, name
$$;

-- What comes before one is signed in is asked in nobody's name.
CREATE FUNCTION only_nobody() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF tocsin.asking() <> '' THEN RAISE EXCEPTION 'who is signed in acts in its own name only'; END IF;
END $$;

CREATE FUNCTION invited(p_hash bytea, p_at timestamptz) RETURNS TABLE (agency text, name text, totp text, roles text[], expires timestamptz)
STABLE LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp
AS $$ SELECT agency, name, totp, roles, expires FROM invitation WHERE hash = p_hash AND expires > p_at AND asking() = '' $$;

-- Once; false where there is none that holds. It ends the person's sessions.
CREATE FUNCTION accept(p_at timestamptz, p_hash bytea, p_password text, p_step bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_at timestamptz := tick(p_at); v_one invitation;
BEGIN
    PERFORM only_nobody();
    DELETE FROM invitation WHERE hash = p_hash AND expires > p_at RETURNING * INTO v_one;
    IF NOT FOUND THEN RETURN false; END IF;
    INSERT INTO account VALUES (v_one.agency, v_one.name, p_password, v_one.totp, p_step - 1, v_one.roles, v_at, v_one.made_by)
    ON CONFLICT (agency, name) DO UPDATE SET password = p_password, totp = v_one.totp, step = p_step - 1, roles = v_one.roles, closed_at = NULL;
    DELETE FROM session WHERE agency = v_one.agency AND name = v_one.name;
    INSERT INTO act (at, kind, actor, who, said)
    VALUES (v_at, 'account', nullif(v_one.agency, ''), v_one.name, jsonb_build_object('name', v_one.name, 'roles', v_one.roles, 'accepted', true));
    RETURN true;
END $$;

CREATE FUNCTION secret_of(p_agency text, p_name text) RETURNS TABLE (password text, totp text)
STABLE LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp
AS $$ SELECT password, totp FROM account WHERE agency = p_agency AND name = p_name AND closed_at IS NULL AND asking() = '' $$;

-- Counts a try before it is made, so that many at once do not slip through; gives the seconds to wait where it may not be made yet.
-- After p_free tries, by key, each failure doubles the wait, to a quarter of an hour.
CREATE FUNCTION try(p_at timestamptz, p_keys bytea[], p_free int[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_until timestamptz;
BEGIN
    PERFORM only_nobody();
    LOCK TABLE attempt IN EXCLUSIVE MODE;
    DELETE FROM attempt WHERE last < p_at - interval '1 day';
    SELECT max(a.last + least(900, 2 ^ least(a.times - k.free, 12)) * interval '1 second') INTO v_until
    FROM unnest(p_keys, p_free) AS k (key, free) JOIN attempt a USING (key) WHERE a.times >= k.free;
    IF v_until > p_at THEN RETURN ceil(extract(epoch FROM v_until - p_at)); END IF;
    INSERT INTO attempt SELECT k, 1, p_at FROM unnest(p_keys) k ON CONFLICT (key) DO UPDATE SET times = attempt.times + 1, last = p_at;
    RETURN 0;
END $$;

-- It was who it said: the tries to be it are forgotten, and of its address this one.
CREATE FUNCTION forgive(p_account bytea, p_address bytea) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    PERFORM only_nobody();
    LOCK TABLE attempt IN EXCLUSIVE MODE;
    DELETE FROM attempt WHERE key = p_account;
    UPDATE attempt SET times = times - 1 WHERE key = p_address;
END $$;

-- False where the code was used before, or the account was closed, or given another password, meanwhile.
CREATE FUNCTION begin_session(p_at timestamptz, p_hash bytea, p_agency text, p_name text, p_password text, p_step bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    PERFORM only_own(p_agency);
    UPDATE account SET step = p_step WHERE agency = p_agency AND name = p_name AND password = p_password AND step < p_step AND closed_at IS NULL;
    IF NOT FOUND THEN RETURN false; END IF;
    DELETE FROM session WHERE agency = p_agency AND began < p_at - interval '1 day';
    INSERT INTO session VALUES (p_hash, p_agency, p_name, p_at, p_at);
    RETURN true;
END $$;

-- Whose session it is, where it has not been idle too long and is not too old; its use is noted by the minute.
CREATE FUNCTION session_of(p_hash bytea, p_at timestamptz, p_seen_after timestamptz, p_began_after timestamptz)
RETURNS TABLE (name text, agency text, roles text[], groups text[]) LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
    UPDATE session SET seen = p_at
    WHERE hash = p_hash AND seen > p_seen_after AND began > p_began_after AND seen < p_at - interval '1 minute' AND asking() = '';
    SELECT a.name, nullif(a.agency, ''), a.roles, groups_of(a.agency) FROM session s JOIN account a USING (agency, name)
    WHERE s.hash = p_hash AND s.seen > p_seen_after AND s.began > p_began_after AND a.closed_at IS NULL AND asking() = ''
$$;

CREATE FUNCTION end_session(p_hash bytea) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp
AS $$ DELETE FROM session WHERE hash = p_hash AND agency = asking() $$;

-- Lines of a log, in their order.
CREATE FUNCTION note_in(p_agency text, p_lines jsonb) RETURNS void LANGUAGE sql SET search_path = tocsin, pg_temp AS $$
    WITH n AS (
        INSERT INTO audited VALUES (p_agency, jsonb_array_length(p_lines))
        ON CONFLICT (agency) DO UPDATE SET positions = audited.positions + excluded.positions RETURNING agency, positions - jsonb_array_length(p_lines) AS before
    )
    INSERT INTO audit
    SELECT n.agency, n.before + l.place, (line ->> 'at')::timestamptz, line ->> 'who', line ->> 'what', ARRAY(SELECT jsonb_array_elements_text(line -> 'things')),
        (line ->> 'allowed')::boolean, line ->> 'reason'
    FROM n CROSS JOIN jsonb_array_elements(p_lines) WITH ORDINALITY l (line, place)
$$;
CREATE FUNCTION note_all(p_lines jsonb) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
    SELECT note_in(coalesce(asking(), ''), p_lines)
$$;

-- Of what the hub's own staff did to an agency's tokens and people that agency has a line too.
CREATE FUNCTION note_for(p_agency text, p_lines jsonb) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    PERFORM only_staff();
    PERFORM note_in(name, p_lines) FROM agency WHERE name = p_agency;
END $$;

-- Rights. web: reads what is keyed by who asks, and calls functions; fuse: reads all, writes incidents; purge: takes reports away.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tocsin FROM PUBLIC;
GRANT USAGE ON SCHEMA tocsin TO tocsin_web, tocsin_fuse, tocsin_purge;
GRANT EXECUTE ON FUNCTION asking, sees, groups_of, submit, remark, hold, release, request, decide, granted, judge, purge, leave, set_member, groups_there, add_agency, add_token, revoke_token, tokens, whoami, note_all, note_for TO tocsin_web;
GRANT EXECUTE ON FUNCTION invite, close_account, accounts, invited, accept, secret_of, try, forgive, begin_session, session_of, end_session TO tocsin_web;
GRANT EXECUTE ON FUNCTION asking TO tocsin_fuse, tocsin_purge;
GRANT SELECT ON agency, member, report, handling, feed, shown, stale, incident, incident_shown, incident_of, told, judgement, judged, purged, audit, clock TO tocsin_web;
GRANT SELECT ON agency, member, report, handling, feed, stale, incident, incident_of, judgement, judged TO tocsin_fuse;
GRANT INSERT, DELETE ON incident, incident_of TO tocsin_fuse;
GRANT DELETE ON stale TO tocsin_fuse;
GRANT MAINTAIN ON purged TO tocsin_fuse; -- to lock it: nothing is purged while incidents are made
GRANT SELECT, DELETE ON report, handling, feed, judgement, judged, incident, incident_of TO tocsin_purge;
GRANT INSERT ON stale TO tocsin_purge;
GRANT SELECT ON agency TO tocsin_purge;

ALTER TABLE member ENABLE ROW LEVEL SECURITY;
ALTER TABLE report ENABLE ROW LEVEL SECURITY;
ALTER TABLE handling ENABLE ROW LEVEL SECURITY;
ALTER TABLE stale ENABLE ROW LEVEL SECURITY;
ALTER TABLE feed ENABLE ROW LEVEL SECURITY;
ALTER TABLE incident ENABLE ROW LEVEL SECURITY;
ALTER TABLE incident_of ENABLE ROW LEVEL SECURITY;
ALTER TABLE judgement ENABLE ROW LEVEL SECURITY;
ALTER TABLE judged ENABLE ROW LEVEL SECURITY;
ALTER TABLE purged ENABLE ROW LEVEL SECURITY;
ALTER TABLE told ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON member FOR SELECT TO tocsin_web USING (group_name = ANY (groups_of(asking())));
CREATE POLICY own ON feed FOR SELECT TO tocsin_web USING (audience = asking() OR (audience = '*' AND asking() NOT IN ('', 'public')));
CREATE POLICY own ON stale FOR SELECT TO tocsin_web USING (audience = asking() OR (audience = '*' AND asking() NOT IN ('', 'public')));
CREATE POLICY own ON incident FOR SELECT TO tocsin_web USING (audience = asking() OR (audience = '*' AND asking() NOT IN ('', 'public')));
CREATE POLICY own ON incident_of FOR SELECT TO tocsin_web USING (audience = asking() OR (audience = '*' AND asking() NOT IN ('', 'public')));
CREATE POLICY own ON judged FOR SELECT TO tocsin_web USING (audience = asking());
CREATE POLICY own ON judgement FOR SELECT TO tocsin_web
    USING ((SELECT true FROM judged d WHERE d.audience = asking() AND d.judgement_id = judgement.judgement_id LIMIT 1));
CREATE POLICY own ON purged FOR SELECT TO tocsin_web USING (agency = asking());
CREATE POLICY own ON told FOR SELECT TO tocsin_web USING (audience = asking());
CREATE POLICY own ON audit FOR SELECT TO tocsin_web USING (agency = asking());
-- By key, line by line: an EXISTS would be answered by all that who asks sees, read at once.
CREATE POLICY own ON report FOR SELECT TO tocsin_web USING ((SELECT true FROM feed f WHERE f.audience IN (asking(), '*') AND f.report_id = report.report_id LIMIT 1));
CREATE POLICY own ON handling FOR SELECT TO tocsin_web USING ((SELECT true FROM feed f WHERE f.audience IN (asking(), '*') AND f.report_id = handling.report_id LIMIT 1));
CREATE POLICY every ON member FOR SELECT TO tocsin_fuse USING (true);
CREATE POLICY every ON report FOR SELECT TO tocsin_fuse USING (true);
CREATE POLICY every ON handling FOR SELECT TO tocsin_fuse USING (true);
CREATE POLICY every ON stale TO tocsin_fuse USING (true);
CREATE POLICY every ON feed FOR SELECT TO tocsin_fuse USING (true);
CREATE POLICY every ON judgement FOR SELECT TO tocsin_fuse USING (true);
CREATE POLICY every ON judged FOR SELECT TO tocsin_fuse USING (true);
CREATE POLICY every ON incident TO tocsin_fuse USING (true);
CREATE POLICY every ON incident_of TO tocsin_fuse USING (true);
CREATE POLICY purge ON report TO tocsin_purge USING (true);
CREATE POLICY purge ON handling TO tocsin_purge USING (true);
CREATE POLICY purge ON feed TO tocsin_purge USING (true);
CREATE POLICY purge ON judgement TO tocsin_purge USING (true);
CREATE POLICY purge ON judged TO tocsin_purge USING (true);
CREATE POLICY purge ON incident TO tocsin_purge USING (true);
CREATE POLICY purge ON incident_of TO tocsin_purge USING (true);
CREATE POLICY purge ON stale TO tocsin_purge USING (true);

-- What is made for one audience alone: pictures as of a moment, where it asks for one, and signals, at scheduled looks.

-- A picture as of a moment, or its page. said: what there is to say of it, null until it is made; gone: what it was made of has closed, or later ones took its place.
CREATE TABLE picture (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, audience text NOT NULL REFERENCES agency, what text NOT NULL CHECK (what IN ('picture', 'page')),
    as_of timestamptz NOT NULL, tries int NOT NULL DEFAULT 0, said jsonb, page text, gone boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX picture_one ON picture (audience, what, as_of) WHERE NOT gone;
CREATE INDEX picture_wanted ON picture (number) WHERE gone OR said IS NULL;
CREATE TABLE pictured (
    audience text NOT NULL, number bigint NOT NULL, day date NOT NULL, incident_id uuid NOT NULL, body jsonb NOT NULL, PRIMARY KEY (audience, number, day, incident_id)
);

-- A look at one audience's incidents, at a moment that is the same for all; what it found. reports: those in a signal's evidence; body null: one of them has closed.
CREATE TABLE look (audience text NOT NULL REFERENCES agency, at timestamptz NOT NULL, every int NOT NULL, said jsonb NOT NULL, PRIMARY KEY (audience, at));
CREATE TABLE signal (
    audience text NOT NULL, at timestamptz NOT NULL, signal_id uuid NOT NULL, reports uuid[] NOT NULL, body jsonb, PRIMARY KEY (audience, at, signal_id),
    FOREIGN KEY (audience, at) REFERENCES look
);
CREATE INDEX signal_reports ON signal USING gin (reports);

-- A signal that another agency released to this one: what its evidence says by itself. reports: its evidence, all of which the audience saw; body null: one of them has closed.
CREATE TABLE signal_given (
    audience text NOT NULL REFERENCES agency, at timestamptz NOT NULL, given_id uuid NOT NULL, giver text NOT NULL, reports uuid[] NOT NULL, body jsonb,
    PRIMARY KEY (audience, at, given_id)
);
CREATE INDEX signal_given_reports ON signal_given USING gin (reports);

-- From now on nothing is seen as of p_at but what is seen already: what is written later has a later time, and what was being written is waited for.
CREATE FUNCTION still(p_at timestamptz) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp
AS $$ UPDATE clock SET last = greatest(last, p_at) $$;

-- Asks for a picture as of a moment that is not later than p_at; false where as many are waited for as an agency may. It keeps the latest few, made and unmade.
CREATE FUNCTION want(p_at timestamptz, p_as_of timestamptz, p_what text, p_most int) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    PERFORM still(greatest(p_at, p_as_of));
    IF (SELECT count(*) FROM picture WHERE audience = asking() AND NOT gone AND said IS NULL) >= p_most THEN RETURN false; END IF;
    INSERT INTO picture (audience, what, as_of) VALUES (asking(), p_what, p_as_of) ON CONFLICT DO NOTHING;
    UPDATE picture SET gone = true, said = NULL, page = NULL WHERE number IN (
        SELECT number FROM picture WHERE audience = asking() AND NOT gone ORDER BY said IS NULL DESC, number DESC OFFSET p_most
    );
    RETURN true;
END $$;

-- What closes to an audience takes with it what was made of it: every picture, and what a signal says whose evidence it is in.
CREATE FUNCTION unmake() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM closed) THEN RETURN NULL; END IF;
    WITH who AS MATERIALIZED (
        SELECT a.name, array_agg(DISTINCT c.report_id) AS reports FROM closed c JOIN agency a ON c.audience IN (a.name, '*')
        WHERE (SELECT true FROM feed f WHERE f.audience IN (a.name, '*') AND f.report_id = c.report_id LIMIT 1) IS NULL GROUP BY a.name
    ),
    pictures AS (UPDATE picture p SET gone = true, said = NULL, page = NULL FROM who w WHERE p.audience = w.name AND NOT p.gone),
    given AS (UPDATE signal_given g SET body = NULL, reports = '{}' FROM who w WHERE g.audience = w.name AND g.reports && w.reports)
    UPDATE signal s SET body = NULL, reports = '{}' FROM who w WHERE s.audience = w.name AND s.reports && w.reports;
    RETURN NULL;
END $$;
CREATE TRIGGER unmade AFTER DELETE ON feed REFERENCING OLD TABLE AS closed FOR EACH STATEMENT EXECUTE FUNCTION unmake();

CREATE FUNCTION unmake_judged() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    UPDATE picture SET gone = true, said = NULL, page = NULL WHERE audience IN (SELECT audience FROM closed) AND NOT gone;
    RETURN NULL;
END $$;
CREATE TRIGGER unmade AFTER DELETE ON judged REFERENCING OLD TABLE AS closed FOR EACH STATEMENT EXECUTE FUNCTION unmake_judged();

-- A picture says how its reports are marked.
CREATE FUNCTION unmake_marked() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    UPDATE picture p SET gone = true, said = NULL, page = NULL
    WHERE NOT gone AND EXISTS (SELECT FROM feed f WHERE f.audience IN (p.audience, '*') AND f.report_id = NEW.report_id);
    RETURN NULL;
END $$;
CREATE TRIGGER unmade AFTER UPDATE ON handling FOR EACH ROW WHEN (OLD.marking <> NEW.marking) EXECUTE FUNCTION unmake_marked();

-- Of looks the streams of an actor whom one of some reports, or a judgement on it, names, for what they held was counted with it, and the name may be nowhere else.
CREATE FUNCTION unlook(p_reports uuid[]) RETURNS void LANGUAGE sql SET search_path = tocsin, pg_temp AS $$
    WITH named AS MATERIALIZED (
        SELECT coalesce(array_agg(DISTINCT n), '{}') AS actors FROM (
            SELECT body ->> 'actor' AS actor FROM report WHERE report_id = ANY (p_reports)
            UNION SELECT said ->> 'value' FROM judgement WHERE names && p_reports AND said ->> 'field' = 'actor'
        ) s CROSS JOIN regexp_split_to_table(actor, '; *') n
    )
    UPDATE look l SET said = jsonb_set(l.said, '{of}', (
        SELECT coalesce(jsonb_agg(o ORDER BY place), '[]') FROM jsonb_array_elements(l.said -> 'of') WITH ORDINALITY e (o, place)
        WHERE (o ->> 'actor' = ANY (n.actors)) IS NOT TRUE
    ))
    FROM named n WHERE n.actors <> '{}' AND EXISTS (SELECT FROM jsonb_array_elements(l.said -> 'of') o WHERE o ->> 'actor' = ANY (n.actors))
$$;

-- Gives a signal of who asks to another agency that sees all its evidence, and records it; false where it is not there any more, or some of it is hidden from the other.
CREATE FUNCTION give_signal(p_who text, p_at timestamptz, p_look timestamptz, p_signal uuid, p_to text, p_why text, p_body jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_at timestamptz := tick(p_at); v_reports uuid[]; v_own jsonb;
BEGIN
    SELECT reports INTO v_reports FROM signal WHERE audience = asking() AND at = p_look AND signal_id = p_signal AND body IS NOT NULL AND reports <> '{}';
    IF NOT FOUND OR (SELECT count(*) FROM seen_by(v_reports) WHERE audience = p_to) <> cardinality(v_reports) THEN RETURN false; END IF;
    v_own := jsonb_build_object('by', asking(), 'to', p_to, 'why', p_why, 'signal_id', p_signal);
    INSERT INTO act (at, kind, actor, who, said) VALUES (v_at, 'release', asking(), p_who, v_own);
    INSERT INTO told VALUES (asking(), 'release', v_at, id_of('release', asking(), p_signal::text, p_to, p_why, v_at::text), NULL,
        v_own || jsonb_build_object('who', p_who));
    INSERT INTO signal_given VALUES (p_to, v_at, id_of('signal', asking(), p_to, p_signal::text), asking(), v_reports, p_body);
    RETURN true;
END $$;

-- Pictures that are gone, with all their incidents.
CREATE FUNCTION sweep() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
    WITH old AS (DELETE FROM picture WHERE gone RETURNING audience, number)
    DELETE FROM pictured p USING old o WHERE p.audience = o.audience AND p.number = o.number
$$;

REVOKE ALL ON FUNCTION sweep, still, want, unmake, unlook, unmake_judged, unmake_marked, give_signal FROM PUBLIC;
GRANT EXECUTE ON FUNCTION want, give_signal TO tocsin_web;
GRANT EXECUTE ON FUNCTION still, sweep TO tocsin_fuse;
GRANT SELECT ON picture, pictured, look, signal, signal_given TO tocsin_web;
GRANT SELECT ON marking, picture, pictured, look, signal TO tocsin_fuse;
GRANT UPDATE (tries, said, page) ON picture TO tocsin_fuse;
GRANT INSERT ON pictured TO tocsin_fuse;
GRANT INSERT ON look, signal TO tocsin_fuse;
ALTER TABLE picture ENABLE ROW LEVEL SECURITY;
ALTER TABLE pictured ENABLE ROW LEVEL SECURITY;
ALTER TABLE look ENABLE ROW LEVEL SECURITY;
ALTER TABLE signal ENABLE ROW LEVEL SECURITY;
ALTER TABLE signal_given ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON picture FOR SELECT TO tocsin_web USING (audience = asking() AND NOT gone);
CREATE POLICY own ON pictured FOR SELECT TO tocsin_web USING (audience = asking());
CREATE POLICY own ON look FOR SELECT TO tocsin_web USING (audience = asking());
CREATE POLICY own ON signal FOR SELECT TO tocsin_web USING (audience = asking());
CREATE POLICY own ON signal_given FOR SELECT TO tocsin_web USING (audience = asking());
CREATE POLICY every ON picture TO tocsin_fuse USING (true);
CREATE POLICY every ON pictured TO tocsin_fuse USING (true);
CREATE POLICY every ON look TO tocsin_fuse USING (true);
CREATE POLICY every ON signal TO tocsin_fuse USING (true);

-- Reports that are marked for a group, for each agency that is in it: since when.
CREATE TABLE grouped (
    audience text NOT NULL REFERENCES agency, group_name text NOT NULL, report_id uuid NOT NULL, at timestamptz NOT NULL, PRIMARY KEY (audience, group_name, report_id)
);
CREATE INDEX grouped_order ON grouped (audience, group_name, at, report_id);
CREATE INDEX grouped_report ON grouped (uuid_hash(report_id));

-- Brings it in line with the handling of some reports, at the time of the write that changed it.
CREATE FUNCTION regroup_some(p_reports uuid[]) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
    WITH wanted AS MATERIALIZED (
        SELECT m.agency, m.group_name, h.report_id FROM unnest(p_reports) i (report_id) JOIN handling h USING (report_id)
        JOIN marking k ON k.name = h.marking AND k.reach = 'named' JOIN member m ON 'group:' || m.group_name = ANY (h.releasable_to)
    ),
    gone AS (
        DELETE FROM grouped g USING unnest(p_reports) i (report_id) WHERE uuid_hash(g.report_id) = uuid_hash(i.report_id) AND g.report_id = i.report_id
            AND NOT EXISTS (SELECT FROM wanted w WHERE w.agency = g.audience AND w.group_name = g.group_name AND w.report_id = g.report_id)
    )
    INSERT INTO grouped SELECT w.agency, w.group_name, w.report_id, c.last FROM wanted w CROSS JOIN clock c ON CONFLICT DO NOTHING
$$;
CREATE FUNCTION regroup(p_reports uuid[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    FOR n IN 0 .. cardinality(p_reports) / 20 LOOP PERFORM regroup_some(p_reports[20 * n + 1 : 20 * n + 20]); END LOOP;
END $$;
CREATE FUNCTION regroup_new() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_touched uuid[] := ARRAY(SELECT report_id FROM new WHERE EXISTS (SELECT FROM unnest(releasable_to) n WHERE n LIKE 'group:%'));
BEGIN
    IF v_touched = '{}' THEN RETURN NULL; END IF;
    IF TG_OP = 'INSERT' THEN PERFORM regroup_some(v_touched);
    ELSE PERFORM regroup(v_touched); END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION regroup_old() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_touched uuid[] := ARRAY(SELECT report_id FROM old WHERE EXISTS (SELECT FROM unnest(releasable_to) n WHERE n LIKE 'group:%'));
BEGIN
    IF v_touched <> '{}' THEN PERFORM regroup(v_touched); END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION regroup_members() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_group text := coalesce(NEW.group_name, OLD.group_name);
BEGIN
    PERFORM regroup(ARRAY(SELECT report_id FROM handling WHERE releasable_to <> '{}' AND releasable_to @> ARRAY['group:' || v_group]));
    RETURN NULL;
END $$;
CREATE TRIGGER grouped_new AFTER INSERT ON handling REFERENCING NEW TABLE AS new FOR EACH STATEMENT EXECUTE FUNCTION regroup_new();
CREATE TRIGGER grouped_changed AFTER UPDATE ON handling REFERENCING NEW TABLE AS new FOR EACH STATEMENT EXECUTE FUNCTION regroup_new();
CREATE TRIGGER grouped_before AFTER UPDATE ON handling REFERENCING OLD TABLE AS old FOR EACH STATEMENT EXECUTE FUNCTION regroup_old();
CREATE TRIGGER grouped_gone AFTER DELETE ON handling REFERENCING OLD TABLE AS old FOR EACH STATEMENT EXECUTE FUNCTION regroup_old();
CREATE TRIGGER grouped_members AFTER INSERT OR DELETE ON member FOR EACH ROW EXECUTE FUNCTION regroup_members();

REVOKE ALL ON FUNCTION regroup, regroup_some, regroup_new, regroup_old, regroup_members FROM PUBLIC;
GRANT SELECT ON grouped TO tocsin_web;
ALTER TABLE grouped ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON grouped FOR SELECT TO tocsin_web USING (audience = asking());

-- Incidents, judgements and signals as objects of TAXII: each as an audience was given it last; of an incident that is every agency's, the line of '*', but where an agency has one of its own.
-- thing: which incident or judgement, as a hash, for the line outlives what is purged; life: what ceased and comes to be again is another object; about: its id, null of what is no
-- more; says: the body, judgement or version of a signal that is given; added: -infinity of one that was never given, which stands before the line of '*'.
CREATE TABLE published (
    audience text NOT NULL, object_id uuid NOT NULL, kind text NOT NULL, thing uuid NOT NULL, life int NOT NULL, made timestamptz NOT NULL, added timestamptz NOT NULL,
    about uuid, says uuid, PRIMARY KEY (audience, object_id)
);
CREATE INDEX published_order ON published (audience, kind, added);
CREATE INDEX published_thing ON published (uuid_hash(thing));

-- What may have changed, and is not yet given.
CREATE TABLE touched (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL, thing uuid NOT NULL, about uuid);

CREATE FUNCTION touch_incidents() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    INSERT INTO touched (kind, thing, about) SELECT 'incident', id_of('incident', incident_id::text), incident_id FROM (SELECT DISTINCT incident_id FROM changed) c;
    RETURN NULL;
END $$;
CREATE TRIGGER touched_new AFTER INSERT ON incident REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION touch_incidents();
CREATE TRIGGER touched_gone AFTER DELETE ON incident REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION touch_incidents();
CREATE FUNCTION touch_judgements() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    INSERT INTO touched (kind, thing, about) SELECT 'judgement', id_of('judgement', judgement_id::text), judgement_id FROM (SELECT DISTINCT judgement_id FROM changed) c;
    RETURN NULL;
END $$;
CREATE TRIGGER touched_new AFTER INSERT ON judged REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION touch_judgements();
CREATE TRIGGER touched_gone AFTER DELETE ON judged REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION touch_judgements();

-- Signals as TAXII gives them: an audience's own, and those that others released to it; of several under one id the latest is given.
CREATE VIEW signals_there WITH (security_invoker) AS
SELECT s.audience, s.signal_id AS id, s.at, l.every, NULL AS giver, s.reports, s.body FROM signal s JOIN look l USING (audience, at)
UNION ALL SELECT audience, given_id, at, NULL, giver, reports, body FROM signal_given;
CREATE INDEX signal_versions ON signal (signal_id, audience, at);
CREATE INDEX signal_given_versions ON signal_given (given_id, audience, at);
CREATE FUNCTION touch_signals() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    INSERT INTO touched (kind, thing, about) SELECT 'signal', id_of('signal', id::text), id
    FROM (SELECT DISTINCT coalesce(to_jsonb(c) ->> 'signal_id', to_jsonb(c) ->> 'given_id')::uuid AS id FROM changed c) d;
    RETURN NULL;
END $$;
CREATE TRIGGER touched_new AFTER INSERT ON signal REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION touch_signals();
CREATE TRIGGER touched_gone AFTER UPDATE ON signal REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION touch_signals();
CREATE TRIGGER touched_new AFTER INSERT ON signal_given REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION touch_signals();
CREATE TRIGGER touched_gone AFTER UPDATE ON signal_given REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION touch_signals();

-- Of what is purged no id stays here.
CREATE FUNCTION untouch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    UPDATE touched SET about = NULL WHERE about IN (SELECT report_id FROM gone) OR (kind = 'judgement' AND NOT EXISTS (SELECT FROM judgement WHERE judgement_id = about));
    UPDATE published p SET about = NULL, says = CASE p.kind WHEN 'incident' THEN says ELSE p.thing END FROM (
        SELECT id_of('incident', report_id::text) AS thing FROM gone UNION ALL SELECT thing FROM touched WHERE kind = 'judgement' AND about IS NULL
    ) g WHERE uuid_hash(p.thing) = uuid_hash(g.thing) AND p.thing = g.thing;
    RETURN NULL;
END $$;
CREATE TRIGGER untouched AFTER DELETE ON report REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION untouch();

CREATE FUNCTION object_of(p_thing uuid, p_life int) RETURNS uuid IMMUTABLE LANGUAGE sql
RETURN overlay(overlay(md5(p_thing || ' ' || p_life) PLACING '4' FROM 13) PLACING 'a' FROM 17)::uuid;

-- Brings what is given in line with what is. What an audience has at a time follows from its own incidents and judgements alone: their hashes set the order, and each has 8 microseconds,
-- the first 4 of them for every agency's. The clock's row is locked until the transaction ends, so that nothing that is later is seen before.
CREATE FUNCTION publish(p_at timestamptz, p_some touched[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_at timestamptz; v_most bigint;
BEGIN
    UPDATE clock SET taken = greatest(p_at, last + interval '1 microsecond', taken + interval '1 microsecond') RETURNING taken INTO v_at;
    WITH things AS MATERIALIZED (SELECT DISTINCT ON (thing) kind, thing, about FROM unnest(p_some) ORDER BY thing, about IS NULL),
    now AS MATERIALIZED (
        SELECT t.thing, i.audience, i.says FROM things t JOIN incident i ON uuid_hash(i.incident_id) = uuid_hash(t.about) AND i.incident_id = t.about WHERE t.kind = 'incident'
        UNION ALL SELECT t.thing, d.audience, d.judgement_id FROM things t JOIN judged d ON d.judgement_id = t.about WHERE t.kind = 'judgement'
        UNION ALL SELECT t.thing, v.audience, v.says FROM things t CROSS JOIN LATERAL (
            SELECT DISTINCT ON (s.audience) s.audience, CASE WHEN s.body IS NOT NULL THEN id_of('version', extract(epoch FROM s.at)::text) END AS says
            FROM signals_there s WHERE s.id = t.about ORDER BY s.audience, s.at DESC
        ) v WHERE t.kind = 'signal' AND v.says IS NOT NULL
    ),
    was AS MATERIALIZED (
        SELECT DISTINCT ON (p.audience, p.thing) p.* FROM things t JOIN published p ON uuid_hash(p.thing) = uuid_hash(t.thing) AND p.thing = t.thing
        ORDER BY p.audience, p.thing, p.life DESC
    ),
    who AS (SELECT thing, '*' AS audience FROM things UNION SELECT thing, audience FROM now UNION SELECT thing, audience FROM was),
    state AS (
        SELECT w.thing, w.audience, CASE WHEN n.thing IS NOT NULL THEN n.says ELSE e.says END AS says,
            CASE WHEN o.thing IS NOT NULL THEN o.says ELSE s.says END AS said, CASE WHEN o.thing IS NOT NULL THEN o.added ELSE s.added END AS added,
            CASE WHEN o.thing IS NOT NULL THEN o.life ELSE s.life END AS life, CASE WHEN o.thing IS NOT NULL THEN o.made ELSE s.made END AS made
        FROM who w LEFT JOIN now n USING (thing, audience) LEFT JOIN now e ON e.thing = w.thing AND e.audience = '*'
        LEFT JOIN was o ON o.thing = w.thing AND o.audience = w.audience LEFT JOIN was s ON s.thing = w.thing AND s.audience = '*'
    ),
    next AS MATERIALIZED (
        SELECT thing, audience, says, says IS DISTINCT FROM said AS changed, added,
            CASE WHEN says IS NULL OR said IS NOT NULL THEN life ELSE coalesce(life + 1, 0) END AS life,
            CASE WHEN says IS NULL OR said IS NOT NULL THEN made ELSE v_at END AS made
        FROM state
    ),
    every AS MATERIALIZED (SELECT * FROM next WHERE audience = '*'),
    own AS MATERIALIZED (
        SELECT n.*, e.life AS their_life, e.changed AND e.life IS NOT NULL AND e.life IS DISTINCT FROM n.life AS hides,
            ROW (n.life, n.says, n.made, n.changed, CASE WHEN NOT n.changed THEN n.added END)
            IS DISTINCT FROM ROW (e.life, e.says, e.made, e.changed, CASE WHEN NOT e.changed THEN e.added END) AS differs
        FROM next n JOIN every e USING (thing) WHERE n.audience <> '*'
    ),
    lines AS MATERIALIZED (
        SELECT audience, thing, life, made, says, CASE WHEN changed
            THEN v_at + (8 * (row_number() OVER (PARTITION BY audience, changed ORDER BY thing) - 1) + CASE audience WHEN '*' THEN 0 ELSE 4 END) * interval '1 microsecond'
            ELSE added END AS added
        FROM (SELECT audience, thing, life, made, says, changed, added FROM every WHERE changed UNION ALL
              SELECT audience, thing, life, made, says, changed, added FROM own WHERE differs) a
        WHERE life IS NOT NULL
    ),
    gone AS (
        DELETE FROM published p USING own o WHERE NOT o.differs AND p.audience = o.audience AND p.object_id = object_of(o.thing, o.life)
    ),
    hidden AS (
        INSERT INTO published (audience, object_id, kind, thing, life, made, added)
        SELECT o.audience, object_of(o.thing, o.their_life), t.kind, o.thing, o.their_life, v_at, '-infinity' FROM own o JOIN things t USING (thing) WHERE o.hides
        ON CONFLICT DO NOTHING
    ),
    written AS (
        INSERT INTO published (audience, object_id, kind, thing, life, made, added, about, says)
        SELECT l.audience, object_of(l.thing, l.life), t.kind, l.thing, l.life, l.made, l.added, CASE WHEN l.says IS NOT NULL THEN t.about END, l.says
        FROM lines l JOIN things t USING (thing)
        ON CONFLICT (audience, object_id) DO UPDATE SET made = excluded.made, added = excluded.added, about = excluded.about, says = excluded.says
        RETURNING added
    )
    SELECT extract(epoch FROM max(added) - v_at) * 1000000 INTO v_most FROM written WHERE added >= v_at;
    UPDATE clock SET taken = v_at + (v_most + 8) * interval '1 microsecond' WHERE v_most IS NOT NULL;
END $$;

-- Some of what was touched, the first first; gives how much that was. Nothing is purged meanwhile.
CREATE FUNCTION publish_some(p_at timestamptz, p_many int) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
DECLARE v_some touched[];
BEGIN
    IF NOT EXISTS (SELECT FROM touched) THEN RETURN 0; END IF;
    LOCK TABLE purged IN SHARE MODE;
    WITH few AS (DELETE FROM touched t WHERE number IN (SELECT number FROM touched ORDER BY number LIMIT p_many) RETURNING t)
    SELECT coalesce(array_agg(t), '{}') INTO v_some FROM few;
    PERFORM publish(p_at, v_some);
    RETURN cardinality(v_some);
END $$;

REVOKE ALL ON FUNCTION touch_incidents, touch_judgements, touch_signals, untouch, object_of, publish, publish_some FROM PUBLIC;
GRANT EXECUTE ON FUNCTION publish_some TO tocsin_fuse;
GRANT SELECT ON published, signals_there TO tocsin_web;
ALTER TABLE published ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON published FOR SELECT TO tocsin_web USING (audience = asking() OR (audience = '*' AND asking() NOT IN ('', 'public')));

-- How an answer is looked up must not hang on how many lines others have: to the planner every audience has as many.
ALTER TABLE feed ALTER audience SET STATISTICS 0;
ALTER TABLE incident ALTER audience SET STATISTICS 0;
ALTER TABLE incident_of ALTER audience SET STATISTICS 0;
ALTER TABLE published ALTER audience SET STATISTICS 0;
ALTER TABLE grouped ALTER audience SET STATISTICS 0;

-- TAXII: what an agency sent as STIX, object by object, for itself alone, and of a post, what became of it.
CREATE FUNCTION sealing() RETURNS text STABLE LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$ SELECT key FROM seal $$;

-- version: when the object was last changed, null of one that has no time; report_id: the report that was made of it; serves: reports that it said something of.
CREATE TABLE inbox (
    agency text NOT NULL, added timestamptz NOT NULL, id text NOT NULL, type text NOT NULL, version timestamptz, report_id uuid,
    serves uuid[] NOT NULL DEFAULT '{}', object jsonb NOT NULL, PRIMARY KEY (agency, added)
);
CREATE UNIQUE INDEX inbox_version ON inbox (agency, id, version) NULLS NOT DISTINCT;
CREATE INDEX inbox_type ON inbox (agency, type, added);
CREATE INDEX inbox_report ON inbox (report_id) WHERE report_id IS NOT NULL;
CREATE INDEX inbox_serves ON inbox USING gin (serves) WHERE serves <> '{}';
CREATE TABLE posting (agency text NOT NULL REFERENCES agency, posting_id uuid PRIMARY KEY, at timestamptz NOT NULL, said jsonb NOT NULL);
CREATE INDEX posting_at ON posting (at);

-- Files that came in the browser; said: what became of one, null until it is done.
CREATE TABLE upload (agency text NOT NULL REFERENCES agency, upload_id uuid PRIMARY KEY, at timestamptz NOT NULL, who text NOT NULL, name text NOT NULL, said jsonb);
CREATE INDEX upload_at ON upload (at);
CREATE INDEX upload_own ON upload (agency, at);

-- Keeps objects in the order given. stored: it is new; same: what stands there under its id and version says the same.
CREATE FUNCTION keep(p_at timestamptz, p_rows jsonb) RETURNS TABLE (number int, stored boolean, same boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
#variable_conflict use_column
DECLARE v_at timestamptz := tick(p_at); v_new timestamptz[];
BEGIN
    IF NOT EXISTS (SELECT FROM agency WHERE name = asking() AND left_at IS NULL) THEN RAISE EXCEPTION 'an agency keeps its own objects only'; END IF;
    PERFORM take(v_at, jsonb_array_length(p_rows));
    WITH made AS (
        INSERT INTO inbox (agency, added, id, type, version, report_id, serves, object)
        SELECT asking(), v_at + x.number * interval '1 microsecond', x.id, x.type, x.version, x.report_id, x.serves, x.object
        FROM jsonb_to_recordset(p_rows) AS x (number int, id text, type text, version timestamptz, report_id uuid, serves uuid[], object jsonb)
        WHERE NOT EXISTS (SELECT FROM purged p WHERE p.report_id = x.report_id)
            AND NOT EXISTS (SELECT FROM unnest(x.serves) s JOIN purged p ON p.report_id = s)
        ORDER BY x.number ON CONFLICT DO NOTHING RETURNING added
    )
    SELECT coalesce(array_agg(added), '{}') INTO v_new FROM made;
    RETURN QUERY SELECT (extract(epoch FROM n - v_at) * 1000000)::int, true, true FROM unnest(v_new) n;
    IF cardinality(v_new) < jsonb_array_length(p_rows) THEN
        RETURN QUERY
            SELECT x.number, false, i.object = x.object
            FROM jsonb_to_recordset(p_rows) AS x (number int, id text, version timestamptz, object jsonb)
            JOIN inbox i ON i.agency = asking() AND i.id = x.id AND i.version IS NOT DISTINCT FROM x.version
            WHERE v_at + x.number * interval '1 microsecond' <> ALL (v_new);
    END IF;
END $$;

-- What became of a post stands for a week.
CREATE FUNCTION file_posting(p_at timestamptz, p_id uuid, p_said jsonb) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
    DELETE FROM posting WHERE at < p_at - interval '7 days';
    INSERT INTO posting SELECT name, p_id, p_at, p_said FROM agency WHERE name = asking() AND left_at IS NULL
$$;

CREATE FUNCTION begin_upload(p_at timestamptz, p_id uuid, p_who text, p_name text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
    DELETE FROM upload WHERE at < p_at - interval '7 days';
    INSERT INTO upload SELECT name, p_id, p_at, p_who, p_name FROM agency WHERE name = asking() AND left_at IS NULL
$$;

-- Once: what became of a file stays as it was said first.
CREATE FUNCTION end_upload(p_id uuid, p_said jsonb) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
    UPDATE upload SET said = p_said WHERE agency = asking() AND upload_id = p_id AND said IS NULL
$$;

-- Takes versions of an object out of the inbox of who asks.
CREATE FUNCTION discard(p_id text, p_added timestamptz[]) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
    DELETE FROM inbox WHERE agency = asking() AND id = p_id AND added = ANY (p_added)
$$;

-- A report that is purged takes with it what it came in, and what was sent for it; of files, what is said of any of its agency's, for that has words of theirs in it.
CREATE FUNCTION empty_inbox() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    DELETE FROM inbox i USING gone g WHERE i.report_id = g.report_id;
    DELETE FROM inbox WHERE serves <> '{}' AND serves && ARRAY(SELECT report_id FROM gone);
    DELETE FROM upload u USING gone g WHERE u.agency = g.agency;
    RETURN NULL;
END $$;
CREATE TRIGGER emptied AFTER DELETE ON report REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION empty_inbox();

-- Nobody reads the inbox of an agency that has left.
CREATE FUNCTION close_inbox() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = tocsin, pg_temp AS $$
BEGIN
    DELETE FROM inbox WHERE agency = NEW.name;
    DELETE FROM posting WHERE agency = NEW.name;
    DELETE FROM upload WHERE agency = NEW.name;
    RETURN NULL;
END $$;
CREATE TRIGGER closed AFTER UPDATE OF left_at ON agency FOR EACH ROW WHEN (NEW.left_at IS NOT NULL) EXECUTE FUNCTION close_inbox();

REVOKE ALL ON FUNCTION sealing, keep, file_posting, discard, begin_upload, end_upload, empty_inbox, close_inbox FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sealing, keep, file_posting, discard, begin_upload, end_upload TO tocsin_web;
GRANT SELECT ON inbox, posting, upload TO tocsin_web;
ALTER TABLE inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE posting ENABLE ROW LEVEL SECURITY;
ALTER TABLE upload ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON inbox FOR SELECT TO tocsin_web USING (agency = asking());
CREATE POLICY own ON posting FOR SELECT TO tocsin_web USING (agency = asking());
CREATE POLICY own ON upload FOR SELECT TO tocsin_web USING (agency = asking());
