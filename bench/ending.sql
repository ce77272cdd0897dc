-- A business with rows past their age, and one person with many messages among everybody's.
INSERT INTO nexara.businesses (id, name, industry, country, zone) VALUES ('${business}', 'B', 'b', 'GB', 'UTC');
INSERT INTO nexara.users (id, email) SELECT id, id || '@example.com' FROM (SELECT gen_random_uuid() AS id) u;
INSERT INTO nexara.members (business_id, user_id, name, role)
SELECT '${business}', id, 'M', 'owner' FROM nexara.users ORDER BY created_at DESC LIMIT 1;
INSERT INTO nexara.product_events (business_id, member_id, name, props, at)
SELECT '${business}', m.id, 'page_opened', '{"page": "calls"}', ${old} - n * interval '1 s'
FROM nexara.members m CROSS JOIN generate_series(1, ${events}) n WHERE m.business_id = '${business}';
-- The first person is the one; the others share the rest, a thousand messages each.
INSERT INTO nexara.people (business_id, created_at)
SELECT '${business}', timestamptz '2026-01-01' + n * interval '1 s' FROM generate_series(0, ${messages} / 1000) n WHERE ${messages} > 0;
INSERT INTO nexara.conversations (business_id, person_id, channel, started_at, ended_at, event_key)
SELECT '${business}', p.id, 'whatsapp', p.created_at, p.created_at, encode(sha256(gen_random_uuid()::text::bytea), 'hex')
FROM (SELECT id, created_at, row_number() OVER (ORDER BY created_at) AS n FROM nexara.people WHERE business_id = '${business}') p
CROSS JOIN LATERAL generate_series(1, CASE WHEN p.n = 1 THEN 100 ELSE 10 END);
INSERT INTO nexara.messages (business_id, conversation_id, author_id, direction, body, sent_at, event_key)
SELECT '${business}', c.id, c.person_id, 'inbound', 'Hello, is the van free at ten?', c.started_at, encode(sha256(gen_random_uuid()::text::bytea), 'hex')
FROM (SELECT c.*, row_number() OVER (ORDER BY p.created_at, c.id) AS n FROM nexara.conversations c
      JOIN nexara.people p ON p.business_id = c.business_id AND p.id = c.person_id WHERE c.business_id = '${business}') c
CROSS JOIN LATERAL generate_series(1, CASE WHEN c.n <= 100 THEN ${target} / 100 ELSE 100 END);
