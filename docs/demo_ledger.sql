-- A ledger in the middle of a night with an outage: every state, error and page has something to show. All made up.

-- Chains of one call each: transcribe, summarize, extract, then meter and two mails.
INSERT INTO ledger.jobs (id, kind, queue, priority, business_id, root_id, parent_id, payload, state, attempt, max_attempts,
                         run_at, give_up_at, enqueued_at, dispatched_at, claimed_at, started_at, finished_at)
OVERRIDING SYSTEM VALUE
WITH chain AS MATERIALIZED (
  SELECT n, 1000 + n * 7 AS root, clock_timestamp() - (1400 - n) * interval '61 s' - random() * interval '50 s' AS at,
         CAST(md5('business' || (n * 7919) % 9) AS uuid) AS business, CAST(md5('call' || n) AS uuid) AS call
  FROM generate_series(1, 1400) n
)
SELECT c.root + s.step, k.kind, k.queue, k.priority, c.business, c.root, nullif(c.root + s.after, c.root - 1),
       jsonb_build_object(s.field, CASE WHEN s.step = 0 THEN CAST(md5('recording' || c.n) AS uuid) ELSE c.call END)
         || CASE WHEN k.kind = 'alerts.send' THEN jsonb_build_object('member_id', CAST(md5(s.step::text || c.business) AS uuid),
                                                                      'alert', 'lead') ELSE '{}' END,
       'succeeded', 1, k.max_attempts, t.at, t.at + interval '1 day', t.at, t.at + interval '0.1 s', t.at + interval '0.2 s',
       t.at + interval '0.2 s', t.at + interval '0.2 s' + s.takes * (0.4 + random() * random() * 4)
FROM chain c CROSS JOIN (VALUES
  (0, -1, 'recordings.transcribe', 'recording_id', interval '9 s'), (1, 0, 'conversations.summarize', 'conversation_id', interval '3 s'),
  (2, 1, 'leads.extract', 'conversation_id', interval '2 s'), (3, 2, 'usage.meter', 'conversation_id', interval '12 ms'),
  (4, 3, 'alerts.send', 'conversation_id', interval '300 ms'), (5, 3, 'alerts.send', 'conversation_id', interval '300 ms')
) s (step, after, kind, field, takes)
JOIN ledger.job_kinds k ON k.kind = s.kind
CROSS JOIN LATERAL (SELECT c.at + s.step * interval '6 s' AS at) t;

-- What fails, in the ways that vendors and code do.
INSERT INTO ledger.attempts (job_id, business_id, kind, attempt, worker_id, started_at, ended_at, outcome, error_class, error_code,
                             message, place, traceback, fingerprint, log_tail)
SELECT j.id, j.business_id, j.kind, a, CAST(md5('worker' || a % 2) AS uuid), t.at, t.at + f.takes, f.outcome, f.class, f.code,
       f.message, f.place, f.traceback, left(md5(f.kind || f.code || f.class), 16), f.tail
FROM (VALUES
  ('recordings.transcribe', 0.2, 3, 'try_again', 'TryAgain', 'deepgram_unavailable', 'Deepgram answered 503.',
   'providers/deepgram.py:96 transcribe', interval '2.4 s',
   E'  File "ledger/run.py", line 176, in _answer\n    answer = self.job.steps.call(given, self.runner.vendors)\n  File "jobs/recordings/transcribe.py", line 88, in call\n    return vendors.deepgram.transcribe(given)\n  File "providers/deepgram.py", line 96, in transcribe\n    raise TryAgain("deepgram_unavailable", f"Deepgram answered {status}.")',
   E'03:12:41.108 DEBUG    job.loads\n03:12:41.131 DEBUG    job.calls\n03:12:42.402 WARNING  library.said  library=urllib3  place=connectionpool.py:870\n03:12:43.511 WARNING  vendor.unavailable  code=deepgram_unavailable  attempt=1  wait=2.4'),
  ('leads.extract', 0.008, 2, 'bug', 'KeyError', 'unexpected', 'Its own words are withheld: they may quote a caller.',
   'jobs/leads/extract.py:44 save', interval '1.9 s',
   E'  File "ledger/run.py", line 236, in _save\n    said = write(db)\n  File "jobs/leads/extract.py", line 44, in save\n    kind = found["kind"]',
   E'03:20:02.310 DEBUG    job.loads\n03:20:02.318 DEBUG    job.calls\n03:20:04.201 DEBUG    job.saves'),
  ('alerts.send', 0.004, 1, 'misconfigured', 'Misconfigured', 'resend_key_refused', 'Resend refused the key. Setting: RESEND_API_KEY.',
   'providers/resend.py:71 send', interval '0.4 s', NULL, NULL),
  ('recordings.transcribe', 0.004, 1, 'gave_up', 'GiveUp', 'unreadable_audio', 'The recording is no audio that can be heard.',
   'providers/deepgram.py:88 transcribe', interval '1.1 s', NULL, NULL),
  ('conversations.summarize', 0.003, 1, 'lost', 'Lost', 'worker_died', 'The worker stopped without a word while it ran this job.',
   NULL, interval '31 s', NULL, NULL)
) f (kind, share, times, outcome, class, code, message, place, takes, traceback, tail)
JOIN ledger.jobs j ON j.kind = f.kind AND (('x' || md5(j.id || f.code))::bit(16)::integer / 65536.0) < f.share
  AND (f.code <> 'deepgram_unavailable' OR j.enqueued_at BETWEEN now() - interval '95 min' AND now() - interval '25 min'
       OR j.id % 40 = 0)
CROSS JOIN generate_series(1, f.times) a
CROSS JOIN LATERAL (SELECT j.started_at + (a * a - 1) * interval '40 s' AS at) t
WHERE t.at + f.takes < now();
UPDATE ledger.jobs j SET state = 'dead', reason = CASE WHEN code = 'unexpected' THEN 'attempts_exhausted' ELSE code END,
       attempt = times, finished_at = ended
FROM (SELECT job_id, max(error_code) AS code, count(*) AS times, max(ended_at) AS ended FROM ledger.attempts
      WHERE error_code IN ('unexpected', 'unreadable_audio') GROUP BY 1) a WHERE a.job_id = j.id;
UPDATE ledger.jobs j SET state = 'parked', reason = 'resend_key_refused', finished_at = NULL
FROM ledger.attempts a WHERE a.job_id = j.id AND a.error_code = 'resend_key_refused' AND a.ended_at > now() - interval '3 hours';
UPDATE ledger.jobs j SET state = 'retryable', reason = NULL, attempt = 3, finished_at = NULL, run_at = now() + (id % 300) * interval '1 s'
WHERE kind = 'recordings.transcribe' AND state = 'succeeded' AND enqueued_at > now() - interval '40 min'
  AND EXISTS (SELECT FROM ledger.attempts a WHERE a.job_id = j.id AND a.error_code = 'deepgram_unavailable');
UPDATE ledger.jobs SET state = 'discarded', reason = 'by_hand' WHERE id IN (SELECT id FROM ledger.jobs WHERE state = 'dead' ORDER BY id LIMIT 2);

UPDATE ledger.jobs j SET fingerprint = a.fingerprint, failed_at = a.ended_at
FROM (SELECT DISTINCT ON (job_id) job_id, fingerprint, ended_at FROM ledger.attempts ORDER BY job_id, id DESC) a
WHERE a.job_id = j.id AND j.state IN ('dead', 'retryable', 'parked');

-- What goes on at this moment.
SELECT setval('ledger.jobs_id_seq', (SELECT max(id) FROM ledger.jobs));
DELETE FROM ledger.jobs WHERE enqueued_at > clock_timestamp() - interval '12 s';
UPDATE ledger.jobs SET finished_at = clock_timestamp() - random() * interval '4 s' WHERE finished_at > clock_timestamp();
INSERT INTO ledger.workers (id, threads, kinds, signed_on_at, heartbeat_at)
SELECT CAST(md5('worker' || n) AS uuid), 8, ARRAY(SELECT kind FROM ledger.job_kinds), now() - interval '5 hours',
       clock_timestamp() - interval '1 min' * (n = 2)::integer
FROM generate_series(0, 2) n;
INSERT INTO ledger.jobs (kind, queue, priority, business_id, root_id, payload, state, attempt, max_attempts, run_at, give_up_at,
                         enqueued_at, dispatched_at, claimed_at, started_at, deadline_at, worker_id, progress, doing)
SELECT k.kind, k.queue, k.priority, CAST(md5('business' || n % 9) AS uuid), 0,
       CASE WHEN k.kind = 'recordings.transcribe' THEN jsonb_build_object('recording_id', gen_random_uuid())
            ELSE jsonb_build_object('conversation_id', gen_random_uuid()) END,
       s.state, CASE WHEN s.state = 'running' THEN 1 ELSE 0 END, k.max_attempts, at, at + interval '1 day', at,
       CASE WHEN s.state <> 'available' THEN at END, CASE WHEN s.state = 'running' THEN at END,
       CASE WHEN s.state = 'running' THEN at END, CASE WHEN s.state = 'running' THEN at + k.timeout END,
       CASE WHEN s.state = 'running' THEN CAST(md5('worker' || n % 2) AS uuid) END,
       CASE WHEN s.state = 'running' AND n % 2 = 0 THEN 15 + 13 * n % 80 END,
       CASE WHEN s.state = 'running' AND n % 2 = 0 THEN 'listening' END
FROM (VALUES ('running', 'recordings.transcribe', 5), ('running', 'conversations.summarize', 2), ('available', 'conversations.summarize', 23),
             ('dispatched', 'leads.extract', 4), ('available', 'recordings.transcribe', 3)) s (state, kind, many)
CROSS JOIN generate_series(1, s.many) n JOIN ledger.job_kinds k ON k.kind = s.kind
CROSS JOIN LATERAL (SELECT clock_timestamp() - n * CASE WHEN s.kind = 'conversations.summarize' AND s.state = 'available'
                                                THEN interval '17 s' ELSE interval '3 s' END AS at) t;
UPDATE ledger.jobs SET root_id = id WHERE root_id = 0;

-- A batch of the house that waits for some of its jobs: summaries of the last half hour, some of which wait behind others.
INSERT INTO ledger.batches (id, business_id, root_id, opened_at, sealed_at)
VALUES (CAST(md5('batch') AS uuid), CAST(lpad('', 32, '0') AS uuid), 1, now() - interval '31 min', now() - interval '30 min');
INSERT INTO ledger.batch_follow_ups (batch_id, cue, kind, payload) VALUES
  (CAST(md5('batch') AS uuid), 'then', 'usage.meter', jsonb_build_object('conversation_id', CAST(md5('call1') AS uuid)));
INSERT INTO ledger.batch_members (job_id, batch_id, state)
SELECT id, CAST(md5('batch') AS uuid), CASE WHEN finished_at IS NOT NULL THEN state END FROM ledger.jobs
WHERE kind = 'conversations.summarize' AND enqueued_at > now() - interval '30 min';
UPDATE ledger.jobs SET in_batch = true WHERE id IN (SELECT job_id FROM ledger.batch_members);

INSERT INTO ledger.pauses (kind, code, since, who, why) VALUES ('alerts.send', 'resend_key_refused', now() - interval '6 min', 'the engine',
  'Its setting is wrong: see the error of the job that found out.');
INSERT INTO ledger.ticks (schedule, tick, due_at, noted_at, outcome, job_id)
SELECT 'recovery', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'), at, at + n % 50 * interval '1 s' + CASE WHEN n IN (9, 10) THEN interval '14 min' ELSE '0' END,
       CASE WHEN n IN (11, 12) THEN 'skipped' ELSE 'fired' END, CASE WHEN n NOT IN (11, 12) THEN 100 + n END
FROM generate_series(0, 40) n, LATERAL (SELECT date_bin('10 min', now(), '2000-01-01') - n * interval '10 min' AS at) t;
INSERT INTO ledger.ticks (schedule, tick, due_at, noted_at, outcome, job_id)
SELECT s.name, (at AT TIME ZONE 'UTC')::date::text, at, at + interval '21 s', 'fired', s.id + n
FROM (VALUES ('retention', interval '2:30', 200), ('reconciliation', interval '4:00', 300)) s (name, at_time, id), generate_series(0, 9) n,
  LATERAL (SELECT (date_trunc('day', now() AT TIME ZONE 'UTC') + s.at_time) AT TIME ZONE 'UTC'
                  - CASE WHEN (date_trunc('day', now() AT TIME ZONE 'UTC') + s.at_time) AT TIME ZONE 'UTC' > now() THEN interval '1 day' ELSE '0' END
                  - n * interval '1 day' AS at) t;
INSERT INTO ledger.jobs (id, kind, queue, priority, business_id, root_id, payload, state, attempt, max_attempts, run_at, give_up_at,
                         enqueued_at, started_at, finished_at)
OVERRIDING SYSTEM VALUE
SELECT t.job_id, k.kind, k.queue, k.priority, CAST(lpad('', 32, '0') AS uuid), t.job_id, jsonb_build_object('as_of', t.due_at),
       'succeeded', 1, k.max_attempts, t.noted_at, t.noted_at + interval '1 day', t.noted_at, t.noted_at, t.noted_at + interval '1.4 s'
FROM ledger.ticks t JOIN ledger.job_kinds k ON k.kind = CASE t.schedule WHEN 'recovery' THEN 'conversations.recover'
  WHEN 'retention' THEN 'retention.sweep' ELSE 'billing.reconcile' END
WHERE t.job_id IS NOT NULL;
INSERT INTO ledger.pace_until (id, until) VALUES (1, now() - interval '26 hours') ON CONFLICT (id) DO UPDATE SET until = EXCLUDED.until;
