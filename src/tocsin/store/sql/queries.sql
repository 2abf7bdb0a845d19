-- Named queries. Each serves who asks (tocsin.audience), and begins in a table keyed by the audience.

-- feed_page: reports that the audience may see, by the place they have for it; references to what it may not see are left out
SELECT f.position, f.visible_at, r.report_id, r.agency, r.body, h.marking, h.releasable_to, h.orcon, h.released_to,
    (SELECT s.report_id FROM feed s JOIN report o USING (report_id)
     WHERE s.audience = f.audience AND s.report_id = r.supersedes AND o.agency = r.agency) AS supersedes,
    ARRAY(SELECT d.report_id FROM feed d WHERE d.audience = f.audience AND d.report_id = ANY (r.derived_from) ORDER BY 1) AS derived_from,
    CASE WHEN EXISTS (SELECT FROM feed p WHERE p.audience = f.audience AND p.part_of = f.part_of AND p.report_id <> f.report_id)
        THEN r.part_of END AS part_of
FROM feed f JOIN report r USING (report_id) JOIN handling h USING (report_id)
WHERE f.audience = %(audience)s AND f.position > %(after)s ORDER BY f.position LIMIT %(limit)s

-- feed_one: one report that the audience may see, as in feed_page
SELECT f.position, f.visible_at, r.report_id, r.agency, r.body, h.marking, h.releasable_to, h.orcon, h.released_to,
    (SELECT s.report_id FROM feed s JOIN report o USING (report_id)
     WHERE s.audience = f.audience AND s.report_id = r.supersedes AND o.agency = r.agency) AS supersedes,
    ARRAY(SELECT d.report_id FROM feed d WHERE d.audience = f.audience AND d.report_id = ANY (r.derived_from) ORDER BY 1) AS derived_from,
    CASE WHEN EXISTS (SELECT FROM feed p WHERE p.audience = f.audience AND p.part_of = f.part_of AND p.report_id <> f.report_id)
        THEN r.part_of END AS part_of
FROM feed f JOIN report r USING (report_id) JOIN handling h USING (report_id)
WHERE f.audience = %(audience)s AND f.report_id = %(report_id)s

-- incident_page: incidents of the audience, the latest first
SELECT place, body FROM incident WHERE audience = %(audience)s AND place > %(after)s ORDER BY place LIMIT %(limit)s

-- incident_one: an incident by its id, or by the id of any report in it
SELECT i.body FROM incident i WHERE i.audience = %(audience)s AND i.incident_id = coalesce(
    (SELECT o.incident_id FROM incident_of o WHERE o.audience = %(audience)s AND o.report_id = %(incident_id)s), %(incident_id)s)

-- standing: whether the audience's incidents are those of all that it sees
SELECT changes = fused AS current FROM audience WHERE audience = %(audience)s

-- audit_page: what was done in the agency's name
SELECT position, at, who, what, things, allowed, reason FROM audit WHERE agency = %(audience)s AND position > %(after)s ORDER BY position LIMIT %(limit)s

-- agencies: every agency of the hub knows of the others
SELECT name FROM agency ORDER BY name

-- members: of the groups that who asks is in
SELECT group_name, array_agg(agency ORDER BY agency) AS agencies FROM member GROUP BY group_name ORDER BY group_name

-- submit: see the function
SELECT report_id, stored, same FROM submit(%(agency)s, %(at)s, %(rows)s)

-- remark: see the function
SELECT remark(%(who)s, %(at)s, %(report_id)s, %(marking)s, %(releasable_to)s, %(orcon)s)

-- release: see the function
SELECT release(%(who)s, %(at)s, %(report_id)s, %(to)s, %(why)s, %(incident)s)

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
SELECT h.report_id, h.originator AS agency, h.marking, h.releasable_to, h.orcon, h.released_to FROM handling h WHERE h.report_id = ANY (%(reports)s)

-- judgements_named: every judgement that names one of these reports (fuse)
SELECT judgement_id, agency, signed, names, said FROM judgement WHERE names && %(reports)s ORDER BY judgement_id

-- judgements_among: every judgement all of whose reports are among these (fuse)
SELECT judgement_id, agency, signed, names, said FROM judgement WHERE names <@ %(reports)s AND names && %(reports)s ORDER BY judgement_id

-- note: a line of the audit log of who asks
SELECT note(%(at)s, %(who)s, %(what)s, %(things)s, %(allowed)s, %(reason)s)

-- whoami: whose token it is
SELECT label, agency, roles, groups FROM whoami(%(hash)s, %(at)s)

-- last_tick: the latest time that the hub gave
SELECT last FROM clock WHERE isfinite(last)

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

-- stale: audiences whose incidents are not those of what they see (fuse)
SELECT audience, changes FROM audience WHERE changes > fused ORDER BY audience

-- seen: all that an audience sees, for fusion (fuse)
SELECT f.visible_at, r.report_id, r.agency, r.body,
    (SELECT s.report_id FROM feed s JOIN report o USING (report_id)
     WHERE s.audience = f.audience AND s.report_id = r.supersedes AND o.agency = r.agency) AS supersedes,
    ARRAY(SELECT d.report_id FROM feed d WHERE d.audience = f.audience AND d.report_id = ANY (r.derived_from) ORDER BY 1) AS derived_from,
    CASE WHEN EXISTS (SELECT FROM feed p WHERE p.audience = f.audience AND p.part_of = f.part_of AND p.report_id <> f.report_id)
        THEN f.part_of END AS part_of
FROM feed f JOIN report r USING (report_id) WHERE f.audience = %(audience)s ORDER BY f.visible_at, r.report_id

-- forget_incidents: before they are written anew (fuse)
WITH a AS (DELETE FROM incident_of WHERE audience = %(audience)s) DELETE FROM incident WHERE audience = %(audience)s

-- write_incident: one incident (fuse)
INSERT INTO incident (audience, incident_id, place, body) VALUES (%(audience)s, %(incident_id)s, %(place)s, %(body)s)

-- write_member: which incident a report is in (fuse)
INSERT INTO incident_of (audience, report_id, incident_id) VALUES (%(audience)s, %(report_id)s, %(incident_id)s)

-- fused: the change that the incidents stand at (fuse)
UPDATE audience SET fused = %(changes)s WHERE audience = %(audience)s
