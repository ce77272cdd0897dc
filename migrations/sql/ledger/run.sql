-- One started job, to its end. Every write to a known job is WHERE id AND fence: what comes late finds nothing.

-- Keep a vendor's paid answer until its job closes, so that a crash after it does not pay twice. Not fenced: the money
-- is spent whoever holds the job now; but an erased or closed job keeps nothing.
CREATE FUNCTION ledger.keep_answer_v1(p_id bigint, p_input_hash text, p_answer jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
BEGIN
  PERFORM FROM jobs WHERE id = p_id AND state NOT IN ('succeeded', 'cancelled', 'discarded') FOR SHARE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO kept_answers (job_id, input_hash, answer) VALUES (p_id, p_input_hash, p_answer) ON CONFLICT DO NOTHING;
  RETURN true;
END $$;

-- The job is done, if it is still ours; a job whose cause changed while it ran goes round again.
CREATE FUNCTION ledger.finish_v1(p_id bigint, p_fence integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
BEGIN
  UPDATE jobs
  SET state = CASE WHEN again THEN 'available' ELSE 'succeeded' END, fence = fence + 1,
      finished_at = CASE WHEN NOT again THEN clock_timestamp() END,
      attempt = CASE WHEN again THEN 0 ELSE attempt END, rescues = CASE WHEN again THEN 0 ELSE rescues END,
      again = false, cursor = NULL, worker_id = NULL
  WHERE id = p_id AND fence = p_fence;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  DELETE FROM kept_answers WHERE job_id = p_id;
  RETURN true;
END $$;

-- Begin the save transaction: complete the job, then become the tenant for its rows and follow-ups, all or nothing.
CREATE FUNCTION ledger.begin_save_v1(p_id bigint, p_fence integer) RETURNS void
LANGUAGE plpgsql SET search_path = ledger, pg_temp AS $$
BEGIN
  IF NOT ledger.finish_v1(p_id, p_fence) THEN
    RAISE EXCEPTION 'job % has moved on', p_id USING ERRCODE = 'NX001';
  END IF;
  PERFORM set_config('nexara.job', p_id::text, true), set_config('role', 'tenant_job', true);
END $$;

-- Percent, and one word of our source: nothing else is ever written of how far a job is.
CREATE FUNCTION ledger.check_progress(p_percent integer, p_doing text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = ledger, pg_temp AS $$
BEGIN
  IF p_percent NOT BETWEEN 0 AND 100 OR p_doing !~ '^[a-z][a-z0-9_]{0,62}$' THEN
    RAISE EXCEPTION 'progress is 0 to 100 percent, and a word in snake_case' USING ERRCODE = '22023';
  END IF;
END $$;

-- Called by the job that is being saved: there is more to do, from this cursor on, unless it is to be cancelled. No attempt and no rescue is carried
-- over; that it must run once more when it has come to its end is: finish_v1 left it available then, not succeeded.
-- Returns the state it took.
CREATE FUNCTION ledger.go_on_v1(p_cursor jsonb, p_percent integer DEFAULT NULL, p_doing text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  became text;
BEGIN
  PERFORM ledger.check_progress(p_percent, p_doing);
  UPDATE jobs
  SET again = (state = 'available') AND cancel_requested_at IS NULL,
      state = CASE WHEN cancel_requested_at IS NULL THEN 'available' ELSE 'cancelled' END,
      reason = CASE WHEN cancel_requested_at IS NOT NULL THEN 'by_hand' END,
      fence = fence + 1, finished_at = CASE WHEN cancel_requested_at IS NOT NULL THEN clock_timestamp() END,
      attempt = 0, rescues = 0, cursor = p_cursor, progress = coalesce(p_percent, progress), doing = coalesce(p_doing, doing)
  WHERE id = nullif(current_setting('nexara.job', true), '')::bigint AND xmin = pg_current_xact_id_if_assigned()::xid
  RETURNING state INTO became;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'only a job that is being saved can go on' USING ERRCODE = 'NX001';
  END IF;
  RETURN became;
END $$;

-- Complete many jobs that have no effects: as one set; returns the ids that were still ours.
CREATE FUNCTION ledger.complete_many_v1(p_ids bigint[], p_fences integer[]) RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN QUERY
    UPDATE jobs j
    SET state = CASE WHEN j.again THEN 'available' ELSE 'succeeded' END, fence = j.fence + 1,
        finished_at = CASE WHEN NOT j.again THEN clock_timestamp() END,
        attempt = CASE WHEN j.again THEN 0 ELSE j.attempt END, again = false, worker_id = NULL
    WHERE j.id = ANY (p_ids) AND j.fence = p_fences[array_position(p_ids, j.id)]
    RETURNING j.id;
END $$;

-- Put a job back among the open ones; one that is to be cancelled is cancelled. If its key was taken meanwhile, the newer job does the same work: this one is
-- discarded as superseded, not stuck. p_error is what has just failed, if anything has.
CREATE FUNCTION ledger.reopen(p_id bigint, p_fence integer, p_state text, p_run_at timestamptz, p_reason text, p_spent boolean,
                              p_error jsonb DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
DECLARE
  became text;
BEGIN
  UPDATE jobs
  SET state = 'cancelled', fence = fence + 1, reason = 'by_hand', worker_id = NULL, finished_at = clock_timestamp()
  WHERE id = p_id AND fence = p_fence AND cancel_requested_at IS NOT NULL
  RETURNING state INTO became;
  IF FOUND THEN
    DELETE FROM kept_answers WHERE job_id = p_id;
    RETURN became;
  END IF;
  UPDATE jobs
  SET state = p_state, fence = fence + 1, run_at = coalesce(p_run_at, run_at), reason = p_reason, worker_id = NULL, again = false,
      attempt = CASE WHEN p_spent OR started_at IS NULL THEN attempt ELSE greatest(attempt - 1, 0) END, started_at = NULL,
      fingerprint = coalesce(p_error ->> 'fingerprint', fingerprint),
      failed_at = CASE WHEN p_error IS NULL THEN failed_at ELSE clock_timestamp() END
  WHERE id = p_id AND fence = p_fence
  RETURNING state INTO became;
  RETURN became;
EXCEPTION WHEN unique_violation THEN
  UPDATE jobs
  SET state = 'discarded', fence = fence + 1, reason = 'superseded', worker_id = NULL, finished_at = clock_timestamp()
  WHERE id = p_id AND fence = p_fence
  RETURNING state INTO became;
  RETURN became;
END $$;

-- What went wrong, as one attempts row. Ids, codes and places in our source; never what a caller or a vendor said.
CREATE FUNCTION ledger.record_attempt(p_id bigint, p_fence integer, p_error jsonb) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
  WITH written AS (
    INSERT INTO attempts (job_id, business_id, kind, attempt, worker_id, started_at, outcome, error_class, error_code, message,
                          place, traceback, fingerprint, log_tail)
    SELECT id, business_id, kind, attempt, worker_id, started_at, p_error ->> 'outcome', p_error ->> 'class', p_error ->> 'code',
           p_error ->> 'message', p_error ->> 'place', p_error ->> 'traceback', p_error ->> 'fingerprint',
           right(p_error ->> 'log_tail', 4096)
    FROM jobs WHERE id = p_id AND fence = p_fence
    FOR UPDATE
    RETURNING 1
  )
  SELECT EXISTS (SELECT FROM written)
$$;

-- The attempt failed and the job stays open: retryable after p_wait, or parked until somebody mends p_reason. A wait and no
-- moment: workers' clocks differ, and this one alone says when a job is due.
-- Returns the state it took; NULL if it was no longer ours.
CREATE FUNCTION ledger.fail_v1(p_id bigint, p_fence integer, p_error jsonb, p_state text, p_wait interval,
                               p_reason text, p_spent boolean) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
BEGIN
  IF p_state NOT IN ('retryable', 'parked') THEN
    RAISE EXCEPTION 'fail_v1 leaves a job retryable or parked; begin_end_v1 ends it' USING ERRCODE = '22023';
  END IF;
  IF NOT ledger.record_attempt(p_id, p_fence, p_error) THEN
    RETURN NULL;
  END IF;
  RETURN ledger.reopen(p_id, p_fence, p_state, clock_timestamp() + p_wait, p_reason, p_spent, p_error);
END $$;

-- The job ends without success: dead after an error, cancelled by its own handler.
CREATE FUNCTION ledger.end_v1(p_id bigint, p_fence integer, p_state text, p_reason text, p_error jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
BEGIN
  IF p_state NOT IN ('dead', 'cancelled') THEN
    RAISE EXCEPTION 'end_v1 leaves a job dead or cancelled' USING ERRCODE = '22023';
  END IF;
  IF NOT ledger.record_attempt(p_id, p_fence, p_error) THEN
    RETURN false;
  END IF;
  UPDATE jobs
  SET state = p_state, fence = fence + 1, reason = p_reason, finished_at = clock_timestamp(), worker_id = NULL,
      fingerprint = p_error ->> 'fingerprint', failed_at = clock_timestamp()
  WHERE id = p_id AND fence = p_fence;
  IF p_state = 'cancelled' THEN
    DELETE FROM kept_answers WHERE job_id = p_id;
  END IF;
  RETURN true;
END $$;

-- End the job, then become the tenant, so that what must happen all the same (a call is billed though its audio was
-- unreadable) commits together with the end. False: no longer ours.
CREATE FUNCTION ledger.begin_end_v1(p_id bigint, p_fence integer, p_state text, p_reason text, p_error jsonb) RETURNS boolean
LANGUAGE plpgsql SET search_path = ledger, pg_temp AS $$
BEGIN
  IF NOT ledger.end_v1(p_id, p_fence, p_state, p_reason, p_error) THEN
    RETURN false;
  END IF;
  PERFORM set_config('nexara.job', p_id::text, true), set_config('role', 'tenant_job', true);
  RETURN true;
END $$;

-- The handler asks to be run later: not an attempt.
CREATE FUNCTION ledger.snooze_v1(p_id bigint, p_fence integer, p_run_at timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
BEGIN
  IF p_run_at > now() + interval '366 days' OR NOT isfinite(p_run_at) THEN
    RAISE EXCEPTION 'a job is put off for a year at most' USING ERRCODE = '22023';
  END IF;
  -- Its patience starts anew: to be put off is no failure.
  UPDATE jobs SET give_up_at = greatest(give_up_at, p_run_at + (give_up_at - enqueued_at)) WHERE id = p_id AND fence = p_fence;
  RETURN ledger.reopen(p_id, p_fence, 'scheduled', p_run_at, 'snoozed', false);
END $$;

-- How far a running job is: percent, and one word of our source. No index holds it, so its row stays on its page.
CREATE FUNCTION ledger.progress_v1(p_id bigint, p_fence integer, p_percent integer, p_doing text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp SET enable_seqscan = off AS $$
BEGIN
  PERFORM ledger.check_progress(p_percent, p_doing);
  PERFORM set_config('synchronous_commit', 'off', true);
  UPDATE jobs SET progress = coalesce(p_percent, progress), doing = coalesce(p_doing, doing)
  WHERE id = p_id AND fence = p_fence;
  RETURN FOUND;
END $$;

-- A worker that stops gives back what it holds; no attempt is spent. Returns how many it still held.
CREATE FUNCTION ledger.give_back_v1(p_ids bigint[], p_fences integer[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = ledger, pg_temp AS $$
DECLARE
  held record;
  given integer := 0;
BEGIN
  FOR held IN SELECT h.id, h.fence FROM unnest(p_ids, p_fences) AS h(id, fence) ORDER BY h.id LOOP
    IF ledger.reopen(held.id, held.fence, 'available', NULL, NULL, false) IS NOT NULL THEN
      given := given + 1;
    END IF;
  END LOOP;
  RETURN given;
END $$;

DO $$
DECLARE
  f regprocedure;
BEGIN
  FOR f IN
    SELECT p.oid::regprocedure FROM pg_proc p
    WHERE p.pronamespace = 'ledger'::regnamespace AND p.proname IN (
      'claim_v1', 'start_v1', 'start_at_once_v1', 'hold_v1', 'begin_load_v1', 'keep_answer_v1', 'finish_v1', 'begin_save_v1', 'go_on_v1',
      'complete_many_v1', 'reopen', 'record_attempt', 'fail_v1', 'end_v1', 'begin_end_v1', 'give_back_v1', 'snooze_v1',
      'progress_v1', 'check_progress')
  LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO nexara_ledger', f);
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
    IF f::text !~ '(reopen|record_attempt|check_progress|go_on_v1)\(' THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO nexara_worker', f);
    END IF;
  END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION ledger.go_on_v1(jsonb, integer, text) TO tenant_job;
