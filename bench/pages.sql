-- A million jobs over a day, 20,000 of which failed and have not got over it. :rows is how many.
INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, attempt, max_attempts, run_at, give_up_at,
                         enqueued_at, dispatched_at, claimed_at, started_at, finished_at, reason,
                         fingerprint, failed_at)
SELECT k.kind, k.queue, k.priority, CAST(lpad((n % 400)::text, 32, '0') AS uuid), n,
       jsonb_build_object('conversation_id', CAST(md5(n::text) AS uuid)), s.state, 1, k.max_attempts, t.at, t.at + interval '1 day',
       t.at, t.at, t.at, t.at, CASE WHEN s.state NOT IN ('parked', 'retryable', 'scheduled') THEN t.at + (n % 97) * interval '90 ms' END,
       CASE s.state WHEN 'dead' THEN 'attempts_exhausted' WHEN 'parked' THEN 'no_key' END,
       CASE WHEN s.state IN ('dead', 'retryable', 'parked') THEN left(md5((n % 60)::text), 16) END,
       CASE WHEN s.state IN ('dead', 'retryable', 'parked') THEN t.at + interval '2 s' END
FROM generate_series(1, :rows) n
JOIN LATERAL (SELECT * FROM ledger.job_kinds ORDER BY kind OFFSET n % 9 LIMIT 1) k ON true
CROSS JOIN LATERAL (SELECT now() - (:rows - n) * interval '86.4 ms' - interval '2 min' AS at) t
CROSS JOIN LATERAL (SELECT CASE
  WHEN n % 1000 < 20 THEN (ARRAY['dead', 'dead', 'dead', 'dead', 'dead', 'dead', 'dead', 'dead', 'dead', 'dead', 'dead', 'dead',
                                 'dead', 'retryable', 'retryable', 'retryable', 'retryable', 'parked', 'parked', 'parked'])[n % 1000 + 1]
  WHEN n % 1000 < 22 THEN 'cancelled' WHEN n % 1000 < 24 THEN 'discarded' WHEN n % 1000 < 25 THEN 'scheduled'
  ELSE 'succeeded' END AS state) s;

INSERT INTO ledger.attempts (job_id, business_id, kind, attempt, started_at, ended_at, outcome, error_class, error_code, message, place,
                             traceback, fingerprint, log_tail)
SELECT id, business_id, kind, a, enqueued_at, enqueued_at + a * interval '1 s', 'bug', 'KeyError', 'code_' || id % 60, 'Withheld.',
       'jobs/leads/extract.py:44 save', repeat('  File "jobs/leads/extract.py", line 44, in save' || chr(10), 12), left(md5((id % 60)::text), 16),
       repeat('03:12:41.108 DEBUG    job.loads' || chr(10), 12)
FROM ledger.jobs CROSS JOIN generate_series(1, 2) a WHERE state IN ('dead', 'retryable', 'parked') ORDER BY id;

-- A backlog, what is in flight, and who works.
INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, max_attempts, run_at, give_up_at, claimed_at, started_at,
                         worker_id, progress)
SELECT k.kind, k.queue, 2, CAST(lpad((n % 400)::text, 32, '0') AS uuid), 0, '{}', s.state, 11, now() - n * interval '1 ms',
       now() + interval '1 day', CASE WHEN s.state = 'running' THEN now() END, CASE WHEN s.state = 'running' THEN now() END,
       CASE WHEN s.state = 'running' THEN CAST(md5('w' || n % 8) AS uuid) END, CASE WHEN s.state = 'running' THEN 40 END
FROM (VALUES ('available', 30000), ('dispatched', 600), ('running', 64)) s (state, many), generate_series(1, s.many) n,
  LATERAL (SELECT * FROM ledger.job_kinds ORDER BY kind OFFSET n % 9 LIMIT 1) k;
INSERT INTO ledger.workers (id, threads, kinds, heartbeat_at)
SELECT CAST(md5('w' || n) AS uuid), 8, '{}', now() + interval '1 hour' FROM generate_series(0, 7) n;
INSERT INTO ledger.ticks (schedule, tick, due_at, outcome)
SELECT s, to_char(at, 'YYYY-MM-DD"T"HH24:MI'), at, 'fired' FROM unnest('{retention,reconciliation,recovery}'::text[]) s,
  generate_series(now() - interval '90 days', now(), interval '10 min') at;
UPDATE ledger.jobs SET root_id = id WHERE root_id = 0;
UPDATE ledger.jobs SET root_id = 500000, parent_id = 500000 WHERE id BETWEEN 500001 AND 500150;
INSERT INTO ledger.pace_until (id, until) VALUES (1, now() - interval '25 hours');
