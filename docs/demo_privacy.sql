-- Erasures at every stage, businesses that left, and what comes of age in the days to come.
INSERT INTO nexara.businesses (id, name, country, zone, ended_at)
SELECT CAST(md5('business' || n) AS uuid), 'Business ' || n, 'GB', 'Europe/London', CASE WHEN n > 6 THEN now() - n * interval '4 days' END
FROM generate_series(0, 8) n;
INSERT INTO nexara.people (business_id, id) SELECT CAST(md5('business' || n % 9) AS uuid), CAST(md5('person' || n) AS uuid) FROM generate_series(0, 89) n;
INSERT INTO nexara.identifiers (business_id, person_id, kind, value)
SELECT CAST(md5('business' || n % 9) AS uuid), CAST(md5('person' || n) AS uuid), 'phone', '+4477009' || lpad((n / 18)::text, 5, '0')
FROM generate_series(0, 89) n;
INSERT INTO nexara.visitors (business_id, person_id, last_seen)
SELECT CAST(md5('business' || n % 9) AS uuid), CAST(md5('person' || n) AS uuid), now() - interval '90 days' + n % 23 * interval '1 day' FROM generate_series(0, 89) n;
INSERT INTO nexara.erasures (business_id, id, scope, root_id, origin, state, plan, counts, asked_at)
SELECT CAST(md5('business' || n % 7) AS uuid), CAST(md5('erasure' || n) AS uuid), scope, CAST(md5('person' || n) AS uuid), origin, 'resolving',
       '{"people": 1, "calls": 12, "recordings": 11, "transcripts": 11, "messages": 40}', '{}', now() - age
FROM (VALUES (0, 'person', 'request', interval '7 min'), (1, 'person', 'dashboard', interval '25 min'), (2, 'recording', 'request', interval '3 hours'),
             (3, 'person', 'request', interval '2 days'), (4, 'communications', 'dashboard', interval '9 days')) e (n, scope, origin, age);
INSERT INTO nexara.erasure_scope (business_id, erasure_id, source, row_id, value, evidence, decision, shared)
SELECT CAST(md5('business0') AS uuid), CAST(md5('erasure0') AS uuid), s.source, CAST(md5(s.row) AS uuid), s.value, s.evidence, s.decision, s.decision = 'review'
FROM (VALUES ('people', 'person0', NULL, 'identifier', 'include'), ('people', 'person9', NULL, 'identifier', 'review'),
             ('identifiers', 'identifier0', '+447700900000', 'identifier', 'review')) s ("source", "row", value, evidence, decision);
UPDATE nexara.erasures SET state = 'confirmed', confirmed_at = asked_at + interval '2 min' WHERE id <> CAST(md5('erasure0') AS uuid);
UPDATE nexara.erasures SET state = 'erasing', counts = '{"calls": 4, "recordings": 4, "transcripts": 4}' WHERE state = 'confirmed';
UPDATE nexara.erasures SET state = 'pending', counts = plan, erased_at = confirmed_at + interval '40 s'
WHERE id IN (CAST(md5('erasure2') AS uuid), CAST(md5('erasure3') AS uuid), CAST(md5('erasure4') AS uuid));
INSERT INTO nexara.remains (business_id, store, what, ref, state, reason, tries, retry_at, lapses_at, confirmed_at, erasure_id)
SELECT CAST(md5('business3') AS uuid), r.store, r.what, CASE WHEN r.state = 'confirmed' THEN NULL ELSE 'x' || n END, r.state, r.reason, 2, now() + interval '20 min', r.lapses,
       CASE WHEN r.state = 'confirmed' THEN now() - interval '1 day' END, CAST(md5('erasure3') AS uuid)
FROM (VALUES ('objects', 'object', 'confirmed', NULL, NULL::timestamptz, 22), ('twilio', 'call', 'confirmed', NULL, NULL, 9), ('twilio', 'recording', 'accepted', NULL, NULL, 2),
             ('vapi', 'call', 'blocked', 'vendor_busy', NULL, 3), ('google', 'event', 'manual', 'access_revoked', NULL, 1),
             ('meta', 'media', 'lapses', NULL, now() + interval '21 days', 4)) r (store, what, state, reason, lapses, many) CROSS JOIN LATERAL generate_series(1, r.many) n;
INSERT INTO nexara.knowledge (business_id, id, chapter, title, body) VALUES (CAST(md5('business3') AS uuid), CAST(md5('knowledge') AS uuid), 'faq', 'Whom do I call?', 'Ask for Ann.');
INSERT INTO nexara.reviews (business_id, erasure_id, source, row_id, field)
VALUES (CAST(md5('business3') AS uuid), CAST(md5('erasure3') AS uuid), 'knowledge', CAST(md5('knowledge') AS uuid), 'body');
