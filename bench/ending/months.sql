-- ${rows} conversations of 25 businesses in the twelve months that are over, by 40 a person; half are calls, a third leads.
INSERT INTO nexara.businesses (id, name, industry, country, zone)
SELECT CASE n WHEN 1 THEN '${business}'::uuid ELSE gen_random_uuid() END, 'B', (ARRAY['hair', 'teeth'])[1 + n % 2], 'GB', 'UTC'
FROM generate_series(1, 25) n;
INSERT INTO nexara.people (business_id, id) SELECT b.id, gen_random_uuid() FROM nexara.businesses b, generate_series(1, 1 + ${rows} / 1000);
CREATE TEMP TABLE talkers ON COMMIT DROP AS SELECT p.business_id, p.id, row_number() OVER () - 1 AS place FROM nexara.people p;
CREATE UNIQUE INDEX ON talkers (place);
ANALYZE talkers;
INSERT INTO nexara.conversations (business_id, person_id, channel, started_at, ended_at, event_key)
SELECT p.business_id, p.id, (ARRAY['call', 'web_chat'])[1 + n % 2], t.at, t.at + interval '3 minutes',
       encode(sha256(gen_random_uuid()::text::bytea), 'hex')
FROM generate_series(1, ${rows}) n
JOIN talkers p ON p.place = n % (25 * (1 + ${rows} / 1000))
CROSS JOIN LATERAL (
  SELECT date_trunc('month', now()) - interval '13 months' + n * (interval '360 days' / ${rows}) AS at) t;
INSERT INTO nexara.calls (business_id, conversation_id, seconds, recorded, event_key)
SELECT c.business_id, c.id, 180, true, c.event_key FROM nexara.conversations c WHERE c.channel = 'call';
INSERT INTO nexara.leads (business_id, person_id, conversation_id, intent, urgency)
SELECT c.business_id, c.person_id, c.id, (ARRAY['booking', 'quote', 'other'])[1 + ascii(c.event_key) % 3], 'low'
FROM nexara.conversations c WHERE ascii(right(c.event_key, 1)) % 3 = 0;
