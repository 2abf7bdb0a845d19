-- Named queries. Each serves who asks (tocsin.audience), and begins in a table keyed by the audience.
/* `(SELECT true ... LIMIT 1) IS NULL`, not NOT EXISTS: line by line, by key. What else the planner would do hangs on how many lines others have, and shows in the time. */

-- feed_page: reports that the audience may see, in the order in which they opened to it; references to what it may not see are left out; what becomes text here is not to become anything else on its way
WITH page AS (
    (SELECT * FROM shown WHERE audience = %(audience)s AND (visible_at, report_id) > (%(at)s, %(id)s)
     ORDER BY visible_at, report_id LIMIT %(limit)s)
    UNION ALL
    (SELECT * FROM shown e WHERE audience = '*' AND (visible_at, report_id) > (%(at)s, %(id)s)
     AND (SELECT true FROM feed o WHERE o.audience = %(audience)s AND o.report_id = e.report_id LIMIT 1) IS NULL
     ORDER BY visible_at, report_id LIMIT %(limit)s)
    ORDER BY visible_at, report_id LIMIT %(limit)s
)
SELECT visible_at, report_id::text AS report_id, agency, originator, body::text AS body, marking, releasable_to, orcon, released_to,
    supersedes::text AS supersedes, derived_from::text[] AS derived_from, part_of
FROM page ORDER BY page.visible_at, page.report_id

-- latest_page: as feed_page, the one that opened last first; references to what it may not see are left out
WITH page AS (
    (SELECT * FROM shown WHERE audience = %(audience)s AND (visible_at, report_id) < (%(at)s, %(id)s)
     ORDER BY visible_at DESC, report_id DESC LIMIT %(limit)s)
    UNION ALL
    (SELECT * FROM shown e WHERE audience = '*' AND (visible_at, report_id) < (%(at)s, %(id)s)
     AND (SELECT true FROM feed o WHERE o.audience = %(audience)s AND o.report_id = e.report_id LIMIT 1) IS NULL
     ORDER BY visible_at DESC, report_id DESC LIMIT %(limit)s)
    ORDER BY visible_at DESC, report_id DESC LIMIT %(limit)s
)
SELECT * FROM page ORDER BY visible_at DESC, report_id DESC

-- feed_one: one report that the audience may see, as in feed_page
SELECT * FROM shown WHERE audience IN (%(audience)s, '*') AND report_id = %(report_id)s ORDER BY audience = '*' LIMIT 1

-- feed_some: some reports that the audience may see, as in feed_page, in the order of the ids
SELECT s.* FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY n (id, place)
JOIN LATERAL (
    SELECT * FROM shown e WHERE e.audience IN (%(audience)s, '*') AND e.report_id = n.id ORDER BY e.audience = '*' LIMIT 1
) s ON true ORDER BY n.place

-- own_page: reports that the audience sent, the latest first, each with the correction that stands for it
SELECT r.received_at AS visible_at, r.report_id, r.agency, h.originator, r.body, h.marking, h.releasable_to, h.orcon, h.released_to,
    NULL AS supersedes, '{}'::uuid[] AS derived_from, NULL AS part_of,
    (SELECT c.report_id FROM report c WHERE c.agency = r.agency AND c.supersedes = r.report_id ORDER BY c.received_at DESC LIMIT 1) AS corrected_by
FROM (
    SELECT * FROM report WHERE agency = %(audience)s AND (received_at, report_id) < (%(at)s, %(id)s) ORDER BY received_at DESC, report_id DESC LIMIT %(limit)s
) r JOIN handling h USING (report_id)
ORDER BY r.received_at DESC, r.report_id DESC

-- incident_page: incidents of the audience, the latest first
WITH page AS (
    (SELECT day, incident_id, body FROM incident_shown WHERE audience = %(audience)s AND body IS NOT NULL AND (day, incident_id) < (%(day)s, %(id)s)
     ORDER BY day DESC, incident_id DESC LIMIT %(limit)s)
    UNION ALL
    (SELECT day, incident_id, body FROM incident_shown e WHERE audience = '*' AND body IS NOT NULL AND (day, incident_id) < (%(day)s, %(id)s)
     AND (SELECT true FROM incident o WHERE o.audience = %(audience)s AND o.incident_id = e.incident_id LIMIT 1) IS NULL
     ORDER BY day DESC, incident_id DESC LIMIT %(limit)s)
    ORDER BY day DESC, incident_id DESC LIMIT %(limit)s
)
SELECT day, incident_id::text AS incident_id, body::text AS body FROM page ORDER BY page.day DESC, page.incident_id DESC

-- incidents_with: of some ids the audience's incidents, each by its own id or that of any report in it that is seen still, in the order of the ids
/* OFFSET 0: the id that is looked for is a value, not an expression, which row-level security would keep from the key. */
SELECT n.id AS asked, i.incident_id, i.body FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY n (id, place)
CROSS JOIN LATERAL (
    SELECT coalesce((
        SELECT o.incident_id FROM incident_of o WHERE o.audience IN (%(audience)s, '*') AND o.report_id = n.id
            AND (SELECT true FROM feed f WHERE f.audience IN (%(audience)s, '*') AND f.report_id = o.report_id LIMIT 1)
        ORDER BY o.audience = '*' LIMIT 1
    ), n.id) AS id OFFSET 0
) o
JOIN LATERAL (
    SELECT e.incident_id, e.body FROM incident_shown e WHERE e.audience IN (%(audience)s, '*') AND e.incident_id = o.id AND e.body IS NOT NULL
        AND (e.audience <> '*' OR (SELECT true FROM incident w WHERE w.audience = %(audience)s AND w.incident_id = e.incident_id LIMIT 1) IS NULL)
) i ON true ORDER BY n.place

-- standing: whether the audience's incidents are those of all that it sees
SELECT NOT EXISTS (SELECT FROM stale WHERE audience IN (%(audience)s, '*')) AS current

-- audit_page: what was done in the agency's name
SELECT position, at, who, what, things, allowed, reason FROM audit WHERE agency = %(audience)s AND position > %(after)s ORDER BY position LIMIT %(limit)s

-- audit_found: what was done in the agency's name, the latest first, of a time, a kind and an outcome, and with some words
SELECT position, at, who, what, things, allowed, reason FROM audit
WHERE agency = %(audience)s AND position < %(below)s AND at >= %(at)s AND at < %(until)s
    AND (%(outcome)s::boolean IS NULL OR allowed = %(outcome)s)
    AND (%(begins)s::text[] IS NULL OR EXISTS (SELECT FROM unnest(%(begins)s::text[]) b WHERE starts_with(what, b)) IS DISTINCT FROM %(others)s)
    AND (%(words)s::text = '' OR strpos(lower(concat_ws(' ', who, what, reason, array_to_string(things, ' '))), lower(%(words)s)) > 0)
ORDER BY position DESC LIMIT %(limit)s

-- agencies: every agency of the hub knows of the others
SELECT name FROM agency WHERE left_at IS NULL ORDER BY name

-- members: of the groups that who asks is in
SELECT group_name, array_agg(agency ORDER BY agency) AS agencies FROM member GROUP BY group_name ORDER BY group_name

-- groups_there: every group, for the hub's own staff
SELECT group_name, agencies FROM groups_there()

-- lately: the latest reports that opened to the audience after a time, those of one agency and one handling in one line: how many, the first time, and of each the day (since 1970), the days after its event and the microseconds after it was reported
WITH line AS (
    (SELECT * FROM feed WHERE audience = %(audience)s AND visible_at > %(after)s ORDER BY visible_at DESC, report_id DESC LIMIT %(limit)s)
    UNION ALL
    (SELECT * FROM feed e WHERE audience = '*' AND visible_at > %(after)s
     AND (SELECT true FROM feed o WHERE o.audience = %(audience)s AND o.report_id = e.report_id LIMIT 1) IS NULL
     ORDER BY visible_at DESC, report_id DESC LIMIT %(limit)s)
    ORDER BY visible_at DESC, report_id DESC LIMIT %(limit)s
)
SELECT agency, originator, marking, releasable_to, orcon, released_to, count(*) AS many, min(visible_at) AS first,
    string_agg((day - DATE 'epoch')::text, ',') AS days, string_agg((day - (body ->> 'event_end')::date)::text, ',') AS after_event,
    string_agg((extract(epoch FROM visible_at - (body ->> 'reported_at')::timestamptz) * 1000000)::bigint::text, ',') AS after_report
FROM (SELECT *, (visible_at AT TIME ZONE 'UTC')::date AS day FROM line) l GROUP BY agency, originator, marking, releasable_to, orcon, released_to

-- submit: see the function
SELECT report_id, stored, same FROM submit(%(agency)s, %(at)s, %(rows)s)

-- remark: see the function
SELECT remark(%(who)s, %(at)s, %(report_id)s, %(marking)s, %(releasable_to)s, %(orcon)s)

-- hold: see the function
SELECT hold()

-- release: see the function
SELECT release(%(who)s, %(at)s, %(report_id)s, %(to)s, %(why)s, %(released_with)s)

-- granted: of some reports, those whose originator granted who asks that they go to an agency
SELECT granted(%(reports)s::uuid[], %(to)s) AS report_id

-- asked: of some reports, those whose release to an agency who asks has asked for, and nobody has decided on yet
SELECT r.report_id FROM told r
WHERE r.audience = %(audience)s AND r.kind = 'request' AND r.report_id = ANY (%(reports)s::uuid[]) AND r.said ->> 'by' = %(audience)s AND r.said ->> 'to' = %(to)s
    AND NOT EXISTS (SELECT FROM told d WHERE d.audience = r.audience AND d.told_id = r.told_id AND d.kind = 'decision')

-- request: see the function
SELECT request(%(who)s, %(at)s, %(report_id)s, %(to)s, %(why)s) AS request_id

-- decide: false where it is decided already
SELECT decide(%(who)s, %(at)s, %(request_id)s, %(grant)s, %(why)s) AS done

-- request_one: a request that who asks made, or that is for a report of its own
SELECT r.report_id, r.said
FROM told r WHERE r.audience = %(audience)s AND r.told_id = %(request_id)s AND r.kind = 'request'

-- requests: those that who asks made, and those for its reports, each with its decision
SELECT r.told_id, r.at, r.report_id, r.said, d.at AS decided_at, d.said - 'who' AS decided
FROM told r LEFT JOIN told d ON d.audience = r.audience AND d.told_id = r.told_id AND d.kind = 'decision'
WHERE r.audience = %(audience)s AND r.kind = 'request' AND (r.at, r.told_id) > (%(after_at)s, %(after_id)s) ORDER BY r.at, r.told_id LIMIT %(limit)s

-- releases: those that who asks made, and those of its reports
SELECT told_id, at, report_id, said FROM told
WHERE audience = %(audience)s AND kind = 'release' AND (at, told_id) > (%(after_at)s, %(after_id)s) ORDER BY at, told_id LIMIT %(limit)s

-- judge: see the function
SELECT judge(%(who)s, %(at)s, %(judgement_id)s, %(signed)s, %(names)s, %(said)s)

-- judgements_page: those of which the audience sees every report, in the order in which it came to see them
SELECT d.visible_at, j.judgement_id, j.agency, j.who, j.signed, j.names, j.said FROM judged d JOIN judgement j USING (judgement_id)
WHERE d.audience = %(audience)s AND (d.visible_at, d.judgement_id) > (%(after_at)s, %(after_id)s) ORDER BY d.visible_at, d.judgement_id LIMIT %(limit)s

-- judgement_one: one that the audience sees
SELECT j.judgement_id, j.agency, j.who, j.signed, j.names, j.said FROM judged d JOIN judgement j USING (judgement_id)
WHERE d.audience = %(audience)s AND d.judgement_id = %(judgement_id)s

-- handlings: of reports that who asks sees
SELECT h.report_id, h.originator, h.marking, h.releasable_to, h.orcon, h.released_to FROM handling h WHERE h.report_id = ANY (%(reports)s)

-- judgements_named: every judgement that names one of these reports, or any (fuse)
SELECT judgement_id, agency, signed, names, said FROM judgement WHERE %(reports)s::uuid[] IS NULL OR names && %(reports)s::uuid[] ORDER BY judgement_id

-- purge: see the function
SELECT purge(%(who)s, %(at)s, %(report_id)s, %(why)s)

-- purged_page: what stays of the purged reports of who asks
SELECT at, report_id, who, why FROM purged
WHERE agency = %(audience)s AND (at, report_id) > (%(after_at)s, %(after_id)s) ORDER BY at, report_id LIMIT %(limit)s

-- leave: false where there is no such agency, or it has left
SELECT leave(%(who)s, %(at)s, %(name)s, %(fate)s, %(heir)s) AS done

-- note_all: lines of the audit log of who asks
SELECT note_all(%(lines)s)

-- note_for: see the function
SELECT note_for(%(agency)s, %(lines)s)

-- whoami: whose token it is
SELECT label, agency, roles, groups FROM whoami(%(hash)s, %(at)s)

-- last_tick: the latest time that the hub gave
SELECT greatest(last, taken) AS last FROM clock WHERE isfinite(last)

-- add_agency: false where there is one of that name
SELECT add_agency(%(who)s, %(at)s, %(name)s) AS done

-- set_member: see the function
SELECT set_member(%(who)s, %(at)s, %(group)s, %(agency)s, %(is_in)s)

-- add_token: false where the agency has one of that label
SELECT add_token(%(who)s, %(at)s, %(hash)s, %(label)s, %(agency)s, %(roles)s, %(expires)s) AS done

-- revoke_token: false where none of that label stands in the agency
SELECT revoke_token(%(who)s, %(at)s, %(agency)s, %(label)s) AS done

-- tokens: of who asks, of all for the hub's own staff
SELECT agency, label, roles, made_at, made_by, expires, revoked_at FROM tokens()

-- invite: see the function
SELECT invite(%(who)s, %(at)s, %(hash)s, %(agency)s, %(name)s, %(totp)s, %(roles)s, %(expires)s)

-- close_account: false where there is nobody of that name, nor invited
SELECT close_account(%(who)s, %(at)s, %(agency)s, %(name)s) AS done

-- accounts: of who asks, of all for the hub's own staff
SELECT agency, name, roles, made_at, made_by, closed_at, invited_until FROM accounts()

-- invited: whom a link invites
SELECT agency, name, totp, roles, expires FROM invited(%(hash)s, %(at)s)

-- accept: false where the link does not hold
SELECT accept(%(at)s, %(hash)s, %(password)s, %(step)s) AS done

-- secret_of: what a person is known by
SELECT password, totp FROM secret_of(%(agency)s, %(name)s)

-- try: seconds to wait, 0 where the try may be made
SELECT try(%(at)s, %(keys)s, %(free)s) AS wait

-- forgive: see the function
SELECT forgive(%(account)s, %(address)s)

-- begin_session: false where the code was used before
SELECT begin_session(%(at)s, %(hash)s, %(agency)s, %(name)s, %(password)s, %(step)s) AS done

-- session_of: who is signed in
SELECT name, agency, roles, groups FROM session_of(%(hash)s, %(at)s, %(seen_after)s, %(began_after)s)

-- end_session: see the function
SELECT end_session(%(hash)s)

-- audiences: every agency, the first that came first, as it has its place for good (fuse)
SELECT name FROM agency ORDER BY added_at, name

-- stale: so many lines of what opened or closed and is not yet in the incidents, the first first, by the index: the table stays as large as a backlog was (fuse)
SELECT number, report_id FROM stale ORDER BY number LIMIT %(many)s

-- stale_by_day: all of them, those that say that they are of the same day together (fuse)
SELECT s.report_id FROM (SELECT report_id, min(number) AS first FROM stale GROUP BY report_id) s LEFT JOIN report r USING (report_id)
ORDER BY r.body ->> 'event_start', s.first

-- turned: of these, the bits of the audiences to whom each opened or closed; places: those of the audiences, in order (fuse)
SELECT report_id, bit_or(1::bigint << (p.place::int - 1)) AS bits
FROM stale s JOIN unnest(%(places)s::text[]) WITH ORDINALITY AS p (audience, place) USING (audience) GROUP BY report_id

-- no_longer_stale: these are in the incidents now; first, last: their lines are among these, and are found by that (fuse)
DELETE FROM stale s USING unnest(%(ids)s::uuid[]) i (report_id) WHERE s.report_id = i.report_id AND s.number BETWEEN %(first)s AND %(last)s

-- who_sees: of some reports the bits of the audiences, and of those who see it since another time than that at which it was received (fuse)
SELECT f.report_id, bit_or(1::bigint << (p.place::int - 1)) AS sees,
    coalesce(bit_or(1::bigint << (p.place::int - 1)) FILTER (WHERE f.visible_at <> r.received_at), 0) AS late
FROM unnest(%(ids)s::uuid[]) i (report_id)
JOIN feed f ON uuid_hash(f.report_id) = uuid_hash(i.report_id) AND f.report_id = i.report_id
JOIN report r ON r.report_id = i.report_id
JOIN unnest(%(places)s::text[]) WITH ORDINALITY AS p (audience, place) ON p.audience = f.audience GROUP BY f.report_id

-- lines: since when each audience sees some reports (fuse)
SELECT f.audience, f.report_id, f.visible_at FROM unnest(%(ids)s::uuid[]) i (report_id)
JOIN feed f ON uuid_hash(f.report_id) = uuid_hash(i.report_id) AND f.report_id = i.report_id WHERE f.audience <> 'public'

-- reports: some, with all that they point at, whoever may see that (fuse)
SELECT report_id, agency, received_at AS visible_at, body::text AS body, supersedes, derived_from, NULL AS part_of
FROM unnest(%(ids)s::uuid[]) i (report_id) JOIN report r USING (report_id)

-- all_opened: of all reports the bits of the audiences, and of those who see it since another time than that at which it was received (fuse)
SELECT f.report_id, bit_or(1::bigint << (p.place::int - 1)) AS sees,
    coalesce(bit_or(1::bigint << (p.place::int - 1)) FILTER (WHERE f.visible_at <> r.received_at), 0) AS late
FROM feed f JOIN report r USING (report_id)
JOIN unnest(%(places)s::text[]) WITH ORDINALITY AS p (audience, place) ON p.audience = f.audience GROUP BY f.report_id

-- every_report: as `reports`, of all, as they lie (fuse)
SELECT report_id, agency, received_at AS visible_at, body::text AS body, supersedes, derived_from, NULL AS part_of FROM report

-- any_fused: a line where any report was ever fused: it is in incidents, or, as one that was corrected by what is purged since, at least not stale (fuse)
SELECT true AS there WHERE EXISTS (SELECT FROM incident_of)
OR EXISTS (SELECT FROM report r WHERE NOT EXISTS (SELECT FROM stale s WHERE s.report_id = r.report_id))

-- memberships: reports that have a line in some audience's incidents, of these (fuse)
SELECT o.audience, o.report_id FROM unnest(%(ids)s::uuid[]) i (report_id)
JOIN incident_of o ON uuid_hash(o.report_id) = uuid_hash(i.report_id) AND o.report_id = i.report_id

-- incidents_named: of some ids, those that are an incident's, for each audience that has a line of it (fuse)
SELECT o.audience, o.incident_id FROM unnest(%(ids)s::uuid[]) i (incident_id)
JOIN incident o ON uuid_hash(o.incident_id) = uuid_hash(i.incident_id) AND o.incident_id = i.incident_id

-- of_all: the incident that every agency has of some reports (fuse)
SELECT o.report_id, o.incident_id, n.body::text AS body FROM unnest(%(ids)s::uuid[]) i (report_id)
JOIN incident_of o ON o.audience = '*' AND o.report_id = i.report_id JOIN incident n ON n.audience = '*' AND n.incident_id = o.incident_id

-- forget_members: before they are written anew (fuse)
DELETE FROM incident_of o USING unnest(%(audiences)s::text[], %(ids)s::uuid[]) AS g (audience, report_id)
WHERE o.audience = g.audience AND o.report_id = g.report_id

-- forget_incidents: before they are written anew (fuse)
DELETE FROM incident o USING unnest(%(audiences)s::text[], %(ids)s::uuid[]) AS g (audience, incident_id)
WHERE o.audience = g.audience AND o.incident_id = g.incident_id

-- write_incidents: incidents by component, for each audience that has that; without a body: that it has none of that id (fuse)
INSERT INTO incident (audience, incident_id, day, says, body)
SELECT h.audience, f.incident_id, f.day, f.says, f.body::json
FROM unnest(%(components)s::bigint[], %(ids)s::uuid[], %(days)s::date[], %(hashes)s::uuid[], %(bodies)s::text[]) AS f (component, incident_id, day, says, body)
JOIN unnest(%(held)s::bigint[], %(holders)s::text[]) AS h (component, audience) USING (component)

-- write_members: which incident reports are in, by component (fuse)
INSERT INTO incident_of (audience, report_id, incident_id)
SELECT h.audience, f.report_id, f.incident_id
FROM unnest(%(components)s::bigint[], %(ids)s::uuid[], %(incidents)s::uuid[]) AS f (component, report_id, incident_id)
JOIN unnest(%(held)s::bigint[], %(holders)s::text[]) AS h (component, audience) USING (component)


-- picture_one: a picture of who asks, made or waited for
SELECT number, said, page, tries FROM picture WHERE audience = %(audience)s AND what = %(what)s AND as_of = %(as_of)s AND NOT gone

-- want: false where too many are waited for
SELECT want(%(at)s, %(as_of)s, %(what)s, %(most)s) AS taken

-- pictured_page: incidents of one picture of who asks, the latest first
SELECT day, incident_id, body FROM pictured WHERE audience = %(audience)s AND number = %(number)s AND (day, incident_id) < (%(day)s, %(id)s)
ORDER BY day DESC, incident_id DESC LIMIT %(limit)s

-- signals_page: signals of who asks, in the order of the looks
SELECT s.at, s.signal_id, s.reports, s.body, l.every FROM signal s JOIN look l USING (audience, at)
WHERE s.audience = %(audience)s AND (s.at, s.signal_id) > (%(after_at)s, %(after_id)s) ORDER BY s.at, s.signal_id LIMIT %(limit)s

-- signal_one: a signal of who asks, as its latest look has it
SELECT s.at, s.signal_id, s.reports, s.body, l.every FROM signal s JOIN look l USING (audience, at)
WHERE s.audience = %(audience)s AND s.signal_id = %(signal_id)s ORDER BY s.at DESC LIMIT 1

-- signals_now: what the latest look at the incidents of who asks raised
SELECT s.at, s.signal_id, s.reports, s.body, l.every FROM signal s JOIN look l USING (audience, at)
WHERE s.audience = %(audience)s AND s.at = (SELECT max(at) FROM look WHERE audience = %(audience)s) ORDER BY s.signal_id

-- signals_ended: signals of who asks that the latest look raised no more, each as it was raised last, the latest first
SELECT at, signal_id, reports, body, every FROM (
    SELECT DISTINCT ON (s.signal_id) s.at, s.signal_id, s.reports, s.body, l.every FROM signal s JOIN look l USING (audience, at)
    WHERE s.audience = %(audience)s ORDER BY s.signal_id, s.at DESC
) e WHERE at < (SELECT max(at) FROM look WHERE audience = %(audience)s) ORDER BY at DESC, signal_id LIMIT %(limit)s

-- give_signal: false where it has closed, to who asks or to the other
SELECT give_signal(%(who)s, %(at)s, %(look)s, %(signal_id)s, %(to)s, %(why)s, %(body)s) AS done

-- signals_given: signals that others released to who asks, in the order in which they came
SELECT at, given_id, giver, reports, body FROM signal_given
WHERE audience = %(audience)s AND (at, given_id) > (%(after_at)s, %(after_id)s) ORDER BY at, given_id LIMIT %(limit)s

-- signal_releases: to whom who asks released a signal
SELECT DISTINCT said ->> 'to' AS agency FROM told
WHERE audience = %(audience)s AND kind = 'release' AND report_id IS NULL AND said ->> 'signal_id' = %(signal_id)s::uuid::text ORDER BY 1

-- last_look: the latest look at the audience's incidents
SELECT at, every, said FROM look WHERE audience = %(audience)s ORDER BY at DESC LIMIT 1

-- still: see the function (fuse)
SELECT still(%(at)s)

-- picture_wanted: whether any picture is to be made or taken away (fuse)
SELECT gone FROM picture WHERE gone OR (said IS NULL AND tries < %(most)s) ORDER BY gone LIMIT 1

-- picture_next: the one that was asked for first, and is tried now (fuse)
UPDATE picture SET tries = tries + 1 WHERE number = (
    SELECT number FROM picture WHERE said IS NULL AND NOT gone AND tries < %(most)s ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING number, audience, what, as_of

-- picture_made: nothing where it went meanwhile (fuse)
UPDATE picture SET said = %(said)s, page = %(page)s WHERE number = %(number)s AND NOT gone RETURNING number

-- pictured_write: some incidents of a picture that is being made (fuse)
INSERT INTO pictured (audience, number, day, incident_id, body)
SELECT %(audience)s, %(number)s, i.* FROM unnest(%(days)s::date[], %(ids)s::uuid[], %(bodies)s::jsonb[]) i

-- sweep: see the function (fuse)
SELECT sweep()

-- seen_then: reports that an audience saw by a moment and sees still, by id, as it saw them then; every: every agency saw it, own: it has a line of its own (fuse)
WITH line AS (
    (SELECT report_id, visible_at, true AS own FROM feed
     WHERE audience = %(audience)s AND report_id > %(after)s AND visible_at <= %(as_of)s ORDER BY report_id LIMIT %(limit)s)
    UNION ALL
    (SELECT report_id, visible_at, false FROM feed e WHERE audience = '*' AND report_id > %(after)s AND visible_at <= %(as_of)s
     AND NOT EXISTS (SELECT FROM feed o WHERE o.audience = %(audience)s AND o.report_id = e.report_id AND o.visible_at <= %(as_of)s)
     ORDER BY report_id LIMIT %(limit)s)
    ORDER BY report_id LIMIT %(limit)s
)
SELECT f.visible_at, f.own, r.report_id, r.agency, r.body::text AS body, NULL AS part_of,
    NOT f.own OR EXISTS (SELECT FROM feed e WHERE e.audience = '*' AND e.report_id = f.report_id AND e.visible_at <= %(as_of)s) AS every,
    (SELECT s.report_id FROM feed s JOIN report o USING (report_id)
     WHERE s.audience IN (%(audience)s, '*') AND s.report_id = r.supersedes AND o.agency = r.agency AND s.visible_at <= %(as_of)s LIMIT 1) AS supersedes,
    ARRAY(SELECT DISTINCT d.report_id FROM feed d
          WHERE d.audience IN (%(audience)s, '*') AND d.report_id = ANY (r.derived_from) AND d.visible_at <= %(as_of)s ORDER BY 1) AS derived_from
FROM line f JOIN report r USING (report_id) ORDER BY f.report_id

-- judged_then: judgements that an audience saw by a moment and sees still (fuse)
SELECT j.judgement_id, j.agency, j.signed, j.names, j.said FROM judged d JOIN judgement j USING (judgement_id)
WHERE d.audience = %(audience)s AND d.visible_at <= %(as_of)s ORDER BY j.judgement_id

-- strictest: the strictest marking of the reports that an audience saw by a moment and sees still (fuse)
SELECT m.name FROM marking m WHERE EXISTS (
    SELECT FROM feed f JOIN handling h USING (report_id) WHERE f.audience IN (%(audience)s, '*') AND f.visible_at <= %(as_of)s AND h.marking = m.name
) ORDER BY m.rank DESC LIMIT 1

-- look_due: agencies that were there at a moment and whose incidents were not looked at as of it (fuse)
SELECT a.name FROM agency a WHERE a.added_at <= %(at)s AND a.left_at IS NULL AND NOT EXISTS (SELECT FROM look l WHERE l.audience = a.name AND l.at = %(at)s) ORDER BY a.name

-- look_made: false where another was faster (fuse)
INSERT INTO look VALUES (%(audience)s, %(at)s, %(every)s, %(said)s) ON CONFLICT DO NOTHING RETURNING true AS done

-- signal_write: what one says, if all its evidence is seen still (fuse)
INSERT INTO signal SELECT %(audience)s, %(at)s, %(signal_id)s, CASE WHEN n.open THEN n.reports ELSE '{}' END, CASE WHEN n.open THEN %(body)s::jsonb END
FROM (
    SELECT reports, NOT EXISTS (
        SELECT FROM unnest(reports) i WHERE NOT EXISTS (SELECT FROM feed f WHERE f.audience IN (%(audience)s, '*') AND f.report_id = i)
    ) AS open
    FROM (SELECT %(reports)s::uuid[] AS reports) g
) n

-- signals_before: what was raised at the audience's latest look before a moment (fuse)
SELECT body FROM signal s
WHERE audience = %(audience)s AND body IS NOT NULL AND at = (SELECT max(at) FROM look l WHERE l.audience = %(audience)s AND l.at < %(at)s) ORDER BY signal_id

-- by_key: what follows in this transaction is looked up by key alone, by plans that do without the values, are made once a connection and kept
/* The planner, which does not know yet how much was just sent, would read whole tables; and to plan a page of the feed takes longer than to read it. */
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true), set_config('enable_sort', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)

-- feed_from: the latest time not after %(after)s at which reports opened to the audience, how many did then, and whether any may have since
WITH latest AS MATERIALIZED (
    SELECT greatest(
        (SELECT max(visible_at) FROM feed WHERE audience = %(audience)s AND visible_at <= %(after)s),
        (SELECT max(visible_at) FROM feed WHERE audience = '*' AND visible_at <= %(after)s)
    ) AS at
)
SELECT l.at, (SELECT count(*) FROM feed f WHERE f.audience IN (%(audience)s, '*') AND f.visible_at = l.at AND (f.audience <> '*'
    OR (SELECT true FROM feed o WHERE o.audience = %(audience)s AND o.report_id = f.report_id LIMIT 1) IS NULL)) AS many, coalesce(
    (SELECT true FROM feed n WHERE n.audience = %(audience)s AND n.visible_at > %(after)s ORDER BY n.visible_at LIMIT 1),
    (SELECT true FROM feed n WHERE n.audience = '*' AND n.visible_at > %(after)s ORDER BY n.visible_at LIMIT 1), false
) AS more
FROM latest l WHERE l.at IS NOT NULL

-- feed_on: as feed_page, but for the first %(skip)s
WITH page AS (
    (SELECT * FROM shown WHERE audience = %(audience)s AND (visible_at, report_id) > (%(at)s, %(id)s)
     AND visible_at < %(before)s ORDER BY visible_at, report_id LIMIT %(limit)s::bigint + %(skip)s)
    UNION ALL
    (SELECT * FROM shown e WHERE audience = '*' AND (visible_at, report_id) > (%(at)s, %(id)s) AND visible_at < %(before)s
     AND (SELECT true FROM feed o WHERE o.audience = %(audience)s AND o.report_id = e.report_id LIMIT 1) IS NULL
     ORDER BY visible_at, report_id LIMIT %(limit)s::bigint + %(skip)s)
    ORDER BY visible_at, report_id LIMIT %(limit)s OFFSET %(skip)s
)
SELECT * FROM page ORDER BY visible_at, report_id

-- feed_place: how many of the reports that opened to the audience at one time stand before one of them, and whether that is there still
SELECT count(*) FILTER (WHERE f.report_id < %(report_id)s) AS place, coalesce(bool_or(f.report_id = %(report_id)s), false) AS there
FROM feed f WHERE f.audience IN (%(audience)s, '*') AND f.visible_at = %(at)s AND f.report_id <= %(report_id)s
    AND (f.audience <> '*' OR (SELECT true FROM feed o WHERE o.audience = %(audience)s AND o.report_id = f.report_id LIMIT 1) IS NULL)

-- feed_marked: reports whose marking changed after they had opened to the audience, in the order in which it did
WITH page AS (
    (SELECT * FROM shown WHERE audience = %(audience)s AND marked_at >= %(at)s AND marked_at < %(before)s ORDER BY marked_at LIMIT %(limit)s)
    UNION ALL
    (SELECT * FROM shown e WHERE audience = '*' AND marked_at >= %(at)s AND marked_at < %(before)s
     AND (SELECT true FROM feed o WHERE o.audience = %(audience)s AND o.report_id = e.report_id LIMIT 1) IS NULL ORDER BY marked_at LIMIT %(limit)s)
    ORDER BY marked_at LIMIT %(limit)s
)
SELECT * FROM page ORDER BY marked_at

-- group_marked: as feed_marked, of the reports that are marked for a group that the audience is in
SELECT g.at AS opened_at, s.* FROM shown s JOIN grouped g ON g.audience = s.audience AND g.group_name = %(group)s AND g.report_id = s.report_id
WHERE s.audience = %(audience)s AND s.marked_at >= %(at)s AND s.marked_at < %(before)s AND s.marked_at > g.at ORDER BY s.marked_at LIMIT %(limit)s

-- group_from: as feed_from, of the reports that are marked for a group that the audience is in
WITH latest AS MATERIALIZED (SELECT max(at) AS at FROM grouped WHERE audience = %(audience)s AND group_name = %(group)s AND at <= %(after)s)
SELECT l.at, (SELECT count(*) FROM grouped g WHERE g.audience = %(audience)s AND g.group_name = %(group)s AND g.at = l.at) AS many, EXISTS (
    SELECT FROM grouped n WHERE n.audience = %(audience)s AND n.group_name = %(group)s AND n.at > %(after)s
) AS more
FROM latest l WHERE l.at IS NOT NULL

-- group_on: as feed_on, of the reports that are marked for a group that the audience is in
SELECT g.at AS opened_at, s.*
FROM (
    SELECT at, report_id FROM grouped WHERE audience = %(audience)s AND group_name = %(group)s AND (at, report_id) > (%(at)s, %(id)s) AND at < %(before)s
    ORDER BY at, report_id LIMIT %(limit)s OFFSET %(skip)s
) g
JOIN LATERAL (
    SELECT * FROM shown e WHERE e.audience IN (%(audience)s, '*') AND e.report_id = g.report_id ORDER BY e.audience = '*' LIMIT 1
) s ON true ORDER BY g.at, g.report_id

-- group_one: since when a report is marked for a group that the audience is in
SELECT at AS opened_at FROM grouped WHERE audience = %(audience)s AND group_name = %(group)s AND report_id = %(report_id)s

-- group_place: as feed_place, of the reports that are marked for a group that the audience is in
SELECT count(*) FILTER (WHERE g.report_id < %(report_id)s) AS place, coalesce(bool_or(g.report_id = %(report_id)s), false) AS there
FROM grouped g WHERE g.audience = %(audience)s AND g.group_name = %(group)s AND g.at = %(at)s AND g.report_id <= %(report_id)s

-- published_since: of which kinds the audience was given anything after a time
SELECT kind FROM unnest(ARRAY['incident', 'judgement', 'signal']) kind WHERE coalesce(
    (SELECT true FROM published p WHERE p.audience = %(audience)s AND p.kind = kind.kind AND added > %(after)s ORDER BY added LIMIT 1),
    (SELECT true FROM published p WHERE p.audience = '*' AND p.kind = kind.kind AND added > %(after)s ORDER BY added LIMIT 1)
)

-- published_on: incidents, judgements, or signals, as the audience was given each of them last, in that order; with the handling of every report of theirs that it sees
WITH page AS (
    (SELECT * FROM published WHERE audience = %(audience)s AND kind = %(kind)s AND added > %(after)s AND added < %(before)s ORDER BY added LIMIT %(limit)s)
    UNION ALL
    (SELECT * FROM published e WHERE audience = '*' AND kind = %(kind)s AND added > %(after)s AND added < %(before)s
     AND (SELECT true FROM published o WHERE o.audience = %(audience)s AND o.object_id = e.object_id LIMIT 1) IS NULL ORDER BY added LIMIT %(limit)s)
    ORDER BY added LIMIT %(limit)s
)
SELECT p.object_id, p.kind, p.made, p.added, p.about, p.says, b.body, j.agency, j.signed, j.names, j.said, s.reports, s.signal, s.at, s.every, s.giver, ARRAY(
    SELECT jsonb_build_object('originator', h.originator, 'marking', h.marking, 'releasable_to', h.releasable_to, 'orcon', h.orcon, 'released_to', h.released_to)
    FROM unnest(coalesce(j.names, s.reports, ARRAY(SELECT r::uuid FROM json_array_elements_text(b.body -> 'report_ids') r))) n (report_id)
    JOIN handling h USING (report_id)
) AS handled
FROM page p LEFT JOIN LATERAL (
    SELECT i.body FROM incident_shown i WHERE p.kind = 'incident' AND i.audience IN (%(audience)s, '*') AND i.incident_id = p.about AND i.says = p.says
    ORDER BY i.audience = '*' LIMIT 1
) b ON true LEFT JOIN judgement j ON p.kind = 'judgement' AND j.judgement_id = p.says
LEFT JOIN LATERAL (
    SELECT v.reports, v.body AS signal, v.at, v.every, v.giver FROM signals_there v
    WHERE p.kind = 'signal' AND v.audience = %(audience)s AND v.id = p.about ORDER BY v.at DESC LIMIT 1
) s ON true
ORDER BY p.added

-- published_one: one of them
WITH page AS (
    SELECT * FROM published WHERE audience IN (%(audience)s, '*') AND object_id = %(given_id)s ORDER BY audience = '*' LIMIT 1
)
SELECT p.object_id, p.kind, p.made, p.added, p.about, p.says, b.body, j.agency, j.signed, j.names, j.said, s.reports, s.signal, s.at, s.every, s.giver, ARRAY(
    SELECT jsonb_build_object('originator', h.originator, 'marking', h.marking, 'releasable_to', h.releasable_to, 'orcon', h.orcon, 'released_to', h.released_to)
    FROM unnest(coalesce(j.names, s.reports, ARRAY(SELECT r::uuid FROM json_array_elements_text(b.body -> 'report_ids') r))) n (report_id)
    JOIN handling h USING (report_id)
) AS handled
FROM page p LEFT JOIN LATERAL (
    SELECT i.body FROM incident_shown i WHERE p.kind = 'incident' AND i.audience IN (%(audience)s, '*') AND i.incident_id = p.about AND i.says = p.says
    ORDER BY i.audience = '*' LIMIT 1
) b ON true LEFT JOIN judgement j ON p.kind = 'judgement' AND j.judgement_id = p.says
LEFT JOIN LATERAL (
    SELECT v.reports, v.body AS signal, v.at, v.every, v.giver FROM signals_there v
    WHERE p.kind = 'signal' AND v.audience = %(audience)s AND v.id = p.about ORDER BY v.at DESC LIMIT 1
) s ON true
WHERE isfinite(p.added)

-- publish: see publish_some; gives how much was looked at (fuse)
SELECT publish_some(%(at)s, %(many)s) AS done

-- joined: since when each agency is in the hub, those that have left included, for their reports stay
SELECT name, added_at FROM agency ORDER BY added_at, name

-- seal: the key that seals where a reader goes on
SELECT sealing() AS key

-- inbox_page: objects that who asks sent, in the order in which they came
SELECT added, id, version, report_id, object FROM inbox i
WHERE agency = %(audience)s AND added > %(after)s
    AND (%(ids)s::text[] IS NULL OR id = ANY (%(ids)s::text[])) AND (%(types)s::text[] IS NULL OR type = ANY (%(types)s::text[]))
    AND (%(all_versions)s OR coalesce(version, added) = ANY (%(versions)s::timestamptz[])
        OR (%(last_version)s AND NOT EXISTS (SELECT FROM inbox n WHERE n.agency = i.agency AND n.id = i.id AND coalesce(n.version, n.added) > coalesce(i.version, i.added)))
        OR (%(first_version)s AND NOT EXISTS (SELECT FROM inbox n WHERE n.agency = i.agency AND n.id = i.id AND coalesce(n.version, n.added) < coalesce(i.version, i.added))))
ORDER BY added LIMIT %(limit)s

-- inbox_latest: of some objects that who asks sent, the latest version that became a report
SELECT DISTINCT ON (id) id, version, report_id FROM inbox
WHERE agency = %(audience)s AND id = ANY (%(ids)s::text[]) AND report_id IS NOT NULL ORDER BY id, version DESC

-- keep: see the function
SELECT number, stored, same FROM keep(%(at)s, %(rows)s)

-- file_posting: see the function
SELECT file_posting(%(at)s, %(posting_id)s, %(said)s)

-- posting: what became of a post of who asks
SELECT at, said FROM posting WHERE agency = %(audience)s AND posting_id = %(posting_id)s

-- discard: see the function
SELECT discard(%(object_id)s, %(times)s::timestamptz[])

-- begin_upload: see the function
SELECT begin_upload(%(at)s, %(upload_id)s, %(who)s, %(name)s)

-- end_upload: see the function
SELECT end_upload(%(upload_id)s, %(said)s)

-- upload_one: how far a file of who asks is
SELECT upload_id, at, who, name, said FROM upload WHERE agency = %(audience)s AND upload_id = %(upload_id)s

-- uploads: files of who asks, the latest first
SELECT upload_id, at, who, name, said FROM upload WHERE agency = %(audience)s ORDER BY at DESC, upload_id LIMIT 20
