-- A job's way in: claimed, started, read. Who may call these is said in run.sql, with the rest of a job's way.

-- Reserve what was popped from Redis, each id once; no attempt is spent. Returns only what was still ours to take, and of it only
-- the kinds this worker knows: another is refused (disclaim.sql), for a worker of the new release.
-- Kinds without effects (p_plain) are started by the same set; not so a job that was lost once, which might be the one
-- that kills its worker, nor one that has a single attempt left: it starts alone, and takes nobody with it.
-- A row that somebody has locked, such as an enqueuer who joined it and has not committed, is left for a later ring: the
-- others must not wait for that transaction.
-- The state is asked for beside the fence because a dispatch that a crash undid leaves its token in Redis: the fence on it
-- may meanwhile be that of another arrow. And it is asked for with a function so that no index of states looks cheaper than
-- that of the ids.
-- This and the other hot functions are plpgsql for its cached plans: before PostgreSQL 18 a function in SQL is planned
-- anew at each call, which costs more than what it does. A plan that was made while the table was small must not read all
-- of it later: hence enable_seqscan, and ids that bound the table whichever way it is joined; nor compare each id with each other one,
-- as a join with the unnested arrays does once few rows are expected: hence array_position.
CREATE FUNCTION ledger.claim_v1(p_worker uuid, p_kinds text[], p_plain text[], p_ids bigint[], p_fences integer[])
RETURNS TABLE (id bigint, fence integer, kind text, business_id uuid, payload jsonb, attempt integer, max_attempts integer,
               rescues integer, patience interval, cursor jsonb, started boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  none_paused CONSTANT boolean := NOT EXISTS (SELECT FROM pauses WHERE ended_at IS NULL);
BEGIN
  RETURN QUERY
    UPDATE jobs j
    SET state = 'running', fence = j.fence + 1, worker_id = p_worker, claimed_at = clock_timestamp(), progress = CASE WHEN j.cursor IS NOT NULL THEN j.progress END,
        doing = CASE WHEN j.cursor IS NOT NULL THEN j.doing END,
        started_at = CASE WHEN popped.starts THEN clock_timestamp() END,
        deadline_at = CASE WHEN popped.starts THEN clock_timestamp() + popped.timeout END,
        attempt = CASE WHEN popped.starts THEN j.attempt + 1 ELSE j.attempt END
    FROM (
      SELECT w.id, w.fence, k.timeout,
             k.kind = ANY (p_plain) AND w.rescues = 0 AND w.attempt + 1 < w.max_attempts AS starts
      FROM jobs w JOIN job_kinds k ON k.kind = w.kind
      WHERE w.id = ANY (p_ids) AND w.fence = p_fences[array_position(p_ids, w.id)] AND starts_with(w.state, 'dispatched') AND k.kind = ANY (p_kinds)
        AND (none_paused OR NOT ledger.is_paused(w.queue, w.kind, w.business_id))
      FOR NO KEY UPDATE OF w SKIP LOCKED
    ) popped
    WHERE j.id = ANY (p_ids) AND j.id = popped.id AND j.fence = popped.fence
    RETURNING j.id, j.fence, j.kind, j.business_id, j.payload, j.attempt::integer, j.max_attempts::integer,
              j.rescues::integer, j.give_up_at - clock_timestamp(), j.cursor, j.started_at IS NOT NULL;
END $$;

-- The handler is entered: the attempt is spent, in a transaction that cannot also complete the job. Once a claim: whoever
-- asks again, because the answer was lost, spends nothing more.
-- NULL: no longer ours. 0: a vendor of its kind asked for a pause since it was picked, so it waits for the end of that,
-- unspent; unless it would have to give up until then, when what the vendor says to it decides.
CREATE FUNCTION ledger.start_v1(p_id bigint, p_fence integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  attempt integer;
  vendors text[];
  patience timestamptz;
  blocked timestamptz;
BEGIN
  UPDATE jobs j
  SET started_at = clock_timestamp(), attempt = j.attempt + CASE WHEN j.started_at IS NULL THEN 1 ELSE 0 END,
      deadline_at = clock_timestamp() + k.timeout
  FROM job_kinds k
  WHERE j.id = p_id AND j.fence = p_fence AND k.kind = j.kind
  RETURNING j.attempt, k.vendors, j.give_up_at INTO attempt, vendors, patience;
  IF vendors <> '{}' THEN
    blocked := ledger.blocked_until(vendors);
    IF blocked <= patience THEN
      PERFORM ledger.reopen(p_id, p_fence, 'retryable', blocked, 'vendor_paused', false);
      RETURN 0;
    END IF;
  END IF;
  RETURN attempt;
END $$;

-- Start a job if that can be done at once; a lock that somebody holds is an error. For a message that goes on to commit: a worker
-- that was killed meanwhile does not wait for the lock, and its attempt is not spent for nobody when it is let go.
-- p_forgettable: the commit need not wait for the disk. Only where one connection carries the job from here to its end: a
-- crash of the server that forgets the start ends that, too, and the job is started anew. A job that goes on without its
-- connection, in a call, would be taken for one that never started: taken back while it runs, and shown no row when it saves.
CREATE FUNCTION ledger.start_at_once_v1(p_id bigint, p_fence integer, p_forgettable boolean DEFAULT false) RETURNS integer
LANGUAGE plpgsql SET search_path = ledger, pg_temp SET lock_timeout = '10ms' AS $$
BEGIN
  IF p_forgettable THEN
    PERFORM set_config('synchronous_commit', 'off', true);
  END IF;
  RETURN ledger.start_v1(p_id, p_fence);
END $$;

-- The started job's row, written again by this transaction, which is what proves its scope; and the answers that were
-- paid for before. A transaction of its own has spent the attempt: whatever ends this one, it stays spent.
CREATE FUNCTION ledger.hold_v1(p_id bigint, p_fence integer) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  answers jsonb;
BEGIN
  UPDATE jobs SET started_at = started_at
  WHERE id = p_id AND fence = p_fence AND started_at IS NOT NULL
  RETURNING coalesce((SELECT jsonb_object_agg(a.input_hash, a.answer) FROM kept_answers a WHERE a.job_id = p_id), '{}')
  INTO answers;
  RETURN answers;
END $$;

-- Begin the load transaction of a started job: become the tenant, and write nothing more. Returns the kept answers by
-- the hash of what was asked; NULL: no longer ours.
CREATE FUNCTION ledger.begin_load_v1(p_id bigint, p_fence integer) RETURNS jsonb
LANGUAGE plpgsql SET search_path = ledger, pg_temp AS $$
DECLARE
  answers jsonb := ledger.hold_v1(p_id, p_fence);
BEGIN
  IF answers IS NOT NULL THEN
    -- What this transaction wrote changes nothing: a crash of the server may forget it.
    PERFORM set_config('synchronous_commit', 'off', true), set_config('nexara.job', p_id::text, true),
            set_config('role', 'tenant_job', true), set_config('transaction_read_only', 'on', true);
  END IF;
  RETURN answers;
END $$;
