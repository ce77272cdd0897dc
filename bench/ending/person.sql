-- ${messages} messages of one business, a thousand a person; and three people with ${few}, ${many} and ${most} of their own, a
-- hundred a conversation. Every tenth message names a number, which `mentions` knows; those of the three are metered.
INSERT INTO nexara.businesses (id, name, industry, country, zone) VALUES ('${business}', 'B', 'b', 'GB', 'UTC');
INSERT INTO nexara.people (business_id, created_at)
SELECT '${business}', now() - interval '1 year' + n * interval '1 s' FROM generate_series(1, 3 + ${messages} / 1000) n;
CREATE TEMP TABLE talkers ON COMMIT DROP AS
SELECT p.id, p.created_at, CASE p.place WHEN 1 THEN ${few} WHEN 2 THEN ${many} WHEN 3 THEN ${most} ELSE 1000 END AS says
FROM (SELECT p.*, row_number() OVER (ORDER BY p.created_at) AS place FROM nexara.people p WHERE p.business_id = '${business}') p;
INSERT INTO nexara.identifiers (business_id, person_id, kind, value)
SELECT '${business}', t.id, 'phone', '+3538' || (10000000 + row_number() OVER ()) FROM talkers t;
INSERT INTO nexara.conversations (business_id, person_id, channel, started_at, ended_at, event_key)
SELECT '${business}', t.id, 'whatsapp', t.created_at, t.created_at, encode(sha256(gen_random_uuid()::text::bytea), 'hex')
FROM talkers t CROSS JOIN LATERAL generate_series(1, t.says / 100);
INSERT INTO nexara.messages (business_id, conversation_id, author_id, direction, body, sent_at, event_key)
SELECT '${business}', c.id, c.person_id, 'inbound',
       CASE n % 10 WHEN 0 THEN 'Ring me on 087 1234567, please.' ELSE 'Hello, is the van free at ten?' END,
       c.started_at + n * interval '1 s', encode(sha256(gen_random_uuid()::text::bytea), 'hex')
FROM nexara.conversations c CROSS JOIN generate_series(1, 100) n WHERE c.business_id = '${business}';
INSERT INTO nexara.mentions (business_id, needle, source, row_id)
SELECT m.business_id, '71234567', 'messages', m.id FROM nexara.messages m
WHERE m.business_id = '${business}' AND m.body LIKE 'Ring%';
INSERT INTO nexara.meter (business_id, event_key, source, unit, direction, quantity, at, keep_until)
SELECT m.business_id, m.event_key, 'whatsapp', 'message', 'inbound', 1, m.sent_at, '2040-01-01'
FROM nexara.messages m
WHERE m.business_id = '${business}'
  AND m.author_id IN (SELECT p.id FROM nexara.people p WHERE p.business_id = '${business}' ORDER BY p.created_at LIMIT 3);
